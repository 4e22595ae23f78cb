//! Speaking in a thread: every post is a step with a mark in its metadata, and is never made outside its thread.

use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{halt::Halt, kind::Speech, label::Label, task::Task};
use crate::{
    domain::{
        ids::{ChannelId, Ts, UserId},
        link::{Effect, Link},
        mailbox::{Mailbox, ThreadKey},
    },
    outbound::Failure as _,
    slack::{Message, Metadata, Post, Posted, Slack, SlackError, ThreadMessage, client::CALL_TIMEOUT},
    steps::StepError,
    store::{Pace, TURN_AHEAD},
    voice::{self, Notice, Said},
};

/// How many messages of a thread are looked through for a lost post: Slack's largest page.
pub(super) const LOOK_BACK_MESSAGES: usize = 999;

/// One post a second into a channel, which is what Slack allows. <https://docs.slack.dev/apis/web-api/rate-limits>
const POST_EVERY: Duration = Duration::from_secs(1);
/// How far a burst of posts may go beyond that.
const POST_AHEAD: Duration = Duration::from_secs(4);
/// The same for what calls people: it goes first where a channel is busy.
const CALL_AHEAD: Duration = Duration::from_secs(8);

/// Longest time for which a channel gets no turns because Slack asked for patience: what people say there has to go into
/// their sessions all the same.
const CLOSED_MAX: Duration = Duration::from_mins(2);

/// Longest text of a second try, in characters: Slack advises at most 4,000.
const MAX_PLAIN_CHARS: usize = 3_900;
/// Ends a text of which Slack did not take the whole.
const CUT: &str = "… (cut here: Slack did not take the whole message)";

/// What a post of ours is, as everybody in the workspace can read in its metadata.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PostKind {
    /// The one status card.
    Card,
    /// A state that people should hear of.
    Transition,
    /// Devin's words.
    Relay,
    /// Everything else we say.
    Notice,
}

impl PostKind {
    /// As it stands in the metadata.
    pub(super) fn event_type(self) -> &'static str {
        match self {
            Self::Card => "bobbin_card",
            Self::Transition => "bobbin_transition",
            Self::Relay => "bobbin_relay",
            Self::Notice => "bobbin_notice",
        }
    }

    pub(super) fn ahead(self) -> Duration {
        match self {
            Self::Transition => CALL_AHEAD,
            Self::Card | Self::Relay | Self::Notice => POST_AHEAD,
        }
    }
}

/// One post to make.
#[derive(Debug)]
pub(super) struct Say<'a> {
    /// The step's name, unique within the input.
    pub(super) step: &'a str,
    /// The mark by which a lost attempt is found.
    pub(super) mark: String,
    /// What it is.
    pub(super) kind: PostKind,
    /// What the metadata says beside the mark.
    pub(super) facts: Vec<(&'static str, String)>,
    /// The words.
    pub(super) said: Said,
}

/// What became of a post.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Outcome {
    /// It was made, now or before.
    Made(Ts),
    /// Slack does not take this one.
    Refused,
    /// The thread takes none: it is gone, its channel is archived, or we are no longer in it.
    Closed,
}

/// Posts into the thread once. That Slack does not take it is an outcome, not a reason to stop: whatever was done
/// before has to be written down all the same.
pub(super) async fn post(task: &mut Task, thread: &ThreadKey, say: Say<'_>) -> Result<Outcome, Halt> {
    let me = task.deps.me().await?.clone();
    if !task.steps.finished(say.step)
        && let Some(at) = paced(task, thread, say.kind.ahead()).await?
    {
        return Err(Halt::Paced { at });
    }
    let slack = task.deps.slack.clone();
    let message = message(&say);
    let act = post_in_thread(&slack, thread, message);
    let find = async {
        let replies = slack.replies(&thread.channel, &thread.root, None, LOOK_BACK_MESSAGES).await?;
        let ours = |m: &&ThreadMessage| m.user.as_ref() == Some(&me.user) && carries(m, &say.mark);
        Ok(replies.iter().find(ours).map(|m| Landed::InThread(m.ts.clone())))
    };
    let posted = Box::pin(task.steps.once(say.step, CALL_TIMEOUT, act, find)).await;
    if task.steps.doubted(say.step) {
        let ours = posted.as_ref().ok().and_then(Landed::in_thread);
        task.doubt(Effect::Post { mark: say.mark.clone(), ours });
    }
    let error = match posted {
        Ok(Landed::InThread(ts)) => return Ok(Outcome::Made(ts)),
        Ok(Landed::Astray { astray }) => {
            return ornament(slack.delete(&thread.channel, &astray).await, "a post in the channel")
                .map(|()| Outcome::Closed);
        }
        Err(StepError::Failed(error)) => error,
        Err(other) => return Err(other.into()),
    };
    if let Some(after) = error.retry_after() {
        close(task, thread, after).await?;
    }
    let outcome = match &error {
        SlackError::Target { .. } => Outcome::Closed,
        SlackError::Payload { .. } | SlackError::Refused { .. } | SlackError::MissingScope { .. } => Outcome::Refused,
        SlackError::RateLimited { .. }
        | SlackError::Unreachable { .. }
        | SlackError::Unsure { .. }
        | SlackError::InstallationGone { .. } => return Err(error.into()),
    };
    tracing::warn!(%error, step = say.step, "a post was not taken");
    Ok(outcome)
}

