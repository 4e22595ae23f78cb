//! Finds an e-mail address among the members of the Devin organisation: first people with a role of their own, then
//! people who belong through a group of the identity provider, who are listed nowhere else.
//!
//! The address is compared without case. Devin's filter may be exact to the letter, so when it finds nobody the whole
//! list is read: once for a person who is not a member, and again only after what was found out is forgotten.

use crate::{
    devin::{Devin, DevinError, Directory, Member},
    domain::{ids::DevinUserId, standing::Source},
};

/// Who has an e-mail address.
pub(super) enum Found {
    /// Nobody.
    Nobody,
    /// This user, in that list.
    One(DevinUserId, Source),
    /// Different users in one list: which of them is meant cannot be known, and nobody is impersonated on a guess.
    Several,
}

/// Who has this e-mail address, in either list.
pub(super) async fn find(devin: &Devin, email: &str) -> Result<Found, DevinError> {
    for filter in [Some(email), None] {
        for (directory, source) in [(Directory::Users, Source::Members), (Directory::IdpUsers, Source::IdpMembers)] {
            let members = devin.members(directory, filter).await?;
            let mut ids = members.into_iter().filter(|member| has(member, email)).map(|member| member.user_id);
            let Some(first) = ids.next() else { continue };
            return Ok(if ids.all(|id| id == first) { Found::One(first, source) } else { Found::Several });
        }
    }
    Ok(Found::Nobody)
}

/// The one member with this e-mail address or user id.
pub(super) async fn account(devin: &Devin, account: &str) -> Result<Option<Member>, DevinError> {
    let account = account.trim();
    let lowered = account.to_lowercase();
    let mut found: Vec<Member> = Vec::new();
    for directory in [Directory::Users, Directory::IdpUsers] {
        let members = devin.members(directory, None).await?;
        let meant = |member: &Member| member.user_id.as_str() == account || has(member, &lowered);
        for member in members.into_iter().filter(meant) {
            if !found.iter().any(|known| known.user_id == member.user_id) {
                found.push(member);
            }
        }
    }
    Ok(if found.len() == 1 { found.pop() } else { None })
}

/// Whom we act as is compared by ourselves, whatever the filter did.
fn has(member: &Member, email: &str) -> bool {
    member.email.as_deref().is_some_and(|found| found.trim().to_lowercase() == email)
}
