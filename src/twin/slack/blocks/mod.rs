//! Which blocks Slack takes.
//!
//! Covers what the bot can send; a type that is not listed here is refused, so that using a new one begins with writing
//! down its limits. Slack counts characters; which unit is not documented, so scalar values are counted.

mod context_actions;
mod elements;
mod rich_text;
mod table;
mod view;

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use self::elements::Place;
pub(super) use self::view::check_view;

/// Most characters in all blocks of a message: undocumented, refusals were reported from 11,341 on.
pub(super) const MAX_ALL_TEXT_CHARS: usize = 11_000;
/// Most blocks of a message.
const MAX_MESSAGE_BLOCKS: usize = 50;
/// Most blocks of a modal or Home tab.
const MAX_VIEW_BLOCKS: usize = 100;
/// Most characters of `block_id` and `action_id`.
const MAX_ID_CHARS: usize = 255;
/// Most characters of a text object where nothing shorter is asked for.
const MAX_TEXT_CHARS: usize = 3000;
/// Most characters of one field of a section, and of one text of a context.
const MAX_FIELD_CHARS: usize = 2000;
/// Most fields of a section.
const MAX_FIELDS: usize = 10;
/// Most characters of a header.
const MAX_HEADER_CHARS: usize = 150;
/// Most elements of a context.
const MAX_CONTEXT_ELEMENTS: usize = 10;
/// Most elements of an actions block.
const MAX_ACTIONS: usize = 25;
/// Most characters on a button, and of its label for screen readers.
const MAX_BUTTON_CHARS: usize = 75;
/// Most characters of a button's value.
const MAX_VALUE_CHARS: usize = 2000;
/// Most characters of an address.
const MAX_URL_CHARS: usize = 3000;
/// Most characters of an image's description and title.
const MAX_ALT_CHARS: usize = 2000;
/// Most characters in all `markdown` blocks of a message.
const MAX_MARKDOWN_CHARS: usize = 12_000;
/// Most characters of a confirmation's title, its text and its buttons.
const MAX_CONFIRM_CHARS: (usize, usize, usize) = (100, 300, 30);

/// Where blocks are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Surface {
    /// A message.
    Message,
    /// A modal or Home tab.
    View,
}

/// What is wrong with the blocks, each with a pointer to the place; empty when they are good.
pub(super) fn check(blocks: &[Value], surface: Surface) -> Vec<String> {
    let mut checker = Checker::default();
    let most = if surface == Surface::Message { MAX_MESSAGE_BLOCKS } else { MAX_VIEW_BLOCKS };
    checker.at_most("/blocks", blocks.len(), most);
    for (at, block) in blocks.iter().enumerate() {
        checker.block(block, &format!("/blocks/{at}"), surface);
    }
    checker.at_most("/blocks", checker.markdown_chars, MAX_MARKDOWN_CHARS);
    checker.errors
}

/// Characters in all texts of the blocks.
pub(super) fn text_chars(blocks: &[Value]) -> usize {
    blocks.iter().map(chars_in).sum()
}