/// Asks for the thread's channel to post now; otherwise when to ask again. Edits go `ahead` by nothing: they wait until
/// their channel is quiet.
pub(super) async fn paced(task: &Task, thread: &ThreadKey, ahead: Duration) -> Result<Option<Timestamp>, Halt> {
    Ok(task.deps.store.pace(&Mailbox::Thread(thread.clone()), Pace { every: POST_EVERY, ahead }).await?)
}

/// Slack asked for patience in this channel: until then nobody gets a turn to post into it.
pub(super) async fn close(task: &Task, thread: &ThreadKey, after: Duration) -> Result<(), Halt> {
    let pace = Pace { every: after.min(CLOSED_MAX) + TURN_AHEAD, ahead: Duration::from_hours(24) };
    task.deps.store.pace(&Mailbox::Thread(thread.clone()), pace).await?;
    Ok(())
}

/// Posts what a session has to tell, unless its thread takes no posts; one that turns out to take none is remembered.
pub(super) async fn post_for(task: &mut Task, thread: &ThreadKey, link: &mut Link, say: Say<'_>) -> Result<(), Halt> {
    if !link.closed {
        let outcome = post(task, thread, say).await?;
        link.closed = outcome == Outcome::Closed;
        if matches!(outcome, Outcome::Made(_)) {
            link.lately.locked_out = None;
        }
    }
    Ok(())
}

/// Says one of our own sentences in the thread, once.
pub(super) async fn notice(
    task: &mut Task,
    thread: &ThreadKey,
    link: Option<&Link>,
    step: &str,
    notice: &Notice,
) -> Result<Outcome, Halt> {
    let said = voice::answering(notice, &task.id);
    say(task, thread, link, step, said).await
}

/// Says other words of ours in the thread, once.
pub(super) async fn say(
    task: &mut Task,
    thread: &ThreadKey,
    link: Option<&Link>,
    step: &str,
    said: Said,
) -> Result<Outcome, Halt> {
    let facts = link.map(|l| ("session_id", l.session.to_string())).into_iter().collect();
    post(task, thread, Say { step, mark: task.mark(step), kind: PostKind::Notice, facts, said }).await
}

/// Answers somebody so that only they see it, at most once. What begins a thread is answered beside it: in a thread
/// that nobody replied in yet such a message is never shown.
/// <https://docs.slack.dev/reference/methods/chat.postEphemeral>
pub(super) async fn whisper(task: &mut Task, speech: &Speech, step: &str, said: Said) -> Result<(), Halt> {
    let thread = Some(&speech.thread.root).filter(|root| **root != speech.ts);
    whisper_to(task, (speech.channel(), thread), &speech.user, step, said).await
}

/// The same for somebody who did not say anything just now.
pub(super) async fn whisper_to(
    task: &mut Task,
    (channel, thread): (&ChannelId, Option<&Ts>),
    user: &UserId,
    step: &str,
    said: Said,
) -> Result<(), Halt> {
    let slack = task.deps.slack.clone();
    let act = slack.whisper(channel, user, thread, &said.text);
    match task.steps.at_most_once(step, act).await {
        // They left the channel, or the thread is gone: there is nobody to tell.
        Err(StepError::Failed(SlackError::Target { code } | SlackError::Refused { code })) => {
            tracing::info!(code, "nobody to whisper to");
            Ok(())
        }
        other => Ok(other?),
    }
}

