//! What people do with a modal: fill it in, submit it, close it; and what the app's answer does to it.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    acting::ActError,
    deliver::{Answered, Reader},
    events::put,
    inputs,
    pressing::Spot,
    server::SlackTwin,
    state::State,
    surfaces::View,
    views,
};
use crate::domain::ids::{ChannelId, UserId};

/// What stands under an input that was left empty.
const REQUIRED: &str = "Please complete this required field.";

impl SlackTwin {
    /// Somebody writes into an input of the modal they see, or chooses in it; no values empty it.
    ///
    /// # Errors
    ///
    /// There is no modal or no such input, or it does not take the values.
    pub fn fill(&self, user: &UserId, input: &str, values: &[&str]) -> Result<(), ActError> {
        self.choose(user, Spot::Modal, input, values)
    }

    /// Keeps what stands in an input of the modal without telling the app, as a client does until it is submitted. What
    /// the input does not take is written under it. Returns whether it was taken.
    pub fn keep(&self, user: &UserId, input: &str, values: &[&str]) -> bool {
        self.change(|state| {
            let Some(shown) = state.modal(user).cloned() else { return false };
            let Some(found) = inputs::named(shown.blocks(), input) else { return false };
            let offered = shown.offered.get(found.text("action_id")).map(Vec::as_slice).unwrap_or_default();
            let filled = found.filled(values, offered);
            let Some(view) = state.view_mut(&shown.id) else { return false };
            match filled {
                Ok(value) => {
                    view.filled.insert(found.key(), value);
                    view.errors.remove(found.block_id());
                    true
                }
                Err(why) => {
                    view.errors.insert(found.block_id().to_owned(), why);
                    false
                }
            }
        })
    }

    /// Somebody types into a select that asks the app for its options (`block_suggestion`).
    ///
    /// # Errors
    ///
    /// There is no modal or no such select.
    pub fn suggest(&self, user: &UserId, action_id: &str, typed: &str) -> Result<(), ActError> {
        let now = self.now();
        self.change(|state| {
            let missing = || ActError::NoButton(action_id.to_owned());
            let shown = state.modal(user).cloned().ok_or_else(missing)?;
            let found = inputs::named(shown.blocks(), action_id).ok_or_else(missing)?;
            if !found.text("type").ends_with("external_select") {
                return Err(missing());
            }
            let action_id = found.text("action_id").to_owned();
            let mut payload = state.interaction(now, "block_suggestion", user);
            for (name, value) in [
                ("container", json!({ "type": "view", "view_id": shown.id })),
                ("view", shown.object(state)),
                ("action_id", json!(action_id)),
                ("block_id", json!(found.block_id())),
                ("value", json!(typed)),
            ] {
                put(&mut payload, name, value);
            }
            let id = state.interact(now, "block_suggestion", &payload);
            state.read_by(id, Reader::Options { view: shown.id.clone(), action_id });
            Ok(())
        })
    }

    /// Somebody submits the modal they see. It stays open until the app has answered.
    ///
    /// # Errors
    ///
    /// There is no modal, or an input that must be filled in is empty (named by its block).
    pub fn submit(&self, user: &UserId) -> Result<(), ActError> {
        let now = self.now();
        self.change(|state| {
            state.active(user)?;
            let missing = || ActError::NoButton("submit".to_owned());
            let shown = state.modal(user).cloned().ok_or_else(missing)?;
            let unfilled = unfilled(&shown);
            if let Some(view) = state.view_mut(&shown.id) {
                let error = |block: &String| (block.clone(), REQUIRED.to_owned());
                (view.trouble, view.errors) = (false, unfilled.iter().map(error).collect());
            }
            if let Some(block) = unfilled.first() {
                return Err(ActError::Refused(format!("{block} must be filled in")));
            }
            let mut payload = state.interaction(now, "view_submission", user);
            let trigger = state.trigger(now, user, (None, Some(&shown.id)));
            let urls = state.response_urls(now, &shown);
            for (name, value) in
                [("trigger_id", json!(trigger)), ("view", shown.object(state)), ("response_urls", json!(urls))]
            {
                put(&mut payload, name, value);
            }
            let id = state.interact(now, "view_submission", &payload);
            state.read_by(id, Reader::Modal(shown.id.clone()));
            Ok(())
        })
    }

    /// Somebody closes the modal they see, or with `all` every modal of its stack (`view_closed`, where it is asked for).
    ///
    /// # Errors
    ///
    /// There is no modal.
    pub fn close_modal(&self, user: &UserId, all: bool) -> Result<(), ActError> {
        let now = self.now();
        self.change(|state| {
            let shown = state.modal(user).cloned().ok_or_else(|| ActError::NoButton("close".to_owned()))?;
            let all = all || flag(&shown, "clear_on_close");
            let gone: Vec<View> = state.views.iter().filter(|view| view.root == shown.root).rev().cloned().collect();
            let gone = if all { gone } else { vec![shown] };
            state.views.retain(|view| gone.iter().all(|other| other.id != view.id));
            for view in gone.iter().filter(|view| flag(view, "notify_on_close")) {
                let mut payload = state.interaction(now, "view_closed", user);
                put(&mut payload, "view", view.object(state));
                put(&mut payload, "is_cleared", json!(all));
                state.interact(now, "view_closed", &payload);
            }
            Ok(())
        })
    }
}

