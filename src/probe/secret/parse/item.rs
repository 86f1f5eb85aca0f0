//! Makes items of what parsers find, where it is a secret at all.

use std::ops::Range;

use super::{
    Item,
    part::Part,
    tree::{Leaf, NodeNo, Tree},
    url,
};
use crate::{
    model::Standing,
    probe::secret::check::{Check, Value, Verdict},
};

/// Longest key that is told, in characters.
const KEY_MAX: usize = 100;

impl Item {
    /// A secret of which everything is known.
    pub(super) fn new(span: Range<usize>, key: impl Into<String>, value: Vec<u8>, verdict: Verdict) -> Self {
        let key = key.into();
        // A file may use a secret as a name, or name something after it.
        let hidden = String::from_utf8_lossy(&value);
        let key = if hidden.len() >= 4 { key.replace(&*hidden, "***") } else { key };
        let key = key.chars().map(|c| if c.is_control() { ' ' } else { c }).take(KEY_MAX).collect();
        Self { span, key, value, verdict }
    }

    /// What stands where surely a secret stands: anything but what stands in for it.
    pub(super) fn secret(
        span: Range<usize>,
        key: impl Into<String>,
        value: Vec<u8>,
        standing: Standing,
    ) -> Option<Self> {
        if is_variable(&value) {
            return None;
        }
        let verdict = token(&value).or_else(|| Check::Password.look(Value::new(&value)))?;
        let verdict = match verdict.harmless {
            Some(_) => verdict,
            None => Verdict { standing: verdict.standing.max(standing), ..verdict },
        };
        Some(Self::new(span, key, value, verdict))
    }

    /// The same, of a file whose form is known.
    pub(super) fn field(part: Part<'_>, key: impl Into<String>) -> Option<Self> {
        Self::secret(part.span(), key, part.bytes().to_vec(), Standing::Structured)
    }

    /// The same, of a value of a tree.
    pub(super) fn leaf(leaf: Leaf, key: impl Into<String>) -> Option<Self> {
        Self::secret(leaf.span, key, leaf.value, Standing::Structured)
    }

    /// A private key in any of its forms.
    pub(super) fn private_key(span: Range<usize>, key: impl Into<String>, value: Vec<u8>) -> Option<Self> {
        let verdict = Check::PrivateKey.look(Value::new(&value))?;
        Some(Self::new(span, key, value, verdict))
    }
}

/// `$NAME`: somebody meant to have it filled in.
fn is_variable(value: &[u8]) -> bool {
    let name = value.strip_prefix(b"$").unwrap_or_default();
    name.first().is_some_and(u8::is_ascii_uppercase)
        && name.iter().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || *byte == b'_')
}

/// What a token tells of itself; it may be told by its form where no rule is.
fn token(value: &[u8]) -> Option<Verdict> {
    value.starts_with(b"eyJ").then(|| Check::Jwt.look(Value::new(value))).flatten()
}

/// The passwords in the addresses of a text.
pub(super) fn addresses(text: Part<'_>, key: &str) -> Vec<Item> {
    let item = |login: url::Login<'_>| {
        let (part, value) = login.secret()?;
        let key = if key.is_empty() { login.host.text() } else { key.to_string() };
        Item::secret(part.span(), key, value, Standing::Structured)
    };
    url::logins(text).filter_map(item).collect()
}

/// The values of some members of a node.
pub(super) fn members(tree: &Tree<'_>, node: NodeNo, names: &[&str], key: &str) -> Vec<Item> {
    let item = |child: NodeNo| {
        let name = tree.name(child);
        let listed = names.iter().any(|listed| *listed == name);
        listed.then(|| Item::leaf(tree.leaf(child)?, format!("{key} {name}").trim())).flatten()
    };
    tree.children(node).filter_map(item).collect()
}
