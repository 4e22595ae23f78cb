//! Words that people say about a thread or themselves.

use bobbin::twin::world::{ADA, BACKEND, BOT_USER, GRACE, GRACE_AT_DEVIN, LINUS};
use insta::assert_snapshot;

use crate::support::world::World;

/// A world in which Ada has a session; its thread's first message.
async fn working() -> (World, bobbin::domain::ids::Ts) {
    let mut world = World::new().await;
    world.lenient();
    let root = world.mention(ADA, "fix the login test").await;
    world.devin_becomes("running", Some("working")).await;
    (world, root)
}

#[tokio::test]
async fn the_status_is_looked_up_and_told_to_whoever_asks_alone() {
    let (mut world, root) = working().await;
    let url = world.devin.open_pr(&world.session_id()).unwrap();
    assert!(url.contains("/pull/"));
    world.devin.use_acus(&world.session_id(), 1.5).unwrap();
    world.reply(GRACE, &root, "status").await;
    let said = world.private(GRACE);
    assert!(said.starts_with("<https://app.devin.ai/sessions/SESSION|fix the login test>\n:gear: Working"), "{said}");
    assert!(said.contains("Runs as *Ada Lovelace* · 1.5 ACUs") && said.contains("/pull/"), "{said}");
    assert_eq!(world.session().messages.len(), 1, "an order is no message");
    assert!(!world.thread(&root).contains("status [eyes]"), "and gets no receipt of one");
}

#[tokio::test]
async fn a_word_is_an_order_alone_or_with_a_mention_and_in_any_sentence_a_message() {
    let (mut world, root) = working().await;
    world.reply(ADA, &root, &format!("<@{BOT_USER}> Status?")).await;
    assert!(world.private(ADA).contains("Working"));
    world.clear_private();
    for text in ["please stop the tests", "what is the status of the build", "`stop`"] {
        world.reply(ADA, &root, text).await;
    }
    assert_eq!(world.private(ADA), "");
    world.look().await;
    let session = world.session();
    assert!(session.messages.iter().any(|m| m.message.contains("please stop the tests")), "{session:#?}");
    assert_eq!(session.status.as_str(), "running");
}

