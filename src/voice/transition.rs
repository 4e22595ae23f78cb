//! The post for a state that people should hear of.

use askama::Template;

use super::{Said, say};
use crate::domain::{
    ids::UserId,
    phase::{Hold, Phase, Sleep, State},
    status::Detail,
};

#[derive(Template)]
#[template(path = "voice/transition.mrkdwn", config = ".askama.toml")]
struct Transition<'a> {
    phase: &'a Phase,
    status: &'a str,
    detail: Option<&'a str>,
    /// Already in Slack's form: the one mention that is meant.
    requester: String,
    url: &'a str,
}

#[derive(Template)]
#[template(path = "voice/status.mrkdwn", config = ".askama.toml")]
struct StatusWords<'a> {
    phase: &'a Phase,
    status: &'a str,
    detail: Option<&'a str>,
}

/// The post for entering a state. States that call for attention mention the person who asked.
pub fn transition(state: &State, requester: &UserId, url: &str) -> Said {
    let phase = Phase::of(state);
    Said::text(say(&Transition {
        phase: &phase,
        status: state.status.as_str(),
        detail: state.detail.as_ref().map(Detail::as_str),
        requester: format!("<@{requester}>"),
        url,
    }))
}

/// A state in a few words, for the card.
pub(super) fn status(state: &State) -> String {
    let phase = Phase::of(state);
    say(&StatusWords {
        phase: &phase,
        status: state.status.as_str(),
        detail: state.detail.as_ref().map(Detail::as_str),
    })
}
