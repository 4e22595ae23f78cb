//! Shortcuts: the global one, which opens the form that starts a session, and the one that hands a message to a session:
//! to that of its own thread, or to one that the person chooses.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::{
    changed, errand,
    halt::Halt,
    kind::Speech,
    modal::{self, Opener},
    opening, private, reply,
    room::{self, PostKind, Say},
    sessions::{self, Look},
    task::Task,
};
use crate::{
    domain::{
        errand::{Errand, HandOver},
        ids::UserId,
        link::Link,
        mailbox::{Mailbox, ThreadKey},
        standing::Standing,
    },
    slack::{
        text,
        trigger::Surface,
        wire::interaction::{MessageAction, Shortcut, ViewEvent},
    },
    store::{Admit, Commit, StoreError},
    voice::{self, Again, Aside, Mine},
};

/// How long a message is remembered while its person chooses.
const CHOOSES_WITHIN: Duration = Duration::from_hours(1);
/// How much of a message the modal shows, in characters.
const MAX_EXCERPT_CHARS: usize = 300;

/// A message that waits for a session to be chosen.
#[derive(Debug, Serialize, Deserialize)]
struct Handed {
    text: String,
    #[serde(default)]
    author: Option<UserId>,
    #[serde(default)]
    files: Vec<String>,
    permalink: String,
}

/// The global shortcut.
pub(super) async fn global(task: &mut Task, shortcut: Shortcut) -> Result<Commit, Halt> {
    let opener = Opener {
        team: &shortcut.actor.team,
        user: &shortcut.actor.user,
        trigger_id: shortcut.trigger_id.as_deref(),
        response_url: None,
        again: Again::Shortcut,
    };
    modal::new_session(task, opener, None).await
}

/// A message of a thread with a session goes into that.
pub(super) async fn into_linked(
    task: &mut Task,
    thread: &ThreadKey,
    link: Link,
    action: MessageAction,
) -> Result<Commit, Halt> {
    let said = voice::aside(&Aside::HandedOver { session: link.seen.title.clone().unwrap_or_default() });
    let view = voice::notice_view(Surface::SendToSession, task.id.as_str(), &said);
    // Where there is no modal any more, the mark on the message says enough.
    modal::put(task, action.trigger_id.as_deref(), &view).await?;
    let text = attributed(&action.message.text, author(&action).as_ref());
    let speech = Speech {
        thread: thread.clone(),
        user: action.actor.user,
        ts: action.message.ts,
        text,
        addressed: true,
        response_url: action.response_url,
        files: Some(action.message.files),
        edited: false,
        from_outside: false,
    };
    reply::reply(task, link, speech).await
}

/// A message of any other thread: its person chooses one of their sessions.
pub(super) async fn from_free(task: &mut Task, thread: &ThreadKey, action: MessageAction) -> Result<Commit, Halt> {
    let opener = Opener {
        team: &thread.team,
        user: &action.actor.user,
        trigger_id: action.trigger_id.as_deref(),
        response_url: action.response_url.as_deref(),
        again: Again::MessageShortcut,
    };
    if !modal::hold(task, opener, Surface::SendToSession).await? {
        return Ok(Commit::default());
    }
    let said = match sessions::look(task, opener.team, opener.user).await? {
        Look::Seen { mine, .. } => {
            let open: Vec<Mine> = mine.into_iter().filter(Mine::takes_messages).collect();
            if !open.is_empty() {
                return choose(task, opener, &action, &open).await;
            }
            voice::aside(&Aside::NoneOpen)
        }
        Look::Refused(why) => voice::refusal(why),
        Look::Unknown(meaning) => modal::unknown(task, meaning)?,
    };
    let view = voice::notice_view(Surface::SendToSession, task.id.as_str(), &said);
    modal::show(task, opener, &view).await?;
    Ok(Commit::default())
}

async fn choose(task: &mut Task, opener: Opener<'_>, action: &MessageAction, open: &[Mine]) -> Result<Commit, Halt> {
    let handed = Handed {
        text: action.message.text.clone(),
        author: author(action),
        files: action.message.files.iter().map(|file| file.id.clone()).collect(),
        permalink: task.deps.slack.permalink(&action.channel, &action.message.ts).await.unwrap_or_default(),
    };
    let name = task.id.to_string();
    let stored = serde_json::to_string(&handed).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    task.deps.store.remember(&key(&name), &stored, CHOOSES_WITHIN).await?;
    let mut excerpt: String = action.message.text.chars().take(MAX_EXCERPT_CHARS).collect();
    if excerpt.len() < action.message.text.len() {
        excerpt.push('…');
    }
    let view = voice::send_to_session(&name, &name, &opening::plain(task, &excerpt).await, open);
    modal::show(task, opener, &view).await?;
    Ok(Commit::default())
}

