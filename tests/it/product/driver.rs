//! A browser for a test: chromedriver on a port of its own, and a headless Chromium with a profile of its own. Both run
//! in a process group that a shell kills as soon as our end of its pipe closes, in whatever way this process ends.

use std::{
    os::unix::process::CommandExt as _,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use fantoccini::{Client, ClientBuilder, Locator, wd::WebDriverCompatibleCommand};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::{Value, json};
use url::{ParseError, Url};

use crate::support::redis::free_port;

/// Starts chromedriver, and kills the whole group when the pipe closes.
const KEEPER: &str = r#""$@" >driver.log 2>&1 & read -r _; kill -KILL 0"#;
/// What is missing when there is no browser.
const INSTALL: &str = "install chromium and chromium-driver (Debian: apt-get install chromium chromium-driver)";
/// Longest wait for something to show.
const SHOWN_WITHIN: Duration = Duration::from_secs(20);
/// Nothing from outside, and no questions.
const ARGUMENTS: [&str; 8] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
];

/// A browser with one page.
#[derive(Debug)]
pub(crate) struct Browser {
    client: Client,
    keeper: Child,
    _folder: tempfile::TempDir,
}

impl Browser {
    /// Opens a browser.
    pub(crate) async fn open() -> Self {
        for program in ["chromium", "chromedriver"] {
            assert!(Command::new(program).arg("--version").output().is_ok(), "no {program}: {INSTALL}");
        }
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        let keeper = Command::new("sh")
            .args(["-c", KEEPER, "sh", "chromedriver", &format!("--port={port}")])
            .current_dir(folder.path())
            .process_group(0)
            .stdin(Stdio::piped())
            .spawn()
            .unwrap();
        let mut arguments: Vec<String> = ARGUMENTS.iter().map(|a| (*a).to_owned()).collect();
        arguments.push(format!("--user-data-dir={}", folder.path().join("profile").display()));
        let capabilities = json!({
            "browserName": "chrome",
            "goog:loggingPrefs": { "browser": "ALL" },
            "goog:chromeOptions": { "args": arguments },
        });
        let client = connected(port, &capabilities).await;
        let browser = Self { client, keeper, _folder: folder };
        browser.resize(1440, 900).await;
        browser
    }

    /// Goes to an address.
    pub(crate) async fn goto(&self, url: &str) {
        self.client.goto(url).await.unwrap();
    }

    /// The address that is shown.
    pub(crate) async fn url(&self) -> String {
        self.client.current_url().await.unwrap().into()
    }

    /// Runs a script and gives what it returns.
    pub(crate) async fn script(&self, script: &str) -> Value {
        self.client.execute(script, Vec::new()).await.unwrap()
    }

    /// Waits until a script's expression is true.
    pub(crate) async fn until(&self, expression: &str) {
        let deadline = Instant::now() + SHOWN_WITHIN;
        while self.script(&format!("return Boolean({expression})")).await != Value::Bool(true) {
            let text = self.script("return document.body.innerText").await;
            assert!(Instant::now() < deadline, "{expression} does not become true: {text}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Waits until an element shows a text.
    pub(crate) async fn until_says(&self, css: &str, text: &str) {
        self.until(&format!("document.querySelector({css:?})?.innerText.includes({text:?})")).await;
    }

    /// Clicks on an element as soon as that can be done: the page may be drawing it anew just now. Scrolls to it first:
    /// chromedriver does not find its way in a list that grows upwards.
    pub(crate) async fn click(&self, css: &str) {
        let deadline = Instant::now() + SHOWN_WITHIN;
        loop {
            self.script(&format!("document.querySelector({css:?})?.scrollIntoView({{ block: 'center' }})")).await;
            let clicked = match self.client.find(Locator::Css(css)).await {
                Ok(element) => element.click().await,
                Err(error) => Err(error),
            };
            let Err(error) = clicked else { return };
            assert!(Instant::now() < deadline, "{css} cannot be clicked: {error}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }

    /// Types into an element.
    pub(crate) async fn write(&self, css: &str, text: &str) {
        let element = self.client.wait().at_most(SHOWN_WITHIN).for_element(Locator::Css(css)).await;
        element.unwrap_or_else(|e| panic!("no {css}: {e}")).send_keys(text).await.unwrap();
    }

    /// Presses the tabulator key.
    pub(crate) async fn tab(&self) {
        for kind in ["keyDown", "keyUp"] {
            let parameters = json!({ "type": kind, "key": "Tab", "code": "Tab", "windowsVirtualKeyCode": 9 });
            let command = json!({ "cmd": "Input.dispatchKeyEvent", "params": parameters });
            self.client.issue_cmd(Vendor { path: "goog/cdp/execute", body: command }).await.unwrap();
        }
    }

    /// Forgets all cookies.
    pub(crate) async fn forget(&self) {
        self.client.delete_all_cookies().await.unwrap();
    }

    /// Makes the page as large as a device's.
    pub(crate) async fn resize(&self, width: u32, height: u32) {
        let parameters = json!({ "width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600 });
        let command = json!({ "cmd": "Emulation.setDeviceMetricsOverride", "params": parameters });
        self.client.issue_cmd(Vendor { path: "goog/cdp/execute", body: command }).await.unwrap();
    }

    /// Shows pages in the light or in the dark.
    pub(crate) async fn prefers(&self, scheme: &str) {
        let parameters = json!({ "features": [{ "name": "prefers-color-scheme", "value": scheme }] });
        let command = json!({ "cmd": "Emulation.setEmulatedMedia", "params": parameters });
        self.client.issue_cmd(Vendor { path: "goog/cdp/execute", body: command }).await.unwrap();
    }

    /// Keeps a picture of the page, in the folder that `BOBBIN_TEST_PICTURES` names, for people to look at.
    pub(crate) async fn keep(&self, name: &str) {
        let Some(folder) = std::env::var_os("BOBBIN_TEST_PICTURES") else { return };
        let picture = self.client.screenshot().await.unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(std::path::Path::new(&folder).join(format!("{name}.png")), picture).unwrap();
    }

    /// What the console was told since the last look, warnings and errors only.
    pub(crate) async fn complaints(&self) -> Vec<Value> {
        let command = Vendor { path: "se/log", body: json!({ "type": "browser" }) };
        let Value::Array(entries) = self.client.issue_cmd(command).await.unwrap() else { panic!("no list") };
        let serious = |entry: &Value| matches!(entry["level"].as_str(), Some("SEVERE" | "WARNING"));
        entries.into_iter().filter(serious).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        self.keeper.wait().map(drop).unwrap_or_default();
    }
}

async fn connected(port: u16, capabilities: &Value) -> Client {
    let deadline = Instant::now() + SHOWN_WITHIN;
    loop {
        let mut builder = ClientBuilder::new(HttpConnector::new());
        builder.capabilities(serde_json::from_value(capabilities.clone()).unwrap());
        match builder.connect(&format!("http://127.0.0.1:{port}")).await {
            Ok(client) => return client,
            Err(error) => assert!(Instant::now() < deadline, "no browser: {error}; {INSTALL}"),
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// A command that only chromedriver knows.
#[derive(Debug)]
struct Vendor {
    path: &'static str,
    body: Value,
}

impl WebDriverCompatibleCommand for Vendor {
    fn endpoint(&self, base: &Url, session: Option<&str>) -> Result<Url, ParseError> {
        base.join(&format!("session/{}/{}", session.unwrap_or_default(), self.path))
    }

    fn method_and_body(&self, _url: &Url) -> (reqwest::Method, Option<String>) {
        (reqwest::Method::POST, Some(self.body.to_string()))
    }
}
