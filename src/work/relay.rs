//! Devin's words into the thread: each message once, in order, whatever input brings us here. What people write in
//! Devin's web app comes as well; what we sent ourselves does not.

use super::{card, halt::Halt, task::Task, traces::Relays, words};
use crate::{
    devin::{Devin, DevinError, Message, MessageSource},
    domain::{
        ids::SessionId,
        link::{Link, Relayed},
        mailbox::ThreadKey,
    },
};

use sha2::{Digest, Sha256};

/// Pages of messages read at once; more are read the next time, from where we stopped.
const MAX_PAGES: usize = 20;

/// Pages of messages read of a whole session: twice as many as anybody will look at.
const MAX_PAGES_OF_ALL: usize = 200;

/// Messages remembered as sent and not met yet.
const MAX_SENT: usize = 50;

/// Posts what was said in the session and the thread has not seen, and notes in what was told that Devin has spoken.
pub(super) async fn relay(task: &mut Task, thread: &ThreadKey, link: &mut Link) -> Result<(), Halt> {
    let from_the_first = link.relayed.cursor.is_none();
    if from_the_first && link.relayed.seen.is_empty() {
        // A new session: every file that it will have is news.
        link.relayed.files.get_or_insert_default();
    }
    let mut spoke = false;
    for turn in 0..MAX_PAGES {
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
        let next = page.next().filter(|next| Some(*next) != cursor.as_deref()).map(str::to_owned);
        for (index, message) in page.items.iter().enumerate() {
            if link.relayed.seen.contains(&message.event_id) {
                continue;
            }
            let first = from_the_first && turn == 0 && index == 0;
            let newest = next.is_none() && index + 1 == page.items.len();
            match message.source {
                MessageSource::Devin => {
                    Box::pin(words::say(task, thread, link, message, newest)).await?;
                    link.told.spoken = true;
                    link.lately.said = Some(card::last_words(message));
                    spoke = true;
                }
                // The first one is what the session was asked.
                MessageSource::User if !first && is_from_web(link, message) => {
                    Box::pin(words::say(task, thread, link, message, newest)).await?;
                    link.told.answered(task.now());
                }
                MessageSource::User | MessageSource::Other(_) => {}
            }
            link.relayed.note(message);
        }
        match next {
            Some(next) => link.relayed.advance(next),
            None => break,
        }
    }
    if spoke { Box::pin(words::other_files(task, thread, link)).await } else { Ok(()) }
}

