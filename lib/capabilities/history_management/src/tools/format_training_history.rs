//! Writes the history of runs as Markdown and JSON.

use mlops_core::ports::{Condition, json_bytes};
use mlops_core::values::{ArtifactUri, sha256_hex};
use mlops_core::{ArtifactLink, Call, Effect, Error, Lang, Report, Result, Tool};
use mlops_records::RunRecord;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::HistoryManagement;
use crate::page::markdown;

/// The longest page that is repeated in the result, in bytes; a longer one is only in the store.
const LONGEST_INLINE: usize = 16 * 1024;

/// Format the history of training runs as Markdown (data, parameters, metrics, comparison, decision, cost, lineage) and
/// as JSON, in a stable order so that the same runs give the same bytes. Runs are given by id when they are on record,
/// or as records, which are then put on record first.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct FormatTrainingHistory {
    /// Runs that are on record, by id.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub run_ids: Vec<String>,
    /// Runs to put on record; the same record twice is one record.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub records: Vec<RunRecord>,
    /// The language of the page; by default that of the call.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lang: Option<Lang>,
    /// Give the page without writing anything.
    #[serde(default)]
    pub dry_run: bool,
}

/// The history and where it lies.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct TrainingHistory {
    /// The ids of the runs, in the order of the page.
    pub run_ids: Vec<String>,
    /// The page as Markdown; null when it is longer than 16 KiB, then read it from its place.
    pub markdown: Option<String>,
    /// Where the page lies; null in a dry run.
    pub markdown_uri: Option<String>,
    /// Where the JSON lies; null in a dry run.
    pub json_uri: Option<String>,
    /// Where the records that were given lie.
    pub record_uris: Vec<String>,
    /// Every file that was written, with its hash.
    pub written: Vec<WrittenFile>,
}

/// A file that was written.
#[derive(Debug, Clone, Deserialize, Serialize, JsonSchema)]
pub struct WrittenFile {
    /// Where it lies.
    pub uri: String,
    /// SHA-256 of its bytes.
    pub sha256: String,
}

impl FormatTrainingHistory {
    /// Puts those runs on record and formats them.
    pub fn of(records: Vec<RunRecord>) -> Self {
        Self { run_ids: Vec::new(), records, lang: None, dry_run: false }
    }
}

impl Tool for FormatTrainingHistory {
    const NAME: &'static str = "format_training_history";
    const TITLE: &'static str = "Format training history";
    const EFFECT: Effect = Effect::Create;
    type Capability = HistoryManagement;
    type Output = TrainingHistory;

    async fn run(self, room: &HistoryManagement, call: &Call) -> Result<TrainingHistory> {
        if self.run_ids.is_empty() && self.records.is_empty() {
            return Err(Error::invalid_input("give `run_ids` or `records`: there is nothing to format").at("run_ids"));
        }
        let mut runs = self.records.clone();
        let mut record_uris = Vec::new();
        for run_id in &self.run_ids {
            if !runs.iter().any(|run| run.run_id == *run_id) {
                runs.push(room.runs.latest(run_id).await?);
            }
        }
        if !self.dry_run {
            for record in &self.records {
                record_uris.push(room.runs.append(record).await?.uri.to_string());
            }
        }
        runs.sort_by(|a, b| (&a.started_at, &a.run_id).cmp(&(&b.started_at, &b.run_id)));
        let page = markdown(&runs, self.lang.unwrap_or(call.lang));
        let json = json_bytes(&runs)?;
        let run_ids: Vec<String> = runs.iter().map(|run| run.run_id.clone()).collect();
        let folder = match run_ids.as_slice() {
            [only] => room.runs.folder(only),
            many => room.runs.folder(&format!("pages/{}", &sha256_hex(many.join("\n").as_bytes())[..12])),
        };
        let mut written = Vec::new();
        if !self.dry_run {
            written.push(write(room, &folder.join("history.md"), page.clone().into_bytes()).await?);
            written.push(write(room, &folder.join("history.json"), json).await?);
        }
        let uri = |at: usize| written.get(at).map(|file: &WrittenFile| file.uri.clone());
        Ok(TrainingHistory {
            run_ids,
            markdown_uri: uri(0),
            json_uri: uri(1),
            markdown: (page.len() <= LONGEST_INLINE).then_some(page),
            record_uris,
            written,
        })
    }
}

async fn write(room: &HistoryManagement, uri: &ArtifactUri, bytes: Vec<u8>) -> Result<WrittenFile> {
    let sha256 = sha256_hex(&bytes);
    let meta = room.runs.store().put(uri, bytes.into(), Condition::None).await?;
    Ok(WrittenFile { uri: meta.uri.to_string(), sha256 })
}

impl Report for TrainingHistory {
    fn summary(&self, lang: Lang) -> String {
        let runs = self.run_ids.len();
        match lang {
            Lang::En => format!("The history of {runs} run(s) is written"),
            Lang::Ja => format!("{runs} 件の実行の履歴を作成しました"),
        }
    }

    fn artifacts(&self) -> Vec<ArtifactLink> {
        self.written.iter().map(|file| ArtifactLink::new(file.uri.clone(), "training history")).collect()
    }
}

#[cfg(test)]
#[path = "format_training_history_tests.rs"]
mod tests;
