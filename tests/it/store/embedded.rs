//! The embedded store: the contract, and that its file keeps everything.

use std::{collections::BTreeMap, path::Path, sync::Arc, time::Duration};

use bobbin::store::{Accepted, Activity, Commit, StoreError, Track, embedded::EmbeddedStore};
use redb::{ReadableDatabase, ReadableTableMetadata, TableHandle};

use super::contract::{Fixture, contract_of_one_shard, id, input, offer, thread};
use crate::support::clock::TestClock;

contract_of_one_shard!(crate::store::embedded::open);

#[tokio::test]
async fn a_reopened_file_keeps_everything_and_releases_leases() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bobbin.db");
    let f = open_at(&path);
    f.put(&thread(1), "i1").await;
    f.put(&thread(2), "i2").await;
    let held = f.take().await;
    f.store.begin(&held.lease, "post", "begun").await.unwrap();
    let other = f.take().await;
    let track = Some(Track { session: "s1".parse().unwrap(), activity: Activity::Waiting });
    let left = Commit { state: Some("linked".to_owned()), track, ..Commit::default() };
    f.store.bury(&other.lease, "why", &left).await.unwrap();
    f.store.remember("k", "v", Duration::from_hours(1)).await.unwrap();
    drop(f);

    let f = open_at(&path);
    let again = f.take().await;
    assert_eq!((id(&again), again.attempt), (Some("i1"), 2));
    assert_eq!(again.journal.get("post").map(String::as_str), Some("begun"));
    assert!(matches!(f.store.begin(&held.lease, "post", "x").await, Err(StoreError::LeaseLost)));
    assert_eq!(f.store.state(&thread(2)).await.unwrap().as_deref(), Some("linked"));
    assert_eq!(f.store.dead(9).await.unwrap()[0].input, input("i2", "{}"));
    assert_eq!(f.store.recall("k").await.unwrap().as_deref(), Some("v"));
    assert_eq!(f.store.tracked(Activity::Waiting, None, 9).await.unwrap()[0].mailbox, thread(2));
    assert_eq!(f.store.accept(&offer(&thread(1), "i1")).await.unwrap(), Accepted::Duplicate);
}

#[tokio::test]
async fn a_file_of_layout_1_keeps_its_watched_sessions() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bobbin.db");
    drop(open_at(&path));
    let rows = [("s1", 0, thread(1)), ("s2", 1, thread(2)), ("s3", 2, thread(3)), ("s4", 2, thread(4))];
    {
        let database = redb::Database::open(&path).unwrap();
        let write = database.begin_write().unwrap();
        write.open_table(redb::TableDefinition::<&str, i64>::new("meta")).unwrap().insert("layout", 1).unwrap();
        let watched = redb::TableDefinition::<(u8, &str), &str>::new("watched");
        let tracked = redb::TableDefinition::<&str, u8>::new("tracked");
        for (session, activity, mailbox) in &rows {
            let mailbox = mailbox.to_string();
            write.open_table(watched).unwrap().insert((*activity, *session), mailbox.as_str()).unwrap();
            write.open_table(tracked).unwrap().insert(*session, *activity).unwrap();
        }
        write.commit().unwrap();
    }
    // Twice: what was brought up to date stays so.
    for _ in 0..2 {
        let f = open_at(&path);
        let counts = f.store.tracked_counts().await.unwrap();
        assert_eq!(counts.into_values().collect::<Vec<_>>(), [1, 1, 2]);
        for (session, activity, mailbox) in &rows {
            let tracked = f.store.tracked(Activity::WATCHED[usize::from(*activity)], None, 9).await.unwrap();
            assert!(tracked.iter().any(|t| t.session.bare() == *session && t.mailbox == *mailbox), "{tracked:?}");
        }
    }
    let f = open_at(&path);
    f.put(&thread(3), "i1").await;
    let leased = f.take().await;
    let track = Some(Track { session: "s3".parse().unwrap(), activity: Activity::Over });
    f.store.commit(&leased.lease, &Commit { track, ..Commit::default() }).await.unwrap();
    assert_eq!(f.store.tracked_counts().await.unwrap()[&Activity::Asleep], 1);
    drop(f);
    assert!(!self::rows(&path).contains_key("watched"), "the old table is gone");
}

#[tokio::test]
async fn a_file_that_a_newer_program_wrote_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bobbin.db");
    drop(open_at(&path));
    let database = redb::Database::open(&path).unwrap();
    let write = database.begin_write().unwrap();
    write.open_table(redb::TableDefinition::<&str, i64>::new("meta")).unwrap().insert("layout", 99).unwrap();
    write.commit().unwrap();
    drop(database);
    let error = EmbeddedStore::open(&path, TestClock::new()).unwrap_err().to_string();
    assert!(error.contains("99") && error.contains("use the program that wrote it"), "{error}");
}

#[tokio::test]
async fn what_a_dead_process_held_is_free_when_the_file_is_opened_again() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bobbin.db");
    let hour = Duration::from_hours(1);
    assert!(open_at(&path).store.hold("watch", "the dead one", hour).await.unwrap());
    assert!(open_at(&path).store.hold("watch", "the next one", hour).await.unwrap());
}

