//! Histories that builders wrote (`recorded.json`: Docker 20.10 with both of its builders, buildah 1.28, podman 4.3), and
//! some that were written after their sources.

use std::collections::BTreeMap;

use serde_json::Value;

use super::*;
use crate::model::{BaseLayers, History, ImageConfig, LayerInfo};

fn image(history: &[(String, String, bool)]) -> ImageInfo {
    let entry = |(created_by, comment, empty_layer): &(String, String, bool)| History {
        created_by: created_by.clone(),
        created: None,
        comment: comment.clone(),
        empty_layer: *empty_layer,
    };
    let history: Vec<History> = history.iter().map(entry).collect();
    let layers = history.iter().filter(|entry| !entry.empty_layer).map(|_| LayerInfo::default()).collect();
    ImageInfo { layers, config: Some(ImageConfig { history, ..ImageConfig::default() }), ..ImageInfo::default() }
}

/// An image of BuildKit's making; entries that begin with `-` make no layer.
fn buildkit(entries: &[&str]) -> ImageInfo {
    let entry = |entry: &&str| {
        let text = entry.strip_prefix('-').unwrap_or(entry);
        let mark = if ["RUN", "COPY", "ADD"].iter().any(|word| text.starts_with(word)) { " # buildkit" } else { "" };
        (format!("{text}{mark}"), "buildkit.dockerfile.v0".to_string(), entry.starts_with('-'))
    };
    image(&entries.iter().map(entry).collect::<Vec<_>>())
}

fn tell(image: &ImageInfo, text: &str, target: Option<&str>) -> Lines {
    let args = BuildArgs::new();
    attribute(image, &File::parse(text).unwrap(), &Options { target, args: &args, border: None })
}

/// Places in short: `4` is a line, `2|3` one of two, `<1` the base image of line 1, `?` unknown.
fn short(places: &[Place]) -> String {
    let place = |place: &Place| match place {
        Place::Line(line) => line.first_line.to_string(),
        Place::OneOf(lines) => lines.iter().map(|line| line.first_line.to_string()).collect::<Vec<_>>().join("|"),
        Place::Base(line) => format!("<{}", line.first_line),
        Place::Unknown(_) => "?".to_string(),
    };
    places.iter().map(place).collect::<Vec<_>>().join(" ")
}

struct Recorded {
    files: BTreeMap<String, String>,
    /// Name, file, image.
    images: Vec<(String, String, ImageInfo)>,
}

fn recorded() -> Recorded {
    let data: Value = serde_json::from_str(include_str!("recorded.json")).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_string();
    let files = data["files"].as_object().unwrap().iter().map(|(name, file)| (name.clone(), text(file))).collect();
    let images = data["images"].as_array().unwrap().iter().map(|one| {
        let entry = |entry: &Value| (text(&entry[0]), text(&entry[1]), entry[2] == 1);
        let history: Vec<_> = one["history"].as_array().unwrap().iter().map(entry).collect();
        let image = image(&history);
        assert_eq!(one["layers"].as_u64(), Some(image.layers.len() as u64));
        (text(&one["name"]), text(&one["file"]), image)
    });
    Recorded { files, images: images.collect() }
}

