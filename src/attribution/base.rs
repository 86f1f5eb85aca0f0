//! Finds the border between the base image and the image's own build in the history.
//!
//! Builders leave marks: buildah and podman write what they built upon, each builder has a style of its own, and a base
//! image ends with a command, days before somebody builds upon it. A command alone is no mark: it may stand in the middle
//! of one Dockerfile. Steps that came out of a builder's cache keep their old times, so a pause alone is none either.

use super::{Attribution, short};
use crate::model::{BaseLayers, Confidence, History, ImageInfo};

/// Seconds between two steps that one build hardly needs.
const PAUSE: i64 = 3600;

/// Seconds between two steps that make two builds, unless the cache was used.
const LONG_PAUSE: i64 = 12 * 3600;

/// The first second of 2013. No container image is older: such times are constants of reproducible builds.
const FIRST_IMAGE: i64 = 1_356_998_400;

/// Attributes the layers by the history alone.
pub(super) fn by_history(image: &ImageInfo) -> Attribution {
    let history = image.config.as_ref().map_or(&[][..], |config| &config.history);
    if history.is_empty() {
        return Attribution::unknown("it has no history");
    }
    let steps: Vec<Step> = history.iter().map(Step::read).collect();
    let layers = image.layers.len();
    if steps.iter().filter(|step| step.makes_layer).count() != layers {
        return Attribution::unknown("its history does not match its layers");
    }
    if layers < 2 {
        return Attribution::unknown("it has a single layer");
    }
    match border(&steps) {
        Some(border) => border.attribution(&steps),
        None => Attribution::unknown("its history shows no border between a base image and what was built upon it"),
    }
}

/// One entry of the history, understood.
#[derive(Clone, Debug)]
struct Step {
    makes_layer: bool,
    style: Style,
    /// Seconds since 1970, where the entry has a real time.
    time: Option<i64>,
    /// Sets `CMD` or `ENTRYPOINT`.
    sets_command: bool,
    from: From,
}

/// What the entry says it was built upon (buildah, podman).
#[derive(Clone, Debug, Eq, PartialEq)]
enum From {
    Silent,
    /// The image of the step before: the same build.
    StepBefore,
    /// An image by its name.
    Image(String),
}

/// Who writes entries like this one.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Style {
    Import,
    RootfsTool,
    Classic,
    Buildkit,
    Kaniko,
    Umoci,
    Ko,
    Jib,
    Apko,
    Bazel,
    Squash,
    Other,
}

impl Style {
    fn word(self) -> &'static str {
        match self {
            Self::Import => "an import",
            Self::RootfsTool => "debuerreotype",
            Self::Classic => "the classic builder",
            Self::Buildkit => "BuildKit",
            Self::Kaniko => "kaniko",
            Self::Umoci => "umoci",
            Self::Ko => "ko",
            Self::Jib => "Jib",
            Self::Apko => "apko",
            Self::Bazel => "Bazel",
            Self::Squash => "a squashed build",
            Self::Other => "another tool",
        }
    }

    /// Sources: histories of images made with these tools; see the table of the tests.
    fn of(by: &str, comment: &str) -> Self {
        const INSTRUCTIONS: [&str; 12] = [
            "ADD ",
            "ARG ",
            "CMD ",
            "COPY ",
            "ENTRYPOINT ",
            "ENV ",
            "EXPOSE ",
            "LABEL ",
            "RUN ",
            "USER ",
            "VOLUME ",
            "WORKDIR ",
        ];
        let starts = |words: &[&str]| words.iter().any(|word| by.starts_with(word));
        if comment.starts_with("Imported from") {
            Self::Import
        } else if comment.starts_with("merge sha256:") {
            Self::Squash
        } else if comment.starts_with("debuerreotype") || starts(&["# debian.sh"]) {
            Self::RootfsTool
        } else if comment.starts_with("buildkit.") || by.ends_with("# buildkit") {
            Self::Buildkit
        } else if starts(&["umoci "]) {
            Self::Umoci
        } else if starts(&["ko build", "ko publish"]) {
            Self::Ko
        } else if starts(&["jib-", "jib:"]) {
            Self::Jib
        } else if starts(&["apko"]) {
            Self::Apko
        } else if starts(&["bazel build"]) {
            Self::Bazel
        } else if by.contains("#(nop)") || starts(&["/bin/sh -c ", "|"]) {
            Self::Classic
        } else if starts(&INSTRUCTIONS) {
            Self::Kaniko
        } else {
            Self::Other
        }
    }
}