/// Puts a reaction on a message. That it cannot be put there (deleted, too many, not permitted) is no reason to stop.
pub(super) async fn react(task: &Task, channel: &ChannelId, ts: &Ts, name: &str) -> Result<(), Halt> {
    ornament(task.deps.slack.react(channel, ts, name).await, name)
}

/// Takes a reaction of ours back. That it cannot be taken back is no reason to stop either.
pub(super) async fn unreact(task: &Task, channel: &ChannelId, ts: &Ts, name: &str) -> Result<(), Halt> {
    ornament(task.deps.slack.unreact(channel, ts, name).await, name)
}

/// Passing troubles are tried again; what Slack refuses for good is left as it is.
pub(super) fn ornament(result: Result<(), SlackError>, what: &str) -> Result<(), Halt> {
    match result {
        Err(
            error @ (SlackError::Target { .. }
            | SlackError::Refused { .. }
            | SlackError::MissingScope { .. }
            | SlackError::Payload { .. }),
        ) => {
            tracing::warn!(%error, what, "Slack does not take it, and all goes on without");
            Ok(())
        }
        other => Ok(other?),
    }
}

/// A message as Slack takes it, with its metadata.
pub(super) fn message(say: &Say<'_>) -> Message {
    let mut facts: Map<String, Value> =
        say.facts.iter().map(|(name, value)| ((*name).to_owned(), Value::from(value.clone()))).collect();
    facts.insert("key".to_owned(), Value::from(say.mark.clone()));
    Message {
        text: say.said.text.clone(),
        blocks: say.said.blocks.clone(),
        metadata: Some(Metadata { event_type: say.kind.event_type().to_owned(), event_payload: facts }),
    }
}

/// Where a post came to stand, as it is written into the journal.
#[derive(Debug, Serialize, Deserialize)]
#[serde(untagged)]
enum Landed {
    /// Where it belongs.
    InThread(Ts),
    /// In the channel, where everybody sees it: Slack does not refuse a post into a thread whose first message was
    /// deleted. It is taken back, and that is tried until it works: posting again would only add another.
    Astray { astray: Ts },
}

impl Landed {
    fn in_thread(&self) -> Option<Ts> {
        match self {
            Self::InThread(ts) => Some(ts.clone()),
            Self::Astray { .. } => None,
        }
    }
}

/// Posts a message; one that Slack does not take as it is once more as plain text. A refusal is certain, so that there is
/// one post at most.
async fn post_in_thread(slack: &Slack, thread: &ThreadKey, message: Message) -> Result<Landed, SlackError> {
    let plain = plainly(&message);
    let post = |message| Post { channel: thread.channel.clone(), thread: Some(thread.root.clone()), message };
    let Posted { ts, thread_ts } = match (slack.post(&post(message)).await, plain) {
        (Err(SlackError::Payload { code, details }), Some(plain)) => {
            tracing::warn!(code, ?details, "Slack does not take a post as it is; sent as plain text");
            metrics::counter!("bobbin_posts_sent_plainly_total").increment(1);
            slack.post(&post(plain)).await?
        }
        (posted, _) => posted?,
    };
    Ok(if thread_ts.as_ref() == Some(&thread.root) { Landed::InThread(ts) } else { Landed::Astray { astray: ts } })
}

/// A message as plain text, with the same mark; `None` where it would be the same message.
fn plainly(message: &Message) -> Option<Message> {
    let long = message.text.chars().count() > MAX_PLAIN_CHARS;
    if message.text.trim().is_empty() || (message.blocks.is_none() && !long) {
        return None;
    }
    let text = if long {
        let room = MAX_PLAIN_CHARS - CUT.chars().count();
        // Not in the middle of an entity.
        let kept: String = message.text.chars().take(room).collect();
        let whole = kept.rfind('&').filter(|at| !kept.get(*at..).unwrap_or_default().contains(';'));
        format!("{}{CUT}", kept.get(..whole.unwrap_or(kept.len())).unwrap_or(&kept))
    } else {
        message.text.clone()
    };
    Some(Message { text, blocks: None, metadata: message.metadata.clone() })
}

/// Whether a message carries a mark: in its metadata, or in the id of a block where a message can carry none.
pub(super) fn carries(message: &ThreadMessage, mark: &str) -> bool {
    let key = message.metadata.as_ref().and_then(|m| m.event_payload.get("key"));
    key.and_then(Value::as_str) == Some(mark) || Label::of(message).is_some_and(|label| label.mark == mark)
}
