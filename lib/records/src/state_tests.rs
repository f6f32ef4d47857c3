//! Every transition, every rule, and what is recorded of a change.

use jiff::Timestamp;
use mlops_core::ErrorKind;

use super::*;

const BY: (&str, Timestamp) = ("ada", Timestamp::UNIX_EPOCH);

fn to(status: ModelStatus) -> StateChange {
    StateChange { status: Some(status), ..StateChange::default() }
}

fn add(alias: &str) -> StateChange {
    StateChange { add: vec![alias.to_owned()], ..StateChange::default() }
}

fn remove(alias: &str) -> StateChange {
    StateChange { remove: vec![alias.to_owned()], ..StateChange::default() }
}

fn back(alias: &str, from: Option<u64>) -> StateChange {
    StateChange { rollback: Some((alias.to_owned(), from)), ..StateChange::default() }
}

/// A state in which version 1 stands there and has passed its gates.
fn at(status: ModelStatus) -> State {
    State { statuses: BTreeMap::from([(1, status)]), gates: BTreeMap::from([(1, true)]), ..State::default() }
}

#[test]
fn each_pair_of_statuses_is_allowed_or_refused_by_the_table() {
    use ModelStatus::{Approved, Archived, Pending, Production, Rejected, Staging};
    let allowed = |from, to| match from {
        Pending => true,
        Staging | Approved => !matches!(to, Pending),
        Production => !matches!(to, Pending | Staging),
        Rejected => !matches!(to, Staging | Production),
        Archived => matches!(to, Pending),
    };
    for from in ModelStatus::ALL {
        for status in ModelStatus::ALL {
            let result = at(from).apply(1, &to(status), BY);
            if from == status {
                assert_eq!(result.unwrap(), at(from), "{from} stays as it is, and nothing is recorded");
            } else if allowed(from, status) {
                let after = result.unwrap();
                assert_eq!(after.status(1), status);
                let change = after.changes.last().unwrap();
                assert_eq!(
                    (change.from.as_deref(), change.to.as_deref()),
                    (Some(from.as_str()), Some(status.as_str()))
                );
                assert_eq!((change.what.as_str(), change.actor.as_str(), change.how), ("status", "ada", None));
            } else {
                let error = result.unwrap_err();
                assert_eq!(
                    (error.kind, error.field.as_deref()),
                    (ErrorKind::Rejected, Some("status")),
                    "{from} {status}"
                );
                assert!(error.message.contains(from.as_str()) && error.message.contains(status.as_str()), "{error}");
            }
        }
    }
}

#[test]
fn a_refused_transition_tells_the_way_round() {
    let error = at(ModelStatus::Archived).apply(1, &to(ModelStatus::Production), BY).unwrap_err();
    assert_eq!(error.hint.as_deref(), Some("make it pending first"));
    assert!(error.message.ends_with("from there it can become pending"), "{error}");
}

#[test]
fn a_version_without_a_status_is_pending_and_may_go_anywhere() {
    let state = State { gates: BTreeMap::from([(1, true)]), ..State::default() };
    for status in ModelStatus::ALL {
        let after = state.apply(1, &to(status), BY).unwrap();
        assert_eq!((after.status(1), after.changes[0].from.as_deref()), (status, None));
    }
}

#[test]
fn production_needs_passed_gates_or_an_override_with_a_reason() {
    let production = to(ModelStatus::Production);
    for (gates, word) in [(vec![], "was never judged"), (vec![(1, false)], "did not pass its gates")] {
        let state = State { gates: gates.into_iter().collect(), ..State::default() };
        let error = state.apply(1, &production, BY).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Rejected);
        assert!(error.message.contains(word) && error.hint.unwrap().contains("override_gates"), "{}", error.message);
        let mut overriding = StateChange { override_gates: true, ..production.clone() };
        for reason in [None, Some("  ".to_owned())] {
            overriding.reason = reason;
            let error = state.apply(1, &overriding, BY).unwrap_err();
            assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some("reason")));
        }
        overriding.reason = Some("the old one is down".to_owned());
        let change = state.apply(1, &overriding, BY).unwrap().changes.pop().unwrap();
        assert_eq!((change.how, change.reason.as_deref()), (Some(How::GateOverride), Some("the old one is down")));
    }
    let judged = StateChange { gates_passed: Some(true), ..production };
    let after = State::default().apply(1, &judged, BY).unwrap();
    assert_eq!((after.status(1), after.gates[&1], after.changes.len()), (ModelStatus::Production, true, 2));
    // An override that is not needed is not recorded as one.
    let unneeded = StateChange { override_gates: true, reason: Some("to be sure".to_owned()), ..judged };
    let after = State::default().apply(1, &unneeded, BY).unwrap();
    assert!(after.changes.iter().all(|change| change.how.is_none()));
}

