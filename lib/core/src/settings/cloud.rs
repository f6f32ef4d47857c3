//! What a fleet on AWS is told of its surroundings: the ARNs and names that cdk/ makes.

use std::collections::BTreeMap;

use super::{Setting, words, wrong};
use crate::Result;

/// The state machines.
pub const STATE_MACHINES: Setting = Setting {
    name: "MLOPS_STATE_MACHINES",
    text: "The state machines on AWS, as name=ARN pairs separated by commas: training=arn:aws:states:….",
    default: "none; the local platform brings its own",
};
/// The topic of the fleet's events.
pub const TOPIC: Setting = Setting {
    name: "MLOPS_TOPIC_ARN",
    text: "The SNS topic on which every event of a run is published.",
    default: "none; the local platform keeps events in its outbox",
};
/// The sender of mail.
pub const MAIL_FROM: Setting = Setting {
    name: "MLOPS_MAIL_FROM",
    text: "The address that mail comes from. On AWS it is one that SES has verified.",
    default: "none; without it no mail is sent",
};
/// The readers of mail.
pub const MAIL_TO: Setting = Setting {
    name: "MLOPS_MAIL_TO",
    text: "The addresses that the channel `email` writes to, separated by commas.",
    default: "none; without them no mail is sent",
};
/// The key of the objects.
pub const KMS_KEY: Setting = Setting {
    name: "MLOPS_KMS_KEY",
    text: "The ARN of the KMS key that every object is encrypted with.",
    default: "the key aws/s3 of the account",
};
/// GitHub's API.
pub const GITHUB_API: Setting = Setting {
    name: "MLOPS_GITHUB_API",
    text: "The URL of GitHub's REST API, for GitHub Enterprise Server.",
    default: "https://api.github.com",
};
/// The GitHub App.
pub const GITHUB_APP: Setting = Setting {
    name: "MLOPS_GITHUB_APP",
    text: "The GitHub App that the fleet acts as: its id and that of its installation, as 123/456. The secret \
           mlops/github-token is its private key then, PEM.",
    default: "none; the secret mlops/github-token is a token",
};
/// Where the history goes.
pub const HISTORY_REPOSITORY: Setting = Setting {
    name: "MLOPS_HISTORY_REPOSITORY",
    text: "The repository that the history of runs is committed to, as owner/name.",
    default: "the repository of the issue that asked for the run",
};
/// The branch of the history.
pub const HISTORY_BRANCH: Setting = Setting {
    name: "MLOPS_HISTORY_BRANCH",
    text: "The branch that the history of runs is committed to. It is made when it is not there.",
    default: "mlops-history",
};

/// What a fleet on AWS is told of its surroundings, and how it stands to GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CloudSettings {
    /// [`STATE_MACHINES`]: ARNs by name.
    pub state_machines: BTreeMap<String, String>,
    /// [`TOPIC`].
    pub topic_arn: Option<String>,
    /// [`KMS_KEY`].
    pub kms_key: Option<String>,
}

/// From whom to whom mail goes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MailSettings {
    /// [`MAIL_FROM`].
    pub from: Option<String>,
    /// [`MAIL_TO`].
    pub to: Vec<String>,
}

/// How the fleet stands to GitHub.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GithubSettings {
    /// [`GITHUB_API`], without a slash at its end.
    pub api: String,
    /// [`GITHUB_APP`].
    pub app: Option<GithubApp>,
    /// [`HISTORY_REPOSITORY`].
    pub history_repository: Option<String>,
    /// [`HISTORY_BRANCH`].
    pub history_branch: String,
}

/// A GitHub App in one of its installations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct GithubApp {
    /// The id of the app.
    pub id: u64,
    /// The id of the installation.
    pub installation: u64,
}

impl CloudSettings {
    pub(super) fn from_variables(read: &impl Fn(Setting) -> Option<String>) -> Result<Self> {
        let text = read(STATE_MACHINES).unwrap_or_default();
        let mut state_machines = BTreeMap::new();
        for pair in words(&text) {
            match pair.split_once('=') {
                Some((name, arn)) if !name.trim().is_empty() && arn.trim().starts_with("arn:") => {
                    state_machines.insert(name.trim().to_owned(), arn.trim().to_owned());
                }
                _ => return Err(wrong(STATE_MACHINES, "pairs such as training=arn:aws:states:…", &pair)),
            }
        }
        let arn = |setting: Setting| match read(setting) {
            Some(arn) if !arn.starts_with("arn:") => Err(wrong(setting, "an ARN", &arn)),
            found => Ok(found),
        };
        Ok(Self { state_machines, topic_arn: arn(TOPIC)?, kms_key: arn(KMS_KEY)? })
    }
}