impl State {
    /// Does what the answer to a submission asks for; without a good one the modal stays and says so.
    pub(super) fn settle_modal(&mut self, now: Timestamp, id: &str, answer: Option<&Answered>) {
        let done = answer.filter(|answer| answer.status == 200).and_then(|answer| self.obey(now, id, &answer.body));
        if done.is_none()
            && let Some(view) = self.view_mut(id)
        {
            view.trouble = true;
        }
    }

    fn obey(&mut self, now: Timestamp, id: &str, body: &[u8]) -> Option<()> {
        if body.trim_ascii().is_empty() {
            self.views.retain(|view| view.id != id);
            return Some(());
        }
        let answer: Value = serde_json::from_slice(body).ok()?;
        let view = || views::checked(answer.get("view")?.clone(), "modal").ok();
        match answer.get("response_action")?.as_str()? {
            "errors" => self.find_wrong(id, answer.get("errors")?),
            "update" => {
                let view = view()?;
                self.replace(now, id, view);
                Some(())
            }
            "push" => self.put_on_top(now, id, view()?).ok().map(drop),
            "clear" => {
                let root = self.views.iter().find(|view| view.id == id).map(|view| view.root.clone())?;
                self.views.retain(|view| view.root != root);
                Some(())
            }
            _ => None,
        }
    }

    /// Shows what is wrong under the inputs; Slack takes no errors for blocks that are no inputs of the modal.
    fn find_wrong(&mut self, id: &str, errors: &Value) -> Option<()> {
        let view = self.view_mut(id)?;
        let inputs = inputs::all(view.blocks());
        let is_input = |block: &str| inputs.iter().any(|found| found.is_input() && found.block_id() == block);
        let read = |(block, text): (&String, &Value)| {
            let text = text.as_str().filter(|text| !text.is_empty())?;
            is_input(block).then(|| (block.clone(), text.to_owned()))
        };
        let errors: BTreeMap<_, _> = errors.as_object()?.iter().map(read).collect::<Option<_>>()?;
        if errors.is_empty() {
            return None;
        }
        view.errors = errors;
        Some(())
    }

    /// Keeps the options that the app gave for a select.
    pub(super) fn offer(&mut self, view: &str, action_id: &str, answer: &Answered) {
        let given: Option<Value> = serde_json::from_slice(&answer.body).ok().filter(|_| answer.status == 200);
        let list = |value: &Value, name: &str| value.get(name).and_then(Value::as_array).cloned().unwrap_or_default();
        let given = given.unwrap_or_default();
        let mut options = list(&given, "options");
        options.extend(list(&given, "option_groups").iter().flat_map(|group| list(group, "options")));
        if let Some(view) = self.view_mut(view) {
            view.offered.insert(action_id.to_owned(), options);
        }
    }

    /// The `response_url`s of the conversations that were chosen in inputs that ask for one.
    fn response_urls(&mut self, now: Timestamp, view: &View) -> Vec<Value> {
        let values = view.values();
        let mut urls = Vec::new();
        for found in inputs::all(view.blocks()) {
            if found.element.get("response_url_enabled") != Some(&json!(true)) {
                continue;
            }
            let (block, action) = found.key();
            let held = values.get(&block).and_then(|block| block.get(&action));
            let chosen =
                ["selected_conversation", "selected_channel"].iter().find_map(|name| held?.get(name)?.as_str());
            let Some(channel) = chosen.and_then(|id| id.parse::<ChannelId>().ok()) else { continue };
            let (hook, _) = self.hook(now, &view.user, &channel, None);
            let url = format!("{}/hooks/{hook}", self.base_url);
            urls.push(json!({ "block_id": block, "action_id": action, "channel_id": channel, "response_url": url }));
        }
        urls
    }
}

/// The inputs that must be filled in and are not, by block.
fn unfilled(view: &View) -> Vec<String> {
    let values = view.values();
    let empty = |found: &&inputs::Found<'_>| {
        let (block, action) = found.key();
        let optional = found.block.get("optional") == Some(&json!(true));
        let held = values.get(&block).and_then(|block| block.get(&action));
        found.is_input() && !optional && held.is_none_or(inputs::is_blank)
    };
    inputs::all(view.blocks()).iter().filter(empty).map(|found| found.block_id().to_owned()).collect()
}

fn flag(view: &View, name: &str) -> bool {
    view.view.get(name).and_then(Value::as_bool) == Some(true)
}
