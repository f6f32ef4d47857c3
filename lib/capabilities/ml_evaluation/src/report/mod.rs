//! The report of an evaluation: what was asked, what was found, what was decided and why, in plain words.
//!
//! A [`Document`] holds every statement and every number; the page, the Markdown and the comment show that document and
//! nothing else, so that they cannot disagree.

mod caveats;
mod comment;
pub(crate) mod document;
mod findings;
mod identity;
mod inputs;
mod learning_curve;
mod metric_words;
mod oddities;
mod render;
mod search;
mod sentence;
mod structure;
mod verdict;
mod weaknesses;
mod words;

pub use comment::LONGEST_COMMENT;
pub use document::{Document, Fact, FactGroup, GateLine, MetricLine, Plot, TableOfNumbers, Verdict};
pub use inputs::{DataFacts, Decided, Decision, GateOutcome, Requested};
pub use learning_curve::{LearningFact, LearningFacts, LearningSection};
pub use search::{SearchFacts, SearchSection};
pub use sentence::{Part, Sentence, Shown};

pub(crate) use comment::comment;
pub(crate) use document::build;
pub(crate) use render::{html, markdown};
pub(crate) use sentence::say;
