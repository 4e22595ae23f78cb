//! Power cuts: a disk that forgets what was not synced, as real ones do, under the store and under the spool.
//!
//! Between two syncs a disk may write any of the sectors it was given, in any order. At the cut each run keeps, seeded,
//! none, all, a beginning or a random part of what was not synced, down to single sectors. What was acknowledged has to
//! be there when the file is opened again. A disk whose sync does nothing must be caught by the same check: otherwise
//! the check would prove nothing.

use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    path::Path,
    sync::{Arc, Mutex, MutexGuard},
    time::Duration,
};

use futures_util::future::join_all;
use redb::{Builder, StorageBackend};

use super::{EmbeddedStore, Spool, SpoolBounds, SpoolEntry, handle::Handle, writer::Opener};
use crate::{
    clock::SystemClock,
    domain::mailbox::Mailbox,
    store::{Accepted, Admit, Commit, Door, Founding as _, Input, Lease, Offer, Store as _, StoreError, Turn},
};

/// What a disk writes whole or not at all.
const SECTOR: usize = 512;
/// Runs for the store and for the spool.
const SEEDS: u64 = 50;
/// A run is cut at one of so many writes and syncs.
const CUT_WITHIN: u64 = 400;
/// Mailboxes of a run.
const MAILBOXES: u64 = 3;
/// Leases outlast a run.
const TTL: Duration = Duration::from_mins(1);

/// Random numbers that a seed makes again (`SplitMix64`).
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// A number below `bound`.
    fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// A change that the disk was given.
#[derive(Debug, Clone)]
enum Change {
    Length(usize),
    Sector(usize, Vec<u8>),
}

impl Change {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match self {
            Self::Length(length) => bytes.resize(*length, 0),
            Self::Sector(offset, data) => {
                let end = offset + data.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[*offset..end].copy_from_slice(data);
            }
        }
    }
}

/// What is on the disk, and what only its cache knows.
#[derive(Debug)]
struct Platter {
    cached: Vec<u8>,
    synced: Vec<u8>,
    since: Vec<Change>,
    syncs: bool,
    /// Writes and syncs until the power goes.
    left: u64,
}

#[derive(Debug, Clone)]
struct Disk(Arc<Mutex<Platter>>);

impl Disk {
    fn new(bytes: Vec<u8>, syncs: bool, left: u64) -> Self {
        Self(Arc::new(Mutex::new(Platter { cached: bytes.clone(), synced: bytes, since: Vec::new(), syncs, left })))
    }

    fn platter(&self) -> MutexGuard<'_, Platter> {
        self.0.lock().unwrap()
    }

    /// The disk as long as there is power for one more write or sync.
    fn powered(&self) -> io::Result<MutexGuard<'_, Platter>> {
        let mut platter = self.platter();
        platter.left = platter.left.checked_sub(1).ok_or_else(|| io::Error::other("the power is off"))?;
        Ok(platter)
    }

    fn change(&self, changes: impl IntoIterator<Item = Change>) -> io::Result<()> {
        let mut platter = self.powered()?;
        for change in changes {
            change.apply(&mut platter.cached);
            platter.since.push(change);
        }
        Ok(())
    }

    fn is_off(&self) -> bool {
        self.platter().left == 0
    }

    /// What is found after the cut.
    fn after_the_cut(&self, random: &mut Random) -> Vec<u8> {
        let platter = self.platter();
        let mut bytes = platter.synced.clone();
        let all = platter.since.len() as u64;
        let (beginning, odds) = match random.below(4) {
            0 => (0, 0),
            1 => (all, 0),
            2 => (random.below(all + 1), 0),
            _ => (0, random.below(100)),
        };
        for (number, change) in platter.since.iter().enumerate() {
            if (number as u64) < beginning || random.below(100) < odds {
                change.apply(&mut bytes);
            }
        }
        bytes
    }

    fn opener(&self) -> Opener {
        let disk = self.clone();
        Box::new(move || {
            if disk.is_off() {
                return Err(StoreError::Unavailable("the power is off".to_owned()));
            }
            Builder::new().create_with_backend(disk.clone()).map_err(|e| StoreError::Unavailable(e.to_string()))
        })
    }

    fn store(&self) -> Result<EmbeddedStore, StoreError> {
        Ok(EmbeddedStore { path: "disk".into(), file: Handle::start(self.opener(), Arc::new(SystemClock))? })
    }

    fn spool(&self) -> Result<Spool, StoreError> {
        Spool::on(Path::new("disk"), self.opener(), Arc::new(SystemClock), SpoolBounds::default())
    }
}

impl StorageBackend for Disk {
    fn len(&self) -> io::Result<u64> {
        Ok(self.platter().cached.len() as u64)
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let platter = self.platter();
        // A disk that did not sync may have lost its end.
        let there = platter.cached.get(offset..offset + out.len()).ok_or(io::ErrorKind::UnexpectedEof)?;
        out.copy_from_slice(there);
        Ok(())
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change([Change::Length(usize::try_from(len).unwrap())])
    }

