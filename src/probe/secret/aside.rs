//! Small files whose search for secrets is put off, so that many are searched at once.
//!
//! The bytes of a layer pass by in one thread; files that lie in memory whole can be searched by all. What is found and
//! what is left out depend on the order of the files and not on the number of threads: budgets are shared out before.

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
    /// Paths, and bodies that lie in no piece, one behind the other.
    bytes: Vec<u8>,
    files: Vec<Held>,
    open: Option<Open>,
    /// Addresses of the piece that what is fed is a part of: a file that lies in it whole needs no copy.
    piece: Range<usize>,
    /// Bytes that the archives among them may unpack to, and those of the batch that is being searched.
    nested: u64,
    out: u64,
    /// Room that a batch had: to grow it anew each time would copy every file twice.
    spare: Vec<u8>,
}

/// The file that is passing by: where its path and its body begin, and how many bytes it is to have.
#[derive(Clone, Copy)]
struct Open {
    path: usize,
    body: usize,
    size: u64,
}

struct Held {
    path: Range<usize>,
    body: Body,
    /// Bytes that may come out of it.
    nested: u64,
}

/// Where the bytes of a file lie.
enum Body {
    /// Where they were put aside.
    Copied(Range<usize>),
    /// In the piece that is passing by.
    InPiece(Range<usize>),
}

impl<'r> Aside<'r> {
    /// Nothing yet.
    pub fn new(rules: &'r SecretRules) -> Self {
        let (bytes, files, spare) = (Vec::new(), Vec::new(), Vec::new());
        Self { rules, bytes, files, open: None, piece: 0..0, nested: 0, out: 0, spare }
    }

    /// Puts the file of this cleaned path aside if it has at most 4 MiB, and tells whether it does.
    pub fn begin(&mut self, path: &[u8], size: u64) -> bool {
        self.drop_open();
        if size > WHOLE_MAX as u64 {
            return false;
        }
        let start = self.bytes.len();
        self.bytes.extend_from_slice(path);
        self.open = Some(Open { path: start, body: self.bytes.len(), size });
        true
    }

    /// Until the next batch, what is fed lies in this piece, which is given to [`Batch::search`] then.
    pub fn lies_in(&mut self, piece: &[u8]) {
        let start = piece.as_ptr().addr();
        self.piece = start..start + piece.len();
    }

    /// Takes the next bytes of the file; together they are at most the size that was promised.
    pub fn feed(&mut self, bytes: &[u8]) {
        if let Some(Open { path, body, size }) = self.open
            && size == bytes.len() as u64
            && let Some(place) = self.place(bytes)
            && unpack::recognise(self.bytes.get(path..body).unwrap_or_default(), bytes).is_none()
        {
            self.files.push(Held { path: path..body, body: Body::InPiece(place), nested: 0 });
            self.open = None;
            return;
        }
        self.bytes.extend_from_slice(bytes);
    }

    /// Where in the piece that is passing by these bytes lie.
    fn place(&self, bytes: &[u8]) -> Option<Range<usize>> {
        let start = bytes.as_ptr().addr().checked_sub(self.piece.start)?;
        let end = start + bytes.len();
        (end <= self.piece.len()).then_some(start..end)
    }

    /// Takes the zeros of a hole.
    pub fn skip(&mut self, zeros: u64) {
        let room = WHOLE_MAX.saturating_add(self.bytes.len());
        let len = self.bytes.len().saturating_add(usize::try_from(zeros).unwrap_or(usize::MAX));
        self.bytes.resize(len.min(room), 0);
    }

    /// Ends the file, and tells whether it will be searched. `nested_left` is what may still come out of archives:
    /// where that does not reach for one more, `alone` searches it at once.
    pub fn end<T>(&mut self, nested_left: u64, alone: impl FnOnce(&[u8], &[u8]) -> T) -> Option<T> {
        let Open { path: start, body, .. } = self.open.take()?;
        let (path, body) = (start..body, body..self.bytes.len());
        let at = |range: &Range<usize>| self.bytes.get(range.clone()).unwrap_or_default();
        let nested = match unpack::recognise(at(&path), at(&body)) {
            Some(_) => nested_max(body.len() as u64),
            None => 0,
        };
        if nested > nested_left.saturating_sub(self.nested).saturating_sub(self.out) {
            let done = alone(at(&path), at(&body));
            self.bytes.truncate(start);
            return Some(done);
        }
        self.nested = self.nested.saturating_add(nested);
        self.files.push(Held { path, body: Body::Copied(body), nested });
        None
    }

    /// The last batch was searched, and what it took is accounted for.
    pub fn settle(&mut self, searched: &mut Searched) {
        self.out = 0;
        self.spare = mem::take(&mut searched.room);
        self.spare.clear();
    }

    fn drop_open(&mut self) {
        if let Some(open) = self.open.take() {
            self.bytes.truncate(open.path);
        }
    }

