//! Reads and writes the few pieces of DER that keys are made of.
//!
//! Lengths come from the file and are checked against what is there. Indefinite lengths are no DER and are refused.

/// INTEGER.
pub(super) const INTEGER: u8 = 0x02;
/// BIT STRING.
pub(super) const BIT_STRING: u8 = 0x03;
/// OCTET STRING.
pub(super) const OCTET_STRING: u8 = 0x04;
/// NULL.
pub(super) const NULL: u8 = 0x05;
/// OBJECT IDENTIFIER.
pub(super) const OBJECT_ID: u8 = 0x06;
/// SEQUENCE.
pub(super) const SEQUENCE: u8 = 0x30;

/// Reads elements one after the other.
#[derive(Clone, Copy)]
pub(super) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    /// Reads the elements of a body.
    pub(super) fn new(body: &'a [u8]) -> Self {
        Self(body)
    }

    /// The body of the one element that fills `bytes`, when it has this tag.
    pub(super) fn whole(bytes: &'a [u8], tag: u8) -> Option<Self> {
        let mut reader = Self(bytes);
        let body = reader.take(tag)?;
        reader.0.is_empty().then_some(Self(body))
    }

    /// The body of a SEQUENCE that starts here, and may be cut or have no length, as BER allows.
    pub(super) fn lenient(bytes: &'a [u8]) -> Option<Self> {
        let rest = bytes.strip_prefix(&[SEQUENCE])?;
        let (&first, rest) = rest.split_first()?;
        let digits = if first >= 0x80 { usize::from(first & 0x7f) } else { 0 };
        rest.get(digits..).filter(|_| digits <= 4).map(Self)
    }

    /// What was not read.
    pub(super) fn rest(self) -> &'a [u8] {
        self.0
    }

    /// The body of the next element, when it has this tag; else nothing is read.
    pub(super) fn take(&mut self, tag: u8) -> Option<&'a [u8]> {
        if *self.0.first()? != tag {
            return None;
        }
        self.element().map(|(_, body)| body)
    }

    /// Tag and body of the next element.
    pub(super) fn element(&mut self) -> Option<(u8, &'a [u8])> {
        let (&tag, rest) = self.0.split_first()?;
        let (&first, rest) = rest.split_first()?;
        let (len, rest) = match first {
            0..=0x7f => (usize::from(first), rest),
            0x81..=0x84 => {
                let (digits, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
                let len = digits.iter().fold(0_u64, |all, &b| all << 8 | u64::from(b));
                (usize::try_from(len).ok()?, rest)
            }
            _ => return None,
        };
        let (body, rest) = rest.split_at_checked(len)?;
        self.0 = rest;
        Some((tag, body))
    }

    /// The next element, a number that is not negative, without the sign's zero.
    pub(super) fn number(&mut self) -> Option<&'a [u8]> {
        let body = self.take(INTEGER)?;
        (*body.first()? < 0x80).then(|| super::bignum::trim(body))
    }

    /// Reads the elements inside of the next one.
    pub(super) fn enter(&mut self, tag: u8) -> Option<Self> {
        self.take(tag).map(Self)
    }

    /// Whether nothing is left.
    pub(super) fn is_empty(self) -> bool {
        self.0.is_empty()
    }
}

/// An element.
pub(super) fn wrap(tag: u8, body: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    match u8::try_from(body.len()) {
        Ok(short @ 0..=0x7f) => out.push(short),
        _ => {
            let len = (body.len() as u64).to_be_bytes();
            let digits = super::bignum::trim(&len);
            out.push(0x80 | u8::try_from(digits.len()).unwrap_or(8));
            out.extend_from_slice(digits);
        }
    }
    out.extend_from_slice(body);
    out
}

/// An INTEGER that is not negative.
pub(super) fn number(digits: &[u8]) -> Vec<u8> {
    let digits = super::bignum::trim(digits);
    let mut body = Vec::with_capacity(digits.len() + 1);
    if digits.first().is_none_or(|&first| first >= 0x80) {
        body.push(0);
    }
    body.extend_from_slice(digits);
    wrap(INTEGER, &body)
}

/// A BIT STRING of whole bytes.
pub(super) fn bit_string(body: &[u8]) -> Vec<u8> {
    wrap(BIT_STRING, &[&[0], body].concat())
}

/// A SEQUENCE of elements.
pub(super) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    wrap(SEQUENCE, &parts.concat())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_written_is_read() {
        for len in [0, 1, 127, 128, 255, 256, 65_535, 65_536] {
            let element = wrap(OCTET_STRING, &vec![7; len]);
            let mut inside = Reader::whole(&element, OCTET_STRING).expect("whole");
            assert_eq!(inside.0.len(), len);
            assert_eq!(inside.element().is_some(), len > 8);
        }
        assert_eq!(number(&[0, 0x80]), [2, 2, 0, 0x80]);
        assert_eq!(number(&[]), [2, 1, 0]);
    }

    #[test]
    fn lengths_that_lead_out_are_refused() {
        for bytes in [
            &b""[..],
            b"\x30",
            b"\x30\x01",
            b"\x30\x80",
            b"\x30\x85\0\0\0\0\0",
            b"\x30\x84\xff\xff\xff\xff",
            b"\x30\x82\x01",
        ] {
            assert!(Reader::new(bytes).element().is_none());
        }
        assert!(Reader::whole(b"\x30\x00\x00", SEQUENCE).is_none(), "something follows");
        assert!(Reader::new(b"\x02\x01\xff").number().is_none(), "negative");
    }
}
