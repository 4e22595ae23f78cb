//! What somebody reads who is not let in, or not yet.

use askama::Template;
use axum::{
    http::StatusCode,
    response::{IntoResponse, Response},
};

use super::pages::shown;

/// Why somebody stands outside.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gate {
    /// The console is closed.
    Closed,
    /// Nobody can act here: there is no sign-in.
    ReadOnly,
    /// They have to sign in first, at this address.
    SignIn {
        /// Where.
        at: String,
    },
    /// They signed in, and are no operator.
    NotNamed {
        /// Who they are: `WORKSPACE/USER`.
        who: String,
        /// Their name.
        name: String,
        /// Where somebody else signs in.
        at: String,
    },
    /// They said no at Slack.
    Declined {
        /// Where to begin again.
        at: String,
    },
    /// It was begun in another browser, too long ago, or not by us.
    NotYours {
        /// Where to begin again.
        at: String,
    },
    /// Slack told nothing that can be believed.
    Failed {
        /// Slack's word for it.
        code: String,
        /// Where to begin again.
        at: String,
    },
    /// Our store is away, so that nothing can be put on record.
    Away {
        /// Where to begin again.
        at: String,
    },
    /// A form that did not come from a page of this session.
    ForeignForm,
}

#[derive(Template)]
#[template(path = "console/gate.html", config = ".askama.toml")]
struct GatePage<'a> {
    gate: &'a Gate,
}

impl Gate {
    fn status(&self) -> StatusCode {
        match self {
            Self::SignIn { .. } | Self::Declined { .. } => StatusCode::OK,
            Self::Closed | Self::ReadOnly | Self::NotNamed { .. } | Self::NotYours { .. } | Self::ForeignForm => {
                StatusCode::FORBIDDEN
            }
            Self::Failed { .. } => StatusCode::BAD_GATEWAY,
            Self::Away { .. } => StatusCode::SERVICE_UNAVAILABLE,
        }
    }
}

impl IntoResponse for Gate {
    fn into_response(self) -> Response {
        (self.status(), shown(&GatePage { gate: &self })).into_response()
    }
}
