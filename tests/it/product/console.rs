//! The console in a real browser, beside the playground, as whoever sits at the machine sees it.

use std::time::Duration;

use bobbin::{
    outbound::{Call, Outbound, OutboundOptions},
    twin::world::{BOT_TOKEN, DEVIN_KEY, SIGNING_SECRET},
};
use serde_json::Value;

use super::{
    driver::Browser,
    outside::Outside,
    process::{Process, Settings},
};

const PAGES: [(&str, &str); 7] = [
    ("/console", "Now"),
    ("/console/sessions", "Sessions"),
    ("/console/people", "People"),
    ("/console/dead", "Dead letters"),
    ("/console/installs", "Installs"),
    ("/console/health", "Health"),
    ("/console/log", "Log"),
];

/// Finds what keeps people out: <https://github.com/dequelabs/axe-core>.
const AXE: &str = include_str!("../../fixtures/axe/axe.min.js");

/// What keeps people from using the page, by axe's rules.
async fn barriers(browser: &Browser) -> Value {
    browser.script(AXE).await;
    let found = "window.barriers = null; axe.run().then(r => window.barriers =
        r.violations.map(v => v.id + ': ' + v.nodes.map(n => n.html).join(' ')))";
    browser.script(found).await;
    browser.until("window.barriers !== null").await;
    browser.script("return window.barriers").await
}

/// The page as it is has no barriers, in the light and in the dark, and fits a desk and a phone.
pub(super) async fn is_for_everybody(browser: &Browser, what: &str) {
    for (width, height) in [(1280, 900), (390, 844)] {
        browser.resize(width, height).await;
        // A phone shows a page that is too wide from further away: its inner width says nothing.
        let wide = browser.script("return document.documentElement.scrollWidth").await;
        assert!(wide.as_u64().is_some_and(|wide| wide <= u64::from(width)), "{what} at {width} is {wide} wide");
        for scheme in ["light", "dark"] {
            browser.prefers(scheme).await;
            assert_eq!(barriers(browser).await, Value::Array(Vec::new()), "{what} at {width} in the {scheme}");
            browser.keep(&format!("{what}-{width}-{scheme}")).await;
        }
    }
    assert_eq!(browser.script("return document.querySelectorAll('h1').length").await, 1, "{what}");
    browser.resize(1280, 900).await;
}

/// Everything that can be used is reached with the tabulator key, and it shows where one is.
async fn is_reached_by_keyboard(browser: &Browser, what: &str) {
    let usable = "[...document.querySelectorAll('a[href], button, input, select, summary, [tabindex=\"0\"]')]\
        .filter(one => one.type !== 'hidden' && one.checkVisibility())";
    browser.script(&format!("document.activeElement.blur(); window.left = new Set({usable})")).await;
    let all = browser.script("return window.left.size").await.as_u64().unwrap();
    assert!(all > 8, "{what}: {all}");
    for step in 0..=all {
        browser.tab().await;
        let at = "const at = document.activeElement; window.left.delete(at);\
            return [at.className, getComputedStyle(at).outlineStyle, at === document.body]";
        let at = browser.script(at).await;
        assert!(step > 0 || at[0] == "skip", "{what} begins with {at}");
        assert!(at[1] != "none" || at[2] == true, "{what}, after {step}: {at} does not show");
    }
    let left = browser.script("return [...window.left].map(one => one.outerHTML)").await;
    assert_eq!(left, Value::Array(Vec::new()), "{what}");
}

/// Nothing moved while the page came.
async fn is_calm(browser: &Browser, what: &str) {
    let watch = "window.moved = 0; new PerformanceObserver(list => list.getEntries().forEach(one => window.moved += one.value))\
        .observe({ type: 'layout-shift', buffered: true })";
    browser.script(watch).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    let moved = browser.script("return window.moved").await.as_f64().unwrap();
    assert!(moved < 0.01, "{what}: {moved}");
}

