//! What the page shows: whose eyes, which channel, thread and session. All of it stands in the address, so that every
//! view can be linked, reloaded and opened twice side by side as two people.

use serde::Deserialize;
use url::form_urlencoded;

use super::render::escaped;
use crate::{
    domain::ids::{ChannelId, SessionId, Ts, UserId},
    twin::{
        devin,
        slack::{self, Channel, ChannelKind, UserKind},
    },
};

/// The selection as it came: in the query of a page, or as hidden fields of a form.
#[derive(Debug, Clone, Default, Deserialize)]
pub(super) struct Query {
    /// Channel id.
    pub channel: Option<String>,
    /// Root of the open thread.
    pub thread: Option<String>,
    /// Who speaks and looks.
    #[serde(rename = "as")]
    pub viewer: Option<String>,
    /// Session on Devin's side.
    pub session: Option<String>,
    /// Which pane a narrow screen shows.
    pub pane: Option<String>,
    /// `home` for the app's Home in a direct conversation.
    pub tab: Option<String>,
    /// Name of a remark about the last thing done.
    pub notice: Option<String>,
    /// Whether the composer begins with the suggested sentence.
    pub draft: Option<String>,
    /// Message that is being edited.
    pub edit: Option<String>,
}

impl Query {
    /// The selection among the fields of a form.
    pub(super) fn of(fields: &[(String, String)]) -> Self {
        let get = |name: &str| fields.iter().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        Self {
            channel: get("channel"),
            thread: get("thread"),
            viewer: get("as"),
            session: get("session"),
            pane: get("pane"),
            tab: get("tab"),
            notice: None,
            draft: None,
            edit: None,
        }
    }
}

/// Which pane a narrow screen shows; wide screens show all.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Pane {
    /// Channels and people.
    People,
    /// Messages of the channel.
    #[default]
    Chat,
    /// The open thread.
    Thread,
    /// Devin's side.
    Devin,
}

impl Pane {
    /// As it stands in the address.
    pub(super) fn as_str(self) -> &'static str {
        match self {
            Self::People => "people",
            Self::Chat => "chat",
            Self::Thread => "thread",
            Self::Devin => "devin",
        }
    }
}

/// What a direct conversation with the bot shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Tab {
    /// Messages.
    #[default]
    Messages,
    /// The app's Home.
    Home,
}

/// A selection of things that exist.
#[derive(Debug, Clone)]
pub(super) struct Selection {
    /// Who speaks and looks; none in an empty workspace.
    pub viewer: Option<UserId>,
    /// The channel; none when this person can see none.
    pub channel: Option<ChannelId>,
    /// The open thread.
    pub thread: Option<Ts>,
    /// The session that was chosen, or that belongs to the thread, or the newest.
    pub session: Option<SessionId>,
    /// Whether the session was chosen in the address.
    pub session_chosen: bool,
    /// Pane for narrow screens.
    pub pane: Pane,
    /// What a direct conversation shows.
    pub tab: Tab,
    /// The message that its author is editing.
    pub edit: Option<Ts>,
}

impl Selection {
    /// Makes the best of a query: what does not exist, or this person may not see, is replaced.
    pub(super) fn resolve(query: &Query, slack: &slack::State, devin: &devin::State) -> Self {
        let viewer = viewer(query, slack, devin);
        let channel = channel(query, slack, viewer.as_ref());
        let conversation = channel.as_ref().and_then(|id| slack.channels.get(id));
        let thread = parse(query.thread.as_deref()).filter(|ts| {
            conversation.is_some_and(|c| c.messages.iter().any(|m| &m.ts == ts || m.thread_ts.as_ref() == Some(ts)))
        });
        let chosen = parse::<SessionId>(query.session.as_deref()).filter(|id| devin.session(id).is_some());
        let session_chosen = chosen.is_some();
        let of_thread = || {
            let (channel, thread) = (channel.as_ref()?, thread.as_ref()?);
            devin.tagged(&thread_tag(slack, channel, thread)).map(|s| s.id.clone())
        };
        let newest = || devin.sessions.last().map(|s| s.id.clone());
        let session = chosen.or_else(of_thread).or_else(newest);
        let pane = match query.pane.as_deref() {
            Some("people") => Pane::People,
            Some("thread") if thread.is_some() => Pane::Thread,
            Some("devin") => Pane::Devin,
            _ => Pane::Chat,
        };
        let direct = channel.as_ref().is_some_and(ChannelId::is_direct);
        let tab = if direct && query.tab.as_deref() == Some("home") { Tab::Home } else { Tab::Messages };
        let edit = parse(query.edit.as_deref());
        Self { viewer, channel, thread, session, session_chosen, pane, tab, edit }
    }

    /// The same with another channel and no thread.
    #[must_use]
    pub(super) fn at_channel(&self, channel: &ChannelId) -> Self {
        Self {
            channel: Some(channel.clone()),
            thread: None,
            pane: Pane::Chat,
            tab: Tab::Messages,
            edit: None,
            ..self.clone()
        }
    }

