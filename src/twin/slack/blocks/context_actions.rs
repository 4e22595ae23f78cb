//! The `context_actions` block: what an agent offers under its message.
//! <https://docs.slack.dev/reference/block-kit/blocks/context-actions-block>

use serde_json::{Map, Value, json};

use super::{Checker, MAX_BUTTON_CHARS, MAX_VALUE_CHARS};

/// Most elements.
const MAX_ELEMENTS: usize = 5;

impl Checker {
    pub(super) fn context_actions(&mut self, fields: &Map<String, Value>, path: &str) {
        self.known(fields, path, &["elements"]);
        let given = fields.get("elements").unwrap_or(&Value::Null);
        for (at, element) in self.items(given, &format!("{path}/elements"), MAX_ELEMENTS).iter().enumerate() {
            self.context_action(element, &format!("{path}/elements/{at}"));
        }
    }

    fn context_action(&mut self, element: &Value, path: &str) {
        let Some(fields) = element.as_object() else { return self.error("must be an object", path) };
        match fields.get("type").and_then(Value::as_str).unwrap_or_default() {
            "feedback_buttons" => {
                self.known(fields, path, &["action_id", "positive_button", "negative_button"]);
                for name in ["positive_button", "negative_button"] {
                    self.feedback(fields.get(name), &format!("{path}/{name}"));
                }
            }
            "icon_button" => {
                let names =
                    ["action_id", "icon", "text", "value", "accessibility_label", "confirm", "visible_to_user_ids"];
                self.known(fields, path, &names);
                self.required_text(fields, "text", path, MAX_BUTTON_CHARS);
                if fields.get("icon") != Some(&json!("trash")) {
                    self.error("must be one of trash", &format!("{path}/icon"));
                }
            }
            other => self.error(&format!("unsupported type: {other}"), &format!("{path}/type")),
        }
    }
    fn feedback(&mut self, button: Option<&Value>, path: &str) {
        let Some(fields) = button.and_then(Value::as_object) else { return self.error("must be an object", path) };
        self.known(fields, path, &["text", "value", "accessibility_label"]);
        self.required_text(fields, "text", path, MAX_BUTTON_CHARS);
        self.required_string(fields, "value", path, MAX_VALUE_CHARS);
    }
}
