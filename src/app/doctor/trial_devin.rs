//! What is tried out at Devin, with one session that does nothing: how soon it is listed, what the filters mean, what its
//! conversation begins with, whether a message moves `updated_at`, what a message from nobody is answered, and what becomes
//! of one to a session that is over.

use std::{
    collections::BTreeSet,
    time::{Duration, Instant},
};

use super::live::{Stopped, Trial};
use crate::{
    devin::{CreateSession, DevinError, Directory, Member, SendMessage, Session, SessionQuery},
    domain::ids::{DevinUserId, SessionId},
};

/// What every session of a trial carries.
const TAG: &str = "bobbin-doctor";
/// What none carries.
const NO_TAG: &str = "bobbin-doctor-nothing";
/// Somebody who does not exist.
const NOBODY: &str = "user-bobbin-doctor-nobody";
const PROMPT: &str =
    "This session is a trial by `bobbin doctor --live`. Say the one word \"ready\", do nothing else, and wait.";
/// Both lists of people.
const DIRECTORIES: [Directory; 2] = [Directory::Users, Directory::IdpUsers];
/// Times are in whole seconds: after this long two of them differ plainly.
const APART: Duration = Duration::from_secs(3);

/// The tag that only this trial's session carries.
pub(super) fn tag(mark: &str) -> String {
    format!("{TAG}:{mark}")
}

/// Makes the session, as the person; `None` where Devin does not.
pub(super) async fn create(trial: &mut Trial) -> Result<Option<(SessionId, DevinUserId)>, Stopped> {
    trial.going()?;
    let Some(person) = person(trial).await else { return Ok(None) };
    trial.going()?;
    trial.asked = true;
    match trial.devin.create(&request(&trial.mark, person.clone())).await {
        Ok(session) => {
            trial.session = Some(session.id.clone());
            trial.found("session", "a session runs as the person", "ImpersonateOrgSessions is granted");
            Ok(Some((session.id, person)))
        }
        Err(error) => {
            let remedy = "grant the service user ImpersonateOrgSessions and UseDevinSessions, and name a member with \
                          UseDevinSessions";
            trial.failed("session", &error.to_string(), remedy);
            Ok(None)
        }
    }
}

async fn person(trial: &mut Trial) -> Option<DevinUserId> {
    let email = trial.order.person.clone();
    let mut why = "nobody of the organisation has this address".to_owned();
    let same = |member: &Member| member.email.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(&email));
    // The filter may be exact to the letter: then all members are compared.
    let lists = [Some(email.as_str()), None].into_iter().flat_map(|filter| DIRECTORIES.map(|list| (list, filter)));
    for (directory, filter) in lists {
        match trial.devin.members(directory, filter).await {
            Ok(members) => {
                let found = members.into_iter().find(same);
                if found.is_some() {
                    return found.map(|member| member.user_id);
                }
            }
            Err(error) => why = error.to_string(),
        }
    }
    trial.failed("person", &why, "name a member of the organisation by e-mail address: --as ADDRESS");
    None
}

fn request(mark: &str, person: DevinUserId) -> CreateSession {
    CreateSession {
        title: Some("Trial by bobbin doctor".to_owned()),
        tags: vec![TAG.to_owned(), tag(mark)],
        max_acu_limit: Some(1),
        ..CreateSession::new(PROMPT.to_owned(), person)
    }
}

/// How soon the session is listed.
pub(super) async fn listed(trial: &mut Trial, session: &SessionId) -> Result<(), Stopped> {
    const NAME: &str = "list_lag";
    let began = Instant::now();
    let therefore = "a lost session is looked for by its tag, last when it was to be listed twice over";
    loop {
        let why = match with_tags(trial, &[tag(&trial.mark)]).await {
            Ok(rows) if rows.contains(session) => {
                let lag = began.elapsed().as_secs();
                trial.findings.list_lag_s = Some(lag);
                trial.found(NAME, &format!("a new session is listed after {lag} s"), therefore);
                return Ok(());
            }
            Ok(_) => None,
            Err(error) => Some(error.to_string()),
        };
        if trial.look_again(began).await? {
            continue;
        }
        if let Some(why) = why {
            trial.not_found_out(NAME, &why);
        } else {
            let waited = trial.order.within.as_secs();
            trial.findings.list_lag_s = Some(waited);
            trial.found(NAME, &format!("a new session is not listed within {waited} s"), therefore);
        }
        return Ok(());
    }
}

