//! What an issue asks for, and by what that is known.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::markup::{Body, is_request};

/// What an issue or a comment asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Intent {
    /// A model.
    Train,
    /// A model again, because its data or its quality changed.
    Retrain,
    /// An evaluation of a model that is there.
    Evaluate,
    /// A deployment of a model that is there.
    Deploy,
    /// An earlier version in the place of the present one.
    Rollback,
    /// That the model which waits for a person is accepted.
    Approve,
    /// That it is not.
    Reject,
    /// The last run again.
    Retry,
    /// The end of the last run.
    Cancel,
    /// How the last run stands.
    Status,
    /// Nothing that is acted upon.
    None,
}

/// By what it is known that an issue asks for something.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Signal {
    /// A label.
    Label {
        /// The label.
        name: String,
    },
    /// The beginning of the title, such as `[mlops]`.
    TitlePrefix {
        /// The prefix.
        prefix: String,
    },
    /// The answers of the issue form, a block tagged `mlops`, or the comment `<!-- mlops -->`.
    FormMarker,
    /// A command such as `/mlops train`.
    SlashCommand {
        /// The word behind `/mlops`.
        word: String,
    },
}

/// What can be asked for behind the label or in the prefix: `mlops:retrain`, `[mlops retrain]`.
const ASKED: [(&str, Intent); 4] = [
    ("train", Intent::Train),
    ("retrain", Intent::Retrain),
    ("evaluate", Intent::Evaluate),
    ("deploy", Intent::Deploy),
];
/// The word that prefixes of titles begin with, besides the label itself.
const WORD: &str = "mlops";

impl Intent {
    /// What a label asks for: the label itself for a model, `mlops:retrain` for more. Case makes no difference.
    pub(crate) fn of_label(name: &str, label: &str) -> Option<Self> {
        Self::of_words(name.trim(), &[label])
    }

    fn of_words(text: &str, beginnings: &[&str]) -> Option<Self> {
        let text = text.to_lowercase();
        beginnings.iter().find_map(|beginning| {
            let rest = text.strip_prefix(&beginning.to_lowercase())?;
            if rest.is_empty() {
                return Some(Self::Train);
            }
            let asked = rest.strip_prefix([':', '/', '-', '_', ' '])?.trim();
            ASKED.iter().find(|(name, _)| *name == asked).map(|(_, intent)| *intent)
        })
    }

    /// What the beginning of a title asks for, `[mlops] …`, `【mlops retrain】…` or `mlops: …`, with that beginning.
    pub(crate) fn of_title(title: &str, label: &str) -> Option<(Self, String)> {
        let title = title.trim();
        let beginnings = [WORD, label];
        for (open, close) in [('[', ']'), ('【', '】'), ('［', '］')] {
            if let Some((inner, _)) = title.strip_prefix(open).and_then(|rest| rest.split_once(close)) {
                let intent = Self::of_words(inner.trim(), &beginnings)?;
                return Some((intent, format!("{open}{inner}{close}")));
            }
        }
        let (inner, _) = title.split_once([':', '：'])?;
        let intent = Self::of_words(inner.trim(), &beginnings)?;
        Some((intent, inner.trim().to_owned()))
    }
}

/// What the text of an issue asks for by its labels, its title and its body. What a label or the title says beyond a
/// model holds.
pub(crate) fn signals(title: &str, body: Option<&Body>, labels: &[String], label: &str) -> (Intent, Vec<Signal>) {
    let mut intent = Intent::None;
    let mut signals = Vec::new();
    let mut take = |found: Intent, signal: Signal| {
        if matches!(intent, Intent::None | Intent::Train) {
            intent = found;
        }
        signals.push(signal);
    };
    for name in labels {
        if let Some(found) = Intent::of_label(name, label) {
            take(found, Signal::Label { name: name.clone() });
        }
    }
    if let Some((found, prefix)) = Intent::of_title(title, label) {
        take(found, Signal::TitlePrefix { prefix });
    }
    if body.is_some_and(is_request) {
        take(Intent::Train, Signal::FormMarker);
    }
    (intent, signals)
}

#[cfg(test)]
mod tests {
    use mlops_core::Lang;

    use super::*;

    #[test]
    fn labels_say_what_is_asked_for() {
        let of = |name: &str| Intent::of_label(name, "MLOps");
        assert_eq!(of("mlops"), Some(Intent::Train));
        assert_eq!(of("MLOPS:Retrain"), Some(Intent::Retrain));
        assert_eq!((of("mlops/evaluate"), of("mlops-deploy")), (Some(Intent::Evaluate), Some(Intent::Deploy)));
        for name in ["bug", "mlopsish", "mlops:", "mlops:approve", "mlops:rollback", "not-mlops", ""] {
            assert_eq!(of(name), None, "{name}");
        }
    }

    #[test]
    fn titles_say_it_too() {
        let of = |title: &str| Intent::of_title(title, "ml").map(|(intent, _)| intent);
        assert_eq!(of("[mlops] Classify penguins"), Some(Intent::Train));
        assert_eq!(of("[ML: retrain] Classify penguins"), Some(Intent::Retrain));
        assert_eq!(of("【MLOps】ペンギンの分類"), Some(Intent::Train));
        assert_eq!(of("MLOps: ペンギンの分類"), Some(Intent::Train));
        for title in ["", "[", "[bug] mlops: x", "Use mlops: how?", "mlops", "[mlops", "The [mlops] label"] {
            assert_eq!(of(title), None, "{title}");
        }
    }

    #[test]
    fn the_most_telling_signal_holds() {
        let body = Body::new("```mlops\ntask: regression\n```", Lang::En).unwrap();
        let labels = ["mlops:retrain".to_owned(), "mlops".to_owned()];
        let (intent, signals) = signals("[mlops] x", Some(&body), &labels, "mlops");
        assert_eq!((intent, signals.len()), (Intent::Retrain, 4));
        assert_eq!(super::signals("x", None, &[], "mlops"), (Intent::None, Vec::new()));
    }
}
