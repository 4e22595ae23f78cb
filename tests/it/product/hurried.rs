//! What needs a fast answer gets it while everything else is slow: a trigger lives three seconds, and the stand-in takes
//! none that is older.

use std::time::Duration;

use bobbin::twin::{Fault, FaultAction, world::ADA};

use super::{
    outside::{Outside, until},
    process::Process,
};
use crate::support::world::id;

/// Mailboxes that a process has in hand at once.
const IN_HAND: usize = 64;
/// How long Devin lets each of them wait.
const SLOW: Duration = Duration::from_secs(20);

#[tokio::test]
async fn a_form_opens_within_the_life_of_its_trigger_while_every_handler_is_busy() {
    let outside = Outside::open().await;
    let slow = FaultAction::Delay(SLOW);
    outside.devin.faults().push(Fault { matcher: "sessions.create".to_owned(), action: slow, times: None });
    let bobbin = Process::serve(&outside.settings());
    outside.deliver_to(&bobbin.base());
    let roots: Vec<_> = (0..IN_HAND).map(|number| outside.mention(&format!("task {number}"))).collect();
    until("every place is taken", Duration::from_mins(1), || roots.iter().all(|root| outside.receipts(root) == 1))
        .await;

    outside.slack.shortcut(&id(ADA), "start_devin").unwrap();
    let shown = || outside.slack.modal(&id(ADA)).map(|view| view.blocks()[0].to_string()).unwrap_or_default();
    // However late this looks: the stand-in opens no modal for a trigger that is older than three seconds.
    until("the form stands there", Duration::from_secs(10), || !shown().is_empty()).await;
    assert!(outside.devin.sessions().is_empty(), "the others wait for Devin still");
    // And it is filled once somebody has time for it.
    until("the form is filled", Duration::from_mins(2), || shown().contains("What shall Devin do?")).await;
}