/// What the filters of the list mean.
pub(super) async fn filters(trial: &mut Trial, session: &SessionId) -> Result<(), Stopped> {
    trial.going()?;
    match with_tags(trial, &[tag(&trial.mark), NO_TAG.to_owned()]).await {
        Ok(rows) => {
            let all = !rows.contains(session);
            trial.findings.tags_want_all = Some(all);
            let found = if all { "a list wants all tags that are given" } else { "a list wants any of the tags" };
            trial.found("tags", found, "the bot asks for one tag at a time, and compares the rows");
        }
        Err(error) => trial.not_found_out("tags", &error.to_string()),
    }
    trial.going()?;
    let forms = [("bare", session.bare().to_owned()), ("prefixed", session.prefixed())];
    let mut taken = Vec::new();
    for (form, id) in forms {
        match trial.devin.listed_as(&id).await {
            Ok(page) if page.items.iter().any(|row| row.id == *session) => taken.push(form),
            Ok(_) | Err(DevinError::Invalid { .. }) => {}
            Err(error) => {
                trial.not_found_out("session_ids", &error.to_string());
                return Ok(());
            }
        }
    }
    if taken.is_empty() {
        trial.not_found_out("session_ids", "a list by ids does not show the session");
    } else {
        let found = format!("a list takes ids in the form: {}", taken.join(", "));
        trial.found("session_ids", &found, "each id is sent in both forms");
    }
    Ok(())
}

/// What a message from somebody who does not exist is answered.
pub(super) async fn stranger(trial: &mut Trial, session: &SessionId) -> Result<(), Stopped> {
    trial.going()?;
    let Ok(nobody) = NOBODY.parse() else { return Ok(()) };
    let Some(answer) = answer(trial, "stranger", session, message("Nobody says this.", nobody)).await else {
        return Ok(());
    };
    let found = format!("a message from nobody is answered with: {answer}");
    trial.findings.stranger = Some(answer);
    trial.found("stranger", &found, "whoever is refused is looked up again, and asked to be linked");
    Ok(())
}

/// What a message is answered with; `None` where that is not an answer.
async fn answer(trial: &mut Trial, name: &str, session: &SessionId, message: SendMessage) -> Option<String> {
    match trial.devin.send(session, &message).await {
        Ok(_) => Some("taken".to_owned()),
        Err(error @ (DevinError::Unreachable { .. } | DevinError::Unsure { .. } | DevinError::RateLimited { .. })) => {
            trial.not_found_out(name, &error.to_string());
            None
        }
        Err(error) => Some(error.to_string()),
    }
}

/// Whether the conversation begins with what the session was asked.
pub(super) async fn first(trial: &mut Trial, session: &SessionId) -> Result<(), Stopped> {
    const NAME: &str = "first_message";
    let began = Instant::now();
    loop {
        let why = match trial.devin.messages(session, None).await {
            Ok(page) => match page.items.first() {
                Some(first) => {
                    let is_ours = first.message.contains(PROMPT);
                    trial.findings.prompt_is_first = Some(is_ours);
                    let found = if is_ours { "a conversation begins with the task" } else { "the task is no message" };
                    trial.found(NAME, found, "what came through the bot is known as such, and told to nobody again");
                    return Ok(());
                }
                None => "the session has no messages".to_owned(),
            },
            Err(error) => error.to_string(),
        };
        if !trial.look_again(began).await? {
            trial.not_found_out(NAME, &why);
            return Ok(());
        }
    }
}

/// What a session that is over does with a message, and whether it is listed once it is archived.
pub(super) async fn over(trial: &mut Trial, session: &SessionId, person: DevinUserId) -> Result<(), Stopped> {
    trial.going()?;
    if let Err(error) = trial.devin.terminate(session, false).await {
        trial.not_found_out("over", &error.to_string());
        return Ok(());
    }
    trial.ended = true;
    if let Some(answer) = answer(trial, "over", session, message("Are you there still?", person)).await {
        let found = format!("a message to a session that is over is answered with: {answer}");
        trial.findings.over = Some(answer);
        trial.found("over", &found, "whoever writes there reads that it is over, and how to begin another");
    }
    trial.going()?;
    let listed = match trial.devin.archive(session).await {
        Ok(_) => with_tags(trial, &[tag(&trial.mark)]).await,
        Err(error) => Err(error),
    };
    match listed {
        Ok(rows) => {
            let shown = rows.contains(session);
            trial.findings.archived_listed = Some(shown);
            let found = if shown { "a list shows archived sessions" } else { "a list leaves archived sessions out" };
            trial.found("archived", found, "a session that no list shows any more is asked for by its id");
        }
        Err(error) => trial.not_found_out("archived", &error.to_string()),
    }
    Ok(())
}

