//! What size does: the watch over many links, and a backlog of many inputs, on a real redis-server of its own. The
//! figures are for a report; what must hold whatever the size is asserted here: nothing lost, nothing doubled, in order.
//!
//! Resident memory is the process's: it means something only where nothing else runs beside it.

use std::{
    collections::BTreeMap,
    fmt, fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use bobbin::{
    clock::Clock as _,
    domain::{ids::Ts, mailbox::Mailbox},
    oversight::{Filter, Oversight},
    store::{
        Accepted, Activity, Admit, Commit, Door, Founding as _, Input, Offer, STORY_MAX, SharedStore, Store, Turn,
        redis::RedisStore,
    },
    twin::world::{ADA, BACKEND},
    watch::Looked,
};
use futures_util::{StreamExt as _, stream};
use jiff::{SignedDuration, Timestamp};

use super::{
    clock::TestClock,
    links::{self, Made, planned, thread_of},
    redis::RedisServer,
    world::{On, World, id},
};
use crate::pages::Desk;

/// The loop of the watch asks itself every second whether it is time.
const SECOND: Duration = Duration::from_secs(1);
/// Seconds from one change to the next: few change, and not in step with the looks.
const CHANGE_EVERY: u64 = 17;
/// Waiting inputs of one mailbox.
const INPUTS_PER_MAILBOX: u32 = 10;
/// Channels that the mailboxes are spread over.
const CHANNELS: u32 = 100;
/// Looks at each page.
const LOOKS: usize = 7;
/// Store operations at once, as many as a few replicas have workers.
const AT_ONCE: usize = 64;

/// What the watch over many links came to.
#[derive(Debug)]
pub(crate) struct WatchReport {
    pub(crate) links: usize,
    /// What Redis keeps for a link.
    pub(crate) redis_bytes_per_link: i64,
    /// By how much the process grew while it watched, twins included.
    pub(crate) resident_growth_bytes: i64,
    /// How long a look took.
    pub(crate) look_p50: Duration,
    pub(crate) look_max: Duration,
    /// List calls at Devin.
    pub(crate) lists_per_minute: f64,
    /// All calls at Devin, those of the handlers included.
    pub(crate) calls_per_minute: f64,
    /// From a change at Devin to the post about it, by the clock of the test.
    pub(crate) told_p50: SignedDuration,
    pub(crate) told_max: SignedDuration,
}

/// What a backlog of many inputs came to.
#[derive(Debug)]
pub(crate) struct BacklogReport {
    pub(crate) inputs: u32,
    /// What Redis keeps for a waiting input.
    pub(crate) redis_bytes_per_input: i64,
    /// The most that the process grew by.
    pub(crate) resident_growth_bytes: i64,
    pub(crate) accepted_per_second: f64,
    /// How long it took to ask what waits, with all of it waiting.
    pub(crate) backlog_asked: Duration,
    /// Turns (lease and commit) a second while nearly all wait.
    pub(crate) turns_per_second_full: f64,
    /// The same while nearly none waits.
    pub(crate) turns_per_second_empty: f64,
}

impl fmt::Display for WatchReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { links, redis_bytes_per_link, lists_per_minute, calls_per_minute, .. } = self;
        writeln!(f, "{links} links: {redis_bytes_per_link} bytes of Redis each")?;
        writeln!(f, "the process grew by {} bytes", self.resident_growth_bytes)?;
        writeln!(f, "a look took {:?}, at most {:?}", self.look_p50, self.look_max)?;
        writeln!(f, "a minute saw {lists_per_minute:.1} list calls, {calls_per_minute:.1} calls of all kinds")?;
        writeln!(f, "a change was told after {:?}, at most {:?}", self.told_p50, self.told_max)
    }
}

impl fmt::Display for BacklogReport {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { inputs, redis_bytes_per_input, turns_per_second_full, turns_per_second_empty, .. } = self;
        writeln!(f, "{inputs} inputs: {redis_bytes_per_input} bytes of Redis each")?;
        writeln!(f, "{:.0} were accepted a second", self.accepted_per_second)?;
        writeln!(f, "the process grew by {} bytes at most", self.resident_growth_bytes)?;
        writeln!(f, "asking what waits took {:?}", self.backlog_asked)?;
        writeln!(f, "{turns_per_second_full:.0} turns a second at first, {turns_per_second_empty:.0} at the end")
    }
}