    /// The same with an open thread; the session follows the thread.
    #[must_use]
    pub(super) fn at_thread(&self, channel: &ChannelId, root: &Ts) -> Self {
        let thread = Some(root.clone());
        Self { channel: Some(channel.clone()), thread, session_chosen: false, pane: Pane::Thread, ..self.clone() }
    }

    /// The same without a thread.
    #[must_use]
    pub(super) fn without_thread(&self) -> Self {
        Self { thread: None, pane: Pane::Chat, ..self.clone() }
    }

    /// The same with a message to edit, or none.
    #[must_use]
    pub(super) fn editing(&self, edit: Option<&Ts>) -> Self {
        Self { edit: edit.cloned(), ..self.clone() }
    }

    /// The same as somebody else.
    #[must_use]
    pub(super) fn seen_by(&self, viewer: &UserId) -> Self {
        Self { viewer: Some(viewer.clone()), edit: None, ..self.clone() }
    }

    /// The same with another session.
    #[must_use]
    pub(super) fn at_session(&self, session: &SessionId) -> Self {
        Self { session: Some(session.clone()), session_chosen: true, pane: Pane::Devin, ..self.clone() }
    }

    /// The same with another pane in front.
    #[must_use]
    pub(super) fn in_pane(&self, pane: Pane) -> Self {
        Self { pane, ..self.clone() }
    }

    /// The address of this view.
    pub(super) fn url(&self) -> String {
        format!("/playground?{}", self.query())
    }

    /// The query of this view.
    pub(super) fn query(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for (name, value) in self.fields() {
            query.append_pair(name, value);
        }
        query.finish()
    }

    /// Hidden form fields of this view, as HTML.
    pub(super) fn hidden(&self) -> String {
        let input = |(name, value): &(&str, &str)| {
            ["<input type=\"hidden\" name=\"", *name, "\" value=\"", &escaped(value), "\">"].concat()
        };
        self.fields().iter().map(input).collect()
    }

    fn fields(&self) -> Vec<(&'static str, &str)> {
        let session = self.session.as_ref().filter(|_| self.session_chosen);
        let pane = (self.pane != Pane::Chat).then(|| self.pane.as_str());
        [
            ("channel", self.channel.as_ref().map(ChannelId::as_str)),
            ("thread", self.thread.as_ref().map(Ts::as_str)),
            ("as", self.viewer.as_ref().map(UserId::as_str)),
            ("session", session.map(SessionId::bare)),
            ("pane", pane),
            ("tab", (self.tab == Tab::Home).then_some("home")),
            ("edit", self.edit.as_ref().map(Ts::as_str)),
        ]
        .into_iter()
        .filter_map(|(name, value)| Some((name, value?)))
        .collect()
    }
}

/// The tag that ties a session to a thread.
pub(super) fn thread_tag(slack: &slack::State, channel: &ChannelId, root: &Ts) -> String {
    format!("bobbin-thread:{}/{channel}/{root}", slack.team.id)
}

/// Whether somebody can see a conversation in their list.
pub(super) fn visible(channel: &Channel, viewer: &UserId) -> bool {
    match &channel.kind {
        ChannelKind::Public => true,
        ChannelKind::Private => channel.members.contains(viewer),
        ChannelKind::Direct(person) => person == viewer,
    }
}

fn parse<T: std::str::FromStr>(text: Option<&str>) -> Option<T> {
    text?.parse().ok()
}

fn viewer(query: &Query, slack: &slack::State, devin: &devin::State) -> Option<UserId> {
    let person = |id: &UserId| slack.users.get(id).is_some_and(|u| u.kind != UserKind::Bot);
    let linked = |user: &&slack::User| {
        let address = user.email.as_ref().map(|e| e.address.as_str());
        user.kind == UserKind::Member && address.is_some() && devin.users.iter().any(|m| m.email.as_deref() == address)
    };
    parse(query.viewer.as_deref())
        .filter(person)
        .or_else(|| slack.users.values().find(linked).map(|u| u.id.clone()))
        .or_else(|| slack.users.keys().find(|id| person(id)).cloned())
}

fn channel(query: &Query, slack: &slack::State, viewer: Option<&UserId>) -> Option<ChannelId> {
    let viewer = viewer?;
    let wanted: Option<ChannelId> = parse(query.channel.as_deref());
    let asked = wanted.as_ref().and_then(|id| slack.channels.get(id));
    if let Some(found) = asked {
        if visible(found, viewer) {
            return wanted;
        }
        // Somebody else's direct conversation with the bot: this person's own is what was meant.
        if matches!(found.kind, ChannelKind::Direct(_))
            && let Some(own) = slack.direct(viewer)
        {
            return Some(own.id.clone());
        }
    }
    let bot = &slack.app.bot_user;
    let seen = || slack.channels.values().filter(|c| visible(c, viewer) && !c.id.is_direct());
    seen()
        .find(|c| !c.archived && c.members.contains(bot) && c.members.contains(viewer))
        .or_else(|| seen().next())
        .map(|c| c.id.clone())
}
