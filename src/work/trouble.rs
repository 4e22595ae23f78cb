//! What people are told when something outside refuses, and whether we go on trying.

use super::{
    halt::Halt,
    room::{self, PostKind, Say},
    task::Task,
};
use crate::{
    devin::DevinError,
    domain::{ids::Ts, mailbox::ThreadKey},
    people::PeopleError,
    slack::SlackError,
    steps::StepError,
    voice::{self, Notice},
};

/// The step under which people are told that Devin can't be reached; its post is edited when it can be again.
const UNREACHABLE: &str = "notice unreachable";
/// The first attempt that fails may be a blip: people are told from this one on.
const TOLD_FROM_ATTEMPT: u32 = 2;
/// An answer that was lost is looked for quietly first: people are told when the looking has not helped.
const UNSURE_TOLD_FROM_ATTEMPT: u32 = 4;

/// What was tried at Devin, for the sentence that says it failed.
#[derive(Debug, Clone, Copy)]
pub(super) struct Tried<'a> {
    /// Such as `starting a session`.
    pub(super) doing: &'static str,
    /// As whom.
    pub(super) runs_as: &'a str,
}

/// Turns what a step at Devin ended with into what happens next, telling the thread where that is called for.
pub(super) async fn at_devin(
    task: &mut Task,
    thread: &ThreadKey,
    tried: Tried<'_>,
    error: StepError<DevinError>,
) -> Halt {
    let told = match error {
        StepError::Store(error) => return Halt::Store(error),
        StepError::Unsure { until, why, .. } => {
            if let Err(halt) = unreachable_from(UNSURE_TOLD_FROM_ATTEMPT, task, thread).await {
                return halt;
            }
            return Halt::Later { at: until, why };
        }
        StepError::Failed(error) => refused(task, thread, tried, error).await,
    };
    told.unwrap_or_else(|halt| halt)
}

async fn refused(task: &mut Task, thread: &ThreadKey, tried: Tried<'_>, error: DevinError) -> Result<Halt, Halt> {
    let why = error.to_string();
    end(task, thread, of_devin(error, tried), why).await
}

/// What a failure outside means for whoever asked.
#[derive(Debug)]
pub(super) enum Meaning {
    /// It passes: again later.
    Passing {
        /// How.
        halt: Halt,
        /// Whether Devin can't be reached.
        devin_is_away: bool,
    },
    /// It stays until somebody does what this says.
    Lasting(Notice),
}

impl Meaning {
    fn passing(halt: Halt) -> Self {
        Self::Passing { halt, devin_is_away: false }
    }
}

/// What a failed call to Devin means.
pub(super) fn of_devin(error: DevinError, tried: Tried<'_>) -> Meaning {
    Meaning::Lasting(match error {
        DevinError::RateLimited { .. } => return Meaning::passing(Halt::retry(&error)),
        // Of what was looked for, not of what was done: doing ends as `StepError::Unsure`.
        DevinError::Unreachable { .. } | DevinError::Unsure { .. } => {
            return Meaning::Passing { halt: Halt::retry(&error), devin_is_away: true };
        }
        DevinError::Unauthorized => Notice::DevinUnauthorized,
        DevinError::Forbidden { detail } => {
            Notice::DevinForbidden { doing: tried.doing.to_owned(), runs_as: tried.runs_as.to_owned(), detail }
        }
        DevinError::Billing { detail } => Notice::DevinBilling { detail },
        DevinError::Invalid { detail } => Notice::DevinInvalid { detail },
        DevinError::NotFound => Notice::DevinUnknown { detail: "not found".to_owned() },
    })
}

/// What a failed look-up of a person means.
pub(super) fn of_look_up(error: PeopleError) -> Meaning {
    Meaning::Lasting(match error {
        PeopleError::Store(error) => return Meaning::passing(Halt::Store(error)),
        PeopleError::Slack(SlackError::MissingScope { needed, .. }) => Notice::LookupForbidden {
            system: "Slack".to_owned(),
            detail: format!("missing scope {}", needed.unwrap_or_default()),
        },
        PeopleError::Slack(
            error @ (SlackError::RateLimited { .. }
            | SlackError::Unreachable { .. }
            | SlackError::Unsure { .. }
            | SlackError::InstallationGone { .. }),
        ) => return Meaning::passing(error.into()),
        PeopleError::Slack(
            SlackError::Target { code } | SlackError::Payload { code, .. } | SlackError::Refused { code },
        ) => Notice::LookupForbidden { system: "Slack".to_owned(), detail: code },
        PeopleError::Devin(
            DevinError::Forbidden { detail } | DevinError::Invalid { detail } | DevinError::Billing { detail },
        ) => Notice::LookupForbidden { system: "Devin".to_owned(), detail },
        PeopleError::Devin(
            error @ (DevinError::Unauthorized
            | DevinError::NotFound
            | DevinError::RateLimited { .. }
            | DevinError::Unsure { .. }
            | DevinError::Unreachable { .. }),
        ) => return of_devin(error, Tried { doing: "looking people up", runs_as: "" }),
    })
}

/// Tells the thread what a failure means, where that is called for; how the handler ends.
async fn end(task: &mut Task, thread: &ThreadKey, meaning: Meaning, why: String) -> Result<Halt, Halt> {
    match meaning {
        Meaning::Passing { halt, devin_is_away } => {
            if devin_is_away {
                unreachable_from(TOLD_FROM_ATTEMPT, task, thread).await?;
            }
            Ok(halt)
        }
        Meaning::Lasting(notice) => {
            refuse(task, thread, &notice).await?;
            Ok(Halt::Stop { why })
        }
    }
}

/// Says that nothing was done; where it was said before that we go on trying, in the place of that.
async fn refuse(task: &mut Task, thread: &ThreadKey, notice: &Notice) -> Result<(), Halt> {
    if task.steps.result::<Ts>(UNREACHABLE).is_some() {
        return replace(task, thread, notice).await;
    }
    room::notice(task, thread, None, "notice refused", notice).await?;
    Ok(())
}

/// From a certain attempt on, says that Devin can't be reached.
async fn unreachable_from(attempt: u32, task: &mut Task, thread: &ThreadKey) -> Result<(), Halt> {
    if task.attempt >= attempt {
        room::notice(task, thread, None, UNREACHABLE, &Notice::DevinUnreachable).await?;
    }
    Ok(())
}

/// Says that Devin can be reached again, where it was said that it can't.
pub(super) async fn recovered(task: &mut Task, thread: &ThreadKey) -> Result<(), Halt> {
    replace(task, thread, &Notice::DevinRecovered).await
}

/// Puts another sentence in the place of the one that Devin can't be reached, where that was said. An edit that Slack
/// refuses is no reason to stop.
async fn replace(task: &Task, thread: &ThreadKey, notice: &Notice) -> Result<(), Halt> {
    let Some(ts) = task.steps.result::<Ts>(UNREACHABLE) else { return Ok(()) };
    let mark = task.mark(UNREACHABLE);
    let said = voice::answering(notice, &task.id);
    let say = Say { step: UNREACHABLE, mark, kind: PostKind::Notice, facts: Vec::new(), said };
    match task.deps.slack.update(&thread.channel, &ts, &room::message(&say)).await {
        Err(error) if error.code().is_none() => Err(error.into()),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// A look-up of a person that failed: passing troubles are tried again, standing ones are told.
pub(super) async fn at_look_up(task: &mut Task, thread: &ThreadKey, error: PeopleError) -> Halt {
    let why = error.to_string();
    let meaning = of_look_up(error);
    end(task, thread, meaning, why).await.unwrap_or_else(|halt| halt)
}
