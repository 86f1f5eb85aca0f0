//! The push driver: chunks of any size go in, calls on a [`Sink`] come out.

use super::{
    BLOCK, Block, Header, Limits, Part, Reason, TarError,
    machine::{Machine, Step},
};

/// Receives the entries of a stream, in order: `entry`, any number of `body`, `end`.
pub trait Sink {
    /// What stops the reading.
    type Error: From<TarError>;

    /// An entry starts.
    ///
    /// # Errors
    /// An error stops the reading for good.
    fn entry(&mut self, header: &Header) -> Result<(), Self::Error>;

    /// The next stored bytes of the entry's body; never empty, [`Header::stored`] bytes in all.
    ///
    /// # Errors
    /// An error stops the reading for good.
    fn body(&mut self, bytes: &[u8]) -> Result<(), Self::Error>;

    /// The entry's body is complete.
    ///
    /// # Errors
    /// An error stops the reading for good.
    fn end(&mut self) -> Result<(), Self::Error>;
}

/// Reads a stream that arrives in chunks.
///
/// Bodies are passed on as slices of the chunks; nothing is allocated for an entry without extensions once the
/// buffers have grown to the longest name.
#[derive(Debug)]
pub struct Feed {
    machine: Machine,
    phase: Phase,
    /// Bytes of a block that came in pieces, `filled` of them.
    partial: Block,
    filled: usize,
    /// Bytes eaten so far.
    offset: u64,
    trailer: Trailer,
    failed: Option<TarError>,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Trailer {
    /// Whether the two zero blocks were there; Go and engines do without.
    pub end_marker: bool,
    /// Bytes after the end marker; they are never entries.
    pub trailing_bytes: u64,
    /// Whether one of them is not zero.
    pub trailing_nonzero: bool,
}

/// What the next bytes are.
#[derive(Clone, Copy, Debug)]
enum Phase {
    Blocks,
    Body(u64),
    Padding(u64),
    Over,
}

/// Why `feed` stops.
enum Stop<E> {
    Tar(TarError),
    Sink(E),
}

impl Feed {
    /// A reader at the start of a stream.
    pub fn new(limits: Limits) -> Self {
        Self {
            machine: Machine::new(limits),
            phase: Phase::Blocks,
            partial: [0; BLOCK],
            filled: 0,
            offset: 0,
            trailer: Trailer::default(),
            failed: None,
        }
    }

    /// Takes the next chunk, of any size.
    ///
    /// # Errors
    /// A [`TarError`] for what Go refuses and for exceeded limits, or what the sink returned. After an error every
    /// further call fails.
    pub fn feed<S: Sink>(&mut self, bytes: &[u8], sink: &mut S) -> Result<(), S::Error> {
        self.guarded(|feed| feed.advance(bytes, sink))
    }

    /// Ends the stream and tells how it ended.
    ///
    /// # Errors
    /// [`Reason::Truncated`] when the stream ends inside something, or what [`Feed::feed`] returned before.
    pub fn finish<S: Sink>(mut self, sink: &mut S) -> Result<Trailer, S::Error> {
        self.guarded(|feed| feed.close(sink))?;
        Ok(self.trailer)
    }

    /// Runs a step unless one failed before, and remembers a failure.
    fn guarded<E: From<TarError>>(&mut self, step: impl FnOnce(&mut Self) -> Result<(), Stop<E>>) -> Result<(), E> {
        if let Some(error) = &self.failed {
            return Err(error.clone().into());
        }
        step(self).map_err(|stop| match stop {
            Stop::Tar(error) => {
                self.failed = Some(error.clone());
                error.into()
            }
            Stop::Sink(error) => {
                self.failed = Some(TarError { offset: self.offset, reason: Reason::Stopped });
                error
            }
        })
    }

