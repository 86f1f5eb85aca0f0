//! Whole files: what is read, what is refused, and that nothing is lost.

use std::time::{Duration, Instant};

use super::*;

fn line(line: &CommandLine) -> Vec<&Word> {
    match line {
        CommandLine::Exec(words) => words.iter().collect(),
        CommandLine::Shell(word) => vec![word],
    }
}

/// Parses leniently, and checks what holds for every file.
fn lenient(text: &str) -> File {
    let file = File::parse_lenient(text);
    assert_eq!(file.to_string(), text, "printed as parsed");
    let mut at = 0;
    for piece in file.pieces() {
        assert_eq!(piece.span.start, at, "pieces follow each other");
        at = piece.span.end;
    }
    assert_eq!(at, text.len());
    let lines = u32::try_from(text.split('\n').count()).unwrap();
    for error in file.errors() {
        assert!((1..=lines).contains(&error.line), "{error}");
        let line = text.split('\n').nth(usize::try_from(error.line).unwrap() - 1).unwrap();
        assert!(usize::try_from(error.column).unwrap() <= line.chars().count() + 1, "{error}");
    }
    for instruction in file.instructions() {
        let inside = |span: Span| {
            assert!(text.get(span.start..span.end).is_some(), "spans are between characters");
            assert!(instruction.span.start <= span.start && span.end <= instruction.span.end.max(span.start));
        };
        assert!(instruction.first_line <= instruction.last_line && instruction.last_line <= lines);
        inside(instruction.statement.keyword_span);
        let mut before = instruction.statement.keyword_span.end;
        for flag in &instruction.statement.flags {
            inside(flag.span);
            assert!(flag.span.start >= before, "flags follow each other");
            before = flag.span.end;
            flag.value_span.into_iter().for_each(inside);
        }
        for word in words(&instruction.statement.command) {
            inside(word.span);
            assert!(word.span.start >= before, "arguments follow the flags");
        }
        for heredoc in &instruction.heredocs {
            [heredoc.mark, heredoc.body, heredoc.end].into_iter().for_each(inside);
        }
    }
    file
}

fn words(command: &Command) -> Vec<&Word> {
    match command {
        Command::Add(transfer) | Command::Copy(transfer) => {
            let sources = transfer.sources.iter().map(|source| match source {
                TransferSource::Path(word) | TransferSource::Heredoc { mark: word, .. } => word,
            });
            sources.chain([&transfer.dest]).collect()
        }
        Command::Arg(all) => all.iter().flat_map(|one| std::iter::once(&one.name).chain(&one.default)).collect(),
        Command::Cmd(it) | Command::Entrypoint(it) | Command::Run(it) | Command::Healthcheck(Some(it)) => line(it),
        Command::Env(pairs) | Command::Label(pairs) => {
            pairs.iter().flat_map(|pair| [&pair.name, &pair.value]).collect()
        }
        Command::Expose(all) | Command::Volume(all) | Command::Shell(all) => all.iter().collect(),
        Command::From(base) => std::iter::once(&base.image).chain(&base.name).collect(),
        Command::Maintainer(word) | Command::Stopsignal(word) | Command::User(word) | Command::Workdir(word) => {
            vec![word]
        }
        Command::Onbuild(inner) => words(&inner.command),
        Command::Healthcheck(None) | Command::Broken => Vec::new(),
    }
}

fn good(text: &str) -> File {
    let strict = File::parse(text).unwrap_or_else(|error| panic!("{error} in {text:?}"));
    assert_eq!(lenient(text), strict);
    strict
}

/// The arguments of the instruction at a number, as text.
fn args(file: &File, number: usize) -> Vec<&str> {
    words(&file.instructions()[number].statement.command).into_iter().map(|word| word.text.as_str()).collect()
}

