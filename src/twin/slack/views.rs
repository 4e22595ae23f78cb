//! `views.*`: modals in stacks of three, and one Home tab for each person.

use std::collections::BTreeMap;

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    api::{ApiError, Asked, Reply},
    blocks, inputs,
    state::State,
    surfaces::{Trigger, View},
};
use crate::{domain::ids::UserId, twin::ids::slack_id};

/// Most bytes of a view.
const MAX_VIEW_BYTES: usize = 250 * 1024;
/// Most modals on top of each other.
pub(super) const MAX_STACK: usize = 3;

pub(super) fn open(asked: &mut Asked<'_>) -> Reply {
    let view = given(asked, "modal")?;
    let trigger = used_trigger(asked)?;
    fresh_external_id(asked.state, &view, None)?;
    // A person sees one stack of modals; another one takes its place.
    asked.state.views.retain(|old| old.user != trigger.user || old.is_home());
    let id = asked.state.show(asked.now, (trigger.user, trigger.channel), view, None);
    answer(asked.state, &id)
}

pub(super) fn push(asked: &mut Asked<'_>) -> Reply {
    let view = given(asked, "modal")?;
    let trigger = used_trigger(asked)?;
    // Only what was done in a modal can put another one on top.
    let below = trigger.view.ok_or_else(|| ApiError::new("invalid_trigger_id"))?;
    fresh_external_id(asked.state, &view, None)?;
    let id = asked.state.put_on_top(asked.now, &below, view)?;
    answer(asked.state, &id)
}

pub(super) fn update(asked: &mut Asked<'_>) -> Reply {
    let (id, external) = (asked.args.text("view_id")?, asked.args.text("external_id")?);
    let found = match (&id, &external) {
        (Some(id), None) => asked.state.views.iter().find(|view| &view.id == id),
        (None, Some(external)) => asked.state.views.iter().find(|view| view.text("external_id") == external),
        (None, None) | (Some(_), Some(_)) => {
            return Err(ApiError::arguments("[ERROR] exactly one of view_id and external_id"));
        }
    };
    let found = found.ok_or_else(|| ApiError::new("not_found"))?;
    let (id, hash) = (found.id.clone(), found.hash.clone());
    let view = given(asked, if found.is_home() { "home" } else { "modal" })?;
    if asked.args.text("hash")?.is_some_and(|wanted| wanted != hash) {
        return Err(ApiError::new("hash_conflict"));
    }
    fresh_external_id(asked.state, &view, Some(&id))?;
    asked.state.replace(asked.now, &id, view);
    answer(asked.state, &id)
}

pub(super) fn publish(asked: &mut Asked<'_>) -> Reply {
    let view = given(asked, "home")?;
    let user: UserId = asked.args.required("user_id")?.parse().map_err(|_| ApiError::new("user_not_found"))?;
    if !asked.state.users.contains_key(&user) {
        return Err(ApiError::new("user_not_found"));
    }
    if !asked.state.features.home_tab {
        return Err(ApiError::new("not_enabled"));
    }
    let old = asked.state.home(&user).map(|old| (old.id.clone(), old.hash.clone()));
    let wanted = asked.args.text("hash")?;
    if wanted.is_some_and(|wanted| old.as_ref().is_some_and(|(_, hash)| *hash != wanted)) {
        return Err(ApiError::new("hash_conflict"));
    }
    fresh_external_id(asked.state, &view, old.as_ref().map(|(id, _)| id.as_str()))?;
    let id = match old {
        Some((id, _)) => {
            asked.state.replace(asked.now, &id, view);
            id
        }
        None => asked.state.show(asked.now, (user, None), view, None),
    };
    answer(asked.state, &id)
}

/// The view of a call, which must be of this type.
fn given(asked: &Asked<'_>, kind: &str) -> Reply {
    let view = asked.args.json("view", "invalid_arguments")?;
    let view = view.ok_or_else(|| ApiError::arguments("[ERROR] missing required field: view"))?;
    checked(view, kind)
}

