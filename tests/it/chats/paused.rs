//! The kill switch: new sessions are refused with the reason, wherever they are asked for, and what runs goes on.

use bobbin::{
    oversight::Actor,
    twin::world::{ADA, BACKEND, GRACE, LINUS, TEAM},
};
use insta::assert_snapshot;

use crate::{
    pages::Desk,
    support::world::{On, World, id},
};

fn operator() -> Actor {
    Actor::console(&id(TEAM), &id("U0OPS"))
}

#[tokio::test]
async fn while_new_sessions_are_paused_a_mention_is_refused_and_what_runs_goes_on() {
    let (on_redis, on_embedded) = (paused(On::Redis).await, paused(On::Embedded).await);
    assert_eq!(on_redis, on_embedded);
    assert_snapshot!(on_redis, @"
    grace: <@U0BOBBIN> tidy up the search [no_entry_sign]
    bobbin: :double_vertical_bar: New sessions are paused by an operator of Bobbin: _the quota is &lt;used&gt; up_. I started nothing; what runs goes on and still takes replies. Ask again once they are resumed; until then `/devin list` says that they are paused.
    ");
}

/// What a thread shows in which a session was asked for while they were paused.
async fn paused(on: On) -> String {
    let mut world = World::on(on).await;
    let running = world.mention(ADA, "fix the login test").await;
    world.bobbin.oversight.pause(&operator(), None, "the quota is <used> up").await.unwrap();

    let refused = world.mention(GRACE, "tidy up the search").await;
    let shown = world.thread(&refused);
    // Without a session it is in no list, and found by a message's link all the same.
    let domain = world.slack.read(|state| state.team.domain.clone());
    let message = refused.as_str().replace('.', "");
    let link = format!("https://{domain}.slack.com/archives/{BACKEND}/p{message}");
    let search: String = url::form_urlencoded::byte_serialize(link.as_bytes()).collect();
    let found = Desk::default().shown(&world.bobbin, &format!("/console/sessions?q={search}")).await;
    assert_eq!(found.location, Some(format!("/console/threads/{TEAM}/{BACKEND}/{refused}")), "{}", found.text);
    world.reply(ADA, &running, "use the main branch").await;
    world.devin_becomes("running", Some("waiting_for_user")).await;
    let thread = world.thread(&running);
    assert!(thread.contains("Waiting for your answer") || thread.contains("waiting"), "{thread}");
    assert_eq!(world.devin.sessions().len(), 1);
    assert_eq!(
        world.session().messages.iter().filter(|m| m.message.contains("use the main branch")).count(),
        1,
        "the reply was passed on"
    );

    world.bobbin.oversight.resume(&operator(), None).await.unwrap();
    let again = world.mention(GRACE, "tidy up the search").await;
    assert_eq!(world.devin.sessions().len(), 2);
    world.thread(&again);
    shown
}

#[tokio::test]
async fn only_the_paused_workspace_is_refused_and_strangers_learn_nothing() {
    let mut world = World::on(On::Embedded).await;
    let other = id("T0OTHER");
    world.bobbin.oversight.pause(&operator(), Some(&other), "").await.unwrap();
    let root = world.mention(ADA, "fix it").await;
    assert_eq!(world.devin.sessions().len(), 1);
    world.thread(&root);
    world.bobbin.oversight.pause(&operator(), Some(&id(TEAM)), "maintenance").await.unwrap();
    let unlinked = world.mention(LINUS, "fix it").await;
    let thread = world.thread(&unlinked);
    assert!(thread.contains("(only linus sees)") && !thread.contains("maintenance"), "{thread}");
    assert_eq!(world.devin.sessions().len(), 1);
}

#[tokio::test]
async fn commands_forms_second_sessions_and_the_home_tab_say_it_too() {
    let mut world = World::on(On::Embedded).await;
    world.lenient();
    let root = world.mention(ADA, "fix the login test").await;
    world.bobbin.oversight.pause(&operator(), None, "maintenance until noon").await.unwrap();
    let before = world.thread_roots().len();

    world.slack.command(&id(ADA), &id(BACKEND), "/devin", "new fix the logout test").unwrap();
    world.settle().await;
    let answer = world.whispers(ADA).pop().unwrap();
    assert!(answer.contains("maintenance until noon") && answer.contains("I started nothing"), "{answer}");

    world.slack.command(&id(ADA), &id(BACKEND), "/devin", "list").unwrap();
    world.settle().await;
    let list = world.whispers(ADA).pop().unwrap();
    assert!(list.contains("fix the login test") && list.contains("New sessions are paused"), "{list}");

    world.slack.command(&id(ADA), &id(BACKEND), "/devin", "new").unwrap();
    world.settle().await;
    let form = world.modal(ADA);
    assert!(form.contains("New sessions are paused") && !form.contains("Playbook"), "{form}");

    world.reply(ADA, &root, "!new fix the logout test").await;
    world.reply(ADA, &root, "<@U0BOBBIN> status").await;
    let thread = world.thread(&root);
    assert!(thread.contains("Runs as *Ada Lovelace*\n\n:double_vertical_bar: New sessions are paused"), "{thread}");
    assert!(thread.contains("what runs goes on and still takes replies. Ask again"), "{thread}");

    world.slack.open_home(&id(ADA), "home").unwrap();
    world.settle().await;
    assert!(world.home(ADA).contains("maintenance until noon"), "{}", world.home(ADA));
    assert_eq!(world.devin.sessions().len(), 1);
    assert_eq!(world.thread_roots().len(), before, "no thread was opened");
}

#[tokio::test]
async fn a_refusal_is_final_wherever_the_process_dies() {
    // The switch is turned back before the dead process's work is taken up again: no session starts behind a refusal.
    for boundary in 1..40 {
        let mut world = World::on(On::Embedded).await;
        world.lenient();
        world.bobbin.oversight.pause(&operator(), None, "").await.unwrap();
        world.life.die_after(boundary);
        let root = world.say(ADA, BACKEND, "<@U0BOBBIN> fix it");
        world.settle().await;
        if !world.life.is_dead() {
            return;
        }
        world.restart();
        world.bobbin.oversight.resume(&operator(), None).await.unwrap();
        world.settle().await;
        let thread = world.thread(&root);
        let refusals = thread.matches("New sessions are paused").count();
        let sessions = world.devin.sessions().len();
        assert!(refusals + sessions == 1, "at {boundary}: {refusals} refusals, {sessions} sessions: {thread}");
    }
    panic!("the process dies at every boundary");
}
