//! Calls that people see: messages and reactions.
//!
//! Nothing here is expanded by Slack on its own: no unfurls, no name linking, no parsing of bare words.

use serde_json::{Map, Value, json};

use super::{
    error::SlackError,
    transport::{Body, Slack, part},
};
use crate::{
    domain::ids::{ChannelId, Ts, UserId},
    slack::wire::objects::Metadata,
};

/// What a message says.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// mrkdwn; with blocks, what notifications and screen readers get.
    pub text: String,
    /// Block Kit.
    pub blocks: Option<Value>,
    /// What it carries for programs.
    pub metadata: Option<Metadata>,
}

/// A message and where it goes.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// Channel.
    pub channel: ChannelId,
    /// First message of the thread; `None` posts into the channel itself.
    pub thread: Option<Ts>,
    /// What it says.
    pub message: Message,
}

/// A message that was posted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posted {
    /// Which message it is.
    pub ts: Ts,
    /// The first message of its thread.
    pub thread_ts: Option<Ts>,
}

impl Slack {
    /// Posts a message.
    ///
    /// <https://docs.slack.dev/reference/methods/chat.postMessage>
    ///
    /// # Errors
    ///
    /// [`SlackError`].
    pub async fn post(&self, post: &Post) -> Result<Posted, SlackError> {
        let mut body = arguments(&post.channel, &post.message);
        if let Some(thread) = &post.thread {
            body.insert("thread_ts".to_owned(), json!(thread));
        }
        let mut answer = self.call("chat.postMessage", Body::Json(Value::Object(body))).await?;
        let thread_ts = answer.pointer("/message/thread_ts").and_then(Value::as_str).and_then(|ts| ts.parse().ok());
        Ok(Posted { ts: part(&mut answer, "ts")?, thread_ts })
    }

    /// Replaces a message of ours. Without blocks it loses those it had; without metadata it keeps it.
    ///
    /// <https://docs.slack.dev/reference/methods/chat.update>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; repeating is safe, the last text wins.
    pub async fn update(&self, channel: &ChannelId, ts: &Ts, message: &Message) -> Result<(), SlackError> {
        let mut body = arguments(channel, message);
        body.insert("ts".to_owned(), json!(ts));
        self.call("chat.update", Body::Json(Value::Object(body))).await.map(drop)
    }

    /// Takes a message of ours away; one that is gone already counts as taken away.
    ///
    /// <https://docs.slack.dev/reference/methods/chat.delete>
    ///
    /// # Errors
    ///
    /// [`SlackError`].
    pub async fn delete(&self, channel: &ChannelId, ts: &Ts) -> Result<(), SlackError> {
        let body = json!({ "channel": channel, "ts": ts });
        settled(self.call("chat.delete", Body::Json(body)).await, "message_not_found")
    }

    /// Says something to one person alone; it is not stored, and cannot be changed or found later.
    ///
    /// <https://docs.slack.dev/reference/methods/chat.postEphemeral>
    ///
    /// # Errors
    ///
    /// [`SlackError`].
    pub async fn whisper(
        &self,
        channel: &ChannelId,
        user: &UserId,
        thread: Option<&Ts>,
        text: &str,
    ) -> Result<(), SlackError> {
        self.whisper_with(channel, user, thread, (text, None)).await
    }

    /// The same with blocks, which may hold buttons: whoever presses one can have the message changed.
    ///
    /// # Errors
    ///
    /// [`SlackError`].
    pub async fn whisper_with(
        &self,
        channel: &ChannelId,
        user: &UserId,
        thread: Option<&Ts>,
        (text, blocks): (&str, Option<&Value>),
    ) -> Result<(), SlackError> {
        let mut body = Map::new();
        body.extend([("channel", json!(channel)), ("user", json!(user)), ("text", json!(text))].map(named));
        body.extend(thread.map(|thread| named(("thread_ts", json!(thread)))));
        body.extend(blocks.map(|blocks| named(("blocks", blocks.clone()))));
        self.call("chat.postEphemeral", Body::Json(Value::Object(body))).await.map(drop)
    }

