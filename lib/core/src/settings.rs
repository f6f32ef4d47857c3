//! Every environment variable of the fleet, named and documented once.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::values::ArtifactUri;
use crate::{Error, Lang, Result};

mod cloud;

pub use cloud::{
    CloudSettings, GITHUB_API, GITHUB_APP, GithubApp, GithubSettings, HISTORY_BRANCH, HISTORY_REPOSITORY, KMS_KEY,
    MAIL_FROM, MAIL_TO, MailSettings, STATE_MACHINES, TOPIC,
};

/// One environment variable.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Setting {
    /// The variable's name.
    pub name: &'static str,
    /// What it does.
    pub text: &'static str,
    /// What holds when it is not set.
    pub default: &'static str,
}

/// The folder of the local platform.
pub const HOME: Setting = Setting {
    name: "MLOPS_HOME",
    text: "The folder of the local platform: artifacts, records, executions, the outbox and the audit log.",
    default: ".mlops in the working directory",
};
/// Where artifacts and records lie.
pub const STORE: Setting = Setting {
    name: "MLOPS_STORE",
    text: "The URI under which artifacts and records lie.",
    default: "the folder `store` in MLOPS_HOME",
};
/// The language when an issue does not choose one.
pub const LANGUAGE: Setting = Setting {
    name: "MLOPS_LANG",
    text: "The language of results when the issue does not choose one: en or ja.",
    default: "en",
};
/// The file of the local secrets.
pub const SECRETS_FILE: Setting = Setting {
    name: "MLOPS_SECRETS_FILE",
    text: "A JSON file that maps secret names (mlops/github-token) to values, for the local platform. A secret may \
           also be given by a variable of its own: MLOPS_SECRET_GITHUB_TOKEN.",
    default: "none",
};
/// The buckets that front doors reach.
pub const BUCKETS: Setting = Setting {
    name: "MLOPS_BUCKETS",
    text: "The S3 buckets that Lambda functions and the HTTP endpoint may touch, separated by commas, besides the \
           bucket of MLOPS_STORE.",
    default: "only the bucket of MLOPS_STORE",
};
/// The label that asks for a model.
pub const LABEL: Setting =
    Setting { name: "MLOPS_LABEL", text: "The label by which an issue asks for a model.", default: "mlops" };
/// Who may start and steer runs.
pub const COMMANDERS: Setting = Setting {
    name: "MLOPS_COMMANDERS",
    text: "Which author associations of GitHub may start, retry, cancel and roll back runs, separated by commas.",
    default: "OWNER,MEMBER,COLLABORATOR",
};
/// Who may approve.
pub const APPROVERS: Setting = Setting {
    name: "MLOPS_APPROVERS",
    text: "Which author associations of GitHub may approve and reject models, separated by commas.",
    default: "OWNER,MEMBER,COLLABORATOR",
};
/// The endpoint that agents call tools at.
pub const MCP_URL: Setting = Setting {
    name: "MLOPS_MCP_URL",
    text: "The URL of an MCP endpoint at which agents call tools. For one capability alone the variable ends with its \
           name: MLOPS_MCP_URL_ML_TRAINING.",
    default: "tools run in the agent's own process",
};
/// The toolsets that the MCP endpoint serves.
pub const MCP_TOOLSETS: Setting = Setting {
    name: "MLOPS_MCP_TOOLSETS",
    text: "The capabilities whose tools an MCP server offers, separated by commas.",
    default: "all",
};
/// Whether the MCP endpoint only reads.
pub const MCP_READ_ONLY: Setting = Setting {
    name: "MLOPS_MCP_READ_ONLY",
    text: "With true, an MCP server offers only tools that change nothing.",
    default: "false",
};
/// The hosts that the MCP endpoint answers to.
pub const MCP_HOSTS: Setting = Setting {
    name: "MLOPS_MCP_HOSTS",
    text: "The host names that MCP over HTTP answers to, separated by commas.",
    default: "localhost, 127.0.0.1 and [::1]",
};
/// The web pages that may call the MCP endpoint.
pub const MCP_ORIGINS: Setting = Setting {
    name: "MLOPS_MCP_ORIGINS",
    text: "The origins of web pages that may call MCP over HTTP, separated by commas.",
    default: "none",
};
/// How often a key may call.
pub const MCP_CALLS_PER_MINUTE: Setting = Setting {
    name: "MLOPS_MCP_CALLS_PER_MINUTE",
    text: "How many requests a minute MCP over HTTP takes from one API key; 0 sets no limit.",
    default: "600",
};
/// Whether the MCP endpoint on Lambda answers piece by piece.
pub const MCP_STREAMING: Setting = Setting {
    name: "MLOPS_MCP_STREAMING",
    text: "With true, MCP over Lambda answers piece by piece, so that progress is seen at once and an answer may have more \
           than 6 MB; the gateway before it must stream too.",
    default: "false",
};

