//! The pull driver: asks a reader for the next entry, and lets its body be read or skipped.

use std::io::{self, Read, Seek, SeekFrom};

use thiserror::Error;

use super::{
    BLOCK, Block, Header, Limits, Part, Reason, TarError,
    feed::padding,
    machine::{Machine, Step},
};

/// Reads entries one by one; as a [`Read`] it gives the stored bytes of the current entry's body.
#[derive(Debug)]
pub struct Pull<R> {
    reader: R,
    machine: Machine,
    /// Where `reader` is.
    offset: u64,
    body_left: u64,
    padding: u64,
    body_offset: u64,
    /// How to skip without reading, if the reader can.
    seek: Option<Seeking<R>>,
    end: Option<Ended>,
}

/// The length of what is read and how to move in it.
#[derive(Debug)]
struct Seeking<R> {
    len: u64,
    skip: fn(&mut R, i64) -> io::Result<()>,
}

/// Why no further entry comes.
#[derive(Clone, Debug)]
enum Ended {
    Well,
    Wrong(TarError),
}

/// Why [`Pull`] could not go on.
#[derive(Debug, Error)]
pub enum PullError {
    /// The reader failed.
    #[error("can not read the tar stream")]
    Io(#[from] io::Error),
    /// The tar stream is wrong.
    #[error(transparent)]
    Tar(#[from] TarError),
}

impl<R: Read> Pull<R> {
    /// Reads a stream from start to end.
    pub fn new(reader: R, limits: Limits) -> Self {
        Self {
            reader,
            machine: Machine::new(limits),
            offset: 0,
            body_left: 0,
            padding: 0,
            body_offset: 0,
            seek: None,
            end: None,
        }
    }

    /// The next entry; `None` after the last. What was not read of the body before is skipped.
    ///
    /// # Errors
    /// What the reader returned, or a [`TarError`] for what Go refuses and for exceeded limits. A body that is
    /// cut short is an error here even if nobody reads it. After an error every further call fails.
    pub fn next_entry(&mut self) -> Result<Option<Header>, PullError> {
        match &self.end {
            Some(Ended::Well) => return Ok(None),
            Some(Ended::Wrong(error)) => return Err(error.clone().into()),
            None => {}
        }
        let next = self.advance();
        match &next {
            Ok(Some(_)) => {}
            // A global header without its padding is an entry and the end.
            Ok(None) => self.end = Some(Ended::Well),
            Err(PullError::Tar(error)) => self.end = Some(Ended::Wrong(error.clone())),
            Err(PullError::Io(_)) => self.end = Some(Ended::Wrong(self.wrong(Reason::Stopped))),
        }
        next
    }

    /// Where the current entry's body starts: bytes from the start of the stream, or of the file for
    /// [`Pull::seekable`].
    pub fn body_offset(&self) -> u64 {
        self.body_offset
    }

    /// Gives the reader back, wherever it stands.
    pub fn into_inner(self) -> R {
        self.reader
    }

    fn advance(&mut self) -> Result<Option<Header>, PullError> {
        let body = std::mem::take(&mut self.body_left);
        if self.skip(body)? < body {
            return Err(self.wrong(Reason::Truncated(Part::Body)).into());
        }
        let padding = std::mem::take(&mut self.padding);
        if self.skip(padding)? < padding {
            return Ok(None);
        }
        loop {
            let mut block = [0; BLOCK];
            let filled = self.fill(&mut block)?;
            let step = match block.get(..filled) {
                Some(rest) if filled < BLOCK => self.machine.finish(rest),
                _ => self.machine.block(&block),
            };
            let step = step.map_err(|reason| self.wrong(reason))?;
            self.offset += filled as u64;
            match step {
                Step::Entry => return Ok(Some(self.entry())),
                Step::End => return Ok(None),
                Step::More => {}
            }
        }
    }

    fn entry(&mut self) -> Header {
        let header = self.machine.header().clone();
        self.body_left = header.stored;
        self.padding = padding(header.stored);
        self.body_offset = self.offset;
        header
    }

    /// Skips bytes; returns how many there were.
    fn skip(&mut self, count: u64) -> io::Result<u64> {
        let skipped = match &self.seek {
            Some(seeking) => {
                let there = count.min(seeking.len.saturating_sub(self.offset));
                (seeking.skip)(&mut self.reader, i64::try_from(there).map_err(io::Error::other)?)?;
                there
            }
            None => io::copy(&mut self.reader.by_ref().take(count), &mut io::sink())?,
        };
        self.offset += skipped;
        Ok(skipped)
    }

    /// Reads a whole block, or what is left of the stream.
    fn fill(&mut self, block: &mut Block) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(room) = block.get_mut(filled..).filter(|room| !room.is_empty()) {
            match self.reader.read(room) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }

    fn wrong(&self, reason: Reason) -> TarError {
        TarError { offset: self.offset, reason }
    }
}

impl<R: Read + Seek> Pull<R> {
    /// Reads a file from where it stands and seeks over bodies instead of reading them.
    ///
    /// # Errors
    /// What the file returned when it was asked for its length.
    pub fn seekable(mut reader: R, limits: Limits) -> io::Result<Self> {
        let offset = reader.stream_position()?;
        let len = reader.seek(SeekFrom::End(0))?;
        reader.seek(SeekFrom::Start(offset))?;
        let seek = Some(Seeking { len, skip: R::seek_relative });
        Ok(Self { offset, seek, ..Self::new(reader, limits) })
    }
}

impl<R: Read> Read for Pull<R> {
    /// Reads the next stored bytes of the current body; 0 at its end.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let most = usize::try_from(self.body_left).unwrap_or(usize::MAX).min(into.len());
        if most == 0 {
            return Ok(0);
        }
        let read = self.reader.read(into.get_mut(..most).unwrap_or_default())?;
        if read == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, self.wrong(Reason::Truncated(Part::Body))));
        }
        self.offset += read as u64;
        self.body_left = self.body_left.saturating_sub(read as u64);
        Ok(read)
    }
}
