//! Resolves `USER` as container engines do, and judges the result.
//!
//! Source: `GetExecUser` of `github.com/moby/sys/user` (v0.4), which Docker, containerd, runc and Podman use. What its
//! documentation leaves open was tried with Docker 20.10: see the table in the tests.

use crate::{
    catalogue::{Catalogue, Judgement, Rule},
    inventory::Inventory,
    model::{Confidence, EffectiveUser, Evidence, EvidenceClass, Finding, Group, ImageInfo, State, User, path},
};

use super::group;

/// Largest user or group id that the engine takes (`maxID` of the source above).
const ID_MAX: u32 = (1 << 31) - 1;

/// The user that a container of the image runs as.
///
/// `users` and `groups` are the lines of `/etc/passwd` and `/etc/group` in file order; the first that fits wins. A
/// number is looked up by id and never by name, so a user *named* `0` is not found by `USER 0`.
pub fn effective_user(config_user: &str, users: &[User], groups: &[Group]) -> EffectiveUser {
    // The engine's own scanner takes the first two fields and drops the rest.
    let mut parts = config_user.split(':');
    let user = parts.next().unwrap_or_default();
    let group = parts.next().unwrap_or_default();
    let mut effective =
        EffectiveUser { declared: config_user.to_string(), uid: None, gid: None, name: None, how: String::new() };
    match resolve(user, group, users, groups) {
        Ok(found) => {
            effective.uid = Some(found.uid);
            effective.gid = Some(found.gid);
            effective.name = found.name;
            effective.how = found.how;
        }
        Err(reason) => effective.how = reason,
    }
    effective
}

/// Applies the rules about the user. A source without a configuration says nothing about it.
pub(super) fn judge(catalogue: &Catalogue, inventory: &Inventory, image: &ImageInfo) -> Vec<Finding> {
    let Some(config) = &image.config else { return Vec::new() };
    let user = effective_user(&config.user, inventory.users(), inventory.groups());
    let rules = catalogue.rules.iter().filter_map(|rule| Some((rule, rule.code?)));
    rules.filter(|(_, judgement)| applies(*judgement, &user)).map(|(rule, _)| finding(rule, &user)).collect()
}

fn applies(judgement: Judgement, user: &EffectiveUser) -> bool {
    let mut parts = user.declared.split(':');
    let named = parts.next().is_some_and(|name| matches!(argument(name), Ok(Some(Argument::Name(_)))));
    let group_given = parts.next().is_some_and(|group| !group.is_empty());
    match judgement {
        Judgement::Uid0 => user.uid == Some(0),
        Judgement::NamedUser => named && user.uid.is_some_and(|uid| uid != 0),
        Judgement::Group0 => !group_given && user.gid == Some(0) && user.uid.is_some_and(|uid| uid != 0),
        Judgement::UnknownUser => user.uid.is_none(),
        _ => false,
    }
}

fn finding(rule: &Rule, user: &EffectiveUser) -> Finding {
    let runs_as = match (user.uid, user.gid) {
        (Some(uid), Some(gid)) => format!("runs as uid {uid} and gid {gid}"),
        _ => "can not start".to_string(),
    };
    let witness = format!("USER \"{}\" {runs_as}: {}", path::escape(user.declared.as_bytes()), user.how);
    let mut finding = group::empty_finding(rule, "user", State::Live);
    finding.confidence = Confidence::Certain;
    // The fault is in the configuration; the witness names /etc/passwd where that has a part in it.
    finding.evidence = vec![Evidence { class: EvidenceClass::Config, witness, path: None }];
    finding
}

/// One half of `USER`.
enum Argument<'a> {
    Id(u32),
    Name(&'a str),
}

struct Found {
    uid: u32,
    gid: u32,
    name: Option<String>,
    how: String,
}

/// Resolves the two halves of `USER`; an error is the engine's reason not to start.
fn resolve(user: &str, group: &str, users: &[User], groups: &[Group]) -> Result<Found, String> {
    let (user, group) = (argument(user)?, argument(group)?);
    let line = match user {
        None => users.iter().find(|line| line.uid == 0),
        Some(Argument::Id(id)) => users.iter().find(|line| line.uid == id),
        Some(Argument::Name(name)) => users.iter().find(|line| line.name == name),
    };
    let (uid, how) = match (&user, line) {
        (Some(Argument::Name(name)), None) => return Err(format!("/etc/passwd has no user \"{}\"", shown(name))),
        (Some(Argument::Name(name)), Some(line)) => {
            (line.uid, format!("/etc/passwd gives \"{}\" the id {}", shown(name), line.uid))
        }
        (Some(Argument::Id(id)), Some(line)) => (*id, format!("/etc/passwd lists it as \"{}\"", shown(&line.name))),
        (Some(Argument::Id(id)), None) => (*id, "no line of /etc/passwd has this number".to_string()),
        (None, Some(line)) => {
            (0, format!("no user is set, so the engine takes id 0, which /etc/passwd calls \"{}\",", shown(&line.name)))
        }
        (None, None) => (0, "no user is set, so the engine takes id 0, which /etc/passwd does not list".to_string()),
    };
    let default = line.map_or(0, |line| line.gid);
    let (gid, how) = match group {
        None if line.is_some() => (default, format!("{how} with the group {default}")),
        None => (default, format!("{how}, so the group is 0")),
        Some(Argument::Id(id)) => (id, how),
        Some(Argument::Name(name)) => match groups.iter().find(|line| line.name == name) {
            Some(line) => (line.gid, how),
            None => return Err(format!("/etc/group has no group \"{}\"", shown(name))),
        },
    };
    Ok(Found { uid, gid, name: line.map(|line| line.name.clone()), how })
}

