//! Takes values out of build instructions before they are shown.
//!
//! Build arguments and environment variables are where secrets hide, and every report prints the instruction that
//! made a layer. The names stay, so that a reader knows the line; the raw text stays inside the process.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};

/// What stands in the place of a value.
const HIDDEN: &str = "...";

/// An address with a scheme: who logs in, where, and what is asked (RFC 3986, 3).
static ADDRESS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(?<scheme>[A-Za-z][A-Za-z0-9+.-]*://)(?<user>[^\s/?#"'@]*@)?(?<place>[^\s?#"']*)(?<query>\?[^\s#"']*)?(?<fragment>\#[^\s"']*)?"#)
        .unwrap_or_else(|error| unreachable!("the pattern is a constant: {error}"))
});

/// The value of a variable whose name says that it is a secret, where it is set.
static SETTING: LazyLock<Regex> = LazyLock::new(|| {
    let words = "TOKEN|SECRET|PASSWORD|PASSWD|PASSPHRASE|CREDENTIALS?|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY";
    let value = r#""(?:[^"\\]|\\.)*"|'[^']*'|[^\s"']+"#;
    Regex::new(&format!(
        r"(?m)(?<name>(?:^|[\s;&|(])(?:[A-Za-z0-9_]*_)?(?i-u:{words})[0-9]?)(?<is>=|[ \t]+)(?<value>{value})"
    ))
    .unwrap_or_else(|error| unreachable!("the pattern is a constant: {error}"))
});

/// A line or more of a Dockerfile without the values of what calls itself a secret, and without the logins of addresses.
///
/// A value that is a variable itself stays.
pub fn dockerfile(text: &str) -> String {
    let lines = text.split_inclusive('\n').map(|line| {
        let keyword = line.trim_start_matches(['+', '-', ' ']).split_whitespace().next().unwrap_or_default();
        let old_form = ["ENV", "ARG"].iter().any(|word| keyword.eq_ignore_ascii_case(word));
        SETTING.replace_all(line, |found: &Captures<'_>| {
            let part = |name: &str| found.name(name).map_or("", |part| part.as_str());
            let is_set = part("is") == "=" || old_form;
            let value = if is_set && !part("value").starts_with('$') { HIDDEN } else { part("value") };
            format!("{}{}{value}", part("name"), part("is"))
        })
    });
    addresses(&lines.collect::<String>()).into_owned()
}

/// A history entry's command without the values of build arguments (`|2 A=x B=y /bin/sh -c ...`), of `ENV` and of
/// `ARG`, and without what addresses hold beside the place they name: a password before the `@`, the values of a query.
///
/// Dialects: the classic builder's `/bin/sh -c #(nop)  ENV A=x`, BuildKit's `ENV A=x` and
/// `RUN |1 A=x /bin/sh -c ... # buildkit`, and buildah's, which are the classic ones.
pub fn created_by(command: &str) -> String {
    addresses(&assignments(command)).into_owned()
}

/// Every address in a text without login and without the values of its query (`ADD https://host/x?token=...`).
fn addresses(text: &str) -> Cow<'_, str> {
    ADDRESS.replace_all(text, |found: &Captures<'_>| {
        let part = |name: &str| found.name(name).map_or("", |part| part.as_str());
        let user = if part("user").is_empty() { String::new() } else { format!("{HIDDEN}@") };
        let query: Vec<Cow<'_, str>> = part("query")
            .split_inclusive(['?', '&', ';'])
            .map(|pair| match pair.split_once('=') {
                Some((name, value)) => {
                    let separator = value.strip_suffix(['&', ';']).map_or("", |kept| &value[kept.len()..]);
                    Cow::Owned(format!("{name}={HIDDEN}{separator}"))
                }
                None => Cow::Borrowed(pair),
            })
            .collect();
        let fragment = if part("fragment").contains('=') { "#..." } else { part("fragment") };
        format!("{}{user}{}{}{fragment}", part("scheme"), part("place"), query.concat())
    })
}

fn assignments(command: &str) -> String {
    let (lead, rest) = split_lead(command);
    for instruction in ["ENV ", "ARG "] {
        if let Some(assignments) = rest.strip_prefix(instruction) {
            return format!("{lead}{instruction}{}", hide_assignments(assignments));
        }
    }
    let Some(arguments) = rest.strip_prefix('|') else { return command.to_string() };
    let (count, arguments) = arguments.split_once(' ').unwrap_or((arguments, ""));
    // The shell's path ends the arguments; values may hold spaces, so nothing before it is kept but names.
    let shell = shell(arguments).or_else(|| arguments.find(" /")).unwrap_or(arguments.len());
    let (arguments, shell) = arguments.split_at(shell);
    let names = hide_assignments(arguments);
    format!("{lead}|{count} {names}{shell}")
}

