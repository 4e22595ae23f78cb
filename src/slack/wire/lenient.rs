//! Forgiving fields: what does not fit is absent.
//!
//! The borrowed half reads strings without copying them, because the acknowledgement path parses every request; the
//! owned half goes through [`Value`], which is slower and lets any type fail quietly.

use std::{borrow::Cow, fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer,
    de::{DeserializeOwned, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

/// The value when it fits the type, else the type's default.
pub(crate) fn fitting<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(input: D) -> Result<T, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(input)?).unwrap_or_default())
}

/// The elements that fit; the others are left out, and anything that is not an array is empty.
pub(crate) fn fitting_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(input: D) -> Result<Vec<T>, D::Error> {
    let Value::Array(items) = Value::deserialize(input)? else { return Ok(Vec::new()) };
    Ok(items.into_iter().filter_map(|item| serde_json::from_value(item).ok()).collect())
}

/// A string, borrowed where the JSON has no escapes in it; `None` for anything else.
pub(super) fn text<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    match Loose::<'de, Skipped>::deserialize(input)? {
        Loose::Text(text) => Ok(Some(text)),
        Loose::Object(Skipped {}) | Loose::First(Skipped {}) | Loose::Other | Loose::Nothing => Ok(None),
    }
}

/// A string, or the `id` of an object in its place.
pub(super) fn text_or_id<'de, D: Deserializer<'de>>(input: D) -> Result<Option<Cow<'de, str>>, D::Error> {
    match Loose::<'de, WithId<'de>>::deserialize(input)? {
        Loose::Text(text) => Ok(Some(text)),
        Loose::Object(WithId { id }) => Ok(id),
        Loose::First(_) | Loose::Other | Loose::Nothing => Ok(None),
    }
}

/// Whether there is anything but `null` and `false`.
pub(super) fn present<'de, D: Deserializer<'de>>(input: D) -> Result<bool, D::Error> {
    Ok(!matches!(Loose::<'de, Skipped>::deserialize(input)?, Loose::Nothing))
}

/// An object of the given type; `None` for anything else.
pub(super) fn object<'de, D: Deserializer<'de>, T: Deserialize<'de>>(input: D) -> Result<Option<T>, D::Error> {
    match Loose::deserialize(input)? {
        Loose::Object(object) => Ok(Some(object)),
        Loose::First(_) | Loose::Text(_) | Loose::Other | Loose::Nothing => Ok(None),
    }
}

/// The first element of an array, when it is an object of the given type.
pub(super) fn first<'de, D: Deserializer<'de>, T: Deserialize<'de>>(input: D) -> Result<Option<T>, D::Error> {
    match Loose::deserialize(input)? {
        Loose::First(object) => Ok(Some(object)),
        Loose::Object(_) | Loose::Text(_) | Loose::Other | Loose::Nothing => Ok(None),
    }
}

#[derive(Deserialize)]
struct Skipped {}

#[derive(Deserialize)]
struct WithId<'a> {
    #[serde(borrow, default, deserialize_with = "text")]
    id: Option<Cow<'a, str>>,
}

/// Any JSON value, of which strings and objects of one type are kept.
enum Loose<'a, T> {
    Text(Cow<'a, str>),
    Object(T),
    First(T),
    /// A number, `true`, or an array without such an object.
    Other,
    /// `null` or `false`.
    Nothing,
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Loose<'de, T> {
    fn deserialize<D: Deserializer<'de>>(input: D) -> Result<Self, D::Error> {
        input.deserialize_any(LooseVisitor(PhantomData))
    }
}

struct LooseVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for LooseVisitor<T> {
    type Value = Loose<'de, T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(Loose::Nothing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(if value { Loose::Other } else { Loose::Nothing })
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(Loose::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(Loose::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(Loose::Other)
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Loose::Text(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Loose::Text(Cow::Owned(text.to_owned())))
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(entries)).map(Loose::Object)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        let first = items.next_element::<Self::Value>()?;
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(match first {
            Some(Loose::Object(object)) => Loose::First(object),
            Some(Loose::Text(_) | Loose::First(_) | Loose::Other | Loose::Nothing) | None => Loose::Other,
        })
    }
}
