//! Operators in a real browser: they sign in with the stand-in Slack and act in the console of the built binary.

use bobbin::twin::world::{ADA, CLIENT_ID, CLIENT_SECRET, LINUS, TEAM};
use serde_json::Value;

use super::{
    console::barriers,
    driver::Browser,
    outside::Outside,
    process::{Process, Settings},
};
use crate::support::redis::free_port;

/// A bot that Ada operates, the stand-ins around it, and a browser.
async fn operated() -> (Outside, Process, Browser) {
    let outside = Outside::open().await;
    let bobbin = Process::serve(&settings(&outside));
    outside.deliver_to(&bobbin.base());
    (outside, bobbin, Browser::open().await)
}

/// Settings of a bot that people sign in to, at an address that Slack knows.
fn settings(outside: &Outside) -> Settings {
    let base = format!("http://127.0.0.1:{}", free_port());
    let callbacks = ["slack/oauth/callback", "console/signed-in"].map(|path| format!("{base}/{path}"));
    outside.slack.change(|state| state.oauth.redirects = callbacks.to_vec());
    let mut settings = outside.settings();
    settings.extend([
        ("BOBBIN_LISTEN", base.replace("http://", "")),
        ("BOBBIN_PUBLIC_URL", base),
        ("BOBBIN_SLACK_CLIENT_ID", CLIENT_ID.to_owned()),
        ("BOBBIN_SLACK_CLIENT_SECRET", CLIENT_SECRET.to_owned()),
        ("BOBBIN_ADMINS", format!("{TEAM}/{ADA}")),
    ]);
    settings
}

async fn sign_in(browser: &Browser, bobbin: &Process, who: &str) {
    browser.goto(&format!("{}/console", bobbin.base())).await;
    browser.click(".go").await;
    browser.click(&format!("#{who}")).await;
}

/// The page as it is has no barriers, in the light and in the dark, and fits a desk and a phone.
async fn is_for_everybody(browser: &Browser, what: &str) {
    for (width, height) in [(1280, 900), (390, 844)] {
        browser.resize(width, height).await;
        let wide = browser.script("return document.documentElement.scrollWidth - innerWidth").await;
        assert!(wide.as_i64().is_some_and(|over| over <= 0), "{what} at {width}: {wide} too wide");
        for scheme in ["light", "dark"] {
            browser.prefers(scheme).await;
            assert_eq!(barriers(browser).await, Value::Array(Vec::new()), "{what} at {width} in the {scheme}");
            browser.keep(&format!("{what}-{width}-{scheme}")).await;
        }
    }
    assert_eq!(browser.script("return document.querySelectorAll('h1').length").await, 1, "{what}");
    browser.resize(1280, 900).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_signs_in_and_out_and_nobody_else_does() {
    let (_outside, mut bobbin, browser) = operated().await;
    browser.goto(&format!("{}/console", bobbin.base())).await;
    browser.until_says("h1", "Bobbin's console").await;
    is_for_everybody(&browser, "enter").await;
    sign_in(&browser, &bobbin, ADA).await;
    browser.until_says("h1", "Now").await;
    browser.until_says(".open", "Signed in as Ada Lovelace").await;
    is_for_everybody(&browser, "signed-in").await;
    browser.goto(&format!("{}/console/log", bobbin.base())).await;
    browser.until_says("tbody", "T0ACME/U0ADA").await;
    browser.click(".open button").await;
    browser.until_says("h1", "Bobbin's console").await;
    assert_eq!(browser.complaints().await, Vec::<Value>::new());

    browser.click(".go").await;
    browser.click(&format!("#{LINUS}")).await;
    browser.until_says("h1", "You are not one of Bobbin's operators").await;
    browser.until_says("main", "T0ACME/U0LINUS").await;
    is_for_everybody(&browser, "not-named").await;
    browser.goto(&format!("{}/console/log", bobbin.base())).await;
    browser.until_says("h1", "Bobbin's console").await;
    assert!(bobbin.stop().await.success());
}
