//! Reads what pip and its kin leave beside an installed Python distribution: `METADATA` (older: `PKG-INFO`), `RECORD`
//! `entry_points.txt` and `direct_url.json`.
//!
//! Formats: the Python Packaging User Guide's "Core metadata specifications", "Recording installed projects", "Entry
//! points specification", "Direct URL Data Structure" and "Dependency specifiers"; the rules for names are PEP 503.

use super::{
    malformed::{Malformed, Parsed, PathBudget, TEXT_MAX, lines, quote, text},
    node::json::{self, Loose},
    sum,
};
use crate::model::{
    Algorithm, EntryPoint, ImagePath, PythonDist, Requirement,
    path::{escape, parent},
};

/// Requirements read of one distribution or one list.
///
/// The largest real one, with all its extras, has some 700.
pub const REQUIREMENTS_MAX: usize = 10_000;

/// Console scripts read of one distribution; ansible has some 20.
const SCRIPTS_MAX: usize = 1_000;

/// Longest environment marker that is kept, in bytes; longer ones count as true.
const MARKER_MAX: usize = 1_024;

/// Name, version and requirements of `*.dist-info/METADATA` or `*.egg-info/PKG-INFO` (or a file `*.egg-info`); `files`
/// and `sums` are empty.
///
/// A missing version is empty. Of more than [`REQUIREMENTS_MAX`] requirements the rest is a fault.
///
/// # Errors
/// When there is no name before the first empty line, or name or version have more than [`TEXT_MAX`] bytes.
pub fn metadata(body: &[u8]) -> Result<Parsed<PythonDist>, Malformed> {
    let (mut name, mut version) = (None, None);
    let mut requires = Parsed::<Vec<Requirement>>::default();
    for line in lines(body).take_while(|line| !line.is_empty()) {
        let mut halves = line.splitn(2, |&b| b == b':');
        let (key, Some(value)) = (halves.next().unwrap_or_default(), halves.next()) else { continue };
        // The first one counts, as in Python's email package, which the tools read this file with.
        if key.eq_ignore_ascii_case(b"Name") {
            name.get_or_insert(value);
        } else if key.eq_ignore_ascii_case(b"Version") {
            version.get_or_insert(value);
        } else if key.eq_ignore_ascii_case(b"Requires-Dist") {
            if requires.value.len() == REQUIREMENTS_MAX {
                requires.fault(format!("has more than {REQUIREMENTS_MAX} requirements"));
                continue;
            }
            requires.value.extend(requirement(&String::from_utf8_lossy(value)));
        }
    }
    let name = text("the distribution's name", name.unwrap_or_default())?;
    let version = version.filter(|version| !version.trim_ascii().is_empty());
    let version = version.map(|version| text("the version", version)).transpose()?.unwrap_or_default();
    let name = normalise(&name);
    Ok(requires.map(|requires| PythonDist { name, version, requires, ..PythonDist::default() }))
}

