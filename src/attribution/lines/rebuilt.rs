//! Makes a Dockerfile of the history, for images whose own is not at hand, and says what of it is a guess.
//!
//! Builders record commands as they ran them, and settings as they were meant; of what was copied the classic builder and
//! buildah keep a digest, BuildKit the words without their flags. What a later stage took from an earlier one is not told by
//! any of them, and not always what a document says: then there is no Dockerfile.

use super::{
    entry::{Builder, Entry},
    expect::without_checksums,
};
use crate::{
    attribution::Attribution,
    dockerfile::{
        Keyword, documents,
        shell::{TokenKind, tokens},
    },
    model::{ImageInfo, redact},
};

/// Commands longer than this are broken before each `&&`, in characters.
const LINE_MAX: usize = 100;

/// A Dockerfile that is made of a history.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Rebuilt {
    /// The file.
    pub text: String,
    /// What of it is a guess, each in a sentence without a full stop.
    pub guessed: Vec<String>,
}

/// Makes it.
///
/// `base` is the name of the image that it is built upon; `copied` says what a layer (the lowest is 0) brought to a place:
/// the names in a directory, or that of the file. The text has the values that the history has: it is not to be shown as it is.
///
/// # Errors
/// Why the history does not tell enough.
pub fn rebuild(
    image: &ImageInfo,
    border: &Attribution,
    base: &str,
    copied: &dyn Fn(u32, &str) -> Vec<String>,
) -> Result<Rebuilt, String> {
    let history = image.config.as_ref().map_or(&[][..], |config| &config.history);
    let entries: Vec<Entry> = history.iter().map(Entry::read).collect();
    if entries.iter().filter(|entry| entry.makes_layer).count() != image.layers.len() {
        return Err("its history does not match its layers".to_string());
    }
    let layers =
        border.base.layers.ok_or_else(|| format!("which layers came with the base image: {}", border.base.how))?;
    let layers = usize::try_from(layers).unwrap_or(usize::MAX);
    let mut file = Rebuilt { text: format!("FROM {base}\n"), guessed: Vec::new() };
    let mut layer = layers;
    let (below, own) = entries.split_at(own_start(&entries, layers).min(entries.len()));
    let mut dir = below.iter().fold(String::from("/"), |dir, entry| entered(&dir, entry));
    for entry in own {
        let made = entry.makes_layer.then_some(u32::try_from(layer).unwrap_or(u32::MAX));
        layer += usize::from(entry.makes_layer);
        dir = entered(&dir, entry);
        let copied = |dest: &str| made.map(|layer| copied(layer, &below_dir(&dir, dest))).unwrap_or_default();
        if let Some(line) = file.line(entry, &copied)? {
            file.text.push_str(&line);
            file.text.push('\n');
        }
    }
    Ok(file)
}

/// The working directory behind an entry.
fn entered(dir: &str, entry: &Entry<'_>) -> String {
    if entry.keyword == Some(Keyword::Workdir) { below_dir(dir, entry.rest.trim()) } else { dir.to_string() }
}

fn below_dir(dir: &str, path: &str) -> String {
    if path.starts_with('/') { path.to_string() } else { format!("{}/{path}", dir.trim_end_matches('/')) }
}

