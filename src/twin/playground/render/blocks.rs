//! Block Kit as HTML. Buttons are small forms that post to the page, so that they work without a script; a block that
//! we do not know becomes a grey note with its type, because silently dropping it would make a message look whole.

use std::fmt::Write as _;

use serde_json::Value;

use super::{Directory, escaped, markdown, mrkdwn, plain, rich_text::rich_text};

/// Where the blocks stand, which a press must say.
#[derive(Debug, Clone, Copy)]
pub struct Place<'a> {
    /// Channel of the message.
    pub channel: &'a str,
    /// Timestamp of the message.
    pub ts: &'a str,
    /// Hidden form fields that keep the page's selection, as finished HTML.
    pub keep: &'a str,
    /// Whether buttons are switched off, as for somebody who cannot see the message.
    pub inert: bool,
}

/// Blocks of a message as HTML.
pub fn blocks(dir: &Directory, place: Place<'_>, list: &[Value]) -> String {
    let mut out = String::new();
    for block in list {
        one(&mut out, dir, place, block);
    }
    out
}

fn text<'v>(value: &'v Value, key: &str) -> &'v str {
    value.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn items<'v>(value: &'v Value, key: &str) -> &'v [Value] {
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
        "input" => {
            let label = object(dir, block.get("label"));
            let _ok = write!(out, r#"<p class="bk-note">{label}: only in dialogs</p>"#);
        }
        other => {
            let _ok = write!(out, r#"<p class="bk-note">A block this page cannot draw: {}</p>"#, escaped(other));
        }
    }
}

/// A text object of either kind.
fn object(dir: &Directory, value: Option<&Value>) -> String {
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
fn image(out: &mut String, value: &Value) {
    let _ok = write!(out, r#"<span class="bk-image">🖼 {}</span>"#, escaped(text(value, "alt_text")));
}

fn element(out: &mut String, dir: &Directory, place: Place<'_>, block: &Value, value: &Value) {
    match text(value, "type") {
        "button" | "workflow_button" => button(out, dir, place, block, value),
        "image" => image(out, value),
        "feedback_buttons" => {
            for key in ["positive_button", "negative_button"] {
                let shown = value.get(key).map(|b| object(dir, b.get("text"))).unwrap_or_default();
                let _ok = write!(out, r#"<span class="btn btn-quiet" aria-disabled="true">{shown}</span>"#);
            }
        }
        other => {
            let _ok = write!(out, r#"<span class="bk-note">{} is not drawn here</span>"#, escaped(other));
        }
    }
}

fn button(out: &mut String, dir: &Directory, place: Place<'_>, block: &Value, value: &Value) {
    let class = match text(value, "style") {
        "primary" => "btn btn-primary",
        "danger" => "btn btn-danger",
        _ => "btn",
    };
    let shown = object(dir, value.get("text"));
    let address = text(value, "url");
    let href = if address.is_empty() { None } else { dir.href(address) };
    let Some(href) = href else {
        press_form(out, place, block, value, &format!(r#"<button class="{class}">{shown}</button>"#));
        return;
    };
    // A button with an address opens it and reports the press besides; the script does the second.
    let target = if href.starts_with('/') { "" } else { r#" target="_blank" rel="noopener noreferrer""# };
    if place.inert {
        let _ok = write!(out, r#"<a class="{class}" href="{}"{target}>{shown}</a>"#, escaped(&href));
        return;
    }
    let (href, action, block_id) =
        (escaped(&href), escaped(text(value, "action_id")), escaped(text(block, "block_id")));
    let _ok = write!(
        out,
        r#"<a class="{class}" href="{href}"{target} data-press data-channel="{}" data-ts="{}" data-action="{action}" data-block="{block_id}" data-value="{}">{shown}</a>"#,
        escaped(place.channel),
        escaped(place.ts),
        escaped(text(value, "value")),
    );
}

fn press_form(out: &mut String, place: Place<'_>, block: &Value, value: &Value, inner: &str) {
    if place.inert {
        let _ok = write!(out, r#"<fieldset class="bk-form" disabled>{inner}</fieldset>"#);
        return;
    }
    out.push_str(r#"<form class="bk-form" method="post" action="/playground/press">"#);
    out.push_str(place.keep);
    let fields = [
        ("in", place.channel),
        ("ts", place.ts),
        ("action", text(value, "action_id")),
        ("block", text(block, "block_id")),
        ("value", text(value, "value")),
    ];
    for (name, shown) in fields {
        let _ok = write!(out, r#"<input type="hidden" name="{name}" value="{}">"#, escaped(shown));
    }
    out.push_str(inner);
    out.push_str("</form>");
}
