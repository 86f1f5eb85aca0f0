//! Reads `/etc/passwd` and `/etc/group` as container engines do when they resolve `USER`.
//!
//! Docker, containerd, podman and BuildKit all use the parser of github.com/moby/sys `user/user.go`, and its leniency
//! decides who a container runs as, so it is followed here and not passwd(5):
//!
//! - Lines are trimmed of Unicode white space; empty ones are skipped. A `#` starts a comment in `group` only; in
//!   `passwd` such a line is a user whose name starts with `#`.
//! - Missing fields are empty, and a number that is none is 0: the line `bob` makes the user bob with uid 0.
//! - Numbers may be signed, and out of range they are the largest or smallest 64-bit integer. Engines then keep the
//!   low 32 bits: `4294967296` is root.
//! - The first line that matches wins. For `USER bob` that is the first with the name, for `USER 1000` the first with
//!   the uid (its gid is taken from there); a number is never a name. `USER bob:staff` looks `staff` up in `group`
//!   likewise.
//! - A line that the parser's buffer can not hold makes the engine refuse the whole file.
//!
//! Resolving is not done here. Names that are not UTF-8 can not be named by an image's configuration, which is JSON;
//! they get replacement characters.

use super::malformed::Parsed;
use crate::model::{Group, User};

/// Longest line of `passwd` in bytes, its line break not counted: 64 KiB of Go's `bufio.Scanner`, break included.
const USER_LINE_MAX: usize = 64 * 1024 - 1;

/// Longest line of `group`: the parser gives the scanner 1 MiB, since groups may have many members. Versions before
/// 0.4.1 took a line of any length.
const GROUP_LINE_MAX: usize = 1024 * 1024 - 1;

/// The users of `/etc/passwd` in file order.
///
/// At a line that is too long for engines reading ends with a fault: no user can be resolved with such a file.
pub fn users(body: &[u8]) -> Parsed<Vec<User>> {
    rows(body, USER_LINE_MAX, |line| {
        let mut fields = line.split(':');
        let name = fields.next().unwrap_or_default().to_string();
        let uid = id(fields.nth(1));
        Some(User { name, uid, gid: id(fields.next()) })
    })
}

/// The groups of `/etc/group` in file order; members are not kept.
///
/// At a line that is too long for engines reading ends with a fault.
pub fn groups(body: &[u8]) -> Parsed<Vec<Group>> {
    rows(body, GROUP_LINE_MAX, |line| {
        let mut fields = line.split(':');
        let name = fields.next().unwrap_or_default().to_string();
        (!line.starts_with('#')).then(|| Group { name, gid: id(fields.nth(1)) })
    })
}

fn rows<T>(body: &[u8], line_max: usize, row: impl Fn(&str) -> Option<T>) -> Parsed<Vec<T>> {
    let mut found = Parsed { value: Vec::new(), faults: Vec::new() };
    for (at, line) in body.split(|&b| b == b'\n').enumerate() {
        if line.len() > line_max {
            found.fault(format!("line {} has {} bytes: container engines refuse the file", at + 1, line.len()));
            break;
        }
        let line = String::from_utf8_lossy(line);
        let line = line.trim();
        if !line.is_empty() {
            found.value.extend(row(line));
        }
    }
    found
}

/// The low 32 bits of a number as Go's `strconv.Atoi` reads it where `int` has 64 bits, errors ignored.
fn id(field: Option<&str>) -> u32 {
    atoi(field.unwrap_or_default().as_bytes()) as u32
}

