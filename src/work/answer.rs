//! Answers to whoever told us something or pressed a button: only that person sees them, and each at most once.

use super::{admission::note_refused, halt::Halt, kind, kind::Speech, task::Task, trouble};
use crate::{
    domain::{
        ids::UserId,
        mailbox::ThreadKey,
        standing::{Linked, Standing},
    },
    slack::{Response, SlackError},
    steps::StepError,
    voice::{self, Said},
};

/// Whom to answer, and where.
#[derive(Debug, Clone)]
pub(super) struct To {
    /// The thread that it is about.
    pub(super) thread: ThreadKey,
    /// The person.
    pub(super) user: UserId,
    /// How they are reached.
    way: Way,
}

/// How somebody is reached.
#[derive(Debug, Clone)]
enum Way {
    /// By a message of their own. What begins a thread is answered beside it: in a thread that nobody replied in yet
    /// such an answer is never shown.
    Thread { beside: bool },
    /// At the address that came with a button.
    Button {
        response_url: Option<String>,
        /// Whether only they see the message with the button: the answer then takes its place.
        private: bool,
    },
}

/// Who asked for something: looked up, and to be answered.
#[derive(Debug, Clone)]
pub(super) struct Asked {
    /// Whom to answer, and where.
    pub(super) to: To,
    /// As whom they act.
    pub(super) person: Linked,
}

impl To {
    /// The author of a message, or whoever used the shortcut on it.
    pub(super) fn author(speech: &Speech) -> Self {
        let way = match &speech.response_url {
            Some(url) => Way::Button { response_url: Some(url.clone()), private: false },
            None => Way::Thread { beside: speech.ts == speech.thread.root },
        };
        Self { thread: speech.thread.clone(), user: speech.user.clone(), way }
    }

    /// Whoever pressed a button.
    pub(super) fn presser(thread: &ThreadKey, press: &kind::Pressed) -> Self {
        let way = Way::Button { response_url: press.response_url.clone(), private: press.container.is_ephemeral };
        Self { thread: thread.clone(), user: press.actor.user.clone(), way }
    }

    /// Somebody in a thread that has replies.
    pub(super) fn somebody(thread: &ThreadKey, user: &UserId) -> Self {
        Self { thread: thread.clone(), user: user.clone(), way: Way::Thread { beside: false } }
    }
}

/// Finds out as whom somebody acts, anew each time; `None` when they were refused. A person is told so; outsiders are
/// when `told_anyway`, because whoever presses a button waits for an answer.
pub(super) async fn who(task: &mut Task, to: To, told_anyway: bool) -> Result<Option<Asked>, Halt> {
    let why = match task.deps.people.clone().who(&to.thread.team, &to.user).await {
        Ok(Standing::Linked(person)) => return Ok(Some(Asked { to, person })),
        Ok(Standing::Refused { why }) => why,
        Err(error) => return Err(trouble::at_look_up(task, &to.thread, error).await),
    };
    note_refused(&to.user, why);
    if told_anyway || why.is_told() {
        say(task, &to, "refusal", voice::refusal(why)).await?;
    }
    Ok(None)
}

/// Says something to one person.
pub(super) async fn say(task: &mut Task, to: &To, step: &str, said: Said) -> Result<(), Halt> {
    let beside = match &to.way {
        Way::Thread { beside } => *beside,
        Way::Button { response_url: Some(url), private } => {
            let response = response(to, *private, said.clone());
            let slack = task.deps.slack.clone();
            match task.steps.at_most_once(step, slack.respond_with(url, &response)).await {
                // The address lives for half an hour and five answers.
                Err(StepError::Failed(SlackError::Target { .. } | SlackError::Refused { .. })) => false,
                other => return Ok(other?),
            }
        }
        Way::Button { response_url: None, .. } => false,
    };
    let slack = task.deps.slack.clone();
    let thread = (!beside).then_some(&to.thread.root);
    let act = slack.whisper_with(&to.thread.channel, &to.user, thread, (&said.text, said.blocks.as_ref()));
    match task.steps.at_most_once(&format!("{step}, in the thread"), act).await {
        // They left the channel, or the thread is gone: there is nobody to tell.
        Err(StepError::Failed(SlackError::Target { code } | SlackError::Refused { code })) => {
            tracing::info!(code, "nobody to answer");
            Ok(())
        }
        other => Ok(other?),
    }
}

/// In the place of a message that only they see, so that what was answered cannot be answered again.
fn response(to: &To, private: bool, said: Said) -> Response {
    let Said { text, blocks } = said;
    if private {
        Response::Instead { text, blocks }
    } else {
        Response::Beside { thread: Some(to.thread.root.clone()), text, blocks }
    }
}
