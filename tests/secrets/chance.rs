//! Random numbers that a seed repeats, and the alphabets that tokens are drawn from.

/// SplitMix64: small, and good enough to make tokens that nobody has.
#[derive(Clone)]
pub struct Chance(u64);

pub const DIGITS: &[u8] = b"0123456789";
pub const HEX: &[u8] = b"0123456789abcdef";
pub const HEX_UPPER: &[u8] = b"0123456789ABCDEF";
pub const LOWER: &[u8] = b"abcdefghijklmnopqrstuvwxyz";
pub const UPPER: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ";
pub const LETTERS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub const LOWER_DIGITS: &[u8] = b"abcdefghijklmnopqrstuvwxyz0123456789";
pub const UPPER_DIGITS: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
pub const BASE32: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
pub const BASE62: &[u8] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
pub const BASE64: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
pub const BASE64URL: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
/// What people and password managers use, without what needs quoting anywhere.
pub const PASSWORD: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789!*-_.~+";

impl Chance {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Another sequence, that does not depend on how much of this one was used.
    pub fn branch(&self, name: &str) -> Self {
        let hash = name
            .bytes()
            .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        let mut new = Self(self.0 ^ hash);
        new.next();
        new
    }

    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `end`.
    pub fn below(&mut self, end: usize) -> usize {
        (self.next() % end as u64) as usize
    }

    pub fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    pub fn bytes(&mut self, len: usize) -> Vec<u8> {
        (0..len).map(|_| self.next() as u8).collect()
    }

    /// Characters of an alphabet. From six on they hold what a random value of that alphabet nearly always holds: a
    /// letter and a digit, and both cases, so that no sample of a test set is a freak.
    pub fn text(&mut self, alphabet: &[u8], len: usize) -> String {
        loop {
            let text: String = (0..len).map(|_| char::from(*self.pick(alphabet))).collect();
            let has = |test: fn(&u8) -> bool| !alphabet.iter().any(test) || text.bytes().any(|byte| test(&byte));
            let fair = has(u8::is_ascii_digit) && has(u8::is_ascii_uppercase) && has(u8::is_ascii_lowercase);
            if len < 6 || fair {
                return text;
            }
        }
    }

    pub fn uuid(&mut self) -> String {
        let hex = self.text(HEX, 32);
        format!("{}-{}-4{}-a{}-{}", &hex[..8], &hex[8..12], &hex[13..16], &hex[17..20], &hex[20..])
    }

    pub fn word(&mut self) -> &'static str {
        const WORDS: &[&str] = &[
            "orders", "billing", "catalog", "search", "gateway", "ledger", "notify", "report", "session", "stock",
            "account", "invoice", "cart", "media", "mailer", "worker", "planner", "export", "import", "profile",
        ];
        WORDS[self.below(WORDS.len())]
    }

    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for at in (1..items.len()).rev() {
            items.swap(at, self.below(at + 1));
        }
    }
}
