//! The archive of a model: `model.json` and `weights.bin` in a compressed tar file of deterministic bytes.

use std::io::{Read, Write};

use flate2::read::MultiGzDecoder;
use flate2::{Compression, GzBuilder};
use mlops_core::{Error, Result};
use tar::{Archive, Builder, EntryType, Header};

/// The card.
pub(crate) const CARD: &str = "model.json";
/// The weights.
pub(crate) const WEIGHTS: &str = "weights.bin";
/// The most bytes of a card: 64 MiB.
const LARGEST_CARD: u64 = 64 << 20;
/// The most bytes of weights: 4 GiB.
const LARGEST_WEIGHTS: u64 = 4 << 30;
/// How many bytes may come out for each stored byte, beyond the first 64 MiB.
const LARGEST_RATIO: u64 = 100;
/// The most bytes of an archive as it is stored: 2 GiB.
pub(crate) const LARGEST_ARCHIVE: u64 = 2 << 30;

/// The two entries of an archive.
#[derive(Debug)]
pub(crate) struct Entries {
    pub(crate) card: Vec<u8>,
    pub(crate) weights: Vec<u8>,
}

/// The archive of the two entries. No time, owner or machine is written, so equal entries give equal bytes.
pub(crate) fn pack(entries: &Entries) -> Result<Vec<u8>> {
    let failed = |error: std::io::Error| Error::internal("a model could not be packed").caused_by(error);
    let encoder = GzBuilder::new().mtime(0).write(Vec::new(), Compression::default());
    let mut builder = Builder::new(encoder);
    for (name, bytes) in [(CARD, &entries.card), (WEIGHTS, &entries.weights)] {
        let mut header = Header::new_gnu();
        header.set_entry_type(EntryType::Regular);
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        header.set_mtime(0);
        header.set_uid(0);
        header.set_gid(0);
        builder.append_data(&mut header, name, bytes.as_slice()).map_err(failed)?;
    }
    let mut encoder = builder.into_inner().map_err(failed)?;
    encoder.flush().map_err(failed)?;
    encoder.finish().map_err(failed)
}

/// The two entries of an archive from anywhere. The message says what was found instead.
pub(crate) fn unpack(archive: &[u8]) -> Result<Entries> {
    let refuse = |found: &str| {
        let message = format!("this is not a model: {found}");
        Error::invalid_input(message).hint("name a model.tar.gz that a training wrote: a card and weights")
    };
    if !archive.starts_with(&[0x1f, 0x8b]) {
        return Err(refuse(&describe(archive)));
    }
    let damaged = |error: std::io::Error| refuse(&format!("it is no whole compressed tar file ({error})"));
    // What is cut off here is then no whole tar file.
    let most = (archive.len() as u64).saturating_mul(LARGEST_RATIO).clamp(LARGEST_CARD, LARGEST_CARD + LARGEST_WEIGHTS);
    let mut tar = Archive::new(MultiGzDecoder::new(archive).take(most));
    let (mut card, mut weights) = (None, None);
    for entry in tar.entries().map_err(damaged)? {
        let entry = entry.map_err(damaged)?;
        let name = entry.path().map_err(damaged)?.to_string_lossy().into_owned();
        let (place, limit) = match name.as_str() {
            CARD => (&mut card, LARGEST_CARD),
            WEIGHTS => (&mut weights, LARGEST_WEIGHTS),
            other => {
                let shown = other.chars().take(100).collect::<String>();
                return Err(refuse(&format!("it holds `{shown}`, which no model has")));
            }
        };
        if entry.header().entry_type() != EntryType::Regular || place.is_some() {
            return Err(refuse(&format!("its `{name}` is no single file")));
        }
        // The size in the header is a claim; only what is read counts.
        let mut bytes = Vec::new();
        entry.take(limit + 1).read_to_end(&mut bytes).map_err(damaged)?;
        if bytes.len() as u64 > limit {
            return Err(refuse(&format!("its `{name}` has more than {limit} bytes")));
        }
        *place = Some(bytes);
    }
    match (card, weights) {
        (Some(card), Some(weights)) => Ok(Entries { card, weights }),
        (None, _) => Err(refuse("it holds no `model.json`")),
        (_, None) => Err(refuse("it holds no `weights.bin`")),
    }
}

/// What the bytes are, as far as their beginning tells.
fn describe(bytes: &[u8]) -> String {
    let known: [(&[u8], &str); 6] = [
        (b"PK\x03\x04", "a ZIP archive"),
        (b"PAR1", "a Parquet table"),
        (b"ARROW1", "an Arrow table"),
        (b"\x80", "a Python pickle"),
        (b"{", "a JSON document"),
        (b"%PDF", "a PDF document"),
    ];
    match known.iter().find(|(magic, _)| bytes.starts_with(magic)) {
        _ if bytes.is_empty() => "the object is empty".to_owned(),
        Some((_, name)) => format!("it is {name}, not a compressed tar file"),
        None => "it is no compressed tar file".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[(&str, &[u8])]) -> Vec<u8> {
        let mut builder = Builder::new(GzBuilder::new().write(Vec::new(), Compression::fast()));
        for (name, bytes) in files {
            let mut header = Header::new_gnu();
            header.set_size(bytes.len() as u64);
            builder.append_data(&mut header, name, *bytes).unwrap();
        }
        builder.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn entries_come_back_from_equal_bytes() {
        let entries = || Entries { card: b"{}".to_vec(), weights: vec![7; 100_000] };
        let bytes = pack(&entries()).unwrap();
        assert_eq!(bytes, pack(&entries()).unwrap());
        assert_eq!(&bytes[4..8], &[0; 4], "no time in the header");
        let back = unpack(&bytes).unwrap();
        assert_eq!((back.card, back.weights), (entries().card, entries().weights));
    }

    #[test]
    fn a_bomb_is_stopped() {
        let bomb = pack(&Entries { card: b"{}".to_vec(), weights: vec![0; 80 << 20] }).unwrap();
        assert!(bomb.len() < 1 << 20);
        assert!(unpack(&bomb).unwrap_err().message.contains("no whole compressed tar file"));
    }

    #[test]
    fn what_is_no_model_is_told() {
        let whole = pack(&Entries { card: b"{}".to_vec(), weights: vec![7; 100_000] }).unwrap();
        let cases: [(Vec<u8>, &str); 10] = [
            (Vec::new(), "the object is empty"),
            (b"PK\x03\x04".to_vec(), "a ZIP archive"),
            (b"\x80\x04pickle".to_vec(), "a Python pickle"),
            (b"a,b\n1,2\n".to_vec(), "no compressed tar file"),
            (whole[..whole.len() / 2].to_vec(), "no whole compressed tar file"),
            (archive(&[]), "no `model.json`"),
            (archive(&[(CARD, b"{}")]), "no `weights.bin`"),
            (archive(&[(CARD, b"{}"), ("evil.sh", b"x")]), "`evil.sh`, which no model has"),
            (archive(&[(CARD, b"{}"), (CARD, b"{}")]), "no single file"),
            (b"\x1f\x8bx".to_vec(), "no whole compressed tar file"),
        ];
        for (bytes, expected) in cases {
            let error = unpack(&bytes).unwrap_err();
            assert!(error.message.contains(expected), "{error}");
            assert!(error.hint.is_some());
        }
    }
}
