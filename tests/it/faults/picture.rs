//! What a world looks like from outside when all is over: what people read in Slack, what Devin was given. Two worlds
//! are compared by it, and whatever stands there twice that should stand there once is found in it.

use std::collections::BTreeMap;

use bobbin::{
    domain::{
        ids::{ChannelId, Ts},
        outbox::BETWEEN,
        status::Status,
    },
    store::Store as _,
    twin::{
        devin::{Session, Source},
        slack::Message,
    },
};

use crate::support::{surfaces::without_stamps, world::World};

/// How whispers, which only one person sees, begin in a thread's text.
const WHISPER: &str = "(only ";

/// A world as a list of lines, without times and ids.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Picture {
    /// Threads, sessions, dead letters.
    pub(crate) lines: Vec<String>,
    /// What only one person saw: at most once, and perhaps not at all where the process died beside it.
    pub(crate) whispers: Vec<String>,
}

impl Picture {
    /// Looks at everything.
    pub(crate) async fn of(world: &mut World) -> Self {
        let whispers = whispers(world);
        let whispered = |line: &&str| whispers.iter().any(|whisper| whisper.lines().skip(1).any(|own| own == *line));
        let mut lines = Vec::new();
        for (channel, root) in roots(world) {
            let thread = world.thread_in(channel.as_str(), &root);
            let thread = without_stamps(&thread);
            let said = thread.lines().filter(|line| !line.starts_with(WHISPER) && !whispered(line));
            lines.extend(said.map(str::to_owned));
        }
        lines.extend(world.devin.sessions().iter().flat_map(session));
        for dead in world.store.dead(100).await.unwrap() {
            lines.push(format!("set aside: {}", dead.why));
        }
        Self { lines, whispers }
    }

    /// What stands in the one and not in the other: `- ` what is missing, `+ ` what came in addition.
    pub(crate) fn changes(&self, seen: &Self) -> Vec<String> {
        let count = |picture: &Self, by: i32, counts: &mut BTreeMap<String, i32>| {
            for line in picture.lines.iter().chain(&picture.whispers) {
                *counts.entry(line.clone()).or_default() += by;
            }
        };
        let mut counts = BTreeMap::new();
        count(self, -1, &mut counts);
        count(seen, 1, &mut counts);
        let sign = |n: i32| if n < 0 { '-' } else { '+' };
        let changed = counts.into_iter().filter(|(_, n)| *n != 0);
        changed.map(|(line, n)| format!("{} {line}", sign(n))).collect()
    }

    /// What makes a disturbed world another one than this: everything but a whisper less, and so many more. A question
    /// that was `asked` before may stand there still, where its answer took its place in this.
    pub(crate) fn differences(&self, seen: &Self, more_whispers: usize, asked: &[String]) -> Vec<String> {
        let mut changes = self.changes(&Self { whispers: self.whispers.clone(), ..seen.clone() });
        if changes.is_empty() && self.lines != seen.lines {
            changes.push(format!("in another order: {:#?}", seen.lines));
        }
        let unknown =
            seen.whispers.iter().filter(|whisper| !self.whispers.contains(whisper) && !asked.contains(whisper));
        changes.extend(unknown.map(|whisper| format!("+ {whisper}")));
        if seen.whispers.len() > self.whispers.len() + more_whispers {
            changes.push(format!("+ {} whispers too many", seen.whispers.len() - self.whispers.len()));
        }
        changes
    }
}

/// What only one person sees, without what differs from world to world.
pub(crate) fn whispers(world: &World) -> Vec<String> {
    let sessions = world.devin.sessions();
    let whisper = |e: &bobbin::twin::slack::Ephemeral| {
        let text = sessions.iter().fold(e.text.clone(), |text, session| text.replace(session.id.bare(), "SESSION"));
        format!("whispered to {}: {}", e.user, without_stamps(&text))
    };
    let mut whispers: Vec<String> = world.slack.read(|state| state.ephemerals.iter().map(whisper).collect());
    whispers.sort();
    whispers
}

/// The first messages of all threads.
fn roots(world: &World) -> Vec<(ChannelId, Ts)> {
    world.slack.read(|state| {
        let is_root = |m: &&Message| !m.deleted && m.thread_ts.as_ref().is_none_or(|root| *root == m.ts);
        let channels = state.channels.values();
        channels.flat_map(|c| c.messages.iter().filter(is_root).map(|m| (c.id.clone(), m.ts.clone()))).collect()
    })
}

fn session(session: &Session) -> Vec<String> {
    let owner = session.user_id.as_ref().map_or("nobody", |user| user.as_str());
    let mut lines = vec![format!("session of {owner}: {} ({} files)", session.title, session.attachment_urls.len())];
    for message in &session.messages {
        let author = message.as_user.as_ref().map_or("devin", |user| user.as_str());
        let files = message.attachment_urls.len();
        // The address of a file differs from world to world.
        let words = message.message.split("ATTACHMENT:").next().unwrap_or_default();
        // Short messages go as one when they come in one breath, which is a matter of time: each counts by itself.
        lines.extend(parts(session, words).map(|part| {
            let first = part.lines().next().unwrap_or_default();
            format!("  {author} in the session: {first} ({files} files)")
        }));
    }
    lines
}

/// The messages that went as one; the prompt is one by itself.
fn parts<'a>(session: &Session, message: &'a str) -> impl Iterator<Item = &'a str> {
    message.split(BETWEEN).take(if message == session.prompt { 1 } else { usize::MAX })
}

/// What lives twice although one thing asked for it: sessions of one thread that neither ended nor were put away, messages of the same words in a session,
/// posts with the same mark or, for cards, of the same session.
pub(crate) fn doubles(world: &World) -> Vec<String> {
    let mut once: BTreeMap<String, usize> = BTreeMap::new();
    for session in world.devin.sessions() {
        let lives = session.status != Status::Exit && !session.archived;
        for tag in session.tags.iter().filter(|tag| lives && tag.contains(':')) {
            *once.entry(format!("session {tag}")).or_default() += 1;
        }
        for said in session.messages.iter().filter(|m| m.source == Source::User) {
            for part in parts(&session, &said.message) {
                *once.entry(format!("message in {}: {part}", session.id)).or_default() += 1;
            }
        }
    }
    world.slack.read(|state| {
        for post in state.channels.values().flat_map(|c| &c.messages).filter(|m| !m.deleted) {
            let Some(metadata) = &post.metadata else { continue };
            let of = |name: &str| metadata["event_payload"][name].as_str().unwrap_or_default().to_owned();
            *once.entry(format!("post {}", of("key"))).or_default() += 1;
            if metadata["event_type"] == "bobbin_card" {
                *once.entry(format!("card of {}", of("session_id"))).or_default() += 1;
            }
        }
    });
    once.into_iter().filter(|(_, n)| *n > 1).map(|(what, n)| format!("{n} times {what}")).collect()
}