/// The first step of the image's own build: behind the last layer of the base and the command that ends it.
fn own_start(entries: &[Entry<'_>], layers: usize) -> usize {
    let mut left = layers;
    let above = entries.iter().position(|entry| {
        left -= usize::from(entry.makes_layer && left > 0);
        left == 0
    });
    let above = above.map_or(0, |last| if layers == 0 { last } else { last + 1 });
    let settings = entries.iter().skip(above).take_while(|entry| !entry.makes_layer);
    let ends = |entry: &Entry<'_>| matches!(entry.keyword, Some(Keyword::Cmd | Keyword::Entrypoint));
    let last = settings.enumerate().filter(|(_, entry)| ends(entry)).map(|(at, _)| above + at + 1).last();
    // A command that nothing follows is the image's own.
    last.filter(|&at| entries.iter().skip(at).any(|entry| entry.makes_layer)).unwrap_or(above)
}

impl Rebuilt {
    fn guess(&mut self, what: impl Into<String>) {
        let what = what.into();
        if !self.guessed.contains(&what) {
            self.guessed.push(what);
        }
    }

    /// The line of an entry; none for what a file does not say.
    fn line(&mut self, entry: &Entry<'_>, copied: &dyn Fn(&str) -> Vec<String>) -> Result<Option<String>, String> {
        let Some(keyword) = entry.keyword else {
            return Err(format!("no builder of Dockerfiles wrote \"{}\"", redact::created_by(entry.text)));
        };
        if entry.is_merge {
            return Err("its layers were squashed".to_string());
        }
        let rest = entry.rest;
        Ok(Some(match keyword {
            Keyword::Run => match entry.builder {
                Builder::Written => format!("RUN {rest}"),
                builder => self.run(rest, builder)?,
            },
            Keyword::Copy | Keyword::Add if !documents(rest).is_empty() => {
                return Err("it copies documents, of which the history has only the names".to_string());
            }
            Keyword::Copy | Keyword::Add => match entry.builder {
                Builder::Nop => self.transfer(keyword, rest, copied),
                _ => self.written(keyword, rest)?,
            },
            Keyword::Env | Keyword::Label => pairs(keyword, rest),
            Keyword::Arg => format!("ARG {}", rest.split('=').next().unwrap_or(rest).trim()),
            Keyword::Expose => format!("EXPOSE {}", ports(rest)),
            Keyword::Volume => match rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
                Some(dirs) if !dirs.contains('"') => format!("VOLUME {dirs}"),
                _ => format!("VOLUME {rest}"),
            },
            Keyword::Shell => format!("SHELL {}", list(rest)),
            Keyword::Cmd | Keyword::Entrypoint => format!("{} {}", keyword.word(), command(rest)),
            Keyword::Healthcheck => self.healthcheck(rest),
            Keyword::Onbuild => return Err("it has ONBUILD instructions: it is meant to be built upon".to_string()),
            Keyword::From | Keyword::Maintainer => return Ok(None),
            _ => format!("{} {rest}", keyword.word()),
        }))
    }

    /// `|1 A=x /bin/sh -c make` without its arguments and its shell.
    fn run(&mut self, rest: &str, builder: Builder) -> Result<String, String> {
        let command = match rest.strip_prefix('|') {
            Some(arguments) => {
                let at = redact::shell(arguments).ok_or("a command with build arguments names no shell")?;
                self.guess("build arguments have no values here: give them when it is built");
                arguments.get(at + 1..).unwrap_or_default()
            }
            None => rest,
        };
        let shells =
            ["/bin/sh -c ", "/bin/bash -c ", "/bin/ash -c ", "/bin/bash -o pipefail -c ", "/bin/ash -eo pipefail -c "];
        let bare = shells.iter().find_map(|shell| command.strip_prefix(shell)).unwrap_or(command).trim();
        let bare = if builder == Builder::Nop { without_checksums(bare) } else { bare };
        let (first, text) = bare.split_once('\n').unwrap_or((bare, ""));
        let marks = if builder == Builder::Nop { documents(first) } else { Vec::new() };
        match marks.as_slice() {
            // BuildKit runs it as a file.
            _ if bare.starts_with("/dev/pipes/") => {
                Err("it runs a script of which the history has only the name".into())
            }
            [] if bare.contains('\n') => {
                let is_there = |mark: &str| bare.lines().any(|line| line.trim() == mark);
                let mark = (0..).map(|number| format!("EOF{number}")).find(|mark| !is_there(mark)).unwrap_or_default();
                let mark = if is_there("EOF") { mark } else { "EOF".to_string() };
                Ok(format!("RUN <<{mark}\n{bare}\n{mark}"))
            }
            [] => Ok(format!("RUN {}", broken(bare))),
            // buildah keeps neither the lines that end them, nor, where there are build arguments, what they say.
            [mark] if !text.is_empty() => Ok(format!("RUN {first}\n{text}\n{mark}")),
            _ => Err("it runs documents of which the history has only the names".to_string()),
        }
    }

    /// What BuildKit and kaniko record of a copy.
    fn written(&self, keyword: Keyword, rest: &str) -> Result<String, String> {
        let from_stage = rest.contains("--from=");
        let sources: Vec<&str> = rest.split_whitespace().filter(|word| !word.starts_with("--")).collect();
        let (_, sources) = sources.split_last().unwrap_or((&"", &[]));
        // A context has no root; a stage has.
        if from_stage
            || keyword == Keyword::Copy && sources.iter().any(|source| source.starts_with('/') && source.len() > 1)
        {
            return Err("it copies out of another stage, of which the history says nothing".to_string());
        }
        Ok(format!("{} {rest}", keyword.word()))
    }

    /// `file:abc in /app/`: what lies there is what was copied.
    fn transfer(&mut self, keyword: Keyword, rest: &str, copied: &dyn Fn(&str) -> Vec<String>) -> String {
        let word = keyword.word();
        let Some((source, dest)) = rest.rsplit_once(" in ") else { return format!("{word} {rest}") };
        let dest = dest.trim();
        let names = copied(dest);
        let shown: Vec<&str> =
            names.iter().map(String::as_str).filter(|name| !name.contains([' ', '"', '\\'])).collect();
        let is_dir = source.starts_with("dir:");
        self.guess("the history has no names of what was copied: they are those that the layer has");
        if is_dir || shown.is_empty() || shown.len() != names.len() {
            return format!("{word} . {dest}");
        }
        let dest = if shown.len() > 1 && !dest.ends_with('/') { format!("{dest}/") } else { dest.to_string() };
        format!("{word} {} {dest}", shown.join(" "))
    }

    /// `&{["CMD-SHELL" "curl -f x"] "30s" "3s" "0s" '\x03'}`.
    fn healthcheck(&mut self, rest: &str) -> String {
        let Some(words) = rest.strip_prefix("&{[").and_then(|rest| rest.split_once(']')).map(|(words, _)| words) else {
            return format!("HEALTHCHECK {rest}");
        };
        self.guess("the times of the health check are those of the builder");
        match words.strip_prefix("\"CMD-SHELL\" \"") {
            Some(shell) => format!("HEALTHCHECK CMD {}", shell.trim_end_matches('"').replace("\\\"", "\"")),
            None if words.contains("\"NONE\"") => "HEALTHCHECK NONE".to_string(),
            None => format!("HEALTHCHECK CMD {}", list(&format!("[{}]", words.trim_start_matches("\"CMD\"").trim()))),
        }
    }
}

