//! Lists the versions of a model.

use mlops_core::{ArtifactLink, Call, Effect, Error, Lang, Report, Result, Tool};
use mlops_records::{ModelStatus, ModelVersion};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{ModelRegistry, VersionDiff, VersionView};

/// List the versions of a model, the newest first, with status, aliases and metrics; filter them, page through them, or
/// compare two of them.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ListModelVersions {
    /// The model's name.
    pub model_name: String,
    /// Only versions of this status.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<ModelStatus>,
    /// Only the version that this alias points at, such as `champion`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The most versions to give, 1 to 1,000.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 1000))]
    pub limit: usize,
    /// Only versions older than this one: the `next_before` of the page before.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub before: Option<u64>,
    /// Two versions to compare: from the first to the second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 2, max = 2))]
    pub diff: Option<Vec<u64>>,
}

fn hundred() -> usize {
    100
}

/// The versions that were found.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct ModelVersions {
    /// The model's name.
    pub model_name: String,
    /// The versions, the newest first.
    pub versions: Vec<VersionView>,
    /// How many versions the model has in all.
    pub total: usize,
    /// Give it back as `before` to get the next page.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub next_before: Option<u64>,
    /// What differs between the two versions of `diff`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub diff: Option<VersionDiff>,
}

impl Tool for ListModelVersions {
    const NAME: &'static str = "list_model_versions";
    const TITLE: &'static str = "List model versions";
    const EFFECT: Effect = Effect::Read;
    type Capability = ModelRegistry;
    type Output = ModelVersions;

    async fn run(self, room: &ModelRegistry, _: &Call) -> Result<ModelVersions> {
        let all = room.registry.versions(&self.model_name).await?;
        let state = room.registry.state(&self.model_name).await?;
        let shown = all.iter().rev().map(|version| VersionView::of(version, &state));
        let fits = |version: &VersionView| {
            self.before.is_none_or(|before| version.version < before)
                && self.status.is_none_or(|status| version.status == status)
                && self.alias.as_ref().is_none_or(|alias| version.aliases.contains(alias))
        };
        let mut versions: Vec<VersionView> = shown.filter(fits).collect();
        let more = versions.len() > self.limit;
        versions.truncate(self.limit);
        let diff = match self.diff.as_deref() {
            Some([from, to]) => Some(VersionDiff::between(find(&all, *from)?, find(&all, *to)?)),
            Some(_) => return Err(Error::invalid_input("`diff` names two versions").at("diff")),
            None => None,
        };
        let next_before = versions.last().filter(|_| more).map(|last| last.version);
        Ok(ModelVersions { model_name: self.model_name, versions, total: all.len(), next_before, diff })
    }
}

fn find(versions: &[ModelVersion], number: u64) -> Result<&ModelVersion> {
    versions.iter().find(|version| version.version == number).ok_or_else(|| {
        let known = versions.last().map_or_else(|| "none".to_owned(), |last| format!("1 to {}", last.version));
        Error::not_found(format!("there is no version {number}; there are: {known}")).at("diff")
    })
}

impl Report for ModelVersions {
    fn summary(&self, lang: Lang) -> String {
        let (name, shown, total) = (&self.model_name, self.versions.len(), self.total);
        match lang {
            Lang::En => format!("{name} has {total} versions; {shown} are listed"),
            Lang::Ja => format!("{name} には {total} 個のバージョンがあります ({shown} 個を表示)"),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        let link = |version: &VersionView| {
            let name = format!("{} version {}", self.model_name, version.version);
            ArtifactLink::new(version.model_s3_uri.clone(), name)
        };
        self.versions.iter().take(20).map(link).collect()
    }
}
