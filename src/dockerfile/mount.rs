//! The value of `RUN --mount=`: comma-separated options.

/// One mount of a `RUN`.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Mount {
    options: Vec<(String, Option<String>)>,
}

impl Mount {
    /// Reads the value of the flag.
    ///
    /// # Errors
    /// When quotes are out of place, or the stage is named by a variable: BuildKit refuses both.
    pub fn parse(value: &str) -> Result<Self, String> {
        let mut options = Vec::new();
        for field in fields(value)? {
            let (name, value) = match field.split_once('=') {
                Some((name, value)) => (name, Some(value.to_string())),
                None => (field.as_str(), None),
            };
            let name = name.to_lowercase();
            let dollar = value.as_deref().filter(|_| name == "from").and_then(|value| Some((value, value.find('$')?)));
            if dollar.is_some_and(|(value, at)| at + 1 < value.len()) {
                return Err("variables are not expanded in from= of a mount".to_string());
            }
            options.push((name, value));
        }
        Ok(Self { options })
    }

    /// The value of an option by any of its names; the last one counts.
    fn value(&self, names: &[&str]) -> Option<&str> {
        let (_, value) = self.options.iter().rev().find(|(name, _)| names.contains(&name.as_str()))?;
        value.as_deref()
    }

    /// `bind`, `cache`, `tmpfs`, `secret` or `ssh`.
    pub fn kind(&self) -> &str {
        self.value(&["type"]).unwrap_or("bind")
    }

    /// The stage or image that it mounts.
    pub fn from(&self) -> Option<&str> {
        self.value(&["from"]).filter(|from| !from.is_empty())
    }

    /// The path in what is mounted.
    pub fn source(&self) -> Option<&str> {
        self.value(&["source", "src"])
    }

    /// Where it is mounted.
    pub fn target(&self) -> Option<&str> {
        self.value(&["target", "dst", "destination"])
    }

    /// The name of a cache or secret.
    pub fn id(&self) -> Option<&str> {
        self.value(&["id"])
    }
}

/// The fields of a line of comma-separated values.
fn fields(line: &str) -> Result<Vec<String>, String> {
    let mut fields = Vec::new();
    let mut chars = line.chars().peekable();
    loop {
        let mut field = String::new();
        if chars.next_if_eq(&'"').is_some() {
            loop {
                match chars.next() {
                    Some('"') if chars.next_if_eq(&'"').is_some() => field.push('"'),
                    Some('"') => break,
                    Some(c) => field.push(c),
                    None => return Err("a quote in the mount does not end".to_string()),
                }
            }
            if chars.peek().is_some_and(|&c| c != ',') {
                return Err("a quote in the mount ends within an option".to_string());
            }
        } else {
            while let Some(c) = chars.next_if(|&c| c != ',') {
                if c == '"' {
                    return Err("a quote in the mount starts within an option".to_string());
                }
                field.push(c);
            }
        }
        fields.push(field);
        if chars.next().is_none() {
            return Ok(fields);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mount_is_read_by_all_names_of_its_options() {
        let mount = Mount::parse(r#"TYPE=cache,id=x,dst=/root/.cache,"source=a,b",from=build,ro"#).unwrap();
        assert_eq!((mount.kind(), mount.id(), mount.target()), ("cache", Some("x"), Some("/root/.cache")));
        assert_eq!((mount.source(), mount.from()), (Some("a,b"), Some("build")));
        assert_eq!(Mount::parse("target=/x").unwrap().kind(), "bind");
        for bad in ["from=$X", "a\"b\"", "\"a", "\"a\"b"] {
            assert!(Mount::parse(bad).is_err(), "{bad}");
        }
        assert!(Mount::parse("from=a$").is_ok());
    }
}
