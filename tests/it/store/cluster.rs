//! A Cluster whose slots move and whose nodes die while inputs come in and are handled.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use bobbin::store::{Accepted, Commit, Store, StoreError, Turn};
use tokio_util::task::TaskTracker;

use super::{
    contract::{TTL, offer, thread},
    redis::at,
};
use crate::support::topology::Cluster;

/// Mailboxes, spread over the shards.
const MAILBOXES: u32 = 48;
/// Shards of the store on a Cluster.
const SHARDS: u16 = 16;
/// How long a move pauses between steps: long enough that inputs come in the middle of it.
const MOVING_PAUSE: Duration = Duration::from_millis(150);

/// Inputs that come and go as long as the test wants.
#[derive(Default)]
struct Flow {
    stop: AtomicBool,
    accepted: Mutex<BTreeSet<String>>,
    handled: Mutex<BTreeMap<String, usize>>,
    errors: Mutex<Vec<String>>,
    /// Mailboxes that refused an input, since it was last looked.
    refusing: Mutex<BTreeSet<u32>>,
}

impl Flow {
    fn start(store: &Arc<dyn Store>) -> (Arc<Self>, TaskTracker) {
        let (flow, tasks) = (Arc::new(Self::default()), TaskTracker::new());
        for lane in 0..4 {
            tasks.spawn(Arc::clone(&flow).offer(Arc::clone(store), lane));
        }
        for _ in 0..4 {
            tasks.spawn(Arc::clone(&flow).handle(Arc::clone(store)));
        }
        tasks.close();
        (flow, tasks)
    }

