//! A real `redis-server` for a test. It is started through a shell that kills it when the test process goes away, in
//! whatever way that happens: a shared server lives in a `static`, which nobody drops.

use std::{
    io::{BufRead, BufReader},
    net::TcpListener,
    path::Path,
    process::{Child, Command, Stdio},
    thread::sleep,
    time::{Duration, Instant},
};

use tempfile::TempDir;

/// Starts the server, prints its process id, and kills it when our end of the pipe closes.
const KEEPER: &str = r#""$@" >server.log 2>&1 & echo $!; read -r _; kill -9 $! 2>/dev/null; wait"#;

/// A server on a free loopback port with a folder of its own.
pub(crate) struct RedisServer {
    port: u16,
    folder: TempDir,
    arguments: Vec<String>,
    running: Option<Running>,
}

struct Running {
    keeper: Child,
    pid: String,
}

impl RedisServer {
    /// Starts a server with these arguments after the usual ones.
    pub(crate) fn start(extra: &[&str]) -> Self {
        let server = Self::prepare(extra);
        server.restarted()
    }

    /// A server that is not running yet.
    pub(crate) fn prepare(extra: &[&str]) -> Self {
        let port = free_port();
        let folder = tempfile::tempdir().unwrap();
        let arguments = extra.iter().map(|argument| (*argument).to_owned()).collect();
        Self { port, folder, arguments, running: None }
    }

    /// A sentinel that watches a server under the name `main`: so many sentinels have to agree that it is gone, which
    /// each believes after a second.
    pub(crate) fn sentinel(of: &Self, quorum: usize) -> Self {
        let mut sentinel = Self::prepare(&["--sentinel"]);
        let config = format!(
            "sentinel monitor main 127.0.0.1 {} {quorum}\nsentinel down-after-milliseconds main 1000\n\
             sentinel failover-timeout main 5000\nsentinel parallel-syncs main 9\n",
            of.port
        );
        std::fs::write(sentinel.folder.path().join("sentinel.conf"), config).unwrap();
        sentinel.arguments.insert(0, "sentinel.conf".to_owned());
        sentinel.restarted()
    }

    /// A server of a Cluster. Its second port is given, because the usual one (10,000 above the first) may not exist.
    pub(crate) fn cluster_node() -> Self {
        let bus = free_port().to_string();
        let tolerant = ["--cluster-require-full-coverage", "no", "--cluster-node-timeout", "1000"];
        Self::start(&[&["--cluster-enabled", "yes", "--cluster-port", &bus], &tolerant[..]].concat())
    }

    /// A replica of a server, in sync with it.
    pub(crate) fn replica(of: &Self, extra: &[&str]) -> Self {
        Self::replica_through(of, of.port, extra)
    }

    /// The same, with a relay between the two.
    pub(crate) fn replica_through(of: &Self, port: u16, extra: &[&str]) -> Self {
        let replica = Self::start(&[&["--replicaof", "127.0.0.1", &port.to_string()], extra].concat());
        let deadline = Instant::now() + Duration::from_secs(20);
        while !replica.says("replication", "master_link_status:up") || !of.says("replication", "state=online") {
            assert!(Instant::now() < deadline, "the replica does not follow: {}", replica.log());
            sleep(Duration::from_millis(20));
        }
        replica
    }

    /// Whether a section of `INFO` has these words; no answer is none.
    pub(crate) fn says(&self, section: &str, words: &str) -> bool {
        self.try_command(&["INFO", section]).is_some_and(|info| format!("{info:?}").contains(words))
    }

    /// Its address.
    pub(crate) fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Starts it (again) on the same port and the same files.
    pub(crate) fn restart(&mut self) {
        self.kill();
        self.running = Some(self.spawn());
        let deadline = Instant::now() + Duration::from_secs(10);
        while self.try_command(&["PING"]).is_none() {
            let log = self.log();
            assert!(Instant::now() < deadline, "redis-server does not answer: {log}");
            sleep(Duration::from_millis(10));
        }
    }

    /// Its folder.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills it, as a power cut would.
    pub(crate) fn kill(&mut self) {
        if let Some(mut running) = self.running.take() {
            signal("-KILL", &running.pid);
            drop(running.keeper.stdin.take());
            running.keeper.wait().unwrap();
        }
    }

    /// Stops it without closing anything: connections hang.
    pub(crate) fn freeze(&self) {
        signal("-STOP", &self.running.as_ref().unwrap().pid);
    }

    /// Lets it go on.
    pub(crate) fn thaw(&self) {
        signal("-CONT", &self.running.as_ref().unwrap().pid);
    }

