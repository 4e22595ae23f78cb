//! Socket Mode: the same chats without a public address, and everything that can happen to sockets.

use std::{collections::BTreeSet, fs, path::Path, sync::Arc, time::Duration};

use bobbin::{
    domain::ids::Ts,
    store::{SharedStore, Store as _, redis::RedisStore},
    twin::{
        Fault, FaultAction,
        slack::{Delivered, Delivery, Door, SocketEvent, SocketOrder, Spot, Undelivered},
        world::{ADA, BACKEND, BOT_USER, GRACE},
    },
};
use futures_util::future::join_all;

use crate::support::{
    redis::RedisServer,
    world::{On, QUICK, World, id},
};

/// How long something is watched that must not happen.
const A_WHILE: Duration = Duration::from_millis(700);

/// Somebody mentions the bot; nothing is delivered yet.
fn ask(world: &World, text: &str) -> Ts {
    world.say(ADA, BACKEND, &format!("<@{BOT_USER}> {text}"))
}

/// How many sessions were started for a thread.
fn sessions(world: &World, root: &Ts) -> usize {
    let end = format!("/{root}");
    world.devin.sessions().iter().filter(|s| s.tags.iter().any(|tag| tag.ends_with(&end))).count()
}

/// Everything that is due, at once.
fn due(world: &World) -> Vec<Delivery> {
    std::iter::from_fn(|| world.slack.take_due()).collect()
}

/// Delivers what is due; what became of it.
async fn delivered(world: &World) -> Vec<Delivered> {
    let mut all = Vec::new();
    while let Some(one) = world.deliver_one().await {
        all.push(one);
    }
    all
}

/// A delivery like another, with another body.
fn like(template: &Delivery, door: Door, body: Vec<u8>) -> Delivery {
    let mut delivery = template.clone();
    (delivery.door, delivery.body) = (door, body);
    delivery
}

fn place(history: &[SocketEvent], event: &SocketEvent) -> usize {
    history.iter().position(|other| other == event).unwrap_or_else(|| panic!("no {event:?} in {history:?}"))
}