#[test]
fn every_recorded_layer_is_on_its_line_or_among_its_lines() {
    let expected: BTreeMap<&str, &str> = [
        ("args.k0", "<2 7 10"),
        ("args.k1", "<2 7 9 10"),
        ("args-given.k0", "<2 7 10"),
        ("args-given.k1", "<2 7 9 10"),
        ("args-l.b", "<2 7 9 10"),
        ("args-n.b", "<2 7|9|10"),
        ("args-given.b", "<2 7 9 10"),
        ("base.k0", "?"),
        ("base.k1", "?"),
        ("base-l.b", "?"),
        ("chain.k0", "<1 2 8 9"),
        ("chain.k1", "<1 2 8 9"),
        ("chain-l.b", "<1 2 8 9"),
        ("chain-n.b", "<1 2 8|9"),
        ("chain-dev.k0", "<1 2 5"),
        ("chain-dev.k1", "<1 2 5"),
        ("crlf.k0", "<1 4"),
        ("crlf.k1", "<1 2 4"),
        ("crlf-l.b", "<1 2 4"),
        ("crlf-n.b", "<1 2|4"),
        ("misc.k0", "<1 10 11 12 13 14"),
        ("misc.k1", "<1 7 9 10 11 12 13 14"),
        ("misc-l.b", "<1 7 9 10 11 12"),
        ("misc-n.b", "<1 7|9|10|11|12|13|14"),
        ("multi.k0", "<9 10 11 12"),
        ("multi.k1", "<9 10 11 12"),
        ("multi-l.b", "<9 10 11 12"),
        ("multi-p.p", "<9 10 11 12"),
        ("multi-n.b", "<9 10|11|12"),
        ("multi-squash.b", "?"),
        ("multi-test.k0", "<1 2 3 4 8"),
        ("multi-test.k1", "<1 2 3 4 8"),
        ("multi-test.b", "<1 3 4 8"),
        ("onbuild.k0", "<1 <1 <1 <1 <1 <1 <1 <1"),
        ("onbuild.k1", "<1 <1 <1 <1 <1 <1 <1 <1 <1 <1 2"),
        ("onbuild-l.b", "<1 <1 <1 <1 <1 <1 2"),
        ("onbuild-n.b", "<1 <1 <1 <1 <1 <1 2"),
        ("plain.k0", "<1 2 3 4 8"),
        ("plain.k1", "<1 2 3 4 8"),
        ("plain-l.b", "<1 3 4 8"),
        ("plain-n.b", "<1 2|3|4|8"),
        ("real.k0", "<2 8 10 11 16 17"),
        ("real.k1", "<2 8 10 11 16 17"),
        ("real-l.b", "<2 10 11 16 17"),
        ("real-p.p", "<2 10 11 16 17"),
        ("real-n.b", "<2 8|10|11|16|17"),
        ("same.k0", "<1 2 3 6"),
        ("same.k1", "<1 2 3 6"),
        ("same-l.b", "<1 2 3 6"),
        ("same-n.b", "<1 2|3|6"),
        ("scratch.k0", "4 5"),
        ("scratch.k1", "4 5"),
        ("scratch-l.b", "4 5"),
        ("scratch-n.b", "4|5"),
    ]
    .into();
    let recorded = recorded();
    let mut wrong = Vec::new();
    for (name, file, image) in &recorded.images {
        let lines = tell(image, &recorded.files[file], None);
        let told = short(&lines.layers);
        if Some(told.as_str()) != expected.get(name.as_str()).copied() {
            wrong.push(format!("{name}: {told} ({:?})", lines.reason().map(ToString::to_string)));
        }
    }
    assert_eq!(recorded.images.len(), expected.len());
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn no_recorded_image_is_taken_for_one_of_another_file() {
    let recorded = recorded();
    let mut pairs = 0;
    for (name, own, image) in &recorded.images {
        for (file, text) in recorded.files.iter().filter(|(file, _)| *file != own) {
            let lines = tell(image, text, None);
            assert_eq!(lines.stage, None, "{name} and {file}: {}", short(&lines.layers));
            assert!(lines.layers.iter().all(|place| matches!(place, Place::Unknown(_))));
            pairs += 1;
        }
    }
    assert!(pairs > 400, "{pairs}");
}

#[test]
fn a_changed_file_is_noticed_and_said() {
    let recorded = recorded();
    let (_, file, image) = recorded.images.iter().find(|(name, ..)| name == "plain.k1").unwrap();
    let text = &recorded.files[file];
    let changes = [
        ("touch /one", "touch /two", "line 4"),
        ("COPY . .", "COPY . /srv", "line 8"),
        ("EXPOSE 8080 9090/udp", "EXPOSE 8080", "line 9"),
        ("USER 1000:1000", "USER 1000", "line 10"),
        ("WORKDIR /app", "WORKDIR /app\nRUN echo more > /more", "line 3"),
        ("\"/app/app.txt\"", "\"/app/other.txt\"", "line 11"),
        ("FROM example/base", "FROM scratch", "scratch"),
        ("EXPOSE 8080 9090/udp\n", "", "\"EXPOSE"),
    ];
    for (old, new, told) in changes {
        let changed = text.replacen(old, new, 1);
        assert_ne!(&changed, text);
        let lines = tell(image, &changed, None);
        let reason = lines.reason().expect(new).to_string();
        assert!(reason.contains(told), "{reason}");
        assert!(lines.layers.iter().all(|place| matches!(place, Place::Unknown(Reason::OtherFile(_)))));
    }
    let moved = text.replacen("FROM", "# moved\n\n\nFROM", 1).replacen("RUN", "# more\nRUN", 1);
    assert_eq!(short(&tell(image, &moved, None).layers), "<4 5 6 8 12", "a moved line is found where it is");
}

#[test]
fn the_stage_that_was_shipped_is_recognised() {
    let recorded = recorded();
    for (name, stage) in [("multi-test.k1", 2), ("multi.k1", 3), ("chain-dev.k0", 1), ("chain.k0", 2)] {
        let (_, file, image) = recorded.images.iter().find(|(it, ..)| it == name).unwrap();
        assert_eq!(tell(image, &recorded.files[file], None).stage, Some(stage), "{name}");
        assert!(tell(image, &recorded.files[file], Some("no")).reason().unwrap().to_string().contains("\"no\""));
    }
    let (_, file, image) = recorded.images.iter().find(|(it, ..)| it == "multi-test.k1").unwrap();
    assert_eq!(tell(image, &recorded.files[file], Some("final")).stage, None);
    // The end of the development stage is that of the last one, too: the one that explains more is it.
    let text = "FROM a AS dev\nRUN make everything\nCMD [\"x\"]\nFROM a\nRUN echo nothing here\nCMD [\"x\"]\n";
    let dev = buildkit(&["ADD rootfs /", "RUN /bin/sh -c make everything", "-CMD [\"x\"]"]);
    assert_eq!(short(&tell(&dev, text, None).layers), "<1 2");
}

#[test]
fn heredocs_and_flags_of_newer_builders_are_understood() {
    let text = "FROM a\nRUN <<EOF\nset -e\n\tmake\nEOF\nRUN cat <<'A' >/a && cat <<-B >/b\nx\nA\n\ty\n\tB\nRUN <<S\n#!/bin/sh\nmake\nS\n\
        COPY --chown=1:1 --link <<one <<two src* /d/\n1\none\n2\ntwo\nRUN --mount=type=cache,target=/c --network=none make cached\nEXPOSE 80\n\
        HEALTHCHECK --interval=3s CMD curl -f \"x\"\n";
    let image = buildkit(&[
        "ADD rootfs.tar / ",
        "RUN /bin/sh -c set -e\n\tmake\n",
        "RUN /bin/sh -c cat <<'A' >/a && cat <<-B >/b\nx\nA\n\ty\nB",
        "RUN /bin/sh -c /dev/pipes/S",
        "COPY --chown=1:1 src* <<one <<two /d/",
        "RUN |2 A=b c= /bin/sh -c make cached",
        "-EXPOSE [80/tcp]",
        "-HEALTHCHECK {Test:[CMD-SHELL curl -f \"x\"] Interval:3s Timeout:0s StartPeriod:0s StartInterval:0s Retries:0}",
    ]);
    assert_eq!(short(&tell(&image, text, None).layers), "<1 2 6 11 15 20");
}

#[test]
fn kaniko_writes_the_instructions_that_made_files() {
    let text = "FROM a\nENV X=1\nWORKDIR /app\nRUN touch /x && rm /x\nCOPY --chown=1:1 package.json ./\nRUN npm ci\nCOPY . .\nUSER 1\nCMD [\"x\"]\n";
    let written = |entries: &[&str]| {
        image(&entries.iter().map(|text| ((*text).to_string(), String::new(), false)).collect::<Vec<_>>())
    };
    let whole = written(&["# debian.sh", "COPY --chown=1:1 package.json ./", "RUN npm ci", "COPY . ."]);
    assert_eq!(short(&tell(&whole, text, None).layers), "<1 5 6 7");
    let shell = written(&["# debian.sh", "RUN /bin/sh -c npm ci", "COPY . ."]);
    assert_eq!(short(&tell(&shell, text, None).layers), "<1 6 7");
    let twice = "FROM a\nRUN make all\nENV A=b\nRUN make all\nCOPY a /b\n";
    let once = written(&["# debian.sh", "RUN make all", "COPY a /b"]);
    assert_eq!(short(&tell(&once, twice, None).layers), "<1 2|4 5", "which of the two made nothing is not told");
    let other = written(&["# debian.sh", "RUN npm install", "COPY . ."]);
    assert_eq!(short(&tell(&other, text, None).layers), "? ? ?");
}

#[test]
fn triggers_of_a_stage_of_the_file_are_on_their_own_line() {
    let text = "FROM a AS b\nONBUILD RUN make dep\nONBUILD COPY . /src\nRUN make base\nFROM b\nRUN make app\n";
    let image = buildkit(&[
        "ADD x /",
        "RUN /bin/sh -c make base",
        "RUN /bin/sh -c make dep",
        "COPY . /src",
        "RUN /bin/sh -c make app",
    ]);
    assert_eq!(short(&tell(&image, text, None).layers), "<1 4 2 3 6");
}

#[test]
fn docker_squash_makes_one_layer_of_all() {
    let text = "FROM a\nRUN make\nCOPY a /b\nCMD [\"x\"]\n";
    let entry = |by: &str, comment: &str, empty| (by.to_string(), comment.to_string(), empty);
    let squashed = image(&[
        entry("/bin/sh -c #(nop) ADD file:00 in / ", "", false),
        entry("/bin/sh -c make", "", true),
        entry("/bin/sh -c #(nop) COPY file:00 in /b ", "", true),
        entry("/bin/sh -c #(nop)  CMD [\"x\"]", "", true),
        entry("", "merge sha256:00 to sha256:11", false),
    ]);
    let lines = tell(&squashed, text, None);
    assert_eq!((short(&lines.layers), short(&lines.entries)), ("<1 2|3".into(), "<1 2 3 4 ?".into()));
}

#[test]
fn what_else_is_known_of_the_base_can_contradict() {
    let text = "FROM a\nRUN make all\nCMD [\"x\"]\n";
    let image = buildkit(&["ADD x /", "RUN /bin/sh -c apt-get update", "RUN /bin/sh -c make all", "-CMD [\"x\"]"]);
    let file = File::parse(text).unwrap();
    let args = BuildArgs::new();
    let told = |layers, confidence| {
        let base = BaseLayers { layers: Some(layers), confidence: Some(confidence), ..BaseLayers::default() };
        let border = Attribution { base, own_from: layers };
        let lines = attribute(&image, &file, &Options { target: None, args: &args, border: Some(&border) });
        short(&lines.layers)
    };
    assert_eq!(told(2, Confidence::Certain), "<1 <1 2");
    assert_eq!(told(1, Confidence::Certain), "? ? ?", "a line that is gone made the second layer");
    assert_eq!(told(3, Confidence::Certain), "? ? ?");
    assert_eq!(told(1, Confidence::Medium), "<1 ? 2", "a guess against a guess");
}

#[test]
fn given_arguments_are_held_against_the_history() {
    let recorded = recorded();
    let (_, file, image) = recorded.images.iter().find(|(name, ..)| name == "args-given.k1").unwrap();
    let file = File::parse(&recorded.files[file]).unwrap();
    let told = |name: &str| {
        let args = BuildArgs::from([("NAME".to_string(), name.to_string())]);
        short(&attribute(image, &file, &Options { target: None, args: &args, border: None }).layers)
    };
    assert_eq!(told("joe"), "<2 7 9 10");
    assert_eq!(told("jim"), "? ? ? ?");
}

#[test]
fn a_reason_has_no_values_of_variables_in_it() {
    let image = buildkit(&["RUN |1 TOKEN=grape /bin/sh -c make all", "-ENV PASSWORD=lemon"]);
    for text in ["FROM a\nRUN make it\nENV PASSWORD=lemon\n", "FROM a\nRUN make all\nENV PASSWORD=melon\n"] {
        let reason = tell(&image, text, None).reason().unwrap().to_string();
        assert!(!["grape", "lemon", "melon"].iter().any(|value| reason.contains(value)), "{reason}");
    }
}

#[test]
fn hostile_histories_are_answered_soon() {
    let start = std::time::Instant::now();
    let text = format!("FROM a\n{}", "RUN make x\n".repeat(1900));
    let entries = vec!["RUN make x"; 1900];
    let same = image(&entries.iter().map(|text| ((*text).to_string(), String::new(), false)).collect::<Vec<_>>());
    let lines = tell(&same, &text, None);
    assert_eq!(lines.layers.len(), 1900);
    let long = buildkit(&vec!["RUN x"; 5000]);
    assert_eq!(tell(&long, &text, None).reason(), Some(&Reason::TooLong));
    let stages = (0..2000).map(|n| format!("FROM a AS s{n}\nCOPY --from=s{} / /\n", n.max(1) - 1)).collect::<String>();
    tell(&same, &stages, None);
    let file = File::parse(&stages).unwrap();
    let line = Line::of(&file, 3999).unwrap();
    copied(&file, &line, "/usr/bin/x", &BuildArgs::new());
    let wide = (0..12)
        .map(|n| format!("FROM a AS s{n}\n{}", format!("COPY --from=s{} / /\n", n.max(1) - 1).repeat(12)))
        .collect::<String>();
    let file = File::parse(&wide).unwrap();
    let line = Line::of(&file, file.instructions().len() - 1).unwrap();
    copied(&file, &line, "/usr/bin/x", &BuildArgs::new());
    assert!(start.elapsed() < std::time::Duration::from_secs(20), "{:?}", start.elapsed());
}

#[test]
fn a_copy_out_of_a_stage_is_followed_back() {
    let text = "ARG OUT=/out\nFROM golang AS build\nARG OUT\nWORKDIR /src\nCOPY . .\nRUN go mod download\nRUN go build -o ${OUT:-x} ./cmd\n\
        RUN go build -o /out/app . && go build -o bin/tool ./tool\nFROM node AS ui\nWORKDIR /ui\nCOPY ui/ ./\nRUN npm run build\n\
        RUN ls dist/index.html\nFROM build AS pick\nCOPY --from=ui /ui/dist /assets\nFROM scratch\nWORKDIR /srv\n\
        COPY --from=build /out/app /src/bin/tool ./\nCOPY --from=pick /assets/ /www\nCOPY --from=build /out/app /usr/bin/renamed\n\
        COPY --from=nginx:1 /etc/nginx /etc/nginx\nCOPY conf/*.yaml /etc/app/\nCOPY --from=build /src /\n";
    let file = File::parse(text).unwrap();
    let args = BuildArgs::new();
    let at = |line: u32, path: &str| {
        let number = file.instructions().iter().position(|it| it.first_line == line).unwrap();
        let found = copied(&file, &Line::of(&file, number).unwrap(), path, &args)?;
        let makers: Vec<u32> = found.makers.iter().map(|line| line.first_line).collect();
        Some((found.from, found.paths.join(" "), makers))
    };
    let stage = CopiedFrom::Stage;
    assert_eq!(at(18, "/srv/app"), Some((stage(0), "/out/app /out/app/app".into(), vec![8])));
    assert_eq!(at(18, "/srv/tool").map(|(from, _, makers)| (from, makers[0])), Some((stage(0), 8)));
    assert_eq!(at(18, "/etc/passwd"), None);
    assert_eq!(at(20, "/usr/bin/renamed"), Some((stage(0), "/out/app".into(), vec![8])));
    assert_eq!(at(19, "/www/index.html"), Some((stage(2), "/assets/index.html".into(), vec![15, 13, 11])));
    let (from, paths, makers) = at(21, "/etc/nginx/nginx.conf").unwrap();
    assert_eq!((from, paths.as_str(), makers.len()), (CopiedFrom::Image("nginx:1".into()), "/etc/nginx/nginx.conf", 0));
    assert_eq!(at(22, "/etc/app/a.yaml"), Some((CopiedFrom::Context, "/conf/a.yaml".into(), vec![])));
    assert_eq!(at(22, "/etc/app/a.txt").unwrap().1, "");
    assert_eq!(at(23, "/main.go"), Some((stage(0), "/src/main.go".into(), vec![5])));
}

/// An image as buildah 1.28 builds it: each step says what it is built upon.
fn buildah(entries: &[(&str, &str)]) -> ImageInfo {
    let entry = |(text, from): &(&str, &str)| (text.to_string(), format!("FROM {from}"), false);
    image(&entries.iter().map(entry).collect::<Vec<_>>())
}

#[test]
fn steps_that_onbuild_asked_for_are_the_base_images_in_buildah_too() {
    let text = "FROM base\nRUN make everything\nCOPY a /b\n";
    let steps = |trigger: &'static str| {
        buildah(&[
            ("/bin/sh -c #(nop) ADD file:1 in /", "scratch"),
            ("/bin/sh -c #(nop) ONBUILD RUN echo triggered", "localhost/alpine:latest"),
            (trigger, "localhost/base:latest"),
            ("/bin/sh -c make everything", "9111c3094f80"),
            ("/bin/sh -c #(nop) COPY file:2 in /b", "23755eef7312"),
        ])
    };
    assert_eq!(short(&tell(&steps("/bin/sh -c echo triggered"), text, None).layers), "<1 <1 <1 2 3");
    let other = tell(&steps("/bin/sh -c #(nop) COPY file:3 in /c"), text, None);
    assert!(matches!(other.reason(), Some(Reason::OtherFile(_))), "nobody asked for that step: {other:?}");
}

