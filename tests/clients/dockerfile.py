"""What can be said of the Dockerfile without an engine: hadolint has no complaint, nobody runs as root, what it copies
and builds is there, and the endpoint's own health path is what it asks for. It builds nothing.

usage: dockerfile.py
"""

import json
import os
import re
import subprocess
import sys
import tomllib


def main():
    lint = os.path.join(os.path.dirname(sys.executable), "hadolint")
    subprocess.run([lint, "--failure-threshold", "info", "Dockerfile"], check=True)
    with open("Dockerfile", encoding="utf-8") as file:
        text = file.read().replace("\\\n", " ")
    lines = [line.split(None, 1) for line in text.splitlines() if line.strip() and not line.startswith("#")]
    stages = {}
    for word, rest in lines:
        if word == "FROM":
            stage = stages.setdefault(rest.split()[-1], [])
        stage.append((word, rest))

    def of(word, stage="base"):
        return [rest for name, rest in stages[stage] if name == word]

    for image in (rest for word, rest in lines if word == "FROM"):
        name = image.split()[0]
        assert name in ("scratch", *stages) or re.search(r":\d+\.\d+", name), f"{name} is pinned to a version"
    with open("Cargo.toml", "rb") as file:
        wanted = tomllib.load(file)["workspace"]["package"]["rust-version"]
    assert f"rust:{wanted}-" in lines[0][1], f"the image builds with Rust {wanted}"
    user = of("USER")[-1]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user), f"the user is a number that is not root, and is {user}"
    health = of("HEALTHCHECK")
    assert len(health) == 1 and "/healthz" in health[0], "the health of the endpoint is looked at"
    port = of("EXPOSE")[0]
    assert f":{port}/" in health[0], health
    commands = {name: json.loads(of("ENTRYPOINT", name)[0]) + json.loads(of("CMD", name)[0]) for name in ("local", "aws")}
    assert commands["local"] == ["/mlops", "mcp", "--http", f"0.0.0.0:{port}"], commands
    assert commands["aws"] == ["/mcp", "--http", f"0.0.0.0:{port}"], commands
    assert list(stages)[-1] == "local", "without a target it is the fleet on one machine"
    for binary, package in zip(("mcp", "mlops"), re.findall(r"cargo build [^;&]*--package (\S+)", text), strict=True):
        with open(f"functions/{binary}/Cargo.toml", "rb") as file:
            assert tomllib.load(file)["package"]["name"] == package
    with open(".dockerignore", encoding="utf-8") as file:
        ignored = file.read().split()
    assert {".git", "target", ".mlops"} <= set(ignored), "history, build output and data stay out of the context"
    secret = re.search(r"(?im)^(ENV|ARG)\s+\S*(KEY|TOKEN|SECRET|PASSWORD)", text)
    assert not secret, f"a layer would hold a secret: {secret.group(0)}"
    print("Dockerfile: hadolint has no complaint; static binary on scratch, not root, with a health check (not built here)")


if __name__ == "__main__":
    main()