/// A chat with a bit of everything; what is to be seen of it in the end.
async fn chat(mut world: World) -> String {
    let root = world.mention(ADA, "fix the login test").await;
    world.reply(GRACE, &root, "only on Mondays").await;
    world.devin_says("Which branch?").await;
    world.devin_becomes("running", Some("waiting_for_user")).await;
    let card = world.posts("bobbin_card").remove(0);
    world.slack.press(&id(ADA), &id(BACKEND), &card.ts, "open_session").unwrap();
    world.slack.command(&id(ADA), &id(BACKEND), "/devin", "help").unwrap();
    world.settle().await;
    let other = world.say(GRACE, BACKEND, "The search is slow");
    world.slack.message_shortcut(&id(GRACE), &id(BACKEND), &other, "start_here").unwrap();
    world.settle().await;
    // A modal that is wrong is answered at once, with its acknowledgement.
    world.slack.shortcut(&id(ADA), "start_devin").unwrap();
    world.settle().await;
    world.fill(ADA, &[("task", "fix it mod=fast"), ("channel", BACKEND)]);
    world.slack.choose(&id(ADA), Spot::Modal, "more_options", &[]).unwrap();
    world.settle().await;
    world.slack.submit(&id(ADA)).unwrap();
    world.deliver_due().await;
    let wrong = world.modal(ADA);
    world.fill(ADA, &[("task", "fix it")]);
    world.submit(ADA).await;
    let threads: Vec<String> = world.thread_roots().iter().map(|root| world.thread(root)).collect();
    let seen = [wrong, world.modal(ADA), world.whispers(ADA).join("\n"), threads.join("\n")];
    assert_eq!(world.devin.sessions().len(), 3, "{seen:#?}");
    seen.join("\n---\n")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_chat_over_sockets_reads_as_one_through_the_doors() {
    for on in [On::Embedded, On::Redis] {
        let over_sockets = chat(World::over_sockets(on, 2).await).await;
        assert!(over_sockets.contains("!! I don't know mod="), "{over_sockets}");
        assert_eq!(over_sockets, chat(World::on(on).await).await);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_recorded_payload_is_taken_over_a_socket() {
    let mut world = World::over_sockets(On::Embedded, 1).await;
    world.lenient();
    ask(&world, "lend me a delivery");
    let template = due(&world).remove(0);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/slack");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        let door = match name.split('.').next().unwrap() {
            "event" => Door::Events,
            "command" => Door::Commands,
            "interaction" => Door::Interactions,
            _ => continue,
        };
        let delivery = like(&template, door, fs::read(&path).unwrap());
        let answer = world.slack.send_by_socket(&delivery).await;
        assert_eq!(answer.map(|answer| answer.status), Ok(200), "{name}");
        count += 1;
    }
    assert!(count > 30, "{count} payloads");
    assert!(world.store.dead(9).await.unwrap().is_empty());
    world.settle().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_kept_and_acknowledged() {
    let mut world = World::over_sockets(On::Embedded, 1).await;
    world.lenient();
    ask(&world, "lend me a delivery");
    let template = due(&world).remove(0);
    let socket = world.slack.sockets()[0];
    for said in [r#"{"envelope_id":"x","type":"brand_new"}"#, r#"{"type":"brand_new"}"#, "not JSON"] {
        world.slack.order_socket(socket, SocketOrder::Say(said.to_owned()));
    }
    for (door, body) in [
        (Door::Events, r#"{"type":"event_callback"}"#),
        (Door::Commands, "text=without+a+command"),
        (Door::Interactions, "payload=%5B%5D"),
    ] {
        let delivery = like(&template, door, body.as_bytes().to_vec());
        assert_eq!(world.slack.send_by_socket(&delivery).await.map(|answer| answer.status), Ok(200), "{body}");
    }
    assert_eq!(world.slack.sockets(), [socket], "what is not known does no harm");
    let kept = world.store.dead(9).await.unwrap();
    let bodies: BTreeSet<String> =
        kept.iter().map(|dead| String::from_utf8(dead.input.body.bytes().to_vec()).unwrap()).collect();
    let expected = [r#"{"type":"event_callback"}"#, "payload=%5B%5D", "text=without+a+command"];
    assert_eq!(bodies, expected.map(str::to_owned).into());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nothing_is_acknowledged_before_the_store_has_it_and_it_comes_again_over_another_socket() {
    let mut world = World::over_sockets(On::Embedded, 2).await;
    world.lenient();
    let root = ask(&world, "fix the login test");
    world.life.die_after(0);
    let refused = world.deliver_one().await.unwrap();
    assert_eq!((refused.answer, refused.attempt), (Err(Undelivered::Timeout), 0));
    assert!(refused.again.is_some(), "Slack sends it again");
    world.life.live_on();
    world.settle().await;
    assert_eq!((sessions(&world, &root), world.posts("bobbin_card").len()), (1, 1));
    let history = world.slack.socket_history();
    let over: Vec<(u64, u8)> = history
        .iter()
        .filter_map(|event| match event {
            SocketEvent::Given(socket, delivery, attempt) if *delivery == refused.id => Some((*socket, *attempt)),
            SocketEvent::Given(..) | SocketEvent::Hello(_) | SocketEvent::Gone(_) => None,
        })
        .collect();
    assert_eq!(over.iter().map(|(_, attempt)| *attempt).collect::<Vec<_>>(), [0, 1]);
    assert_ne!(over[0].0, over[1].0, "{over:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_spool_takes_what_redis_cannot_and_then_it_is_acknowledged() {
    let mut redis = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let (url, folder) = (redis.url(), tempfile::tempdir().unwrap());
    let spool = folder.path().join("spool.db").display().to_string();
    let open = |_: &Path, clock| -> SharedStore { Arc::new(RedisStore::new(&url, clock, 0).unwrap()) };
    let settings = [("BOBBIN_STORE", url.as_str()), ("BOBBIN_SPOOL", spool.as_str())];
    let mut world = World::over_sockets_with(On::Redis, 2, &settings, open).await;
    world.lenient();
    world.slack.set_socket_patience(Duration::from_secs(3));
    redis.kill();
    let root = ask(&world, "fix the login test");
    let answer = world.deliver_one().await.unwrap();
    assert_eq!((answer.answer.unwrap().status, answer.again), (200, None));
    world.deliver_due().await;
    redis.restart();
    while world.store.check().await.is_err() {}
    while world.bobbin.receive.drain().await.moved > 0 {}
    world.settle().await;
    assert_eq!(sessions(&world, &root), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn copies_in_flight_over_two_sockets_are_one_input() {
    for on in [On::Embedded, On::Redis] {
        let mut world = World::over_sockets(on, 2).await;
        world.lenient();
        let root = ask(&world, "fix the login test");
        world.slack.command(&id(ADA), &id(BACKEND), "/devin", "help").unwrap();
        let due = due(&world);
        // The same delivery takes another socket each time.
        let copies = due.iter().flat_map(|delivery| [delivery; 6]).map(|copy| world.slack.send_by_socket(copy));
        let answers = join_all(copies).await;
        assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|a| a.status == 200)), "{answers:?}");
        world.settle().await;
        assert_eq!((sessions(&world, &root), world.posts("bobbin_card").len()), (1, 1), "{on:?}");
        assert_eq!(world.whispers(ADA).len(), 1, "{on:?}");
        let used: BTreeSet<u64> = world
            .slack
            .socket_history()
            .iter()
            .filter_map(|event| if let SocketEvent::Given(socket, ..) = event { Some(*socket) } else { None })
            .collect();
        assert_eq!(used.len(), 2);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_is_to_end_has_its_successor_first_and_nothing_is_sent_twice() {
    // Slack closes the old ones itself, or leaves that to us: then what it sends at that very moment comes again.
    for (reason, slack_closes) in [("warning", true), ("refresh_requested", false)] {
        let mut world = World::over_sockets(On::Embedded, 2).await;
        world.lenient();
        let before = world.slack.sockets();
        let mut roots = Vec::new();
        for socket in &before {
            world.slack.order_socket(*socket, SocketOrder::Disconnect(reason));
        }
        // Slack goes on meanwhile, over the old ones and the new ones.
        while before.iter().any(|socket| world.slack.sockets().contains(socket)) {
            roots.push(ask(&world, "fix the login test"));
            let settled = delivered(&world).await;
            assert!(!slack_closes || settled.iter().all(|one| one.answer.is_ok()), "{settled:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
            let closing = before.iter().filter(|_| slack_closes && roots.len() == 8);
            closing.for_each(|socket| world.slack.order_socket(*socket, SocketOrder::Close));
        }
        world.until_open().await;
        let gone = |number: &u64| world.slack.socket_history().contains(&SocketEvent::Gone(*number));
        world.until("the old ones are gone", || before.iter().all(gone)).await;
        let history = world.slack.socket_history();
        let hellos: Vec<usize> = (3..=4).map(|number| place(&history, &SocketEvent::Hello(number))).collect();
        let ends: Vec<usize> = before.iter().map(|number| place(&history, &SocketEvent::Gone(*number))).collect();
        assert!(hellos[0] < ends[0].min(ends[1]) && hellos[1] < ends[0].max(ends[1]), "{history:?}");
        assert!(roots.len() > 3);
        world.settle().await;
        for root in roots {
            assert_eq!(sessions(&world, &root), 1);
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_socket_that_fell_silent_or_broke_is_replaced_and_what_it_had_comes_again() {
    for order in [SocketOrder::Silence, SocketOrder::Cut, SocketOrder::Close] {
        let mut world = World::over_sockets(On::Embedded, 2).await;
        world.lenient();
        let first = world.slack.sockets()[0];
        world.slack.order_socket(first, order.clone());
        let roots: Vec<Ts> = (0..3).map(|_| ask(&world, "fix the login test")).collect();
        world.settle().await;
        world.until("it has a successor", || world.slack.sockets().iter().any(|number| *number > 2)).await;
        world.slack.order_socket(first, SocketOrder::Cut);
        world.until_open().await;
        world.settle().await;
        for root in roots {
            assert_eq!(sessions(&world, &root), 1, "{order:?}");
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_stores_and_acknowledges_what_came_and_the_rest_comes_again() {
    let mut world = World::over_sockets(On::Embedded, 2).await;
    world.lenient();
    let roots: Vec<Ts> = (0..20).map(|_| ask(&world, "fix the login test")).collect();
    let due = due(&world);
    let slack = &world.slack;
    let sending = join_all(due.into_iter().zip(0_u64..).map(|(delivery, n)| async move {
        tokio::time::sleep(Duration::from_millis(n * 15)).await;
        let answer = slack.send_by_socket(&delivery).await;
        slack.settle(delivery, answer)
    }));
    let stopping = async {
        tokio::time::sleep(Duration::from_millis(150)).await;
        world.close_sockets().await;
    };
    let (settled, ()) = tokio::join!(sending, stopping);
    let (taken, left): (Vec<_>, Vec<_>) = settled.iter().partition(|one| one.answer.is_ok());
    assert!(taken.len() > 8 && !left.is_empty(), "{} taken, {} left", taken.len(), left.len());
    assert!(world.slack.sockets().is_empty() && left.iter().all(|one| one.again.is_some()));
    // Another process takes its place.
    world.keep_sockets(QUICK);
    world.until_open().await;
    world.settle().await;
    for root in roots {
        assert_eq!(sessions(&world, &root), 1);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_slack_says_no_to_is_told_and_not_hammered() {
    let mut world = World::over_sockets(On::Embedded, 1).await;
    world.close_sockets().await;
    let slack = world.slack.clone();
    let opened = || slack.calls("apps.connections.open");
    let refusal = FaultAction::OkFalse("invalid_auth".to_owned());
    world.slack.faults().push(Fault { matcher: "apps.connections.open".to_owned(), action: refusal, times: Some(1) });
    let before = opened();
    world.keep_sockets(QUICK);
    world.until("it asked", || opened() > before).await;
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(opened(), before + 1);
    let sockets = world.bobbin.sockets.clone().unwrap();
    assert_eq!(sockets.trouble().unwrap(), "the installation is gone: invalid_auth");
    world.until_open().await;
    assert_eq!((sockets.trouble(), sockets.open()), (None, 1));

    // Socket Mode is switched off and on again.
    let before = opened();
    world.slack.switch_socket_mode_off();
    world.until("it is closed", || world.slack.sockets().is_empty() && sockets.open() == 0).await;
    assert_eq!(sockets.trouble().unwrap(), "Slack ends it: link_disabled");
    tokio::time::sleep(A_WHILE).await;
    assert_eq!(opened(), before);
    world.slack.change(|state| state.features.socket_mode = true);
    world.until_open().await;
    let root = world.mention(ADA, "fix the login test").await;
    assert!(world.thread(&root).contains("[card]"));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_slack_that_is_away_or_busy_is_asked_again_in_its_time() {
    let mut world = World::over_sockets(On::Embedded, 1).await;
    world.close_sockets().await;
    let slack = world.slack.clone();
    let faults = slack.faults();
    faults.once("apps.connections.open", FaultAction::DropBefore);
    faults.once("apps.connections.open", FaultAction::Status(503));
    faults.once("apps.connections.open", FaultAction::RateLimited { after: Some(1) });
    faults.once("link", FaultAction::Status(408));
    faults.once("link", FaultAction::DropBefore);
    let (began, before) = (std::time::Instant::now(), world.slack.calls("apps.connections.open"));
    world.keep_sockets(QUICK);
    world.until_open().await;
    assert!(began.elapsed() > Duration::from_secs(1), "Retry-After was one second");
    assert_eq!(world.slack.calls("apps.connections.open") - before, 6);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_eleventh_socket_is_one_too_many() {
    let mut world = World::over_sockets(On::Embedded, 10).await;
    world.keep_sockets(QUICK);
    let sockets = world.bobbin.sockets.clone().unwrap();
    world.until("it is said", || sockets.trouble().is_some()).await;
    assert_eq!(sockets.trouble().unwrap(), "Slack refused: too_many_websockets");
    let slack = world.slack.clone();
    world.until("ten are open", || slack.sockets().len() == 10).await;
}

#[tokio::test]
async fn without_a_signing_secret_the_doors_take_nothing() {
    let mut world = World::over_sockets(On::Embedded, 1).await;
    world.lenient();
    ask(&world, "fix the login test");
    let delivery = world.slack.take_due().unwrap();
    let answer = world.send(world.slack.outgoing(&delivery)).await.unwrap();
    assert_eq!((answer.status, answer.body.len()), (401, 0));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_waits_in_the_socket_until_the_store_has_taken_what_came_before() {
    let mut world = World::over_sockets(On::Embedded, 1).await;
    world.lenient();
    world.slack.set_socket_patience(Duration::from_mins(1));
    let count = 150;
    for n in 0..count {
        ask(&world, &format!("task {n}"));
    }
    let due = due(&world);
    let answers = join_all(due.iter().map(|delivery| world.slack.send_by_socket(delivery))).await;
    assert!(answers.iter().all(|answer| answer.as_ref().is_ok_and(|a| a.status == 200)), "{answers:?}");
    assert_eq!(world.store.backlog().await.unwrap().ready, count);
    assert_eq!(world.slack.sockets(), [1], "it is alive all the while");
}