#[test]
fn buildah_keeps_the_mounts_of_a_step() {
    let text = "FROM base\nRUN --mount=type=cache,target=/x make everything\nCOPY a /b\n";
    let made = |mount: &str| {
        let step = format!("/bin/sh -c {mount}make everything");
        tell(
            &buildah(&[("ADD", "scratch"), (&step, "base"), ("/bin/sh -c #(nop) COPY file:2 in /b", "23755eef7312")]),
            text,
            None,
        )
    };
    assert_eq!(short(&made("--mount=type=cache,target=/x ").layers), "<1 2 3");
    assert_eq!(short(&made("").layers), "<1 2 3");
    assert_eq!(short(&made("--mount=type=cache,target=/y ").layers), "? ? ?");
}

/// An image as buildah 1.39 builds it: the first step of a build alone says what it is built upon.
fn later_buildah(steps: &[(&str, bool)]) -> ImageInfo {
    let base = ("/bin/sh -c #(nop) ADD file:1bcc in /".to_string(), "imported from tarball".to_string(), false);
    let step = |(number, (text, makes_layer)): (usize, &(&str, bool))| {
        let from = if number == 0 { "FROM localhost/alpine:latest" } else { "" };
        ((*text).to_string(), from.to_string(), !makes_layer)
    };
    image(&[base].into_iter().chain(steps.iter().enumerate().map(step)).collect::<Vec<_>>())
}

