//! Devin's words into the thread: each message once, in order, whatever input brings us here.

use super::{
    halt::Halt,
    room::{self, PostKind, Say},
    task::Task,
};
use crate::{
    devin::{Devin, DevinError, Message, MessageSource},
    domain::{
        ids::SessionId,
        link::{Link, Relayed},
        mailbox::ThreadKey,
    },
    voice,
};

use sha2::{Digest, Sha256};

/// Pages of messages read at once; more are read the next time, from where we stopped.
const MAX_PAGES: usize = 20;

/// Messages remembered as sent and not met yet.
const MAX_SENT: usize = 50;

/// Posts what Devin said and the thread has not seen, and notes in what was told that Devin has spoken.
pub(super) async fn relay(task: &mut Task, thread: &ThreadKey, link: &mut Link) -> Result<(), Halt> {
    for _ in 0..MAX_PAGES {
        let cursor = link.relayed.cursor.clone();
        let page = match task.deps.devin.messages(&link.session, cursor.as_deref()).await {
            Ok(page) => page,
            Err(
                error @ (DevinError::RateLimited { .. } | DevinError::Unreachable { .. } | DevinError::Unsure { .. }),
            ) => return Err(Halt::retry(&error)),
            Err(error) => {
                // The words may be out of reach for good; the states are still told.
                tracing::warn!(%error, devin.session = %link.session, "Devin's words can't be read");
                return Ok(());
            }
        };
        for message in &page.items {
            if link.relayed.seen.contains(&message.event_id) {
                continue;
            }
            if message.source == MessageSource::Devin {
                say(task, thread, link, message).await?;
                link.told.spoken = true;
            }
            link.relayed.note(message);
        }
        match page.next().filter(|next| Some(*next) != cursor.as_deref()) {
            Some(next) => link.relayed.advance(next.to_owned()),
            None => break,
        }
    }
    Ok(())
}

async fn say(task: &mut Task, thread: &ThreadKey, link: &mut Link, message: &Message) -> Result<(), Halt> {
    for (part, said) in voice::relay(&message.message).into_iter().enumerate() {
        let step = format!("relay {} {part}", message.event_id);
        let part = part.to_string();
        // Named by session and message, so that everybody can see which message a post is.
        let mark = task.deps.marks.of(&["relay", link.session.bare(), &message.event_id, &part]);
        let facts = vec![("session_id", link.session.to_string()), ("event_id", message.event_id.clone())];
        let say = Say { step: &step, mark, kind: PostKind::Relay, facts, said };
        room::post_for(task, thread, link, say).await?;
    }
    Ok(())
}

impl Relayed {
    /// Remembers a message as dealt with; one that we sent ourselves is crossed off.
    fn note(&mut self, message: &Message) {
        self.seen.push(message.event_id.clone());
        if message.source == MessageSource::User {
            let digest = digest(&message.message);
            if let Some(at) = self.sent.iter().position(|sent| *sent == digest) {
                self.sent.remove(at);
            }
        }
    }

    /// Remembers a message that we sent, until it is met in the list.
    pub(super) fn sent(&mut self, digest: String) {
        self.sent.push(digest);
        // Devin may write a message down in other words than it was sent in: such a one is never met.
        let surplus = self.sent.len().saturating_sub(MAX_SENT);
        self.sent.drain(..surplus);
    }

    /// Moves to a newer cursor; what lies before it need not be remembered any more.
    fn advance(&mut self, cursor: String) {
        self.cursor = Some(cursor);
        self.seen.clear();
    }
}

/// How many messages of people with this text stand in the session among those that the thread has not read.
pub(super) async fn met(
    devin: &Devin,
    session: &SessionId,
    Relayed { cursor, seen, .. }: &Relayed,
    wanted: &str,
) -> Result<usize, DevinError> {
    let mut cursor = cursor.clone();
    let mut met = 0;
    for _ in 0..MAX_PAGES {
        let page = devin.messages(session, cursor.as_deref()).await?;
        let unread = page.items.iter().filter(|m| !seen.contains(&m.event_id));
        met += unread.filter(|m| m.source == MessageSource::User && digest(&m.message) == wanted).count();
        match page.next().filter(|next| Some(*next) != cursor.as_deref()) {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    Ok(met)
}

/// What stands for a message's text where the text itself need not be kept.
pub(super) fn digest(text: &str) -> String {
    let hash = Sha256::digest(text.trim().as_bytes());
    hex::encode(hash.get(..8).unwrap_or_default())
}
