//! The pieces of an object as a synchronous reader on another thread.

use std::io::{self, Read};

use bytes::{Buf, Bytes};
use futures::channel::mpsc::Receiver;
use futures::executor::{BlockingStream, block_on_stream};

/// Reads the pieces that another thread sends, in order; the end of the channel is the end of the object.
pub(super) struct Pieces {
    pieces: BlockingStream<Receiver<Bytes>>,
    current: Bytes,
}

impl Pieces {
    pub(super) fn new(receiver: Receiver<Bytes>) -> Self {
        Self { pieces: block_on_stream(receiver), current: Bytes::new() }
    }
}

impl Read for Pieces {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.current.is_empty() {
            match self.pieces.next() {
                Some(piece) => self.current = piece,
                None => return Ok(0),
            }
        }
        let count = buffer.len().min(self.current.len());
        self.current.copy_to_slice(&mut buffer[..count]);
        Ok(count)
    }
}
