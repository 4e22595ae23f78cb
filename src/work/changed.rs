//! What the watch saw of a session: told in the order of Devin's words, pull requests, the state; then the card.

use std::time::Duration;

use jiff::Timestamp;

use super::{
    asking, card,
    halt::Halt,
    home, outbox, output, parcel, presence, relay,
    room::{self, PostKind, Say},
    task::Task,
    words,
};
use crate::{
    clock::later,
    devin::DevinError,
    domain::{
        announce::{Announcement, Observation, announce, output_digest},
        link::{Ended, Link, Over, Reread},
        mailbox::ThreadKey,
        outbox::due,
        phase::{Phase, State},
        rules::{Tell, Topic},
        sighting::Sighting,
    },
    store::Commit,
    voice::{self, Notice, Said, TransitionView},
};

/// How long something may still come from a session that is over, such as the link of a pull request.
const TAIL: Duration = Duration::from_mins(15);

/// When Devin's words are looked at again after a change, without any new sign of one: the last message of a turn may be
/// listed later than the change that ended it, and a change within the same second does not show.
const REREAD_AFTER: [Duration; 2] = [Duration::from_secs(5), Duration::from_secs(30)];

/// Devin counts changes in whole seconds, and its clock and ours differ a little.
const SAME_MOMENT_SECONDS: i64 = 2;

/// How the steps begin that tell news.
const TELL: &str = "tell ";

/// Handles what the watch saw.
pub(super) async fn seen(
    task: &mut Task,
    thread: &ThreadKey,
    mut link: Link,
    sighting: Sighting,
) -> Result<Commit, Halt> {
    if *sighting.session() != link.session {
        tracing::info!(devin.session = %sighting.session(), "seen, but not this thread's session");
        return settle(task, thread, link).await;
    }
    match sighting {
        Sighting::SessionChanged { seen } => Box::pin(tell(task, thread, &mut link, *seen)).await?,
        Sighting::SessionMissing { .. } => {
            ask(task, thread, &mut link).await?;
        }
        Sighting::NewsStopped { since, .. } => link.no_news_since = Some(since),
        Sighting::NewsResumed { .. } => link.no_news_since = None,
    }
    settle(task, thread, link).await
}

/// The mailbox woke by itself: what people said is due to be sent, Devin's words are due for another look, the card
/// for an edit, or the time in which something may still come has passed.
pub(super) async fn woken(task: &mut Task, thread: &ThreadKey, mut link: Link) -> Result<Commit, Halt> {
    // Asked before anything is sent, which would put it off: a turn that was broken off has to come by here again.
    let reread = reread_due(&link).is_some_and(|due| due <= task.now());
    link.reread.times += usize::from(reread);
    outbox::send_due(task, thread, &mut link).await?;
    if link.unaccounted {
        // What the input had to tell that was set aside, as far as the thread does not have it.
        ask(task, thread, &mut link).await?;
        link.unaccounted &= !link.outbox.is_empty();
    } else if reread {
        let spoken = link.told.spoken;
        Box::pin(relay::relay(task, thread, &mut link)).await?;
        // A restored link may owe what the last look showed.
        let owed = !announce(&link.told, &link.seen).1.is_empty();
        if owed || (link.told.spoken && !spoken) {
            // Words without a change: what the session does now decides whether anybody has to be called.
            ask(task, thread, &mut link).await?;
        }
    }
    settle(task, thread, link).await
}

/// Tells a look: Devin's words, pull requests, then the state.
pub(super) async fn tell(task: &mut Task, thread: &ThreadKey, link: &mut Link, seen: Observation) -> Result<(), Halt> {
    Box::pin(relay::relay(task, thread, link)).await?;
    let (told, news) = announce(&link.told, &seen);
    if told == link.told {
        return Ok(());
    }
    link.no_news_since = None;
    let tell = posted(task, thread, link);
    // What is not posted is told all the same: nobody who wants to hear again gets all of it at once.
    for one in news.iter().filter(|one| is_posted(&tell, one)) {
        Box::pin(say(task, thread, link, one, &seen)).await?;
        let late = task.now().duration_since(since(&seen)).as_secs_f64().max(0.0);
        metrics::histogram!("bobbin_change_to_post_seconds").record(late);
    }
    if seen.state != link.seen.state || is_fresh(&seen) {
        link.reread = Reread { since: Some(task.now()), times: 0 };
    }
    link.unaccounted &= !link.outbox.is_empty();
    link.over = over(Some(link), &seen.state, task.now());
    link.told = told;
    link.lately.enter(&seen.state, since(&seen));
    link.seen = seen.kept(&link.seen);
    home::touch(task, thread, link).await
}

