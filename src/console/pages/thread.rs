//! *Thread*: one thread from inside: what its session did over time, what is in hand and what waits, and what happened,
//! newest first. Who and what and when, never what anybody wrote.

use std::sync::Arc;

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use jiff::{SignedDuration, Timestamp};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};

use super::{Console, Trouble, Viewer, nowhere, shown};
use crate::{
    console::{
        band::{Spell, spells, widths},
        story::{EntryView, StepView},
        view::{Frame, SessionView, SumView, When, length, phase_words},
    },
    domain::{
        ids::{ChannelId, TeamId, Ts},
        mailbox::{Mailbox, ThreadKey},
        phase::Phase,
    },
    oversight::Told,
    store::{InHand, STORY_MAX},
};

/// The page that leads here.
const HERE: &str = "/console/sessions";
/// Below which address the threads are.
pub(in crate::console) const BELOW: &str = "/console/threads";

/// What stands in an address as it is.
const PART: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'-').remove(b'_');

#[derive(Template)]
#[template(path = "console/thread.html", config = ".askama.toml")]
struct ThreadPage {
    frame: Frame,
    thread: String,
    slack: Option<String>,
    link: Option<SessionView>,
    /// What the session did, oldest first.
    spells: Vec<SpellView>,
    /// The same added up by phase, longest first.
    sums: Vec<SumView>,
    /// Whether older parts of the story gave way.
    cut: bool,
    hand: Option<HandView>,
    trouble: Option<(String, When)>,
    journal: Vec<StepView>,
    waiting: Vec<WaitingView>,
    /// Inputs that wait beside those that are shown.
    more: u64,
    held_back: usize,
    doubts: usize,
    entries: Vec<EntryView>,
}

/// A state with its part of the band.
struct SpellView {
    words: &'static str,
    tone: &'static str,
    /// As Devin says it.
    status: String,
    since: When,
    lasted: String,
    from: u64,
    width: u64,
}

/// What is being done.
struct HandView {
    what: &'static str,
    attempt: u32,
    cut_off: u32,
    held: bool,
    /// Until when, in words.
    until: Option<When>,
}

/// An input that waits.
struct WaitingView {
    id: String,
    door: &'static str,
    bytes: usize,
    came: When,
}

pub(in crate::console) async fn page(
    State(console): State<Arc<Console>>,
    viewer: Viewer,
    Path((team, channel, root)): Path<(String, String, String)>,
) -> Result<Response, Trouble> {
    let frame = console.frame(HERE, viewer).await?;
    let told = match key(&team, &channel, &root) {
        Some(thread) => {
            let told = console.oversight.story(&thread).await.map_err(|error| Trouble(HERE, error))?;
            told.map(|told| (thread, told))
        }
        None => None,
    };
    let Some((thread, told)) = told else {
        let words = "Nothing is known of this thread: nobody called the bot there, or it is so long ago that its story was \
                     forgotten.";
        return Ok(nowhere(frame, "No such thread", words));
    };
    Ok(shown(&made(frame, &thread, &told, console.clock.now())))
}

/// The thread that an address names.
fn key(team: &str, channel: &str, root: &str) -> Option<ThreadKey> {
    let (team, channel): (TeamId, ChannelId) = (team.parse().ok()?, channel.parse().ok()?);
    Some(ThreadKey { team, channel, root: root.parse::<Ts>().ok()? })
}

/// The thread whose page has this address.
pub(in crate::console) fn at(path: &str) -> Option<ThreadKey> {
    let parts = path.strip_prefix(BELOW)?.strip_prefix('/')?.split('/');
    let parts: Vec<_> = parts.map(|part| percent_decode_str(part).decode_utf8_lossy()).collect();
    let [team, channel, root] = parts.as_slice() else { return None };
    key(team, channel, root)
}

/// The address of a thread's page.
pub(in crate::console) fn address(thread: &ThreadKey) -> String {
    let part = |text: &str| utf8_percent_encode(text, PART).to_string();
    let ThreadKey { team, channel, root } = thread;
    format!("{BELOW}/{}/{}/{}", part(team.as_str()), part(channel.as_str()), part(root.as_str()))
}

/// The address of the page of a thread's mailbox; other mailboxes have none.
pub(in crate::console) fn of(mailbox: &Mailbox) -> Option<String> {
    match mailbox {
        Mailbox::Thread(thread) => Some(address(thread)),
        Mailbox::Person { .. } | Mailbox::Workspace { .. } => None,
    }
}

