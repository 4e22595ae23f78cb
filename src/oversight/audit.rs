//! Who did what, and when.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::{Oversight, Result};
use crate::{
    domain::ids::{TeamId, UserId},
    store::{Change, Cursor, StoreError},
};

/// The register of what was done.
const REGISTER: &str = "audit";

/// Whoever acts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Actor {
    /// Who: `WORKSPACE/USER` of the console, or who ran the command line.
    pub name: String,
    /// From where.
    pub from: String,
}

impl Actor {
    /// Somebody who signed in to the console.
    pub fn console(team: &TeamId, user: &UserId) -> Self {
        Self { name: format!("{team}/{user}"), from: "console".to_owned() }
    }

    /// Whoever runs the command line, as its environment names them.
    pub fn command_line(name: impl Into<String>) -> Self {
        Self { name: name.into(), from: "command line".to_owned() }
    }
}

/// One thing that was done, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Audited {
    /// Version of this form.
    pub v: u8,
    /// When; the store's own time.
    #[serde(skip)]
    pub at: Timestamp,
    /// Who.
    pub actor: Actor,
    /// What, such as `people.set`.
    pub action: String,
    /// To what.
    pub target: String,
    /// In which words, with which value.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
}

impl Oversight {
    /// Makes changes together with the record of who made them, in one operation; without changes it is the record alone.
    /// The only way from here to the registers.
    pub(super) async fn act(
        &self,
        actor: &Actor,
        (action, target): (&str, &str),
        detail: &str,
        changes: Vec<Change>,
    ) -> Result<()> {
        let audited = Audited {
            v: 1,
            at: Timestamp::default(),
            actor: actor.clone(),
            action: action.to_owned(),
            target: target.to_owned(),
            detail: detail.to_owned(),
        };
        let text = serde_json::to_string(&audited).map_err(|e| StoreError::Corrupt(format!("a record: {e}")))?;
        let record = Change::put(REGISTER, &Uuid::now_v7().to_string(), text);
        let all: Vec<Change> = [record].into_iter().chain(changes).collect();
        self.store.register(&all).await?;
        tracing::info!(actor = actor.name, from = actor.from, action, target, detail, "an operator acted");
        metrics::counter!("bobbin_operator_actions_total", "action" => action.to_owned()).increment(1);
        Ok(())
    }

    /// Records what is done elsewhere, such as a sign-in.
    pub async fn record(&self, actor: &Actor, action: &str, target: &str, detail: &str) -> Result<()> {
        self.act(actor, (action, target), detail, Vec::new()).await
    }

    /// What was done, newest first, and where the next page begins.
    pub async fn audit(&self, after: Option<&Cursor>, limit: usize) -> Result<(Vec<Audited>, Option<Cursor>)> {
        let rows = self.store.rows(REGISTER, after, limit).await?;
        let next = rows.last().filter(|_| rows.len() == limit).map(crate::store::Row::cursor);
        let read = |row: &crate::store::Row| {
            serde_json::from_str::<Audited>(&row.value).ok().map(|audited| Audited { at: row.at, ..audited })
        };
        Ok((rows.iter().filter_map(read).collect(), next))
    }
}