#[test]
fn a_new_verdict_takes_the_place_of_the_old_one() {
    let verdict = |passed| StateChange { gates_passed: Some(passed), ..StateChange::default() };
    let state = State::default().apply(1, &verdict(false), BY).unwrap();
    let state = state.apply(1, &verdict(true), BY).unwrap();
    assert_eq!(state.apply(1, &verdict(true), BY).unwrap(), state);
    let last = state.changes.last().unwrap();
    assert_eq!((last.what.as_str(), last.from.as_deref(), last.to.as_deref()), ("gates", Some("false"), Some("true")));
}

#[test]
fn an_alias_is_added_moved_and_taken_away() {
    let state = State::default().apply(1, &add("champion"), BY).unwrap().apply(2, &add("champion"), BY).unwrap();
    assert_eq!((state.aliases["champion"], state.last_move("champion").unwrap().from.as_deref()), (2, Some("1")));
    assert_eq!(state.apply(2, &add("champion"), BY).unwrap(), state, "it points there already");
    assert_eq!(state.apply(1, &remove("champion"), BY).unwrap(), state, "it is not an alias of version 1");
    let without = state.apply(2, &remove("champion"), BY).unwrap();
    let last = without.last_move("champion").unwrap();
    assert_eq!((without.aliases.len(), last.from.as_deref(), last.to.as_deref()), (0, Some("2"), None));
    assert_eq!(state.aliases_of(2).collect::<Vec<_>>(), ["champion"]);
}

#[test]
fn no_alias_points_at_what_was_decided_against() {
    for status in [ModelStatus::Rejected, ModelStatus::Archived] {
        let error = at(status).apply(1, &add("champion"), BY).unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Rejected, Some("aliases")));
        let used = at(ModelStatus::Approved).apply(1, &add("champion"), BY).unwrap();
        let error = used.apply(1, &to(status), BY).unwrap_err();
        assert!(error.message.contains("champion") && error.hint.unwrap().contains("remove_aliases"));
        let both = StateChange { remove: vec!["champion".to_owned()], ..to(status) };
        let after = used.apply(1, &both, BY).unwrap();
        assert_eq!((after.status(1), after.aliases.len()), (status, 0));
    }
}

#[test]
fn a_rollback_moves_the_alias_only_from_where_it_was_seen() {
    let state = State::default().apply(1, &add("champion"), BY).unwrap().apply(2, &add("champion"), BY).unwrap();
    let error = state.apply(1, &back("champion", Some(3)), BY).unwrap_err();
    assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::Conflict, Some("alias")));
    assert!(error.message.contains("points at 2 by now, not at 3"), "{error}");
    let after = state.apply(1, &back("champion", Some(2)), BY).unwrap();
    assert_eq!((after.aliases["champion"], after.last_move("champion").unwrap().how), (1, Some(How::Rollback)));
    assert_eq!(after.apply(1, &back("champion", Some(2)), BY).unwrap(), after, "a repeat changes nothing");
    let error = State::default().apply(1, &back("champion", Some(2)), BY).unwrap_err();
    assert!(error.message.contains("points at no version by now"), "{error}");
}

#[test]
fn a_change_that_contradicts_itself_is_refused() {
    let both = StateChange { remove: vec!["blue".to_owned()], ..add("blue") };
    let wrong = [(both, "remove_aliases"), (add("a b"), "aliases"), (remove("../x"), "remove_aliases")];
    for (change, field) in wrong.into_iter().chain([(add("status"), "aliases"), (back("gates", None), "alias")]) {
        let error = State::default().apply(1, &change, BY).unwrap_err();
        assert_eq!((error.kind, error.field.as_deref()), (ErrorKind::InvalidInput, Some(field)), "{error}");
    }
}

#[test]
fn a_document_of_an_earlier_release_is_read() {
    let text = r#"{"aliases": {"champion": 1}, "statuses": {"1": "approved"}, "changes": [{"at": "2026-01-01T00:00:00Z",
        "actor": "training", "version": 1, "what": "champion", "from": null, "to": "1"}]}"#;
    let state: State = serde_json::from_str(text).unwrap();
    assert_eq!(
        (state.status(1), state.last_move("champion").unwrap().to.as_deref()),
        (ModelStatus::Approved, Some("1"))
    );
}
