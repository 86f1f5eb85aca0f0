//! Judges the secrets of the image's configuration and history, and takes them out before anything is shown.
//!
//! These are the places that no file scanner sees: variables and labels, the values of build arguments, words of
//! commands. Whoever pulls the image can read them all.

use super::{
    confidence, describe,
    grade::grade_value,
    places::{Place, Text, arguments, texts},
};
use crate::{
    catalogue::{Catalogue, Judgement},
    model::{
        Confidence, Evidence, EvidenceClass, Finding, ImageInfo, SecretPlace, SeenSecret, Severity, Standing, State,
    },
    probe::secret::{
        Context, Found, SecretRules,
        check::{Check, Value, Verdict},
        merge,
        parse::{Item, command},
        search,
    },
    rule::group,
};

/// Bytes that patterns may read in one text of the configuration, which has at most 16 MiB.
const WORK: u64 = 1 << 30;

/// What stands in the place of a secret.
const HIDDEN: &str = "...";

/// The findings about the configuration and the history. What they show of the image is taken from `shown`, which is the
/// image after [`mask`].
pub fn judge(catalogue: &Catalogue, image: &ImageInfo, shown: &ImageInfo, now: i64) -> Vec<Finding> {
    // By value and in the order of places: a variable stands in the history, too, and is one secret.
    let mut secrets: Vec<(u64, Vec<Sighting>)> = Vec::new();
    for text in texts(image) {
        for Found { seen, .. } in secrets_of(catalogue, &text) {
            let sighting = Sighting { place: text.place.clone(), seen };
            match secrets.iter_mut().find(|(echo, _)| *echo == sighting.seen.echo) {
                Some((_, places)) => places.push(sighting),
                None => secrets.push((sighting.seen.echo, vec![sighting])),
            }
        }
    }
    secrets.iter().filter_map(|(_, places)| finding(catalogue, shown, places, now)).collect()
}

/// What is known of a variable whose value is a secret.
pub(in crate::rule) struct Assigned {
    pub(in crate::rule) severity: Severity,
    pub(in crate::rule) confidence: Confidence,
    /// What it is, where more than its name says so.
    pub(in crate::rule) subject: Option<String>,
    /// All that may be told of it.
    pub(in crate::rule) told: String,
    pub(in crate::rule) reason: Option<String>,
}

/// Judges a variable that is set somewhere else than in the image's configuration; `None` where it is no secret.
pub(in crate::rule) fn judge_assignment(catalogue: &Catalogue, name: &str, value: &str, now: i64) -> Option<Assigned> {
    let text = Text::assignment(Place::Env(name.to_string()), name, value);
    let best = secrets_of(catalogue, &text).into_iter().max_by_key(|found| found.seen.standing)?.seen;
    let rule = catalogue.rule(&best.rule)?;
    let grade = grade_value(rule, &best, now);
    Some(Assigned {
        severity: grade.severity,
        confidence: confidence(best.standing),
        subject: rule.code.is_none().then(|| rule.subject.clone()),
        told: describe(&best),
        reason: grade.reason,
    })
}

/// The image with every secret of its configuration and history taken out: what reports may show.
pub fn mask(catalogue: &Catalogue, image: &ImageInfo) -> ImageInfo {
    let declared = arguments(image);
    let mut image = image.clone();
    let hide_history = |text: &mut String| {
        let place = Place::History { entry: 0, layer: None };
        let whole = Text::history(place, text, &declared);
        *text = masked(text, &sightings(catalogue, &whole));
    };
    for history in image.layers.iter_mut().filter_map(|layer| layer.history.as_mut()) {
        hide_history(&mut history.created_by);
        hide_history(&mut history.comment);
    }
    let Some(config) = &mut image.config else { return image };
    for history in &mut config.history {
        hide_history(&mut history.created_by);
        hide_history(&mut history.comment);
    }
    for (name, value) in &mut config.labels {
        let label = Text::assignment(Place::Label(name.clone()), name, value);
        let hidden = masked(&label.text, &sightings(catalogue, &label));
        *value = hidden.get(name.len() + 1..).unwrap_or(HIDDEN).to_string();
    }
    for words in [&mut config.entrypoint, &mut config.cmd, &mut config.healthcheck] {
        let line = Text::command("CMD", words);
        let found = sightings(catalogue, &line);
        let mut at = 0;
        for word in words.iter_mut() {
            let span = at..at + word.len();
            at = span.end + 1;
            let within: Vec<Found> = found.iter().filter_map(|found| found.within(&span)).collect();
            *word = masked(word, &within);
        }
    }
    image
}

/// A text of a report without the secrets that it may have taken over from the image or from a Dockerfile, those of commands
/// included; `None` when it has none.
pub fn mask_text(rules: &SecretRules, text: &str) -> Option<String> {
    let mut found = search_text(rules, text);
    found.extend(of_commands("", text.as_bytes()));
    (!found.is_empty()).then(|| masked(text, &found))
}

/// A secret at its place.
struct Sighting {
    place: Place,
    seen: SeenSecret,
}

