//! What can be filled in or chosen: where it stands in the blocks, what it holds at first, and what it takes.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::domain::ids::ChannelId;

/// An element that can be pressed, chosen from or written into.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Found<'a> {
    /// Its block.
    pub(crate) block: &'a Value,
    /// The element.
    pub(crate) element: &'a Value,
}

/// How an element's value is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    Text,
    Option,
    Options,
    Id,
    Ids,
}

/// The name of an element's first value, of its value in a state, and its form; `None` for what holds nothing.
fn slot(kind: &str) -> Option<(&'static str, &'static str, Shape)> {
    Some(match kind {
        "plain_text_input" | "number_input" | "email_text_input" | "url_text_input" => {
            ("initial_value", "value", Shape::Text)
        }
        "static_select" | "external_select" | "radio_buttons" => ("initial_option", "selected_option", Shape::Option),
        "multi_static_select" | "multi_external_select" | "checkboxes" => {
            ("initial_options", "selected_options", Shape::Options)
        }
        "users_select" => ("initial_user", "selected_user", Shape::Id),
        "conversations_select" => ("initial_conversation", "selected_conversation", Shape::Id),
        "channels_select" => ("initial_channel", "selected_channel", Shape::Id),
        "multi_users_select" => ("initial_users", "selected_users", Shape::Ids),
        "multi_conversations_select" => ("initial_conversations", "selected_conversations", Shape::Ids),
        "multi_channels_select" => ("initial_channels", "selected_channels", Shape::Ids),
        "datepicker" => ("initial_date", "selected_date", Shape::Id),
        "timepicker" => ("initial_time", "selected_time", Shape::Id),
        "datetimepicker" => ("initial_date_time", "selected_date_time", Shape::Id),
        _ => return None,
    })
}

impl<'a> Found<'a> {
    /// A text field of the element, empty when missing.
    pub(crate) fn text(&self, name: &str) -> &'a str {
        self.element.get(name).and_then(Value::as_str).unwrap_or_default()
    }

    /// The block's id.
    pub(crate) fn block_id(&self) -> &'a str {
        self.block.get("block_id").and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether it stands in an `input` block.
    pub(crate) fn is_input(&self) -> bool {
        self.block.get("type").and_then(Value::as_str) == Some("input")
    }

    /// Whether using it is told to the app at once, and not only with the submission.
    pub(crate) fn tells(&self) -> bool {
        !self.is_input() || self.block.get("dispatch_action").and_then(Value::as_bool) == Some(true)
    }

    /// The key of its value.
    pub(crate) fn key(&self) -> (String, String) {
        (self.block_id().to_owned(), self.text("action_id").to_owned())
    }

    /// Its options, groups opened up.
    pub(crate) fn options(&self) -> Vec<&'a Value> {
        let list = |value: &'a Value, name: &str| value.get(name).and_then(Value::as_array).into_iter().flatten();
        let grouped = list(self.element, "option_groups").flat_map(|group| list(group, "options"));
        list(self.element, "options").chain(grouped).collect()
    }

    /// The value that it holds untouched; `None` for what holds nothing.
    pub(crate) fn initial(&self, here: Option<&ChannelId>) -> Option<Value> {
        let kind = self.text("type");
        let (initial, field, shape) = slot(kind)?;
        let many = matches!(shape, Shape::Options | Shape::Ids);
        let here = here
            .filter(|_| self.element.get("default_to_current_conversation") == Some(&json!(true)))
            .map(|channel| if many { json!([channel]) } else { json!(channel) });
        let empty = || if many { json!([]) } else { Value::Null };
        let value = here.or_else(|| self.element.get(initial).cloned()).unwrap_or_else(empty);
        Some(state(kind, field, &value))
    }

    /// The value after somebody wrote or chose; words on what it does not take.
    pub(crate) fn filled(&self, values: &[&str], offered: &[Value]) -> Result<Value, String> {
        let kind = self.text("type");
        let (_, field, shape) = slot(kind).ok_or_else(|| format!("nothing can be filled into a {kind}"))?;
        let first = values.first().copied().unwrap_or_default();
        let chosen = |wanted: &str| {
            let mut all = self.options().into_iter().chain(offered);
            let found = all.find(|option| option.get("value").and_then(Value::as_str) == Some(wanted));
            found.cloned().ok_or_else(|| format!("there is no option {wanted}"))
        };
        let value = match shape {
            Shape::Text | Shape::Option | Shape::Id if first.is_empty() => Value::Null,
            Shape::Text => self.written(first)?,
            Shape::Option => chosen(first)?,
            Shape::Options => Value::Array(values.iter().map(|wanted| chosen(wanted)).collect::<Result<_, _>>()?),
            Shape::Id => json!(first),
            Shape::Ids => json!(values),
        };
        let most = self.element.get("max_selected_items").and_then(Value::as_u64).unwrap_or(u64::MAX);
        let count = value.as_array().map_or(0, Vec::len);
        if u64::try_from(count).is_ok_and(|count| count > most) {
            return Err(format!("no more than {most} can be chosen"));
        }
        Ok(state(kind, field, &value))
    }

    fn written(&self, text: &str) -> Result<Value, String> {
        let bound = |name: &str| self.element.get(name).and_then(Value::as_u64);
        let chars = u64::try_from(text.chars().count()).unwrap_or(u64::MAX);
        if chars < bound("min_length").unwrap_or(0) || chars > bound("max_length").unwrap_or(3000) {
            return Err(format!("{chars} characters do not fit"));
        }
        let fits = match self.text("type") {
            "number_input" => self.number(text),
            "email_text_input" => text.contains('@'),
            "url_text_input" => url::Url::parse(text).is_ok(),
            _ => true,
        };
        if fits { Ok(json!(text)) } else { Err(format!("this is no {}: {text}", self.text("type"))) }
    }

    fn number(&self, text: &str) -> bool {
        let bound = |name: &str| self.text(name).parse::<f64>().ok();
        let decimal = self.element.get("is_decimal_allowed") == Some(&json!(true));
        text.parse::<f64>().is_ok_and(|number| {
            (decimal || text.parse::<i64>().is_ok())
                && bound("min_value").is_none_or(|least| number >= least)
                && bound("max_value").is_none_or(|most| number <= most)
        })
    }
}

