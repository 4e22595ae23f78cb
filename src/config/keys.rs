//! The list of keys: name, default and meaning. The README's table says the same, and a test compares them.

/// One key.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// Its name, in the environment and in the file.
    pub name: &'static str,
    /// The value used when it is not set.
    pub default: Option<&'static str>,
    /// What it means.
    pub meaning: &'static str,
    /// Whether its value must never be shown. Secrets can also be read from the file that `<name>_FILE` names.
    pub secret: bool,
}

const fn key(name: &'static str, default: Option<&'static str>, meaning: &'static str) -> Key {
    Key { name, default, meaning, secret: false }
}

const fn secret(name: &'static str, meaning: &'static str) -> Key {
    Key { name, default: None, meaning, secret: true }
}

/// Every key there is.
pub const KEYS: &[Key] = &[
    key("BOBBIN_LISTEN", Some("127.0.0.1:3000"), "address to listen on"),
    key("BOBBIN_PUBLIC_URL", None, "how the outside reaches it"),
    // A Redis address may hold a password.
    Key {
        secret: true,
        ..key(
            "BOBBIN_STORE",
            Some("embedded:bobbin.db"),
            "`embedded:FILE`, `redis://`, `rediss://`, `redis+sentinel://` or `redis+cluster://`",
        )
    },
    key("BOBBIN_REDIS_WAIT", Some("0"), "replicas that must have a write before it is acknowledged"),
    key("BOBBIN_SPOOL", None, "a local file that takes inputs while Redis is away; unset: the answer is 503"),
    key("BOBBIN_LEASE", Some("60s"), "how long a silent replica keeps a mailbox"),
    secret("BOBBIN_SLACK_SIGNING_SECRETS", "signing secrets, comma-separated, newest first"),
    secret(
        "BOBBIN_SLACK_APP_TOKEN",
        "the app-level token (`xapp-…`): Socket Mode, without a public address or signing secrets",
    ),
    key(
        "BOBBIN_SLACK_SOCKETS",
        Some("2"),
        "sockets that each replica keeps open in Socket Mode; Slack allows an app ten",
    ),
    secret("BOBBIN_SLACK_BOT_TOKEN", "the bot token of the workspace (`xoxb-…`)"),
    key("BOBBIN_SLACK_CLIENT_ID", None, "the app's client id: workspaces install by OAuth instead of by a bot token"),
    secret("BOBBIN_SLACK_CLIENT_SECRET", "the app's client secret"),
    key(
        "BOBBIN_SLACK_PKCE",
        Some("false"),
        "whether PKCE is switched on in the app's settings (which cannot be undone there)",
    ),
    key(
        "BOBBIN_SLACK_WORKSPACES",
        None,
        "workspaces (`T…`), or organisations of Enterprise Grid (`E…`), that may install; `*`: any",
    ),
    key("BOBBIN_SLACK_API_URL", Some("https://slack.com/api/"), "Slack's Web API"),
    key(
        "BOBBIN_SLACK_FILE_HOSTS",
        Some("slack.com,slack-files.com,slack-edge.com"),
        "hosts (and below) that files may be downloaded from",
    ),
    key("BOBBIN_MAX_FILE", Some("20"), "largest file that is passed on, in MiB"),
    key("BOBBIN_DEVIN_API_URL", Some("https://api.devin.ai"), "Devin's API"),
    secret("BOBBIN_DEVIN_API_KEY", "key of a Devin service user (`cog_…`)"),
    key("BOBBIN_DEVIN_ORG_ID", None, "the Devin organisation (`org-…`)"),
    key("BOBBIN_POLL_INTERVAL", Some("10s"), "fastest tick of the watch, at least `1s`"),
    secret("BOBBIN_SECRET_KEY", "32 bytes as hex, for the marks on our posts; unset: derived from the signing secret"),
    key("BOBBIN_ADMINS", None, "who may sign in to the console, as `WORKSPACE/USER`, comma-separated"),
    key("BOBBIN_LOG", Some("info"), "log filter, such as `info,bobbin=debug`"),
    key("BOBBIN_LOG_FORMAT", Some("text"), "`text` or `json`"),
];

/// The key of a name.
pub fn find(name: &str) -> Option<&'static Key> {
    KEYS.iter().find(|key| key.name == name)
}
