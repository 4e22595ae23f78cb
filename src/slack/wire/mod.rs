//! What Slack sends us, as types.
//!
//! Every parser here is forgiving: a field that is absent, null or of an unexpected type is absent, and a kind that is
//! not known is `Other`. Slack adds and changes fields without notice, and a body that it signed is never an attack.

pub mod command;
mod enterprise;
pub mod event;
pub mod interaction;
pub(super) mod lenient;
mod mend;
pub mod objects;
pub mod peek;

pub use enterprise::enterprise_install;
pub use mend::mend;

/// Why a body cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WireError {
    /// Not the JSON, or not the form, that it should be.
    #[error("the body cannot be read: {0}")]
    Malformed(String),
    /// Readable, but without something that it cannot do without.
    #[error("the body has no usable field {0:?}")]
    Missing(&'static str),
}

impl WireError {
    /// Only the place of the fault is kept: the library's text could quote the body.
    pub(in crate::slack) fn json(error: &serde_json::Error) -> Self {
        Self::Malformed(format!("{:?} error at line {} column {}", error.classify(), error.line(), error.column()))
    }
}

#[cfg(test)]
mod tests;
