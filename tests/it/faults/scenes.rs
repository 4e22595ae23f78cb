//! One scene for each kind of input: what goes before, what happens, and what shows afterwards what it came to.

use std::{pin::Pin, time::Duration};

use bobbin::{
    clock::Clock as _,
    domain::ids::Ts,
    twin::{
        FaultAction,
        slack::{NewFile, SayOptions, UserKind},
        world::{ADA, BACKEND, BOT_USER, DEVIN_KEY, GENERAL, GRACE, LINUS},
    },
    work::Stepped,
};

use crate::support::world::{World, id};

/// Something that happens in a world.
pub(crate) type Act = for<'a> fn(&'a mut World) -> Happening<'a>;
/// It happening.
type Happening<'a> = Pin<Box<dyn Future<Output = ()> + Send + 'a>>;

/// A scene.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scene {
    /// Its name in failures.
    pub(crate) name: &'static str,
    /// What went before.
    pub(crate) before: Act,
    /// The input, with everything that follows from it.
    pub(crate) act: Act,
    /// What shows, when all is over, what the input came to.
    pub(crate) sequel: Act,
    /// Slack sends commands and shortcuts once: a person who sees them fail uses them again.
    pub(crate) by_hand: bool,
}

impl Scene {
    const fn new(name: &'static str, before: Act, act: Act) -> Self {
        Self { name, before, act, sequel: nothing, by_hand: false }
    }
}

/// Every kind of input, and the ways in which it can go.
pub(crate) const SCENES: [Scene; 36] = [
    Scene::new("mention", nothing, mention),
    Scene::new("mention in a thread", talk, mention_in_thread),
    Scene::new("mention with a file", nothing, mention_with_file),
    Scene::new("mention without a task", nothing, mention_without_task),
    Scene::new("mention with options", nothing, mention_with_options),
    Scene::new("direct message", nothing, direct),
    Scene { by_hand: true, ..Scene::new("shortcut", talk, shortcut) },
    Scene { by_hand: true, ..Scene::new("shortcut where we are not", talk_elsewhere, shortcut_elsewhere) },
    Scene { by_hand: true, ..Scene::new("command", nothing, command) },
    Scene::new("refusal", nothing, refused),
    Scene::new("silent refusal", nothing, refused_silently),
    Scene::new("request that Devin refuses", forbidden, mention),
    Scene::new("reply", mention, reply),
    Scene::new("sleep", mention, sleep),
    Scene::new("reply with a file", mention, reply_with_file),
    Scene::new("reply to what is over", ended, reply),
    Scene { sequel: reply, ..Scene::new("profile change", mention, profile) },
    Scene::new("change", mention, change),
    Scene::new("words and files", mention, words_and_files),
    Scene::new("wake", mention, wake),
    Scene::new("session missing", mention, missing),
    Scene::new("news stopped", working, news_stopped),
    Scene::new("burst", mention, burst),
    Scene::new("long reply", mention, long_reply),
    Scene::new("edit of what was sent", answered, edit),
    Scene::new("deletion of what was sent", answered, deletion),
    Scene { by_hand: true, ..Scene::new("command with a task", nothing, command_with_task) },
    Scene { by_hand: true, ..Scene::new("form that is sent", filled_form, sent_form) },
    Scene { by_hand: true, ..Scene::new("message that is handed over", chosen, sent_form) },
    Scene { by_hand: true, ..Scene::new("stop", asked_to_stop, pressed_stop) },
    Scene { by_hand: true, ..Scene::new("separation", asked_to_separate, pressed_separate) },
    Scene { by_hand: true, ..Scene::new("approval", undecided, approval) },
    Scene::new("result", mention, result),
    Scene::new("second session", answered, second_session),
    Scene::new("Home tab", nothing, home_tab),
    Scene::new("conversation with us", nothing, conversation),
];

/// The form that starts a session is opened. In a scene of its own: where the process dies over it, its trigger has run
/// out before anybody can go on, and the person is told so.
pub(crate) const FORM: Scene = Scene { by_hand: true, ..Scene::new("form", nothing, form) };

