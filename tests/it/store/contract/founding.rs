//! What a store does before it is founded, and how it is given what it should know.

use std::time::Duration;

use bobbin::store::{Accepted, Admit, Adoption, Commit, Offer, Turn};

use super::{Fixture, TTL, id, offer, thread};

const HOUR: Duration = Duration::from_hours(1);

pub(crate) async fn a_store_without_its_mark_hands_nothing_out(f: &Fixture) {
    f.put(&thread(1), "i1").await;
    assert!(!f.store.is_founded().await.unwrap());
    assert!(matches!(f.store.lease(TTL).await.unwrap(), Turn::Unfounded));
    assert!(f.store.hold("rebuild", "a", TTL).await.unwrap());
    f.store.remember("k", "v", TTL).await.unwrap();
    f.store.check().await.unwrap();

    f.store.found().await.unwrap();
    f.store.found().await.unwrap();
    assert!(f.store.is_founded().await.unwrap());
    assert_eq!(f.finish_next().await.as_deref(), Some("i1"));
}

pub(crate) async fn a_store_without_its_mark_takes_what_it_may_know(f: &Fixture) {
    let known = |number, id| Offer { admit: Admit::IfKnown, ..offer(&thread(number), id) };
    assert_eq!(f.store.accept(&known(1, "i1")).await.unwrap(), Accepted::Stored);
    assert_eq!(f.store.accept(&known(1, "i1")).await.unwrap(), Accepted::Duplicate);
    f.store.found().await.unwrap();
    assert_eq!(f.store.accept(&known(2, "i2")).await.unwrap(), Accepted::Unknown);
    assert_eq!(f.finish_next().await.as_deref(), Some("i1"));
}

pub(crate) async fn only_what_is_not_known_is_adopted(f: &Fixture) {
    // Before the founding what waits says nothing: it came after the loss.
    f.put(&thread(1), "i1").await;
    assert!(f.store.adopt(&orphan(1, "lost")).await.unwrap());
    assert!(!f.store.adopt(&orphan(1, "again")).await.unwrap());
    f.store.found().await.unwrap();
    let leased = f.take().await;
    assert_eq!((id(&leased), leased.state.as_deref()), (Some("i1"), Some("lost")));
    f.store.commit(&leased.lease, &Commit { state: Some("restored".to_owned()), ..Commit::default() }).await.unwrap();
    assert!(!f.store.adopt(&orphan(1, "again")).await.unwrap());
    assert_eq!(f.store.state(&thread(1)).await.unwrap().as_deref(), Some("restored"));

    // After it, what waits or is in hand is about to make the state.
    f.put(&thread(2), "i2").await;
    assert!(!f.store.adopt(&orphan(2, "lost")).await.unwrap());
    let leased = f.take().await;
    assert!(!f.store.adopt(&orphan(2, "lost")).await.unwrap());
    f.store.commit(&leased.lease, &Commit::default()).await.unwrap();
    assert!(f.store.adopt(&orphan(2, "lost")).await.unwrap());
    let known = Offer { admit: Admit::IfKnown, ..offer(&thread(2), "i3") };
    assert_eq!(f.store.accept(&known).await.unwrap(), Accepted::Stored);
}

pub(crate) async fn an_adopted_mailbox_wakes_at_its_time(f: &Fixture) {
    let (soon, late) = (f.later(HOUR), f.later(HOUR * 2));
    for (number, wake) in [(1, None), (2, Some(late)), (3, Some(soon))] {
        assert!(f.store.adopt(&Adoption { wake, ..orphan(number, "lost") }).await.unwrap());
    }
    assert_eq!(f.idle().await, Some(soon));
    f.clock.advance(HOUR);
    let woken = f.take().await;
    assert_eq!((&woken.lease.mailbox, id(&woken), woken.state.as_deref()), (&thread(3), None, Some("lost")));
    f.store.commit(&woken.lease, &Commit::default()).await.unwrap();
    assert_eq!(f.idle().await, Some(late));
    f.put(&thread(2), "i2").await;
    assert_eq!(f.finish_next().await.as_deref(), Some("i2"));
    assert_eq!(f.idle().await, None);
}

pub(crate) async fn an_old_state_is_replaced(f: &Fixture) {
    f.store.found().await.unwrap();
    f.put(&thread(1), "i1").await;
    let leased = f.take().await;
    f.store.begin(&leased.lease, "post", "begun").await.unwrap();
    let until = f.later(HOUR);
    f.store.defer(&leased.lease, until, bobbin::store::Unfinished::Tried).await.unwrap();
    let doubt = Adoption { wake: Some(f.later(Duration::ZERO)), anew: true, ..orphan(1, "lost") };
    assert!(f.store.adopt(&doubt).await.unwrap());
    assert_eq!(f.idle().await, Some(until), "what was put off is not brought forward");
    f.clock.advance(HOUR);
    let again = f.take().await;
    assert_eq!((id(&again), again.journal.len(), again.state.as_deref()), (Some("i1"), 1, Some("lost")));
}

fn orphan(number: u32, state: &str) -> Adoption {
    Adoption { mailbox: thread(number), state: state.to_owned(), wake: None, anew: false }
}
