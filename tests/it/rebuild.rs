//! A store that was emptied, or is an old copy: what was said is not said again, and what goes on goes on.

use std::{fs, path::PathBuf, sync::Arc, time::Duration};

use bobbin::{
    clock::Clock as _,
    domain::{
        ids::{ChannelId, SessionId, Ts, UserId},
        mailbox::Mailbox,
        status::{Detail, Status},
    },
    store::{Founding as _, Store as _, Turn, embedded::EmbeddedStore},
    twin::{
        self, Fault, FaultAction,
        devin::{SessionMessage, Source},
        slack::Outgoing,
        world::{ADA, BACKEND, BOT_USER, DEPLOY_BOT, GRACE, LINUS},
    },
};

use crate::support::world::{On, World, id};

/// Time in which a store is founded, every link restored, and the watch looks a few times.
const AFTERWARDS: Duration = Duration::from_mins(4);

/// A thread of `#backend` and its session.
#[derive(Debug, Clone)]
struct Thread {
    root: Ts,
    session: SessionId,
}

impl Thread {
    /// Ada asks for something.
    async fn asked(world: &mut World, text: &str) -> Self {
        let root = world.mention(ADA, text).await;
        let session = session_of(world, &root).expect("a session");
        Self { root, session }
    }

    /// Its session enters a state; nobody looks yet.
    fn becomes(&self, world: &World, status: &str, detail: &str) {
        let (status, detail) = (Status::from(status.to_owned()), Detail::from(detail.to_owned()));
        world.devin.set(&self.session, status, Some(detail)).unwrap();
    }

    fn says(&self, world: &World, text: &str) {
        world.devin.say(&self.session, text).unwrap();
    }

    fn messages(&self, world: &World) -> Vec<SessionMessage> {
        world.devin.read(|state| state.session(&self.session).unwrap().messages.clone())
    }
}

fn session_of(world: &World, root: &Ts) -> Option<SessionId> {
    let end = format!("/{root}");
    world.devin.sessions().into_iter().find(|s| s.tags.iter().any(|t| t.ends_with(&end))).map(|s| s.id)
}

/// Posts of the bot in `#backend`.
fn posts(world: &World) -> usize {
    let (channel, bot) = (id::<ChannelId>(BACKEND), id::<UserId>(BOT_USER));
    let ours = |m: &&twin::slack::Message| m.user == bot && !m.deleted;
    world.slack.read(|state| state.channels[&channel].messages.iter().filter(ours).count())
}

/// Threads in every state that a link can be in.
async fn threads(world: &mut World) -> Vec<Thread> {
    let working = Thread::asked(world, "fix the login test").await;
    working.says(world, "Which branch?");
    working.says(world, "I take main.");
    working.becomes(world, "running", "working");

    let waiting = Thread::asked(world, "update the docs").await;
    waiting.says(world, "Which chapter?");
    waiting.becomes(world, "running", "waiting_for_user");

    let finished = Thread::asked(world, "bump the version").await;
    world.devin.open_pr(&finished.session).unwrap();
    finished.becomes(world, "running", "finished");

    let long = Thread::asked(world, "explain the parser").await;
    long.says(world, &long_words());

    let paged = Thread::asked(world, "talk a lot").await;
    paged.says(world, "This is the beginning.");
    paged.chatter(world, 230);
    paged.says(world, "This is the middle.");
    paged.chatter(world, 230);
    paged.says(world, "This is the end.");

    let archived = Thread::asked(world, "never mind").await;
    let now = world.clock.now();
    world.devin.change(|state| {
        let session = state.session_mut(&archived.session).unwrap();
        (session.archived, session.updated_at) = (true, now);
    });
    world.look().await;

    let answered = Thread::asked(world, "rename the crate").await;
    answered.becomes(world, "running", "waiting_for_user");
    world.look().await;
    world.reply(GRACE, &answered.root, "to spindle").await;
    world.look().await;
    vec![working, waiting, finished, long, paged, archived, answered]
}

impl Thread {
    /// People talk to the session in Devin's own app.
    fn chatter(&self, world: &World, count: usize) {
        let now = world.clock.now();
        world.devin.change(|state| {
            let messages = &mut state.session_mut(&self.session).unwrap().messages;
            let from = messages.len();
            messages.extend((from..from + count).map(|n| SessionMessage {
                event_id: format!("event-app-{n}"),
                source: Source::User,
                message: format!("remark {n}"),
                created_at: now,
                as_user: None,
                attachment_urls: Vec::new(),
            }));
        });
    }
}

