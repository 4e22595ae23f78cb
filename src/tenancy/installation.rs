//! What is kept of an installation. Its tokens lie sealed; whoever reads the store without our key reads none.

use jiff::Timestamp;
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};

use crate::{
    clock::later,
    domain::ids::{TeamId, UserId},
    slack::Grant,
    store::{StoreError, seal::Seal},
};

/// An installation of the app: in one workspace, or in a whole organisation (Enterprise Grid). Version 1.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Installation {
    v: u8,
    /// The workspace (`T…`), or the organisation (`E…`) where it is for all of its workspaces.
    pub id: TeamId,
    /// Its name, as people know it.
    pub name: Option<String>,
    /// The organisation that a workspace belongs to.
    pub enterprise: Option<TeamId>,
    /// The bot's user there.
    pub bot_user: Option<UserId>,
    /// What was granted.
    pub scopes: Vec<String>,
    /// Who installed it last.
    pub by: Option<UserId>,
    /// When.
    pub at: Timestamp,
    /// The bot's token, sealed; `None` once it is gone.
    token: Option<String>,
    /// The refresh token, sealed, where tokens rotate.
    refresh: Option<String>,
    /// When the token runs out, where tokens rotate.
    expires: Option<Timestamp>,
    /// Since when it does not work any more, and why.
    pub gone: Option<Gone>,
}

/// The end of an installation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gone {
    /// When.
    pub at: Timestamp,
    /// Slack's word for it.
    pub why: String,
}

const VERSION: u8 = 1;

impl Installation {
    /// The installation that Slack granted; `None` where it names neither a workspace nor an organisation.
    pub(super) fn granted(grant: &Grant, seal: &Seal, now: Timestamp) -> Option<Self> {
        let enterprise = grant.enterprise.as_ref();
        let of = if grant.is_enterprise_install { enterprise } else { grant.team.as_ref() }?;
        let mut made = Self {
            v: VERSION,
            id: of.id.clone(),
            name: of.name.clone(),
            enterprise: enterprise.filter(|_| !grant.is_enterprise_install).map(|named| named.id.clone()),
            bot_user: grant.bot_user_id.clone(),
            scopes: grant.scope.split(',').filter(|scope| !scope.is_empty()).map(str::to_owned).collect(),
            by: grant.authed_user.as_ref().map(|installer| installer.id.clone()),
            at: now,
            token: None,
            refresh: None,
            expires: None,
            gone: None,
        };
        made.renew(grant, seal, now);
        Some(made)
    }

    /// Takes the new pair of tokens.
    pub(super) fn renew(&mut self, grant: &Grant, seal: &Seal, now: Timestamp) {
        let sealed = |what: &str, token: &SecretString| seal.seal(&self.use_of(what), token.expose_secret());
        let refresh = grant.refresh_token.as_ref().map(|token| sealed("refresh", token));
        (self.token, self.refresh) = (Some(sealed("bot", &grant.access_token)), refresh);
        self.expires = grant.expires_in.map(|seconds| later(now, std::time::Duration::from_secs(seconds)));
    }

    /// Forgets the tokens: it is over.
    pub(super) fn end(&mut self, why: &str, now: Timestamp) {
        (self.token, self.refresh, self.expires) = (None, None, None);
        self.gone = Some(Gone { at: now, why: why.to_owned() });
    }

    /// The bot's token; `None` once the installation is gone, or where it was sealed under another key.
    pub(super) fn token(&self, seal: &Seal) -> Option<SecretString> {
        seal.open(&self.use_of("bot"), self.token.as_deref()?)
    }

    /// The refresh token and when the bot's token runs out, where tokens rotate.
    pub(super) fn rotation(&self, seal: &Seal) -> Option<(SecretString, Timestamp)> {
        Some((seal.open(&self.use_of("refresh"), self.refresh.as_deref()?)?, self.expires?))
    }

