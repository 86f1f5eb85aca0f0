//! Opens what one file holds, archives and git's objects, in bounded memory while its bytes stream by.
//!
//! A decoder knows one format and is one level deep: what is inside of a member, its receiver recognises and unpacks
//! with another decoder. No size that a file promises is trusted, nothing is sought, and checksums are left alone:
//! bytes that inflate were searched, whether or not they are those that were packed.

mod ar;
mod expand;
mod gzip;
mod intake;
mod loose;
mod pack;
mod recognise;
mod tar;
#[cfg(test)]
mod testing;
pub mod utf16;
mod zip;
mod zstd;

pub use self::recognise::{HEAD_LEN, Kind, recognise};
use self::{
    intake::{Intake, Kept},
    recognise::bare_name,
};
use crate::model::Unread;

/// Most bytes that come of an expansion between two looks at [`Members::open`].
const PIECE: usize = 64 << 10;

/// Receives what is inside.
///
/// The order of calls is `begin`, any number of `body` and `gap`, `end`; members do not nest. `unread` comes between
/// members. Once [`Members::open`] was false, nothing is called but the `end` that is owed.
pub trait Members {
    /// A member begins.
    ///
    /// `name` is its path inside of the archive as written: cleaned of nothing, and empty when it has none. `size` is
    /// what the archive promises, if it does; nothing backs it.
    fn begin(&mut self, name: &[u8], size: Option<u64>);

    /// The member's next bytes; never empty.
    fn body(&mut self, piece: &[u8]);

    /// Bytes of the member that are not given, since they were given before as another member's.
    ///
    /// Only git's deltas have gaps. A member that is not given whole starts with one, perhaps of no bytes, so that
    /// nobody takes it for a file. `lines` is how many newlines the bytes hold, if that is known. What stands before a
    /// gap and what stands behind it are no text in a row.
    fn gap(&mut self, bytes: u64, lines: Option<u64>);

    /// The member is over, or what could be read of it.
    fn end(&mut self);

    /// Something was not read: a member, which was given in part perhaps, or with an empty name the archive itself.
    fn unread(&mut self, name: &[u8], why: Unread);

    /// Whether more bytes are taken. When not, the decoder stops for good, and says nothing of it.
    fn open(&self) -> bool;
}

/// Unpacks one file.
pub struct Unpacker {
    /// Nothing once the rest of the file means nothing.
    decoder: Option<Box<dyn Decode + Send>>,
    /// Whether the file's own bytes are compressed, or are those of its members.
    opaque: bool,
    kept: Kept,
    /// Whether a member has begun and not ended.
    inside: bool,
}

/// Reads one format.
trait Decode {
    /// Goes one step on.
    fn step(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<Flow, Stop>;

    /// The file is over. What was kept is in `from`.
    fn end(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<(), Stop>;
}

/// What a step led to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Flow {
    /// There may be more to do.
    On,
    /// All that came was used or kept.
    Hungry,
    /// What follows does not matter.
    Over,
}

/// Why a decoder goes no further.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Stop {
    /// The receiver takes no more.
    Shut,
    /// The rest of the archive can not be read.
    Unread(Unread),
}

/// What a damaged archive stops with.
const BROKEN: Stop = Stop::Unread(Unread::Broken);

/// The receiver, asked before everything whether it is open.
struct Out<'m> {
    to: &'m mut dyn Members,
    inside: &'m mut bool,
}

impl Unpacker {
    /// A decoder at the start of a file.
    ///
    /// `path` is the file's own; what is compressed and has no name inside is called after it.
    pub fn new(kind: Kind, path: &[u8]) -> Self {
        let decoder: Box<dyn Decode + Send> = match kind {
            Kind::Zip => Box::new(zip::Zip::new()),
            Kind::ZipBehindScript => Box::new(zip::Zip::behind_script()),
            Kind::Gzip => Box::new(gzip::Gzip::new(bare_name(path))),
            Kind::Zstd => Box::new(zstd::Zstd::new(bare_name(path))),
            Kind::Tar => Box::new(tar::Tar::new()),
            Kind::Ar => Box::new(ar::Ar::default()),
            Kind::GitObject => Box::new(loose::Loose::new()),
            Kind::GitPack => Box::new(pack::Pack::new()),
            Kind::Closed(why) => Box::new(Closed(why)),
        };
        let opaque = matches!(kind, Kind::Zip | Kind::Gzip | Kind::Zstd | Kind::Tar | Kind::GitObject | Kind::GitPack);
        Self { decoder: Some(decoder), opaque, kept: Kept::default(), inside: false }
    }

