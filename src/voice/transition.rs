//! The post for a state that people should hear of.

use std::time::Duration;

use askama::Template;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    Said, card,
    confirm::{self, Offered},
    say,
};
use crate::domain::{
    announce::Observation,
    ids::UserId,
    phase::{Hold, Phase, Sleep, State},
    status::Detail,
};

/// What a post for a state is made from.
#[derive(Debug, Clone, Copy)]
pub struct TransitionView<'a> {
    /// The look that showed it.
    pub seen: &'a Observation,
    /// Who asked: states that call for attention mention this person.
    pub requester: &'a UserId,
    /// Their name, where nobody is to be called.
    pub asked_by: &'a str,
    /// When the session was started.
    pub started_at: Timestamp,
    /// The limit that was set, in agent compute units.
    pub acu_limit: Option<u32>,
}

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
#[template(path = "voice/summary.mrkdwn", config = ".askama.toml")]
struct Summary<'a> {
    asked_by: &'a str,
    lasted: Option<String>,
    acus: Option<String>,
    no_pull_requests: bool,
    /// Already in Slack's form.
    pull_requests: Option<String>,
}

#[derive(Template)]
#[template(path = "voice/status.mrkdwn", config = ".askama.toml")]
struct StatusWords<'a> {
    phase: &'a Phase,
    status: &'a str,
    detail: Option<&'a str>,
}

#[derive(Template)]
#[template(path = "voice/approval.mrkdwn", config = ".askama.toml")]
struct Approval {
    over: bool,
}

/// The post for entering a state. States that call for attention mention the person who asked; one that ends the work
/// says what came out, in the same post.
pub fn transition(view: &TransitionView<'_>) -> Said {
    let TransitionView { seen, requester, .. } = view;
    let phase = Phase::of(&seen.state);
    let words = say(&Transition {
        phase: &phase,
        status: seen.state.status.as_str(),
        detail: seen.state.detail.as_ref().map(Detail::as_str),
        requester: format!("<@{requester}>"),
        url: &seen.url,
    });
    Said::text(match phase {
        Phase::Done | Phase::Over => format!("{words}\n{}", summary(view)),
        Phase::Starting
        | Phase::Working
        | Phase::Waking
        | Phase::YourTurn
        | Phase::NeedsApproval
        | Phase::Asleep(_)
        | Phase::Held(_)
        | Phase::FailedAsleep
        | Phase::Failed
        | Phase::Archived
        | Phase::Unheard => words,
    })
}

/// The call for an approval with buttons that answer it.
pub fn approval(requester: &UserId, url: &str, buttons: &[Offered]) -> Said {
    let words = approval_words(requester, url);
    let buttons: Vec<Value> = buttons.iter().map(confirm::button).collect();
    let blocks = json!([
        card::section(&words),
        card::context(&say(&Approval { over: false })),
        { "type": "actions", "elements": buttons },
    ]);
    Said { text: words, blocks: Some(blocks) }
}

/// The same post once the state is left: nothing can be pressed any more.
pub fn approval_over(requester: &UserId, url: &str) -> Said {
    let words = approval_words(requester, url);
    let blocks = json!([card::section(&words), card::context(&say(&Approval { over: true }))]);
    Said { text: words, blocks: Some(blocks) }
}

fn approval_words(requester: &UserId, url: &str) -> String {
    let requester = format!("<@{requester}>");
    say(&Transition { phase: &Phase::NeedsApproval, status: "", detail: None, requester, url })
}

fn summary(view: &TransitionView<'_>) -> String {
    let TransitionView { seen, asked_by, started_at, acu_limit, .. } = *view;
    let pull_requests = card::pull_requests(seen);
    let lasted = seen.updated_at.saturating_sub(started_at.as_second());
    say(&Summary {
        asked_by,
        lasted: u64::try_from(lasted).ok().map(Duration::from_secs).map(in_words),
        acus: card::acus(seen.acus, acu_limit),
        no_pull_requests: pull_requests.is_none(),
        pull_requests,
    })
}

/// A duration as people say it: one or two units.
fn in_words(lasted: Duration) -> String {
    let minutes = lasted.as_secs() / 60;
    let (days, hours, rest) = (minutes / (24 * 60), minutes / 60 % 24, minutes % 60);
    match (days, hours, rest) {
        (0, 0, 0) => "less than a minute".to_owned(),
        (0, 0, minutes) => format!("{minutes} min"),
        (0, hours, minutes) => format!("{hours} h {minutes} min"),
        (days, hours, _) => format!("{days} d {hours} h"),
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said_in_one_or_two_units() {
        let words = |seconds| in_words(Duration::from_secs(seconds));
        assert_eq!(words(59), "less than a minute");
        assert_eq!(words(12 * 60 + 5), "12 min");
        assert_eq!(words(3_600 + 120), "1 h 2 min");
        assert_eq!(words(50 * 3_600), "2 d 2 h");
    }
}
