//! The playground in a real browser, as a visitor of `bobbin demo` uses it.

use super::{
    driver::Browser,
    process::{Process, Settings},
};

const THREAD: &str = "#r-thread";
const SESSION: &str = "#r-session";

async fn demo() -> (Process, Browser) {
    let demo = Process::start(&["demo", "--listen", "127.0.0.1:0"], &Settings::new());
    let browser = Browser::open().await;
    browser.goto(&format!("{}/playground", demo.base())).await;
    // A mark that a reload would wipe out.
    browser.script("window.notReloaded = true").await;
    browser.until("document.documentElement.classList.contains('is-live')").await;
    (demo, browser)
}

async fn send(browser: &Browser, composer: &str, text: &str) {
    browser.write(&format!("{composer} textarea"), text).await;
    browser.click(&format!("{composer} .btn-send")).await;
}

async fn end(mut demo: Process, browser: Browser) {
    assert_eq!(browser.script("return window.notReloaded").await, true, "the page was loaded again");
    assert_eq!(browser.complaints().await, Vec::<serde_json::Value>::new());
    // The browser still listens to the live stream: that must not hold up the stop.
    assert!(demo.stop().await.success());
    assert_eq!(demo.stderr(), "", "the demo complained");
    drop(browser);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_mention_a_question_an_answer_and_a_change_of_status() {
    let (demo, browser) = demo().await;
    send(&browser, "#compose-channel", "@bobbin fix the flaky login test, or ask me first?").await;
    browser.until_says("#r-channel .reaction", "👀").await;
    browser.click("#r-channel .replies").await;
    browser.until_says(THREAD, "Open session").await;
    browser.until_says(THREAD, "One question before I go on").await;
    browser.until_says(THREAD, "Devin needs you").await;

    send(&browser, "#compose-thread", "Yes, keep it behind a flag please.").await;
    browser.until_says(SESSION, "Yes, keep it behind a flag please.").await;
    browser.until_says(THREAD, "Thanks. Going on with").await;

    browser.click("[id='group-Suspended'] summary").await;
    browser.click("button[value='suspended/out_of_credits']").await;
    browser.until_says(THREAD, "the organisation has no Devin credits left").await;
    browser.until_says(SESSION, "out of credits").await;

    // With another session in front, the card's button leads back to its own.
    send(&browser, "#compose-channel", "@bobbin tidy the changelog").await;
    browser.until("document.querySelectorAll('.sessions li').length === 2").await;
    browser.until_says(".session h3", "tidy the changelog").await;
    let second = browser.url().await;
    browser.click("#r-channel .replies[href]").await;
    browser.until_says(".session h3", "flaky login test").await;
    browser.click(".sessions a:not([aria-current])").await;
    browser.until_says(".session h3", "tidy the changelog").await;
    assert_ne!(browser.url().await, second);
    browser.click("#r-thread a[data-press]").await;
    browser.until_says(".session h3", "flaky login test").await;
    end(demo, browser).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn faults_refusals_the_shortcut_and_a_phone() {
    let (demo, browser) = demo().await;
    browser.click("#faults summary").await;
    browser.click(".fault .segments button[value='always']").await;
    browser.until_says("#r-banner", "Broken on purpose — Slack: rate limit").await;
    browser.click("#r-banner button").await;
    browser.until("!document.querySelector('.banner')").await;

    browser.click(".people a[href*='U0LINUS']").await;
    browser.until_says("#compose-channel .speaker-name", "Linus").await;
    send(&browser, "#compose-channel", "@bobbin tidy the changelog").await;
    browser.until_says("#r-channel .msg-only", "Only visible to Linus").await;
    browser.until_says("#r-channel .msg-only", "nobody in the Devin organisation has the e-mail address").await;
    browser.until("document.querySelectorAll('#r-channel .reaction').length === 2").await;

    browser.click(".people a[href*='U0ADA']").await;
    browser.until_says("#compose-channel .speaker-name", "Ada").await;
    browser.until("!document.querySelector('#r-channel .msg-only')").await;
    browser.script("document.querySelector('#r-channel [value=start_here]').click()").await;
    browser.until_says("#r-sessions", "as Ada Lovelace").await;

    browser.resize(390, 844).await;
    for (pane, part) in [("People", "sidebar"), ("Chat", "channel"), ("Devin", "devin")] {
        let tab = format!("[...document.querySelectorAll('.part-tabs a')].find((a) => a.innerText === '{pane}')");
        browser.script(&format!("{tab}.click()")).await;
        browser.until(&format!("document.querySelector('.part-{part}').offsetParent !== null")).await;
        let wide = browser.script("return document.documentElement.scrollWidth - innerWidth").await;
        assert_eq!(wide, 0, "{pane} is wider than a phone");
    }
    assert!(browser.url().await.contains("pane=devin"));
    end(demo, browser).await;
}

/// Presses something that only shows under the pointer.
async fn press(browser: &Browser, css: &str) {
    browser.until(&format!("document.querySelector({css:?})")).await;
    browser.script(&format!("document.querySelector({css:?}).click()")).await;
}

async fn opens(browser: &Browser, menu: &str) {
    press(browser, menu).await;
    browser.until("document.querySelector('[popover]:popover-open')").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn words_are_edited_and_taken_back_and_code_is_shared() {
    let (demo, browser) = demo().await;
    send(&browser, "#compose-channel", "hello there").await;
    browser.until_says("#r-channel .msg", "hello there").await;
    opens(&browser, "#r-channel [popovertarget^='menu-']").await;
    browser.click("[popover]:popover-open a").await;
    browser.until("document.querySelector('.edit textarea')?.value === 'hello there'").await;
    browser.write(".edit textarea", " again").await;
    browser.click(".edit .btn-primary").await;
    browser.until_says("#r-channel .msg", "(edited)").await;
    browser.until_says("#r-channel .msg", "hello there again").await;
    press(&browser, "#r-channel .msg-tools button[value='tada']").await;
    browser.until_says("#r-channel .reaction-mine", "1").await;
    browser.click("#r-channel .reaction-mine").await;
    browser.until("!document.querySelector('#r-channel .reaction')").await;
    opens(&browser, "#compose-channel [popovertarget^='snippet-']").await;
    browser.write("[popover]:popover-open [name='snippet']", "fn main() {}").await;
    browser.click("[popover]:popover-open .btn-primary").await;
    browser.until_says("#r-channel .snippet", "fn main() {}").await;
    opens(&browser, "#r-channel [popovertarget^='menu-']").await;
    browser.click("[popover]:popover-open .menu-bad").await;
    browser.until("!document.querySelector('#r-channel').innerText.includes('hello there')").await;
    browser.write("#compose-channel textarea[name='text']", "/").await;
    browser.until_says(".name-menu", "/devin").await;
    end(demo, browser).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_shortcut_opens_a_form_and_home_shows_what_came_of_it() {
    let (demo, browser) = demo().await;
    opens(&browser, "#compose-channel [popovertarget^='bolt-']").await;
    browser.click("[popover]:popover-open .menu-item").await;
    browser.write("#r-modal textarea", "tidy the changelog").await;
    // What is missing keeps the form open.
    browser.click("#modal-send").await;
    browser.until("document.querySelector('#r-modal select:invalid')").await;
    browser.script("document.querySelector('#r-modal select:invalid').value = 'C0BACKEND'").await;
    browser.resize(390, 844).await;
    let wide = browser.script("return document.documentElement.scrollWidth - innerWidth").await;
    assert_eq!(wide, 0, "the form is wider than a phone");
    browser.resize(1440, 900).await;
    browser.click("#modal-send").await;
    browser.until("!document.querySelector('#r-modal .modal')").await;
    browser.until_says("#r-channel", "tidy the changelog").await;
    browser.click("#r-channel .replies[href]").await;
    browser.until("document.querySelector('#r-thread .agent .chip')").await;

    browser.click(".nav-link").await;
    browser.click(".direct-tabs [value='home']").await;
    browser.until_says(".home", "tidy the changelog").await;
    browser.click(".home form button").await;
    browser.until("document.querySelector('#r-modal textarea')").await;
    browser.click("#r-modal [data-escape]").await;
    browser.until("!document.querySelector('#r-modal .modal')").await;
    end(demo, browser).await;
}
