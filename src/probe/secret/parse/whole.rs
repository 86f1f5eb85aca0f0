//! Files that are one secret as a whole: key stores, keys in DER, and files with a token and nothing else.

use super::{Item, part::Part};
use crate::{
    model::Standing,
    probe::secret::check::{self, Verdict},
};

/// Longest token that a file of its own holds.
const TOKEN_MAX: usize = 4096;

/// Reads a key store of Java.
pub(super) fn jks(file: &[u8]) -> Vec<Item> {
    store(file, check::jks(file))
}

/// Reads a store of PKCS#12.
pub(super) fn pkcs12(file: &[u8]) -> Vec<Item> {
    store(file, check::pkcs12(file))
}

/// Reads a private key in DER.
pub(super) fn der_key(file: &[u8]) -> Vec<Item> {
    store(file, check::der_key(file))
}

fn store(file: &[u8], verdicts: Vec<Verdict>) -> Vec<Item> {
    // One file can be told once: its bytes are taken by the first.
    verdicts.into_iter().take(1).map(|verdict| Item::new(0..file.len(), "", file.to_vec(), verdict)).collect()
}

/// Reads a file that holds a token, such as `.vault-token`.
pub(super) fn token(file: &[u8]) -> Vec<Item> {
    one_word(file, 8).and_then(|word| Item::field(word, "")).into_iter().collect()
}

/// Reads `master.key` and the other keys of Rails: 16 or 32 bytes in hexadecimal.
pub(super) fn rails_master_key(file: &[u8]) -> Vec<Item> {
    let word = one_word(file, 32)
        .filter(|word| matches!(word.bytes().len(), 32 | 64) && word.bytes().iter().all(u8::is_ascii_hexdigit));
    word.and_then(|word| Item::field(word, "")).into_iter().collect()
}

/// Reads a password file of Ansible: its first line. A script that fetches the password is none.
pub(super) fn ansible_vault_password(file: &[u8]) -> Vec<Item> {
    let text = Part::file(file).trim();
    let other = text.bytes().starts_with(b"#!") || text.bytes().starts_with(b"$ANSIBLE_VAULT");
    if other || text.bytes().len() > TOKEN_MAX || text.lines().count() != 1 {
        return Vec::new();
    }
    Item::field(text, "").into_iter().collect()
}

fn one_word(file: &[u8], least: usize) -> Option<Part<'_>> {
    let word = Part::file(file).trim();
    let bytes = word.bytes();
    ((least..=TOKEN_MAX).contains(&bytes.len()) && bytes.iter().all(u8::is_ascii_graphic)).then_some(word)
}

/// A verdict of a form that is known, for what no validator judges.
pub(super) fn structured(remark: &str) -> Verdict {
    Verdict {
        standing: Standing::Structured,
        harmless: None,
        remark: remark.to_string(),
        expires: None,
        public_key: None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        Parser,
        testing::{accept, found, secret},
    };
    use crate::catalogue::sample::make;

    #[test]
    fn a_file_may_be_one_token() {
        assert_eq!(accept(Parser::VaultToken, &format!("{}\n", secret(1))), [format!("={}", secret(1))]);
        for file in ["", "\n", "two words", "short", "${TOKEN}", "line\nline"] {
            assert_eq!(found(Parser::VaultToken, file), [""; 0], "{file}");
        }
    }

    #[test]
    fn a_master_key_is_hexadecimal() {
        let key: String = (0..32_u32).map(|at| char::from_digit((at * 7 + at * at * 3) % 16, 16).unwrap()).collect();
        assert_eq!(accept(Parser::RailsMasterKey, &format!("{key}\n")), [format!("={key}")]);
        assert_eq!(found(Parser::RailsMasterKey, &key[1..]), [""; 0]);
        assert_eq!(found(Parser::RailsMasterKey, &key.replace(['a', '1'], "g")), [""; 0]);
    }

    #[test]
    fn a_password_of_ansible_may_have_blanks_but_no_script() {
        let file = format!("{} {}\n", secret(1), secret(2));
        assert_eq!(accept(Parser::AnsibleVaultPassword, &file), [format!("={} {}", secret(1), secret(2))]);
        for file in ["#!/bin/sh\necho", "$ANSIBLE_VAULT;1.1;AES256\n6162", "a\nb\n", ""] {
            assert_eq!(found(Parser::AnsibleVaultPassword, file), [""; 0], "{file}");
        }
    }

    #[test]
    fn stores_and_keys_are_taken_as_a_whole() {
        let rng = &mut make::Rng::new(1);
        let (jks, pkcs12) = (make::jks(rng, &[1, 2]), make::pkcs12(rng, true));
        let key = make::ed25519(rng);
        for (parser, file) in [(Parser::Jks, jks), (Parser::Pkcs12, pkcs12), (Parser::DerKey, key)] {
            let items = parser.read(&file);
            assert_eq!(
                items.iter().map(|item| item.span.clone()).collect::<Vec<_>>(),
                [(0, file.len())].map(|(a, b)| a..b)
            );
        }
    }

    #[test]
    fn what_is_no_store_has_no_key() {
        for parser in [Parser::Jks, Parser::Pkcs12, Parser::DerKey] {
            for file in [&b""[..], b"text", b"\xfe\xed\xfe\xed", b"\x30\x82\x01\x00"] {
                assert!(parser.read(file).is_empty());
            }
        }
    }
}
