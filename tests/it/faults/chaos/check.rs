//! The checker: reads off the stand-ins whether every promise was kept. It gives what it finds as values, so that the
//! controls can see that it finds something.

use bobbin::{
    domain::{
        ids::{DevinUserId, Ts},
        outbox::BETWEEN,
    },
    store::Store as _,
    twin::{
        devin::{Session, Source},
        slack::Message,
        world::{ADA, ADA_AT_DEVIN, BACKEND, GRACE_AT_DEVIN},
    },
};

use super::{
    Violation::{self, Disordered, Doubled, Lost},
    play::{EDITED, Play, Said},
};
use crate::faults::doubles;

/// The states that are told by a post of their own.
const TOLD: [&str; 3] = ["waiting_for_user", "finished", "inactivity"];

/// The promises that were not kept.
pub(super) async fn violations(play: &Play) -> Vec<Violation> {
    let mut found: Vec<Violation> = doubles(&play.world).into_iter().map(Doubled).collect();
    for dead in play.world.store.dead(100).await.unwrap() {
        found.push(Lost(format!("set aside although every trouble passed: {}", dead.why)));
    }
    let mentions: Vec<Said> = play.said.iter().filter(|said| said.ts == said.root).cloned().collect();
    for mention in mentions {
        let thread = Thread::of(play, &mention);
        thread.asked(&mention, &mut found);
        thread.replies(&mut found);
        if let Some(session) = &thread.session {
            thread.relayed(session, &mut found);
            thread.requests(session, &mut found);
            thread.states(play, session, &mut found);
        }
    }
    found
}

/// One thread with everything in it.
struct Thread {
    /// Posts of the bot, in order.
    posts: Vec<Message>,
    /// Replies of people, in the order in which they were stored.
    said: Vec<Said>,
    /// Messages that carry the receipt.
    seen: Vec<Ts>,
    session: Option<Session>,
    /// When the mention was stored.
    since: Option<usize>,
}

impl Thread {
    fn of(play: &Play, mention: &Said) -> Self {
        let root = &mention.root;
        let messages = play.world.slack.thread(&BACKEND.parse().unwrap(), root);
        let seen = messages.iter().filter(|m| m.reactions.iter().any(|r| r.name == "eyes")).map(|m| m.ts.clone());
        let tag = format!("/{root}");
        let tagged =
            |session: &Session| session.tags.iter().any(|t| t.starts_with("bobbin-thread:") && t.ends_with(&tag));
        let mut said: Vec<Said> =
            play.said.iter().filter(|said| said.root == *root && said.ts != *root).cloned().collect();
        said.sort_by_key(|said| said.stored);
        Self {
            seen: seen.collect(),
            posts: messages.into_iter().filter(|m| m.metadata.is_some()).collect(),
            said,
            session: play.world.devin.sessions().into_iter().find(tagged),
            since: mention.stored,
        }
    }

    fn posts_of<'a>(&'a self, event_type: &'a str) -> impl Iterator<Item = &'a Message> {
        self.posts.iter().filter(move |m| m.metadata.as_ref().is_some_and(|d| d["event_type"] == event_type))
    }

    /// A mention that was acknowledged has its session, as whoever asked, its card and its receipt.
    fn asked(&self, mention: &Said, found: &mut Vec<Violation>) {
        if mention.stored.is_none() {
            if mention.acknowledged.is_some() {
                found.push(Lost(format!("acknowledged and not stored: {}", mention.text)));
            }
            return;
        }
        let Some(session) = &self.session else {
            found.push(Lost(format!("no session for {}", mention.text)));
            return;
        };
        if session.user_id.as_ref().map(DevinUserId::as_str) != Some(at_devin(mention.user)) {
            found.push(Lost(format!("{} runs as {:?}", mention.text, session.user_id)));
        }
        if self.posts_of("bobbin_card").count() == 0 {
            found.push(Lost(format!("no card for {}", mention.text)));
        }
        if !self.seen.contains(&mention.ts) {
            found.push(Lost(format!("no receipt for {}", mention.text)));
        }
    }

