"""Measures the functions as they are deployed: the size of their zips, how long each takes to be ready under Lambda's runtime
API, what an invocation costs beyond the least one, memory at rest, and MCP through Lambda. The peers are a function that
only says hello, and the same in Python. Every ratio is of figures of this one run, the peers by turns.

usage: fleet.py [--quick] [--output docs/benchmarks.md] [--starts FILE]      (run it under tests/servers/ministack.py, after `make zips`)
"""

import argparse
import importlib.metadata
import json
import os
import platform
import statistics
import sys
import tempfile
import zipfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "lambda"))

import boto3  # noqa: E402
import sections  # noqa: E402
from figures import machine, percentile, seconds  # noqa: E402
from runtime_api import Function  # noqa: E402
from zips import LARGE, LIMITS, SMALL  # noqa: E402

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
LAMBDA = ROOT / "target/lambda"
KEY = "key-of-the-measurement"
TEMPLATE = "{{ model }}: {{ decision }}\n\nIt is **{{ decision }}** with an accuracy of {{ accuracy }}."
VALUES = {"model": "penguins", "decision": "promote", "accuracy": "0.98"}


def surroundings():
    """A bucket, a key and a topic, on the server that AWS_ENDPOINT_URL names."""
    boto3.client("s3").create_bucket(Bucket="measured")
    boto3.client("secretsmanager").create_secret(Name="mlops/mcp-api-key", SecretString=KEY)
    topic = boto3.client("sns").create_topic(Name="measured")["TopicArn"]
    return {
        "MLOPS_STORE": "s3://measured/store", "MLOPS_TOPIC_ARN": topic, "MLOPS_MCP_CALLS_PER_MINUTE": "0",
        "MLOPS_STATE_MACHINES": "training=arn:aws:states:us-east-1:000000000000:stateMachine:training",
        "MLOPS_MAIL_FROM": "fleet@example.com", "MLOPS_MAIL_TO": "team@example.com",
    }


def unpacked(name, folder):
    with zipfile.ZipFile(LAMBDA / name / "bootstrap.zip") as archive:
        archive.extract("bootstrap", folder / name)
    path = folder / name / "bootstrap"
    path.chmod(0o755)
    return [str(path)]


