//! The Devin side.

use std::time::Duration;

use secrecy::SecretString;
use url::Url;

use super::{Source, slack::required_secret};
use crate::domain::ids::OrgId;

/// Polling faster than this would only meet the API's rate limit.
const POLL_FLOOR: Duration = Duration::from_secs(1);

/// The Devin side.
#[derive(Debug, Clone)]
pub struct DevinConfig {
    /// The API, without a version.
    pub api_url: Url,
    /// Key of a service user.
    pub api_key: SecretString,
    /// The organisation.
    pub org: OrgId,
    /// Fastest tick of the watch.
    pub poll_interval: Duration,
}

impl DevinConfig {
    pub(super) fn read(source: &mut Source) -> Self {
        let org = source.parse("BOBBIN_DEVIN_ORG_ID", "an organisation id, org-…", |t| t.parse().ok());
        if org.is_none() && source.text("BOBBIN_DEVIN_ORG_ID").is_none() {
            source.problem("BOBBIN_DEVIN_ORG_ID", "nothing", "an organisation id, org-… (Devin: Settings)");
        }
        Self {
            api_url: source.url("BOBBIN_DEVIN_API_URL").unwrap_or_else(nowhere),
            api_key: required_secret(source, "BOBBIN_DEVIN_API_KEY", "a service user's key, cog_…"),
            org: org.unwrap_or_else(nobody),
            poll_interval: source.duration("BOBBIN_POLL_INTERVAL", POLL_FLOOR),
        }
    }
}

/// Stands in for an address that could not be read, until the problem is reported: it reaches nobody.
pub(super) fn nowhere() -> Url {
    #[expect(clippy::expect_used, reason = "a constant that parses; a test reads it")]
    "http://127.0.0.1:9/".parse().expect("a constant address")
}

/// Stands in for an organisation that was not named, until the problem is reported.
fn nobody() -> OrgId {
    #[expect(clippy::expect_used, reason = "a constant that parses; a test reads it")]
    "org-unset".parse().expect("a constant id")
}