    /// Writes to a person, in their conversation with us.
    ///
    /// <https://docs.slack.dev/reference/methods/chat.postMessage#app_home>
    ///
    /// # Errors
    ///
    /// [`SlackError`].
    pub async fn write_to(&self, user: &UserId, text: &str) -> Result<(), SlackError> {
        let body = json!({ "channel": user, "text": text, "unfurl_links": false, "unfurl_media": false });
        self.call("chat.postMessage", Body::Json(body)).await.map(drop)
    }

    /// Adds a reaction (its name without colons); one that is there already counts as added.
    ///
    /// <https://docs.slack.dev/reference/methods/reactions.add>
    ///
    /// # Errors
    ///
    /// [`SlackError`].
    pub async fn react(&self, channel: &ChannelId, ts: &Ts, name: &str) -> Result<(), SlackError> {
        let body = json!({ "channel": channel, "timestamp": ts, "name": name });
        settled(self.call("reactions.add", Body::Json(body)).await, "already_reacted")
    }

    /// Takes a reaction of ours back; one that is not there counts as taken back.
    ///
    /// <https://docs.slack.dev/reference/methods/reactions.remove>
    ///
    /// # Errors
    ///
    /// [`SlackError`].
    pub async fn unreact(&self, channel: &ChannelId, ts: &Ts, name: &str) -> Result<(), SlackError> {
        let body = json!({ "channel": channel, "timestamp": ts, "name": name });
        settled(self.call("reactions.remove", Body::Json(body)).await, "no_reaction")
    }
}

fn named((name, value): (&str, Value)) -> (String, Value) {
    (name.to_owned(), value)
}

fn arguments(channel: &ChannelId, message: &Message) -> Map<String, Value> {
    let mut body = Map::new();
    body.insert("channel".to_owned(), json!(channel));
    body.insert("text".to_owned(), json!(message.text));
    body.insert("unfurl_links".to_owned(), json!(false));
    body.insert("unfurl_media".to_owned(), json!(false));
    if let Some(blocks) = &message.blocks {
        body.insert("blocks".to_owned(), blocks.clone());
    }
    if let Some(metadata) = &message.metadata {
        body.insert("metadata".to_owned(), json!(metadata));
    }
    body
}

/// The refusal that says that things are already as wanted is a success.
fn settled(result: Result<Value, SlackError>, already: &str) -> Result<(), SlackError> {
    match result {
        Ok(_) => Ok(()),
        Err(error) if error.code() == Some(already) => Ok(()),
        Err(error) => Err(error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_never_unfurls_and_leaves_out_what_it_has_not() {
        let message = Message { text: "hello".to_owned(), blocks: None, metadata: None };
        let body = Value::Object(arguments(&"C1".parse().unwrap(), &message));
        assert_eq!(body, json!({ "channel": "C1", "text": "hello", "unfurl_links": false, "unfurl_media": false }));
    }

    #[test]
    fn metadata_goes_out_in_slacks_shape() {
        let payload = Map::from_iter([("key".to_owned(), json!("k1"))]);
        let metadata = Some(Metadata { event_type: "bobbin_card".to_owned(), event_payload: payload });
        let message = Message { text: "x".to_owned(), blocks: Some(json!([])), metadata };
        let body = arguments(&"C1".parse().unwrap(), &message);
        assert_eq!(body["metadata"], json!({ "event_type": "bobbin_card", "event_payload": { "key": "k1" } }));
    }

    #[test]
    fn only_the_one_refusal_counts_as_done() {
        let refused = |code: &str| Err(SlackError::Refused { code: code.to_owned() });
        assert!(settled(refused("already_reacted"), "already_reacted").is_ok());
        assert!(settled(refused("too_many_reactions"), "already_reacted").is_err());
    }
}