impl Step {
    fn read(entry: &History) -> Self {
        let by = entry.created_by.trim();
        let instruction = by.split_once("#(nop)").map_or(by, |(_, instruction)| instruction.trim_start());
        let is_id = |name: &str| name.len() >= 12 && name.bytes().all(|b| b.is_ascii_hexdigit());
        let from = match entry.comment.strip_prefix("FROM ").map(str::trim) {
            None | Some("") => From::Silent,
            Some(name) if is_id(name) => From::StepBefore,
            Some(name) => From::Image(short(name)),
        };
        Self {
            makes_layer: !entry.empty_layer,
            style: Style::of(by, &entry.comment),
            time: entry.created.as_deref().and_then(seconds).filter(|&time| time >= FIRST_IMAGE),
            sets_command: ["CMD ", "ENTRYPOINT "].iter().any(|word| instruction.starts_with(word)),
            from,
        }
    }
}

/// Where the own build starts, and what tells it.
#[derive(Clone, Debug)]
struct Border {
    /// Its first step.
    step: usize,
    sign: Sign,
    /// Whether an older border of the same kind is below: then one of them may be within a build that used the cache.
    is_one_of_many: bool,
}

#[derive(Clone, Debug)]
enum Sign {
    /// The step names the image.
    Named(String),
    /// Another tool goes on.
    Tool(Style, Style),
    /// A command ends the base, and the next step is that many seconds away.
    Command(i64),
}

/// The topmost border with a layer below it.
fn border(steps: &[Step]) -> Option<Border> {
    let first_layer = steps.iter().position(|step| step.makes_layer)?;
    let signs: Vec<(usize, Sign)> =
        (first_layer + 1..steps.len()).filter_map(|at| Some((at, sign(steps, at)?))).collect();
    let (step, sign) = signs.last()?.clone();
    let commands = signs.iter().filter(|(_, sign)| matches!(sign, Sign::Command(_))).count();
    Some(Border { step, sign, is_one_of_many: commands > 1 })
}

/// What there is between a step and the one before it.
fn sign(steps: &[Step], at: usize) -> Option<Sign> {
    let (before, step) = (steps.get(at.checked_sub(1)?)?, steps.get(at)?);
    match &step.from {
        From::StepBefore => return None,
        From::Image(name) => return Some(Sign::Named(name.clone())),
        From::Silent => {}
    }
    if before.style != step.style {
        return Some(Sign::Tool(before.style, step.style));
    }
    let pause = pause(before, step).filter(|&pause| pause >= PAUSE)?;
    ends_with_command(steps, at).then_some(Sign::Command(pause))
}

fn pause(before: &Step, step: &Step) -> Option<i64> {
    Some(step.time?.checked_sub(before.time?)?.saturating_abs())
}

/// Whether a command is set by one of the steps that follow the last layer below `at`.
fn ends_with_command(steps: &[Step], at: usize) -> bool {
    let below = steps.get(..at).unwrap_or_default();
    below.iter().rev().take_while(|step| !step.makes_layer).any(|step| step.sets_command)
}

