//! Who can speak on the page, and what the bridge will make of them. The badge is computed from the stand-in
//! organisation, not stored, so that it cannot disagree with what the bot finds out.

use super::{Avatar, World, shown_name};
use crate::{
    domain::ids::UserId,
    twin::{devin, slack, slack::UserKind},
};

/// How somebody stands to the Devin organisation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Badge {
    /// Found by a proven address among the organisation's users.
    Linked,
    /// Belongs through a group of the identity provider only.
    IdpOnly,
    /// Unknown to the organisation.
    NotLinked,
    /// The address matches, but nobody proved it.
    Unproven,
    /// A guest of the workspace.
    Guest,
    /// From another workspace.
    Outside,
}

impl Badge {
    /// What the badge says.
    pub(crate) fn label(self) -> &'static str {
        match self {
            Self::Linked => "linked",
            Self::IdpOnly => "IdP only",
            Self::NotLinked => "not linked",
            Self::Unproven => "unconfirmed",
            Self::Guest => "guest",
            Self::Outside => "from outside",
        }
    }

    /// What it means, for the tool tip.
    pub(crate) fn meaning(self) -> &'static str {
        match self {
            Self::Linked => "Their confirmed e-mail belongs to a user of the Devin organisation.",
            Self::IdpOnly => "Belongs to the Devin organisation only through a group of the identity provider.",
            Self::NotLinked => "Nobody in the Devin organisation has their e-mail.",
            Self::Unproven => "Their e-mail matches, but Slack does not vouch for it.",
            Self::Guest => "A guest of this workspace.",
            Self::Outside => "A member of another workspace, here through a shared channel.",
        }
    }

    /// Class of the chip.
    pub(crate) fn class(self) -> &'static str {
        match self {
            Self::Linked => "tone-good",
            Self::IdpOnly => "tone-info",
            Self::NotLinked | Self::Unproven => "tone-warn",
            Self::Guest => "tone-violet",
            Self::Outside => "tone-rose",
        }
    }

    /// How somebody stands.
    pub(super) fn of(user: &slack::User, devin: &devin::State) -> Self {
        match user.kind {
            UserKind::Guest | UserKind::SingleChannelGuest => return Self::Guest,
            UserKind::Stranger => return Self::Outside,
            UserKind::Member | UserKind::Bot => {}
        }
        let Some(email) = &user.email else { return Self::NotLinked };
        let among = |list: &[devin::Member]| {
            list.iter().any(|m| m.email.as_deref().is_some_and(|known| known.eq_ignore_ascii_case(&email.address)))
        };
        match (among(&devin.users), among(&devin.idp_users), email.confirmed) {
            (true, _, true) => Self::Linked,
            (_, true, true) => Self::IdpOnly,
            (true, _, false) | (_, true, false) => Self::Unproven,
            (false, false, _) => Self::NotLinked,
        }
    }
}

/// A person in the switcher.
#[derive(Debug, Clone)]
pub(crate) struct PersonView {
    /// Shown name.
    pub name: String,
    /// Portrait.
    pub avatar: Avatar,
    /// Standing.
    pub badge: Badge,
    /// Whether the page looks through their eyes.
    pub current: bool,
    /// The page as them.
    pub url: String,
}

impl PersonView {
    /// Everybody who can speak, linked people first.
    pub(super) fn all(world: &World<'_>) -> Vec<Self> {
        let mut people: Vec<Self> = world
            .slack
            .users
            .values()
            .filter(|u| u.kind != UserKind::Bot && !u.deleted)
            .map(|u| Self::of(world, u))
            .collect();
        people.sort_by_key(|p| (p.badge as u8, p.name.clone()));
        people
    }

    /// Who speaks now.
    pub(super) fn current(world: &World<'_>) -> Option<Self> {
        let id: &UserId = world.selection.viewer.as_ref()?;
        Some(Self::of(world, world.slack.users.get(id)?))
    }

    fn of(world: &World<'_>, user: &slack::User) -> Self {
        Self {
            name: shown_name(user).to_owned(),
            avatar: Avatar::of(world.slack, user),
            badge: Badge::of(user, world.devin),
            current: world.selection.viewer.as_ref() == Some(&user.id),
            url: world.selection.seen_by(&user.id).url(),
        }
    }
}