/// A view that Slack takes, its blocks and elements with ids.
pub(super) fn checked(view: Value, kind: &str) -> Reply {
    if view.to_string().len() > MAX_VIEW_BYTES {
        return Err(ApiError::new("view_too_large"));
    }
    let mut errors = blocks::check_view(&view);
    if errors.is_empty() && view.get("type").and_then(Value::as_str) != Some(kind) {
        errors.push(format!("must be {kind} [json-pointer:/view/type]"));
    }
    if errors.is_empty() {
        return Ok(with_ids(view));
    }
    let messages: Vec<String> = errors.iter().map(|error| format!("[ERROR] {error}")).collect();
    Err(ApiError::new("invalid_arguments").with("response_metadata", json!({ "messages": messages })))
}

fn with_ids(mut view: Value) -> Value {
    let given = view.get("blocks").and_then(Value::as_array).cloned().unwrap_or_default();
    super::events::put(&mut view, "blocks", json!(blocks::with_ids(given)));
    view
}

/// A trigger works once, for three seconds.
fn used_trigger(asked: &mut Asked<'_>) -> Result<Trigger, ApiError> {
    let invalid = || ApiError::new("invalid_trigger_id");
    let id = asked.args.text("trigger_id")?.or(asked.args.text("interactivity_pointer")?).ok_or_else(invalid)?;
    let trigger = asked.state.triggers.get_mut(&id).ok_or_else(invalid)?;
    if trigger.used {
        return Err(ApiError::new("exchanged_trigger_id"));
    }
    if trigger.expires < asked.now {
        return Err(ApiError::new("expired_trigger_id"));
    }
    trigger.used = true;
    Ok(trigger.clone())
}

/// Refuses an `external_id` that another view of the workspace has.
fn fresh_external_id(state: &State, view: &Value, own: Option<&str>) -> Result<(), ApiError> {
    let wanted = view.get("external_id").and_then(Value::as_str).filter(|id| !id.is_empty());
    let Some(wanted) = wanted else { return Ok(()) };
    let taken = state.views.iter().any(|view| view.text("external_id") == wanted && Some(view.id.as_str()) != own);
    if taken { Err(ApiError::new("duplicate_external_id")) } else { Ok(()) }
}

fn answer(state: &State, id: &str) -> Reply {
    let view = state.views.iter().find(|view| view.id == id).ok_or_else(|| ApiError::new("not_found"))?;
    Ok(json!({ "view": view.object(state) }))
}

impl State {
    /// Shows a view to somebody. Returns its id.
    pub(super) fn show(
        &mut self,
        now: Timestamp,
        (user, channel): (UserId, Option<crate::domain::ids::ChannelId>),
        view: Value,
        below: Option<&View>,
    ) -> String {
        let id = slack_id("V0", now);
        let mut shown = View { hash: self.hash(now), channel, ..View::new(&id, user, view) };
        if let Some(below) = below {
            shown.root.clone_from(&below.root);
            shown.previous = Some(below.id.clone());
        }
        self.views.push(shown);
        id
    }

    /// Puts a modal on top of another one.
    pub(super) fn put_on_top(&mut self, now: Timestamp, below: &str, view: Value) -> Result<String, ApiError> {
        let below =
            self.views.iter().find(|view| view.id == below).cloned().ok_or_else(|| ApiError::new("not_found"))?;
        if self.views.iter().filter(|view| view.root == below.root).count() >= MAX_STACK {
            return Err(ApiError::new("push_limit_reached"));
        }
        Ok(self.show(now, (below.user.clone(), below.channel.clone()), view, Some(&below)))
    }

    /// Puts other blocks into a view; what was filled in stays where block and action are still there.
    pub(super) fn replace(&mut self, now: Timestamp, id: &str, view: Value) {
        let hash = self.hash(now);
        let Some(shown) = self.view_mut(id) else { return };
        shown.view = view;
        shown.hash = hash;
        shown.errors = BTreeMap::new();
        shown.trouble = false;
        let kept: Vec<_> = inputs::all(shown.blocks()).iter().map(inputs::Found::key).collect();
        shown.filled.retain(|key, _| kept.contains(key));
    }

    fn hash(&mut self, now: Timestamp) -> String {
        format!("{}.{:08x}", now.as_second(), self.next_id())
    }
}
