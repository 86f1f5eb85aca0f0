//! The engine on files that are cut, hidden, large or hostile. Rules of their own, so that these tests are about the
//! engine and not about the catalogue.

use super::{
    Edge, FilePath, Find, Form, Holds, Hunter, Pattern, Reader, Scope, SecretRules,
    search::{Context, search},
};
use crate::model::{FileSecrets, Unread};

fn form(rule: &str, find: Find, pattern: &str) -> Form {
    let holds = if matches!(find, Find::Start(_)) { Holds::Here } else { Holds::Anywhere };
    Form {
        rule: rule.to_string(),
        name: String::new(),
        find,
        files: Vec::new(),
        reader: Reader::Pattern(Pattern::new(pattern, holds)),
        inside: false,
        lead: None,
        before: 512,
        assigned: false,
        edge: Edge::Word,
        check: None,
        min_entropy: None,
        show: 0,
        harmless: None,
        general: false,
    }
}

fn words(words: &[&str], exact: bool, scope: Scope) -> Find {
    Find::Words { words: words.iter().map(ToString::to_string).collect(), exact, scope }
}

fn rules() -> SecretRules {
    let start = |start: &str| Find::Start(vec![start.to_string()]);
    SecretRules::new(vec![
        Form { show: 4, ..form("secret/tok", start("tok_"), "tok_[0-9A-Za-z]{24}") },
        Form {
            edge: Edge::None,
            ..form(
                "secret/block",
                words(&["=====BLOCK====="], true, Scope::Any),
                "(?s)=====BLOCK=====([^=]{20,9000})=====END=====",
            )
        },
        Form {
            edge: Edge::None,
            ..form("secret/address", words(&["://"], true, Scope::Any), r"[a-z]{2,9}://[^\s:/@]{1,64}:([^\s@/]{3,64})@")
        },
        Form {
            edge: Edge::None,
            ..form(
                "secret/setting",
                words(&["password"], false, Scope::Config),
                r"(?i)(?P<key>\w*password)\s*=\s*(?P<secret>\S{8,64})",
            )
        },
        Form {
            edge: Edge::None,
            lead: Some(Pattern::new(r"(?:^|[ -])(?P<key>[\w.-]{0,20})", Holds::Before)),
            reader: Reader::Pattern(Pattern::new("(?i:(?P<key>passcode))=(?P<secret>[0-9A-Za-z]{8,64})", Holds::Here)),
            ..form("secret/named", words(&["passcode"], false, Scope::Config), "")
        },
        Form {
            files: vec![FilePath::new(".vault-pass")],
            edge: Edge::None,
            ..form("secret/file", Find::File, r"\A(\S{8,64})\s*\z")
        },
    ])
}

/// A token that is none of anybody's.
fn token(seed: u8) -> String {
    let letters = b"aZ3kQ9xW7bN2cV5mT8rYpLs4";
    let body: Vec<u8> = letters.iter().enumerate().map(|(at, _)| letters[(at + usize::from(seed)) % 24]).collect();
    format!("tok_{}", String::from_utf8(body).expect("letters"))
}

/// Letters and digits in lines, in an order that repeats for no reader.
fn noise(len: usize) -> String {
    let mut state = 7_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        let letter = (state >> 24) as u8;
        if letter < 4 { ' ' } else { char::from(b"AbCdEfGhJkLmNpQrStUvWxYz0123456789"[usize::from(letter) % 34]) }
    };
    std::iter::repeat_with(&mut next).take(len).collect()
}

fn hunt(path: &str, body: &[u8], piece: usize) -> Option<FileSecrets> {
    let rules = rules();
    let mut hunter = Hunter::new(&rules);
    hunter.begin(path.as_bytes(), body.len() as u64);
    body.chunks(piece.max(1)).for_each(|piece| hunter.feed(piece));
    hunter.end()
}

/// Rule, line, offset and name of everything found.
fn found(path: &str, body: &[u8], piece: usize) -> Vec<(String, Option<u32>, u64, String)> {
    let seen = hunt(path, body, piece).map(|secrets| secrets.seen).unwrap_or_default();
    seen.into_iter().map(|s| (s.rule, s.line, s.offset, s.key)).collect()
}

