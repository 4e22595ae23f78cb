//! What can be seen of an installation from outside: who it is, what it was granted, and what Slack's clock says.

use std::collections::BTreeSet;

use reqwest::header::{DATE, HeaderMap};

use super::{
    error::SlackError,
    read::Identity,
    transport::{Body, Slack, part},
};

/// The header with what the token was granted.
const SCOPES_HEADER: &str = "x-oauth-scopes";

/// What Slack says of an installation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// Who the token is.
    pub identity: Identity,
    /// What it was granted; `None`: Slack did not say.
    pub scopes: Option<BTreeSet<String>>,
    /// Slack's time, as the answer's head gives it.
    pub date: Option<String>,
}

impl Slack {
    /// Says who the token is and what it was granted.
    ///
    /// <https://docs.slack.dev/reference/methods/auth.test>
    ///
    /// # Errors
    ///
    /// [`SlackError`].
    pub async fn inspect(&self) -> Result<Inspection, SlackError> {
        let (mut answer, headers) = self.call_seeing("auth.test", Body::Form(Vec::new())).await?;
        let text = |name: &str| header(&headers, name);
        let scopes = text(SCOPES_HEADER)
            .map(|list| list.split(',').map(str::trim).filter(|scope| !scope.is_empty()).map(str::to_owned).collect());
        Ok(Inspection { identity: part(&mut answer, "")?, scopes, date: text(DATE.as_str()) })
    }
}

fn header(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name)?.to_str().ok().map(str::to_owned)
}
