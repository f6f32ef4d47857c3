"""The whole fleet on a server that plays AWS: the template that cdk/ makes, the zips that `make zips` makes, and signed
deliveries at the API. What a run leaves in S3, SES, SNS and GitHub is looked at, and so is everything that may go wrong.

usage: run.py ZIPS          (the folder that holds <function>/bootstrap.zip)
"""

import io
import json
import os
import shutil
import sys
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
for beside in ("servers", "golden"):
    sys.path.insert(0, str(ROOT / "tests" / beside))

from github_api import GithubApi  # noqa: E402
from ministack import MiniStack  # noqa: E402
from prism import Prism  # noqa: E402
from stack import DATA, MCP_KEY, PREFIX, Fleet, comment, issue, synthesise  # noqa: E402

BODY = """Which species is it?

```mlops
task: classification
dataset_s3_uri: s3://{data}/{table}
target_column: species
algorithm: {algorithm}
model_name: {model}
{more}
notify: [github, email]
```
"""


TAKES_A_TASK_AND_SLEEPS = """#!/bin/sh
curl --silent "http://$AWS_LAMBDA_RUNTIME_API/2018-06-01/runtime/invocation/next" > /dev/null
exec sleep 60
"""


def body(model, algorithm="logistic_regression", table="penguins.csv", more="seed: 42"):
    return BODY.format(data=DATA, model=model, algorithm=algorithm, table=table, more=more)


def started(fleet, number, text):
    """The ARN of the execution that the delivery of that issue starts."""
    status, answer = fleet.deliver("issues", issue(number, text))
    assert status == 202, (status, answer)
    run = answer["run_id"]
    return next(found["executionArn"] for found in fleet.executions() if found["name"] == run)


def a_run_ends_with_everything_in_its_place(fleet, github):
    began = time.perf_counter()
    arn = started(fleet, 1, body("whole"))
    ended = fleet.ended(arn)
    took = time.perf_counter() - began
    assert ended["status"] == "SUCCEEDED", (ended, fleet.history(arn)[-4:])
    # MiniStack gives no Succeed state its Output: what the run made is read where it lies.
    run = arn.rsplit(":", 1)[1]
    assert fleet.objects("store/registry/whole/versions/") == ["store/registry/whole/versions/00000001.json"]
    version = fleet.document("store/registry/whole/versions/00000001.json")
    assert version["run_id"] == run and version["model_s3_uri"].startswith(f"s3://{fleet.bucket}/"), version
    assert version["metrics"]["accuracy"] > 0.9, version["metrics"]
    assert fleet.document("store/registry/whole/state.json")["aliases"] == {"champion": 1}
    assert any(key.endswith("report.html") for key in fleet.objects(f"store/reports/{run}/"))
    mails = [mail for mail in fleet.mails() if "whole" in json.dumps(mail)]
    assert len(mails) == 1 and "team@example.com" in json.dumps(mails[0]), mails
    events = [event for event in fleet.heard() if run in json.dumps(event)]
    assert len(events) == 1 and "completed" in json.dumps(events[0]), events
    commits = [request for request in github.requests if request[1].startswith("/repos/octocat/history/git/")]
    assert {("POST", "trees"), ("POST", "commits")} <= {(method, path.split("/git/")[1]) for method, path, _ in commits}, commits
    told = [text for comments in github.comments.values() for comment in comments for text in [comment["body"]] if run in text]
    assert told and any("promote" in text for text in told), github.comments
    assert not github.complaints, github.complaints
    print(f"a run: {took:.1f} s from the delivery to its end; version, report, mail, event, commit and comment are there")
    return arn


def five_deliveries_are_one_execution(fleet):
    before = len(fleet.executions())
    payload = issue(2, body("five"))
    answers = [fleet.deliver("issues", payload, delivery) for delivery in ("a", "b", "a", "c", "b")]
    assert answers[0][0] == 202 and all(status in (200, 202) for status, _ in answers), answers
    assert len(fleet.executions()) == before + 1
    arn = next(found["executionArn"] for found in fleet.executions() if found["name"] == answers[0][1]["run_id"])
    assert fleet.ended(arn)["status"] == "SUCCEEDED"
    assert len(fleet.objects("store/registry/five/versions/")) == 1
    print("five deliveries: one execution")


def a_wrong_signature_starts_nothing(fleet):
    before = len(fleet.executions())
    status, answer = fleet.deliver("issues", issue(3, body("forged")), secret="another secret")
    assert status == 401, (status, answer)
    assert len(fleet.executions()) == before
    print("a wrong signature: 401, nothing started")


def a_failing_training_is_caught_told_and_remembered(fleet, github):
    fleet.heard()
    rows = (ROOT / "examples/penguins.csv").read_text().splitlines()
    names = rows[0].split(",")
    one = [",".join("Adelie" if name == "species" else value for name, value in zip(names, row.split(","))) for row in rows[1:]]
    fleet.s3.put_object(Bucket=DATA, Key="one-class.csv", Body="\n".join([rows[0], *one]).encode())
    arn = started(fleet, 4, body("one-class", table="one-class.csv"))
    ended = fleet.ended(arn)
    assert ended["status"] == "FAILED" and ended["error"] == "InvalidInput", ended
    run = arn.rsplit(":", 1)[1]
    events = [event for event in fleet.heard() if run in json.dumps(event)]
    assert len(events) == 1 and "failed" in json.dumps(events[0]), events
    assert any("one-class" in json.dumps(mail) for mail in fleet.mails())
    record = fleet.document(f"store/history/{run}/records/00000001.json")
    assert record["status"] == "failed", record
    told = [comment["body"] for comments in github.comments.values() for comment in comments if run in comment["body"]]
    assert told, github.comments
    print(f"a failing training: {ended['error']}, told and remembered")