const DOCUMENTS: &str = "FROM alpine\nRUN <<EOF\nset -e\nmkdir /one\nEOF\nRUN true\nRUN <<-\"END\" sh -e\n\t# a comment\n\tmkdir /two\n\tEND\n\
    RUN <<EOF\n#!/bin/sh\nmkdir /three\nEOF\nRUN cat <<a > /a && cat <<b > /b\nfirst\na\nsecond\nb\n\
    RUN --mount=type=bind,target=/c <<EOF\nmkdir /four\nEOF\nARG X=1\nENV Y=2\nRUN <<'EOF'\nmkdir /five\nEOF\n\
    RUN --mount=type=cache,target=/x --mount=type=bind,target=/c ls /c\nCOPY <<HEAD <<config dir /d/\nx\nHEAD\ny\nconfig\n\
    COPY --chown=1:1 --chmod=700 <<EOF /usr/bin/x\nx\nEOF\nCMD [\"sh\"]\n";

#[test]
fn documents_are_recognised_as_buildkit_13_records_them() {
    let image = buildkit(&[
        "",
        "RUN /bin/sh -c set -e\nmkdir /one\n",
        "RUN /bin/sh -c true",
        "RUN /bin/sh -c <<-\"END\" sh -e\n\t# a comment\n\tmkdir /two\nEND",
        "RUN /bin/sh -c /dev/pipes/EOF",
        "RUN /bin/sh -c cat <<a > /a && cat <<b > /b\nfirst\na\nsecond\nb",
        "RUN /bin/sh -c mkdir /four\n",
        "-ARG X=1",
        "-ENV Y=2",
        "RUN |1 X=1 /bin/sh -c mkdir /five\n",
        "RUN |1 X=1 /bin/sh -c ls /c",
        "COPY dir <<HEAD <<config /d/",
        "COPY --chown=1:1 --chmod=700 <<EOF /usr/bin/x",
        "-CMD [\"sh\"]",
    ]);
    assert_eq!(short(&tell(&image, DOCUMENTS, None).layers), "<1 2 6 7 11 15 20 25 28 29 34");
    let other = DOCUMENTS.replacen("mkdir /five", "mkdir /six", 1);
    assert!(matches!(tell(&image, &other, None).reason(), Some(Reason::OtherFile(_))));
}

