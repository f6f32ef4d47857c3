"""What `make zips` has made is what may be deployed: small, and without the adapters of one machine.

usage: zips.py [FOLDER]        (default target/lambda)
"""

import sys
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SMALL = ("history-writer", "issue-detector", "judge", "notification", "rollback")
LARGE = ("data-preparation", "evaluation", "mcp", "planner", "training")
# In millions of bytes, zipped.
LIMITS = {**dict.fromkeys(SMALL, 5.0), **dict.fromkeys(LARGE, 12.0)}


def main():
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "target/lambda"
    functions = {path.parent.parent.name for path in ROOT.glob("functions/*/src/main.rs")} - {"mlops"}
    assert functions == set(LIMITS), f"a function without a limit, or a limit without a function: {functions ^ set(LIMITS)}"
    wrong = []
    for name, limit in sorted(LIMITS.items()):
        path = folder / name / "bootstrap.zip"
        size = path.stat().st_size / 1e6
        with zipfile.ZipFile(path) as archive:
            assert archive.namelist() == ["bootstrap"], archive.namelist()
            program = archive.read("bootstrap")
        # Messages of panics name the file that they come from.
        if b"adapters/local/src" in program or b"jsonata" in program:
            wrong.append(f"{name} holds the adapters of one machine")
        if b"adapters/aws-s3/src" not in program and b"x-amz-" not in program:
            wrong.append(f"{name} holds no adapter of S3")
        if size > limit:
            wrong.append(f"{name} has {size:.1f} MB, and {limit:.0f} MB are allowed")
        print(f"{name:18} {size:5.1f} MB zipped, {len(program) / 1e6:5.1f} MB unpacked")
    sys.exit("\n".join(wrong))


if __name__ == "__main__":
    main()
