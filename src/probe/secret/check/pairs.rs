//! Tells random characters from words and names, by how likely each pair of neighbours is.
//!
//! A language that people write has few of the possible pairs, and a random string has all of them alike. What a text
//! would cost to write with a code made for names and words is compared with what it costs as random characters of
//! the same kinds (letters of one case or two, digits, hexadecimal ...): random text is dearer than random.
//!
//! The two tables are counted from 154,459 different words and names that a Debian 12 system and 200 Rust crates hold
//! (`[A-Za-z][A-Za-z0-9_]{2,40}`) five times or more: documentation, manual pages, C headers, Python, Perl, JavaScript and Rust. Each counts with the
//! logarithm of its number, so that `the` does not rule; hexadecimal numbers are left out. An entry is eight times the
//! bits (`-log2` of the share in its row), one added to each count; changes between kinds of characters are held to
//! [`CHANGE_MAX`], since the counted names have none of the signs that passwords have.

/// How much dearer than random characters a text has to be, in eighths of a bit per character.
///
/// Measured on the counted names and on 3,000 random strings of each kind. Of 16 characters: 2.3 % of names (nearly all abbreviations such as `V4L2_DV_BT_STD`) are taken for random, 1 %
/// of random lower-case letters and at most 0.3 % of all other kinds for names. Of 34: 0.4 % and none. Of 8, the
/// shortest: 7 %, 5 % of lower-case letters and 2 % of the others.
const MARGIN: i64 = 2;

/// Shortest text that is judged.
const LEN_MIN: usize = 8;

/// Fewest different characters of a random text.
const DISTINCT_MIN: usize = 5;

/// Most that a change between kinds of characters costs.
const CHANGE_MAX: u8 = 36;

/// Whether the order of the characters is one that no language has.
pub fn looks_random(text: &[u8]) -> bool {
    if text.len() < LEN_MIN {
        return false;
    }
    let (mut cost, mut letter, mut kind) = (0_i64, START_LETTER, START);
    for &b in text {
        let next = Kind::of(b);
        cost += i64::from(entry(&CLASSES, kind, next as usize).min(CHANGE_MAX));
        kind = next as usize;
        cost += match next {
            Kind::Lower | Kind::Upper => {
                let from = letter;
                letter = usize::from(b.to_ascii_lowercase() - b'a');
                i64::from(entry(&LETTERS, from, letter))
            }
            // A digit of ten, a sign of the three that names have, any other of all.
            Kind::Digit => 27,
            Kind::Other if b"_-.".contains(&b) => 13,
            Kind::Other => 40,
        };
        if !b.is_ascii_alphabetic() {
            letter = START_LETTER;
        }
    }
    let len = i64::try_from(text.len()).unwrap_or(i64::MAX);
    // The same few characters over and over are rare as words, and not random either.
    distinct(text.iter()) >= DISTINCT_MIN && cost > len.saturating_mul(random_cost(text) + MARGIN)
}

/// What one character costs when all characters of these kinds are alike, in eighths of a bit.
fn random_cost(text: &[u8]) -> i64 {
    let any = |kind: Kind| text.iter().any(|&b| Kind::of(b) == kind);
    let hex = text.iter().all(u8::is_ascii_hexdigit) && !(any(Kind::Lower) && any(Kind::Upper));
    let signs = distinct(text.iter().filter(|b| !b.is_ascii_alphanumeric()));
    let letters = 26 * (usize::from(any(Kind::Lower)) + usize::from(any(Kind::Upper)));
    let kinds = if hex { 16 } else { letters + 10 * usize::from(any(Kind::Digit)) + signs };
    ((kinds.max(2) as f64).log2() * 8.0).round() as i64
}

/// How many different characters there are.
fn distinct<'a>(text: impl Iterator<Item = &'a u8>) -> usize {
    let mut seen = [false; 256];
    text.for_each(|&b| seen[usize::from(b)] = true);
    seen.iter().filter(|seen| **seen).count()
}

