//! Dead letters. An id does not tell its shard, so looking one up tries them all: operators do that by hand, rarely.

use std::cmp::Reverse;

use super::{replies, store::RedisStore};
use crate::{
    domain::ids::InputId,
    store::{Dead, Input, Result, form::encode},
};

/// Where inputs without a mailbox go.
const SHARD_OF_NOBODY: u32 = 0;

impl RedisStore {
    pub(super) async fn keep_letter(&self, input: &Input, why: &str) -> Result<()> {
        let call = self
            .call(&self.scripts.set_aside, SHARD_OF_NOBODY)
            .printed(&self.offset())
            .text(input.id.as_str())
            .printed(&encode(input)?)
            .text(why);
        self.run(call).await.map(drop)
    }

    pub(super) async fn letters(&self, limit: usize) -> Result<Vec<Dead>> {
        let mut all = Vec::new();
        for shard in 0..self.shards {
            let call = self.call(&self.scripts.dead, shard).printed(&limit);
            all.extend(replies::dead(self.run(call).await?)?);
        }
        all.sort_by_key(|letter| Reverse(letter.at));
        all.truncate(limit);
        Ok(all)
    }

    pub(super) async fn replay_letter(&self, id: &InputId) -> Result<bool> {
        for shard in 0..self.shards {
            let call = self.call(&self.scripts.replay_dead, shard).printed(&self.offset()).text(id.as_str());
            if replies::yes(self.run(call).await?)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    pub(super) async fn drop_letter(&self, id: &InputId) -> Result<bool> {
        for shard in 0..self.shards {
            let call = self.call(&self.scripts.drop_dead, shard).text(id.as_str());
            if replies::yes(self.run(call).await?)? {
                return Ok(true);
            }
        }
        Ok(false)
    }
}