/// Whether a person wrote this in Devin's web app: we did not send it, and know what we sent since the link is ours.
fn is_from_web(link: &Link, message: &Message) -> bool {
    let before = link.restored_at.is_some_and(|at| message.created_at <= at.as_second());
    !before && !message.message.trim().is_empty() && !link.relayed.is_ours(message)
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

/// The messages from where the thread reads on: what it has not read, and what it read last.
pub(super) async fn unread_and_last(devin: &Devin, link: &Link) -> Result<Vec<Message>, Halt> {
    let (mut messages, mut cursor) = (Vec::new(), link.relayed.cursor.clone());
    for _ in 0..MAX_PAGES {
        let page = devin.messages(&link.session, cursor.as_deref()).await.map_err(|error| Halt::retry(&error))?;
        let next = page.next().filter(|next| Some(*next) != cursor.as_deref()).map(str::to_owned);
        messages.extend(page.items);
        match next {
            Some(next) => cursor = Some(next),
            None => break,
        }
    }
    Ok(messages)
}

/// Puts a restored link where relaying stopped, given the posts that are there of each message. Words are relayed in
/// order, so all before the last that is there was dealt with: where one has no post, Slack refused it or somebody took
/// it away, and it is not said again behind newer ones. Of the last the missing parts are still owed.
pub(super) async fn resume(task: &mut Task, link: &mut Link, there: &Relays<'_>) -> Result<(), Halt> {
    if there.is_empty() {
        return Ok(());
    }
    let pages = pages(&task.deps.devin, &link.session).await.map_err(|error| Halt::retry(&error))?;
    link.relayed = Relayed { files: Some(brought(task, &pages, there)), ..Relayed::default() };
    let ids = |messages: &[Message]| messages.iter().map(|m| m.event_id.clone()).collect();
    for Read { cursor, messages } in pages.iter().rev() {
        let Some(at) = messages.iter().rposition(|m| there.contains_key(&m.event_id)) else { continue };
        let (before, from) = messages.split_at(at);
        (link.relayed.cursor, link.relayed.seen) = (cursor.clone(), ids(before));
        let Some(last) = from.first() else { return Ok(()) };
        let posts = there.get(&last.event_id).cloned().unwrap_or_default();
        if posts.len() >= words::parts(task, link, last).len() {
            link.relayed.seen.push(last.event_id.clone());
        }
        for (part, ts) in posts {
            task.steps.assume(&words::step(&last.event_id, part), ts)?;
        }
        return Ok(());
    }
    // What we relayed is not in the list any more: whatever is there now, nothing of it is said a second time.
    if let Some(Read { cursor, messages }) = pages.last() {
        (link.relayed.cursor, link.relayed.seen) = (cursor.clone(), ids(messages));
    }
    Ok(())
}

/// The files that the thread has, or was told of: those that stand there by themselves, and those of messages up to the
/// last that stands there.
fn brought(task: &Task, pages: &[Read], there: &Relays<'_>) -> Vec<String> {
    let messages: Vec<&Message> = pages.iter().flat_map(|page| &page.messages).collect();
    let last = messages.iter().rposition(|m| there.contains_key(&m.event_id)).map_or(0, |at| at + 1);
    let named = messages.iter().take(last).flat_map(|m| task.deps.devin.words(&m.message).files).flatten();
    let alone = there.keys().filter_map(|event| words::file_of(event)).map(str::to_owned);
    named.map(|file| file.key().to_owned()).chain(alone).collect()
}

impl Relayed {
    /// Remembers a message as dealt with; one that we sent ourselves is crossed off.
    fn note(&mut self, message: &Message) {
        self.seen.push(message.event_id.clone());
        if message.source == MessageSource::User
            && let Some(at) = self.sent.iter().position(|sent| digests(message).contains(sent))
        {
            let met = self.sent.remove(at);
            remember(&mut self.met, met);
        }
    }

    /// Remembers a message that we sent, until it is met in the list. Whatever goes into a session goes through here: the
    /// thread is told of everything else as written in Devin's web app.
    pub(super) fn sent(&mut self, digest: String) {
        // Devin may write a message down in other words than it was sent in: such a one is never met.
        remember(&mut self.sent, digest);
    }

    /// Whether we sent this message; the same words that we sent before are taken for ours as well.
    fn is_ours(&self, message: &Message) -> bool {
        digests(message).iter().any(|digest| self.sent.contains(digest) || self.met.contains(digest))
    }

    /// Whether the thread has a file, or was told why not.
    pub(super) fn has(&self, file: &str) -> bool {
        self.files.iter().flatten().any(|known| known == file)
    }

    /// Remembers a file as dealt with.
    pub(super) fn brought(&mut self, file: &str) {
        if !self.has(file) {
            self.files.get_or_insert_default().push(file.to_owned());
        }
    }

    /// Moves to a newer cursor; what lies before it need not be remembered any more.
    fn advance(&mut self, cursor: String) {
        self.cursor = Some(cursor);
        self.seen.clear();
    }
}

/// Adds to a short memory.
fn remember(digests: &mut Vec<String>, digest: String) {
    digests.push(digest);
    let surplus = digests.len().saturating_sub(MAX_SENT);
    digests.drain(..surplus);
}

/// What a message may have been sent as: Devin may write files into it that were sent beside it.
fn digests(message: &Message) -> [String; 2] {
    let bare: Vec<&str> =
        message.message.lines().filter(|line| !line.trim_start().starts_with("ATTACHMENT:")).collect();
    [digest(&message.message), digest(&bare.join("\n"))]
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
