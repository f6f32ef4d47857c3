"""Runs a command beside AWS services of its own: MiniStack on a free port, with everything in memory.

    python tests/servers/ministack.py -- cargo nextest run -p mlops-aws-secretsmanager --features servers
    python tests/servers/ministack.py --no-waiting -- COMMAND…

The command finds the server in AWS_ENDPOINT_URL and credentials that it takes in the usual variables. With --no-waiting
the Wait states of Step Functions, and its pauses before a retry, take no time.
"""

import argparse
import contextlib
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

REGION = "us-east-1"
ACCESS_KEY, SECRET_KEY = "test", "test"


class MiniStack:
    """A running server. Leave the `with` block and it is stopped by its own process id."""

    def __init__(self, no_waiting=False, settings=None):
        """`settings` are variables that the server gets besides its own."""
        self.settings = {**({"SFN_WAIT_SCALE": "0"} if no_waiting else {}), **(settings or {})}

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="ministack-")
        self.home = Path(self.folder.name)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        environment = {
            **os.environ,
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",
            # What it calls itself: the functions that it starts find it there.
            "AWS_ENDPOINT_URL": self.url,
            "LOG_LEVEL": "WARNING",
            "TMPDIR": self.folder.name,
            **self.settings,
        }
        self.log = (self.home / "server.log").open("w")
        command = [sys.executable, "-m", "ministack"]
        self.process = subprocess.Popen(
            command, env=environment, stdout=self.log, stderr=subprocess.STDOUT, cwd=self.home, start_new_session=True
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
        # The functions that it has started outlive it, and ask a server that is gone for work without end.
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.log.close()
        self.folder.cleanup()

    def variables(self):
        """What a client of this server is told."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
        }

    def client(self, service):
        """A client of one of its services."""
        # Whoever only needs the server need not have botocore.
        import botocore.session

        session = botocore.session.get_session()
        session.set_credentials(ACCESS_KEY, SECRET_KEY)
        return session.create_client(service, region_name=REGION, endpoint_url=self.url)

    def _wait_until_it_answers(self):
        for _ in range(300):
            if self.process.poll() is not None:
                raise SystemExit(f"MiniStack did not start:\n{(self.home / 'server.log').read_text()}")
            try:
                urllib.request.urlopen(f"{self.url}/_ministack/health", timeout=1)
                return
            except OSError:
                time.sleep(0.1)
        raise SystemExit("MiniStack does not answer")


def main():
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--no-waiting", action="store_true", help="Wait states and pauses before a retry take no time")
    arguments.add_argument("command", nargs="+", help="what is run beside the server, after --")
    arguments = arguments.parse_args()
    with MiniStack(arguments.no_waiting) as server:
        return subprocess.run(arguments.command, env={**os.environ, **server.variables()}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
