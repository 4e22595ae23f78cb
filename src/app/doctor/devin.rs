//! The key in each organisation: whose it is, what it may do, and Devin's clock.

use super::{
    check::{Area, Check},
    time,
};
use crate::{
    clock::Clock,
    devin::{Devin, DevinError, Me, Permission},
    domain::ids::OrgId,
};

const AREA: Area = Area::Devin;

/// Looks at one organisation.
pub(super) async fn examine(devin: &Devin, org: &OrgId, clock: &dyn Clock) -> Vec<Check> {
    let mut checks = Vec::new();
    match devin.introduce().await {
        Ok((me, date)) => {
            checks.push(whose(&me, org));
            checks.push(time::against_head(AREA, clock.now(), date.as_deref()));
        }
        Err(error) => return vec![Check::fail(AREA, "key", error.to_string(), remedy(&error)).of(org.as_str())],
    }
    for permission in Permission::ALL {
        checks.push(permitted(permission, &devin.may(permission).await));
    }
    let remedy =
        "grant it with the others; whether it is there only a session shows: `bobbin doctor --live` starts one";
    checks.push(Check::skipped(AREA, "ImpersonateOrgSessions", "cannot be seen without starting a session", remedy));
    checks.into_iter().map(|check| check.of(org.as_str())).collect()
}

fn whose(me: &Me, org: &OrgId) -> Check {
    let name = "key";
    if let Some(other) = me.org_id.as_ref().filter(|other| *other != org) {
        let remedy = "give the id of the organisation that the key belongs to (BOBBIN_DEVIN_ORG_ID, or id in \
                      [organisations.…]), or a key of this one";
        return Check::fail(AREA, name, format!("the key belongs to {other}"), remedy);
    }
    match me.kind.as_str() {
        "service_user" => {
            let named = me.service_user_name.as_deref().unwrap_or("without a name");
            Check::ok(AREA, name, format!("service user {named}"))
        }
        kind => {
            let remedy = "make a service user (Devin: Settings, Service users) and use its key: a person's key ends with \
                          the person's account";
            Check::warn(AREA, name, format!("the key is a {kind}'s"), remedy)
        }
    }
}

fn remedy(error: &DevinError) -> &'static str {
    match error {
        DevinError::Unauthorized => "make a new key of the service user (Devin: Settings, Service users) and set it",
        DevinError::Unreachable { .. } => "look at BOBBIN_DEVIN_API_URL, DNS, proxy and firewall of this machine",
        DevinError::RateLimited { .. } => "ask again in a minute",
        DevinError::NotFound => "look at BOBBIN_DEVIN_API_URL: it is given without a version",
        DevinError::Forbidden { .. }
        | DevinError::Invalid { .. }
        | DevinError::Billing { .. }
        | DevinError::Unsure { .. } => {
            "ask again; if it stays, look at https://status.devin.ai and at BOBBIN_DEVIN_API_URL"
        }
    }
}

/// What goes missing without a permission; `None`: everything.
fn without(permission: Permission) -> Option<&'static str> {
    match permission {
        Permission::ViewPlaybooks => Some("modals offer no playbooks"),
        Permission::ViewSecrets => Some("modals offer no secrets"),
        Permission::ViewMembers => Some("people are found by linking alone, not by their e-mail"),
        Permission::ViewSessions | Permission::UseSessions | Permission::ManageSessions => None,
    }
}

fn permitted(permission: Permission, answer: &Result<bool, DevinError>) -> Check {
    let name = permission.name();
    let remedy_for = "give the service user's role this permission (Devin: Settings, Roles)";
    match (answer, without(permission)) {
        (Ok(true), _) => Check::ok(AREA, name, "granted"),
        (Ok(false), Some(effect)) if permission != Permission::ViewMembers => {
            Check::warn(AREA, name, format!("not granted: {effect}"), remedy_for)
        }
        (Ok(false), Some(effect)) => Check::fail(AREA, name, format!("not granted: {effect}"), remedy_for),
        (Ok(false), None) => Check::fail(AREA, name, "not granted", remedy_for),
        (Err(error), _) => Check::fail(AREA, name, error.to_string(), remedy(error)),
    }
}
