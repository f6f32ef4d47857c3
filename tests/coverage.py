"""Line coverage for each crate, from the JSON of cargo-llvm-cov: coverage.py FILE LEAST"""

import collections
import json
import os
import sys

report = json.load(open(sys.argv[1], encoding="utf-8"))
least = float(sys.argv[2])
here = os.getcwd() + "/"
crates = collections.defaultdict(lambda: [0, 0])
for file in report["data"][0]["files"]:
    name = file["filename"].removeprefix(here)
    crate = name.split("/src/")[0]
    # A binary's main is composition: the end-to-end tests run it as a program of its own.
    if "/tests/" in name or name.startswith("tests/") or name.endswith(("_tests.rs", "/src/main.rs")) or "/examples/" in name:
        continue
    lines = file["summary"]["lines"]
    crates[crate][0] += lines["covered"]
    crates[crate][1] += lines["count"]
low = []
for crate, (covered, count) in sorted(crates.items()):
    percent = 100 * covered / count if count else 100.0
    print(f"{percent:6.1f} %  {covered:6d} of {count:6d} lines  {crate}")
    if percent < least:
        low.append(crate)
if low:
    sys.exit(f"below {least} %: {', '.join(low)}")