    fn advance<S: Sink>(&mut self, mut bytes: &[u8], sink: &mut S) -> Result<(), Stop<S::Error>> {
        while !bytes.is_empty() {
            match self.phase {
                Phase::Blocks => {
                    if let (0, Some((block, rest))) = (self.filled, bytes.split_first_chunk::<BLOCK>()) {
                        bytes = rest;
                        self.block(block, sink)?;
                    } else {
                        bytes = self.collect(bytes);
                        if self.filled == BLOCK {
                            self.filled = 0;
                            let block = self.partial;
                            self.block(&block, sink)?;
                        }
                    }
                }
                Phase::Body(left) => {
                    let (body, rest) = split(bytes, left);
                    bytes = rest;
                    self.offset += body.len() as u64;
                    sink.body(body).map_err(Stop::Sink)?;
                    self.body_left(left - body.len() as u64, sink)?;
                }
                Phase::Padding(left) => {
                    let (padding, rest) = split(bytes, left);
                    bytes = rest;
                    self.offset += padding.len() as u64;
                    self.pad(left - padding.len() as u64);
                }
                Phase::Over => {
                    self.trailer.trailing_bytes += bytes.len() as u64;
                    self.trailer.trailing_nonzero |= bytes.iter().any(|&b| b != 0);
                    return Ok(());
                }
            }
        }
        Ok(())
    }

    /// Moves bytes into the partial block; returns those that did not fit.
    fn collect<'b>(&mut self, bytes: &'b [u8]) -> &'b [u8] {
        let room = self.partial.get_mut(self.filled..).unwrap_or_default();
        let (taken, rest) = bytes.split_at(room.len().min(bytes.len()));
        for (to, from) in room.iter_mut().zip(taken) {
            *to = *from;
        }
        self.filled += taken.len();
        rest
    }

    fn block<S: Sink>(&mut self, block: &Block, sink: &mut S) -> Result<(), Stop<S::Error>> {
        let step = self.machine.block(block).map_err(|reason| self.wrong(reason))?;
        self.offset += BLOCK as u64;
        match step {
            Step::More => Ok(()),
            Step::Entry => self.entry(sink),
            Step::End => {
                self.trailer.end_marker = true;
                self.phase = Phase::Over;
                Ok(())
            }
        }
    }

    fn entry<S: Sink>(&mut self, sink: &mut S) -> Result<(), Stop<S::Error>> {
        sink.entry(self.machine.header()).map_err(Stop::Sink)?;
        self.body_left(self.machine.header().stored, sink)
    }

    fn body_left<S: Sink>(&mut self, left: u64, sink: &mut S) -> Result<(), Stop<S::Error>> {
        if left > 0 {
            self.phase = Phase::Body(left);
            return Ok(());
        }
        self.pad(padding(self.machine.header().stored));
        sink.end().map_err(Stop::Sink)
    }

    fn pad(&mut self, left: u64) {
        self.phase = if left > 0 { Phase::Padding(left) } else { Phase::Blocks };
    }

    fn close<S: Sink>(&mut self, sink: &mut S) -> Result<(), Stop<S::Error>> {
        match self.phase {
            Phase::Body(_) => Err(self.wrong(Reason::Truncated(Part::Body))),
            // Go takes a file without its padding for complete.
            Phase::Padding(_) | Phase::Over => Ok(()),
            Phase::Blocks => {
                let rest = self.partial.get(..self.filled).unwrap_or_default();
                match self.machine.finish(rest).map_err(|reason| self.wrong(reason))? {
                    Step::Entry => self.entry(sink),
                    Step::More | Step::End => Ok(()),
                }
            }
        }
    }

    fn wrong<E>(&self, reason: Reason) -> Stop<E> {
        Stop::Tar(TarError { offset: self.offset, reason })
    }
}

/// Bytes from the end of a body to the next block.
pub(super) fn padding(stored: u64) -> u64 {
    stored.wrapping_neg() % BLOCK as u64
}

/// Splits off the first `left` bytes, or all if there are fewer.
fn split(bytes: &[u8], left: u64) -> (&[u8], &[u8]) {
    bytes.split_at(usize::try_from(left).unwrap_or(usize::MAX).min(bytes.len()))
}
