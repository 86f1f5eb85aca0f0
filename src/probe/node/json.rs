//! Reads JSON that nobody promised a shape for: what has another shape than expected is passed over.
//!
//! Keeps a few levels of text and passes over all that lies deeper, in constant memory.

use std::{borrow::Cow, fmt};

use serde::{
    Deserializer,
    de::{self, DeserializeSeed, IgnoredAny, MapAccess, SeqAccess, Visitor},
};

use crate::probe::malformed::Malformed;

/// Most members of one object or list that are kept; the largest real `package.json` has some hundreds.
pub const MEMBERS_MAX: usize = 10_000;

/// What is kept of a JSON value.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum Loose<'a> {
    /// A number, `null`, or something below the last level that is kept.
    #[default]
    Other,
    /// `true` or `false`.
    Flag(bool),
    /// A string.
    Text(Cow<'a, str>),
    /// A list.
    List(Vec<Loose<'a>>),
    /// An object, in order; the last of equal keys counts.
    Map(Vec<(Cow<'a, str>, Loose<'a>)>),
}

impl<'a> Loose<'a> {
    /// The string, if it is one.
    pub fn text(&self) -> Option<&str> {
        if let Self::Text(text) = self { Some(text) } else { None }
    }

    /// Whether it is `true`.
    pub fn is_true(&self) -> bool {
        *self == Self::Flag(true)
    }

    /// The members of an object; none of anything else.
    pub fn members(&self) -> &[(Cow<'a, str>, Self)] {
        if let Self::Map(members) = self { members } else { &[] }
    }

    /// The elements of a list; none of anything else.
    pub fn elements(&self) -> &[Self] {
        if let Self::List(elements) = self { elements } else { &[] }
    }

    /// The member of this name.
    pub fn get(&self, key: &str) -> Option<&Self> {
        self.members().iter().rev().find(|(name, _)| name == key).map(|(_, value)| value)
    }
}

/// Reads a value and keeps so many levels of objects and lists.
#[derive(Clone, Copy, Debug)]
pub struct Levels(pub u8);

impl<'de> DeserializeSeed<'de> for Levels {
    type Value = Loose<'de>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Loose<'de>, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Levels {
    type Value = Loose<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Loose<'de>, A::Error> {
        let Some(below) = self.0.checked_sub(1) else { return IgnoredAny.visit_map(map).map(|_| Loose::Other) };
        let mut members = Vec::new();
        while let Some(Key(key)) = map.next_key()? {
            let value = map.next_value_seed(Self(below))?;
            if members.len() < MEMBERS_MAX {
                members.push((key, value));
            }
        }
        Ok(Loose::Map(members))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Loose<'de>, A::Error> {
        let Some(below) = self.0.checked_sub(1) else { return IgnoredAny.visit_seq(seq).map(|_| Loose::Other) };
        let mut elements = Vec::new();
        while let Some(value) = seq.next_element_seed(Self(below))? {
            if elements.len() < MEMBERS_MAX {
                elements.push(value);
            }
        }
        Ok(Loose::List(elements))
    }

    fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Loose<'de>, E> {
        Ok(Loose::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Loose<'de>, E> {
        Ok(Loose::Text(Cow::Owned(text.to_string())))
    }

    fn visit_bool<E: de::Error>(self, flag: bool) -> Result<Loose<'de>, E> {
        Ok(Loose::Flag(flag))
    }

    fn visit_i64<E: de::Error>(self, _: i64) -> Result<Loose<'de>, E> {
        Ok(Loose::Other)
    }

    fn visit_u64<E: de::Error>(self, _: u64) -> Result<Loose<'de>, E> {
        Ok(Loose::Other)
    }

    fn visit_f64<E: de::Error>(self, _: f64) -> Result<Loose<'de>, E> {
        Ok(Loose::Other)
    }

    fn visit_unit<E: de::Error>(self) -> Result<Loose<'de>, E> {
        Ok(Loose::Other)
    }
}

/// An object's key, borrowed where it has no escapes.
pub struct Key<'a>(pub Cow<'a, str>);

impl<'de> de::Deserialize<'de> for Key<'de> {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        struct KeyVisitor;

        impl<'de> Visitor<'de> for KeyVisitor {
            type Value = Key<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a key")
            }

            fn visit_borrowed_str<E: de::Error>(self, text: &'de str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Borrowed(text)))
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Key<'de>, E> {
                Ok(Key(Cow::Owned(text.to_string())))
            }
        }

        from.deserialize_str(KeyVisitor)
    }
}

/// Reads some members of an object, each with so many levels; a member that is missing is [`Loose::Other`].
///
/// # Errors
/// When the body is not JSON, or no object.
pub fn pick<'a, const N: usize>(body: &'a [u8], keys: [(&str, u8); N]) -> Result<[Loose<'a>; N], Malformed> {
    struct Pick<'k, const N: usize>([(&'k str, u8); N]);

    impl<'de, const N: usize> Visitor<'de> for Pick<'_, N> {
        type Value = [Loose<'de>; N];

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("an object")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<[Loose<'de>; N], A::Error> {
            let mut picked = std::array::from_fn(|_| Loose::Other);
            while let Some(Key(key)) = map.next_key()? {
                let wanted = self.0.iter().zip(&mut picked).find(|((name, _), _)| *name == key);
                match wanted {
                    Some(((_, levels), slot)) => *slot = map.next_value_seed(Levels(*levels))?,
                    None => drop(map.next_value::<IgnoredAny>()?),
                }
            }
            Ok(picked)
        }
    }

    let mut from = serde_json::Deserializer::from_slice(body);
    let picked = from.deserialize_map(Pick(keys)).and_then(|picked| from.end().map(|()| picked));
    picked.map_err(no_json)
}

/// The fault of a file that is not the JSON its name promises.
pub fn no_json(cause: serde_json::Error) -> Malformed {
    Malformed(format!("the file is not the JSON it should be: {cause}"))
}
