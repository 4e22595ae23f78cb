//! The journal of one input in hand, and the rule of when an effect may be tried again.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use jiff::Timestamp;
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use tracing::Instrument as _;

use crate::{
    clock::{Clock, later},
    domain::story::{Outcome, Step},
    outbound::{Certainty, Failure},
    store::{Lease, Leased, SharedStore, StoreError, notes},
};

/// When to look for an attempt that we gave up, counted from then. The first outlasts an upstream that still works on
/// what we no longer wait for; the second a list that lags behind. After the last look it is tried again.
const GIVEN_UP: &[Duration] = &[Duration::from_secs(10), Duration::from_secs(30)];
/// When to look first for an attempt that was cut off with its process, counted from its begin.
const CUT_OFF_FIRST: Duration = Duration::from_secs(10);
/// How long after the time that its call was given to look for it last: it may have been under way all that time.
const CUT_OFF_LAST: Duration = Duration::from_secs(10);
/// Least time between two looks, however late the first comes: a list may lag whenever it is read.
const BETWEEN_LOOKS: Duration = Duration::from_secs(10);

/// One step's record, version 1.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
enum Record {
    /// The effect may have happened.
    Begun {
        v: u8,
        /// When it was begun, or given up.
        at: Timestamp,
        /// Whether we gave it up ourselves; otherwise the process ended while it was under way.
        given_up: bool,
        /// How often it was looked for since.
        looks: usize,
        /// When it was looked for last.
        looked_at: Option<Timestamp>,
    },
    /// The other side refused it: this attempt certainly did not happen.
    Refused {
        v: u8,
        /// Whether an attempt before it may have happened.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        doubted: bool,
    },
    /// It happened, with this result.
    Done {
        v: u8,
        result: serde_json::Value,
        /// Whether that was unknown for a while, so that it may have happened twice.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        doubted: bool,
    },
}

const VERSION: u8 = 1;

impl Record {
    fn told(&self, name: &str) -> Step {
        let (outcome, result) = match self {
            Self::Begun { .. } => (Outcome::Unknown, None),
            Self::Refused { .. } => (Outcome::Refused, None),
            Self::Done { result, .. } => (Outcome::Done, Some(result)),
        };
        let ts = result.and_then(|result| result.as_str()?.parse().ok());
        let session = result.and_then(|result| result.get("session")?.as_str()?.parse().ok());
        Step { name: name.to_owned(), outcome, ts, session }
    }
}

/// What a journal says, as far as it can be read.
pub fn told(journal: &BTreeMap<String, String>) -> Vec<Step> {
    let read = |(name, record): (&String, &String)| Some(serde_json::from_str::<Record>(record).ok()?.told(name));
    journal.iter().filter_map(read).collect()
}

/// Why a step has no result.
#[derive(Debug, thiserror::Error)]
pub enum StepError<E: Failure> {
    /// The other side refused, or the look-up failed: nothing was done, and the caller decides.
    #[error(transparent)]
    Failed(E),
    /// It is not known whether the effect happened; come back at `until`.
    #[error("it is not known whether {step:?} happened: {why}")]
    Unsure {
        /// The step.
        step: String,
        /// When to look.
        until: Timestamp,
        /// What is known.
        why: String,
    },
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The steps of one input in hand.
#[derive(Debug)]
pub struct Steps {
    store: SharedStore,
    clock: Arc<dyn Clock>,
    lease: Lease,
    records: BTreeMap<String, Record>,
    /// Whether records may be missing: then an effect is looked for before it is made.
    forgetful: bool,
}

impl Steps {
    /// Reads the journal of a mailbox that was taken.
    pub fn open(store: SharedStore, clock: Arc<dyn Clock>, leased: &Leased) -> Result<Self, StoreError> {
        let Leased { lease, journal, forgetful, .. } = leased;
        let read = |(step, record): (&String, &String)| match serde_json::from_str(record) {
            Ok(record) => Ok((step.clone(), record)),
            Err(error) => Err(StoreError::Corrupt(format!("journal of {}: {step}: {error}", lease.mailbox))),
        };
        let records = journal.iter().map(read).collect::<Result<_, _>>()?;
        Ok(Self { store, clock, lease: lease.clone(), records, forgetful: *forgetful })
    }

