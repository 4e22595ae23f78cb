//! What an input asks for, read from its stored body.

mod event;
mod interaction;

use jiff::Timestamp;

use crate::{
    domain::{
        errand::Errand,
        ids::{ChannelId, TeamId, Ts, UserId},
        mailbox::{Mailbox, ThreadKey},
        sighting::Sighting,
    },
    slack::{
        File,
        wire::{
            command::{Command, CommandForm},
            interaction::{Actor, Container, MessageAction, Shortcut, View, ViewEvent},
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
    /// A person changed what their message says.
    Edited(Edited),
    /// A person took their message away.
    Deleted {
        /// Which.
        ts: Ts,
    },
    /// A button was pressed, or an option chosen.
    Pressed(Box<Pressed>),
    /// A person reacted to a message; which thread it is in is not known yet.
    Reacted(Reacted),
    /// Somebody pressed Slack's own stop button.
    Stopped {
        /// Who.
        user: Option<UserId>,
    },
    /// A slash command.
    Command(Box<Command>),
    /// The global shortcut.
    Shortcut(Shortcut),
    /// The shortcut that hands a message to a session.
    SendToSession(Box<MessageAction>),
    /// A modal was sent.
    Submitted(Box<ViewEvent>),
    /// A person opened the Home tab, or the conversation with us.
    HomeOpened(HomeOpened),
    /// The app was taken out, or its token revoked.
    Ended {
        /// Of which workspace or organisation.
        team: TeamId,
        /// Slack's word for it.
        why: &'static str,
        /// When.
        at: Timestamp,
    },
    /// Nothing that concerns us, which only the whole body shows: tokens of people were revoked, and none of ours.
    Nothing,
    /// What another mailbox asks for.
    Errand(Errand),
}

/// What a message says after a change.
#[derive(Debug, Clone)]
pub(super) struct Edited {
    /// The message as it is now.
    pub(super) now: Speech,
    /// What it said before, where Slack says so.
    pub(super) before: Option<String>,
}

/// A button that was pressed, or an option that was chosen.
#[derive(Debug, Clone)]
pub(super) struct Pressed {
    /// By whom, and in which installation.
    pub(super) actor: Actor,
    /// Which one.
    pub(super) action_id: String,
    /// The block that it is in.
    pub(super) block_id: Option<String>,
    /// Its value: what we put there, signed.
    pub(super) value: String,
    /// Where it is.
    pub(super) container: Container,
    /// The view that it is in.
    pub(super) view: Option<View>,
    /// Opens a modal; lives three seconds.
    pub(super) trigger_id: Option<String>,
    /// Answers in place.
    pub(super) response_url: Option<String>,
}

/// A reaction that was put on a message, or taken away.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reacted {
    /// Workspace.
    pub(super) team: TeamId,
    /// Who.
    pub(super) user: UserId,
    /// Where.
    pub(super) channel: ChannelId,
    /// On which message.
    pub(super) ts: Ts,
    /// Its name, without colons.
    pub(super) name: String,
    /// Whether it was put there.
    pub(super) added: bool,
}

/// A tab of ours that somebody opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct HomeOpened {
    /// Workspace.
    pub(super) team: TeamId,
    /// Who.
    pub(super) user: UserId,
    /// The direct conversation with that person.
    pub(super) channel: Option<ChannelId>,
    /// Whether it is the conversation, and not the Home tab.
    pub(super) messages: bool,
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
            Self::Edited(_) => "edited",
            Self::Deleted { .. } => "deleted",
            Self::Pressed(_) => "pressed",
            Self::Reacted(_) => "reacted",
            Self::Stopped { .. } => "stopped",
            Self::Command(_) => "command",
            Self::Shortcut(_) => "shortcut",
            Self::SendToSession(_) => "send_to_session",
            Self::Submitted(_) => "submitted",
            Self::HomeOpened(_) => "home_opened",
            Self::Errand(Errand::Begin(_)) => "begin",
            Self::Errand(Errand::HandOver(_)) => "hand_over",
            Self::Errand(Errand::Reaction { .. }) => "reaction",
            Self::Errand(Errand::RefreshHome) => "refresh_home",
            Self::Errand(Errand::Welcome { .. }) => "welcome",
            Self::Ended { .. } => "installation_ended",
            Self::Nothing => "nothing",
        }
    }

    /// Who it is from, where a person is.
    pub(super) fn by(&self) -> Option<&UserId> {
        match self {
            Self::Speech(speech) => Some(&speech.user),
            Self::ProfileChanged { user, .. } | Self::Errand(Errand::Reaction { user, .. }) => Some(user),
            Self::Edited(edited) => Some(&edited.now.user),
            Self::Pressed(press) => Some(&press.actor.user),
            Self::Reacted(reaction) => Some(&reaction.user),
            Self::Stopped { user } => user.as_ref(),
            Self::Command(command) => Some(&command.user),
            Self::Shortcut(shortcut) => Some(&shortcut.actor.user),
            Self::SendToSession(action) => Some(&action.actor.user),
            Self::Submitted(event) => Some(&event.actor.user),
            Self::HomeOpened(opened) => Some(&opened.user),
            Self::Errand(Errand::Begin(begin)) => Some(&begin.user),
            Self::Errand(Errand::HandOver(handed)) => Some(&handed.user),
            Self::Errand(Errand::RefreshHome | Errand::Welcome { .. })
            | Self::Sighting(_)
            | Self::Deleted { .. }
            | Self::Ended { .. }
            | Self::Nothing => None,
        }
    }

    /// What they wrote, where it is a message in the mailbox's own thread.
    pub(super) fn ts(&self) -> Option<&Ts> {
        match self {
            Self::Speech(speech) => Some(&speech.ts),
            Self::Edited(edited) => Some(&edited.now.ts),
            Self::Sighting(_)
            | Self::ProfileChanged { .. }
            | Self::Deleted { .. }
            | Self::Pressed(_)
            | Self::Reacted(_)
            | Self::Stopped { .. }
            | Self::Command(_)
            | Self::Shortcut(_)
            | Self::SendToSession(_)
            | Self::Submitted(_)
            | Self::HomeOpened(_)
            | Self::Ended { .. }
            | Self::Nothing
            | Self::Errand(_) => None,
        }
    }

    /// Reads an input.
    pub(super) fn read(mailbox: &Mailbox, input: &Input) -> Result<Self, Unreadable> {
        let unreadable = |why: String| Unreadable { door: input.door, why };
        let body = input.body.bytes();
        match input.door {
            Door::Watch => serde_json::from_slice(body).map(Self::Sighting).map_err(|e| unreadable(e.to_string())),
            Door::Errand => serde_json::from_slice(body).map(Self::Errand).map_err(|e| unreadable(e.to_string())),
            Door::Events => event::read(mailbox, body).map_err(unreadable),
            Door::Interactions => interaction::read(mailbox, body).map_err(unreadable),
            Door::Commands => match CommandForm::parse(body).map_err(|e| unreadable(e.to_string()))? {
                CommandForm::Command(command) => Ok(Self::Command(command)),
                CommandForm::SslCheck => Err(unreadable("a check of our certificate".to_owned())),
            },
        }
    }
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
