//! A mention, a direct message or the shortcut in a thread without a session: starts one as the person who asked.

use serde::{Deserialize, Serialize};

use super::{
    admission::{Telling, admit},
    agent_view, card, changed, command, files,
    halt::Halt,
    kind::Speech,
    paused, presence, prompt, room,
    task::Task,
    trouble::{self, Tried},
    wish::{self, Wish},
};
use crate::{
    devin::{CREATE_TIMEOUT, CreateSession, Devin, DevinError, Session, SessionQuery, SessionSecret},
    domain::{
        announce::{About, Observation},
        ids::SessionId,
        link::{Asker, Effect, Link},
        phase::State,
        presence::RECEIPT,
        standing::Linked,
        status::Status,
    },
    slack::SlackError,
    steps::StepError,
    store::Commit,
    voice::Notice,
};

/// The receipt: somebody is on it.
pub(super) const SEEN: &str = RECEIPT;
/// The lasting sign that nothing will be done.
pub(super) const REFUSED: &str = "no_entry_sign";

/// What is kept of a session that was started: what the card and the link need.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Started {
    session: SessionId,
    url: String,
    title: Option<String>,
    status: Status,
    updated_at: i64,
}

/// Starts a session and opens its card.
pub(super) async fn start(task: &mut Task, speech: Speech) -> Result<Commit, Halt> {
    start_with(task, speech, Vec::new()).await
}

/// Starts a session with secrets of its own, and opens its card.
pub(super) async fn start_with(task: &mut Task, speech: Speech, secrets: Vec<SessionSecret>) -> Result<Commit, Halt> {
    if !speech.addressed {
        // Somebody talked in a thread while a mention in it was still waiting, and that came to nothing.
        return Ok(Commit::default());
    }
    if speech.response_url.is_some() && !is_inside(task, &speech).await? {
        return command::answer(task, speech.response_url.as_deref(), &Notice::NotInside).await;
    }
    let Ok(person) = admit(task, &speech, Telling::EachTime).await? else { return Ok(Commit::default()) };
    if paused::refused(task, &speech).await? {
        return Ok(Commit::default());
    }
    let draft = prompt::draft(task, &speech, &person).await?;
    // Whoever hands over somebody else's message did not choose the words in it.
    let theirs = speech.response_url.is_none();
    let Some(wish) = wish::read(task, &speech.thread, &draft.words, theirs).await? else {
        return Ok(Commit::default());
    };
    let prompt = draft.prompt(&wish.task);
    let files = files::pass_on(task, &speech).await?;
    if prompt.task.is_empty() && files.urls.is_empty() {
        if files.skipped.is_empty() {
            room::notice(task, &speech.thread, None, "notice nothing asked", &Notice::NothingAsked).await?;
        } else {
            files::say_skipped(task, &speech.thread, None, files.skipped).await?;
        }
        return Ok(Commit::default());
    }
    let request = CreateSession { session_secrets: secrets, ..request(task, &speech, &person, &prompt, files.urls) };
    let title = wish.options.title.as_deref().unwrap_or(&prompt.title);
    let presence = presence::accepted(task, &speech, title).await?;
    let started = match create(task, &speech, &person, &wish, &wish.put_into(request)).await {
        Ok(Some(started)) => started,
        Ok(None) => {
            presence::let_go(task, &speech.thread).await?;
            return Ok(Commit::default());
        }
        Err(halt) => return Err(presence::given_up(task, &speech.thread, halt).await),
    };
    trouble::recovered(task, &speech.thread).await?;

    let mut link = link(task, &speech, &person, started);
    link.options = wish.options;
    link.lately.presence = presence;
    card::open(task, &speech.thread, &mut link).await?;
    agent_view::name(task, &speech.thread, link.seen.title.as_deref().unwrap_or_default()).await?;
    files::say_skipped(task, &speech.thread, Some(&link), files.skipped).await?;
    task.deps.nudge.notify_one();
    changed::settle(task, &speech.thread, link).await
}

/// Whether we are in the conversation. The shortcut works everywhere, but what we could not report on we do not start.
async fn is_inside(task: &Task, speech: &Speech) -> Result<bool, Halt> {
    match task.deps.slack.channel(speech.channel()).await {
        Ok(channel) => Ok(channel.is_member || channel.is_im || channel.is_mpim),
        Err(SlackError::Target { .. }) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

fn request(
    task: &Task,
    speech: &Speech,
    person: &Linked,
    prompt: &prompt::Prompt,
    attachment_urls: Vec<String>,
) -> CreateSession {
    CreateSession {
        title: Some(prompt.title.clone()).filter(|t| !t.is_empty()),
        tags: vec!["bobbin".to_owned(), speech.thread.tag(), input_tag(task)],
        attachment_urls,
        ..CreateSession::new(prompt.text.clone(), person.devin.clone())
    }
}

/// The tag by which a session whose answer was lost is found again.
fn input_tag(task: &Task) -> String {
    format!("bobbin-input:{}", task.id)
}

/// Creates the session; `None` when Devin refused what was asked for, and that was said.
async fn create(
    task: &mut Task,
    speech: &Speech,
    person: &Linked,
    wish: &Wish,
    request: &CreateSession,
) -> Result<Option<Started>, Halt> {
    let devin = task.deps.devin.clone();
    let tag = input_tag(task);
    let act = async { devin.create(request).await.map(Started::from) };
    let created = task.steps.once("create session", CREATE_TIMEOUT, act, find(&devin, &tag)).await;
    if task.steps.doubted("create session") {
        task.doubt(Effect::Session { tag, ours: created.as_ref().ok().map(|started| started.session.clone()) });
    }
    let error = match created {
        Ok(started) => return Ok(Some(started)),
        Err(error) => error,
    };
    if let StepError::Failed(error) = &error
        && wish::refused(task, &speech.thread, wish, error).await?
    {
        trouble::recovered(task, &speech.thread).await?;
        return Ok(None);
    }
    let tried = Tried { doing: "starting a session", runs_as: &person.name };
    Err(trouble::at_devin(task, &speech.thread, tried, error).await)
}

/// The oldest session with the tag. Whether the list's filter means any or all is not documented, so the tags are
/// compared here as well.
async fn find(devin: &Devin, tag: &str) -> Result<Option<Started>, DevinError> {
    let query = SessionQuery { tags: vec![tag.to_owned()], ..SessionQuery::default() };
    let page = devin.sessions(&query).await?;
    let ours = page.items.into_iter().filter(|s| s.tags.iter().any(|t| t == tag));
    Ok(ours.min_by_key(|s| s.created_at).map(Started::from))
}

impl From<Session> for Started {
    fn from(session: Session) -> Self {
        Self {
            session: session.id,
            url: session.url,
            title: session.title,
            status: session.status,
            updated_at: session.updated_at,
        }
    }
}

fn link(task: &Task, speech: &Speech, person: &Linked, started: Started) -> Link {
    let now = task.now();
    let asker = Asker { asked_in: speech.ts.clone(), requester: speech.user.clone(), runs_as: person.name.clone() };
    let seen = Observation {
        session: started.session,
        state: State::new(started.status, None),
        updated_at: started.updated_at,
        seen_at: now,
        title: started.title,
        url: started.url,
        acus: 0.0,
        pull_requests: std::collections::BTreeMap::new(),
        about: About::default(),
    };
    Link::new(asker, seen, now)
}