#[test]
fn every_part_has_its_place() {
    let text = "\u{feff}# syntax=docker/dockerfile:1\n# escape=`\n\n# \u{e9}\nfrom --platform=$X a:1 as Build\r\n\
        RUN --mount=type=cache,target=/x --network=none echo a `\r\n  # why\r\n\r\n  && b\t \r\nCOPY --chown=\"1 2\" a b /c\n";
    let file = good(text);
    assert_eq!(file.escape(), '`');
    let names: Vec<&str> = file.directives().iter().map(|directive| directive.name.as_str()).collect();
    assert_eq!(names, ["syntax", "escape"]);
    let [from, run, copy] = file.instructions() else { panic!("three instructions") };
    assert_eq!((from.first_line, from.last_line, from.stage), (5, 5, Some(0)));
    assert_eq!(file.at(from.span), "from --platform=$X a:1 as Build");
    assert_eq!(file.at(from.statement.keyword_span), "from");
    assert_eq!(from.statement.flag("platform"), Some("$X"));
    assert_eq!(file.stages()[0].name.as_deref(), Some("build"));
    assert_eq!((run.first_line, run.last_line), (6, 9));
    let flags: Vec<&str> = run.statement.flags.iter().map(|flag| file.at(flag.span)).collect();
    assert_eq!(flags, ["--mount=type=cache,target=/x", "--network=none"]);
    assert_eq!(file.at(run.statement.flags[0].value_span.unwrap()), "type=cache,target=/x");
    assert_eq!(args(&file, 1), ["echo a   && b"]);
    assert_eq!(file.at(run.statement.args_span), "echo a `\r\n  # why\r\n\r\n  && b");
    assert_eq!(run.statement.mounts()[0].target(), Some("/x"));
    assert_eq!(copy.statement.flag("chown"), Some("1 2"));
    assert_eq!(file.position(copy.statement.args_span.start), (10, 20));
    assert_eq!(
        file.edited(&[(copy.statement.args_span, "x /y".into())]).lines().last(),
        Some("COPY --chown=\"1 2\" x /y")
    );
}

#[test]
fn heredocs_belong_to_their_instruction() {
    let file = good(
        "FROM a\nRUN <<EOF cat <<-'E' >x\n\\\nFROM b\nEOF\n\t$y\n\tE\nCOPY <<a <<b /c/\n1\na\n2\nb\nCMD [\"x\"]\nRUN [\"<<EOF\"]\nADD [\"<<EOF\", \"/x\"]\n",
    );
    let run = &file.instructions()[1];
    assert_eq!((run.first_line, run.last_line), (2, 7));
    let bodies: Vec<&str> = run.heredocs.iter().map(|heredoc| file.at(heredoc.body)).collect();
    assert_eq!(bodies, ["\\\nFROM b\n", "\t$y\n"]);
    assert_eq!(
        run.heredocs.iter().map(|doc| (doc.expands, doc.chomps)).collect::<Vec<_>>(),
        [(true, false), (false, true)]
    );
    assert_eq!(file.at(run.heredocs[1].mark), "<<-'E'");
    assert_eq!(file.at(run.heredocs[1].end), "\tE");
    let Command::Copy(copy) = &file.instructions()[2].statement.command else { panic!("a copy") };
    assert!(matches!(&copy.sources[1], TransferSource::Heredoc { number: 1, mark } if mark.text == "<<b"));
    assert_eq!(file.instructions().len(), 6);
    let file = good("FROM a\nONBUILD RUN <<E\nx\nE\nONBUILD COPY --from=b x y");
    assert_eq!(file.instructions()[1].heredocs.len(), 1);
    assert_eq!(file.instructions()[2].inner().flag("from"), Some("b"));
    assert_eq!(file.instructions().len(), 3);
}

#[test]
fn arguments_are_read_in_all_their_forms() {
    let file = good(
        "ARG A B=\"x y\" C=\nFROM scratch\nENV A b  c\nENV A=\"b c\" D=e\\ f G=\nLABEL a.b='c d'\nEXPOSE 80  443/tcp\n\
        VOLUME [\"/a b\", \"/c\"]\nVOLUME /a /b\nSHELL [\"/bin/sh\", \"-c\"]\nHEALTHCHECK --interval=1m30s --retries=3 CMD [\"a\"]\n\
        HEALTHCHECK NONE\nHEALTHCHECK cmd a b\nSTOPSIGNAL 9\nUSER a b\nMAINTAINER x <y>\nWORKDIR /a b\nCMD\nCOPY [\"a b\", \"c\"]\nRUN [ -f x ]\n",
    );
    let told: Vec<Vec<&str>> = (0..file.instructions().len()).map(|number| args(&file, number)).collect();
    let expected: [&[&str]; 19] = [
        &["A", "B", "\"x y\"", "C", ""],
        &["scratch"],
        &["A", "b  c"],
        &["A", "\"b c\"", "D", "e\\ f", "G", ""],
        &["a.b", "'c d'"],
        &["80", "443/tcp"],
        &["/a b", "/c"],
        &["/a", "/b"],
        &["/bin/sh", "-c"],
        &["a"],
        &[],
        &["a b"],
        &["9"],
        &["a b"],
        &["x <y>"],
        &["/a b"],
        &[""],
        &["a b", "c"],
        &["[ -f x ]"],
    ];
    assert_eq!(told, expected);
}

