//! A body cut into the parts of an upload.

use bytes::{Bytes, BytesMut};
use futures::TryStreamExt as _;
use futures::stream::BoxStream;
use mlops_core::Result;
use mlops_core::ports::Body;

/// The size of the first parts, and of the largest object that is written by one request.
pub(crate) const PART: usize = 8 * 1024 * 1024;
/// The most parts that S3 takes.
pub(crate) const MOST_PARTS: i32 = 10_000;
/// After so many parts the size doubles: 8 GiB have parts of 8 MiB, and 10,000 parts hold 7.8 TiB, of which the largest
/// has 4 GiB.
const DOUBLED_AFTER: i32 = 1000;
/// How much of a body is on its way at once, at the least one part.
const ON_THE_WAY: usize = 32 * 1024 * 1024;
/// From here on the memory of a part is taken at once and does not double.
const LARGE: usize = 1024 * 1024;

/// The size of a part by its number, which begins at 1.
pub(crate) fn part_size(number: i32) -> usize {
    PART << ((number.max(1) - 1) / DOUBLED_AFTER).min(MOST_PARTS / DOUBLED_AFTER - 1)
}

/// How many parts of that number's size are sent at once.
pub(crate) fn parts_at_once(number: i32) -> usize {
    (ON_THE_WAY / part_size(number)).max(1)
}

/// A body that is taken part by part.
pub(crate) struct Parts {
    pieces: BoxStream<'static, Result<Bytes>>,
    /// What came and was not taken yet.
    held: Bytes,
}

/// A part, and whether the body ends with it.
pub(crate) struct Part {
    pub(crate) bytes: Bytes,
    pub(crate) is_last: bool,
}

impl Parts {
    pub(crate) fn new(body: Body) -> Self {
        Self { pieces: body.into_stream(), held: Bytes::new() }
    }

    /// The next `size` bytes, or what is left. It must not be called again after the last part.
    pub(crate) async fn next(&mut self, size: usize) -> Result<Part> {
        let mut gathered = Gathered::Nothing;
        loop {
            if self.held.is_empty() {
                match self.pieces.try_next().await? {
                    Some(piece) => self.held = piece,
                    None => return Ok(Part { bytes: gathered.into_bytes(), is_last: true }),
                }
            } else if gathered.len() == size {
                return Ok(Part { bytes: gathered.into_bytes(), is_last: false });
            } else {
                let fits = self.held.len().min(size - gathered.len());
                gathered = gathered.and(self.held.split_to(fits), size);
            }
        }
    }
}

/// Pieces that are put together; a single one is not copied.
enum Gathered {
    Nothing,
    One(Bytes),
    Many(BytesMut),
}

impl Gathered {
    fn len(&self) -> usize {
        match self {
            Self::Nothing => 0,
            Self::One(piece) => piece.len(),
            Self::Many(pieces) => pieces.len(),
        }
    }

    fn and(self, next: Bytes, size: usize) -> Self {
        let mut pieces = match self {
            Self::Nothing => return Self::One(next),
            Self::One(first) => BytesMut::from(&first[..]),
            Self::Many(pieces) => pieces,
        };
        if pieces.len() + next.len() > LARGE && pieces.capacity() < size {
            let mut whole = BytesMut::with_capacity(size);
            whole.extend_from_slice(&pieces);
            pieces = whole;
        }
        pieces.extend_from_slice(&next);
        Self::Many(pieces)
    }

    fn into_bytes(self) -> Bytes {
        match self {
            Self::Nothing => Bytes::new(),
            Self::One(piece) => piece,
            Self::Many(pieces) => pieces.freeze(),
        }
    }
}

#[cfg(test)]
mod tests {
    use futures::stream::{self, StreamExt as _};
    use mlops_core::Error;

    use super::*;

    fn body(pieces: Vec<&'static [u8]>) -> Body {
        Body::from_stream(stream::iter(pieces).map(|piece| Ok(Bytes::from_static(piece))).boxed())
    }

    async fn cut(pieces: Vec<&'static [u8]>, size: usize) -> Vec<Vec<u8>> {
        let mut parts = Parts::new(body(pieces));
        let mut found = Vec::new();
        loop {
            let part = parts.next(size).await.unwrap();
            found.push(part.bytes.to_vec());
            if part.is_last {
                return found;
            }
        }
    }

    #[tokio::test]
    async fn pieces_of_any_size_make_parts_of_one() {
        assert_eq!(cut(vec![], 3).await, [b"".to_vec()]);
        assert_eq!(cut(vec![b"", b"ab", b""], 3).await, [b"ab".to_vec()]);
        assert_eq!(cut(vec![b"abc", b""], 3).await, [b"abc".to_vec()], "an end at the border makes no empty part");
        assert_eq!(cut(vec![b"abcd"], 3).await, [b"abc".to_vec(), b"d".to_vec()]);
        assert_eq!(cut(vec![b"a", b"b", b"cdefg", b"h"], 3).await, [b"abc".to_vec(), b"def".to_vec(), b"gh".to_vec()]);
    }

    #[tokio::test]
    async fn small_pieces_take_the_memory_of_one_part() {
        let pieces = stream::iter(0..4 * LARGE / 1024).map(|number| Ok(Bytes::from(vec![(number % 251) as u8; 1024])));
        let mut parts = Parts::new(Body::from_stream(pieces.boxed()));
        let part = parts.next(3 * LARGE).await.unwrap();
        assert!(!part.is_last && part.bytes.len() == 3 * LARGE);
        assert!(part.bytes.chunks(1024).enumerate().all(|(number, piece)| piece[0] == (number % 251) as u8));
        assert_eq!(parts.next(3 * LARGE).await.unwrap().bytes.len(), LARGE);
    }

    #[tokio::test]
    async fn a_single_piece_is_not_copied() {
        let whole = Bytes::from(vec![7; 10]);
        let at = whole.as_ptr();
        let part = Parts::new(Body::from(whole)).next(20).await.unwrap();
        assert_eq!(part.bytes.as_ptr(), at);
    }

    #[tokio::test]
    async fn the_error_of_the_body_is_the_error_of_the_part() {
        let pieces = [Ok(Bytes::from_static(b"ab")), Err(Error::throttled("slow"))];
        let mut parts = Parts::new(Body::from_stream(stream::iter(pieces).boxed()));
        assert_eq!(parts.next(10).await.err().unwrap().message, "slow");
    }

    #[test]
    fn ten_thousand_parts_hold_the_largest_object() {
        let all: u64 = (1..=MOST_PARTS).map(|number| part_size(number) as u64).sum();
        assert!(all >= 5 << 40, "S3 takes 5 TiB");
        assert!((1..=MOST_PARTS).all(|number| part_size(number) as u64 <= 5 << 30), "a part has at most 5 GiB");
        assert_eq!((part_size(1), part_size(1000), part_size(1001)), (PART, PART, 2 * PART));
        assert_eq!((parts_at_once(1), parts_at_once(1001), parts_at_once(MOST_PARTS)), (4, 2, 1));
    }
}
