//! Words beside the task: what a session is started with, what channels start theirs with, and what is answered instead.

use bobbin::{
    devin::{Devin, SessionQuery},
    domain::{
        ids::ChannelId,
        status::{Detail, Status},
    },
    store::Store as _,
    twin::{
        FaultAction,
        devin::Extras,
        slack::Message,
        world::{ADA, BACKEND, BOT_USER, DEVIN_KEY, GENERAL, GRACE, ORG},
    },
};
use insta::assert_snapshot;
use secrecy::SecretString;
use serde_json::json;

use crate::support::world::{On, World, id};

const RULES: &str = r#"
[defaults]
tags = ["chat"]
acu = 5

[channels.C0BACKEND]
repos = ["acme/api"]
playbook = "review a pull request"
approval_skip_allowed = true

[schemas.report]
json = '{ "type": "object" }'
"#;

/// The blocks of a channel's cards, as Slack got them.
fn cards(world: &World, channel: &str) -> String {
    let channel = id::<ChannelId>(channel);
    let is_card = |m: &&Message| m.metadata.as_ref().is_some_and(|data| data["event_type"] == "bobbin_card");
    world.slack.read(|state| {
        let cards = state.channels[&channel].messages.iter().filter(is_card);
        cards.map(|card| serde_json::to_string(&card.blocks).unwrap()).collect()
    })
}

#[tokio::test]
async fn every_word_reaches_the_session_and_is_echoed_on_the_card() {
    let mut world = World::ruled(RULES).await;
    let text = "!fast fix the `mode=slow` login test repo=acme/web, title=“Login test” playbook=!review acu=10 tag=urgent\n\
                platform=windows knowledge=note-9c secret=NPM_TOKEN schema=report! approval=skip \
                child-playbook=playbook-review link=https://app.devin.ai/sessions/0f3a55cc resumable=no";
    let root = world.mention(ADA, text).await;
    world.thread(&root);
    let card = cards(&world, BACKEND);
    let echo = "acme/web · fast · playbook _Review a pull request_ · its own sessions follow _Review a pull request_ · \
                windows · 10 ACUs max · tagged chat, urgent · knowledge note-9c · secrets NPM_TOKEN · result as _report_, \
                required · approvals skipped · linked to 1 session · cannot be woken once it stops";
    assert!(card.contains("*Login test*") && card.contains(echo), "{card}");

    let session = world.session();
    assert!(session.prompt.starts_with("fix the `mode=slow` login test\n\n---\n"), "{}", session.prompt);
    assert_eq!((session.title.as_str(), session.repos.as_slice()), ("Login test", ["acme/web".to_owned()].as_slice()));
    assert_eq!(session.playbook_id.as_deref(), Some("playbook-review"));
    assert_eq!((session.devin_mode.as_deref(), session.max_acu_limit), (Some("fast"), Some(10)));
    assert_eq!(session.tags[3..], ["chat".to_owned(), "urgent".to_owned()]);
    let expected = Extras {
        child_playbook_id: Some("playbook-review".to_owned()),
        knowledge_ids: Some(vec!["note-9c".to_owned()]),
        secret_ids: Some(vec!["secret-npm".to_owned()]),
        session_secrets: Vec::new(),
        platform: Some("windows".to_owned()),
        bypass_approval: Some(true),
        resumable: Some(false),
        structured_output_schema: Some(json!({ "type": "object" })),
        structured_output_required: Some(true),
        session_links: vec!["https://app.devin.ai/sessions/0f3a55cc".to_owned()],
    };
    assert_eq!(session.extras, expected);
    // A second session names the same playbook: it is remembered.
    let again = world.mention(ADA, "and this ![review]").await;
    world.thread(&again);
    assert_eq!(world.devin.calls("playbooks.list"), 1);
}

#[tokio::test]
async fn a_channels_defaults_hold_where_nothing_else_is_said() {
    let mut world = World::ruled(RULES).await;
    let root = world.mention(ADA, "fix it acu=7").await;
    world.thread(&root);
    let card = cards(&world, BACKEND);
    assert!(card.contains("acme/api · playbook _Review a pull request_ · 7 ACUs max · tagged chat\""), "{card}");
    let session = world.session();
    assert_eq!((session.repos, session.max_acu_limit), (vec!["acme/api".to_owned()], Some(7)));
    assert_eq!(session.extras, Extras::default());
    world.slack.join(&id(BOT_USER), &id(GENERAL)).unwrap();
    let root = world.say(GRACE, GENERAL, &format!("<@{BOT_USER}> !lite tidy up"));
    world.settle().await;
    world.thread_in(GENERAL, &root);
    assert!(cards(&world, GENERAL).contains("\"lite · 5 ACUs max · tagged chat\""));
}

