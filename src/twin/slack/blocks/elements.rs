//! Which selects and inputs Slack takes, and in which blocks.

use serde_json::{Map, Value, json};

use super::{Checker, MAX_URL_CHARS};

/// Most options of a select, most groups, and most options of a group.
const MAX_OPTIONS: usize = 100;
/// Most options of an overflow menu.
const MAX_OVERFLOW: usize = 5;
/// Most checkboxes or radio buttons.
const MAX_BOXES: usize = 10;
/// Most characters of an option's text, of its description, and of a group's label.
const MAX_OPTION_CHARS: usize = 75;
/// Most characters of an option's value; known from practice, not from the documents.
const MAX_OPTION_VALUE_CHARS: usize = 150;
/// Most characters of a placeholder.
const MAX_PLACEHOLDER_CHARS: usize = 150;
/// Most characters that can be asked for or given in a text field.
const MAX_INPUT_CHARS: u64 = 3000;

/// What an element takes beside `type`, `action_id` and `focus_on_load`.
const KINDS: &[(&str, &[&str])] = &[
    ("plain_text_input", &["initial_value", "multiline", "min_length", "max_length", DISPATCH, "placeholder"]),
    ("number_input", &["is_decimal_allowed", "initial_value", "min_value", "max_value", DISPATCH, "placeholder"]),
    ("email_text_input", &["initial_value", DISPATCH, "placeholder"]),
    ("url_text_input", &["initial_value", DISPATCH, "placeholder"]),
    ("static_select", &["options", "option_groups", "initial_option", "confirm", "placeholder"]),
    (
        "multi_static_select",
        &["options", "option_groups", "initial_options", "max_selected_items", "confirm", "placeholder"],
    ),
    ("external_select", &["initial_option", "min_query_length", "confirm", "placeholder"]),
    ("multi_external_select", &["initial_options", "min_query_length", "max_selected_items", "confirm", "placeholder"]),
    ("users_select", &["initial_user", "confirm", "placeholder"]),
    ("multi_users_select", &["initial_users", "max_selected_items", "confirm", "placeholder"]),
    (
        "conversations_select",
        &["initial_conversation", CURRENT, "response_url_enabled", "filter", "confirm", "placeholder"],
    ),
    (
        "multi_conversations_select",
        &["initial_conversations", CURRENT, "filter", "max_selected_items", "confirm", "placeholder"],
    ),
    ("channels_select", &["initial_channel", "response_url_enabled", "confirm", "placeholder"]),
    ("multi_channels_select", &["initial_channels", "max_selected_items", "confirm", "placeholder"]),
    ("overflow", &["options", "confirm"]),
    ("checkboxes", &["options", "initial_options", "confirm"]),
    ("radio_buttons", &["options", "initial_option", "confirm"]),
    ("datepicker", &["initial_date", "confirm", "placeholder"]),
    ("timepicker", &["initial_time", "timezone", "confirm", "placeholder"]),
    ("datetimepicker", &["initial_date_time", "confirm"]),
];
const DISPATCH: &str = "dispatch_action_config";
const CURRENT: &str = "default_to_current_conversation";

/// In what sort of block an element stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// Beside the text of a section.
    Section,
    /// In a row of actions.
    Actions,
    /// Under the label of an input.
    Input,
}

impl Place {
    fn takes(self, kind: &str) -> bool {
        let written = kind.ends_with("_input");
        match self {
            Self::Section => !written && kind != "datetimepicker",
            Self::Actions => !written && !kind.starts_with("multi_") && kind != "image",
            Self::Input => !matches!(kind, "button" | "overflow" | "image"),
        }
    }
}

impl Checker {
    /// Refuses an element that cannot stand in this sort of block.
    pub(super) fn fits(&mut self, element: Option<&Value>, path: &str, place: Place) {
        let kind = element.and_then(|element| element.get("type")).and_then(Value::as_str).unwrap_or_default();
        if !place.takes(kind) {
            self.error(&format!("unsupported type in this block: {kind}"), &format!("{path}/type"));
        }
    }

