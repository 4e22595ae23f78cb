//! Registers: all in one shard, so that rows of several of them change in one step.

use async_trait::async_trait;

use super::{
    replies,
    store::{RedisStore, millis},
    survey::{from, name},
};
use crate::store::{Change, Cursor, PAGE_MAX, Registers, Result, Row};

/// The shard of all registers.
const SHARD: u32 = 0;

#[async_trait]
impl Registers for RedisStore {
    /// Waits for replicas as accepting does: what an operator settled holds after a failover, too.
    async fn register(&self, changes: &[Change]) -> Result<()> {
        let mut call = self.call(&self.scripts.register, SHARD).printed(&self.offset());
        for change in changes {
            call = match change {
                Change::Put { register, name, value, keep } => {
                    let keep = keep.map(|keep| millis(keep).to_string()).unwrap_or_default();
                    call.text("put").text(register).text(name).text(value).printed(&keep)
                }
                Change::Remove { register, name } => call.text("remove").text(register).text(name).text("").text(""),
            };
        }
        self.run_safely(call).await.map(drop)
    }

    async fn row(&self, register: &str, name: &str) -> Result<Option<Row>> {
        let call = self.call(&self.scripts.row, SHARD).text(register).text(name);
        Ok(replies::rows(self.run(call).await?)?.pop())
    }

    async fn rows(&self, register: &str, after: Option<&Cursor>, limit: usize) -> Result<Vec<Row>> {
        let call = self
            .call(&self.scripts.page, SHARD)
            .printed(&format_args!("register:{register}"))
            .printed(&from(after))
            .text(name(after))
            .printed(&limit.min(PAGE_MAX))
            .printed(&format_args!("rows:{register}"));
        replies::rows(self.run(call).await?)
    }
}
