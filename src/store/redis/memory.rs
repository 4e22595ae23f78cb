//! What is remembered beside the mailboxes: values for a time, who may do what, and which sessions are watched.
//!
//! A session is kept in the shard of its mailbox, because it changes in the same step as the mailbox; pages of sessions
//! are therefore merged from all shards.

use std::{collections::BTreeMap, time::Duration};

use super::{
    replies,
    store::{RedisStore, millis},
};
use crate::{
    domain::ids::SessionId,
    store::{Activity, Result, StoreError, Tracked},
};

impl RedisStore {
    pub(super) async fn recall_memo(&self, key: &str) -> Result<Option<String>> {
        replies::read(
            self.run(self.call(&self.scripts.recall, self.shard_of(key)).printed(&self.offset()).text(key)).await?,
        )
    }

    pub(super) async fn write_memo(&self, key: &str, value: &str, ttl: Duration) -> Result<()> {
        let call = self
            .call(&self.scripts.remember, self.shard_of(key))
            .printed(&self.offset())
            .text(key)
            .text(value)
            .printed(&millis(ttl));
        self.run(call).await.map(drop)
    }

    pub(super) async fn forget_memo(&self, key: &str) -> Result<()> {
        self.run(self.call(&self.scripts.forget, self.shard_of(key)).text(key)).await.map(drop)
    }

    pub(super) async fn take_hold(&self, name: &str, holder: &str, ttl: Duration) -> Result<bool> {
        let call = self
            .call(&self.scripts.hold, self.shard_of(name))
            .printed(&self.offset())
            .text(name)
            .text(holder)
            .printed(&millis(ttl));
        replies::yes(self.run(call).await?)
    }

    pub(super) async fn sessions(
        &self,
        activity: Activity,
        after: Option<&SessionId>,
        limit: usize,
    ) -> Result<Vec<Tracked>> {
        let from = after.map_or_else(|| "-".to_owned(), |session| format!("({}", session.bare()));
        let mut all = Vec::new();
        for shard in 0..self.shards {
            let call = self.call(&self.scripts.tracked, shard).text(activity.name()).text(&from).printed(&limit);
            for (session, mailbox) in replies::read::<Vec<(String, String)>>(self.run(call).await?)? {
                let session = SessionId::try_from(session)
                    .map_err(|e| StoreError::Corrupt(format!("the id of a watched session: {e}")))?;
                all.push(Tracked { session, mailbox: replies::parse(&mailbox)? });
            }
        }
        all.sort();
        all.truncate(limit);
        Ok(all)
    }

    pub(super) async fn count_sessions(&self) -> Result<BTreeMap<Activity, u64>> {
        let mut counts: BTreeMap<_, _> = Activity::WATCHED.into_iter().map(|activity| (activity, 0)).collect();
        for shard in 0..self.shards {
            let mut call = self.call(&self.scripts.tracked_counts, shard);
            for activity in Activity::WATCHED {
                call = call.text(activity.name());
            }
            let found: Vec<u64> = replies::read(self.run(call).await?)?;
            for (activity, count) in Activity::WATCHED.into_iter().zip(found) {
                *counts.entry(activity).or_default() += count;
            }
        }
        Ok(counts)
    }
}