    /// A select or an input.
    pub(super) fn chooser(&mut self, kind: &str, fields: &Map<String, Value>, path: &str) {
        let Some((_, names)) = KINDS.iter().find(|(known, _)| *known == kind) else {
            return self.error(&format!("unsupported type: {kind}"), &format!("{path}/type"));
        };
        let common = ["action_id", "focus_on_load"];
        self.known(fields, path, &[*names, common.as_slice()].concat());
        self.optional_text(fields, "placeholder", path, MAX_PLACEHOLDER_CHARS);
        self.plain(fields.get("placeholder"), &format!("{path}/placeholder"));
        if let Some(confirm) = fields.get("confirm") {
            self.confirm(confirm, &format!("{path}/confirm"));
        }
        if names.contains(&"options") {
            self.options(kind, fields, path);
        }
        self.written(kind, fields, path);
    }

    fn options(&mut self, kind: &str, fields: &Map<String, Value>, path: &str) {
        let most = match kind {
            "overflow" => MAX_OVERFLOW,
            "checkboxes" | "radio_buttons" => MAX_BOXES,
            _ => MAX_OPTIONS,
        };
        let values = match fields.get("option_groups") {
            Some(groups) => self.groups(kind, groups, path),
            None => self.option_list(kind, fields, path, most),
        };
        let one = fields.get("initial_option").into_iter();
        let initial = one.chain(fields.get("initial_options").and_then(Value::as_array).into_iter().flatten());
        for option in initial {
            if !values.contains(option) {
                self.error("initial option is not one of the options", path);
            }
        }
    }

    fn groups(&mut self, kind: &str, groups: &Value, path: &str) -> Vec<Value> {
        let mut values = Vec::new();
        for (at, group) in self.items(groups, &format!("{path}/option_groups"), MAX_OPTIONS).iter().enumerate() {
            let place = format!("{path}/option_groups/{at}");
            let empty = Map::new();
            let group = group.as_object().unwrap_or(&empty);
            self.required_text(group, "label", &place, MAX_OPTION_CHARS);
            self.plain(group.get("label"), &format!("{place}/label"));
            values.extend(self.option_list(kind, group, &place, MAX_OPTIONS));
        }
        values
    }

    fn option_list(&mut self, kind: &str, fields: &Map<String, Value>, path: &str, most: usize) -> Vec<Value> {
        let given = fields.get("options").unwrap_or(&Value::Null);
        let options = self.items(given, &format!("{path}/options"), most);
        for (at, option) in options.iter().enumerate() {
            self.option(kind, option, &format!("{path}/options/{at}"));
        }
        options.to_vec()
    }

    fn option(&mut self, kind: &str, option: &Value, path: &str) {
        let Some(fields) = option.as_object() else { return self.error("must be an object", path) };
        self.known(fields, path, &["text", "value", "description", "url"]);
        self.required_text(fields, "text", path, MAX_OPTION_CHARS);
        self.optional_text(fields, "description", path, MAX_OPTION_CHARS);
        self.required_string(fields, "value", path, MAX_OPTION_VALUE_CHARS);
        self.optional_string(fields, "url", path, MAX_URL_CHARS);
        if !matches!(kind, "checkboxes" | "radio_buttons") {
            self.plain(fields.get("text"), &format!("{path}/text"));
        }
        if fields.contains_key("url") && kind != "overflow" {
            self.error("invalid additional property: url", path);
        }
    }

    fn written(&mut self, kind: &str, fields: &Map<String, Value>, path: &str) {
        if kind == "number_input" && !fields.get("is_decimal_allowed").is_some_and(Value::is_boolean) {
            self.error("missing required field: is_decimal_allowed", path);
        }
        for name in ["min_length", "max_length", "max_selected_items", "min_query_length"] {
            let Some(given) = fields.get(name) else { continue };
            let least = u64::from(name.starts_with("max"));
            if !given.as_u64().is_some_and(|number| (least..=MAX_INPUT_CHARS).contains(&number)) {
                self.error(&format!("must be {least} to {MAX_INPUT_CHARS}"), &format!("{path}/{name}"));
            }
        }
        for name in ["initial_value", "min_value", "max_value"] {
            if fields.get(name).is_some_and(|value| !value.is_string()) {
                self.error("must be a string", &format!("{path}/{name}"));
            }
        }
        for name in ["multiline", "focus_on_load", CURRENT, "response_url_enabled"] {
            if fields.get(name).is_some_and(|value| *value != json!(true) && *value != json!(false)) {
                self.error("must be a boolean", &format!("{path}/{name}"));
            }
        }
    }
}
