//! Switches that break the stand-in servers, and the banner that says so.
//!
//! The switches push the same faults that the tests use, so that what a visitor sees is what is tested. A switch is on
//! while its fault waits to be used; nothing else remembers it.

use std::time::Duration;

use askama::Template;

use super::World;
use crate::twin::faults::{Fault, FaultAction, Faults};

/// How long the slow answers take: past the patience of the bot's quickest calls, short enough to be watched.
const SLOW: Duration = Duration::from_secs(4);
/// The `Retry-After` of the rate limits, in seconds.
const RETRY_AFTER_SECS: u64 = 5;

/// Which twin breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// Slack.
    Slack,
    /// Devin.
    Devin,
}

/// For how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scope {
    /// The next matching call only.
    Once,
    /// Until switched off.
    Always,
    /// Not at all.
    Off,
}

/// A kind of failure that the page offers.
#[derive(Debug, Clone)]
pub(crate) struct Preset {
    /// Name in forms.
    pub id: &'static str,
    /// Which twin.
    pub side: Side,
    /// Operation that is hit.
    pub matcher: &'static str,
    /// What happens.
    pub action: FaultAction,
    /// Short name.
    pub label: &'static str,
    /// What it means for the bot.
    pub about: &'static str,
}

impl Preset {
    /// Everything the page offers.
    fn all() -> Vec<Self> {
        let slack = |id, matcher, action, label, about| Self { id, side: Side::Slack, matcher, action, label, about };
        let devin = |id, matcher, action, label, about| Self { id, side: Side::Devin, matcher, action, label, about };
        let limited = || FaultAction::RateLimited { after: Some(RETRY_AFTER_SECS) };
        vec![
            slack("slack-limit", "*", limited(), "Rate limit", "429: not processed, “try again in 5 s”"),
            slack("slack-down", "*", FaultAction::Status(500), "Down", "500: not processed"),
            slack(
                "slack-lost",
                "chat.postMessage",
                FaultAction::DropAfter,
                "Lost answers",
                "posts the message, then the connection drops",
            ),
            slack("slack-slow", "*", FaultAction::DelayAfter(SLOW), "Slow", "answers after 4 s"),
            devin("devin-limit", "*", limited(), "Rate limit", "429: not processed, “try again in 5 s”"),
            devin("devin-down", "*", FaultAction::Status(500), "Down", "500: not processed"),
            devin(
                "devin-lost",
                "sessions.create",
                FaultAction::DropAfter,
                "Lost answers",
                "creates the session, then the connection drops",
            ),
            devin("devin-forbidden", "*", FaultAction::Status(403), "Forbidden", "403: the key may not do this"),
            devin("devin-slow", "*", FaultAction::DelayAfter(SLOW), "Slow", "answers after 4 s"),
        ]
    }

    fn is(&self, fault: &Fault) -> bool {
        fault.matcher == self.matcher && fault.action == self.action
    }

    /// Switches this failure on or off among those that wait.
    pub(crate) fn switch(&self, slack: &Faults, devin: &Faults, scope: Scope) {
        let faults = if self.side == Side::Slack { slack } else { devin };
        let others: Vec<Fault> = faults.waiting().into_iter().filter(|fault| !self.is(fault)).collect();
        faults.clear();
        for fault in others {
            faults.push(fault);
        }
        let times = match scope {
            Scope::Off => return,
            Scope::Once => Some(1),
            Scope::Always => None,
        };
        faults.push(Fault { matcher: self.matcher.to_owned(), action: self.action.clone(), times });
    }
}

/// The failure with this name.
pub(crate) fn preset(id: &str) -> Option<Preset> {
    Preset::all().into_iter().find(|preset| preset.id == id)
}

/// Failures that are switched on, of both twins, with how long each lasts.
pub(crate) fn active(slack: &Faults, devin: &Faults) -> Vec<(Preset, Scope)> {
    let (slack, devin) = (slack.waiting(), devin.waiting());
    let scope = |preset: &Preset| {
        let waiting = if preset.side == Side::Slack { &slack } else { &devin };
        let fault = waiting.iter().find(|fault| preset.is(fault))?;
        Some(if fault.times.is_none() { Scope::Always } else { Scope::Once })
    };
    Preset::all().into_iter().filter_map(|preset| scope(&preset).map(|scope| (preset, scope))).collect()
}

/// The switches.
#[derive(Debug, Template)]
#[template(path = "playground/faults.html")]
pub(crate) struct FaultsPart {
    keep: String,
    sides: Vec<(&'static str, Vec<Switch>)>,
    any: bool,
}

#[derive(Debug)]
struct Switch {
    id: &'static str,
    label: &'static str,
    about: &'static str,
    once: bool,
    always: bool,
}

impl FaultsPart {
    pub(crate) fn new(world: &World<'_>, active: &[(Preset, Scope)]) -> Self {
        let on = |id: &str, scope: Scope| active.iter().any(|(p, s)| p.id == id && *s == scope);
        let side = |side: Side| -> Vec<Switch> {
            let switch = |p: &Preset| Switch {
                id: p.id,
                label: p.label,
                about: p.about,
                once: on(p.id, Scope::Once),
                always: on(p.id, Scope::Always),
            };
            Preset::all().iter().filter(|p| p.side == side).map(switch).collect()
        };
        Self {
            keep: world.keep.clone(),
            sides: vec![("Slack", side(Side::Slack)), ("Devin", side(Side::Devin))],
            any: !active.is_empty(),
        }
    }
}

/// The line across the page while something is broken on purpose.
#[derive(Debug, Template)]
#[template(path = "playground/banner.html")]
pub(crate) struct BannerPart {
    keep: String,
    broken: Vec<String>,
}

impl BannerPart {
    pub(crate) fn new(world: &World<'_>, active: &[(Preset, Scope)]) -> Self {
        let name = |(preset, scope): &(Preset, Scope)| {
            let side = if preset.side == Side::Slack { "Slack" } else { "Devin" };
            let length = if *scope == Scope::Once { " (next call)" } else { "" };
            format!("{side}: {}{length}", preset.label.to_lowercase())
        };
        Self { keep: world.keep.clone(), broken: active.iter().map(name).collect() }
    }
}
