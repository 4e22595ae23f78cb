//! A message of the session in the thread: its words as posts, what is too long for them and Devin's files as files. Each
//! is a step of its own, in order, so that a process that dies anywhere leaves none of them twice and none out.

use super::{
    changed, choose,
    halt::Halt,
    label::Label,
    parcel::{self, Content, Delivered, Parcel},
    room::{self, PostKind, Say},
    task::Task,
};
use crate::{
    devin::{DevinError, FileRef, Message, MessageSource, Words},
    domain::{link::Link, mailbox::ThreadKey, rules::Topic},
    voice::{self, NotHere, Relay, RelayNote, Said},
};

/// How the steps begin that bring what was said.
pub(super) const STEP: &str = "relay ";

/// How a file that came without words is named where a message's id stands.
const FILE_EVENT: &str = "file:";

/// A part of what is relayed: each goes into the thread as one message.
#[derive(Debug)]
pub(super) enum Part {
    /// Words.
    Post(Said),
    /// A file of Devin's.
    File(FileRef),
    /// All of a message that is too long for posts.
    Whole(String),
}

/// Where a part belongs.
#[derive(Debug, Clone, Copy)]
struct Place<'a> {
    /// The message's id, or what stands for a file that came without one.
    event: &'a str,
    number: usize,
    /// Whether a person wrote it, in Devin's web app.
    from_web: bool,
}

/// A text of ours that goes into the thread as a file.
#[derive(Debug)]
pub(super) struct OurText<'a> {
    /// What it is called.
    pub(super) name: &'a str,
    /// What people read above it.
    pub(super) says: &'a str,
    /// What it holds.
    pub(super) text: &'a str,
    /// What is said where it cannot come.
    pub(super) lost: Said,
}

/// The step that brings one part of a message.
pub(super) fn step(event: &str, part: usize) -> String {
    format!("{STEP}{event} {part}")
}

/// The file that an event stands for, where it stands for none of the session's messages.
pub(super) fn file_of(event: &str) -> Option<&str> {
    event.strip_prefix(FILE_EVENT)
}

/// A message's parts; always as many, so that a lost one can be found again.
pub(super) fn parts(task: &Task, link: &Link, message: &Message) -> Vec<Part> {
    let Words { text, files } = task.deps.devin.words(&message.message);
    let Relay { posts, goes_on } =
        if message.source == MessageSource::User { voice::from_web(&text) } else { voice::relay(&text) };
    let mut parts: Vec<Part> = posts.into_iter().map(Part::Post).collect();
    if goes_on {
        parts.push(Part::Whole(text));
    }
    parts.extend(files.into_iter().map(|file| match file {
        Some(file) => Part::File(file),
        None => Part::Post(missing(link, String::new(), NotHere::NotDevins)),
    }));
    parts
}

/// Relays a message; in a muted thread it counts as relayed and is not posted. The newest one may offer answers.
pub(super) async fn say(
    task: &mut Task,
    thread: &ThreadKey,
    link: &mut Link,
    message: &Message,
    newest: bool,
) -> Result<(), Halt> {
    let mut parts = parts(task, link, message);
    if newest {
        offer(task, thread, link, message, &mut parts);
    }
    let quiet = is_quiet(task, thread, link);
    let from_web = message.source == MessageSource::User;
    for (number, part) in parts.into_iter().enumerate() {
        let place = Place { event: &message.event_id, number, from_web };
        match part {
            Part::File(file) => bring_file(task, thread, link, place, &file, quiet).await?,
            Part::Post(_) | Part::Whole(_) if quiet => {}
            Part::Post(said) => post(task, thread, link, place, said).await?,
            Part::Whole(text) => {
                let parcel = Parcel {
                    step: step(place.event, number),
                    label: label(task, link, place),
                    name: voice::WHOLE_MESSAGE_FILE.to_owned(),
                    says: voice::WHOLE_MESSAGE_CAPTION.to_owned(),
                    content: Content::Text(&text),
                };
                let lost = voice::relay_note(RelayNote::WholeMissing { url: link.seen.url.clone() });
                bring(task, thread, link, place, parcel, |_| lost).await?;
            }
        }
    }
    Ok(())
}

/// Puts the answers that Devin's question offers under its last post.
fn offer(task: &Task, thread: &ThreadKey, link: &Link, message: &Message, parts: &mut [Part]) {
    if message.source == MessageSource::Devin
        && let Some(Part::Post(last)) = parts.iter_mut().rfind(|part| matches!(part, Part::Post(_)))
    {
        let answers = choose::answers(task, thread, link, message);
        *last = voice::with_answers(last.clone(), &answers);
    }
}