impl Border {
    fn attribution(self, steps: &[Step]) -> Attribution {
        let layers_below = |at: usize| steps.iter().take(at).filter(|step| step.makes_layer).count();
        let layers = layers_below(self.step);
        let doubt = self.doubt(steps).map(layers_below).filter(|&own_from| own_from > layers);
        let single = doubt.is_none();
        let after = if layers == 1 { "layer 1".to_string() } else { format!("layer {layers}") };
        let (sure, mut how, name) = match self.sign {
            Sign::Named(name) => (true, format!("the history says FROM {name} after {after}"), Some(name)),
            Sign::Tool(below, above) => {
                let timed = steps.get(self.step).is_some_and(|step| step.time.is_some());
                (timed, format!("after {after} the history goes on by {}, not by {}", above.word(), below.word()), None)
            }
            Sign::Command(pause) => (
                pause >= LONG_PAUSE && !self.is_one_of_many,
                format!("the history sets a command after {after} and goes on {} later", span(pause)),
                None,
            ),
        };
        if let Some(own_from) = doubt {
            how.push_str(&format!("; nothing tells whether layers up to {own_from} came with it"));
        }
        let confidence = if sure && single { Confidence::High } else { Confidence::Medium };
        let base = BaseLayers { layers: u32::try_from(layers).ok(), confidence: Some(confidence), name, how };
        let own_from = u32::try_from(doubt.unwrap_or(layers)).unwrap_or(u32::MAX);
        Attribution { base, own_from }
    }

    /// The last step above the border that may start another build: after a long pause, or after a command.
    ///
    /// buildah tells of each step that it belongs to the build of the one before.
    fn doubt(&self, steps: &[Step]) -> Option<usize> {
        let may_start = |at: &usize| {
            let (Some(before), Some(step)) = (at.checked_sub(1).and_then(|at| steps.get(at)), steps.get(*at)) else {
                return false;
            };
            let late = pause(before, step).is_some_and(|pause| pause >= LONG_PAUSE);
            let goes_on = steps.iter().skip(*at).any(|step| step.makes_layer);
            step.from == From::Silent && goes_on && (late || !sets_or_empty(step) && ends_with_command(steps, *at))
        };
        (self.step + 1..steps.len()).rev().find(may_start)
    }
}

/// Settings that follow a command belong to the same end of a Dockerfile.
fn sets_or_empty(step: &Step) -> bool {
    step.sets_command || !step.makes_layer
}

fn span(seconds: i64) -> String {
    let (number, unit) = match seconds {
        ..=172_799 => (seconds / 3600, "hour"),
        _ => (seconds / 86_400, "day"),
    };
    if number == 1 { format!("{number} {unit}") } else { format!("{number} {unit}s") }
}

/// Seconds since 1970 of an RFC 3339 time; fractions are dropped.
fn seconds(text: &str) -> Option<i64> {
    let number = |range: std::ops::Range<usize>| {
        let digits = text.get(range)?;
        digits.bytes().all(|b| b.is_ascii_digit()).then(|| digits.parse::<i64>().ok()).flatten()
    };
    let (year, month, day) = (number(0..4)?, number(5..7)?, number(8..10)?);
    let (hour, minute, second) = (number(11..13)?, number(14..16)?, number(17..19)?);
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let zone = text.get(19..)?.trim_start_matches('.').trim_start_matches(|c: char| c.is_ascii_digit());
    let offset = match (zone.get(..1)?, zone.get(1..3), zone.get(4..6)) {
        ("Z" | "z", ..) => 0,
        (sign @ ("+" | "-"), Some(hours), Some(minutes)) => {
            let seconds = hours.parse::<i64>().ok()? * 3600 + minutes.parse::<i64>().ok()? * 60;
            if sign == "+" { seconds } else { -seconds }
        }
        _ => return None,
    };
    Some(days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second - offset)
}

