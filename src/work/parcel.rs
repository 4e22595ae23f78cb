//! Files on their way into the thread: fetched from Devin and handed to Slack while they come, then shared there once.
//!
//! Until it is shared nobody sees a file, so that fetching and sending are simply done again; sharing is a step of its
//! own, found again by the label on the file's message. What cannot be brought is said, with where it can be seen.

use serde_json::json;

use super::{
    halt::Halt,
    label::Label,
    room::{self, LOOK_BACK_MESSAGES, PostKind},
    task::Task,
};
use crate::{
    devin::FileRef,
    domain::{
        ids::{Ts, UserId},
        link::Effect,
        mailbox::ThreadKey,
    },
    outbound::{DownloadError, Failure as _},
    slack::{Share, Slack, SlackError, client::CALL_TIMEOUT},
    steps::StepError,
    voice::NotHere,
};

const MIB: usize = 1024 * 1024;

/// How the steps begin that show a file.
pub(super) const STEP: &str = "share ";

/// At this attempt a file that still cannot be brought is left out, and that is said: the words behind it matter more.
const LAST_ATTEMPT: u32 = 4;

/// Slack's word for a file that is not there to be shared, or was shared already.
const NOT_FOUND: &str = "file_not_found";

/// What is brought.
#[derive(Debug)]
pub(super) enum Content<'a> {
    /// A file of Devin's.
    Devins(&'a FileRef),
    /// A text of ours.
    Text(&'a str),
}

/// A file to bring into a thread.
#[derive(Debug)]
pub(super) struct Parcel<'a> {
    /// The step's name, unique within the input.
    pub(super) step: String,
    /// What stands on it.
    pub(super) label: Label,
    /// What it is called.
    pub(super) name: String,
    /// What people read above it.
    pub(super) says: String,
    /// What it holds.
    pub(super) content: Content<'a>,
}

/// What became of a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Delivered {
    /// It is in the thread.
    Shared,
    /// It is not, and will not be.
    Missing(NotHere),
    /// The thread takes none.
    Closed,
}

/// Brings a file into the thread, once.
pub(super) async fn deliver(task: &mut Task, thread: &ThreadKey, parcel: &Parcel<'_>) -> Result<Delivered, Halt> {
    match send(task, parcel).await? {
        Ok(file) => share(task, thread, parcel, &file).await,
        Err(why) => Ok(Delivered::Missing(why)),
    }
}

/// Hands the file to Slack; its id there.
async fn send(task: &mut Task, parcel: &Parcel<'_>) -> Result<Result<String, NotHere>, Halt> {
    let step = format!("send {}", parcel.step);
    if let Some(known) = task.steps.result(&step) {
        return Ok(known);
    }
    let last = task.attempt >= LAST_ATTEMPT;
    let (length, body) = match open(task, &parcel.content).await {
        Ok(opened) => opened,
        Err(DownloadError::TooLarge { max_bytes }) => {
            return Ok(Err(NotHere::TooLarge { limit_mib: max_bytes / MIB }));
        }
        Err(error @ DownloadError::Failed { .. }) if !last => {
            return Err(Halt::Retry { why: error.to_string(), after: None });
        }
        Err(error) => {
            tracing::warn!(%error, step, "a file can't be fetched from Devin");
            return Ok(Err(NotHere::NotFetched));
        }
    };
    if length == 0 {
        return Ok(Err(NotHere::Empty));
    }
    let slack = task.deps.slack.clone();
    let transfer = async {
        let address = slack.upload_address(&parcel.name, length).await?;
        slack.upload(&address, length, body).await?;
        Ok(Ok(address.file))
    };
    let error = match task.steps.repeatable(&step, transfer).await {
        Err(StepError::Failed(error)) => error,
        other => return Ok(other?),
    };
    match error {
        SlackError::Unsure { .. } if last => {}
        SlackError::RateLimited { .. }
        | SlackError::Unreachable { .. }
        | SlackError::Unsure { .. }
        | SlackError::InstallationGone { .. } => return Err(Halt::retry(&error)),
        SlackError::MissingScope { .. }
        | SlackError::Target { .. }
        | SlackError::Payload { .. }
        | SlackError::Refused { .. } => {}
    }
    tracing::warn!(%error, step, "Slack did not take a file");
    Ok(Err(NotHere::NotTaken))
}

