//! What "stored" survives with this server's settings, in words and with remedies.
//!
//! The classes are those of the durability table in the documentation. Where a managed service hides `CONFIG`, the
//! weakest setting that `INFO` allows is assumed and the warning says so.

use std::collections::HashMap;

use jiff::Timestamp;
use redis::{Cmd, cmd};

use super::{replies, store::RedisStore};
use crate::store::{Durability, Result, ServerFacts};

/// The settings that decide.
const SETTINGS: [&str; 4] = ["appendonly", "appendfsync", "maxmemory-policy", "min-replicas-to-write"];

/// The oldest Redis that knows script flags (`allow-oom`): without them finished work cannot be recorded when memory
/// is full.
const OLDEST_MAJOR: u32 = 7;

impl RedisStore {
    pub(super) async fn class(&self) -> Result<Durability> {
        let key = self.base(0);
        let mut info = HashMap::new();
        for section in ["server", "persistence", "replication", "memory"] {
            let mut command = cmd("INFO");
            command.arg(section);
            let text: String = replies::read(self.ask(&command, &key).await?)?;
            info.extend(pairs(&text));
        }
        let mut config = HashMap::new();
        let mut hidden = false;
        for setting in SETTINGS {
            let mut command = cmd("CONFIG");
            command.arg("GET").arg(setting);
            match self.link.command(&command, &key).await {
                Ok(value) => config.extend(replies::read::<HashMap<String, String>>(value)?),
                Err(e) if e.is_timeout() || e.is_connection_dropped() => return Err(replies::unavailable(&e)),
                Err(_) => hidden = true,
            }
        }
        Ok(Settings { info, config, hidden, wait_replicas: self.wait_replicas }.judge())
    }

    async fn ask(&self, command: &Cmd, key: &str) -> Result<redis::Value> {
        self.link.command(command, key).await.map_err(|e| replies::unavailable(&e))
    }
}

/// What the server tells about itself.
struct Settings {
    info: HashMap<String, String>,
    config: HashMap<String, String>,
    hidden: bool,
    wait_replicas: u32,
}

impl Settings {
    fn judge(&self) -> Durability {
        let mut warnings = Vec::new();
        self.server(&mut warnings);
        self.memory(&mut warnings);
        let class = self.persistence(&mut warnings);
        let class = self.replication(class, &mut warnings);
        Durability { class: class.to_owned(), warnings, server: Some(self.facts()) }
    }

    fn facts(&self) -> ServerFacts {
        let number = |name: &str| self.info(name).parse().unwrap_or(0);
        let at = self.info("server_time_usec").parse().ok().and_then(|at| Timestamp::from_microsecond(at).ok());
        ServerFacts {
            version: self.info("redis_version").to_owned(),
            used_bytes: number("used_memory"),
            most_bytes: number("maxmemory"),
            at,
        }
    }

    fn server(&self, warnings: &mut Vec<String>) {
        let version = self.info("redis_version");
        let major = version.split('.').next().and_then(|major| major.parse::<u32>().ok());
        // Valkey began after Redis 7.2 and reports that as its Redis version.
        if !self.info.contains_key("valkey_version") && major.is_some_and(|major| major < OLDEST_MAJOR) {
            warnings.push(format!(
                "Redis {version} is older than {OLDEST_MAJOR}.0, which the scripts need: upgrade to Redis \
                 {OLDEST_MAJOR} or Valkey"
            ));
        }
        if self.hidden {
            warnings.push(
                "CONFIG GET is not allowed, so the weakest settings that INFO admits are assumed: check appendfsync \
                 in your provider's console, or allow this user CONFIG GET"
                    .to_owned(),
            );
        }
    }

    fn memory(&self, warnings: &mut Vec<String>) {
        let policy = self.config.get("maxmemory-policy").map_or_else(|| self.info("maxmemory_policy"), String::as_str);
        if !policy.is_empty() && policy != "noeviction" {
            warnings.push(format!(
                "maxmemory-policy is {policy}: Redis may throw stored inputs away; set maxmemory-policy noeviction"
            ));
        }
    }

