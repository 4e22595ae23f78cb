//! The status card of a link: posted once, then edited in place, never more often than Slack advises.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    halt::Halt,
    room::{self, Outcome, PostKind, Say},
    task::Task,
};
use crate::{
    clock::later,
    domain::{
        link::{Ended, Link},
        mailbox::ThreadKey,
    },
    outbound::{Certainty, Failure as _},
    slack::SlackError,
    voice::{self, CardView, Said},
};

/// Slack's advice: a message is not edited more than once in three seconds.
/// <https://docs.slack.dev/reference/methods/chat.update>
const EDIT_EVERY: Duration = Duration::from_secs(3);

/// How long to wait after Slack refused an edit: a token may be in exchange.
const REFUSED_WAIT: Duration = Duration::from_mins(1);
/// Refusals after which the message will never be edited again.
const GONE: [&str; 4] = ["message_not_found", "cant_update_message", "edit_window_closed", "channel_not_found"];

/// Posts the card of a new link. A thread that cannot be posted into gets none; the session runs all the same.
pub(super) async fn open(task: &mut Task, thread: &ThreadKey, link: &mut Link) -> Result<(), Halt> {
    let (said, shows) = view(link);
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

/// Edits the card where it no longer shows what is so. When it was edited a moment ago, or Slack asks for patience, the
/// answer is when to come back.
pub(super) async fn refresh(task: &Task, thread: &ThreadKey, link: &mut Link) -> Result<Option<Timestamp>, Halt> {
    let Some(ts) = link.card.ts.clone().filter(|_| !link.closed) else { return Ok(None) };
    let (said, shows) = view(link);
    if shows == link.card.shows {
        return Ok(None);
    }
    let due = later(link.card.written_at, EDIT_EVERY);
    let now = task.now();
    if now < due {
        return Ok(Some(due));
    }
    if let Some(at) = room::paced(task, thread, Duration::ZERO).await? {
        return Ok(Some(at));
    }
    match task.deps.slack.update(&thread.channel, &ts, &room::message(&say(task, link, said))).await {
        Ok(()) => {
            link.card.shows = shows;
            link.card.written_at = now;
            Ok(None)
        }
        Err(error) if error.code().is_some_and(|code| GONE.contains(&code)) => {
            tracing::warn!(%error, devin.session = %link.session, "the card can't be edited any more");
            link.card.ts = None;
            Ok(None)
        }
        Err(error @ SlackError::Target { .. }) => {
            // The channel is archived, or we are no longer in it: as with posts, nothing more is tried.
            tracing::warn!(%error, devin.session = %link.session, "the thread takes no edits");
            link.closed = true;
            Ok(None)
        }
        Err(error) => {
            let wait = error.retry_after().unwrap_or_default().max(match error.certainty() {
                Certainty::Unknown => EDIT_EVERY,
                Certainty::NotDone => REFUSED_WAIT,
            });
            tracing::info!(%error, "the card is edited later");
            Ok(Some(later(now, wait)))
        }
    }
}

fn view(link: &Link) -> (Said, String) {
    voice::card(&CardView {
        seen: &link.seen,
        runs_as: &link.runs_as,
        options: &voice::options::line(&link.options).unwrap_or_default(),
        no_news_since: link.no_news_since,
        vanished: link.over.as_ref().is_some_and(|over| over.how == Ended::Vanished),
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
