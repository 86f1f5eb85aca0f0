//! Reads private keys in the format of OpenSSH (`openssh-key-v1`).
//!
//! Format: `PROTOCOL.key` of openssh-portable; fields of each kind of key in `sshkey.c`.

use super::{Verdict, bignum, key, oid};
use crate::model::{Harmless, Standing};

const MAGIC: &[u8] = b"openssh-key-v1\0";

/// Longest tag of an authenticated cipher, which stands behind the private part.
const TAG_MAX: usize = 16;

/// The key that fills these bytes.
pub(super) fn look(body: &[u8]) -> Option<Verdict> {
    let mut body = Wire(body.strip_prefix(MAGIC)?);
    let [cipher, kdf, options] = [body.string()?, body.string()?, body.string()?];
    // OpenSSH has never written more than one key into a file.
    if body.number()? != 1 {
        return None;
    }
    let (public, private) = (body.string()?, body.string()?);
    if public.is_empty() || private.len() < 8 || !private.len().is_multiple_of(8) {
        return None;
    }
    if cipher != b"none" {
        let fits = kdf != b"none" && !options.is_empty() && body.0.len() <= TAG_MAX;
        return if fits { protected(public) } else { None };
    }
    let mut private = Wire(private);
    if !body.0.is_empty() || private.number()? != private.number()? {
        return None;
    }
    unprotected(Wire(public), private)
}

/// A key that a passphrase protects: its public half is readable all the same.
fn protected(public: &[u8]) -> Option<Verdict> {
    let mut public = Wire(public);
    let kind = public.string()?;
    let verdict = match kind {
        b"ssh-ed25519" => key::ed25519(Standing::Structured, Some(public.string()?)),
        _ => Verdict::new(Standing::Structured).remark(name(kind)),
    };
    let remark = format!("{}, encrypted", verdict.remark);
    Some(verdict.remark(remark).harmless(Harmless::Protected))
}

/// Two equal check numbers were there; now the halves of the key have to fit together.
fn unprotected(mut public: Wire<'_>, mut private: Wire<'_>) -> Option<Verdict> {
    let kind = private.string()?;
    if public.string()? != kind {
        return None;
    }
    let verdict = match kind {
        b"ssh-rsa" => {
            let [n, e, _d, _inverse, p, q] = [
                private.mpint()?,
                private.mpint()?,
                private.mpint()?,
                private.mpint()?,
                private.mpint()?,
                private.mpint()?,
            ];
            let same = public.mpint()? == e && public.mpint()? == n;
            same.then_some(key::Rsa { n, e, p, q })?.verdict()?
        }
        b"ssh-ed25519" => {
            let (half, both) = (private.string()?, private.string()?);
            let same = half.len() == 32 && both.get(32..) == Some(half) && public.string()? == half;
            same.then(|| key::ed25519(Standing::Validated, Some(half)))?
        }
        _ if kind.starts_with(b"ecdsa-sha2-") => {
            let (curve, point, scalar) = (private.string()?, private.string()?, private.mpint()?);
            let same = public.string()? == curve && public.string()? == point;
            let found = key::on_curve(oid::ssh_curve(curve)?, scalar, Some(point))?;
            same.then_some(Verdict { standing: Standing::Validated, ..found })?
        }
        _ if kind.starts_with(b"sk-") => {
            // The key itself is in a token that one touches; this is the handle to it.
            Verdict::new(Standing::Validated).remark("handle of a hardware key").harmless(Harmless::Protected)
        }
        _ => Verdict::new(Standing::Validated).remark(name(kind)),
    };
    Some(verdict)
}

fn name(kind: &[u8]) -> &'static str {
    match kind {
        b"ssh-rsa" => "RSA",
        b"ssh-dss" => "DSA",
        b"ssh-ed25519" => "Ed25519",
        b"ecdsa-sha2-nistp256" => "EC P-256",
        b"ecdsa-sha2-nistp384" => "EC P-384",
        b"ecdsa-sha2-nistp521" => "EC P-521",
        _ => "OpenSSH key",
    }
}

/// Reads the wire format of SSH: RFC 4251, section 5.
#[derive(Clone, Copy)]
pub(super) struct Wire<'a>(pub(super) &'a [u8]);

impl<'a> Wire<'a> {
    /// A number of four bytes.
    pub(super) fn number(&mut self) -> Option<u32> {
        let (number, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(u32::from_be_bytes(*number))
    }

    /// A string: its length, and as many bytes.
    pub(super) fn string(&mut self) -> Option<&'a [u8]> {
        let len = usize::try_from(self.number()?).ok()?;
        let (string, rest) = self.0.split_at_checked(len)?;
        self.0 = rest;
        Some(string)
    }

    /// A number of any length that is not negative, without leading zeros.
    pub(super) fn mpint(&mut self) -> Option<&'a [u8]> {
        let digits = self.string()?;
        digits.first().is_none_or(|&first| first < 0x80).then(|| bignum::trim(digits))
    }
}