/// A post that Slack puts beside its thread, and that is taken back. In a scene of its own, because a process that dies
/// there would post for real.
pub(crate) const ASTRAY: Scene = Scene::new("post that goes astray", astray, mention);

/// A session that Devin made after we had given its creation up, and that the later look ends.
pub(crate) const LATE_DOUBLE: Scene = Scene::new("late double", late_double, minutes_later);

/// Time passes in which a lost attempt is looked for, a dead process's leases run out, and the watch looks.
pub(crate) async fn afterwards(world: &mut World) {
    for _ in 0..4 {
        world.clock.advance(Duration::from_secs(61));
        for faults in [world.slack.faults(), world.devin.faults()] {
            faults.process_late(world.clock.now()).await;
        }
        world.tick().await;
        world.settle().await;
    }
}

/// The first message of `#backend`.
pub(crate) fn root_of(world: &World) -> Ts {
    root_in(world, BACKEND)
}

fn root_in(world: &World, channel: &str) -> Ts {
    world.slack.read(|state| state.channels[&id(channel)].messages[0].ts.clone())
}

pub(crate) fn nothing(_world: &mut World) -> Happening<'_> {
    Box::pin(async {})
}

fn astray(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        let elsewhere = r#"{"ok":true,"ts":"1.000001","message":{}}"#.to_owned();
        world.slack.faults().once("chat.postMessage", FaultAction::Answer(elsewhere));
    })
}

pub(crate) fn mention(world: &mut World) -> Happening<'_> {
    Box::pin(async move { drop(world.mention(ADA, "fix the login test").await) })
}

fn talk(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.say(GRACE, BACKEND, "The login test fails again");
        world.settle().await;
    })
}

fn mention_in_thread(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        let root = root_of(world);
        world.reply(ADA, &root, &format!("<@{BOT_USER}> please fix this")).await;
    })
}

fn file() -> NewFile {
    NewFile { name: "trace.log".to_owned(), mimetype: "text/plain".to_owned(), bytes: b"it fails here".to_vec() }
}

fn mention_with_file(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        let options = SayOptions { files: vec![file()], ..SayOptions::default() };
        world.slack.say(&id(ADA), &id(BACKEND), &format!("<@{BOT_USER}> see the log"), options).unwrap();
        world.settle().await;
    })
}

fn mention_with_options(world: &mut World) -> Happening<'_> {
    Box::pin(async move { drop(world.mention(ADA, "look at this !fast playbook=review secret=NPM_TOKEN").await) })
}

fn mention_without_task(world: &mut World) -> Happening<'_> {
    Box::pin(async move { drop(world.mention(ADA, "").await) })
}

fn direct(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        let channel = world.slack.direct(&id(GRACE)).unwrap().to_string();
        world.say(GRACE, &channel, "why did the nightly build get slower?");
        world.settle().await;
    })
}

fn shortcut(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        let root = root_of(world);
        world.slack.message_shortcut(&id(ADA), &id(BACKEND), &root, "start_here").unwrap();
        world.settle().await;
    })
}

fn talk_elsewhere(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.say(GRACE, GENERAL, "The login test fails again");
        world.settle().await;
    })
}

fn shortcut_elsewhere(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        let root = root_in(world, GENERAL);
        world.slack.message_shortcut(&id(ADA), &id(GENERAL), &root, "start_here").unwrap();
        world.settle().await;
    })
}

fn command(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.slack.command(&id(ADA), &id(BACKEND), "/devin", "help").unwrap();
        world.settle().await;
    })
}

/// Whoever got no answer looks first whether it went through all the same, and does it again only where it did not.
fn command_with_task(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.settle().await;
        if !world.devin.sessions().is_empty() {
            return;
        }
        world.slack.command(&id(ADA), &id(BACKEND), "/devin", "new fix the login test").unwrap();
        world.settle().await;
    })
}

fn form(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.slack.shortcut(&id(ADA), "start_devin").unwrap();
        world.settle().await;
    })
}

fn filled_form(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        form(world).await;
        world.fill(ADA, &[("task", "fix the login test"), ("channel", BACKEND)]);
        world.settle().await;
    })
}

