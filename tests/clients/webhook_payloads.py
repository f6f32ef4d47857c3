"""Every example of GitHub's `issues`, `issue_comment` and `ping` events, signed, through the built binary.

usage: webhook_payloads.py BINARY

The examples are those of the npm package @octokit/webhooks-examples, of github.com and of every GitHub Enterprise Server in
it. Each goes in three times: as it is, with what asks for a model put into it, and with a signature that does not fit.
"""

import concurrent.futures
import copy
import hashlib
import hmac
import json
import os
import pathlib
import subprocess
import sys
import tempfile

SECRET = "It's a Secret to Everybody"
EXAMPLES = pathlib.Path("target/node-tools/node_modules/@octokit/webhooks-examples")
EVENTS = ("issues", "issue_comment", "ping")


def examples():
    for place in sorted(EXAMPLES.glob("*/index.json")):
        for event in json.loads(place.read_text()):
            if event["name"] in EVENTS:
                for number, payload in enumerate(event["examples"]):
                    yield f"{place.parent.name} {event['name']} {number}", event["name"], payload


def asking(event, payload):
    """The example with the label on its issue or a command in its comment."""
    payload = copy.deepcopy(payload)
    if event == "issues":
        labels = payload["issue"].setdefault("labels", [])
        labels.append({"id": 1, "name": "mlops", "color": "ededed", "default": False})
        if payload["action"] == "labeled":
            payload["label"] = labels[-1]
    elif event == "issue_comment":
        payload["comment"]["body"] = "Thank you.\r\n\r\n/mlops rollback to v3 drift\r\n"
    return payload


def expected(event, payload):
    """What an asking example is to be taken for: `None` when nothing is to be done."""
    issue = payload.get("issue", {})
    if event == "ping" or issue.get("pull_request") or issue.get("state") != "open":
        return None
    if payload["sender"].get("type") == "Bot":
        return None
    if event == "issue_comment":
        wanted = payload["action"] == "created" and payload["comment"]["author_association"] == "OWNER"
        return "rollback" if wanted else None
    changes = payload.get("changes", {})
    edited = payload["action"] == "edited" and ("body" in changes or "title" in changes)
    wanted = edited or payload["action"] in ("opened", "reopened", "labeled")
    return "train" if wanted and issue["author_association"] == "OWNER" else None


def detect(binary, home, event, payload, delivery, spoil=False):
    body = json.dumps(payload, indent=1, ensure_ascii=False)
    signature = "sha256=" + hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
    headers = {
        "X-GitHub-Event": event,
        "X-GitHub-Delivery": delivery,
        "X-Hub-Signature-256": signature,
        "Content-Type": "application/json",
    }
    arguments = home / f"{delivery}.json"
    arguments.write_text(json.dumps({"headers": headers, "body": body + (" " if spoil else "")}))
    environment = {**os.environ, "MLOPS_HOME": str(home), "MLOPS_SECRET_GITHUB_WEBHOOK_SECRET": SECRET}
    command = [binary, "tool", "detect_mlops_issue", f"@{arguments}"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


def read(answer):
    if answer.returncode != 0:
        raise AssertionError(answer.stderr)
    return json.loads(answer.stdout)


def check(binary, home, number, name, event, payload):
    as_it_is = read(detect(binary, home, event, payload, f"as-it-is-{number}"))
    assert as_it_is["verified"] and not as_it_is["is_mlops"] and as_it_is["reasons"], (name, as_it_is)
    payload = asking(event, payload)
    # Some examples are the same but for what nobody reads: each is a delivery of its own.
    payload["delivery"] = number
    asked = read(detect(binary, home, event, payload, f"asking-{number}"))
    intent = expected(event, payload)
    assert (asked["intent"] if asked["is_mlops"] else None) == intent, (name, intent, asked)
    if intent == "rollback":
        assert asked["arguments"] == {"reason": "drift", "version": 3}, (name, asked)
        assert asked["comment_id"] == payload["comment"]["id"], (name, asked)
    if event != "ping":
        issue = {"repo": payload["repository"]["full_name"], "number": payload["issue"]["number"]}
        assert asked["issue_ref"] == issue and asked["action"] == payload["action"], (name, asked)
    again = read(detect(binary, home, event, payload, f"again-{number}"))
    assert again["repeat"] == (intent is not None) and not again["is_mlops"], (name, again)
    spoiled = detect(binary, home, event, payload, f"spoiled-{number}", spoil=True)
    assert spoiled.returncode == 7 and "signature" in spoiled.stderr, (name, spoiled)
    return intent


def main():
    binary = str(pathlib.Path(sys.argv[1]).resolve())
    found = list(examples())
    assert len(found) > 40, "the examples are not installed: run tests/setup.sh"
    with tempfile.TemporaryDirectory() as folder, concurrent.futures.ThreadPoolExecutor(4) as pool:
        work = [pool.submit(check, binary, pathlib.Path(folder), at, *one) for at, one in enumerate(found)]
        intents = [one.result() for one in work]
    counts = {intent: intents.count(intent) for intent in ("train", "rollback", None)}
    assert counts["train"] >= 8 and counts["rollback"] >= 5 and counts[None] >= 20, counts
    print(f"webhook: {len(found)} examples of GitHub: {counts['train']} ask for a model, "
          f"{counts['rollback']} for a rollback, {counts[None]} for nothing; repeats and forgeries are told")


if __name__ == "__main__":
    main()
