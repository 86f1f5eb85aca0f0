//! Reports built by hand for the tests of reporters and of the command line.

use similar::TextDiff;

use crate::model::{
    BaseLayers, Change, Confidence, Diagnostic, Digest, DockerfileLine, EffectiveUser, Evidence, EvidenceClass, Family,
    Finding, Fix, ImageConfig, ImageInfo, ImagePath, LayerInfo, LayerRef, LayerSummary, Manager, Need, Origin,
    PackageRef, Patch, PathGroup, Platform, Reach, Remedy, Removal, Report, Rewrite, Role, RoleName, RuleAbout,
    Severity, State, ToolInfo, Totals, Weakness,
};

/// Names that broke other tools or could break a terminal, a URI or SARIF's message syntax.
pub(crate) const HOSTILE: [&[u8]; 16] = [
    b"\xff\xfe\x00",
    b"a\x1b[31mred\x07",
    "b\u{202e}idi\u{2066}".as_bytes(),
    b"[link](1) {0} \\[x\\]",
    b"http://evil.example/x?y#z",
    b"c:/windows:8080",
    b"new\nline\r\ttab",
    b"%2e%2e%2f",
    "日本語 e\u{301} \u{feff}".as_bytes(),
    b"..\\..\\x",
    b"`code` **bold** <img src=x>",
    b"::error a=b,c=d::e%0A::f",
    b"=cmd|' /C calc'!A1",
    b"]]><failure/>&#x1b;&amp;",
    b"|@user #1 ```\n<!-- -->",
    b"\xf0\x9f\x98\x80\xc3(",
];

/// An image of two layers with nothing in it to complain of.
pub(crate) fn empty() -> Report {
    Report {
        image: image(),
        layers: [(1, "debootstrap"), (2, "RUN /bin/sh -c apt-get install -y gcc # buildkit")]
            .map(|(number, by)| LayerSummary {
                layer: layer(number, by),
                blob: Some(Digest::new([number as u8 + 100; 32])),
                blob_bytes: 31_000_000,
                tar_bytes: 80_000_000,
                entries: 4_200,
            })
            .into(),
        totals: Totals { files: 8_211, bytes: 731_000_000, buried_files: 12, buried_bytes: 21_000_000, packages: 312 },
        user: Some(EffectiveUser {
            declared: String::new(),
            uid: Some(0),
            gid: Some(0),
            name: Some("root".into()),
            how: "no USER is set, so the engine starts it as root".into(),
        }),
        role: Role { name: RoleName::Service, how: "its command is /app/server".into() },
        base: BaseLayers {
            layers: Some(1),
            confidence: Some(Confidence::High),
            name: Some("debian:12".into()),
            how: "the history sets CMD after layer 1".into(),
        },
        findings: Vec::new(),
        fix: None,
        searched: None,
        diagnostics: Vec::new(),
        rules: vec![gcc_rule(), root_rule(), make_rule()],
        policy: None,
        dockerfile: None,
        frameworks: Vec::new(),
        tool: ToolInfo { version: "0.1.0".into(), catalogue: Some(Digest::new([7; 32])) },
    }
}

/// The image of [`empty`] with a live compiler, a buried make and the root user.
pub(crate) fn report() -> Report {
    Report { findings: vec![gcc(), root(), make()], ..empty() }
}

/// The report with a Dockerfile: a line for the compiler, the change of one for the user, and the rewrite.
pub(crate) fn mended() -> Report {
    let old = "FROM debian:12\nRUN apt-get install -y gcc && make\nCMD [\"/app\"]\n";
    let new = "FROM debian:12 AS build\nRUN apt-get install -y gcc && make\n\nFROM debian:12-slim\nCOPY --from=build /app \
               /app\nUSER 65532:65532\nCMD [\"/app\"]\n";
    let rewrite = Rewrite {
        file: Some("Dockerfile".into()),
        old: String::new(),
        dockerfile: new.into(),
        stage: new.get(new.rfind("FROM").unwrap_or(0)..).unwrap_or_default().into(),
        diff: TextDiff::from_lines(old, new).unified_diff().header("a/Dockerfile", "b/Dockerfile").to_string(),
        changes: vec![Change { line: Some(1), what: "the stage builds only".into(), why: "it holds GCC".into() }],
        guessed: Vec::new(),
        from: "debian:12".into(),
        to: "debian:12-slim".into(),
        stays: Vec::new(),
        left: Vec::new(),
        user: Some("65532:65532".into()),
        before: 731_000_000,
        added: 1_000_000,
        base: None,
    };
    let mut report = report();
    let line =
        |first, text: &str| DockerfileLine { file: "Dockerfile".into(), first, last: first, instruction: text.into() };
    report.findings[0].line = Some(line(2, "RUN apt-get install -y gcc && make"));
    report.findings[1].line = Some(line(1, "FROM debian:12"));
    report.findings[1].patch = Some(Patch {
        what: "Run as 65532:65532 instead of root".into(),
        first: 3,
        last: 3,
        text: "USER 65532:65532\nCMD [\"/app\"]".into(),
    });
    for finding in &mut report.findings[..2] {
        finding.remedy.dockerfile.clone_from(&rewrite.stage);
        finding.remedy.own = true;
    }
    report.fix = Some(Fix::Rewritten(Box::new(rewrite)));
    report
}

