//! Every environment variable of the fleet, named and documented once.

use std::path::PathBuf;

use crate::values::ArtifactUri;
use crate::{Error, Lang, Result};

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

/// Every setting, for `mlops doctor`, the documentation and the tests.
pub const ALL: [Setting; 4] = [HOME, STORE, LANGUAGE, SECRETS_FILE];

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
}

impl Settings {
    /// The settings that `read` gives for the names of [`ALL`]; relative paths resolve against `working_directory`.
    pub fn from_variables(read: impl Fn(&str) -> Option<String>, working_directory: &std::path::Path) -> Result<Self> {
        let read = |setting: Setting| read(setting.name).filter(|value| !value.trim().is_empty());
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
        Ok(Self { home, store, lang, secrets_file })
    }
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
    fn a_wrong_setting_is_named() {
        let read = |name: &str| (name == "MLOPS_LANG").then(|| "fr".to_owned());
        let error = Settings::from_variables(read, Path::new("/data")).unwrap_err();
        assert_eq!(error.field.as_deref(), Some("MLOPS_LANG"));
    }
}
