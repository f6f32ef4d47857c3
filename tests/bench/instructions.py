"""Counts the instructions of small fits under callgrind, and holds them to the counts of instructions.json.

    python instructions.py PROGRAM [--update] [--only NAME …]

PROGRAM is the example small_work of mlops-algorithms, as `make instructions` builds it: a development build without incremental
compilation (which cuts the crate into other units, and so inlines otherwise), whose engine is optimised as in a release. On one
thread the count of a piece of work is the same to some thousandths from run to run, however busy the machine is; that a crate of
other code is cut otherwise may cost some hundredths. A tenth more is a regression: mend it, or say in the commit why the work is
worth it and run with --update.
"""

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

COUNTS = Path(__file__).with_name("instructions.json")
MORE = 1.10
# t-SNE is not among them: valgrind 3.19 does not know one of the vector instructions of its loop.
WORK = {
    "random_forest": ("classifier", "random_forest", {"n_estimators": 20}),
    "random_forest regression": ("regressor", "random_forest", {"n_estimators": 10}),
    "xgboost": ("classifier", "xgboost", {"n_estimators": 20}),
    "xgboost shapley values": ("explain", "xgboost", {"n_estimators": 20}),
    "neural_network": ("classifier", "neural_network", {"max_iter": 10}),
    "logistic_regression": ("classifier", "logistic_regression", {}),
    "lasso": ("regressor", "lasso", {"alpha": 0.01}),
    "svm": ("classifier", "svm", {}),
    "knn": ("classifier", "knn", {}),
    "kmeans": ("clustering", "kmeans", {"n_clusters": 4}),
    "dbscan": ("clustering", "dbscan", {"eps": 0.5}),
    "pca": ("reduction", "pca", {}),
    "umap": ("reduction", "umap", {"n_epochs": 50}),
}


def count(program, work):
    """How many instructions a piece of work takes."""
    kind, name, given = work
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={folder}/out", str(program), kind, name, json.dumps(given)]
        done = subprocess.run(command, env=os.environ | {"RAYON_NUM_THREADS": "1"}, capture_output=True, text=True)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        raise SystemExit(f"{name}: {done.stderr}")
    return int(found[1])


def verdict(name, counted, before):
    """What is wrong with a count, or nothing."""
    if before is None:
        return f"{name} has no count yet; run `make instructions UPDATE=1`"
    if counted > before * MORE:
        return f"{name} takes {counted / before - 1:.1%} more instructions than it did"
    return None


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("program", type=Path)
    parser.add_argument("--update", action="store_true")
    parser.add_argument("--only", nargs="*", default=list(WORK))
    given = parser.parse_args()
    before = json.loads(COUNTS.read_text()) if COUNTS.exists() else {}
    with ThreadPoolExecutor(os.cpu_count()) as threads:
        counts = dict(zip(given.only, threads.map(lambda name: count(given.program, WORK[name]), given.only)))
    wrong = []
    for name, counted in counts.items():
        change = f"{counted / before[name] - 1:+7.1%}" if name in before else "    new"
        print(f"{name:26} {counted / 1e6:9.1f} million instructions {change}")
        wrong += [text for text in [verdict(name, counted, before.get(name))] if text]
    if given.update:
        COUNTS.write_text(json.dumps(before | counts, indent=2) + "\n")
    elif wrong:
        sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
