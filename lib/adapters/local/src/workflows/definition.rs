//! A state machine as it is executed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::expressions::{Expression, Template};

/// A checked state machine: every transition leads to a state, and every task to an agent.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) start_at: String,
    pub(crate) timeout: Option<Duration>,
    pub(crate) states: BTreeMap<String, State>,
}

#[derive(Debug)]
pub(crate) enum State {
    Task(Box<Task>),
    Choice(Choice),
    Pass(Pass),
    Succeed { output: Option<Template> },
    Fail { error: Option<Template>, cause: Option<Template> },
}

/// Calls an agent as Step Functions invokes a function.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) agent: String,
    pub(crate) payload: Template,
    /// Seconds: a number, or an expression that gives one.
    pub(crate) timeout: Option<Template>,
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
    pub(crate) exit: Exit,
    pub(crate) next: Next,
}

#[derive(Debug)]
pub(crate) struct Choice {
    pub(crate) rules: Vec<Rule>,
    pub(crate) default: Option<String>,
}

#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) condition: Expression,
    pub(crate) exit: Exit,
    pub(crate) next: String,
}

#[derive(Debug)]
pub(crate) struct Pass {
    pub(crate) exit: Exit,
    pub(crate) next: Next,
}

/// What a state leaves behind.
#[derive(Debug, Default)]
pub(crate) struct Exit {
    pub(crate) output: Option<Template>,
    pub(crate) assign: Vec<(String, Template)>,
}

#[derive(Debug)]
pub(crate) struct Retrier {
    pub(crate) errors: Vec<String>,
    pub(crate) interval: u64,
    pub(crate) backoff: f64,
    pub(crate) attempts: u64,
    pub(crate) longest: Option<u64>,
    pub(crate) jitter: bool,
}

#[derive(Debug)]
pub(crate) struct Catcher {
    pub(crate) errors: Vec<String>,
    pub(crate) exit: Exit,
    pub(crate) next: String,
}

#[derive(Debug)]
pub(crate) enum Next {
    State(String),
    End,
}

impl Next {
    pub(crate) fn state(&self) -> Option<&str> {
        match self {
            Self::State(name) => Some(name),
            Self::End => None,
        }
    }
}

impl State {
    /// The name of the state's type, as it is in a definition and at the beginning of its events.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Task(_) => "Task",
            Self::Choice(_) => "Choice",
            Self::Pass(_) => "Pass",
            Self::Succeed { .. } => "Succeed",
            Self::Fail { .. } => "Fail",
        }
    }

    /// The states that can follow.
    pub(crate) fn targets(&self) -> Vec<&str> {
        match self {
            Self::Task(task) => {
                task.next.state().into_iter().chain(task.catch.iter().map(|catcher| catcher.next.as_str())).collect()
            }
            Self::Choice(choice) => {
                choice.rules.iter().map(|rule| rule.next.as_str()).chain(choice.default.as_deref()).collect()
            }
            Self::Pass(pass) => pass.next.state().into_iter().collect(),
            Self::Succeed { .. } | Self::Fail { .. } => Vec::new(),
        }
    }

    /// The ways in which the state can be left, other than by failing.
    pub(crate) fn exits(&self) -> Vec<&Exit> {
        match self {
            Self::Task(task) => {
                [&task.exit].into_iter().chain(task.catch.iter().map(|catcher| &catcher.exit)).collect()
            }
            Self::Choice(choice) => choice.rules.iter().map(|rule| &rule.exit).collect(),
            Self::Pass(pass) => vec![&pass.exit],
            Self::Succeed { .. } | Self::Fail { .. } => Vec::new(),
        }
    }

    /// Every template of the state.
    pub(crate) fn templates(&self) -> Vec<&Template> {
        let mut own: Vec<&Template> = match self {
            Self::Task(task) => [&task.payload].into_iter().chain(&task.timeout).collect(),
            Self::Succeed { output } => output.iter().collect(),
            Self::Fail { error, cause } => error.iter().chain(cause).collect(),
            Self::Choice(_) | Self::Pass(_) => Vec::new(),
        };
        for exit in self.exits() {
            own.extend(exit.output.iter().chain(exit.assign.iter().map(|(_, template)| template)));
        }
        own
    }
}
