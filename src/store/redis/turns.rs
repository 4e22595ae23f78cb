//! Mailboxes and leases: from accepting an input to giving the mailbox back.

use std::{sync::atomic::Ordering, time::Duration};

use jiff::Timestamp;
use redis::Value;
use uuid::Uuid;

use super::{
    replies::{self, Took},
    scripts::Call,
    store::{RedisStore, millis},
};
use crate::{
    domain::mailbox::Mailbox,
    store::{
        Accepted, Admit, Backlog, Commit, Lease, Listing, Offer, Pace, Result, SEEN_FOR, STORY_FOR, STORY_MAX,
        StoreError, TURN_AHEAD, Turn, Unfinished,
        form::{self, encode},
    },
};

impl RedisStore {
    pub(super) async fn append(&self, offer: &Offer) -> Result<Accepted> {
        let mut call = self
            .call(&self.scripts.accept, self.home(&offer.mailbox))
            .printed(&self.offset())
            .printed(&offer.mailbox)
            .printed(&encode(&offer.input)?)
            .switch(offer.admit == Admit::IfKnown)
            .switch(self.waiting.is_some())
            .printed(&millis(SEEN_FOR));
        for id in &offer.seen {
            call = call.text(id);
        }
        // Whatever the answer is: a duplicate counts only if the first of its kind is safe (that one may have been
        // answered "not available"), and "not for us" only from a primary that still is one.
        replies::accepted(self.run_safely(call).await?)
    }

    /// Runs a script whose answer counts only once as many replicas as are asked for have its writes.
    pub(super) async fn run_safely(&self, call: Call<'_>) -> Result<Value> {
        let Some(waiting) = &self.waiting else { return self.run(call).await };
        let (answer, replicas) = waiting.script(&call).await.map_err(|e| replies::unavailable(&e))?;
        let wanted = self.wait_replicas;
        if replicas < wanted {
            return Err(StoreError::Unavailable(format!("Redis: {replicas} of {wanted} replicas have the write")));
        }
        Ok(answer)
    }

    pub(super) async fn take(&self, ttl: Duration) -> Result<Turn> {
        let start = self.start.fetch_add(1, Ordering::Relaxed);
        let (mut next, mut unfounded, mut failed) = (None, false, None);
        for step in 0..self.shards {
            let shard = start.wrapping_add(step) % self.shards;
            match self.take_of(shard, ttl).await {
                Ok(Turn::Idle { next: of_shard }) => next = replies::earlier(next, of_shard),
                // What the other shards know is not held up by one that was emptied.
                Ok(Turn::Unfounded) => unfounded = true,
                Ok(turn @ Turn::Taken(_)) => return Ok(turn),
                // A shard that moves, or whose node is lost, does not stop the others.
                Err(error) => failed = Some(error),
            }
        }
        match failed {
            Some(error) => Err(error),
            None if unfounded => Ok(Turn::Unfounded),
            None => Ok(Turn::Idle { next }),
        }
    }

    /// Takes a turn of one shard. Inputs that cannot be read are set aside on the way.
    async fn take_of(&self, shard: u32, ttl: Duration) -> Result<Turn> {
        loop {
            let token = Uuid::now_v7().simple().to_string();
            let call = self
                .call(&self.scripts.lease, shard)
                .printed(&self.offset())
                .printed(&millis(ttl))
                .printed(&token)
                .printed(&millis(TURN_AHEAD));
            match replies::turn(self.run(call).await?, token)? {
                Took::Turn(Turn::Taken(mut leased)) => {
                    leased.forgetful = self.may_have_forgotten().await;
                    return Ok(Turn::Taken(leased));
                }
                Took::Turn(turn) => return Ok(turn),
                Took::Damaged(lease, stored) => self.discard(&lease, &stored).await?,
            }
        }
    }

    /// Sets aside the input in hand, which cannot be read. The mailbox is ready again; when nothing else waits in it,
    /// it wakes, so that a wake that was put off for this input is not lost.
    async fn discard(&self, lease: &Lease, stored: &[u8]) -> Result<()> {
        let (input, why) = form::salvage(self.now(), &lease.mailbox, stored);
        let call = self
            .call(&self.scripts.discard, self.home(&lease.mailbox))
            .printed(&self.offset())
            .printed(&lease.mailbox)
            .text(&lease.token)
            .text(input.id.as_str())
            .printed(&encode(&input)?)
            .text(&why);
        replies::held(self.run(call).await?)
    }