/// Whether a message moves `updated_at`. A change of state moves it in any case, so that only a message counts beside
/// which nothing else changed, or one that is newer than the time itself.
pub(super) async fn moves(trial: &mut Trial, session: &SessionId, person: DevinUserId) -> Result<(), Stopped> {
    const NAME: &str = "updated_at";
    trial.wait(APART).await?;
    let why = match try_moves(trial, session, person).await? {
        Ok(Some(moves)) => {
            trial.findings.messages_move_updated_at = Some(moves);
            if moves {
                trial.found(NAME, "a message moves it", "working sessions are asked for their words when it moves");
            } else {
                trial.found(
                    NAME,
                    "a message does not move it",
                    "working sessions are asked for their words by the clock",
                );
            }
            return Ok(());
        }
        Ok(None) => "no message came without a change of state beside it".to_owned(),
        Err(error) => error.to_string(),
    };
    trial.not_found_out(NAME, &why);
    Ok(())
}

async fn try_moves(
    trial: &Trial,
    session: &SessionId,
    person: DevinUserId,
) -> Result<Result<Option<bool>, DevinError>, Stopped> {
    let (mut seen, mut before) = match look(trial, session).await {
        Ok(look) => look,
        Err(error) => return Ok(Err(error)),
    };
    if let Err(error) = trial.devin.send(session, &message("Are you there?", person)).await {
        return Ok(Err(error));
    }
    let began = Instant::now();
    loop {
        match look(trial, session).await {
            Ok((messages, now)) => {
                let newest = messages.difference(&seen).map(|(at, _)| *at).max();
                let verdict = newest.and_then(|newest| judge(&before, &now, newest));
                if verdict.is_some() {
                    return Ok(Ok(verdict));
                }
                (seen, before) = (messages, now);
            }
            Err(error) => return Ok(Err(error)),
        }
        if !trial.look_again(began).await? {
            return Ok(Ok(None));
        }
    }
}

/// What a message of this time says, between two looks at its session.
fn judge(before: &Session, now: &Session, message_at: i64) -> Option<bool> {
    let same_state = before.status == now.status && before.detail == now.detail;
    if now.updated_at + 1 < message_at {
        Some(false)
    } else {
        (same_state && now.updated_at > before.updated_at).then_some(true)
    }
}

/// The messages by time and id, and then the session.
async fn look(trial: &Trial, session: &SessionId) -> Result<(BTreeSet<(i64, String)>, Session), DevinError> {
    let page = trial.devin.messages(session, None).await?;
    let messages = page.items.into_iter().map(|message| (message.created_at, message.event_id)).collect();
    Ok((messages, trial.devin.session(session).await?))
}

async fn with_tags(trial: &Trial, tags: &[String]) -> Result<Vec<SessionId>, DevinError> {
    let query = SessionQuery { tags: tags.to_vec(), ..SessionQuery::default() };
    Ok(trial.devin.sessions(&query).await?.items.into_iter().map(|session| session.id).collect())
}

fn message(words: &str, person: DevinUserId) -> SendMessage {
    SendMessage { message: words.to_owned(), attachment_urls: Vec::new(), message_as_user_id: person }
}

/// Ends and archives the session, one whose answer was lost included.
pub(super) async fn clean_up(trial: &Trial) -> Result<(), String> {
    if !trial.asked {
        return Ok(());
    }
    let mut sessions: BTreeSet<SessionId> = trial.session.iter().cloned().collect();
    match with_tags(trial, &[tag(&trial.mark)]).await {
        Ok(found) => sessions.extend(found),
        Err(error) if sessions.is_empty() => return Err(error.to_string()),
        Err(_) => {}
    }
    for session in &sessions {
        trial.devin.terminate(session, true).await.map_err(|error| error.to_string())?;
        if trial.ended {
            // Of what was over already, the end archives nothing.
            trial.devin.archive(session).await.map_err(|error| error.to_string())?;
        }
    }
    Ok(())
}
