//! Who the key belongs to, who belongs to the organisation, its playbooks, and the names of its secrets.

use serde_json::{Value, json};

use super::{
    api::{Asked, Given, Reply},
    state::{Member, Principal},
};

#[expect(clippy::unnecessary_wraps, reason = "one form for all methods")]
pub(super) fn whoami(asked: &mut Asked<'_>) -> Reply {
    Ok(Given::Body(match &asked.key.principal {
        Principal::ServiceUser { id, name, org } => json!({
            "principal_type": "service_user", "service_user_id": id, "service_user_name": name, "org_id": org,
        }),
        Principal::PatUser { id, name } => json!({
            "principal_type": "pat_user", "user_id": id, "user_name": name, "api_key_id": "key-1",
            "api_key_name": "personal", "org_id": asked.state.org,
        }),
    }))
}

pub(super) fn users(asked: &mut Asked<'_>) -> Reply {
    let org = asked.state.org.clone();
    let role = json!([{ "org_id": org, "role": role() }]);
    let members = asked.state.users.clone();
    listed(asked, members, "users", &("role_assignments", role))
}

pub(super) fn idp_users(asked: &mut Asked<'_>) -> Reply {
    let org = asked.state.org.clone();
    let role = json!([{ "idp_group_name": "Engineering", "org_id": org, "role": role() }]);
    let members = asked.state.idp_users.clone();
    listed(asked, members, "idp-users", &("idp_role_assignments", role))
}

pub(super) fn playbooks(asked: &mut Asked<'_>) -> Reply {
    let state = &*asked.state;
    let items = state.playbooks.iter().map(|playbook| {
        let body = json!({
            "playbook_id": playbook.id, "title": playbook.title, "body": playbook.body, "macro": playbook.macro_name,
            "access_type": "org", "org_id": state.org, "created_at": 0, "created_by": null, "updated_at": 0,
            "updated_by": null,
        });
        (playbook.id.clone(), body)
    });
    let items: Vec<(String, Value)> = items.collect();
    let query = asked.query.clone();
    asked.state.page(&query, "playbooks", items).map(Given::Body)
}

pub(super) fn secrets(asked: &mut Asked<'_>) -> Reply {
    let items = asked.state.secrets.iter().map(|secret| {
        let body = json!({
            "secret_id": secret.id, "key": secret.key, "note": null, "secret_type": "key-value", "access_type": "org",
            "is_sensitive": true, "created_at": 0, "created_by": null,
        });
        (secret.id.clone(), body)
    });
    let items: Vec<(String, Value)> = items.collect();
    let query = asked.query.clone();
    asked.state.page(&query, "secrets", items).map(Given::Body)
}

fn role() -> Value {
    json!({ "role_id": "org_member", "role_name": "Member", "role_type": "org" })
}

/// The `email` filter is exact, and exact here means that case counts.
fn listed(asked: &mut Asked<'_>, members: Vec<Member>, kind: &str, (name, roles): &(&str, Value)) -> Reply {
    let query = asked.query.clone();
    let wanted = query.one("email");
    let fits = |member: &Member| wanted.is_none_or(|email| member.email.as_deref() == Some(email));
    let items = members.into_iter().filter(fits).map(|member| {
        let mut item = json!({ "user_id": member.id, "email": member.email, "name": member.name });
        if let Value::Object(fields) = &mut item {
            fields.insert((*name).to_owned(), roles.clone());
        }
        (member.id.to_string(), item)
    });
    let items: Vec<(String, Value)> = items.collect();
    asked.state.page(&query, kind, items).map(Given::Body)
}
