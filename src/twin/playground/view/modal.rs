//! The modal that the viewer sees, as a dialog over the page.

use askama::Template;

use super::World;
use crate::twin::playground::render::{Filled, Place, Spot, blocks};

/// The dialog; empty when there is none.
#[derive(Debug, Template)]
#[template(path = "playground/modal.html")]
pub(crate) struct ModalPart {
    shown: Option<Dialog>,
}

#[derive(Debug)]
struct Dialog {
    id: String,
    keep: String,
    title: String,
    close: String,
    /// Label of the button that sends the form; empty when the modal has none.
    submit: String,
    html: String,
    trouble: bool,
    /// Whether it lies on top of another one.
    stacked: bool,
}

impl ModalPart {
    pub(crate) fn new(world: &World<'_>) -> Self {
        let view = world.selection.viewer.as_ref().and_then(|user| world.slack.modal(user));
        let shown = view.map(|view| {
            let label = |name: &str, otherwise: &str| {
                let given = view.view.pointer(&format!("/{name}/text")).and_then(serde_json::Value::as_str);
                given.unwrap_or(otherwise).to_owned()
            };
            let values = view.values();
            let filled = Filled { values: &values, errors: &view.errors, offered: &view.offered };
            let place = Place { spot: Spot::Modal(filled), keep: "", prefix: "modal" };
            Dialog {
                id: view.id.clone(),
                keep: world.keep.clone(),
                title: view.title().to_owned(),
                close: label("close", "Cancel"),
                submit: label("submit", ""),
                html: blocks(&world.directory, place, view.blocks()),
                trouble: view.trouble,
                stacked: view.previous.is_some(),
            }
        });
        Self { shown }
    }
}