    fn sync_data(&self) -> io::Result<()> {
        let mut platter = self.powered()?;
        if platter.syncs {
            let since = std::mem::take(&mut platter.since);
            for change in since {
                change.apply(&mut platter.synced);
            }
        }
        Ok(())
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        let offset = usize::try_from(offset).unwrap();
        let sector = |(number, bytes): (usize, &[u8])| Change::Sector(offset + number * SECTOR, bytes.to_vec());
        self.change(data.chunks(SECTOR).enumerate().map(sector))
    }
}

/// What is known of one input.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    /// Acknowledged: it has to be there.
    Taken,
    /// Offered, or its end was asked for, without an answer: it may be there.
    Perhaps,
    /// Its end was acknowledged: it must not come again.
    Ended,
}

/// What is known of a mailbox.
#[derive(Debug, Default)]
struct Place {
    /// Inputs in order.
    inputs: Vec<(String, Known)>,
    /// States it may have.
    states: BTreeSet<Option<String>>,
    /// The input whose journal has a record.
    begun: Option<String>,
}

fn mailbox(number: u64) -> Mailbox {
    format!("thread:T1/C{number}/1700000000.000001").parse().unwrap()
}

fn offer(place: u64, id: &str) -> Offer {
    let body = format!("{{\"pad\":\"{}\"}}", "x".repeat(id.len() * 40)).into_bytes();
    let at = "2026-11-24T02:00:00Z".parse().unwrap();
    let input = Input { v: Input::VERSION, id: id.parse().unwrap(), at, door: Door::Events, body: body.into() };
    Offer { mailbox: mailbox(place), input, seen: vec![id.to_owned()], admit: Admit::Always }
}

/// Works on a store until the power goes, and gives back what is known then.
async fn work(store: &EmbeddedStore, random: &mut Random) -> BTreeMap<Mailbox, Place> {
    let mut places: BTreeMap<Mailbox, Place> = BTreeMap::new();
    // Without it nothing is handed out, which is found out again after the cut.
    let _founded = store.found().await.is_ok();
    for number in 0..MAILBOXES {
        places.entry(mailbox(number)).or_default().states.insert(None);
    }
    for round in 0_u32.. {
        let on = if random.below(3) == 0 {
            turn(store, &mut places, round).await
        } else {
            arrive(store, random, &mut places, round).await
        };
        if !on {
            break;
        }
    }
    places
}

/// Some inputs at once, so that they share a group; false when the power is off.
async fn arrive(store: &EmbeddedStore, random: &mut Random, places: &mut BTreeMap<Mailbox, Place>, round: u32) -> bool {
    let together = 1 + random.below(6);
    let offers: Vec<_> = (0..together).map(|n| offer(random.below(MAILBOXES), &format!("i{round}.{n}"))).collect();
    let answers = join_all(offers.iter().map(|offer| store.accept(offer))).await;
    for (offer, answer) in offers.iter().zip(&answers) {
        let known = match answer {
            Ok(accepted) => {
                assert_eq!(*accepted, Accepted::Stored);
                Known::Taken
            }
            Err(_) => Known::Perhaps,
        };
        places.get_mut(&offer.mailbox).unwrap().inputs.push((offer.input.id.to_string(), known));
    }
    answers.iter().all(Result::is_ok)
}

/// Takes a turn and ends it; false when the power is off.
async fn turn(store: &EmbeddedStore, places: &mut BTreeMap<Mailbox, Place>, round: u32) -> bool {
    let leased = match store.lease(TTL).await {
        Ok(Turn::Taken(leased)) => leased,
        Ok(Turn::Idle { .. } | Turn::Unfounded) => return true,
        Err(_) => return false,
    };
    let place = places.get_mut(&leased.lease.mailbox).unwrap();
    let id = leased.input.unwrap().id.to_string();
    if store.begin(&leased.lease, "post", &id).await.is_err() {
        return false;
    }
    place.begun = Some(id.clone());
    end(store, &leased.lease, place, &id, round).await
}

async fn end(store: &EmbeddedStore, lease: &Lease, place: &mut Place, id: &str, round: u32) -> bool {
    let state = Some(format!("state {round}"));
    let done = store.commit(lease, &Commit { state: state.clone(), ..Commit::default() }).await.is_ok();
    let known = if done { Known::Ended } else { Known::Perhaps };
    place.inputs.iter_mut().find(|(input, _)| input == id).unwrap().1 = known;
    if done {
        place.states.clear();
        place.begun = None;
    }
    place.states.insert(state);
    done
}

