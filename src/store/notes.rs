//! What was found out about Slack and Devin, kept for every replica to live by.

use std::time::Duration;

use super::{Result, Store, StoreError};
use crate::domain::{findings::Findings, ids::TeamId};

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

/// Keeps where a workspace is found in a browser, if Slack said it; and which workspace is found there.
pub async fn keep_home(store: &dyn Store, team: &TeamId, url: &str) -> Result<()> {
    let Some(host) = host(url) else { return Ok(()) };
    store.remember(&at_key(&host), team.as_str(), KEPT_FOR).await?;
    store.remember(&home_key(team), url, KEPT_FOR).await
}

/// Where a workspace is found in a browser, if that was kept.
pub async fn home(store: &dyn Store, team: &TeamId) -> Result<Option<String>> {
    store.recall(&home_key(team)).await
}

/// The workspace of which a browser finds this page, if that was kept.
pub async fn workspace_at(store: &dyn Store, url: &str) -> Result<Option<TeamId>> {
    let Some(host) = host(url) else { return Ok(None) };
    Ok(store.recall(&at_key(&host)).await?.and_then(|team| team.parse().ok()))
}

fn host(url: &str) -> Option<String> {
    url::Url::parse(url).ok()?.host_str().map(str::to_owned)
}

fn at_key(host: &str) -> String {
    format!("workspace-at:{host}")
}

fn home_key(team: &TeamId) -> String {
    format!("home:{team}")
}
