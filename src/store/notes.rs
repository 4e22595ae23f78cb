//! What was found out about Slack and Devin, kept for every replica to live by.

use std::time::Duration;

use super::{Result, Store, StoreError};
use crate::domain::findings::Findings;

/// Where it is kept.
const KEY: &str = "findings";
/// As good as for ever: until somebody finds out again.
const KEPT_FOR: Duration = Duration::from_hours(20 * 365 * 24);

/// What was found out; nothing, where nobody did, or where an older program cannot read it.
pub async fn findings(store: &dyn Store) -> Result<Findings> {
    let text = store.recall(KEY).await?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default())
}

/// Keeps what was found out, in the place of what was found out before.
pub async fn keep_findings(store: &dyn Store, findings: &Findings) -> Result<()> {
    let text = serde_json::to_string(findings).map_err(|e| StoreError::Corrupt(e.to_string()))?;
    store.remember(KEY, &text, KEPT_FOR).await
}
