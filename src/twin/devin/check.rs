//! Whether a request fits the schema: types are strict, unknown fields are ignored, every error is listed.

use serde_json::{Map, Value, json};

use super::{api::Problem, state::State};

/// Default page.
const DEFAULT_FIRST: usize = 100;
/// Largest page.
const MAX_FIRST: usize = 200;
/// Most characters of an address in `attachment_urls`.
const MAX_URL_CHARS: usize = 2083;

/// The query's fields in order; a name may be repeated.
#[derive(Debug, Clone, Default)]
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// Reads the part behind the question mark.
    pub(super) fn read(query: &str) -> Self {
        let pairs = url::form_urlencoded::parse(query.as_bytes());
        Self(pairs.map(|(name, value)| (name.into_owned(), value.into_owned())).collect())
    }

    /// All values of a name.
    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.0.iter().filter(|(key, _)| key == name).map(|(_, value)| value.as_str()).collect()
    }

    /// The last value of a name.
    pub(super) fn one(&self, name: &str) -> Option<&str> {
        self.all(name).pop()
    }

    /// A whole number.
    pub(super) fn integer(&self, name: &str) -> Result<Option<i64>, Problem> {
        let wrong = || {
            invalid(
                "query",
                name,
                "Input should be a valid integer, unable to parse string as an integer",
                "int_parsing",
            )
        };
        self.one(name).map(|text| text.parse().map_err(|_| wrong())).transpose()
    }

    /// A yes or no.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.one(name) {
            None => Ok(None),
            Some("true" | "True" | "1") => Ok(Some(true)),
            Some("false" | "False" | "0") => Ok(Some(false)),
            Some(_) => Err(invalid("query", name, "Input should be a valid boolean", "bool_parsing")),
        }
    }

    fn first(&self) -> Result<usize, Problem> {
        let first = self.integer("first")?;
        let Some(first) = first else { return Ok(DEFAULT_FIRST) };
        let first = usize::try_from(first).unwrap_or(0);
        if first < 1 {
            return Err(invalid("query", "first", "Input should be greater than or equal to 1", "greater_than_equal"));
        }
        if first > MAX_FIRST {
            return Err(invalid("query", "first", "Input should be less than or equal to 200", "less_than_equal"));
        }
        Ok(first)
    }
}

impl State {
    /// One page of a list. A cursor continues behind the key it was given for, and only this state gives cursors.
    pub(super) fn page(&mut self, query: &Query, kind: &str, all: Vec<(String, Value)>) -> Result<Value, Problem> {
        self.page_of(query, kind, all, |_, value| value)
    }

    /// The same, of a list that may be long: only the rows of the page are written out.
    pub(super) fn page_of<T>(
        &mut self,
        query: &Query,
        kind: &str,
        all: Vec<(String, T)>,
        write: impl Fn(&Self, T) -> Value,
    ) -> Result<Value, Problem> {
        let first = query.first()?;
        let total = all.len();
        let start = match query.one("after") {
            None => 0,
            Some(cursor) => {
                let wrong = || invalid("query", "after", "Invalid cursor", "value_error");
                let key = self.cursors.get(cursor).and_then(|place| place.strip_prefix(kind)).ok_or_else(wrong)?;
                let key = key.strip_prefix(' ').ok_or_else(wrong)?;
                all.iter().position(|(item, _)| item == key).ok_or_else(wrong)? + 1
            }
        };
        let rest = total.saturating_sub(start);
        let mut items = Vec::new();
        let mut last = String::new();
        for (key, value) in all.into_iter().skip(start).take(first) {
            last = key;
            items.push(write(self, value));
        }
        let more = rest > items.len();
        let cursor = more.then(|| self.cursor(kind, &last));
        Ok(json!({ "items": items, "end_cursor": cursor, "has_next_page": more, "total": total }))
    }

    /// The same place always gets the same cursor, so that a client that kept one can go on from it.
    fn cursor(&mut self, kind: &str, key: &str) -> String {
        let place = format!("{kind} {key}");
        if let Some((cursor, _)) = self.cursors.iter().find(|(_, known)| **known == place) {
            return cursor.clone();
        }
        let cursor = hex::encode(format!("c{}", self.next_id()));
        self.cursors.insert(cursor.clone(), place);
        cursor
    }
}

/// A refusal for one field.
pub(super) fn invalid(part: &str, field: &str, message: &str, kind: &str) -> Problem {
    Problem::invalid(vec![json!({ "loc": [part, field], "msg": message, "type": kind })])
}

/// The fields of a body; reading collects what is wrong with them.
pub(super) struct Fields<'a> {
    body: &'a Value,
    errors: Vec<Value>,
}

impl<'a> Fields<'a> {
    /// Reads a body.
    pub(super) fn of(body: &'a Value) -> Self {
        Self { body, errors: Vec::new() }
    }

