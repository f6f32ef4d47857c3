//! Where an event of a history belongs: its state, and the branch or item that the state is in.
//!
//! Step Functions tells of every event which event it follows. So the place of an event is the place of the one before,
//! and what begins and ends in between: states, branches of Parallel states and items of Map states. Which branch a state
//! is in stands in the definition only.

use std::collections::BTreeMap;

use serde_json::Value;

/// What the place of an event follows from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Step {
    pub(crate) id: i64,
    /// The event before it; 0 when that is not told.
    pub(crate) previous: i64,
    pub(crate) kind: String,
    /// The state that is entered or left, or the Map state of an item.
    pub(crate) name: Option<String>,
    /// The item.
    pub(crate) index: Option<i32>,
}

/// The state and the path of a [`mlops_core::ports::HistoryEvent`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) state: Option<String>,
    pub(crate) path: Option<String>,
}

/// The states of one branch, one item, or the machine itself, of which one is walked at a time.
#[derive(Debug, Clone, Default)]
struct Level {
    /// How it was come into: `Fan.0`; nothing for the machine itself.
    entry: String,
    state: Option<String>,
    kind: Kind,
}

/// What the present state of a level is waiting for inside of itself.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Kind {
    Parallel,
    Map,
    /// Nothing: it is another state, or its branches or items have ended.
    #[default]
    Plain,
}

/// The number of the branch that holds each state of a definition.
pub(crate) fn branches(definition: &Value) -> BTreeMap<String, usize> {
    let mut found = BTreeMap::new();
    collect(definition, &mut found);
    found
}

fn collect(body: &Value, found: &mut BTreeMap<String, usize>) {
    for state in body["States"].as_object().into_iter().flat_map(|states| states.values()) {
        for (index, branch) in state["Branches"].as_array().into_iter().flatten().enumerate() {
            let names = branch["States"].as_object().into_iter().flat_map(|states| states.keys());
            found.extend(names.map(|name| (name.clone(), index)));
            collect(branch, found);
        }
        collect(&state["ItemProcessor"], found);
        collect(&state["Iterator"], found);
    }
}

/// The places of the events of a whole history, in its order. `branches` is what [`branches`] gives.
pub(crate) fn places(steps: &[Step], branches: &BTreeMap<String, usize>) -> Vec<Place> {
    let mut known: BTreeMap<i64, (Vec<Level>, &str)> = BTreeMap::new();
    let mut places = Vec::with_capacity(steps.len());
    let mut last = 0;
    for step in steps {
        // Step Functions gives 0 to the first two events, and MiniStack to all.
        let previous = if step.previous == 0 { last } else { step.previous };
        let (mut levels, before) = known.get(&previous).cloned().unwrap_or_else(|| (vec![Level::default()], ""));
        places.push(follow(&mut levels, before, step, branches));
        known.insert(step.id, (levels, &step.kind));
        last = step.id;
    }
    places
}

/// Brings the levels from the event before, of kind `before`, to this event.
fn follow(levels: &mut Vec<Level>, before: &str, step: &Step, branches: &BTreeMap<String, usize>) -> Place {
    let Step { kind, name, index, .. } = step;
    let named = name.as_deref();
    let mut path = None;
    if kind.starts_with("Execution") {
        // What follows on a redrive goes on in the state that failed.
        return Place::default();
    } else if kind.ends_with("StateEntered") {
        if before == "ParallelStateStarted" {
            let fan = levels.last().and_then(|level| level.state.clone()).unwrap_or_default();
            let branch =
                named.and_then(|name| branches.get(name)).map_or_else(String::new, |index| format!(".{index}"));
            levels.push(Level { entry: format!("{fan}{branch}"), ..Level::default() });
        }
        set(levels, name.clone(), Kind::of(kind));
    } else if kind.ends_with("StateExited") {
        cut(levels, |level| level.state.as_deref() == named);
        set(levels, name.clone(), Kind::Plain);
    } else if kind == "MapIterationStarted" {
        cut(levels, |level| level.state.as_deref() == named);
        let entry = format!("{}.{}", named.unwrap_or_default(), index.unwrap_or_default());
        levels.push(Level { entry, ..Level::default() });
    } else if kind.starts_with("MapIteration") {
        let entry = format!("{}.{}", named.unwrap_or_default(), index.unwrap_or_default());
        cut(levels, |level| level.entry == entry);
        path = path_of(levels);
        // The item is over: what follows belongs to the state again.
        levels.pop_if(|level| level.entry == entry);
    } else if let Some(fan) = [Kind::Parallel, Kind::Map].into_iter().find(|fan| fan.tells(kind)) {
        if kind.ends_with("StateStarted") && before.ends_with("StateFailed") {
            become_kind(levels, fan);
        }
        cut(levels, |level| level.kind == fan);
        if kind.contains("State") && !kind.ends_with("Started") {
            become_kind(levels, Kind::Plain);
        }
    }
    let state = if kind.starts_with("MapIteration") {
        name.clone()
    } else {
        levels.last().and_then(|level| level.state.clone())
    };
    Place { state, path: path.or_else(|| path_of(levels)) }
}