#[test]
fn what_builders_refuse_is_refused_with_its_place() {
    let table = [
        ("", 1, 1, "no instructions"),
        ("# x\n", 1, 1, "no instructions"),
        ("ARG A\n", 1, 1, "no FROM"),
        ("RUN x\nFROM a\n", 1, 1, "before the first FROM"),
        ("FROM a\nFOO x\n", 2, 1, "unknown instruction \"FOO\""),
        ("FROM a\n  RUM \\\n x\n", 2, 3, "unknown instruction"),
        ("FROM a\nCOPY x\n", 2, 6, "destination"),
        ("FROM a\nCOPY --form=b x y\n", 2, 6, "no flag \"--form\""),
        ("FROM a\nCOPY \\\n  --from x y\n", 3, 3, "needs a value"),
        ("FROM a\nCOPY --link=maybe x y\n", 2, 6, "true or false"),
        ("FROM a\nCOPY --chown=1 --chown=2 x y\n", 2, 16, "twice"),
        ("FROM a\nRUN --mount=from=$X,target=/x y\n", 2, 5, "variables"),
        ("FROM a\nENV A\n", 2, 5, "name and a value"),
        ("FROM a\nENV A=b C\n", 2, 9, "name=value"),
        ("FROM a\nENV =b\n", 2, 5, "empty"),
        ("FROM a\nLABEL\n", 2, 6, "at least one"),
        ("FROM a b\n", 1, 6, "AS"),
        ("FROM a AS 1b\n", 1, 11, "name for a stage"),
        ("FROM\n", 1, 5, "AS"),
        ("FROM a\nSHELL /bin/sh\n", 2, 7, "JSON"),
        ("FROM a\nCMD [\"a\", 1]\n", 2, 5, "strings"),
        ("FROM a\nONBUILD ONBUILD RUN x\n", 2, 9, "chained"),
        ("FROM a\nONBUILD FROM x\n", 2, 9, "trigger"),
        ("FROM a\nHEALTHCHECK NONE x\n", 2, 18, "no arguments"),
        ("FROM a\nHEALTHCHECK TCP x\n", 2, 13, "\"TCP\""),
        ("FROM a\nHEALTHCHECK --interval=5 CMD x\n", 2, 13, "duration"),
        ("FROM a\nRUN <<EOF\nx\n", 2, 5, "\"EOF\""),
        ("FROM a\nCOPY x <<EOF\nx\nEOF\n", 2, 8, "heredoc"),
        ("# escape=x\nFROM a\n", 1, 1, "escape"),
        ("# syntax=a\n# SYNTAX = b\nFROM a\n", 2, 1, "twice"),
        ("FROM a\nVOLUME [\"\"]\n", 2, 9, "empty"),
        ("FROM a\nWORKDIR\n", 2, 8, "exactly one"),
    ];
    for (text, line, column, what) in table {
        let error = File::parse(text).expect_err(text);
        assert_eq!((error.line, error.column), (line, column), "{error} in {text:?}");
        assert!(error.text.contains(what), "{error}");
        lenient(text);
    }
    let error = File::parse_bytes(b"FROM a\n# \xc3\xa9 \xe9\n").unwrap_err();
    assert_eq!((error.line, error.column), (2, 5));
}