fn chars_in(value: &Value) -> usize {
    match value {
        Value::Array(items) => items.iter().map(chars_in).sum(),
        Value::Object(fields) => fields
            .iter()
            .map(|(name, value)| match value {
                Value::String(text) if name == "text" => text.chars().count(),
                Value::Null
                | Value::Bool(_)
                | Value::Number(_)
                | Value::String(_)
                | Value::Array(_)
                | Value::Object(_) => chars_in(value),
            })
            .sum(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => 0,
    }
}

/// The blocks with the ids that Slack gives to those without.
pub(super) fn with_ids(mut blocks: Vec<Value>) -> Vec<Value> {
    for (at, block) in blocks.iter_mut().enumerate() {
        if let Value::Object(fields) = block {
            fields.entry("block_id").or_insert_with(|| json!(format!("b{at:04}")));
        }
    }
    blocks
}

#[derive(Default)]
struct Checker {
    errors: Vec<String>,
    block_ids: BTreeSet<String>,
    markdown_chars: usize,
    tables: usize,
}

impl Checker {
    fn block(&mut self, block: &Value, path: &str, surface: Surface) {
        let Some(fields) = block.as_object() else { return self.error("must be an object", path) };
        if let Some(id) = fields.get("block_id") {
            self.id(id, &format!("{path}/block_id"));
            if !self.block_ids.insert(id.to_string()) {
                self.error("block_id already exists", &format!("{path}/block_id"));
            }
        }
        match fields.get("type").and_then(Value::as_str).unwrap_or_default() {
            "section" => self.section(fields, path),
            "header" => {
                self.known(fields, path, &["text"]);
                self.required_text(fields, "text", path, MAX_HEADER_CHARS);
                self.plain(fields.get("text"), &format!("{path}/text"));
            }
            "context" => self.context(fields, path),
            "actions" => self.actions(fields, path),
            "divider" => self.known(fields, path, &[]),
            "image" => {
                self.known(fields, path, &["image_url", "slack_file", "alt_text", "title"]);
                self.image(fields, path);
                self.optional_text(fields, "title", path, MAX_ALT_CHARS);
            }
            "markdown" => self.markdown(fields, path),
            "context_actions" if surface == Surface::Message => self.context_actions(fields, path),
            "rich_text" => self.rich_text(fields, path),
            "table" if surface == Surface::Message => self.table(block, fields, path),
            "input" if surface == Surface::View => {
                let names = ["label", "element", "hint", "optional", "dispatch_action"];
                self.known(fields, path, &names);
                self.required_text(fields, "label", path, MAX_FIELD_CHARS);
                self.optional_text(fields, "hint", path, MAX_FIELD_CHARS);
                self.fits(fields.get("element"), &format!("{path}/element"), Place::Input);
                self.element(fields.get("element").unwrap_or(&Value::Null), &format!("{path}/element"));
            }
            other => self.error(&format!("unsupported type: {other}"), &format!("{path}/type")),
        }
    }

    fn section(&mut self, fields: &Map<String, Value>, path: &str) {
        self.known(fields, path, &["text", "fields", "accessory", "expand"]);
        if !fields.contains_key("text") && !fields.contains_key("fields") {
            self.error("must have text or fields", path);
        }
        self.optional_text(fields, "text", path, MAX_TEXT_CHARS);
        if let Some(given) = fields.get("fields") {
            for (at, field) in self.items(given, &format!("{path}/fields"), MAX_FIELDS).iter().enumerate() {
                self.text(field, &format!("{path}/fields/{at}"), MAX_FIELD_CHARS);
            }
        }
        if let Some(accessory) = fields.get("accessory") {
            self.fits(Some(accessory), &format!("{path}/accessory"), Place::Section);
            self.element(accessory, &format!("{path}/accessory"));
        }
    }

    fn context(&mut self, fields: &Map<String, Value>, path: &str) {
        self.known(fields, path, &["elements"]);
        let given = fields.get("elements").unwrap_or(&Value::Null);
        for (at, element) in self.items(given, &format!("{path}/elements"), MAX_CONTEXT_ELEMENTS).iter().enumerate() {
            let place = format!("{path}/elements/{at}");
            match element.as_object().filter(|element| element.get("type") == Some(&json!("image"))) {
                Some(image) => self.image(image, &place),
                None => self.text(element, &place, MAX_FIELD_CHARS),
            }
        }
    }

    fn actions(&mut self, fields: &Map<String, Value>, path: &str) {
        self.known(fields, path, &["elements"]);
        let given = fields.get("elements").unwrap_or(&Value::Null);
        let mut ids = BTreeSet::new();
        for (at, element) in self.items(given, &format!("{path}/elements"), MAX_ACTIONS).iter().enumerate() {
            let place = format!("{path}/elements/{at}");
            self.fits(Some(element), &place, Place::Actions);
            self.element(element, &place);
            let id = element.get("action_id").and_then(Value::as_str);
            if id.is_some_and(|id| !ids.insert(id.to_owned())) {
                self.error("action_id already exists", &format!("{place}/action_id"));
            }
        }
    }

    fn markdown(&mut self, fields: &Map<String, Value>, path: &str) {
        self.known(fields, path, &["text"]);
        let place = format!("{path}/text");
        match fields.get("text").and_then(Value::as_str) {
            Some(text) => {
                let chars = text.chars().count();
                self.length(chars, MAX_MARKDOWN_CHARS, &place);
                self.markdown_chars += chars;
            }
            None => self.error("must be a string", &place),
        }
    }

    /// Something to press, choose from or write into.
    fn element(&mut self, element: &Value, path: &str) {
        let Some(fields) = element.as_object() else { return self.error("must be an object", path) };
        if let Some(id) = fields.get("action_id") {
            self.id(id, &format!("{path}/action_id"));
        }
        match fields.get("type").and_then(Value::as_str).unwrap_or_default() {
            "button" => self.button(fields, path),
            "image" => self.image(fields, path),
            other => self.chooser(other, fields, path),
        }
    }

    fn button(&mut self, fields: &Map<String, Value>, path: &str) {
        let names = ["text", "action_id", "value", "url", "style", "confirm", "accessibility_label"];
        self.known(fields, path, &names);
        self.required_text(fields, "text", path, MAX_BUTTON_CHARS);
        self.plain(fields.get("text"), &format!("{path}/text"));
        self.optional_string(fields, "value", path, MAX_VALUE_CHARS);
        self.optional_string(fields, "accessibility_label", path, MAX_BUTTON_CHARS);
        self.optional_string(fields, "url", path, MAX_URL_CHARS);
        let style = fields.get("style").map(|style| style.as_str().unwrap_or_default());
        if style.is_some_and(|style| !matches!(style, "primary" | "danger")) {
            self.error("must be one of primary, danger", &format!("{path}/style"));
        }
        if let Some(confirm) = fields.get("confirm") {
            self.confirm(confirm, &format!("{path}/confirm"));
        }
    }

    fn confirm(&mut self, confirm: &Value, path: &str) {
        let Some(fields) = confirm.as_object() else { return self.error("must be an object", path) };
        let (title, text, button) = MAX_CONFIRM_CHARS;
        for (name, most) in [("title", title), ("text", text), ("confirm", button), ("deny", button)] {
            self.optional_text(fields, name, path, most);
        }
    }

    fn image(&mut self, fields: &Map<String, Value>, path: &str) {
        if !fields.contains_key("slack_file") {
            self.required_string(fields, "image_url", path, MAX_URL_CHARS);
        }
        self.required_string(fields, "alt_text", path, MAX_ALT_CHARS);
    }

    fn text(&mut self, text: &Value, path: &str, most: usize) {
        let Some(fields) = text.as_object() else { return self.error("must be an object", path) };
        match fields.get("type").and_then(Value::as_str).unwrap_or_default() {
            "plain_text" => self.known(fields, path, &["text", "emoji"]),
            "mrkdwn" => self.known(fields, path, &["text", "verbatim"]),
            _ => self.error("failed to match all allowed schemas", path),
        }
        match fields.get("text").and_then(Value::as_str) {
            Some(text) => self.length(text.chars().count(), most, &format!("{path}/text")),
            None => self.error("must be a string", &format!("{path}/text")),
        }
    }

    fn plain(&mut self, text: Option<&Value>, path: &str) {
        let kind = text.and_then(|text| text.get("type")).and_then(Value::as_str);
        if kind == Some("mrkdwn") {
            self.error("must be plain_text", path);
        }
    }

    fn required_text(&mut self, fields: &Map<String, Value>, name: &str, path: &str, most: usize) {
        self.text(fields.get(name).unwrap_or(&Value::Null), &format!("{path}/{name}"), most);
    }

    fn optional_text(&mut self, fields: &Map<String, Value>, name: &str, path: &str, most: usize) {
        if let Some(text) = fields.get(name) {
            self.text(text, &format!("{path}/{name}"), most);
        }
    }

    fn required_string(&mut self, fields: &Map<String, Value>, name: &str, path: &str, most: usize) {
        match fields.get(name).and_then(Value::as_str) {
            Some(text) => self.length(text.chars().count(), most, &format!("{path}/{name}")),
            None => self.error(&format!("missing required field: {name}"), path),
        }
    }

    fn optional_string(&mut self, fields: &Map<String, Value>, name: &str, path: &str, most: usize) {
        match fields.get(name) {
            None => {}
            Some(Value::String(text)) => self.at_most(&format!("{path}/{name}"), text.chars().count(), most),
            Some(_) => self.error("must be a string", &format!("{path}/{name}")),
        }
    }

    fn items<'a>(&mut self, given: &'a Value, path: &str, most: usize) -> &'a [Value] {
        let items = given.as_array().map(Vec::as_slice).unwrap_or_default();
        if items.is_empty() {
            self.error("no fewer than 1 items allowed", path);
        }
        self.at_most(path, items.len(), most);
        items
    }

    fn id(&mut self, id: &Value, path: &str) {
        match id.as_str() {
            Some(id) => self.length(id.chars().count(), MAX_ID_CHARS, path),
            None => self.error("must be a string", path),
        }
    }

    fn length(&mut self, chars: usize, most: usize, path: &str) {
        if chars == 0 {
            self.error("must be more than 0 characters", path);
        }
        self.at_most(path, chars, most);
    }

    fn at_most(&mut self, path: &str, count: usize, most: usize) {
        if count > most {
            self.error(&format!("no more than {most} allowed"), path);
        }
    }

    /// Refuses properties that are not the type's.
    fn known(&mut self, fields: &Map<String, Value>, path: &str, names: &[&str]) {
        for name in fields.keys() {
            if !names.contains(&name.as_str()) && name != "type" && name != "block_id" {
                self.error(&format!("invalid additional property: {name}"), path);
            }
        }
    }

    fn error(&mut self, what: &str, path: &str) {
        self.errors.push(format!("{what} [json-pointer:{path}]"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn section(text: &str) -> Value {
        json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })
    }

    pub(super) fn errors(block: Value) -> Vec<String> {
        check(&[block], Surface::Message)
    }

    #[test]
    fn a_section_takes_3000_characters_and_not_one_more() {
        assert_eq!(errors(section(&"é".repeat(3000))), Vec::<String>::new());
        let found = errors(section(&"é".repeat(3001)));
        assert_eq!(found, ["no more than 3000 allowed [json-pointer:/blocks/0/text/text]"]);
        assert_eq!(errors(section("")), ["must be more than 0 characters [json-pointer:/blocks/0/text/text]"]);
    }

    #[test]
    fn a_message_takes_fifty_blocks_and_a_view_a_hundred() {
        let blocks = vec![json!({ "type": "divider" }); 51];
        assert_eq!(check(&blocks, Surface::Message), ["no more than 50 allowed [json-pointer:/blocks]"]);
        assert!(check(&blocks, Surface::View).is_empty());
    }

    #[test]
    fn foreign_properties_are_refused() {
        let block = json!({ "type": "section", "text": { "type": "mrkdwn", "text": "a", "emoji": true } });
        assert_eq!(errors(block), ["invalid additional property: emoji [json-pointer:/blocks/0/text]"]);
    }

    #[test]
    fn buttons_have_limits_of_their_own() {
        let button = |text: &str, value: &str, style: &str| {
            let text = json!({ "type": "plain_text", "text": text });
            json!({ "type": "button", "action_id": "a", "text": text, "value": value, "style": style })
        };
        let actions = |elements: Vec<Value>| json!({ "type": "actions", "elements": elements });
        assert!(errors(actions(vec![button("Go", "v", "primary")])).is_empty());
        assert_eq!(errors(actions(vec![button(&"a".repeat(76), "v", "primary")])).len(), 1);
        assert_eq!(errors(actions(vec![button("Go", &"v".repeat(2001), "primary")])).len(), 1);
        assert_eq!(errors(actions(vec![button("Go", "v", "green")])).len(), 1);
        assert_eq!(errors(actions(vec![button("Go", "v", "danger"); 2])).len(), 1, "one action_id twice");
        assert_eq!(errors(actions(Vec::new())).len(), 1, "no elements");
    }

    #[test]
    fn markdown_blocks_share_one_limit() {
        let markdown = |chars: usize| json!({ "type": "markdown", "text": "m".repeat(chars) });
        assert!(check(&[markdown(6000), markdown(6000)], Surface::Message).is_empty());
        assert_eq!(check(&[markdown(6000), markdown(6001)], Surface::Message).len(), 1);
    }

    #[test]
    fn feedback_goes_into_its_own_block() {
        let text = |text: &str| json!({ "type": "plain_text", "text": text });
        let button = |value: &str| json!({ "text": text(value), "value": value });
        let both = json!({ "type": "feedback_buttons", "action_id": "f", "positive_button": button("good"),
            "negative_button": button("bad") });
        let block = |element: Value| json!({ "type": "context_actions", "elements": [element] });
        assert_eq!(errors(block(both.clone())), Vec::<String>::new());
        assert_eq!(errors(block(json!({ "type": "button", "text": text("Go") }))).len(), 1);
        assert!(!errors(json!({ "type": "actions", "elements": [both] })).is_empty());
    }

    #[test]
    fn block_ids_are_unique_and_filled_in() {
        let named = json!({ "type": "divider", "block_id": "one" });
        assert_eq!(check(&[named.clone(), named], Surface::Message).len(), 1);
        let filled = with_ids(vec![json!({ "type": "divider" })]);
        assert_eq!(filled[0]["block_id"], "b0000");
    }
}
