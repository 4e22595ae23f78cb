//! Modals: opened before their turn has come, validated in place, and forgetful of what is secret.

use std::time::Duration;

use bobbin::{
    store::Store as _,
    twin::{
        slack::Spot,
        world::{ADA, ADA_AT_DEVIN, BACKEND, GENERAL, GRACE, LINUS},
    },
};
use insta::assert_snapshot;

use crate::support::world::{On, World, id};

#[tokio::test]
async fn the_form_stands_there_before_anybody_has_time_for_it() {
    let mut world = World::new().await;
    world.slack.shortcut(&id(ADA), "start_devin").unwrap();
    world.deliver_due().await;
    assert_eq!(world.bobbin.lane.step().await, 1);
    assert_snapshot!(world.modal(ADA), @"
    [Start a Devin session]
    :hourglass_flowing_sand: One moment…
    ");
    // The handler comes much later, when no trigger lives any more.
    world.clock.advance(Duration::from_secs(30));
    world.settle().await;
    assert_snapshot!(world.modal(ADA), @"
    [Start a Devin session]
    What shall Devin do?:
    Repositories:
    Where shall I report?:
    Playbook:
    Mode:
    ACU limit:
    <More options>
    (Runs as *Ada Lovelace*. I post in the channel that you asked; everybody there can follow.)
    ");
    assert_eq!(world.slack.calls("views.open"), 1);
}

#[tokio::test]
async fn whatever_opens_the_form_opens_the_same_one() {
    let mut world = World::new().await;
    world.slack.command(&id(ADA), &id(BACKEND), "/devin", "new").unwrap();
    world.settle().await;
    assert!(world.modal(ADA).contains(&format!("Where shall I report?: {BACKEND}")), "{}", world.modal(ADA));
    world.slack.close_modal(&id(ADA), true).unwrap();
    world.slack.open_home(&id(ADA), "home").unwrap();
    world.settle().await;
    world.slack.choose(&id(ADA), Spot::Home, "start_session", &[]).unwrap();
    world.settle().await;
    assert!(world.modal(ADA).contains("What shall Devin do?"), "{}", world.modal(ADA));
    // Somebody for whom nobody may act reads why, and can send nothing.
    world.slack.shortcut(&id(LINUS), "start_devin").unwrap();
    world.settle().await;
    assert_snapshot!(world.modal(LINUS), @"
    [Start a Devin session]
    I can't start Devin for you: nobody in the Devin organisation has the e-mail address of your Slack account. Ask a Devin administrator to invite that address; I look again after ten minutes.
    ");
}

#[tokio::test]
async fn a_form_that_is_sent_opens_a_thread_and_starts_there() {
    let mut world = World::new().await;
    world.slack.shortcut(&id(ADA), "start_devin").unwrap();
    world.settle().await;
    world.fill(ADA, &[("task", "fix the login test mode=lite"), ("channel", BACKEND), ("repos", "acme/api, acme/web")]);
    world.fill(ADA, &[("playbook", "playbook-review"), ("mode", "fast"), ("acu", "5")]);
    world.submit(ADA).await;
    assert_eq!(world.modal(ADA), "", "it is closed");
    let root = world.newest_root(BACKEND);
    assert_snapshot!(world.thread(&root), @"
    bobbin: :speech_balloon: *Ada Lovelace* asks Devin:
    > fix the login test mode=lite [eyes]
    bobbin: [card] *fix the login test* / :hourglass_flowing_sand: Starting | Runs as *Ada Lovelace* · 0.0 of 5 ACUs | <Open session>
    ");
    let session = world.session();
    assert_eq!(session.user_id, Some(id(ADA_AT_DEVIN)));
    assert_eq!((session.repos, session.max_acu_limit), (vec!["acme/api".to_owned(), "acme/web".to_owned()], Some(5)));
    assert_eq!(session.playbook_id.as_deref(), Some("playbook-review"));
    assert_eq!(session.devin_mode.as_deref(), Some("lite"), "a word in the task goes over what was chosen");
}

#[tokio::test]
async fn what_is_wrong_is_said_beside_the_field_and_nothing_is_stored() {
    let mut world = World::new().await;
    world.slack.shortcut(&id(ADA), "start_devin").unwrap();
    world.settle().await;
    world.fill(ADA, &[("task", "fix it mod=fast"), ("channel", BACKEND), ("repos", "api"), ("acu", "some")]);
    world.settle().await;
    world.slack.submit(&id(ADA)).unwrap();
    world.deliver_due().await;
    assert_snapshot!(world.modal(ADA), @"
    [Start a Devin session]
    What shall Devin do?: fix it mod=fast !! I don't know mod=. Did you mean mode=fast? Put it in `backticks` to send it as it is.
    Repositories: api !! Write repositories as owner/name, with commas between them.
    Where shall I report?: C0BACKEND
    Playbook:
    Mode:
    ACU limit: some !! Write a whole number of ACUs, 1 or more.
    <More options>
    (Runs as *Ada Lovelace*. I post in the channel that you asked; everybody there can follow.)
    ");
    assert_eq!(world.store.backlog().await.unwrap().ready, 0);
    world.fill(ADA, &[("task", "fix it mode=fast"), ("repos", "acme/api, acme/web"), ("acu", "5")]);
    world.submit(ADA).await;
    assert_eq!((world.modal(ADA).as_str(), world.devin.sessions().len()), ("", 1));
    let root = world.newest_root(BACKEND);
    world.thread(&root);
}

#[tokio::test]
async fn who_was_kept_waiting_too_long_is_told_what_to_do_again() {
    let mut world = World::new().await;
    // Where there is an address to answer to, there; else directly.
    world.slack.command(&id(ADA), &id(BACKEND), "/devin", "new").unwrap();
    world.slack.shortcut(&id(GRACE), "start_devin").unwrap();
    world.deliver_due().await;
    world.clock.advance(Duration::from_secs(4));
    world.settle().await;
    assert_eq!((world.modal(ADA), world.modal(GRACE)), (String::new(), String::new()));
    assert_snapshot!(world.whispers(ADA).join("\n"), @":hourglass: I was too slow: Slack lets me open a form for three seconds only, and they were over. Nothing was started. Please use `/devin new` again, or write the task right behind it, such as `/devin new fix the login test`.");
    assert_snapshot!(world.written_to(GRACE).join("\n"), @":hourglass: I was too slow: Slack lets me open a form for three seconds only, and they were over. Nothing was started. Please use the shortcut *Start Devin* again.");
}

#[tokio::test]
async fn without_the_fast_lane_the_handler_opens_the_form_itself() {
    let mut world = World::new().await;
    world.slack.shortcut(&id(ADA), "start_devin").unwrap();
    world.deliver_due().await;
    world.work_off().await;
    assert!(world.modal(ADA).contains("What shall Devin do?"), "{}", world.modal(ADA));
    // The lane comes too late, and does no harm.
    world.bobbin.lane.step().await;
    world.settle().await;
    assert!(world.modal(ADA).contains("What shall Devin do?"));
    assert!(world.written_to(ADA).is_empty());
}

#[tokio::test]
async fn a_form_that_was_closed_at_once_stays_closed() {
    let mut world = World::new().await;
    world.slack.shortcut(&id(ADA), "start_devin").unwrap();
    world.deliver_due().await;
    world.bobbin.lane.step().await;
    world.slack.close_modal(&id(ADA), true).unwrap();
    world.settle().await;
    assert_eq!(world.modal(ADA), "");
    assert!(world.written_to(ADA).is_empty() && world.store_dead().await.is_empty());
}

#[tokio::test]
async fn a_channel_without_me_is_told_as_soon_as_it_is_chosen() {
    let mut world = World::new().await;
    world.slack.shortcut(&id(ADA), "start_devin").unwrap();
    world.settle().await;
    world.fill(ADA, &[("task", "fix the login test"), ("channel", GENERAL)]);
    world.settle().await;
    assert!(world.modal(ADA).contains(&format!("I am not in <#{GENERAL}>")), "{}", world.modal(ADA));
    assert!(world.modal(ADA).contains("What shall Devin do?: fix the login test"), "what was typed stays");
    // Sent all the same: nothing is started, and nothing that was typed is lost.
    world.submit(ADA).await;
    assert_snapshot!(world.written_to(ADA).join("\n"), @"
    :wave: I am not in <#C0GENERAL>, so I could not report there, and started nothing. Invite me there with `/invite @bobbin` and do it again. So that nothing is lost, this was your task:
    > fix the login test
    ");
    assert_eq!(world.devin.calls("sessions.create"), 0);
}

#[tokio::test]
async fn secrets_are_sealed_before_they_are_stored_and_gone_when_devin_has_them() {
    for on in [On::Redis, On::Embedded] {
        let mut world = World::on(on).await;
        world.slack.shortcut(&id(ADA), "start_devin").unwrap();
        world.settle().await;
        world.fill(ADA, &[("task", "deploy it"), ("channel", BACKEND)]);
        world.slack.choose(&id(ADA), Spot::Modal, "more_options", &[]).unwrap();
        world.settle().await;
        assert!(world.modal(ADA).contains("Secrets for this session"), "{}", world.modal(ADA));
        world.fill(ADA, &[("session_secrets", "no key")]);
        world.slack.submit(&id(ADA)).unwrap();
        world.deliver_due().await;
        assert!(world.modal(ADA).contains("!! Line 1 is not KEY=value"), "{}", world.modal(ADA));

        world.fill(ADA, &[("session_secrets", "DEPLOY_TOKEN=hunter2-in-clear")]);
        world.slack.submit(&id(ADA)).unwrap();
        // At every turn of the way: in the person's mailbox, in the thread's, and afterwards.
        world.deliver_due().await;
        assert!(!world.dump().contains("hunter2-in-clear"));
        assert!(world.dump().contains("sealed"), "it waits in the mailbox");
        while world.bobbin.worker.step().await.unwrap() == bobbin::work::Stepped::Handled {
            assert!(!world.dump().contains("hunter2-in-clear"));
        }
        world.settle().await;
        assert!(!world.dump().contains("hunter2-in-clear"));
        let secrets = world.session().extras.session_secrets;
        let given: Vec<_> = secrets.iter().map(|s| (s.key.as_str(), s.value.as_str(), s.sensitive)).collect();
        assert_eq!(given, [("DEPLOY_TOKEN", "hunter2-in-clear", true)]);
        let root = world.newest_root(BACKEND);
        assert!(!world.thread(&root).contains("hunter2"), "{on:?}");
    }
}

#[tokio::test]
async fn a_message_is_handed_to_the_session_of_its_thread() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    let said = world.reply(GRACE, &root, "(aside) it only fails at night").await;
    let before = world.devin.sessions()[0].messages.len();
    world.slack.message_shortcut(&id(ADA), &id(BACKEND), &said, "send_to_session").unwrap();
    world.settle().await;
    assert_snapshot!(world.modal(ADA), @"
    [Send to a session]
    :incoming_envelope: This message goes into the session of its thread, *fix the login test*. The mark on it shows when Devin has it.
    ");
    let messages = &world.devin.sessions()[0].messages;
    assert_eq!(messages.len(), before + 1);
    assert_snapshot!(messages.last().unwrap().message, @"
    A message of @Grace Hopper in Slack:
    > (aside) it only fails at night
    ");
    world.thread(&root);
}

#[tokio::test]
async fn a_message_from_elsewhere_goes_into_the_session_that_its_person_chooses() {
    let mut world = World::new().await;
    let root = world.mention(ADA, "fix the login test").await;
    let talk = world.say(GRACE, BACKEND, "the login test fails on the new runner, too");
    world.settle().await;
    world.slack.message_shortcut(&id(ADA), &id(BACKEND), &talk, "send_to_session").unwrap();
    world.settle().await;
    assert_snapshot!(world.modal(ADA), @"
    [Send to a session]
    > the login test fails on the new runner, too
    Which session?:
    Words to go with it:
    ");
    let tag = format!("bobbin-thread:T0ACME/{BACKEND}/{root}");
    world.fill(ADA, &[("session", &tag), ("note", "see this")]);
    world.submit(ADA).await;
    let permalink = format!("https://acme.slack.com/archives/{BACKEND}/p{}", talk.as_str().replace('.', ""));
    assert_snapshot!(world.thread(&root).replace(&permalink, "PERMALINK"), @"
    ada: <@U0BOBBIN> fix the login test [eyes]
    bobbin: [card] *fix the login test* / :gear: Working | Runs as *Ada Lovelace* | <Open session>
    bobbin: :paperclip: *Ada Lovelace* hands over <PERMALINK|a message>:
    > see this
    > 
    > the login test fails on the new runner, too [eyes] [incoming_envelope]
    ");
    assert_snapshot!(world.devin.sessions()[0].messages.last().unwrap().message, @"
    see this

    A message of @Grace Hopper in Slack:
    > the login test fails on the new runner, too
    ");

    // After an hour nobody remembers which message it was.
    world.slack.message_shortcut(&id(ADA), &id(BACKEND), &talk, "send_to_session").unwrap();
    world.settle().await;
    world.clock.advance(Duration::from_mins(61));
    world.fill(ADA, &[("session", &tag)]);
    world.submit(ADA).await;
    assert!(world.written_to(ADA)[0].contains("longer than I remember the message"));
    // And who has no session is told what to do instead.
    world.slack.message_shortcut(&id(GRACE), &id(BACKEND), &talk, "send_to_session").unwrap();
    world.settle().await;
    assert!(world.modal(GRACE).contains("You have no session that takes messages"), "{}", world.modal(GRACE));
    world.thread(&root);
}
