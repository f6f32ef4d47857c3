"""Zips of all functions for AWS from the development build, which CI has compiled most of already: `make e2e` needs them soon, not small.

usage: pack.py FOLDER PACKAGE…      (`make e2e ZIPS=target/lambda` takes those of `make zips` instead)
"""

import json
import subprocess
import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def built(packages):
    """The programs of those packages by name."""
    command = ["cargo", "build", "--no-default-features", "--features", "aws", "--bins", "--message-format", "json-render-diagnostics"]
    for package in packages:
        command += ["--package", package]
    done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, check=True)
    said = [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]
    return {made["target"]["name"]: Path(made["executable"]) for made in said if made.get("executable")}


def main():
    folder, packages = ROOT / sys.argv[1], sys.argv[2:]
    programs = built(packages)
    assert len(programs) == len(packages), f"{sorted(programs)} of {packages}"
    for name, program in programs.items():
        target = folder / name
        target.mkdir(parents=True, exist_ok=True)
        subprocess.run(["strip", "-o", target / "bootstrap", program], check=True)
        with zipfile.ZipFile(target / "bootstrap.zip", "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.write(target / "bootstrap", "bootstrap")
        (target / "bootstrap").unlink()


if __name__ == "__main__":
    main()
