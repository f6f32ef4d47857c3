"""A server of the built binary on a free port, with a home, a store and a key of its own.

usage: endpoint.py BINARY [ARGUMENTS…] -- COMMAND…

Starts `BINARY ARGUMENTS…` (by default `mcp --http 127.0.0.1:0`), runs the command with MCP_URL, MCP_API_KEY, MCP_HOME and
DATA in its environment, and stops the server. DATA is a table in the server's store, where callers over HTTP may read.
"""

import os
import re
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading

LISTENING = re.compile(r"listening on (http://\S+)")


class Endpoint:
    """The running server: `url`, `key`, `headers`, `home`, `data`, `pid`."""

    def __init__(self, binary, arguments=("mcp", "--http", "127.0.0.1:0"), settings=None, home=None):
        self.command = [os.path.abspath(binary), *arguments]
        self.key = secrets.token_urlsafe(24)
        self.headers = {"X-API-Key": self.key}
        self.home = home or tempfile.mkdtemp()
        store = os.path.join(self.home, "store")
        os.makedirs(os.path.join(store, "data"))
        table = os.path.join(store, "data", "penguins.csv")
        shutil.copyfile("examples/penguins.csv", table)
        self.data = f"file://{table}"
        self.environment = {
            **os.environ,
            "MLOPS_HOME": self.home,
            "MLOPS_STORE": f"file://{store}",
            "MLOPS_SECRET_MCP_API_KEY": self.key,
            # A test asks more often than people do.
            "MLOPS_MCP_CALLS_PER_MINUTE": "0",
            **(settings or {}),
        }

    def __enter__(self):
        self.log = []
        self.process = subprocess.Popen(self.command, env=self.environment, stderr=subprocess.PIPE, text=True)
        self.pid = self.process.pid
        found = threading.Event()
        self.url = None

        def read():
            for line in self.process.stderr:
                self.log.append(line)
                match = LISTENING.search(line)
                if match and self.url is None:
                    self.url = match.group(1)
                    found.set()
            found.set()

        threading.Thread(target=read, daemon=True).start()
        if not found.wait(30) or self.url is None:
            self.__exit__()
            raise RuntimeError(f"{' '.join(self.command)} does not listen:\n{''.join(self.log)}")
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    def rss(self):
        """The memory that the server holds, in bytes."""
        with open(f"/proc/{self.pid}/status", encoding="ascii") as status:
            return next(int(line.split()[1]) * 1024 for line in status if line.startswith("VmRSS"))

    def audit(self):
        """The audit log so far, one object per call."""
        import json

        try:
            with open(os.path.join(self.home, "logs", "audit.jsonl"), encoding="utf-8") as lines:
                return [json.loads(line) for line in lines]
        except FileNotFoundError:
            return []


def main(words):
    at = words.index("--")
    (binary, *arguments), command = words[:at], words[at + 1:]
    with Endpoint(binary, arguments or ("mcp", "--http", "127.0.0.1:0")) as endpoint:
        settings = {"MCP_URL": endpoint.url, "MCP_API_KEY": endpoint.key, "MCP_HOME": endpoint.home, "DATA": endpoint.data}
        done = subprocess.run(command, env={**os.environ, **settings}, check=False)
        if done.returncode != 0:
            sys.stderr.writelines(endpoint.log[-20:])
    return done.returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
