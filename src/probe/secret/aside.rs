//! The search for secrets of the files of a layer, put off until a piece of the layer has passed by.
//!
//! The bytes of a layer pass by in one thread. Small files are kept whole and searched by all threads; what has to be
//! done with large ones is noted step by step, and done beside them in the order of the layer. What is found and what
//! is left out depend on the order of the files and not on the number of threads: budgets are shared out before.

use std::{
    mem,
    ops::Range,
    panic::{self, AssertUnwindSafe},
};

use rayon::prelude::*;

use super::{
    hunt::{Budget, Hunter, WHOLE_MAX, nested_max},
    rules::SecretRules,
    unpack,
};
use crate::model::{Coverage, FileSecrets};

/// Files that were put aside, one of them perhaps still passing by.
pub struct Aside<'r> {
    rules: &'r SecretRules,
    /// Follows the large files; a batch that is being searched has it.
    large: Option<Large<'r>>,
    /// What it has to do next.
    steps: Vec<Step>,
    /// Paths, and bodies that lie in no piece, one behind the other.
    bytes: Vec<u8>,
    files: Vec<Held>,
    open: Open,
    /// Addresses of the piece that what is fed is a part of: a file that lies in it whole needs no copy.
    piece: Range<usize>,
    /// Bytes that may still come out of the layer's archives, as far as batches were settled.
    nested_left: u64,
    /// Bytes that the small archives put aside may unpack to, and those of the batch that is being searched.
    nested: u64,
    out: u64,
    /// Room that a batch had: to grow it anew each time would copy every file twice.
    spare: Vec<u8>,
}

/// The file that is passing by.
#[derive(Clone, Copy)]
enum Open {
    None,
    /// Where its path and its body begin, and how many bytes it is to have.
    Small {
        path: usize,
        body: usize,
        size: u64,
    },
    /// It lies in the piece, and is held already.
    Placed,
    Large,
}

/// A file that ended.
enum Held {
    /// It lies in memory whole.
    Small { path: Range<usize>, body: Body, nested: u64 },
    /// It is searched by steps.
    Large,
}

/// Where bytes of a file lie.
enum Body {
    /// Where they were put aside.
    Copied(Range<usize>),
    /// In the piece that is passing by.
    InPiece(Range<usize>),
}

/// What is to be done with a large file.
enum Step {
    Begin { path: Range<usize>, size: u64 },
    Feed(Body),
    Skip(u64),
    End,
}

impl<'r> Aside<'r> {
    /// Nothing yet.
    pub fn new(rules: &'r SecretRules) -> Self {
        let large = Large { hunter: Hunter::new(rules), lost: false };
        Self {
            rules,
            nested_left: large.hunter.budget().nested,
            large: Some(large),
            steps: Vec::new(),
            bytes: Vec::new(),
            files: Vec::new(),
            open: Open::None,
            piece: 0..0,
            nested: 0,
            out: 0,
            spare: Vec::new(),
        }
    }