/// Words that take three posts.
fn long_words() -> String {
    "The parser reads one token at a time and never looks back.\n".repeat(130)
}

/// Every thread as text, and how many messages its session has.
fn shown(world: &mut World, threads: &[Thread]) -> Vec<(String, usize)> {
    threads.iter().map(|thread| (world.thread(&thread.root), thread.messages(world).len())).collect()
}

async fn nothing_is_said_twice(on: On) {
    let mut world = World::on(on).await;
    let threads = threads(&mut world).await;
    let before = shown(&mut world, &threads);
    let made = posts(&world);
    world.empty_store();
    world.pass(AFTERWARDS).await;
    assert_eq!(shown(&mut world, &threads), before);
    assert_eq!(posts(&world), made);
    assert_eq!(world.devin.sessions().len(), threads.len());

    // Life goes on in each of them, once.
    let [working, waiting, finished, ..] = &threads[..] else { unreachable!() };
    let told = |world: &World| world.posts("bobbin_transition").len();
    let (transitions, relays) = (told(&world), world.posts("bobbin_relay").len());
    world.reply(ADA, &waiting.root, "the second").await;
    assert_eq!(waiting.messages(&world).last().unwrap().message, "the second");
    working.says(&world, "Done with the first half.");
    working.becomes(&world, "running", "waiting_for_user");
    finished.becomes(&world, "running", "finished");
    world.look().await;
    world.look().await;
    assert_eq!(told(&world), transitions + 1, "one new state, and one that was told before the loss");
    assert_eq!(world.posts("bobbin_relay").len(), relays + 1);
    assert!(world.thread(&working.root).contains("Done with the first half."));
    world.pass(AFTERWARDS).await;
    assert_eq!((told(&world), world.posts("bobbin_relay").len()), (transitions + 1, relays + 1));
    shown(&mut world, &threads);
}

#[tokio::test]
async fn f09_an_emptied_redis_says_nothing_twice_and_goes_on() {
    nothing_is_said_twice(On::Redis).await;
}

#[tokio::test]
async fn f09_a_file_that_was_lost_says_nothing_twice_and_goes_on() {
    nothing_is_said_twice(On::Embedded).await;
}

/// Takes the metadata off every post, which is all that a lost link is found by.
fn hide_metadata(world: &World) {
    let channel = id::<ChannelId>(BACKEND);
    world.slack.change(|state| {
        let messages = &mut state.channels.get_mut(&channel).unwrap().messages;
        for message in messages {
            message.metadata = None;
        }
    });
}

#[tokio::test]
async fn control_f09_without_metadata_everything_is_said_twice() {
    let mut world = World::on(On::Embedded).await;
    world.lenient();
    threads(&mut world).await;
    let made = posts(&world);
    hide_metadata(&world);
    world.empty_store();
    world.pass(AFTERWARDS).await;
    assert!(posts(&world) > made + 7, "cards, words, states and pull requests: {} of {made}", posts(&world));
}

/// Delivers what is due, and gives the requests as they were sent.
async fn deliver_keeping(world: &World) -> Vec<Outgoing> {
    let mut kept = Vec::new();
    loop {
        let mut sent = None;
        let deliver = |request: Outgoing| {
            sent = Some(request.clone());
            world.send(request)
        };
        if world.slack.deliver_next(deliver).await.is_none() {
            return kept;
        }
        kept.extend(sent);
    }
}

#[tokio::test]
async fn f09_what_comes_before_the_founding_is_kept_and_finds_its_link() {
    for on in [On::Redis, On::Embedded] {
        let mut world = World::on(on).await;
        world.say(ADA, BACKEND, &format!("<@{BOT_USER}> fix the login test"));
        let mention = deliver_keeping(&world).await;
        world.settle().await;
        let root = world.thread_roots().remove(0);
        let thread = Thread { session: session_of(&world, &root).unwrap(), root };
        world.say_in(ADA, BACKEND, Some(&thread.root), "use main");
        let reply = deliver_keeping(&world).await;
        world.settle().await;
        assert_eq!(thread.messages(&world).len(), 2);
        thread.becomes(&world, "running", "working");
        world.look().await;
        let before = shown(&mut world, std::slice::from_ref(&thread));

        world.empty_store();
        let away = Fault { matcher: "sessions.list".to_owned(), action: FaultAction::DropBefore, times: None };
        world.devin.faults().push(away);
        // Slack did not hear our answers and sends both again; somebody else writes for the first time.
        for request in mention.iter().chain(&reply) {
            assert_eq!(world.send(request.clone()).await.unwrap().status, 200);
        }
        world.say_in(GRACE, BACKEND, Some(&thread.root), "and hurry");
        world.deliver_due().await;
        assert!(world.store.backlog().await.unwrap().ready > 0);
        assert!(world.bobbin.rebuild.step().await.is_err(), "Devin is away");
        assert!(!world.store.is_founded().await.unwrap());
        world.devin.faults().clear();
        world.pass(AFTERWARDS).await;
        assert_eq!(world.devin.sessions().len(), 1);
        let after = shown(&mut world, std::slice::from_ref(&thread));
        assert_eq!(after[0].0, format!("{}grace: and hurry [eyes] [incoming_envelope]\n", before[0].0));
        let words: Vec<_> = thread.messages(&world).into_iter().skip(1).map(|m| m.message).collect();
        assert_eq!(words, ["use main", "and hurry"]);
    }
}

