//! The `rich_text` block: text that people's clients write, with its structure spelled out.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Directory, broadcast, emoji, escaped, inline, link, mention_channel, mention_user};

/// Deepest nesting that is followed, so that hostile input cannot grow the stack.
const MAX_DEPTH: u8 = 4;

/// Appends a `rich_text` block.
pub(super) fn rich_text(out: &mut String, dir: &Directory, block: &Value) {
    elements(out, dir, block, 0);
}

fn elements(out: &mut String, dir: &Directory, parent: &Value, depth: u8) {
    let list = parent.get("elements").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if depth < MAX_DEPTH {
        for element in list {
            one(out, dir, element, depth);
        }
    }
}

fn one(out: &mut String, dir: &Directory, element: &Value, depth: u8) {
    let text = |key: &str| element.get(key).and_then(Value::as_str).unwrap_or_default();
    match text("type") {
        "rich_text_section" => wrap(out, "div", dir, element, depth),
        "rich_text_quote" => wrap(out, "blockquote", dir, element, depth),
        "rich_text_preformatted" => wrap(out, "pre", dir, element, depth),
        "rich_text_list" => list(out, dir, element, depth),
        "text" => styled(out, element, &escaped(text("text")).replace('\n', "<br>")),
        "link" => {
            let shown = if text("text").is_empty() { text("url") } else { text("text") };
            let mut inner = String::new();
            link(&mut inner, dir, text("url"), &escaped(shown));
            styled(out, element, &inner);
        }
        "user" => mention_user(out, dir, text("user_id"), None),
        "channel" => mention_channel(out, dir, text("channel_id"), None),
        "usergroup" => broadcast(out, text("usergroup_id")),
        "broadcast" => broadcast(out, text("range")),
        "emoji" => {
            let drawn = emoji(text("name")).unwrap_or_else(|| escaped(&format!(":{}:", text("name"))));
            out.push_str(&drawn);
        }
        "date" => {
            let seconds = element.get("timestamp").and_then(Value::as_i64);
            let shown = inline::date(seconds, text("format")).unwrap_or_else(|| text("fallback").to_owned());
            out.push_str(&escaped(&shown));
        }
        other => out.push_str(&escaped(&format!("[{other}]"))),
    }
}

fn wrap(out: &mut String, tag: &str, dir: &Directory, element: &Value, depth: u8) {
    let _open = write!(out, "<{tag}>");
    elements(out, dir, element, depth + 1);
    let _close = write!(out, "</{tag}>");
}

fn list(out: &mut String, dir: &Directory, element: &Value, depth: u8) {
    let ordered = element.get("style").and_then(Value::as_str) == Some("ordered");
    let indent = element.get("indent").and_then(Value::as_u64).unwrap_or(0).min(3);
    let tag = if ordered { "ol" } else { "ul" };
    let _open = write!(out, "<{tag}>");
    let items = element.get("elements").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    for item in items {
        let _item = write!(out, r#"<li class="indent-{indent}">"#);
        elements(out, dir, item, depth + 1);
        out.push_str("</li>");
    }
    let _close = write!(out, "</{tag}>");
}

fn styled(out: &mut String, element: &Value, inner: &str) {
    let has = |name: &str| element.get("style").and_then(|s| s.get(name)).and_then(Value::as_bool) == Some(true);
    let wanted: Vec<&str> = [("bold", "strong"), ("italic", "em"), ("strike", "del"), ("code", "code")]
        .into_iter()
        .filter_map(|(style, tag)| has(style).then_some(tag))
        .collect();
    for tag in &wanted {
        let _open = write!(out, "<{tag}>");
    }
    out.push_str(inner);
    for tag in wanted.iter().rev() {
        let _close = write!(out, "</{tag}>");
    }
}
