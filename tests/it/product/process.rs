//! The built binary as a child process. It dies with its handle, and with this process however that ends: `setpriv`
//! lets the kernel kill it with the thread that started it, which outlives it in every test.

use std::{
    collections::BTreeMap,
    io::{BufRead as _, BufReader, Read},
    path::Path,
    process::{Child, Command, ExitStatus, Output, Stdio},
    sync::{Arc, Mutex, OnceLock},
    thread,
    time::{Duration, Instant},
};

use reqwest::{Method, StatusCode};

use bobbin::outbound::{Call, Outbound, OutboundOptions};

/// Longest wait for a line of output, on a machine that is busy with other tests.
const LINE_WITHIN: Duration = Duration::from_secs(20);

/// Complaints of its log that a failed test shows.
const LAST_LINES: usize = 30;

/// Settings of a process: nothing of the test's own environment that begins with `BOBBIN_` is passed on.
pub(crate) type Settings = BTreeMap<&'static str, String>;

/// A running Bobbin.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    stdout: Arc<Mutex<String>>,
    stderr: Arc<Mutex<String>>,
    base: OnceLock<String>,
    outbound: Outbound,
}

/// The binary with these words and settings.
pub(crate) fn command(words: &[&str], settings: &Settings) -> Command {
    program(env!("CARGO_BIN_EXE_bobbin"), words, settings)
}

/// What an operator types into a shell that finds the binary on its path; it ends at the first command that fails.
pub(crate) fn typed(lines: &str, settings: &Settings) -> Command {
    let mut command = program("sh", &["-eu", "-c", lines], settings);
    let folder = Path::new(env!("CARGO_BIN_EXE_bobbin")).parent().unwrap();
    command.env("PATH", format!("{}:/usr/bin:/bin", folder.display()));
    command
}

fn program(name: &str, words: &[&str], settings: &Settings) -> Command {
    let mut command = Command::new("setpriv");
    command.args(["--pdeathsig", "KILL", name]).args(words);
    command.env_clear().env("PATH", "/usr/bin:/bin").envs(settings).stdin(Stdio::null());
    command
}

/// Runs the binary to its end.
pub(crate) fn run(words: &[&str], settings: &Settings) -> Output {
    command(words, settings).output().unwrap()
}

/// What a finished process printed.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

impl Process {
    /// Starts the binary.
    pub(crate) fn start(words: &[&str], settings: &Settings) -> Self {
        Self::of(command(words, settings))
    }

    /// Starts a command that becomes the binary.
    pub(crate) fn of(mut command: Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("setpriv is there");
        let stdout = collected(child.stdout.take().unwrap());
        let stderr = collected(child.stderr.take().unwrap());
        let outbound = Outbound::new(OutboundOptions::default()).unwrap();
        Self { child, stdout, stderr, base: OnceLock::new(), outbound }
    }

    /// Starts `bobbin serve` and waits until it listens.
    pub(crate) fn serve(settings: &Settings) -> Self {
        let process = Self::start(&["serve"], settings);
        process.base();
        process
    }

    /// The address that it printed or logged.
    pub(crate) fn base(&self) -> String {
        self.base.get_or_init(|| self.read_base()).clone()
    }

    fn read_base(&self) -> String {
        let deadline = Instant::now() + LINE_WITHIN;
        loop {
            let (out, err) = (self.stdout(), self.stderr());
            let printed = between(&out, "is open at ", "/playground").map(str::to_owned);
            let logged = err.lines().find(|l| l.contains("listening")).and_then(|l| {
                // As text, or as JSON.
                between(l, "listen=", " ").or_else(|| between(l, "\"listen\":\"", "\""))
            });
            if let Some(base) = printed.or_else(|| logged.map(|address| format!("http://{address}"))) {
                return base;
            }
            assert!(Instant::now() < deadline, "it does not listen: {out}{err}");
            thread::sleep(Duration::from_millis(10));
        }
    }

