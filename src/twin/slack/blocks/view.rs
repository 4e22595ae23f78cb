//! Which modals and Home tabs Slack takes. <https://docs.slack.dev/reference/views>

use serde_json::Value;

use super::{Checker, MAX_ID_CHARS, Surface, check};

/// Most characters of a modal's title and buttons.
const MAX_TITLE_CHARS: usize = 24;
/// Most characters of a view's private metadata.
const MAX_PRIVATE_METADATA_CHARS: usize = 3000;
/// What a modal and a Home tab have in common.
const BOTH: &[&str] = &["blocks", "private_metadata", "callback_id", "external_id"];
/// What only a modal has.
const MODAL: &[&str] = &["title", "submit", "close", "clear_on_close", "notify_on_close", "submit_disabled"];

/// What is wrong with a modal or Home tab, each with a pointer to the place; empty when it is good.
pub(in crate::twin::slack) fn check_view(view: &Value) -> Vec<String> {
    let Some(fields) = view.as_object() else { return vec!["must be an object [json-pointer:/view]".to_owned()] };
    let mut checker = Checker::default();
    let kind = fields.get("type").and_then(Value::as_str).unwrap_or_default();
    let blocks = fields.get("blocks").and_then(Value::as_array);
    match kind {
        "modal" => {
            checker.known(fields, "/view", &[BOTH, MODAL].concat());
            checker.required_text(fields, "title", "/view", MAX_TITLE_CHARS);
            let asks = |block: &Value| block.get("type").and_then(Value::as_str) == Some("input");
            if blocks.is_some_and(|blocks| blocks.iter().any(asks)) && !fields.contains_key("submit") {
                checker.error("missing required field: submit", "/view");
            }
        }
        "home" => checker.known(fields, "/view", BOTH),
        _ => checker.error("unsupported type", "/view/type"),
    }
    for name in ["title", "submit", "close"] {
        checker.plain(fields.get(name), &format!("/view/{name}"));
    }
    for name in ["submit", "close"] {
        checker.optional_text(fields, name, "/view", MAX_TITLE_CHARS);
    }
    for name in ["clear_on_close", "notify_on_close", "submit_disabled"] {
        if fields.get(name).is_some_and(|value| !value.is_boolean()) {
            checker.error("must be a boolean", &format!("/view/{name}"));
        }
    }
    checker.optional_string(fields, "private_metadata", "/view", MAX_PRIVATE_METADATA_CHARS);
    checker.optional_string(fields, "callback_id", "/view", MAX_ID_CHARS);
    checker.optional_string(fields, "external_id", "/view", MAX_ID_CHARS);
    match blocks {
        Some(blocks) => checker.errors.extend(check(blocks, Surface::View)),
        None => checker.error("missing required field: blocks", "/view"),
    }
    checker.errors
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn input(element: &Value) -> Value {
        let label = json!({ "type": "plain_text", "text": "L" });
        json!({ "type": "input", "block_id": "b", "label": label, "element": element })
    }

    fn modal(blocks: &[Value]) -> Value {
        let text = |text: &str| json!({ "type": "plain_text", "text": text });
        json!({ "type": "modal", "title": text("T"), "submit": text("Go"), "blocks": blocks })
    }

    fn with(name: &str, value: Value) -> Value {
        let mut view = modal(&[]);
        view[name] = value;
        view
    }

    fn option(text: &str, value: &str) -> Value {
        json!({ "text": { "type": "plain_text", "text": text }, "value": value })
    }

    #[test]
    fn a_modal_has_limits_and_a_home_tab_has_no_title() {
        let text = |chars: usize| json!({ "type": "plain_text", "text": "x".repeat(chars) });
        assert_eq!(check_view(&with("title", text(24))), Vec::<String>::new());
        for (name, value) in [
            ("title", text(25)),
            ("title", json!({ "type": "mrkdwn", "text": "x" })),
            ("submit", text(25)),
            ("close", text(25)),
            ("private_metadata", json!("x".repeat(3001))),
            ("callback_id", json!("x".repeat(256))),
            ("notify_on_close", json!("yes")),
            ("colour", json!("red")),
            ("type", json!("page")),
            ("blocks", json!(vec![json!({ "type": "divider" }); 101])),
        ] {
            assert_eq!(check_view(&with(name, value.clone())).len(), 1, "{name} {value}");
        }
        assert!(check_view(&json!({ "type": "home", "blocks": [] })).is_empty());
        assert_eq!(check_view(&json!({ "type": "home", "blocks": [], "title": text(3) })).len(), 1);
    }

    #[test]
    fn inputs_need_a_submit_button_and_stand_in_views_only() {
        let asks = input(&json!({ "type": "plain_text_input", "action_id": "a" }));
        assert_eq!(check_view(&modal(std::slice::from_ref(&asks))), Vec::<String>::new());
        let mut without = modal(std::slice::from_ref(&asks));
        without.as_object_mut().unwrap().remove("submit");
        assert_eq!(check_view(&without), ["missing required field: submit [json-pointer:/view]"]);
        assert_eq!(check(&[asks], Surface::Message).len(), 1);
    }

    #[test]
    fn selects_and_inputs_are_looked_at_closely() {
        let good = option("One", "1");
        for element in [
            json!({ "type": "static_select", "action_id": "a", "options": [good], "initial_option": good }),
            json!({ "type": "multi_static_select", "action_id": "a", "options": [good], "max_selected_items": 2 }),
            json!({ "type": "external_select", "action_id": "a", "min_query_length": 0 }),
            json!({ "type": "checkboxes", "action_id": "a", "options": vec![good.clone(); 10] }),
            json!({ "type": "number_input", "action_id": "a", "is_decimal_allowed": false, "min_value": "1" }),
            json!({ "type": "conversations_select", "action_id": "a", "default_to_current_conversation": true }),
        ] {
            assert_eq!(check_view(&modal(&[input(&element)])), Vec::<String>::new());
        }
        for element in [
            json!({ "type": "static_select", "action_id": "a", "options": [] }),
            json!({ "type": "static_select", "action_id": "a", "options": vec![good.clone(); 101] }),
            json!({ "type": "static_select", "action_id": "a", "options": [option(&"x".repeat(76), "1")] }),
            json!({ "type": "static_select", "action_id": "a", "options": [option("One", &"1".repeat(151))] }),
            json!({ "type": "static_select", "action_id": "a", "options": [good], "initial_option": option("Two", "2") }),
            json!({ "type": "static_select", "action_id": "a", "options": [good], "value": "1" }),
            json!({ "type": "radio_buttons", "action_id": "a", "options": vec![good.clone(); 11] }),
            json!({ "type": "number_input", "action_id": "a" }),
            json!({ "type": "plain_text_input", "action_id": "a", "max_length": 3001 }),
            json!({ "type": "plain_text_input", "action_id": "a", "initial_value": 5 }),
            json!({ "type": "button", "action_id": "a", "text": { "type": "plain_text", "text": "Go" } }),
        ] {
            assert_eq!(check_view(&modal(&[input(&element)])).len(), 1, "{element}");
        }
        let written = json!({ "type": "plain_text_input", "action_id": "a" });
        let actions = json!({ "type": "actions", "elements": [written] });
        assert_eq!(check_view(&modal(&[actions])).len(), 1, "written into inputs only");
    }
}