/// A form that got no answer stays open, and is sent again.
fn sent_form(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.settle().await;
        if !world.modal(ADA).is_empty() {
            world.submit(ADA).await;
        }
    })
}

/// A message of a thread without a session, and a session of whoever hands it over.
fn chosen(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        let root = world.mention(ADA, "fix the login test").await;
        let talk = world.say(GRACE, BACKEND, "It fails on the new runner, too");
        world.settle().await;
        world.slack.message_shortcut(&id(ADA), &id(BACKEND), &talk, "send_to_session").unwrap();
        world.settle().await;
        let tag = format!("bobbin-thread:T0ACME/{BACKEND}/{root}");
        world.fill(ADA, &[("session", &tag)]);
    })
}

fn asked_to_stop(world: &mut World) -> Happening<'_> {
    Box::pin(async move { asked(world, "stop").await })
}

/// Whoever got no answer looks first whether it went through all the same, here and below.
fn pressed_stop(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.settle().await;
        if world.session().status.as_str() != "exit" {
            world.press_private(ADA, "stop").await;
        }
    })
}

fn asked_to_separate(world: &mut World) -> Happening<'_> {
    Box::pin(async move { asked(world, "detach").await })
}

fn pressed_separate(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.settle().await;
        if !world.thread(&root_of(world)).contains("separated this thread") {
            world.press_private(ADA, "detach").await;
        }
    })
}

/// An order that is not carried out before it was asked about.
async fn asked(world: &mut World, order: &str) {
    mention(world).await;
    let root = root_of(world);
    world.reply(ADA, &root, order).await;
}

fn undecided(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        mention(world).await;
        world.devin_becomes("running", Some("waiting_for_approval")).await;
    })
}

fn approval(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.settle().await;
        if world.session().messages.len() == 1 {
            let post = world.posts("bobbin_transition").pop().unwrap();
            world.press(ADA, &post.ts, "approve").await;
        }
    })
}

/// A result as a table and as a file, and the session's end.
fn result(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        let output = serde_json::json!({"files": [{"name": "a.rs", "tests": 3}, {"name": "b.rs", "tests": 0}]});
        world.devin.change(|state| state.sessions[0].structured_output = Some(output));
        world.devin_becomes("running", Some("finished")).await;
    })
}

fn second_session(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        let root = root_of(world);
        world.reply(ADA, &root, &format!("<@{BOT_USER}> !new look at the search as well")).await;
    })
}

fn home_tab(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.slack.open_home(&id(ADA), "home").unwrap();
        world.settle().await;
    })
}

fn conversation(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.slack.open_home(&id(ADA), "messages").unwrap();
        world.settle().await;
    })
}

fn refused(world: &mut World) -> Happening<'_> {
    Box::pin(async move { drop(world.mention(LINUS, "fix the login test").await) })
}

/// Somebody who is gone by the time their mention is handled is answered nothing.
fn refused_silently(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.say(ADA, BACKEND, &format!("<@{BOT_USER}> fix the login test"));
        world.slack.change(|state| state.users.get_mut(&id(ADA)).unwrap().deleted = true);
        world.settle().await;
    })
}

fn forbidden(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        let permission = "ImpersonateOrgSessions";
        world.devin.change(|state| state.keys.get_mut(DEVIN_KEY).unwrap().permissions.remove(permission));
    })
}

pub(crate) fn reply(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        let root = root_of(world);
        world.reply(ADA, &root, "use the main branch").await;
    })
}

/// An order in a thread: the session is put away, and taken out again once it sleeps.
fn sleep(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        let root = root_of(world);
        world.reply(ADA, &root, "sleep").await;
    })
}

fn reply_with_file(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        let options = SayOptions { thread: Some(root_of(world)), files: vec![file()], ..SayOptions::default() };
        world.slack.say(&id(ADA), &id(BACKEND), "here is the log", options).unwrap();
        world.settle().await;
    })
}

