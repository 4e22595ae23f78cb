//! Modals that were sent: the form that starts a session, and the one that hands a message to a session.

use super::{
    admission::note_refused,
    errand,
    halt::Halt,
    modal,
    opening::{self, Opened},
    organisations, paused, private, shortcut,
    task::Task,
    trouble,
};
use crate::{
    domain::{
        errand::{Begin, Errand},
        ids::{ChannelId, TeamId, UserId},
        mailbox::{Mailbox, ThreadKey},
        standing::{Linked, Standing},
    },
    slack::{
        brief::{Filled, NEW_SESSION},
        text,
        wire::interaction::ViewEvent,
    },
    store::{Admit, Commit},
    voice::{self, Aside},
};

/// Somebody who asks for something from outside of a thread.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asker<'a> {
    /// Workspace.
    pub(super) team: &'a TeamId,
    /// Who.
    pub(super) user: &'a UserId,
    /// Where to answer; `None`: as a direct message.
    pub(super) response_url: Option<&'a str>,
}

/// What a session shall be started with.
#[derive(Debug, Default)]
pub(super) struct Order {
    /// The task, in Slack's markup, with the words that set options.
    pub(super) text: String,
    /// Secrets for the session alone, sealed.
    pub(super) sealed: Option<String>,
}

/// A modal was sent.
pub(super) async fn submitted(task: &mut Task, event: ViewEvent) -> Result<Commit, Halt> {
    match event.view.callback_id.as_str() {
        NEW_SESSION => new_session(task, event).await,
        voice::SEND_TO_SESSION => shortcut::chosen(task, event).await,
        _ => Err(Halt::stop("a modal that is none of ours")),
    }
}

async fn new_session(task: &mut Task, event: ViewEvent) -> Result<Commit, Halt> {
    let filled = Filled::new(event.view.state.values);
    // The door has answered everything else.
    let Ok(brief) = filled.brief() else { return Err(Halt::stop("a form that the door should not have let in")) };
    let asker = Asker { team: &event.actor.team, user: &event.actor.user, response_url: None };
    let Some(person) = admit(task, asker, &brief.channel).await? else { return Ok(Commit::default()) };
    if let Some(said) = paused::answer(task, asker.team, opening::STEP).await? {
        private::tell(task, "paused", asker.user, None, &said).await?;
        return Ok(Commit::default());
    }
    match opening::open(task, asker.team, &brief.channel, voice::opening(&person.name, &brief.task)).await? {
        Opened::NotInside => {
            let aside = Aside::NotInside { channel: Some(brief.channel), task: brief.task };
            private::tell(task, "not inside", asker.user, None, &voice::aside(&aside)).await?;
        }
        Opened::Refused => {
            let aside = Aside::NotPosted { channel: Some(brief.channel), task: brief.task };
            private::tell(task, "not posted", asker.user, None, &voice::aside(&aside)).await?;
        }
        Opened::In(thread) => {
            // What is typed into a form is plain text.
            let order = Order { text: text::escape(&brief.in_words), sealed: filled.sealed_secrets() };
            begin(task, asker, &thread, order).await?;
        }
    }
    Ok(Commit::default())
}

/// As whom to act for somebody in a channel; `None` when they were refused and told so.
pub(super) async fn admit(task: &mut Task, asker: Asker<'_>, channel: &ChannelId) -> Result<Option<Linked>, Halt> {
    let said = match organisations::people_in(task, channel).who(asker.team, asker.user).await {
        Ok(Standing::Linked(person)) => return Ok(Some(person)),
        Ok(Standing::Refused { why }) => {
            note_refused(asker.user, why);
            voice::refusal(why)
        }
        Err(error) => modal::unknown(task, trouble::of_look_up(error))?,
    };
    private::tell(task, "refusal", asker.user, asker.response_url, &said).await?;
    Ok(None)
}

/// Has a session started in a thread that was opened for it.
pub(super) async fn begin(task: &Task, asker: Asker<'_>, thread: &ThreadKey, order: Order) -> Result<(), Halt> {
    let begin =
        Begin { user: asker.user.clone(), text: order.text, asked_in: thread.root.clone(), sealed: order.sealed };
    errand::send(task, "begin", Mailbox::Thread(thread.clone()), Admit::Always, &Errand::Begin(begin)).await?;
    Ok(())
}
