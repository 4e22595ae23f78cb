//! Redis away for longer than Slack tries again, with a spool and without: the same people do the same things, and
//! afterwards all of it was handled once and in order, or is lost.

use std::{
    collections::BTreeMap,
    path::Path,
    sync::Arc,
    time::{Duration, Instant},
};

use axum::{
    body::Body,
    extract::Request,
    http::{Method, StatusCode},
};
use bobbin::{
    clock::{Clock, SystemClock},
    domain::{ids::Ts, mailbox::Mailbox, outbox::BETWEEN},
    receive::{Receive, Refusals, routes},
    slack::{
        signature::{SigningSecrets, sign},
        trigger,
    },
    store::{
        SharedStore, Store as _,
        embedded::{EmbeddedStore, Kept, Spool, SpoolBounds, SpoolEntry},
        redis::RedisStore,
        seal::Seal,
    },
    twin::{
        devin::Source,
        slack::Delivered,
        world::{ADA, BACKEND, BOT_USER, GRACE, SIGNING_SECRET},
    },
};
use futures_util::future::join_all;
use tokio::sync::Notify;
use tower::ServiceExt as _;

use crate::{
    store::contract::{offer, thread},
    support::{
        redis::{RedisServer, free_port},
        world::{On, World, id},
    },
};

/// Slack's last try comes after some six minutes.
const LONGER_THAN_SLACK_TRIES: Duration = Duration::from_mins(20);
/// Longest wait for the store to answer again.
const BACK_WITHIN: Duration = Duration::from_secs(20);

/// A world on a Redis of its own, which keeps everything it said yes to.
struct Outage {
    redis: RedisServer,
    world: World,
    /// A thread with a session, from before.
    root: Ts,
    _folder: tempfile::TempDir,
}

impl Outage {
    async fn begin(with_spool: bool) -> Self {
        let mut redis = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
        let folder = tempfile::tempdir().unwrap();
        let url = redis.url();
        let spool = folder.path().join("spool.db").display().to_string();
        let settings: &[_] = &[("BOBBIN_STORE", url.as_str()), ("BOBBIN_SPOOL", spool.as_str())];
        let open = |_: &Path, clock| -> SharedStore { Arc::new(RedisStore::new(&url, clock, 0).unwrap()) };
        let mut world = World::with(On::Redis, if with_spool { settings } else { &[] }, open).await;
        world.lenient();
        let root = world.mention(ADA, "fix the login test").await;
        redis.kill();
        Self { redis, world, root, _folder: folder }
    }

    /// What people do meanwhile: replies, a mention with a reply, a command and a shortcut. Slack sends half of it twice.
    fn act(&self) {
        let world = &self.world;
        let other = world.say(GRACE, BACKEND, "The search is slow");
        world.say_in(ADA, BACKEND, Some(&self.root), "first");
        let mentioned = world.say(ADA, BACKEND, &format!("<@{BOT_USER}> fix the search"));
        world.say_in(ADA, BACKEND, Some(&mentioned), "only on Mondays");
        world.say_in(ADA, BACKEND, Some(&self.root), "second");
        world.slack.command(&id(ADA), &id(BACKEND), "/devin", "help").unwrap();
        world.slack.message_shortcut(&id(ADA), &id(BACKEND), &other, "start_here").unwrap();
        world.say_in(ADA, BACKEND, Some(&self.root), "third");
        for delivery in world.slack.pending().iter().step_by(2) {
            world.slack.duplicate_delivery(delivery.id);
        }
    }

    /// Delivers everything until Slack has no more patience.
    async fn deliver(&self) -> Vec<Delivered> {
        let end = self.world.clock.now() + LONGER_THAN_SLACK_TRIES;
        let mut delivered = Vec::new();
        while self.world.clock.now() < end {
            while let Some(one) = self.world.deliver_one().await {
                delivered.push(one);
            }
            self.world.clock.advance(Duration::from_mins(1));
        }
        assert!(self.world.slack.pending().is_empty());
        delivered
    }

    /// Redis is there again, and what waited is handled.
    async fn end(&mut self) {
        self.redis.restart();
        let deadline = Instant::now() + BACK_WITHIN;
        while let Err(error) = self.world.store.check().await {
            assert!(Instant::now() < deadline, "Redis does not come back: {error}");
        }
        self.drain().await;
        self.world.settle().await;
    }

    async fn drain(&self) {
        let deadline = Instant::now() + BACK_WITHIN;
        while self.world.bobbin.receive.spool.as_ref().is_some_and(|spool| !spool.is_empty()) {
            let drained = self.world.bobbin.receive.drain().await;
            assert!(Instant::now() < deadline, "the spool is not drained: {drained:?}");
        }
    }

    fn spool(&self) -> &Spool {
        self.world.bobbin.receive.spool.as_ref().unwrap()
    }

