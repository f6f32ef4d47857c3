"""MiniStack with the functions that the recorded machines call."""

import io
import json
import sys
import zipfile
from pathlib import Path

# Before the package of that name, which is the server itself.
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "servers"))

import ministack

ROLE = "arn:aws:iam::000000000000:role/machines"
BUCKET = "machines"

# A custom runtime: MiniStack keeps the name of an error that way. tests/src/parity has agents that do the same.
BOOTSTRAP = """#!{python}
import json, os, time, urllib.request
from pathlib import Path

HOME = Path(os.environ["HOME_OF_THE_RECORDING"])
API = "http://" + os.environ["AWS_LAMBDA_RUNTIME_API"] + "/2018-06-01/runtime/invocation/"


class Raised(Exception):
    pass


def echo(event):
    return event


def fail(event):
    raise Raised(event["error"], event["message"])


def flaky(event):
    # Raises the errors of a key one after the other, and then gives the number of its calls and the retries.
    count = HOME / ("count-" + event["key"])
    calls = int(count.read_text()) + 1 if count.exists() else 1
    count.write_text(str(calls))
    if calls <= len(event["errors"]):
        raise Raised(event["errors"][calls - 1], "call %d" % calls)
    return {{"calls": calls, "retries": event.get("retries")}}


def slow(event):
    time.sleep(event["seconds"])
    return event


def ask(event):
    path = HOME / ("ask-%d" % time.monotonic_ns())
    path.with_suffix(".new").write_text(json.dumps(event))
    path.with_suffix(".new").rename(path)


def scripted(event):
    # What the script says of this attempt of this state, with what the state gave.
    steps = event["script"][event["state"]]
    step = steps[min(event["attempt"], len(steps)) - 1] if isinstance(steps, list) else steps
    if "error" in step:
        raise Raised(step["error"], step["message"])
    return {{"status": "SUCCEEDED", "outputs": step, "given": event["inputs"], "next_hint": event["state"]}}


def post(path, value):
    urllib.request.urlopen(urllib.request.Request(API + path, json.dumps(value).encode(), method="POST")).read()


while True:
    with urllib.request.urlopen(API + "next") as asked:
        identity, event = asked.headers["Lambda-Runtime-Aws-Request-Id"], json.load(asked)
    try:
        post(identity + "/response", globals()[os.environ["_HANDLER"]](event))
    except Raised as raised:
        error, message = raised.args
        post(identity + "/error", {{"errorType": error, "errorMessage": message}})
"""


class MiniStack(ministack.MiniStack):
    """A running server. Leave the `with` block and it is stopped by its own process id."""

    def __init__(self):
        super().__init__(no_waiting=True)

    def __enter__(self):
        super().__enter__()
        try:
            self.states = self.client("stepfunctions")
            self.objects = self.client("s3")
            self.objects.create_bucket(Bucket=BUCKET)
            self._create_functions()
        except BaseException:
            self.__exit__()
            raise
        return self

    def _create_functions(self):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as file:
            entry = zipfile.ZipInfo("bootstrap")
            entry.external_attr = 0o755 << 16
            file.writestr(entry, BOOTSTRAP.format(python=sys.executable))
        functions = self.client("lambda")
        for name in ["echo", "fail", "flaky", "slow", "ask", "scripted"]:
            functions.create_function(
                FunctionName=name,
                Runtime="provided.al2023",
                Role=ROLE,
                Handler=name,
                Timeout=60,
                Code={"ZipFile": archive.getvalue()},
                Environment={"Variables": {"HOME_OF_THE_RECORDING": str(self.home)}},
            )

    def create(self, name, definition):
        """The ARN of a new state machine."""
        made = self.states.create_state_machine(name=name, definition=json.dumps(definition), roleArn=ROLE)
        return made["stateMachineArn"]

    def forget(self):
        """What the functions remember of runs before."""
        for path in [*self.home.glob("count-*"), *self.home.glob("ask-*")]:
            path.unlink()

    def asked(self):
        """What `ask` was asked so far, in order."""
        paths = [path for path in self.home.glob("ask-*") if not path.suffix]
        return [json.loads(path.read_text()) for path in sorted(paths, key=lambda path: int(path.name.split("-")[1]))]

    def events(self, arn):
        """The whole history of an execution, as (type, details)."""
        pages = self.states.get_paginator("get_execution_history").paginate(executionArn=arn)
        return [(event["type"], details(event)) for page in pages for event in page["events"]]


def details(event):
    found = [value for key, value in event.items() if key.endswith("EventDetails")]
    return found[0] if found else {}
