//! Tar, read as layers are read.
//!
//! What the layers' reader refuses, engines and Go's programs can not unpack either.

use super::{BROKEN, Decode, Flow, Out, Stop, intake::Intake};
use crate::layer::tar::{EntryKind, Feed, Header, Limits, Sink, TarError};

pub(super) struct Tar {
    feed: Option<Feed>,
    /// Whether the body that comes is a member's.
    taking: bool,
}

/// Turns entries into members.
struct Entries<'e, 'm> {
    out: &'e mut Out<'m>,
    taking: &'e mut bool,
}

impl Tar {
    pub(super) fn new() -> Self {
        // Entries and names are not gathered here, so there is no memory to limit.
        Self { feed: Some(Feed::new(Limits { entries: u64::MAX, name_bytes: u64::MAX })), taking: false }
    }
}

impl Decode for Tar {
    fn step(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<Flow, Stop> {
        let Some(feed) = &mut self.feed else { return Ok(Flow::Over) };
        feed.feed(from.chunk(), &mut Entries { out, taking: &mut self.taking })?;
        from.skip(from.chunk().len());
        Ok(Flow::Hungry)
    }

    fn end(&mut self, _: &mut Intake<'_>, out: &mut Out<'_>) -> Result<(), Stop> {
        let Some(feed) = self.feed.take() else { return Ok(()) };
        let trailer = feed.finish(&mut Entries { out, taking: &mut self.taking })?;
        // Perhaps another archive, which only `tar --ignore-zeros` would read.
        if trailer.trailing_nonzero { Err(BROKEN) } else { Ok(()) }
    }
}

impl Sink for Entries<'_, '_> {
    type Error = Stop;

    fn entry(&mut self, header: &Header) -> Result<(), Stop> {
        self.out.open()?;
        *self.taking = match header.kind {
            EntryKind::File => true,
            EntryKind::Other(_) => header.stored > 0,
            _ => false,
        };
        if *self.taking { self.out.begin(&header.path, Some(header.stored)) } else { Ok(()) }
    }

    fn body(&mut self, bytes: &[u8]) -> Result<(), Stop> {
        if *self.taking { self.out.body(bytes) } else { Ok(()) }
    }

    fn end(&mut self) -> Result<(), Stop> {
        self.out.end();
        Ok(())
    }
}

impl From<TarError> for Stop {
    fn from(_: TarError) -> Self {
        BROKEN
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{tars::*, *};
    use crate::{model::Unread, probe::secret::unpack::Kind};

    fn sample() -> Vec<u8> {
        let long = "directory/".repeat(30) + "file";
        archive(&[
            &item(b'5', b"etc/").bytes(),
            &file(b"etc/app.conf", b"password = x"),
            &file(b"./empty", b""),
            &item(b'2', b"link").link(b"etc/app.conf").bytes(),
            &pax(&[("path", long.as_bytes())]),
            &file(b"short", &noise(2_000)),
        ])
    }

    #[test]
    fn files_are_members_and_links_are_not() {
        let seen = however_cut(Kind::Tar, b"a.tar", &sample());
        assert_eq!(seen.names(), ["etc/app.conf", "./empty", &("directory/".repeat(30) + "file")]);
        assert_eq!(seen.members[0].bytes, b"password = x");
        assert_eq!(seen.members[0].size, Some(12));
        assert_eq!(seen.members[2].bytes, noise(2_000));
        assert_eq!(seen.unread, []);
    }

    #[test]
    fn damage_is_said_once_and_what_came_before_is_given() {
        let broken = [(Vec::new(), Unread::Broken)];
        let sample = sample();
        let seen = unpack(Kind::Tar, b"a.tar", &sample[..sample.len() - 2_000], 700);
        assert_eq!((seen.members.len(), &seen.unread[..]), (3, &broken[..]));
        let twice = [&sample[..], &sample].concat();
        let seen = unpack(Kind::Tar, b"a.tar", &twice, 700);
        assert_eq!((seen.members.len(), &seen.unread[..]), (3, &broken[..]));
        bear(Kind::Tar, &file(b"a", b"x"));
    }
}
