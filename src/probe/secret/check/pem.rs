//! Finds private keys in PEM, as they stand in files of every kind.
//!
//! A key is copied into YAML, JSON, XML, shell and source code of all languages, and looks different in each: line ends
//! as `\n`, slashes as `\/`, every line in quotes with a `+` behind, all in one line, indented, or as base64 of the
//! whole. All of that is undone first; what remains has to be base64 from end to end, and a key.

use super::{Verdict, base64, bignum, key, pgp, ssh};
use crate::model::{Harmless, Standing};

/// Longest label (`RSA PRIVATE KEY`); real ones have less than half.
const LABEL_MAX: usize = 64;

/// A block: label and what stands between the two lines.
struct Block<'a> {
    label: &'a [u8],
    body: &'a [u8],
}

/// The first private key in PEM, or a key whose DER or PEM the base64 is.
pub(super) fn private_key(text: &[u8]) -> Option<Verdict> {
    if let Some(found) = blocks(text).find_map(|block| in_block(&block)) {
        return Some(found);
    }
    // Base64 of the whole thing: kubeconfig, Kubernetes' secrets, variables of CI.
    let bare: Vec<u8> = unfold(text).into_iter().filter(|b| !b.is_ascii_whitespace()).collect();
    let inner = base64::decode_strictly(&bare)?;
    blocks(&inner).find_map(|block| in_block(&block)).or_else(|| key::read(&inner)).or_else(|| ssh::look(&inner))
}

/// The first private key of OpenPGP in ASCII armour.
pub(super) fn pgp_private_key(text: &[u8]) -> Option<Verdict> {
    blocks(text)
        .filter(|block| block.label == b"PGP PRIVATE KEY BLOCK")
        .find_map(|block| pgp::armoured(&unfold(block.body)))
}

fn blocks(text: &[u8]) -> impl Iterator<Item = Block<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (block, behind) = next_block(rest)?;
        rest = behind;
        Some(block)
    })
}

/// The next block whose two lines say the same, and what follows the first line.
fn next_block(mut text: &[u8]) -> Option<(Block<'_>, &[u8])> {
    loop {
        let (_, behind) = split_at(text, b"-----BEGIN ")?;
        let head = behind.get(..behind.len().min(LABEL_MAX + 5)).unwrap_or_default();
        if let Some((label, _)) = split_at(head, b"-----") {
            let body = behind.get(label.len() + 5..)?;
            // Another beginning first: this one was never finished.
            let end = split_at(body, b"-----").and_then(|(inside, rest)| Some((inside, rest.strip_prefix(b"END ")?)));
            if let Some((inside, rest)) = end
                && rest.strip_prefix(label).is_some_and(|rest| rest.starts_with(b"-----"))
            {
                return Some((Block { label, body: inside }, rest));
            }
        }
        text = behind;
    }
}

fn in_block(block: &Block<'_>) -> Option<Verdict> {
    if block.label == b"PGP PRIVATE KEY BLOCK" {
        return pgp::armoured(&unfold(block.body));
    }
    if !block.label.ends_with(b"PRIVATE KEY") {
        return None;
    }
    let text = Text::read(&unfold(block.body));
    let body = base64::decode_strictly(&text.base64)?;
    if text.encrypted {
        // A block cipher's output. The smallest key (EC) has 96 bytes and more.
        let fits = body.len() >= 48 && body.len().is_multiple_of(8);
        let remark = format!("{}, encrypted", kind(block.label));
        return fits.then(|| Verdict::new(Standing::Structured).harmless(Harmless::Protected).remark(remark));
    }
    match block.label {
        b"ENCRYPTED SIGSTORE PRIVATE KEY" | b"ENCRYPTED COSIGN PRIVATE KEY" => {
            let object: serde_json::Value = serde_json::from_slice(&body).ok()?;
            object
                .get("ciphertext")
                .is_some()
                .then(|| Verdict::new(Standing::Structured).harmless(Harmless::Protected).remark("cosign, encrypted"))
        }
        b"NEBULA ED25519 PRIVATE KEY" if body.len() == 64 => Some(key::ed25519(Standing::Structured, body.get(32..))),
        b"NEBULA X25519 PRIVATE KEY" if body.len() == 32 => Some(Verdict::new(Standing::Structured).remark("X25519")),
        // Wrapped by the TPM of one machine, which has to be there to use it.
        b"TSS2 PRIVATE KEY" => (body.first() == Some(&0x30) && bignum::bits(&body) > 800)
            .then(|| Verdict::new(Standing::Structured).harmless(Harmless::Protected).remark("wrapped by a TPM")),
        // The label is often wrong; what is inside decides, as it does for OpenSSL.
        _ => key::read(&body).or_else(|| ssh::look(&body)),
    }
}

