"""Makes events/ and events/fixtures from two real runs: the payloads that the state machine gave to each function.

Called by fixtures.sh. Each event has a run and a model of its own, so that none sees what another left behind. An event that is
a replay has its first delivery made here; what that left behind is a part of the fixtures.
"""

import base64
import copy
import hashlib
import hmac
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

from invoke import EVENTS, ROOT, Watch

SECRET = b"secret-of-the-fixtures"
REQUEST = """We weigh penguins.

```mlops yaml
task: classification
dataset_s3_uri: s3://mlops-fixtures/penguins.csv
target_column: species
algorithm: logistic_regression
model_name: penguins-by-issue-{number}
```
"""


def payloads(home: Path, algorithm_settings: dict) -> dict[str, dict]:
    """The payload of each state's task in the run with those hyperparameters."""
    for journal in home.glob("executions/training/*/journal.jsonl"):
        events = [json.loads(line) for line in journal.read_text().splitlines()]
        scheduled = [event for event in events if event["type"] == "TaskScheduled"]
        tasks = {event["state"]: event["details"]["parameters"]["Payload"] for event in scheduled}
        if tasks["Train"]["config"]["hyperparameters"] == algorithm_settings:
            return tasks
    raise SystemExit(f"no run has the hyperparameters {algorithm_settings}")


def task(payload: dict, function: str, case: str, attempt: int = 1, **inputs: object) -> dict:
    """The payload as the task of a run and a model of its own."""
    changed = copy.deepcopy(payload)
    changed["run_id"] = f"{function}-{case}"
    changed["config"]["model_name"] = f"penguins-{function}-{case}"
    changed["attempt"] = attempt
    changed["inputs"].update(inputs)
    return changed


def delivery(number: int, shape: str, *, raw: str | None = None, sign: bool = True, **issue: object) -> dict:
    """A delivery of GitHub's webhook as API Gateway v1, v2 or a Function URL gives it to Lambda."""
    person = {"login": "octocat", "id": 1, "type": "User"}
    payload = {
        "action": "opened",
        "issue": {
            "number": number, "id": 1000 + number, "title": "[mlops] Tell the species of a penguin", "state": "open",
            "html_url": f"https://github.com/penguins/field-work/issues/{number}", "user": person,
            "author_association": "MEMBER", "labels": [{"name": "mlops"}], "body": REQUEST.format(number=number), **issue,
        },
        "repository": {"id": 7, "name": "field-work", "full_name": "penguins/field-work", "owner": {"login": "penguins"}},
        "sender": person,
    }  # fmt: skip
    text = raw if raw is not None else json.dumps(payload, ensure_ascii=False)
    signature = hmac.new(SECRET if sign else b"another", text.encode(), hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/json",
        "user-agent": "GitHub-Hookshot/0000000",
        "x-github-delivery": f"00000000-0000-4000-8000-{number:012}",
        "x-github-event": "issues",
        "x-hub-signature-256": f"sha256={signature}",
    }
    if shape == "v1":
        capitals = {"-".join(part.capitalize() for part in name.split("-")): value for name, value in headers.items()}
        return {
            "resource": "/webhook", "path": "/webhook", "httpMethod": "POST", "headers": capitals,
            "multiValueHeaders": {name: [value] for name, value in capitals.items()},
            "queryStringParameters": None, "multiValueQueryStringParameters": None, "pathParameters": None,
            "stageVariables": None,
            "requestContext": {"resourcePath": "/webhook", "httpMethod": "POST", "path": "/prod/webhook", "stage": "prod",
                               "requestId": f"request-{number}", "identity": {"sourceIp": "192.0.2.1"}, "apiId": "api"},
            "body": text, "isBase64Encoded": False,
        }  # fmt: skip
    is_url = shape == "url"
    return {
        "version": "2.0", "routeKey": "$default" if is_url else "POST /webhook", "rawPath": "/webhook",
        "rawQueryString": "", "headers": headers,
        "requestContext": {"accountId": "anonymous", "apiId": "api", "domainName": "api.example", "domainPrefix": "api",
                           "http": {"method": "POST", "path": "/webhook", "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1",
                                    "userAgent": "GitHub-Hookshot/0000000"},
                           "requestId": f"request-{number}", "routeKey": "$default", "stage": "$default",
                           "time": "01/Jan/2026:00:00:00 +0000", "timeEpoch": 1767225600000},
        "body": base64.b64encode(text.encode()).decode() if is_url else text, "isBase64Encoded": is_url,
    }  # fmt: skip