/// The session was chosen.
pub(super) async fn chosen(task: &mut Task, event: ViewEvent) -> Result<Commit, Halt> {
    let (user, team) = (event.actor.user, event.actor.team);
    let values = &event.view.state.values;
    let thread = ThreadKey::from_tag(&voice::chosen_in(values, voice::SESSION_BLOCK)).filter(|t| t.is_of(&team));
    let stored = task.deps.store.recall(&key(&event.view.private_metadata)).await?;
    let handed = stored.and_then(|stored| serde_json::from_str::<Handed>(&stored).ok());
    let (Some(thread), Some(handed)) = (thread, handed) else {
        private::tell(task, "forgotten", &user, None, &voice::aside(&Aside::Forgotten)).await?;
        return Ok(Commit::default());
    };
    let note = text::escape(&voice::chosen_in(values, voice::NOTE_BLOCK));
    let Handed { text, author, files, permalink } = handed;
    let errand = Errand::HandOver(HandOver { user, text, author, note, files, permalink });
    errand::send(task, "hand over", Mailbox::Thread(thread), Admit::Always, &errand).await?;
    Ok(Commit::default())
}

/// A message from elsewhere stands in the thread of the session that it goes into, so that everybody there knows of it.
pub(super) async fn handed_over(
    task: &mut Task,
    thread: &ThreadKey,
    link: Link,
    hand_over: HandOver,
) -> Result<Commit, Halt> {
    let name = match task.deps.people.clone().who(&thread.team, &hand_over.user).await {
        Ok(Standing::Linked(person)) => person.name,
        // Whoever is refused is told so below.
        Ok(Standing::Refused { .. }) | Err(_) => "Somebody".to_owned(),
    };
    let plain = opening::plain(task, &both(&hand_over.note, &hand_over.text)).await;
    let said = voice::handed_over(&name, &hand_over.permalink, &plain);
    let facts = vec![("session_id", link.session.to_string())];
    let say = Say { step: "hand over", mark: task.mark("hand over"), kind: PostKind::Notice, facts, said };
    let room::Outcome::Made(ts) = room::post(task, thread, say).await? else {
        private::tell(task, "no thread", &hand_over.user, None, &voice::aside(&Aside::NoThread)).await?;
        return changed::settle(task, thread, link).await;
    };
    let mut files = Vec::new();
    for id in &hand_over.files {
        match task.deps.slack.file(id).await {
            Ok(file) => files.push(file),
            Err(error) => tracing::info!(%error, "a file of a message that was handed over can't be read"),
        }
    }
    let speech = Speech {
        thread: thread.clone(),
        user: hand_over.user.clone(),
        ts,
        text: both(&hand_over.note, &attributed(&hand_over.text, hand_over.author.as_ref())),
        addressed: true,
        response_url: None,
        files: Some(files),
        edited: false,
        from_outside: false,
    };
    reply::reply(task, link, speech).await
}

/// The thread has no session any more.
pub(super) async fn handed_to_nobody(task: &mut Task, user: &UserId) -> Result<Commit, Halt> {
    private::tell(task, "no thread", user, None, &voice::aside(&Aside::NoThread)).await?;
    Ok(Commit::default())
}

/// What the person adds stands before what they hand over.
fn both(note: &str, text: &str) -> String {
    [note, text].into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join("\n\n")
}

/// Who wrote a message, when it was not the person who hands it over.
fn author(action: &MessageAction) -> Option<UserId> {
    action.message.user.clone().filter(|author| *author != action.actor.user)
}

/// A message as the person who hands it over passes it on: other people's words are marked as theirs.
fn attributed(text: &str, author: Option<&UserId>) -> String {
    let Some(author) = author.filter(|_| !text.is_empty()) else { return text.to_owned() };
    let quoted: Vec<String> = text.lines().map(|line| format!("&gt; {line}")).collect();
    format!("A message of <@{author}> in Slack:\n{}", quoted.join("\n"))
}

fn key(name: &str) -> String {
    format!("handed:{name}")
}