fn finding(catalogue: &Catalogue, image: &ImageInfo, places: &[Sighting], now: i64) -> Option<Finding> {
    // What knows the format says more than what knows the name.
    let best = places.iter().max_by_key(|s| (s.seen.standing, std::cmp::Reverse(&s.place)))?;
    let rule = catalogue.rule(&best.seen.rule)?;
    let first = places.first()?;
    let mut finding = group::empty_finding(rule, &format!("{}#{}", root(first), best.seen.key), State::Live);
    let grade = grade_value(rule, &best.seen, now);
    finding.severity = grade.severity;
    finding.confidence = confidence(best.seen.standing);
    finding.bytes = u64::from(best.seen.length);
    let layer = places.iter().find_map(|s| if let Place::History { layer, .. } = s.place { layer } else { None });
    finding.layer = layer.map(|layer| image.layer_ref(layer));
    finding.evidence = places
        .iter()
        .map(|s| Evidence {
            class: EvidenceClass::Config,
            witness: format!("{}: {}", s.place, describe(&s.seen)),
            path: None,
        })
        .collect();
    finding.secrets = places.iter().map(secret_place).collect();
    finding.why = rule.about.why.clone();
    finding.why.extend(grade.reason.map(|reason| format!(" {reason}")));
    Some(finding)
}

/// What makes a place the same in the next build: entries of the history move when a line is added.
fn root(sighting: &Sighting) -> String {
    match &sighting.place {
        Place::History { .. } => "history".to_string(),
        place => place.to_string(),
    }
}

fn secret_place(sighting: &Sighting) -> SecretPlace {
    let Sighting { place, seen } = sighting;
    let layer = if let Place::History { layer: Some(layer), .. } = place { layer + 1 } else { 0 };
    SecretPlace {
        path: None,
        member: Some(place.to_string()),
        line: None,
        key: seen.key.clone(),
        length: seen.length,
        shown: seen.shown.clone(),
        standing: seen.standing,
        layer,
        hidden_by: None,
    }
}

fn masked(text: &str, found: &[Found]) -> String {
    let mut spans: Vec<_> = found.iter().map(|found| (found.span.start, found.span.end)).collect();
    spans.sort_unstable();
    let (mut out, mut at) = (String::new(), 0);
    for (start, end) in spans {
        if start >= at {
            out += text.get(at..start).unwrap_or_default();
            out += HIDDEN;
        }
        at = end.max(at);
    }
    out + text.get(at..).unwrap_or_default()
}

/// Every secret of one text, by its place; no two take the same bytes.
fn secrets_of(catalogue: &Catalogue, text: &Text) -> Vec<Found> {
    merge(sightings(catalogue, text))
}

/// Everything that some way takes for a secret: what is hidden is hidden by all of them.
fn sightings(catalogue: &Catalogue, text: &Text) -> Vec<Found> {
    let bytes = text.text.as_bytes();
    let mut found = search_text(&catalogue.secrets, &text.text);
    let judgement = match &text.place {
        Place::Env(_) => Judgement::ImageEnv,
        Place::Label(_) => Judgement::ImageLabel,
        Place::History { .. } => Judgement::ImageHistory,
        Place::Command(_) => Judgement::ImageCommand,
    };
    let Some(rule) = catalogue.rules.iter().find(|rule| rule.code == Some(judgement)) else { return found };
    for (name, span) in text.values.iter().filter(|(name, _)| command::name_says_secret(name.as_bytes())) {
        let value = bytes.get(span.clone()).unwrap_or_default();
        let check = |check: Check| check.look(Value::new(value));
        // What only a name calls a secret is no more than a note, whatever the value is.
        let by_name = |verdict: Verdict| Verdict { standing: verdict.standing.min(Standing::Named), ..verdict };
        if let Some(verdict) = check(Check::GenericValue).or_else(|| check(Check::Password).map(by_name)) {
            found.push(Found::new(&rule.about.id, name, span.clone(), value, verdict));
        }
    }
    if matches!(text.place, Place::History { .. } | Place::Command(_)) {
        found.extend(of_commands(&rule.about.id, bytes));
    }
    found
}

/// What is given to the commands of a text.
fn of_commands(rule: &str, bytes: &[u8]) -> Vec<Found> {
    let mut found = Vec::new();
    let mut tell = |start: usize, item: Item| {
        let span = start + item.span.start..start + item.span.end;
        found.push(Found::new(rule, &item.key, span, &item.value, item.verdict));
    };
    // The exec form, and what the classic builder prints of a health check, have commands in quotes.
    let parts = quoted(bytes);
    for part in std::iter::once(0..bytes.len()).chain(parts.iter().cloned()) {
        let items = command::command_secrets(bytes.get(part.clone()).unwrap_or_default());
        items.into_iter().for_each(|item| tell(part.start, item));
    }
    // In the exec form each word has quotes of its own.
    for list in parts.chunk_by(|a, b| bytes.get(a.end + 1..b.start.saturating_sub(1)).is_some_and(is_comma)) {
        let words: Vec<&[u8]> = list.iter().filter_map(|part| bytes.get(part.clone())).collect();
        for (no, item) in command::argument_secrets(&words) {
            tell(list.get(no).map_or(0, |part| part.start), item);
        }
    }
    found
}