fn kind(label: &[u8]) -> &'static str {
    match label {
        b"RSA PRIVATE KEY" => "RSA",
        b"EC PRIVATE KEY" => "EC",
        b"DSA PRIVATE KEY" => "DSA",
        _ => "key",
    }
}

/// The lines of a block, told apart.
struct Text {
    /// All of the base64.
    base64: Vec<u8>,
    /// Whether `Proc-Type` says `ENCRYPTED` (RFC 1421).
    encrypted: bool,
}

impl Text {
    fn read(unfolded: &[u8]) -> Self {
        let mut text = Self { base64: Vec::with_capacity(unfolded.len()), encrypted: false };
        for line in unfolded.split(|&b| b == b'\n') {
            // Leaders of comments and quotations; two slashes only with a space, since base64 has them, too.
            let start = line.iter().position(|b| !b" \t#*;>|".contains(b)).unwrap_or(line.len());
            let line = line.get(start..).unwrap_or_default();
            let line = line.strip_prefix(b"// ").unwrap_or(line);
            let mut words = line.split(|b| b.is_ascii_whitespace()).filter(|word| !word.is_empty()).peekable();
            // `Name: value`; both headers may stand in one line with what follows, where line ends were lost.
            while let Some(name) = words.next_if(|word| word.ends_with(b":")) {
                let value = words.next().unwrap_or_default();
                text.encrypted |= name == b"Proc-Type:" && value.ends_with(b"ENCRYPTED");
                if name != b"Proc-Type:" && name != b"DEK-Info:" {
                    // A comment of any length.
                    words.by_ref().for_each(drop);
                }
            }
            words.for_each(|word| text.base64.extend_from_slice(word));
        }
        text
    }
}

/// Undoes what files of all kinds do to a text of several lines.
///
/// Escaped line ends become line ends, escaped characters themselves; what stands between two strings of source code
/// (`" + "`) goes. Base64 has no backslash, quote, `%` or `&`, so nothing is lost that counts.
fn unfold(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    // Where one has no partner they are no quotes: an apostrophe in a comment.
    let quoted = text.iter().filter(|b| is_quote(**b)).count().is_multiple_of(2);
    let mut inside = true;
    let mut rest = text;
    while let Some((&first, behind)) = rest.split_first() {
        rest = behind;
        match first {
            b'"' | b'\'' | b'`' if quoted => {
                inside = !inside;
                // The next string is another line, also where only a `join` says so.
                out.push(b'\n');
            }
            _ if !inside => {}
            b'\r' => out.push(b'\n'),
            b'\\' => rest = escape(behind, &mut out),
            b'%' => match hex(behind, 2) {
                Some((byte, behind)) => {
                    out.push(byte);
                    rest = behind;
                }
                None => out.push(first),
            },
            b'&' => match entity(behind) {
                Some((byte, behind)) => {
                    out.push(byte);
                    rest = behind;
                }
                None => out.push(first),
            },
            _ => out.push(first),
        }
    }
    out
}

/// What a backslash and the bytes behind it stand for; a backslash that was escaped itself is dropped.
fn escape<'a>(behind: &'a [u8], out: &mut Vec<u8>) -> &'a [u8] {
    let (character, rest) = match behind.split_first() {
        Some((b'n' | b'r', rest)) => (b'\n', rest),
        Some((b't', rest)) => (b' ', rest),
        Some((b'/', rest)) => (b'/', rest),
        Some((b'u', rest)) => match hex(rest, 4) {
            Some(found) => found,
            None => return rest,
        },
        Some((b'x', rest)) => match hex(rest, 2) {
            Some(found) => found,
            None => return rest,
        },
        // A line that goes on, an escaped quote or backslash: looked at on its own.
        _ => return behind,
    };
    out.push(character);
    rest
}

/// `#10;`, `#xA;`: a character of XML.
fn entity(text: &[u8]) -> Option<(u8, &[u8])> {
    let end = text.iter().take(6).position(|&b| b == b';')?;
    let (name, rest) = (text.get(..end)?, text.get(end + 1..)?);
    let digits = std::str::from_utf8(name.strip_prefix(b"#")?).ok()?;
    let byte = match digits.strip_prefix(['x', 'X']) {
        Some(digits) => u8::from_str_radix(digits, 16).ok()?,
        None => digits.parse().ok()?,
    };
    Some((if byte == b'\r' { b'\n' } else { byte }, rest))
}