#[test]
fn documents_are_recognised_as_buildah_39_records_them() {
    let digest = format!("sha256:{:064x}", 7);
    let four = format!("/bin/sh -c --mount=type=bind,target=/c <<EOF\nmkdir /four:{digest}");
    let last = format!("|1 X=1 /bin/sh -c --mount=type=cache,target=/x --mount=type=bind,target=/c ls /c:{digest}");
    let steps = [
        ("/bin/sh -c <<EOF\nset -e\nmkdir /one", true),
        ("/bin/sh -c true", true),
        ("/bin/sh -c <<-\"END\" sh -e\n# a comment\n\tmkdir /two", true),
        ("/bin/sh -c <<EOF\n#!/bin/sh\nmkdir /three", true),
        ("/bin/sh -c cat <<a > /a && cat <<b > /b\nfirst\nsecond", true),
        (&four, true),
        ("/bin/sh -c #(nop) ARG X", false),
        ("/bin/sh -c #(nop) ENV Y=2", false),
        ("|1 X=1 /bin/sh -c <<'EOF'", true),
        (&last, true),
        ("/bin/sh -c #(nop) COPY multi:385a in /d/ ", true),
        ("/bin/sh -c #(nop) COPY file:3c5f in /usr/bin/x ", true),
        ("/bin/sh -c #(nop) CMD [\"sh\"]", false),
    ];
    assert_eq!(short(&tell(&later_buildah(&steps), DOCUMENTS, None).layers), "<1 2 6 7 11 15 20 25 28 29 34");
    let other = DOCUMENTS.replacen("mkdir /two", "mkdir /six", 1);
    assert!(matches!(tell(&later_buildah(&steps), &other, None).reason(), Some(Reason::OtherFile(_))));
}

