//! The organisation (Enterprise Grid) whose installation a body came for, whichever door it came through.
//!
//! A body may name other organisations as well, such as that of whoever wrote in a shared channel: only one that is said
//! to be an organisation's installation counts, because its token would be used.

use serde::Deserialize;
use serde_json::Value;

use crate::domain::ids::TeamId;

#[derive(Default, Deserialize)]
#[serde(default)]
struct Named {
    enterprise: Value,
    is_enterprise_install: Value,
    authorizations: Value,
}

/// The organisation that installed us for all of its workspaces; `None` for a workspace's own installation.
pub fn enterprise_install(body: &[u8]) -> Option<TeamId> {
    if let Ok(named) = serde_json::from_slice::<Named>(body) {
        return of_json(&named);
    }
    let field =
        |wanted: &str| url::form_urlencoded::parse(body).find(|(name, _)| name == wanted).map(|(_, value)| value);
    if let Some(payload) = field("payload") {
        return of_json(&serde_json::from_str::<Named>(&payload).ok()?);
    }
    // A word in forms. <https://docs.slack.dev/interactivity/implementing-slash-commands>
    field("is_enterprise_install").filter(|word| word == "true")?;
    field("enterprise_id")?.parse().ok()
}

fn of_json(named: &Named) -> Option<TeamId> {
    let (of_all, id) = match named.authorizations.get(0) {
        Some(authorized) => (authorized.get("is_enterprise_install"), authorized.get("enterprise_id")),
        None => (Some(&named.is_enterprise_install), named.enterprise.get("id")),
    };
    let of_all = of_all.is_some_and(|of_all| of_all == true || of_all == "true");
    id.filter(|_| of_all)?.as_str()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_found_in_every_kind_of_body_and_nobody_elses_is() {
        let of = |body: &str| enterprise_install(body.as_bytes()).map(|id| id.to_string());
        let found = Some("E0ACME".to_owned());
        assert_eq!(of(r#"{"authorizations":[{"enterprise_id":"E0ACME","is_enterprise_install":true}]}"#), found);
        assert_eq!(of("command=%2Fdevin&enterprise_id=E0ACME&is_enterprise_install=true"), found);
        let press = r#"{"enterprise":{"id":"E0ACME"},"is_enterprise_install":true}"#;
        let form = |payload: &str| {
            url::form_urlencoded::Serializer::new(String::new()).append_pair("payload", payload).finish()
        };
        assert_eq!(of(&form(press)), found);

        // A workspace's own installation, and a message of somebody from another organisation in a shared channel.
        assert_eq!(of(&form(&press.replace("true", "false"))), None);
        assert_eq!(of("command=%2Fdevin&enterprise_id=E0ACME&is_enterprise_install=false"), None);
        let shared = r#"{"enterprise_id":"E0THEIRS","authorizations":[{"enterprise_id":null,"team_id":"T1","is_enterprise_install":false}]}"#;
        assert_eq!(of(shared), None);
        assert_eq!(of(r#"{"enterprise_id":"E0THEIRS","enterprise":{"id":"E0THEIRS"}}"#), None);
        assert_eq!(of("half a body"), None);
    }
}
