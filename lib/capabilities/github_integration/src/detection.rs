//! Decides what an issue or a comment asks for, and whether it is acted upon.

use mlops_core::Lang;
use mlops_core::settings::RequestSettings;
use mlops_core::values::IssueRef;

use crate::intent::signals;
use crate::markup::Body;
use crate::slash_command::{COMMANDS, CommandArguments, SlashCommand};
use crate::{Intent, Signal};

/// What the fleet's own comments begin with.
const OWN_COMMENT: &str = "<!-- mlops:";

/// What happened, with everything that the decision needs.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    pub(crate) issue: IssueRef,
    pub(crate) title: String,
    pub(crate) body: String,
    pub(crate) labels: Vec<String>,
    pub(crate) is_open: bool,
    pub(crate) is_pull_request: bool,
    /// Who did it.
    pub(crate) person: Person,
    pub(crate) occasion: Occasion,
}

/// Who acted.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) login: String,
    /// How the author stands to the repository, in GitHub's words.
    pub(crate) association: Option<String>,
    pub(crate) is_bot: bool,
    /// Why the person may ask for things whatever the association is.
    pub(crate) voucher: Option<Voucher>,
}

/// Who answers for a person.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Voucher {
    /// The repository: the act itself needs a right in it.
    Repository,
    /// Who called the tool and handed the issue in.
    Caller,
}

/// What was done.
#[derive(Debug, Clone)]
pub(crate) enum Occasion {
    /// The issue as it stands was handed in by a caller.
    Handed,
    /// The issue was opened.
    Opened,
    /// It was opened again.
    Reopened,
    /// It was given that label.
    Labeled(String),
    /// It was edited: its text, or something else.
    Edited { is_text: bool },
    /// A comment was written.
    Comment(Said),
    /// Something else was done to a comment.
    CommentOtherwise(String),
    /// Something else was done to the issue.
    Otherwise(String),
}

/// A comment.
#[derive(Debug, Clone)]
pub(crate) struct Said {
    pub(crate) comment_id: Option<u64>,
    pub(crate) text: String,
    pub(crate) is_by_bot: bool,
}

/// What was decided.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Decision {
    pub(crate) is_mlops: bool,
    pub(crate) intent: Intent,
    pub(crate) command: Option<String>,
    pub(crate) arguments: CommandArguments,
    pub(crate) signals: Vec<Signal>,
    pub(crate) reasons: Vec<String>,
}

impl Decision {
    /// Nothing is done, for that reason.
    pub(crate) fn ignored(reason: impl Into<String>) -> Self {
        Self {
            is_mlops: false,
            intent: Intent::None,
            command: None,
            arguments: CommandArguments::default(),
            signals: Vec::new(),
            reasons: vec![reason.into()],
        }
    }
}

impl Case {
    /// What is asked for and whether it is acted upon; the reasons are in that language.
    pub(crate) fn decide(&self, settings: &RequestSettings, lang: Lang) -> Decision {
        if let Some(reason) = self.disregarded(lang) {
            return Decision::ignored(reason);
        }
        match &self.occasion {
            Occasion::Comment(said) => self.decide_on_comment(said, settings, lang),
            Occasion::Labeled(name) => match Intent::of_label(name, &settings.label) {
                Some(intent) => {
                    let signals = vec![Signal::Label { name: name.clone() }];
                    self.admitted((intent, None), signals, CommandArguments::default(), settings, lang)
                }
                None => Decision::ignored(say!(
                    lang,
                    "the label `{name}` asks for nothing",
                    "ラベル `{name}` は依頼を表すものではありません"
                )),
            },
            _ => self.decide_on_issue(settings, lang),
        }
    }

    /// Why nobody looks any further.
    fn disregarded(&self, lang: Lang) -> Option<String> {
        let login = &self.person.login;
        let is_by_bot = self.person.is_bot || matches!(&self.occasion, Occasion::Comment(said) if said.is_by_bot);
        let reason = match &self.occasion {
            Occasion::Otherwise(action) => {
                say!(lang, "an issue that was {action} asks for nothing", "Issue への操作 {action} には何もしません")
            }
            Occasion::CommentOtherwise(action) => say!(
                lang,
                "only a new comment is a command, and this one was {action}",
                "コマンドは新しいコメントだけで受け付けます（操作: {action}）"
            ),
            Occasion::Edited { is_text: false } => {
                lang.pick("neither title nor body was edited", "タイトルも本文も編集されていません").to_owned()
            }
            _ if self.is_pull_request => {
                lang.pick("it is a pull request and no issue", "Issue ではなくプルリクエストです").to_owned()
            }
            _ if is_by_bot => say!(lang, "{login} is a bot", "{login} はボットです"),
            _ if !self.is_open => lang.pick("the issue is closed", "Issue はクローズされています").to_owned(),
            _ => return None,
        };
        Some(reason)
    }