    /// What it has written to standard output so far.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.lock().unwrap().clone()
    }

    /// What it has written to standard error so far.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.lock().unwrap().clone()
    }

    /// An answer to a GET: status and body.
    pub(crate) async fn get(&self, path: &str) -> (StatusCode, String) {
        let request = self.outbound.request(Method::GET, format!("{}{path}", self.base()).parse().unwrap());
        let call = Call { service: "test", method: "get".into(), timeout: Duration::from_secs(5) };
        let answer = self.outbound.send(&call, request).await.unwrap();
        (StatusCode::from_u16(answer.status).unwrap(), text(&answer.body))
    }

    /// Sends one of the playground's forms, as a person would.
    pub(crate) async fn submit(&self, path: &str, fields: &[(&str, &str)]) {
        let url = format!("{}{path}", self.base()).parse().unwrap();
        let call = Call { service: "test", method: "submit".into(), timeout: Duration::from_secs(5) };
        let answer = self.outbound.send(&call, self.outbound.request(Method::POST, url).form(fields)).await.unwrap();
        assert!(answer.status < 400, "{path} was answered with {}", answer.status);
    }

    /// Waits until a page shows all of this, and gives the page.
    pub(crate) async fn until_shown(&self, path: &str, parts: &[&str]) -> String {
        let deadline = Instant::now() + LINE_WITHIN;
        loop {
            let (_, page) = self.get(path).await;
            if parts.iter().all(|part| page.contains(part)) {
                return page;
            }
            assert!(Instant::now() < deadline, "{path} does not show {parts:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Waits until `/readyz` says this.
    pub(crate) async fn until_ready_is(&self, status: StatusCode) -> String {
        let deadline = Instant::now() + LINE_WITHIN;
        loop {
            let (found, body) = self.get("/readyz").await;
            if found == status {
                return body;
            }
            assert!(Instant::now() < deadline, "/readyz stays {found}: {body}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// The memory it has in bytes.
    pub(crate) fn resident(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let pages = between(&status, "VmRSS:", "kB").unwrap();
        pages.parse::<u64>().unwrap() * 1024
    }

    /// The value of a metric, zero if there is none; with its labels in the name.
    pub(crate) async fn metric(&self, name: &str) -> f64 {
        let (_, text) = self.get("/metrics").await;
        let line = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '));
        line.map_or(0.0, |value| value.parse().unwrap())
    }

    /// Has it read its configuration again.
    pub(crate) fn hang_up(&self) {
        signal("HUP", self.child.id());
    }

    /// Asks it to stop, and waits for the end.
    pub(crate) async fn stop(&mut self) -> ExitStatus {
        signal("TERM", self.child.id());
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not stop: {}", self.stderr());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// Memory that it holds, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Ends it as a power cut would.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if thread::panicking() {
            let log = self.stderr();
            let troubles = log.lines().rev().filter(|line| ["WARN", "ERROR"].iter().any(|word| line.contains(word)));
            let last: Vec<&str> = troubles.take(LAST_LINES).collect();
            #[expect(clippy::print_stderr, reason = "shown by the test harness when the test fails")]
            {
                eprintln!("its last complaints, newest first:\n{}", last.join("\n"));
            }
        }
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

/// Reads a stream beside the test, so that the child never waits for us.
fn collected(stream: impl Read + Send + 'static) -> Arc<Mutex<String>> {
    let text = Arc::new(Mutex::new(String::new()));
    let written = Arc::clone(&text);
    thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            let mut text = written.lock().unwrap();
            text.push_str(&plain(&line));
            text.push('\n');
        }
    });
    text
}

/// A line without its colours.
fn plain(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let first = parts.next().unwrap_or_default().to_owned();
    parts.fold(first, |text, part| text + part.split_once('m').map_or("", |(_, rest)| rest))
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    let rest = text.split_once(before)?.1;
    Some(rest.split(after).next().unwrap_or(rest).trim())
}

fn signal(name: &str, pid: u32) {
    assert!(Command::new("kill").args(["-s", name, &pid.to_string()]).status().unwrap().success());
}