    fn persistence(&self, warnings: &mut Vec<String>) -> &'static str {
        let aof = match self.config.get("appendonly") {
            Some(setting) => setting == "yes",
            None => self.info("aof_enabled") == "1",
        };
        if !aof {
            warnings.push(
                "appendonly is no: a restart of Redis loses what came after its last snapshot; set appendonly yes and \
                 appendfsync always"
                    .to_owned(),
            );
            return "D0: survives a crash of this program, not one of Redis (no append-only file)";
        }
        let status = self.info("aof_last_write_status");
        if !status.is_empty() && status != "ok" {
            warnings.push(format!("aof_last_write_status is {status}: Redis cannot write its file; look at its disk"));
        }
        match self.config.get("appendfsync").map(String::as_str) {
            Some("always") => "D2: survives a crash of Redis and of its machine (append-only file, fsync always)",
            Some("no") => {
                warnings.push(
                    "appendfsync is no: a crash of the machine loses what the kernel had not written; set appendfsync \
                     always"
                        .to_owned(),
                );
                "D1: survives a restart of Redis, may lose the last seconds in a crash (fsync left to the kernel)"
            }
            setting => {
                let found = setting.unwrap_or("not known and taken as everysec");
                warnings.push(format!(
                    "appendfsync is {found}: a crash of Redis may lose the last second or two; set appendfsync always, \
                     or replicas and BOBBIN_REDIS_WAIT"
                ));
                "D1: survives a restart of Redis, may lose the last second in a crash (append-only file, fsync every \
                 second)"
            }
        }
    }

    fn replication(&self, class: &'static str, warnings: &mut Vec<String>) -> &'static str {
        if self.info("role") == "slave" {
            warnings.push(
                "this server is a replica and takes no writes: give the address of the primary, or use \
                 redis+sentinel://"
                    .to_owned(),
            );
        }
        if self.wait_replicas == 0 {
            return class;
        }
        let replicas: u32 = self.info("connected_slaves").parse().unwrap_or(0);
        if replicas < self.wait_replicas {
            warnings.push(format!(
                "BOBBIN_REDIS_WAIT is {} but {replicas} replicas are connected: every input is refused; connect \
                 replicas or lower it",
                self.wait_replicas
            ));
            return class;
        }
        if self.config.get("min-replicas-to-write").is_some_and(|least| least == "0") {
            warnings.push(
                "min-replicas-to-write is 0: a primary cut off from its replicas goes on taking other writes; set \
                 min-replicas-to-write 1"
                    .to_owned(),
            );
        }
        if class.starts_with("D0") {
            return class;
        }
        "D3: survives the loss of a Redis node (replicas have each input before it is acknowledged)"
    }

    fn info(&self, name: &str) -> &str {
        self.info.get(name).map_or("", String::as_str)
    }
}

pub(super) fn pairs(info: &str) -> impl Iterator<Item = (String, String)> + '_ {
    info.lines().filter_map(|line| line.trim_end().split_once(':')).map(|(k, v)| (k.to_owned(), v.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(info: &str, config: &[(&str, &str)], wait_replicas: u32) -> Settings {
        let config = config.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect::<HashMap<_, _>>();
        Settings { info: pairs(info).collect(), hidden: config.is_empty(), config, wait_replicas }
    }

    #[test]
    fn always_without_eviction_is_d2_and_nothing_is_wrong() {
        let found = settings(
            "redis_version:7.0.15\r\nrole:master\r\naof_last_write_status:ok\r\n",
            &[("appendonly", "yes"), ("appendfsync", "always"), ("maxmemory-policy", "noeviction")],
            0,
        )
        .judge();
        assert!(found.class.starts_with("D2"), "{found:?}");
        assert!(found.warnings.is_empty(), "{found:?}");
    }

    #[test]
    fn hidden_configuration_is_judged_by_info_and_said() {
        let info = "redis_version:6.2.6\r\naof_enabled:1\r\nmaxmemory_policy:allkeys-lru\r\n";
        let found = settings(info, &[], 0).judge();
        assert!(found.class.starts_with("D1"), "{found:?}");
        for word in ["older than 7.0", "CONFIG GET", "maxmemory-policy", "appendfsync"] {
            assert!(found.warnings.iter().any(|w| w.contains(word)), "{word}: {found:?}");
        }
    }

    #[test]
    fn replicas_count_only_when_they_are_there() {
        let config = [("appendonly", "yes"), ("appendfsync", "everysec"), ("min-replicas-to-write", "1")];
        let lonely = settings("connected_slaves:0\r\n", &config, 1).judge();
        assert!(lonely.class.starts_with("D1") && lonely.warnings.iter().any(|w| w.contains("BOBBIN_REDIS_WAIT is 1")));
        assert!(settings("connected_slaves:1\r\n", &config, 1).judge().class.starts_with("D3"));
    }

    #[test]
    fn valkey_is_never_too_old() {
        let found = settings("redis_version:6.0.0\r\nvalkey_version:8.1.0\r\n", &[("appendonly", "no")], 0).judge();
        assert!(found.class.starts_with("D0"));
        assert!(!found.warnings.iter().any(|w| w.contains("older")), "{found:?}");
    }
}
