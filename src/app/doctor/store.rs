//! The store: whether it takes writes, what it survives, how much room it has, and what waits or was set aside in it.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use rustix::fs::{Access, access, statvfs};

use super::{
    check::{Area, Check},
    time,
};
use crate::{
    app::open_store,
    clock::Clock,
    config::{StoreConfig, StoreKind},
    domain::{ids::TeamId, pause::Pause},
    oversight::Oversight,
    store::{Bell, Durability, Result, ServerFacts, SharedStore, StoreError},
    tenancy::Intake,
};

const AREA: Area = Area::Store;
/// How long one operation may take here.
const WITHIN: Duration = Duration::from_secs(5);
/// Inputs that were ready so long ago should have been handled.
const BACKLOG_OLD: Duration = Duration::from_mins(5);
/// How long a turn may be tried again before somebody should look.
const RETRIED_LONG: Duration = Duration::from_mins(15);
/// People who could not be linked are of interest for so long.
const SEEN_WITHIN: Duration = Duration::from_hours(7 * 24);
/// So many of them are named.
const NAMED: usize = 10;
/// Dead letters that are counted.
const COUNTED: usize = 1_000;
/// Room on the disk below which it is time to act, and below which it is late, in MiB.
const ROOM_LOW: u64 = 1_024;
const ROOM_OUT: u64 = 100;

/// Settings of Redis by the words that begin a warning: the name of the check, and whether inputs are lost or refused.
const SETTINGS: [(&str, &str, bool); 8] = [
    ("Redis ", "version", true),
    ("CONFIG ", "config_get", false),
    ("maxmemory-policy ", "eviction", true),
    ("appendonly ", "persistence", false),
    ("aof_last_write_status ", "persistence", true),
    ("appendfsync ", "persistence", false),
    ("this server is a replica", "role", true),
    ("BOBBIN_REDIS_WAIT ", "replicas", true),
];

/// Looks at the store; gives it where it can be used.
pub(super) async fn examine(config: &StoreConfig, clock: &Arc<dyn Clock>) -> (Vec<Check>, Option<SharedStore>) {
    let mut checks = Vec::new();
    if let StoreKind::Embedded(path) = &config.kind {
        checks.push(room(path));
        if !path.exists() {
            checks.push(place(path));
            return (checks, None);
        }
    }
    let store = match open_store(config, clock.clone()) {
        Ok(store) => store,
        Err(error) => {
            checks.push(not_opened(&format!("{error:#}")));
            return (checks, None);
        }
    };
    let taken = within(store.check()).await;
    checks.push(writes(&taken));
    if taken.is_err() {
        return (checks, None);
    }
    checks.extend(of_store(&store, clock.as_ref()).await);
    (checks, Some(store))
}

/// Looks at the store that a running bot has open.
pub(super) async fn of_running(config: &StoreConfig, store: &SharedStore, clock: &dyn Clock) -> Vec<Check> {
    let mut checks = match &config.kind {
        StoreKind::Embedded(path) => vec![room(path)],
        StoreKind::Redis(_) => Vec::new(),
    };
    let taken = within(store.check()).await;
    checks.push(writes(&taken));
    if taken.is_ok() {
        checks.extend(of_store(store, clock).await);
    }
    checks
}

/// Looks at a store that answers.
pub async fn of_store(store: &SharedStore, clock: &dyn Clock) -> Vec<Check> {
    let mut checks = Vec::new();
    match within(store.durability()).await {
        Ok(durability) => checks.extend(settings(&durability, clock)),
        Err(error) => checks.push(Check::fail(AREA, "persistence", error.to_string(), "ask again; look at Redis")),
    }
    checks.push(intake(store, clock).await);
    checks.push(dead_letters(store).await);
    checks.push(unlinked(store, clock).await);
    checks.push(backlog(store, clock).await);
    checks
}

async fn within<T>(operation: impl Future<Output = Result<T>> + Send) -> Result<T> {
    let elapsed = |_| Err(StoreError::Unavailable(format!("no answer within {} s", WITHIN.as_secs())));
    tokio::time::timeout(WITHIN, operation).await.unwrap_or_else(elapsed)
}

fn not_opened(error: &str) -> Check {
    if error.contains("already open in another process") {
        let remedy = "its backlog is seen in /metrics of the bot that has it; its letters are seen here, and with `bobbin dead list`, while that \
                      is stopped";
        return Check::skipped(AREA, "takes_writes", "the file is in use, as it is while the bot runs", remedy);
    }
    let remedy = "let the user that runs the bot own the file and its folder, or name another in BOBBIN_STORE";
    Check::fail(AREA, "takes_writes", error, remedy)
}

fn writes(taken: &Result<()>) -> Check {
    let name = "takes_writes";
    match taken {
        Ok(()) => Check::ok(AREA, name, "yes"),
        Err(error) => {
            let remedy = "look whether Redis runs and is reached at BOBBIN_STORE with that user and password, has memory \
                          left, and takes writes; a file: at its disk";
            Check::fail(AREA, name, error.to_string(), remedy)
        }
    }
}

