//! Where inputs and links are kept.

use std::{path::PathBuf, time::Duration};

use secrecy::SecretString;

use super::Source;

/// Leases shorter than this would run out during one outbound call of ordinary length.
const LEASE_FLOOR: Duration = Duration::from_secs(5);

/// Where inputs and links are kept.
#[derive(Debug, Clone)]
pub struct StoreConfig {
    /// Which store.
    pub kind: StoreKind,
    /// Replicas that must have a write before it is acknowledged.
    pub redis_wait: u32,
    /// The file that takes inputs while Redis is away.
    pub spool: Option<PathBuf>,
    /// How long a silent replica keeps a mailbox.
    pub lease: Duration,
}

/// Which store.
#[derive(Debug, Clone)]
pub enum StoreKind {
    /// One file, one process.
    Embedded(PathBuf),
    /// Redis; the address may hold a password.
    Redis(SecretString),
}

impl StoreConfig {
    /// Reads the keys of the store.
    pub fn read(source: &mut Source) -> Self {
        let allowed = "embedded:FILE, redis://…, rediss://…, redis+sentinel://… or redis+cluster://…";
        // The value is not shown: a Redis address may hold a password.
        let kind = source.text("BOBBIN_STORE").and_then(|text| kind(&text));
        if kind.is_none() {
            source.problem("BOBBIN_STORE", "another form", allowed);
        }
        let wait = source
            .parse("BOBBIN_REDIS_WAIT", "a number of replicas from 0 to 5", |t| t.parse().ok().filter(|n| *n <= 5));
        let spool = source.text("BOBBIN_SPOOL").map(PathBuf::from);
        if spool.is_some() && matches!(kind, Some(StoreKind::Embedded(_))) {
            let allowed = "nothing: the embedded store's file takes inputs at all times; a spool is for a Redis store";
            source.problem("BOBBIN_SPOOL", "a spool beside the embedded store", allowed);
        }
        Self {
            kind: kind.unwrap_or_else(|| StoreKind::Embedded("bobbin.db".into())),
            redis_wait: wait.unwrap_or(0),
            spool,
            lease: source.duration("BOBBIN_LEASE", LEASE_FLOOR),
        }
    }
}

fn kind(text: &str) -> Option<StoreKind> {
    if let Some(path) = text.strip_prefix("embedded:").filter(|p| !p.is_empty()) {
        return Some(StoreKind::Embedded(path.into()));
    }
    let redis = ["redis://", "rediss://", "redis+sentinel://", "redis+cluster://"];
    redis.iter().any(|scheme| text.starts_with(scheme)).then(|| StoreKind::Redis(text.to_owned().into()))
}