#[tokio::test]
async fn stopping_is_asked_about_first_and_then_done_once() {
    let (mut world, root) = working().await;
    world.reply(ADA, &root, "stop").await;
    assert_snapshot!(world.private(ADA), @"
    :octagonal_sign: *End this session for good?* _fix the login test_ · :gear: Working
    It cannot be woken afterwards: its machine is gone, and with it everything that Devin has not pushed. If it shall only rest, put it to sleep: any message wakes it.
    ");
    assert_eq!(world.session().status.as_str(), "running", "asked, not done");

    world.press_private(ADA, "keep").await;
    assert_eq!(world.private(ADA), ":ok_hand: Everything stays as it is.");
    world.reply(ADA, &root, "stop").await;
    world.press_private(ADA, "stop").await;
    assert_eq!(world.session().status.as_str(), "exit");
    assert_eq!(world.private(ADA), ":octagonal_sign: You ended the session.");
    assert!(world.thread(&root).contains("The session has ended."), "{}", world.thread(&root));

    world.reply(ADA, &root, "stop").await;
    assert!(world.private(ADA).contains("has ended already"), "{}", world.private(ADA));
    assert_eq!(world.devin.calls("sessions.terminate"), 1);
}

#[tokio::test]
async fn sleeping_stops_the_work_and_the_next_message_wakes() {
    let (mut world, root) = working().await;
    world.reply(ADA, &root, "sleep").await;
    let session = world.session();
    assert_eq!((session.status.as_str(), session.archived), ("suspended", false), "asleep, and not in the archive");
    assert_snapshot!(world.private(ADA), @":zzz: The session sleeps. Any message in this thread wakes it.");
    let thread = world.thread(&root);
    assert!(thread.contains("Somebody put this session to sleep.") && !thread.contains("was archived"), "{thread}");
    world.reply(ADA, &root, "Sleep!").await;
    assert!(world.private(ADA).contains("asleep already"));
    world.reply(GRACE, &root, "and now the logout test").await;
    assert_eq!(world.session().status.as_str(), "running");
}

#[tokio::test]
async fn the_archive_is_left_again_by_word_or_button() {
    let (mut world, root) = working().await;
    world.reply(ADA, &root, "unarchive").await;
    assert!(world.private(ADA).contains("is not archived"));
    world.reply(ADA, &root, "archive").await;
    assert!(world.session().archived);
    assert!(world.thread(&root).contains("The session was archived"));
    world.press_private(ADA, "unarchive").await;
    assert!(!world.session().archived);
    world.reply(ADA, &root, "archive this session").await;
    world.reply(GRACE, &root, "archive").await;
    assert!(world.private(GRACE).contains("archived already"));
    world.reply(GRACE, &root, "unarchive").await;
    assert_snapshot!(world.private(GRACE), @":card_index_dividers: You took the session out of the archive. Any message in this thread wakes it.");
    world.reply(GRACE, &root, "go on").await;
    assert_eq!(world.session().status.as_str(), "running");
}

#[tokio::test]
async fn a_muted_thread_counts_what_it_holds_back() {
    let (mut world, root) = working().await;
    world.reply(ADA, &root, "unmute").await;
    assert!(world.private(ADA).contains("is not muted"));
    world.reply(ADA, &root, "mute").await;
    assert_snapshot!(world.private(ADA), @":mute: I post nothing here any more except when Devin needs somebody; the card stays up to date, and replies are still passed on. `unmute` ends that.");
    world.reply(ADA, &root, "mute").await;
    assert!(world.private(ADA).contains("muted already"));
    world.devin_says("I am looking at the login test.").await;
    world.devin_says("It is the clock.").await;
    world.reply(GRACE, &root, "unmute").await;
    assert_snapshot!(world.private(GRACE), @":loud_sound: I post here again. 2 messages of Devin's were not posted meanwhile: <https://app.devin.ai/sessions/SESSION|read them in Devin>.");
    world.reply(GRACE, &root, "status").await;
    assert!(!world.private(GRACE).contains(":mute:"));
}

#[tokio::test]
async fn only_mentions_are_passed_on_where_people_want_that() {
    let (mut world, root) = working().await;
    world.reply(ADA, &root, "mentions").await;
    assert_snapshot!(world.private(ADA), @":bell: From now on I pass on only what mentions me. `mentions` again, and I pass on everything.");
    world.reply(GRACE, &root, "lunch?").await;
    world.reply(GRACE, &root, &format!("<@{BOT_USER}> use the staging database")).await;
    world.reply(GRACE, &root, "status").await;
    assert!(world.private(GRACE).contains("only mentions are passed on"), "a word alone is an order all the same");
    let said =
        |world: &World| world.session().messages.iter().map(|m| m.message.clone()).collect::<Vec<_>>().join("\n");
    assert!(!said(&world).contains("lunch") && said(&world).contains("staging"));
    assert!(!world.thread(&root).contains("lunch? ["), "no receipt for what is not passed on");
    world.reply(ADA, &root, "mentions").await;
    world.reply(GRACE, &root, "and the test data").await;
    assert!(said(&world).contains("and the test data"));
}

#[tokio::test]
async fn an_aside_is_between_people() {
    let (mut world, root) = working().await;
    world.reply(GRACE, &root, "(aside) is this the right repository?").await;
    world.reply(GRACE, &root, "!aside I would not bet on it").await;
    let messages = world.session().messages;
    assert!(messages.iter().all(|m| !m.message.contains("repository") && !m.message.contains("bet")), "{messages:#?}");
}

#[tokio::test]
async fn a_separated_thread_is_left_alone_also_by_a_store_that_is_made_anew() {
    let (mut world, root) = working().await;
    world.reply(ADA, &root, "detach").await;
    assert_snapshot!(world.private(ADA), @":scissors: *Separate this thread from its session?* The session goes on in <https://app.devin.ai/sessions/SESSION|Devin>. Nothing more of it is posted here, replies here are not passed on, and the two cannot be tied again.");
    world.press_private(ADA, "detach").await;
    assert_eq!(world.private(ADA), ":scissors: You separated this thread from its session.");
    let thread = world.thread(&root);
    assert!(thread.contains("Ada Lovelace separated this thread from its session"), "{thread}");
    world.reply(ADA, &root, "are you still there?").await;
    world.devin_says("I go on.").await;
    world.devin_becomes("running", Some("finished")).await;
    let silent = |world: &World| world.posts("bobbin_relay").is_empty() && world.posts("bobbin_transition").is_empty();
    assert!(silent(&world));
    assert_eq!(world.session().messages.iter().filter(|m| m.message.contains("still there")).count(), 0);

    world.empty_store();
    world.settle().await;
    world.look().await;
    world.reply(ADA, &root, "and now?").await;
    assert!(silent(&world), "{}", world.thread(&root));
    world.reply(ADA, &root, &format!("<@{BOT_USER}> fix the logout test")).await;
    let sessions = world.devin.sessions();
    assert_eq!(sessions.len(), 2, "a new session can be started here");

    world.empty_store();
    world.settle().await;
    let second = sessions.iter().max_by_key(|s| s.created_at).unwrap();
    world.devin.say(&second.id, "It was the time zone.").unwrap();
    world.look().await;
    assert_eq!(world.posts("bobbin_relay").len(), 1, "and is this thread's own: {}", world.thread(&root));
}

#[tokio::test]
async fn words_without_a_session_are_answered_and_start_nothing() {
    let mut world = World::new().await;
    world.lenient();
    for (text, answer) in [
        ("whoami", "Your sessions run as *Ada Lovelace*"),
        ("status", "This thread has no session"),
        ("stop", "This thread has no session"),
    ] {
        world.mention(ADA, text).await;
        assert!(world.private(ADA).contains(answer), "{text}: {}", world.private(ADA));
    }
    world.mention(LINUS, "whoami").await;
    assert!(world.private(LINUS).contains("Ask a Devin administrator"), "{}", world.private(LINUS));
    world.say(ADA, BACKEND, "help");
    world.settle().await;
    assert!(world.devin.sessions().is_empty());
}

#[tokio::test]
async fn help_names_every_word() {
    let mut world = World::new().await;
    world.lenient();
    world.mention(GRACE, "help").await;
    assert_snapshot!(world.private(GRACE), @"
    :wave: *Start*: mention me with a task, or write it to me directly. I start a Devin session as you and report in the thread; what is replied there goes into the session.
    *Words for a thread with a session*: a message that is just one of these, with or without a mention.
    • `status`: What the session is doing, as whom it runs and what it has used.
    • `stop`: Ends the session for good; you are asked first.
    • `sleep`: Puts the session to sleep; any message wakes it.
    • `archive`: Puts the session away: it sleeps, and takes nothing until it is taken out again.
    • `unarchive`: Takes an archived session out again.
    • `mute`: No more posts in this thread, except when Devin needs somebody; the card stays up to date.
    • `unmute`: Posts in this thread again.
    • `mentions`: From now on only messages that mention me are passed on.
    • `detach`: Separates this thread from its session, which goes on without it.
    • `why`: What became of your last message, and of those before it.
    • `help`: All words there are.
    • `list`: Your sessions, with their state and a link.
    • `whoami`: As whom your sessions run, or why they would not.
    *Options*, anywhere in a task: `name=value`, in quotes where the value has spaces.
    • `repo=`: The repository to work in, `owner/name`. Can be given several times.
    • `mode=`: How Devin works: `normal`, `fast`, `lite`, `ultra` or `fusion`.
    • `playbook=`: The playbook to follow: its name in quotes, its macro or its id. `![macro]` says the same.
    • `title=`: The session's title, in quotes when it has spaces.
    • `tag=`: A tag on the session. Can be given several times.
    • `acu=`: The most ACUs that the session may use; it is suspended when it reaches them.
    • `platform=`: The machine it runs on, such as `windows`, or the name of an outpost pool.
    • `knowledge=`: The id of a knowledge note to use; `none` for no knowledge at all. Can be given several times.
    • `secret=`: The name or id of a secret that Devin keeps for the organisation, never its value; `none` for no secrets. Can be given several times.
    • `schema=`: The form of the result, by its name in the configuration; with a final `!` Devin must deliver it.
    • `approval=`: `skip`: Devin does not wait for approvals, where the channel allows that. `ask`: it does.
    • `child-playbook=`: The playbook for the sessions that this one starts.
    • `link=`: Another session that this one should know of: its address or id. Can be given several times.
    • `resumable=`: `no`: the machine is thrown away when the session stops, and it cannot be woken.
    *Short words*, anywhere in a task.
    • `!fast`: The same as `mode=fast`.
    • `!lite`: The same as `mode=lite`.
    • `!ultra`: The same as `mode=ultra`.
    • `!fusion`: The same as `mode=fusion`.
    • `!normal`: The same as `mode=normal`.
    • `!windows`: The same as `platform=windows`.
    • `!new`: In a thread that has a session: starts a second one, in a thread of its own.
    • `!aside`: This message is not for Devin and is not passed on; `(aside)` says the same.
    Slack allows no slash commands in threads: there, write the word.
    ");
}

#[tokio::test]
async fn people_without_an_account_give_no_orders() {
    let (mut world, root) = working().await;
    world.reply(LINUS, &root, "stop").await;
    let said = world.private(LINUS);
    assert!(said.contains("Ask a Devin administrator") && !said.contains("End this session"), "{said}");
    assert_eq!(world.session().status.as_str(), "running");
}

#[tokio::test]
async fn my_sessions_are_listed_with_their_threads() {
    let (mut world, root) = working().await;
    world.mention(GRACE, "why is the build slow?").await;
    world.mention(ADA, "fix the logout test").await;
    world
        .devin
        .set(&world.devin.sessions()[0].id, "running".to_owned().into(), Some("waiting_for_user".to_owned().into()))
        .unwrap();
    world.look().await;
    world.reply(ADA, &root, "list").await;
    let said = world.private(ADA);
    let (first, second) = (said.find("fix the login test").unwrap(), said.find("fix the logout test").unwrap());
    assert!(first < second && !said.contains("why is the build slow?"), "mine, and those that wait first: {said}");
    assert!(said.contains("|thread>"), "{said}");
}

#[tokio::test]
async fn a_second_session_gets_a_thread_of_its_own_and_the_two_link_to_each_other() {
    let (mut world, root) = working().await;
    world.reply(GRACE, &root, "!new fix the *logout* test repo=acme/web").await;
    let sessions = world.devin.sessions();
    assert_eq!(sessions.len(), 2);
    let second = sessions.iter().find(|s| s.prompt.contains("logout")).unwrap();
    assert_eq!(second.user_id.as_ref().unwrap().as_str(), GRACE_AT_DEVIN);
    let opened = world.thread_roots().pop().unwrap();
    let thread = world.thread(&opened);
    assert!(thread.starts_with("bobbin: :thread: *Grace Hopper* asks for a session of its own, in <"), "{thread}");
    assert!(thread.contains("> fix the") && thread.contains("[card]"), "{thread}");
    let old = world.thread(&root);
    assert!(old.contains("A second session starts <") && !old.contains("logout* test repo=acme/web\n"), "{old}");
    assert_eq!(sessions[0].messages.len(), 1, "nothing of it goes into the first one");
    world.reply(GRACE, &root, "!new").await;
    assert!(world.private(GRACE).contains("what the second session shall do"), "{}", world.private(GRACE));
}