/// Whether what is said passes the thread over. How much that was is counted at Devin when the thread is to hear again.
fn is_quiet(task: &Task, thread: &ThreadKey, link: &Link) -> bool {
    !changed::posted(task, thread, link).has(Topic::Words)
}

/// Brings the files that Devin made and no words named.
pub(super) async fn other_files(task: &mut Task, thread: &ThreadKey, link: &mut Link) -> Result<(), Halt> {
    let files = match task.deps.devin.files(&link.session).await {
        Ok(files) => files,
        Err(error @ (DevinError::RateLimited { .. } | DevinError::Unreachable { .. } | DevinError::Unsure { .. })) => {
            return Err(Halt::retry(&error));
        }
        Err(error) => {
            tracing::warn!(%error, devin.session = %link.session, "the session's files can't be listed");
            return Ok(());
        }
    };
    if link.relayed.files.is_none() {
        // A thread that was never told of files: those that are there are no news.
        link.relayed.files = Some(files.iter().map(|file| file.key().to_owned()).collect());
    }
    for file in files {
        if link.relayed.has(file.key()) {
            continue;
        }
        let event = format!("{FILE_EVENT}{}", file.key());
        let quiet = is_quiet(task, thread, link);
        bring_file(task, thread, link, Place { event: &event, number: 0, from_web: false }, &file, quiet).await?;
    }
    Ok(())
}

async fn post(task: &mut Task, thread: &ThreadKey, link: &mut Link, place: Place<'_>, said: Said) -> Result<(), Halt> {
    let Label { session: _, part: _, mark, event } = label(task, link, place);
    let mut facts =
        vec![("session_id", link.session.to_string()), ("event_id", event), ("part", place.number.to_string())];
    facts.extend(place.from_web.then(|| ("source", "user".to_owned())));
    let step = step(place.event, place.number);
    room::post_for(task, thread, link, Say { step: &step, mark, kind: PostKind::Relay, facts, said }).await
}

/// Named by session and message, so that everybody can see which message a post is.
fn label(task: &Task, link: &Link, place: Place<'_>) -> Label {
    let (session, part) = (link.session.bare(), place.number.to_string());
    let mark = task.deps.marks.of(&["relay", session, place.event, &part]);
    Label { session: session.to_owned(), part: place.number, mark, event: place.event.to_owned() }
}

async fn bring_file(
    task: &mut Task,
    thread: &ThreadKey,
    link: &mut Link,
    place: Place<'_>,
    file: &FileRef,
    quiet: bool,
) -> Result<(), Halt> {
    if !quiet {
        let name = file.shown();
        let parcel = Parcel {
            step: step(place.event, place.number),
            label: label(task, link, place),
            says: voice::file_caption(&name),
            name: name.clone(),
            content: Content::Devins(file),
        };
        let url = link.seen.url.clone();
        let lost = |why| voice::relay_note(RelayNote::FileMissing { name, why, url });
        bring(task, thread, link, place, parcel, lost).await?;
    }
    link.relayed.brought(file.key());
    Ok(())
}

/// Brings a text of ours as a file; `key` names it among the session's files, and `lost` is said where it cannot come.
pub(super) async fn bring_text(
    task: &mut Task,
    thread: &ThreadKey,
    link: &mut Link,
    key: &str,
    text: OurText<'_>,
) -> Result<(), Halt> {
    let event = format!("{FILE_EVENT}{key}");
    let place = Place { event: &event, number: 0, from_web: false };
    let OurText { name, says, text, lost } = text;
    let (name, says) = (name.to_owned(), says.to_owned());
    let label = label(task, link, place);
    let parcel = Parcel { step: step(&event, 0), label, name, says, content: Content::Text(text) };
    bring(task, thread, link, place, parcel, |_| lost).await?;
    link.relayed.brought(key);
    Ok(())
}

/// Brings a file, or says why it is not there.
async fn bring(
    task: &mut Task,
    thread: &ThreadKey,
    link: &mut Link,
    place: Place<'_>,
    parcel: Parcel<'_>,
    lost: impl FnOnce(NotHere) -> Said + Send,
) -> Result<(), Halt> {
    // Finished is what was said in the place of the file, or what was found in the thread.
    if link.closed || task.steps.finished(&parcel.step) {
        return Ok(());
    }
    match Box::pin(parcel::deliver(task, thread, &parcel)).await? {
        Delivered::Shared => Ok(()),
        Delivered::Missing(why) => post(task, thread, link, place, lost(why)).await,
        Delivered::Closed => {
            link.closed = true;
            Ok(())
        }
    }
}

fn missing(link: &Link, name: String, why: NotHere) -> Said {
    voice::relay_note(RelayNote::FileMissing { name, why, url: link.seen.url.clone() })
}
