//! Which evidence leads to which decision.

use serde_json::{Value, json};

use super::*;

fn verdict(gates: Value, evidence: Value) -> Verdict {
    let gates = serde_json::from_value(gates).expect("gates");
    let evidence = serde_json::from_value(evidence).expect("evidence");
    decide(&gates, &evidence, Lang::En)
}

fn champion(gain: f64, significant: bool) -> Value {
    json!({"version": 3, "comparison": {"baseline_metrics": {"accuracy": 0.8, "rmse": 2.0}, "metric": "accuracy",
        "gain": gain, "test": "McNemar", "p_value": 0.01, "significant": significant}})
}

#[test]
fn nothing_asked_and_nothing_to_compare_with_promotes() {
    let verdict = verdict(json!({}), json!({"metrics": {"accuracy": 0.4}}));
    assert_eq!(verdict.decision, Decision::Promote);
    assert_eq!(verdict.reasons.len(), 2);
}

#[test]
fn a_blocking_gate_cannot_be_outvoted() {
    let gates = json!({"accuracy": {"min": 0.9}});
    let evidence = json!({"metrics": {"accuracy": 0.89}, "champion": champion(0.09, true)});
    let verdict = verdict(gates, evidence);
    assert_eq!(verdict.decision, Decision::Reject);
    assert!(verdict.reasons[0].contains("accuracy is 0.89 and the gate asks for at least 0.9: failed"));
}

#[test]
fn a_gate_that_does_not_block_asks_a_person() {
    let gates = json!({"accuracy": {"min": 0.9, "blocking": false}});
    assert_eq!(verdict(gates, json!({"metrics": {"accuracy": 0.5}})).decision, Decision::NeedsHuman);
}

#[test]
fn a_missing_metric_fails_its_gate() {
    for metrics in [json!({}), json!({"auc_roc": null})] {
        let verdict = verdict(json!({"auc_roc": {"min": 0.5}}), json!({"metrics": metrics}));
        assert_eq!(verdict.decision, Decision::Reject);
        assert!(verdict.reasons[0].contains("auc_roc is not known"), "{:?}", verdict.reasons);
    }
}

#[test]
fn changes_are_counted_against_the_champion_on_the_same_rows() {
    let evidence = json!({"metrics": {"accuracy": 0.85, "rmse": 2.2}, "champion": champion(0.05, true)});
    let decide = |gates| verdict(gates, evidence.clone()).decision;
    assert_eq!(decide(json!({"accuracy": {"min_change": 0.05}})), Decision::Promote);
    assert_eq!(decide(json!({"accuracy": {"min_change": 0.06}})), Decision::Reject);
    assert_eq!(decide(json!({"rmse": {"max_change": 0.1}})), Decision::Reject);
    assert_eq!(decide(json!({"rmse": {"max_relative_change": 0.1}})), Decision::Promote);
    assert_eq!(decide(json!({"accuracy": {"min_relative_change": 0.1}})), Decision::Reject);
}

#[test]
fn a_change_without_a_champion_does_not_apply() {
    let verdict = verdict(json!({"accuracy": {"min_change": 0.0}}), json!({"metrics": {"accuracy": 0.5}}));
    assert_eq!(verdict.decision, Decision::Promote);
    assert!(verdict.gates[0].without_champion);
}

#[test]
fn the_champion_is_replaced_only_by_more_than_chance() {
    let decide = |champion| verdict(json!({}), json!({"metrics": {}, "champion": champion})).decision;
    assert_eq!(decide(champion(0.05, true)), Decision::Promote);
    assert_eq!(decide(champion(0.05, false)), Decision::NeedsHuman);
    assert_eq!(decide(champion(-0.05, false)), Decision::NeedsHuman);
    assert_eq!(decide(champion(-0.05, true)), Decision::Reject);
    assert_eq!(decide(json!({"version": 1, "reason": "another target"})), Decision::NeedsHuman);
}

#[test]
fn a_gate_by_slice_holds_for_every_slice() {
    let gates = json!({"accuracy": {"min": 0.8, "slice": "sex"}});
    let slices = |low: f64| {
        json!({"metrics": {"accuracy": 0.9},
        "slices": {"sex": {"female": {"accuracy": low}, "male": {"accuracy": 0.95}}}})
    };
    assert_eq!(verdict(gates.clone(), slices(0.85)).decision, Decision::Promote);
    let rejected = verdict(gates.clone(), slices(0.7));
    assert_eq!(rejected.decision, Decision::Reject);
    assert!(rejected.reasons[0].contains("accuracy (sex=female)"));
    assert_eq!(verdict(gates, json!({"metrics": {"accuracy": 0.9}})).decision, Decision::Reject);
}

#[test]
fn an_interval_across_the_gate_is_told() {
    let evidence = json!({"metrics": {"accuracy": 0.92}, "intervals": {"accuracy": {"low": 0.85, "high": 0.97}}});
    let verdict = verdict(json!({"accuracy": {"min": 0.9}}), evidence);
    assert_eq!(verdict.decision, Decision::Promote);
    assert!(verdict.gates[0].uncertain);
    assert!(verdict.reasons.iter().any(|reason| reason.contains("interval reaches beyond")));
}

#[test]
fn a_model_that_is_no_better_than_guessing_is_told_so() {
    let verdict = verdict(json!({}), json!({"metrics": {"accuracy": 0.1}, "beats_guessing": false}));
    assert_eq!(verdict.decision, Decision::Promote);
    assert!(verdict.reasons.iter().any(|reason| reason.contains("no better than a guess")), "{:?}", verdict.reasons);
}

#[test]
fn every_reason_is_told_in_japanese_as_well() {
    let gates = serde_json::from_value(json!({"accuracy": {"min": 0.9, "max_change": 0.01}, "f1_score": {"min": 0.5}}));
    let evidence = json!({"metrics": {"accuracy": 0.85}, "champion": champion(-0.05, true)});
    let verdict = decide(&gates.unwrap(), &serde_json::from_value(evidence).unwrap(), Lang::Ja);
    for reason in &verdict.reasons {
        assert_eq!(Lang::of_text(reason), Lang::Ja, "{reason}");
    }
}
