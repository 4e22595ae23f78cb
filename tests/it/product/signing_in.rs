//! Operators in a real browser: they sign in with the stand-in Slack and act in the console of the built binary.

use std::{sync::Arc, time::Duration};

use bobbin::{
    clock::{Clock as _, SystemClock},
    domain::{ids::Ts, mailbox::Mailbox},
    store::{Admit, Commit, Door, Founding as _, Input, Offer, Store as _, Turn, embedded::EmbeddedStore},
    twin::world::{ADA, CLIENT_ID, CLIENT_SECRET, LINUS, TEAM},
};
use serde_json::Value;

use super::{
    console::is_for_everybody,
    driver::Browser,
    outside::{Outside, until},
    process::{Process, Settings},
};
use crate::support::{links::thread_of, redis::free_port, world::id};

const WITHIN: Duration = Duration::from_secs(20);

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
        ("BOBBIN_SLACK_WORKSPACES", TEAM.to_owned()),
        ("BOBBIN_ADMINS", format!("{TEAM}/{ADA}")),
    ]);
    settings
}

async fn sign_in(browser: &Browser, bobbin: &Process, who: &str) {
    browser.goto(&format!("{}/console", bobbin.base())).await;
    browser.click(".go").await;
    browser.click(&format!("#{who}")).await;
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
    is_for_everybody(&browser, "log").await;
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

    // A page that is open when the session ends leads to where one signs in, and shows nothing of it as its own.
    sign_in(&browser, &bobbin, ADA).await;
    browser.until_says("h1", "Now").await;
    browser.forget().await;
    browser.until_says("h1", "Bobbin's console").await;
    assert_eq!(browser.script("return document.querySelector('.open')").await, Value::Null);
    assert!(bobbin.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_says_who_somebody_is_and_they_are_served() {
    let (outside, mut bobbin, browser) = operated().await;
    let ask = |text: &str| {
        let text = format!("<@U0BOBBIN> {text}");
        outside.slack.say(&id(LINUS), &id("C0BACKEND"), &text, bobbin::twin::slack::SayOptions::default()).unwrap()
    };
    let first = ask("fix the login test");
    until("it is refused", WITHIN, || outside.slack.read(|state| !state.ephemerals.is_empty())).await;
    sign_in(&browser, &bobbin, ADA).await;
    browser.until_says("nav", "People").await;
    browser.goto(&format!("{}/console/people", bobbin.base())).await;
    browser.until_says("tbody", "nobody in the Devin organisation has this e-mail address").await;
    browser.until_says("tbody", "T0ACME/U0LINUS").await;
    is_for_everybody(&browser, "people-unlinked").await;
    browser.click("tbody summary").await;
    browser.write("tbody [name='account']", "nobody@acme.example").await;
    browser.click("tbody details button").await;
    browser.until_says("h1", "Nothing was changed").await;
    browser.until_says("main", "no one member").await;
    is_for_everybody(&browser, "refused").await;

    browser.goto(&format!("{}/console/people", bobbin.base())).await;
    browser.click("tbody summary").await;
    browser.write("tbody [name='account']", "grace@acme.example").await;
    is_for_everybody(&browser, "people-saying").await;
    browser.click("tbody details button").await;
    browser.until_says(".done", "It holds from the next request").await;
    browser.until_says("tbody", "grace@acme.example").await;
    is_for_everybody(&browser, "people-said").await;
    let second = ask("fix it now");
    until("a session as Grace", WITHIN, || outside.sessions(&second) == 1).await;
    assert_eq!(outside.sessions(&first), 0);
    assert_eq!(outside.devin.sessions()[0].user_id.as_ref().unwrap().as_str(), "okta|grace");
    browser.goto(&format!("{}/console/people?list=linked", bobbin.base())).await;
    browser.until_says("tbody", "an operator said so").await;
    is_for_everybody(&browser, "people-linked").await;

    browser.goto(&format!("{}/console/people?list=said", bobbin.base())).await;
    browser.click("tbody form[action='/console/people/remove'] button").await;
    browser.until_says(".empty", "No operator said who somebody is").await;
    browser.goto(&format!("{}/console/log", bobbin.base())).await;
    browser.until_says("tbody", "people.remove").await;
    complains_of_one_refusal(&browser).await;
    assert!(bobbin.stop().await.success());
}

/// The browser itself notes a page that came with a refusal; nothing else is complained of.
async fn complains_of_one_refusal(browser: &Browser) {
    let complaints = browser.complaints().await;
    let refused = |entry: &&Value| entry["message"].as_str().is_some_and(|text| text.contains("status of 400"));
    assert!(complaints.len() <= 1 && complaints.iter().all(|entry| refused(&entry)), "{complaints:?}");
}

/// A mention that was set aside before the bot was started.
async fn buried(outside: &Outside, settings: &Settings) -> Ts {
    let root = outside.mention("fix the secret login test");
    // A message comes twice, as what was said and as a mention; only the mention is handled.
    let all: Vec<_> = std::iter::from_fn(|| outside.slack.take_due()).collect();
    let delivery = all.into_iter().find(|delivery| delivery.label == "app_mention").unwrap();
    let path = settings["BOBBIN_STORE"].strip_prefix("embedded:").unwrap();
    let store = EmbeddedStore::open(path, Arc::new(SystemClock)).unwrap();
    store.found().await.unwrap();
    let input = Input::received(SystemClock.now(), Door::Events, delivery.body);
    let mailbox = Mailbox::Thread(thread_of(&root));
    let offer = Offer { mailbox, input, seen: vec!["one".to_owned()], admit: Admit::Always };
    store.accept(&offer).await.unwrap();
    let Turn::Taken(leased) = store.lease(WITHIN).await.unwrap() else { panic!("it waits") };
    store.bury(&leased.lease, "not done within a day", &Commit::default()).await.unwrap();
    root
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_dead_letter_is_put_back_and_handled() {
    let outside = Outside::open().await;
    let settings = settings(&outside);
    let root = buried(&outside, &settings).await;
    let mut bobbin = Process::serve(&settings);
    outside.deliver_to(&bobbin.base());
    let browser = Browser::open().await;
    sign_in(&browser, &bobbin, ADA).await;
    browser.until_says("nav", "Dead letters").await;
    browser.goto(&format!("{}/console/dead", bobbin.base())).await;
    browser.until_says("tbody", "not done within a day").await;
    is_for_everybody(&browser, "dead").await;
    browser.click("tbody a").await;
    browser.until_says("h1", "Dead letter").await;
    browser.until_says(".facts", "event.text").await;
    assert_eq!(browser.script("return document.body.innerText.includes('secret')").await, false);
    is_for_everybody(&browser, "letter").await;
    browser.click("form[action$='/body'] button").await;
    browser.until_says("pre", "fix the secret login test").await;
    is_for_everybody(&browser, "letter-body").await;
    assert_eq!(outside.sessions(&root), 0);
    browser.click("form[action$='/replay'] button").await;
    browser.until_says(".done", "back in its mailbox").await;
    browser.until_says(".empty", "Nothing is set aside.").await;
    is_for_everybody(&browser, "dead-none").await;
    until("a session", WITHIN, || outside.sessions(&root) == 1 && outside.posts(&root, "bobbin_card").len() == 1).await;
    assert_eq!(browser.complaints().await, Vec::<Value>::new());
    assert!(bobbin.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn new_sessions_are_paused_and_resumed_by_a_switch() {
    let (outside, mut bobbin, browser) = operated().await;
    sign_in(&browser, &bobbin, ADA).await;
    browser.click(".switch summary").await;
    browser.write(".switch [name='reason']", "the quota is used up").await;
    is_for_everybody(&browser, "pausing").await;
    browser.click(".switch button").await;
    browser.until_says(".done", "New sessions are paused.").await;
    browser.goto(&format!("{}/console/sessions", bobbin.base())).await;
    browser.until_says(".banner", "for all workspaces").await;
    browser.until_says(".banner", "T0ACME/U0ADA: the quota is used up").await;
    is_for_everybody(&browser, "paused").await;
    let root = outside.mention("fix the login test");
    until("it is refused", WITHIN, || outside.posts(&root, "bobbin_notice").len() == 1).await;
    assert_eq!(outside.sessions(&root), 0);
    browser.click(".banner button").await;
    browser.until_says(".done", "New sessions are started again.").await;
    browser.until("!document.querySelector('.banner')").await;
    let root = outside.mention("fix it now");
    until("a session", WITHIN, || outside.sessions(&root) == 1).await;
    assert_eq!(browser.complaints().await, Vec::<Value>::new());
    assert!(bobbin.stop().await.success());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_workspace_adds_the_app_and_shows_among_the_installs() {
    let outside = Outside::open().await;
    let mut settings = settings(&outside);
    settings.remove("BOBBIN_SLACK_BOT_TOKEN");
    settings.insert("BOBBIN_SECRET_KEY", "01".repeat(32));
    let mut bobbin = Process::serve(&settings);
    let browser = Browser::open().await;
    sign_in(&browser, &bobbin, ADA).await;
    browser.until_says("h1", "Now").await;
    browser.goto(&format!("{}/console/installs", bobbin.base())).await;
    browser.until_says(".empty", "No workspace has the app yet.").await;
    is_for_everybody(&browser, "installs-none").await;
    browser.click(".empty a").await;
    browser.click("#allow").await;
    browser.until_says("h1", "Bobbin is installed in Acme").await;
    browser.keep("installed").await;
    browser.goto(&format!("{}/console/installs", bobbin.base())).await;
    browser.until_says("tbody", "Acme").await;
    browser.until_says("tbody", "works").await;
    is_for_everybody(&browser, "installs").await;
    assert_eq!(browser.complaints().await, Vec::<Value>::new());
    assert!(bobbin.stop().await.success());
}