impl Kind {
    fn of(entered: &str) -> Self {
        match entered {
            "ParallelStateEntered" => Self::Parallel,
            "MapStateEntered" => Self::Map,
            _ => Self::Plain,
        }
    }

    /// Whether events of that kind tell of the whole of such a state.
    fn tells(self, event: &str) -> bool {
        match self {
            Self::Parallel => event.starts_with("ParallelState"),
            Self::Map => event.starts_with("MapState") || event.starts_with("MapRun"),
            Self::Plain => false,
        }
    }
}

fn set(levels: &mut [Level], state: Option<String>, kind: Kind) {
    if let Some(level) = levels.last_mut() {
        (level.state, level.kind) = (state, kind);
    }
}

fn become_kind(levels: &mut [Level], kind: Kind) {
    if let Some(level) = levels.last_mut() {
        level.kind = kind;
    }
}

/// Leaves the levels inside of the innermost one that fits.
fn cut(levels: &mut Vec<Level>, fits: impl Fn(&Level) -> bool) {
    if let Some(at) = levels.iter().rposition(fits) {
        levels.truncate(at + 1);
    }
}

fn path_of(levels: &[Level]) -> Option<String> {
    let entries: Vec<&str> = levels.iter().skip(1).map(|level| level.entry.as_str()).collect();
    Some(entries.join("/")).filter(|path| !path.is_empty())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Steps from lines of `id previous kind name index`, and their places as `state path`.
    fn placed(lines: &str, definition: &Value) -> Vec<String> {
        let words = |line: &str| line.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
        let steps = lines.trim().lines().map(|line| {
            let words = words(line);
            let (name, index) = (words.get(3).cloned(), words.get(4).map(|index| index.parse().unwrap()));
            let [id, previous] = [0, 1].map(|at| words[at].parse().unwrap());
            Step { id, previous, kind: words[2].clone(), name, index }
        });
        let steps: Vec<Step> = steps.collect();
        let places = places(&steps, &branches(definition));
        let shown = places.into_iter().map(|Place { state, path }| match (state, path) {
            (None, None) => String::new(),
            (state, None) => state.unwrap_or_default(),
            (state, Some(path)) => format!("{} in {path}", state.unwrap_or_default()),
        });
        shown.collect()
    }

    fn pass() -> Value {
        json!({"Type": "Pass", "End": true})
    }

    #[test]
    fn a_tasks_events_belong_to_its_state_and_a_redrive_goes_on_in_it() {
        let events = "1 0 ExecutionStarted
            2 0 TaskStateEntered A
            3 2 TaskScheduled
            4 3 TaskFailed
            5 4 ExecutionFailed
            6 5 ExecutionRedriven
            7 6 TaskScheduled
            8 7 TaskSucceeded
            9 8 TaskStateExited A
            10 9 SucceedStateEntered B
            11 10 SucceedStateExited B
            12 11 ExecutionSucceeded";
        assert_eq!(placed(events, &json!({})), ["", "A", "A", "A", "", "", "A", "A", "A", "B", "B", ""]);
        // MiniStack does not tell what an event follows.
        let untold = events.lines().map(|line| {
            let (id, rest) = line.trim().split_once(' ').unwrap();
            format!("{id} 0 {}", rest.split_once(' ').unwrap().1)
        });
        let untold = untold.collect::<Vec<_>>().join("\n");
        assert_eq!(placed(&untold, &json!({})), placed(events, &json!({})));
    }

    #[test]
    fn branches_are_told_apart_although_their_events_are_mixed() {
        let inner = json!({"Type": "Parallel", "Branches": [{"States": {"C": pass()}}, {"States": {"D": pass()}}]});
        let definition = json!({"States": {"Fan": {"Type": "Parallel", "Branches": [
            {"States": {"A": pass(), "A2": pass()}}, {"States": {"Inner": inner}}]}}});
        let events = "1 0 ExecutionStarted
            2 0 ParallelStateEntered Fan
            3 2 ParallelStateStarted
            4 3 PassStateEntered A
            5 3 ParallelStateEntered Inner
            6 4 PassStateExited A
            7 5 ParallelStateStarted
            8 7 PassStateEntered D
            9 6 PassStateEntered A2
            10 7 PassStateEntered C
            11 8 PassStateExited D
            12 10 PassStateExited C
            13 12 ParallelStateSucceeded
            14 13 ParallelStateExited Inner
            15 9 PassStateExited A2
            16 14 ParallelStateSucceeded
            17 16 ParallelStateExited Fan
            18 17 ExecutionSucceeded";
        let expected = [
            "",
            "Fan",
            "Fan",
            "A in Fan.0",
            "Inner in Fan.1",
            "A in Fan.0",
            "Inner in Fan.1",
            "D in Fan.1/Inner.1",
            "A2 in Fan.0",
            "C in Fan.1/Inner.0",
            "D in Fan.1/Inner.1",
            "C in Fan.1/Inner.0",
            "Inner in Fan.1",
            "Inner in Fan.1",
            "A2 in Fan.0",
            "Fan",
            "Fan",
            "",
        ];
        assert_eq!(placed(events, &definition), expected);
    }

    #[test]
    fn what_fails_inside_ends_what_is_around_it_and_is_begun_again() {
        let definition = json!({"States": {"Fan": {"Type": "Parallel", "Branches": [
            {"States": {"Each": {"Type": "Map", "ItemProcessor": {"States": {"Work": pass()}}}}}]}}});
        let events = "1 0 ExecutionStarted
            2 0 ParallelStateEntered Fan
            3 2 ParallelStateStarted
            4 3 MapStateEntered Each
            5 4 MapStateStarted
            6 5 MapIterationStarted Each 0
            7 6 TaskStateEntered Work
            8 7 TaskFailed
            9 8 MapIterationFailed Each 0
            10 9 MapStateFailed
            11 10 ParallelStateFailed
            12 11 ParallelStateStarted
            13 12 MapStateEntered Each
            14 13 EvaluationFailed
            15 14 MapStateFailed
            16 15 ParallelStateFailed
            17 16 ParallelStateExited Fan
            18 17 ExecutionSucceeded";
        let expected = [
            "",
            "Fan",
            "Fan",
            "Each in Fan.0",
            "Each in Fan.0",
            "Each in Fan.0/Each.0",
            "Work in Fan.0/Each.0",
            "Work in Fan.0/Each.0",
            "Each in Fan.0/Each.0",
            "Each in Fan.0",
            "Fan",
            "Fan",
            "Each in Fan.0",
            "Each in Fan.0",
            "Each in Fan.0",
            "Fan",
            "Fan",
            "",
        ];
        assert_eq!(placed(events, &definition), expected);
    }

    #[test]
    fn items_count_from_zero_and_end_before_the_state_goes_on() {
        let events = "1 0 ExecutionStarted
            2 0 MapStateEntered Each
            3 2 MapStateStarted
            4 3 MapIterationStarted Each 0
            5 3 MapIterationStarted Each 1
            6 5 PassStateEntered Work
            7 4 PassStateEntered Work
            8 7 PassStateExited Work
            9 8 MapIterationSucceeded Each 0
            10 6 PassStateExited Work
            11 10 MapIterationSucceeded Each 1
            12 11 MapStateSucceeded
            13 12 MapStateExited Each
            14 13 ExecutionSucceeded";
        let expected = [
            "",
            "Each",
            "Each",
            "Each in Each.0",
            "Each in Each.1",
            "Work in Each.1",
            "Work in Each.0",
            "Work in Each.0",
            "Each in Each.0",
            "Work in Each.1",
            "Each in Each.1",
            "Each",
            "Each",
            "",
        ];
        assert_eq!(placed(events, &json!({})), expected);
    }
}
