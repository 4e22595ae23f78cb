//! What every store must do, written once. A case sees nothing but the contract, a clock it can move, and names.

use std::{sync::Arc, time::Duration};

use bobbin::{
    clock::Clock,
    domain::mailbox::Mailbox,
    store::{Accepted, Admit, Body, Commit, Door, Input, Leased, Offer, Result, Store, Turn},
};
use jiff::Timestamp;

use crate::support::clock::TestClock;

pub(crate) mod admission;
pub(crate) mod founding;
pub(crate) mod letters;
pub(crate) mod memory;
pub(crate) mod registers;
pub(crate) mod survey;
pub(crate) mod turns;

/// A lease that lasts longer than any case, unless the case moves the clock.
pub(crate) const TTL: Duration = Duration::from_mins(1);

/// A store under test.
pub(crate) struct Fixture {
    /// The store.
    pub(crate) store: Arc<dyn Store>,
    /// Its clock.
    pub(crate) clock: Arc<TestClock>,
    /// What has to live as long as the store.
    pub(crate) _keep: Option<tempfile::TempDir>,
}

impl Fixture {
    /// As it was made: without its founding mark.
    #[expect(clippy::unused_async, reason = "stands in the place of `founded`")]
    pub(crate) async fn unfounded(self) -> Self {
        self
    }

    /// With its founding mark.
    pub(crate) async fn founded(self) -> Self {
        self.store.found().await.unwrap();
        self
    }

    /// Accepts an input whose only de-duplication id is its own.
    pub(crate) async fn put(&self, mailbox: &Mailbox, id: &str) {
        assert_eq!(self.store.accept(&offer(mailbox, id)).await.unwrap(), Accepted::Stored);
    }

    /// Takes a turn that must be there.
    pub(crate) async fn take(&self) -> Leased {
        match self.lease().await.unwrap() {
            Turn::Taken(leased) => *leased,
            other @ (Turn::Idle { .. } | Turn::Unfounded) => panic!("nothing is ready: {other:?}"),
        }
    }

    /// Asks for a turn that must not be there; when the next will be.
    pub(crate) async fn idle(&self) -> Option<Timestamp> {
        match self.lease().await.unwrap() {
            Turn::Idle { next } => next,
            other @ (Turn::Taken(_) | Turn::Unfounded) => panic!("not idle: {other:?}"),
        }
    }

    /// Asks for a turn; a store that nobody has founded yet is founded by it.
    async fn lease(&self) -> Result<Turn> {
        let turn = self.store.lease(TTL).await?;
        if !matches!(turn, Turn::Unfounded) {
            return Ok(turn);
        }
        self.store.found().await?;
        self.store.lease(TTL).await
    }

    /// Takes a turn and commits it with nothing left behind; the id of its input.
    pub(crate) async fn finish_next(&self) -> Option<String> {
        let leased = self.take().await;
        self.store.commit(&leased.lease, &Commit::default()).await.unwrap();
        leased.input.map(|input| input.id.to_string())
    }

    /// A time from now, as precise as stores keep it.
    pub(crate) fn later(&self, by: Duration) -> Timestamp {
        Timestamp::from_microsecond((self.clock.now() + by).as_microsecond()).unwrap()
    }
}

/// The mailbox of a thread.
pub(crate) fn thread(number: u32) -> Mailbox {
    format!("thread:T1/C{number}/1700000000.{number:06}").parse().unwrap()
}

/// An input.
pub(crate) fn input(id: &str, body: &str) -> Input {
    let at = "2026-11-24T02:00:00Z".parse().unwrap();
    Input {
        v: Input::VERSION,
        id: id.parse().unwrap(),
        at,
        door: Door::Events,
        body: Body::from(body.as_bytes().to_vec()),
    }
}

/// An offer whose only de-duplication id is the input's own.
pub(crate) fn offer(mailbox: &Mailbox, id: &str) -> Offer {
    Offer { mailbox: mailbox.clone(), input: input(id, "{}"), seen: vec![id.to_owned()], admit: Admit::Always }
}

