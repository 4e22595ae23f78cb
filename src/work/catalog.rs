//! What there is in Devin's organisation to be named: playbooks and secrets, remembered for some minutes, because people
//! name them in message after message.

use std::time::Duration;

use serde::{Deserialize, Serialize, de::DeserializeOwned};

use super::{
    halt::Halt,
    task::{Deps, Task},
    trouble::{self, Tried},
};
use crate::{
    devin::{Devin, DevinError},
    domain::mailbox::ThreadKey,
    steps::StepError,
    store::StoreError,
};

/// How long a list is remembered: what somebody just added is found after that.
const REMEMBERED_FOR: Duration = Duration::from_mins(5);

/// Something that has a name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Named {
    /// What Devin wants to be told.
    pub(super) id: String,
    /// What people call it.
    pub(super) name: String,
    /// Its short name, `!name`, where it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) macro_name: Option<String>,
}

/// A list, or why it cannot be had.
pub(super) type Listed = Result<Vec<Named>, String>;

/// Which list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum List {
    /// Playbooks.
    Playbooks,
    /// Secrets that Devin keeps for the organisation.
    Secrets,
}

impl Named {
    /// Whether somebody who wrote this means it: its id, its name in any case, or its macro.
    pub(super) fn is(&self, text: &str) -> bool {
        let same = |a: &str, b: &str| a.to_lowercase() == b.to_lowercase();
        let bare = |text: &str| text.strip_prefix('!').unwrap_or(text).to_owned();
        let words = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        self.id == text
            || same(&words(&self.name), &words(text))
            || self.macro_name.as_ref().is_some_and(|name| same(&bare(name), &bare(text)))
    }

    /// As people read it in a list.
    pub(super) fn shown(&self) -> String {
        match &self.macro_name {
            Some(name) => format!("{} ({name})", self.name),
            None => self.name.clone(),
        }
    }
}

impl List {
    fn key(self) -> &'static str {
        match self {
            Self::Playbooks => "catalog:playbooks",
            Self::Secrets => "catalog:secrets",
        }
    }

    async fn fetch(self, devin: &Devin) -> Result<Vec<Named>, DevinError> {
        Ok(match self {
            Self::Playbooks => devin
                .playbooks()
                .await?
                .into_iter()
                .map(|playbook| Named { id: playbook.id, name: playbook.title, macro_name: playbook.macro_name })
                .collect(),
            Self::Secrets => {
                let named = |key: Option<String>, id: String| Named {
                    name: key.unwrap_or_else(|| id.clone()),
                    id,
                    macro_name: None,
                };
                devin.secrets().await?.into_iter().map(|secret| named(secret.key, secret.id)).collect()
            }
        })
    }
}

/// A list, looked up or remembered.
pub(super) async fn list(deps: &Deps, list: List) -> Result<Vec<Named>, CatalogError> {
    if let Some(known) = recall(deps, list.key()).await? {
        return Ok(known);
    }
    let found = list.fetch(&deps.devin).await?;
    let text = serde_json::to_string(&found).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    deps.store.remember(list.key(), &text, REMEMBERED_FOR).await?;
    Ok(found)
}

/// Forgets what was remembered, because Devin does not agree with it.
pub(super) async fn forget(deps: &Deps) -> Result<(), StoreError> {
    for list in [List::Playbooks, List::Secrets] {
        deps.store.forget(list.key()).await?;
    }
    Ok(())
}

/// A list for a thread, where people are told when Devin can't be reached. That we may not have it is an answer.
pub(super) async fn for_thread(task: &mut Task, thread: &ThreadKey, which: List) -> Result<Listed, Halt> {
    let deps = task.deps.clone();
    match list(&deps, which).await {
        Ok(found) => Ok(Ok(found)),
        Err(CatalogError::Store(error)) => Err(Halt::Store(error)),
        Err(CatalogError::Devin(
            DevinError::Forbidden { detail } | DevinError::Invalid { detail } | DevinError::Billing { detail },
        )) => Ok(Err(detail)),
        Err(CatalogError::Devin(DevinError::NotFound)) => Ok(Err("not found".to_owned())),
        Err(CatalogError::Devin(
            error @ (DevinError::Unauthorized
            | DevinError::RateLimited { .. }
            | DevinError::Unsure { .. }
            | DevinError::Unreachable { .. }),
        )) => {
            let tried = Tried { doing: "looking up names", runs_as: "Bobbin" };
            Err(trouble::at_devin(task, thread, tried, StepError::Failed(error)).await)
        }
    }
}

/// Why a list cannot be had.
#[derive(Debug, thiserror::Error)]
pub(super) enum CatalogError {
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Devin failed.
    #[error(transparent)]
    Devin(#[from] DevinError),
}

/// What a newer or older version remembered is looked up anew instead of being guessed at.
async fn recall<T: DeserializeOwned>(deps: &Deps, key: &str) -> Result<Option<T>, StoreError> {
    Ok(deps.store.recall(key).await?.and_then(|text| serde_json::from_str(&text).ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_playbook_is_known_by_its_name_its_macro_or_its_id() {
        let name = "Review a pull request".to_owned();
        let playbook = Named { id: "playbook-1".to_owned(), name, macro_name: Some("!review".to_owned()) };
        for text in ["playbook-1", "review a  Pull request", "!Review", "review"] {
            assert!(playbook.is(text), "{text}");
        }
        assert!(!playbook.is("Playbook-1") && !playbook.is("reviews") && !playbook.is(""));
    }
}
