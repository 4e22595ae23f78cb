//! Calls that only look: who we are, people, channels, messages.

use std::collections::HashSet;

use serde::Deserialize;
use serde_json::Value;

use super::{
    error::SlackError,
    transport::{Body, Slack, part},
};
use crate::{
    domain::ids::{ChannelId, TeamId, Ts, UserId},
    slack::wire::{
        lenient::fitting,
        objects::{Channel, File, ThreadMessage, User},
    },
};

/// Pages of one thread that are read: at the vendor's thousand a page, more than any thread; at the fifteen that some
/// apps get, enough for what was posted since a message of ours.
const MAX_PAGES: usize = 20;

/// Messages per page that the vendor allows.
const MAX_PAGE_MESSAGES: usize = 1000;

/// Who the token is.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Identity {
    /// Workspace, or organisation for an organisation-wide installation.
    #[serde(rename = "team_id")]
    pub team: TeamId,
    /// The workspace's name.
    #[serde(rename = "team", default, deserialize_with = "fitting")]
    pub team_name: String,
    /// The bot as a user.
    #[serde(rename = "user_id")]
    pub user: UserId,
    /// The bot as an author of posts.
    #[serde(default, deserialize_with = "fitting")]
    pub bot_id: Option<String>,
    /// The app; most answers leave it out.
    #[serde(default, deserialize_with = "fitting")]
    pub app_id: Option<String>,
    /// The workspace's address.
    #[serde(default, deserialize_with = "fitting")]
    pub url: String,
}

impl Slack {
    /// Says who the token is; the cheapest sign of life.
    ///
    /// <https://docs.slack.dev/reference/methods/auth.test>
    ///
    /// # Errors
    ///
    /// [`SlackError`].
    pub async fn auth_test(&self) -> Result<Identity, SlackError> {
        let mut answer = self.call("auth.test", Body::Form(Vec::new())).await?;
        part(&mut answer, "")
    }

    /// Reads a thread, oldest first, its first message included; with `oldest`, what came at or after that message.
    /// `limit` is the size of a page.
    ///
    /// <https://docs.slack.dev/reference/methods/conversations.replies>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; a thread longer than can be read is [`SlackError::Unsure`], because a finder must not take what
    /// it has not read for absent.
    pub async fn replies(
        &self,
        channel: &ChannelId,
        root: &Ts,
        oldest: Option<&Ts>,
        limit: usize,
    ) -> Result<Vec<ThreadMessage>, SlackError> {
        let mut fields = thread_fields(channel, root, limit.clamp(1, MAX_PAGE_MESSAGES));
        if let Some(oldest) = oldest {
            fields.push(("oldest", oldest.to_string()));
            fields.push(("inclusive", "true".to_owned()));
        }
        let mut messages: Vec<ThreadMessage> = Vec::new();
        let mut seen = HashSet::new();
        let mut cursor: Option<String> = None;
        for _ in 0..MAX_PAGES {
            let mut page_fields = fields.clone();
            page_fields.extend(cursor.iter().map(|cursor| ("cursor", cursor.clone())));
            let page = Page::read(self.call("conversations.replies", Body::Form(page_fields)).await?)?;
            // Every page may begin with the thread's first message again.
            messages.extend(page.messages.into_iter().filter(|message| seen.insert(message.ts.clone())));
            match page.next {
                Some(next) if cursor.as_ref() != Some(&next) => cursor = Some(next),
                Some(_) | None => return Ok(messages),
            }
        }
        Err(SlackError::Unsure { why: format!("the thread has more than {MAX_PAGES} pages") })
    }

    /// Reads one message, in the channel or in a thread; `None` when it is not there.
    ///
    /// <https://docs.slack.dev/messaging/retrieving-messages#individual_messages>
    ///
    /// # Errors
    ///
    /// [`SlackError`].
    pub async fn message(&self, channel: &ChannelId, ts: &Ts) -> Result<Option<ThreadMessage>, SlackError> {
        let history = vec![
            ("channel", channel.to_string()),
            ("latest", ts.to_string()),
            ("inclusive", "true".to_owned()),
            ("limit", "1".to_owned()),
            ("include_all_metadata", "true".to_owned()),
        ];
        let page = Page::read(self.call("conversations.history", Body::Form(history)).await?)?;
        if let Some(found) = page.messages.into_iter().find(|message| message.ts == *ts) {
            return Ok(Some(found));
        }
        let mut thread = thread_fields(channel, ts, 1);
        thread.extend([("latest", ts.to_string()), ("oldest", ts.to_string()), ("inclusive", "true".to_owned())]);
        let answer = match self.call("conversations.replies", Body::Form(thread)).await {
            Err(error) if matches!(error.code(), Some("thread_not_found" | "message_not_found")) => return Ok(None),
            answer => answer?,
        };
        Ok(Page::read(answer)?.messages.into_iter().find(|message| message.ts == *ts))
    }