fn made(frame: Frame, thread: &ThreadKey, told: &Told, now: Timestamp) -> ThreadPage {
    let home = told.home.as_deref().unwrap_or_default();
    let permalink = |ts: &Ts| thread.permalink(home, ts);
    let session = told.link.as_ref().map(|link| (&link.session, link.url.as_str()));
    let (spells, sums) = over_time(told, now);
    let inside = &told.inside;
    let waiting = inside.waiting.iter().map(|input| WaitingView {
        id: input.id.to_string(),
        door: input.door.name(),
        bytes: input.bytes,
        came: When::of(input.at, now),
    });
    let entries = told.entries.iter().rev().map(|entry| EntryView::of(entry, permalink, session, now));
    ThreadPage {
        frame,
        thread: format!("{}/{}/{}", thread.team, thread.channel, thread.root),
        slack: permalink(&thread.root),
        link: told.link.as_ref().map(|link| SessionView::of(link, now)),
        spells,
        sums,
        cut: told.entries.len() >= STORY_MAX,
        hand: inside.in_hand.as_ref().map(|hand| in_hand(hand, inside.ready, now)),
        trouble: told.trouble.as_ref().map(|trouble| (trouble.why.clone(), When::of(trouble.at, now))),
        journal: told.journal.iter().map(|step| StepView::of(step, &permalink, session)).collect(),
        more: inside.waits.saturating_sub(inside.waiting.len() as u64),
        waiting: waiting.collect(),
        held_back: told.held_back,
        doubts: told.doubts,
        entries: entries.collect(),
    }
}

fn in_hand(hand: &InHand, ready: Option<Timestamp>, now: Timestamp) -> HandView {
    let what = if hand.woke { "It woke by itself" } else { "Its oldest input" };
    let until = ready.map(|at| When::of(at, now));
    HandView { what, attempt: hand.attempt, cut_off: hand.cut_off, held: hand.held, until }
}

/// The states as a band, and the time in each phase.
fn over_time(told: &Told, now: Timestamp) -> (Vec<SpellView>, Vec<SumView>) {
    let spells = spells(&told.entries, told.link.as_ref(), now);
    let parts = widths(spells.iter().map(Spell::lasted));
    let mut sums: Vec<(&'static str, SignedDuration)> = Vec::new();
    for spell in &spells {
        let name = spell.phase().name();
        match sums.iter_mut().find(|(known, _)| *known == name) {
            Some((_, sum)) => *sum = sum.saturating_add(spell.lasted()),
            None => sums.push((name, spell.lasted())),
        }
    }
    sums.sort_by_key(|(_, sum)| std::cmp::Reverse(*sum));
    let last = spells.len().saturating_sub(1);
    let view = |(index, (spell, (from, width))): (usize, (Spell, (u64, u64)))| {
        let (words, tone) = phase_words(spell.phase().name());
        let ended = index == last && Phase::of(&spell.state).is_final();
        let lasted = if ended { "for good".to_owned() } else { length(spell.lasted()) };
        let detail = spell.state.detail.as_ref().map(|detail| format!(" / {detail}")).unwrap_or_default();
        let archived = if spell.state.archived { ", archived" } else { "" };
        let status = format!("{}{detail}{archived}", spell.state.status);
        SpellView { words, tone, status, since: When::of(spell.from, now), lasted, from, width }
    };
    let views = spells.into_iter().zip(parts).enumerate().map(view).collect();
    let sums = sums.into_iter().map(|(name, sum)| {
        let (words, tone) = phase_words(name);
        SumView { words, tone, figure: length(sum) }
    });
    (views, sums.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_leads_back_to_its_thread() {
        let thread = ThreadKey::from_tag("bobbin-thread:T1/C1/1700000000.000100").unwrap();
        assert_eq!(address(&thread), "/console/threads/T1/C1/1700000000.000100");
        assert_eq!(at(&address(&thread)), Some(thread));
        assert_eq!(at("/console/threads/T1/C1"), None);
        let odd = key("T|1", "C1", "1.5").unwrap();
        assert_eq!(at(&address(&odd)), Some(odd));
        for (team, channel, root) in [("C1", "C1", "1.5"), ("T1", "U1", "1.5"), ("T1", "C1", "now"), ("", "", "")] {
            assert_eq!(key(team, channel, root), None);
        }
    }
}
