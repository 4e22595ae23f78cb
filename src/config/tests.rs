use std::{io::Write as _, time::Duration};

use super::*;
use crate::domain::{rules::Topic, words::Mode};

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
fn in_socket_mode_nothing_is_signed_and_the_key_must_be_given() {
    let values = |more: &[(&'static str, &'static str)]| {
        let usual = [
            ("BOBBIN_SLACK_APP_TOKEN", "xapp-1-A1-invented"),
            ("BOBBIN_SLACK_BOT_TOKEN", "xoxb-1"),
            ("BOBBIN_DEVIN_API_KEY", "cog_x"),
            ("BOBBIN_DEVIN_ORG_ID", "org-1"),
        ];
        let kept = usual.into_iter().filter(|(key, _)| !more.iter().any(|(other, _)| other == key));
        Config::from_values(kept.chain(more.iter().copied()))
    };
    let key = ("BOBBIN_SECRET_KEY", "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f");
    let config = values(&[key]).unwrap();
    assert!(config.slack.signing_secrets.is_empty() && config.service.public_url.is_none());
    assert_eq!(config.slack.socket_mode.as_ref().unwrap().sockets, 2);
    assert!(!format!("{config:?}").contains("xapp-1"));
    let said = values(&[]).unwrap_err().to_string();
    assert!(said.contains("BOBBIN_SECRET_KEY: found nothing; allowed: 32 bytes as hex"), "{said}");
    assert!(values(&[("BOBBIN_SLACK_SIGNING_SECRETS", "invented")]).is_ok(), "the key is derived from the secret");
    for count in ["0", "11", "two"] {
        let said = values(&[key, ("BOBBIN_SLACK_SOCKETS", count)]).unwrap_err().to_string();
        assert!(said.contains(&format!("found {count:?}; allowed: a whole number from 1 to 10")), "{said}");
    }
    let said = values(&[key, ("BOBBIN_SLACK_APP_TOKEN", "xoxb-hunter2")]).unwrap_err().to_string();
    assert!(said.contains("BOBBIN_SLACK_APP_TOKEN: found something else; allowed: an app-level token"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    assert!(with(&[]).unwrap().slack.socket_mode.is_none());
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
    assert_eq!(secrecy::ExposeSecret::expose_secret(config.slack.bot_token.as_ref().unwrap()), "xoxb-from-file");
    assert!(problem(&[("BOBBIN_SLACK_BOT_TOKEN_FILE", "/nowhere/at/all")]).contains("a file that can be read"));
}

#[test]
fn a_file_that_is_no_toml_is_refused_with_its_name() {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    writeln!(file, "BOBBIN_LISTEN = [").unwrap();
    let error = Source::load(Some(file.path())).unwrap_err().to_string();
    assert!(error.contains(file.path().to_str().unwrap()), "{error}");
}

fn with_file(file: &str) -> Result<Config, ConfigError> {
    Config::from_values_and_file(ENOUGH, file)
}

#[test]
fn the_example_file_is_one_that_can_be_used() {
    let config = with_file(include_str!("../../manifest/bobbin.example.toml")).unwrap();
    let rules = config.rules;
    assert_eq!(rules.max_file_bytes, 20 * 1024 * 1024);
    let here = rules.of(&"C0123ABCD".parse().unwrap());
    assert_eq!((here.options.repos, here.options.tags), (vec!["acme/api".to_owned()], vec!["chat".to_owned()]));
    assert_eq!((here.options.mode, here.options.acu), (Some(Mode::Fast), Some(10)));
    assert!(here.tell.has(Topic::Finished) && !here.tell.has(Topic::Words));
    assert!(rules.of(&"C0OTHER".parse().unwrap()).tell.has(Topic::Words));
    assert_eq!(rules.schemas["report"]["required"][0], "summary");
    assert_eq!(rules.reactions.len(), 2);
}

#[test]
fn what_is_wrong_with_a_table_is_named_with_what_is_allowed() {
    for (file, wanted) in [
        ("[defaults]\nmod = 'fast'", "defaults.mod: found a key that does not exist; allowed: repo, mode,"),
        ("[defaults]\nmod = 'fast'", "(did you mean mode?)"),
        ("[defaults]\nmode = 'fats'", "defaults.mode: found \"fats\"; allowed: normal, fast, lite, ultra or fusion"),
        ("[defaults]\nacu = 1.5", "defaults.acu: found float; allowed: a whole number from 1"),
        (
            "[defaults]\ntold = ['word']",
            "defaults.told: found \"word\"; allowed: words, pull_requests, finished, asleep, ended (did you mean words?)",
        ),
        ("[defaults]\nmentions_only = 'yes'", "defaults.mentions_only: found string; allowed: true or false"),
        (
            "[defaults]\nschema = 'report'",
            "defaults.schema: found \"report\"; allowed: a name of the table schemas (none)",
        ),
        ("[defaults]\nsecrets = ['A=hunter2']", "defaults.secrets: found \"\"; allowed: the name or id"),
        ("[defaults]\ntags = ['bobbin']", "defaults.tags: found \"bobbin\""),
        ("[channels.backend]", "channels.backend: found \"backend\"; allowed: a channel's id"),
        (
            "[channel.C1]",
            "channel: found a table that does not exist; allowed: channels, defaults, organisations, reactions, schemas, \
             workspaces (did you mean channels?)",
        ),
        (
            "[organisations.next]\nid = 'org-1'",
            "organisations.next.key: found nothing usable; allowed: a service user's key",
        ),
        ("[organisations.next]\nkey = 'hunter2'", "organisations.next.id: found nothing usable"),
        ("[organisations.next]\nkeys = 'hunter2'", "organisations.next.keys: found a key that does not exist"),
        (
            "[workspaces.T1]\norganisation = 'next'",
            "workspaces.T1.organisation: found \"next\"; allowed: a name of the table",
        ),
        ("[workspaces.acme]", "workspaces.acme: found \"acme\"; allowed: a workspace's id"),
        ("[workspaces.E1]", "workspaces.E1: found \"E1\"; allowed: a workspace's id, T…; those of an organisation"),
        (
            "[channels.C1]\norganisation = 'next'",
            "channels.C1.organisation: found \"next\"; allowed: a name of the table",
        ),
        ("[schemas.a]\njson = '[]'", "schemas.a: found JSON that is no object"),
        ("[schemas.a]\njson = '{'", "schemas.a: found no JSON"),
        ("[schemas.a]\njson = '{\"$ref\":\"https://x\"}'", "schemas.a: found a $ref to elsewhere"),
        ("[schemas.a]\njson = '{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\"}'", "allowed: draft 7"),
        ("[schemas.a]\nfile = '/nowhere/at/all'", "a file that can be read"),
        ("[schemas.a]", "schemas.a: found"),
        ("[reactions]\nfire = 'burn'", "reactions.fire: found \"burn\"; allowed: stop, mute, none"),
        ("BOBBIN_MAX_FILE = 0", "BOBBIN_MAX_FILE: found \"0\"; allowed: a whole number of MiB from 1 to 1000"),
        ("BOBBIN_LISTEN = ['a']", "BOBBIN_LISTEN: found array"),
    ] {
        let text = with_file(file).unwrap_err().to_string();
        assert!(text.contains(wanted), "{file}: {text}");
        assert!(!text.contains("hunter2"));
    }
}

#[test]
fn an_empty_list_is_none_at_all_and_a_reaction_can_be_taken_out() {
    let config =
        with_file("[defaults]\nknowledge = []\nresumable = false\n[reactions]\n':x:' = 'none'\nzzz = 'mute'").unwrap();
    assert_eq!(config.rules.defaults.options.knowledge, Some(Vec::new()));
    assert_eq!(config.rules.defaults.options.resumable, Some(false));
    assert_eq!(config.rules.reactions.keys().collect::<Vec<_>>(), ["mute", "zzz"]);
}

#[test]
fn a_schema_may_stand_in_a_file_beside_the_configuration() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("report.json"), r#"{"type":"object"}"#).unwrap();
    let mut source = Source::from_values(ENOUGH).unwrap();
    source.read_text("[schemas.report]\nfile = 'report.json'", &folder.path().join("bobbin.toml")).unwrap();
    assert_eq!(rules::read(&mut source).schemas["report"]["type"], "object");
}

#[test]
fn without_a_bot_token_workspaces_install_and_what_that_needs_is_named() {
    let values = |more: &[(&'static str, &'static str)]| {
        let usual = [
            ("BOBBIN_SLACK_SIGNING_SECRETS", "invented"),
            ("BOBBIN_DEVIN_API_KEY", "cog_invented"),
            ("BOBBIN_DEVIN_ORG_ID", "org-1"),
        ];
        Config::from_values(usual.into_iter().chain(more.iter().copied()))
    };
    let app = [("BOBBIN_SLACK_CLIENT_ID", "1.2"), ("BOBBIN_SLACK_CLIENT_SECRET", "hunter2")];
    let said = values(&app).unwrap_err().to_string();
    assert!(
        said.contains("BOBBIN_PUBLIC_URL: found nothing") && said.contains("BOBBIN_SECRET_KEY: found nothing"),
        "{said}"
    );
    assert!(
        said.contains("BOBBIN_SLACK_WORKSPACES: found nothing; allowed: the workspaces that may install"),
        "{said}"
    );
    let invited = |list| ("BOBBIN_SLACK_WORKSPACES", list);
    let said = values(&[app[0], app[1], invited("T1, acme")]).unwrap_err().to_string();
    assert!(said.contains("BOBBIN_SLACK_WORKSPACES: found \"acme\"; allowed: the workspaces"), "{said}");
    assert_eq!(said.matches("BOBBIN_SLACK_WORKSPACES").count(), 1, "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    let said = values(&app[..1]).unwrap_err().to_string();
    assert!(said.contains("BOBBIN_SLACK_CLIENT_SECRET: found nothing"), "{said}");
    let key = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    let rest = [("BOBBIN_PUBLIC_URL", "https://bobbin.example.com"), ("BOBBIN_SECRET_KEY", key)];
    let config = values(&[app[0], app[1], rest[0], rest[1], invited("T1")]).unwrap();
    assert!(config.slack.bot_token.is_none() && config.slack.oauth.is_some());
}

#[test]
fn operators_are_named_with_their_workspace_and_what_signing_in_needs_is_named() {
    let admins = |text| ("BOBBIN_ADMINS", text);
    let app = [("BOBBIN_SLACK_CLIENT_ID", "1.2"), ("BOBBIN_SLACK_CLIENT_SECRET", "hunter2")];
    let url = |text| ("BOBBIN_PUBLIC_URL", text);
    let said = problem(&[admins("T1/U1, U2"), app[0], app[1], url("https://bobbin.example.com")]);
    assert!(said.contains("BOBBIN_ADMINS: found \"U2\"; allowed: people of the console as WORKSPACE/USER"), "{said}");
    let said = problem(&[admins("T1/U1")]);
    for key in ["BOBBIN_SLACK_CLIENT_ID: found nothing", "BOBBIN_PUBLIC_URL: found nothing"] {
        assert!(said.contains(key), "{key}: {said}");
    }
    let said = problem(&[admins("T1/U1"), app[0], app[1], url("http://bobbin.example.com")]);
    assert!(said.contains("BOBBIN_PUBLIC_URL: found \"http://bobbin.example.com\"; allowed: the https://"), "{said}");
    for address in ["https://bobbin.example.com", "http://127.0.0.1:3000", "http://localhost:3000"] {
        let config = with(&[admins("T1/U1"), app[0], app[1], url(address)]).unwrap();
        assert!(config.console.admins.has(&"T1".parse().unwrap(), &"U1".parse().unwrap()), "{address}");
        assert!(config.slack.bot_token.is_some(), "one workspace by its token, and its people sign in");
    }
    assert!(with(&[]).unwrap().console.admins.is_empty());
}
