//! The spool by itself: order, bounds, and that its file keeps everything.

use std::path::Path;

use bobbin::store::{
    StoreError,
    embedded::{EmbeddedStore, Kept, Spool, SpoolBounds, SpoolEntry},
};
use jiff::Timestamp;

use super::contract::{input, offer, thread};
use crate::support::clock::TestClock;

fn open_bounded(path: &Path, bounds: SpoolBounds) -> Spool {
    Spool::open(path, TestClock::new(), bounds).unwrap()
}

fn open(path: &Path) -> Spool {
    open_bounded(path, SpoolBounds::default())
}

fn entry(id: &str) -> SpoolEntry {
    SpoolEntry::Offer(offer(&thread(1), id))
}

/// Ids of the oldest entries, in order.
async fn ids(spool: &Spool) -> Vec<String> {
    spool.oldest().await.unwrap().iter().map(|item| item.entry.input().id.to_string()).collect()
}

#[tokio::test]
async fn entries_come_back_in_order_and_as_they_were_after_the_process_is_gone() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool.db");
    let spool = open(&path);
    assert!(spool.is_empty() && spool.size().oldest.is_none());
    assert_eq!(spool.put(entry("i1")).await.unwrap(), Kept::First);
    let unreadable = SpoolEntry::Unreadable { input: input("i2", "\u{1f9f5}"), why: "no JSON".to_owned() };
    assert_eq!(spool.put(unreadable.clone()).await.unwrap(), Kept::Behind);
    assert_eq!(spool.put(entry("i3")).await.unwrap(), Kept::Behind);
    let size = spool.size();
    drop(spool);

    let spool = open(&path);
    assert_eq!((spool.size(), size.inputs), (size, 3));
    assert_eq!(size.oldest, Some("2026-11-24T02:00:00Z".parse::<Timestamp>().unwrap()));
    let items = spool.oldest().await.unwrap();
    assert_eq!(items.iter().map(|item| item.entry.clone()).collect::<Vec<_>>(), [entry("i1"), unreadable, entry("i3")]);
    spool.remove(vec![items[0].number, items[1].number]).await.unwrap();
    assert_eq!((ids(&spool).await, spool.size().inputs), (vec!["i3".to_owned()], 1));
    spool.put(entry("i4")).await.unwrap();
    spool.remove(vec![items[2].number]).await.unwrap();
    drop(spool);

    let spool = open(&path);
    assert_eq!(ids(&spool).await, ["i4"]);
    let number = spool.oldest().await.unwrap()[0].number;
    spool.remove(vec![number]).await.unwrap();
    assert_eq!((spool.is_empty(), spool.size().bytes), (true, 0));
}

#[tokio::test]
async fn a_full_spool_refuses_until_there_is_room_again() {
    let folder = tempfile::tempdir().unwrap();
    let size = serde_json::to_string(&entry("i1")).unwrap().len() as u64 + r#"{"v":1,"entry":}"#.len() as u64;
    for bounds in [SpoolBounds { inputs: 2, bytes: 1_000_000 }, SpoolBounds { inputs: 100, bytes: 2 * size }] {
        let spool = open_bounded(&folder.path().join(format!("{}.db", bounds.inputs)), bounds);
        spool.put(entry("i1")).await.unwrap();
        spool.check().await.unwrap();
        spool.put(entry("i2")).await.unwrap();
        assert_eq!(spool.put(entry("i3")).await.unwrap(), Kept::Full, "{bounds:?}");
        let why = spool.check().await.unwrap_err().to_string();
        assert!(why.contains("full with 2 inputs"), "{why}");
        assert_eq!(ids(&spool).await, ["i1", "i2"]);
        spool.remove(vec![0]).await.unwrap();
        assert_eq!(spool.put(entry("i3")).await.unwrap(), Kept::Behind);
        assert_eq!(ids(&spool).await, ["i2", "i3"]);
    }
}

#[tokio::test]
async fn a_batch_is_bounded_and_the_rest_follows() {
    let folder = tempfile::tempdir().unwrap();
    let spool = open(&folder.path().join("spool.db"));
    let large = |id: &str| SpoolEntry::Unreadable { input: input(id, &"x".repeat(1024 * 1024)), why: String::new() };
    for n in 0..6 {
        spool.put(large(&format!("i{n}"))).await.unwrap();
    }
    let mut seen = Vec::new();
    while !spool.is_empty() {
        let items = spool.oldest().await.unwrap();
        assert!((1..=4).contains(&items.len()), "{} at once", items.len());
        seen.extend(items.iter().map(|item| item.entry.input().id.to_string()));
        spool.remove(items.iter().map(|item| item.number).collect()).await.unwrap();
    }
    assert_eq!(seen, ["i0", "i1", "i2", "i3", "i4", "i5"]);
}

#[tokio::test]
async fn a_damaged_entry_is_given_out_as_it_is_and_a_newer_one_waits_for_a_newer_program() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool.db");
    let spool = open(&path);
    for id in ["i1", "i2"] {
        spool.put(entry(id)).await.unwrap();
    }
    drop(spool);
    replace(&path, 0, "{\"v\":1,\"entry\":");
    let items = open(&path).oldest().await.unwrap();
    let SpoolEntry::Unreadable { input, .. } = &items[0].entry else { panic!("{:?}", items[0]) };
    assert_eq!(input.body.bytes(), b"{\"v\":1,\"entry\":");
    assert_eq!(items[1].entry, entry("i2"));

    replace(&path, 0, "{\"v\":2,\"entry\":{}}");
    let refused = open(&path).oldest().await;
    assert!(matches!(refused, Err(StoreError::Corrupt(_))), "{refused:?}");
}

/// Writes something else in the place of an entry.
fn replace(path: &Path, number: u64, text: &str) {
    let database = redb::Database::open(path).unwrap();
    let write = database.begin_write().unwrap();
    let table = redb::TableDefinition::<u64, (i64, &str)>::new("spool");
    write.open_table(table).unwrap().insert(number, (0, text)).unwrap();
    write.commit().unwrap();
}

#[tokio::test]
async fn a_spool_in_use_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("spool.db");
    let _store = EmbeddedStore::open(&path, TestClock::new()).unwrap();
    let error = Spool::open(&path, TestClock::new(), SpoolBounds::default()).unwrap_err().to_string();
    assert!(error.contains("spool.db") && error.contains("already open"), "{error}");
}
