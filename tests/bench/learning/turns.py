"""One turn of a measurement as a process of its own, and how the figures of several pairs of turns are written."""

import argparse
import os
import statistics
import subprocess
import sys
import threading

THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "RAYON_NUM_THREADS")


# A process counts what the one had that started it as memory of its own, so a small one starts it and gives the account.
STARTER = """
import os, sys
pid = os.posix_spawnp(sys.argv[2], sys.argv[2:], os.environ)
_, status, used = os.wait4(pid, 0)
os.write(int(sys.argv[1]), str(used.ru_maxrss).encode())
sys.exit(os.waitstatus_to_exitcode(status))
"""


def parser():
    """The options of every part: the program, the pairs of turns, the numbers of threads, a first look, some works alone."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--binary", required=True)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--only", nargs="*", default=[])
    return parser


def run(command, threads, body=b""):
    """What a process prints when it may use so many threads, and the most memory that it had, in bytes."""
    environment = os.environ | dict.fromkeys(THREADS, str(threads))
    account, own = os.pipe()
    starter = [sys.executable, "-I", "-S", "-c", STARTER, str(own), *map(str, command)]
    with os.fdopen(account) as account:
        with subprocess.Popen(starter, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, pass_fds=[own]) as process:
            os.close(own)
            writer = threading.Thread(target=feed, args=(process.stdin, body))
            writer.start()
            printed = process.stdout.read()
            writer.join()
        if process.returncode:
            raise subprocess.CalledProcessError(process.returncode, command)
        return printed.decode(), int(account.read()) * (1 if sys.platform == "darwin" else 1024)


def feed(pipe, body):
    try:
        pipe.write(body)
        pipe.close()
    except BrokenPipeError:
        pass


def ratio(ours, theirs):
    """The median of ours / theirs, pair by pair, with the least and the most."""
    ratios = [a / b for a, b in zip(ours, theirs) if b]
    if not ratios:
        return "–"
    return f"**{statistics.median(ratios):.2f}** ({min(ratios):.2f}–{max(ratios):.2f})"


def memory(ours, theirs):
    """The medians of the memory on both sides."""
    return " / ".join(f"{statistics.median(side) / 2**20:.0f}" for side in (ours, theirs))


HEAD = ["work", "threads", "fit, ours / theirs (least–most)", "processor time", "predict", "quality, ours", "theirs", "memory, MiB"]


def head():
    print(f"| {' | '.join(HEAD)} |\n|{'---|' * len(HEAD)}", flush=True)


def row(name, threads, pairs, quality=("–", "–")):
    """One line of the table; a pair is a turn of each side with `fit` and, where they are known, `cpu`, `predict` and
    `memory`."""
    side = lambda which, key: [pair[which].get(key) or 0.0 for pair in pairs]
    figures = [ratio(side(0, key), side(1, key)) for key in ("fit", "cpu", "predict")]
    cells = [name, str(threads), *figures, *quality, memory(side(0, "memory"), side(1, "memory"))]
    print(f"| {' | '.join(cells)} |", flush=True)