/// Every setting, for `mlops doctor`, the documentation and the tests.
pub const ALL: [Setting; 24] = [
    HOME,
    STORE,
    LANGUAGE,
    SECRETS_FILE,
    BUCKETS,
    LABEL,
    COMMANDERS,
    APPROVERS,
    MCP_URL,
    MCP_TOOLSETS,
    MCP_READ_ONLY,
    MCP_HOSTS,
    MCP_ORIGINS,
    MCP_CALLS_PER_MINUTE,
    MCP_STREAMING,
    STATE_MACHINES,
    TOPIC,
    MAIL_FROM,
    MAIL_TO,
    KMS_KEY,
    GITHUB_API,
    GITHUB_APP,
    HISTORY_REPOSITORY,
    HISTORY_BRANCH,
];

/// The settings of this process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// [`HOME`], absolute.
    pub home: PathBuf,
    /// [`STORE`].
    pub store: ArtifactUri,
    /// [`LANGUAGE`].
    pub lang: Lang,
    /// [`SECRETS_FILE`].
    pub secrets_file: Option<PathBuf>,
    /// [`BUCKETS`].
    pub buckets: Vec<String>,
    /// [`LABEL`], [`COMMANDERS`] and [`APPROVERS`].
    pub requests: RequestSettings,
    /// [`MCP_URL`]: by capability, and under the empty name for all others.
    pub mcp_urls: BTreeMap<String, String>,
    /// What an MCP server offers, and to whom.
    pub mcp: McpAccess,
    /// What a fleet on AWS is told of its surroundings.
    pub cloud: CloudSettings,
    /// From whom to whom mail goes.
    pub mail: MailSettings,
    /// How the fleet stands to GitHub.
    pub github: GithubSettings,
}

/// Who may ask for what in an issue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestSettings {
    /// [`LABEL`].
    pub label: String,
    /// [`COMMANDERS`], in capitals.
    pub commanders: Vec<String>,
    /// [`APPROVERS`], in capitals.
    pub approvers: Vec<String>,
}

impl Default for RequestSettings {
    fn default() -> Self {
        let maintainers: Vec<String> = ["OWNER", "MEMBER", "COLLABORATOR"].map(str::to_owned).into();
        Self { label: "mlops".to_owned(), commanders: maintainers.clone(), approvers: maintainers }
    }
}

/// What an MCP server offers, and to whom.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct McpAccess {
    /// [`MCP_TOOLSETS`]; `None` offers all.
    pub toolsets: Option<Vec<String>>,
    /// [`MCP_READ_ONLY`].
    pub read_only: bool,
    /// [`MCP_HOSTS`]; empty stands for this machine alone.
    pub hosts: Vec<String>,
    /// [`MCP_ORIGINS`].
    pub origins: Vec<String>,
    /// [`MCP_CALLS_PER_MINUTE`]; `None` sets no limit.
    pub calls_per_minute: Option<u32>,
    /// [`MCP_STREAMING`].
    pub streaming: bool,
}

impl Settings {
    /// The settings that `read` gives for the names of [`ALL`]; relative paths resolve against `working_directory`.
    pub fn from_variables(read: impl Fn(&str) -> Option<String>, working_directory: &std::path::Path) -> Result<Self> {
        let variable = |name: &str| read(name).filter(|value| !value.trim().is_empty());
        let read = |setting: Setting| variable(setting.name);
        let home = working_directory.join(read(HOME).unwrap_or_else(|| ".mlops".to_owned()));
        let store = match read(STORE) {
            Some(uri) => ArtifactUri::new(uri).map_err(|error| error.at(STORE.name))?,
            None => ArtifactUri::from_path(&home.join("store")),
        };
        let lang = match read(LANGUAGE) {
            Some(code) => Lang::from_code(&code).ok_or_else(|| {
                Error::invalid_input(format!("MLOPS_LANG must be en or ja, and is {code}")).at(LANGUAGE.name)
            })?,
            None => Lang::En,
        };
        let secrets_file = read(SECRETS_FILE).map(|path| working_directory.join(path));
        let list = |setting: Setting| read(setting).map(|text| words(&text)).filter(|words| !words.is_empty());
        let capitals = |setting: Setting| list(setting).map(|words| words.iter().map(|w| w.to_uppercase()).collect());
        let usual = RequestSettings::default();
        let requests = RequestSettings {
            label: read(LABEL).unwrap_or(usual.label),
            commanders: capitals(COMMANDERS).unwrap_or(usual.commanders),
            approvers: capitals(APPROVERS).unwrap_or(usual.approvers),
        };
        let calls_per_minute = match read(MCP_CALLS_PER_MINUTE) {
            Some(text) => Some(text.trim().parse::<u32>().map_err(|_| wrong(MCP_CALLS_PER_MINUTE, "a number", &text))?),
            None => Some(600),
        };
        let yes = |setting: Setting| match read(setting).as_deref().map(str::trim) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(other) => Err(wrong(setting, "true or false", other)),
        };
        let mcp = McpAccess {
            toolsets: list(MCP_TOOLSETS).filter(|sets| !sets.iter().any(|set| set == "all")),
            read_only: yes(MCP_READ_ONLY)?,
            hosts: list(MCP_HOSTS).unwrap_or_default(),
            origins: list(MCP_ORIGINS).unwrap_or_default(),
            calls_per_minute: calls_per_minute.filter(|limit| *limit > 0),
            streaming: yes(MCP_STREAMING)?,
        };
        let mcp_urls = mcp_urls(&variable)?;
        Ok(Self {
            home,
            store,
            lang,
            secrets_file,
            buckets: list(BUCKETS).unwrap_or_default(),
            requests,
            mcp_urls,
            mcp,
            cloud: CloudSettings::from_variables(&read)?,
            mail: MailSettings::from_variables(&read)?,
            github: GithubSettings::from_variables(&read)?,
        })
    }

    /// The URL at which an agent calls the tools of that capability; `None` when they run in its own process.
    pub fn mcp_url(&self, capability: &str) -> Option<&str> {
        self.mcp_urls.get(capability).or_else(|| self.mcp_urls.get("")).map(String::as_str)
    }
}

