//! What is tried out at Slack: whether metadata can be read and how soon, and whether it takes an agent's state.

use std::time::Instant;

use serde_json::{Map, json};

use super::live::{Stopped, Trial};
use crate::{
    domain::{ids::Ts, presence::AgentState},
    slack::{AgentStatus, Message, Metadata, Post, SlackError, ThreadMessage},
};

/// The type in the metadata of its one post: none that the bot looks for.
const EVENT_TYPE: &str = "bobbin_doctor";
/// Messages of a thread or channel that are read at once.
const PAGE: usize = 15;

/// Posts into the channel; `None` where Slack does not take it.
pub(super) async fn post(trial: &mut Trial) -> Result<Option<Ts>, Stopped> {
    trial.going()?;
    let text = "`bobbin doctor --live` is trying something out here. It takes this message away again.";
    match say(trial, None, text).await {
        Ok(root) => Ok(Some(root)),
        Err(error) => {
            trial.failed("post", &error.to_string(), "invite the bot into the channel (/invite), or name another");
            Ok(None)
        }
    }
}

async fn say(trial: &mut Trial, thread: Option<Ts>, text: &str) -> Result<Ts, SlackError> {
    let key = Map::from_iter([("key".to_owned(), json!(trial.mark))]);
    let metadata = Metadata { event_type: EVENT_TYPE.to_owned(), event_payload: key };
    let message = Message { text: text.to_owned(), blocks: None, metadata: Some(metadata) };
    let posted = trial.slack.post(&Post { channel: trial.order.channel.clone(), thread, message }).await?;
    trial.posts.insert(posted.ts.clone());
    Ok(posted.ts)
}

/// How soon the metadata of a reply can be read.
pub(super) async fn metadata(trial: &mut Trial, root: &Ts) -> Result<(), Stopped> {
    const NAME: &str = "metadata";
    let reply = match say(trial, Some(root.clone()), "One reply, to be read again.").await {
        Ok(reply) => reply,
        Err(error) => {
            trial.not_found_out(NAME, &error.to_string());
            return Ok(());
        }
    };
    let began = Instant::now();
    loop {
        let read = trial.slack.replies(&trial.order.channel, root, None, PAGE).await;
        let ours = |message: &ThreadMessage| message.ts == reply && carries(message.metadata.as_ref(), &trial.mark);
        let why = match read {
            Ok(messages) if messages.iter().any(ours) => {
                let lag = began.elapsed().as_secs();
                trial.findings.metadata_lag_s = Some(lag);
                let found = format!("a post's metadata can be read after {lag} s");
                trial.found(
                    NAME,
                    &found,
                    "a lost post is looked for by its key, last when it was to be seen twice over",
                );
                return Ok(());
            }
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        };
        if trial.look_again(began).await? {
            continue;
        }
        if let Some(why) = why {
            trial.not_found_out(NAME, &why);
        } else {
            // It takes longer than that, if it can be read at all: a lost post may be made twice, and the sweep finds both.
            let waited = trial.order.within.as_secs();
            trial.findings.metadata_lag_s = Some(waited);
            let found = format!("a post's metadata cannot be read within {waited} s");
            trial.found(NAME, &found, "a lost post is looked for later; if it cannot be found, it is made again");
        }
        return Ok(());
    }
}

/// Whether Slack takes an agent's state in this workspace.
pub(super) async fn agent(trial: &mut Trial, root: &Ts) -> Result<(), Stopped> {
    const NAME: &str = "agent_sessions";
    trial.going()?;
    let state =
        |state| AgentStatus { channel: &trial.order.channel, thread: root, state, title: None, initiator: None };
    let answer = trial.slack.set_agent_status(&state(AgentState::Processing)).await;
    // The state lapses by itself: an end that is not taken leaves nothing behind for long.
    let ended = trial.slack.set_agent_status(&state(AgentState::Closed)).await;
    match answer.and(ended) {
        Ok(()) => {
            trial.findings.agent_sessions = Some(true);
            trial.found(NAME, "Slack takes an agent's state", "threads show it, with Slack's own stop button");
        }
        Err(error) if error.is_unavailable() => {
            trial.findings.agent_sessions = Some(false);
            trial.found(NAME, &error.to_string(), "threads show the state on the card alone");
        }
        Err(error) => trial.not_found_out(NAME, &error.to_string()),
    }
    Ok(())
}

/// Deletes what was posted, a post whose answer was lost included.
pub(super) async fn clean_up(trial: &mut Trial) -> Result<(), String> {
    let newest = trial.slack.newest(&trial.order.channel, PAGE).await;
    let ours = newest.iter().flatten().filter(|message| carries(message.metadata.as_ref(), &trial.mark));
    trial.posts.extend(ours.map(|message| message.ts.clone()));
    let replies = match trial.posts.first() {
        Some(root) => trial.slack.replies(&trial.order.channel, root, None, PAGE).await,
        None => Ok(Vec::new()),
    };
    let ours = replies.iter().flatten().filter(|message| carries(message.metadata.as_ref(), &trial.mark));
    trial.posts.extend(ours.map(|message| message.ts.clone()));
    while let Some(ts) = trial.posts.first().cloned() {
        match trial.slack.delete(&trial.order.channel, &ts).await {
            Err(error) if error.code() != Some("message_not_found") => return Err(error.to_string()),
            Ok(()) | Err(_) => trial.posts.remove(&ts),
        };
    }
    Ok(())
}

fn carries(metadata: Option<&Metadata>, mark: &str) -> bool {
    metadata.and_then(|metadata| metadata.event_payload.get("key")).and_then(|key| key.as_str()) == Some(mark)
}
