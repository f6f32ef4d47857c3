"""Golden histories of the machines in tests/machines, recorded from MiniStack.

Run from any folder; it writes tests/machines/<name>.history.json. With --check it records again, writes nothing and
fails on a difference. Names of machines after it record only those. tests/src/parity runs the same machines through the
walker and compares. MiniStack has no redrive and no limit on the size of data: the tests of the walker hold those.
"""

import argparse
import importlib.metadata
import json
import sys
import time
from pathlib import Path

import fleet_machines
from functions import BUCKET, MiniStack
from histories import Reader
from unfolding import Unfolding

MACHINES = Path(__file__).resolve().parents[1] / "machines"


def with_heartbeat(definition):
    for state in definition["States"].values():
        if "HeartbeatSeconds" in state:
            state["TimeoutSeconds"] = state.pop("HeartbeatSeconds")
            for catcher in state.get("Catch", []):
                catcher["ErrorEquals"] = [name.replace("Heartbeat", "") for name in catcher["ErrorEquals"]]


def heartbeat_error(run):
    for event in run:
        if event.get("error") == "States.Timeout":
            event["error"] = "States.HeartbeatTimeout"


def without_expression(definition):
    definition["States"]["A"]["TimeoutSeconds"] = 1


def one_after_the_other(definition):
    state = definition["States"]["B"]
    state["Assign"] = {"x": "{% $y %}", "y": 1}


def strict_condition(definition):
    rule = definition["States"]["A"]["Choices"][0]
    rule["Condition"] = "{% $states.input.x = true or $states.input.x = false ? $states.input.x : $error('no truth value') %}"


# Where MiniStack 1.5.33 is wrong against the documentation of Step Functions: the reason with the documented behaviour,
# what the definition is changed into so that MiniStack does the documented thing, and what is corrected in its history.
WRONG = {
    "assign_and_output_see_the_variables_from_before": (
        "It assigns one variable after the other; documented: all expressions of a state see the values from before it.",
        one_after_the_other,
        None,
    ),
    "choice_condition_must_be_true_or_false": (
        "It takes what counts as true; documented: a Condition must evaluate to a boolean, else States.QueryEvaluationError.",
        strict_condition,
        None,
    ),
    "timeout_by_expression": (
        "It fails with States.Runtime; documented: TimeoutSeconds may be a JSONata expression.",
        without_expression,
        None,
    ),
    "token_heartbeat_stops": (
        "It has no heartbeats; documented: a task without one for HeartbeatSeconds fails with States.HeartbeatTimeout.",
        with_heartbeat,
        heartbeat_error,
    ),
}


def run(stack, reader, name, arn, plan, number, given, limit):
    """Runs a machine once and gives its history."""
    stack.forget()
    execution = f"{number}"
    started = stack.states.start_execution(stateMachineArn=arn, name=execution, input=json.dumps(given["input"]))["executionArn"]
    begun, answers, answered = time.monotonic(), list(given.get("answers", [])), 0
    while True:
        status = stack.states.describe_execution(executionArn=started)["status"]
        if status != "RUNNING":
            assert not answers, f"{name}: {answers} were not asked for"
            break
        asked = stack.asked()
        if answers and len(asked) > answered:
            # A token is known before the execution waits for it, and an answer in between would be kept as well.
            assert asked[answered]["state"] == answers[0]["state"], f"{name}: {asked[answered]} has no answer"
            answer = answers.pop(0)
            give(stack, started, asked[answered]["token"], answer)
            answered += "heartbeat" not in answer
        elif limit and time.monotonic() - begun > limit:
            # MiniStack does not know the time limit of an execution: it is stopped when it is over.
            stack.states.stop_execution(executionArn=started, error="States.Timeout")
        assert time.monotonic() - begun < 60, f"{name} does not end"
        time.sleep(0.02)
    history = reader.read(started, plan)
    if limit and history[-1]["type"] == "ExecutionAborted":
        history[-1]["type"] = "ExecutionTimedOut"
    return history


def give(stack, execution, token, answer):
    states = stack.states
    if "success" in answer:
        states.send_task_success(taskToken=token, output=json.dumps(answer["success"]))
    elif "failure" in answer:
        states.send_task_failure(taskToken=token, **answer["failure"])
    elif "heartbeat" in answer:
        time.sleep(answer["heartbeat"])
        states.send_task_heartbeat(taskToken=token)
    elif "stop" in answer:
        states.stop_execution(executionArn=execution, **answer["stop"])
    else:
        assert "silence" in answer, answer


def record(stack, path):
    """The histories of all runs of a machine."""
    machine = json.loads(path.read_text())
    definition = machine["definition"]
    _, change, correct = WRONG.get(path.stem, (None, None, None))
    if change:
        change(definition)
    for key, text in machine.get("objects", {}).items():
        stack.objects.put_object(Bucket=BUCKET, Key=key, Body=text.encode())
    arn, plan = Unfolding(path.stem[:60], stack.create).unfold(definition)
    reader, limit = Reader(stack), definition.get("TimeoutSeconds")
    runs = [run(stack, reader, path.stem, arn, plan, number, given, limit) for number, given in enumerate(machine["runs"])]
    for key in machine.get("objects", {}):
        stack.objects.delete_object(Bucket=BUCKET, Key=key)
    for history in runs if correct else []:
        correct(history)
    return {"made_with": f"MiniStack {importlib.metadata.version('ministack')}", "runs": runs}


def written(recorded):
    """One event a line."""
    runs = ["[\n" + ",\n".join("      " + json.dumps(event) for event in run) + "\n    ]" for run in recorded["runs"]]
    return f'{{\n  "made_with": {json.dumps(recorded["made_with"])},\n  "runs": [\n    ' + ",\n    ".join(runs) + "\n  ]\n}\n"


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--check", action="store_true", help="compare with what is there instead of writing it")
    arguments.add_argument("names", nargs="*", help="only these machines")
    arguments = arguments.parse_args()
    different = fleet_machines.outdated()
    if not arguments.check:
        fleet_machines.write()
        different = []
    paths = sorted(path for path in MACHINES.glob("*.json") if not path.name.endswith(".history.json"))
    unknown = set(WRONG) - {path.stem for path in paths}
    assert not unknown, f"there is no machine {unknown}"
    with MiniStack() as stack:
        for path in paths:
            if arguments.names and path.stem not in arguments.names:
                continue
            text, golden = written(record(stack, path)), path.with_suffix(".history.json")
            if not arguments.check:
                golden.write_text(text)
            elif not golden.exists() or golden.read_text() != text:
                different.append(path.stem)
                before = golden.read_text().splitlines() if golden.exists() else []
                pairs = zip([*before, ""], [*text.splitlines(), ""])
                print(path.stem, next((pair for pair in pairs if pair[0] != pair[1]), "has another length"))
    print(f"{len(paths)} machines, {len(different)} different")
    return 1 if different else 0


if __name__ == "__main__":
    sys.exit(main())
