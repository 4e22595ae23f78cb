//! What can be pressed or chosen from, and the inputs of a modal.
//!
//! In messages and Home tabs each is a small form of its own; a modal is one form with all of them. Dialogs that ask
//! whether somebody is sure, and menus, are the browser's own popovers, so that they need no script.

use std::fmt::Write as _;

use serde_json::Value;

use super::{
    Directory, Place, Spot,
    blocks::{image, object, text},
    controls::{control, field_id, full_name, placeholder},
    emoji, escaped, plain,
};
use crate::twin::slack::inputs::Found;

/// A block with a label and something to fill in.
pub(super) fn input(out: &mut String, dir: &Directory, place: Place<'_>, block: &Value) {
    let label = object(dir, block.get("label"));
    let (Spot::Modal(filled), Some(value)) = (place.spot, block.get("element")) else {
        let _ok = write!(out, r#"<p class="bk-note">{label}: only in dialogs</p>"#);
        return;
    };
    let found = Found { block, element: value };
    let error = filled.errors.get(found.block_id());
    let optional = block.get("optional") == Some(&Value::Bool(true));
    let class = if error.is_some() { "field field-wrong" } else { "field" };
    let more = if optional { " <small>(optional)</small>" } else { "" };
    let id = field_id(place, found);
    let _ok = write!(out, r#"<div class="{class}"><label for="{id}">{label}{more}</label>"#);
    if text(value, "type").ends_with("external_select") {
        search(out, place, found);
    }
    control(out, dir, place, found, !optional);
    if let Some(error) = error {
        let _ok = write!(out, r#"<p class="field-error" role="alert">{}</p>"#, escaped(error));
    }
    if block.get("hint").is_some() {
        let _ok = write!(out, r#"<p class="field-hint">{}</p>"#, object(dir, block.get("hint")));
    }
    out.push_str("</div>");
}

/// An element beside a section or in a row of actions.
pub(super) fn element(out: &mut String, dir: &Directory, place: Place<'_>, block: &Value, value: &Value) {
    let found = Found { block, element: value };
    match text(value, "type") {
        "button" | "workflow_button" => button(out, dir, place, found),
        "image" => image(out, value),
        "feedback_buttons" => {
            for key in ["positive_button", "negative_button"] {
                let Some(one) = value.get(key) else { continue };
                let name = if key == "positive_button" { "thumbsup" } else { "thumbsdown" };
                let shown = format!("{} {}", emoji(name).unwrap_or_default(), object(dir, one.get("text")));
                press(out, place, found, text(one, "value"), ("btn btn-small btn-quiet", &shown));
            }
        }
        "icon_button" => {
            let shown = object(dir, value.get("text"));
            sure(out, dir, place, found, ("btn btn-small btn-quiet", &shown));
        }
        "overflow" => overflow(out, dir, place, found),
        _ if found.initial(None).is_some() => chooser(out, dir, place, found),
        other => {
            let _ok = write!(out, r#"<span class="bk-note">{} is not drawn here</span>"#, escaped(other));
        }
    }
}

fn button(out: &mut String, dir: &Directory, place: Place<'_>, found: Found<'_>) {
    let class = match found.text("style") {
        "primary" => "btn btn-primary",
        "danger" => "btn btn-danger",
        _ => "btn",
    };
    let shown = object(dir, found.element.get("text"));
    let address = found.text("url");
    let href = if address.is_empty() { None } else { dir.href(address) };
    let Some(href) = href else { return sure(out, dir, place, found, (class, &shown)) };
    // A button with an address opens it and reports the press besides; the script does the second.
    let target = if href.starts_with('/') { "" } else { r#" target="_blank" rel="noopener noreferrer""# };
    let (spot, channel, ts) = match place.spot {
        Spot::Message { channel, ts } => ("message", channel, ts),
        Spot::Home(_) => ("home", "", ""),
        Spot::Modal(_) | Spot::Nowhere => {
            let _ok = write!(out, r#"<a class="{class}" href="{}"{target}>{shown}</a>"#, escaped(&href));
            return;
        }
    };
    let _ok = write!(
        out,
        r#"<a class="{class}" href="{}"{target} data-press data-spot="{spot}" data-channel="{}" data-ts="{}" data-action="{}" data-block="{}">{shown}</a>"#,
        escaped(&href),
        escaped(channel),
        escaped(ts),
        escaped(found.text("action_id")),
        escaped(found.block_id()),
    );
}

/// A button that asks first, if it is to.
fn sure(out: &mut String, dir: &Directory, place: Place<'_>, found: Found<'_>, (class, shown): (&str, &str)) {
    let Some(confirm) = found.element.get("confirm").filter(|_| !matches!(place.spot, Spot::Nowhere)) else {
        return press(out, place, found, found.text("value"), (class, shown));
    };
    let id = format!("{}-sure", field_id(place, found));
    let _ok = write!(out, r#"<button type="button" class="{class}" popovertarget="{id}">{shown}</button>"#);
    let said = |name: &str, otherwise: &str| {
        confirm.get(name).map_or_else(|| plain(otherwise), |text| object(dir, Some(text)))
    };
    let _ok = write!(
        out,
        r#"<div class="sure" popover id="{id}" role="alertdialog"><h3>{}</h3><p>{}</p><div class="sure-foot"><button type="button" class="btn" popovertarget="{id}" popovertargetaction="hide">{}</button>"#,
        said("title", "Are you sure?"),
        said("text", ""),
        said("deny", "Cancel"),
    );
    let class = if text(confirm, "style") == "danger" { "btn btn-danger" } else { "btn btn-primary" };
    press(out, place, found, found.text("value"), (class, &said("confirm", "Yes")));
    out.push_str("</div></div>");
}

/// What sends a press.
fn press(out: &mut String, place: Place<'_>, found: Found<'_>, chosen: &str, (class, shown): (&str, &str)) {
    let inner = match place.spot {
        Spot::Modal(_) => {
            let _ok = write!(
                out,
                r#"<button class="{class}" name="press" value="{}" formnovalidate>{shown}</button>"#,
                escaped(&full_name(found)),
            );
            return;
        }
        Spot::Nowhere => {
            let _ok = write!(
                out,
                r#"<fieldset class="bk-form" disabled><button class="{class}">{shown}</button></fieldset>"#
            );
            return;
        }
        Spot::Message { .. } | Spot::Home(_) => format!(r#"<button class="{class}">{shown}</button>"#),
    };
    form(out, place, found);
    hidden(out, "chosen", chosen);
    out.push_str(&inner);
    out.push_str("</form>");
}

fn overflow(out: &mut String, dir: &Directory, place: Place<'_>, found: Found<'_>) {
    let id = format!("{}-more", field_id(place, found));
    let _ok = write!(
        out,
        r#"<button type="button" class="btn btn-small" popovertarget="{id}" aria-label="More">⋯</button><div class="menu" popover id="{id}">"#
    );
    for option in found.options() {
        press(out, place, found, text(option, "value"), ("menu-item", &object(dir, option.get("text"))));
    }
    out.push_str("</div>");
}

/// A select or the like outside of inputs: choosing is told at once, by the script or by the button beside it.
fn chooser(out: &mut String, dir: &Directory, place: Place<'_>, found: Found<'_>) {
    match place.spot {
        Spot::Nowhere => {
            out.push_str(r#"<fieldset class="bk-form" disabled>"#);
            control(out, dir, place, found, false);
            out.push_str("</fieldset>");
        }
        Spot::Modal(_) => {
            out.push_str(r#"<span class="chooser" data-auto>"#);
            control(out, dir, place, found, false);
            press(out, place, found, "", ("btn btn-small choose", "Choose"));
            out.push_str("</span>");
        }
        Spot::Message { .. } | Spot::Home(_) => {
            form(out, place, found);
            out.push_str(r#"<span class="chooser" data-auto>"#);
            control(out, dir, place, found, false);
            out.push_str(r#"<button class="btn btn-small choose">Choose</button></span></form>"#);
        }
    }
}

/// Asks the app for options.
fn search(out: &mut String, place: Place<'_>, found: Found<'_>) {
    let name = escaped(&full_name(found));
    let _ok = write!(
        out,
        r#"<span class="search"><input id="{}-q" name="q:{name}" aria-label="Search" placeholder="{}"><button class="btn btn-small" name="press" value="suggest:{name}" formnovalidate>Search</button></span>"#,
        field_id(place, found),
        escaped(placeholder(found)),
    );
}

fn form(out: &mut String, place: Place<'_>, found: Found<'_>) {
    out.push_str(r#"<form class="bk-form" method="post" action="/playground/press">"#);
    out.push_str(place.keep);
    match place.spot {
        Spot::Message { channel, ts } => {
            hidden(out, "in", channel);
            hidden(out, "ts", ts);
        }
        Spot::Home(_) => hidden(out, "spot", "home"),
        Spot::Modal(_) | Spot::Nowhere => {}
    }
    hidden(out, "action", found.text("action_id"));
    hidden(out, "block", found.block_id());
}

fn hidden(out: &mut String, name: &str, value: &str) {
    let _ok = write!(out, r#"<input type="hidden" name="{name}" value="{}">"#, escaped(value));
}