    /// What was asked for and not granted.
    pub fn lacks<'a>(&self, scopes: &'a [String]) -> Vec<&'a str> {
        scopes.iter().filter(|scope| !self.scopes.contains(scope)).map(String::as_str).collect()
    }

    fn use_of(&self, what: &str) -> String {
        format!("{what} token of {}", self.id)
    }

    pub(super) fn read(text: &str) -> Result<Self, StoreError> {
        serde_json::from_str(text).map_err(|e| StoreError::Corrupt(format!("an installation: {e}")))
    }

    pub(super) fn text(&self) -> Result<String, StoreError> {
        serde_json::to_string(self).map_err(|e| StoreError::Corrupt(format!("an installation: {e}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored forms that exist already are read for ever: a sample is never changed, a new form gets a new one.
    const SAMPLES: [&str; 2] = [
        r#"{"v":1,"id":"T0ACME","name":"Acme","enterprise":null,"bot_user":"U0BOBBIN","scopes":["chat:write"],"by":"U0ADA","at":"2026-11-24T02:00:00Z","token":"sealed:v1:00","refresh":null,"expires":null,"gone":null}"#,
        r#"{"v":1,"id":"E0ACME","name":null,"enterprise":null,"bot_user":null,"scopes":[],"by":null,"at":"2026-11-24T02:00:00Z","token":null,"refresh":null,"expires":null,"gone":{"at":"2026-11-24T03:00:00Z","why":"app_uninstalled"}}"#,
    ];

    #[test]
    fn stored_installations_are_read() {
        for sample in SAMPLES {
            assert_eq!(Installation::read(sample).unwrap().text().unwrap(), sample);
        }
    }

    fn grant(json: serde_json::Value) -> Grant {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn tokens_lie_sealed_for_their_workspace_and_are_forgotten_at_the_end() {
        let seal = Seal::new(b"a key");
        let granted = grant(serde_json::json!({
            "access_token": "xoxe.xoxb-1-invented", "token_type": "bot", "scope": "chat:write,commands",
            "bot_user_id": "U0BOT", "team": {"id": "T1", "name": "One"}, "enterprise": {"id": "E1"},
            "expires_in": 43200, "refresh_token": "xoxe-1-invented",
        }));
        let mut kept = Installation::granted(&granted, &seal, Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!((kept.id.as_str(), kept.enterprise.as_ref().map(TeamId::as_str)), ("T1", Some("E1")));
        let text = kept.text().unwrap();
        assert!(!text.contains("invented") && !text.contains("xoxe"), "{text}");
        assert_eq!(kept.token(&seal).unwrap().expose_secret(), "xoxe.xoxb-1-invented");
        assert_eq!(kept.rotation(&seal).unwrap().1.as_second(), 43_200);
        assert!(kept.token(&Seal::new(b"another key")).is_none());
        let elsewhere = Installation { id: "T2".parse().unwrap(), ..kept.clone() };
        assert!(elsewhere.token(&seal).is_none(), "a token that was moved to another workspace's record");
        let wanted = ["chat:write", "files:read"].map(str::to_owned);
        assert_eq!(kept.lacks(&wanted), ["files:read"]);
        kept.end("app_uninstalled", Timestamp::UNIX_EPOCH);
        assert!(kept.token(&seal).is_none() && kept.rotation(&seal).is_none());
    }

    #[test]
    fn an_organisations_installation_is_kept_under_the_organisation() {
        let granted = grant(serde_json::json!({
            "access_token": "xoxb-1", "team": null, "enterprise": {"id": "E1", "name": "All"}, "is_enterprise_install": true,
        }));
        let kept = Installation::granted(&granted, &Seal::new(b"k"), Timestamp::UNIX_EPOCH).unwrap();
        assert_eq!((kept.id.as_str(), kept.enterprise), ("E1", None));
        let nowhere = grant(serde_json::json!({ "access_token": "xoxb-1" }));
        assert!(Installation::granted(&nowhere, &Seal::new(b"k"), Timestamp::UNIX_EPOCH).is_none());
    }
}
