"""Invokes every function with every event, by `cargo lambda invoke`, and compares whole responses.

Two rounds, each in a random order and on a home of its own, so that no event can lean on another. In a response only times,
durations and the path of the home are replaced. `--update` writes the responses instead; `--seed N` repeats an order.
"""

import argparse
import json
import os
import random
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
EVENTS = ROOT / "events"
FIRST_ANSWER_SECONDS = 900  # the function is built before it answers
TIMES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z|\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?( UTC)?")
DURATION_KEYS = re.compile(r"(_seconds|_ms|_time)$")


class Watch:
    """A Lambda emulator with every function, on a home and a port of its own."""

    def __init__(self, home: Path):
        self.home = home
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = tempfile.TemporaryFile()
        arguments = ["--ignore-changes", "--wait", "-A", "127.0.0.1", "-P", str(self.port)]
        self.process = subprocess.Popen(
            [ROOT / "tests/lambda/watch.sh", *arguments],
            cwd=ROOT, env={**os.environ, "MLOPS_HOME": str(home)},
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=subprocess.STDOUT, start_new_session=True,
        )  # fmt: skip

    def __enter__(self):
        for _ in range(600):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.__exit__()
        raise SystemExit(f"cargo lambda watch did not start:\n{self.output()}")

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                os.killpg(self.process.pid, signal.SIGKILL)
                self.process.wait()
        for pid in self.children():
            os.kill(pid, signal.SIGTERM)

    def children(self):
        """The functions that this emulator has started, by their home."""
        mark = f"MLOPS_HOME={self.home}".encode()
        for folder in Path("/proc").iterdir():
            try:
                if folder.name.isdigit() and mark in (folder / "environ").read_bytes().split(b"\0"):
                    yield int(folder.name)
            except OSError:
                continue

    def output(self) -> str:
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def invoke(self, function: str, event: Path) -> object:
        """The function's response, or its error as `{errorType, errorMessage}`."""
        command = ["cargo", "lambda", "invoke", function, "-A", "127.0.0.1", "-P", str(self.port), "--data-file", event]
        # Errors in plain lines, not in a frame that breaks them at the width of a terminal.
        variables = {
            **os.environ,
            "PATH": f"{ROOT / '.venv/bin'}:{os.environ['PATH']}",
            "NO_GRAPHICS": "1",
            "NO_COLOR": "1",
        }
        try:
            done = subprocess.run(
                command, cwd=ROOT, env=variables, capture_output=True, text=True, timeout=FIRST_ANSWER_SECONDS
            )
        except subprocess.TimeoutExpired:
            raise SystemExit(f"{function} {event.name} was not answered:\n{self.output()[-4000:]}") from None
        if done.returncode == 0:
            return json.loads(done.stdout)
        found = re.search(r"Error: (.*)\n\s+Diagnostic severity: error\ndiagnostic code: (\w+)", done.stderr, re.DOTALL)
        if not found:
            raise SystemExit(f"{function} {event.name}: {done.stderr}\n{self.output()[-4000:]}")
        return {"errorType": found[2], "errorMessage": found[1]}


def normalised(value: object, home: Path, key: str = "") -> object:
    """The response without what differs from one invocation to the next."""
    if isinstance(value, dict):
        return {name: normalised(item, home, name) for name, item in value.items()}
    if isinstance(value, list):
        return [normalised(item, home, key) for item in value]
    if isinstance(value, (int, float)) and not isinstance(value, bool) and DURATION_KEYS.search(key):
        return "<duration>"
    if isinstance(value, str):
        if key == "body" and value.startswith("{"):
            return normalised(json.loads(value), home)
        return TIMES.sub("<time>", value.replace(str(home), "<home>"))
    return value


def cases() -> list[tuple[str, Path]]:
    found = [
        (folder.name, event)
        for folder in sorted(EVENTS.iterdir())
        if folder.is_dir() and folder.name != "fixtures"
        for event in sorted(folder.glob("*.json"))
        if not event.name.endswith(".response.json")
    ]
    functions = {path.parent.parent.name for path in ROOT.glob("functions/*/src/main.rs")} - {"mlops"}
    for function in functions:
        names = {event.stem for name, event in found if name == function}
        missing = {"success", "bad-input", "replay"} - names
        if missing:
            raise SystemExit(f"events/{function} has no {', '.join(sorted(missing))}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--update", action="store_true", help="write the responses")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000))
    parser.add_argument("--only", help="only this function")
    options = parser.parse_args()
    order = random.Random(options.seed)
    all_cases = [case for case in cases() if options.only in (None, case[0])]
    binaries = [argument for name in sorted({name for name, _ in all_cases}) for argument in ("--bin", name)]
    subprocess.run(["cargo", "build", "--quiet", *binaries], cwd=ROOT, check=True)
    wrong = 0
    for number in (1, 2):
        shuffled = order.sample(all_cases, len(all_cases))
        home = Path(tempfile.mkdtemp(prefix="mlops-watch-"))
        try:
            with Watch(home) as watch:
                for function, event in shuffled:
                    response = normalised(watch.invoke(function, event), home)
                    if "replay" in event.stem and normalised(watch.invoke(function, event), home) != response:
                        wrong += 1
                        print(f"round {number}: {function}/{event.name} is answered otherwise when it is repeated")
                    expected = event.with_suffix(".response.json")
                    if options.update and number == 1:
                        expected.write_text(json.dumps(response, indent=2, ensure_ascii=False) + "\n")
                    elif json.loads(expected.read_text()) != response:
                        wrong += 1
                        print(f"round {number}: {function}/{event.name} answers\n{json.dumps(response, ensure_ascii=False)}")
                left = watch
            if remaining := list(left.children()):
                wrong += 1
                print(f"still running: {remaining}")
        finally:
            shutil.rmtree(home, ignore_errors=True)
    print(f"{2 * len(all_cases)} invocations of {len(all_cases)} events, {wrong} wrong (seed {options.seed})")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