#[test]
fn a_file_says_the_same_however_it_is_cut() {
    let block = format!("=====BLOCK====={}=====END=====", noise(7_000));
    let text = format!("a\nTOKEN={}\n{block}\nab://user:{}@host\n", token(0), "Xk3v9Qp2");
    let whole = found("app/a.bin", text.as_bytes(), text.len());
    let rules: Vec<_> = whole.iter().map(|(rule, line, ..)| (rule.as_str(), *line)).collect();
    assert_eq!(rules, [("secret/tok", Some(2)), ("secret/block", Some(3)), ("secret/address", Some(4))]);
    assert_eq!(whole[0].3, "TOKEN");
    for piece in [1, 7, 511, 512, 513, 4096] {
        assert_eq!(found("app/a.bin", text.as_bytes(), piece), whole, "{piece}");
    }
}

#[test]
fn a_large_file_is_searched_in_pieces_that_overlap() {
    // Above the size that is searched whole, with secrets around every cut of every size of piece.
    let filler = "line of ordinary text, nothing to see\n";
    let mut text = String::new();
    let mut want = Vec::new();
    while text.len() < 5 << 20 {
        text.push_str(&filler.repeat(430));
        want.push((text.lines().count() as u32 + 1, text.len() as u64 + 2));
        text.push_str(&format!("t={}\n", token((want.len() % 24) as u8)));
    }
    let long = format!("=====BLOCK====={}=====END=====\n", noise(8_400));
    want.push((text.lines().count() as u32 + 1, text.len() as u64 + 15));
    text.push_str(&long);
    text.push_str(&filler.repeat(1000));
    for piece in [4_001, 65_536, 524_288, text.len()] {
        let found = found("var/log/a.log", text.as_bytes(), piece);
        // Only a hundred of one rule are told.
        let told: Vec<_> = found.iter().filter_map(|(_, line, offset, _)| Some(((*line)?, *offset))).collect();
        let first: Vec<_> =
            want.iter().copied().take(100).chain(want.last().copied().filter(|_| want.len() > 100)).collect();
        assert_eq!(told, first, "{piece}");
    }
}

#[test]
fn no_word_is_lost_where_one_search_ends_and_the_next_begins() {
    // Pieces that move on by nine bytes in what is repeated: each place of it is once where a search ends.
    let text = format!("{:499}", "ab://user:Xk3v9Qp2@host").repeat(9_000);
    let secrets = hunt("var/log/a.log", text.as_bytes(), 4_001).unwrap_or_default();
    assert_eq!(secrets.seen.len() as u64 + secrets.more["secret/address"], 9_000);
}

#[test]
fn more_than_a_hundred_of_one_rule_are_counted() {
    let text: String = (0..150).map(|n| format!("{}\n", token((n % 24) as u8))).collect();
    let secrets = hunt("a.txt", text.as_bytes(), 4096).expect("secrets");
    assert_eq!((secrets.seen.len(), secrets.more.get("secret/tok")), (100, Some(&50)));
}

#[test]
fn what_is_told_holds_nothing_of_the_value_but_its_public_beginning() {
    let token = token(3);
    let secrets = hunt("a.env", format!("A_TOKEN={token}\n").as_bytes(), 100).expect("a secret");
    let told = format!("{secrets:?} {}", serde_json::to_string(&secrets).expect("JSON"));
    assert!(told.contains("tok_"));
    assert!((0..token.len() - 8).all(|at| !told.contains(&token[at..at + 8]) || at == 0), "{told}");
    assert!(!told.contains(&token[4..12]));
}

#[test]
fn values_have_edges_in_text_and_may_lack_them_in_binaries() {
    let token = token(1);
    let text = Context::default();
    let binary = Context { binary: true, ..text };
    let rules = rules();
    let count = |bytes: &[u8], context| search(&rules, bytes, 0..bytes.len(), context, &mut 1_000_000).found.len();
    assert_eq!(count(format!("x={token};").as_bytes(), text), 1);
    assert_eq!(count(format!("x={token}Z;").as_bytes(), text), 0);
    assert_eq!(count(format!("xyz{token};").as_bytes(), text), 0);
    // Strings of a Go program lie side by side.
    assert_eq!(count(format!("some string{token}next string").as_bytes(), binary), 1);
    // A symbol's name is one string, whatever stands in it.
    let named = |text: String| count(text.as_bytes(), binary);
    assert_eq!(named(format!("\0Shop_s{token}_info\0")), 0);
    assert_eq!(named(format!("\0{token}_info\0")), 0);
    assert_eq!(named(format!("\0{token}\0")), 1, "it stands alone");
    assert_eq!(named(format!("\0no name: s{token}_info\0")), 1);
    assert_eq!(named(format!("s{token}_info")), 1, "nothing says where the string ends");
    let counted = [b"\xda\x1c", token.as_bytes(), b"z\x04name"].concat();
    assert_eq!(count(&counted, binary), 1);
}

