//! Texts of three bytes, put so that a vector compares many of them at once.
//!
//! Heads that are like each other share a group, which is one bit. A byte is looked up by its two halves: they tell in which
//! groups it stands first, second or third. Three bytes that fit a group may be no head of it, so the caller compares; how
//! seldom that is depends on the groups, which are chosen by how common bytes are. After Teddy, of Hyperscan.

/// Bytes of a text that is looked up.
pub const HEAD: usize = 3;

/// Groups that are compared at once, one for each bit of a byte.
const GROUPS: usize = 8;

/// One for each value of half a byte.
pub(super) type Halves = [u8; 16];

/// A set of bytes for each bit: those whose halves both have it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sets {
    pub low: Halves,
    pub high: Halves,
}

impl Sets {
    pub const EMPTY: Self = Self { low: [0; 16], high: [0; 16] };

    /// Adds a bit for the bytes whose halves are in these sets of sixteen.
    pub const fn add(&mut self, bit: u8, low: u16, high: u16) {
        let mut at = 0;
        while at < self.low.len() {
            self.low[at] |= if low >> at & 1 == 1 { bit } else { 0 };
            self.high[at] |= if high >> at & 1 == 1 { bit } else { 0 };
            at += 1;
        }
    }

    pub const fn of(&self, byte: u8) -> u8 {
        self.low[(byte & 15) as usize] & self.high[(byte >> 4) as usize]
    }
}

/// Texts of three bytes, in rows of eight groups: of each group the bytes that stand first, second and third in it.
#[derive(Clone, Debug)]
pub struct Heads {
    /// The first row, which may be empty, and the others.
    pub(super) first: [Sets; HEAD],
    pub(super) rest: Vec<[Sets; HEAD]>,
    /// Whether some head begins with a byte, for who compares one by one.
    pub(super) begins: [bool; 256],
}

impl Heads {
    /// Takes heads, each with whether its case counts. More rows find less that is none, and take longer.
    pub fn new(heads: impl IntoIterator<Item = ([u8; HEAD], bool)>, rows: usize) -> Self {
        let mut all: Vec<([u8; HEAD], bool)> = heads.into_iter().collect();
        all.sort_unstable();
        all.dedup();
        let all: Vec<Group> = all.into_iter().map(|(head, exact)| Group::new(head, exact)).collect();
        let groups = grouped(all, rows * GROUPS);
        let row = |groups: &[Group]| {
            let mut row = [Sets::EMPTY; HEAD];
            for (bit, group) in groups.iter().enumerate() {
                for (set, (low, high)) in row.iter_mut().zip(group.0) {
                    set.add(1 << bit, low, high);
                }
            }
            row
        };
        Self::of_rows(groups.chunks(GROUPS).map(row))
    }

    pub(super) fn of_rows(rows: impl IntoIterator<Item = [Sets; HEAD]>) -> Self {
        let mut rest: Vec<[Sets; HEAD]> = rows.into_iter().collect();
        let begins = std::array::from_fn(|byte| rest.iter().any(|[first, ..]| first.of(byte as u8) != 0));
        let first = if rest.is_empty() { [Sets::EMPTY; HEAD] } else { rest.remove(0) };
        Self { first, rest, begins }
    }

    /// Whether one of them may stand where `here` begins: surely so, where it does.
    pub(super) fn may_stand(&self, here: &[u8]) -> bool {
        let Some(&[first, second, third]) = here.first_chunk() else { return false };
        std::iter::once(&self.first).chain(&self.rest).any(|[a, b, c]| a.of(first) & b.of(second) & c.of(third) != 0)
    }
}

/// What heads have in common: for each of their bytes the lower and the upper halves.
#[derive(Clone, Copy, Debug, Default)]
struct Group([(u16, u16); HEAD]);

impl Group {
    fn new(head: [u8; HEAD], exact: bool) -> Self {
        Self(head.map(|byte| {
            let other = if exact || !byte.is_ascii_alphabetic() { byte } else { byte ^ 0x20 };
            (1 << (byte & 15), 1 << (byte >> 4) | 1 << (other >> 4))
        }))
    }

    fn with(&self, other: &Self) -> Self {
        let mut both = *self;
        for (mine, its) in both.0.iter_mut().zip(&other.0) {
            *mine = (mine.0 | its.0, mine.1 | its.1);
        }
        both
    }