fn entry<const COLUMNS: usize>(table: &[[u8; COLUMNS]], row: usize, column: usize) -> u8 {
    table.get(row).and_then(|row| row.get(column)).copied().unwrap_or(u8::MAX)
}

/// Kind of a character; the number is its column in [`CLASSES`].
#[derive(Clone, Copy, Eq, PartialEq)]
enum Kind {
    Lower,
    Upper,
    Digit,
    Other,
}

impl Kind {
    fn of(b: u8) -> Self {
        match b {
            b'a'..=b'z' => Self::Lower,
            b'A'..=b'Z' => Self::Upper,
            b'0'..=b'9' => Self::Digit,
            _ => Self::Other,
        }
    }
}

/// Row of [`CLASSES`] for the first character.
const START: usize = 4;

/// Row of [`LETTERS`] for the first letter, and for one behind anything else.
const START_LETTER: usize = 26;

/// Rows: a letter of either case, and the start. Columns: the letter that follows.
#[rustfmt::skip]
const LETTERS: [[u8; 26]; 27] = [
    [68, 40, 31, 31, 64, 55, 38, 77, 41, 80, 52, 24, 33, 29, 84, 37, 82, 25, 28, 20, 45, 54, 56, 49, 51, 79],
    [25, 53, 42, 53, 29, 60, 62, 80, 22, 36, 60, 22, 57, 53, 31, 52, 93, 36, 37, 40, 24, 65, 79, 65, 35, 67],
    [27, 56, 45, 57, 27, 59, 67, 26, 41, 88, 28, 35, 40, 63, 20, 48, 70, 34, 39, 25, 43, 58, 73, 64, 51, 97],
    [28, 49, 50, 33, 13, 50, 46, 57, 22, 68, 63, 39, 52, 55, 34, 49, 77, 34, 35, 46, 39, 54, 60, 62, 51, 94],
    [35, 55, 31, 31, 44, 42, 46, 68, 54, 83, 66, 38, 39, 25, 57, 43, 49, 19, 27, 26, 63, 45, 52, 34, 49, 86],
    [31, 62, 49, 44, 31, 30, 60, 75, 19, 99, 78, 26, 58, 49, 23, 50, 91, 29, 32, 36, 32, 79, 62, 85, 46, 121],
    [39, 60, 49, 60, 11, 60, 51, 41, 29, 90, 77, 33, 45, 29, 39, 50, 86, 30, 29, 42, 41, 60, 71, 79, 62, 63],
    [17, 68, 56, 48, 14, 60, 73, 74, 26, 102, 65, 54, 46, 58, 25, 56, 92, 32, 45, 35, 41, 73, 56, 84, 50, 68],
    [44, 44, 33, 33, 42, 38, 38, 94, 71, 90, 72, 34, 36, 16, 26, 41, 81, 43, 30, 25, 83, 46, 87, 52, 99, 42],
    [27, 61, 48, 51, 11, 56, 65, 68, 32, 73, 49, 64, 52, 63, 23, 45, 66, 57, 25, 53, 30, 70, 54, 106, 75, 89],
    [35, 53, 31, 48, 10, 51, 51, 54, 22, 78, 72, 46, 52, 44, 48, 51, 82, 50, 31, 42, 39, 61, 51, 87, 65, 86],
    [25, 53, 56, 37, 18, 52, 54, 60, 20, 91, 62, 28, 61, 64, 24, 53, 93, 63, 39, 34, 37, 54, 74, 77, 42, 72],
    [18, 39, 51, 44, 17, 53, 66, 73, 28, 89, 65, 44, 41, 58, 31, 23, 76, 60, 34, 50, 38, 65, 75, 82, 59, 93],
    [30, 61, 30, 26, 26, 35, 26, 67, 36, 80, 49, 38, 63, 48, 33, 53, 85, 51, 27, 22, 40, 49, 69, 81, 61, 79],
    [49, 44, 30, 33, 65, 43, 50, 78, 45, 70, 47, 34, 33, 19, 42, 30, 98, 22, 33, 38, 34, 48, 41, 64, 73, 88],
    [22, 63, 50, 54, 20, 51, 60, 44, 35, 97, 43, 32, 55, 60, 27, 38, 78, 23, 43, 27, 39, 55, 64, 80, 45, 81],
    [48, 56, 48, 53, 38, 67, 49, 64, 56, 110, 78, 28, 49, 50, 57, 55, 58, 45, 43, 50, 4, 68, 72, 94, 95, 72],
    [26, 62, 42, 44, 16, 49, 45, 74, 25, 104, 54, 45, 42, 45, 27, 48, 86, 36, 33, 31, 45, 50, 65, 74, 39, 90],
    [41, 63, 38, 63, 21, 60, 57, 37, 27, 94, 36, 31, 54, 46, 38, 37, 63, 51, 25, 19, 38, 63, 61, 73, 43, 68],
    [27, 62, 40, 53, 19, 51, 70, 33, 24, 96, 64, 44, 51, 58, 30, 47, 88, 23, 36, 37, 42, 64, 65, 47, 32, 82],
    [43, 36, 40, 45, 30, 41, 47, 90, 35, 94, 79, 29, 31, 20, 59, 32, 101, 27, 28, 24, 75, 71, 83, 60, 94, 83],
    [16, 63, 46, 58, 10, 46, 59, 61, 25, 129, 42, 48, 43, 59, 39, 51, 86, 58, 47, 49, 73, 66, 71, 54, 83, 88],
    [20, 58, 49, 43, 29, 57, 67, 36, 18, 86, 68, 43, 54, 28, 27, 52, 73, 23, 36, 49, 65, 66, 65, 71, 83, 82],
    [39, 55, 32, 43, 27, 41, 63, 60, 36, 98, 61, 46, 34, 50, 50, 23, 62, 54, 28, 14, 62, 57, 71, 41, 48, 82],
    [43, 45, 44, 52, 43, 46, 57, 64, 41, 77, 73, 35, 34, 30, 43, 11, 61, 50, 24, 29, 56, 58, 52, 82, 73, 66],
    [31, 63, 58, 60, 5, 60, 74, 59, 32, 113, 75, 48, 42, 68, 41, 65, 113, 67, 36, 67, 66, 57, 67, 71, 50, 50],
    [33, 37, 28, 35, 36, 35, 41, 47, 32, 67, 54, 40, 35, 36, 38, 32, 67, 35, 25, 33, 40, 42, 48, 43, 76, 64],
];