/// Watches so many links for so many minutes, of which half work, and changes a few of them.
pub(crate) async fn watch_at_scale(links: usize, minutes: u64) -> WatchReport {
    let server = RedisServer::start(&[]);
    let open =
        |_: &Path, clock| Arc::new(RedisStore::with_prefix(&server.url(), clock, 0, "scale").unwrap()) as SharedStore;
    let mut world = World::with(On::Redis, &[], open).await;
    world.lenient();
    let most = usize::try_from(minutes * 60 / CHANGE_EVERY).unwrap();
    let changing = changing(&mut world, most.min(links / 4)).await;
    let (working, waiting) = (links / 2 - changing.len(), links / 5);
    let others = [
        (Activity::Working, working),
        (Activity::Waiting, waiting),
        (Activity::Asleep, links - changing.len() - working - waiting),
    ];
    let made = [changing.clone(), planned(1, others)].concat();
    let empty = used_memory(&server);
    links::make(&*world.store, &world.devin, world.clock.now(), &made).await;
    let redis_bytes_per_link = (used_memory(&server) - empty) / i64::try_from(links).unwrap();
    drop(made);

    let (resident, began) = (resident_bytes(), world.clock.now());
    let mut looks = Vec::new();
    let mut moved: BTreeMap<Ts, Timestamp> = BTreeMap::new();
    // By the clock, which goes on by itself as well: a busy machine's minutes would see one walk more.
    let end = began + SignedDuration::try_from(Duration::from_mins(minutes)).unwrap();
    let seconds = (0..).take_while(|_| world.clock.now() < end);
    for second in seconds {
        if second % CHANGE_EVERY == 7
            && let Some(made) = changing.get(moved.len())
        {
            moved.insert(made.thread.root.clone(), world.clock.now());
            let detail = Some("waiting_for_user".to_owned().into());
            world.devin.set(&made.session, "running".to_owned().into(), detail).unwrap();
        }
        world.clock.advance(SECOND);
        let asked = Instant::now();
        if matches!(world.bobbin.watch.step().await.unwrap(), Looked::Saw(_)) {
            looks.push(asked.elapsed());
        }
        world.work_off().await;
    }
    let watched = world.clock.now().duration_since(began).unsigned_abs();
    let told = told(&world, &moved);
    looks.sort();
    WatchReport {
        links,
        redis_bytes_per_link,
        resident_growth_bytes: resident_bytes() - resident,
        look_p50: looks[looks.len() / 2],
        look_max: *looks.last().unwrap(),
        lists_per_minute: 60.0 * a_second(world.devin.calls("sessions.list"), watched),
        calls_per_minute: 60.0 * a_second(world.devin.read(|state| state.ledger.len()), watched),
        told_p50: told[told.len() / 2],
        told_max: *told.last().unwrap(),
    }
}

/// Links of threads that exist in Slack, so that a change can be told there.
async fn changing(world: &mut World, count: usize) -> Vec<Made> {
    let mut made = Vec::new();
    for number in 0..count {
        let root = world.say(ADA, BACKEND, &format!("the login test fails ({number})"));
        let session = id(&format!("c{number:031x}"));
        made.push(Made { thread: thread_of(&root), session, activity: Activity::Working });
    }
    world.settle().await;
    made
}

/// How long each change took to be told, in order; each was told exactly once.
fn told(world: &World, changed: &BTreeMap<Ts, Timestamp>) -> Vec<SignedDuration> {
    let posts = world.posts("bobbin_transition");
    assert_eq!(posts.len(), changed.len(), "each change is told exactly once");
    let mut told: Vec<SignedDuration> = changed
        .iter()
        .map(|(root, at)| {
            let post = posts.iter().find(|post| post.thread_ts.as_ref() == Some(root)).expect("a post in the thread");
            let posted = Timestamp::from_microsecond(post.ts.as_str().replace('.', "").parse().unwrap()).unwrap();
            posted.duration_since(*at)
        })
        .collect();
    told.sort();
    told
}

