//! Which sessions are a person's, in every organisation that they meet: asked of Devin each time, because what the store
//! knows is only an index.

use super::{
    halt::Halt,
    organisations::{self, Organisation},
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
    voice::{self, Identity, Mine, RunsAs},
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
        /// As whom they run where they are not in a channel of another organisation's.
        runs_as: RunsAs,
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
    let organisations = organisations::met(task, team).await?;
    let several = organisations.len() > 1;
    let (mut mine, mut identities) = (Vec::new(), Vec::new());
    for (n, Organisation { name, channels, devin, people }) in organisations.into_iter().enumerate() {
        // In other organisations nobody has asked for anything yet.
        let people = if n == 0 { people } else { people.only_looking() };
        let is = match people.who(team, user).await {
            Ok(standing) => standing,
            Err(error) => return Ok(Look::Unknown(trouble::of_look_up(error))),
        };
        if let Standing::Linked(person) = &is {
            let home = task.deps.me().await?.url.clone();
            let place = several.then(|| voice::organisation(name.as_deref()));
            match list(&devin, person).await {
                Ok(sessions) => {
                    mine.extend(sessions.into_iter().filter_map(|one| of(team, &home, place.as_ref(), one)));
                }
                Err(error) => {
                    let tried = Tried { doing: "listing sessions", runs_as: &person.name };
                    return Ok(Look::Unknown(trouble::of_devin(error, tried)));
                }
            }
        }
        identities.push(Identity { organisation: voice::organisation(name.as_deref()), channels, is });
    }
    mine.sort_by_key(|one: &Mine| (one.group(), std::cmp::Reverse(one.updated_at)));
    // Refused everywhere, for the reason of the workspace's own organisation, which stands first.
    let refused = identities.iter().map(|one| match &one.is {
        Standing::Linked(_) => None,
        Standing::Refused { why } => Some(*why),
    });
    let refused = refused.collect::<Option<Vec<_>>>().and_then(|whys| whys.first().copied());
    Ok(refused.map_or(Look::Seen { runs_as: RunsAs(identities), mine }, Look::Refused))
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
fn of(team: &TeamId, home: &str, organisation: Option<&String>, session: Session) -> Option<Mine> {
    let thread = session.thread().filter(|thread| thread.is_of(team))?;
    Some(Mine {
        session: session.id,
        title: session.title.unwrap_or_default(),
        url: session.url,
        state: State { status: session.status, detail: session.detail, archived: session.archived },
        permalink: thread.permalink(home, &thread.root),
        thread: Some(thread),
        organisation: organisation.cloned(),
        updated_at: session.updated_at,
    })
}
