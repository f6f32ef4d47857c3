//! What the operating system's errors mean to a caller.

use std::io;

use mlops_core::Error;

/// The error of a file operation on `what`; `doing` completes "could not be …".
pub(crate) fn failure(error: io::Error, doing: &str, what: impl std::fmt::Display) -> Error {
    use io::ErrorKind as Kind;
    let text = |reason: &str| format!("{what} could not be {doing}: {reason}");
    let classified = match error.kind() {
        Kind::NotFound => Error::not_found(format!("there is nothing at {what}")),
        Kind::IsADirectory => Error::invalid_input(format!("{what} is a directory")).hint("name a file in it"),
        Kind::NotADirectory => Error::invalid_input(text("a part of its path is a file and not a folder"))
            .hint("choose another name: on files, an object cannot be a folder of objects too"),
        Kind::PermissionDenied => Error::forbidden(text("this user may not do that")).hint("check its permissions"),
        Kind::ReadOnlyFilesystem => Error::forbidden(text("the file system is read-only"))
            .hint("set MLOPS_HOME to a folder that can be written"),
        Kind::InvalidFilename => Error::invalid_input(text("its name is longer than the file system allows"))
            .hint("a part of a name has at most 255 bytes"),
        Kind::StorageFull => Error::unavailable(text("the disk is full")).hint("free some space, then try again"),
        Kind::QuotaExceeded => {
            Error::unavailable(text("the disk quota is used up")).hint("free some space, then try again")
        }
        Kind::FileTooLarge => Error::unavailable(text("it is larger than this system allows a file to be"))
            .hint("raise the limit (ulimit -f), then try again"),
        _ => Error::unavailable(text(&error.to_string())),
    };
    classified.caused_by(error)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use mlops_core::ErrorKind;

    use super::*;

    #[test]
    fn a_full_disk_says_so() {
        let mut full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
        let error = failure(full.write_all(b"x").unwrap_err(), "written", "s3://bucket/key");
        assert_eq!(error.kind, ErrorKind::Unavailable);
        assert_eq!(error.message, "s3://bucket/key could not be written: the disk is full");
        assert_eq!(error.hint.as_deref(), Some("free some space, then try again"));
        assert!(error.source.is_some());
    }

    #[test]
    fn every_error_that_a_person_can_cure_has_a_hint() {
        let kinds = [
            (io::ErrorKind::IsADirectory, ErrorKind::InvalidInput),
            (io::ErrorKind::NotADirectory, ErrorKind::InvalidInput),
            (io::ErrorKind::InvalidFilename, ErrorKind::InvalidInput),
            (io::ErrorKind::PermissionDenied, ErrorKind::Forbidden),
            (io::ErrorKind::ReadOnlyFilesystem, ErrorKind::Forbidden),
            (io::ErrorKind::QuotaExceeded, ErrorKind::Unavailable),
            (io::ErrorKind::FileTooLarge, ErrorKind::Unavailable),
        ];
        for (kind, expected) in kinds {
            let error = failure(kind.into(), "read", "a.csv");
            assert_eq!(error.kind, expected);
            assert!(error.hint.is_some() && error.message.contains("a.csv"), "{error:?}");
        }
        assert_eq!(failure(io::ErrorKind::NotFound.into(), "read", "a").kind, ErrorKind::NotFound);
        assert_eq!(failure(io::Error::other("broken"), "read", "a").message, "a could not be read: broken");
    }
}