/// Puts so many inputs in before anybody takes one out, and then takes all of them out.
pub(crate) async fn backlog_at_scale(inputs: u32) -> BacklogReport {
    let server = RedisServer::start(&[]);
    let clock = TestClock::new();
    let store = RedisStore::with_prefix(&server.url(), clock.clone(), 0, "scale").unwrap();
    let mailboxes = inputs / INPUTS_PER_MAILBOX;
    let (empty, resident) = (used_memory(&server), resident_bytes());
    store.found().await.unwrap();
    let began = Instant::now();
    let (store, now) = (&store, clock.now());
    stream::iter(0..inputs).for_each_concurrent(AT_ONCE, async |n| put(store, now, n, mailboxes).await).await;
    let accepted_per_second = a_second(usize::try_from(inputs).unwrap(), began.elapsed());
    let redis_bytes_per_input = (used_memory(&server) - empty) / i64::from(inputs);
    let mut most = resident_bytes() - resident;

    let asked = Instant::now();
    let backlog = store.backlog().await.unwrap();
    let backlog_asked = asked.elapsed();
    assert_eq!(backlog.ready, u64::from(mailboxes));
    let drained = drain(store, inputs, mailboxes).await;
    most = most.max(resident_bytes() - resident);
    assert_eq!(store.backlog().await.unwrap().ready, 0);
    // A twentieth at each end.
    let share = drained.len() / 20;
    let rate = |turns: &[Duration]| a_second(turns.len() - 1, turns[turns.len() - 1].saturating_sub(turns[0]));
    BacklogReport {
        inputs,
        redis_bytes_per_input,
        resident_growth_bytes: most,
        accepted_per_second,
        backlog_asked,
        turns_per_second_full: rate(&drained[..share]),
        turns_per_second_empty: rate(&drained[drained.len() - share..]),
    }
}

async fn put(store: &RedisStore, now: Timestamp, number: u32, mailboxes: u32) {
    let input = Input::received(now, Door::Events, format!("{{\"number\":{number}}}").into_bytes());
    let mailbox = number % mailboxes;
    let mailbox: Mailbox = format!("thread:T1/C{}/1700000000.{mailbox:06}", mailbox % CHANNELS).parse().unwrap();
    let offer = Offer { mailbox, input, seen: vec![format!("i{number}")], admit: Admit::Always };
    assert_eq!(store.accept(&offer).await.unwrap(), Accepted::Stored);
}

/// Handles everything, each mailbox in its order and each input once; when each turn ended.
async fn drain(store: &RedisStore, inputs: u32, mailboxes: u32) -> Vec<Duration> {
    let next: Vec<AtomicU32> = (0..mailboxes).map(AtomicU32::new).collect();
    let left = AtomicUsize::new(usize::try_from(inputs).unwrap());
    let began = Instant::now();
    let workers = stream::iter(0..AT_ONCE).map(async |_| {
        let mut ended = Vec::new();
        while left.load(Ordering::SeqCst) > 0 {
            let leased = match store.lease(Duration::from_mins(5)).await.unwrap() {
                Turn::Taken(leased) => leased,
                // The last inputs are in other hands.
                Turn::Idle { .. } => {
                    tokio::time::sleep(Duration::from_millis(1)).await;
                    continue;
                }
                Turn::Unfounded => panic!("the store is founded"),
            };
            let body: serde_json::Value = serde_json::from_slice(leased.input.unwrap().body.bytes()).unwrap();
            let number = u32::try_from(body["number"].as_u64().unwrap()).unwrap();
            let due = next[usize::try_from(number % mailboxes).unwrap()].fetch_add(mailboxes, Ordering::SeqCst);
            assert_eq!(number, due, "the inputs of a mailbox come in order, each once");
            store.commit(&leased.lease, &Commit::default()).await.unwrap();
            left.fetch_sub(1, Ordering::SeqCst);
            ended.push(began.elapsed());
        }
        ended
    });
    let mut ended = workers.buffer_unordered(AT_ONCE).concat().await;
    ended.sort();
    ended
}

fn a_second(count: usize, time: Duration) -> f64 {
    f64::from(u32::try_from(count).unwrap()) / time.as_secs_f64()
}