fn atoi(field: &[u8]) -> i64 {
    let (negative, digits) = match field {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    let mut size = 0_u64;
    for &digit in digits {
        if !digit.is_ascii_digit() {
            return 0;
        }
        // What follows an overflow is not looked at any more, digit or not.
        let Some(next) = size.checked_mul(10).and_then(|size| size.checked_add(u64::from(digit - b'0'))) else {
            size = u64::MAX;
            break;
        };
        size = next;
    }
    match (negative, i64::try_from(size)) {
        (false, size) => size.unwrap_or(i64::MAX),
        (true, size) => size.map_or(i64::MIN, |size| -size),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::malformed::accept_parser, *};

    fn user(name: &str, uid: u32, gid: u32) -> User {
        User { name: name.to_string(), uid, gid }
    }

    /// Cut from Alpine 3.20.3, the last line added.
    const PASSWD: &str = "\
root:x:0:0:root:/root:/bin/sh
bin:x:1:1:bin:/bin:/sbin/nologin
nobody:x:65534:65534:nobody:/:/sbin/nologin
app:x:10001:10002:A. B. Ü.:/home/app:/bin/sh
";

    #[test]
    fn users_come_in_file_order() {
        let want = [user("root", 0, 0), user("bin", 1, 1), user("nobody", 65534, 65534), user("app", 10001, 10002)];
        assert_eq!(users(PASSWD.as_bytes()), Parsed { value: want.to_vec(), faults: Vec::new() });
        assert_eq!(users(PASSWD.replace('\n', "\r\n\r\n \t").as_bytes()).value, want);
    }

    #[test]
    fn broken_lines_make_users_as_they_do_in_engines() {
        // Each compared with what github.com/moby/sys/user v0.4.0 gives for the same line.
        for (line, name, uid, gid) in [
            ("bob", "bob", 0, 0),
            ("bob:x", "bob", 0, 0),
            ("bob:x:12", "bob", 12, 0),
            ("bob:x:a12:7", "bob", 0, 7),
            ("bob:x: 12:7", "bob", 0, 7),
            ("bob:x:+12:-1", "bob", 12, u32::MAX),
            ("bob:x:1_000:0x10", "bob", 0, 0),
            ("bob:x:4294967296:4294967297", "bob", 0, 1),
            ("bob:x:9223372036854775808:-9223372036854775809", "bob", u32::MAX, 0),
            ("bob:x:99999999999999999999x:x99999999999999999999", "bob", u32::MAX, 0),
            ("#bob:x:3:4", "#bob", 3, 4),
            ("+::::::", "+", 0, 0),
            (":x:5:6", "", 5, 6),
            ("\u{a0}bob:x:-:+\u{2028}", "bob", 0, 0),
        ] {
            assert_eq!(users(line.as_bytes()).value, [user(name, uid, gid)], "{line}");
        }
        assert_eq!(users(b"b\xff:x:1:2").value, [user("b\u{fffd}", 1, 2)]);
    }

    #[test]
    fn comments_are_known_in_group_only() {
        let parsed = groups(b"root:x:0:root\n\n # note\n#adm:x:4:\nstaff:x:50:a,b\nodd\n");
        let named = |name: &str, gid| Group { name: name.to_string(), gid };
        assert_eq!(parsed.value, [named("root", 0), named("staff", 50), named("odd", 0)]);
        assert_eq!(users(b" # note\n").value, [user("# note", 0, 0)]);
    }

    #[test]
    fn a_line_longer_than_the_engines_buffer_ends_the_file() {
        let longest = format!("a:x:1:1:{}", "g".repeat(USER_LINE_MAX - 8));
        for end in ["", "\n", "\nb:x:2:2"] {
            assert_eq!(users(format!("{longest}{end}").as_bytes()).faults, [] as [String; 0]);
        }
        let parsed = users(format!("a:x:1:1\nb{longest}\nc:x:3:3\n").as_bytes());
        assert_eq!(parsed.value, [user("a", 1, 1)]);
        assert_eq!(parsed.faults, ["line 2 has 65536 bytes: container engines refuse the file"]);
        assert_eq!(groups(format!("a:x:1:{}\n", "m".repeat(1_000_000)).as_bytes()).value.len(), 1);
    }

    #[test]
    fn no_damage_panics() {
        accept_parser(PASSWD.as_bytes(), |body| (users(body), groups(body)));
    }
}