/// `A=x y`, as the classic builder writes values, with the quotes that they need.
fn pairs(keyword: Keyword, rest: &str) -> String {
    match rest.split_once('=') {
        Some((name, value)) if !value.contains(['=', '"', '\'']) && value.contains(' ') => {
            format!("{} {name}=\"{value}\"", keyword.word())
        }
        _ => format!("{} {rest}", keyword.word()),
    }
}

/// `map[8080/tcp:{}]`, or the ports as they are.
fn ports(rest: &str) -> String {
    let inside = rest.trim_start_matches("map[").trim_end_matches(']');
    inside
        .split_whitespace()
        .map(|port| port.trim_end_matches(":{}").trim_end_matches("/tcp"))
        .collect::<Vec<_>>()
        .join(" ")
}

/// `["a" "b"]`, as Go prints a list, as JSON.
fn list(rest: &str) -> String {
    if rest.contains("\", \"") || rest.contains("\",\"") {
        return rest.to_string();
    }
    match rest.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(inside) if inside.contains('"') => format!("[{}]", inside.replace("\" \"", "\", \"")),
        Some(inside) => {
            let words: Vec<String> = inside.split_whitespace().map(|word| format!("{word:?}")).collect();
            format!("[{}]", words.join(", "))
        }
        None => rest.to_string(),
    }
}

