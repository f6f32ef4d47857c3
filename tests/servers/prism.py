"""Runs a command beside a mock of GitHub's API, made of GitHub's own description of it: Prism refuses what does not fit.

    python tests/servers/prism.py -- cargo nextest run -p mlops-github --features servers

The command finds the server in MLOPS_GITHUB_API. Prism and the description are installed by tests/setup.sh.
"""

import argparse
import json
import os
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

TOOLS = Path(__file__).resolve().parents[2] / "target" / "node-tools" / "node_modules"
DESCRIPTION = TOOLS / "@octokit" / "openapi" / "generated" / "api.github.com.json"


def plain(value):
    """The description without the notes in its examples, which Prism would give out as a part of the answer."""
    if isinstance(value, dict):
        if set(value) == {"value", "x-github-breaking-changes"}:
            return plain(value["value"])
        return {name: plain(part) for name, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    # A comment that is found again by its first line, so that one is edited too.
    return "<!-- mlops:contract -->\n\nMe too" if value == "Me too" else value


class Prism:
    """A running server. Leave the `with` block and it is stopped by its own process id."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="prism-")
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        self.log_path = Path(self.folder.name) / "server.log"
        self.log = self.log_path.open("w")
        description = Path(self.folder.name) / "github.json"
        description.write_text(json.dumps(plain(json.loads(DESCRIPTION.read_text()))))
        prism = TOOLS / "@stoplight" / "prism-cli" / "dist" / "index.js"
        command = [
            TOOLS / "node" / "bin" / "node", prism, "mock", "--host", "127.0.0.1", "--port", str(port),
            "--verboseLevel", "warn", description,
        ]
        self.process = subprocess.Popen(
            command, stdout=self.log, stderr=subprocess.STDOUT, cwd=self.folder.name, start_new_session=True
        )
        try:
            self._wait_until_it_answers()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self.process.terminate()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def variables(self):
        """What a client of this server is told."""
        return {"MLOPS_GITHUB_API": self.url}

    def _wait_until_it_answers(self):
        # The description has 13 MB.
        for _ in range(1200):
            if self.process.poll() is not None:
                raise SystemExit(f"Prism did not start:\n{self.log_path.read_text()}")
            try:
                urllib.request.urlopen(f"{self.url}/meta", timeout=5)
                return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("Prism does not answer")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("command", nargs="+", help="what is run beside the server, after --")
    arguments = arguments.parse_args()
    with Prism() as server:
        return subprocess.run(arguments.command, env={**os.environ, **server.variables()}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
