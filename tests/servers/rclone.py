"""Runs a command beside `rclone serve s3`: an S3 server of few parts on a folder of its own, for measurements of clients.

    python tests/servers/rclone.py -- python tests/bench/storage.py …

The command finds the server as it finds that of seaweedfs.py. Keys for encryption are names here: rclone takes them and stores plainly.
"""

import subprocess
import sys
import tempfile
from pathlib import Path

import seaweedfs


class Rclone(seaweedfs.SeaweedFS):
    """A running server. Leave the `with` block and it is stopped by its own process id."""

    name = "rclone"

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="rclone-")
        home = Path(self.folder.name)
        [port] = seaweedfs.free_ports(1)
        self.url = f"http://127.0.0.1:{port}"
        (home / "data").mkdir()
        keys = f"{seaweedfs.ACCESS_KEY},{seaweedfs.SECRET_KEY}"
        command = ["rclone", "serve", "s3", str(home / "data"), f"--addr=127.0.0.1:{port}", f"--auth-key={keys}", f"--config={home / 'none'}"]
        self.log = (home / "server.log").open("w")
        self.process = subprocess.Popen(command, stdout=self.log, stderr=subprocess.STDOUT, cwd=home)
        try:
            self._make_bucket()
        except BaseException:
            self.__exit__()
            raise
        return self


if __name__ == "__main__":
    sys.exit(seaweedfs.main(Rclone, __doc__))