    /// A reply that was acknowledged once the thread was known is in the session, in the order of storing.
    fn replies(&self, found: &mut Vec<Violation>) {
        let known = |at: usize| self.since.is_some_and(|since| since < at);
        let unstored = self.said.iter().filter(|said| said.stored.is_none());
        for said in unstored.filter(|said| said.acknowledged.is_some_and(known)) {
            found.push(Lost(format!("acknowledged and not stored: {}", said.text)));
        }
        let stored: Vec<&Said> = self.said.iter().filter(|said| said.stored.is_some_and(known)).collect();
        let messages = self.session.as_ref().map(|session| session.messages.clone()).unwrap_or_default();
        let sent: Vec<(&str, Option<&str>)> = messages
            .iter()
            .filter(|m| m.source == Source::User)
            .skip(1)
            // Short messages of one person go as one when they come in one breath, and what was edited in time as it is now.
            .flat_map(|m| {
                m.message.split(BETWEEN).map(|part| (as_it_was(part), m.as_user.as_ref().map(DevinUserId::as_str)))
            })
            .collect();
        let wanted: Vec<(&str, Option<&str>)> =
            stored.iter().map(|said| (said.text.as_str(), Some(at_devin(said.user)))).collect();
        for lost in wanted.iter().filter(|said| !sent.contains(said)) {
            found.push(Lost(format!("not sent: {lost:?}")));
        }
        let in_order: Vec<_> = wanted.iter().filter(|said| sent.contains(said)).collect();
        if in_order != sent.iter().filter(|said| wanted.contains(said)).collect::<Vec<_>>() {
            found.push(Disordered(format!("sent {sent:?}, stored {wanted:?}")));
        }
    }

    /// Devin's words are in the thread, each once and in order.
    fn relayed(&self, session: &Session, found: &mut Vec<Violation>) {
        let spoken = session.messages.iter().filter(|m| m.source == Source::Devin);
        let spoken: Vec<&str> = spoken.map(|m| m.message.as_str()).collect();
        let told: Vec<&str> = self.posts_of("bobbin_relay").map(|m| m.text.as_str()).collect();
        for words in spoken.iter().filter(|words| !told.contains(words)) {
            found.push(Lost(format!("not relayed: {words}")));
        }
        for words in told.iter().filter(|words| told.iter().filter(|other| other == words).count() > 1) {
            found.push(Doubled(format!("relayed twice: {words}")));
        }
        if found.is_empty() && told != spoken {
            found.push(Disordered(format!("relayed {told:?}, said {spoken:?}")));
        }
    }

    /// Each pull request is told once.
    fn requests(&self, session: &Session, found: &mut Vec<Violation>) {
        for request in &session.pull_requests {
            let told = self.posts_of("bobbin_notice").filter(|m| m.text.contains(&request.url)).count();
            match told {
                0 => found.push(Lost(format!("not told: {}", request.url))),
                1 => {}
                _ => found.push(Doubled(format!("told {told} times: {}", request.url))),
            }
        }
    }

    /// States are told in the order in which they were entered, and the last one is told if it is one that is told.
    fn states(&self, play: &Play, session: &Session, found: &mut Vec<Violation>) {
        let entered = play.states.iter().filter(|(id, ..)| *id == session.id);
        let entered: Vec<String> =
            entered.map(|(_, _, detail)| detail.as_ref().map_or_else(String::new, ToString::to_string)).collect();
        let told: Vec<String> = self.posts_of("bobbin_transition").filter_map(status_detail).collect();
        let mut at = 0;
        for state in &told {
            let Some(later) = entered.iter().skip(at).position(|entered| entered == state) else {
                found.push(Disordered(format!("told {told:?}, entered {entered:?}")));
                return;
            };
            at += later;
        }
        let last = entered.last().filter(|state| TOLD.contains(&state.as_str()));
        if last.is_some_and(|last| told.last() != Some(last)) {
            found.push(Lost(format!("not told at the end: {last:?}, told {told:?}")));
        }
    }
}

/// A message as it was before somebody edited it.
fn as_it_was(text: &str) -> &str {
    text.strip_suffix(EDITED).unwrap_or(text)
}

fn status_detail(post: &Message) -> Option<String> {
    post.metadata.as_ref()?["event_payload"]["status_detail"].as_str().map(str::to_owned)
}

fn at_devin(user: &str) -> &'static str {
    if user == ADA { ADA_AT_DEVIN } else { GRACE_AT_DEVIN }
}
