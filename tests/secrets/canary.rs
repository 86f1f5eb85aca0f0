//! Looks for secrets in what a program said: as they are, backwards, in hexadecimal, base64 and the form of URLs.

use std::collections::HashSet;

use crate::{
    codec::{base64, hex, url_encoded},
    token::Token,
    tree::Tree,
};

/// Lengths of the pieces: digests and UUIDs are full of hexadecimal digits, so that eight of those prove nothing.
const PIECE: usize = 8;
const PIECE_HEX: usize = 14;

pub struct Canaries {
    pieces: HashSet<[u8; PIECE]>,
    pieces_hex: HashSet<[u8; PIECE_HEX]>,
}

impl Canaries {
    pub fn new(tree: &Tree) -> Self {
        let mut all = Self { pieces: HashSet::new(), pieces_hex: HashSet::new() };
        for token in &tree.tokens {
            all.add(token);
        }
        all
    }

    fn add(&mut self, token: &Token) {
        let Token { text, random } = token;
        let runs = runs(random);
        for run in runs {
            let secret = &text[run];
            self.pieces_of(secret.as_bytes());
            self.pieces_of(&secret.bytes().rev().collect::<Vec<_>>());
            self.pieces_of(url_encoded(secret).as_bytes());
            self.pieces_of(hex(secret.as_bytes()).as_bytes());
            self.pieces_of(hex(secret.as_bytes()).to_uppercase().as_bytes());
            // At each of the three places in a group; the ends depend on what stands beside.
            for skip in 0..3 {
                let Some(part) = secret.as_bytes().get(skip..).filter(|part| part.len() >= 9) else { continue };
                let part = &part[..part.len() / 3 * 3];
                self.pieces_of(base64(part).as_bytes());
            }
        }
    }

    fn pieces_of(&mut self, text: &[u8]) {
        for piece in text.array_windows_of::<PIECE>() {
            if !is_digest(&piece) && !common(&piece) {
                self.pieces.insert(piece);
            }
        }
        for piece in text.array_windows_of::<PIECE_HEX>() {
            if is_digest(&piece) {
                self.pieces_hex.insert(piece);
            }
        }
    }

    /// What stands around each piece that was found, the piece itself left out.
    pub fn seen_in(&self, output: &[u8]) -> Vec<String> {
        let mut seen = Vec::new();
        for (at, piece) in output.array_windows_of::<PIECE>().enumerate() {
            if self.pieces.contains(&piece) {
                seen.push(around(output, at, PIECE));
            }
        }
        for (at, piece) in output.array_windows_of::<PIECE_HEX>().enumerate() {
            if self.pieces_hex.contains(&piece) {
                seen.push(around(output, at, PIECE_HEX));
            }
        }
        seen.truncate(5);
        seen
    }
}

/// Whether it could be a part of a digest or of a UUID.
fn is_digest(piece: &[u8]) -> bool {
    piece.iter().all(|byte| byte.is_ascii_hexdigit() || *byte == b'-')
}

/// Base64 of keys begins and goes on with what all keys of a kind share; so do passwords of few letters.
fn common(piece: &[u8]) -> bool {
    piece.iter().filter(|&&byte| byte == piece[0]).count() > PIECE / 2
}

fn around(output: &[u8], at: usize, len: usize) -> String {
    let before = String::from_utf8_lossy(&output[at.saturating_sub(60)..at]).into_owned();
    format!("{before} [{len} bytes]")
}

/// The random stretches of a token.
fn runs(random: &[bool]) -> Vec<std::ops::Range<usize>> {
    let (mut runs, mut start) = (Vec::new(), 0);
    for at in 0..=random.len() {
        if !random.get(at).copied().unwrap_or(false) {
            if at - start >= PIECE {
                runs.push(start..at);
            }
            start = at + 1;
        }
    }
    runs
}

trait Windows {
    fn array_windows_of<const N: usize>(&self) -> impl Iterator<Item = [u8; N]>;
}

impl Windows for [u8] {
    fn array_windows_of<const N: usize>(&self) -> impl Iterator<Item = [u8; N]> {
        self.windows(N).map(|window| window.try_into().expect("that long"))
    }
}

#[test]
fn a_piece_of_a_secret_is_seen_in_every_form() {
    let token = Token::make("ghp_{w36}", &mut crate::chance::Chance::new(9));
    let mut tree = Tree::default();
    tree.tokens.push(token.clone());
    let canaries = Canaries::new(&tree);
    let secret = &token.text[8..30];
    for text in [secret.to_string(), base64(secret.as_bytes()), hex(secret.as_bytes()), secret.chars().rev().collect()]
    {
        assert!(!canaries.seen_in(format!("it is {text}.").as_bytes()).is_empty(), "{text}");
    }
    assert!(canaries.seen_in(b"ghp_ of 40 characters, sha256:0123456789abcdef").is_empty());
}