    /// Reads the newest messages of a channel itself, newest first; replies in threads are not among them.
    ///
    /// <https://docs.slack.dev/reference/methods/conversations.history>
    ///
    /// # Errors
    ///
    /// [`SlackError`].
    pub async fn newest(&self, channel: &ChannelId, limit: usize) -> Result<Vec<ThreadMessage>, SlackError> {
        let fields = vec![
            ("channel", channel.to_string()),
            ("limit", limit.clamp(1, MAX_PAGE_MESSAGES).to_string()),
            ("include_all_metadata", "true".to_owned()),
        ];
        Ok(Page::read(self.call("conversations.history", Body::Form(fields)).await?)?.messages)
    }

    /// Reads a person.
    ///
    /// <https://docs.slack.dev/reference/methods/users.info>
    ///
    /// # Errors
    ///
    /// [`SlackError`].
    pub async fn user(&self, user: &UserId) -> Result<User, SlackError> {
        part(&mut self.call("users.info", Body::Form(vec![("user", user.to_string())])).await?, "user")
    }

    /// Reads a channel.
    ///
    /// <https://docs.slack.dev/reference/methods/conversations.info>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; `channel_not_found` also means a private channel without the bot.
    pub async fn channel(&self, channel: &ChannelId) -> Result<Channel, SlackError> {
        let fields = vec![("channel", channel.to_string())];
        part(&mut self.call("conversations.info", Body::Form(fields)).await?, "channel")
    }

    /// Gives the web address of a message.
    ///
    /// <https://docs.slack.dev/reference/methods/chat.getPermalink>
    ///
    /// # Errors
    ///
    /// [`SlackError`].
    pub async fn permalink(&self, channel: &ChannelId, ts: &Ts) -> Result<String, SlackError> {
        let fields = vec![("channel", channel.to_string()), ("message_ts", ts.to_string())];
        part(&mut self.call("chat.getPermalink", Body::Form(fields)).await?, "permalink")
    }

    /// Reads what is known of a file.
    ///
    /// <https://docs.slack.dev/reference/methods/files.info>
    ///
    /// # Errors
    ///
    /// [`SlackError`].
    pub async fn file(&self, id: &str) -> Result<File, SlackError> {
        part(&mut self.call("files.info", Body::Form(vec![("file", id.to_owned())])).await?, "file")
    }
}

fn thread_fields(channel: &ChannelId, root: &Ts, limit: usize) -> Vec<(&'static str, String)> {
    vec![
        ("channel", channel.to_string()),
        ("ts", root.to_string()),
        ("limit", limit.to_string()),
        ("include_all_metadata", "true".to_owned()),
    ]
}

/// One page of messages.
struct Page {
    messages: Vec<ThreadMessage>,
    next: Option<String>,
}

impl Page {
    fn read(mut answer: Value) -> Result<Self, SlackError> {
        let next = answer.pointer("/response_metadata/next_cursor").and_then(Value::as_str);
        let next = next.filter(|cursor| !cursor.is_empty()).map(str::to_owned);
        let rows: Vec<Value> = part(&mut answer, "messages")?;
        let messages = rows.into_iter().filter_map(|row| serde_json::from_value(row).ok()).collect();
        Ok(Self { messages, next })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_identity_is_read() {
        let mut answer = json!({ "ok": true, "url": "https://loom.slack.com/", "team": "Loom", "user": "bobbin",
            "team_id": "T07LOOM01", "user_id": "U07BOBBIN1", "bot_id": "B07BOBBIN", "is_enterprise_install": false });
        let identity: Identity = part(&mut answer, "").unwrap();
        assert_eq!((identity.team.as_str(), identity.user.as_str()), ("T07LOOM01", "U07BOBBIN1"));
        assert_eq!((identity.bot_id.as_deref(), identity.app_id), (Some("B07BOBBIN"), None));
    }

    #[test]
    fn a_page_ends_with_an_empty_cursor() {
        let page = |cursor: &str| {
            let answer = json!({ "ok": true, "messages": [{ "ts": "1.2", "text": "x" }, { "no": "ts" }],
                "response_metadata": { "next_cursor": cursor } });
            Page::read(answer).unwrap()
        };
        assert_eq!(page("").next, None);
        assert_eq!(page("abc").next.as_deref(), Some("abc"));
        assert_eq!(page("").messages.len(), 1);
    }

    #[test]
    fn an_answer_without_its_object_is_not_taken_for_absence() {
        let result: Result<User, _> = part(&mut json!({ "ok": true, "user": null }), "user");
        assert!(matches!(result, Err(SlackError::Unsure { .. })));
        assert!(Page::read(json!({ "ok": true })).is_err());
    }

    #[test]
    fn a_person_keeps_slacks_flags() {
        let user: User = serde_json::from_value(json!({ "id": "U1", "team_id": "T1", "name": "lin", "deleted": false,
            "is_restricted": true, "is_stranger": null, "is_email_confirmed": false, "real_name": " ",
            "profile": { "display_name": "", "real_name": "Lin Weft", "email": " lin@loom.example " },
            "enterprise_user": { "enterprise_id": "E1", "teams": ["T1", 5, "T2"] } }))
        .unwrap();
        assert!(user.is_restricted && !user.is_stranger && user.is_email_confirmed == Some(false));
        assert_eq!((user.display_name(), user.email()), ("Lin Weft", Some("lin@loom.example")));
        assert_eq!(user.enterprise_user.unwrap().teams.len(), 2);
    }
}