    /// Refuses if anything was wrong.
    pub(super) fn done(self) -> Result<(), Problem> {
        if self.errors.is_empty() { Ok(()) } else { Err(Problem::invalid(self.errors)) }
    }

    /// A text that must be there.
    pub(super) fn required(&mut self, name: &str) -> String {
        if self.body.get(name).is_none() {
            self.wrong(name, "Field required", "missing");
            return String::new();
        }
        if self.given(name).is_none() {
            self.wrong(name, "Input should be a valid string", "string_type");
            return String::new();
        }
        self.text(name).unwrap_or_default()
    }

    /// A text.
    pub(super) fn text(&mut self, name: &str) -> Option<String> {
        let value = self.given(name)?;
        if value.as_str().is_none() {
            self.wrong(name, "Input should be a valid string", "string_type");
        }
        value.as_str().map(str::to_owned)
    }

    /// One of the given texts.
    pub(super) fn choice(&mut self, name: &str, allowed: &[&str]) -> Option<String> {
        let text = self.text(name)?;
        if !allowed.contains(&text.as_str()) {
            self.wrong(name, &format!("Input should be one of {}", allowed.join(", ")), "enum");
        }
        Some(text)
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, name: &str) -> Option<Vec<String>> {
        let value = self.given(name)?;
        let Some(items) = value.as_array() else {
            self.wrong(name, "Input should be a valid list", "list_type");
            return None;
        };
        let texts: Option<Vec<String>> = items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
        if texts.is_none() {
            self.wrong(name, "Input should be a valid string", "string_type");
        }
        texts
    }

    /// A list of texts that is not longer than allowed.
    pub(super) fn texts_up_to(&mut self, name: &str, most: usize) -> Option<Vec<String>> {
        let texts = self.texts(name)?;
        if texts.len() > most {
            self.wrong(name, &format!("List should have at most {most} items"), "too_long");
        }
        Some(texts)
    }

    /// A list of addresses.
    pub(super) fn urls(&mut self, name: &str) -> Vec<String> {
        let urls = self.texts(name).unwrap_or_default();
        for url in &urls {
            if !(1..=MAX_URL_CHARS).contains(&url.chars().count()) || url::Url::parse(url).is_err() {
                self.wrong(name, "Input should be a valid URL", "url_parsing");
            }
        }
        urls
    }

    /// A whole number.
    pub(super) fn integer(&mut self, name: &str) -> Option<i64> {
        let value = self.given(name)?;
        if value.as_i64().is_none() {
            self.wrong(name, "Input should be a valid integer", "int_type");
        }
        value.as_i64()
    }

    /// A whole number above zero.
    pub(super) fn positive(&mut self, name: &str) -> Option<i64> {
        let number = self.integer(name)?;
        if number < 1 {
            self.wrong(name, "Input should be greater than 0", "greater_than");
        }
        Some(number)
    }

    /// A yes or no that cannot be null.
    pub(super) fn flag_not_null(&mut self, name: &str) -> Option<bool> {
        if self.body.get(name).is_some_and(Value::is_null) {
            self.wrong(name, "Input should be a valid boolean", "bool_type");
        }
        self.flag(name)
    }

    /// A yes or no.
    pub(super) fn flag(&mut self, name: &str) -> Option<bool> {
        let value = self.given(name)?;
        if value.as_bool().is_none() {
            self.wrong(name, "Input should be a valid boolean", "bool_type");
        }
        value.as_bool()
    }

    /// An object of limited size.
    pub(super) fn object(&mut self, name: &str, max_bytes: usize) -> Option<&'a Value> {
        let value = self.given(name)?;
        if !value.is_object() {
            self.wrong(name, "Input should be a valid dictionary", "dict_type");
        } else if value.to_string().len() > max_bytes {
            self.wrong(name, "Value is too large", "value_error");
        }
        Some(value)
    }

    /// A list of objects.
    pub(super) fn objects(&mut self, name: &str) -> Vec<&'a Map<String, Value>> {
        let Some(value) = self.given(name) else { return Vec::new() };
        let items = value.as_array().and_then(|items| items.iter().map(Value::as_object).collect());
        if items.is_none() {
            self.wrong(name, "Input should be a list of dictionaries", "list_type");
        }
        items.unwrap_or_default()
    }

    /// A value that is there and not null.
    fn given(&self, name: &str) -> Option<&'a Value> {
        self.body.get(name).filter(|value| !value.is_null())
    }

    /// Notes what is wrong with a field.
    pub(super) fn wrong(&mut self, name: &str, message: &str, kind: &str) {
        self.errors.push(json!({ "loc": ["body", name], "msg": message, "type": kind }));
    }
}
