//! What stands behind a button: the value that Slack hands back when somebody presses it.
//!
//! Everybody who can see a message can read and send its values, and a message can be copied, so a value is believed
//! only under our own mark, in the thread that it was made for, until it runs out. It names the session, so that a
//! button of a session that no longer belongs to the thread does nothing, and what it is about, so that an answer to
//! one question is not taken for the answer to the next. It says nothing of who may press it, unless it was shown to one
//! person: whoever presses is looked up anew, and what the session does by then decides whether it still makes sense.
//! <https://docs.slack.dev/reference/block-kit/block-elements/button-element>

use jiff::Timestamp;

pub(super) use crate::domain::button::{Act, Pressed};
use crate::{
    domain::{
        ids::{SessionId, UserId},
        mailbox::{Mailbox, ThreadKey},
    },
    steps::Marks,
};

/// Longest name of what a button is about, in characters: escaped it may take six times as many.
const MAX_ABOUT_CHARS: usize = 200;

/// A button to be shown.
#[derive(Debug, Clone, Copy)]
pub(super) struct Button<'a> {
    /// In which thread.
    pub(super) thread: &'a ThreadKey,
    /// Of which session.
    pub(super) session: &'a SessionId,
    /// What it asks for.
    pub(super) act: &'a Act,
    /// What it is about, where one thread may show several of a kind: the id of Devin's message, or the post's mark.
    pub(super) about: &'a str,
    /// The only person who may press it.
    pub(super) only: Option<&'a UserId>,
}

/// Why a value is not acted upon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Why {
    /// It is not ours, or not as we made it.
    Forged,
    /// It belongs into another thread.
    Elsewhere,
    /// It was shown to somebody else alone.
    SomebodyElses,
    /// It has run out.
    Expired,
}

impl Why {
    /// The word used in logs.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Forged => "forged",
            Self::Elsewhere => "elsewhere",
            Self::SomebodyElses => "somebody_elses",
            Self::Expired => "expired",
        }
    }
}

/// The value of a button that is shown now; at most 2,000 characters.
pub(super) fn value(marks: &Marks, now: Timestamp, button: &Button<'_>) -> String {
    let pressed = Pressed {
        act: button.act.clone(),
        mailbox: Mailbox::Thread(button.thread.clone()),
        session: button.session.clone(),
        // What is too long to be carried would be refused by Slack with the whole message.
        about: button.about.chars().take(MAX_ABOUT_CHARS).collect(),
        only: button.only.cloned(),
        until: button.act.until(now),
    };
    let body = serde_json::to_string(&pressed).unwrap_or_default();
    Pressed::marked(button.thread, &marks.of(&["button", &body]), &body)
}

/// Reads the value of a button that was pressed in a thread by a person.
pub(super) fn read(
    marks: &Marks,
    now: Timestamp,
    thread: &ThreadKey,
    user: &UserId,
    value: &str,
) -> Result<Pressed, Why> {
    let pressed = genuine(marks, value).ok_or(Why::Forged)?;
    if pressed.thread() != Some(thread) {
        return Err(Why::Elsewhere);
    }
    if pressed.only.as_ref().is_some_and(|only| only != user) {
        return Err(Why::SomebodyElses);
    }
    if pressed.until < now.as_second() {
        return Err(Why::Expired);
    }
    Ok(pressed)
}

