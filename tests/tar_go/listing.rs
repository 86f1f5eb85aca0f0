//! Lists a stream with our reader, in the words of the oracle.

use std::{
    fmt::Write,
    io::{Cursor, Read},
};

use flate2::Crc;
use offcut::layer::tar::{EntryKind, Feed, Header, Limits, Pull, PullError, Reason, Sink, TarError};

use crate::mutate::Random;

/// Larger sparse files are not expanded; the oracle has the same number.
const EXPAND_MAX: u64 = 1 << 20;

const LIMITS: Limits = Limits { entries: u64::MAX, name_bytes: u64::MAX };

/// What was read before the end or the first error.
#[derive(Debug, Eq, PartialEq)]
pub struct Listing {
    pub lines: Vec<String>,
    pub error: Option<TarError>,
}

/// Lists with the push parser, in chunks of random sizes.
pub fn feed(stream: &[u8], random: &mut Random) -> Listing {
    let most = [1, 7, 511, 512, 513, 4096, 1 << 20][random.below(7)];
    let mut feed = Feed::new(LIMITS);
    let mut lines = Lines::default();
    let mut rest = stream;
    let mut result = Ok(());
    while !rest.is_empty() && result.is_ok() {
        let (chunk, tail) = rest.split_at((1 + random.below(most)).min(rest.len()));
        rest = tail;
        result = feed.feed(chunk, &mut lines);
    }
    let error = result.and_then(|()| feed.finish(&mut lines).map(|_| ())).err();
    Listing { lines: lines.lines, error }
}

/// Lists by pulling, which reads every body.
pub fn pull(stream: &[u8]) -> Listing {
    pulled(Pull::new(stream, LIMITS), |pull, _| {
        let mut body = Vec::new();
        pull.read_to_end(&mut body).map(|_| body)
    })
}

/// Lists by seeking over the bodies, which are then taken from where they are said to be.
pub fn seek(stream: &[u8]) -> Listing {
    pulled(Pull::seekable(Cursor::new(stream), LIMITS).expect("a length"), |pull, stored| {
        let start = pull.body_offset() as usize;
        let end = start.checked_add(stored).filter(|&end| end <= stream.len());
        end.map(|end| stream[start..end].to_vec()).ok_or(std::io::ErrorKind::UnexpectedEof.into())
    })
}

fn pulled<R: Read>(mut pull: Pull<R>, body: impl Fn(&mut Pull<R>, usize) -> std::io::Result<Vec<u8>>) -> Listing {
    let mut lines = Lines::default();
    let error = loop {
        match pull.next_entry() {
            Ok(None) => break None,
            Ok(Some(header)) => {
                lines.begin(&header);
                // A body that is cut short is the next entry's error.
                if let Ok(body) = body(&mut pull, header.stored as usize) {
                    lines.body.extend_from_slice(&body);
                    lines.finish();
                }
            }
            Err(PullError::Tar(error)) => break Some(error),
            Err(PullError::Io(error)) => unreachable!("memory can be read: {error}"),
        }
    };
    Listing { lines: lines.lines, error }
}

/// The headers of a good archive.
pub fn headers(stream: &[u8]) -> Vec<Header> {
    let mut pull = Pull::new(stream, LIMITS);
    std::iter::from_fn(|| pull.next_entry().expect("a good archive")).collect()
}

/// Whether Go's lines and ours mean the same.
pub fn agree(go: &[String], ours: &Listing) -> bool {
    let ours_end = if ours.error.is_none() { "ok" } else { "error" };
    let Some((go_end, go)) = go.split_last() else { return false };
    if go == ours.lines && go_end == ours_end {
        return true;
    }
    let more = go.strip_prefix(&ours.lines[..]);
    match (ours.error.as_ref().map(|error| &error.reason), more) {
        // We refuse the header, Go the body; a body too large to expand it did not look at.
        (Some(Reason::SparseData { .. }), Some([_entry])) => go_end == "error",
        (Some(Reason::SparseData { .. }), Some([_entry, body, ..])) => body == "B ?",
        // Go did not look at the body, so it noticed the cut only afterwards.
        (Some(Reason::Truncated(_)), Some([body])) => body == "B ?" && go_end == "error",
        _ => false,
    }
}

/// A sink that writes lines.
#[derive(Default)]
struct Lines {
    lines: Vec<String>,
    header: Header,
    body: Vec<u8>,
}

impl Sink for Lines {
    type Error = TarError;

    fn entry(&mut self, header: &Header) -> Result<(), TarError> {
        self.begin(header);
        Ok(())
    }

    fn body(&mut self, bytes: &[u8]) -> Result<(), TarError> {
        assert!(!bytes.is_empty());
        self.body.extend_from_slice(bytes);
        Ok(())
    }

    fn end(&mut self) -> Result<(), TarError> {
        self.finish();
        Ok(())
    }
}

impl Lines {
    fn begin(&mut self, header: &Header) {
        let Header { flag, size, path, link, mode, uid, gid, .. } = header;
        let (major, minor) = match header.kind {
            EntryKind::Char { major, minor } | EntryKind::Block { major, minor } => (major, minor),
            _ => (0, 0),
        };
        let mut xattrs: Vec<_> = header.xattrs.iter().map(|(name, value)| hex(name) + "=" + &hex(value)).collect();
        xattrs.sort();
        let (path, link, xattrs) = (hex(path), hex(link), xattrs.join(","));
        self.lines.push(format!("E {flag:02x} {size} {path} {link} {mode} {uid} {gid} {major} {minor} {xattrs}"));
        self.header.clone_from(header);
        self.body.clear();
    }

    fn finish(&mut self) {
        assert_eq!(self.body.len() as u64, self.header.stored);
        let mut crc = Crc::new();
        match &self.header.sparse {
            None => crc.update(&self.body),
            Some(_) if self.header.size > EXPAND_MAX => return self.lines.push("B ?".to_string()),
            Some(fragments) => {
                let mut expanded = vec![0; self.header.size as usize];
                let mut body = &self.body[..];
                for fragment in fragments {
                    let (data, rest) = body.split_at(fragment.len as usize);
                    expanded[fragment.offset as usize..][..data.len()].copy_from_slice(data);
                    body = rest;
                }
                assert!(body.is_empty());
                crc.update(&expanded);
            }
        }
        self.lines.push(format!("B {:08x}", crc.sum()));
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut out, byte| {
        let _ = write!(out, "{byte:02x}");
        out
    })
}
