//! Who gets in.

use std::time::Duration;

use bobbin::store::{Accepted, Admit, Body, Commit, Offer, SEEN_FOR};
use futures_util::future::join_all;

use super::{Fixture, input, offer, thread};

pub(crate) async fn a_seen_id_is_refused_for_a_day(f: &Fixture) {
    let mailbox = thread(1);
    f.put(&mailbox, "i1").await;
    assert_eq!(f.finish_next().await.as_deref(), Some("i1"));

    f.clock.advance(SEEN_FOR.saturating_sub(Duration::from_secs(5)));
    assert_eq!(f.store.accept(&offer(&mailbox, "i1")).await.unwrap(), Accepted::Duplicate);
    assert_eq!(f.idle().await, None);

    f.clock.advance(Duration::from_secs(10));
    f.put(&mailbox, "i1").await;
    assert_eq!(f.finish_next().await.as_deref(), Some("i1"));
}

pub(crate) async fn any_of_several_ids_makes_a_duplicate(f: &Fixture) {
    let with = |id: &str, seen: [&str; 2]| Offer { seen: seen.map(str::to_owned).to_vec(), ..offer(&thread(1), id) };
    assert_eq!(f.store.accept(&with("i1", ["a", "b"])).await.unwrap(), Accepted::Stored);
    assert_eq!(f.store.accept(&with("i2", ["c", "b"])).await.unwrap(), Accepted::Duplicate);
    // What was refused has used up none of its ids.
    assert_eq!(f.store.accept(&with("i3", ["c", "d"])).await.unwrap(), Accepted::Stored);
    assert_eq!(f.store.accept(&with("i4", ["a", "e"])).await.unwrap(), Accepted::Duplicate);
}

pub(crate) async fn if_known_wants_state_or_inputs(f: &Fixture) {
    let mailbox = thread(1);
    let known = |id: &str| Offer { admit: Admit::IfKnown, ..offer(&mailbox, id) };
    assert_eq!(f.store.accept(&known("i1")).await.unwrap(), Accepted::Unknown);

    f.put(&mailbox, "i2").await;
    assert_eq!(f.store.accept(&known("i3")).await.unwrap(), Accepted::Stored);
    f.finish_next().await;
    f.finish_next().await;
    assert_eq!(f.store.accept(&known("i4")).await.unwrap(), Accepted::Unknown);

    f.put(&mailbox, "i5").await;
    let leased = f.take().await;
    f.store.commit(&leased.lease, &Commit { state: Some("s".to_owned()), ..Commit::default() }).await.unwrap();
    assert_eq!(f.store.accept(&known("i6")).await.unwrap(), Accepted::Stored);
}

pub(crate) async fn if_known_refused_uses_up_no_id(f: &Fixture) {
    let mailbox = thread(1);
    let known = Offer { admit: Admit::IfKnown, ..offer(&mailbox, "i1") };
    assert_eq!(f.store.accept(&known).await.unwrap(), Accepted::Unknown);
    assert_eq!(f.idle().await, None);
    f.put(&mailbox, "i1").await;
}

pub(crate) async fn of_many_at_once_one_is_stored(f: &Fixture) {
    let offers: Vec<Offer> =
        (0..200).map(|n| Offer { seen: vec!["same".to_owned()], ..offer(&thread(1), &format!("i{n}")) }).collect();
    let answers = join_all(offers.iter().map(|offer| f.store.accept(offer))).await;
    let stored = answers.iter().filter(|answer| matches!(answer, Ok(Accepted::Stored))).count();
    let duplicates = answers.iter().filter(|answer| matches!(answer, Ok(Accepted::Duplicate))).count();
    assert_eq!((stored, duplicates), (1, 199));
    f.finish_next().await;
    assert_eq!(f.idle().await, None);
}

pub(crate) async fn bodies_come_back_byte_for_byte(f: &Fixture) {
    let mailbox = thread(1);
    let big = "x{\"é\\".repeat(200_000);
    let bodies: [&[u8]; 5] =
        [b"", b"{\"a\":[1,{\"b\":\"}{\"}]}", "\"' \\ \u{1f9f5}\u{2028}".as_bytes(), b"\xff\xfe\x00", big.as_bytes()];
    for (n, body) in bodies.iter().enumerate() {
        let id = format!("i{n}");
        let mut with_body = offer(&mailbox, &id);
        with_body.input.body = Body::from(body.to_vec());
        assert_eq!(f.store.accept(&with_body).await.unwrap(), Accepted::Stored);
        let leased = f.take().await;
        assert_eq!(leased.input.as_ref().unwrap().body.bytes(), *body);
        assert_eq!(leased.input, Some(with_body.input));
        f.store.commit(&leased.lease, &Commit::default()).await.unwrap();
    }
    assert_eq!(input("i", "b").body.bytes(), b"b");
}