class Fixtures:
    """Events, and the home that they begin with."""

    def __init__(self, work: Path):
        self.home = work / "home"
        self.bucket = self.home / "s3/mlops-fixtures"
        self.work = work
        for folder in EVENTS.glob("*"):
            for event in folder.glob("*.json"):
                event.unlink()

    def keep(self, run: Path, task_payloads: dict[str, dict]) -> None:
        """The artifacts of a run that its payloads name."""
        wanted = set()
        for payload in task_payloads.values():
            text = json.dumps(payload["inputs"])
            wanted |= {word for word in text.split('"') if word.startswith("s3://mlops-fixtures/")}
        for uri in wanted:
            source = run / "s3" / uri.removeprefix("s3://")
            for file in [source, source.with_name(source.name + ".manifest.json")]:
                if file.is_file() and "reports" not in file.parts:
                    target = self.home / file.relative_to(run)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    shutil.copyfile(file, target)
        for picture in run.glob("s3/mlops-fixtures/runs/evaluations/*/*.svg"):
            target = self.home / picture.relative_to(run)
            if target.parent.exists():
                shutil.copyfile(picture, target)

    def document(self, key: str, value: object) -> dict:
        """A document in the bucket, as a claim check."""
        text = json.dumps(value).encode()
        target = self.bucket / key
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(text)
        claim = {"uri": f"s3://mlops-fixtures/{key}", "sha256": hashlib.sha256(text).hexdigest(), "bytes": len(text)}
        return {"claim_check": claim}

    def event(self, function: str, case: str, payload: dict) -> Path:
        path = EVENTS / function / f"{case}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(payload, indent=2, ensure_ascii=False) + "\n")
        return path

    def happened(self, function: str, payload: dict) -> dict:
        """Does a task now, so that the fixtures hold what it left behind."""
        file = self.work / "task.json"
        file.write_text(json.dumps(payload))
        variables = {**os.environ, "MLOPS_HOME": str(self.home), "MLOPS_STORE": "s3://mlops-store"}
        command = [ROOT / "target/debug/mlops", "agent", function, "--event", file]
        done = subprocess.run(command, cwd=ROOT, env=variables, capture_output=True, text=True)
        if done.returncode:
            raise SystemExit(f"{function} {payload['run_id']}: {done.stderr}")
        return json.loads(done.stdout)

    def commit(self) -> None:
        target = EVENTS / "fixtures"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(self.home, target, ignore=shutil.ignore_patterns("logs", "locks", "lock", "tmp"))


