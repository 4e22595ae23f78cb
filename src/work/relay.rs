//! Devin's words into the thread: each message once, in order, whatever input brings us here.

use std::collections::BTreeMap;

use super::{
    halt::Halt,
    room::{self, PostKind, Say},
    task::Task,
};
use crate::{
    devin::{Devin, DevinError, Message, MessageSource},
    domain::{
        ids::{SessionId, Ts},
        link::{Link, Relayed},
        mailbox::ThreadKey,
    },
    voice,
};

use sha2::{Digest, Sha256};

/// Pages of messages read at once; more are read the next time, from where we stopped.
const MAX_PAGES: usize = 20;

/// Pages of messages read of a whole session: twice as many as anybody will look at.
const MAX_PAGES_OF_ALL: usize = 200;

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

/// One page of a session's messages, and the cursor that it was read with.
#[derive(Debug)]
pub(super) struct Read {
    cursor: Option<String>,
    pub(super) messages: Vec<Message>,
}

/// All messages of a session, from the first.
pub(super) async fn pages(devin: &Devin, session: &SessionId) -> Result<Vec<Read>, DevinError> {
    let (mut pages, mut cursor): (Vec<Read>, Option<String>) = (Vec::new(), None);
    for _ in 0..MAX_PAGES_OF_ALL {
        let page = devin.messages(session, cursor.as_deref()).await?;
        let next = page.next().filter(|next| Some(*next) != cursor.as_deref()).map(str::to_owned);
        pages.push(Read { cursor, messages: page.items });
        if next.is_none() {
            break;
        }
        cursor = next;
    }
    Ok(pages)
}

/// Puts a restored link where relaying stopped, given the posts that are there of each message. Words are relayed in
/// order, so all before the last that is there was dealt with: where one has no post, Slack refused it or somebody took
/// it away, and it is not said again behind newer ones. Of the last the missing parts are still owed.
pub(super) async fn resume(task: &mut Task, link: &mut Link, there: &BTreeMap<&str, Vec<&Ts>>) -> Result<(), Halt> {
    if there.is_empty() {
        return Ok(());
    }
    let pages = pages(&task.deps.devin, &link.session).await.map_err(|error| Halt::retry(&error))?;
    let ids = |messages: &[Message]| messages.iter().map(|m| m.event_id.clone()).collect();
    for Read { cursor, messages } in pages.iter().rev() {
        let Some(at) = messages.iter().rposition(|m| there.contains_key(m.event_id.as_str())) else { continue };
        let (before, from) = messages.split_at(at);
        link.relayed = Relayed { cursor: cursor.clone(), seen: ids(before), sent: Vec::new() };
        let Some(last) = from.first() else { return Ok(()) };
        let posts = there.get(last.event_id.as_str()).map(Vec::as_slice).unwrap_or_default();
        if posts.len() >= voice::relay(&last.message).len() {
            link.relayed.seen.push(last.event_id.clone());
        }
        for (part, ts) in posts.iter().enumerate() {
            task.steps.assume(&step(&last.event_id, part), ts)?;
        }
        return Ok(());
    }
    // What we relayed is not in the list any more: whatever is there now, nothing of it is said a second time.
    if let Some(Read { cursor, messages }) = pages.last() {
        link.relayed = Relayed { cursor: cursor.clone(), seen: ids(messages), sent: Vec::new() };
    }
    Ok(())
}

/// The step that posts one part of a message.
fn step(event_id: &str, part: usize) -> String {
    format!("relay {event_id} {part}")
}

async fn say(task: &mut Task, thread: &ThreadKey, link: &mut Link, message: &Message) -> Result<(), Halt> {
    for (part, said) in voice::relay(&message.message).into_iter().enumerate() {
        let step = step(&message.event_id, part);
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