/// What is not as it was acknowledged; nothing if all is well.
async fn wrong(store: &EmbeddedStore, places: BTreeMap<Mailbox, Place>) -> Option<String> {
    let mut found: BTreeMap<Mailbox, Vec<String>> = BTreeMap::new();
    for (mailbox, place) in &places {
        let state = store.state(mailbox).await.unwrap();
        if !place.states.contains(&state) {
            return Some(format!("{mailbox} has {state:?} instead of {:?}", place.states));
        }
    }
    store.found().await.unwrap();
    while let Turn::Taken(leased) = store.lease(TTL).await.unwrap() {
        let place = &places[&leased.lease.mailbox];
        let id = leased.input.unwrap().id.to_string();
        if place.begun.as_ref() == Some(&id) && leased.journal.get("post") != Some(&id) {
            return Some(format!("the journal of {id} is gone"));
        }
        store.commit(&leased.lease, &Commit::default()).await.unwrap();
        found.entry(leased.lease.mailbox).or_default().push(id);
    }
    places.iter().find_map(|(mailbox, place)| missing(&place.inputs, found.remove(mailbox).unwrap_or_default()))
}

/// How what was found differs from what is known.
fn missing(known: &[(String, Known)], found: Vec<String>) -> Option<String> {
    let mut rest = found.into_iter().peekable();
    for (id, known) in known {
        let there = rest.next_if_eq(id).is_some();
        match known {
            Known::Taken if !there => return Some(format!("{id} was acknowledged and is gone")),
            Known::Ended if there => return Some(format!("{id} was ended and is there again")),
            Known::Taken | Known::Ended | Known::Perhaps => {}
        }
    }
    rest.next().map(|id| format!("{id} is out of order"))
}

/// A run on a store; what was wrong after the cut.
async fn cut_a_store(seed: u64, syncs: bool) -> Option<String> {
    let mut random = Random(seed);
    let disk = Disk::new(Vec::new(), syncs, 20 + random.below(CUT_WITHIN));
    let Ok(store) = disk.store() else { return None };
    let known = work(&store, &mut random).await;
    drop(store);
    match Disk::new(disk.after_the_cut(&mut random), true, u64::MAX).store() {
        Ok(store) => wrong(&store, known).await,
        Err(error) => Some(error.to_string()),
    }
}

/// The same on a spool: entries come in groups, and the oldest are removed.
async fn cut_a_spool(seed: u64, syncs: bool) -> Option<String> {
    let mut random = Random(seed);
    let disk = Disk::new(Vec::new(), syncs, 20 + random.below(CUT_WITHIN));
    let Ok(spool) = disk.spool() else { return None };
    let mut known: Vec<(String, Known)> = Vec::new();
    let mut on = true;
    for round in 0.. {
        if !on {
            break;
        }
        let offers: Vec<_> = (0..=random.below(6)).map(|n| offer(0, &format!("i{round}.{n}"))).collect();
        let answers = join_all(offers.iter().map(|offer| spool.put(SpoolEntry::Offer(offer.clone())))).await;
        known.extend(offers.iter().zip(&answers).map(|(offer, answer)| {
            (offer.input.id.to_string(), if answer.is_ok() { Known::Taken } else { Known::Perhaps })
        }));
        on = answers.iter().all(Result::is_ok);
        if on && random.below(3) == 0 {
            on = remove_some(&spool, &mut random, &mut known).await;
        }
    }
    drop(spool);
    match Disk::new(disk.after_the_cut(&mut random), true, u64::MAX).spool() {
        Ok(spool) => {
            let items = spool.oldest().await.unwrap();
            assert_eq!(spool.size().inputs, items.len() as u64);
            missing(&known, items.iter().map(|item| item.entry.input().id.to_string()).collect())
        }
        Err(error) => Some(error.to_string()),
    }
}

/// Removes some of the oldest; false when the power is off.
async fn remove_some(spool: &Spool, random: &mut Random, known: &mut [(String, Known)]) -> bool {
    let Ok(mut items) = spool.oldest().await else { return false };
    items.truncate(usize::try_from(random.below(20)).unwrap());
    let done = spool.remove(items.iter().map(|item| item.number).collect()).await.is_ok();
    for item in items {
        let id = item.entry.input().id.to_string();
        known.iter_mut().find(|(known, _)| *known == id).unwrap().1 = if done { Known::Ended } else { Known::Perhaps };
    }
    done
}

#[tokio::test]
async fn f35_a_power_cut_takes_nothing_that_the_store_acknowledged() {
    for seed in 0..SEEDS {
        let wrong = cut_a_store(seed, true).await;
        assert_eq!(wrong, None, "seed {seed}");
    }
}

#[tokio::test]
async fn f35_a_power_cut_takes_nothing_that_the_spool_acknowledged() {
    for seed in 0..SEEDS {
        let wrong = cut_a_spool(seed, true).await;
        assert_eq!(wrong, None, "seed {seed}");
    }
}

#[tokio::test]
async fn control_f35_without_syncs_the_same_cuts_are_found_to_lose() {
    let (mut store, mut spool) = (0, 0);
    for seed in 0..SEEDS {
        store += u64::from(cut_a_store(seed, false).await.is_some());
        spool += u64::from(cut_a_spool(seed, false).await.is_some());
    }
    // A quarter of the cuts keeps everything that was written.
    assert!(store > SEEDS / 2 && spool > SEEDS / 2, "of {SEEDS} cuts the store lost in {store}, the spool in {spool}");
}
