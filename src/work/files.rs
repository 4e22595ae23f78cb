//! Files of a message: fetched from Slack, handed to Devin. What can't be passed on is said in the thread, never
//! dropped in silence.

use super::{halt::Halt, kind::Speech, room, task::Task};
use crate::{
    devin::DevinError,
    domain::{link::Link, mailbox::ThreadKey},
    outbound::DownloadError,
    slack::File,
    steps::StepError,
    voice::{Notice, Skipped, SkippedFile},
};

/// Files of one message that are passed on: Slack's composer takes ten.
const MAX_FILES: usize = 10;

/// At this attempt a file that still can't be fetched or handed over is left out, and that is said: the message matters
/// more.
const LAST_ATTEMPT: u32 = 4;

/// What became of a message's files.
#[derive(Debug, Default)]
pub(super) struct Passed {
    /// Addresses at Devin.
    pub(super) urls: Vec<String>,
    /// What was left out.
    pub(super) skipped: Vec<SkippedFile>,
}

/// Hands a message's files to Devin.
pub(super) async fn pass_on(task: &mut Task, speech: &Speech) -> Result<Passed, Halt> {
    let mut passed = Passed::default();
    for (index, file) in files_of(task, speech).await?.into_iter().enumerate() {
        let name = name(&file);
        let outcome = match skipped_unseen(&file) {
            Some(why) => Err(why),
            None if index >= MAX_FILES => Err(Skipped::TooMany { limit: MAX_FILES }),
            None => one(task, &file).await?,
        };
        match outcome {
            Ok(url) => passed.urls.push(url),
            Err(why) => passed.skipped.push(SkippedFile { name, why }),
        }
    }
    Ok(passed)
}

/// Why a file is left out whatever is in it: Slack has none of its content.
fn skipped_unseen(file: &File) -> Option<Skipped> {
    match file.mode.as_deref() {
        Some("external") => Some(Skipped::KeptElsewhere),
        // Deleted, or hidden by the limit of a workspace's plan.
        Some("tombstone" | "hidden_by_limit") => Some(Skipped::NotReadable),
        Some(_) | None => None,
    }
}

/// The files as the event has them; mentions often come without, so that the message itself is asked.
async fn files_of(task: &Task, speech: &Speech) -> Result<Vec<File>, Halt> {
    if let Some(files) = &speech.files {
        return Ok(files.clone());
    }
    match task.deps.slack.message(speech.channel(), &speech.ts).await {
        Ok(message) => Ok(message.map(|m| m.files).unwrap_or_default()),
        Err(error) if error.code().is_some() => {
            // We may not read there, so that nobody can say whether there are any.
            tracing::warn!(%error, "a message's files can't be looked up");
            Ok(Vec::new())
        }
        Err(error) => Err(error.into()),
    }
}

/// Says in the thread what was left out, if anything was.
pub(super) async fn say_skipped(
    task: &mut Task,
    thread: &ThreadKey,
    link: Option<&Link>,
    files: Vec<SkippedFile>,
) -> Result<(), Halt> {
    if !files.is_empty() {
        room::notice(task, thread, link, "notice skipped files", &Notice::SkippedFiles { files }).await?;
    }
    Ok(())
}

/// What people call the file.
fn name(file: &File) -> String {
    file.name.clone().or_else(|| file.title.clone()).unwrap_or_else(|| file.id.clone())
}

async fn one(task: &mut Task, file: &File) -> Result<Result<String, Skipped>, Halt> {
    let most = task.rules.max_file_bytes;
    let too_large = Skipped::TooLarge { limit_bytes: most };
    if file.size.is_some_and(|size| usize::try_from(size).map_or(true, |size| size > most)) {
        return Ok(Err(too_large));
    }
    let step = format!("upload {}", file.id);
    if let Some(outcome) = task.steps.result(&step) {
        return Ok(outcome);
    }
    let fetched = match task.deps.slack.download(file, most).await {
        Ok(download) => Ok(download.bytes),
        Err(DownloadError::TooLarge { .. }) => Err(too_large),
        Err(error @ DownloadError::Failed { .. }) if task.attempt < LAST_ATTEMPT => {
            return Err(Halt::Retry { why: error.to_string(), after: None });
        }
        Err(error) => {
            tracing::warn!(%error, slack.file = %file.id, "a file can't be read");
            Err(Skipped::NotReadable)
        }
    };
    let devin = task.deps.devin.clone();
    let transfer = async {
        let kind = file.mimetype.clone().unwrap_or_else(|| "application/octet-stream".to_owned());
        match fetched {
            Ok(bytes) => devin.upload(&name(file), &kind, bytes).await.map(|attachment| Ok(attachment.url)),
            Err(why) => Ok(Err(why)),
        }
    };
    match task.steps.repeatable(&step, transfer).await {
        Ok(outcome) => Ok(outcome),
        Err(StepError::Store(error)) => Err(error.into()),
        Err(StepError::Unsure { until, why, .. }) => Err(Halt::Later { at: until, why }),
        Err(StepError::Failed(error @ (DevinError::RateLimited { .. } | DevinError::Unreachable { .. }))) => {
            Err(Halt::retry(&error))
        }
        Err(StepError::Failed(error @ DevinError::Unsure { .. })) if task.attempt < LAST_ATTEMPT => {
            Err(Halt::retry(&error))
        }
        Err(StepError::Failed(error)) => {
            tracing::warn!(%error, slack.file = %file.id, "Devin did not take a file");
            Ok(Err(Skipped::NotTaken))
        }
    }
}