/// The content and its length. Without a length Slack takes nothing: a file that comes without one is read whole.
async fn open(task: &Task, content: &Content<'_>) -> Result<(u64, reqwest::Body), DownloadError> {
    let whole = |bytes: bytes::Bytes| (u64::try_from(bytes.len()).unwrap_or(u64::MAX), bytes.into());
    match content {
        Content::Text(text) => Ok(whole(bytes::Bytes::from((*text).to_owned()))),
        Content::Devins(file) => {
            let incoming = task.deps.devin.open_file(file, task.rules.max_file_bytes).await?;
            match incoming.length {
                Some(length) => Ok((length, incoming.into_body())),
                None => Ok(whole(incoming.read().await?.bytes)),
            }
        }
    }
}

async fn share(task: &mut Task, thread: &ThreadKey, parcel: &Parcel<'_>, file: &str) -> Result<Delivered, Halt> {
    let step = format!("{STEP}{}", parcel.step);
    if !task.steps.finished(&step)
        && let Some(at) = room::paced(task, thread, PostKind::Relay.ahead()).await?
    {
        return Err(Halt::Paced { at });
    }
    let slack = task.deps.slack.clone();
    let text = json!({ "type": "text", "text": parcel.says });
    let section = json!({ "type": "rich_text_section", "elements": [text] });
    let share = Share {
        file,
        title: &parcel.name,
        channel: &thread.channel,
        thread: &thread.root,
        blocks: json!([{ "type": "rich_text", "block_id": parcel.label.block_id(), "elements": [section] }]),
    };
    let me = task.deps.me().await?.user.clone();
    let look = Look { slack: slack.clone(), me, thread: thread.clone(), mark: parcel.label.mark.clone() };
    let act = slack.share(&share);
    let find = async { Ok(look.find().await?.map(|_| ())) };
    let shared = task.steps.once(&step, CALL_TIMEOUT, act, find).await;
    if task.steps.doubted(&step)
        && let Some(ours) = look.find().await?
    {
        task.doubt(Effect::Post { mark: parcel.label.mark.clone(), ours: Some(ours) });
    }
    let error = match shared {
        Ok(()) => return Ok(Delivered::Shared),
        Err(StepError::Failed(error)) => error,
        Err(other) => return Err(other.into()),
    };
    if let Some(after) = error.retry_after() {
        room::close(task, thread, after).await?;
    }
    match &error {
        SlackError::Target { code } if code == NOT_FOUND => {
            let found = look.find().await?.is_some();
            Ok(if found { Delivered::Shared } else { Delivered::Missing(NotHere::NotTaken) })
        }
        SlackError::Target { .. } => Ok(Delivered::Closed),
        SlackError::Payload { .. } | SlackError::Refused { .. } | SlackError::MissingScope { .. } => {
            tracing::warn!(%error, step, "a file was not shared");
            Ok(Delivered::Missing(NotHere::NotTaken))
        }
        SlackError::RateLimited { .. }
        | SlackError::Unreachable { .. }
        | SlackError::Unsure { .. }
        | SlackError::InstallationGone { .. } => Err(error.into()),
    }
}

/// A look into the thread for our message with a mark.
struct Look {
    slack: Slack,
    me: UserId,
    thread: ThreadKey,
    mark: String,
}

impl Look {
    async fn find(&self) -> Result<Option<Ts>, SlackError> {
        let Self { slack, me, thread, mark } = self;
        let replies = slack.replies(&thread.channel, &thread.root, None, LOOK_BACK_MESSAGES).await?;
        let ours = replies.into_iter().find(|m| m.user.as_ref() == Some(me) && room::carries(m, mark));
        Ok(ours.map(|m| m.ts))
    }
}
