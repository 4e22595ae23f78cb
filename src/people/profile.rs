//! What a Slack profile allows: its e-mail address, or the reason why nobody acts for it.
//!
//! Closed by default: what Slack does not say for certain is taken as a no. The order matters: whoever is from outside
//! learns nothing, whatever else may be wrong with the profile.

use crate::{
    domain::{
        ids::{DevinUserId, TeamId},
        standing::{Linked, Refusal, Source},
    },
    slack::User,
};

/// The confirmed e-mail address of a full member of this workspace.
pub(super) fn email(user: &User, team: &TeamId) -> Result<String, Refusal> {
    if user.is_stranger || !belongs(user, team) {
        return Err(Refusal::Outside);
    }
    if user.deleted {
        return Err(Refusal::Deactivated);
    }
    if user.is_robot() {
        return Err(Refusal::Bot);
    }
    if user.is_restricted || user.is_ultra_restricted {
        return Err(Refusal::Guest);
    }
    let email = user.email().filter(|e| e.contains('@')).ok_or(Refusal::EmailMissing)?;
    if user.is_email_confirmed != Some(true) {
        return Err(Refusal::EmailUnconfirmed);
    }
    Ok(email.to_lowercase())
}

/// The person under the name that people know them by.
pub(super) fn linked(user: &User, devin: DevinUserId, source: Source) -> Linked {
    Linked { devin, name: user.display_name().to_owned(), source }
}

/// Whether the user is of this workspace, or on Enterprise Grid of an organisation that has it.
fn belongs(user: &User, team: &TeamId) -> bool {
    user.team_id.as_ref() == Some(team) || user.enterprise_user.as_ref().is_some_and(|e| e.teams.contains(team))
}
