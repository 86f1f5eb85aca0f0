//! Decompression, chunk by chunk, recognised by magic bytes and never by a media type.
//!
//! Gzip with any number of members (RFC 1952), zstd with any number of frames and skippable frames (RFC 8878), or
//! nothing. Checksums of the formats are verified. Knows nothing of tar.

use flate2::{Decompress, FlushDecompress, Status};
use zstd::stream::raw::{DParameter, Decoder as Zstd, InBuffer, Operation, OutBuffer};

use crate::model::Compression;

/// Largest zstd window that is accepted, as a power of two: 128 MiB.
///
/// RFC 8878 asks decoders for 8 MiB at least; `zstd --long` and `zstd:chunked` write up to this.
const ZSTD_WINDOW_LOG_MAX: u32 = 27;

/// Bytes that tell the compression.
pub const MAGIC_LEN: usize = 6;

/// Why a blob can not be decompressed.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum DecodeError {
    /// A compression that no engine writes into layers.
    #[error("the layer is compressed with {0}, which is not supported")]
    Unsupported(&'static str),
    /// The compressed stream is broken.
    #[error("the {0} stream is damaged: {1}")]
    Damaged(&'static str, String),
    /// The compressed stream ends too early.
    #[error("the {0} stream ends too early")]
    Truncated(&'static str),
}

/// What one step did.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Step {
    /// Bytes taken from the input.
    pub read: usize,
    /// Bytes written to the output.
    pub written: usize,
}

/// A decompressor that is handed its input.
pub struct Decoder(Engine);

enum Engine {
    Plain,
    Gzip {
        inflate: Box<Decompress>,
        /// Between two members, or behind the last.
        between: bool,
        /// The start of what may be a next member.
        magic: Vec<u8>,
        /// Bytes behind the last member that belong to none.
        trailing: u64,
    },
    Zstd {
        engine: Zstd<'static>,
        between: bool,
    },
}

/// Which compression the first bytes of a blob tell.
///
/// # Errors
/// [`DecodeError::Unsupported`] for xz, bzip2 and lz4.
pub fn recognise(head: &[u8]) -> Result<Compression, DecodeError> {
    match head {
        [0x1f, 0x8b, ..] => Ok(Compression::Gzip),
        [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Ok(Compression::Zstd),
        [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => Err(DecodeError::Unsupported("xz")),
        [b'B', b'Z', b'h', b'1'..=b'9', ..] => Err(DecodeError::Unsupported("bzip2")),
        [0x04, 0x22, 0x4d, 0x18, ..] => Err(DecodeError::Unsupported("lz4")),
        _ => Ok(Compression::None),
    }
}

impl Decoder {
    /// A decoder at the start of a blob.
    ///
    /// # Errors
    /// When the zstd library can not be set up.
    pub fn new(compression: Compression) -> Result<Self, DecodeError> {
        Ok(Self(match compression {
            Compression::None => Engine::Plain,
            Compression::Gzip => Engine::Gzip { inflate: member(), between: true, magic: Vec::new(), trailing: 0 },
            Compression::Zstd => {
                let damaged = |e: std::io::Error| DecodeError::Damaged("zstd", e.to_string());
                let mut engine = Zstd::new().map_err(damaged)?;
                engine.set_parameter(DParameter::WindowLogMax(ZSTD_WINDOW_LOG_MAX)).map_err(damaged)?;
                Engine::Zstd { engine, between: true }
            }
        }))
    }

    /// Turns some input into some output; with input and room for output left it always gets on.
    ///
    /// # Errors
    /// When the stream is damaged.
    pub fn step(&mut self, input: &[u8], output: &mut [u8]) -> Result<Step, DecodeError> {
        match &mut self.0 {
            Engine::Plain => {
                let count = input.len().min(output.len());
                output[..count].copy_from_slice(&input[..count]);
                Ok(Step { read: count, written: count })
            }
            Engine::Gzip { inflate, between, magic, trailing } => {
                let mut done = Step::default();
                while done.read < input.len() && done.written < output.len() {
                    if *between {
                        done.read += next_member(&input[done.read..], magic, trailing);
                        if magic.len() < 2 || *trailing > 0 {
                            continue;
                        }
                        **inflate = *member();
                        *between = false;
                        let start = std::mem::take(magic);
                        inflate_some(inflate, &start, &mut [])?;
                        continue;
                    }
                    let (step, end) = inflate_some(inflate, &input[done.read..], &mut output[done.written..])?;
                    done.read += step.read;
                    done.written += step.written;
                    *between = end;
                }
                Ok(done)
            }
            Engine::Zstd { engine, between } => {
                let mut done = Step::default();
                while done.read < input.len() && done.written < output.len() {
                    let mut from = InBuffer::around(&input[done.read..]);
                    let mut to = OutBuffer::around(&mut output[done.written..]);
                    let hint =
                        engine.run(&mut from, &mut to).map_err(|e| DecodeError::Damaged("zstd", e.to_string()))?;
                    *between = hint == 0;
                    let (read, written) = (from.pos(), to.pos());
                    done.read += read;
                    done.written += written;
                    if read == 0 && written == 0 {
                        return Err(DecodeError::Damaged("zstd", "it makes no progress".into()));
                    }
                }
                Ok(done)
            }
        }
    }

    /// Writes what the decoder still holds once the input is used up; 0 when there is nothing more.
    ///
    /// # Errors
    /// When the stream is damaged.
    pub fn flush(&mut self, output: &mut [u8]) -> Result<usize, DecodeError> {
        match &mut self.0 {
            Engine::Gzip { inflate, between: between @ false, .. } => {
                let (step, end) = inflate_some(inflate, &[], output)?;
                *between = end;
                Ok(step.written)
            }
            Engine::Zstd { engine, between: between @ false } => {
                let mut to = OutBuffer::around(output);
                let hint = engine
                    .run(&mut InBuffer::around(&[]), &mut to)
                    .map_err(|e| DecodeError::Damaged("zstd", e.to_string()))?;
                *between = hint == 0;
                Ok(to.pos())
            }
            _ => Ok(0),
        }
    }

    /// Ends the blob: how many bytes behind the compressed stream were ignored.
    ///
    /// # Errors
    /// [`DecodeError::Truncated`] when a gzip member or a zstd frame is not complete.
    pub fn finish(self) -> Result<u64, DecodeError> {
        match self.0 {
            Engine::Plain => Ok(0),
            Engine::Gzip { between, magic, trailing, .. } => {
                if between {
                    Ok(trailing + magic.len() as u64)
                } else {
                    Err(DecodeError::Truncated("gzip"))
                }
            }
            Engine::Zstd { between, .. } => {
                if between {
                    Ok(0)
                } else {
                    Err(DecodeError::Truncated("zstd"))
                }
            }
        }
    }
}

fn member() -> Box<Decompress> {
    Box::new(Decompress::new_gzip(15))
}

/// Looks for the magic of a next member behind the end of one; everything else is counted and ignored, as the
/// engines' gzip programs do. Returns the bytes used.
fn next_member(input: &[u8], magic: &mut Vec<u8>, trailing: &mut u64) -> usize {
    let mut used = 0;
    while *trailing == 0 && magic.len() < 2 && used < input.len() {
        magic.push(input[used]);
        used += 1;
        if !b"\x1f\x8b".starts_with(magic) {
            *trailing = magic.len() as u64;
            magic.clear();
        }
    }
    if *trailing > 0 {
        *trailing += (input.len() - used) as u64;
        used = input.len();
    }
    used
}

fn inflate_some(inflate: &mut Decompress, input: &[u8], output: &mut [u8]) -> Result<(Step, bool), DecodeError> {
    let (before_in, before_out) = (inflate.total_in(), inflate.total_out());
    let status = inflate.decompress(input, output, FlushDecompress::None);
    let count = |now: u64, before: u64| usize::try_from(now - before).unwrap_or(usize::MAX);
    let step = Step { read: count(inflate.total_in(), before_in), written: count(inflate.total_out(), before_out) };
    match status {
        Ok(Status::StreamEnd) => Ok((step, true)),
        Ok(Status::BufError) if step == Step::default() && !input.is_empty() && !output.is_empty() => {
            Err(DecodeError::Damaged("gzip", "it makes no progress".into()))
        }
        Ok(_) => Ok((step, false)),
        Err(e) => Err(DecodeError::Damaged("gzip", e.message().unwrap_or("bad data or a wrong checksum").to_string())),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn text() -> Vec<u8> {
        (0..60_000_u32).flat_map(|n| (n * n / 7).to_le_bytes()).collect()
    }

    fn gzip(data: &[u8]) -> Vec<u8> {
        let mut to = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        to.write_all(data).expect("to memory");
        to.finish().expect("to memory")
    }

    fn zstd(data: &[u8]) -> Vec<u8> {
        let mut to = zstd::Encoder::new(Vec::new(), 1).expect("an encoder");
        to.include_checksum(true).expect("supported");
        to.write_all(data).expect("to memory");
        to.finish().expect("to memory")
    }

    fn decode(blob: &[u8], piece: usize, room: usize) -> Result<(Vec<u8>, u64), DecodeError> {
        let mut decoder = Decoder::new(recognise(blob)?)?;
        let (mut all, mut output) = (Vec::new(), vec![0; room]);
        for mut input in blob.chunks(piece) {
            while !input.is_empty() {
                let step = decoder.step(input, &mut output)?;
                input = &input[step.read..];
                all.extend_from_slice(&output[..step.written]);
            }
        }
        loop {
            match decoder.flush(&mut output)? {
                0 => break,
                count => all.extend_from_slice(&output[..count]),
            }
        }
        Ok((all, decoder.finish()?))
    }

    #[test]
    fn members_and_frames_are_one_stream_however_they_are_cut() {
        let text = text();
        let (a, b) = text.split_at(100_000);
        let skippable =
            [&b"\x5a\x2a\x4d\x18\x03\0\0\0abc"[..], &zstd(a), b"\x50\x2a\x4d\x18\0\0\0\0", &zstd(b)].concat();
        let many: Vec<u8> = text.chunks(1_000).flat_map(gzip).collect();
        for (name, blob) in [
            ("gzip", gzip(&text)),
            ("two members", [gzip(a), gzip(b)].concat()),
            ("an empty member", [gzip(a), gzip(b""), gzip(b)].concat()),
            ("many members", many),
            ("zstd", zstd(&text)),
            ("skippable frames", skippable),
        ] {
            for (piece, room) in [(blob.len(), 1 << 20), (4_096, 1_000), (13, 7_777)] {
                assert!(decode(&blob, piece, room) == Ok((text.clone(), 0)), "{name} {piece} {room}");
            }
        }
    }

    #[test]
    fn a_cut_stream_is_an_error_at_every_length() {
        for blob in [gzip(&text()[..500]), zstd(&text()[..500])] {
            for cut in 6..blob.len() {
                assert!(decode(&blob[..cut], 64, 512).is_err(), "{cut} of {}", blob.len());
            }
        }
    }

    #[test]
    fn a_flipped_bit_is_an_error() {
        for blob in [gzip(&text()), zstd(&text())] {
            for at in (blob.len() / 2..blob.len()).step_by(4_001).chain(blob.len() - 6..blob.len() - 4) {
                let mut broken = blob.clone();
                broken[at] ^= 0x10;
                assert!(decode(&broken, 4_096, 4_096) != Ok((text(), 0)), "{at}");
            }
        }
    }

    #[test]
    fn what_follows_the_last_member_is_counted() {
        for junk in [&b"\0\0\0\0"[..], b"junk", b"\x1f", b"\x1fx"] {
            let blob = [gzip(b"hello"), junk.to_vec()].concat();
            for piece in [1, 2, blob.len()] {
                assert_eq!(decode(&blob, piece, 64), Ok((b"hello".to_vec(), junk.len() as u64)));
            }
        }
    }

    #[test]
    fn an_unknown_compression_is_named() {
        assert_eq!(recognise(b"\xfd7zXZ\0\0\x04"), Err(DecodeError::Unsupported("xz")));
        assert_eq!(recognise(b"BZh91AY"), Err(DecodeError::Unsupported("bzip2")));
        assert_eq!(recognise(b""), Ok(Compression::None));
    }
}
