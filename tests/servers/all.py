"""Every adapter of AWS and GitHub against the servers that play them, from one build.

MiniStack has all of AWS that the fleet uses; SeaweedFS is an S3 that stores; Prism knows GitHub's description of its API.
"""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ADAPTERS = sorted(path.parent.name for path in ROOT.glob("lib/adapters/*/Cargo.toml") if path.parent.name != "local")
WITH_SERVERS = [name for name in ADAPTERS if "servers = []" in (ROOT / f"lib/adapters/{name}/Cargo.toml").read_text()]


def tests(chosen):
    """The command that runs those tests; the build is the same for all."""
    packages = [argument for name in ADAPTERS for argument in ("--package", f"mlops-{name}")]
    features = ",".join(f"mlops-{name}/servers" for name in WITH_SERVERS)
    return ["cargo", "nextest", "run", *packages, "--features", features, "--no-fail-fast", "-E", chosen]


def beside(server, *arguments):
    return [sys.executable, str(HERE / server), *arguments, "--"]


def main():
    here = "kind(lib) or (kind(test) and not binary(contract) and not binary(load) and not binary(memory))"
    aws = " or ".join(f"package(mlops-aws-{name})" for name in ("secretsmanager", "ses", "sns", "stepfunctions"))
    rounds = [
        ("without a server", [], here),
        ("MiniStack", beside("ministack.py", "--no-waiting"), f"binary(contract) and ({aws})"),
        ("MiniStack as S3", beside("ministack.py"), "binary(contract) and package(mlops-aws-s3)"),
        ("SeaweedFS", beside("seaweedfs.py"), "kind(test) and package(mlops-aws-s3)"),
        ("Prism", beside("prism.py"), "binary(contract) and package(mlops-github)"),
    ]
    failed = []
    for name, server, chosen in rounds:
        print(f"== {name}", flush=True)
        if subprocess.run([*server, *tests(chosen)], cwd=ROOT, env=os.environ, check=False).returncode != 0:
            failed.append(name)
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
