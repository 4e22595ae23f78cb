//! What it refuses to start with, and what it says then.

use super::{
    outside::Outside,
    process::{Settings, run, text},
};

/// Tries to start it with one thing changed; gives what it says on the way out.
async fn refused(change: impl FnOnce(&mut Settings)) -> String {
    let outside = Outside::open().await;
    let mut settings = outside.settings();
    change(&mut settings);
    let output = run(&["serve"], &settings);
    let said = text(&output.stderr);
    assert!(!output.status.success(), "it started: {said}");
    assert!(output.stdout.is_empty());
    said
}

#[tokio::test]
async fn it_does_not_start_without_a_signing_secret() {
    for blank in [None, Some(""), Some("  "), Some(" , ,")] {
        let said = refused(|settings| match blank {
            None => drop(settings.remove("BOBBIN_SLACK_SIGNING_SECRETS")),
            Some(text) => drop(settings.insert("BOBBIN_SLACK_SIGNING_SECRETS", text.to_owned())),
        })
        .await;
        assert!(said.contains("BOBBIN_SLACK_SIGNING_SECRETS: found nothing usable; allowed: at least one"), "{said}");
    }
}

#[tokio::test]
async fn it_names_a_key_that_does_not_exist() {
    let said = refused(|settings| drop(settings.insert("BOBBIN_SLACK_BOT_TOKENS", "xoxb-canary".to_owned()))).await;
    assert!(said.contains("BOBBIN_SLACK_BOT_TOKENS: found a key that does not exist"), "{said}");
    assert!(said.contains("did you mean BOBBIN_SLACK_BOT_TOKEN?") && !said.contains("canary"), "{said}");
}

#[tokio::test]
async fn it_names_every_bad_value_and_what_is_allowed_and_never_a_secret() {
    let said = refused(|settings| {
        settings.insert("BOBBIN_LISTEN", "everywhere".to_owned());
        settings.insert("BOBBIN_POLL_INTERVAL", "10ms".to_owned());
        settings.insert("BOBBIN_LEASE", "soon".to_owned());
        settings.insert("BOBBIN_STORE", "postgres://canary:canary@db".to_owned());
        settings.insert("BOBBIN_LOG_FORMAT", "xml".to_owned());
        settings.insert("BOBBIN_SLACK_API_URL", "slack.com".to_owned());
        settings.insert("BOBBIN_DEVIN_ORG_ID", "acme".to_owned());
        settings.insert("BOBBIN_SECRET_KEY", "canary".to_owned());
        settings.remove("BOBBIN_SLACK_BOT_TOKEN");
        settings.remove("BOBBIN_DEVIN_API_KEY");
    })
    .await;
    for expected in [
        r#"BOBBIN_LISTEN: found "everywhere"; allowed: "#,
        r#"BOBBIN_POLL_INTERVAL: found "10ms"; allowed: a duration of at least 1s"#,
        r#"BOBBIN_LEASE: found "soon"; allowed: a duration of at least 5s"#,
        "BOBBIN_STORE: found ",
        r#"BOBBIN_LOG_FORMAT: found "xml"; allowed: text or json"#,
        r#"BOBBIN_SLACK_API_URL: found "slack.com"; allowed: an http:// or https:// address"#,
        r#"BOBBIN_DEVIN_ORG_ID: found "acme"; allowed: "#,
        "BOBBIN_SECRET_KEY: found something else; allowed: 32 bytes",
        "BOBBIN_SLACK_BOT_TOKEN: found nothing; allowed: the bot token",
        "BOBBIN_DEVIN_API_KEY: found nothing; allowed: ",
    ] {
        assert!(said.contains(expected), "no {expected:?} in {said}");
    }
    assert!(!said.contains("canary"), "{said}");
}

#[tokio::test]
async fn it_says_when_its_address_is_taken() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let said = refused(|settings| drop(settings.insert("BOBBIN_LISTEN", address.clone()))).await;
    assert!(said.contains(&format!("BOBBIN_LISTEN: {address} is not to be had")), "{said}");
}