#[test]
fn one_layer_of_buildah_39_is_that_of_all_its_commands() {
    let told = |text: &str, steps: &[(&str, bool)]| short(&tell(&later_buildah(steps), text, None).layers);
    let (one, two) = ("/bin/sh -c make one", "/bin/sh -c make two");
    assert_eq!(told("FROM a\nRUN make one\nRUN make two\n", &[(one, false), (two, true)]), "<1 2|3");
    assert_eq!(told("FROM a\nRUN make one\nRUN make two\n", &[(one, true), (two, true)]), "<1 2 3");
    let copied = "/bin/sh -c #(nop) COPY file:1 in /b ";
    assert_eq!(told("FROM a\nRUN make one\nCOPY a /b\n", &[(one, false), (copied, true)]), "<1 2|3");
    let triggered = [("/bin/sh -c #(nop) ONBUILD RUN x", false), ("/bin/sh -c x", false), (one, false), (copied, true)];
    assert_eq!(told("FROM a\nRUN make one\nCOPY a /b\n", &triggered), "<1 2|3");
    let stages = "FROM a AS b\nRUN make one\nENV X=1\nFROM b\nRUN make one\nRUN make two\n";
    let set = "/bin/sh -c #(nop) ENV X=1";
    assert_eq!(told(stages, &[(one, false), (set, true), (one, false), (two, true)]), "<1 2 5|6");
}
