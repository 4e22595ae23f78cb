//! The form that starts a session, at the door: what is wrong with it is answered at once, beside its fields, and what is
//! secret in it is sealed before anything is stored.

use serde_json::{Map, Value, json};

use crate::{
    domain::ids::{TeamId, UserId},
    slack::{
        brief::{self, Filled, Part, VALUE},
        wire::mend,
    },
    store::seal::{Seal, session_secrets_of},
};

/// Where views have what was filled in: submissions and buttons of a view in the first place, buttons in both.
const PLACES: [&str; 2] = ["/view/state/values", "/state/values"];

/// Stands in the place of a body that is not kept.
const NOT_KEPT: &str = "a form that cannot be read is not kept: it may hold secrets";

/// What is wrong with a form, as Slack shows it; `None` when it is in order.
///
/// <https://docs.slack.dev/surfaces/modals#displaying_errors>
pub(super) fn wrong(filled: &Filled) -> Option<Value> {
    let mut errors: Map<String, Value> = Map::new();
    let mut add = |part: Part, wrong: &brief::Wrong| {
        errors.insert(part.block_id().to_owned(), json!(wrong.to_string()));
    };
    for (part, wrong) in filled.brief().err().unwrap_or_default() {
        add(part, &wrong);
    }
    if let Some(Err(wrong)) = filled.secrets().map(|typed| brief::session_secrets(&typed)) {
        add(Part::Secrets, &wrong);
    }
    (!errors.is_empty()).then(|| json!({ "response_action": "errors", "errors": errors }))
}

/// The body with its session secrets sealed; `None` when it has none.
pub(super) fn sealed(seal: &Seal, team: &TeamId, user: &UserId, body: &[u8]) -> Option<Vec<u8>> {
    rewritten(body, |plain| Some(seal.seal(&session_secrets_of(team, user), plain)))
}

/// The body without its session secrets: a button in the form brings along what was typed so far, which is nobody's
/// business yet. `None` when it has none.
pub(super) fn without_secrets(body: &[u8]) -> Option<Vec<u8>> {
    rewritten(body, |_plain| None)
}

/// What is kept of a body that cannot be read and may hold session secrets: nothing. `None` when it cannot.
pub(super) fn unreadable(body: &[u8]) -> Option<Vec<u8>> {
    let name = Part::Secrets.block_id().as_bytes();
    body.windows(name.len()).any(|part| part == name).then(|| NOT_KEPT.as_bytes().to_vec())
}

/// The body with something else in the place of its session secrets.
fn rewritten(body: &[u8], instead: impl Fn(&str) -> Option<String>) -> Option<Vec<u8>> {
    let payload = crate::receive::form::field(body, "payload")?;
    let mut payload: Value = serde_json::from_slice(&mend(payload.as_bytes())).ok()?;
    let mut found = false;
    for place in PLACES {
        let pointer = format!("{place}/{}/{VALUE}/value", Part::Secrets.block_id());
        let Some(value) = payload.pointer_mut(&pointer) else { continue };
        if let Some(plain) = value.as_str().map(str::trim).filter(|plain| !plain.is_empty()) {
            found = true;
            *value = json!(instead(plain));
        }
    }
    found.then(|| {
        let payload = payload.to_string();
        url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", &payload).finish().into_bytes()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn body(secrets: Option<&str>) -> Vec<u8> {
        let values = json!({ "session_secrets": { "value": { "type": "plain_text_input", "value": secrets } } });
        let payload = json!({ "type": "view_submission", "view": { "state": { "values": values } }, "state": { "values": values } });
        url::form_urlencoded::Serializer::new(String::new())
            .append_pair("payload", &payload.to_string())
            .finish()
            .into_bytes()
    }

    #[test]
    fn secrets_leave_the_door_sealed_or_not_at_all() {
        let (team, user) = ("T1".parse().unwrap(), "U1".parse().unwrap());
        let seal = Seal::new(b"key");
        let typed = body(Some("TOKEN=hunter2"));
        let kept = String::from_utf8(sealed(&seal, &team, &user, &typed).unwrap()).unwrap();
        assert!(!kept.contains("hunter2") && kept.contains("sealed%3Av1%3A"), "{kept}");
        let kept = String::from_utf8(without_secrets(&typed).unwrap()).unwrap();
        assert!(!kept.contains("hunter2"), "{kept}");
        assert_eq!(without_secrets(&body(None)), None, "what has none is stored byte for byte");
        let cut = &typed[..typed.len() - 9];
        assert_eq!(unreadable(cut).as_deref(), Some(NOT_KEPT.as_bytes()));
        assert_eq!(unreadable(b"payload={"), None);
    }
}