    /// Starts the file of this cleaned path and size, in bytes.
    pub fn begin(&mut self, path: &[u8], size: u64) {
        if let Open::Small { path, .. } = self.open {
            self.bytes.truncate(path);
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(path);
        let body = self.bytes.len();
        self.open = if size > WHOLE_MAX as u64 {
            self.steps.push(Step::Begin { path: start..body, size });
            Open::Large
        } else {
            Open::Small { path: start, body, size }
        };
    }

    /// Until the next batch, what is fed lies in this piece, which is given to [`Batch::search`] then.
    pub fn lies_in(&mut self, piece: &[u8]) {
        let start = piece.as_ptr().addr();
        self.piece = start..start + piece.len();
    }

    /// Takes the next bytes of the file; together they are at most the size that was promised.
    pub fn feed(&mut self, bytes: &[u8]) {
        let place = self.place(bytes);
        match self.open {
            Open::None | Open::Placed => {}
            Open::Large => {
                let body = match place {
                    Some(place) => Body::InPiece(place),
                    None => self.copy(bytes),
                };
                self.steps.push(Step::Feed(body));
            }
            Open::Small { path, body, size } => {
                if let Some(place) = place.filter(|_| size == bytes.len() as u64)
                    && unpack::recognise(self.bytes.get(path..body).unwrap_or_default(), bytes).is_none()
                {
                    self.files.push(Held::Small { path: path..body, body: Body::InPiece(place), nested: 0 });
                    self.open = Open::Placed;
                } else {
                    self.bytes.extend_from_slice(bytes);
                }
            }
        }
    }

    fn copy(&mut self, bytes: &[u8]) -> Body {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(bytes);
        Body::Copied(start..self.bytes.len())
    }

    /// Where in the piece that is passing by these bytes lie.
    fn place(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let start = bytes.as_ptr().addr().checked_sub(self.piece.start)?;
        let end = start + bytes.len();
        (end <= self.piece.len()).then_some(start..end)
    }

    /// Takes the zeros of a hole.
    pub fn skip(&mut self, zeros: u64) {
        match self.open {
            Open::None | Open::Placed => {}
            Open::Large => self.steps.push(Step::Skip(zeros)),
            Open::Small { .. } => {
                let room = WHOLE_MAX.saturating_add(self.bytes.len());
                let len = self.bytes.len().saturating_add(usize::try_from(zeros).unwrap_or(usize::MAX));
                self.bytes.resize(len.min(room), 0);
            }
        }
    }

    /// Ends the file. An archive that may unpack to more than what is left beside the others is searched as large
    /// files are, when what the others took is known.
    pub fn end(&mut self) {
        match mem::replace(&mut self.open, Open::None) {
            Open::None | Open::Placed => {}
            Open::Large => {
                self.steps.push(Step::End);
                self.files.push(Held::Large);
            }
            Open::Small { path: start, body, .. } => {
                let (path, body) = (start..body, body..self.bytes.len());
                let at = |range: &Range<usize>| self.bytes.get(range.clone()).unwrap_or_default();
                let size = body.len() as u64;
                let nested = unpack::recognise(at(&path), at(&body)).map_or(0, |_| nested_max(size));
                if nested > self.nested_left.saturating_sub(self.nested).saturating_sub(self.out) {
                    self.steps.extend([Step::Begin { path, size }, Step::Feed(Body::Copied(body)), Step::End]);
                    self.files.push(Held::Large);
                    return;
                }
                self.nested = self.nested.saturating_add(nested);
                self.files.push(Held::Small { path, body: Body::Copied(body), nested });
            }
        }
    }

    /// What was put aside since the last batch, which has to be settled. What lies in a piece can not wait longer.
    pub fn batch(&mut self) -> Option<Batch<'r>> {
        if self.files.is_empty() && self.steps.is_empty() {
            return None;
        }
        let large = self.large.take()?;
        self.piece = 0..0;
        // A small file that is passing by goes into the next batch.
        let mut rest = mem::take(&mut self.spare);
        if let Open::Small { path, body, .. } = &mut self.open {
            rest.extend_from_slice(self.bytes.get(*path..).unwrap_or_default());
            self.bytes.truncate(*path);
            (*path, *body) = (0, *body - *path);
        }
        let bytes = mem::replace(&mut self.bytes, rest);
        self.out = mem::take(&mut self.nested);
        Some(Batch {
            rules: self.rules,
            bytes,
            files: mem::take(&mut self.files),
            steps: mem::take(&mut self.steps),
            large,
        })
    }

    /// Takes over what a batch did, and gives what came of its files, in the order in which they ended: `None` where
    /// there is no secret.
    pub fn settle(&mut self, searched: Searched<'r>) -> Vec<Result<Option<FileSecrets>, Lost>> {
        let Searched { told, mut room, mut large } = searched;
        large.hunter.account(&told);
        self.nested_left = large.hunter.budget().nested;
        self.large = Some(large);
        self.out = 0;
        room.clear();
        self.spare = room;
        told.files
    }

    /// How much was searched since this was asked last, and what was not.
    pub fn coverage(&mut self) -> Coverage {
        self.large.as_mut().map(|large| large.hunter.coverage()).unwrap_or_default()
    }
}

/// Files that are searched together.
pub struct Batch<'r> {
    rules: &'r SecretRules,
    bytes: Vec<u8>,
    files: Vec<Held>,
    steps: Vec<Step>,
    large: Large<'r>,
}

/// A batch that was searched.
pub struct Searched<'r> {
    told: Told,
    /// The room that the files took.
    room: Vec<u8>,
    large: Large<'r>,
}

/// The search of a file failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lost;

/// One small file of a batch.
struct One {
    secrets: Option<FileSecrets>,
    coverage: Coverage,
    before: Budget,
    after: Budget,
    gave_up: bool,
}

