//! Passwords of database clients: PostgreSQL and MySQL.

use super::{Item, ini::entries, part::Part};
use crate::model::Standing;

/// Reads `.pgpass`: `host:port:database:user:password`, in which `\` takes the meaning from `:` and `\`.
pub(super) fn pgpass(file: &[u8]) -> Vec<Item> {
    Part::file(file).lines().filter(|line| !line.bytes().starts_with(b"#")).filter_map(pgpass_line).collect()
}

fn pgpass_line(line: Part<'_>) -> Option<Item> {
    let mut fields = Vec::new();
    let (mut start, mut escaped) = (0, false);
    for (at, &byte) in line.bytes().iter().enumerate() {
        if byte == b':' && !escaped {
            fields.push(line.to(at).from(start));
            start = at + 1;
            if fields.len() == 4 {
                break;
            }
        }
        escaped = byte == b'\\' && !escaped;
    }
    let [host, port, _database, user] = fields.as_slice() else { return None };
    let is_port = port.bytes() == b"*" || !port.is_empty() && port.bytes().iter().all(u8::is_ascii_digit);
    if !is_port || host.bytes().iter().chain(user.bytes()).any(u8::is_ascii_whitespace) {
        return None;
    }
    let password = line.from(start);
    let mut value = Vec::with_capacity(password.bytes().len());
    let mut bytes = password.bytes().iter();
    while let Some(&byte) = bytes.next() {
        if byte == b'\\' { value.extend(bytes.next().copied()) } else { value.push(byte) }
    }
    Item::secret(password.span(), format!("{}@{}", user.text(), host.text()), value, Standing::Structured)
}

/// Reads option files of MySQL and MariaDB, `debian.cnf` among them; the key is the group.
pub(super) fn my_cnf(file: &[u8]) -> Vec<Item> {
    const NAMES: [&str; 6] = ["password", "passwd", "password1", "loose-password", "wsrep_sst_auth", "master-password"];
    let item = |entry: super::ini::Entry<'_>| {
        let secret = NAMES.iter().any(|name| entry.name.is(name));
        let value = entry.value.unquote();
        let value = if entry.name.is("wsrep_sst_auth") { value.split_once(b':')?.1 } else { value };
        secret.then(|| Item::field(value, entry.section.text())).flatten()
    };
    entries(Part::file(file), b"=").filter_map(item).collect()
}

#[cfg(test)]
mod tests {
    use super::super::{
        Parser,
        testing::{accept, found, places, secret},
    };

    #[test]
    fn lines_of_pgpass_have_five_fields() {
        let file = format!(
            "# h:1:d:u:{}\nh.test:5432:db:me:{}\n*:*:*:you:a\\:{}\nh:port:d:u:{}\nh:1:d:u\nh:1:d:u:\n",
            secret(9),
            secret(1),
            secret(2),
            secret(3)
        );
        assert_eq!(
            accept(Parser::Pgpass, &file),
            [format!("me@h.test={}", secret(1)), format!("you@*=a:{}", secret(2))]
        );
        assert_eq!(places(Parser::Pgpass, &file)[1], format!("a\\:{}", secret(2)));
    }

    #[test]
    fn groups_of_mysql_have_passwords() {
        let file = format!(
            "[client]\nuser = me\npassword = \"{}\" # c\n[mysqldump]\npassword={}\n[mysqld]\nskip-password\npassword\nvalidate_password.length=8\n",
            secret(1),
            secret(2)
        );
        assert_eq!(accept(Parser::MyCnf, &file), [format!("client={}", secret(1)), format!("mysqldump={}", secret(2))]);
        assert_eq!(found(Parser::MyCnf, "[client]\npassword=${PASS}\n"), [""; 0]);
    }
}
