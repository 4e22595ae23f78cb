//! Untying a thread from its session. The session goes on in Devin and keeps its tags, so that what must not tie the two
//! again is written down twice: in the thread's state, and in the metadata of the post that says it, for a store that is
//! made again from outside.

use super::{Act, Asked, Halt, Link, Task, offer, say, tell};
use crate::{
    domain::link::Thread,
    slack::Message,
    store::{Activity, Commit, Track},
    voice::{self, Question, Told},
    work::{
        room::{self, PostKind, Say},
        task,
    },
};

const STEP: &str = "say that it is separated";
/// What the metadata of that post says.
pub(in super::super) const FACT: &str = "detached";

/// Asks whether to do it.
pub(super) async fn ask(task: &mut Task, link: &Link, asked: &Asked) -> Result<(), Halt> {
    let thread = asked.to.thread.clone();
    let offered = offer(task, &thread, link, asked, &[Act::Detach, Act::Keep]);
    let question = Question::Detach { url: link.seen.url.clone() };
    say(task, asked, voice::confirm(&question, &offered)).await
}

/// Does it: says so to everybody, in a post and on the card, and lets go.
pub(in super::super) async fn detach(task: &mut Task, link: Link, asked: &Asked) -> Result<Commit, Halt> {
    let thread = asked.to.thread.clone();
    let said = voice::told(&Told::SeparatedBy { name: asked.person.name.clone(), url: link.seen.url.clone() });
    let facts = vec![("session_id", link.session.to_string()), (FACT, true.to_string())];
    let say = Say { step: STEP, mark: task.mark(STEP), kind: PostKind::Notice, facts, said: said.clone() };
    room::post(task, &thread, say).await?;
    if let Some(card) = &link.card.ts {
        // Its buttons would be those of a session that is not here any more. Without metadata it keeps what it has.
        let message = Message { text: said.text, blocks: None, metadata: None };
        room::ornament(
            task.deps.slack.update(&thread.channel, card, &message).await,
            "the card of a separated session",
        )?;
    }
    tell(task, asked, Told::Separated).await?;
    task.thread.detached.push(link.session.clone());
    let track = Some(Track { session: link.session, activity: Activity::Over });
    let state = Thread { link: None, ..task.thread.clone() };
    Ok(Commit { state: Some(task::write(&state)?), track, ..Commit::default() })
}
