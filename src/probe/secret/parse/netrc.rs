//! Logins by machine: `.netrc`, and the `auth.conf` of apt, which has the same form.

use super::{Item, part::Part};

/// Reads one item for each machine with a password.
///
/// Format: netrc(5), and apt_auth.conf(5). Macros are passed over; they end at an empty line.
pub(super) fn read(file: &[u8]) -> Vec<Item> {
    let mut items = Vec::new();
    let mut machine = String::new();
    let mut awaits = None;
    let mut in_macro = false;
    for line in Part::file(file).lines() {
        if in_macro && !line.trim().is_empty() {
            continue;
        }
        in_macro = false;
        for word in tokens(line) {
            match awaits.take() {
                Some(Field::Machine) => machine = word.text(),
                Some(Field::Password) => items.extend(Item::field(word, machine.as_str())),
                Some(Field::Other) => {}
                None if word.bytes().starts_with(b"#") => break,
                None => match word.bytes() {
                    b"machine" => awaits = Some(Field::Machine),
                    b"default" => machine = "default".to_string(),
                    b"password" | b"passwd" => awaits = Some(Field::Password),
                    b"login" | b"account" | b"user" | b"port" => awaits = Some(Field::Other),
                    b"macdef" => {
                        in_macro = true;
                        break;
                    }
                    _ => {}
                },
            }
        }
    }
    items
}

enum Field {
    Machine,
    Password,
    Other,
}

/// The words of a line; between double quotes blanks belong to a word.
fn tokens(line: Part<'_>) -> impl Iterator<Item = Part<'_>> {
    let mut rest = line.trim();
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let quoted = rest.from(1);
        let close =
            rest.bytes().starts_with(b"\"").then(|| quoted.bytes().iter().position(|&byte| byte == b'"')).flatten();
        let (word, len) = match close {
            Some(close) => (quoted.to(close), close + 2),
            None => {
                let len = rest.bytes().iter().position(u8::is_ascii_whitespace).unwrap_or(rest.bytes().len());
                (rest.to(len), len)
            }
        };
        rest = rest.from(len).trim();
        Some(word)
    })
}

#[cfg(test)]
mod tests {
    use super::super::{
        Parser,
        testing::{accept, found, places, secret},
    };

    #[test]
    fn machines_have_passwords_on_one_line_or_many() {
        let file = format!(
            "# machine no.test password {}\nmachine a.test login me password {}\nmachine b.test\n\tlogin me\n\tpassword \"{}\"\n\
             macdef init\npassword {}\n\nmachine c.test login password account password password {}\ndefault login x password {}\n",
            secret(9),
            secret(1),
            secret(2),
            secret(9),
            secret(3),
            secret(4)
        );
        let want = [("a.test", 1), ("b.test", 2), ("c.test", 3), ("default", 4)];
        assert_eq!(accept(Parser::Netrc, &file), want.map(|(key, no)| format!("{key}={}", secret(no))));
        assert_eq!(places(Parser::Netrc, &file), [1, 2, 3, 4].map(secret));
    }

    #[test]
    fn lines_of_apt_have_the_same_form() {
        let file = format!("machine apt.test/debian login me password {}\n", secret(1));
        assert_eq!(found(Parser::Netrc, &file), [format!("apt.test/debian={}", secret(1))]);
    }

    #[test]
    fn a_machine_without_a_password_or_with_a_variable_is_fine() {
        for file in [
            "machine a.test login me",
            "machine a.test login me password ${TOKEN}",
            "machine a password <token>",
            "password",
        ] {
            assert_eq!(found(Parser::Netrc, file), [""; 0], "{file}");
        }
    }
}