impl<'r> Batch<'r> {
    /// Searches them on the threads of the pool at hand; some may lie in the piece that was last passing by.
    pub fn search(self, piece: &[u8]) -> Searched<'r> {
        let Self { rules, bytes, files, steps, mut large } = self;
        let budget = large.hunter.budget();
        let smalls: Vec<_> = files.iter().filter_map(|held| Small::of(held, &bytes, piece)).collect();
        let share = budget.work / smalls.len().max(1) as u64;
        let hunter = || Hunter::new(rules);
        // What comes out of the small archives is taken off afterwards: together they may take twice what is left, once.
        let (larges, ones): (Vec<_>, Vec<_>) = rayon::join(
            || steps.iter().filter_map(|step| large.take(step, rules, &bytes, piece)).collect(),
            || smalls.par_iter().map_init(hunter, |hunter, small| small.search(hunter, rules, share)).collect(),
        );
        let (mut larges, mut ones) = (larges.into_iter(), smalls.iter().zip(ones));
        let mut all = Told::default();
        for held in &files {
            let told = match held {
                Held::Large => larges.next(),
                Held::Small { .. } => ones.next().map(|(small, one)| {
                    // What its share was too small for is searched again, by itself, with what the others left.
                    let left = budget.work.saturating_add(all.given).saturating_sub(all.spent);
                    let one = match one {
                        Ok(one) if one.gave_up && left > share => small.search(&mut hunter(), rules, left),
                        one => one,
                    };
                    one.map(|one| all.add(one))
                }),
            };
            all.files.push(told.unwrap_or(Err(Lost)));
        }
        Searched { told: all, room: bytes, large }
    }
}

/// What came of the files of a batch. All but the files is of the small ones.
#[derive(Debug, Default)]
pub struct Told {
    /// The secrets of each file, in the order in which they ended; an error where the search failed.
    pub files: Vec<Result<Option<FileSecrets>, Lost>>,
    /// How much was searched.
    pub coverage: Coverage,
    /// Bytes that patterns were given for these files, and those that they have read.
    pub given: u64,
    pub spent: u64,
    /// Bytes that came out of archives.
    pub nested: u64,
}

impl Told {
    fn add(&mut self, One { secrets, coverage, before, after, .. }: One) -> Option<FileSecrets> {
        self.coverage.add(&coverage);
        self.nested = self.nested.saturating_add(before.nested.saturating_sub(after.nested));
        let spent = before.work.saturating_add(after.given).saturating_sub(after.work);
        self.given = self.given.saturating_add(after.given);
        self.spent = self.spent.saturating_add(spent);
        secrets
    }
}

impl Body {
    fn of<'b>(&self, bytes: &'b [u8], piece: &'b [u8]) -> &'b [u8] {
        let body = match self {
            Self::Copied(range) => bytes.get(range.clone()),
            Self::InPiece(range) => piece.get(range.clone()),
        };
        body.unwrap_or_default()
    }
}

/// A file that lies in memory whole.
struct Small<'b> {
    path: &'b [u8],
    body: &'b [u8],
    /// Bytes that may come out of it.
    nested: u64,
}

impl<'b> Small<'b> {
    fn of(held: &Held, bytes: &'b [u8], piece: &'b [u8]) -> Option<Self> {
        let Held::Small { path, body, nested } = held else { return None };
        let path = bytes.get(path.clone()).unwrap_or_default();
        Some(Self { path, body: body.of(bytes, piece), nested: *nested })
    }

    /// Searches it. Whatever the search does with a hostile file, it must not cost the report.
    fn search<'r>(&self, hunter: &mut Hunter<'r>, rules: &'r SecretRules, work: u64) -> Result<One, Lost> {
        let before = Budget { work, nested: self.nested, given: 0 };
        let done = panic::catch_unwind(AssertUnwindSafe(|| {
            hunter.grant(before);
            hunter.begin(self.path, self.body.len() as u64);
            hunter.feed(self.body);
            let secrets = hunter.end();
            let (after, gave_up) = (hunter.budget(), hunter.gave_up());
            One { secrets, coverage: hunter.coverage(), before, after, gave_up }
        }));
        if done.is_err() {
            *hunter = Hunter::new(rules);
        }
        done.map_err(|_| Lost)
    }
}

/// Follows large files from batch to batch.
struct Large<'r> {
    hunter: Hunter<'r>,
    /// Whether the search failed in the file at hand.
    lost: bool,
}