#[test]
fn settings_are_guessed_where_settings_are() {
    let text = b"db_password = Xk3v9Qp2Lm\n";
    let rules_of = |path| found(path, text, 100).into_iter().map(|(rule, .., key)| (rule, key)).collect::<Vec<_>>();
    let want = [("secret/setting".to_string(), "db_password".to_string())];
    assert_eq!(rules_of("app/settings.ini"), want);
    assert_eq!(rules_of("app/.env.production"), want);
    assert_eq!(rules_of("app/readme.md"), []);
    assert_eq!(rules_of("app/node_modules/a/index.js"), []);
}

#[test]
fn a_match_may_begin_with_the_word_and_its_name_before_it() {
    let keys = |text: &str| found("etc/a.conf", text.as_bytes(), 4096).into_iter().map(|s| s.3).collect::<Vec<_>>();
    assert_eq!(keys("my.app_PASSCODE=Xk3v9Qp2"), ["my.app_PASSCODE"]);
    assert_eq!(keys("set passcode=Xk3v9Qp2 x-passcode=Xk3v9Qp3"), ["passcode", "x-passcode"]);
    assert_eq!(keys("\"a-passcode=Xk3v9Qp2"), ["passcode"], "what leads to it may be a part of the name");
    for other in ["\"passcode=Xk3v9Qp2", "passcode_file=Xk3v9Qp2", "passcode =Xk3v9Qp2"] {
        assert_eq!(keys(other), [""; 0], "{other}");
    }
}

#[test]
fn a_file_is_known_by_its_name() {
    assert_eq!(found("root/.vault-pass", b"Xk3v9Qp2Lm\n", 100).len(), 1);
    assert_eq!(found("root/vault-pass", b"Xk3v9Qp2Lm\n", 100).len(), 0);
    for (pattern, path, want) in [
        ("etc/apt/auth.conf.d/*", "etc/apt/auth.conf.d/x", true),
        ("etc/apt/auth.conf.d/*", "rootfs/etc/apt/auth.conf.d/x", true),
        ("/etc/shadow", "etc/shadow", true),
        ("/etc/shadow", "rootfs/etc/shadow", false),
        ("**/.docker/config.json", "root/.docker/config.json", true),
        (".docker/config.json", "root/x.docker/config.json", false),
        ("*.tfstate", "a/b.tfstate", true),
        ("*.tfstate", "a/b.tfstate.d", false),
    ] {
        assert_eq!(FilePath::new(pattern).matches(path.as_bytes()), want, "{pattern} {path}");
        let files = vec![FilePath::new("other"), FilePath::new(pattern)];
        let rules = SecretRules::new(vec![Form { files, ..form("secret/file", Find::File, "x") }]);
        assert_eq!(rules.of_file(path.as_bytes()), if want { vec![0] } else { vec![] }, "{pattern} {path}");
    }
}

#[test]
fn a_text_that_nearly_fits_everywhere_is_given_up_and_said() {
    let storm = "=====BLOCK=====".repeat(200_000);
    let rules = rules();
    let mut hunter = Hunter::new(&rules);
    hunter.begin(b"storm.txt", storm.len() as u64);
    hunter.feed(storm.as_bytes());
    assert_eq!(hunter.end(), None);
    assert_eq!(hunter.coverage().unread.get(&Unread::Size).map(|unread| unread.count), Some(1));
}

#[test]
fn a_hole_is_passed_over_and_ends_what_stands_before_it() {
    let rules = rules();
    let token = token(5);
    let mut hunter = Hunter::new(&rules);
    hunter.begin(b"sparse.img", 1 << 40);
    hunter.feed(format!("{token}\n").as_bytes());
    hunter.skip((1 << 40) - 200);
    hunter.feed(format!("\n{token}\n").as_bytes());
    let seen = hunter.end().expect("two secrets").seen;
    assert_eq!(seen.iter().map(|s| s.offset).collect::<Vec<_>>(), [0, (1 << 40) - 200 + 29 + 1]);
}

#[test]
fn files_without_bytes_and_without_end_do_no_harm() {
    assert_eq!(hunt("empty", b"", 1), None);
    let rules = rules();
    let mut hunter = Hunter::new(&rules);
    // Sizes are promises of the archive.
    hunter.begin(b"short", 100);
    hunter.feed(token(2).as_bytes());
    assert_eq!(hunter.end().map(|s| s.seen.len()), Some(1));
    hunter.begin(b"long", 3);
    hunter.feed(b"abc");
    hunter.feed(format!("\n{}", token(2)).as_bytes());
    assert_eq!(hunter.end().map(|s| s.seen.len()), Some(1));
}