    pub(super) async fn prolong(&self, lease: &Lease, ttl: Duration) -> Result<()> {
        let call = self
            .call(&self.scripts.renew, self.home(&lease.mailbox))
            .printed(&self.offset())
            .printed(&lease.mailbox)
            .text(&lease.token)
            .printed(&millis(ttl));
        replies::held(self.run(call).await?)
    }

    /// Journals a step before its effect. A failover that forgot this would let the next writer do the effect again
    /// without looking, so it waits for replicas as accepting does.
    pub(super) async fn intend(&self, lease: &Lease, step: &str, record: &str) -> Result<()> {
        replies::held(self.run_safely(self.record_call(lease, step, record)).await?)
    }

    /// Journals a step after its effect: what a failover forgets of this is looked for.
    pub(super) async fn record(&self, lease: &Lease, step: &str, record: &str) -> Result<()> {
        replies::held(self.run(self.record_call(lease, step, record)).await?)
    }

    fn record_call<'a>(&'a self, lease: &'a Lease, step: &'a str, record: &'a str) -> Call<'a> {
        self.call(&self.scripts.record, self.home(&lease.mailbox))
            .printed(&lease.mailbox)
            .text(&lease.token)
            .text(step)
            .text(record)
    }

    /// Commits; with a reason, buries.
    pub(super) async fn end(&self, lease: &Lease, commit: &Commit, why: Option<&str>) -> Result<()> {
        let (session, activity) = match &commit.track {
            Some(track) => (track.session.bare(), track.activity.name()),
            None => ("", ""),
        };
        let listing = commit.listing.as_ref();
        let mut call = self
            .call(&self.scripts.commit, self.home(&lease.mailbox))
            .printed(&self.offset())
            .printed(&lease.mailbox)
            .text(&lease.token)
            .switch(commit.state.is_some())
            .text(commit.state.as_deref().unwrap_or_default())
            .printed(&commit.wake.map(|wake| wake.as_microsecond().to_string()).unwrap_or_default())
            .text(session)
            .text(activity)
            .switch(why.is_some())
            .text(why.unwrap_or_default())
            .switch(listing.is_some())
            .printed(&listing.map(|listing| listing.at.as_microsecond()).unwrap_or_default())
            .printed(&listing.map(Listing::words).unwrap_or_default())
            .printed(&STORY_MAX)
            .printed(&millis(STORY_FOR));
        for note in &commit.notes {
            call = call.text(note);
        }
        replies::held(self.run(call).await?)
    }

    pub(super) async fn put_off(&self, lease: &Lease, until: Timestamp, how: Unfinished) -> Result<()> {
        let call = self
            .call(&self.scripts.defer, self.home(&lease.mailbox))
            .printed(&self.offset())
            .printed(&lease.mailbox)
            .text(&lease.token)
            .printed(&until.as_microsecond())
            .text(how.name());
        replies::held(self.run(call).await?)
    }

    pub(super) async fn ask_pace(&self, mailbox: &Mailbox, pace: Pace) -> Result<Option<Timestamp>> {
        let call = self
            .call(&self.scripts.pace, self.home(mailbox))
            .printed(&self.offset())
            .printed(&mailbox.place())
            .printed(&millis(pace.every))
            .printed(&pace.ahead.as_millis());
        replies::pace(self.run(call).await?)
    }

    pub(super) async fn state_of(&self, mailbox: &Mailbox) -> Result<Option<String>> {
        replies::read(self.run(self.call(&self.scripts.state, self.home(mailbox)).printed(mailbox)).await?)
    }

    pub(super) async fn waiting_mailboxes(&self) -> Result<Backlog> {
        let mut sum = Backlog::default();
        for shard in 0..self.shards {
            let call = self.call(&self.scripts.backlog, shard).printed(&self.offset());
            let found = replies::backlog(self.run(call).await?)?;
            sum = Backlog {
                ready: sum.ready + found.ready,
                oldest: replies::earlier(sum.oldest, found.oldest),
                retried: sum.retried + found.retried,
                retried_since: replies::earlier(sum.retried_since, found.retried_since),
            };
        }
        Ok(sum)
    }
}
