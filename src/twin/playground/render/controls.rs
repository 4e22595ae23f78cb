//! Form controls for what can be chosen or written, holding what is filled in.

use std::fmt::Write as _;

use serde_json::Value;

use super::{
    Directory, Place, Spot,
    blocks::{items, object, text},
    escaped,
};
use crate::twin::slack::inputs::Found;

/// Rows of a box for several lines.
const LINES: usize = 4;
/// Most options that a list of several shows at once.
const SHOWN_OPTIONS: usize = 6;

/// The control itself, under the name that its place reads.
pub(super) fn control(out: &mut String, dir: &Directory, place: Place<'_>, found: Found<'_>, required: bool) {
    let name = match place.spot {
        Spot::Modal(_) => format!("f:{}", full_name(found)),
        Spot::Message { .. } | Spot::Home(_) | Spot::Nowhere => "chosen".to_owned(),
    };
    let held = held(place, found);
    let attributes = format!(
        r#"id="{}" name="{}"{}{}"#,
        field_id(place, found),
        escaped(&name),
        if required { " required" } else { "" },
        described(found),
    );
    match found.text("type") {
        "checkboxes" | "radio_buttons" => boxes(out, dir, place, found, (&name, &held)),
        kind if kind.ends_with("select") => select(out, dir, place, found, (&attributes, &held)),
        kind => written(out, found, (kind, &attributes), held.first().map(String::as_str).unwrap_or_default()),
    }
}