#[test]
fn odd_files_print_as_they_were() {
    let files = [
        "FROM a",
        "FROM a\r\n\r\nRUN x\\\r\n\ty\\",
        "FROM a\nRUN \\\n\n\n  # c\n\\\n x \\\\\n",
        "\\\nFROM \\\na\n",
        "FROM a\nRUN a \\ \t\n b\n",
        "FROM a\nRUN echo \\\\\\\nCMD x\n",
        "FROM a \n\t\nCMD   x  \t",
        "# check=skip=all\n#\n#x\n  # y\nFROM a\n",
        "# escape = ` \nFROM a\nRUN dir c:\\ `\n x\n",
        "# not=a directive\n# escape=`\nFROM a\nRUN a\\\nb\n",
        "from a\nrun b\ncopy --from=0 c d\n",
        "FROM a\nRUN \u{1f980} \\\n\u{e9}\n\u{a0}CMD x\n",
        "FROM a\nRUN x # not a comment\n# \\\nCMD y\n",
        "FROM a\nRUN <<E\nE\nRUN <<\"E\"\r\n\r\nE\r\n",
        "FROM a\nCOPY --parents --exclude=*.o --exclude=*.d --chmod=7 --link a b\n",
        "FROM a\nRUN --security=insecure --network=host x\nADD --checksum=sha256:1 --keep-git-dir=true --unpack http://x y\n",
    ];
    for text in files {
        good(text);
    }
    let file = good("FROM a\nRUN echo \\\\\\\nCMD x\n");
    assert_eq!(file.instructions().len(), 3, "an escaped escape does not continue a line");
    lenient("FROM a\rRUN b\n");
    let file = lenient("FROM a\nFOO\nRUN x\nRUN <<E\nCMD y\n");
    assert_eq!((file.errors().len(), file.instructions().len()), (2, 4));
}

#[test]
fn stages_are_linked_and_unused_ones_known() {
    let text = "ARG BASE=tools\nFROM x AS tools\nFROM $BASE AS Build\nFROM y AS spare\nFROM y AS cfg\nFROM scratch\n\
        COPY --from=BUILD /a /a\nRUN --mount=from=cfg,target=/c --mount=type=bind,from=z x\nCOPY --from=img:1 /b /b\nONBUILD COPY --from=0 /c /c\n";
    let file = good(text);
    let none = BuildArgs::new();
    assert_eq!(file.target(None), Some(4));
    assert_eq!((file.target(Some("BUILD")), file.target(Some("2")), file.target(Some("no"))), (Some(1), Some(2), None));
    assert_eq!(file.used_stages(4, &none), [true, true, false, true, true]);
    assert_eq!(file.used_stages(1, &none), [true, true, false, false, false]);
    assert_eq!(
        file.used_stages(1, &BuildArgs::from([("BASE".into(), "q".into())])),
        [false, true, false, false, false]
    );
    let links = file.links(&none);
    let told: Vec<(usize, &LinkSource, LinkKind)> =
        links.iter().map(|link| (link.user, &link.source, link.kind)).collect();
    let image = |name: &str| LinkSource::Image(name.to_string());
    let expected = [
        (0, &image("x"), LinkKind::From),
        (1, &LinkSource::Stage(0), LinkKind::From),
        (2, &image("y"), LinkKind::From),
        (3, &image("y"), LinkKind::From),
        (4, &LinkSource::Stage(1), LinkKind::Copy),
        (4, &LinkSource::Stage(3), LinkKind::Mount),
        (4, &image("z"), LinkKind::Mount),
        (4, &image("img:1"), LinkKind::Copy),
        (4, &LinkSource::Stage(0), LinkKind::Copy),
    ];
    assert_eq!(told, expected);
    assert_eq!(links.iter().map(|link| file.at(link.span)).nth(4), Some("BUILD"));
    assert_eq!(file.chain(1, &none), (vec![1, 0], Parent::Image("x".into())));
}

#[test]
fn variables_have_the_scope_of_their_stage() {
    let text = "ARG V=1\nARG W=w$V\nFROM a:$W AS one\nARG V\nARG N=n\nENV E=\"$V-$N\" P=/x:$PATH\nARG E=other\nENV V=$V$V\n\
        FROM one AS two\nENV T=$E\nFROM scratch AS three\nARG TARGETARCH\nENV X=$V$W$HOME A=$TARGETARCH\n";
    let file = good(text);
    let none = BuildArgs::new();
    let known = |stage, word: &str, args: &BuildArgs| {
        Scope::of_stage(&file, stage, args).expand(word).unwrap().known().map(str::to_string)
    };
    assert_eq!(file.parent(0, &none), Some(Parent::Image("a:w1".into())));
    assert_eq!(known(0, "$V $N $E", &none).as_deref(), Some("11 n 1-n"));
    assert_eq!(known(0, "$P", &none), None);
    assert_eq!(known(1, "$T", &none).as_deref(), Some("1-n"));
    assert_eq!(known(2, "<$X>", &none).as_deref(), Some("<>"));
    assert_eq!(known(2, "$A", &none), None, "the builder sets it");
    let given =
        BuildArgs::from([("V".into(), "2".into()), ("TARGETARCH".into(), "arm64".into()), ("E".into(), "x".into())]);
    assert_eq!(file.parent(0, &given), Some(Parent::Image("a:w2".into())));
    assert_eq!(known(0, "$E $V", &given).as_deref(), Some("2-n 22"), "ENV beats ARG");
    assert_eq!(known(2, "$A", &given).as_deref(), Some("arm64"));
    let scope = Scope::global(&file, &none).stage(None);
    assert!(scope.expand("$PATH").unwrap().known().is_none());
}