impl MailSettings {
    pub(super) fn from_variables(read: &impl Fn(Setting) -> Option<String>) -> Result<Self> {
        let address = |setting: Setting, text: String| match text.split_once('@') {
            Some((name, host)) if !name.is_empty() && !host.is_empty() && !text.contains(char::is_control) => Ok(text),
            _ => Err(wrong(setting, "a mail address", &text)),
        };
        let from = read(MAIL_FROM).map(|text| address(MAIL_FROM, text.trim().to_owned())).transpose()?;
        let to = words(&read(MAIL_TO).unwrap_or_default());
        let to = to.into_iter().map(|text| address(MAIL_TO, text)).collect::<Result<_>>()?;
        Ok(Self { from, to })
    }
}

impl GithubSettings {
    pub(super) fn from_variables(read: &impl Fn(Setting) -> Option<String>) -> Result<Self> {
        let api = read(GITHUB_API).unwrap_or_else(|| GITHUB_API.default.to_owned());
        let api = api.trim().trim_end_matches('/').to_owned();
        if !(api.starts_with("https://") || api.starts_with("http://")) {
            return Err(wrong(GITHUB_API, "an http or https URL", &api));
        }
        let app = match read(GITHUB_APP) {
            None => None,
            Some(text) => {
                let ids = text.trim().split_once('/');
                let ids = ids.and_then(|(id, installation)| Some((id.parse().ok()?, installation.parse().ok()?)));
                let (id, installation) = ids.ok_or_else(|| wrong(GITHUB_APP, "two numbers such as 123/456", &text))?;
                Some(GithubApp { id, installation })
            }
        };
        let history_repository = match read(HISTORY_REPOSITORY) {
            Some(text) if text.split('/').filter(|part| !part.is_empty()).count() != 2 => {
                return Err(wrong(HISTORY_REPOSITORY, "owner/name", &text));
            }
            found => found,
        };
        let history_branch = read(HISTORY_BRANCH).unwrap_or_else(|| HISTORY_BRANCH.default.to_owned());
        Ok(Self { api, app, history_repository, history_branch })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use crate::Settings;
    use crate::settings::GithubApp;

    fn settings(name: &'static str, value: &'static str) -> crate::Result<Settings> {
        Settings::from_variables(|asked| (asked == name).then(|| value.to_owned()), Path::new("/data"))
    }

    #[test]
    fn a_fleet_on_aws_knows_its_surroundings() {
        let machines = settings("MLOPS_STATE_MACHINES", "training=arn:a:b, rollback = arn:c").unwrap().cloud;
        assert_eq!((machines.state_machines.len(), &machines.state_machines["rollback"][..]), (2, "arn:c"));
        assert_eq!(settings("MLOPS_MAIL_TO", "a@example.com, b@example.com").unwrap().mail.to.len(), 2);
        let github = settings("MLOPS_GITHUB_API", "https://ghe.example/api/v3/").unwrap().github;
        assert_eq!((&github.api[..], &github.history_branch[..]), ("https://ghe.example/api/v3", "mlops-history"));
        let app = settings("MLOPS_GITHUB_APP", "12/34").unwrap().github.app;
        assert_eq!(app, Some(GithubApp { id: 12, installation: 34 }));
    }

    #[test]
    fn what_cannot_be_meant_is_named() {
        for (name, value) in [
            ("MLOPS_STATE_MACHINES", "training"),
            ("MLOPS_STATE_MACHINES", "training=somewhere"),
            ("MLOPS_TOPIC_ARN", "events"),
            ("MLOPS_KMS_KEY", "key"),
            ("MLOPS_MAIL_FROM", "nobody"),
            ("MLOPS_MAIL_TO", "a@example.com, @"),
            ("MLOPS_GITHUB_API", "api.github.com"),
            ("MLOPS_GITHUB_APP", "12"),
            ("MLOPS_HISTORY_REPOSITORY", "penguins"),
        ] {
            assert_eq!(settings(name, value).unwrap_err().field.as_deref(), Some(name), "{value}");
        }
    }
}