/// A diagnostic of something unread.
pub(crate) fn unread(text: &str) -> Diagnostic {
    Diagnostic { layer: Some(2), path: Some("var/lib/x".into()), text: text.into(), unread: true }
}

/// `count` findings that differ in nothing but their root and fingerprint.
pub(crate) fn many(count: usize) -> Report {
    let one = Finding { paths: Vec::new(), ..gcc() };
    let findings = (0..count)
        .map(|at| {
            let root = format!("opt/{at:05}");
            let file = ImagePath::from(format!("{root}/gcc").as_str());
            Finding {
                paths: vec![PathGroup { root: root.as_str().into(), bytes: 1, files: vec![file] }],
                fingerprint: format!("{at:016x}"),
                ..one.clone()
            }
        })
        .collect();
    Report { findings, ..empty() }
}

/// The report with `name` wherever an image can put a string.
pub(crate) fn hostile(name: &[u8]) -> Report {
    let text = String::from_utf8_lossy(name).into_owned();
    let path = ImagePath::new(&[b"opt/", name].concat());
    let mut report = report();
    report.image.reference = text.clone();
    report.image.names = vec![text.clone(), format!("{text}:1"), format!("{text}@{}", Digest::new([9; 32]))];
    report.image.notes = vec![text.clone()];
    if let Some(user) = &mut report.user {
        (user.declared, user.name, user.how) = (text.clone(), Some(text.clone()), text.clone());
    }
    for layer in &mut report.layers {
        layer.layer.created_by = Some(text.clone());
    }
    for finding in &mut report.findings {
        finding.version = Some(text.clone());
        finding.why = text.clone();
        for evidence in &mut finding.evidence {
            (evidence.witness, evidence.path) = (text.clone(), Some(path.clone()));
        }
        for group in &mut finding.paths {
            (group.root, group.files) = (path.clone(), vec![path.clone()]);
        }
        for package in &mut finding.packages {
            (package.name, package.version) = (text.clone(), text.clone());
        }
        if let Some(layer) = &mut finding.layer {
            layer.created_by = Some(text.clone());
        }
    }
    report.diagnostics.push(Diagnostic { layer: Some(1), path: Some(path), text, unread: true });
    report
}

fn image() -> ImageInfo {
    ImageInfo {
        reference: "docker:registry.example:5000/shop/api:1.4".into(),
        names: vec![
            "registry.example:5000/shop/api:1.4".into(),
            format!("registry.example:5000/shop/api@{}", Digest::new([9; 32])),
        ],
        manifest: None,
        id: Some(Digest::new([1; 32])),
        platform: Some(Platform { os: "linux".into(), architecture: "amd64".into(), variant: String::new() }),
        config: Some(ImageConfig { env: vec!["PATH=/usr/bin".into()], ..ImageConfig::default() }),
        layers: vec![LayerInfo::default(), LayerInfo::default()],
        base: None,
        built_from: None,
        notes: vec!["the index holds one image, for linux/amd64".into()],
    }
}

fn layer(number: u32, created_by: &str) -> LayerRef {
    LayerRef { number, diff_id: Some(Digest::new([number as u8; 32])), created_by: Some(created_by.into()) }
}

fn two_stage() -> Remedy {
    Remedy {
        id: "c-two-stage".into(),
        title: "Compile in a builder stage and copy the program".into(),
        text:
            "Install the compiler in a stage of its own, build there, and copy only the program and the libraries it \
               needs into the final stage."
                .into(),
        dockerfile: "FROM debian:12 AS build\nRUN apt-get update && apt-get install -y gcc\nCOPY . /src\nRUN make -C \
                     /src\n\nFROM debian:12-slim\nCOPY --from=build /src/app /usr/local/bin/app\nUSER 65532\n"
            .into(),
        own: false,
    }
}

fn non_root() -> Remedy {
    Remedy {
        id: "non-root-user".into(),
        title: "Run as a numeric user other than 0".into(),
        text: "Set USER to a number above 0 at the end of the final stage.".into(),
        dockerfile: "USER 65532:65532\n".into(),
        own: false,
    }
}

fn gcc_rule() -> RuleAbout {
    RuleAbout {
        id: "build-tool/gcc".into(),
        title: "GNU C compiler in the final image".into(),
        severity: Severity::High,
        why: "A compiler lets an intruder build tools inside the container, and costs hundreds of megabytes.".into(),
        remedy: two_stage(),
        refs: vec!["https://gcc.gnu.org/onlinedocs/gcc/Invoking-GCC.html".into()],
        weaknesses: Vec::new(),
    }
}

fn make_rule() -> RuleAbout {
    RuleAbout {
        id: "build-tool/make".into(),
        title: "GNU make in the final image".into(),
        severity: Severity::Low,
        ..gcc_rule()
    }
}