/// Short messages of two people and a long one, all at once.
fn burst(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        let root = root_of(world);
        world.say_in(ADA, BACKEND, Some(&root), "use the main branch");
        world.say_in(ADA, BACKEND, Some(&root), "and hurry");
        world.say_in(GRACE, BACKEND, Some(&root), &format!("it fails like this: {}", "no. ".repeat(200)));
        world.say_in(GRACE, BACKEND, Some(&root), "please");
        world.settle().await;
    })
}

/// A message that waits for no other.
fn long_reply(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        let root = root_of(world);
        world.reply(ADA, &root, &format!("use the main branch, because {}", "it is deployed. ".repeat(50))).await;
    })
}

fn answered(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        mention(world).await;
        reply(world).await;
    })
}

/// The last message of a person in `#backend`.
fn last_said(world: &World) -> Ts {
    world.slack.read(|state| {
        let messages = &state.channels[&id(BACKEND)].messages;
        messages.iter().rfind(|message| message.user == id(ADA)).unwrap().ts.clone()
    })
}

fn edit(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.slack.edit(&id(ADA), &id(BACKEND), &last_said(world), "use the release branch").unwrap();
        world.settle().await;
    })
}

fn deletion(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.slack.delete(&id(ADA), &id(BACKEND), &last_said(world)).unwrap();
        world.settle().await;
    })
}

fn ended(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.mention(ADA, "fix the login test").await;
        world.devin_becomes("exit", None).await;
    })
}

fn profile(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.slack.change_user(&id(ADA), |ada| ada.kind = UserKind::Guest).unwrap();
        world.settle().await;
    })
}

/// Devin's words, a pull request and a call for attention, all in one look.
pub(crate) fn change(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.devin.say(&world.session_id(), "Which branch?").unwrap();
        world.devin.open_pr(&world.session_id()).unwrap();
        world.devin_becomes("running", Some("waiting_for_user")).await;
    })
}

/// A message that is too long for posts, and a file.
fn words_and_files(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        let session = world.session_id();
        world.devin.say(&session, &"word ".repeat(4_000)).unwrap();
        world.devin.attach(&session, "report.txt", "text/plain", b"all good").unwrap();
        world.look().await;
    })
}

/// The watch looks and what it saw is handled, without any time passing.
pub(crate) async fn look_now(world: &mut World) {
    world.bobbin.watch.hurry().await;
    world.tick().await;
    while matches!(world.bobbin.worker.step().await, Ok(Stepped::Handled)) {}
}

/// Devin's words are listed later than the change that they belong to, and nothing but the second look finds them.
fn wake(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.devin.change(|state| state.messages_move_updated_at = false);
        world.set("running", Some("working"));
        look_now(world).await;
        world.devin.say(&world.session_id(), "Still reading the code.").unwrap();
        world.settle().await;
    })
}

fn missing(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.devin.change(|state| state.sessions.clear());
        world.look().await;
        world.clock.advance(Duration::from_mins(11));
        world.tick().await;
        world.settle().await;
    })
}

fn working(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.mention(ADA, "fix the login test").await;
        world.devin_becomes("running", Some("working")).await;
    })
}

fn news_stopped(world: &mut World) -> Happening<'_> {
    Box::pin(async move {
        world.devin.faults().unreachable();
        for _ in 0..20 {
            world.clock.advance(Duration::from_secs(10));
            world.tick().await;
        }
        world.settle().await;
        let unreachable = |fault: &bobbin::twin::Fault| fault.action == FaultAction::DropBefore;
        assert!(world.devin.faults().waiting().iter().any(unreachable));
        world.devin.faults().clear();
    })
}

fn late_double(world: &mut World) -> Happening<'_> {
    Box::pin(async {
        world.devin.faults().once("sessions.create", FaultAction::DropBefore);
        mention(world).await;
        world.devin.change(|state| {
            let mut late = state.sessions[0].clone();
            late.id = "0000late0000".parse().unwrap();
            state.sessions.push(late);
        });
    })
}

fn minutes_later(world: &mut World) -> Happening<'_> {
    Box::pin(async {
        world.clock.advance(Duration::from_mins(10));
        world.settle().await;
    })
}