    /// The result of a step that is finished.
    pub fn result<T: DeserializeOwned>(&self, step: &str) -> Option<T> {
        match self.records.get(step)? {
            Record::Done { result, .. } => serde_json::from_value(result.clone()).ok(),
            Record::Begun { .. } | Record::Refused { .. } => None,
        }
    }

    /// Whether a step may have happened once more than its result says, because for a while its outcome was not known.
    pub fn doubted(&self, step: &str) -> bool {
        matches!(
            self.records.get(step),
            Some(Record::Done { doubted: true, .. } | Record::Refused { doubted: true, .. })
        )
    }

    /// Whether anything is known of a step, be it finished or only begun.
    pub fn met(&self, step: &str) -> bool {
        self.records.contains_key(step)
    }

    /// Whether a step may have taken effect: it did, or nobody knows.
    pub fn may_have_happened(&self, step: &str) -> bool {
        matches!(self.records.get(step), Some(Record::Begun { .. } | Record::Done { .. })) || self.doubted(step)
    }

    /// Whether a step is finished, so that asking for it does nothing any more.
    pub fn finished(&self, step: &str) -> bool {
        matches!(self.records.get(step), Some(Record::Done { .. }))
    }

    /// Has every effect from here on looked for before it is made: what was known of it has gone with an input that was set
    /// aside.
    pub fn look_first(&mut self) {
        self.forgetful = true;
    }

    /// Whether a step with such a name may have taken effect.
    pub fn any_may_have_happened(&self, named: impl Fn(&str) -> bool) -> bool {
        self.records.keys().any(|step| named(step) && self.may_have_happened(step))
    }

    /// What was done, for the thread's story.
    pub fn told(&self) -> Vec<Step> {
        self.records.iter().map(|(name, record)| record.told(name)).collect()
    }

    /// Takes a result that was found outside for the step's, unless the journal has a record of it. It is not written
    /// down: whoever handles the input again finds it again.
    pub fn assume<T: Serialize + Sync>(&mut self, step: &str, result: &T) -> Result<(), StoreError> {
        let result = value(step, result)?;
        self.records.entry(step.to_owned()).or_insert(Record::Done { v: VERSION, result, doubted: false });
        Ok(())
    }

    /// Does something once. `act` does it, and is over after `within` at the latest; `find` looks for the mark of a lost
    /// attempt. Both are futures, so that nothing happens until they are needed.
    pub async fn once<T, E, Act, Find>(
        &mut self,
        step: &str,
        within: Duration,
        act: Act,
        find: Find,
    ) -> Result<T, StepError<E>>
    where
        T: Serialize + DeserializeOwned + Send + Sync,
        E: Failure,
        Act: Future<Output = Result<T, E>> + Send,
        Find: Future<Output = Result<Option<T>, E>> + Send,
    {
        match self.records.get(step).cloned() {
            Some(Record::Done { result, .. }) => return read_result(step, result),
            Some(Record::Begun { at, given_up, looks, looked_at, .. }) => {
                let lost = Lost { at, given_up, looks, looked_at };
                if let Some(found) = Box::pin(self.look(step, lost, within, find)).await? {
                    return Ok(found);
                }
            }
            None if self.forgetful => {
                if let Some(found) = find.await.map_err(StepError::Failed)? {
                    self.done(step, &found, true).await?;
                    return Ok(found);
                }
            }
            Some(Record::Refused { .. }) | None => {}
        }
        Box::pin(self.attempt(step, act)).await
    }

    /// Does something that shows nowhere when done twice (an upload that nobody refers to yet), and keeps its result.
    pub async fn repeatable<T, E, Act>(&mut self, step: &str, act: Act) -> Result<T, StepError<E>>
    where
        T: Serialize + DeserializeOwned + Send + Sync,
        E: Failure,
        Act: Future<Output = Result<T, E>> + Send,
    {
        if let Some(Record::Done { result, .. }) = self.records.get(step).cloned() {
            return read_result(step, result);
        }
        let result = act.await.map_err(StepError::Failed)?;
        self.done(step, &result, false).await?;
        Ok(result)
    }

