//! Under which words a link is listed, so that operators find it without reading every state.

use super::{
    ids::{ChannelId, SessionId, Ts, UserId},
    link::Link,
    mailbox::ThreadKey,
    phase::Phase,
};

/// All links.
pub const LINKS: &str = "links";

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