fn root_rule() -> RuleAbout {
    RuleAbout {
        id: "root-user/uid-0".into(),
        title: "The image runs as root".into(),
        severity: Severity::Medium,
        why: "A process that breaks out of the container is root on the host.".into(),
        remedy: non_root(),
        refs: vec!["https://docs.docker.com/reference/dockerfile/".into()],
        weaknesses: vec![Weakness { id: "CWE-250".into(), title: "Execution with Unnecessary Privileges".into() }],
    }
}

fn gcc() -> Finding {
    let rule = gcc_rule();
    let witness =
        |class, witness: &str, path: &str| Evidence { class, witness: witness.into(), path: Some(path.into()) };
    Finding {
        rule: rule.id,
        family: Family::BuildTool,
        title: rule.title,
        severity: rule.severity,
        confidence: Confidence::Certain,
        subject: "GCC".into(),
        version: Some("12.2.0-14".into()),
        state: State::Live,
        why: rule.why,
        evidence: vec![
            witness(EvidenceClass::Package, "dpkg gcc-12 12.2.0-14", "usr/bin/x86_64-linux-gnu-gcc-12"),
            witness(EvidenceClass::Package, "dpkg cpp-12 12.2.0-14", "usr/bin/x86_64-linux-gnu-cpp-12"),
            witness(
                EvidenceClass::Content,
                "gcc driver: \"Exit with highest error\"",
                "usr/bin/x86_64-linux-gnu-gcc-12",
            ),
            witness(EvidenceClass::Content, "cc1: \"GNU C17\"", "usr/lib/gcc/x86_64-linux-gnu/12/cc1"),
        ],
        paths: ["usr/bin", "usr/lib/gcc/x86_64-linux-gnu/12", "usr/libexec/gcc", "usr/share/doc/gcc-12"]
            .map(|root| PathGroup {
                root: root.into(),
                bytes: 78_000_000,
                files: (0..120).map(|n| format!("{root}/file-{n:03}").as_str().into()).collect(),
            })
            .into(),
        packages: ["cpp-12", "gcc-12"]
            .map(|name| PackageRef { manager: Manager::Deb, name: name.into(), version: "12.2.0-14".into() })
            .into(),
        bytes: 312_000_000,
        buried_bytes: 0,
        layer: Some(layer(
            2,
            "RUN /bin/sh -c apt-get update && apt-get install -y --no-install-recommends gcc make libc6-dev ca-certificates && rm -rf /var/lib/apt/lists/* # buildkit",
        )),
        hidden_by: None,
        owner: "deb".into(),
        origin: Origin::Own,
        need: Need { reach: Reach::Unreachable, witness: None },
        removal: Removal { also: vec!["build-essential".into()], caution: None },
        part_of: None,
        secrets: Vec::new(),
        line: None,
        patch: None,
        allowed: None,
        allowed_by: None,
        rated: None,
        since: None,
        evidence_digest: None,
        remedy: rule.remedy,
        refs: rule.refs,
        fingerprint: "00112233445566aa".into(),
    }
}

fn make() -> Finding {
    let rule = make_rule();
    Finding {
        rule: rule.id,
        title: rule.title,
        severity: rule.severity,
        subject: "GNU make".into(),
        version: Some("4.3".into()),
        state: State::Buried,
        evidence: vec![Evidence {
            class: EvidenceClass::Content,
            witness: "make: \"GNU Make %s\"".into(),
            path: Some("usr/bin/make".into()),
        }],
        paths: vec![PathGroup { root: "usr/bin".into(), bytes: 240_000, files: vec!["usr/bin/make".into()] }],
        packages: Vec::new(),
        bytes: 240_000,
        layer: Some(layer(1, "debootstrap")),
        hidden_by: Some(layer(2, "RUN /bin/sh -c rm /usr/bin/make # buildkit")),
        owner: "none".into(),
        origin: Origin::Unknown,
        need: Need::default(),
        removal: Removal::default(),
        part_of: None,
        fingerprint: "00112233445566cc".into(),
        ..gcc()
    }
}

fn root() -> Finding {
    let rule = root_rule();
    Finding {
        rule: rule.id,
        family: Family::RootUser,
        title: rule.title,
        severity: rule.severity,
        subject: "root".into(),
        version: None,
        why: rule.why,
        evidence: vec![Evidence { class: EvidenceClass::Config, witness: "USER is not set".into(), path: None }],
        paths: Vec::new(),
        packages: Vec::new(),
        bytes: 0,
        layer: None,
        owner: "none".into(),
        origin: Origin::Unknown,
        need: Need::default(),
        removal: Removal::default(),
        part_of: None,
        secrets: Vec::new(),
        line: None,
        patch: None,
        allowed: None,
        allowed_by: None,
        rated: None,
        since: None,
        evidence_digest: None,
        remedy: rule.remedy,
        refs: rule.refs,
        fingerprint: "00112233445566bb".into(),
        ..gcc()
    }
}
