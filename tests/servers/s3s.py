"""Runs a command beside the lightest S3 server there is, so that a measurement shows the client: s3s-fs, which keeps files in a folder.

    python tests/servers/s3s.py -- COMMAND …       (`cargo install s3s-fs --version 0.14.1 --features binary` comes first)

The command finds the server as it does under seaweedfs.py. It takes the headers of encryption and stores the bytes as they are.
"""

import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

BUCKET = "objects"
ACCESS_KEY, SECRET_KEY = "s3s", "s3s-secret-key"


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


def until_it_listens(process, port):
    for _ in range(100):
        if process.poll() is not None:
            break
        try:
            return socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.1)
    raise SystemExit("s3s-fs does not listen")


def main():
    if len(sys.argv) < 3 or sys.argv[1] != "--":
        raise SystemExit(__doc__)
    with tempfile.TemporaryDirectory(prefix="s3s-") as folder:
        (Path(folder) / BUCKET).mkdir()
        port = free_port()
        keys = ["--access-key", ACCESS_KEY, "--secret-key", SECRET_KEY]
        process = subprocess.Popen(["s3s-fs", "--host", "127.0.0.1", "--port", str(port), *keys, folder], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        told = {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "S3_SERVER": "s3s-fs",
            "S3_BUCKET": BUCKET,
            "S3_KMS_KEY": "alias/none",
        }
        try:
            until_it_listens(process, port)
            return subprocess.run(sys.argv[2:], env=os.environ | told, check=False).returncode
        finally:
            process.kill()
            process.wait()


if __name__ == "__main__":
    sys.exit(main())
