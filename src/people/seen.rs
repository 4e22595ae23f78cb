//! Whom we looked up lately and what came of it: for operators, who want to know who maps to whom before somebody asks.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{
    domain::standing::{Refusal, Standing},
    store::{Change, Row, SharedStore, StoreError},
};

/// The register of people for whom we act.
pub const LINKED: &str = "people";
/// The register of people for whom nobody acts.
pub const FAILING: &str = "failing";
/// How long either is kept.
const KEPT_FOR: Duration = Duration::from_hours(24 * 90);

/// What came of a look-up, version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seen {
    /// Version of this form.
    pub v: u8,
    /// What was found.
    pub standing: Standing,
    /// How often in a row it was looked for in vain.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub times: u32,
}

impl Seen {
    /// The version written today.
    const VERSION: u8 = 1;

    /// Reads a row; `None` for one that a newer program wrote.
    pub fn read(row: &Row) -> Option<Self> {
        serde_json::from_str::<Self>(&row.value).ok().filter(|seen| seen.v <= Self::VERSION)
    }
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(times: &u32) -> bool {
    *times == 0
}

/// Notes what came of a look-up.
pub(super) async fn note(store: &SharedStore, key: &str, standing: &Standing) -> Result<(), StoreError> {
    let (register, other, times) = match standing {
        Standing::Linked(_) => (LINKED, FAILING, 0),
        // Machines and strangers are nobody's to link.
        Standing::Refused { why: Refusal::Bot | Refusal::Outside } => return Ok(()),
        Standing::Refused { .. } => {
            let before = store.row(FAILING, key).await?.and_then(|row| Seen::read(&row));
            (FAILING, LINKED, before.map_or(0, |seen| seen.times).saturating_add(1))
        }
    };
    let seen = Seen { v: Seen::VERSION, standing: standing.clone(), times };
    let value = serde_json::to_string(&seen).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    let put = Change::Put { register: register.to_owned(), name: key.to_owned(), value, keep: Some(KEPT_FOR) };
    store.register(&[put, Change::remove(other, key)]).await
}
