//! Who looks at a page, as the guard found out: what the frame says of it, and whether there are forms.

use std::convert::Infallible;

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{done::Done, gate::Gate};
use crate::{
    domain::ids::{TeamId, UserId},
    oversight::Actor,
};

/// Who looks.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Viewer {
    /// Nobody found out: the page says nothing of it.
    #[default]
    Unknown,
    /// Whoever sits at this machine, for reading only.
    Here,
    /// An operator who signed in.
    Admin(Admin),
}

/// An operator who signed in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Admin {
    pub(super) team: TeamId,
    pub(super) user: UserId,
    pub(super) name: String,
    /// What the forms of their session carry.
    pub(super) token: String,
    /// What they did just now.
    pub(super) done: Option<Done>,
}

impl Admin {
    /// Who acts, for the record.
    pub(super) fn actor(&self) -> Actor {
        Actor::console(&self.team, &self.user)
    }
}

impl Viewer {
    /// The operator who signed in.
    pub(super) fn admin(&self) -> Option<&Admin> {
        match self {
            Self::Admin(admin) => Some(admin),
            Self::Unknown | Self::Here => None,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for Viewer {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Infallible> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

impl<S: Sync> FromRequestParts<S> for Admin {
    type Rejection = Gate;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Gate> {
        let admin = parts.extensions.get::<Viewer>().and_then(Viewer::admin).cloned();
        admin.ok_or(Gate::ReadOnly)
    }
}
