//! `ar` archives: Debian packages and static libraries.
//!
//! Formats: deb(5), and the archives of GNU and BSD, which keep long names in other places. Thin archives hold no
//! members and are not recognised.

use super::{BROKEN, Decode, Flow, Out, Stop, intake::Intake};

const MAGIC_LEN: usize = 8;
const HEADER_LEN: usize = 60;

/// Longest table of long names that is kept.
const NAMES_MAX: u64 = 1 << 20;

/// Longest name in front of a body.
const NAME_MAX: u64 = 4 << 10;

#[derive(Default)]
pub(super) struct Ar {
    state: State,
    /// GNU's table of long names.
    names: Vec<u8>,
    /// Whether the next body ends on an odd offset.
    odd: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    #[default]
    Magic,
    Header,
    /// A member's body.
    Body(u64),
    /// The table of long names.
    Names(u64),
    /// A table of symbols.
    Skip(u64),
}

impl Decode for Ar {
    fn step(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<Flow, Stop> {
        match self.state {
            State::Magic => {
                if from.peek(MAGIC_LEN).is_none() {
                    return Ok(Flow::Hungry);
                }
                from.skip(MAGIC_LEN);
                self.state = State::Header;
            }
            State::Header => return self.header(from, out),
            State::Body(0) | State::Names(0) | State::Skip(0) => {
                out.end();
                if self.odd {
                    if from.peek(1).is_none() {
                        return Ok(Flow::Hungry);
                    }
                    from.skip(1);
                }
                self.state = State::Header;
            }
            State::Body(left) | State::Names(left) | State::Skip(left) => {
                let chunk = from.chunk();
                let piece = chunk.get(..usize::try_from(left).unwrap_or(usize::MAX)).unwrap_or(chunk);
                if piece.is_empty() {
                    return Ok(Flow::Hungry);
                }
                let left = left - piece.len() as u64;
                self.state = match self.state {
                    State::Body(_) => {
                        out.body(piece)?;
                        State::Body(left)
                    }
                    State::Names(_) => {
                        self.names.extend_from_slice(piece);
                        State::Names(left)
                    }
                    _ => State::Skip(left),
                };
                let used = piece.len();
                from.skip(used);
            }
        }
        Ok(Flow::On)
    }

    fn end(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<(), Stop> {
        match self.state {
            State::Header | State::Body(0) | State::Names(0) | State::Skip(0) if from.chunk().is_empty() => {
                out.end();
                Ok(())
            }
            _ => Err(BROKEN),
        }
    }
}

impl Ar {
    fn header(&mut self, from: &mut Intake<'_>, out: &mut Out<'_>) -> Result<Flow, Stop> {
        let Some(head) = from.peek(HEADER_LEN) else { return Ok(Flow::Hungry) };
        let (Some(name), Some(size), Some(b"`\n")) = (head.get(..16), head.get(48..58), head.get(58..60)) else {
            return Err(BROKEN);
        };
        let (name, size) = (name.trim_ascii_end(), number(size).ok_or(BROKEN)?);
        self.odd = size % 2 == 1;
        let mut used = HEADER_LEN;
        self.state = match name {
            b"/" | b"/SYM64/" | b"__.SYMDEF" | b"__.SYMDEF SORTED" => State::Skip(size),
            b"//" if size <= NAMES_MAX && self.names.is_empty() => State::Names(size),
            b"//" => State::Skip(size),
            _ => {
                let (name, before) = match name.strip_prefix(b"#1/").and_then(number) {
                    // BSD: the name stands in front of the body, and counts as part of it.
                    Some(len) if len <= NAME_MAX.min(size) => {
                        let Some(head) = from.peek(HEADER_LEN + usize::try_from(len).unwrap_or(usize::MAX)) else {
                            return Ok(Flow::Hungry);
                        };
                        let name = head.get(HEADER_LEN..).unwrap_or_default();
                        (name.split(|&b| b == 0).next().unwrap_or_default(), len)
                    }
                    Some(_) => return Err(BROKEN),
                    None => (self.long_name(name), 0),
                };
                out.begin(name, Some(size - before))?;
                used += usize::try_from(before).unwrap_or_default();
                State::Body(size - before)
            }
        };
        from.skip(used);
        Ok(Flow::On)
    }

    /// GNU: `/123` is an offset in the table of names; a short name ends in a slash.
    fn long_name<'n>(&'n self, name: &'n [u8]) -> &'n [u8] {
        let at = name.strip_prefix(b"/").and_then(number).and_then(|at| usize::try_from(at).ok());
        let name = match at.and_then(|at| self.names.get(at..)) {
            Some(rest) => rest.split(|&b| b == b'\n').next().unwrap_or_default(),
            None => name,
        };
        name.strip_suffix(b"/").unwrap_or(name)
    }
}

fn number(field: &[u8]) -> Option<u64> {
    std::str::from_utf8(field.trim_ascii()).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::super::testing::*;
    use crate::{model::Unread, probe::secret::unpack::Kind};

    fn member(name: &str, body: &[u8]) -> Vec<u8> {
        let head = format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 100_644, body.len());
        [head.as_bytes(), body, if body.len() % 2 == 1 { b"\n" } else { b"" }].concat()
    }

    fn archive(members: &[Vec<u8>]) -> Vec<u8> {
        [b"!<arch>\n".to_vec(), members.concat()].concat()
    }

    #[test]
    fn a_package_has_its_members() {
        let deb = archive(&[
            member("debian-binary", b"2.0\n"),
            member("control.tar.xz", b"odd"),
            member("data.tar.zst/", &noise(5_000)),
        ]);
        let seen = however_cut(Kind::Ar, b"a.deb", &deb);
        assert_eq!(seen.names(), ["debian-binary", "control.tar.xz", "data.tar.zst"]);
        assert_eq!(seen.members[1].bytes, b"odd");
        assert_eq!(seen.members[2].bytes, noise(5_000));
        assert_eq!(seen.unread, []);
    }

    #[test]
    fn a_library_has_its_objects_by_their_long_names() {
        let long = "a-name-of-more-than-sixteen-bytes.o";
        let table = format!("first.o/\n{long}/\n");
        let gnu = archive(&[
            member("/", b"\0\0\0\0"),
            member("//", table.as_bytes()),
            member("/9", b"gnu"),
            member("short.o/", b""),
            member("/9999", b"off the table"),
        ]);
        let seen = however_cut(Kind::Ar, b"a.a", &gnu);
        assert_eq!(seen.names(), [long, "short.o", "/9999"]);
        let bsd = archive(&[member(&format!("#1/{}", long.len() + 1), format!("{long}\0bsd").as_bytes())]);
        let seen = however_cut(Kind::Ar, b"a.a", &bsd);
        assert_eq!(seen.names(), [long]);
        assert_eq!((&seen.members[0].bytes[..], seen.members[0].size), (&b"bsd"[..], Some(3)));
    }

    #[test]
    fn damage_is_said() {
        let whole = archive(&[member("a", b"abcd"), member("b", b"efg")]);
        for cut in [9, 67, 70, 100, whole.len() - 2] {
            assert_eq!(unpack(Kind::Ar, b"a.a", &whole[..cut], 5).unread, [(Vec::new(), Unread::Broken)], "{cut}");
        }
        // The last byte is padding, which some writers leave out.
        assert_eq!(unpack(Kind::Ar, b"a.a", &whole[..whole.len() - 1], 5).unread, []);
        bear(Kind::Ar, &archive(&[member("a", b"abc"), member("#1/4", b"nameb"), member("//", b"x/\n")]));
    }
}