/// The words of a command; those of a shell form as it was written.
fn command(rest: &str) -> String {
    let words = list(rest);
    let shell = serde_json::from_str::<Vec<String>>(&words).ok().and_then(|words| match words.as_slice() {
        [shell, flag, text] if shell == "/bin/sh" && flag == "-c" && !text.contains('\n') => Some(text.clone()),
        _ => None,
    });
    shell.unwrap_or(words)
}

/// A long command with a line for each part; what stands between its words and is no part of a word becomes one space.
fn broken(command: &str) -> String {
    let tokens = tokens(command);
    if tokens.iter().any(|token| matches!(token.kind, TokenKind::Comment)) {
        return command.to_string();
    }
    let breaks = command.chars().count() > LINE_MAX;
    let mut out = String::new();
    let (mut end, mut depth) = (0, 0_usize);
    for token in &tokens {
        let written = command.get(token.span.start..token.span.end).unwrap_or_default();
        let gap = token.span.start > end;
        if let TokenKind::Operator(operator) = token.kind {
            match operator {
                "(" => depth += 1,
                ")" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if breaks && depth == 0 && matches!(operator, "&&" | "||") {
                out.push_str(" \\\n ");
                out.push_str(written);
                end = token.span.end;
                continue;
            }
        }
        if gap && !out.is_empty() {
            out.push(' ');
        }
        out.push_str(written);
        end = token.span.end;
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        attribution,
        dockerfile::File,
        model::{GivenBase, History, ImageConfig, LayerInfo},
    };

    /// An image on a base of one layer, with these entries of its own.
    fn rebuilt(own: &[(&str, bool)]) -> Result<Rebuilt, String> {
        let digest = |at: usize| format!("sha256:{at:064x}").parse().ok();
        let entry = |&(by, layer): &(&str, bool)| History {
            created_by: by.to_string(),
            empty_layer: !layer,
            ..History::default()
        };
        let base = [("/bin/sh -c #(nop) ADD file:0a in / ", true), ("/bin/sh -c #(nop)  CMD [\"sh\"]", false)];
        let history: Vec<History> = base.iter().chain(own).map(entry).collect();
        let count = history.iter().filter(|entry| !entry.empty_layer).count();
        let layers: Vec<LayerInfo> =
            (0..count).map(|at| LayerInfo { diff_id: digest(at), ..LayerInfo::default() }).collect();
        let given = GivenBase { reference: "x".into(), layers: digest(0).into_iter().collect() };
        let config = Some(ImageConfig { history, ..ImageConfig::default() });
        let image = ImageInfo { layers, config, base: Some(given), ..ImageInfo::default() };
        let border = attribution::attribute(&image, &[]);
        let copied = |layer: u32, _: &str| vec![["", "package.json", "a", "b"][layer as usize % 4].to_string()];
        rebuild(&image, &border, "debian:bookworm", &copied)
    }

    #[test]
    fn the_histories_of_all_builders_become_the_same_file() {
        let want = "FROM debian:bookworm\nENV A=\"x y\"\nWORKDIR /app\nCOPY package.json ./\nRUN npm ci\n\
                    EXPOSE 8080\nCMD [\"node\", \"a.js\"]\n";
        let classic = rebuilt(&[
            ("/bin/sh -c #(nop)  ENV A=x y", false),
            ("/bin/sh -c #(nop) WORKDIR /app", false),
            ("/bin/sh -c #(nop) COPY file:12 in ./ ", true),
            ("|1 T=1 /bin/sh -c npm   ci", true),
            ("/bin/sh -c #(nop)  EXPOSE 8080", false),
            ("/bin/sh -c #(nop)  CMD [\"node\", \"a.js\"]", false),
        ])
        .expect("it is one");
        assert_eq!(classic.text, want);
        assert_eq!(classic.guessed.len(), 2, "{:?}", classic.guessed);
        let buildkit = rebuilt(&[
            ("ENV A=\"x y\"", false),
            ("WORKDIR /app", true),
            ("COPY package.json ./ # buildkit", true),
            ("RUN |1 T=1 /bin/sh -c npm ci # buildkit", true),
            ("EXPOSE map[8080/tcp:{}]", false),
            ("CMD [\"node\" \"a.js\"]", false),
        ]);
        assert_eq!(buildkit.expect("it is one").text, want);
        let shell = rebuilt(&[("COPY a b # buildkit", true), ("CMD [\"/bin/sh\" \"-c\" \"./a $B\"]", false)]);
        assert!(shell.expect("it is one").text.ends_with("\nCMD ./a $B\n"));
    }

    #[test]
    fn what_the_history_does_not_tell_is_refused() {
        for (own, why) in [
            (("COPY /out/app /app # buildkit", true), "another stage"),
            (("COPY --from=build a /app", true), "another stage"),
            (("/bin/sh -c #(nop)  ONBUILD COPY . .", false), "ONBUILD"),
            (("RUN /bin/sh -c /dev/pipes/EOF # buildkit", true), "script"),
            (("COPY --chmod=755 <<EOF /usr/bin/x # buildkit", true), "copies documents"),
            (("|1 X=1 /bin/sh -c <<'EOF'", true), "runs documents"),
            (("/bin/sh -c cat <<a >/a && cat <<b >/b\n1\n2", true), "runs documents"),
        ] {
            let refused = rebuilt(&[own, ("RUN make", true)]).expect_err(own.0);
            assert!(refused.contains(why), "{refused}");
        }
    }

    #[test]
    fn documents_that_a_shell_reads_are_made_again() {
        let line = |entry: &str| {
            let made = rebuilt(&[(entry, true)]).expect(entry).text;
            assert_eq!(File::parse(&made).expect(entry).instructions().len(), 2, "{made}");
            made.trim_start_matches("FROM debian:bookworm\n").to_string()
        };
        assert_eq!(line("RUN /bin/sh -c set -e\n\tmake\n # buildkit"), "RUN <<EOF\nset -e\n\tmake\nEOF\n");
        let own = "cat <<EOF >/a && cat <<b >/b\n$A\nEOF\n2\nb";
        assert_eq!(line(&format!("RUN /bin/sh -c {own} # buildkit")), format!("RUN <<EOF0\n{own}\nEOF0\n"));
        assert_eq!(line("/bin/sh -c <<EOF\nset -e\nmake"), "RUN <<EOF\nset -e\nmake\nEOF\n");
        let bound = "--mount=type=bind,target=/x make";
        assert_eq!(line(&format!("/bin/sh -c {bound}:sha256:{:064x}", 7)), format!("RUN {bound}\n"));
    }

    #[test]
    fn long_commands_are_broken_where_a_shell_goes_on_and_nothing_else_changes() {
        let long = "apt-get update &&     apt-get install -y --no-install-recommends gcc \"a  b\" && (cd /x && make 2>&1) && rm -rf /var/lib/apt/lists/*";
        let text = broken(long);
        assert_eq!(
            text,
            "apt-get update \\\n && apt-get install -y --no-install-recommends gcc \"a  b\" \\\n && (cd /x && make 2>&1) \\\n && rm -rf /var/lib/apt/lists/*"
        );
        let file = File::parse(&format!("FROM a\nRUN {text}\n")).expect("it parses");
        assert_eq!(file.instructions().len(), 2);
        assert_eq!(broken("echo a   # b"), "echo a   # b");
    }
}