    /// Sends a command on a connection of its own.
    pub(crate) fn command(&self, words: &[&str]) -> redis::Value {
        self.try_command(words).unwrap_or_else(|| panic!("{words:?} failed: {}", self.log()))
    }

    /// All its keys as they now are, to be put back with [`put_back`](Self::put_back).
    pub(crate) fn copy(&self) -> Vec<(Vec<u8>, i64, Vec<u8>)> {
        let mut connection = redis::Client::open(self.url()).unwrap().get_connection().unwrap();
        let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query(&mut connection).unwrap();
        let mut rows = Vec::new();
        for key in keys {
            let left: i64 = redis::cmd("PTTL").arg(&key).query(&mut connection).unwrap();
            let value: Option<Vec<u8>> = redis::cmd("DUMP").arg(&key).query(&mut connection).unwrap();
            rows.extend(value.map(|value| (key, left.max(0), value)));
        }
        rows
    }

    /// All that it has, in clear, for looking whether something is there.
    pub(crate) fn contents(&self) -> String {
        let mut connection = redis::Client::open(self.url()).unwrap().get_connection().unwrap();
        let keys: Vec<Vec<u8>> = redis::cmd("KEYS").arg("*").query(&mut connection).unwrap();
        let mut text = String::new();
        for key in keys {
            let kind: String = redis::cmd("TYPE").arg(&key).query(&mut connection).unwrap();
            let (verb, bounds): (&str, &[&str]) = match kind.as_str() {
                "string" => ("GET", &[]),
                "hash" => ("HGETALL", &[]),
                "list" => ("LRANGE", &["0", "-1"]),
                "set" => ("SMEMBERS", &[]),
                "zset" => ("ZRANGE", &["0", "-1"]),
                "stream" => ("XRANGE", &["-", "+"]),
                _ => continue,
            };
            let value: redis::Value = redis::cmd(verb).arg(&key).arg(bounds).query(&mut connection).unwrap();
            flatten(&value, &mut text);
        }
        text
    }

    /// Puts a copy in the place of everything.
    pub(crate) fn put_back(&self, copy: &[(Vec<u8>, i64, Vec<u8>)]) {
        self.command(&["FLUSHALL"]);
        let mut connection = redis::Client::open(self.url()).unwrap().get_connection().unwrap();
        for (key, left, value) in copy {
            redis::cmd("RESTORE").arg(key).arg(left).arg(value).exec(&mut connection).unwrap();
        }
    }

    /// The same; nothing when it fails or does not answer within a second.
    pub(crate) fn try_command(&self, words: &[&str]) -> Option<redis::Value> {
        let within = Duration::from_secs(1);
        let mut connection = redis::Client::open(self.url()).unwrap().get_connection_with_timeout(within).ok()?;
        connection.set_read_timeout(Some(within)).unwrap();
        let (verb, rest) = words.split_first().unwrap();
        let mut command = redis::cmd(verb);
        command.arg(rest);
        command.query(&mut connection).ok()
    }

    fn restarted(mut self) -> Self {
        self.restart();
        self
    }

    fn spawn(&self) -> Running {
        let port = self.port.to_string();
        let mut keeper = Command::new("sh")
            .args(["-c", KEEPER, "sh", "redis-server"])
            .args(&self.arguments)
            .args(["--port", &port, "--bind", "127.0.0.1", "--save", ""])
            .current_dir(self.folder.path())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut pid = String::new();
        BufReader::new(keeper.stdout.take().unwrap()).read_line(&mut pid).unwrap();
        Running { keeper, pid: pid.trim().to_owned() }
    }

    fn log(&self) -> String {
        let log = std::fs::read_to_string(self.folder.path().join("server.log")).unwrap_or_default();
        assert!(!log.contains("not found"), "install redis-server (Debian: apt-get install redis-server)");
        log
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        self.kill();
    }
}

fn flatten(value: &redis::Value, text: &mut String) {
    if let redis::Value::BulkString(bytes) = value {
        text.push_str(&String::from_utf8_lossy(bytes));
    } else if let redis::Value::SimpleString(words) = value {
        text.push_str(words);
    } else if let redis::Value::Array(values) | redis::Value::Set(values) = value {
        for one in values {
            flatten(one, text);
        }
    } else if let redis::Value::Map(pairs) = value {
        for (key, value) in pairs {
            flatten(key, text);
            flatten(value, text);
        }
    }
    text.push('\n');
}

/// A port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn signal(signal: &str, pid: &str) {
    Command::new("kill").args([signal, pid]).status().unwrap();
}