/// What a value says, if we made it; for whoever has to find its thread first.
pub(super) fn genuine(marks: &Marks, value: &str) -> Option<Pressed> {
    let (mark, body) = Pressed::parts(value)?;
    if !marks.is(mark, &["button", body]) {
        return None;
    }
    serde_json::from_str(body).ok()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::clock::later;

    /// Slack's limit for a button's value, in characters.
    const MAX_VALUE_CHARS: usize = 2_000;

    fn marks() -> Marks {
        Marks::new(b"secret")
    }

    fn thread(channel: &str) -> ThreadKey {
        ThreadKey::from_tag(&format!("bobbin-thread:T0ACME/{channel}/1700000000.000100")).unwrap()
    }

    fn user(id: &str) -> UserId {
        id.parse().unwrap()
    }

    fn session() -> SessionId {
        "0f3a".parse().unwrap()
    }

    fn made(act: &Act, only: Option<&UserId>) -> String {
        let (thread, session) = (thread("C0BACKEND"), session());
        value(&marks(), now(), &Button { thread: &thread, session: &session, act, about: "ev_1", only })
    }

    fn now() -> Timestamp {
        "2026-11-24T13:30:00Z".parse().unwrap()
    }

    fn read_by(user_id: &str, value: &str) -> Result<Pressed, Why> {
        read(&marks(), now(), &thread("C0BACKEND"), &user(user_id), value)
    }

    /// Every act, so that each is tried.
    fn acts() -> Vec<Act> {
        vec![
            Act::AskStop,
            Act::Sleep,
            Act::Wake,
            Act::Mute,
            Act::Unmute,
            Act::Archive,
            Act::Unarchive,
            Act::Stop,
            Act::Detach,
            Act::Keep,
            Act::Approve,
            Act::Reject,
            Act::RejectPlainly,
            Act::Choose { n: 2, digest: "0".repeat(16) },
        ]
    }

    #[test]
    fn a_value_reads_back_and_fits_into_a_button() {
        for act in acts() {
            let value = made(&act, None);
            assert!(value.chars().count() < MAX_VALUE_CHARS / 4, "{value}");
            let pressed = read_by("U0ADA", &value).unwrap();
            assert_eq!((pressed.act, pressed.session, pressed.about), (act.clone(), session(), "ev_1".to_owned()));
            assert!(act.action_id().len() <= 255);
        }
    }

    #[test]
    fn what_a_value_is_about_cannot_make_it_too_long() {
        let (thread, session, about) = (thread("C0BACKEND"), session(), "\u{1}".repeat(5_000));
        let button = Button { thread: &thread, session: &session, act: &Act::Approve, about: &about, only: None };
        assert!(value(&marks(), now(), &button).chars().count() <= MAX_VALUE_CHARS);
    }

    #[test]
    fn a_value_that_was_changed_is_nobodys() {
        let value = made(&Act::AskStop, None);
        for forged in [
            value.replace("ask_stop", "stop"),
            value.replace("0f3a", "0f3b"),
            value.replace("ev_1", "ev_2"),
            value.replace("b1.", "b2."),
            value.split_once(':').unwrap().1.to_owned(),
            format!("1700000000.000100:b1..{{{}", value.split_once('{').unwrap().1),
            "1700000000.000100:b1.zz.{}".to_owned(),
            String::new(),
        ] {
            assert_eq!(read_by("U0ADA", &forged), Err(Why::Forged), "{forged}");
        }
        let other = Marks::new(b"another secret");
        assert_eq!(read(&other, now(), &thread("C0BACKEND"), &user("U0ADA"), &value), Err(Why::Forged));
    }

    #[test]
    fn a_value_of_another_thread_does_nothing_here() {
        let value = made(&Act::Stop, None);
        assert_eq!(read(&marks(), now(), &thread("C0OTHER"), &user("U0ADA"), &value), Err(Why::Elsewhere));
    }

    #[test]
    fn a_value_shown_to_one_person_is_that_persons() {
        let ada = user("U0ADA");
        let value = made(&Act::Stop, Some(&ada));
        assert!(read_by("U0ADA", &value).is_ok());
        assert_eq!(read_by("U0GRACE", &value), Err(Why::SomebodyElses));
    }

    #[test]
    fn values_run_out() {
        let lives = |act: &Act| {
            let value = made(act, None);
            let works = |after: Duration| {
                read(&marks(), later(now(), after), &thread("C0BACKEND"), &user("U0ADA"), &value).is_ok()
            };
            let hours = [Duration::from_mins(9), Duration::from_hours(23), Duration::from_hours(7 * 24)];
            hours.map(works)
        };
        assert_eq!(lives(&Act::Stop), [true, false, false]);
        assert_eq!(lives(&Act::Approve), [true, true, false]);
        assert_eq!(lives(&Act::AskStop), [true, true, true]);
        let (value, later) = (made(&Act::AskStop, None), later(now(), Duration::from_hours(9 * 24)));
        assert_eq!(read(&marks(), later, &thread("C0BACKEND"), &user("U0ADA"), &value), Err(Why::Expired));
    }

    #[test]
    fn a_cards_buttons_stay_the_same_for_a_day() {
        let at = |time: &str| {
            let (thread, session) = (thread("C0BACKEND"), session());
            let button = Button { thread: &thread, session: &session, act: &Act::Mute, about: "", only: None };
            value(&marks(), time.parse().unwrap(), &button)
        };
        assert_eq!(at("2026-11-24T00:00:00Z"), at("2026-11-24T23:59:59Z"));
        assert_ne!(at("2026-11-24T23:59:59Z"), at("2026-11-25T00:00:00Z"));
    }
}
