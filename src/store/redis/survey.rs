//! Looking inside. Lists are kept in the shards of their mailboxes, because they change with them; pages are therefore
//! merged from all shards.

use std::cmp::Reverse;

use async_trait::async_trait;

use super::{replies, store::RedisStore};
use crate::{
    domain::{ids::InputId, mailbox::Mailbox},
    store::{Cursor, Dead, Inside, Listed, Listing, PAGE_MAX, Result, StoreError, Survey, Unlisted, WAITING_MAX},
};

/// Keys that one call looks at when it looks for mailboxes that are not listed.
const LOOKED_AT: usize = 500;

#[async_trait]
impl Survey for RedisStore {
    async fn listed(&self, under: &str, after: Option<&Cursor>, limit: usize) -> Result<Vec<Listed>> {
        let limit = limit.min(PAGE_MAX);
        let mut all = Vec::new();
        for shard in 0..self.shards {
            let call = self
                .call(&self.scripts.page, shard)
                .printed(&format_args!("list:{under}"))
                .printed(&from(after))
                .text(name(after))
                .printed(&limit)
                .text("");
            all.extend(replies::listed(self.run(call).await?)?);
        }
        all.sort_by_cached_key(|row| Reverse((row.at, row.mailbox.to_string())));
        all.truncate(limit);
        Ok(all)
    }

    async fn listed_counts(&self, under: &[&str]) -> Result<Vec<u64>> {
        let mut sums = vec![0; under.len()];
        for shard in 0..self.shards {
            let call = self.call(&self.scripts.listed_counts, shard);
            let call = under.iter().fold(call, |call, word| call.text(word));
            let counts: Vec<u64> = replies::read(self.run(call).await?)?;
            for (sum, count) in sums.iter_mut().zip(counts) {
                *sum += count;
            }
        }
        Ok(sums)
    }

    async fn inside(&self, mailbox: &Mailbox) -> Result<Inside> {
        let call = self
            .call(&self.scripts.inside, self.home(mailbox))
            .printed(&self.offset())
            .printed(mailbox)
            .printed(&WAITING_MAX);
        replies::inside(self.run(call).await?)
    }

    async fn unlisted(&self, from: Option<&str>) -> Result<Unlisted> {
        let wrong = || StoreError::Corrupt("where to go on is not in its form".to_owned());
        let (shard, at) = from.unwrap_or("0 0").split_once(' ').ok_or_else(wrong)?;
        let shard: u32 = shard.parse().map_err(|_| wrong())?;
        let call = self.call(&self.scripts.unlisted, shard).text(at).printed(&LOOKED_AT);
        let (next, found) = replies::unlisted(self.run(call).await?)?;
        let next = match next.as_str() {
            "0" if shard + 1 < self.shards => Some(format!("{} 0", shard + 1)),
            "0" => None,
            at => Some(format!("{shard} {at}")),
        };
        Ok(Unlisted { found, next })
    }

    async fn enlist(&self, mailbox: &Mailbox, state: &str, listing: &Listing) -> Result<bool> {
        let call = self
            .call(&self.scripts.enlist, self.home(mailbox))
            .printed(&self.offset())
            .printed(mailbox)
            .text(state)
            .printed(&listing.at.as_microsecond())
            .printed(&listing.words());
        replies::yes(self.run(call).await?)
    }

    async fn letters(&self, after: Option<&Cursor>, limit: usize) -> Result<Vec<Dead>> {
        let limit = limit.min(PAGE_MAX);
        let mut all = Vec::new();
        for shard in 0..self.shards {
            let call = self.call(&self.scripts.letters, shard).printed(&from(after)).text(name(after)).printed(&limit);
            all.extend(replies::dead(self.run(call).await?)?);
        }
        all.sort_by_cached_key(|letter| Reverse((letter.at, letter.input.id.to_string())));
        all.truncate(limit);
        Ok(all)
    }

    async fn letter(&self, id: &InputId) -> Result<Option<Dead>> {
        for shard in 0..self.shards {
            let call = self.call(&self.scripts.letter, shard).text(id.as_str());
            if let Some(found) = replies::dead(self.run(call).await?)?.pop() {
                return Ok(Some(found));
            }
        }
        Ok(None)
    }
}

/// The time from which a page goes back.
pub(super) fn from(after: Option<&Cursor>) -> String {
    after.map_or_else(|| "+inf".to_owned(), |cursor| cursor.at().to_string())
}

/// The name after which a page begins.
pub(super) fn name(after: Option<&Cursor>) -> &str {
    after.map_or("", Cursor::name)
}