    /// Takes the next bytes of the file, as many as there are.
    pub fn feed(&mut self, piece: &[u8], to: &mut dyn Members) {
        let Self { decoder, kept, inside, .. } = self;
        let Some(running) = decoder else { return };
        let mut from = Intake::new(kept, piece);
        let mut out = Out { to, inside };
        let stop = loop {
            match running.step(&mut from, &mut out) {
                Ok(Flow::On) => {}
                Ok(Flow::Hungry) => return,
                Ok(Flow::Over) => break None,
                Err(stop) => break Some(stop),
            }
        };
        out.close(stop);
        self.free();
    }

    /// Ends the file.
    pub fn end(&mut self, to: &mut dyn Members) {
        let Self { decoder, kept, inside, .. } = self;
        let Some(running) = decoder else { return };
        let mut out = Out { to, inside };
        let stop = running.end(&mut Intake::new(kept, b""), &mut out).err();
        out.close(stop);
        self.free();
    }

    /// Whether all that was fed so far means something in what comes out, so that the file's own bytes need no look.
    pub fn covers(&self) -> bool {
        self.opaque && self.decoder.is_some()
    }

    /// Whether nothing more will come, whatever is fed.
    pub fn over(&self) -> bool {
        self.decoder.is_none()
    }

    fn free(&mut self) {
        self.decoder = None;
        self.kept = Kept::default();
    }
}

impl Out<'_> {
    fn begin(&mut self, name: &[u8], size: Option<u64>) -> Result<(), Stop> {
        self.open()?;
        *self.inside = true;
        self.to.begin(name, size);
        Ok(())
    }

    fn body(&mut self, piece: &[u8]) -> Result<(), Stop> {
        if piece.is_empty() {
            return Ok(());
        }
        self.open()?;
        self.to.body(piece);
        Ok(())
    }

    /// As `body`, for bytes that were not all asked for at once.
    fn long_body(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        bytes.chunks(PIECE).try_for_each(|piece| self.body(piece))
    }

    fn gap(&mut self, bytes: u64, lines: Option<u64>) -> Result<(), Stop> {
        self.open()?;
        self.to.gap(bytes, lines);
        Ok(())
    }

    fn end(&mut self) {
        if std::mem::take(self.inside) {
            self.to.end();
        }
    }

    fn unread(&mut self, name: &[u8], why: Unread) -> Result<(), Stop> {
        self.end();
        self.open()?;
        self.to.unread(name, why);
        Ok(())
    }

    fn open(&self) -> Result<(), Stop> {
        if self.to.open() { Ok(()) } else { Err(Stop::Shut) }
    }

    /// Ends the member that is open, and says why nothing more comes.
    fn close(&mut self, stop: Option<Stop>) {
        self.end();
        if let Some(Stop::Unread(why)) = stop {
            // A receiver that shuts at this very moment needs no reason.
            let _ = self.unread(b"", why);
        }
    }
}

/// A format that is not opened.
struct Closed(Unread);

impl Decode for Closed {
    fn step(&mut self, _: &mut Intake<'_>, _: &mut Out<'_>) -> Result<Flow, Stop> {
        Err(Stop::Unread(self.0))
    }

    fn end(&mut self, _: &mut Intake<'_>, _: &mut Out<'_>) -> Result<(), Stop> {
        Err(Stop::Unread(self.0))
    }
}

#[cfg(test)]
mod tests {
    use super::{testing::*, *};

    #[test]
    fn a_format_that_is_not_opened_is_said_once() {
        for why in [Unread::Format, Unread::Encrypted] {
            let seen = unpack(Kind::Closed(why), b"a.xz", b"\xfd7zXZ\0 and more", 3);
            assert!(seen.members.is_empty());
            assert_eq!(seen.unread, [(Vec::new(), why)]);
            assert_eq!(unpack(Kind::Closed(why), b"a.xz", b"", 1).unread.len(), 1);
        }
    }
}
