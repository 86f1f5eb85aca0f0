//! Writes archives and git's stores: only what their readers need.

use std::io::Write as _;

use flate2::{
    Compression,
    write::{DeflateEncoder, GzEncoder, ZlibEncoder},
};
use sha1::{Digest as _, Sha1};

use crate::codec::{crc32, hex};

pub fn zip(members: &[(&str, &[u8])], deflated: bool) -> Vec<u8> {
    let (mut out, mut directory) = (Vec::new(), Vec::new());
    for (name, body) in members {
        let packed = if deflated { deflate(body) } else { body.to_vec() };
        let mut fields = Vec::new();
        // version, flags, method, time, date
        for field in [20_u16, 0, if deflated { 8 } else { 0 }, 0, 0x5821] {
            fields.extend(field.to_le_bytes());
        }
        for field in [crc32(body), packed.len() as u32, body.len() as u32] {
            fields.extend(field.to_le_bytes());
        }
        fields.extend((name.len() as u16).to_le_bytes());
        fields.extend([0, 0]);
        let offset = out.len() as u32;
        out.extend(b"PK\x03\x04");
        out.extend(&fields);
        out.extend(name.as_bytes());
        out.extend(&packed);
        directory.extend(b"PK\x01\x02\x14\x03");
        directory.extend(&fields);
        directory.extend([0; 10]);
        directory.extend(offset.to_le_bytes());
        directory.extend(name.as_bytes());
    }
    let count = (members.len() as u16).to_le_bytes();
    let (size, offset) = (directory.len() as u32, out.len() as u32);
    out.extend(directory);
    out.extend(b"PK\x05\x06\0\0\0\0");
    out.extend([count, count].concat());
    out.extend([size.to_le_bytes(), offset.to_le_bytes()].concat());
    out.extend([0, 0]);
    out
}

fn deflate(body: &[u8]) -> Vec<u8> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("memory takes everything")
}

pub fn gzip(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("memory takes everything")
}

pub fn zlib(body: &[u8]) -> Vec<u8> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(body).and_then(|()| encoder.finish()).expect("memory takes everything")
}

pub fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, body) in members {
        let mut header = [0_u8; 512];
        header[..name.len()].copy_from_slice(name.as_bytes());
        let mut put = |at: usize, text: &str| header[at..at + text.len()].copy_from_slice(text.as_bytes());
        put(100, "0000644\0");
        put(108, "0000000\0");
        put(116, "0000000\0");
        put(124, &format!("{:011o}\0", body.len()));
        put(136, "14000000000\0");
        put(148, "        ");
        put(156, "0");
        put(257, "ustar\x0000");
        let sum: u32 = header.iter().map(|&byte| u32::from(byte)).sum();
        header[148..156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
        out.extend(header);
        out.extend(*body);
        out.resize(out.len().next_multiple_of(512), 0);
    }
    out.resize(out.len() + 1024, 0);
    out
}

/// A loose object: where it lies below `.git`, and its bytes.
pub fn loose(kind: &str, body: &[u8]) -> (String, Vec<u8>) {
    let whole = [format!("{kind} {}\0", body.len()).as_bytes(), body].concat();
    let name = hex(&Sha1::digest(&whole));
    (format!("objects/{}/{}", &name[..2], &name[2..]), zlib(&whole))
}

/// A pack of blobs. The last may be kept as its difference to the first: a copy of the first's beginning, then the rest.
pub fn pack(blobs: &[&[u8]], delta: bool) -> Vec<u8> {
    let mut out = [&b"PACK"[..], &2_u32.to_be_bytes(), &(blobs.len() as u32).to_be_bytes()].concat();
    let first = out.len();
    for (at, blob) in blobs.iter().enumerate() {
        let here = out.len();
        if delta && at > 0 && at + 1 == blobs.len() {
            let difference = difference(blobs[0], blob);
            header(&mut out, 6, difference.len());
            let mut back = here - first;
            let mut bytes = vec![(back & 127) as u8];
            while back > 127 {
                back = (back >> 7) - 1;
                bytes.insert(0, (back & 127) as u8 | 128);
            }
            out.extend(bytes);
            out.extend(zlib(&difference));
        } else {
            header(&mut out, 3, blob.len());
            out.extend(zlib(blob));
        }
    }
    let sum = Sha1::digest(&out);
    out.extend(sum);
    out
}

fn header(out: &mut Vec<u8>, kind: u8, len: usize) {
    let mut byte = kind << 4 | (len & 15) as u8;
    let mut rest = len >> 4;
    while rest > 0 {
        out.push(byte | 128);
        byte = (rest & 127) as u8;
        rest >>= 7;
    }
    out.push(byte);
}

fn difference(base: &[u8], to: &[u8]) -> Vec<u8> {
    let same = base.iter().zip(to).take_while(|(a, b)| a == b).count().min(0xffff);
    let mut out = Vec::new();
    for mut len in [base.len(), to.len()] {
        while len > 127 {
            out.push((len & 127) as u8 | 128);
            len >>= 7;
        }
        out.push(len as u8);
    }
    if same > 0 {
        out.extend([0x80 | 0x10 | 0x20, same as u8, (same >> 8) as u8]);
    }
    for part in to[same..].chunks(127) {
        out.push(part.len() as u8);
        out.extend(part);
    }
    out
}