#[tokio::test]
async fn control_f09_a_store_that_acts_before_it_knows_starts_a_second_session() {
    let mut world = World::on(On::Embedded).await;
    world.lenient();
    world.say(ADA, BACKEND, &format!("<@{BOT_USER}> fix the login test"));
    let mention = deliver_keeping(&world).await;
    world.settle().await;
    world.empty_store();
    world.store.found().await.unwrap();
    for request in mention {
        world.send(request).await.unwrap();
    }
    world.settle().await;
    assert_eq!(world.devin.sessions().len(), 2);
}

#[tokio::test]
async fn f09_what_was_under_way_is_finished_once() {
    for on in [On::Redis, On::Embedded] {
        let mut world = World::on(on).await;
        let refused = |times| Fault {
            matcher: "chat.postMessage".to_owned(),
            action: FaultAction::RateLimited { after: None },
            times,
        };
        // One session without its card yet; one whose long words stand in the thread in part; one that calls for
        // somebody whom nobody has called yet.
        let long = Thread::asked(&mut world, "explain the parser").await;
        let waiting = Thread::asked(&mut world, "update the docs").await;
        long.says(&world, &long_words());
        world.slack.faults().once("chat.postMessage", FaultAction::Delay(Duration::ZERO));
        world.slack.faults().push(refused(None));
        world.look().await;
        assert_eq!(world.posts("bobbin_relay").len(), 1);
        let bare = Thread::asked(&mut world, "fix the login test").await;
        assert_eq!(world.posts("bobbin_card").len(), 2);
        waiting.becomes(&world, "running", "waiting_for_user");

        world.empty_store();
        world.slack.faults().clear();
        world.pass(AFTERWARDS).await;
        assert_eq!(world.posts("bobbin_card").len(), 3);
        assert_eq!(world.posts("bobbin_relay").len(), 3, "{}", world.thread(&long.root));
        assert_eq!(world.posts("bobbin_transition").len(), 1);
        assert!(world.thread(&waiting.root).contains("<@U0ADA>"));
        assert!(world.thread(&bare.root).contains("[card]"));
        let said: String = world.posts("bobbin_relay").iter().map(|m| m.text.clone() + "\n").collect();
        assert_eq!(said.matches("one token").count(), long_words().matches("one token").count());
        shown(&mut world, &[long, waiting, bare]);
    }
}

/// A store is emptied while a session has no card yet, long words stand in the thread in part, and nobody was called yet.
async fn emptied_half_way(world: &mut World) -> Ts {
    let fault = |times| Fault {
        matcher: "chat.postMessage".to_owned(),
        action: FaultAction::RateLimited { after: Some(3_600) },
        times,
    };
    world.slack.faults().push(fault(None));
    let thread = Thread::asked(world, "explain the parser").await;
    thread.says(world, &long_words());
    thread.becomes(world, "running", "waiting_for_user");
    world.empty_store();
    world.slack.faults().clear();
    thread.root
}