/// What Redis says that it uses, in bytes.
fn used_memory(server: &RedisServer) -> i64 {
    let info: String = redis::from_redis_value(server.command(&["INFO", "memory"])).unwrap();
    let line = info.lines().find_map(|line| line.strip_prefix("used_memory:")).unwrap();
    line.trim().parse().unwrap()
}

/// What this process has in memory, in bytes.
fn resident_bytes() -> i64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<i64>().unwrap() * 1024
}

/// How long each of the console's pages of sessions takes with so many links in a file, the median of a few looks: all of
/// them, those after a hundred, those of a phase and of a person, one thread with a story of the greatest length, and the
/// counts.
pub(crate) async fn console_at_scale(links: usize) -> Vec<(&'static str, Duration)> {
    let world = World::on(On::Embedded).await;
    let half = links / 2;
    let made = planned(0, [(Activity::Waiting, half), (Activity::Asleep, links - half), (Activity::Over, 0)]);
    links::make(world.store.as_ref(), &world.devin, world.clock.now(), &made).await;
    assert_eq!(world.bobbin.oversight.list_older("one").await.unwrap(), links);
    links::narrate(world.store.as_ref(), &made[half], STORY_MAX).await;
    let page = world.bobbin.oversight.links(&Filter::All, None, 100.min(links / 2)).await.unwrap();
    let after = page.next.unwrap().to_string();
    let after: String = url::form_urlencoded::byte_serialize(after.as_bytes()).collect();
    let key = &made[half].thread;
    let pages = [
        ("now", "/console".to_owned()),
        ("sessions", "/console/sessions".to_owned()),
        ("older sessions", format!("/console/sessions?after={after}")),
        ("sessions of a phase", "/console/sessions?phase=asleep".to_owned()),
        ("sessions of a person", format!("/console/sessions?q={ADA}")),
        ("thread", format!("/console/threads/{}/{}/{}", key.team, key.channel, key.root)),
    ];
    let (desk, mut took) = (Desk::default(), Vec::new());
    for (name, path) in pages {
        let mut looks = Vec::new();
        for _ in 0..LOOKS {
            let began = Instant::now();
            let page = desk.shown(&world.bobbin, &path).await;
            looks.push(began.elapsed());
            assert!(page.status.is_success() && page.text.contains("Fix the login test"), "{path}: {}", page.text);
        }
        looks.sort();
        took.push((name, looks[LOOKS / 2]));
    }
    took
}

/// Since when each session waits that waits for a person, as they are listed.
async fn in_order(over: &Oversight) -> Vec<Timestamp> {
    let (mut all, mut after) = (Vec::new(), None);
    loop {
        let page = over.links(&Filter::Waiting, after.as_ref(), 100).await.unwrap();
        all.extend(page.links.iter().map(|link| link.since));
        match page.next {
            Some(next) => after = Some(next),
            None => return all,
        }
    }
}

/// How long the slowest page of so many links takes: the first, one in the middle, one of a phase, and the counts.
pub(crate) async fn pages_at_scale(on: On, links: usize) -> Duration {
    let world = World::on(on).await;
    let half = links / 2;
    let made = planned(0, [(Activity::Waiting, half), (Activity::Asleep, links - half), (Activity::Over, 0)]);
    links::make(world.store.as_ref(), &world.devin, world.clock.now(), &made).await;
    let over = &world.bobbin.oversight;
    assert_eq!(over.list_older("one").await.unwrap(), links);
    let waiting = in_order(over).await;
    assert_eq!(waiting.len(), half);
    assert!(waiting.is_sorted(), "longest first, to the last");
    let mut slowest = Duration::ZERO;
    let mut after = None;
    for filter in [Filter::All, Filter::All, Filter::All, Filter::Phase("your_turn".to_owned())] {
        let began = Instant::now();
        let page = over.links(&filter, after.as_ref(), 100).await.unwrap();
        over.phases().await.unwrap();
        slowest = slowest.max(began.elapsed());
        assert_eq!(page.links.len(), 100);
        after = page.next.filter(|_| filter == Filter::All);
    }
    slowest
}