    /// The files that were put aside, when they have so many bytes together. `work` is what patterns may read.
    pub fn batch(&mut self, least: usize, work: u64) -> Option<Batch<'r>> {
        self.piece = 0..0;
        // What lies in a piece can not wait.
        let is_in_piece = |held: &Held| matches!(held.body, Body::InPiece(_));
        let kept = self.open.map_or(self.bytes.len(), |open| open.path);
        if self.files.is_empty() || kept < least && !self.files.iter().any(is_in_piece) {
            return None;
        }
        // The file that is passing by goes into the next batch.
        let mut rest = mem::take(&mut self.spare);
        if let Some(Open { path, body, .. }) = &mut self.open {
            rest.extend_from_slice(self.bytes.get(*path..).unwrap_or_default());
            self.bytes.truncate(*path);
            (*path, *body) = (0, *body - *path);
        }
        let bytes = mem::replace(&mut self.bytes, rest);
        self.out = mem::take(&mut self.nested);
        Some(Batch { rules: self.rules, bytes, files: mem::take(&mut self.files), work })
    }
}

/// Files that are searched together.
pub struct Batch<'r> {
    rules: &'r SecretRules,
    bytes: Vec<u8>,
    files: Vec<Held>,
    work: u64,
}

/// What came of a batch.
#[derive(Debug, Default)]
pub struct Searched {
    /// The secrets of each file, in order; an error where the search failed.
    pub files: Vec<Result<Option<FileSecrets>, Lost>>,
    /// How much was searched.
    pub coverage: Coverage,
    /// Bytes that patterns were given for these files, and have read.
    pub work: (u64, u64),
    /// Bytes that came out of archives.
    pub nested: u64,
    /// The room that the files took.
    room: Vec<u8>,
}

/// The search of a file failed.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Lost;

/// One file of a batch.
struct One {
    secrets: Option<FileSecrets>,
    coverage: Coverage,
    before: Budget,
    after: Budget,
    gave_up: bool,
}

impl<'r> Batch<'r> {
    /// Searches them on the threads of the pool at hand; some may lie in the piece that was last passing by.
    pub fn search(self, piece: &[u8]) -> Searched {
        let share = self.work / self.files.len().max(1) as u64;
        let hunter = || Hunter::new(self.rules);
        let ones: Vec<Result<One, Lost>> =
            self.files.par_iter().map_init(hunter, |hunter, held| self.one(hunter, held, piece, share)).collect();
        let mut all = Searched::default();
        for (held, one) in self.files.iter().zip(ones) {
            // What its share was too small for is searched again, by itself, with what the others left.
            let left = self.work.saturating_add(all.work.0).saturating_sub(all.work.1);
            let one = match one {
                Ok(one) if one.gave_up && left > share => self.one(&mut hunter(), held, piece, left),
                one => one,
            };
            all.files.push(one.map(|one| {
                all.coverage.add(&one.coverage);
                all.nested = all.nested.saturating_add(one.before.nested.saturating_sub(one.after.nested));
                let spent = one.before.work.saturating_add(one.after.given).saturating_sub(one.after.work);
                all.work.0 = all.work.0.saturating_add(one.after.given);
                all.work.1 = all.work.1.saturating_add(spent);
                one.secrets
            }));
        }
        all.room = self.bytes;
        all
    }

    /// Searches one. Whatever the search does with a hostile file, it must not cost the report.
    fn one(&self, hunter: &mut Hunter<'r>, held: &Held, piece: &[u8], work: u64) -> Result<One, Lost> {
        let path = self.bytes.get(held.path.clone()).unwrap_or_default();
        let body = match &held.body {
            Body::Copied(range) => self.bytes.get(range.clone()),
            Body::InPiece(range) => piece.get(range.clone()),
        };
        let body = body.unwrap_or_default();
        let before = Budget { work, nested: held.nested, given: 0 };
        let done = panic::catch_unwind(AssertUnwindSafe(|| {
            hunter.grant(before);
            hunter.begin(path, body.len() as u64);
            hunter.feed(body);
            let secrets = hunter.end();
            let (after, gave_up) = (hunter.budget(), hunter.gave_up());
            One { secrets, coverage: hunter.coverage(), before, after, gave_up }
        }));
        if done.is_err() {
            *hunter = Hunter::new(self.rules);
        }
        done.map_err(|_| Lost)
    }
}

#[cfg(test)]
mod tests {
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

    fn put(aside: &mut Aside<'_>, path: &str, body: &[u8]) -> bool {
        assert!(aside.begin(path.as_bytes(), body.len() as u64));
        body.chunks(7).for_each(|piece| aside.feed(piece));
        aside.end(u64::MAX, |_, _| ()).is_none()
    }

    fn search(batch: Option<Batch<'_>>, threads: usize) -> Searched {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads");
        pool.install(|| batch.expect("there are files").search(b""))
    }