def a_function_that_times_out_is_tried_again_and_then_caught(fleet):
    name = f"{PREFIX}-training"
    held = fleet.lambdas.get_function_configuration(FunctionName=name)["Timeout"]
    code = (fleet.zips / "training/bootstrap.zip").read_bytes()
    asleep = io.BytesIO()
    with zipfile.ZipFile(asleep, "w") as archive:
        entry = zipfile.ZipInfo("bootstrap")
        entry.external_attr = 0o755 << 16
        archive.writestr(entry, TAKES_A_TASK_AND_SLEEPS)
    fleet.lambdas.update_function_code(FunctionName=name, ZipFile=asleep.getvalue())
    fleet.lambdas.update_function_configuration(FunctionName=name, Timeout=1)
    try:
        arn = started(fleet, 5, body("asleep"))
        ended = fleet.ended(arn)
    finally:
        fleet.lambdas.update_function_code(FunctionName=name, ZipFile=code)
        fleet.lambdas.update_function_configuration(FunctionName=name, Timeout=held)
    history = fleet.history(arn)
    failures = [event for event in history if event["type"] in ("TaskFailed", "TaskTimedOut", "LambdaFunctionTimedOut")]
    assert ended["status"] == "FAILED" and len(failures) == 4, (ended, [event["type"] for event in history], failures)
    record = fleet.document(f"store/history/{arn.rsplit(':', 1)[1]}/records/00000001.json")
    assert record["status"] == "failed", record
    print(f"a function that times out: tried {len(failures)} times, then {ended['error']}, and remembered")


def a_function_at_its_reserved_concurrency_is_caught_told_and_remembered(fleet):
    name = f"{PREFIX}-judge"
    fleet.lambdas.put_function_concurrency(FunctionName=name, ReservedConcurrentExecutions=0)
    try:
        arn = started(fleet, 8, body("busy"))
        ended = fleet.ended(arn)
    finally:
        fleet.lambdas.delete_function_concurrency(FunctionName=name)
    # Step Functions names it Lambda.TooManyRequestsException, which the machine retries (tests/machines); this server does not.
    assert (ended["status"], ended["error"]) == ("FAILED", "Lambda.Unknown"), ended
    assert any("ReservedConcurrentExecutions" in json.dumps(event, default=str) for event in fleet.history(arn)), ended["cause"]
    assert fleet.document(f"store/history/{arn.rsplit(':', 1)[1]}/records/00000001.json")["status"] == "failed"
    print("a function at its reserved concurrency: caught, told and remembered")


def mcp_through_the_api(fleet):
    """The endpoint asks for its key, and answers in one piece: this server's API streams nothing."""
    call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "list_model_versions", "arguments": {"model_name": "whole"}}}
    headers = {
        "Content-Type": "application/json", "Accept": "application/json, text/event-stream", "MCP-Protocol-Version": "2025-11-25",
    }
    status, answer = fleet.post("/mcp", json.dumps(call).encode(), headers)
    assert status == 401, (status, answer)
    status, answer = fleet.post("/mcp", json.dumps(call).encode(), {**headers, "X-API-Key": MCP_KEY})
    assert status == 200, (status, answer)
    versions = answer["result"]["structuredContent"]["versions"]
    assert [version["version"] for version in versions] == [1], versions
    print("MCP through the API: 401 without the key, the registry with it")


def an_approval_by_comment_lets_the_run_go_on(fleet, github):
    first = started(fleet, 6, body("asked"))
    assert fleet.ended(first)["status"] == "SUCCEEDED"
    # The same data and another seed: whether it is better than the champion may be chance, so a person decides.
    arn = started(fleet, 7, body("asked", algorithm="decision_tree", more="seed: 7\nhyperparameters: {max_depth: 3}"))
    waits = lambda _: any("AskApproval" in json.dumps(event, default=str) for event in fleet.history(arn))  # noqa: E731
    fleet.wait_for(arn, waits)
    run = arn.rsplit(":", 1)[1]
    for _ in range(100):
        if any("/mlops approve" in made["body"] for comments in github.comments.values() for made in comments):
            break
        time.sleep(0.1)
    assert not any("AQC" in made["body"] for comments in github.comments.values() for made in comments), "no token is told"
    status, answer = fleet.deliver("issue_comment", comment(7, "/mlops approve it is as good and simpler"))
    assert status == 202, (status, answer)
    ended = fleet.ended(arn)
    assert ended["status"] == "SUCCEEDED", ended
    assert fleet.document("store/registry/asked/state.json")["aliases"]["champion"] == 2
    approval = fleet.document(f"store/approvals/{run}.json")
    print(f"an approval by comment: version 2 is promoted ({approval['answer']['by']})")


def main():
    folder = Path(tempfile.mkdtemp(prefix="mlops-e2e-"))
    try:
        with Prism() as prism:
            github = GithubApi(prism.url)
            zips = Path(sys.argv[1]).resolve()
            synthesise(folder, github.url, zips)
            with MiniStack(no_waiting=True) as server:
                os.environ.update(server.variables())
                fleet = Fleet(server, folder, zips)
                print(f"deployed: {len(fleet.lambdas.list_functions()['Functions'])} functions, {len(fleet.machines)} machines")
                a_run_ends_with_everything_in_its_place(fleet, github)
                five_deliveries_are_one_execution(fleet)
                a_wrong_signature_starts_nothing(fleet)
                a_failing_training_is_caught_told_and_remembered(fleet, github)
                a_function_that_times_out_is_tried_again_and_then_caught(fleet)
                a_function_at_its_reserved_concurrency_is_caught_told_and_remembered(fleet)
                mcp_through_the_api(fleet)
                an_approval_by_comment_lets_the_run_go_on(fleet, github)
            github.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