/// One requirement in the form of PEP 508, `name[extra] >=1 ; marker` or `name @ url ; marker`; `None` if there is no
/// name. Versions and addresses are dropped.
pub fn requirement(text: &str) -> Option<Requirement> {
    let text = text.trim();
    let end = text.find(|c: char| !(c.is_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(text.len());
    let (name, rest) = text.split_at_checked(end)?;
    if name.is_empty() || name.len() > TEXT_MAX {
        return None;
    }
    let rest = rest.trim_start();
    let (extras, rest) = match rest.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((inside, rest)) => (inside, rest.trim_start()),
        None => ("", rest),
    };
    // An address may hold a semicolon; the one before a marker has a space in front of it.
    let marker = if rest.starts_with('@') { rest.split_once(" ;") } else { rest.split_once(';') };
    let marker = marker.map(|(_, marker)| marker.trim()).filter(|marker| marker.len() <= MARKER_MAX);
    let extras = extras.split(',').map(str::trim).filter(|extra| !extra.is_empty() && extra.len() <= TEXT_MAX);
    Some(Requirement {
        name: normalise(name),
        extras: extras.map(normalise).collect(),
        marker: marker.unwrap_or_default().to_string(),
    })
}

/// Whether a directory is where an installer puts a distribution's metadata.
pub fn is_metadata_dir(dir: &[u8]) -> bool {
    dir.ends_with(b".dist-info") || dir.ends_with(b".egg-info")
}

/// The console scripts of an `entry_points.txt`.
///
/// Other groups than `console_scripts` and `gui_scripts`, and lines without a module, are passed over. Of more than
/// a thousand scripts the rest is a fault.
pub fn entry_points(body: &[u8]) -> Parsed<Vec<EntryPoint>> {
    let mut found = Parsed::<Vec<EntryPoint>>::default();
    let mut scripts = false;
    for line in lines(body).map(<[u8]>::trim_ascii).filter(|line| line.len() <= TEXT_MAX) {
        let line = String::from_utf8_lossy(line);
        if let Some(section) = line.strip_prefix('[') {
            scripts = matches!(section.trim_end_matches(']').trim(), "console_scripts" | "gui_scripts");
            continue;
        }
        let Some((name, target)) = line.split_once('=').filter(|_| scripts && !line.starts_with(['#', ';'])) else {
            continue;
        };
        let target = target.split('[').next().unwrap_or_default();
        let (module, object) = target.split_once(':').unwrap_or((target, ""));
        let point = [name, module, object].map(|part| part.trim().to_string());
        let [name, module, object] = point;
        if found.value.len() == SCRIPTS_MAX {
            found.fault(format!("has more than {SCRIPTS_MAX} scripts"));
            break;
        }
        if !name.is_empty() && !module.is_empty() {
            found.value.push(EntryPoint { name, module, object });
        }
    }
    found
}

/// The files that the `RECORD` at `record_path` lists, as paths in the image, and their SHA-256 digests; name, version
/// and requirements are empty.
///
/// Relative paths start at the directory that holds the `.dist-info` directory; `..` is followed, up to the root.
/// Lines with an open quote or without a path, and paths longer than [`TEXT_MAX`], are faults.
pub fn record(record_path: &ImagePath, body: &[u8]) -> Parsed<PythonDist> {
    let site_packages = parent(parent(record_path.as_bytes()));
    let mut budget = PathBudget::new(body.len());
    let mut found = Parsed::<PythonDist>::default();
    let mut rest = body;
    while !rest.is_empty() {
        let (line, hash, after) = columns(rest);
        rest = after;
        let raw = match line {
            Ok(raw) if raw.is_empty() => continue,
            Ok(raw) => raw,
            Err(fault) => {
                found.fault(fault.0);
                continue;
            }
        };
        let dir = if raw.starts_with(b"/") { b"" } else { site_packages };
        match budget.join(dir, &raw) {
            Some(path) => {
                let digest = hash.strip_prefix(b"sha256=").and_then(|text| sum::base64(text, Algorithm::Sha256));
                if let Some(digest) = digest {
                    found.value.sums.add(path.as_bytes(), Algorithm::Sha256, digest);
                }
                found.value.files.push(path);
            }
            None => {
                found.fault(format!("{} and what follows ask for too much memory", quote(&raw)));
                break;
            }
        }
    }
    found.value.sums.shrink();
    found
}

/// Whether a `direct_url.json` says that the distribution was installed from a directory, from a repository or from an
/// archive on the disk, and so may be nobody's but the image's author's. What can not be read counts as such.
pub fn is_local(body: &[u8]) -> bool {
    let Ok([url, archive]) = json::pick(body, [("url", 0), ("archive_info", 1)]) else { return true };
    let remote = url.text().is_some_and(|url| ["https://", "http://"].iter().any(|scheme| url.starts_with(scheme)));
    !remote || !matches!(archive, Loose::Map(_))
}

/// The normal form of a name: `Foo__Bar.baz` is `foo-bar-baz`: runs of `-`, `_` and `.` are one `-`, letters are small (PEP 503).
pub fn normalise(name: &str) -> String {
    let mut out = String::with_capacity(name.len());
    let mut chars = name.chars().peekable();
    while let Some(c) = chars.next() {
        if !matches!(c, '-' | '_' | '.') {
            out.extend(c.to_lowercase());
        } else if !chars.peek().is_some_and(|next| matches!(next, '-' | '_' | '.')) {
            out.push('-');
        }
    }
    out
}

/// Reads the first field of a CSV record in the dialect of Python's csv module and gives it with the second one, as it
/// stands there, and with what follows the record.
///
/// Everything is looked at once: also after a fault reading goes on behind what was seen.
fn columns(body: &[u8]) -> (Result<Vec<u8>, Malformed>, &[u8], &[u8]) {
    let mut field = Vec::new();
    let mut quoted = Quote::Never;
    let mut first = true;
    // Where the second field begins, and where it ends if a third one follows.
    let (mut from, mut to) = (None, None);
    let mut at = 0;
    let mut end = body.len();
    while let Some(&byte) = body.get(at) {
        at += 1;
        match (quoted, byte) {
            (Quote::Open, b'"') if body.get(at) == Some(&b'"') => {
                at += 1;
                push(&mut field, first, b'"');
            }
            (Quote::Open, b'"') => quoted = Quote::Closed,
            (Quote::Open, byte) => push(&mut field, first, byte),
            (_, b'\n' | b'\r') => {
                (quoted, end) = (Quote::Closed, at - 1);
                break;
            }
            (_, b',') => {
                if !first {
                    to.get_or_insert(at - 1);
                }
                from.get_or_insert(at);
                first = false;
                quoted = Quote::Never;
            }
            // A quote opens a field only as its first character.
            (Quote::Never, b'"') => quoted = Quote::Open,
            (_, byte) => {
                quoted = Quote::Closed;
                push(&mut field, first, byte);
            }
        }
    }
    let path = match quoted {
        Quote::Open => Err(Malformed(format!("the quote in {} is never closed", quote(&field)))),
        _ => limited(field),
    };
    let second = from.and_then(|from| body.get(from..to.unwrap_or(end)));
    (path, second.unwrap_or_default(), body.get(at..).unwrap_or_default())
}

#[derive(Clone, Copy)]
enum Quote {
    /// At the start of a field.
    Never,
    Open,
    /// In a field that no quote can open any more.
    Closed,
}

/// Keeps the bytes of the first field, and one more than allowed.
fn push(field: &mut Vec<u8>, first: bool, byte: u8) {
    if first && field.len() <= TEXT_MAX {
        field.push(byte);
    }
}

fn limited(field: Vec<u8>) -> Result<Vec<u8>, Malformed> {
    match field.get(TEXT_MAX) {
        None => Ok(field),
        Some(_) => {
            let start = field.get(..40).map(escape).unwrap_or_default();
            Err(Malformed(format!("the path \"{start}...\" has more than {TEXT_MAX} bytes")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{super::malformed::accept_parser, *};
    use crate::model::mark;

    /// Cut from what pip 23 installed of requests.
    const METADATA: &str = "\
Metadata-Version: 2.1
Name: Requests_Toolbelt..x
Version: 2.31.0
Summary: Python HTTP for Humans.
Requires-Dist: idna <4,>=2.5

Name: not-this
Version: 0
";

    const RECORD: &str = "\
../../../bin/normalizer,sha256:abc,234
requests-2.31.0.dist-info/RECORD,,
requests/__init__.py,sha256=LvmKhjIz8mHaKXthC2Mv5ykZ1d92voyf3oJpd-VuAig,4963
\"requests/a \"\"b\"\", c.py\",sha256=x,1

/usr/share/doc/requests,,
";

    fn record_of(body: &str) -> Parsed<Vec<String>> {
        let at = ImagePath::from("opt/venv/lib/python3.11/site-packages/requests-2.31.0.dist-info/RECORD");
        record(&at, body.as_bytes()).map(|dist| dist.files.iter().map(ToString::to_string).collect())
    }

    #[test]
    fn metadata_ends_at_the_empty_line() {
        let want = PythonDist {
            name: "requests-toolbelt-x".to_string(),
            version: "2.31.0".to_string(),
            requires: vec![Requirement { name: "idna".to_string(), ..Requirement::default() }],
            ..PythonDist::default()
        };
        let want = Parsed { value: want, faults: Vec::new() };
        assert_eq!(metadata(METADATA.as_bytes()), Ok(want.clone()));
        assert_eq!(metadata(METADATA.replace('\n', "\r\n").as_bytes()), Ok(want));
        assert_eq!(
            metadata(b"name: A\nName: b").map(|dist| dist.value.name + &dist.value.version),
            Ok("a".to_string())
        );
    }

    #[test]
    fn metadata_without_a_name_is_malformed() {
        for body in [&b""[..], b"Version: 1\n", b"\nName: a\n", b"Name:\nVersion: 1", b"<html>"] {
            assert_eq!(metadata(body), Err(Malformed("the distribution's name is empty".to_string())));
        }
        assert!(metadata(format!("Name: a\nVersion: {}", "1".repeat(5000)).as_bytes()).is_err());
        assert_eq!(metadata(b"Name: \xffA").map(|dist| dist.value.name), Ok("\u{fffd}a".to_string()));
    }

    #[test]
    fn a_requirement_is_read_as_pep_508_says() {
        for (text, name, extras, marker) in [
            ("idna<4,>=2.5", "idna", &[][..], ""),
            ("PySocks (!=1.5.7,>=1.5.6) ; extra == 'socks'", "pysocks", &[], "extra == 'socks'"),
            (
                "uvicorn[Standard, x_y]>=0.1; python_version<'3.9'",
                "uvicorn",
                &["standard", "x-y"],
                "python_version<'3.9'",
            ),
            ("a.b @ https://example.com/a;b.zip ; os_name=='nt'", "a-b", &[], "os_name=='nt'"),
            ("a@ file:///app", "a", &[], ""),
        ] {
            let read = requirement(text).expect(text);
            assert_eq!(
                (read.name.as_str(), &read.extras[..], read.marker.as_str()),
                (name, &extras.iter().map(|e| e.to_string()).collect::<Vec<_>>()[..], marker)
            );
        }
        for none in ["", "  ", "[x]", "==1", "/srv/a"] {
            assert_eq!(requirement(none), None, "{none}");
        }
    }

    #[test]
    fn more_requirements_than_anyone_has_are_said_and_not_kept() {
        let body = ["Name: a\n", &"Requires-Dist: b\n".repeat(REQUIREMENTS_MAX + 9)].concat();
        let parsed = metadata(body.as_bytes()).expect("a name");
        assert_eq!(parsed.value.requires.len(), REQUIREMENTS_MAX);
        assert_eq!(parsed.faults, ["has more than 10000 requirements"]);
    }

    #[test]
    fn console_scripts_are_read_and_plugins_are_not() {
        let body = b"[console_scripts]\nflask = flask.cli:main\n# x = y\nold = m:f [extra]\n\n[pytest11]\nx = y:z\n";
        let parsed = entry_points(body);
        let shown: Vec<_> = parsed.value.iter().map(|p| format!("{} {} {}", p.name, p.module, p.object)).collect();
        assert_eq!(shown, ["flask flask.cli main", "old m f"]);
    }

    #[test]
    fn record_paths_start_beside_the_dist_info() {
        let at = "/opt/venv/lib/python3.11/site-packages";
        let want = [
            "/opt/venv/bin/normalizer".to_string(),
            format!("{at}/requests-2.31.0.dist-info/RECORD"),
            format!("{at}/requests/__init__.py"),
            format!("{at}/requests/a \"b\", c.py"),
            "/usr/share/doc/requests".to_string(),
        ];
        assert_eq!(record_of(RECORD), Parsed { value: want.to_vec(), faults: Vec::new() });
        assert_eq!(record_of(&RECORD.replace('\n', "\r\n")).value, want);
    }

    #[test]
    fn a_record_gives_the_digests_that_are_ones() {
        let at = ImagePath::from("site/x.dist-info/RECORD");
        let good = "LvmKhjIz8mHaKXthC2Mv5ykZ1d92voyf3oJpd-VuAig";
        let body = format!(
            "a.py,sha256={good},4963\n\"b \"\",\"\".py\",sha256={good}\nc.py,md5={good},1\r\nd.py\ne.pyc,,\n\
            f.py,\"sha256={good}\",1\ng.py,sha256={good}x,1\nh.py,sha256={good}"
        );
        let dist = record(&at, body.as_bytes()).value;
        assert_eq!((dist.files.len(), dist.sums.algorithm()), (8, Algorithm::Sha256));
        let want = ["a.py", "b \",\".py", "h.py"].map(|name| mark(format!("site/{name}").as_bytes()));
        assert_eq!(dist.sums.iter().map(|sum| sum.path).collect::<Vec<_>>(), want);
        let first = [0x2e, 0xf9, 0x8a, 0x86, 0x32, 0x33, 0xf2, 0x61];
        assert!(dist.sums.iter().all(|sum| sum.digest == first));
    }

    #[test]
    fn what_was_installed_from_its_source_says_so() {
        for (body, local) in [
            (r#"{"url": "file:///app", "dir_info": {"editable": true}}"#, true),
            (r#"{"dir_info": {}, "url": "file:///app"}"#, true),
            (r#"{"url": "https://example.org/a.git", "vcs_info": {"vcs": "git", "commit_id": "1"}}"#, true),
            (r#"{"url": "file:///tmp/a.whl", "archive_info": {}}"#, true),
            (r#"{"url": "https://example.org/a.whl", "archive_info": {"hash": "sha256=1"}}"#, false),
            ("", true),
            ("[]", true),
        ] {
            assert_eq!(is_local(body.as_bytes()), local, "{body}");
        }
    }

    #[test]
    fn record_paths_never_leave_the_image() {
        assert_eq!(record_of("../../../../../../../../etc/x,,").value, ["/etc/x"]);
        let root = record(&ImagePath::from("x.dist-info/RECORD"), b"a.py,,\n../b.py,,");
        assert_eq!(root.value.files, [ImagePath::from("a.py"), ImagePath::from("b.py")]);
    }

    #[test]
    fn quotes_are_read_as_python_reads_them() {
        // Each compared with what Python's csv.reader gives for the same line.
        for (line, first) in
            [(r#"a"b,c"#, r#"/a"b"#), (r#""a"b,c"#, "/ab"), (r#""a"b"c",d"#, r#"/ab"c""#), ("\"a\nb\",c", "/a\\x0ab")]
        {
            let parsed = record(&ImagePath::from("x.dist-info/RECORD"), line.as_bytes());
            let shown: Vec<_> = parsed.value.files.iter().map(ToString::to_string).collect();
            assert_eq!(shown, [first], "{line}");
        }
    }

    #[test]
    fn damage_is_told_and_the_rest_kept() {
        let parsed = record_of(&format!("a,,\n{},,\nb,,\n\"c,,\nd,,\n", "x".repeat(5000)));
        let at = "/opt/venv/lib/python3.11/site-packages";
        assert_eq!(parsed.value, [format!("{at}/a"), format!("{at}/b")]);
        assert_eq!(parsed.faults.len(), 2);
        assert_eq!(parsed.faults[1], "the quote in \"c,,\\x0ad,,\\x0a\" is never closed");
    }

    #[test]
    fn a_deep_site_packages_stops_at_the_budget() {
        let at = ImagePath::new(&[&b"d/".repeat(2000)[..], b"x.dist-info/RECORD"].concat());
        let body = b"f\n".repeat(100_000);
        let parsed = record(&at, &body);
        assert!(parsed.value.files.len() < 2000, "{}", parsed.value.files.len());
        assert_eq!(parsed.faults, ["\"f\" and what follows ask for too much memory"]);
    }

    #[test]
    fn no_damage_panics() {
        accept_parser(METADATA.as_bytes(), metadata);
        accept_parser(b"[console_scripts]\na = b:c [d]\n", entry_points);
        accept_parser("uvicorn[standard] @ x ; python_version<'3'".as_bytes(), |body| {
            requirement(&String::from_utf8_lossy(body))
        });
        accept_parser(RECORD.as_bytes(), |body| record(&ImagePath::from("x.dist-info/RECORD"), body));
    }
}
