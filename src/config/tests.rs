use std::{io::Write as _, time::Duration};

use super::*;

const ENOUGH: [(&str, &str); 4] = [
    ("BOBBIN_SLACK_SIGNING_SECRETS", "8f742231b10e8888abcd99yyyzzz85a5, older"),
    ("BOBBIN_SLACK_BOT_TOKEN", "xoxb-1"),
    ("BOBBIN_DEVIN_API_KEY", "cog_x"),
    ("BOBBIN_DEVIN_ORG_ID", "org-1a2b3c"),
];

fn with(more: &[(&str, &str)]) -> Result<Config, ConfigError> {
    Config::from_values(ENOUGH.iter().filter(|(k, _)| !more.iter().any(|(m, _)| m == k)).chain(more).copied())
}

fn problem(more: &[(&str, &str)]) -> String {
    with(more).unwrap_err().to_string()
}

#[test]
fn the_least_that_is_enough_gets_the_defaults() {
    let config = with(&[]).unwrap();
    assert_eq!(config.service.listen.to_string(), "127.0.0.1:3000");
    assert_eq!(config.slack.signing_secrets.len(), 2);
    assert_eq!(config.devin.poll_interval, Duration::from_secs(10));
    assert_eq!(config.store.lease, Duration::from_mins(1));
    assert!(matches!(config.store.kind, StoreKind::Embedded(_)));
}

#[test]
fn without_a_usable_signing_secret_it_refuses() {
    for blank in ["", "   ", " , ,"] {
        assert!(
            problem(&[("BOBBIN_SLACK_SIGNING_SECRETS", blank)])
                .contains("BOBBIN_SLACK_SIGNING_SECRETS: found nothing usable")
        );
    }
    let nothing = Config::from_values::<String, String>([]).unwrap_err().to_string();
    for key in ["BOBBIN_SLACK_SIGNING_SECRETS", "BOBBIN_SLACK_BOT_TOKEN", "BOBBIN_DEVIN_API_KEY", "BOBBIN_DEVIN_ORG_ID"]
    {
        assert!(nothing.contains(key), "{nothing}");
    }
}

#[test]
fn a_key_that_does_not_exist_is_an_error_that_names_the_nearest() {
    let text = problem(&[("BOBBIN_POLL_INTERVALL", "5s")]);
    assert!(text.contains("did you mean BOBBIN_POLL_INTERVAL?"), "{text}");
}

#[test]
fn a_value_out_of_bounds_says_what_was_found_and_what_is_allowed() {
    assert!(
        problem(&[("BOBBIN_POLL_INTERVAL", "200ms")]).contains("found \"200ms\"; allowed: a duration of at least 1s")
    );
    assert!(problem(&[("BOBBIN_LISTEN", "3000")]).contains("found \"3000\""));
    assert!(problem(&[("BOBBIN_DEVIN_ORG_ID", "acme")]).contains("org-…"));
    assert!(problem(&[("BOBBIN_LOG_FORMAT", "xml")]).contains("text or json"));
}

#[test]
fn a_spool_is_for_a_store_that_can_be_away() {
    let text = problem(&[("BOBBIN_SPOOL", "spool.db")]);
    assert!(
        text.contains("BOBBIN_SPOOL: found a spool beside the embedded store; allowed: nothing: the embedded"),
        "{text}"
    );
    let config = with(&[("BOBBIN_SPOOL", "spool.db"), ("BOBBIN_STORE", "redis://db")]).unwrap();
    assert_eq!(config.store.spool, Some("spool.db".into()));
    assert_eq!(with(&[("BOBBIN_STORE", "redis://db")]).unwrap().store.spool, None);
}

#[test]
fn a_secret_is_never_shown() {
    let text = problem(&[("BOBBIN_SECRET_KEY", "hunter2"), ("BOBBIN_STORE", "redish://:hunter2@db")]);
    assert!(!text.contains("hunter2"), "{text}");
    assert!(!format!("{:?}", with(&[]).unwrap()).contains("8f742231"));
}

#[test]
fn a_secret_can_come_from_a_file() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "xoxb-from-file").unwrap();
    let path = file.path().to_str().unwrap().to_owned();
    let values = ENOUGH.iter().filter(|(k, _)| *k != "BOBBIN_SLACK_BOT_TOKEN").copied().map(|(k, v)| (k, v.to_owned()));
    let config = Config::from_values(values.chain([("BOBBIN_SLACK_BOT_TOKEN_FILE", path)])).unwrap();
    assert_eq!(secrecy::ExposeSecret::expose_secret(&config.slack.bot_token), "xoxb-from-file");
    assert!(problem(&[("BOBBIN_SLACK_BOT_TOKEN_FILE", "/nowhere/at/all")]).contains("a file that can be read"));
}

#[test]
fn a_file_that_is_no_toml_is_refused_with_its_name() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "BOBBIN_LISTEN = [").unwrap();
    let error = Source::load(Some(file.path())).unwrap_err().to_string();
    assert!(error.contains(file.path().to_str().unwrap()), "{error}");
}
