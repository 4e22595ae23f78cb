//! The founding mark, one for each shard: a Cluster may lose one node's data and keep the others'.

use super::{replies, store::RedisStore};
use crate::store::{Adoption, Founding, Result};

#[async_trait::async_trait]
impl Founding for RedisStore {
    async fn is_founded(&self) -> Result<bool> {
        for shard in 0..self.shards {
            if !replies::yes(self.run(self.call(&self.scripts.founded, shard)).await?)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    async fn found(&self) -> Result<()> {
        for shard in 0..self.shards {
            self.run(self.call(&self.scripts.found, shard).printed(&self.offset())).await?;
        }
        Ok(())
    }

    async fn adopt(&self, adoption: &Adoption) -> Result<bool> {
        let call = self
            .call(&self.scripts.adopt, self.home(&adoption.mailbox))
            .printed(&self.offset())
            .printed(&adoption.mailbox)
            .text(&adoption.state)
            .printed(&adoption.wake.map(|wake| wake.as_microsecond().to_string()).unwrap_or_default())
            .switch(adoption.anew);
        replies::yes(self.run(call).await?)
    }
}