/// A demo in which Ada asked for something, and Devin asked back.
async fn demo() -> (Process, Browser) {
    let demo = Process::start(&["demo", "--listen", "127.0.0.1:0"], &Settings::new());
    let browser = Browser::open().await;
    browser.goto(&format!("{}/playground", demo.base())).await;
    browser.until("document.documentElement.classList.contains('is-live')").await;
    browser.write("#compose-channel textarea", "@bobbin fix the flaky login test, or ask me first?").await;
    browser.click("#compose-channel .btn-send").await;
    browser.until_says("#r-thread", "One question before I go on").await;
    (demo, browser)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_shows_what_waits_and_finds_it_and_follows_what_changes() {
    let (mut demo, browser) = demo().await;
    browser.goto(&format!("{}/console", demo.base())).await;
    browser.until_says(".tiles", "waits for an answer").await;
    browser.until_says("tbody", "fix the flaky login test").await;
    browser.script("window.notReloaded = true; document.querySelector('.scroll').focus()").await;

    // What changes is put in without loading the page again.
    let other = Browser::open().await;
    other.goto(&format!("{}/playground", demo.base())).await;
    other.until("document.documentElement.classList.contains('is-live')").await;
    other.write("#compose-channel textarea", "@bobbin tidy the changelog").await;
    other.click("#compose-channel .btn-send").await;
    browser.until("document.querySelectorAll('.tiles li').length === 2").await;
    assert_eq!(browser.script("return window.notReloaded").await, true, "the page was loaded again");
    let here = "return document.activeElement.matches('.scroll')";
    assert_eq!(browser.script(here).await, true, "nobody loses their place");

    browser.write("#q", "U0ADA").await;
    browser.click(".search button").await;
    browser.until_says("h1", "found for “U0ADA”").await;
    browser.until_says("tbody", "tidy the changelog").await;
    browser.write("#q", "no such thing").await;
    browser.click(".search button").await;
    browser.until_says(".empty", "a user (U…), a channel (C…)").await;
    assert_eq!(browser.complaints().await, Vec::<Value>::new());
    assert!(demo.stop().await.success(), "the live stream does not hold up the stop");
    assert_eq!(demo.stderr(), "", "the demo complained");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_readable_on_a_phone_in_the_light_and_in_the_dark_and_without_complaints() {
    let (mut demo, browser) = demo().await;
    browser.goto(&format!("{}/console", demo.base())).await;
    browser.click("tbody th a").await;
    browser.until_says("#states", "States").await;
    let thread = browser.url().await;
    let thread = thread.strip_prefix(&demo.base()).unwrap();
    for (path, name, here) in
        PAGES.map(|(path, name)| (path, name, name)).into_iter().chain([(thread, "login", "Sessions")])
    {
        browser.goto(&format!("{}{path}", demo.base())).await;
        browser.until_says("h1", name).await;
        browser.until_says("nav [aria-current]", here).await;
        is_calm(&browser, path).await;
        is_reached_by_keyboard(&browser, path).await;
        is_for_everybody(&browser, &format!("here-{}", name.to_lowercase().replace(' ', "-"))).await;
    }
    assert_eq!(browser.complaints().await, Vec::<Value>::new());
    assert!(demo.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thread_is_told_without_scripts_and_follows_what_happens_with_them() {
    let (mut demo, browser) = demo().await;
    browser.goto(&format!("{}/console", demo.base())).await;
    browser.click("tbody th a").await;
    browser.until_says(".timeline", "Message by U0ADA").await;
    let thread = browser.url().await;
    let path = thread.strip_prefix(&demo.base()).unwrap();
    // All of it is in the page as it comes.
    let parts = [
        "waits for an answer",
        "role=\"img\"",
        "States, oldest first",
        "create session",
        "Open in Slack",
        ">in Slack</a>",
    ];
    demo.until_shown(path, &parts).await;

    browser.script("window.notReloaded = true; document.querySelector('details').open = true").await;
    let other = Browser::open().await;
    other.goto(&format!("{}/playground", demo.base())).await;
    other.until("document.documentElement.classList.contains('is-live')").await;
    let open = other.script("return document.querySelector('#r-channel a[title=\"Reply in a thread\"]').href").await;
    other.goto(open.as_str().unwrap()).await;
    other.until("document.documentElement.classList.contains('is-live')").await;
    other.write("#compose-thread textarea", "go on, please").await;
    other.click("#compose-thread .btn-send").await;
    browser.until("document.querySelectorAll('.timeline > li').length > 2").await;
    browser.until("document.querySelectorAll('.band rect').length > 3").await;
    let kept = "return window.notReloaded && document.querySelector('details').open";
    assert_eq!(browser.script(kept).await, true, "what somebody opened stays open");
    assert_eq!(browser.complaints().await, Vec::<Value>::new());
    assert!(demo.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn health_names_what_is_wrong_and_what_to_do_and_follows_by_itself() {
    let outside = Outside::open().await;
    let folder = tempfile::tempdir().unwrap();
    let mut settings = outside.settings();
    settings.insert("BOBBIN_STORE", format!("embedded:{}", folder.path().join("it.db").display()));
    let mut bobbin = Process::serve(&settings);
    bobbin.until_ready_is(reqwest::StatusCode::OK).await;
    let take =
        |scope: &str| outside.slack.change(|state| state.tokens.get_mut(BOT_TOKEN).unwrap().scopes.remove(scope));
    assert!(take("files:write"));
    // All of it is in the page as it comes.
    let parts = ["1 failed", "not granted: files:write", "install the app again", "takes writes", "watch lag"];
    bobbin.until_shown("/console/health", &parts).await;

    let browser = Browser::open().await;
    browser.goto(&format!("{}/console/health", bobbin.base())).await;
    browser.until_says(".needs", "not granted: files:write").await;
    is_for_everybody(&browser, "health-in-need").await;
    // The bot's log has said nothing that is not on the page, and the page nothing that is secret.
    let (_, page) = bobbin.get("/console/health").await;
    for secret in [BOT_TOKEN, DEVIN_KEY, SIGNING_SECRET] {
        assert!(!page.contains(secret), "{page}");
    }
    assert_eq!(browser.complaints().await, Vec::<Value>::new());
    assert!(bobbin.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn charts_of_the_last_hour_fill_without_moving_the_page() {
    let (mut demo, browser) = demo().await;
    browser.goto(&format!("{}/console", demo.base())).await;
    // Within their part of the page: the sessions above it may well need more room meanwhile.
    let places = "const pulse = document.querySelector('.pulse').getBoundingClientRect(); return [...document.querySelectorAll('.plot')]\
        .map(p => p.getBoundingClientRect()).map(box => (box.top - pulse.top) + ' ' + box.height + ' of ' + pulse.height)";
    let before = browser.script(places).await;
    assert_eq!(before.as_array().map(Vec::len), Some(3));
    browser.script("window.notReloaded = true").await;
    browser.until("document.querySelectorAll('.plot rect').length > 0 && document.querySelectorAll('.plot .median').length > 0").await;
    assert_eq!(browser.script(places).await, before, "nothing moved");
    assert_eq!(browser.script("return window.notReloaded").await, true);
    assert!(demo.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_check_for_barriers_finds_one() {
    let (mut demo, browser) = demo().await;
    browser.goto(&format!("{}/console", demo.base())).await;
    browser.script("document.querySelector('label').remove(); document.querySelector('#q').placeholder = ''").await;
    assert!(barriers(&browser).await.to_string().contains("label"));
    assert!(demo.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_from_elsewhere_sees_anything() {
    let (mut demo, _browser) = demo().await;
    let outbound = Outbound::new(OutboundOptions::default()).unwrap();
    let call = Call { service: "bobbin", method: "console".into(), timeout: Duration::from_secs(5) };
    let foreign = [("host", "rebound.example"), ("x-forwarded-for", "192.0.2.7"), ("forwarded", "for=192.0.2.7")];
    for (path, _) in PAGES.into_iter().chain([("/console/live", "")]) {
        for (name, value) in foreign {
            let url = format!("{}{path}", demo.base()).parse().unwrap();
            let request = outbound.request(reqwest::Method::GET, url).header(name, value);
            let (answer, headers) = outbound.send_seeing(&call, request).await.unwrap();
            assert_eq!(answer.status, 403, "{path} {name}");
            let policy = headers["content-security-policy"].to_str().unwrap();
            assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
            let text = String::from_utf8(answer.body.to_vec()).unwrap();
            assert!(text.contains("The console is closed") && !text.contains("login test"), "{text}");
        }
    }
    assert!(demo.stop().await.success());
}
