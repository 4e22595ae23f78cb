//! Every parser over every recorded body at hand: our own fixtures, and the collected ones where they are present.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{
    command::{Command, CommandForm},
    event::{Event, EventEnvelope},
    interaction::Interaction,
    mend,
    objects::User,
    peek::Peek,
};

fn fixture(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slack").join(name)).unwrap()
}

fn event(name: &str) -> Event {
    EventEnvelope::parse(&fixture(&format!("event.{name}.json"))).unwrap().event
}

fn interaction(name: &str) -> Interaction {
    Interaction::from_form(&fixture(&format!("interaction.{name}.form"))).unwrap()
}

/// Files of a folder and of the folders in it, by name.
fn files(folder: &Path) -> Vec<(String, PathBuf)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push((path.file_name().unwrap().to_string_lossy().into_owned(), path));
        }
    }
    found
}

/// Reads a file with the parser that its name asks for; whether one was.
fn read_as_named(name: &str, body: &[u8]) -> bool {
    let json = Path::new(name).extension().is_some_and(|extension| extension == "json");
    if name.starts_with("event.") {
        let peek = Peek::parse(body).unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(peek.kind.is_some(), "{name}");
        if let Some(event) = &peek.event {
            let whole = EventEnvelope::parse(body).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(event.kind.is_some(), "{name}");
            assert_eq!(whole.event_id.as_deref(), peek.event_id.as_deref(), "{name}");
        }
    } else if name.starts_with("interaction.") {
        let parsed = if json { Interaction::from_json(body) } else { Interaction::from_form(body) };
        let parsed = parsed.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert!(!matches!(parsed, Interaction::Other { kind } if kind.is_empty()), "{name}");
    } else if name.starts_with("command.") {
        CommandForm::parse(body).unwrap_or_else(|error| panic!("{name}: {error}"));
    } else {
        return false;
    }
    true
}

#[test]
fn every_fixture_is_read() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slack");
    let read = files(&folder).iter().filter(|(name, path)| read_as_named(name, &fs::read(path).unwrap())).count();
    assert!(read >= 30, "only {read} fixtures");
}

#[test]
fn every_collected_body_is_read_where_the_collection_is_at_hand() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared/payloads");
    let read = files(&folder).iter().filter(|(name, path)| read_as_named(name, &fs::read(path).unwrap())).count();
    assert!(read == 0 || read >= 130, "only {read} bodies were read");
}

#[test]
fn every_prefix_of_a_body_is_survived() {
    for (name, path) in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slack")) {
        let body = fs::read(path).unwrap();
        let body = body.trim_ascii_end();
        for cut in (0..body.len().min(1500)).map(|length| &body[..length]) {
            let results = (
                Peek::parse(cut).is_ok(),
                EventEnvelope::parse(cut).is_ok(),
                Interaction::from_form(cut).is_ok(),
                CommandForm::parse(cut).is_ok(),
            );
            // Nothing cut short passes for an event.
            assert!(!results.1, "{name} cut to {}", cut.len());
        }
    }
}

#[test]
fn a_glance_borrows_what_it_needs() {
    let body = fixture("event.app_mention.json");
    let peek = Peek::parse(&body).unwrap();
    let event = peek.event.unwrap();
    assert_eq!(peek.kind.as_deref(), Some("event_callback"));
    assert_eq!(peek.authorization.unwrap().user_id.as_deref(), Some("U07BOBBIN1"));
    assert_eq!(event.kind.as_deref(), Some("app_mention"));
    assert!(event.text.unwrap().contains("<@U07BOBBIN1>"));
    assert!(matches!(event.channel, Some(std::borrow::Cow::Borrowed("C07DEPLOY1"))));
    assert!(!event.edited);
    assert!(!peek.is_ext_shared_channel);
}

#[test]
fn a_glance_sees_edits_objects_and_echoes() {
    let edited = fixture("event.app_mention.edited.json");
    assert!(Peek::parse(&edited).unwrap().event.unwrap().edited);
    let user = fixture("event.user_change.json");
    assert_eq!(Peek::parse(&user).unwrap().event.unwrap().user.as_deref(), Some("U07ADA0001"));
    let unknown = fixture("event.unknown.json");
    let unknown = Peek::parse(&unknown).unwrap().event.unwrap();
    assert_eq!((unknown.channel.as_deref(), unknown.user.as_deref()), (Some("C07DEPLOY1"), None));
    let own = fixture("event.message.message_changed.own.json");
    let own = Peek::parse(&own).unwrap().event.unwrap();
    assert!(own.hidden);
    assert_eq!(own.message.unwrap().bot_id.as_deref(), Some("B07BOBBIN"));
    assert_eq!(own.previous_message.unwrap().user.as_deref(), Some("U07BOBBIN1"));
}

