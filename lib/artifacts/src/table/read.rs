//! Reading a table: the object's pieces are hashed as they come and parsed on a thread of their own.

use std::collections::HashSet;
use std::sync::Arc;

use bytes::Bytes;
use futures::channel::mpsc::{self, Sender};
use futures::{SinkExt as _, TryStreamExt as _};
use mlops_algorithms::table::Table;
use mlops_core::ports::{Body, ObjectMeta};
use mlops_core::values::{ArtifactUri, Sha256};
use mlops_core::{Call, Error, Result};

use super::arrow_ipc::ArrowBatches;
use super::batches::{Batches, Inference, Texts};
use super::builder::TableBuilder;
use super::delimited::{DelimitedReader, Sizes};
use super::input::Input;
use super::jsonl::JsonBatches;
use super::parquet_file::ParquetBatches;
use super::pieces::Pieces;
use super::refine::Request;
use super::{Compression, LoadedTable, ReadNotes, ReadOptions, Source, TableFormat};
use crate::Artifacts;
use crate::artifacts::naming;

/// How many pieces may wait between the store and the parser.
const WAITING: usize = 8;

/// One pass over an object.
struct Pass {
    parsed: Parsed,
    meta: ObjectMeta,
    sha256: String,
}

/// What a pass gives.
enum Parsed {
    Table(Box<Found>),
    /// Columns that began as numbers and turned out to be text, whose first values must be read anew.
    Again(Texts),
}

/// A table and what was found on the way.
struct Found {
    table: Table,
    rows: usize,
    format: TableFormat,
    compression: Option<Compression>,
    notes: ReadNotes,
}

impl Artifacts {
    /// Reads a table in batches, from CSV, TSV, one JSON object a line, Parquet or Arrow IPC, each with or without gzip
    /// or Zstandard around it.
    ///
    /// Types are taken from `options.schema`, else from the manifest beside the table, else from all values of a
    /// column: whole numbers, floats, `true` and `false`, ISO 8601 points in time (UTC where no offset is written), and
    /// text when they are mixed. Missing values are [`MISSING_MARKERS`](super::MISSING_MARKERS) in CSV and TSV, and
    /// nulls elsewhere. A column of whole numbers of which one is beyond
    /// 2^53 is text with the exact digits; beside numbers with a fraction such a number is a float.
    ///
    /// `NotFound` when there is no object; `InvalidInput`, naming the URI and the place, for what is no table or does
    /// not agree with its manifest; `Conflict` when the object changes between two passes.
    pub async fn read_table(&self, uri: &ArtifactUri, options: &ReadOptions, call: &Call) -> Result<LoadedTable> {
        let manifest = self.read_manifest(uri).await?;
        let request = Arc::new(Request::new(options, uri.file_name(), manifest.as_ref())?);
        let mut pass = self.pass(uri, &request, Texts::new(), call).await?;
        if let Parsed::Again(texts) = pass.parsed {
            let first = pass.sha256;
            pass = self.pass(uri, &request, texts, call).await?;
            if pass.sha256 != first {
                return Err(Error::conflict(format!("`{uri}` changed while it was read")).hint("read it again"));
            }
        }
        let Parsed::Table(found) = pass.parsed else {
            return Err(Error::internal(format!("`{uri}` has columns that are text in every pass and yet are not")));
        };
        if let Some(manifest) = &manifest
            && manifest.data_sha256 != pass.sha256
        {
            let message = format!(
                "`{uri}` has the SHA-256 {}, but its manifest is of {}: the table was changed by hand",
                pass.sha256, manifest.data_sha256
            );
            return Err(Error::invalid_input(message).hint("write the table again, or delete the manifest beside it"));
        }
        let Found { table, rows, format, compression, notes } = *found;
        let source = Source {
            uri: uri.clone(),
            sha256: pass.sha256,
            bytes: pass.meta.bytes,
            version_id: pass.meta.version_id,
            format,
            compression,
            rows,
            notes,
        };
        Ok(LoadedTable { table, source, manifest })
    }

