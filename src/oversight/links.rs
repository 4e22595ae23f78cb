//! Links: in pages, newest first, and found by what somebody has in hand.

use jiff::Timestamp;

use super::{Oversight, OversightError};
use crate::{
    domain::{
        ids::{ChannelId, SessionId, Ts, UserId},
        link::Thread,
        listing,
        mailbox::{Mailbox, ThreadKey},
        phase::{Phase, State},
    },
    store::{Cursor, Listed, Store, StoreError},
};

/// Which links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Filter {
    /// All.
    All,
    /// Those that wait for a person, longest first.
    Waiting,
    /// Those in a phase of this name.
    Phase(String),
    /// Those that somebody asked for.
    User(UserId),
    /// Those in a channel.
    Channel(ChannelId),
    /// That of a session.
    Session(SessionId),
    /// That of a thread in a channel.
    Root(ChannelId, Ts),
}

impl Filter {
    fn word(&self) -> String {
        match self {
            Self::All => listing::LINKS.to_owned(),
            Self::Waiting => listing::WAITING.to_owned(),
            Self::Phase(name) => listing::of_phase(name),
            Self::User(user) => listing::of_user(user),
            Self::Channel(channel) => listing::of_channel(channel),
            Self::Session(session) => listing::of_session(session),
            Self::Root(channel, root) => listing::of_root(channel, root),
        }
    }
}

/// A link as a list shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkRow {
    /// The thread.
    pub thread: ThreadKey,
    /// The session.
    pub session: SessionId,
    /// Its title; may be empty.
    pub title: String,
    /// Its page at Devin.
    pub url: String,
    /// Who asked for it.
    pub requester: UserId,
    /// As whom it runs.
    pub runs_as: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// What it does, as Devin says it.
    pub state: State,
    /// Since when.
    pub since: Timestamp,
    /// Since when Devin cannot be reached, while that is so.
    pub no_news_since: Option<Timestamp>,
    /// Whether the thread takes no posts.
    pub closed: bool,
}

impl LinkRow {
    /// What it does, as people understand it.
    pub fn phase(&self) -> Phase {
        Phase::of(&self.state)
    }
}

/// A page of links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LinkPage {
    /// Newest first; those that wait, longest first.
    pub links: Vec<LinkRow>,
    /// Where the next page begins.
    pub next: Option<Cursor>,
}

/// What a search means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Found {
    /// Links that fit.
    Links(Filter),
    /// Nothing that can be looked for; what can.
    Nothing(&'static str),
}

/// What can be looked for.
pub const SEARCHABLE: &str = "a user (U…), a channel (C…), a session (its id or its page), a message's link, or the \
                              reference of what was set aside";

impl Oversight {
    /// Links, newest first; those that wait, longest first.
    pub async fn links(
        &self,
        filter: &Filter,
        after: Option<&Cursor>,
        limit: usize,
    ) -> Result<LinkPage, OversightError> {
        let listed = self.store.listed(&filter.word(), after, limit).await?;
        let next = listed.last().filter(|_| listed.len() == limit).map(Listed::cursor);
        Ok(LinkPage { links: listed.iter().filter_map(row_of).collect(), next })
    }

    /// How many links there are in each phase, by its name, in the order in which people look at them.
    pub async fn phases(&self) -> Result<Vec<(&'static str, u64)>, OversightError> {
        Ok(phases(&*self.store).await?)
    }

    /// How many links there are.
    pub async fn link_count(&self) -> Result<u64, OversightError> {
        Ok(self.store.listed_counts(&[listing::LINKS]).await?.first().copied().unwrap_or_default())
    }

    /// What somebody means who types this into the search.
    pub fn search(text: &str) -> Found {
        let text = text.trim().trim_matches('`').trim_start_matches('<').trim_end_matches('>');
        if let Some((channel, root)) = permalink_of(text) {
            return Found::Links(Filter::Root(channel, root));
        }
        let id = text.trim_start_matches(['@', '#']);
        if let Some(user) = id.parse().ok().filter(|_| id.starts_with(['U', 'W'])) {
            return Found::Links(Filter::User(user));
        }
        if let Some(channel) = id.parse().ok().filter(|_| id.starts_with(['C', 'D', 'G'])) {
            return Found::Links(Filter::Channel(channel));
        }
        let last = text.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
        match last.parse::<SessionId>() {
            Ok(session) if session.bare().len() >= 4 => Found::Links(Filter::Session(session)),
            _ => Found::Nothing(SEARCHABLE),
        }
    }
}

/// How many links a store has in each phase, by its name.
pub async fn phases(store: &dyn Store) -> Result<Vec<(&'static str, u64)>, StoreError> {
    let words = Phase::NAMES.map(listing::of_phase);
    let counts = store.listed_counts(&words.each_ref().map(String::as_str)).await?;
    Ok(Phase::NAMES.into_iter().zip(counts).collect())
}

/// The channel and the thread that a message's link names.
pub fn permalink_of(text: &str) -> Option<(ChannelId, Ts)> {
    let url = url::Url::parse(text).ok()?;
    let mut parts = url.path_segments()?.skip_while(|part| *part != "archives").skip(1);
    let channel = parts.next()?.parse().ok()?;
    let message = parts.next()?.strip_prefix('p')?;
    let in_thread = url.query_pairs().find(|(key, _)| key == "thread_ts").map(|(_, ts)| ts.into_owned());
    let (seconds, micros) = message.split_at_checked(message.len().checked_sub(6)?)?;
    let root = in_thread.unwrap_or_else(|| format!("{seconds}.{micros}"));
    Some((channel, root.parse().ok()?))
}

pub(super) fn row_of(listed: &Listed) -> Option<LinkRow> {
    let Mailbox::Thread(thread) = &listed.mailbox else { return None };
    row(thread, serde_json::from_str(listed.state.as_deref()?).ok()?)
}

/// The row of a thread with this state.
pub(super) fn row(thread: &ThreadKey, state: Thread) -> Option<LinkRow> {
    let link = state.link?;
    let entered = link.lately.entered;
    Some(LinkRow {
        thread: thread.clone(),
        session: link.session,
        title: link.seen.title.unwrap_or_default(),
        url: link.seen.url,
        requester: link.requester,
        runs_as: link.runs_as,
        started_at: link.started_at,
        since: entered.map_or(link.started_at, |entered| entered.at),
        state: link.seen.state,
        no_news_since: link.no_news_since,
        closed: link.closed,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_search_finds_out_what_is_meant() {
        let filter = |text: &str| match Oversight::search(text) {
            Found::Links(filter) => Some(filter),
            Found::Nothing(_) => None,
        };
        let root = || Some(Filter::Root("C1".parse().unwrap(), "1700000000.000100".parse().unwrap()));
        assert_eq!(filter("https://acme.slack.com/archives/C1/p1700000000000100"), root());
        let reply = "https://acme.slack.com/archives/C1/p1700000009000900?thread_ts=1700000000.000100&cid=C1";
        assert_eq!(filter(reply), root());
        assert_eq!(filter(" @U0ADA "), Some(Filter::User("U0ADA".parse().unwrap())));
        assert_eq!(filter("#C0BACK"), Some(Filter::Channel("C0BACK".parse().unwrap())));
        let session = Some(Filter::Session("0f3a0f3a".parse().unwrap()));
        assert_eq!(filter("https://app.devin.ai/sessions/0f3a0f3a"), session);
        assert_eq!(filter("devin-0f3a0f3a"), session);
        assert_eq!(filter(""), None);
    }
}