/// Since when a session is in the state that a look shows: since Devin's last change of it, if that is not ahead of us.
fn since(seen: &Observation) -> Timestamp {
    Timestamp::from_second(seen.updated_at).map_or(seen.seen_at, |at| at.min(seen.seen_at))
}

/// What is posted here: as the channel has it; in a muted thread only what wants a person, because a question that nobody
/// sees would keep Devin waiting. The card follows in any case.
pub(super) fn posted(task: &Task, thread: &ThreadKey, link: &Link) -> Tell {
    if link.settings.muted { Tell::only([]) } else { task.rules.of(&thread.channel).tell }
}

fn is_posted(tell: &Tell, news: &Announcement) -> bool {
    match news {
        Announcement::PullRequest { .. } => tell.has(Topic::PullRequests),
        // What came out belongs to the news that the work is done.
        Announcement::Output(_) => tell.has(Topic::Finished),
        Announcement::Transition(state) => tell.has_phase(&Phase::of(state)),
    }
}

async fn say(
    task: &mut Task,
    thread: &ThreadKey,
    link: &mut Link,
    news: &Announcement,
    seen: &Observation,
) -> Result<(), Halt> {
    let step = step(news);
    match news {
        Announcement::PullRequest { url, state } => {
            let mut facts = vec![("session_id", link.session.to_string()), ("pull_request", url.clone())];
            facts.extend(state.as_ref().map(|state| ("pull_request_state", state.clone())));
            let said = voice::notice(&Notice::pull_request(url, state.as_deref()));
            let mark = news_mark(task, link, &step);
            let say = Say { step: &step, mark, kind: PostKind::Notice, facts, said };
            room::post_for(task, thread, link, say).await
        }
        Announcement::Output(value) => output::post(task, thread, link, &step, value).await,
        Announcement::Transition(state) if Phase::of(state) == Phase::NeedsApproval => {
            asking::ask(task, thread, link, &step, seen).await
        }
        Announcement::Transition(_) => {
            let said = voice::transition(&TransitionView {
                seen,
                requester: &link.requester,
                asked_by: &link.runs_as,
                started_at: link.started_at,
                acu_limit: link.options.acu,
            });
            let say = transition(task, link, &step, &seen.state, said);
            room::post_for(task, thread, link, say).await
        }
    }
}

/// The post for a state, with what Devin wrote of it.
pub(super) fn transition<'a>(task: &Task, link: &Link, step: &'a str, state: &State, said: Said) -> Say<'a> {
    let mut facts = vec![("session_id", link.session.to_string()), ("status", state.status.to_string())];
    facts.extend(state.detail.as_ref().map(|d| ("status_detail", d.to_string())));
    facts.extend(state.archived.then(|| ("archived", true.to_string())));
    Say { step, mark: news_mark(task, link, step), kind: PostKind::Transition, facts, said }
}

/// The step that tells a piece of news, named by what it is: another look may bring more news, in another order.
fn step(news: &Announcement) -> String {
    let what = match news {
        Announcement::PullRequest { url, state } => {
            format!("pull request {url} {}", state.as_deref().unwrap_or_default())
        }
        Announcement::Output(output) => format!("output {}", output_digest(output)),
        Announcement::Transition(State { status, detail, archived }) => {
            let detail = detail.as_ref().map(ToString::to_string).unwrap_or_default();
            format!("state {status} {detail} {archived}")
        }
    };
    format!("{TELL}{}", what.trim_end())
}

/// The mark of news. It is named by the look that the thread was told last, and not by the input that brings the news:
/// where that is set aside half-way, another one brings the same.
pub(super) fn news_mark(task: &Task, link: &Link, step: &str) -> String {
    task.deps.marks.of(&["news", link.session.bare(), &task.told, step])
}

