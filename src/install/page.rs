//! What the person in the browser reads at the end.

use askama::Template;
use axum::{
    http::{StatusCode, header},
    response::{Html, IntoResponse as _, Response},
};

use crate::domain::ids::TeamId;

#[derive(Template)]
#[template(path = "install/page.html", config = ".askama.toml")]
struct Rendered<'a> {
    page: &'a Page,
}

/// How it ended.
#[derive(Debug)]
pub(super) enum Page {
    /// Well.
    Installed {
        /// The workspace's name.
        name: String,
        /// Scopes that were not granted.
        missing: Vec<String>,
    },
    /// The person said no at Slack.
    Declined,
    /// Nobody invited them.
    NotInvited {
        /// The workspace or organisation.
        id: TeamId,
        /// Its name.
        name: String,
    },
    /// Begun in another browser, too long ago, or not by us.
    NotYours,
    /// Slack granted nothing.
    Failed {
        /// Slack's word for it.
        code: String,
    },
    /// Our store is away.
    Away,
}

impl Page {
    pub(super) fn answer(&self, status: StatusCode) -> Response {
        let policy =
            "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";
        match (Rendered { page: self }).render() {
            Ok(page) => {
                let headers = [(header::CONTENT_SECURITY_POLICY, policy), (header::CACHE_CONTROL, "no-store")];
                (status, headers, Html(page)).into_response()
            }
            Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        }
    }
}