/// Days since 1970-01-01 of a date of the Gregorian calendar. Years start in March here, so that a leap day ends one.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_year = (153 * month + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{ImageConfig, LayerInfo, Origin};

    /// An image with this history: time, command, comment, and whether the step made a layer.
    fn image(history: &[(&str, &str, &str, bool)]) -> ImageInfo {
        let entry = |&(created, by, comment, layer): &(&str, &str, &str, bool)| History {
            created: (!created.is_empty()).then(|| created.to_string()),
            created_by: by.to_string(),
            comment: comment.to_string(),
            empty_layer: !layer,
        };
        let history: Vec<History> = history.iter().map(entry).collect();
        let layers = history.iter().filter(|entry| !entry.empty_layer).map(|_| LayerInfo::default()).collect();
        ImageInfo { layers, config: Some(ImageConfig { history, ..ImageConfig::default() }), ..ImageInfo::default() }
    }

    /// One letter for each layer: base, own, unknown.
    fn told(history: &[(&str, &str, &str, bool)]) -> (String, Option<Confidence>) {
        let image = image(history);
        let attribution = by_history(&image);
        let letter = |layer: usize| match attribution.origin(layer as u32) {
            Origin::Base => 'b',
            Origin::Own => 'o',
            Origin::Unknown => '?',
        };
        ((0..image.layers.len()).map(letter).collect(), attribution.base.confidence)
    }

    const HIGH: Option<Confidence> = Some(Confidence::High);
    const MEDIUM: Option<Confidence> = Some(Confidence::Medium);
    const BK: &str = "buildkit.dockerfile.v0";

    /// `alpine:3.22.6` as published (docker-library/repo-info, remote/3.22.6.md).
    const ALPINE: [(&str, &str, &str, bool); 2] = [
        ("2026-09-17T20:37:44Z", "ADD alpine-minirootfs-3.22.6-x86_64.tar.gz / # buildkit", BK, true),
        ("2026-09-17T20:37:44Z", "CMD [\"/bin/sh\"]", BK, false),
    ];

    /// `python:3.12-slim` as published (docker-library/repo-info, remote/3.12-slim.md), commands shortened.
    const PYTHON: [(&str, &str, &str, bool); 7] = [
        ("2026-08-03T00:00:00Z", "# debian.sh --arch 'amd64' out/ 'trixie' '@1785715200'", "debuerreotype 0.17", true),
        ("2026-08-05T01:04:15Z", "ENV PATH=/usr/local/bin:/usr/local/sbin:/usr/local/bin", BK, false),
        ("2026-08-05T01:04:15Z", "RUN /bin/sh -c set -eux; apt-get update # buildkit", BK, true),
        ("2026-08-05T01:04:15Z", "ENV PYTHON_VERSION=3.12.13", BK, false),
        ("2026-08-05T01:12:35Z", "RUN /bin/sh -c set -eux; ./configure # buildkit", BK, true),
        ("2026-08-05T01:12:35Z", "RUN /bin/sh -c ln -svT python3 python # buildkit", BK, true),
        ("2026-08-05T01:12:35Z", "CMD [\"python3\"]", BK, false),
    ];

    /// An image that was imported (seen with Docker 20.10).
    const IMPORTED: (&str, &str, &str, bool) = ("2026-11-21T06:25:13.69Z", "", "Imported from -", true);

    fn on(
        base: &[(&'static str, &'static str, &'static str, bool)],
        own: &[(&'static str, &'static str, &'static str, bool)],
    ) -> (String, Option<Confidence>) {
        told(&[base, own].concat())
    }

    #[test]
    fn a_build_on_a_published_image_is_told_by_its_command_and_the_days_between() {
        let own = [
            ("2026-11-21T08:00:00.5Z", "WORKDIR /app", BK, true),
            ("2026-11-21T08:00:01.5Z", "COPY . . # buildkit", BK, true),
            ("2026-11-21T08:00:01.5Z", "CMD [\"./server\"]", BK, false),
        ];
        assert_eq!(on(&ALPINE, &own), ("boo".into(), HIGH));
        assert_eq!(on(&PYTHON, &own), ("bbbboo".into(), HIGH));
        // Ubuntu's base is made by the classic builder.
        let ubuntu = [
            ("2026-10-01T07:00:00Z", "/bin/sh -c #(nop)  ARG RELEASE", "", false),
            ("2026-10-01T07:00:02Z", "/bin/sh -c #(nop) ADD file:1d7c45546e94b90e9 in / ", "", true),
            ("2026-10-01T07:00:03Z", "/bin/sh -c #(nop)  CMD [\"/bin/bash\"]", "", false),
        ];
        assert_eq!(on(&ubuntu, &own), ("boo".into(), HIGH));
        let classic = [
            ("2026-11-21T08:00:00Z", "/bin/sh -c apt-get update", "", true),
            ("2026-11-21T08:00:09Z", "/bin/sh -c #(nop) COPY dir:59e1e99af161a in /app ", "", true),
        ];
        assert_eq!(on(&ubuntu, &classic), ("boo".into(), HIGH));
    }

    #[test]
    fn a_second_base_in_between_is_told_with_less_confidence() {
        let company = [
            ("2026-10-01T12:00:00Z", "RUN /bin/sh -c apk add curl # buildkit", BK, true),
            ("2026-10-01T12:00:00Z", "ENTRYPOINT [\"/init\"]", BK, false),
            ("2026-10-01T12:00:00Z", "EXPOSE map[80/tcp:{}]", BK, false),
        ];
        let own = [("2026-11-21T08:00:01Z", "COPY . /app # buildkit", BK, true)];
        assert_eq!(told(&[&ALPINE[..], &company, &own].concat()), ("bbo".into(), MEDIUM));
    }

    #[test]
    fn a_command_in_the_middle_swallows_nothing_that_follows() {
        let own = [
            ("2026-11-21T08:00:00Z", "COPY . /app # buildkit", BK, true),
            ("2026-11-21T08:00:00Z", "CMD [\"/app/a\"]", BK, false),
            ("2026-11-21T08:00:02Z", "COPY secrets /app # buildkit", BK, true),
            ("2026-11-21T08:00:02Z", "RUN /bin/sh -c make # buildkit", BK, true),
            ("2026-11-21T08:00:02Z", "CMD [\"/app/b\"]", BK, false),
        ];
        assert_eq!(on(&ALPINE, &own), ("b?oo".into(), MEDIUM));
        assert_eq!(told(&own).0, "???", "without a base nothing is called one");
        // As Docker 20.10 writes it, on an imported image.
        let classic = [
            ("2026-11-21T06:25:14.61Z", "/bin/sh -c echo hi > /own1", "", true),
            ("2026-11-21T06:25:14.90Z", "/bin/sh -c #(nop)  CMD [\"sleep\" \"1\"]", "", false),
            ("2026-11-21T06:25:15.21Z", "/bin/sh -c #(nop) COPY file:662ccb3385420becb in /app/f ", "", true),
            ("2026-11-21T06:25:16.27Z", "/bin/sh -c #(nop)  ENTRYPOINT [\"/app/f\"]", "", false),
            ("2026-11-21T06:25:16.39Z", "/bin/sh -c #(nop)  CMD [\"x\"]", "", false),
        ];
        assert_eq!(on(&[IMPORTED], &classic), ("b?o".into(), MEDIUM));
        assert_eq!(on(&[IMPORTED], &classic[2..]), ("bo".into(), HIGH));
    }

    #[test]
    fn steps_from_a_cache_or_of_a_base_without_a_command_are_left_open() {
        let own = [
            ("2026-10-02T08:00:00Z", "RUN /bin/sh -c apk add make # buildkit", BK, true),
            ("2026-11-21T08:00:00Z", "COPY . /app # buildkit", BK, true),
        ];
        assert_eq!(on(&ALPINE, &own), ("b?o".into(), MEDIUM));
    }

    #[test]
    fn times_that_are_constants_tell_nothing() {
        for time in
            ["", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "1980-01-01T00:00:01Z", "2026-09-17T20:37:44Z", "soon"]
        {
            let own = [(time, "COPY . /app # buildkit", BK, true), (time, "CMD [\"x\"]", BK, false)];
            assert_eq!(on(&ALPINE, &own).0, "??", "{time}");
        }
        // Another builder is another build all the same, but a third may hide behind it.
        let own = [("1970-01-01T00:00:00Z", "COPY . /app # buildkit", BK, true)];
        assert_eq!(on(&PYTHON[..1], &own), ("bo".into(), MEDIUM));
    }

    #[test]
    fn buildah_says_what_it_built_upon() {
        // buildah 1.28 with layers: its own steps name the step before.
        let layers = [
            ("2026-11-21T06:26:19.00Z", "/bin/sh -c echo hi > /own1", "FROM localhost/base:latest", true),
            ("2026-11-21T06:26:19.37Z", "/bin/sh -c #(nop) CMD [\"sleep\",\"1\"]", "FROM c9aa7f0a24f4", false),
            ("2026-11-21T06:26:20.00Z", "/bin/sh -c #(nop) COPY file:62cf93b5 in /app/f ", "FROM 594937cee54d", true),
            ("2026-11-21T06:26:20.21Z", "/bin/sh -c #(nop) ENTRYPOINT [\"/app/f\"]", "FROM 284fd8019960", false),
        ];
        assert_eq!(on(&[IMPORTED], &layers), ("boo".into(), HIGH));
        assert_eq!(
            by_history(&image(&[&[IMPORTED], &layers[..]].concat())).base.name.as_deref(),
            Some("localhost/base:latest")
        );
        let upon = [
            ("2026-11-21T06:26:26.00Z", "/bin/sh -c echo b > /b2", "FROM localhost/l:bl", true),
            ("2026-11-21T06:26:27.00Z", "/bin/sh -c echo c > /c2", "FROM c0064471c1bd", true),
        ];
        assert_eq!(told(&[&[IMPORTED], &layers[..], &upon].concat()), ("bbboo".into(), HIGH));
        // Without layers only the last step makes one.
        let single = [
            ("2026-11-21T06:25:50.47Z", "/bin/sh -c echo hi > /own1", "", false),
            ("2026-11-21T06:25:50.58Z", "/bin/sh -c #(nop) COPY file:62cf93b5 in /app/f ", "", false),
            ("2026-11-21T06:25:51.00Z", "/bin/sh -c #(nop) CMD [\"/app/f\"]", "FROM localhost/base:latest", true),
        ];
        assert_eq!(on(&[IMPORTED], &single), ("bo".into(), HIGH));
        // Squashed, the base is in the only layer.
        assert_eq!(told(&single), ("?".into(), None));
    }

    #[test]
    fn other_tools_show_by_their_own_way_of_writing() {
        let time = "2026-11-21T06:25:53.9Z";
        for (by, comment) in [
            ("umoci insert", ""),
            ("sh -c echo x>/x", ""),
            ("ko build ko://example.com/app", "go build output, at /ko-app/app"),
            ("jib-maven-plugin:3.4.0", "classes"),
            ("COPY . .", ""),
            ("COPY . . # buildkit", BK),
            ("", "merge sha256:0f1e to sha256:9a8b"),
        ] {
            assert_eq!(on(&[IMPORTED], &[(time, by, comment, true)]), ("bo".into(), HIGH), "{by}");
        }
    }

    #[test]
    fn what_is_one_piece_or_does_not_fit_is_unknown() {
        assert_eq!(told(&[IMPORTED]), ("?".into(), None));
        assert_eq!(told(&ALPINE), ("?".into(), None));
        assert_eq!(told(&PYTHON[1..]).0, "???", "one build");
        assert_eq!(by_history(&ImageInfo::default()).base.how, "it has no history");
        let mut odd = image(&[IMPORTED, ("2026-11-21T06:25:53Z", "COPY . . # buildkit", BK, true)]);
        odd.layers.pop();
        assert_eq!(by_history(&odd).base.layers, None);
    }

    #[test]
    fn times_are_read_with_fractions_and_zones() {
        for (text, want) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2000-02-29T12:00:00.123456789Z", Some(951_825_600)),
            ("2026-11-21T08:00:00+02:00", Some(1_795_240_800)),
            ("2026-11-21T00:30:00-05:30", Some(1_795_240_800)),
            ("0001-01-01T00:00:00Z", Some(-62_135_596_800)),
            ("2026-11-21T08:00:00", None),
            ("2026-13-21T08:00:00Z", None),
            ("2026-11-21", None),
            ("é026-11-21T08:00:00Z", None),
            ("", None),
        ] {
            assert_eq!(seconds(text), want, "{text}");
        }
    }
}
