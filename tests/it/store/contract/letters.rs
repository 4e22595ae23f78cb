//! Dead letters.

use bobbin::store::{Accepted, Body, Commit};

use super::{Fixture, id, input, offer, thread};

pub(crate) async fn buried_is_listed_and_gone_from_its_mailbox(f: &Fixture) {
    let mailbox = thread(1);
    f.put(&mailbox, "i1").await;
    f.put(&mailbox, "i2").await;
    let first = f.take().await;
    f.store.begin(&first.lease, "step", "begun").await.unwrap();
    f.store.defer(&first.lease, f.later(std::time::Duration::ZERO), bobbin::store::Unfinished::Tried).await.unwrap();
    let again = f.take().await;
    let left = Commit { state: Some("failed".to_owned()), ..Commit::default() };
    f.store.bury(&again.lease, "a \"reason\"", &left).await.unwrap();

    let dead = f.store.dead(10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].mailbox.as_ref(), dead[0].attempts), (Some(&mailbox), 2));
    assert_eq!((dead[0].why.as_str(), &dead[0].input), ("a \"reason\"", &input("i1", "{}")));

    let next = f.take().await;
    assert_eq!((id(&next), next.attempt, next.journal.len()), (Some("i2"), 1, 0));
    assert_eq!(next.state.as_deref(), Some("failed"));
}

pub(crate) async fn replayed_goes_to_the_end(f: &Fixture) {
    let mailbox = thread(1);
    let mut first = offer(&mailbox, "i1");
    first.input.body = Body::from("{\"text\":\"a } \\\" \u{1f9f5}\", \"n\": 1.0}".as_bytes().to_vec());
    assert_eq!(f.store.accept(&first).await.unwrap(), Accepted::Stored);
    let leased = f.take().await;
    f.store.bury(&leased.lease, "why", &Commit::default()).await.unwrap();
    f.put(&mailbox, "i2").await;

    let letter = first.input.id.clone();
    assert!(f.store.replay_dead(&letter).await.unwrap());
    assert!(!f.store.replay_dead(&letter).await.unwrap());
    assert_eq!(f.store.dead(10).await.unwrap(), []);
    assert_eq!(f.finish_next().await.as_deref(), Some("i2"));
    let replayed = f.take().await;
    assert_eq!((replayed.input, replayed.attempt), (Some(first.input), 1));
}

pub(crate) async fn dropped_is_gone(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    let leased = f.take().await;
    f.store.bury(&leased.lease, "why", &Commit::default()).await.unwrap();
    let letter = "i1".parse().unwrap();
    assert!(f.store.drop_dead(&letter).await.unwrap());
    assert!(!f.store.drop_dead(&letter).await.unwrap());
    assert!(!f.store.replay_dead(&letter).await.unwrap());
    assert_eq!(f.store.dead(10).await.unwrap(), []);
}

pub(crate) async fn set_aside_keeps_any_bytes(f: &Fixture) {
    let mut unreadable = input("i1", "");
    unreadable.body = Body::from(vec![0xff, 0x00, b'{']);
    f.store.set_aside(&unreadable, "not UTF-8").await.unwrap();
    let dead = f.store.dead(10).await.unwrap();
    assert_eq!((dead[0].mailbox.as_ref(), &dead[0].input, dead[0].attempts), (None, &unreadable, 0));
    assert!(!f.store.replay_dead(&unreadable.id).await.unwrap());
    assert_eq!(f.store.dead(10).await.unwrap().len(), 1);
    assert!(f.store.drop_dead(&unreadable.id).await.unwrap());
}

pub(crate) async fn newest_first_and_no_more_than_asked(f: &Fixture) {
    for n in 1..=5 {
        f.put(&thread(n), &format!("i{n}")).await;
        let leased = f.take().await;
        f.store.bury(&leased.lease, "why", &Commit::default()).await.unwrap();
    }
    let ids: Vec<_> = f.store.dead(3).await.unwrap().into_iter().map(|dead| dead.input.id.to_string()).collect();
    assert_eq!(ids, ["i5", "i4", "i3"]);
    assert_eq!(f.store.dead(0).await.unwrap(), []);
}

pub(crate) async fn a_buried_wake_leaves_no_letter(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    let leased = f.take().await;
    let wake = Some(f.later(std::time::Duration::ZERO));
    f.store.commit(&leased.lease, &Commit { wake, ..Commit::default() }).await.unwrap();
    let woken = f.take().await;
    assert_eq!(id(&woken), None);
    f.store.bury(&woken.lease, "why", &Commit::default()).await.unwrap();
    assert_eq!(f.store.dead(10).await.unwrap(), []);
    assert_eq!(f.idle().await, None);
}

/// `i1` and `i2` wait in the mailbox of thread 1, and what is stored of `i1` was replaced by `damaged`. Both stores keep
/// this, but only each itself knows how to damage what it stores.
pub(crate) async fn what_cannot_be_read_is_set_aside(f: &Fixture, damaged: &[u8]) {
    let next = f.take().await;
    assert_eq!((id(&next), next.attempt, next.journal.len()), (Some("i2"), 1, 0));
    f.store.commit(&next.lease, &Commit::default()).await.unwrap();
    assert_eq!(f.idle().await, None);

    let dead = f.store.dead(10).await.unwrap();
    assert_eq!(dead.len(), 1);
    assert_eq!((dead[0].mailbox.as_ref(), dead[0].input.body.bytes()), (None, damaged));
    assert!(dead[0].why.contains("stored input cannot be read"), "{}", dead[0].why);
    assert!(dead[0].why.contains(&thread(1).to_string()), "{}", dead[0].why);
    assert!(!f.store.replay_dead(&dead[0].input.id).await.unwrap());
    assert!(f.store.drop_dead(&dead[0].input.id).await.unwrap());
}
