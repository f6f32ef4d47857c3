"""Makes MiniStack write down what happens inside of Parallel and Map states.

MiniStack executes branches and items, but their states leave nothing in the history. So the body of every branch and
every item becomes a state machine of its own, which the state starts as a nested execution; its history is put back in
its place. What MiniStack does not read in a JSONata definition is written in another way that it does read.
"""

NESTED = "arn:aws:states:::states:startExecution.sync:2"
INPUT = "{% $states.input %}"
# The state before the first one of a body: it unpacks the input and the variables from outside.
ENTER = "(enter)"


class Nested:
    """A Parallel or Map state of an unfolded machine, with a state machine for each branch, or one for all items."""

    def __init__(self, kind, machines=(), finish=None, sequential=False, distributed=False):
        self.kind = kind
        self.machines = list(machines)  # (ARN, plan)
        self.finish = finish
        self.sequential = sequential
        self.distributed = distributed


class Plan:
    """How the history of an unfolded machine is read."""

    def __init__(self):
        self.nested = {}
        self.outputs = set()  # Succeed states that were written as Pass states
        self.silent = set()  # Fail states that name no error
        self.tokens = set()  # tasks that wait for a token


class Unfolding:
    """Unfolds one machine. `create` makes a state machine of a name and a definition, and gives its ARN."""

    def __init__(self, name, create):
        self.name, self.create, self.count = name, create, 0

    def unfold(self, definition):
        states, plan = self._states(definition["States"], set())
        return self.create(self.name, {**definition, "States": states}), plan

    def _body(self, body, visible):
        """A machine for a branch or an item."""
        states, plan = self._states(body["States"], visible)
        enter = {"Type": "Pass", "Output": "{% $states.input.input %}", "Next": body["StartAt"]}
        if visible:
            enter["Assign"] = {name: f"{{% $states.input.variables.{name} %}}" for name in sorted(visible)}
        definition = {"QueryLanguage": "JSONata", "StartAt": ENTER, "States": {ENTER: enter, **states}}
        self.count += 1
        return self.create(f"{self.name}-{self.count}", definition), plan

    def _call(self, arn, index, given, visible):
        """A state that starts the machine of a body. The name of the execution tells whose it is."""
        variables = {name: f"{{% $exists(${name}) ? ${name} : null %}}" for name in sorted(visible)}
        named = f"{{% $states.context.Execution.Name & '.' & {index} & '.' & $substring($uuid(), 0, 8) %}}"
        arguments = {"StateMachineArn": arn, "Name": named, "Input": {"input": given, "variables": variables}}
        return {"Type": "Task", "Resource": NESTED, "Arguments": arguments, "Output": "{% $states.result.Output %}", "End": True}

    def _states(self, states, outside):
        visible = outside | assigned(states)
        plan, written = Plan(), {}
        for name, state in states.items():
            state = dict(state)
            kind = state["Type"]
            if kind == "Succeed" and "Output" in state:
                state.update(Type="Pass", End=True)
                plan.outputs.add(name)
            if kind == "Fail" and "Error" not in state:
                plan.silent.add(name)
            if kind == "Task" and state["Resource"].endswith(".waitForTaskToken"):
                plan.tokens.add(name)
            if kind in ("Parallel", "Map"):
                nested, more = self._nested(name, state, visible)
                plan.nested[name] = nested
                written.update(more)
            written[name] = state
        return written, plan

    def _nested(self, name, state, visible):
        if state["Type"] == "Parallel":
            machines = [self._body(body, visible) for body in state["Branches"]]
            given = state.pop("Arguments", INPUT)
            calls = [self._call(arn, f"'{index}'", given, visible) for index, (arn, _) in enumerate(machines)]
            state["Branches"] = [{"StartAt": "(call)", "States": {"(call)": call}} for call in calls]
            return self._finished(name, state, Nested("Parallel", machines))
        body = state["ItemProcessor"]
        if body.get("ProcessorConfig", {}).get("Mode") == "DISTRIBUTED":
            # The items of a distributed Map are in no history of their parent.
            if selector := state.pop("ItemSelector", None):
                select = {"Type": "Pass", "Output": selector, "Next": body["StartAt"]}
                state["ItemProcessor"] = {**body, "StartAt": "(select)", "States": {"(select)": select, **body["States"]}}
            return self._finished(name, state, Nested("Map", distributed=True))
        arn, plan = self._body(body, visible)
        call = self._call(arn, "$string($states.context.Map.Item.Index)", INPUT, visible)
        state["ItemProcessor"] = {"StartAt": "(call)", "States": {"(call)": call}}
        return Nested("Map", [(arn, plan)], sequential=state.get("MaxConcurrency") == 1), {}

    def _finished(self, name, state, nested):
        """A Pass state after this one does its Output and its Assign, which MiniStack does not do here."""
        exit = {key: state.pop(key) for key in ("Output", "Assign") if key in state}
        if not exit:
            return nested, {}
        assert "$states.input" not in str(exit), f"{name}: its input is not there any more when its Output is filled"
        nested.finish = f"({name})"
        exit = replaced(exit, "$states.result", "$states.input")
        follow = {key: state.pop(key) for key in ("Next", "End") if key in state}
        state["Next"] = nested.finish
        return nested, {nested.finish: {"Type": "Pass", **exit, **follow}}


def assigned(states):
    """The variables that these states assign, without those inside of branches and items."""
    names = set()
    for state in states.values():
        for exit in [state, *state.get("Catch", []), *state.get("Choices", [])]:
            names |= set(exit.get("Assign", {}))
    return names


def replaced(value, old, new):
    if isinstance(value, str):
        return value.replace(old, new)
    if isinstance(value, dict):
        return {key: replaced(item, old, new) for key, item in value.items()}
    return [replaced(item, old, new) for item in value] if isinstance(value, list) else value