    /// Does something that can neither be found again nor done twice unseen (a message that only one person sees).
    /// An attempt that was cut off counts as made: rather once too few, where a lasting sign (a reaction) stands beside
    /// it.
    pub async fn at_most_once<E, Act>(&mut self, step: &str, act: Act) -> Result<(), StepError<E>>
    where
        E: Failure,
        Act: Future<Output = Result<(), E>> + Send,
    {
        match self.records.get(step) {
            Some(Record::Done { .. } | Record::Begun { .. }) => return Ok(()),
            Some(Record::Refused { .. }) | None => {}
        }
        match Box::pin(self.attempt(step, act)).await {
            Err(StepError::Unsure { .. }) => Ok(()),
            other => other,
        }
    }

    async fn attempt<T, E, Act>(&mut self, step: &str, act: Act) -> Result<T, StepError<E>>
    where
        T: Serialize + Send + Sync,
        E: Failure,
        Act: Future<Output = Result<T, E>> + Send,
    {
        let doubted = match self.records.get(step) {
            Some(Record::Begun { .. } | Record::Refused { doubted: true, .. }) => true,
            Some(Record::Refused { .. } | Record::Done { .. }) => false,
            None => self.forgetful,
        };
        let begun = Lost { at: self.clock.now(), given_up: false, looks: 0, looked_at: None }.record();
        self.store.begin(&self.lease, step, &text(&begun)?).await?;
        self.records.insert(step.to_owned(), begun);
        match act.instrument(tracing::info_span!("step", step)).await {
            Ok(result) => {
                self.done(step, &result, doubted).await?;
                Ok(result)
            }
            Err(error) if error.certainty() == Certainty::NotDone => {
                self.write(step, Record::Refused { v: VERSION, doubted }).await?;
                Err(StepError::Failed(error))
            }
            Err(error) => Err(self.give_up(step, error.to_string()).await?),
        }
    }

    /// Looks for a lost attempt: its result, or `None` when it has been looked for often enough.
    async fn look<T, E, Find>(
        &mut self,
        step: &str,
        lost: Lost,
        within: Duration,
        find: Find,
    ) -> Result<Option<T>, StepError<E>>
    where
        T: Serialize + Send + Sync,
        E: Failure,
        Find: Future<Output = Result<Option<T>, E>> + Send,
    {
        let unsure = |until, why: &str| StepError::Unsure { step: step.to_owned(), until, why: why.to_owned() };
        let now = self.clock.now();
        // Asked for here, where it counts, and not in every turn.
        let lag = notes::findings(&*self.store).await?.last_look_after();
        if let Some(due) = lost.due(within, lag).filter(|due| now < *due) {
            return Err(unsure(due, "waiting before the next look"));
        }
        let looking = tracing::info_span!("look", step);
        if let Some(found) = find.instrument(looking).await.map_err(StepError::Failed)? {
            self.done(step, &found, true).await?;
            return Ok(Some(found));
        }
        let lost = Lost { looks: lost.looks + 1, looked_at: Some(now), ..lost };
        let Some(due) = lost.due(within, lag) else { return Ok(None) };
        self.write(step, lost.record()).await?;
        Err(unsure(due, "the lost attempt was not found yet"))
    }

    async fn give_up<E: Failure>(&mut self, step: &str, why: String) -> Result<StepError<E>, StoreError> {
        let now = self.clock.now();
        let lost = Lost { at: now, given_up: true, looks: 0, looked_at: None };
        self.write(step, lost.record()).await?;
        Ok(StepError::Unsure {
            step: step.to_owned(),
            until: lost.due(Duration::ZERO, Duration::ZERO).unwrap_or(now),
            why,
        })
    }

    async fn done<T: Serialize + Sync>(&mut self, step: &str, result: &T, doubted: bool) -> Result<(), StoreError> {
        let result = value(step, result)?;
        self.write(step, Record::Done { v: VERSION, result, doubted }).await
    }

