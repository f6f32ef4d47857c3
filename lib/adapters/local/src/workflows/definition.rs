//! A state machine as it is executed.

use std::collections::BTreeMap;
use std::time::Duration;

use super::expressions::{Expression, Template};
use super::fan_definition::{Mapping, Parallel};

/// A checked state machine: every transition leads to a state, and every task to an agent.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) timeout: Option<Duration>,
    pub(crate) flow: Flow,
}

/// States that one thread of control walks: those of the machine, of a branch, or of an item.
#[derive(Debug)]
pub(crate) struct Flow {
    pub(crate) start_at: String,
    pub(crate) states: BTreeMap<String, State>,
    /// Where it stands in the definition.
    pub(crate) path: String,
}

#[derive(Debug)]
pub(crate) enum State {
    Task(Box<Task>),
    Choice(Choice),
    Pass(Pass),
    Wait(Wait),
    Parallel(Box<Parallel>),
    Map(Box<Mapping>),
    Succeed { output: Option<Template> },
    Fail { error: Option<Template>, cause: Option<Template> },
}

/// Calls an agent as Step Functions invokes a function.
#[derive(Debug)]
pub(crate) struct Task {
    pub(crate) agent: String,
    pub(crate) payload: Template,
    /// Whether the task ends when its token comes back, and not when the agent answers.
    pub(crate) waits_for_token: bool,
    /// Seconds: a number, or an expression that gives one.
    pub(crate) timeout: Option<Template>,
    pub(crate) heartbeat: Option<Template>,
    pub(crate) handling: Handling,
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

#[derive(Debug)]
pub(crate) struct Wait {
    pub(crate) until: Until,
    pub(crate) exit: Exit,
    pub(crate) next: Next,
}

/// How long a Wait state waits.
#[derive(Debug)]
pub(crate) enum Until {
    Seconds(Template),
    Timestamp(Template),
}

/// What follows on the failures of a state.
#[derive(Debug, Default)]
pub(crate) struct Handling {
    pub(crate) retry: Vec<Retrier>,
    pub(crate) catch: Vec<Catcher>,
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
            Self::Wait(_) => "Wait",
            Self::Parallel(_) => "Parallel",
            Self::Map(_) => "Map",
            Self::Succeed { .. } => "Succeed",
            Self::Fail { .. } => "Fail",
        }
    }

    /// What follows on its failures, for the states that can say so.
    pub(crate) fn handling(&self) -> Option<&Handling> {
        match self {
            Self::Task(task) => Some(&task.handling),
            Self::Parallel(parallel) => Some(&parallel.handling),
            Self::Map(mapping) => Some(&mapping.handling),
            _ => None,
        }
    }

    /// How the state is left when it did what it does, and where to.
    pub(crate) fn way_out(&self) -> Option<(&Exit, Option<&str>)> {
        let (exit, next) = match self {
            Self::Task(task) => (&task.exit, &task.next),
            Self::Pass(pass) => (&pass.exit, &pass.next),
            Self::Wait(wait) => (&wait.exit, &wait.next),
            Self::Parallel(parallel) => (&parallel.exit, &parallel.next),
            Self::Map(mapping) => (&mapping.exit, &mapping.next),
            Self::Choice(_) | Self::Succeed { .. } | Self::Fail { .. } => return None,
        };
        Some((exit, next.state()))
    }

    /// The states that can follow.
    pub(crate) fn targets(&self) -> Vec<&str> {
        if let Self::Choice(choice) = self {
            return choice.rules.iter().map(|rule| rule.next.as_str()).chain(choice.default.as_deref()).collect();
        }
        let caught = self.handling().into_iter().flat_map(|handling| &handling.catch);
        let next = self.way_out().and_then(|(_, next)| next);
        next.into_iter().chain(caught.map(|catcher| catcher.next.as_str())).collect()
    }

    /// The ways in which the state can be left, other than by failing.
    pub(crate) fn exits(&self) -> Vec<&Exit> {
        if let Self::Choice(choice) = self {
            return choice.rules.iter().map(|rule| &rule.exit).collect();
        }
        let caught = self.handling().into_iter().flat_map(|handling| &handling.catch);
        self.way_out().map(|(exit, _)| exit).into_iter().chain(caught.map(|catcher| &catcher.exit)).collect()
    }

    /// Every template of the state itself; those of its branches and items are their own.
    pub(crate) fn templates(&self) -> Vec<&Template> {
        let mut own: Vec<&Template> = match self {
            Self::Task(task) => [&task.payload].into_iter().chain(&task.timeout).chain(&task.heartbeat).collect(),
            Self::Succeed { output } => output.iter().collect(),
            Self::Fail { error, cause } => error.iter().chain(cause).collect(),
            Self::Wait(wait) => match &wait.until {
                Until::Seconds(template) | Until::Timestamp(template) => vec![template],
            },
            Self::Parallel(parallel) => parallel.arguments.iter().collect(),
            Self::Map(mapping) => mapping.templates(),
            Self::Choice(_) | Self::Pass(_) => Vec::new(),
        };
        for exit in self.exits() {
            own.extend(exit.output.iter().chain(exit.assign.iter().map(|(_, template)| template)));
        }
        own
    }

    /// What is walked within the state, and whether it sees the variables outside of it.
    pub(crate) fn flows(&self) -> Vec<(&Flow, bool)> {
        match self {
            Self::Parallel(parallel) => parallel.branches.iter().map(|flow| (flow, true)).collect(),
            Self::Map(mapping) => vec![(&mapping.processor, !mapping.distributed)],
            _ => Vec::new(),
        }
    }
}