    /// Offers inputs; every second one until it is taken, as Slack would; after the others the sender turns elsewhere.
    async fn offer(self: Arc<Self>, store: Arc<dyn Store>, lane: u32) {
        for n in 0_u32.. {
            let (mailbox, id) = ((n * 4 + lane) % MAILBOXES, format!("i{lane}.{n}"));
            let goes_on = || !self.stop.load(Ordering::SeqCst);
            while !self.offered(store.as_ref(), mailbox, &id).await && n % 2 == 1 && goes_on() {}
            if !goes_on() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    }

    /// Offers an input once; whether it was taken.
    async fn offered(&self, store: &dyn Store, mailbox: u32, id: &str) -> bool {
        match store.accept(&offer(&thread(mailbox), id)).await {
            Ok(Accepted::Stored | Accepted::Duplicate) => {
                self.accepted.lock().unwrap().insert(id.to_owned());
                true
            }
            Ok(Accepted::Unknown) => panic!("every mailbox may be made"),
            Err(error) => {
                self.refusing.lock().unwrap().insert(mailbox);
                self.note(&error).await;
                false
            }
        }
    }

    async fn handle(self: Arc<Self>, store: Arc<dyn Store>) {
        while !self.stop.load(Ordering::SeqCst) {
            match self.turn(store.as_ref()).await {
                Ok(true) => {}
                Ok(false) => tokio::time::sleep(Duration::from_millis(5)).await,
                Err(error) => self.note(&error).await,
            }
        }
    }

    /// Handles one input; whether there was one.
    async fn turn(&self, store: &dyn Store) -> Result<bool, StoreError> {
        let Turn::Taken(leased) = store.lease(TTL).await? else { return Ok(false) };
        let id = leased.input.as_ref().map(|input| input.id.to_string()).unwrap_or_default();
        // The commit is repeated until it is known: an input counts once however often its handler asks.
        let deadline = Instant::now() + Duration::from_secs(30);
        loop {
            match store.commit(&leased.lease, &Commit::default()).await {
                Ok(()) | Err(StoreError::LeaseLost) => break,
                Err(error) => {
                    assert!(Instant::now() < deadline, "{error}");
                    self.note(&error).await;
                }
            }
        }
        *self.handled.lock().unwrap().entry(id).or_default() += 1;
        Ok(true)
    }

    async fn note(&self, error: &StoreError) {
        self.errors.lock().unwrap().push(error.to_string());
        tokio::time::sleep(Duration::from_millis(20)).await;
    }

    /// Ends the flow, handles what is left, and checks that what was accepted was handled once.
    async fn end(&self, tasks: TaskTracker, store: &dyn Store) {
        self.stop.store(true, Ordering::SeqCst);
        tasks.wait().await;
        let deadline = Instant::now() + Duration::from_secs(30);
        while self.turn(store).await.unwrap_or(true) {
            assert!(Instant::now() < deadline, "there is no end");
        }
        let (accepted, handled) = (self.accepted.lock().unwrap(), self.handled.lock().unwrap());
        let lost: Vec<&String> = accepted.iter().filter(|id| !handled.contains_key(*id)).collect();
        let doubled: Vec<_> = handled.iter().filter(|(_, times)| **times > 1).collect();
        assert!(lost.is_empty(), "{} of {} lost: {lost:?}", lost.len(), accepted.len());
        assert!(doubled.is_empty(), "doubled: {doubled:?}");
        assert!(accepted.len() > 100, "only {} inputs came", accepted.len());
        let errors = self.errors.lock().unwrap();
        let foreign = errors.iter().find(|e| ["CROSSSLOT", "non local key", "same slot"].iter().any(|w| e.contains(w)));
        assert_eq!(foreign, None);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f18_slots_that_move_under_load_lose_and_double_nothing() {
    let cluster = Arc::new(Cluster::start(3));
    let store = at(&cluster.url(), "bobbin", 0).founded().await.store;
    let (flow, tasks) = Flow::start(&store);
    for shard in [0, 5, 10, 15, 5] {
        tokio::time::sleep(Duration::from_millis(300)).await;
        flow.refusing.lock().unwrap().clear();
        let moving = Arc::clone(&cluster);
        let moved = tokio::task::spawn_blocking(move || {
            let slot = moving.slot(&format!("{{{shard}}}"));
            let to = (moving.owner(slot) + 1) % moving.nodes.len();
            moving.announce(slot, to);
            std::thread::sleep(MOVING_PAUSE);
            moving.carry(slot, to, MOVING_PAUSE);
            (moving.owner(slot), to)
        });
        let (owner, to) = moved.await.unwrap();
        assert_eq!(owner, to, "the slot of shard {shard} has not moved");
        let refusing = flow.refusing.lock().unwrap().len();
        let fair = MAILBOXES as usize / usize::from(SHARDS) * 3;
        assert!(refusing <= fair, "{refusing} of {MAILBOXES} mailboxes refused while one of {SHARDS} shards moved");
    }
    flow.end(tasks, store.as_ref()).await;
}

/// The moment that matters, held still: the move is announced, and no key has gone yet. A script that ran on the node
/// that the slot goes to would begin a second shard there, and the keys of the first could not come after.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f18_a_shard_between_two_nodes_takes_nothing_until_it_has_arrived() {
    let cluster = Cluster::start(2);
    let f = at(&cluster.url(), "bobbin", 0).founded().await;
    for mailbox in 0..MAILBOXES {
        f.put(&thread(mailbox), &format!("first{mailbox}")).await;
    }
    let slot = cluster.slot("{0}");
    let to = 1 - cluster.owner(slot);
    cluster.announce(slot, to);
    let mut refused = Vec::new();
    for mailbox in 0..MAILBOXES {
        if f.store.accept(&offer(&thread(mailbox), &format!("second{mailbox}"))).await.is_err() {
            refused.push(mailbox);
        }
    }
    assert!(!refused.is_empty() && refused.len() < MAILBOXES as usize / 4, "refused: {refused:?}");
    cluster.carry(slot, to, Duration::ZERO);
    for mailbox in refused {
        f.put(&thread(mailbox), &format!("second{mailbox}")).await;
    }
    let mut handled: BTreeMap<String, Vec<String>> = BTreeMap::new();
    while let Turn::Taken(leased) = f.store.lease(TTL).await.unwrap() {
        f.store.commit(&leased.lease, &Commit::default()).await.unwrap();
        let id = leased.input.map(|input| input.id.to_string()).unwrap_or_default();
        handled.entry(leased.lease.mailbox.to_string()).or_default().push(id);
    }
    let in_order: BTreeMap<String, Vec<String>> =
        (0..MAILBOXES).map(|n| (thread(n).to_string(), vec![format!("first{n}"), format!("second{n}")])).collect();
    assert_eq!(handled, in_order);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn f18_a_node_that_is_lost_does_not_stop_the_others() {
    let mut cluster = Cluster::start(3);
    let store = at(&cluster.url(), "bobbin", 0).founded().await.store;
    let mut homeless = BTreeSet::new();
    for mailbox in 0..MAILBOXES {
        store.accept(&offer(&thread(mailbox), &format!("before{mailbox}"))).await.unwrap();
    }
    cluster.nodes[1].kill();
    let mut housed = BTreeSet::new();
    let deadline = Instant::now() + Duration::from_mins(1);
    while housed.len() < MAILBOXES as usize / 2 {
        assert!(Instant::now() < deadline, "only {} mailboxes take inputs", housed.len());
        for mailbox in 0..MAILBOXES {
            let id = format!("after{mailbox}");
            match store.accept(&offer(&thread(mailbox), &id)).await {
                Ok(_) => drop(housed.insert(mailbox)),
                Err(_) => drop(homeless.insert(mailbox)),
            }
        }
    }
    // What lies on the nodes that live is handled, although others are out of reach.
    let mut handled = BTreeSet::new();
    while handled.len() < 2 * housed.len() {
        assert!(Instant::now() < deadline, "{} of {} inputs handled", handled.len(), 2 * housed.len());
        let Ok(Turn::Taken(leased)) = store.lease(TTL).await else { continue };
        store.commit(&leased.lease, &Commit::default()).await.unwrap();
        handled.extend(leased.input.map(|input| input.id.to_string()));
    }
}
