//! Modals and the Home tab.
//!
//! A modal is opened with a trigger that lives three seconds and works once; from then on it is found by the name that
//! we gave it (`external_id`), so that whoever fills it need not be who opened it.

use serde_json::{Value, json};

use super::{
    error::SlackError,
    transport::{Body, Slack},
};
use crate::domain::ids::UserId;

/// Which open view is meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which<'a> {
    /// By Slack's own id.
    Id(&'a str),
    /// By the name that it was opened with.
    ExternalId(&'a str),
}

impl Slack {
    /// Opens a modal for whoever caused the trigger.
    ///
    /// <https://docs.slack.dev/reference/methods/views.open>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; see [`SlackError::trigger_is_late`] and [`SlackError::trigger_is_used`].
    pub async fn open_view(&self, trigger_id: &str, view: &Value) -> Result<(), SlackError> {
        let body = json!({ "trigger_id": trigger_id, "view": view });
        self.call("views.open", Body::Json(body)).await.map(drop)
    }

    /// Replaces what an open modal shows. What was filled in stays where blocks keep their names.
    ///
    /// <https://docs.slack.dev/reference/methods/views.update>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; repeating is safe, the last one wins. One that is not open (any more) is
    /// [`SlackError::view_is_gone`].
    pub async fn update_view(&self, which: Which<'_>, view: &Value) -> Result<(), SlackError> {
        let body = match which {
            Which::Id(id) => json!({ "view_id": id, "view": view }),
            Which::ExternalId(name) => json!({ "external_id": name, "view": view }),
        };
        self.call("views.update", Body::Json(body)).await.map(drop)
    }

    /// Replaces somebody's Home tab.
    ///
    /// <https://docs.slack.dev/reference/methods/views.publish>
    ///
    /// # Errors
    ///
    /// [`SlackError`]; repeating is safe, the last one wins.
    pub async fn publish_view(&self, user: &UserId, view: &Value) -> Result<(), SlackError> {
        let body = json!({ "user_id": user, "view": view });
        self.call("views.publish", Body::Json(body)).await.map(drop)
    }
}

impl SlackError {
    /// Whether a trigger has run out. The guide and the reference write it differently.
    pub fn trigger_is_late(&self) -> bool {
        matches!(self.code(), Some("expired_trigger_id" | "trigger_expired" | "invalid_trigger_id"))
    }

    /// Whether a trigger has done its work already, or the modal is open under the name that we gave it.
    pub fn trigger_is_used(&self) -> bool {
        matches!(self.code(), Some("exchanged_trigger_id" | "trigger_exchanged" | "duplicate_external_id"))
    }

    /// Whether there is no such view: never opened, or closed.
    pub fn view_is_gone(&self) -> bool {
        matches!(self.code(), Some("not_found" | "view_not_found"))
    }
}