/// The id of what was taken.
pub(crate) fn id(leased: &Leased) -> Option<&str> {
    leased.input.as_ref().map(|input| input.id.as_str())
}

/// Makes each case a test of its own.
macro_rules! cases {
    ($open:path, $how:ident; $($room:ident: $($case:ident),+ $(,)?;)+) => {
        $(mod $room {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $case() {
                crate::store::contract::$room::$case(&$open().$how().await).await;
            })+
        })+
    };
}

/// Every case that any store keeps, whatever its number of shards.
macro_rules! contract_of_shards {
    ($open:path) => {
        $crate::store::contract::cases!($open, unfounded;
            founding:
                a_store_without_its_mark_hands_nothing_out, a_store_without_its_mark_takes_what_it_may_know,
                only_what_is_not_known_is_adopted, an_adopted_mailbox_wakes_at_its_time, an_old_state_is_replaced;
        );
        $crate::store::contract::cases!($open, founded;
            admission:
                a_seen_id_is_refused_for_a_day, any_of_several_ids_makes_a_duplicate, if_known_wants_state_or_inputs,
                if_known_refused_uses_up_no_id, of_many_at_once_one_is_stored, bodies_come_back_byte_for_byte;
            letters:
                buried_is_listed_and_gone_from_its_mailbox, replayed_goes_to_the_end, dropped_is_gone,
                set_aside_keeps_any_bytes, newest_first_and_no_more_than_asked, a_buried_wake_leaves_no_letter;
            memory:
                values_are_remembered_for_a_time, findings_are_kept, a_hold_is_exclusive_until_it_ends, sessions_come_in_pages,
                a_session_moves_between_activities, the_store_answers_for_itself;
            registers:
                a_row_is_written_read_and_taken_out, rows_come_in_pages_newest_first, old_rows_are_forgotten,
                changes_of_several_registers_are_one;
            survey:
                listed_mailboxes_come_in_pages_newest_first, a_mailbox_moves_between_lists, a_rank_orders_its_list_alone, ties_are_paged_without_loss,
                a_mailbox_is_seen_from_inside, a_story_is_bounded_and_ends, a_lost_lease_lists_and_tells_nothing,
                what_older_programs_left_is_listed, letters_come_in_pages;
        );
    };
}

/// What only a store of one shard keeps: the order across mailboxes.
macro_rules! contract_of_one_shard {
    ($open:path) => {
        $crate::store::contract::contract_of_shards!($open);
        $crate::store::contract::cases!($open, founded;
            turns:
                the_longest_ready_mailbox_comes_first, inputs_of_one_mailbox_come_in_order,
                a_mailbox_is_held_by_one_at_a_time, more_inputs_make_it_ready_at_its_turn, it_wakes_by_itself,
                a_new_input_comes_before_the_wake, attempts_are_counted, deferred_keeps_input_and_journal,
                a_new_input_does_not_bring_a_deferred_one_forward, an_expired_lease_passes_on_intact,
                a_lost_lease_writes_nothing, an_expired_lease_that_nobody_took_still_writes, a_lease_can_be_prolonged,
                an_interrupted_wake_goes_on_as_a_wake, many_leasers_never_share_a_mailbox, texts_are_opaque,
                the_backlog_counts_what_waits, what_is_tried_again_is_counted_since_its_first_try, a_flood_in_one_workspace_costs_the_others_nothing,
                a_flood_in_one_channel_costs_the_others_nothing, a_flood_in_one_thread_costs_the_others_nothing,
                a_place_ahead_of_its_pace_is_passed_over, turns_that_nobody_ended_are_counted,
                a_turn_says_when_it_was_taken, f25_a_clock_that_is_set_back_breaks_no_lease_and_stops_nothing;
        );
    };
}

pub(crate) use {cases, contract_of_one_shard, contract_of_shards};