    async fn pass(&self, uri: &ArtifactUri, request: &Arc<Request>, texts: Texts, call: &Call) -> Result<Pass> {
        let (meta, body) = self.open(uri).await?;
        let (sender, receiver) = mpsc::channel(WAITING);
        let request = Arc::clone(request);
        let parsing = call.compute(move |call| parse(Pieces::new(receiver), &request, texts, call));
        let (fed, parsed) = futures::join!(feed(body, sender, call), parsing);
        let (sha256, count) = fed.map_err(|error| naming(uri, error))?;
        if count != meta.bytes {
            let message = format!("`{uri}` ended after {count} of its {} bytes", meta.bytes);
            return Err(Error::unavailable(message).hint("try again"));
        }
        let parsed = parsed.map_err(|error| naming(uri, error))?;
        Ok(Pass { parsed, meta, sha256 })
    }
}

/// Hashes all pieces and sends them on for as long as somebody takes them. Gives the hash and the number of bytes.
async fn feed(body: Body, mut sender: Sender<Bytes>, call: &Call) -> Result<(String, u64)> {
    let mut pieces = body.into_stream();
    let (mut hash, mut count, mut wanted) = (Sha256::default(), 0, true);
    while let Some(piece) = pieces.try_next().await? {
        call.check()?;
        hash.update(&piece);
        count += piece.len() as u64;
        // A parser that has enough rows stops taking, and the hash goes on.
        wanted = wanted && sender.send(piece).await.is_ok();
    }
    Ok((hash.hex(), count))
}

fn parse(pieces: Pieces, request: &Request, again: Texts, call: &Call) -> Result<Parsed> {
    let input = Input::new(pieces)?;
    let compression = input.compression;
    let format = input.format(request.options.format, &request.name)?;
    let columns = request.options.columns.as_ref();
    let columns = columns.map(|columns| columns.iter().map(String::as_str).collect::<HashSet<_>>());
    let mut texts = again;
    if format.is_text() {
        for name in request.kinds.keys().filter(|name| request.is_text(name)) {
            texts.entry(name.clone()).or_default();
        }
    }
    let limit = request.options.limit.unwrap_or(usize::MAX);
    let mut batches: Box<dyn Batches> = match format {
        TableFormat::Csv | TableFormat::Tsv => {
            let mut builder = TableBuilder::new(Inference::Typed, texts);
            let mut reader = DelimitedReader::new(input, format, columns.as_ref(), limit, Sizes::default())?;
            reader.read(&mut builder, limit, call)?;
            let names = reader.names();
            return finish(builder, request, &names, || reader.finish(), format, compression);
        }
        TableFormat::Jsonl => Box::new(JsonBatches::new(input, columns.as_ref(), &texts)?),
        TableFormat::Parquet => Box::new(ParquetBatches::new(input.into_bytes()?, columns.as_ref())?),
        TableFormat::Arrow => Box::new(ArrowBatches::new(input, columns.as_ref())?),
    };
    let mut builder = TableBuilder::new(batches.inference(), texts);
    while builder.rows() < limit {
        call.check()?;
        let most = limit - builder.rows();
        let Some(batch) = batches.next(most)? else { break };
        builder.append(&batch.slice(0, batch.num_rows().min(most)))?;
    }
    let names = batches.names();
    finish(builder, request, &names, || batches.finish(), format, compression)
}

/// The table that was asked for, unless some of it must be read again.
fn finish(
    builder: TableBuilder,
    request: &Request,
    names: &[String],
    notes: impl FnOnce() -> Result<ReadNotes>,
    format: TableFormat,
    compression: Option<Compression>,
) -> Result<Parsed> {
    let again = builder.again();
    if !again.is_empty() {
        return Ok(Parsed::Again(again));
    }
    let (rows, mut notes) = (builder.rows(), notes()?);
    notes.widened = builder.widened(|name| request.kinds.contains_key(name));
    let table = request.refine(builder.finish(), rows, names, &mut notes)?;
    let rows = table.num_rows();
    Ok(Parsed::Table(Box::new(Found { table, rows, format, compression, notes })))
}
