//! `auth.test`, `auth.revoke`, `users.*`, `bots.info`, `team.info`, `files.info`.

use serde_json::{Value, json};

use super::{
    api::{ApiError, Asked, Reply},
    conversations::page,
    objects,
    state::{User, UserKind},
};
use crate::domain::ids::UserId;

/// Most users in one page of `users.list`.
const MAX_USERS_PER_PAGE: usize = 1000;

#[expect(clippy::unnecessary_wraps, reason = "one form for all methods")]
pub(super) fn auth_test(asked: &mut Asked<'_>) -> Reply {
    let state = &asked.state;
    Ok(json!({
        "url": format!("https://{}.slack.com/", state.team.domain), "team": state.team.name, "team_id": state.team.id,
        "user": state.app.name, "user_id": state.app.bot_user, "bot_id": state.app.bot_id,
        "is_enterprise_install": false,
    }))
}

/// The token is worth nothing any more.
pub(super) fn revoke(asked: &mut Asked<'_>) -> Reply {
    let known = asked.state.tokens.get_mut(asked.token).ok_or_else(|| ApiError::new("invalid_auth"))?;
    known.refused = Some("token_revoked".to_owned());
    Ok(json!({ "revoked": true }))
}

pub(super) fn info(asked: &mut Asked<'_>) -> Reply {
    let not_found = || ApiError::new("user_not_found");
    let id = asked.args.required("user")?.parse::<UserId>().map_err(|_| not_found())?;
    let user = asked.state.users.get(&id).ok_or_else(not_found)?;
    let mut object = shown(asked, user);
    if asked.args.flag("include_locale") && user.kind != UserKind::Stranger {
        set(&mut object, "locale", json!("en-US"));
    }
    Ok(json!({ "user": object }))
}

pub(super) fn list(asked: &mut Asked<'_>) -> Reply {
    let users: Vec<&User> = asked.state.users.values().filter(|user| user.kind != UserKind::Stranger).collect();
    let limit = asked.args.limit(MAX_USERS_PER_PAGE, MAX_USERS_PER_PAGE)?;
    let cursor = asked.args.text("cursor")?;
    let (users, next) = page(&users, limit, cursor.as_deref(), "user")?;
    let members: Vec<Value> = users.iter().map(|user| shown(asked, user)).collect();
    Ok(json!({
        "members": members, "cache_ts": asked.now.as_second(), "response_metadata": { "next_cursor": next },
    }))
}

pub(super) fn lookup_by_email(asked: &mut Asked<'_>) -> Reply {
    asked.need("users:read")?;
    let wanted = asked.args.required("email")?.to_lowercase();
    let found = asked.state.users.values().find(|user| {
        let address = user.email.as_ref().map(|email| email.address.to_lowercase());
        user.kind != UserKind::Stranger && !user.deleted && address.as_ref() == Some(&wanted)
    });
    let user = found.ok_or_else(|| ApiError::new("users_not_found"))?;
    Ok(json!({ "user": shown(asked, user) }))
}

pub(super) fn bot_info(asked: &mut Asked<'_>) -> Reply {
    let id = asked.args.text("bot")?.unwrap_or_else(|| asked.state.app.bot_id.clone());
    if id == asked.state.app.bot_id {
        return Ok(json!({ "bot": objects::bot_profile(asked.state) }));
    }
    let other = asked.state.users.values().find(|user| user.bot_id().as_deref() == Some(&id));
    let other = other.ok_or_else(|| ApiError::new("bot_not_found"))?;
    Ok(json!({ "bot": {
        "id": id, "deleted": other.deleted, "name": other.name, "updated": other.updated.as_second(),
        "app_id": "A0OTHERAPP", "user_id": other.id, "icons": {},
    } }))
}

#[expect(clippy::unnecessary_wraps, reason = "one form for all methods")]
pub(super) fn team_info(asked: &mut Asked<'_>) -> Reply {
    let team = &asked.state.team;
    Ok(json!({ "team": {
        "id": team.id, "name": team.name, "domain": team.domain, "email_domain": "", "icon": { "image_default": true },
        "url": format!("https://{}.slack.com/", team.domain),
    } }))
}

pub(super) fn file_info(asked: &mut Asked<'_>) -> Reply {
    let id = asked.args.required("file")?;
    let file = asked.state.files.get(&id).ok_or_else(|| ApiError::new("file_not_found"))?;
    Ok(json!({ "file": objects::file(asked.state, file), "comments": [], "response_metadata": { "next_cursor": "" } }))
}

fn shown(asked: &Asked<'_>, user: &User) -> Value {
    objects::user(asked.state, user, asked.scopes.contains("users:read.email"))
}

fn set(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value);
    }
}
