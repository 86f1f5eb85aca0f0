//! Archives for tests, built block by block.
//!
//! Shared with the test `tar_go`, which includes this file; so it uses nothing but the standard library.

/// One header block and the body behind it. POSIX layout unless changed.
#[derive(Clone)]
pub struct Item {
    block: [u8; 512],
    body: Vec<u8>,
}

/// An item with plain fields and no body.
pub fn item(flag: u8, name: &[u8]) -> Item {
    let item = Item { block: [0; 512], body: Vec::new() }
        .set(0, name)
        .set(100, b"0000644\0")
        .set(108, b"0000000\0")
        .set(116, b"0000000\0")
        .set(136, b"00000000000\0")
        .set(156, &[flag])
        .set(257, b"ustar\x0000")
        .set(329, b"0000000\0")
        .set(337, b"0000000\0");
    item.body(b"")
}

/// A regular file.
pub fn file(name: &[u8], body: &[u8]) -> Vec<u8> {
    item(b'0', name).body(body).bytes()
}

/// A PAX extended header with these records.
pub fn pax(records: &[(&str, &[u8])]) -> Vec<u8> {
    let text: Vec<_> = records.iter().map(|(key, value)| record(key, value)).collect();
    item(b'x', b"PaxHeaders/x").body(&text.concat()).bytes()
}

/// One PAX record with its right length.
pub fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut len = rest + 1;
    while rest + len.to_string().len() != len {
        len += 1;
    }
    [format!("{len} {key}=").as_bytes(), value, b"\n"].concat()
}

/// The pieces and the end marker.
pub fn archive(pieces: &[&[u8]]) -> Vec<u8> {
    [&pieces.concat()[..], &[0; 1024]].concat()
}

impl Item {
    /// Puts bytes into the header block.
    pub fn set(mut self, at: usize, bytes: &[u8]) -> Self {
        self.block[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// Sets the body and the size field.
    pub fn body(mut self, body: &[u8]) -> Self {
        self.body = body.to_vec();
        self.size(body.len() as u64)
    }

    /// Sets the size field alone.
    pub fn size(self, size: u64) -> Self {
        self.set(124, format!("{size:011o}\0").as_bytes())
    }

    /// The link's target.
    pub fn link(self, target: &[u8]) -> Self {
        self.set(157, target)
    }

    /// GNU layout in place of POSIX.
    pub fn gnu(self) -> Self {
        self.set(257, b"ustar  \0")
    }

    /// Unix V7 layout: no magic, nothing behind the link.
    pub fn v7(self) -> Self {
        self.set(257, &[0; 255])
    }

    /// The sealed header block, the body and its padding.
    pub fn bytes(self) -> Vec<u8> {
        let sum = sum(&self.block, i64::from);
        self.summed(sum)
    }

    /// As `bytes`, with the checksum of signed bytes that some old writers took.
    pub fn bytes_with_signed_sum(self) -> Vec<u8> {
        let sum = sum(&self.block, |byte| i64::from(byte.cast_signed()));
        self.summed(sum)
    }

    fn summed(self, sum: i64) -> Vec<u8> {
        let Self { block, body } = self.set(148, format!("{sum:06o}\0 ").as_bytes());
        let padding = body.len().wrapping_neg() % 512;
        [&block[..], &body, &vec![0; padding]].concat()
    }
}

/// The sum of a header block whose checksum field is spaces.
fn sum(block: &[u8; 512], value: impl Fn(u8) -> i64) -> i64 {
    let at = |(at, &byte): (usize, &u8)| if (148..156).contains(&at) { 32 } else { value(byte) };
    block.iter().enumerate().map(at).sum()
}
