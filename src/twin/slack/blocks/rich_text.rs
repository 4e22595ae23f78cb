//! The `rich_text` block, in messages and in the cells of tables.
//!
//! Text elements hold text alone: an empty one is refused, as are properties and styles that the documents do not name.
//! <https://docs.slack.dev/reference/block-kit/blocks/rich-text-block>

use serde_json::{Map, Value};

use super::Checker;

/// What a text can look like; mentions have two more.
const STYLES: &[&str] = &["bold", "italic", "strike", "code", "underline", "highlight", "client_highlight", "unlink"];
/// Deepest indent that clients draw.
const MAX_INDENT: u64 = 8;
/// Most characters of an address.
const MAX_URL_CHARS: usize = 3000;

impl Checker {
    pub(super) fn rich_text(&mut self, fields: &Map<String, Value>, path: &str) {
        self.known(fields, path, &["elements"]);
        for (element, place) in self.children(fields, path) {
            let Some(fields) = element.as_object() else {
                self.error("must be an object", &place);
                continue;
            };
            match kind(element) {
                "rich_text_section" => self.part(fields, &place, &[], Self::inline),
                "rich_text_quote" => self.part(fields, &place, &["border"], Self::inline),
                "rich_text_preformatted" => {
                    self.part(fields, &place, &["border", "language"], Self::code);
                }
                "rich_text_list" => self.list(fields, &place),
                _ => self.error("failed to match all allowed schemas", &place),
            }
        }
    }

    fn list(&mut self, fields: &Map<String, Value>, path: &str) {
        if !matches!(fields.get("style").and_then(Value::as_str), Some("bullet" | "ordered")) {
            self.error("must be one of bullet, ordered", &format!("{path}/style"));
        }
        let indent = fields.get("indent").map_or(Some(0), Value::as_u64);
        if indent.is_none_or(|indent| indent > MAX_INDENT) {
            self.error("must be a small number", &format!("{path}/indent"));
        }
        if fields.get("offset").is_some_and(|offset| offset.as_u64().is_none()) {
            self.error("must be a number", &format!("{path}/offset"));
        }
        self.part(fields, path, &["style", "indent", "offset", "border"], |checker, item, place| match kind(item) {
            "rich_text_section" => {
                let none = Map::new();
                let fields = item.as_object().unwrap_or(&none);
                checker.part(fields, place, &[], Self::inline);
            }
            _ => checker.error("failed to match all allowed schemas", place),
        });
    }

    /// An element that holds others.
    fn part(
        &mut self,
        fields: &Map<String, Value>,
        path: &str,
        names: &[&str],
        each: impl Fn(&mut Self, &Value, &str),
    ) {
        let names: Vec<&str> = names.iter().copied().chain(["elements"]).collect();
        self.known(fields, path, &names);
        for (element, place) in self.children(fields, path) {
            each(self, element, &place);
        }
    }