    /// What Ada said in the session of a thread after its beginning.
    fn said_in(&self, root: &Ts) -> Vec<String> {
        let sessions = self.world.devin.sessions();
        let ends = format!("/{root}");
        let of_thread: Vec<_> = sessions.iter().filter(|s| s.tags.iter().any(|tag| tag.ends_with(&ends))).collect();
        assert_eq!(of_thread.len(), 1, "sessions of {root}");
        let said = of_thread[0].messages.iter().filter(|message| message.source == Source::User);
        said.skip(1).flat_map(|message| message.message.split(BETWEEN)).map(str::to_owned).collect()
    }

    fn answers_to_commands(&self) -> usize {
        self.world.slack.read(|state| state.ephemerals.iter().filter(|e| e.text.contains(":wave:")).count())
    }
}

/// Statuses of answers.
fn statuses(delivered: &[Delivered]) -> Vec<u16> {
    delivered.iter().map(|one| one.answer.as_ref().unwrap().status).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_with_a_spool_a_long_outage_loses_and_doubles_nothing_and_keeps_the_order() {
    let mut outage = Outage::begin(true).await;
    outage.act();
    let delivered = outage.deliver().await;
    assert!(delivered.len() > 8 && statuses(&delivered).iter().all(|status| *status == 200), "{delivered:?}");
    assert!(delivered.iter().all(|one| one.attempt == 0), "nothing had to be sent again");
    assert!(outage.spool().size().inputs > 8);

    outage.end().await;
    assert_eq!(outage.world.devin.sessions().len(), 3);
    let said = outage.said_in(&outage.root);
    assert_eq!(said.len(), 3, "{said:?}");
    for (said, words) in said.iter().zip(["first", "second", "third"]) {
        assert!(said.contains(words), "{said} instead of {words}");
    }
    assert_eq!(outage.answers_to_commands(), 1);
    assert_eq!(outage.world.posts("bobbin_card").len(), 3);
    assert!(outage.world.store.dead(9).await.unwrap().is_empty());
    let size = outage.spool().size();
    assert_eq!((size.inputs, size.bytes, size.oldest), (0, 0, None));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn control_f15_without_a_spool_the_same_outage_is_503_and_loses() {
    let mut outage = Outage::begin(false).await;
    outage.act();
    let delivered = outage.deliver().await;
    // A message that is for nobody needs no store.
    let refused = delivered.iter().filter(|one| one.answer.as_ref().unwrap().status == 503).count();
    assert!(refused > 20 && delivered.iter().any(|one| one.attempt == 3), "{:?}", statuses(&delivered));

    outage.end().await;
    assert_eq!(outage.world.devin.sessions().len(), 1);
    assert_eq!(outage.said_in(&outage.root), Vec::<String>::new());
    assert_eq!(outage.answers_to_commands(), 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_inputs_that_the_store_has_already_are_refused_by_their_ids() {
    let mut outage = Outage::begin(true).await;
    outage.act();
    outage.deliver().await;
    outage.redis.restart();
    let deadline = Instant::now() + BACK_WITHIN;
    // As a process leaves it that dies between the store's answer and the removal.
    for item in outage.spool().oldest().await.unwrap() {
        let SpoolEntry::Offer(offer) = item.entry else { panic!("{item:?}") };
        while let Err(error) = outage.world.store.accept(&offer).await {
            assert!(Instant::now() < deadline, "Redis does not come back: {error}");
        }
    }
    outage.end().await;
    assert_eq!((outage.world.devin.sessions().len(), outage.said_in(&outage.root).len()), (3, 3));
    assert_eq!(outage.answers_to_commands(), 1);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_an_input_does_not_overtake_the_last_entry_on_its_way() {
    let mut outage = Outage::begin(true).await;
    outage.world.say_in(ADA, BACKEND, Some(&outage.root), "first");
    outage.world.deliver_due().await;
    outage.redis.restart();
    // Connected and then silent: what is on its way arrives, and nobody hears of it.
    let deadline = Instant::now() + BACK_WITHIN;
    while let Err(error) = outage.world.store.check().await {
        assert!(Instant::now() < deadline, "Redis does not come back: {error}");
    }
    outage.redis.freeze();
    let (drained, (answered, waiting)) = tokio::join!(outage.world.bobbin.receive.drain(), async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        outage.world.say_in(ADA, BACKEND, Some(&outage.root), "second");
        let began = Instant::now();
        let answered = outage.world.deliver_one().await.unwrap();
        assert!(began.elapsed() < Duration::from_millis(800), "it waited for the store: {:?}", began.elapsed());
        (answered, outage.spool().size().inputs)
    });
    assert_eq!(statuses(&[answered]), [200]);
    assert!(drained.moved == 0 && drained.failure.is_some(), "{drained:?}");
    assert_eq!(waiting, 2, "the second waits behind the first");
    outage.redis.thaw();
    outage.drain().await;
    outage.world.settle().await;
    let said = outage.said_in(&outage.root);
    assert!(said.len() == 2 && said[0].contains("first") && said[1].contains("second"), "{said:?}");
}

/// Doors before a Redis, with a spool of this size.
fn doors(url: &str, folder: &Path, inputs: u64) -> Arc<Receive> {
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let store = RedisStore::new(url, clock.clone(), 0).unwrap();
    let bounds = SpoolBounds { inputs, ..SpoolBounds::default() };
    let spool = Spool::open(&folder.join("spool.db"), clock.clone(), bounds).unwrap();
    let secrets = bobbin::config::Live::new(SigningSecrets::new(vec![SIGNING_SECRET.into()]).unwrap());
    Arc::new(Receive {
        seal: Seal::new(b"key"),
        triggers: trigger::queue().0,
        rules: bobbin::config::Live::default(),
        store: Arc::new(store),
        spool: Some(Arc::new(spool)),
        clock,
        secrets,
        bell: Arc::new(Notify::new()),
        refusals: Refusals::default(),
    })
}

async fn knock(receive: &Arc<Receive>, path: &str, body: &str) -> StatusCode {
    let at = SystemClock.now().as_second();
    let request = Request::builder()
        .method(Method::POST)
        .uri(path)
        .header("x-slack-request-timestamp", at.to_string())
        .header("x-slack-signature", sign(&SIGNING_SECRET.into(), at, body.as_bytes()))
        .body(Body::from(body.to_owned()))
        .unwrap();
    routes(receive.clone()).oneshot(request).await.unwrap().status()
}

#[tokio::test]
async fn f15_a_full_spool_is_503_and_takes_again_once_it_was_drained() {
    let folder = tempfile::tempdir().unwrap();
    // Nobody listens there.
    let receive = doors(&format!("redis://127.0.0.1:{}", free_port()), folder.path(), 2);
    let command = |trigger: &str| {
        format!("command=%2Fdevin&team_id=T0ACME&user_id=U0ADA&channel_id=C0BACKEND&trigger_id={trigger}")
    };
    let path = "/slack/commands";
    assert_eq!(knock(&receive, path, &command("1")).await, StatusCode::OK);
    // What cannot be read is kept as well.
    assert_eq!(knock(&receive, "/slack/events", "{\"type\"").await, StatusCode::BAD_REQUEST);
    assert_eq!(knock(&receive, path, &command("2")).await, StatusCode::SERVICE_UNAVAILABLE);
    assert_eq!(knock(&receive, "/slack/events", "{").await, StatusCode::SERVICE_UNAVAILABLE);
    assert!(receive.drain().await.failure.is_some(), "there is still no Redis");

    // A store that answers; which one does not matter to the spool.
    let store = Arc::new(EmbeddedStore::open(folder.path().join("it.db"), Arc::new(SystemClock)).unwrap());
    let receive = Arc::new(Receive { store: store.clone(), ..Arc::try_unwrap(receive).unwrap() });
    assert_eq!(knock(&receive, path, &command("2")).await, StatusCode::SERVICE_UNAVAILABLE, "it would overtake");
    assert_eq!(receive.drain().await.moved, 2);
    assert_eq!(knock(&receive, path, &command("2")).await, StatusCode::OK);
    assert_eq!(store.backlog().await.unwrap().ready, 1, "both commands wait in one mailbox");
    assert_eq!(store.dead(9).await.unwrap()[0].input.body.bytes(), b"{\"type\"");
}

/// So many inputs of a few hundred conversations wait in the spool; how long the store takes them.
pub(crate) async fn backlog(inputs: u32) -> Duration {
    let redis = RedisServer::start(&["--appendonly", "yes", "--appendfsync", "always"]);
    let folder = tempfile::tempdir().unwrap();
    let receive = doors(&redis.url(), folder.path(), u64::from(inputs));
    receive.store.found().await.unwrap();
    let spool = receive.spool.as_ref().unwrap();
    let mut expected: BTreeMap<Mailbox, Vec<String>> = BTreeMap::new();
    let numbers: Vec<u32> = (0..inputs).collect();
    for together in numbers.chunks(250) {
        let offers: Vec<_> = together.iter().map(|n| offer(&thread(n % 300), &format!("i{n}"))).collect();
        let kept = join_all(offers.iter().map(|offer| spool.put(SpoolEntry::Offer(offer.clone())))).await;
        assert!(kept.iter().all(|kept| matches!(kept, Ok(Kept::First | Kept::Behind))));
        for offer in offers {
            expected.entry(offer.mailbox).or_default().push(offer.input.id.to_string());
        }
    }
    let began = Instant::now();
    while !spool.is_empty() {
        // A disk that stalls fails a round; the next one goes on where it ended.
        receive.drain().await;
        assert!(began.elapsed() < Duration::from_mins(1), "it does not end");
    }
    let took = began.elapsed();
    for (mailbox, expected) in expected {
        let inside = receive.store.inside(&mailbox).await.unwrap();
        let found: Vec<String> = inside.waiting.iter().map(|input| input.id.to_string()).collect();
        assert_eq!(found, expected, "{mailbox}");
    }
    took
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f15_a_backlog_goes_into_the_store_fast_and_in_order() {
    let took = backlog(2_000).await;
    assert!(took < Duration::from_secs(20), "2,000 inputs took {took:?}");
}
