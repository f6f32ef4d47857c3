//! The commands that people write in comments: `/mlops approve looks good`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::Intent;
use crate::markup::{Body, Outline};

/// What every command begins with.
const PREFIX: &str = "/mlops";
/// The longest reason that is kept, in characters.
const LONGEST_REASON: usize = 500;

/// A command as it was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SlashCommand {
    /// The word behind `/mlops`, in lower case; empty when there is none.
    pub(crate) word: String,
    /// What it asks for; `None` when it cannot be understood.
    pub(crate) intent: Option<Intent>,
    pub(crate) arguments: CommandArguments,
}

/// What a command was given.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CommandArguments {
    /// Why, in the words of who said it.
    pub reason: Option<String>,
    /// The version to go back to.
    pub version: Option<u64>,
}

/// Every command.
pub(crate) const COMMANDS: [(&str, Intent); 7] = [
    ("train", Intent::Train),
    ("approve", Intent::Approve),
    ("reject", Intent::Reject),
    ("retry", Intent::Retry),
    ("rollback", Intent::Rollback),
    ("cancel", Intent::Cancel),
    ("status", Intent::Status),
];

impl SlashCommand {
    /// The first line of the text that begins with `/mlops`. Quotes, code, and comments of HTML hold no commands.
    pub(crate) fn find(body: &Body) -> Option<Self> {
        let outline = Outline::of(body);
        let mut lines = outline.prose(body).map(|(_, line)| line);
        lines.find_map(|line| {
            // Four spaces or a tab make a block of code.
            let unindented = line.trim_start_matches(' ');
            let is_code = line.len() - unindented.len() >= 4;
            let rest = unindented.strip_prefix(PREFIX)?;
            let is_word = rest.is_empty() || rest.starts_with(char::is_whitespace);
            (is_word && !is_code).then(|| Self::of(rest))
        })
    }

    fn of(rest: &str) -> Self {
        let mut words = rest.split_whitespace();
        let word = words.next().unwrap_or_default().to_lowercase();
        let text = words.collect::<Vec<_>>().join(" ");
        let mut intent = COMMANDS.iter().find(|(name, _)| *name == word).map(|(_, intent)| *intent);
        let mut arguments = CommandArguments::default();
        if intent == Some(Intent::Rollback) {
            // A word that is no version is not taken for none: that would roll back to another one.
            let read = version(&text);
            intent = intent.filter(|_| read.is_some());
            let (version, reason) = read.unwrap_or_default();
            arguments.version = version;
            arguments.reason = self::reason(reason);
        } else {
            arguments.reason = reason(&text);
        }
        Self { word, intent, arguments }
    }
}

/// The version at the beginning of the text, if there is one, and the rest; `None` when it begins with another word.
fn version(text: &str) -> Option<(Option<u64>, &str)> {
    if text.is_empty() {
        return Some((None, ""));
    }
    let text = text.strip_prefix("to ").unwrap_or(text);
    let (first, rest) = text.split_once(' ').unwrap_or((text, ""));
    let digits = first.strip_prefix(['v', 'V']).unwrap_or(first);
    let version = digits.parse::<u64>().ok().filter(|version| *version > 0 && !digits.starts_with('+'))?;
    Some((Some(version), rest))
}

fn reason(text: &str) -> Option<String> {
    let kept: String = text.chars().filter(|c| !c.is_control()).take(LONGEST_REASON).collect();
    Some(kept.trim().to_owned()).filter(|kept| !kept.is_empty())
}

#[cfg(test)]
mod tests {
    use mlops_core::Lang;

    use super::*;

    fn find(text: &str) -> Option<SlashCommand> {
        SlashCommand::find(&Body::new(text, Lang::En).unwrap())
    }

    #[test]
    fn the_first_line_that_begins_with_it_is_the_command() {
        let command = find("Thank you!\r\n\r\n  /mlops  Approve  the recall\tis fine \r\n/mlops reject\r\n").unwrap();
        assert_eq!((command.word.as_str(), command.intent), ("approve", Some(Intent::Approve)));
        assert_eq!(command.arguments.reason.as_deref(), Some("the recall is fine"));
        let long = find(&format!("/mlops reject {}", "理".repeat(2_000))).unwrap();
        assert_eq!(long.arguments.reason.unwrap().chars().count(), LONGEST_REASON);
        for (word, intent) in COMMANDS {
            assert_eq!(find(&format!("/mlops {word}")).unwrap().intent, Some(intent));
        }
    }

    #[test]
    fn quotes_code_and_other_words_are_no_commands() {
        for text in [
            "",
            "please /mlops approve",
            "> /mlops approve",
            "```\n/mlops approve\n```",
            "    /mlops approve",
            "\t/mlops approve",
            "<!-- /mlops approve -->",
            "<!--\n/mlops approve\n-->",
            "/mlopsapprove",
            "/mlops-approve",
            "//mlops approve",
            "`/mlops approve`",
        ] {
            assert_eq!(find(text), None, "{text}");
        }
    }

    #[test]
    fn a_rollback_names_a_version_or_none_and_never_something_else() {
        let read = |text: &str| {
            let command = find(&format!("/mlops rollback {text}")).unwrap();
            (command.intent.is_some(), command.arguments.version, command.arguments.reason)
        };
        assert_eq!(read(""), (true, None, None));
        assert_eq!(read("3"), (true, Some(3), None));
        assert_eq!(read("to v12 drift in March"), (true, Some(12), Some("drift in March".to_owned())));
        for text in ["two", "2.0", "0", "-1", "+1", "99999999999999999999", "because"] {
            assert_eq!(read(text), (false, None, None), "{text}");
        }
        let unknown = find("/mlops aprove").unwrap();
        assert_eq!((unknown.word.as_str(), unknown.intent), ("aprove", None));
        assert_eq!(find("/mlops").unwrap().word, "");
    }
}
