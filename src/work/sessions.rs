//! Which sessions are a person's: asked of Devin each time, because what the store knows is only an index.

use super::{
    halt::Halt,
    task::Task,
    trouble::{self, Meaning, Tried},
};
use crate::{
    devin::{Devin, DevinError, Session, SessionQuery},
    domain::{
        ids::{TeamId, UserId},
        phase::State,
        standing::{Linked, Refusal, Standing},
    },
    voice::Mine,
};

/// The tag on every session that was started from here.
const OURS: &str = "bobbin";
/// Pages of a person's sessions that are read, 200 rows each: nobody looks at more.
const MAX_PAGES: usize = 3;

/// What a person's look at what is theirs found.
#[derive(Debug)]
pub(super) enum Look {
    /// They have sessions, or may have.
    Seen {
        /// As whom they run.
        person: Linked,
        /// Those that wait for them first, then those that changed last.
        mine: Vec<Mine>,
    },
    /// Nobody acts for them.
    Refused(Refusal),
    /// It can't be known now.
    Unknown(Meaning),
}

/// Looks up who somebody is, and which sessions are theirs that were started from this installation's threads.
pub(super) async fn look(task: &Task, team: &TeamId, user: &UserId) -> Result<Look, Halt> {
    let person = match task.deps.people.clone().who(team, user).await {
        Ok(Standing::Linked(person)) => person,
        Ok(Standing::Refused { why }) => return Ok(Look::Refused(why)),
        Err(error) => return Ok(Look::Unknown(trouble::of_look_up(error))),
    };
    let home = task.deps.me().await?.url.clone();
    match list(&task.deps.devin, &person).await {
        Ok(sessions) => {
            let mut mine: Vec<Mine> = sessions.into_iter().filter_map(|session| one(team, &home, session)).collect();
            mine.sort_by_key(|one| (one.group(), std::cmp::Reverse(one.updated_at)));
            Ok(Look::Seen { person, mine })
        }
        Err(error) => {
            let tried = Tried { doing: "listing sessions", runs_as: &person.name };
            Ok(Look::Unknown(trouble::of_devin(error, tried)))
        }
    }
}

/// A person's sessions that were started by us. What the filters mean for rows of other people or without the tag is not
/// documented, so the rows are looked at as well.
async fn list(devin: &Devin, person: &Linked) -> Result<Vec<Session>, DevinError> {
    let mut query =
        SessionQuery { tags: vec![OURS.to_owned()], user_ids: vec![person.devin.clone()], ..SessionQuery::default() };
    let mut found = Vec::new();
    for _ in 0..MAX_PAGES {
        let page = devin.sessions(&query).await?;
        let next = page.next().map(str::to_owned);
        let theirs = page.items.into_iter().filter(|session| session.user_id.as_ref() == Some(&person.devin));
        found.extend(theirs.filter(|session| session.tags.iter().any(|tag| tag == OURS)));
        if next.is_none() || next == query.after {
            break;
        }
        query.after = next;
    }
    Ok(found)
}

/// A session of a thread of this installation; `None` for those of others.
fn one(team: &TeamId, home: &str, session: Session) -> Option<Mine> {
    let thread = session.thread().filter(|thread| thread.is_of(team))?;
    Some(Mine {
        session: session.id,
        title: session.title.unwrap_or_default(),
        url: session.url,
        state: State { status: session.status, detail: session.detail, archived: session.archived },
        permalink: thread.permalink(home, &thread.root),
        thread: Some(thread),
        updated_at: session.updated_at,
    })
}
