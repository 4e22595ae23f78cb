//! Whether the server may have forgotten what it was told last. One that syncs its file every second, or that took over
//! without having everything, has lost the journal of effects that were made: for a while after a new server was met,
//! whoever handles an input is told so, and looks for an effect before making it.
//!
//! Servers are told apart by their run id, which each start changes. Which one was met last is kept in the store itself, so
//! that it does not matter who meets the new one first, or whether this program was started anew together with it. On a
//! Cluster, where each node has an id of its own, nobody is told.

use std::{
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use redis::cmd;
use tokio::time::Instant;

use super::{
    durability::pairs,
    replies,
    store::{RedisStore, millis},
};
use crate::store::Result;

/// For how long a new server counts as forgetful: what it forgot was begun before it came, and is taken up again within a
/// lease and a back-off.
const FORGETFUL_FOR: Duration = Duration::from_mins(6);

/// Which connection the server's id was asked on, and until when it counts as forgetful.
#[derive(Debug, Default)]
pub(super) struct Restarts {
    dial: AtomicU64,
    forgetful_until: Mutex<Option<Instant>>,
}

impl RedisStore {
    /// Whether the server is so new that it may have forgotten something. Asks it once for each connection.
    pub(super) async fn may_have_forgotten(&self) -> bool {
        if self.shards > 1 {
            return false;
        }
        let dial = self.link.dialed();
        if self.restarts.dial.load(Ordering::Relaxed) != dial {
            // While it is not known it may be: that costs some looks.
            let Ok(left) = self.forgetful_for().await else { return true };
            *self.restarts.forgetful_until.lock().unwrap_or_else(PoisonError::into_inner) = Some(Instant::now() + left);
            self.restarts.dial.store(dial, Ordering::Relaxed);
        }
        let until = *self.restarts.forgetful_until.lock().unwrap_or_else(PoisonError::into_inner);
        until.is_some_and(|until| Instant::now() < until)
    }

    async fn forgetful_for(&self) -> Result<Duration> {
        let info = match self.link.command(cmd("INFO").arg("server"), &self.base(0)).await {
            Ok(info) => info,
            Err(e) if e.is_timeout() || e.is_connection_dropped() => return Err(replies::unavailable(&e)),
            // Not allowed to this user: then nobody can tell.
            Err(_) => return Ok(Duration::ZERO),
        };
        let text: String = replies::read(info)?;
        let run = pairs(&text).into_iter().find(|(name, _)| name == "run_id").map(|(_, id)| id).unwrap_or_default();
        let call =
            self.call(&self.scripts.met, 0).printed(&self.offset()).printed(&run).printed(&millis(FORGETFUL_FOR));
        Ok(Duration::from_millis(replies::read(self.run(call).await?)?))
    }
}
