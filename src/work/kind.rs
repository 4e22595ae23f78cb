//! What an input asks for, read from its stored body.

use crate::{
    domain::{
        ids::{ChannelId, TeamId, Ts, UserId},
        mailbox::{Mailbox, ThreadKey},
        sighting::Sighting,
    },
    slack::{
        File, text,
        wire::{
            command::CommandForm,
            event::{Event, EventEnvelope, MessageEvent},
            interaction::{Interaction, MessageAction},
        },
    },
    store::{Door, Input},
};

/// What an input asks for.
#[derive(Debug)]
pub(super) enum Kind {
    /// A person speaks to us, or in a thread of ours.
    Speech(Speech),
    /// The watch saw something.
    Sighting(Sighting),
    /// A person's profile changed.
    ProfileChanged {
        /// Workspace.
        team: TeamId,
        /// The person.
        user: UserId,
    },
    /// A slash command.
    Command {
        /// Where to answer; Slack always says, so that without it there is nobody to answer.
        response_url: Option<String>,
    },
}

/// A person's message.
#[derive(Debug, Clone)]
pub(super) struct Speech {
    /// The thread it belongs to.
    pub(super) thread: ThreadKey,
    /// Who acts: the author, or whoever used the shortcut on somebody's message.
    pub(super) user: UserId,
    /// The message.
    pub(super) ts: Ts,
    /// Its text, in Slack's markup.
    pub(super) text: String,
    /// Whether it was said to us: a mention, a direct message, or the shortcut. Talk in a thread is not.
    pub(super) addressed: bool,
    /// Where only the person who used the shortcut is answered.
    pub(super) response_url: Option<String>,
    /// Its files; `None` when the event does not say.
    pub(super) files: Option<Vec<File>>,
    /// Whether it is a later version of a message.
    pub(super) edited: bool,
    /// Whether the event itself shows that its author is of another organisation.
    pub(super) from_outside: bool,
}

/// An input whose body cannot be read as what it was admitted for.
#[derive(Debug, thiserror::Error)]
#[error("the stored body of a {door} input cannot be read: {why}")]
pub(super) struct Unreadable {
    door: Door,
    why: String,
}

impl Kind {
    /// The word used in logs and metrics.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Speech(_) => "speech",
            Self::Sighting(Sighting::SessionChanged { .. }) => "session_changed",
            Self::Sighting(Sighting::SessionMissing { .. }) => "session_missing",
            Self::Sighting(Sighting::NewsStopped { .. }) => "news_stopped",
            Self::Sighting(Sighting::NewsResumed { .. }) => "news_resumed",
            Self::ProfileChanged { .. } => "profile_changed",
            Self::Command { .. } => "command",
        }
    }

    /// Reads an input.
    pub(super) fn read(mailbox: &Mailbox, input: &Input) -> Result<Self, Unreadable> {
        let unreadable = |why: String| Unreadable { door: input.door, why };
        let body = input.body.bytes();
        match input.door {
            Door::Watch => serde_json::from_slice(body).map(Self::Sighting).map_err(|e| unreadable(e.to_string())),
            Door::Events => event(mailbox, body).map_err(unreadable),
            Door::Interactions => interaction(mailbox, body).map_err(unreadable),
            Door::Commands => match CommandForm::parse(body).map_err(|e| unreadable(e.to_string()))? {
                CommandForm::Command(command) => Ok(Self::Command { response_url: command.response_url }),
                CommandForm::SslCheck => Err(unreadable("a check of our certificate".to_owned())),
            },
        }
    }
}

fn event(mailbox: &Mailbox, body: &[u8]) -> Result<Kind, String> {
    let EventEnvelope { event, authorization, is_ext_shared_channel, enterprise_id, .. } =
        EventEnvelope::parse(body).map_err(|e| e.to_string())?;
    let bot = authorization.filter(|a| a.is_bot).and_then(|a| a.user_id);
    // Outside a shared channel everybody is of the house; on Enterprise Grid only the profile tells.
    let may_be_outside = is_ext_shared_channel && enterprise_id.is_none();
    match event {
        // Mentions often come without the message's files, so that an empty list says nothing.
        Event::Mention(event) => {
            let files = Some(event.message.files.clone()).filter(|files| !files.is_empty());
            speech(mailbox, *event, may_be_outside).map(|s| Kind::Speech(Speech { addressed: true, files, ..s }))
        }
        Event::Message(event) => {
            let mentions_us = bot.is_some_and(|bot| text::mentions(&event.message.text, &bot));
            let direct = event.channel.is_direct() || event.channel_type.as_deref() == Some("im");
            let addressed = mentions_us || direct;
            speech(mailbox, *event, may_be_outside).map(|s| Kind::Speech(Speech { addressed, ..s }))
        }
        Event::UserChanged(change) => match mailbox {
            Mailbox::Person { team, user } if *user == change.id => {
                Ok(Kind::ProfileChanged { team: team.clone(), user: user.clone() })
            }
            Mailbox::Person { .. } | Mailbox::Thread(_) | Mailbox::Workspace { .. } => {
                Err("a profile in somebody else's mailbox".to_owned())
            }
        },
        Event::MessageChanged { .. }
        | Event::MessageDeleted { .. }
        | Event::HomeOpened { .. }
        | Event::MemberJoined { .. }
        | Event::ChannelIdChanged { .. }
        | Event::AgentStopped { .. }
        | Event::Uninstalled
        | Event::TokensRevoked { .. }
        | Event::Other { .. } => Err("an event without a handler".to_owned()),
    }
}

fn speech(mailbox: &Mailbox, event: MessageEvent, may_be_outside: bool) -> Result<Speech, String> {
    let message = event.message;
    let thread = thread(mailbox)?;
    let home = message.user_team.or(message.source_team).or(message.team);
    Ok(Speech {
        from_outside: may_be_outside && home.is_some_and(|home| home != thread.team),
        thread,
        user: message.user.ok_or("a message without an author")?,
        ts: message.ts,
        text: message.text,
        addressed: false,
        response_url: None,
        files: Some(message.files),
        edited: message.edited.is_some(),
    })
}

fn interaction(mailbox: &Mailbox, body: &[u8]) -> Result<Kind, String> {
    match Interaction::from_form(body).map_err(|e| e.to_string())? {
        Interaction::MessageAction(action) => shortcut(mailbox, *action).map(Kind::Speech),
        Interaction::BlockActions(_)
        | Interaction::Shortcut(_)
        | Interaction::ViewSubmission(_)
        | Interaction::ViewClosed(_)
        | Interaction::BlockSuggestion(_)
        | Interaction::Other { .. } => Err("an interaction without a handler".to_owned()),
    }
}

/// The shortcut on a message asks for what the message says, as the person who used the shortcut.
fn shortcut(mailbox: &Mailbox, action: MessageAction) -> Result<Speech, String> {
    Ok(Speech {
        thread: thread(mailbox)?,
        user: action.actor.user,
        ts: action.message.ts,
        text: action.message.text,
        addressed: true,
        response_url: action.response_url,
        files: Some(action.message.files),
        edited: false,
        from_outside: false,
    })
}

fn thread(mailbox: &Mailbox) -> Result<ThreadKey, String> {
    match mailbox {
        Mailbox::Thread(thread) => Ok(thread.clone()),
        Mailbox::Person { .. } | Mailbox::Workspace { .. } => Err("a message outside a thread's mailbox".to_owned()),
    }
}

impl Speech {
    /// The channel.
    pub(super) fn channel(&self) -> &ChannelId {
        &self.thread.channel
    }
}