/// The character that these digits name.
fn hex(text: &[u8], len: usize) -> Option<(u8, &[u8])> {
    let (digits, rest) = text.split_at_checked(len)?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let byte = u8::try_from(u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?).ok()?;
    Some((if byte == b'\r' { b'\n' } else { byte }, rest))
}

fn is_quote(b: u8) -> bool {
    matches!(b, b'"' | b'\'' | b'`')
}

/// What stands before and behind the first `mark`.
fn split_at<'a>(text: &'a [u8], mark: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(mark.len()).position(|window| window == mark)?;
    Some((text.get(..at)?, text.get(at + mark.len()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sample::make::{self as testing, Rng};

    fn look(label: &str, body: &[u8]) -> Option<Verdict> {
        private_key(testing::pem(label, body).as_bytes())
    }

    #[test]
    fn keys_of_all_kinds_are_read() {
        let mut rng = Rng::new(1);
        let rsa = testing::Rsa::new(&mut rng, 2048);
        let (validated, structured, protected) = (Standing::Validated, Standing::Structured, Some(Harmless::Protected));
        for (label, body, standing, harmless, remark, public) in [
            ("RSA PRIVATE", rsa.pkcs1(), validated, None, "RSA, 2048 bits", true),
            ("PRIVATE", rsa.pkcs8(), validated, None, "RSA, 2048 bits", true),
            ("RSA PRIVATE", rsa.pkcs8(), validated, None, "RSA, 2048 bits", true),
            ("EC PRIVATE", testing::sec1(&mut rng), structured, None, "EC P-256", true),
            ("PRIVATE", testing::ec_pkcs8(&mut rng), structured, None, "EC P-256", true),
            ("PRIVATE", testing::ed25519(&mut rng), structured, None, "Ed25519", false),
            ("DSA PRIVATE", testing::dsa(&mut rng), structured, None, "DSA, 1024 bits", false),
            ("ENCRYPTED PRIVATE", testing::encrypted_pkcs8(&mut rng), structured, protected, "encrypted PKCS#8", false),
            ("OPENSSH PRIVATE", testing::openssh_ed25519(&mut rng, false), validated, None, "Ed25519", true),
            (
                "OPENSSH PRIVATE",
                testing::openssh_ed25519(&mut rng, true),
                structured,
                protected,
                "Ed25519, encrypted",
                true,
            ),
            ("OPENSSH PRIVATE", testing::openssh_rsa(&mut rng, 1024), validated, None, "RSA, 1024 bits", true),
        ] {
            let verdict = look(label, &body).unwrap_or_else(|| unreachable!("{remark}"));
            assert_eq!((verdict.standing, verdict.harmless), (standing, harmless), "{remark}");
            assert_eq!((verdict.remark.as_str(), verdict.public_key.is_some()), (remark, public));
        }
        let verdict = private_key(testing::pem_proc_type(&mut rng).as_bytes()).expect("a key");
        assert_eq!((verdict.harmless, verdict.remark.as_str()), (protected, "RSA, encrypted"));
    }

    #[test]
    fn one_key_has_one_public_half_in_all_encodings() {
        let rsa = testing::Rsa::new(&mut Rng::new(2), 1024);
        let half = |label, body: Vec<u8>| look(label, &body).and_then(|verdict| verdict.public_key);
        assert!(half("RSA PRIVATE", rsa.pkcs1()).is_some());
        assert_eq!(half("RSA PRIVATE", rsa.pkcs1()), half("PRIVATE", rsa.pkcs8()));
    }

    #[test]
    fn keys_are_found_in_every_dress() {
        let mut rng = Rng::new(3);
        let keys = [
            testing::pem("RSA PRIVATE", &testing::Rsa::new(&mut rng, 1024).pkcs1()),
            testing::pem("OPENSSH PRIVATE", &testing::openssh_ed25519(&mut rng, false)),
            testing::pem_proc_type(&mut rng),
        ];
        for pem in keys {
            let plain = private_key(pem.as_bytes()).expect("a key");
            let source = |end: &str| pem.lines().map(|line| format!("\"{line}\\n\"{end}")).collect::<String>();
            let lines: Vec<String> = pem.lines().map(|line| format!("\"{line}\"")).collect();
            let dresses = [
                pem.replace('\n', "\r\n"),
                pem.replace('\n', "\\n"),
                pem.replace('\n', "\\r\\n"),
                pem.replace('\n', "\\\\n"),
                pem.replace('/', "\\/").replace('\n', "\\n"),
                pem.replace('+', "\\u002b").replace('=', "\\u003D").replace('\n', "\\u000A"),
                pem.replace('\n', "\n      "),
                pem.replace('\n', "\\n\\\n"),
                pem.replace('\n', "&#10;"),
                pem.replace('\n', "&#xA;"),
                pem.replace('\n', "%0A").replace('+', "%2B"),
                pem.replace('\n', "\n# "),
                pem.replace('\n', "\n// "),
                pem.replace('\n', " "),
                source("\n"),
                source(" +\n    "),
                source(" . \n"),
                source(" \\\n"),
                source("\n").replace('"', "'"),
                source("\n").replace('\\', "\\\\").replace('"', "\\\""),
                format!("[{}].join('\\n')", lines.join(", ")),
                format!("key: |\n  {}\n", pem.replace('\n', "\n  ")),
                testing::base64(pem.as_bytes()),
            ];
            for (at, dress) in dresses.iter().enumerate() {
                // In one line the value of a header can not be told from a comment.
                assert_eq!(private_key(dress.as_bytes()), Some(plain.clone()), "dress {at}");
            }
        }
    }

    #[test]
    fn missing_line_ends_do_not_hide_a_key() {
        let pem = testing::pem("RSA PRIVATE", &testing::Rsa::new(&mut Rng::new(4), 1024).pkcs1());
        assert!(private_key(pem.replace('\n', "").as_bytes()).is_some());
    }

    #[test]
    fn der_in_base64_needs_no_header() {
        let body = testing::base64(&testing::Rsa::new(&mut Rng::new(5), 1024).pkcs8());
        assert!(private_key(body.as_bytes()).is_some());
        assert!(private_key(testing::base64(&Rng::new(6).bytes(600)).as_bytes()).is_none());
    }

    #[test]
    fn what_is_no_key_is_none() {
        let mut rng = Rng::new(7);
        let rsa = testing::Rsa::new(&mut rng, 1024);
        let wrong = testing::Rsa { n: testing::Rsa::new(&mut rng, 1024).n, ..testing::Rsa::new(&mut rng, 1024) };
        let other = [rsa.pkcs1(), vec![0]].concat();
        for (label, body) in [
            ("RSA PRIVATE", wrong.pkcs1()),
            ("PRIVATE", wrong.pkcs8()),
            ("RSA PRIVATE", rng.bytes(600)),
            ("RSA PRIVATE", other),
            ("RSA PRIVATE", rsa.pkcs1()[..500].to_vec()),
            ("RSA PUBLIC", rsa.pkcs1()),
            ("PRIVATE", testing::tlv(0x30, &rng.bytes(300))),
            ("OPENSSH PRIVATE", rng.bytes(300)),
            ("OPENSSH PRIVATE", testing::openssh_ed25519(&mut rng, false)[..150].to_vec()),
            ("PRIVATE", Vec::new()),
        ] {
            assert!(look(label, &body).is_none(), "{label}");
        }
        let (begin, end) = ("-----BEGIN RSA PRIVATE KEY-----", "-----END RSA PRIVATE KEY-----");
        for body in
            ["", "...", "\n...\n", "\nMIIEpAIBAAKCAQEA...\n", "\n<your key>\n", "\nbase64 text goes here\n", "\" + \""]
        {
            assert!(private_key(format!("{begin}{body}{end}").as_bytes()).is_none(), "{body}");
        }
        assert!(private_key(begin.as_bytes()).is_none());
    }

    #[test]
    fn the_first_whole_block_counts() {
        let pem = testing::pem("RSA PRIVATE", &testing::Rsa::new(&mut Rng::new(8), 1024).pkcs1());
        let certificate = testing::pem("CERTIFICATE", &[1, 2, 3]).replace(" KEY", "");
        for before in [
            certificate.as_str(),
            "-----BEGIN RSA PRIVATE KEY-----\n",
            "-----BEGIN \n",
            "-----BEGIN EC PARAMETERS-----\nBggq\n-----END EC PARAMETERS-----\n",
        ] {
            assert!(private_key(format!("{before}{pem}").as_bytes()).is_some(), "{before}");
        }
    }
}
