//! Objects in Amazon S3.
//!
//! Reads stream and go on where a connection broke. Writes of any size need the memory of a few parts. Every write is
//! encrypted with a key of KMS, carries a checksum that S3 verifies, and keeps its condition to the last request.

mod meta;
mod parts;
mod patience;
mod place;
mod reading;
#[cfg(test)]
mod reading_tests;
#[cfg(test)]
mod stand_in;
mod store;
mod upload;
mod writing;
#[cfg(test)]
mod writing_tests;

pub use store::S3Store;
