//! A process killed after every event, for every kind of input: the world ends the same each time.
//!
//! With the journal forgotten (`faults/controls.rs`) it does not.

use bobbin::{
    domain::outbox::BETWEEN,
    twin::{
        devin::Source,
        world::{ADA, BACKEND},
    },
};
use futures_util::{StreamExt as _, stream};

use crate::{
    faults::{Picture, SCENES, Scene, afterwards, doubles, whispers},
    support::{
        chance::Chance,
        world::{Making, On, World, id},
    },
};

/// Worlds that live at once: while one waits for its store, another goes on.
const AT_ONCE: usize = 4;

/// More events than any scene has; reaching it means that a handler never ended.
const MAX_EVENTS: usize = 80;

/// Said when an input was tried several times: after two deaths that may be so, although Devin was there all the time.
const REACHED_AGAIN: &str = "+ bobbin: :white_check_mark: Devin can be reached again; your request went through.";

/// Chooses the second deaths, where not all of them are tried.
const SEED: u64 = 3;

/// A scene as it goes when nothing fails.
#[derive(Debug)]
struct Undisturbed {
    events: Vec<String>,
    picture: Picture,
}

/// What a scene with deaths in it came to.
struct Survived {
    differences: Vec<String>,
    /// The events between the last death and rest.
    recovery: Vec<String>,
}

fn scene(name: &str) -> Scene {
    SCENES.into_iter().find(|scene| scene.name == name).unwrap()
}

async fn undisturbed(scene: Scene, making: Making) -> Undisturbed {
    let mut world = World::made(making).await;
    world.lenient();
    (scene.before)(&mut world).await;
    world.life.live_on();
    (scene.act)(&mut world).await;
    let events = world.life.met();
    assert!(events.len() < MAX_EVENTS, "{}: {events:#?}", scene.name);
    afterwards(&mut world).await;
    (scene.sequel)(&mut world).await;
    Undisturbed { events, picture: Picture::of(&mut world).await }
}

/// Plays a scene, dying after so many events, and again after so many of the recovery, and so on.
async fn killed(scene: Scene, making: Making, whole: &Undisturbed, deaths: &[usize]) -> Survived {
    let mut world = World::made(making).await;
    world.lenient();
    (scene.before)(&mut world).await;
    let asked = whispers(&world);
    let mut by_hand = 0;
    for (index, death) in deaths.iter().enumerate() {
        if index == 0 {
            world.life.die_after(*death);
            (scene.act)(&mut world).await;
            let unacknowledged = world.life.met().last().is_none_or(|event| event == "accept");
            by_hand = usize::from(scene.by_hand && unacknowledged);
        } else {
            world.restart();
            world.life.die_after(*death);
            world.settle().await;
        }
        assert!(world.life.is_dead(), "{}: the death after {deaths:?} events did not come", scene.name);
    }
    world.restart();
    for _ in 0..by_hand {
        (scene.act)(&mut world).await;
    }
    world.settle().await;
    let recovery = world.life.met();
    afterwards(&mut world).await;
    (scene.sequel)(&mut world).await;
    let mut differences = whole.picture.differences(&Picture::of(&mut world).await, by_hand, &asked);
    differences.extend(doubles(&world));
    differences.retain(|line| deaths.len() < 2 || line != REACHED_AGAIN);
    Survived { differences, recovery }
}

/// What goes wrong when a scene is killed once, anywhere.
pub(crate) async fn wrong_when_killed(name: &str, making: Making) -> Vec<String> {
    let scene = scene(name);
    let whole = undisturbed(scene, making).await;
    let mut wrong = Vec::new();
    for death in 0..=whole.events.len() {
        wrong.extend(killed(scene, making, &whole, &[death]).await.differences);
    }
    wrong
}

