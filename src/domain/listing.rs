//! Under which words a link is listed, so that operators find it without reading every state.

use super::{
    ids::{ChannelId, SessionId, Ts, UserId},
    link::Link,
    mailbox::ThreadKey,
    phase::Phase,
};

/// All links.
pub const LINKS: &str = "links";

/// Links whose session waits for a person, longest first.
pub const WAITING: &str = "waiting";

/// Links in a phase of this name.
pub fn of_phase(name: &str) -> String {
    format!("phase:{name}")
}

/// Links whose session somebody asked for.
pub fn of_user(user: &UserId) -> String {
    format!("user:{user}")
}

/// Links in a channel.
pub fn of_channel(channel: &ChannelId) -> String {
    format!("channel:{channel}")
}

/// The link of a session.
pub fn of_session(session: &SessionId) -> String {
    format!("session:{}", session.bare())
}

/// The link of a thread, where its workspace is not known: a permalink does not name it.
pub fn of_root(channel: &ChannelId, root: &Ts) -> String {
    format!("root:{channel}/{root}")
}

/// The rank of a link among those that wait for a person; `None` when nobody has to act. The longer it waits, the higher.
pub fn rank(link: &Link) -> Option<(String, i64)> {
    let since = link.lately.entered.as_ref().map_or(link.started_at, |entered| entered.at);
    Phase::of(&link.seen.state).waits_for_a_person().then(|| (WAITING.to_owned(), -since.as_microsecond()))
}

/// The words of a link.
pub fn words(thread: &ThreadKey, link: &Link) -> Vec<String> {
    vec![
        LINKS.to_owned(),
        of_phase(Phase::of(&link.seen.state).name()),
        of_user(&link.requester),
        of_channel(&thread.channel),
        of_session(&link.session),
        of_root(&thread.channel, &thread.root),
    ]
}
