//! The status card of a link: posted once, then edited in place, never more often than Slack advises.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    button::{self, Act},
    halt::Halt,
    orders,
    room::{self, Outcome, PostKind, Say},
    task::Task,
};
use crate::{
    clock::later,
    devin,
    domain::{
        ids::Ts,
        lately::LastWords,
        link::{Ended, Link},
        mailbox::ThreadKey,
        phase::Phase,
    },
    outbound::{Certainty, Failure as _},
    slack::{Message, SlackError},
    voice::{self, CardView, Offered, Said},
};

/// Slack's advice: a message is not edited more than once in three seconds.
/// <https://docs.slack.dev/reference/methods/chat.update>
const EDIT_EVERY: Duration = Duration::from_secs(3);

/// When the card's buttons are made anew: they work for a week, and nobody shall find one that ran out.
const RENEW_AFTER: Duration = Duration::from_hours(84);

/// How long to wait after Slack refused an edit: a token may be in exchange.
pub(super) const REFUSED_WAIT: Duration = Duration::from_mins(1);
/// Refusals after which the message will never be edited again.
const GONE: [&str; 4] = ["message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found"];

/// Posts the card of a new link. A thread that cannot be posted into gets none; the session runs all the same.
pub(super) async fn open(task: &mut Task, thread: &ThreadKey, link: &mut Link) -> Result<(), Halt> {
    link.lately.enter(&link.seen.state, task.now());
    let buttons = buttons(task, thread, link);
    let (said, shows) = view(task, thread, link, &buttons);
    let say = say(task, link, said);
    match room::post(task, thread, say).await? {
        Outcome::Made(ts) => {
            link.card.ts = Some(ts);
            link.card.shows = shows;
            link.card.written_at = task.now();
        }
        Outcome::Refused => {}
        Outcome::Closed => link.closed = true,
    }
    Ok(())
}

/// Edits the card where it no longer shows what is so. The answer is when to come back: when it was edited a moment ago,
/// when Slack asks for patience, or when its buttons have to be made anew.
pub(super) async fn refresh(task: &Task, thread: &ThreadKey, link: &mut Link) -> Result<Option<Timestamp>, Halt> {
    let Some(ts) = link.card.ts.clone().filter(|_| !link.closed) else { return Ok(None) };
    let now = task.now();
    link.lately.enter(&link.seen.state, now);
    let buttons = buttons(task, thread, link);
    let (said, shows) = view(task, thread, link, &buttons);
    let renewal = (!buttons.is_empty()).then(|| later(link.card.written_at, RENEW_AFTER));
    if shows == link.card.shows && renewal.is_none_or(|at| now < at) {
        return Ok(renewal);
    }
    let due = later(link.card.written_at, EDIT_EVERY);
    if now < due {
        return Ok(Some(due));
    }
    match edit(task, thread, &ts, room::message(&say(task, link, said))).await? {
        Edited::Done => {
            link.card.shows = shows;
            link.card.written_at = now;
            link.lately.locked_out = None;
            return Ok((!buttons.is_empty()).then(|| later(now, RENEW_AFTER)));
        }
        Edited::Gone => link.card.ts = None,
        Edited::Closed => link.closed = true,
        Edited::Later(at) => return Ok(Some(at)),
        Edited::LockedOut => return Ok(Some(link.lately.refused(now))),
    }
    Ok(None)
}

/// What became of an edit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edited {
    /// It was made.
    Done,
    /// The message will never be edited again.
    Gone,
    /// The thread takes nothing any more.
    Closed,
    /// Not before a certain time.
    Later(Timestamp),
    /// Slack refuses our token: somebody has to put that right.
    LockedOut,
}

/// Edits a post of ours, at the pace of its channel. Edits are repeated until they are made, so a failure is no reason to
/// stop: what else was done has to be written down.
pub(super) async fn edit(task: &Task, thread: &ThreadKey, ts: &Ts, message: Message) -> Result<Edited, Halt> {
    if let Some(at) = room::paced(task, thread, Duration::ZERO).await? {
        return Ok(Edited::Later(at));
    }
    match task.deps.slack.update(&thread.channel, ts, &message).await {
        Ok(()) => Ok(Edited::Done),
        Err(error) if error.code().is_some_and(|code| GONE.contains(&code)) => {
            tracing::warn!(%error, "a post can't be edited any more");
            Ok(Edited::Gone)
        }
        Err(error @ SlackError::Target { .. }) => {
            // The channel is archived, or we are no longer in it: as with posts, nothing more is tried.
            tracing::warn!(%error, "the thread takes no edits");
            Ok(Edited::Closed)
        }
        Err(error @ SlackError::InstallationGone { .. }) => {
            tracing::warn!(%error, "a post can't be edited with our token");
            Ok(Edited::LockedOut)
        }
        Err(error) => {
            let wait = error.retry_after().unwrap_or_default().max(match error.certainty() {
                Certainty::Unknown => EDIT_EVERY,
                Certainty::NotDone => REFUSED_WAIT,
            });
            tracing::info!(%error, "a post is edited later");
            Ok(Edited::Later(later(task.now(), wait)))
        }
    }
}

/// What Devin said last, for the card.
pub(super) fn last_words(message: &devin::Message) -> LastWords {
    let at = Timestamp::from_second(message.created_at).unwrap_or_default();
    LastWords { at, line: voice::first_line(&message.message) }
}

/// The buttons that fit what the session does. None where nothing can be done any more.
fn buttons(task: &Task, thread: &ThreadKey, link: &Link) -> Vec<Offered> {
    let (marks, now, session) = (&task.deps.marks, task.now(), &link.session);
    let of = |act: Act| {
        let shown = button::Button { thread, session, act: &act, about: "", only: None };
        Offered { value: button::value(marks, now, &shown), act }
    };
    acts(link).into_iter().map(of).collect()
}

/// What can be done with a session.
fn acts(link: &Link) -> Vec<Act> {
    if link.over.as_ref().is_some_and(|over| over.how == Ended::Vanished) {
        return Vec::new();
    }
    let mute = if link.settings.muted { Act::Unmute } else { Act::Mute };
    match Phase::of(&link.seen.state) {
        Phase::Starting
        | Phase::Working
        | Phase::Waking
        | Phase::YourTurn
        | Phase::NeedsApproval
        | Phase::Done
        | Phase::Unheard => vec![Act::AskStop, Act::Sleep, mute],
        Phase::Asleep(_) | Phase::Held(_) | Phase::FailedAsleep => vec![Act::AskStop, Act::Wake, mute],
        Phase::Archived => vec![Act::Unarchive],
        Phase::Over | Phase::Failed => Vec::new(),
    }
}

fn view(task: &Task, thread: &ThreadKey, link: &Link, buttons: &[Offered]) -> (Said, String) {
    let options = voice::options::line(&link.options).unwrap_or_default();
    voice::card(&CardView {
        seen: &link.seen,
        entered: link.lately.entered.as_ref(),
        said: link.lately.said.as_ref(),
        runs_as: &link.runs_as,
        options: &options,
        acu_limit: link.options.acu,
        muted: link.settings.muted,
        mentions_only: orders::mentions_only(task, link, &thread.channel),
        no_news_since: link.no_news_since,
        vanished: link.over.as_ref().is_some_and(|over| over.how == Ended::Vanished),
        buttons,
    })
}

fn say(task: &Task, link: &Link, said: Said) -> Say<'static> {
    Say {
        step: "post card",
        mark: task.deps.marks.of(&["card", link.session.bare()]),
        kind: PostKind::Card,
        facts: vec![("session_id", link.session.to_string())],
        said,
    }
}
