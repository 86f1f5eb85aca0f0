//! Finds addresses that carry a password: `scheme://user:password@host`.

use super::part::Part;

/// Longest part between `://` and `@`.
const USER_MAX: usize = 4096;

/// An address with somebody in front of its host.
pub(super) struct Login<'a> {
    pub(super) user: Part<'a>,
    /// Empty when there is none.
    pub(super) password: Part<'a>,
    pub(super) host: Part<'a>,
}

impl<'a> Login<'a> {
    /// The half that opens the door, decoded: the password, or the token that stands where the user should.
    pub(super) fn secret(&self) -> Option<(Part<'a>, Vec<u8>)> {
        let filler = self.password.is("x-oauth-basic") || self.password.is("x-oauth-token");
        let user = decode(self.user.bytes());
        let lone = self.password.is_empty() && user.len() >= 20 && super::super::check::looks_random(&user);
        if filler || lone {
            return Some((self.user, user));
        }
        (!self.password.is_empty()).then(|| (self.password, decode(self.password.bytes())))
    }
}

/// All addresses in a text that name a user.
pub(super) fn logins(text: Part<'_>) -> impl Iterator<Item = Login<'_>> {
    let marks = memchr::memmem::find_iter(text.bytes(), b"://");
    marks.filter_map(move |mark| login(text.from(mark + 3)))
}

fn login(rest: Part<'_>) -> Option<Login<'_>> {
    let window = rest.to(USER_MAX);
    let ends = |byte: &u8| {
        byte.is_ascii_whitespace() || matches!(byte, b'/' | b'?' | b'#' | b'"' | b'\'' | b'<' | b'>' | b'`')
    };
    let len = window.bytes().iter().position(ends).unwrap_or(window.bytes().len());
    let authority = window.to(len);
    let at = authority.bytes().iter().rposition(|&byte| byte == b'@')?;
    let (who, host) = (authority.to(at), authority.from(at + 1));
    let (user, password) = who.split_once(b':').unwrap_or((who, who.from(who.bytes().len())));
    let host_len = host.bytes().iter().position(|byte| matches!(byte, b',' | b')' | b']' | b'}' | b';' | b'\\'));
    Some(Login { user, password, host: host.to(host_len.unwrap_or(host.bytes().len())) })
}

/// Takes `%41` back to `A`.
pub(super) fn decode(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&byte, others)) = rest.split_first() {
        let hex = others.get(..2).and_then(|hex| std::str::from_utf8(hex).ok());
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()).filter(|_| byte == b'%') {
            Some(decoded) => {
                out.push(decoded);
                rest = others.get(2..).unwrap_or_default();
            }
            None => {
                out.push(byte);
                rest = others;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_and_passwords_stand_before_the_last_at() {
        let text = "a https://u:p%40q@h.io/x?y@z 'ftp://only@b' http://c/d:e@f g://u:p@q@r, http://:z@h";
        let read: Vec<_> = logins(Part::file(text.as_bytes()))
            .map(|l| {
                format!("{} {} {}", l.user.text(), String::from_utf8_lossy(&decode(l.password.bytes())), l.host.text())
            })
            .collect();
        assert_eq!(read, ["u p@q h.io", "only  b", "u p@q r", " z h"]);
    }
}