/// Plays a scene with each of these lists of deaths; fails where the world ends differently. The events of each recovery.
async fn all_killed(scene: Scene, making: Making, whole: &Undisturbed, plans: Vec<Vec<usize>>) -> Vec<Vec<String>> {
    let one = async |plan: Vec<usize>| (killed(scene, making, whole, &plan).await, plan);
    let ended: Vec<(Survived, Vec<usize>)> = stream::iter(plans).map(one).buffered(AT_ONCE).collect().await;
    let wrong = ended.iter().filter(|(survived, _)| !survived.differences.is_empty());
    let wrong: Vec<String> = wrong
        .map(|(survived, plan)| {
            let last = plan.first().and_then(|n| whole.events.get(n.checked_sub(1)?));
            format!("{}, killed after {plan:?} events, the first {last:?}: {:#?}", scene.name, survived.differences)
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    ended.into_iter().map(|(survived, _)| survived.recovery).collect()
}

/// Kills once: before anything, and after each event.
async fn killed_anywhere(name: &str, on: On) {
    let (scene, making) = (scene(name), Making::on(on));
    let whole = undisturbed(scene, making).await;
    let plans = (0..=whole.events.len()).map(|death| vec![death]).collect();
    all_killed(scene, making, &whole, plans).await;
}

/// Kills at the door: before the input arrives, and right after it was stored. Whoever sent it got no answer.
async fn killed_at_the_door(name: &str, on: On) {
    let (scene, making) = (scene(name), Making::on(on));
    let whole = undisturbed(scene, making).await;
    let stored = whole.events.iter().position(|event| event == "accept").unwrap();
    all_killed(scene, making, &whole, vec![vec![0], vec![stored + 1]]).await;
}

/// Kills a second time during the recovery from the first death: after each event of it, or after a few that a seed
/// chooses for each first death.
async fn killed_twice(name: &str, sample: Option<usize>) {
    let (scene, making) = (scene(name), Making::on(On::Embedded));
    let whole = undisturbed(scene, making).await;
    let firsts: Vec<usize> = (1..=whole.events.len()).collect();
    let plans = firsts.iter().map(|first| vec![*first]).collect();
    let recoveries = all_killed(scene, making, &whole, plans).await;
    let mut chance = Chance::new(SEED);
    let mut plans = Vec::new();
    for (first, recovery) in firsts.into_iter().zip(recoveries) {
        let seconds: Vec<usize> = match sample {
            None => (1..=recovery.len()).collect(),
            Some(few) => (0..few).filter(|_| !recovery.is_empty()).map(|_| 1 + chance.below(recovery.len())).collect(),
        };
        plans.extend(seconds.into_iter().map(|second| vec![first, second]));
    }
    all_killed(scene, making, &whole, plans).await;
}

#[test]
fn every_scene_is_killed() {
    let source = include_str!("crashes.rs");
    for scene in SCENES {
        let played = format!("killed_anywhere(\"{}\"", scene.name);
        assert!(source.contains(&played), "no test kills {:?}", scene.name);
    }
}

#[tokio::test]
async fn f01_what_was_stored_or_not_when_the_door_died_is_handled_once() {
    for name in ["mention", "direct message", "reply", "shortcut", "command", "profile change"] {
        killed_at_the_door(name, On::Embedded).await;
    }
    killed_at_the_door("mention", On::Redis).await;
}

#[tokio::test]
async fn f02_a_mention_killed_anywhere_ends_in_one_session_one_card_one_receipt() {
    killed_anywhere("mention", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_mention_in_a_thread_killed_anywhere_is_handled_once() {
    killed_anywhere("mention in a thread", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_mention_with_options_killed_anywhere_is_handled_once() {
    killed_anywhere("mention with options", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_session_put_to_sleep_killed_anywhere_is_put_to_sleep_once() {
    killed_anywhere("sleep", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_mention_with_a_file_killed_anywhere_is_handled_once() {
    killed_anywhere("mention with a file", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_mention_without_a_task_killed_anywhere_is_answered_once() {
    killed_anywhere("mention without a task", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_direct_message_killed_anywhere_is_handled_once() {
    killed_anywhere("direct message", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_shortcut_killed_anywhere_is_handled_once() {
    killed_anywhere("shortcut", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_shortcut_where_we_are_not_killed_anywhere_is_answered_at_most_once() {
    killed_anywhere("shortcut where we are not", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_command_killed_anywhere_is_answered_at_most_once() {
    killed_anywhere("command", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_refusal_killed_anywhere_leaves_its_sign_and_starts_nothing() {
    killed_anywhere("refusal", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_silent_refusal_killed_anywhere_stays_silent() {
    killed_anywhere("silent refusal", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_request_that_devin_refuses_killed_anywhere_is_told_and_set_aside_once() {
    killed_anywhere("request that Devin refuses", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_reply_killed_anywhere_is_sent_once() {
    killed_anywhere("reply", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_reply_with_a_file_killed_anywhere_is_sent_once() {
    killed_anywhere("reply with a file", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_reply_to_what_is_over_killed_anywhere_is_answered_once() {
    killed_anywhere("reply to what is over", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_profile_change_killed_anywhere_is_heard() {
    killed_anywhere("profile change", On::Embedded).await;
}

#[tokio::test]
async fn f04_a_change_killed_anywhere_is_told_once_and_in_order() {
    killed_anywhere("change", On::Embedded).await;
}

#[tokio::test]
async fn f04_words_and_files_killed_anywhere_arrive_once() {
    killed_anywhere("words and files", On::Embedded).await;
}

#[tokio::test]
async fn f04_a_second_look_killed_anywhere_tells_once() {
    killed_anywhere("wake", On::Embedded).await;
}

#[tokio::test]
async fn f04_a_vanished_session_killed_anywhere_is_told_once() {
    killed_anywhere("session missing", On::Embedded).await;
}

#[tokio::test]
async fn f04_a_silence_killed_anywhere_ends_with_the_card_as_it_was() {
    killed_anywhere("news stopped", On::Embedded).await;
}

#[tokio::test]
async fn f02_short_and_long_messages_at_once_killed_anywhere_are_sent_once_and_in_order() {
    killed_anywhere("burst", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_reply_that_waits_for_no_other_killed_anywhere_is_sent_once() {
    killed_anywhere("long reply", On::Embedded).await;
}

/// Not a scene, because it may end in two ways: a death takes time, in which a message goes as it was, and then its edit is
/// a correction.
#[tokio::test]
async fn f02_an_edit_and_a_deletion_of_what_waits_killed_anywhere_reach_devin_once() {
    let as_it_was = ["use the mian branch", "or another one"].join(BETWEEN);
    let alone = "use the mian branch".to_owned();
    let corrected = "Correction of my earlier message (“use the mian branch”): use the main branch".to_owned();
    let ends = [
        vec!["use the main branch".to_owned()],
        vec![as_it_was, corrected.clone()],
        vec![alone.clone(), "or another one".to_owned(), corrected.clone()],
        vec![alone, corrected],
    ];
    for on in [On::Embedded, On::Redis] {
        let (mut deaths, mut end) = (0, (false, Vec::new()));
        while !end.0 {
            end = edited_in_time_and_killed(on, deaths).await;
            assert!(ends.contains(&end.1), "{on:?}, killed after {deaths} events: {:?}", end.1);
            deaths += 1;
        }
        assert!(deaths > 11 && end.1 == ends[0], "{on:?}: {:?}", end.1);
    }
}

/// Two messages, an edit of one and the deletion of the other are stored, and whoever handles them dies after so many
/// events. Whether nobody died, and what Devin was told in the end.
async fn edited_in_time_and_killed(on: On, death: usize) -> (bool, Vec<String>) {
    let mut world = World::on(on).await;
    world.lenient();
    let root = world.mention(ADA, "fix the login test").await;
    let first = world.say_in(ADA, BACKEND, Some(&root), "use the mian branch");
    let second = world.say_in(ADA, BACKEND, Some(&root), "or another one");
    world.slack.edit(&id(ADA), &id(BACKEND), &first, "use the main branch").unwrap();
    world.slack.delete(&id(ADA), &id(BACKEND), &second).unwrap();
    world.deliver_due().await;
    world.life.die_after(death);
    world.settle().await;
    let survived = !world.life.is_dead();
    world.restart();
    world.settle().await;
    afterwards(&mut world).await;
    assert_eq!(doubles(&world), Vec::<String>::new());
    let session = world.session();
    let said = session.messages.into_iter().filter(|m| m.source == Source::User).skip(1);
    (survived, said.map(|m| m.message).collect())
}

#[tokio::test]
async fn f02_an_edit_of_what_was_sent_killed_anywhere_is_one_correction() {
    killed_anywhere("edit of what was sent", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_deletion_killed_anywhere_is_answered_at_most_once() {
    killed_anywhere("deletion of what was sent", On::Embedded).await;
}

#[tokio::test]
async fn f02_short_and_long_messages_at_once_killed_anywhere_are_sent_once_on_redis() {
    killed_anywhere("burst", On::Redis).await;
}

#[tokio::test]
async fn f03_short_and_long_messages_at_once_killed_twice_are_sent_once() {
    killed_twice("burst", Some(2)).await;
}

#[tokio::test]
async fn f02_a_mention_killed_anywhere_is_handled_once_on_redis() {
    killed_anywhere("mention", On::Redis).await;
}

#[tokio::test]
async fn f02_a_reply_killed_anywhere_is_sent_once_on_redis() {
    killed_anywhere("reply", On::Redis).await;
}

#[tokio::test]
async fn f03_a_mention_killed_again_anywhere_in_its_recovery_is_handled_once() {
    killed_twice("mention", None).await;
}

#[tokio::test]
async fn f03_a_reply_killed_twice_is_sent_once() {
    killed_twice("reply", Some(2)).await;
}

#[tokio::test]
async fn f03_a_change_killed_twice_is_told_once() {
    killed_twice("change", Some(2)).await;
}

#[tokio::test]
async fn f03_a_reply_with_a_file_killed_twice_is_sent_once() {
    killed_twice("reply with a file", Some(2)).await;
}

#[tokio::test]
async fn f03_a_refusal_killed_twice_leaves_its_sign() {
    killed_twice("refusal", Some(2)).await;
}

#[tokio::test]
async fn f03_a_request_that_devin_refuses_killed_twice_is_told_once() {
    killed_twice("request that Devin refuses", Some(2)).await;
}

#[tokio::test]
async fn f02_a_command_with_a_task_killed_anywhere_opens_one_thread_with_one_session() {
    killed_anywhere("command with a task", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_form_that_is_sent_killed_anywhere_opens_one_thread_with_one_session() {
    killed_anywhere("form that is sent", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_message_that_is_handed_over_killed_anywhere_is_there_once() {
    killed_anywhere("message that is handed over", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_home_tab_killed_anywhere_is_published() {
    killed_anywhere("Home tab", On::Embedded).await;
    killed_anywhere("conversation with us", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_stop_killed_anywhere_ends_the_session_once() {
    killed_anywhere("stop", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_separation_killed_anywhere_is_told_once() {
    killed_anywhere("separation", On::Embedded).await;
}

#[tokio::test]
async fn f02_an_approval_killed_anywhere_is_sent_once() {
    killed_anywhere("approval", On::Embedded).await;
}

#[tokio::test]
async fn f02_a_second_session_killed_anywhere_is_started_once() {
    killed_anywhere("second session", On::Embedded).await;
}

#[tokio::test]
async fn f04_a_result_killed_anywhere_arrives_once_as_a_table_and_as_a_file() {
    killed_anywhere("result", On::Embedded).await;
}