#[tokio::test]
async fn what_cannot_be_read_is_set_aside() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bobbin.db");
    let f = open_at(&path);
    f.put(&thread(1), "i1").await;
    f.put(&thread(1), "i2").await;
    drop(f);
    let damaged = "{\"v\":1,\"id\":";
    let database = redb::Database::open(&path).unwrap();
    let write = database.begin_write().unwrap();
    let waiting = redb::TableDefinition::<(&str, u64), &str>::new("inputs");
    write.open_table(waiting).unwrap().insert((thread(1).to_string().as_str(), 0), damaged).unwrap();
    write.commit().unwrap();
    drop(database);
    super::contract::letters::what_cannot_be_read_is_set_aside(&open_at(&path), damaged.as_bytes()).await;
}

#[tokio::test]
async fn f34_a_file_of_layout_1_is_brought_up_to_date() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bobbin.db");
    let f = open_at(&path);
    f.put(&thread(1), "i1").await;
    drop(f);
    // What an older program left: boxes and their order in tables of their own.
    let database = redb::Database::open(&path).unwrap();
    let write = database.begin_write().unwrap();
    let boxes = redb::TableDefinition::<&str, (i64, u8, u32, &str)>::new("boxes");
    let ready = redb::TableDefinition::<(i64, &str), ()>::new("ready");
    let name = thread(1).to_string();
    write.open_table(boxes).unwrap().insert(name.as_str(), (1, 1, 3, "left")).unwrap();
    write.open_table(ready).unwrap().insert((1, name.as_str()), ()).unwrap();
    write.delete_table(redb::TableDefinition::<&str, (i64, u8, u32, u32, &str)>::new("mailboxes")).unwrap();
    write.open_table(redb::TableDefinition::<&str, i64>::new("meta")).unwrap().insert("layout", 1).unwrap();
    write.commit().unwrap();
    drop(database);

    let f = open_at(&path);
    let taken = f.take().await;
    assert_eq!((id(&taken), taken.attempt, taken.cut_off), (Some("i1"), 4, 0));
    drop(f);
    assert!(!rows(&path).contains_key("boxes"));
}

#[tokio::test]
async fn a_file_in_use_is_a_clear_error() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bobbin.db");
    let _first = open_at(&path);
    let error = EmbeddedStore::open(&path, TestClock::new()).unwrap_err().to_string();
    assert!(error.contains("bobbin.db") && error.contains("already open"), "{error}");
    let error = EmbeddedStore::open(folder.path().join("no/such.db"), TestClock::new()).unwrap_err().to_string();
    assert!(error.contains("no/such.db"), "{error}");
}

#[tokio::test]
async fn what_is_over_leaves_no_rows() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bobbin.db");
    let f = open_at(&path);
    f.store.remember("k", "v", Duration::from_mins(1)).await.unwrap();
    for n in 0..20 {
        f.put(&thread(n), &format!("i{n}")).await;
        let leased = f.take().await;
        f.store.begin(&leased.lease, "step", "record").await.unwrap();
        f.store.commit(&leased.lease, &Commit::default()).await.unwrap();
    }
    f.clock.advance(Duration::from_hours(25));
    for _ in 0..4 {
        f.store.check().await.unwrap();
    }
    drop(f);

    let rows = rows(&path);
    let left: Vec<_> = rows.iter().filter(|(table, rows)| **rows > 0 && *table != "meta").collect();
    assert_eq!(left, Vec::<(&String, &u64)>::new());
    assert!(rows.contains_key("seen") && rows.contains_key("mailboxes"), "{rows:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_queued_is_answered_before_the_store_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("bobbin.db");
    let f = open_at(&path);
    let store = Arc::clone(&f.store);
    let offers: Vec<_> = (0..50).map(|n| offer(&thread(n), &format!("i{n}"))).collect();
    let asked = async move {
        let answers = futures_util::future::join_all(offers.iter().map(|offer| store.accept(offer))).await;
        drop(store);
        answers
    };
    drop(f);
    let answers = asked.await;
    assert!(answers.iter().all(|answer| matches!(answer, Ok(Accepted::Stored))));
    assert_eq!(open_at(&path).store.backlog().await.unwrap().ready, 50);
}

pub(crate) fn open() -> Fixture {
    let folder = tempfile::tempdir().unwrap();
    let f = open_at(&folder.path().join("bobbin.db"));
    Fixture { _keep: Some(folder), ..f }
}

fn open_at(path: &Path) -> Fixture {
    let clock = TestClock::new();
    let moved: Arc<TestClock> = Arc::clone(&clock);
    let store = EmbeddedStore::open(path, moved).unwrap();
    Fixture { store: Arc::new(store), clock, _keep: None }
}

/// How many rows each table has, read without the store.
fn rows(path: &Path) -> BTreeMap<String, u64> {
    let database = redb::Database::open(path).unwrap();
    let read = database.begin_read().unwrap();
    let tables = read.list_tables().unwrap();
    tables.map(|table| (table.name().to_owned(), read.open_untyped_table(table).unwrap().len().unwrap())).collect()
}