/// The folder of a file that the first start makes.
fn place(path: &Path) -> Check {
    let name = "takes_writes";
    match access(folder(path), Access::WRITE_OK | Access::EXEC_OK) {
        Ok(()) => Check::ok(AREA, name, "the first start makes the file"),
        Err(error) => {
            let found = format!("{}: {error}", folder(path).display());
            Check::fail(AREA, name, found, "make the folder, and let the user that runs the bot write there")
        }
    }
}

fn folder(path: &Path) -> PathBuf {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).map_or_else(|| PathBuf::from("."), Path::to_path_buf)
}

fn room(path: &Path) -> Check {
    match statvfs(folder(path)) {
        Ok(disk) => judge_room(disk.f_bavail.saturating_mul(disk.f_frsize) / (1 << 20)),
        Err(error) => Check::skipped(AREA, "room", error.to_string(), "look at the disk by hand"),
    }
}

fn judge_room(free: u64) -> Check {
    let (name, found) = ("room", format!("{free} MiB are free on its disk"));
    let remedy = "make room on the disk, or move the file: a full disk refuses every input";
    match free {
        free if free < ROOM_OUT => Check::fail(AREA, name, found, remedy),
        free if free < ROOM_LOW => Check::warn(AREA, name, found, remedy),
        _ => Check::ok(AREA, name, found),
    }
}

fn settings(durability: &Durability, clock: &dyn Clock) -> Vec<Check> {
    let Durability { class, warnings, server } = durability;
    let mut checks = vec![Check::ok(AREA, "durability", class.clone())];
    checks.extend(warnings.iter().map(|warning| judge(warning)));
    if let Some(server) = server {
        checks.push(Check::ok(AREA, "server", format!("Redis {}", server.version)));
        checks.push(memory(server));
        // The machine's clock: whatever moves ours in a test tells the server so.
        let ours = clock.now().saturating_sub(clock.offset()).unwrap_or(clock.now());
        checks.push(time::against(AREA, ours, server.at));
    }
    checks
}

/// A warning as a check of its own: its last part is what to do.
fn judge(warning: &str) -> Check {
    let (found, remedy) =
        warning.rsplit_once("; ").or_else(|| warning.rsplit_once(": ")).unwrap_or((warning, "see the README"));
    let known = SETTINGS.iter().find(|(begins, ..)| warning.starts_with(begins));
    match known {
        Some((_, name, true)) => Check::fail(AREA, name, found, remedy),
        Some((_, name, false)) => Check::warn(AREA, name, found, remedy),
        None => Check::warn(AREA, "settings", found, remedy),
    }
}

fn memory(server: &ServerFacts) -> Check {
    let name = "memory";
    let used = server.used_bytes >> 20;
    if server.most_bytes == 0 {
        return Check::ok(AREA, name, format!("{used} MiB used, as much as the machine has"));
    }
    let hundredths = server.used_bytes.saturating_mul(100) / server.most_bytes;
    let found = format!("{used} of {} MiB used ({hundredths} %)", server.most_bytes >> 20);
    let remedy = "raise maxmemory: a full Redis refuses every input";
    match hundredths {
        95.. => Check::fail(AREA, name, found, remedy),
        80..95 => Check::warn(AREA, name, found, remedy),
        _ => Check::ok(AREA, name, found),
    }
}

/// People who asked this week and for whom nobody acts.
async fn unlinked(store: &SharedStore, clock: &dyn Clock) -> Check {
    let name = "people";
    let oversight = Oversight::new(store.clone(), [], Bell::default());
    match tokio::time::timeout(WITHIN, oversight.failing(clock.now(), SEEN_WITHIN)).await {
        Ok(Ok(failing)) if failing.is_empty() => Check::ok(AREA, name, "everybody who asked this week is linked"),
        Ok(Ok(failing)) => {
            let named = failing.iter().take(NAMED).map(|one| format!("{} ({})", one.person.user, one.why.name()));
            let named = named.collect::<Vec<_>>().join(", ");
            let more = if failing.len() > NAMED { ", …" } else { "" };
            let found = format!("{} who asked this week are not linked: {named}{more}", failing.len());
            let remedy = "give them an account in the Devin organisation with the e-mail address that Slack has, or have them \
                          confirm theirs; `/devin whoami` tells each of them what is missing";
            Check::warn(AREA, name, found, remedy)
        }
        Ok(Err(error)) => Check::fail(AREA, name, error.to_string(), "ask again; look at the store"),
        Err(_) => Check::fail(AREA, name, "no answer in time", "ask again; look at the store"),
    }
}

/// The kill switch.
async fn intake(store: &SharedStore, clock: &dyn Clock) -> Check {
    let name = "intake";
    match within(Intake::new(store.clone()).pauses()).await {
        Ok(pauses) if pauses.is_empty() => Check::ok(AREA, name, "new sessions are started"),
        Ok(pauses) => {
            let told = pauses.iter().map(|Pause { workspace, since, said }| {
                let place = workspace.as_ref().map_or("all workspaces", TeamId::as_str);
                let minutes = clock.now().duration_since(*since).as_mins().max(0);
                format!("in {place} for {minutes} min by {}", said.by)
            });
            let found = format!("new sessions are paused {}", told.collect::<Vec<_>>().join(", "));
            Check::warn(AREA, name, found, "`bobbin resume`, or the console's Resume, once they may be started again")
        }
        Err(error) => Check::fail(AREA, name, error.to_string(), "ask again; look at the store"),
    }
}

