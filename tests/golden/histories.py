"""Histories of MiniStack in the normal form that the walker's histories are compared in.

An event is {type, state?, error?, output_sha256?, path?}. Times, ids, ARNs, causes and inputs are left out. What
happens in a branch or an item stands together, with the path `<state>.<index>`, in the order of the indexes.

MiniStack leaves events out that Step Functions writes. They follow from the others and are put in here:
- TaskStarted after TaskScheduled, and TaskSubmitted when the task waits for a token;
- TaskTimedOut instead of TaskFailed for States.Timeout;
- EvaluationFailed for States.QueryEvaluationError, before the failure of the state or the execution;
- ParallelState{Started,Succeeded,Failed}, MapState{Started,Succeeded,Failed}, MapIteration{Started,Succeeded,Failed},
  MapRun{Started,Succeeded,Failed}. An attempt that is retried ends without a Failed.
What the other branches or items of a failed attempt did is not defined and left out, unless there is one at a time.
"""

import hashlib
import json

from unfolding import ENTER

QUERY = "States.QueryEvaluationError"
ENDS = {"ExecutionSucceeded", "ExecutionFailed", "ExecutionAborted", "ExecutionTimedOut"}


def canonical(value):
    """JSON with sorted names and without spaces; whole numbers have no point; of an invocation only its result."""
    if isinstance(value, dict):
        if "Payload" in value and value.get("StatusCode") == 200:
            value = {"Payload": value["Payload"], "StatusCode": 200}
        return {key: canonical(item) for key, item in value.items()}
    if isinstance(value, list):
        return [canonical(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def digest(value):
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def event(kind, state=None, error=None, output=None):
    made = {"type": kind}
    if state is not None:
        made["state"] = state
    if error:
        made["error"] = error
    if output is not None:
        made["output_sha256"] = digest(json.loads(output))
    return made


def ends(found, state):
    """Whether the event leaves that state, or ends the execution."""
    kind, details = found
    return kind in ENDS or (kind.endswith("StateExited") and details["name"] == state)


class Reader:
    """Reads the history of an execution of an unfolded machine."""

    def __init__(self, stack):
        self.stack = stack

    def read(self, arn, plan):
        """The whole history in the normal form."""
        found = self.stack.events(arn)
        ends = [index for index, (kind, _) in enumerate(found) if kind in ENDS]
        # Tasks of a stopped execution go on and still report.
        return list(self._events(arn, found[: ends[0] + 1], plan))

    def _events(self, arn, found, plan):
        position, state = 0, None
        while position < len(found):
            kind, details = found[position]
            before = found[position - 1] if position else ("", {})
            position += 1
            if kind.endswith("StateEntered"):
                state = details["name"]
            if kind.endswith("StateEntered") and state in plan.nested:
                nested = plan.nested[state]
                position = next(at for at in range(position, len(found)) if ends(found[at], state))
                kind, details = found[position]
                yield event(f"{nested.kind}StateEntered", state)
                yield from self._nested(arn, state, nested, found[position])
                position += 1
                if kind not in ENDS and nested.finish and position < len(found) and found[position][1].get("name") == nested.finish:
                    exited, details = found[position + 1]
                    assert exited == "PassStateExited", f"{state}: its Output or Assign failed in MiniStack"
                    position += 2
                if kind in ENDS:
                    yield event(kind, error=details.get("error"))
                else:
                    yield event(kind, state, output=details["output"])
            else:
                yield from self._plain(kind, details, state, plan, before)

    def _plain(self, kind, details, state, plan, before):
        error, output = details.get("error"), details.get("output")
        if state in plan.outputs and kind.startswith("PassState"):
            kind = kind.replace("Pass", "Succeed")
        if kind == "TaskFailed" and error == QUERY:
            kind = "EvaluationFailed"
        if kind == "TaskFailed" and error == "States.Timeout":
            kind = "TaskTimedOut"
        if kind.startswith("Execution"):
            if kind == "ExecutionFailed" and before[0] == "FailStateEntered" and state in plan.silent:
                error = None
            if kind == "ExecutionFailed" and error == QUERY and before[0] not in ("TaskFailed",):
                yield event("EvaluationFailed", state, QUERY)
            yield event(kind, error=error, output=output)
            return
        yield event(kind, state, error, output)
        if kind == "TaskScheduled":
            yield event("TaskStarted", state)
            if state in plan.tokens:
                yield event("TaskSubmitted", state)

    def _nested(self, arn, state, nested, end):
        """What a Parallel or Map state did between it was entered and it ended."""
        left = end[0] not in ENDS
        if nested.distributed:
            yield from self._distributed(state, end)
            return
        attempts = self._attempts(arn, nested)
        if not attempts and (nested.kind == "Parallel" or end[1].get("error")):
            assert end[1]["error"] == QUERY, f"{state} began nothing: {end}"
            yield event("EvaluationFailed", state, QUERY)
            yield event(f"{nested.kind}StateFailed", state)
            return
        failed = False
        for attempt in attempts or [[]]:
            yield event(f"{nested.kind}StateStarted", state)
            broken = [index for index, child in attempt if child["status"] == "FAILED"]
            failed = bool(broken)
            for index, child in attempt:
                if broken and index != broken[0] and not (nested.sequential and index < broken[0]):
                    continue
                yield from self._child(state, nested, index, child)
        if end[0] in ("ExecutionAborted", "ExecutionTimedOut"):
            return
        assert left or failed, f"{state} ended the execution, and nothing in it failed"
        yield event(f"{nested.kind}State{'Failed' if failed else 'Succeeded'}", state)

    def _distributed(self, state, end):
        error = end[1].get("error") or self._caught(end)
        yield event("MapStateStarted", state)
        yield event("MapRunStarted", state)
        yield event("MapRunFailed" if error else "MapRunSucceeded", state, error)
        yield event("MapStateFailed" if error else "MapStateSucceeded", state)

    @staticmethod
    def _caught(end):
        """The error that a catcher gave on; every catcher of a distributed Map in the corpus gives {"caught": …}."""
        output = json.loads(end[1]["output"])
        return output.get("caught") if isinstance(output, dict) else None

    def _attempts(self, arn, nested):
        """For each attempt the nested executions by index."""
        name = arn.rsplit(":", 1)[1]
        times = {}
        for machine, plan in nested.machines:
            pages = self.stack.states.get_paginator("list_executions").paginate(stateMachineArn=machine)
            found = [execution for page in pages for execution in page["executions"]]
            for child in sorted(found, key=lambda child: child["startDate"]):
                parent, index, _ = child["name"].rsplit(".", 2)
                if parent == name:
                    times.setdefault(int(index), []).append({**child, "plan": plan})
        count = max((len(children) for children in times.values()), default=0)
        return [[(index, times[index][k]) for index in sorted(times) if k < len(times[index])] for k in range(count)]

    def _child(self, state, nested, index, child):
        path = f"{state}.{index}"
        inner = self.read(child["executionArn"], child["plan"])
        inner = [made for made in inner if not made["type"].startswith("Execution") and made.get("state") != ENTER]
        if nested.kind == "Map":
            yield {**event("MapIterationStarted", state), "path": path}
        for made in inner:
            yield {**made, "path": f"{path}/{made['path']}" if "path" in made else path}
        if nested.kind == "Map":
            ended = {"SUCCEEDED": "Succeeded", "FAILED": "Failed"}.get(child["status"])
            if ended:
                yield {**event(f"MapIteration{ended}", state), "path": path}