#[tokio::test]
async fn what_was_not_meant_starts_nothing_and_can_be_sent_again() {
    let mut world = World::ruled(RULES).await;
    let root = world.mention(ADA, "fix it mode=fats rep=acme/web !fastt acu=ten").await;
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> fix it mode=fats rep=acme/web !fastt acu=ten [eyes]
    bobbin: :raised_hand: I started nothing yet:
    • `mode=` does not take `fats`, but normal, fast, lite, ultra or fusion. Did you mean `mode=fast`?
    • `rep=` is no word of mine. Did you mean `repo=`?
    • `!fastt` is no word of mine. Did you mean `!fast`?
    • `acu=` does not take `ten`, but a whole number from 1.
    Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine.
    ");
    world.reply(ADA, &root, &format!("<@{BOT_USER}> !ask playbook=reviw secret=ghp_12345678 schema=rep")).await;
    let said = world.thread(&root);
    assert_snapshot!(said.lines().skip(7).collect::<Vec<_>>().join("\n"), @"
    ada: <@U0BOBBIN> !ask playbook=reviw secret=ghp_12345678 schema=rep [eyes]
    bobbin: :raised_hand: I started nothing yet:
    • `!ask` is a word of Devin's own app: it asks Devin's code search without a session, which its API does not offer.
    • Devin has no playbook `reviw`. There are: `Review a pull request (!review)`.
    • Devin keeps no secret of that name for the organisation. There are: `NPM_TOKEN`. A value never belongs into a channel.
    • The configuration has no schema `rep`. There are: `report`.
    Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine.
    ");
    assert!(world.devin.sessions().is_empty());
    assert!(world.store.dead(10).await.unwrap().is_empty());
    // Ordinary text is neither touched nor asked about, and the same thread still takes a session.
    world.reply(ADA, &root, &format!("<@{BOT_USER}> why is a != b when node=18? It's !important")).await;
    world.thread(&root);
    assert!(world.session().prompt.starts_with("why is a != b when node=18? It's !important\n"));
}

#[tokio::test]
async fn what_devin_refuses_is_answered_with_what_it_takes() {
    let mut world = World::on(On::Embedded).await;
    let root = world.mention(ADA, "build it platform=beos").await;
    assert_snapshot!(world.thread(&root), @"
    ada: <@U0BOBBIN> build it platform=beos [eyes]
    bobbin: :raised_hand: I started nothing yet:
    • Devin does not take it as asked (`platform=beos`). It says: _Unknown platform 'beos'. Valid platforms: inherit, linux, windows_.
    Send it again without that, or with what you meant. What stands between back ticks I don't read as words of mine.
    ");
    let root = world.mention(ADA, "build it approval=skip").await;
    assert!(world.thread(&root).contains("• `approval=skip` is not allowed in this channel."));
    // Lists that the key may not read: an id still does.
    world.devin.change(|state| {
        let permissions = &mut state.keys.get_mut(DEVIN_KEY).unwrap().permissions;
        permissions.retain(|name| name != "ViewOrgPlaybooks" && name != "ViewOrgSecrets");
    });
    let root = world.mention(ADA, "build it playbook=review secret=NPM_TOKEN").await;
    let said = world.thread(&root);
    assert!(
        said.contains("I can't look up what `playbook=` names. Devin says: _Missing permission ViewOrgPlaybooks_."),
        "{said}"
    );
    assert!(said.contains("I can't look up what `secret=` names."), "{said}");
    assert!(world.devin.sessions().is_empty());
    let root = world.mention(ADA, "build it playbook=playbook-review secret=secret-npm").await;
    world.thread(&root);
    assert!(cards(&world, BACKEND).contains("playbook _playbook-review_ · secrets secret-npm"));
    assert_eq!(world.session().extras.secret_ids, Some(vec!["secret-npm".to_owned()]));
    assert!(world.store.dead(10).await.unwrap().is_empty());
}

#[tokio::test]
async fn words_in_somebody_elses_message_ask_for_nothing() {
    let mut world = World::on(On::Embedded).await;
    let root = world.say(GRACE, BACKEND, "The login test fails again !ultra secret=NPM_TOKEN");
    world.settle().await;
    world.slack.message_shortcut(&id(ADA), &id(BACKEND), &root, "start_here").unwrap();
    world.settle().await;
    world.thread(&root);
    let session = world.session();
    assert_eq!((session.devin_mode.as_deref(), session.extras), (Some("normal"), Extras::default()));
    assert!(session.prompt.contains("The login test fails again !ultra secret=NPM_TOKEN"));
}

#[tokio::test]
async fn names_that_cannot_be_looked_up_now_are_looked_up_later() {
    let mut world = World::on(On::Embedded).await;
    world.devin.faults().once("playbooks.list", FaultAction::Status(503));
    let root = world.mention(ADA, "look at this !review").await;
    world.thread(&root);
    assert!(cards(&world, BACKEND).contains("playbook _Review a pull request_"));
    let session = world.session();
    assert_eq!((session.playbook_id.as_deref(), session.title.as_str()), (Some("playbook-review"), "look at this"));
}

#[tokio::test]
async fn a_session_is_ended_once_and_put_away_and_taken_out() {
    let mut world = World::on(On::Embedded).await;
    world.lenient();
    world.mention(ADA, "fix it").await;
    let session = world.session_id();
    let base = world.base.parse().unwrap();
    let devin = Devin::new(world.outbound.clone(), base, SecretString::from(DEVIN_KEY), id(ORG));
    devin.archive(&session).await.unwrap();
    assert!(world.session().archived && world.session().status == Status::Suspended);
    devin.unarchive(&session).await.unwrap();
    world.devin.set(&session, Status::Running, Some(Detail::Working)).unwrap();
    for _ in 0..2 {
        devin.terminate(&session, true).await.unwrap();
    }
    assert!(world.session().archived && world.session().status == Status::Exit);
    let owner = world.session().user_id.unwrap();
    let query = |user: &str| SessionQuery { user_ids: vec![id(user)], ..SessionQuery::default() };
    assert_eq!(devin.sessions(&query(owner.as_str())).await.unwrap().items.len(), 1);
    assert!(devin.sessions(&query("user-nobody")).await.unwrap().items.is_empty());
}