impl<'r> Large<'r> {
    /// Takes a step; the last one of a file tells what is in it. Whatever it does, it must not cost the report.
    fn take(
        &mut self,
        step: &Step,
        rules: &'r SecretRules,
        bytes: &[u8],
        piece: &[u8],
    ) -> Option<Result<Option<FileSecrets>, Lost>> {
        self.lost &= !matches!(step, Step::Begin { .. });
        let (before, hunter) = (self.hunter.budget(), &mut self.hunter);
        let done = panic::catch_unwind(AssertUnwindSafe(|| {
            match step {
                _ if self.lost => {}
                Step::Begin { path, size } => hunter.begin(bytes.get(path.clone()).unwrap_or_default(), *size),
                Step::Feed(body) => hunter.feed(body.of(bytes, piece)),
                Step::Skip(zeros) => hunter.skip(*zeros),
                Step::End => return hunter.end(),
            }
            None
        }));
        if done.is_err() {
            self.lost = true;
            self.hunter = Hunter::new(rules);
            self.hunter.grant(before);
        }
        let is_end = matches!(step, Step::End);
        is_end.then(|| if self.lost { Err(Lost) } else { Ok(done.ok().flatten()) })
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::probe::secret::{Edge, Find, Form, Holds, Pattern, Reader, Scope};

    fn rules(words: &[&str], pattern: &str) -> SecretRules {
        SecretRules::new(vec![Form {
            rule: "secret/tok".to_string(),
            name: String::new(),
            find: Find::Words {
                words: words.iter().map(ToString::to_string).collect(),
                exact: true,
                scope: Scope::Any,
            },
            files: Vec::new(),
            reader: Reader::Pattern(Pattern::new(pattern, Holds::Anywhere)),
            inside: false,
            lead: None,
            assigned: false,
            before: 0,
            edge: Edge::None,
            check: None,
            min_entropy: None,
            show: 0,
            harmless: None,
            general: false,
        }])
    }

    fn put(aside: &mut Aside<'_>, path: &str, body: &[u8]) {
        aside.begin(path.as_bytes(), body.len() as u64);
        body.chunks(if body.len() > WHOLE_MAX { 65_536 } else { 7 }).for_each(|piece| aside.feed(piece));
        aside.end();
    }

    /// What a batch told, after it was settled.
    fn search(aside: &mut Aside<'_>, piece: &[u8], threads: usize) -> Vec<Result<usize, Lost>> {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        let batch = aside.batch().expect("there are files");
        let searched = pool.install(|| batch.search(piece));
        let count = |secrets: Option<FileSecrets>| secrets.map_or(0, |secrets| secrets.seen.len());
        aside.settle(searched).into_iter().map(|file| file.map(count)).collect()
    }

    const SECRET: &[u8] = b"seal:aZ3kQ9xW7bN2cV5mT8rYpLs4";

    #[test]
    fn a_batch_says_the_same_on_any_number_of_threads() {
        let rules = rules(&["seal:"], "seal:[0-9A-Za-z]{24}");
        let large = [&vec![b'.'; WHOLE_MAX][..], SECRET, b" ", SECRET].concat();
        let told = |threads| {
            let mut aside = Aside::new(&rules);
            for number in 0..300 {
                put(&mut aside, &format!("etc/{number}"), if number % 3 == 0 { SECRET } else { b"nothing" });
                if number % 100 == 50 {
                    put(&mut aside, "large", &large);
                }
            }
            let found = search(&mut aside, b"", threads);
            (found, aside.coverage(), aside.large.as_ref().map(|large| large.hunter.budget()))
        };
        let (found, coverage, budget) = told(1);
        let found_of = |at: usize| found[at].expect("searched");
        assert_eq!([0, 1, 50, 51, 52, 300].map(found_of), [1, 0, 0, 2, 1, 1], "in the order in which they ended");
        assert_eq!(found.iter().flatten().sum::<usize>(), 100 + 3 * 2);
        assert_eq!((coverage.files, &coverage.unread), (303, &Default::default()));
        assert_eq!(told(4), (found, coverage, budget));
    }

    #[test]
    fn a_file_that_needs_more_than_its_share_gets_what_the_others_left() {
        let rules = rules(&["seal:"], "(?s)seal:.{0,2000}seal=[0-9A-Za-z]{24}");
        let near = [&b"seal:".repeat(2_000)[..], b"seal=aZ3kQ9xW7bN2cV5mT8rYpLs4"].concat();
        let found = |work| {
            let mut aside = Aside::new(&rules);
            let hunter = &mut aside.large.as_mut().expect("at rest").hunter;
            hunter.grant(Budget { work, ..hunter.budget() });
            put(&mut aside, "near", &near);
            (0..200).for_each(|number| put(&mut aside, &format!("{number}"), b"nothing"));
            let found = search(&mut aside, b"", 2).into_iter().flatten().sum::<usize>();
            (found, aside.coverage().unread.len())
        };
        assert_eq!(found(64 << 20), (1, 0), "there is enough for one");
        assert_eq!(found(0), (0, 1), "nor is it ever more than there is, and that is said");
    }

    #[test]
    fn a_small_file_that_passes_by_goes_into_the_next_batch_and_a_large_one_goes_on_in_it() {
        let rules = rules(&["seal:"], "seal:[0-9A-Za-z]{24}");
        let mut aside = Aside::new(&rules);
        assert!(aside.batch().is_none());
        put(&mut aside, "one", b"nothing");
        aside.begin(b"two", SECRET.len() as u64);
        aside.feed(&SECRET[..15]);
        assert_eq!(search(&mut aside, b"", 1), [Ok(0)]);
        aside.feed(&SECRET[15..]);
        aside.end();
        aside.begin(b"three", WHOLE_MAX as u64 + 50);
        aside.feed(&SECRET[..15]);
        assert_eq!(search(&mut aside, b"", 1), [Ok(1)]);
        aside.feed(&SECRET[15..]);
        assert_eq!(search(&mut aside, b"", 1), []);
        aside.skip(WHOLE_MAX as u64);
        aside.end();
        assert_eq!(search(&mut aside, b"", 1), [Ok(1)]);
        // One that was left, as in an archive that ends in it.
        aside.begin(b"four", WHOLE_MAX as u64 + 50);
        aside.feed(SECRET);
        put(&mut aside, "five", b"nothing");
        assert_eq!(search(&mut aside, b"", 1), [Ok(0)]);
    }

    #[test]
    fn what_lies_in_a_piece_is_searched_there() {
        let rules = rules(&["seal:"], "seal:[0-9A-Za-z]{24}");
        let piece = b"seal:aZ3kQ9xW7bN2cV5mT8rYpLs4 and another seal:aZ3kQ9xW7bN2cV5mT8rYpLs5 cut sea";
        let mut aside = Aside::new(&rules);
        aside.lies_in(piece);
        for (path, body) in [(&b"one"[..], &piece[..29]), (b"two", &piece[29..71]), (b"elsewhere", b"seal:none")] {
            aside.begin(path, body.len() as u64);
            aside.feed(body);
            aside.end();
        }
        aside.begin(b"large", WHOLE_MAX as u64 + 1);
        aside.feed(&piece[29..71]);
        aside.end();
        aside.begin(b"cut", 20);
        aside.feed(&piece[71..]);
        assert_eq!(
            aside.bytes, b"onetwoelsewhereseal:nonelargecut cut sea",
            "what lies in no piece, or in two, is copied"
        );
        assert_eq!(search(&mut aside, piece, 2), [Ok(1), Ok(1), Ok(0), Ok(1)]);
        assert_eq!(aside.coverage().bytes, 29 + 42 + 9 + 42);
        // The next piece may lie where the last one did.
        aside.feed(b"");
        assert!(aside.place(piece).is_none());
    }

    #[test]
    fn archives_are_searched_beside_others_only_as_far_as_what_they_may_unpack_to_is_left() {
        let rules = rules(&["seal:"], "seal:[0-9A-Za-z]{24}");
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        gzip.write_all(SECRET).expect("to memory");
        let gzip = gzip.finish().expect("to memory");
        let room = nested_max(gzip.len() as u64);
        let waiting = |left: u64, count: usize| {
            let mut aside = Aside::new(&rules);
            let hunter = &mut aside.large.as_mut().expect("at rest").hunter;
            hunter.grant(Budget { nested: left, ..hunter.budget() });
            aside.nested_left = left;
            (0..count).for_each(|_| put(&mut aside, "a.gz", &gzip));
            let large = aside.files.iter().filter(|held| matches!(held, Held::Large)).count();
            let found = search(&mut aside, b"", 2).into_iter().flatten().sum::<usize>();
            (large, found, aside.coverage().unread.len())
        };
        assert_eq!(waiting(3 * room, 3), (0, 3, 0));
        assert_eq!(waiting(2 * room, 5), (3, 5, 0), "the others have what these leave, which is nearly all");
        assert_eq!(waiting(0, 1), (1, 0, 1));
    }
}