/// Where the shell of a command begins, which follows its build arguments: the place of the blank before it.
pub fn shell(arguments: &str) -> Option<usize> {
    let shells = [" /bin/sh -c ", " /bin/bash ", " /bin/ash ", " /usr/bin/", " /bin/", " cmd /S"];
    shells.iter().find_map(|shell| arguments.find(shell))
}

/// `NAME=value` without the value.
pub fn assignment(text: &str) -> String {
    match text.split_once('=') {
        Some((name, _)) => format!("{name}={HIDDEN}"),
        None => text.to_string(),
    }
}

fn split_lead(command: &str) -> (&str, &str) {
    let nop = command.find("#(nop)").map(|at| at + "#(nop)".len());
    let start = nop.or_else(|| command.starts_with("RUN |").then_some("RUN ".len())).unwrap_or(0);
    let (lead, rest) = command.split_at(start);
    let trimmed = rest.trim_start();
    (&command[..lead.len() + rest.len() - trimmed.len()], trimmed)
}

/// Keeps the names of `A=x B="y z"`, or of the old form `A x`.
fn hide_assignments(text: &str) -> String {
    let names: Vec<&str> = text.split_whitespace().filter_map(|word| Some(word.split_once('=')?.0)).collect();
    let is_name = |name: &&str| !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let named: Vec<String> = names.into_iter().filter(is_name).map(|name| format!("{name}={HIDDEN}")).collect();
    match (named.is_empty(), text.split_whitespace().next()) {
        (true, Some(name)) if text.trim() != name => format!("{name} {HIDDEN}"),
        (true, name) => name.unwrap_or_default().to_string(),
        _ => named.join(" "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_of_arguments_and_variables_are_not_shown() {
        for (command, want) in [
            ("|1 TOKEN=s3cret /bin/sh -c npm ci", "|1 TOKEN=... /bin/sh -c npm ci"),
            ("|2 A=x y B=/s3cret/z /bin/sh -c make", "|2 A=... B=... /bin/sh -c make"),
            ("|1 A=x /bin/s3cret /bin/sh -c make", "|1 A=... /bin/sh -c make"),
            ("RUN |1 TOKEN=s3cret /bin/sh -c npm ci # buildkit", "RUN |1 TOKEN=... /bin/sh -c npm ci # buildkit"),
            ("/bin/sh -c #(nop)  ENV TOKEN=s3cret B=\"a s3cret\"", "/bin/sh -c #(nop)  ENV TOKEN=... B=..."),
            ("ENV TOKEN s3cret", "ENV TOKEN ..."),
            ("ARG TOKEN=s3cret", "ARG TOKEN=..."),
            ("ARG TOKEN", "ARG TOKEN"),
            ("/bin/sh -c #(nop) ARG TOKEN=s3cret", "/bin/sh -c #(nop) ARG TOKEN=..."),
        ] {
            assert_eq!(created_by(command), want);
        }
    }

    #[test]
    fn what_an_address_carries_beside_its_place_is_not_shown() {
        for (command, want) in [
            ("ADD https://h.example/x?token=s3cret /x", "ADD https://h.example/x?token=... /x"),
            ("ADD https://h/x?a=s3cret&b=s3cret;c#f /x", "ADD https://h/x?a=...&b=...;c#f /x"),
            ("RUN curl 'https://me:s3cret@h:8/x?sig=s3cret==' | sh", "RUN curl 'https://...@h:8/x?sig=...' | sh"),
            ("RUN git clone https://s3cret@h/r.git#access_token=s3cret", "RUN git clone https://...@h/r.git#..."),
        ] {
            assert_eq!(created_by(command), want);
        }
    }

    #[test]
    fn a_dockerfile_keeps_all_but_the_values_of_secrets() {
        for (text, want) in [
            ("ENV NPM_TOKEN=s3cret A=b\n", "ENV NPM_TOKEN=... A=b\n"),
            ("+ENV DB_PASSWORD \"s3 cret\"\n", "+ENV DB_PASSWORD ...\n"),
            ("RUN API_KEY='s3 cret' make && TOKEN=$(cat x) make", "RUN API_KEY=... make && TOKEN=$(cat x) make"),
            ("RUN git clone https://me:s3cret@h/r", "RUN git clone https://...@h/r"),
        ] {
            assert_eq!(dockerfile(text), want);
        }
        for text in [
            "RUN --mount=type=secret,id=token make token x\n",
            "ENV KEY_FILE=/run/x PASSWORD_FILE=/run/y\n",
            "ARG TOKEN\n",
        ] {
            assert_eq!(dockerfile(text), text);
        }
    }

    #[test]
    fn other_instructions_stay_as_they_are() {
        for command in [
            "ADD https://h.example/r.git#v1.2:docs /docs",
            "RUN npm i a@1 && curl -fsS https://h/a/b@2?raw | sh",
            "RUN /bin/sh -c apt-get install gcc # buildkit",
            "COPY dir:abc in /app ",
            "/bin/sh -c #(nop)  CMD [\"node\"]",
            "",
        ] {
            assert_eq!(created_by(command), command);
        }
    }
}