    async fn write(&mut self, step: &str, record: Record) -> Result<(), StoreError> {
        self.store.finish(&self.lease, step, &text(&record)?).await?;
        self.records.insert(step.to_owned(), record);
        Ok(())
    }
}

/// An attempt of which it is not known whether it took effect.
#[derive(Debug, Clone, Copy)]
struct Lost {
    at: Timestamp,
    given_up: bool,
    looks: usize,
    looked_at: Option<Timestamp>,
}

impl Lost {
    /// When to look next; `None` when it was looked for often enough. The call was given `within`, and what it makes may
    /// show only after `lag`: the last look comes no sooner.
    fn due(self, within: Duration, lag: Duration) -> Option<Timestamp> {
        let cut_off = [CUT_OFF_FIRST, within + CUT_OFF_LAST];
        let waits = if self.given_up { GIVEN_UP } else { &cut_off };
        let wait = *waits.get(self.looks)?;
        let is_last = self.looks + 1 == waits.len();
        let due = later(self.at, if is_last { wait.max(lag) } else { wait });
        Some(self.looked_at.map_or(due, |at| due.max(later(at, BETWEEN_LOOKS))))
    }

    fn record(self) -> Record {
        let Self { at, given_up, looks, looked_at } = self;
        Record::Begun { v: VERSION, at, given_up, looks, looked_at }
    }
}

fn value<T: Serialize>(step: &str, result: &T) -> Result<serde_json::Value, StoreError> {
    serde_json::to_value(result).map_err(|e| StoreError::Corrupt(format!("result of {step}: {e}")))
}

fn text(record: &Record) -> Result<String, StoreError> {
    serde_json::to_string(record).map_err(|e| StoreError::Corrupt(format!("journal record: {e}")))
}

fn read_result<T: DeserializeOwned, E: Failure>(step: &str, result: serde_json::Value) -> Result<T, StepError<E>> {
    serde_json::from_value(result)
        .map_err(|e| StepError::Store(StoreError::Corrupt(format!("journalled result of {step}: {e}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stored forms that exist already are read for ever: a sample is never changed, a new form gets a new one.
    const SAMPLES: [&str; 5] = [
        r#"{"is":"begun","v":1,"at":"2026-11-24T02:00:00Z","given_up":true,"looks":1,"looked_at":"2026-11-24T02:00:10Z"}"#,
        r#"{"is":"refused","v":1}"#,
        r#"{"is":"refused","v":1,"doubted":true}"#,
        r#"{"is":"done","v":1,"result":"1700000001.000100"}"#,
        r#"{"is":"done","v":1,"result":"1700000001.000100","doubted":true}"#,
    ];

    #[test]
    fn stored_records_are_read() {
        for sample in SAMPLES {
            let record: Record = serde_json::from_str(sample).unwrap();
            assert_eq!(text(&record).unwrap(), sample);
        }
    }

    #[test]
    fn looks_are_spaced_however_late_the_first_one_is() {
        let at = Timestamp::UNIX_EPOCH;
        let seconds = |lost: Lost| lost.due(Duration::from_mins(1), Duration::ZERO).map(Timestamp::as_second);
        let lost = Lost { at, given_up: true, looks: 0, looked_at: None };
        assert_eq!(seconds(lost), Some(10));
        let late = Lost { looks: 1, looked_at: Some(later(at, Duration::from_secs(100))), ..lost };
        assert_eq!(seconds(late), Some(110));
        assert_eq!(seconds(Lost { looks: 2, ..late }), None, "then it is tried again");
        assert_eq!(seconds(Lost { given_up: false, looks: 1, ..lost }), Some(70), "the call may have gone on");
        let lagging =
            |looks| Lost { looks, ..lost }.due(Duration::ZERO, Duration::from_secs(80)).map(Timestamp::as_second);
        assert_eq!((lagging(0), lagging(1)), (Some(10), Some(80)), "what lags is looked for last once it shows");
    }
}