#[test]
fn a_glance_forgives_any_type_anywhere() {
    let odd = br#"{"type":"event_callback","team_id":null,"enterprise_id":5,"event_id":["x"],"authorizations":{"a":1},
        "is_ext_shared_channel":"yes","event":{"type":7,"user":[{"id":"U1"}],"channel":{"id":{"id":1}},"ts":1.5,
        "text":"a \"quoted\" word","edited":null,"hidden":0,"message":"none","previous_message":[1,2]}}"#;
    let peek = Peek::parse(odd).unwrap();
    let event = peek.event.unwrap();
    assert!(peek.team_id.is_none() && peek.enterprise_id.is_none() && peek.event_id.is_none());
    assert!(peek.authorization.is_none() && event.user.is_none() && event.channel.is_none() && event.ts.is_none());
    assert_eq!(event.text.as_deref(), Some("a \"quoted\" word"));
    assert!(event.message.is_none() && event.previous_message.is_none() && !event.edited);
    for body in ["", "null", "[]", "[\"event_callback\"]", "7", "{\"type\":"] {
        assert!(Peek::parse(body.as_bytes()).is_err(), "{body}");
    }
}

#[test]
fn messages_carry_what_a_worker_needs() {
    let Event::Mention(mention) = event("app_mention") else { panic!("not a mention") };
    assert_eq!(mention.root(), &mention.message.ts);
    let Event::Message(twin) = event("message.twin") else { panic!("not a message") };
    assert_eq!(twin.message, mention.message);
    let Event::Message(reply) = event("message.thread_reply") else { panic!("not a message") };
    assert_eq!(reply.root(), &mention.message.ts);
    let Event::Message(share) = event("message.file_share") else { panic!("not a message") };
    assert_eq!(share.message.files.len(), 2);
    assert!(share.message.files[0].download_url().unwrap().contains("/download/"));
    assert!(share.message.files[1].download_url().is_none());
    let Event::Message(own) = event("message.own") else { panic!("not a message") };
    assert_eq!(own.message.metadata.unwrap().event_payload["session_id"], "0f3a");
    let Event::Message(direct) = event("message.im") else { panic!("not a message") };
    assert!(direct.channel.is_direct());
}

#[test]
fn changes_and_deletions_name_their_message() {
    let Event::MessageChanged { now, before } = event("message.message_changed") else { panic!("not a change") };
    assert_eq!(now.message.text, "use the branch release");
    assert!(now.message.edited.is_some());
    assert_eq!(before.unwrap().text, "use the branch main");
    let Event::MessageDeleted { deleted, .. } = event("message.message_deleted") else { panic!("not a deletion") };
    assert_eq!(deleted, now.message.ts);
    let Event::MessageDeleted { deleted, before, .. } = event("message.message_changed.tombstone") else {
        panic!("a placeholder is no edit")
    };
    assert_eq!((deleted.as_str(), &deleted), ("1795640001.000100", &before.unwrap().ts));
}

#[test]
fn other_events_carry_their_essentials() {
    let Event::UserChanged(user) = event("user_change") else { panic!("not a person") };
    let User { deleted: true, .. } = *user else { panic!("still active") };
    assert_eq!((user.display_name(), user.email()), ("ada", Some("ada@loom.example")));
    assert!(matches!(event("tokens_revoked"), Event::TokensRevoked { bots } if bots.len() == 1));
    assert!(matches!(event("app_uninstalled"), Event::Uninstalled));
    assert!(matches!(event("app_home_opened"), Event::HomeOpened { tab: Some(tab), .. } if tab == "home"));
    assert!(matches!(event("member_joined_channel"), Event::MemberJoined { inviter: Some(_), .. }));
    assert!(matches!(event("channel_id_changed"), Event::ChannelIdChanged { .. }));
    assert!(matches!(event("agent_session_stopped"), Event::AgentStopped { thread: Some(_), .. }));
    assert!(matches!(event("unknown"), Event::Other { kind } if kind == "loom_tangled"));
}