    #[test]
    fn a_batch_says_the_same_on_any_number_of_threads() {
        let rules = rules(&["seal:"], "seal:[0-9A-Za-z]{24}");
        let told = |threads| {
            let mut aside = Aside::new(&rules);
            for number in 0..300 {
                let body = if number % 3 == 0 { "seal:aZ3kQ9xW7bN2cV5mT8rYpLs4" } else { "nothing" };
                assert!(put(&mut aside, &format!("etc/{number}"), body.as_bytes()));
            }
            let searched = search(aside.batch(1, 1 << 20), threads);
            let found: Vec<usize> = searched.files.iter().map(|f| f.iter().flatten().count()).collect();
            (found, searched.coverage, searched.work)
        };
        let (found, coverage, work) = told(1);
        assert_eq!(found.iter().sum::<usize>(), 100);
        assert_eq!((coverage.files, &coverage.unread), (300, &Default::default()));
        assert_eq!(told(4), (found, coverage, work));
    }

    #[test]
    fn a_file_that_needs_more_than_its_share_gets_what_the_others_left() {
        let rules = rules(&["seal:"], "(?s)seal:.{0,2000}seal=[0-9A-Za-z]{24}");
        let near = [&b"seal:".repeat(2_000)[..], b"seal=aZ3kQ9xW7bN2cV5mT8rYpLs4"].concat();
        let found = |work| {
            let mut aside = Aside::new(&rules);
            put(&mut aside, "near", &near);
            (0..200).for_each(|number| assert!(put(&mut aside, &format!("{number}"), b"nothing")));
            let searched = search(aside.batch(1, work), 2);
            (searched.files.iter().flatten().flatten().count(), searched.coverage.unread.len())
        };
        assert_eq!(found(64 << 20), (1, 0), "there is enough for one");
        assert_eq!(found(0), (0, 1), "nor is it ever more than there is, and that is said");
    }

    #[test]
    fn a_file_that_passes_by_goes_into_the_next_batch() {
        let rules = rules(&["seal:"], "seal:[0-9A-Za-z]{24}");
        let mut aside = Aside::new(&rules);
        assert!(put(&mut aside, "one", b"nothing"));
        assert!(aside.begin(b"two", 29));
        aside.feed(b"seal:aZ3kQ9xW7b");
        assert!(aside.batch(1 << 20, 0).is_none(), "too little");
        assert_eq!(search(aside.batch(1, 0), 1).files.len(), 1);
        aside.feed(b"N2cV5mT8rYpLs4");
        assert!(aside.end(0, |_, _| ()).is_none());
        let searched = search(aside.batch(1, 1 << 20), 1);
        assert!(matches!(&searched.files[..], [Ok(Some(secrets))] if secrets.seen.len() == 1), "{searched:?}");
    }

    #[test]
    fn a_file_that_lies_in_a_piece_whole_is_searched_there() {
        let rules = rules(&["seal:"], "seal:[0-9A-Za-z]{24}");
        let piece = b"seal:aZ3kQ9xW7bN2cV5mT8rYpLs4 and another seal:aZ3kQ9xW7bN2cV5mT8rYpLs5 cut sea";
        let mut aside = Aside::new(&rules);
        aside.lies_in(piece);
        for (path, body) in [(&b"one"[..], &piece[..29]), (b"two", &piece[29..71]), (b"elsewhere", b"seal:none")] {
            assert!(aside.begin(path, body.len() as u64));
            aside.feed(body);
            assert!(aside.end(0, |_, _| ()).is_none());
        }
        assert!(aside.begin(b"cut", 20));
        aside.feed(&piece[71..]);
        assert_eq!(aside.bytes, b"onetwoelsewhereseal:nonecut cut sea", "what lies in no piece, or in two, is copied");
        let searched = aside.batch(1, 1 << 20).expect("there are files").search(piece);
        let found: Vec<usize> = searched.files.iter().map(|file| file.iter().flatten().count()).collect();
        assert_eq!((found, searched.coverage.bytes), (vec![1, 1, 0], 29 + 42 + 9));
        // The next piece may lie where the last one did.
        aside.feed(b"");
        assert!(aside.place(piece).is_none());
    }

    #[test]
    fn archives_wait_only_as_long_as_what_they_may_unpack_to_is_left() {
        let rules = rules(&["seal:"], "seal:[0-9A-Za-z]{24}");
        let mut aside = Aside::new(&rules);
        let zip = b"PK\x03\x04 and nothing more";
        let room = nested_max(zip.len() as u64);
        let mut put = |left| {
            assert!(aside.begin(b"a.zip", zip.len() as u64));
            aside.feed(zip);
            aside.end(left, |path, body| (path.to_vec(), body.to_vec()))
        };
        assert_eq!(put(room), None);
        assert_eq!(put(room), Some((b"a.zip".to_vec(), zip.to_vec())), "the first one has it");
        assert_eq!(put(2 * room), None);
        assert!(!aside.begin(b"large", WHOLE_MAX as u64 + 1));
    }
}