    fn decide_on_comment(&self, said: &Said, settings: &RequestSettings, lang: Lang) -> Decision {
        if said.text.trim_start().starts_with(OWN_COMMENT) {
            return Decision::ignored(lang.pick("the comment is the fleet's own", "自動で投稿されたコメントです"));
        }
        let command = Body::new(&said.text, lang).ok().and_then(|body| SlashCommand::find(&body));
        let Some(command) = command else {
            return Decision::ignored(
                lang.pick("no line of the comment begins with /mlops", "/mlops で始まる行がありません"),
            );
        };
        let signals = vec![Signal::SlashCommand { word: command.word.clone() }];
        let intent = command.intent.unwrap_or(Intent::None);
        self.admitted((intent, Some(command.word)), signals, command.arguments, settings, lang)
    }

    fn decide_on_issue(&self, settings: &RequestSettings, lang: Lang) -> Decision {
        let body = Body::new(&self.body, lang).ok();
        let (mut intent, mut signals) = signals(&self.title, body.as_ref(), &self.labels, &settings.label);
        let command = body.as_ref().and_then(SlashCommand::find).filter(|command| command.word == "train");
        if let Some(command) = command {
            signals.push(Signal::SlashCommand { word: command.word });
            intent = if intent == Intent::None { Intent::Train } else { intent };
        }
        if intent == Intent::None {
            let label = &settings.label;
            return Decision::ignored(say!(
                lang,
                "the issue has neither the label `{label}` nor a title that begins with [mlops], and its body is no request",
                "ラベル `{label}` も [mlops] で始まるタイトルもなく、本文も依頼の形式ではありません"
            ));
        }
        self.admitted((intent, None), signals, CommandArguments::default(), settings, lang)
    }

    /// The decision on something that is asked for: who asks must be allowed to.
    fn admitted(
        &self,
        (intent, command): (Intent, Option<String>),
        signals: Vec<Signal>,
        arguments: CommandArguments,
        settings: &RequestSettings,
        lang: Lang,
    ) -> Decision {
        let allowed = match intent {
            Intent::Approve | Intent::Reject => &settings.approvers,
            _ => &settings.commanders,
        };
        let person = &self.person;
        let association = person.association.as_deref().unwrap_or("NONE");
        let is_allowed = allowed.iter().any(|name| name.eq_ignore_ascii_case(association));
        if person.voucher.is_none() && !is_allowed {
            let (login, allowed) = (&person.login, allowed.join(", "));
            let reason = say!(
                lang,
                "{login} may not ask for that: the association is {association}, and it must be one of {allowed}",
                "{login} にはその権限がありません（関係: {association}、必要なもの: {allowed}）"
            );
            return Decision { command, signals, ..Decision::ignored(reason) };
        }
        let mut reasons: Vec<String> = signals.iter().map(|signal| told(signal, lang)).collect();
        if intent == Intent::None {
            let names = COMMANDS.map(|(name, _)| name).join(", ");
            reasons.push(say!(
                lang,
                "that is not understood; the commands are {names}, and rollback takes the number of a version",
                "解釈できません。使えるコマンド: {names}（rollback にはバージョン番号を指定できます）"
            ));
        }
        if person.voucher == Some(Voucher::Repository) {
            let login = &person.login;
            reasons.push(say!(
                lang,
                "{login} acted on another's issue, which needs a right in the repository",
                "{login} が他者の Issue を操作しました（リポジトリの権限が必要な操作です）"
            ));
        }
        Decision { is_mlops: true, intent, command, arguments, signals, reasons }
    }
}

fn told(signal: &Signal, lang: Lang) -> String {
    match signal {
        Signal::Label { name } => say!(lang, "the label `{name}`", "ラベル `{name}`"),
        Signal::TitlePrefix { prefix } => say!(lang, "the title begins with `{prefix}`", "タイトルの先頭が `{prefix}`"),
        Signal::FormMarker => lang.pick("the body is a request", "本文が依頼の形式").to_owned(),
        Signal::SlashCommand { word } => say!(lang, "the command `/mlops {word}`", "コマンド `/mlops {word}`"),
    }
}