async fn dead_letters(store: &SharedStore) -> Check {
    let name = "dead_letters";
    let remedy = "look at them with `bobbin dead list`, then `bobbin dead replay` or `bobbin dead drop`";
    match within(store.dead(COUNTED)).await {
        Ok(dead) => match dead.first() {
            None => Check::ok(AREA, name, "none"),
            Some(newest) => {
                let more = if dead.len() == COUNTED { "at least " } else { "" };
                let found = format!("{more}{}, the newest of {}: {}", dead.len(), newest.at, newest.why);
                Check::warn(AREA, name, found, remedy)
            }
        },
        Err(error) => Check::fail(AREA, name, error.to_string(), "ask again; look at the store"),
    }
}

async fn backlog(store: &SharedStore, clock: &dyn Clock) -> Check {
    let name = "backlog";
    let backlog = match within(store.backlog()).await {
        Ok(backlog) => backlog,
        Err(error) => return Check::fail(AREA, name, error.to_string(), "ask again; look at the store"),
    };
    let old = backlog.oldest.map_or(Duration::ZERO, |since| clock.now().duration_since(since).unsigned_abs());
    let found = match backlog.ready {
        0 => "nothing waits for its turn".to_owned(),
        ready => format!("{ready} wait, the oldest for {} s", old.as_secs()),
    };
    let since = backlog.retried_since.map_or(Duration::ZERO, |since| clock.now().duration_since(since).unsigned_abs());
    let found = match backlog.retried {
        0 => found,
        retried => format!("{found}; {retried} not done yet and tried again, the oldest for {} s", since.as_secs()),
    };
    if backlog.ready > 0 && old > BACKLOG_OLD {
        let remedy = "look whether `bobbin serve` runs on this store, and at its log: more replicas work off more";
        return Check::fail(AREA, name, found, remedy);
    }
    if backlog.retried > 0 && since > RETRIED_LONG {
        let remedy =
            "open its thread in the console, which says what stands in the way; after a day an input is set aside";
        return Check::warn(AREA, name, found, remedy);
    }
    Check::ok(AREA, name, found)
}

#[cfg(test)]
mod tests {
    use super::{
        super::check::State::{self, Fail, Ok as Well, Warn},
        *,
    };
    use crate::clock::SystemClock;

    #[test]
    fn a_setting_that_loses_inputs_fails_and_one_that_may_warns() {
        for (warning, name, state, found, remedy) in [
            (
                "maxmemory-policy is allkeys-lru: Redis may throw stored inputs away; set maxmemory-policy noeviction",
                "eviction",
                Fail,
                "maxmemory-policy is allkeys-lru: Redis may throw stored inputs away",
                "set maxmemory-policy noeviction",
            ),
            ("Redis 6.2 is older than 7.0: upgrade", "version", Fail, "Redis 6.2 is older than 7.0", "upgrade"),
            ("appendfsync is no: a loss; set it", "persistence", Warn, "appendfsync is no: a loss", "set it"),
        ] {
            let check = judge(warning);
            assert_eq!((check.name.as_str(), check.state, check.found.as_str()), (name, state, found));
            assert_eq!(check.remedy.as_deref(), Some(remedy));
        }
    }

    #[test]
    fn memory_and_room_are_told_before_they_run_out() {
        let server = |used, most| ServerFacts { version: "7".into(), used_bytes: used, most_bytes: most, at: None };
        let states: Vec<State> =
            [(50, 0), (50, 100), (80, 100), (96, 100)].map(|(used, most)| memory(&server(used, most)).state).into();
        assert_eq!(states, [Well, Well, Warn, Fail]);
        assert_eq!([5_000, 500, 50].map(|free| judge_room(free).state), [Well, Warn, Fail]);
    }

    #[tokio::test]
    async fn a_file_that_is_not_there_is_not_made_and_one_in_use_is_left_alone() {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let folder = tempfile::tempdir().unwrap();
        let config = |path: PathBuf| StoreConfig {
            kind: StoreKind::Embedded(path),
            redis_wait: 0,
            spool: None,
            lease: Duration::from_mins(1),
        };
        let there = config(folder.path().join("it.db"));
        let state = |checks: &[Check]| checks.iter().find(|check| check.name == "takes_writes").unwrap().state;
        let (checks, store) = examine(&there, &clock).await;
        assert!(state(&checks) == Well && store.is_none() && !folder.path().join("it.db").exists());
        let (checks, _) = examine(&config(folder.path().join("no/it.db")), &clock).await;
        assert_eq!(state(&checks), Fail);
        let open = open_store(&there, clock.clone()).unwrap();
        let (checks, _) = examine(&there, &clock).await;
        assert_eq!(state(&checks), State::Skipped, "{checks:?}");
        drop(open);
    }
}
