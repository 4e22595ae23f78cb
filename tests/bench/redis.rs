//! A real `redis-server` for one row: a free port, a folder of its own, gone with the row.

use std::{
    io,
    net::TcpListener,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

use anyhow::{Context as _, bail};
use tempfile::TempDir;

use super::disk;

/// A server answers within milliseconds of its start.
const START_WITHIN: Duration = Duration::from_secs(5);

/// A running server.
#[derive(Debug)]
pub(crate) struct RedisServer {
    child: Child,
    url: String,
    _folder: TempDir,
}

/// Whether there is one to start.
pub(crate) fn installed() -> anyhow::Result<()> {
    match Command::new("redis-server").arg("--version").stdout(Stdio::null()).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => bail!("redis-server --version fails: {status}"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            bail!("redis-server is missing; install it (Debian, Ubuntu: apt-get install redis-server) and run again")
        }
        Err(error) => Err(error).context("redis-server cannot be started"),
    }
}

impl RedisServer {
    /// Starts one with these settings and waits until it answers.
    pub(crate) fn start(settings: &[&str]) -> anyhow::Result<Self> {
        let folder = disk::folder()?;
        let port = TcpListener::bind("127.0.0.1:0")?.local_addr()?.port();
        let child = Command::new("redis-server")
            .args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string()])
            .args(settings)
            .current_dir(folder.path())
            .stdout(Stdio::null())
            .spawn()
            .context("redis-server cannot be started")?;
        let server = Self { child, url: format!("redis://127.0.0.1:{port}"), _folder: folder };
        let deadline = Instant::now() + START_WITHIN;
        while server.ask::<String>(&["PING"]).is_err() {
            if Instant::now() > deadline {
                bail!("redis-server does not answer");
            }
            thread::sleep(Duration::from_millis(20));
        }
        Ok(server)
    }

    /// Its address.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Forgets which commands were called.
    pub(crate) fn reset(&self) -> anyhow::Result<()> {
        self.ask::<()>(&["CONFIG", "RESETSTAT"])
    }

    /// How often scripts were called since the last reset, by hash and by text.
    pub(crate) fn script_calls(&self) -> anyhow::Result<usize> {
        let stats: String = self.ask(&["INFO", "commandstats"])?;
        let calls = |command: &str| {
            let line = stats.lines().find_map(|line| line.strip_prefix(command));
            line.and_then(|line| line.split(',').next()?.parse::<usize>().ok()).unwrap_or(0)
        };
        Ok(calls("cmdstat_evalsha:calls=") + calls("cmdstat_eval:calls="))
    }

    fn ask<T: redis::FromRedisValue>(&self, words: &[&str]) -> anyhow::Result<T> {
        let mut connection = redis::Client::open(self.url.as_str())?.get_connection()?;
        let mut words = words.iter();
        let mut command = redis::cmd(words.next().context("no command")?);
        for word in words {
            command.arg(word);
        }
        Ok(command.query(&mut connection)?)
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