/// Whether a step belongs to the thread and not to the input in hand: another input would do the same.
pub(super) fn is_the_threads(step: &str) -> bool {
    [TELL, words::STEP, parcel::STEP, outbox::STEP].iter().any(|begin| step.starts_with(begin))
}

/// Asks Devin directly what the session does, and tells it. Whether Devin knows the session.
pub(super) async fn ask(task: &mut Task, thread: &ThreadKey, link: &mut Link) -> Result<bool, Halt> {
    match task.deps.devin.session(&link.session).await {
        Ok(session) => {
            let seen = session.observe(task.now());
            Box::pin(tell(task, thread, link, seen)).await?;
            Ok(true)
        }
        Err(DevinError::NotFound) => {
            if link.over.is_none() {
                let step = "notice vanished";
                let facts = vec![("session_id", link.session.to_string())];
                let said = voice::notice(&Notice::Vanished);
                let say = Say { step, mark: task.mark(step), kind: PostKind::Notice, facts, said };
                room::post_for(task, thread, link, say).await?;
            }
            let since = link.over.as_ref().map_or(task.now(), |over| over.since);
            link.over = Some(Over { since, how: Ended::Vanished, tail_ended: true });
            Ok(false)
        }
        Err(error) => Err(Halt::retry(&error)),
    }
}

/// Whether the session is over in this state, and since when.
pub(super) fn over(link: Option<&Link>, state: &State, now: Timestamp) -> Option<Over> {
    let how = match Phase::of(state) {
        Phase::Over => Ended::Exited,
        Phase::Failed => Ended::Failed,
        Phase::Archived => Ended::Archived,
        Phase::Starting
        | Phase::Working
        | Phase::Waking
        | Phase::YourTurn
        | Phase::NeedsApproval
        | Phase::Done
        | Phase::Asleep(_)
        | Phase::Held(_)
        | Phase::FailedAsleep
        | Phase::Unheard => return None,
    };
    let known = link.and_then(|link| link.over.clone()).filter(|over| over.how == how);
    Some(known.unwrap_or(Over { since: now, how, tail_ended: false }))
}

/// Brings the card up to date and decides when to wake again. Whoever has a link in hand ends here: to leave otherwise
/// would forget when the mailbox was to wake.
pub(super) async fn settle(task: &mut Task, thread: &ThreadKey, mut link: Link) -> Result<Commit, Halt> {
    let shown_due = Box::pin(show(task, thread, &mut link)).await?;
    let tail_due = tail(&mut link, task.now());
    let outbox_due = due(&link.outbox);
    let dues = [shown_due, tail_due, reread_due(&link), outbox_due];
    let wake = dues.into_iter().flatten().min();
    task.keep(link, wake)
}

/// Brings what shows the state up to date; not while Slack refuses our token, whatever brought us here. The answer is when
/// to come back.
async fn show(task: &Task, thread: &ThreadKey, link: &mut Link) -> Result<Option<Timestamp>, Halt> {
    let now = task.now();
    let mut dues = Vec::new();
    if link.lately.rests_until(now).is_none() {
        dues.push(Box::pin(card::refresh(task, thread, link)).await?);
    }
    if link.lately.rests_until(now).is_none() {
        dues.push(Box::pin(presence::follow(task, thread, link)).await?);
        dues.push(Box::pin(asking::refresh(task, thread, link)).await?);
    }
    dues.push(link.lately.rests_until(now));
    Ok(dues.into_iter().flatten().min())
}

/// Whether the look was taken so soon after the change that another one in the same second would not show.
fn is_fresh(seen: &Observation) -> bool {
    seen.seen_at.as_second() - seen.updated_at <= SAME_MOMENT_SECONDS
}

/// When Devin's words are due for another look.
fn reread_due(link: &Link) -> Option<Timestamp> {
    Some(later(link.reread.since?, *REREAD_AFTER.get(link.reread.times)?))
}

/// When the tail of a session that is over ends; `None` when it has, or when there is none.
fn tail(link: &mut Link, now: Timestamp) -> Option<Timestamp> {
    let over = link.over.as_mut()?;
    let end = later(over.since, TAIL);
    if now >= end {
        over.tail_ended = true;
    }
    (!over.tail_ended).then_some(end)
}