#[test]
fn files_of_this_repository_print_as_they_were() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut todo = vec![root.join("tests"), root.join("docs")];
    let mut seen = 0;
    while let Some(path) = todo.pop() {
        if let Ok(entries) = std::fs::read_dir(&path) {
            todo.extend(entries.flatten().map(|entry| entry.path()));
        } else if let Ok(text) = std::fs::read_to_string(&path) {
            let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
            if name.contains("Dockerfile") || name.contains("Containerfile") {
                // The first line of a case of the end-to-end tests is no part of its file.
                let case = text.strip_prefix("# case:").and_then(|rest| rest.split_once('\n'));
                good(case.map_or(&text, |(_, file)| file));
            } else {
                // Whatever it is, it comes out as it went in.
                lenient(&text);
            }
            seen += 1;
        }
    }
    assert!(seen > 10, "{seen} files");
}

#[test]
#[ignore = "reads the files named in DOCKERFILES, one a line; Dockerfiles within documents are read, too"]
fn any_files_print_as_they_were() {
    let (mut files, mut blocks, mut refused) = (0, 0, Vec::new());
    for path in std::env::var("DOCKERFILES").unwrap_or_default().lines() {
        let Ok(text) = std::fs::read_to_string(path) else { continue };
        files += 1;
        let file = lenient(&text);
        let parts: Vec<&str> = text.split("```").skip(1).step_by(2).filter(|part| part.contains("FROM ")).collect();
        if parts.is_empty() && !file.errors().is_empty() {
            refused.push(format!("{path}: {}", file.errors()[0]));
        }
        for part in parts {
            blocks += 1;
            let part = part.split_once('\n').map_or("", |(_, part)| part);
            if let Some(error) = lenient(part).errors().first() {
                refused.push(format!("{path}, block: {error}"));
            }
        }
    }
    eprintln!("{files} files, {blocks} blocks, refused: {refused:#?}");
}

/// A generator with a seed. Source: xorshift64*, Vigna 2016.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let value = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(value).unwrap_or(0) % limit.max(1)
    }
}

const SEEDS: [&str; 4] = [
    "# syntax=docker/dockerfile:1\n# escape=\\\nARG V=1\nFROM --platform=$BUILDPLATFORM golang:${V} AS build\nWORKDIR /src\nCOPY go.* ./\n\
     RUN --mount=type=cache,target=/go/pkg go mod download && \\\n    # why\n    go build -o /out/app ./...\nFROM scratch\n\
     COPY --from=build --chown=1:1 /out/app /app\nENTRYPOINT [\"/app\"]\n",
    "FROM a\r\nENV A=\"b c\" \\\r\n  D='e' F=$A\r\nLABEL x=\"${A:-y}\"\r\nRUN <<EOF\r\nset -e\r\nEOF\r\nHEALTHCHECK --interval=5s CMD x || exit 1\r\n",
    "# escape=`\nFROM w\nRUN a `\n  && b\nCOPY <<-\"X\" <<Y /d/\n\tone\n\tX\ntwo\nY\nONBUILD RUN <<Z cat\nZ\nSHELL [\"s\", \"-c\"]\n",
    "\u{feff}FROM a AS b\nARG X\nVOLUME [\"/a\", \"/b\"]\nUSER ${X%:*}\nEXPOSE 80 443\nSTOPSIGNAL ${X#a}\nMAINTAINER \u{e9}\nCMD echo \u{1f980}\\",
];

const BITS: [&str; 30] = [
    "\\",
    "\n",
    "\r\n",
    "#",
    "\"",
    "'",
    "`",
    "<<",
    "<<-E",
    "EOF\n",
    "$",
    "${",
    "}",
    "--",
    "=",
    " ",
    "\t",
    "[",
    "]",
    ",",
    "\\\n",
    "\u{feff}",
    "FROM x AS y\n",
    "ONBUILD ",
    "RUN ",
    "# escape=`\n",
    "\u{e9}",
    "\0",
    "--from=0 ",
    "\\\\",
];

