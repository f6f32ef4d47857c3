"""Runs a command beside an S3 server of its own: SeaweedFS on free ports, with credentials, a bucket and keys for encryption.

    python tests/servers/seaweedfs.py -- cargo nextest run -p mlops-aws-s3 --features servers

The command finds the server in AWS_ENDPOINT_URL and its credentials in the usual variables. S3_SERVER is its name, S3_BUCKET an empty
bucket, and S3_KMS_KEY a key of the server's own KMS, which forgets it when it stops.
"""

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import botocore.config
import botocore.session

ACCESS_KEY, SECRET_KEY = "seaweedfs", "seaweedfs-secret"
REGION = "us-east-1"
BUCKET = "objects"
KMS_KEY = "alias/seaweedfs-default"
PARTS = ["master", "volume", "filer", "s3"]


def free_ports(count):
    """So many free ports of this machine."""
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [server.getsockname()[1] for server in held]
    for server in held:
        server.close()
    return ports


class SeaweedFS:
    """A running server. Leave the `with` block and it is stopped by its own process id."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="seaweedfs-")
        home = Path(self.folder.name)
        ports = free_ports(2 * len(PARTS))
        plain, remote = ports[: len(PARTS)], ports[len(PARTS) :]
        self.url = f"http://127.0.0.1:{plain[PARTS.index('s3')]}"
        settings = home / "s3.json"
        identity = {
            "name": "tests",
            "credentials": [{"accessKey": ACCESS_KEY, "secretKey": SECRET_KEY}],
            "actions": ["Admin", "Read", "Write", "List", "Tagging"],
        }
        kms = {"default_provider": "local", "providers": {"local": {"type": "local"}}}
        settings.write_text(json.dumps({"identities": [identity], "kms": kms}))
        (home / "data").mkdir()
        weed = Path(sys.executable).with_name("weed")
        command = [
            str(weed),
            f"-logdir={home}",
            "server",
            f"-dir={home / 'data'}",
            "-ip=127.0.0.1",
            "-ip.bind=127.0.0.1",
            "-filer",
            "-s3",
            f"-s3.config={settings}",
            "-s3.port.iceberg=0",
            "-s3.port.lance=0",
            f"-s3.localSocket={home / 's3.sock'}",
            f"-filer.localSocket={home / 'filer.sock'}",
            "-master.telemetry=false",
            # S3 has no bucket that nobody made, and each bucket takes some volumes.
            "-s3.autoCreateBucket=false",
            "-master.volumeSizeLimitMB=64",
            "-volume.max=1000",
            *(f"-{part}.port={port}" for part, port in zip(PARTS, plain)),
            *(f"-{part}.port.grpc={port}" for part, port in zip(PARTS, remote)),
        ]
        self.log = (home / "server.log").open("w")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, cwd=home)
        try:
            self._make_bucket()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        # A server that is asked to stop takes fifteen seconds to keep what is thrown away here.
        self.process.kill()
        self.process.wait()
        self.log.close()
        self.folder.cleanup()

    def variables(self):
        """What a client of this server is told."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_REGION": REGION,
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "S3_SERVER": "seaweedfs",
            "S3_BUCKET": BUCKET,
            "S3_KMS_KEY": KMS_KEY,
        }

    def client(self):
        """A client of this server that does not try again."""
        session = botocore.session.get_session()
        session.set_credentials(ACCESS_KEY, SECRET_KEY)
        config = botocore.config.Config(retries={"total_max_attempts": 1}, connect_timeout=2, read_timeout=5)
        return session.create_client("s3", region_name=REGION, endpoint_url=self.url, config=config)

    def _make_bucket(self):
        """Makes the bucket and writes an object: the S3 gateway answers before there is a volume to write to."""
        client = self.client()
        self._until_it_works(lambda: client.create_bucket(Bucket=BUCKET))
        self._until_it_works(lambda: client.put_object(Bucket=BUCKET, Key="ready", Body=b"ready"))
        client.delete_object(Bucket=BUCKET, Key="ready")

    def _until_it_works(self, call):
        last = "the process has ended"
        for _ in range(300):
            if self.process.poll() is not None:
                break
            try:
                return call()
            except Exception as error:
                last = error
                time.sleep(0.1)
        raise SystemExit(f"SeaweedFS does not work: {last}\n{Path(self.log.name).read_text()[-4000:]}")


def main():
    if len(sys.argv) < 3 or sys.argv[1] != "--":
        raise SystemExit(__doc__)
    with SeaweedFS() as server:
        return subprocess.run(sys.argv[2:], env={**os.environ, **server.variables()}, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