/// Rows: lower, upper, digit, other, and the start. Columns: what follows.
#[rustfmt::skip]
const CLASSES: [[u8; 4]; 5] = [
    [1, 36, 51, 32],
    [21, 4, 42, 24],
    [31, 34, 5, 17],
    [7, 9, 50, 60],
    [7, 9, 154, 154],
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalogue::sample::make::Rng;

    #[test]
    fn words_and_names_are_not_random() {
        for text in [
            "documentation",
            "getUserPassword",
            "AuthenticationToken",
            "my_secret_value",
            "kubernetes_service_account",
            "correct-horse-battery-staple",
            "hf_hub_download_and_cache_files_here",
            "java.lang.IllegalStateException",
            "application/octet-stream",
            "ThisTokenIsNotSoSecretChangeIt",
            "aaaaaaaaaaaaaaaa",
        ] {
            assert!(!looks_random(text.as_bytes()), "{text}");
        }
    }

    #[test]
    fn nearly_all_random_strings_look_random() {
        let mut rng = Rng::new(7);
        for alphabet in [Rng::BASE62, Rng::LETTERS, Rng::LOWER, Rng::HEX, Rng::BASE32] {
            let missed = (0..2000).filter(|_| !looks_random(rng.text(alphabet, 20).as_bytes())).count();
            assert!(missed <= 20, "{missed} of {alphabet}");
        }
    }

    #[test]
    fn anything_can_be_asked() {
        assert!(!looks_random(b""));
        assert!(!looks_random(b"x7Kq2"));
        looks_random(&[0xff; 40]);
        looks_random(&vec![b'q'; 1 << 16]);
    }
}