    fn children<'v>(&mut self, fields: &'v Map<String, Value>, path: &str) -> Vec<(&'v Value, String)> {
        let place = format!("{path}/elements");
        let Some(elements) = fields.get("elements").and_then(Value::as_array) else {
            self.error("must be an array", &place);
            return Vec::new();
        };
        if elements.is_empty() {
            self.error("no fewer than 1 items allowed", &place);
        }
        elements.iter().enumerate().map(|(at, element)| (element, format!("{place}/{at}"))).collect()
    }

    /// Code holds texts and links only.
    fn code(&mut self, element: &Value, path: &str) {
        match kind(element) {
            "text" | "link" => self.inline(element, path),
            _ => self.error("failed to match all allowed schemas", path),
        }
    }

    fn inline(&mut self, element: &Value, path: &str) {
        let Some(fields) = element.as_object() else { return self.error("must be an object", path) };
        self.style(fields, path);
        match kind(element) {
            "text" => {
                self.known(fields, path, &["text", "style"]);
                self.required_string(fields, "text", path, usize::MAX);
            }
            "link" => {
                self.known(fields, path, &["url", "text", "style", "unsafe"]);
                self.required_string(fields, "url", path, MAX_URL_CHARS);
                if fields.get("text").is_some_and(|text| text.as_str().is_none_or(str::is_empty)) {
                    self.error("must be more than 0 characters", &format!("{path}/text"));
                }
            }
            "emoji" => self.named(fields, path, "name", &["unicode", "skin_tone"]),
            "user" => self.named(fields, path, "user_id", &[]),
            "usergroup" => self.named(fields, path, "usergroup_id", &[]),
            "channel" => self.named(fields, path, "channel_id", &[]),
            "broadcast" => self.named(fields, path, "range", &[]),
            "color" => self.named(fields, path, "value", &[]),
            "date" => {
                if !fields.get("timestamp").is_some_and(Value::is_number) {
                    self.error("must be a number", &format!("{path}/timestamp"));
                }
                self.named(fields, path, "format", &["timestamp", "url", "fallback"]);
            }
            _ => self.error("failed to match all allowed schemas", path),
        }
    }

    fn named(&mut self, fields: &Map<String, Value>, path: &str, name: &str, more: &[&str]) {
        let names: Vec<&str> = more.iter().copied().chain([name, "style"]).collect();
        self.known(fields, path, &names);
        self.required_string(fields, name, path, usize::MAX);
    }

    fn style(&mut self, fields: &Map<String, Value>, path: &str) {
        let Some(style) = fields.get("style") else { return };
        let known = |(name, value): (&String, &Value)| STYLES.contains(&name.as_str()) && value.is_boolean();
        if !style.as_object().is_some_and(|styles| styles.iter().all(known)) {
            self.error("failed to match all allowed schemas", &format!("{path}/style"));
        }
    }
}

fn kind(element: &Value) -> &str {
    element.get("type").and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{super::tests::errors, *};

    fn block(elements: &Value) -> Value {
        json!({ "type": "rich_text", "elements": elements })
    }

    fn section(elements: &Value) -> Value {
        block(&json!([{ "type": "rich_text_section", "elements": elements }]))
    }

    #[test]
    fn texts_links_and_lists_are_taken() {
        let text = json!([{ "type": "text", "text": "a", "style": { "bold": true } },
            { "type": "link", "url": "https://loom.example/", "text": "b" }]);
        assert_eq!(errors(section(&text)), Vec::<String>::new());
        let item = json!({ "type": "rich_text_section", "elements": text });
        let list =
            json!([{ "type": "rich_text_list", "style": "ordered", "indent": 1, "offset": 2, "elements": [item] }]);
        assert_eq!(errors(block(&list)), Vec::<String>::new());
        let code = json!([{ "type": "rich_text_preformatted", "language": "rust", "elements":
            [{ "type": "text", "text": "let a;" }] }]);
        assert_eq!(errors(block(&code)), Vec::<String>::new());
    }

    #[test]
    fn what_the_documents_do_not_name_is_refused() {
        let wrong = [
            section(&json!([])),
            section(&json!([{ "type": "text", "text": "" }])),
            section(&json!([{ "type": "text", "text": "a", "style": { "blink": true } }])),
            section(&json!([{ "type": "text", "text": "a", "url": "b" }])),
            section(&json!([{ "type": "link", "text": "b" }])),
            section(&json!([{ "type": "mrkdwn", "text": "b" }])),
            block(&json!([{ "type": "rich_text_list", "style": "round", "elements":
                [{ "type": "rich_text_section", "elements": [{ "type": "text", "text": "a" }] }] }])),
            block(&json!([{ "type": "rich_text_list", "style": "bullet", "elements":
                [{ "type": "text", "text": "a" }] }])),
            block(&json!([{ "type": "rich_text_preformatted", "elements": [{ "type": "user", "user_id": "U1" }] }])),
            block(&json!([{ "type": "text", "text": "a" }])),
        ];
        for one in wrong {
            assert_eq!(errors(one.clone()).len(), 1, "{one}: {:?}", errors(one.clone()));
        }
    }
}