def request(body):
    """The event that API Gateway makes of an MCP request."""
    return {
        "version": "2.0", "routeKey": "$default", "rawPath": "/mcp", "rawQueryString": "",
        "headers": {
            "accept": "application/json, text/event-stream", "content-type": "application/json", "host": "api.example",
            "mcp-protocol-version": "2025-11-25", "x-api-key": KEY,
        },
        "requestContext": {
            "accountId": "anonymous", "apiId": "api", "domainName": "api.example", "domainPrefix": "api",
            "http": {"method": "POST", "path": "/mcp", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1", "userAgent": "bench"},
            "requestId": "request", "routeKey": "$default", "stage": "$default", "time": "01/Jan/2026:00:00:00 +0000",
            "timeEpoch": 1767225600000,
        },
        "body": json.dumps(body), "isBase64Encoded": False,
    }


CALL = request({
    "jsonrpc": "2.0", "id": 1, "method": "tools/call",
    "params": {"name": "apply_notification_template", "arguments": {"custom": TEMPLATE, "values": VALUES}},
})


class Peer:
    """A function, and what was measured of it."""

    def __init__(self, name, command, event, environment=None):
        self.name, self.command, self.event, self.environment = name, command, event, environment
        self.inits, self.calls, self.resting = [], [], []
        self.answer = None

    def start(self, count):
        with Function(self.command, self.environment, folder=str(HERE)) as function:
            self.inits.append(function.init)
            self.resting.append(function.memory())
            self.answer = function.invoke(self.event)[1]
            for _ in range(count // 10):
                function.invoke(self.event)
            self.calls += [function.invoke(self.event)[0] for _ in range(count)]

    @property
    def init(self):
        return statistics.median(self.inits)

    @property
    def call(self):
        return percentile(self.calls, 0.5)

    @property
    def memory(self):
        return statistics.median(self.resting)


def measure(peers, starts, calls):
    for _ in range(starts):
        for peer in peers.values():
            peer.start(calls)


def rendered(answer):
    """What the tool gave, out of an MCP answer in an HTTP response."""
    found = json.loads(answer["body"])["result"]["structuredContent"]
    found = found.get("result", found)
    return found["subject"], found["body"].rstrip()


def page(peers, quick):
    hello = peers["hello"]
    lines = [
        "| function | zip | limit | start to ready | × hello | warm invocation p50 | p99 | memory at rest |",
        "|---|---|---|---|---|---|---|---|",
    ]
    sizes = {name: (LAMBDA / name / "bootstrap.zip").stat().st_size / 1e6 for name in (*SMALL, *LARGE)}
    for name, peer in peers.items():
        size = f"{sizes[name]:.1f} MB | {LIMITS[name]:.0f} MB" if name in sizes else "– | –"
        calls = [seconds(percentile(peer.calls, share)) for share in (0.5, 0.99)] if peer.calls else ["–", "–"]
        lines.append(
            f"| {peer.name} | {size} | {seconds(peer.init)} | {peer.init / hello.init:.2f} | {calls[0]} | {calls[1]} | "
            f"{peer.memory / 2**20:.0f} MiB |"
        )
    python, training, ours, theirs = (peers[name] for name in ("python training", "training", "mcp", "python mcp"))
    facts = [
        f"- Ready {python.init / training.init:.0f} times as fast as the Python equivalent of training (boto3, pandas, scikit-learn "
        f"imported), with {python.memory / training.memory:.0f} times less memory.",
        f"- The judge costs {seconds(peers['judge'].call - hello.call)} an invocation more than a function that says hello.",
        f"- MCP through Lambda: tools/call p50 {theirs.call / ours.call:.1f} × and p99 "
        f"{percentile(theirs.calls, 0.99) / percentile(ours.calls, 0.99):.1f} × as fast as Python's `mcp`; ready "
        f"{theirs.init / ours.init:.0f} × as fast.",
    ]
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in (
        "awslambdaric", "boto3", "pandas", "scikit-learn", "mcp", "mangum"))
    note = " With QUICK=1: few repetitions, so take the digits lightly." if quick else ""
    return f"""x86-64 zips of `make zips` under a runtime API in Python. Starts and invocations of all peers by turns; an invocation includes the
runtime API's own time, which is the same for all. Measured on {machine()}; Python {platform.python_version()}, {versions}.{note}

{chr(10).join(lines)}

{chr(10).join(facts)}
"""


def starts(peers):
    """What costs.py takes over: the starts of the functions and of the Python equivalent, and a call of the MCP endpoint."""
    figures = lambda peer, name: {"init_ms": 1e3 * peer.init, name: peer.memory / 1e6}  # noqa: E731
    return {
        "functions": {name: figures(peers[name], "resting_mb") for name in (*SMALL, *LARGE)},
        "python": figures(peers["python training"], "peak_mb"),
        "mcp": {"duration_ms": 1e3 * peers["mcp"].call},
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--output", default="docs/benchmarks.md")
    parser.add_argument("--starts", type=Path, help="where the starts go, for costs.py")
    options = parser.parse_args()
    environment = surroundings()
    python = [sys.executable, "-m", "awslambdaric"]
    with tempfile.TemporaryDirectory() as folder:
        folder = Path(folder)
        peers = {"hello": Peer("hello-world (lambda_runtime)", [str(ROOT / "target/release/examples/hello-world")], {})}
        judged = json.loads((ROOT / "events/judge/success.json").read_text())
        nothing = {"version": "2.0", "rawPath": "/", "headers": {}, "requestContext": {"http": {"method": "GET", "path": "/"}}}
        events = {"judge": judged, "mcp": CALL, "issue-detector": nothing}
        for name in (*SMALL, *LARGE):
            # What is wrong with this task is seen before anything is read: the invocation is the function's own cost.
            peers[name] = Peer(name, unpacked(name, folder), events.get(name), environment)
        peers["python training"] = Peer(
            "Python: boto3, pandas, scikit-learn", [*python, "python_function.train"], judged, {"PEER": "training"})
        peers["python mcp"] = Peer("Python: mcp, mangum", [*python, "python_function.mcp"], CALL, {"PEER": "mcp"})
        for peer in peers.values():
            if peer.event is None:
                peer.start = lambda _count, peer=peer: only_start(peer)
        measure(peers, 3 if options.quick else 11, 50 if options.quick else 300)
        assert rendered(peers["mcp"].answer) == rendered(peers["python mcp"].answer), "the twins render otherwise"
        text = page(peers, options.quick)
    sections.put(options.output, "The functions as they are deployed", text)
    print(text)
    if options.starts:
        options.starts.write_text(json.dumps(starts(peers), indent=1))


def only_start(peer):
    with Function(peer.command, peer.environment, folder=str(HERE)) as function:
        peer.inits.append(function.init)
        peer.resting.append(function.memory())


if __name__ == "__main__":
    main()