/// Everything that can be used in the blocks, in order.
pub(crate) fn all(blocks: &[Value]) -> Vec<Found<'_>> {
    let of = |block| {
        let fields: [Option<&Value>; 2] = ["element", "accessory"].map(|name| Value::get(block, name));
        let elements = block.get("elements").and_then(Value::as_array).into_iter().flatten();
        fields.into_iter().flatten().chain(elements).map(move |element| Found { block, element })
    };
    blocks.iter().flat_map(of).filter(|found| !found.text("action_id").is_empty()).collect()
}

/// What goes by a name: an `action_id`, a `block_id`, or both with a slash between.
pub(crate) fn named<'a>(blocks: &'a [Value], name: &str) -> Option<Found<'a>> {
    let all = all(blocks);
    let is = |found: &&Found<'a>| found.text("action_id") == name;
    let within = |found: &&Found<'a>| {
        found.block_id() == name || format!("{}/{}", found.block_id(), found.text("action_id")) == name
    };
    all.iter().find(is).or_else(|| all.iter().find(within)).copied()
}

/// `state.values` of the blocks: by block, then by action.
pub(crate) fn values(blocks: &[Value], filled: &BTreeMap<(String, String), Value>, here: Option<&ChannelId>) -> Value {
    let mut values: Map<String, Value> = Map::new();
    for found in all(blocks) {
        let Some(value) = filled.get(&found.key()).cloned().or_else(|| found.initial(here)) else { continue };
        let block = values.entry(found.block_id()).or_insert_with(|| json!({}));
        super::events::put(block, found.text("action_id"), value);
    }
    Value::Object(values)
}

/// Whether a value of a state is nothing.
pub(crate) fn is_blank(value: &Value) -> bool {
    let Some(fields) = value.as_object() else { return true };
    let empty = |value: &Value| value.is_null() || value.as_array().is_some_and(Vec::is_empty);
    fields.iter().filter(|(name, _)| *name != "type").all(|(_, value)| empty(value))
}

fn state(kind: &str, field: &str, value: &Value) -> Value {
    json!({ "type": kind, field: value })
}