#[tokio::test]
async fn f09_a_rebuild_stopped_anywhere_says_everything_once() {
    let mut world = World::on(On::Embedded).await;
    let root = emptied_half_way(&mut world).await;
    world.life.die_after(usize::MAX);
    world.pass(AFTERWARDS).await;
    let undisturbed = world.thread(&root);
    let boundaries = world.life.met();
    let met = |name: &str| boundaries.iter().any(|b| b.starts_with(name));
    assert!(met("adopt") && met("found") && met("begin post card") && met("begin relay"), "{boundaries:?}");
    assert_eq!(posts(&world), 5, "{undisturbed}");

    // Taking the right to look happens every few seconds and changes nothing that lasts.
    let lasting = boundaries.iter().enumerate().filter(|(_, name)| !name.starts_with("hold"));
    for (events, name) in lasting.map(|(at, name)| (at + 1, name)) {
        let mut world = World::on(On::Embedded).await;
        let root = emptied_half_way(&mut world).await;
        world.life.die_after(events);
        world.pass(AFTERWARDS).await;
        assert!(world.life.is_dead(), "{events} {name} was not reached");
        world.life.live_on();
        world.pass(AFTERWARDS).await;
        assert_eq!(world.thread(&root), undisturbed, "stopped after {events} {name}");
    }
}

/// A copy of a session under another thread's tag.
fn copy_session(world: &World, of: &Thread, name: &str, tag: String) -> SessionId {
    let mut copy = world.devin.read(|state| state.session(&of.session).unwrap().clone());
    copy.id = id(name);
    copy.tags = vec!["bobbin".to_owned(), tag];
    world.devin.change(|state| state.sessions.push(copy));
    id(name)
}

#[tokio::test]
async fn f09_hundreds_of_sessions_are_found_page_by_page_and_restored_one_by_one_the_working_ones_first() {
    const SESSIONS: usize = 450;
    let mut world = World::new().await;
    world.lenient();
    let first = Thread::asked(&mut world, "fix the login test").await;
    for n in 1..SESSIONS {
        let copy = copy_session(&world, &first, &format!("copy{n}"), format!("bobbin-thread:T0ACME/{BACKEND}/{n}.0"));
        let detail = if n % 9 == 0 { "working" } else { "waiting_for_user" };
        world.devin.set(&copy, Status::Running, Some(detail.to_owned().into())).unwrap();
    }
    world.empty_store();
    let asked = world.devin.calls("sessions.list");
    let report = world.bobbin.rebuild.adopt(false).await.unwrap();
    assert_eq!((report.adopted, report.known, report.foreign), (SESSIONS, 0, 0));
    assert_eq!(world.devin.calls("sessions.list") - asked, SESSIONS.div_ceil(200));
    world.store.found().await.unwrap();
    assert_eq!(world.store.backlog().await.unwrap().ready, 1);
    // The first one that waits comes after all that work: the one that is starting, and 49 copies.
    for (seconds, ready) in [(20, 11), (80, 51)] {
        world.clock.advance(Duration::from_secs(seconds));
        assert_eq!(world.store.backlog().await.unwrap().ready, ready);
    }
    let mut works = 0;
    while let Turn::Taken(leased) = world.store.lease(AFTERWARDS).await.unwrap() {
        let Mailbox::Thread(thread) = leased.lease.mailbox else { panic!("a thread") };
        let session = session_of(&world, &thread.root).unwrap();
        let waits = world.devin.read(|state| state.session(&session).unwrap().detail == Some(Detail::WaitingForUser));
        works += usize::from(!waits);
        assert!(!waits || works == 50, "{session} waits and comes after {works}");
    }
    assert_eq!(works, 50);
}

#[tokio::test]
async fn f09_what_is_not_ours_or_is_gone_stays_as_it_is() {
    let mut world = World::new().await;
    let thread = Thread::asked(&mut world, "fix the login test").await;
    let gone = Thread::asked(&mut world, "update the docs").await;
    shown(&mut world, &[thread.clone(), gone.clone()]);
    // Another bot's session in a thread of this workspace, whose card says that it is ours.
    let theirs = world.say(LINUS, BACKEND, "<@U0DEPLOY> ship it");
    let tag = format!("bobbin-thread:T0ACME/{BACKEND}/{theirs}");
    let foreign = copy_session(&world, &thread, "feedface", tag);
    copy_session(&world, &thread, "cafe", format!("bobbin-thread:T0OTHER/{BACKEND}/{theirs}"));
    let channel = id::<ChannelId>(BACKEND);
    world.slack.change(|state| {
        let messages = &mut state.channels.get_mut(&channel).unwrap().messages;
        let mut card = messages.iter().find(|m| !m.blocks.is_empty() && m.metadata.is_some()).unwrap().clone();
        (card.user, card.ts, card.thread_ts) = (id(DEPLOY_BOT), id("1999999999.000001"), Some(theirs.clone()));
        card.bot_id = Some("B0DEPLOY".to_owned());
        card.metadata.as_mut().unwrap()["event_payload"]["session_id"] = foreign.bare().into();
        messages.push(card);
        let of_gone = |m: &&mut twin::slack::Message| m.ts == gone.root || m.thread_ts.as_ref() == Some(&gone.root);
        messages.iter_mut().filter(of_gone).for_each(|m| m.deleted = true);
    });
    world.settle().await;
    let made = posts(&world);
    world.empty_store();
    world.pass(AFTERWARDS).await;
    for session in [&foreign, &gone.session] {
        world.devin.say(session, "words").unwrap();
        world.devin.set(session, Status::Running, Some(Detail::WaitingForUser)).unwrap();
    }
    world.look().await;
    assert_eq!(posts(&world), made);

    // Whoever asks us there is served all the same.
    world.say_in(ADA, BACKEND, Some(&theirs), &format!("<@{BOT_USER}> fix this one"));
    world.settle().await;
    assert!(world.thread(&theirs).contains("bobbin: [card]"));
}