fn written(out: &mut String, found: Found<'_>, (kind, attributes): (&str, &str), held: &str) {
    let held = escaped(held);
    if found.element.get("multiline") == Some(&Value::Bool(true)) {
        let _ok = write!(out, r#"<textarea rows="{LINES}" {attributes}>{held}</textarea>"#);
        return;
    }
    let kind = match kind {
        "number_input" => "number",
        "email_text_input" => "email",
        "url_text_input" => "url",
        "datepicker" => "date",
        "timepicker" => "time",
        _ => "text",
    };
    let mut bounds = String::new();
    for (ours, theirs) in [("min_value", "min"), ("max_value", "max")] {
        if !found.text(ours).is_empty() {
            let _ok = write!(bounds, r#" {theirs}="{}""#, escaped(found.text(ours)));
        }
    }
    if kind == "number" && found.element.get("is_decimal_allowed") == Some(&Value::Bool(true)) {
        bounds.push_str(r#" step="any""#);
    }
    let _ok = write!(out, r#"<input type="{kind}" value="{held}" autocomplete="off" {attributes}{bounds}>"#);
}

fn select(
    out: &mut String,
    dir: &Directory,
    place: Place<'_>,
    found: Found<'_>,
    (attributes, held): (&str, &[String]),
) {
    let many = found.text("type").starts_with("multi_");
    let named = |(id, name): (&String, &String)| (id.clone(), name.clone());
    let people = || dir.users.iter().map(named).collect::<Vec<_>>();
    let channels = || {
        let of = |(id, name): (&String, &String)| {
            (id.clone(), if name.is_empty() { "Direct message".to_owned() } else { format!("#{name}") })
        };
        let seen = |(id, name): &(&String, &String)| !name.is_empty() || held.contains(id);
        dir.channels.iter().filter(seen).map(of).collect::<Vec<_>>()
    };
    let option = |option: &Value| {
        let shown = option.get("text").map(|shown| text(shown, "text")).unwrap_or_default();
        (text(option, "value").to_owned(), shown.to_owned())
    };
    let choices: Vec<(String, String)> = match found.text("type").trim_start_matches("multi_") {
        "users_select" => people(),
        "conversations_select" | "channels_select" => channels(),
        "external_select" => offered(place, found).iter().map(option).collect(),
        _ => found.options().into_iter().map(option).collect(),
    };
    if many {
        let rows = choices.len().clamp(2, SHOWN_OPTIONS);
        let _ok = write!(out, r#"<select multiple size="{rows}" {attributes}>"#);
    } else {
        let searched = found.text("type") == "external_select" || placeholder(found).is_empty();
        let none = if searched { "Choose…" } else { placeholder(found) };
        let _ok = write!(out, r#"<select {attributes}><option value="">{}</option>"#, escaped(none));
    }
    for (value, shown) in choices {
        let selected = if held.contains(&value) { " selected" } else { "" };
        let _ok = write!(out, r#"<option value="{}"{selected}>{}</option>"#, escaped(&value), escaped(&shown));
    }
    out.push_str("</select>");
}

fn boxes(out: &mut String, dir: &Directory, place: Place<'_>, found: Found<'_>, (name, held): (&str, &[String])) {
    let kind = if found.text("type") == "checkboxes" { "checkbox" } else { "radio" };
    let _ok = write!(out, r#"<span class="boxes" id="{}">"#, field_id(place, found));
    for option in found.options() {
        let value = text(option, "value");
        let checked = if held.iter().any(|one| one == value) { " checked" } else { "" };
        let _ok = write!(
            out,
            r#"<label class="box"><input type="{kind}" name="{}" value="{}"{checked}> <span>{}"#,
            escaped(name),
            escaped(value),
            object(dir, option.get("text")),
        );
        if option.get("description").is_some() {
            let _ok = write!(out, "<small>{}</small>", object(dir, option.get("description")));
        }
        out.push_str("</span></label>");
    }
    out.push_str("</span>");
}

/// The options that were looked up, and those that are chosen.
fn offered(place: Place<'_>, found: Found<'_>) -> Vec<Value> {
    let Spot::Modal(filled) = place.spot else { return Vec::new() };
    let mut all = filled.offered.get(found.text("action_id")).cloned().unwrap_or_default();
    for option in chosen_options(&state(place, found)) {
        if !all.contains(&option) {
            all.push(option);
        }
    }
    all
}

/// What the element's state says, or what it holds at first.
fn state(place: Place<'_>, found: Found<'_>) -> Value {
    let (block, action) = found.key();
    let held = match place.spot {
        Spot::Modal(filled) | Spot::Home(filled) => filled.values.get(&block).and_then(|block| block.get(&action)),
        Spot::Message { .. } | Spot::Nowhere => None,
    };
    held.cloned().or_else(|| found.initial(None)).unwrap_or_default()
}

fn chosen_options(state: &Value) -> Vec<Value> {
    let one = state.get("selected_option").filter(|option| option.is_object()).cloned();
    one.into_iter().chain(items(state, "selected_options").iter().cloned()).collect()
}

/// The values that are filled in.
fn held(place: Place<'_>, found: Found<'_>) -> Vec<String> {
    let state = state(place, found);
    let options = chosen_options(&state);
    if !options.is_empty() {
        return options.iter().map(|option| text(option, "value").to_owned()).collect();
    }
    let fields = state.as_object().into_iter().flatten().filter(|(name, _)| *name != "type");
    let values = fields.flat_map(|(_, value)| value.as_array().cloned().unwrap_or_else(|| vec![value.clone()]));
    values.filter_map(|value| value.as_str().map(str::to_owned)).collect()
}

pub(super) fn placeholder(found: Found<'_>) -> &str {
    found.element.get("placeholder").map(|shown| text(shown, "text")).unwrap_or_default()
}

fn described(found: Found<'_>) -> String {
    let mut out = String::new();
    if !placeholder(found).is_empty() {
        let shown = escaped(placeholder(found));
        let _ok = write!(out, r#" placeholder="{shown}" aria-label="{shown}""#);
    }
    for (ours, theirs) in [("max_length", "maxlength"), ("min_length", "minlength")] {
        if let Some(bound) = found.element.get(ours).and_then(Value::as_u64) {
            let _ok = write!(out, r#" {theirs}="{bound}""#);
        }
    }
    out
}

pub(super) fn full_name(found: Found<'_>) -> String {
    format!("{}/{}", found.block_id(), found.text("action_id"))
}

/// An id for the element's control, with nothing in it that a selector would trip over.
pub(super) fn field_id(place: Place<'_>, found: Found<'_>) -> String {
    let whole = format!("{}-{}-{}", place.prefix, found.block_id(), found.text("action_id"));
    whole.chars().map(|c| if c.is_ascii_alphanumeric() { c } else { '-' }).collect()
}