#[test]
fn mutated_files_are_printed_as_they_were_or_refused_with_a_place() {
    let mut random = Random(0x9e37_79b9_7f4a_7c15);
    let (mut refused, mut passed) = (0, 0);
    for round in 0..10_000 {
        let mut text = SEEDS[round % SEEDS.len()].to_string();
        for _ in 0..1 + random.below(6) {
            let cut = |text: &str, at: usize| (0..=at).rev().find(|&at| text.is_char_boundary(at)).unwrap_or(0);
            let at = cut(&text, random.below(text.len() + 1));
            match random.below(4) {
                0 => text.insert_str(at, BITS[random.below(BITS.len())]),
                1 => {
                    let end = cut(&text, (at + random.below(12)).min(text.len()));
                    text.replace_range(at..end.max(at), "");
                }
                2 => {
                    let end = cut(&text, (at + random.below(3)).min(text.len()));
                    text.replace_range(at..end.max(at), BITS[random.below(BITS.len())]);
                }
                _ => {
                    let end = cut(&text, (at + random.below(40)).min(text.len())).max(at);
                    let part = text[at..end].to_string();
                    let to = cut(&text, random.below(text.len() + 1));
                    text.insert_str(to, &part);
                }
            }
        }
        let file = lenient(&text);
        match File::parse(&text) {
            Ok(strict) => {
                assert_eq!(strict, file);
                passed += 1;
            }
            Err(error) => {
                assert_eq!(file.errors().first(), Some(&error));
                refused += 1;
            }
        }
        let none = BuildArgs::new();
        file.links(&none);
        for (number, stage) in file.stages().iter().enumerate() {
            let scope = Scope::of_stage(&file, number, &none);
            for instruction in &file.instructions()[stage.body.clone()] {
                words(&instruction.statement.command).iter().for_each(|word| drop(scope.expand(&word.text)));
                file.scripts(instruction).iter().for_each(|script| {
                    for simple in script.commands() {
                        let place = script.span(simple.span);
                        assert!(text.get(place.start..place.end).is_some());
                    }
                });
            }
        }
    }
    assert!(refused > 1000 && passed > 1000, "{refused} refused, {passed} passed");
}

#[test]
fn a_megabyte_of_anything_is_read_in_time_that_grows_with_it() {
    let of = |part: &str| format!("FROM a\n{}", part.repeat((1 << 20) / part.len()));
    let some = |part: &str| format!("FROM a\n{}", part.repeat((1 << 18) / part.len()));
    let files = [
        of("\\"),
        of("\\\n"),
        of("RUN x \\\n"),
        of("RUN <<E\n"),
        some("RUN <<E\nE\n"),
        format!("FROM a\nRUN {}\n", "<<E ".repeat(1 << 18)),
        format!("FROM a\nRUN {}", "\"".repeat(1 << 20)),
        some("FROM a AS b\n"),
        some("FROM b AS b\nCOPY --from=b x y\n"),
        some("ARG A=$A$A$A$A\n"),
        format!("ARG A={}\n{}FROM $A\n", "x".repeat(8000), "ARG B=$A$A$A$A$A$A$A$A\n".repeat(40_000)),
        some("ENV A=${A:-${A:-${A:-x}}}\n"),
        format!("FROM a\nENV A={}\n", "${A:-".repeat(200_000)),
        format!("FROM a\nCOPY {}\n", "--exclude=x ".repeat(80_000)),
        format!("FROM a\nCMD {}\n", "[".repeat(1 << 20)),
        format!("FROM a\nCMD [{}\n", "\"a\",".repeat(1 << 18)),
        format!("FROM a\nRUN {}\n", "$((".repeat(1 << 18)),
        format!("FROM a\nRUN {}\n", "a&&(".repeat(1 << 18)),
        some("\u{feff}"),
        some("# escape=`\n"),
        some("FOO\n"),
    ];
    for text in files {
        let start = Instant::now();
        let none = BuildArgs::new();
        let file = File::parse_lenient(&text);
        let _ = File::parse(&text);
        assert_eq!(file.to_string(), text);
        if let Some(target) = file.target(None) {
            file.used_stages(target, &none);
            Scope::of_stage(&file, target, &none);
        }
        file.instructions().iter().for_each(|one| drop(shell::commands(one.logical.text())));
        let shown: String = text.chars().skip(7).take(20).collect();
        assert!(start.elapsed() < Duration::from_secs(20), "{:?} for {shown:?}", start.elapsed());
    }
}
