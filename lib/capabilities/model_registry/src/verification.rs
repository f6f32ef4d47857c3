//! Whether a version is still what was registered: its hash, its model, its golden rows.

use futures::TryStreamExt as _;
use mlops_core::values::{ArtifactUri, Sha256};
use mlops_core::{Call, Error, ErrorKind, Result};
use mlops_records::ModelVersion;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::ModelRegistry;
use crate::golden::Golden;

/// The most bytes of golden rows that are read: 64 MiB.
const GOLDEN_LIMIT: u64 = 64 << 20;

/// What was found when a version was looked at. The first step that fails ends it.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Verification {
    /// The version that was looked at.
    pub version: u64,
    /// Whether the model's bytes have the SHA-256 that was registered.
    pub sha256_matches: bool,
    /// Whether the model was read, with every check that reading makes.
    pub loaded: bool,
    /// How many golden rows were predicted again; 0 for a version that was registered without any.
    pub golden_rows: usize,
    /// The largest difference between a predicted number, or a probability, and the golden one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_abs_difference: Option<f64>,
    /// How many golden rows are of another class or cluster now.
    pub label_flips: usize,
    /// Whether the version can be used.
    pub passed: bool,
    /// Why it cannot.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

impl Verification {
    /// Looks at the version. What is wrong with it is told in the result; only what may be otherwise a moment later (a
    /// store that does not answer, a call that is over) is an error.
    pub(crate) async fn of(room: &ModelRegistry, version: &ModelVersion, call: &Call) -> Result<Self> {
        let mut found = Self { version: version.version, ..Self::default() };
        match found.look(room, version, call).await {
            Ok(()) => found.passed = true,
            Err(error) if matches!(error.kind, ErrorKind::InvalidInput | ErrorKind::NotFound) => {
                found.reason = Some(error.message);
            }
            Err(error) => return Err(error),
        }
        Ok(found)
    }

    async fn look(&mut self, room: &ModelRegistry, version: &ModelVersion, call: &Call) -> Result<()> {
        let uri = ArtifactUri::new(version.model.model_s3_uri.as_str())?;
        let expected = &version.model.model_sha256;
        let other = |found: &str| {
            let message = format!("`{uri}` has the SHA-256 {found}, but {expected} was registered");
            Error::invalid_input(message)
        };
        // Before anything is made of the bytes they must be the right ones.
        let sha256 = hash(room, &uri, call).await?;
        if sha256 != *expected {
            return Err(other(&sha256));
        }
        self.sha256_matches = true;
        let model = room.artifacts.read_stored_model(&uri).await?;
        if model.sha256() != expected {
            self.sha256_matches = false;
            return Err(other(model.sha256()));
        }
        self.loaded = true;
        call.check()?;
        let Some(golden) = &version.model.golden else { return Ok(()) };
        let place = ArtifactUri::new(golden.uri.as_str())?;
        let bytes = room.artifacts.read_bytes(&place, GOLDEN_LIMIT).await?;
        let found = mlops_core::values::sha256_hex(&bytes);
        if found != golden.sha256 {
            let message = format!("the golden rows at `{place}` have the SHA-256 {found}, not {}", golden.sha256);
            return Err(Error::invalid_input(message));
        }
        let unreadable = |reason: String| Error::invalid_input(format!("the golden rows at `{place}`: {reason}"));
        let golden = Golden::read(&bytes).map_err(unreadable)?;
        if golden.model_sha256 != *expected {
            return Err(Error::invalid_input(format!("the golden rows at `{place}` are those of another model")));
        }
        let difference = call.compute(move |call| golden.compare(&model, call)).await?;
        self.golden_rows = difference.rows;
        self.max_abs_difference = Some(difference.max_abs).filter(|value| value.is_finite());
        self.label_flips = difference.label_flips;
        if difference.differs {
            let (rows, flips, most) = (difference.rows, difference.label_flips, difference.max_abs);
            let message = format!(
                "the model does not predict the {rows} golden rows as it did: {flips} other classes or clusters, numbers up to \
                 {most:e} apart"
            );
            return Err(Error::invalid_input(message));
        }
        Ok(())
    }
}

/// The SHA-256 of an object, which is never held as a whole.
async fn hash(room: &ModelRegistry, uri: &ArtifactUri, call: &Call) -> Result<String> {
    let (_, body) = room.artifacts.store().get(uri, None).await.map_err(|mut error| {
        if !error.message.contains(uri.as_str()) {
            error.message = format!("`{uri}`: {}", error.message);
        }
        error
    })?;
    let mut pieces = body.into_stream();
    let mut hash = Sha256::default();
    while let Some(piece) = pieces.try_next().await? {
        call.check()?;
        hash.update(&piece);
    }
    Ok(hash.hex())
}