/// Reads one half of `USER` as Go's `strconv.Atoi` does: a sign and leading zeros are fine, nothing else is.
fn argument(text: &str) -> Result<Option<Argument<'_>>, String> {
    let (negative, digits) = match text.as_bytes() {
        [] => return Ok(None),
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Ok(Some(Argument::Name(text)));
    }
    let id = digits.iter().try_fold(0_u32, |id, digit| id.checked_mul(10)?.checked_add(u32::from(digit - b'0')));
    match id.filter(|&id| id <= ID_MAX && !(negative && id > 0)) {
        Some(id) => Ok(Some(Argument::Id(id))),
        None => Err(format!("the id {} is out of range", shown(text))),
    }
}

fn shown(text: &str) -> String {
    path::escape(text.as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(name: &str, uid: u32, gid: u32) -> User {
        User { name: name.to_string(), uid, gid }
    }

    fn group(name: &str, gid: u32) -> Group {
        Group { name: name.to_string(), gid }
    }

    /// Uid and gid, or the reason why the engine does not start.
    fn run(user: &str, users: &[User], groups: &[Group]) -> Result<(u32, u32), String> {
        let effective = effective_user(user, users, groups);
        effective.uid.zip(effective.gid).ok_or(effective.how)
    }

    #[test]
    fn every_form_of_user_is_resolved_as_the_engine_does() {
        let users = [
            user("root", 0, 0),
            user("app", 1000, 1001),
            user("toor", 0, 7),
            user("0", 1000, 1000),
            user("twin", 1000, 5),
            user("shift", 70_000, 0),
        ];
        let groups = [group("root", 0), group("staff", 50), group("1234", 9), group("staff", 51)];
        for (declared, want) in [
            ("", (0, 0)),
            ("root", (0, 0)),
            ("0", (0, 0)),
            ("0:0", (0, 0)),
            ("root:1000", (0, 1000)),
            ("00", (0, 0)),
            ("+0", (0, 0)),
            ("-0", (0, 0)),
            ("0:+00", (0, 0)),
            ("app", (1000, 1001)),
            ("toor", (0, 7)),
            ("1000", (1000, 1001)),
            ("01000", (1000, 1001)),
            ("twin", (1000, 5)),
            ("shift", (70_000, 0)),
            ("4242", (4242, 0)),
            ("4242:4242", (4242, 4242)),
            ("4242:staff", (4242, 50)),
            ("app:", (1000, 1001)),
            ("app:0", (1000, 0)),
            ("app:1234", (1000, 1234)),
            (":50", (0, 50)),
            (":staff", (0, 50)),
            ("app:staff:rest", (1000, 50)),
            ("2147483647", (2_147_483_647, 0)),
        ] {
            assert_eq!(run(declared, &users, &groups), Ok(want), "USER {declared}");
        }
        for (declared, want) in [
            ("0x0", "/etc/passwd has no user \"0x0\""),
            ("nobody", "/etc/passwd has no user \"nobody\""),
            ("root ", "/etc/passwd has no user \"root \""),
            ("1_000", "/etc/passwd has no user \"1_000\""),
            ("+", "/etc/passwd has no user \"+\""),
            ("--1", "/etc/passwd has no user \"--1\""),
            ("app:wheel", "/etc/group has no group \"wheel\""),
            ("4242:0x1", "/etc/group has no group \"0x1\""),
            ("-1", "the id -1 is out of range"),
            ("2147483648", "the id 2147483648 is out of range"),
            ("99999999999999999999", "the id 99999999999999999999 is out of range"),
            ("app:-1", "the id -1 is out of range"),
        ] {
            assert_eq!(run(declared, &users, &groups), Err(want.to_string()), "USER {declared}");
        }
    }

    #[test]
    fn without_passwd_only_numbers_start() {
        assert_eq!(run("", &[], &[]), Ok((0, 0)));
        assert_eq!(run("65532:65532", &[], &[]), Ok((65532, 65532)));
        assert_eq!(run("65532", &[], &[]), Ok((65532, 0)));
        assert!(run("root", &[], &[]).is_err());
        assert!(run("0:root", &[], &[]).is_err());
    }

    #[test]
    fn an_empty_user_takes_name_and_group_of_the_first_line_with_id_0() {
        let users = [user("app", 1000, 1000), user("admin", 0, 3), user("root", 0, 0)];
        let effective = effective_user("", &users, &[]);
        assert_eq!((effective.uid, effective.gid, effective.name.as_deref()), (Some(0), Some(3), Some("admin")));
    }
}