/// The capabilities whose tools can be called at an endpoint of their own.
const CAPABILITIES: [&str; 7] = [
    "github_integration",
    "data_preparation",
    "ml_training",
    "ml_evaluation",
    "model_registry",
    "notification",
    "history_management",
];

fn words(text: &str) -> Vec<String> {
    text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
}

fn wrong(setting: Setting, expected: &str, found: &str) -> Error {
    Error::invalid_input(format!("{} must be {expected}, and is {found}", setting.name)).at(setting.name)
}

fn mcp_urls(variable: &impl Fn(&str) -> Option<String>) -> Result<BTreeMap<String, String>> {
    let mut urls = BTreeMap::new();
    for capability in [""].into_iter().chain(CAPABILITIES) {
        let name = match capability {
            "" => MCP_URL.name.to_owned(),
            capability => format!("{}_{}", MCP_URL.name, capability.to_uppercase()),
        };
        let Some(url) = variable(&name) else { continue };
        if !(url.starts_with("http://") || url.starts_with("https://")) {
            return Err(Error::invalid_input(format!("{name} must be an http or https URL, and is {url}")).at(name));
        }
        urls.insert(capability.to_owned(), url);
    }
    Ok(urls)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    #[test]
    fn defaults_lie_in_the_working_directory() {
        let settings = Settings::from_variables(|_| None, Path::new("/data")).unwrap();
        assert_eq!(settings.home, Path::new("/data/.mlops"));
        assert_eq!(settings.store.as_str(), "file:///data/.mlops/store");
        assert_eq!(settings.lang, Lang::En);
    }

    #[test]
    fn lists_switches_and_urls_are_read() {
        let read = |name: &str| {
            let value = match name {
                "MLOPS_COMMANDERS" => "owner, member,",
                "MLOPS_MCP_URL" => "http://127.0.0.1:8000/mcp",
                "MLOPS_MCP_URL_ML_TRAINING" => "https://training.example/mcp",
                "MLOPS_MCP_READ_ONLY" | "MLOPS_MCP_STREAMING" => "true",
                "MLOPS_MCP_CALLS_PER_MINUTE" => "0",
                "MLOPS_MCP_TOOLSETS" => "data_preparation,model_registry",
                _ => return None,
            };
            Some(value.to_owned())
        };
        let settings = Settings::from_variables(read, Path::new("/data")).unwrap();
        assert_eq!(settings.requests.commanders, ["OWNER", "MEMBER"]);
        assert_eq!(settings.requests.approvers, RequestSettings::default().approvers);
        assert_eq!(settings.mcp_url("ml_training"), Some("https://training.example/mcp"));
        assert_eq!(settings.mcp_url("notification"), Some("http://127.0.0.1:8000/mcp"));
        assert!(settings.mcp.read_only && settings.mcp.streaming && settings.mcp.calls_per_minute.is_none());
        assert_eq!(settings.mcp.toolsets.as_deref().map(<[String]>::len), Some(2));
        for (name, value) in
            [("MLOPS_MCP_READ_ONLY", "perhaps"), ("MLOPS_MCP_URL", "ftp://x"), ("MLOPS_MCP_CALLS_PER_MINUTE", "-1")]
        {
            let error = Settings::from_variables(|asked| (asked == name).then(|| value.to_owned()), Path::new("/"))
                .unwrap_err();
            assert_eq!(error.field.as_deref(), Some(name));
        }
    }

    #[test]
    fn a_wrong_setting_is_named() {
        let read = |name: &str| (name == "MLOPS_LANG").then(|| "fr".to_owned());
        let error = Settings::from_variables(read, Path::new("/data")).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("MLOPS_LANG"));
    }
}
