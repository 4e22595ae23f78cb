//! The organisation (Enterprise Grid) that a body names, whichever door it came through.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::ids::TeamId;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    enterprise_id: Value,
    enterprise: Value,
    authorizations: Value,
}

/// The organisation of whoever sent it; `None` off Enterprise Grid.
pub fn enterprise(body: &[u8]) -> Option<TeamId> {
    if let Ok(named) = serde_json::from_slice::<Named>(body) {
        return of_json(&named);
    }
    let mut fields = url::form_urlencoded::parse(body);
    fields.find_map(|(name, value)| match name.as_ref() {
        "enterprise_id" => value.parse().ok(),
        "payload" => of_json(&serde_json::from_str::<Named>(&value).ok()?),
        _ => None,
    })
}

fn of_json(named: &Named) -> Option<TeamId> {
    let authorized = named.authorizations.pointer("/0/enterprise_id");
    let ids = [authorized, Some(&named.enterprise_id), named.enterprise.get("id")];
    ids.into_iter().flatten().find_map(|id| id.as_str()?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_in_every_kind_of_body() {
        let of = |body: &str| enterprise(body.as_bytes()).map(|id| id.to_string());
        let found = Some("E0ACME".to_owned());
        assert_eq!(of(r#"{"team_id":"T1","authorizations":[{"enterprise_id":"E0ACME"}]}"#), found);
        assert_eq!(of(r#"{"enterprise_id":"E0ACME","authorizations":[{"enterprise_id":null}]}"#), found);
        assert_eq!(of("command=%2Fdevin&enterprise_id=E0ACME"), found);
        assert_eq!(of("payload=%7B%22enterprise%22%3A%7B%22id%22%3A%22E0ACME%22%7D%7D"), found);
        assert_eq!(of(r#"{"team_id":"T1","enterprise_id":null,"authorizations":[{"enterprise_id":null}]}"#), None);
        assert_eq!(of("half a body"), None);
    }
}