#[test]
fn half_an_emoji_does_not_hide_an_event() {
    let body = br#"{"type":"event_callback","event":{"type":"message","channel":"C1","ts":"1.2","user":"U1",
        "text":"cut \ud83d","attachments":[{"text":"\udc4b"}]}}"#;
    assert!(Peek::parse(body).is_err());
    assert_eq!(Peek::parse(&mend(body)).unwrap().event.unwrap().text.as_deref(), Some("cut \u{fffd}"));
    let Event::Message(message) = EventEnvelope::parse(body).unwrap().event else { panic!("not a message") };
    assert_eq!(message.message.text, "cut \u{fffd}");
}

#[test]
fn a_message_without_a_channel_is_nothing_to_act_on() {
    let body = br#"{"type":"event_callback","event":{"type":"message","ts":"1.2","user":"U1","text":"x"}}"#;
    assert!(matches!(EventEnvelope::parse(body).unwrap().event, Event::Other { kind } if kind == "message"));
}

#[test]
fn buttons_carry_place_person_and_value() {
    let Interaction::BlockActions(pressed) = interaction("block_actions") else { panic!("not a button") };
    assert_eq!(pressed.actor.user.as_str(), "U07ADA0001");
    assert_eq!(pressed.actor.team.as_str(), "T07LOOM01");
    assert_eq!(pressed.container.thread_ts.as_ref().unwrap().as_str(), "1795640001.000100");
    assert_eq!(pressed.actions[0].value.as_deref(), Some("v1.0f3a.sealed"));
    let Interaction::BlockActions(chosen) = interaction("block_actions.org_wide") else { panic!("not a select") };
    assert_eq!(chosen.actor.team.as_str(), "E07LOOMORG");
    assert_eq!(chosen.actor.home.as_ref().unwrap().as_str(), "T07LOOM01");
    assert_eq!(chosen.actions[0].selected_option.as_ref().unwrap().value, "all");
}

#[test]
fn without_a_team_the_persons_own_is_taken() {
    let payload = br#"{"type":"shortcut","team":null,"user":{"id":"U1","team_id":"T9"},"callback_id":"new"}"#;
    let Ok(Interaction::Shortcut(shortcut)) = Interaction::from_json(payload) else { panic!("not a shortcut") };
    assert_eq!(shortcut.actor.team.as_str(), "T9");
}

#[test]
fn shortcuts_and_modals_carry_their_essentials() {
    let Interaction::MessageAction(action) = interaction("message_action") else { panic!("not an action") };
    assert_eq!(action.message.text, "the nightly build is red again");
    let Interaction::ViewSubmission(sent) = interaction("view_submission") else { panic!("not a submission") };
    assert_eq!(sent.view.state.values["task"]["text"]["value"], "Make the build green");
    assert!(
        matches!(interaction("shortcut"), Interaction::Shortcut(shortcut) if shortcut.callback_id == "new_session")
    );
    assert!(matches!(interaction("view_closed"), Interaction::ViewClosed(_)));
    assert!(matches!(interaction("block_suggestion"), Interaction::BlockSuggestion(asked) if asked.value == "ap"));
    assert!(matches!(interaction("unknown"), Interaction::Other { kind } if kind == "loom_gesture"));
    for form in ["", "payload=", "payload=%5B%5D", "payload=%7Bnot+json", "other=1"] {
        assert!(Interaction::from_form(form.as_bytes()).is_err(), "{form}");
    }
}

#[test]
fn commands_are_read_from_both_doors() {
    let Ok(CommandForm::Command(command)) = CommandForm::parse(&fixture("command.form")) else {
        panic!("not a command")
    };
    assert_eq!((command.command.as_str(), command.text.as_str()), ("/bobbin", "status <@U07LIN0001> & more"));
    let json =
        br#"{"command":"/bobbin","team_id":"T1","channel_id":"C1","user_id":"U1","is_enterprise_install":false}"#;
    let Ok(CommandForm::Command(socket)) = CommandForm::from_json(json) else { panic!("not a command") };
    let Command { text, response_url: None, .. } = *socket else { panic!("an address from nowhere") };
    assert!(text.is_empty());
    assert_eq!(CommandForm::parse(&fixture("command.ssl_check.form")), Ok(CommandForm::SslCheck));
    assert!(CommandForm::parse(b"command=%2Fbobbin&team_id=T1&channel_id=C1").is_err());
}
