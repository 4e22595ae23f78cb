//! Looking inside.

use std::{collections::BTreeSet, time::Duration};

use bobbin::{
    domain::mailbox::Mailbox,
    store::{Commit, Inside, Listing, STORY_FOR, STORY_MAX, StoreError, Unfinished},
};
use jiff::Timestamp;

use super::{Fixture, TTL, thread};

fn listing(second: i64, under: &[&str]) -> Listing {
    let at = Timestamp::from_second(1_800_000_000 + second).unwrap();
    Listing { at, under: under.iter().map(|word| (*word).to_owned()).collect(), ranked: None }
}

/// Has a mailbox listed, with a state that names it.
async fn list(f: &Fixture, mailbox: &Mailbox, listing: Listing) {
    f.put(mailbox, &uuid::Uuid::now_v7().to_string()).await;
    let leased = f.take().await;
    let commit = Commit { state: Some(mailbox.to_string()), listing: Some(listing), ..Commit::default() };
    f.store.commit(&leased.lease, &commit).await.unwrap();
}

async fn pages(f: &Fixture, under: &str, limit: usize) -> Vec<Mailbox> {
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = f.store.listed(under, after.as_ref(), limit).await.unwrap();
        assert!(page.len() <= limit);
        let Some(last) = page.last() else { return found };
        after = Some(last.cursor().to_string().parse().unwrap());
        assert!(page.iter().all(|row| row.state == Some(row.mailbox.to_string())));
        found.extend(page.into_iter().map(|row| row.mailbox));
    }
}

pub(crate) async fn listed_mailboxes_come_in_pages_newest_first(f: &Fixture) {
    for n in 1..=7_u32 {
        // Not in the order of their times.
        let second = i64::from((n * 3) % 7);
        list(f, &thread(n), listing(second, &["all", if n % 2 == 0 { "even" } else { "odd" }])).await;
    }
    let newest_first: Vec<Mailbox> = [2, 4, 6, 1, 3, 5, 7].map(thread).to_vec();
    for limit in [1, 3, 100] {
        assert_eq!(pages(f, "all", limit).await, newest_first, "{limit} a page");
    }
    assert_eq!(pages(f, "even", 2).await, [2, 4, 6].map(thread));
    assert_eq!(pages(f, "nothing", 2).await, []);
    assert_eq!(f.store.listed_counts(&["all", "odd", "nothing"]).await.unwrap(), [7, 4, 0]);
    assert_eq!(f.store.listed("all", None, 0).await.unwrap(), []);
}

pub(crate) async fn a_mailbox_moves_between_lists(f: &Fixture) {
    list(f, &thread(1), listing(1, &["all", "working"])).await;
    list(f, &thread(2), listing(2, &["all", "working"])).await;
    list(f, &thread(1), listing(3, &["all", "waiting"])).await;
    assert_eq!(pages(f, "all", 10).await, [thread(1), thread(2)]);
    assert_eq!(pages(f, "working", 10).await, [thread(2)]);
    assert_eq!(pages(f, "waiting", 10).await, [thread(1)]);
    // Without a listing it stays, with an empty one it is taken out.
    f.put(&thread(2), "i").await;
    let leased = f.take().await;
    f.store.commit(&leased.lease, &Commit::default()).await.unwrap();
    assert_eq!(f.store.listed_counts(&["all", "working", "waiting"]).await.unwrap(), [2, 1, 1]);
    list(f, &thread(2), listing(9, &[])).await;
    assert_eq!(f.store.listed_counts(&["all", "working", "waiting"]).await.unwrap(), [1, 0, 1]);
}

pub(crate) async fn a_rank_orders_its_list_alone(f: &Fixture) {
    for n in 1..=5_u32 {
        // The later it is listed by its time, the lower its rank.
        let second = i64::from(n);
        let ranked = Some(("waiting".to_owned(), -1_800_000_000_000_000 - second));
        list(f, &thread(n), Listing { ranked, ..listing(second, &["all"]) }).await;
    }
    for limit in [1, 2, 100] {
        assert_eq!(pages(f, "waiting", limit).await, [1, 2, 3, 4, 5].map(thread), "{limit} a page");
        assert_eq!(pages(f, "all", limit).await, [5, 4, 3, 2, 1].map(thread), "{limit} a page");
    }
    let ranked = Some(("waiting".to_owned(), -1_900_000_000_000_000));
    list(f, &thread(1), Listing { ranked, ..listing(1, &["all"]) }).await;
    list(f, &thread(2), listing(2, &["all"])).await;
    assert_eq!(pages(f, "waiting", 2).await, [3, 4, 5, 1].map(thread), "moved, and taken out");
    assert_eq!(f.store.listed_counts(&["waiting", "all"]).await.unwrap(), [4, 5]);
}

pub(crate) async fn ties_are_paged_without_loss(f: &Fixture) {
    for n in 1..=9 {
        list(f, &thread(n), listing(5, &["all"])).await;
    }
    for limit in [1, 2, 4] {
        let found = pages(f, "all", limit).await;
        let once: BTreeSet<_> = found.iter().collect();
        assert_eq!((found.len(), once.len()), (9, 9), "{limit} a page");
    }
}