fn is_comma(text: &[u8]) -> bool {
    text.trim_ascii() == b","
}

/// What stands between double quotes, without them; a backslash keeps what follows it.
fn quoted(text: &[u8]) -> Vec<std::ops::Range<usize>> {
    let (mut parts, mut open, mut kept) = (Vec::new(), None, false);
    for (at, &byte) in text.iter().enumerate() {
        match byte {
            _ if std::mem::take(&mut kept) => {}
            b'\\' => kept = true,
            b'"' => match open.take() {
                Some(start) => parts.push(start..at),
                None => open = Some(at + 1),
            },
            _ => {}
        }
    }
    parts
}

fn search_text(rules: &SecretRules, text: &str) -> Vec<Found> {
    let mut work = WORK;
    let context = Context { binary: false, settings: true };
    search(rules, text.as_bytes(), 0..text.len(), context, &mut work).found
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{History, ImageConfig, LayerInfo};

    /// A password that is none of anybody's.
    const VALUE: &str = "Xk3v9Qp2LmZ7rT";

    fn image(created_by: &str) -> ImageInfo {
        let history = History { created_by: created_by.to_string(), ..History::default() };
        let layers = vec![LayerInfo { history: Some(history.clone()), ..LayerInfo::default() }];
        let config = ImageConfig { history: vec![history], ..ImageConfig::default() };
        ImageInfo { config: Some(config), layers, ..ImageInfo::default() }
    }

    #[test]
    fn a_secret_that_a_line_gives_to_a_command_is_taken_out_of_any_text() {
        let catalogue = Catalogue::builtin().expect("the policies compile");
        let masked = |text: &str| mask_text(&catalogue.secrets, text);
        for line in ["RUN true || curl -u ci:@ https://a.test/", "HEALTHCHECK CMD [\"curl\", \"-u\", \"ci:@\", \"a\"]"]
        {
            let file = format!("FROM a\nENV A=b\n{}\nCMD [\"a\"]\n", line.replace('@', VALUE));
            let shown = masked(&file).expect("it is one");
            assert!(!shown.contains(VALUE) && shown.ends_with("CMD [\"a\"]\n"), "{shown}");
        }
        for text in ["RUN curl -u $USER:$PASSWORD https://a.test/", "RUN chown -R me:staff /srv", "mysql -u root"] {
            assert_eq!(masked(text), None, "{text}");
        }
    }

    #[test]
    fn what_only_a_name_calls_a_secret_is_a_note_and_is_hidden_all_the_same() {
        let catalogue = Catalogue::builtin().expect("the policies compile");
        for (line, want) in [
            ("API_KEY=abc", Some(Severity::Note)),
            ("API_TOKEN=v1", Some(Severity::Note)),
            ("DJANGO_SECRET_KEY=build", Some(Severity::Note)),
            ("ADMIN_PASSWORD=sunshine7", Some(Severity::Note)),
            ("ADMIN_PASSWORD=Xk3v9Qp2LmZ7rT", Some(Severity::Note)),
            ("ADMIN_API_KEY=Xk3v9Qp2LmZ7rTb4Nw8sYc1D", Some(Severity::High)),
            ("DB_PASSWORD_FILE=/run/secrets/db", None),
            ("API_TOKEN=", None),
        ] {
            let config = ImageConfig { env: vec![line.to_string()], ..ImageConfig::default() };
            let image = ImageInfo { config: Some(config), ..ImageInfo::default() };
            let worst = judge(&catalogue, &image, &mask(&catalogue, &image), 0).into_iter().map(|f| f.severity).max();
            assert_eq!(worst, want, "{line}");
        }
    }

    #[test]
    fn a_secret_of_the_history_is_found_and_taken_out() {
        let catalogue = Catalogue::builtin().expect("the policies compile");
        for created_by in [
            "RUN /bin/sh -c curl -fsS -u deploy:@ https://repo.shop.test/a # buildkit",
            "/bin/sh -c curl -u deploy:@ https://repo.shop.test/a",
            "RUN /bin/sh -c true || curl -u ci:@ https://nexus.shop.internal/ # buildkit",
            "|1 API_TOKEN=@ /bin/sh -c npm ci",
            "ENV DB_PASSWORD=@",
            "/bin/sh -c #(nop)  HEALTHCHECK &{[\"CMD-SHELL\" \"curl -u probe:@ http://localhost/\"] \"0s\" \"0s\" \"0s\" '\\x00'}",
            "HEALTHCHECK &{[\"CMD-SHELL\" \"curl -u probe:@ http://localhost/\"] \"0s\" '\\x00'}",
            "RUN /bin/sh -c git clone https://deploy:@@git.shop.test/a.git",
        ] {
            let image = image(&created_by.replacen('@', VALUE, 1));
            let shown = mask(&catalogue, &image);
            let findings = judge(&catalogue, &image, &shown, 0);
            assert_eq!(findings.len(), 1, "{created_by}");
            let told = serde_json::to_string(&(findings, shown)).expect("JSON");
            assert!(!told.contains(VALUE), "{told}");
        }
    }
}