def agents(fixtures: Fixtures, first: dict[str, dict], second: dict[str, dict]) -> None:
    """The events of the functions that take tasks alone."""
    simple = {"data-preparation": "PrepareData", "training": "Train", "evaluation": "Evaluate", "judge": "Judge"}
    for function, state in simple.items():
        fixtures.event(function, "success", task(first[state], function, "success"))
        fixtures.event(function, "replay", task(first[state], function, "replay", attempt=2))

    wrong = task(first["PrepareData"], "data-preparation", "bad-input")
    wrong["config"]["target_column"] = "spices"
    fixtures.event("data-preparation", "bad-input", wrong)
    path = task(first["PrepareData"], "data-preparation", "forbidden")
    path["config"]["dataset_s3_uri"] = "file:///etc/passwd"
    fixtures.event("data-preparation", "forbidden", path)
    unknown = task(first["PrepareData"], "data-preparation", "unknown-fields", priority="high")
    unknown["requested_by"] = {"team": "field work"}
    fixtures.event("data-preparation", "unknown-fields", unknown)

    wrong = task(first["Train"], "training", "bad-input")
    wrong["config"]["hyperparameters"] = {"C": -1}
    fixtures.event("training", "bad-input", wrong)
    fixtures.event("training", "register", task(first["Register"], "training", "register"))
    again = task(first["Register"], "training", "register-replay", attempt=2)
    fixtures.happened("training", again)
    fixtures.event("training", "register-replay", again)

    missing = task(first["Evaluate"], "evaluation", "bad-input")
    del missing["inputs"]["model_s3_uri"]
    fixtures.event("evaluation", "bad-input", missing)
    beside = task(second["Evaluate"], "evaluation", "champion")
    fixtures.happened("training", {**task(first["Register"], "evaluation", "champion"), "run_id": "evaluation-champion-0"})
    fixtures.event("evaluation", "champion", beside)
    report = task(first["WriteReport"], "evaluation", "report")
    fixtures.event("evaluation", "report", report)

    fixtures.event("judge", "bad-input", task(first["Judge"], "judge", "bad-input", metrics=[0.9]))
    rejected = task(first["Judge"], "judge", "reject")
    rejected["config"]["gates"] = {"accuracy": {"min": 1.01}}
    fixtures.event("judge", "reject", rejected)
    claimed = task(first["Judge"], "judge", "claim-check")
    claimed["inputs"] = fixtures.document("claims/evidence.json", first["Judge"]["inputs"])
    fixtures.event("judge", "claim-check", claimed)

    # The run of an issue is told there.
    first["TellPeople"]["issue"] = {"repo": "penguins/field-work", "number": 9}
    for function, state in {"history-writer": "RememberRun", "notification": "TellPeople"}.items():
        fixtures.event(function, "success", task(first[state], function, "success"))
        again = task(first[state], function, "replay", attempt=2)
        fixtures.happened(function, again)
        fixtures.event(function, "replay", again)
    fixtures.event("history-writer", "bad-input", task(first["RememberRun"], "history-writer", "bad-input", status="maybe"))
    fixtures.event("notification", "bad-input", task(first["TellPeople"], "notification", "bad-input", event="perhaps"))
    asked = task(first["TellPeople"], "notification", "approval-request")
    asked["inputs"] = {"event": "approval_request", "task_token": "token-of-the-fixtures", "version": 1,
                       "reasons": ["the gain may be chance"], "report_uri": first["TellPeople"]["inputs"]["report_uri"]}  # fmt: skip
    fixtures.event("notification", "approval-request", asked)


def rollback(fixtures: Fixtures, first: dict[str, dict], second: dict[str, dict]) -> None:
    """The events of the rollback function: each with versions of its own."""

    def registered(case: str, versions: list[dict[str, dict]]) -> dict:
        for number, run in enumerate(versions):
            payload = task(run["Register"], "rollback", case)
            payload["run_id"] = f"rollback-{case}-{number}"
            fixtures.happened("training", payload)
        payload = task(first["Register"], "rollback", case)
        payload["inputs"] = {"model_name": payload["config"]["model_name"]}
        return payload

    event = registered("success", [first, second])
    event["inputs"] |= {"step": "rollback", "by": "github:octocat", "reason": "it calls every penguin Adelie"}
    fixtures.event("rollback", "success", event)
    event = registered("replay", [first, second])
    event["inputs"] |= {"step": "rollback", "to_version": 1, "by": "github:octocat"}
    fixtures.happened("rollback", event)
    fixtures.event("rollback", "replay", {**event, "attempt": 2})
    event = registered("smoke", [first])
    event["inputs"] |= {"step": "smoke", "version": 1}
    fixtures.event("rollback", "smoke", event)
    event = registered("broken", [first, second])
    version = fixtures.home / "s3/mlops-store/registry/penguins-rollback-broken/versions/00000002.json"
    record = json.loads(version.read_text())
    record["model_sha256"] = "0" * 64
    version.write_text(json.dumps(record, indent=2) + "\n")
    event["inputs"] |= {"step": "smoke", "version": 2}
    fixtures.event("rollback", "broken", event)
    event = task(first["Register"], "rollback", "bad-input")
    event["inputs"] = {"step": "rollback", "model_name": "penguins-nobody-knows", "by": "github:octocat"}
    fixtures.event("rollback", "bad-input", event)


