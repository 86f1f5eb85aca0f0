//! The two ways in which members are compressed: deflate and zstd.

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder, InBuffer, Operation, OutBuffer};

use super::{PIECE, Stop, intake::Intake};

/// Largest zstd window that is taken, as a power of two: 32 MiB.
///
/// `zstd -19`, which packages are made with, needs 8 MiB, `zstd --ultra -20` this; RFC 8878 asks decoders for 8 MiB.
/// Layers have a larger limit, but a layer has one decoder, and an archive may lie in another.
const ZSTD_WINDOW_LOG_MAX: u32 = 25;

/// Longest stream that is copied. Streams that expand to nothing have no end of their own.
const COPY_MAX: usize = 8 << 20;

/// How zstd says that a window is too large.
const ZSTD_TOO_LARGE: &str = "Frame requires too much memory for decoding";

/// A decompressor, and the room for what it writes.
pub(super) struct Expander {
    engine: Engine,
    output: Box<[u8]>,
    taken: u64,
    /// What was read, if it is wanted and not too much.
    copy: Option<Vec<u8>>,
}

enum Engine {
    Deflate { inflate: Box<Decompress>, zlib: bool },
    Zstd(Decoder<'static>),
}

/// Where an expansion stands.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Turn {
    /// All input was used.
    Hungry,
    /// The compressed stream, or the zstd frame, is complete.
    Done,
    /// It is damaged.
    Bad,
    /// It wants more memory than is given.
    TooLarge,
}

impl Expander {
    /// Deflate without a header, as in zip and behind gzip's.
    pub(super) fn deflate() -> Self {
        Self::new(Engine::Deflate { inflate: Box::new(Decompress::new(false)), zlib: false })
    }

    /// Deflate with zlib's header and checksum.
    pub(super) fn zlib() -> Self {
        Self::new(Engine::Deflate { inflate: Box::new(Decompress::new(true)), zlib: true })
    }

    /// Frames of zstd; `None` when the library can not be set up.
    pub(super) fn zstd() -> Option<Self> {
        let mut decoder = Decoder::new().ok()?;
        decoder.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX)).ok()?;
        Some(Self::new(Engine::Zstd(decoder)))
    }

    fn new(engine: Engine) -> Self {
        Self { engine, output: vec![0; PIECE].into_boxed_slice(), taken: 0, copy: None }
    }

    /// Prepares for another stream.
    pub(super) fn restart(&mut self) {
        self.taken = 0;
        self.copy = None;
        match &mut self.engine {
            Engine::Deflate { inflate, zlib } => inflate.reset(*zlib),
            Engine::Zstd(decoder) => {
                // Can not fail; and if it did, what comes next would be damaged.
                let _ = decoder.reinit();
            }
        }
    }

    /// As `restart`, and keeps a copy of the stream, unless it becomes longer than [`COPY_MAX`].
    pub(super) fn restart_copying(&mut self) {
        let mut copy = self.copy.take().unwrap_or_default();
        copy.clear();
        self.restart();
        self.copy = Some(copy);
    }

    /// The compressed stream so far.
    pub(super) fn copy(&self) -> Option<&[u8]> {
        self.copy.as_deref()
    }

    /// Compressed bytes that were used since the start of the stream.
    pub(super) fn taken(&self) -> u64 {
        self.taken
    }

    /// Expands what there is, but no more than `most` compressed bytes, and gives it on in pieces.
    pub(super) fn run(
        &mut self,
        from: &mut Intake<'_>,
        most: u64,
        mut give: impl FnMut(&[u8]) -> Result<(), Stop>,
    ) -> Result<Turn, Stop> {
        let end = self.taken.saturating_add(most);
        if most == 0 || from.chunk().is_empty() {
            return Ok(Turn::Hungry);
        }
        loop {
            let most = usize::try_from(end - self.taken).unwrap_or(usize::MAX);
            let chunk = from.chunk();
            let input = chunk.get(..most).unwrap_or(chunk);
            let (had, whole) = (!input.is_empty(), input.len() == most);
            let (read, written, turn) = self.engine.step(input, &mut self.output);
            if let Some(copy) = &mut self.copy {
                copy.extend_from_slice(input.get(..read).unwrap_or_default());
                self.copy.take_if(|copy| copy.len() > COPY_MAX);
            }
            self.taken += from.skip(read) as u64;
            give(self.output.get(..written).unwrap_or_default())?;
            match turn {
                Some(turn) => return Ok(turn),
                None if read == 0 && written == 0 => return Ok(if had { Turn::Bad } else { Turn::Hungry }),
                // With room left in the output, nothing is held back.
                None if written < self.output.len() && (from.chunk().is_empty() || whole && self.taken == end) => {
                    return Ok(Turn::Hungry);
                }
                None => {}
            }
        }
    }
}

impl Engine {
    /// One call of the decompressor: bytes read, bytes written, and what came of it unless it just goes on.
    fn step(&mut self, input: &[u8], output: &mut [u8]) -> (usize, usize, Option<Turn>) {
        match self {
            Self::Deflate { inflate, .. } => {
                let before = (inflate.total_in(), inflate.total_out());
                let turn = match inflate.decompress(input, output, FlushDecompress::None) {
                    Ok(Status::Ok | Status::BufError) => None,
                    Ok(Status::StreamEnd) => Some(Turn::Done),
                    Err(_) => Some(Turn::Bad),
                };
                let count = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(usize::MAX);
                (count(inflate.total_in(), before.0), count(inflate.total_out(), before.1), turn)
            }
            Self::Zstd(decoder) => {
                let (mut from, mut to) = (InBuffer::around(input), OutBuffer::around(output));
                let turn = match decoder.run(&mut from, &mut to) {
                    Ok(0) => Some(Turn::Done),
                    Ok(_) => None,
                    Err(e) if e.to_string() == ZSTD_TOO_LARGE => Some(Turn::TooLarge),
                    Err(_) => Some(Turn::Bad),
                };
                (from.pos(), to.pos(), turn)
            }
        }
    }
}
