"""Writes and reads one large object through the S3 adapter and with `aws s3 cp`, by turns, on the same server: seconds and peak memory.

usage: storage.py TRANSFER AWS [--megabytes 1024] [--pairs 5] [--output FILE]     (run it under tests/servers/seaweedfs.py)
"""

import argparse
import hashlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sections
from figures import machine


ENCRYPTED = ["--sse", "aws:kms", "--sse-kms-key-id", os.environ["S3_KMS_KEY"]]


def machine_seconds():
    """Processor seconds of the whole machine so far, without those that were idle or waited for a disk."""
    with open("/proc/stat", encoding="ascii") as file:
        user, nice, system, _, _, interrupt, soft = (int(ticks) for ticks in file.readline().split()[1:8])
    return (user + nice + system + interrupt + soft) / os.sysconf("SC_CLK_TCK")


def run(command):
    """Seconds, processor seconds and the most memory of one command, and the processor seconds of all else: the server."""
    begun, before = time.perf_counter(), machine_seconds()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    took = time.perf_counter() - begun
    if os.waitstatus_to_exitcode(status) != 0:
        sys.exit(f"{command} failed: {said.decode()[-2000:]}")
    own = usage.ru_utime + usage.ru_stime
    return took, own, usage.ru_maxrss * 1024, max(0.0, machine_seconds() - before - own)


def digest(path):
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("transfer", type=os.path.abspath)
    parser.add_argument("aws", type=os.path.abspath)
    parser.add_argument("--megabytes", type=int, default=1024)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--output", default="docs/benchmarks.md")
    options = parser.parse_args()
    bucket = os.environ["S3_BUCKET"]
    seen = {}
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "source", Path(folder) / "target"
        with source.open("wb") as file:
            for _ in range(options.megabytes):
                file.write(os.urandom(1024 * 1024))
        wanted = digest(source)
        peers = {"adapter": [options.transfer], "aws s3 cp": [options.aws, "s3", "cp", "--no-progress"]}
        # The first pair fills the caches of both and does not count.
        for pair in range(options.pairs + 1):
            for name, command in list(peers.items())[:: 1 if pair % 2 else -1]:
                there = f"s3://{bucket}/{name.replace(' ', '-')}"
                for way, arguments in (("write", [str(source), there]), ("read", [there, str(target)])):
                    target.unlink(missing_ok=True)
                    # The adapter encrypts every write, so the other does too.
                    encrypted = ENCRYPTED if (way, name) == ("write", "aws s3 cp") else []
                    figures = run([*command, *encrypted, *arguments])
                    if way == "read":
                        assert digest(target) == wanted, f"{name} read other bytes than were written"
                    if pair:
                        seen.setdefault((way, name), []).append(figures)
    text = page(seen, options)
    print(text)
    sections.put(options.output, "A large object in S3", text)


def page(seen, options):
    version = subprocess.run([options.aws, "--version"], capture_output=True, text=True, check=True).stdout.split()[0]
    lines = ["| | adapter | `aws s3 cp` | faster by | processor time | of the server | peak memory |", "|---|---|---|---|---|---|---|"]
    for way in ("write", "read"):
        ours, theirs = ([*zip(*seen[way, name])] for name in ("adapter", "aws s3 cp"))
        ratios = sorted(b / a for a, b in zip(ours[0], theirs[0]))
        lines.append(
            f"| {way} | {statistics.median(ours[0]):.2f} s | {statistics.median(theirs[0]):.2f} s | "
            f"{statistics.median(ratios):.1f}× ({ratios[0]:.1f}–{ratios[-1]:.1f}) | "
            f"{statistics.median(ours[1]):.2f} s and {statistics.median(theirs[1]):.2f} s | "
            f"{statistics.median(ours[3]):.2f} s and {statistics.median(theirs[3]):.2f} s | "
            f"{max(ours[2]) / 2**20:.0f} MiB and {max(theirs[2]) / 2**20:.0f} MiB |"
        )
    return f"""{options.megabytes} MiB written and read whole, file to file and encrypted with the same key, on the same SeaweedFS on this
machine, which shares its cores with the client; medians of {options.pairs} pairs by turns, the bytes compared. Measured on {machine()}; {version}.

{chr(10).join(lines)}

{bound(seen)}
"""


def bound(seen):
    """What the server leaves to win: the write of each client if both cores were busy all the time."""
    server = statistics.median(seconds for name in ("adapter", "aws s3 cp") for _, _, _, seconds in seen["write", name])
    ours, theirs = (statistics.median(figures[1] for figures in seen["write", name]) for name in ("adapter", "aws s3 cp"))
    cores = os.cpu_count()
    return (
        f"With {server:.1f} s of the server's on {cores} shared cores no client writes in less than {(server + ours) / cores:.1f} s (the adapter) or "
        f"{(server + theirs) / cores:.1f} s (`aws s3 cp`), so the adapter cannot be more than {(server + theirs) / (server + ours):.2f}× as fast "
        f"there while both keep the cores busy; of its own processor time it takes {theirs / ours:.1f} times less."
    )


if __name__ == "__main__":
    main()