def issue_detector(fixtures: Fixtures, first: dict[str, dict]) -> Path:
    """The events of the issue detector; gives the one whose delivery must be made before it is a replay."""
    name = "issue-detector"
    fixtures.event(name, "success", delivery(1, "v2"))
    fixtures.event(name, "success-api-gateway-v1", delivery(2, "v1"))
    fixtures.event(name, "success-function-url", delivery(3, "url"))
    fixtures.event(name, "bad-input", delivery(4, "v2", raw=REQUEST))
    errors = REQUEST.format(number=5).replace("logistic_regression", "logical_regression")
    fixtures.event(name, "bad-request", delivery(5, "v2", body=errors))
    fixtures.event(name, "bad-signature", delivery(6, "v2", sign=False))
    fixtures.event(name, "stranger", delivery(7, "v2", author_association="NONE"))
    return fixtures.event(name, "replay", delivery(8, "v2"))


def planner(fixtures: Fixtures, first: dict[str, dict]) -> None:
    """The events of the planner; the plan of the replay is in its issue already."""
    name = "planner"
    fixtures.event(name, "success", task(first["Plan"], name, "success"))
    missing = task(first["Plan"], name, "without-data")
    missing["config"]["dataset_s3_uri"] = "s3://mlops-fixtures/nobody-wrote-this.csv"
    fixtures.event(name, "without-data", missing)
    wrong = task(first["Plan"], name, "bad-input")
    wrong["config"]["target_column"] = "spices"
    fixtures.event(name, "bad-input", wrong)
    again = task(first["Plan"], name, "replay", attempt=2)
    again["issue"] = {"repo": "penguins/field-work", "number": 9}
    fixtures.happened(name, again)
    fixtures.event(name, "replay", again)


def mcp(fixtures: Fixtures, first: dict[str, dict]) -> None:
    """The events of the MCP endpoint: calls of tools, as a Function URL gives them to Lambda."""

    def call(tool: str, arguments: dict, path: str = "/mcp", key: str = "key-of-the-fixtures") -> dict:
        body = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": tool, "arguments": arguments}}
        event = delivery(0, "url", raw=json.dumps(body))
        event["rawPath"] = event["requestContext"]["http"]["path"] = path
        event["headers"] = {
            "accept": "application/json, text/event-stream", "content-type": "application/json",
            "host": "id.lambda-url.example", "mcp-protocol-version": "2025-11-25", "x-api-key": key,
        }  # fmt: skip
        return event

    load = {"uri": "s3://mlops-fixtures/penguins.csv", "limit": 2}
    fixtures.event("mcp", "success", call("load_dataset", load))
    fixtures.event("mcp", "bad-input", call("load_dataset", {"url": "s3://mlops-fixtures/penguins.csv"}))
    fixtures.event("mcp", "forbidden", call("load_dataset", {"uri": "/etc/passwd"}))
    fixtures.event("mcp", "wrong-key", call("load_dataset", load, key="another key"))
    again = task(first["Register"], "mcp", "replay")
    fixtures.happened("training", again)
    model = {"model_name": again["config"]["model_name"], "model_s3_uri": again["inputs"]["model_s3_uri"]}
    fixtures.event("mcp", "replay", call("register_model", model))
    fixtures.event("mcp", "read-only", call("register_model", model, path="/mcp/readonly"))


def main() -> None:
    work = Path(sys.argv[1])
    fixtures = Fixtures(work)
    fixtures.bucket.mkdir(parents=True)
    shutil.copyfile(ROOT / "examples/penguins.csv", fixtures.bucket / "penguins.csv")
    first, second = payloads(work / "run", {}), payloads(work / "run", {"C": 0.01})
    fixtures.keep(work / "run", first)
    fixtures.keep(work / "run", {state: second[state] for state in ("Evaluate", "Register")})
    agents(fixtures, first, second)
    rollback(fixtures, first, second)
    planner(fixtures, first)
    mcp(fixtures, first)
    replay = issue_detector(fixtures, first)
    fixtures.commit()
    with Watch(fixtures.home) as watch:
        print(watch.invoke("issue-detector", replay))
    fixtures.commit()


if __name__ == "__main__":
    main()