#[tokio::test]
async fn f09_a_session_that_only_one_mailbox_forgot_is_adopted_when_it_changes() {
    for on in [On::Redis, On::Embedded] {
        let mut world = World::on(on).await;
        let thread = Thread::asked(&mut world, "fix the login test").await;
        thread.says(&world, "Which branch?");
        world.look().await;
        let before = world.thread(&thread.root);
        world.empty_store();
        world.store.found().await.unwrap();
        thread.becomes(&world, "running", "waiting_for_user");
        world.look().await;
        world.pass(AFTERWARDS).await;
        assert_eq!(world.posts("bobbin_transition").len(), 1);
        assert_eq!(world.posts("bobbin_relay").len(), 1);
        assert_eq!(world.posts("bobbin_card").len(), 1);
        assert_ne!(world.thread(&thread.root), before);
        world.reply(ADA, &thread.root, "main").await;
        assert_eq!(thread.messages(&world).last().unwrap().message, "main");
        world.thread(&thread.root);
    }
}

/// What happens after the copy was taken: a state told, a reply sent, words relayed, a new thread.
async fn after_the_copy(world: &mut World, thread: &Thread) -> Thread {
    thread.says(world, "Which branch?");
    thread.becomes(world, "running", "waiting_for_user");
    world.look().await;
    world.reply(ADA, &thread.root, "main").await;
    thread.says(world, "I take main.");
    thread.becomes(world, "running", "finished");
    world.look().await;
    Thread::asked(world, "update the docs").await
}

/// A world whose bot goes on with an old copy of its file: what was done since is still to be done in it, a mention and
/// a reply that waited when it was taken included.
async fn on_an_old_copy() -> (World, Vec<Thread>) {
    let mut world = World::on(On::Embedded).await;
    let thread = Thread::asked(&mut world, "fix the login test").await;
    world.say_in(GRACE, BACKEND, Some(&thread.root), "and hurry");
    let root = world.say(ADA, BACKEND, &format!("<@{BOT_USER}> bump the version"));
    world.deliver_due().await;
    let copy = copy_of_store(&world);
    world.settle().await;
    let second = Thread { session: session_of(&world, &root).unwrap(), root };
    let third = after_the_copy(&mut world, &thread).await;
    let store = EmbeddedStore::open(copy, world.clock.clone()).unwrap();
    world.go_on_with(Arc::new(store));
    (world, vec![thread, second, third])
}

fn copy_of_store(world: &World) -> PathBuf {
    let copy = world.folder().join("copy.db");
    let files = fs::read_dir(world.folder()).unwrap().map(|entry| entry.unwrap().path());
    fs::copy(files.max().unwrap(), &copy).unwrap();
    copy
}

#[tokio::test]
async fn f09_an_old_copy_whose_links_are_restored_says_nothing_twice() {
    let (mut world, threads) = on_an_old_copy().await;
    let before = shown(&mut world, &threads);
    let report = world.bobbin.rebuild.adopt(true).await.unwrap();
    assert_eq!((report.adopted, report.known), (1, 2));
    world.pass(AFTERWARDS).await;
    assert_eq!(shown(&mut world, &threads), before);
    assert_eq!(world.devin.sessions().len(), threads.len());
}

#[tokio::test]
async fn control_f09_an_old_copy_that_is_believed_says_and_does_things_twice() {
    let (mut world, threads) = on_an_old_copy().await;
    world.lenient();
    let made = posts(&world);
    world.pass(AFTERWARDS).await;
    assert!(posts(&world) > made && world.devin.sessions().len() > threads.len());
}
