//! The checksums of S3, behind the part of the interface of the crate `crc-fast` that AWS's SDK calls.
//!
//! That crate holds half a megabyte of tables, for every checksum that has a name; in a zip, where they do not get smaller,
//! that is a tenth of a small function (docs/decisions/0014). Here `crc32fast` and `crc` compute the three that S3 has.

use std::fmt;

use crc::{CRC_32_ISCSI, CRC_64_NVME, Crc, Table};

static CASTAGNOLI: Crc<u32, Table<16>> = Crc::<u32, Table<16>>::new(&CRC_32_ISCSI);
static NVME: Crc<u64, Table<16>> = Crc::<u64, Table<16>>::new(&CRC_64_NVME);

/// A checksum, by its name in the catalogue of parametrised CRC algorithms.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CrcAlgorithm {
    /// S3's CRC32, which its SDKs use unless they are told otherwise.
    Crc32IsoHdlc,
    /// S3's CRC32C.
    Crc32Iscsi,
    /// S3's CRC64NVME.
    Crc64Nvme,
}

/// A checksum of bytes that come in parts.
#[derive(Clone)]
pub struct Digest(State);

#[derive(Clone)]
enum State {
    IsoHdlc(crc32fast::Hasher),
    Iscsi(crc::Digest<'static, u32, Table<16>>),
    Nvme(crc::Digest<'static, u64, Table<16>>),
}

impl Digest {
    /// The checksum of nothing yet.
    pub fn new(algorithm: CrcAlgorithm) -> Self {
        Self(match algorithm {
            CrcAlgorithm::Crc32IsoHdlc => State::IsoHdlc(crc32fast::Hasher::new()),
            CrcAlgorithm::Crc32Iscsi => State::Iscsi(CASTAGNOLI.digest()),
            CrcAlgorithm::Crc64Nvme => State::Nvme(NVME.digest()),
        })
    }

    /// Takes up the next bytes.
    pub fn update(&mut self, bytes: &[u8]) {
        match &mut self.0 {
            State::IsoHdlc(hasher) => hasher.update(bytes),
            State::Iscsi(digest) => digest.update(bytes),
            State::Nvme(digest) => digest.update(bytes),
        }
    }

    /// The checksum of all bytes, in the low bits.
    pub fn finalize(self) -> u64 {
        match self.0 {
            State::IsoHdlc(hasher) => u64::from(hasher.finalize()),
            State::Iscsi(digest) => u64::from(digest.finalize()),
            State::Nvme(digest) => digest.finalize(),
        }
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            State::IsoHdlc(_) => "Crc32IsoHdlc",
            State::Iscsi(_) => "Crc32Iscsi",
            State::Nvme(_) => "Crc64Nvme",
        };
        f.debug_tuple("Digest").field(&name).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The check values of the catalogue (<https://reveng.sourceforge.io/crc-catalogue/all.htm>), of the text `123456789`.
    const CHECKS: [(CrcAlgorithm, u64); 3] = [
        (CrcAlgorithm::Crc32IsoHdlc, 0xcbf4_3926),
        (CrcAlgorithm::Crc32Iscsi, 0xe306_9283),
        (CrcAlgorithm::Crc64Nvme, 0xae8b_1486_0a79_9888),
    ];

    #[test]
    fn the_values_are_those_of_the_catalogue_however_the_bytes_come() {
        for (algorithm, check) in CHECKS {
            for parts in [&["123456789"][..], &["1", "", "2345", "6789"]] {
                let mut digest = Digest::new(algorithm);
                for part in parts {
                    digest.update(part.as_bytes());
                }
                assert_eq!(format!("{digest:?}"), format!("Digest(\"{algorithm:?}\")"));
                assert_eq!(digest.clone().finalize(), check, "{algorithm:?}");
            }
        }
    }
}
