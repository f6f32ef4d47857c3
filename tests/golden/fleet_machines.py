"""The fleet's own state machines as machines of tests/machines: their tasks do what a script in the input says, and clocks stand still.

Run from any folder; it writes tests/machines/fleet_<machine>.json. `machines.py` does so first, and with --check it compares, so that a
history is always that of the machine which is deployed.
"""

import json
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MACHINES = ROOT / "tests/machines"
CLOCKS = ("$states.context.State.EnteredTime", "$states.context.Execution.StartTime")
NOON = "'2026-01-01T12:00:00Z'"
TOKEN = {"state": "{% $states.context.State.Name %}", "token": "{% $states.context.Task.Token %}"}
# Each platform has its own words for a cause; the error's name is the same everywhere.
CAUSE, NAME = "$string($states.errorOutput.Cause)", "$states.errorOutput.Error"
# What a task is given begins with its state's name, by which `scripted` finds what to do.
GIVEN, NAMED = "$merge([$run, {", "$merge([$run, {'state': $states.context.State.Name, "

# What each task of a run gives that ends well; a list says what its attempts give, one after the other.
WELL = {
    "Plan": {"plan": {"seconds": 12, "usd_low": 0.01}},
    "PrepareData": {
        "processed": {"train": "s3://a/train", "validation": "s3://a/validation"}, "preprocessor_uri": "s3://a/preprocessor.json",
        "train_uri": "s3://a/raw/train", "validation_uri": "s3://a/raw/validation", "test_uri": "s3://a/raw/test",
        "data_sha256": "d1", "facts": {"rows": 344, "columns": 8},
    },
    "Train": {
        "model_s3_uri": "s3://a/model.tar.gz", "model_sha256": "m1", "algorithm": "random_forest", "training_time_seconds": 0.25,
    },
    "LearnStructure": {
        "model_s3_uri": "s3://a/model.tar.gz", "model_sha256": "m2", "algorithm": "kmeans", "training_time_seconds": 0.5,
        "result_s3_uri": "s3://a/labels.parquet", "reduction_uri": None, "metrics": {"silhouette": 0.5}, "rows": 344,
    },
    "MeasureStructure": {
        "evaluation_uri": "s3://a/evaluation.json", "evidence": {"metrics": {"silhouette": 0.5, "ari": None}, "champion": None},
    },
    "Evaluate": {
        "evaluation_uri": "s3://a/evaluation.json", "evidence": {"metrics": {"accuracy": 0.98, "auc_roc": None}, "champion": None},
    },
    "Judge": {"decision": "promote", "reasons": ["no champion"], "gates": [{"metric": "accuracy", "passed": True}], "champion_version": None},
    "Register": {"version": 1},
    "WriteReport": {"report_uri": "s3://a/report.html", "comment": "**promote**"},
    "WriteFinalReport": {"report_uri": "s3://a/final.html", "comment": "**decided**"},
    "Decide": {},
    "SmokePrediction": {"healthy": True, "reason": None},
    "RememberRun": {"markdown_uri": "s3://a/history.md"},
    "RememberFailure": {},
    "TellPeople": {},
    "TellFailure": {},
}
BUSY = {"error": "Throttled", "message": "too many at once"}
WRONG = {"error": "InvalidInput", "message": "every row is of the class 'Adelie'"}
UNSURE = {**WELL["Judge"], "decision": "needs_human", "reasons": ["as good as the champion"], "champion_version": 1}
RUN = {"run_id": "run-1", "config": {"model_name": "penguins", "target_column": "species"}, "lang": "en"}


def trained(answers=None, **script):
    """A run of the training machine, where the script differs from one that ends well."""
    run = {"input": {**RUN, "script": {**WELL, **script}}}
    return {**run, "answers": answers} if answers else run


def structured(task, **script):
    """A run that predicts nothing: every row is learnt from, and there are no test rows."""
    run = trained(PrepareData={**WELL["PrepareData"], "validation_uri": None, "test_uri": None}, **script)
    run["input"]["config"] = {"model_name": "penguins", "task": task}
    return run


def answered(**answer):
    return [{"state": "AskApproval", **answer}]


TRAINING = [
    trained(),
    trained(Judge={**WELL["Judge"], "decision": "reject", "reasons": ["accuracy is 0.5"]}),
    trained(Judge=UNSURE, answers=answered(success={"approved": True, "by": "ann", "reason": "simpler"})),
    trained(Judge=UNSURE, answers=answered(success={"approved": False, "by": "ann", "reason": "too slow"})),
    trained(Judge=UNSURE, answers=answered(failure={"error": "Cancelled", "cause": "nobody wants it"})),
    trained(Plan=[BUSY, WELL["Plan"]], Train=[BUSY, {"error": "Unavailable", "message": "S3"}, WELL["Train"]]),
    trained(Evaluate=[BUSY, BUSY, BUSY, BUSY]),
    trained(Train=[WRONG]),
    trained(PrepareData=[WRONG], RememberFailure=[WRONG], TellFailure=[WRONG]),
    trained(SmokePrediction={"healthy": False, "reason": "predicts nothing"}),
    trained(TellPeople=[WRONG]),
    structured("clustering"),
    structured("dimensionality_reduction", MeasureStructure=[BUSY, {**WELL["MeasureStructure"], "evaluation_uri": "s3://a/reduction.json"}]),
    structured("clustering", LearnStructure=[WRONG]),
]


def rolled_back(**outcome):
    outcome = {"model_name": "penguins", "healthy": True, "rolled_back": None, "champion": 1, "reason": "asked for", **outcome}
    return {"input": {**RUN, "inputs": {"model_name": "penguins", "reason": "asked for"}, "script": {**WELL, "RollBack": outcome}}}


ROLLBACK = [rolled_back(), rolled_back(rolled_back={"from": 2, "to": 1}), rolled_back(healthy=False, reason="no version before")]


def scripted(name):
    """The definition with functions that a recording has."""
    text = (ROOT / f"statemachine/{name}.asl.json").read_text()
    for clock in CLOCKS:
        text = text.replace(clock, NOON)
    definition = json.loads(text.replace(CAUSE, NAME))
    for state in definition["States"].values():
        if state["Type"] != "Task":
            continue
        for catcher in state["Catch"]:
            catcher["Output"] = f"{{% {NAME} %}}"
        waits = state["Resource"].endswith(".waitForTaskToken")
        payload = state["Arguments"]["Payload"]
        assert GIVEN in payload, payload
        state["Arguments"] = {
            "FunctionName": "ask" if waits else "scripted", "Payload": TOKEN if waits else payload.replace(GIVEN, NAMED, 1),
        }
    return definition


def texts():
    """The machines by the path of their file."""
    for name, runs in {"training": TRAINING, "rollback": ROLLBACK}.items():
        machine = {"about": f"The fleet's own machine: {name}.", "definition": scripted(name), "runs": runs}
        yield MACHINES / f"fleet_{name}.json", json.dumps(machine, indent=2, ensure_ascii=False) + "\n"


def write():
    for path, text in texts():
        path.write_text(text, encoding="utf-8")


def outdated():
    """The names of those that the state machines have changed under."""
    return [path.stem for path, text in texts() if not path.exists() or path.read_text(encoding="utf-8") != text]


if __name__ == "__main__":
    write()