    /// How often its halves meet, by how common bytes are.
    fn cost(&self) -> u64 {
        let bytes = |(low, high): (u16, u16)| {
            bits(high).map(|high| bits(low).map(|low| common(high << 4 | low)).sum::<u64>()).sum::<u64>()
        };
        self.0.iter().map(|&halves| bytes(halves)).product()
    }
}

/// The numbers of the bits that are set.
fn bits(set: u16) -> impl Iterator<Item = u8> {
    (0..16).filter(move |bit| set >> bit & 1 == 1)
}

/// Joins neighbours among sorted heads until no more than so many groups are left, always those that cost the least
/// together.
fn grouped(heads: Vec<Group>, most: usize) -> Vec<Group> {
    let joined = |one: &Group, next: &Group| {
        let both = one.with(next);
        both.cost().saturating_sub(one.cost() + next.cost())
    };
    let mut groups = heads;
    let mut costs: Vec<u64> = groups.iter().zip(groups.iter().skip(1)).map(|(one, next)| joined(one, next)).collect();
    while groups.len() > most.max(1) {
        let Some(at) = (0..costs.len()).min_by_key(|&at| costs[at]) else { break };
        let next = groups.remove(at + 1);
        groups[at] = groups[at].with(&next);
        costs.remove(at);
        for pair in at.saturating_sub(1)..costs.len().min(at + 1) {
            costs[pair] = joined(&groups[pair], &groups[pair + 1]);
        }
    }
    groups
}

/// How many of a thousand bytes of programs and texts are this one, roughly: what is looked for should be rare.
pub fn common(byte: u8) -> u64 {
    match byte {
        b'e' | b' ' => 60,
        b't' | b'r' | b'n' | b'a' | b's' | b'o' | b'i' => 36,
        b'l' | b'c' | b'd' | b'p' | b'u' | b',' | b'\n' => 19,
        b'm' | b'h' | b'f' | b'g' | b'"' | b'.' => 12,
        b'b' | b'y' | b'_' | b'/' | b':' | b'=' | b'(' | b')' => 8,
        b'A'..=b'Z' | b'0'..=b'9' | b'v' | b'w' | b'x' | b'k' | b'-' => 4,
        b'!'..=b'~' => 2,
        _ => 1,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn heads_share_groups_with_those_that_they_are_like() {
        let many: Vec<[u8; HEAD]> = (b'a'..=b'z').flat_map(|a| [[a, b'_', b'x'], [b'A', a, b'9']]).collect();
        let all = Heads::new(many.iter().map(|head| (*head, true)), 1);
        assert!(all.rest.is_empty());
        assert!(many.iter().all(|head| all.may_stand(head)));
        let texts = (0..1 << 15).map(|n: u16| [n, n >> 5, n >> 10].map(|n| b'`' + (n & 31) as u8));
        assert_eq!(texts.filter(|text| all.may_stand(text) && !many.contains(text)).count(), 0);
        assert!(!all.may_stand(b"a_") && !Heads::new([], 1).may_stand(b"a_x"));
    }

    #[test]
    fn more_rows_let_less_through() {
        let noise = (0..100_u32).map(|n| n.wrapping_mul(0x9e37_79b1) >> 8).map(|n| [n, n >> 5, n >> 10]);
        let heads: Vec<[u8; HEAD]> = noise.map(|text| text.map(|n| b'`' + (n & 31) as u8)).collect();
        let texts: Vec<_> = (0..1 << 15).map(|n: u16| [n, n >> 5, n >> 10].map(|n| b'`' + (n & 31) as u8)).collect();
        let through = |rows| {
            let all = Heads::new(heads.iter().map(|head| (*head, true)), rows);
            assert!(heads.iter().all(|head| all.may_stand(head)), "{rows}");
            texts.iter().filter(|text| all.may_stand(*text)).count()
        };
        let (one, four) = (through(1), through(4));
        assert!(four * 4 < one, "{one} {four}");
    }

    #[test]
    fn case_counts_where_it_is_said() {
        let (exact, any) = (Heads::new([(*b"tok", true)], 1), Heads::new([(*b"tok", false)], 1));
        for text in [b"tok", b"TOK", b"tOk"] {
            assert_eq!((exact.may_stand(text), any.may_stand(text)), (text == b"tok", true));
        }
    }
}
