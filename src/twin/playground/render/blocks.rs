//! Block Kit as HTML. Buttons are small forms that post to the page, so that they work without a script; a block that
//! we do not know becomes a grey note with its type, because silently dropping it would make a message look whole.

use std::{collections::BTreeMap, fmt::Write as _};

use serde_json::Value;

use super::{
    Directory,
    elements::{element, input},
    escaped, markdown, mrkdwn, plain,
    rich_text::rich_text,
    table::table,
};

/// Where the blocks stand, which a press must say.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// In what.
    pub spot: Spot<'a>,
    /// Hidden form fields that keep the page's selection, as finished HTML.
    pub keep: &'a str,
    /// Makes the ids of dialogs unique on the page.
    pub prefix: &'a str,
}

/// In what the blocks stand.
#[derive(Debug, Clone, Copy)]
pub enum Spot<'a> {
    /// In a message.
    Message {
        /// Its channel.
        channel: &'a str,
        /// Its timestamp.
        ts: &'a str,
    },
    /// In a Home tab, filled in so far.
    Home(Filled<'a>),
    /// In a modal, which is one form: nothing in it may be a form of its own.
    Modal(Filled<'a>),
    /// Where nothing can be pressed.
    Nowhere,
}

/// What is known of a view's inputs.
#[derive(Debug, Clone, Copy)]
pub struct Filled<'a> {
    /// Values by block and action, as in `state.values`.
    pub values: &'a Value,
    /// What is wrong, by block.
    pub errors: &'a BTreeMap<String, String>,
    /// Options that were looked up, by action.
    pub offered: &'a BTreeMap<String, Vec<Value>>,
}

/// Blocks of a message as HTML.
pub fn blocks(dir: &Directory, place: Place<'_>, list: &[Value]) -> String {
    let mut out = String::new();
    for block in list {
        one(&mut out, dir, place, block);
    }
    out
}

pub(super) fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

pub(super) fn items<'v>(value: &'v Value, key: &str) -> &'v [Value] {
    value.get(key).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default()
}

fn one(out: &mut String, dir: &Directory, place: Place<'_>, block: &Value) {
    match text(block, "type") {
        "section" => section(out, dir, place, block),
        "header" => {
            let _ok = write!(out, r#"<p class="bk-header">{}</p>"#, object(dir, block.get("text")));
        }
        "context" => context(out, dir, block),
        "divider" => out.push_str("<hr>"),
        "actions" | "context_actions" => {
            out.push_str(r#"<div class="bk-actions">"#);
            for value in items(block, "elements") {
                element(out, dir, place, block, value);
            }
            out.push_str("</div>");
        }
        "image" => image(out, block),
        "rich_text" => {
            out.push_str(r#"<div class="bk-rich">"#);
            rich_text(out, dir, block);
            out.push_str("</div>");
        }
        "markdown" => {
            let _ok = write!(out, r#"<div class="bk-md">{}</div>"#, markdown(dir, text(block, "text")));
        }
        "input" => input(out, dir, place, block),
        "table" => table(out, dir, block),
        other => {
            let _ok = write!(out, r#"<p class="bk-note">A block this page cannot draw: {}</p>"#, escaped(other));
        }
    }
}

/// A text object of either kind.
pub(super) fn object(dir: &Directory, value: Option<&Value>) -> String {
    let Some(value) = value else { return String::new() };
    if text(value, "type") == "mrkdwn" { mrkdwn(dir, text(value, "text")) } else { plain(text(value, "text")) }
}

fn section(out: &mut String, dir: &Directory, place: Place<'_>, block: &Value) {
    out.push_str(r#"<div class="bk-section"><div class="bk-body">"#);
    if block.get("text").is_some() {
        let _ok = write!(out, r#"<div class="bk-text">{}</div>"#, object(dir, block.get("text")));
    }
    let fields = items(block, "fields");
    if !fields.is_empty() {
        out.push_str(r#"<div class="bk-fields">"#);
        for field in fields {
            let _ok = write!(out, r#"<div class="bk-field">{}</div>"#, object(dir, Some(field)));
        }
        out.push_str("</div>");
    }
    out.push_str("</div>");
    if let Some(accessory) = block.get("accessory") {
        out.push_str(r#"<div class="bk-accessory">"#);
        element(out, dir, place, block, accessory);
        out.push_str("</div>");
    }
    out.push_str("</div>");
}

fn context(out: &mut String, dir: &Directory, block: &Value) {
    out.push_str(r#"<div class="bk-context">"#);
    for element in items(block, "elements") {
        if text(element, "type") == "image" {
            image(out, element);
        } else {
            let _ok = write!(out, "<span>{}</span>", object(dir, Some(element)));
        }
    }
    out.push_str("</div>");
}

/// Pictures come from elsewhere and the page loads nothing from elsewhere, so their description stands in.
pub(super) fn image(out: &mut String, value: &Value) {
    let _ok = write!(out, r#"<span class="bk-image">🖼 {}</span>"#, escaped(text(value, "alt_text")));
}