pub(crate) async fn a_mailbox_is_seen_from_inside(f: &Fixture) {
    let mailbox = thread(1);
    assert_eq!(f.store.inside(&mailbox).await.unwrap(), Inside::default());
    list(f, &mailbox, listing(1, &["all"])).await;
    f.put(&mailbox, "i1").await;
    f.put(&mailbox, "i2").await;
    let waits = f.store.inside(&mailbox).await.unwrap();
    assert_eq!((waits.state.as_deref(), waits.waits), (Some(mailbox.to_string().as_str()), 2));
    let ids: Vec<_> = waits.waiting.iter().map(|one| (one.id.as_str(), one.bytes)).collect();
    assert_eq!(ids, [("i1", 2), ("i2", 2)]);
    assert!(waits.ready.is_some() && waits.in_hand.is_none() && waits.journal.is_empty());

    let leased = f.take().await;
    f.store.begin(&leased.lease, "post", "begun").await.unwrap();
    let held = f.store.inside(&mailbox).await.unwrap();
    let hand = held.in_hand.unwrap();
    assert_eq!((hand.woke, hand.attempt, hand.held), (false, 1, true));
    assert_eq!(held.journal.get("post").map(String::as_str), Some("begun"));
    let until = f.later(Duration::from_mins(5));
    f.store.defer(&leased.lease, until, Unfinished::Tried).await.unwrap();
    let deferred = f.store.inside(&mailbox).await.unwrap();
    assert_eq!((deferred.ready, deferred.in_hand.unwrap().held), (Some(until), false));
}

pub(crate) async fn a_story_is_bounded_and_ends(f: &Fixture) {
    let mailbox = thread(1);
    let notes: Vec<String> = (0..STORY_MAX + 5).map(|n| format!("{{\"n\":{n},\"\u{1f9f5}\":\"a \\\" b\"}}")).collect();
    for (turn, notes) in notes.chunks(50).enumerate() {
        f.put(&mailbox, &format!("i{turn}")).await;
        let leased = f.take().await;
        let commit = Commit { notes: notes.to_vec(), ..Commit::default() };
        // Buried or done: both are told.
        let buried = turn % 2 == 1;
        let ended = if buried {
            f.store.bury(&leased.lease, "why", &commit).await
        } else {
            f.store.commit(&leased.lease, &commit).await
        };
        ended.unwrap();
    }
    assert_eq!(f.store.inside(&mailbox).await.unwrap().story, notes[5..]);
    assert!(STORY_FOR > Duration::from_hours(24 * 30));
}

pub(crate) async fn a_lost_lease_lists_and_tells_nothing(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    let lost = f.take().await;
    f.clock.advance(TTL + Duration::from_secs(1));
    f.take().await;
    let commit = Commit { listing: Some(listing(1, &["all"])), notes: vec!["{}".to_owned()], ..Commit::default() };
    assert!(matches!(f.store.commit(&lost.lease, &commit).await, Err(StoreError::LeaseLost)));
    assert_eq!(f.store.listed_counts(&["all"]).await.unwrap(), [0]);
    assert_eq!(f.store.inside(&thread(1)).await.unwrap().story, [] as [&str; 0]);
}

pub(crate) async fn what_older_programs_left_is_listed(f: &Fixture) {
    list(f, &thread(1), listing(1, &["all"])).await;
    for n in 2..=4 {
        f.put(&thread(n), &format!("i{n}")).await;
        let leased = f.take().await;
        let state = Some(thread(n).to_string());
        f.store.commit(&leased.lease, &Commit { state, ..Commit::default() }).await.unwrap();
    }
    let (mut found, mut from) = (Vec::new(), None);
    loop {
        let page = f.store.unlisted(from.as_deref()).await.unwrap();
        found.extend(page.found);
        from = page.next;
        if from.is_none() {
            break;
        }
    }
    found.sort();
    let older: Vec<_> = (2..=4).map(|n| (thread(n), thread(n).to_string())).collect();
    assert_eq!(found, older);

    assert!(f.store.enlist(&thread(2), &older[0].1, &listing(2, &["all"])).await.unwrap());
    assert!(!f.store.enlist(&thread(2), &older[0].1, &listing(9, &["all"])).await.unwrap(), "it is listed");
    assert!(!f.store.enlist(&thread(3), "another state", &listing(3, &["all"])).await.unwrap(), "it has changed");
    assert_eq!(pages(f, "all", 10).await, [thread(2), thread(1)]);
}

pub(crate) async fn letters_come_in_pages(f: &Fixture) {
    for n in 1..=5 {
        f.put(&thread(n), &format!("i{n}")).await;
        let leased = f.take().await;
        f.store.bury(&leased.lease, "why", &Commit::default()).await.unwrap();
    }
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = f.store.letters(after.as_ref(), 2).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(bobbin::store::Cursor::new(last.at, &last.input.id));
        found.extend(page.into_iter().map(|letter| letter.input.id.to_string()));
    }
    assert_eq!(found, ["i5", "i4", "i3", "i2", "i1"]);
    let one = f.store.letter(&"i3".parse().unwrap()).await.unwrap();
    assert_eq!(one.and_then(|letter| letter.mailbox), Some(thread(3)));
    assert_eq!(f.store.letter(&"none".parse().unwrap()).await.unwrap(), None);
}
