"""Runs every test with coverage counters and prints the line coverage of each crate.

usage: coverage.py LEAST [TABLE]      (`make coverage`; LLVM_COV and LLVM_PROFDATA name the tools of rustc's LLVM)

It fails when a test fails or a crate is below LEAST percent. With TABLE the lines go to that file.
"""

import collections
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PROFILES = ROOT / "target/profiles"


def instrumented(*command, **options):
    """A command of cargo whose builds count; all of them must have the same environment, or they build anew."""
    counters = {"RUSTC_WORKSPACE_WRAPPER": str(ROOT / "tests/instrumented.py"), "LLVM_PROFILE_FILE": str(PROFILES / "%p-%2m.profraw")}
    return subprocess.run(command, cwd=ROOT, env=os.environ | counters, check=True, **options)


def programs():
    """Every program that can have written a profile: the tests, and the programs that they start."""
    listed = instrumented("cargo", "nextest", "list", "--list-type", "binaries-only", "--message-format", "json", "--cargo-quiet", stdout=subprocess.PIPE)
    listed = json.loads(listed.stdout)
    yield from (suite["binary-path"] for suite in listed["rust-binaries"].values())
    meta = listed["rust-build-meta"]
    for started in meta["non-test-binaries"].values():
        yield from (str(Path(meta["target-directory"]) / one["path"]) for one in started)


def report():
    """The report of llvm-cov over all profiles, which are deleted."""
    merged, names = PROFILES / "all.profdata", PROFILES / "names.txt"
    names.write_text("".join(f"{profile}\n" for profile in PROFILES.glob("*.profraw")))
    subprocess.run([os.environ["LLVM_PROFDATA"], "merge", "-sparse", "-f", names, "-o", merged], check=True)
    objects = [argument for program in programs() for argument in ("-object", program)]
    command = [os.environ["LLVM_COV"], "export", "-summary-only", "-instr-profile", merged, *objects]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode:
        sys.exit(done.stderr.decode())
    # It also warns of functions that two programs have with different counters; the lines are right all the same.
    exported = json.loads(done.stdout)
    shutil.rmtree(PROFILES)
    return exported


def of_each_crate(files):
    """Lines that ran and all lines, of each crate's sources."""
    crates = collections.defaultdict(lambda: [0, 0])
    for file in files:
        path = Path(file["filename"])
        if not path.is_relative_to(ROOT):
            continue
        name = str(path.relative_to(ROOT))
        # A binary's main is composition: the end-to-end tests run it as a program of its own.
        if "/tests/" in name or name.startswith(("tests/", "target/")) or name.endswith(("_tests.rs", "/src/main.rs")) or "/examples/" in name:
            continue
        lines = file["summary"]["lines"]
        crate = crates[name.split("/src/")[0]]
        crate[0] += lines["covered"]
        crate[1] += lines["count"]
    return crates


def main():
    least = float(sys.argv[1])
    shutil.rmtree(PROFILES, ignore_errors=True)
    instrumented("make", "--no-print-directory", "test")
    low, rows = [], []
    for crate, (covered, count) in sorted(of_each_crate(report()["data"][0]["files"]).items()):
        percent = 100 * covered / count if count else 100.0
        rows.append(f"{percent:6.1f} %  {covered:6d} of {count:6d} lines  {crate}\n")
        if percent < least:
            low.append(crate)
    if sys.argv[2:]:
        Path(sys.argv[2]).write_text("".join(rows))
    else:
        print("".join(rows), end="")
    if low:
        sys.exit(f"below {least} %: {', '.join(low)}")


if __name__ == "__main__":
    main()
