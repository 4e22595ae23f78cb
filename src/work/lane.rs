//! The fast lane: opens a modal for every trigger at once, beside the mailboxes.
//!
//! A trigger lives three seconds, and its input may have to wait longer than that for its turn. So the modal is opened
//! here, empty, under the input's id; the handler fills it. What comes here may be lost: whoever fills the modal opens
//! it himself when it is not there, and says what to do again when that was too late.

use std::{sync::Arc, time::Duration};

use tokio::sync::Mutex;
use tracing::Instrument as _;

use super::tenants::Tenants;
use crate::{
    clock::{Clock, later},
    domain::trace::TraceId,
    slack::trigger::{Trigger, TriggersOut},
    voice,
};

/// How long a trigger lives. <https://docs.slack.dev/interactivity/handling-user-interaction#modal_responses>
const LIFE: Duration = Duration::from_secs(3);

/// Opens modals.
#[derive(Debug)]
pub struct Lane {
    tenants: Arc<Tenants>,
    clock: Arc<dyn Clock>,
    triggers: Mutex<TriggersOut>,
}

impl Lane {
    /// A lane out of this queue.
    pub fn new(tenants: Arc<Tenants>, clock: Arc<dyn Clock>, triggers: TriggersOut) -> Self {
        Self { tenants, clock, triggers: Mutex::new(triggers) }
    }

    /// The next trigger, waiting for it; `None` when no more can come.
    pub async fn next(&self) -> Option<Trigger> {
        self.triggers.lock().await.recv().await
    }

    /// Opens the modal of every trigger that waits; how many there were.
    pub async fn step(&self) -> usize {
        let mut opened = 0;
        loop {
            let Ok(trigger) = self.triggers.lock().await.try_recv() else { return opened };
            self.open(trigger).await;
            opened += 1;
        }
    }

    /// Opens the modal of a trigger, unless it is too old to work. Failing is no harm: the handler looks after it.
    pub async fn open(&self, trigger: Trigger) {
        let span = tracing::info_span!("modal", trace = %TraceId::of(&trigger.input));
        self.open_in_time(trigger).instrument(span).await;
    }

    async fn open_in_time(&self, trigger: Trigger) {
        let end = if self.clock.now() > later(trigger.at, LIFE) {
            "late"
        } else {
            let view = voice::loading(trigger.opens, trigger.input.as_str());
            match tokio::time::timeout(LIFE, self.tenants.slack(&trigger.team).open_view(&trigger.id, &view)).await {
                Ok(Ok(())) => "opened",
                // The handler was faster.
                Ok(Err(error)) if error.trigger_is_used() => "used",
                Ok(Err(error)) => {
                    tracing::info!(%error, "a modal was not opened at once");
                    "failed"
                }
                Err(_elapsed) => "timeout",
            }
        };
        metrics::counter!("bobbin_modals_total", "end" => end).increment(1);
        tracing::debug!(end, "fast lane");
    }
}
