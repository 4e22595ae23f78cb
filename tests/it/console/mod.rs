//! Signing in to the console, and acting in it: who is let in, who is not, whatever they bring, and that nothing is done
//! without a record of who did it.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::{Method, StatusCode, header},
};
use bobbin::{
    app::{Bobbin, Limits, console_routes, serve},
    clock::Clock,
    config::{Config, ServiceConfig},
    outbound::{Outbound, OutboundOptions},
    store::{SharedStore, embedded::EmbeddedStore},
    twin::{
        self,
        world::{
            ADA, BOT_TOKEN, CLIENT_ID, CLIENT_SECRET, DEVIN_KEY, GRACE, LINUS, NEIGHBOURS, ORG, SIGNING_SECRET, TEAM,
        },
    },
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;
use url::Url;

use crate::support::{clock::TestClock, world::id};

mod actions;

/// Where the bot is reached from outside.
const PUBLIC: &str = "https://bobbin.example.com";
const CALLBACK: &str = "https://bobbin.example.com/console/signed-in";

/// A bot with a console, and the stand-ins around it.
struct Desk {
    clock: Arc<TestClock>,
    world: twin::World,
    bobbin: Bobbin,
    store: SharedStore,
    pages: Router,
    base: String,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

/// A browser that keeps its cookies.
#[derive(Default, Clone)]
struct Browser {
    cookies: BTreeMap<String, String>,
}

/// What the browser was shown.
struct Shown {
    status: StatusCode,
    location: Option<String>,
    text: String,
}

/// Headers, or the fields of a form.
type Pairs<'a> = &'a [(&'a str, &'a str)];

/// What a browser says of where a form comes from.
const OURS: [(&str, &str); 2] = [("origin", PUBLIC), ("sec-fetch-site", "same-origin")];

impl Desk {
    /// Ada and Grace operate it.
    async fn new() -> Self {
        Self::with(&[]).await
    }

    async fn with(more: &[(&'static str, &str)]) -> Self {
        let clock = TestClock::new();
        let shared: Arc<dyn Clock> = clock.clone();
        let folder = tempfile::tempdir().unwrap();
        let world = twin::world(&shared).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        world.slack.set_base_url(&base);
        world.devin.set_base_url(&base);
        world.slack.change(|state| {
            state.oauth.redirects = vec![CALLBACK.to_owned()];
            state.oauth.pkce = true;
        });
        let twins = Router::new().merge(world.slack.router()).merge(world.devin.router());
        let stop = CancellationToken::new();
        TaskTracker::new().spawn(serve(listener, twins, Limits::default(), stop.clone()));
        let store: SharedStore =
            Arc::new(EmbeddedStore::open(folder.path().join("bobbin.db"), shared.clone()).unwrap());
        store.found().await.unwrap();
        let config = config(&base, more);
        let outbound = Outbound::new(OutboundOptions::default()).unwrap();
        let bobbin = Bobbin::with_outbound(&config, store.clone(), shared, outbound).unwrap();
        let ServiceConfig { listen, public_url } = config.service;
        let pages = console_routes(&bobbin, listen, public_url.as_ref(), stop.clone());
        Self { clock, world, bobbin, store, pages, base, stop, _folder: folder }
    }

    async fn send(&self, browser: &mut Browser, request: axum::http::request::Builder, body: String) -> Shown {
        let cookies: Vec<String> = browser.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let request: Request = request.header(header::COOKIE, cookies.join("; ")).body(Body::from(body)).unwrap();
        let answer = self.pages.clone().oneshot(request).await.unwrap();
        for set in answer.headers().get_all(header::SET_COOKIE) {
            let set = set.to_str().unwrap();
            for part in ["__Host-", "; Path=/;", "; HttpOnly", "; SameSite=Lax", "; Secure"] {
                assert!(set.contains(part) && !set.contains("Domain"), "{set}");
            }
            let (name, value) = set.split(';').next().unwrap().split_once('=').unwrap();
            browser.cookies.remove(name);
            if !value.is_empty() {
                browser.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        let policy = answer.headers()[header::CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(policy.starts_with("default-src 'none'") && policy.contains("form-action 'self'"), "{policy}");
        assert_eq!(answer.headers()[header::CACHE_CONTROL], "no-store");
        let location = answer.headers().get(header::LOCATION).map(|to| to.to_str().unwrap().to_owned());
        let status = answer.status();
        let text = String::from_utf8(to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap();
        Shown { status, location, text }
    }

    async fn get(&self, browser: &mut Browser, path: &str) -> Shown {
        self.send(browser, Request::get(path), String::new()).await
    }

    /// Sends a form with these headers, as it is.
    async fn post(&self, browser: &mut Browser, path: &str, headers: &[(&str, &str)], form: &[(&str, &str)]) -> Shown {
        let body = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let mut request = Request::builder().method(Method::POST).uri(path);
        request = request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        self.send(browser, request, body).await
    }

    /// Sends one of our own forms: with the token of the page that it stands on.
    async fn submit(&self, browser: &mut Browser, page: &str, path: &str, form: &[(&str, &str)]) -> Shown {
        let token = token(&self.get(browser, page).await.text);
        self.post(browser, path, &OURS, &[form, &[("token", &token)]].concat()).await
    }

    /// Sends somebody to Slack; where they are sent, and to where they come back as this user.
    async fn at_slack(&self, browser: &mut Browser, who: &str) -> (Url, String) {
        let shown = self.get(browser, "/console/sign-in").await;
        assert_eq!(shown.status, StatusCode::SEE_OTHER);
        let asks: Url = shown.location.unwrap().parse().unwrap();
        (asks.clone(), self.back(&asks, who).unwrap())
    }

    fn back(&self, asks: &Url, who: &str) -> Result<String, String> {
        let back = self.world.slack.allow_sign_in(asks, &id(who))?;
        Ok(format!("{}?{}", back.path(), back.query().unwrap()))
    }

    /// Somebody signs in; what their browser shows in the end.
    async fn sign_in(&self, browser: &mut Browser, who: &str) -> Shown {
        let (_, back) = self.at_slack(browser, who).await;
        let shown = self.get(browser, &back).await;
        match &shown.location {
            Some(to) => self.get(browser, &to.clone()).await,
            None => shown,
        }
    }

    async fn operator(&self, who: &str) -> Browser {
        let mut browser = Browser::default();
        let shown = self.sign_in(&mut browser, who).await;
        assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
        browser
    }

    /// Whether a browser sees the pages; whoever does not is led to where one signs in.
    async fn is_in(&self, browser: &Browser) -> bool {
        let shown = self.get(&mut browser.clone(), "/console").await;
        assert!(
            shown.status == StatusCode::OK || shown.location.as_deref() == Some("/console/enter"),
            "{}",
            shown.text
        );
        shown.status == StatusCode::OK
    }

    async fn records(&self) -> Vec<String> {
        let (records, _) = self.bobbin.oversight.audit(None, 100).await.unwrap();
        let told = |r: &bobbin::oversight::Audited| format!("{} {} {}", r.actor.name, r.action, r.target);
        records.iter().rev().map(told).collect()
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

fn config(base: &str, more: &[(&'static str, &str)]) -> Config {
    let admins = format!("{TEAM}/{ADA},{TEAM}/{GRACE}");
    let mut settings: BTreeMap<&str, String> = [
        ("BOBBIN_PUBLIC_URL", PUBLIC),
        ("BOBBIN_SLACK_SIGNING_SECRETS", SIGNING_SECRET),
        ("BOBBIN_SLACK_BOT_TOKEN", BOT_TOKEN),
        ("BOBBIN_SLACK_CLIENT_ID", CLIENT_ID),
        ("BOBBIN_SLACK_CLIENT_SECRET", CLIENT_SECRET),
        ("BOBBIN_SLACK_PKCE", "true"),
        ("BOBBIN_SLACK_API_URL", &format!("{base}/api/")),
        ("BOBBIN_DEVIN_API_URL", base),
        ("BOBBIN_DEVIN_API_KEY", DEVIN_KEY),
        ("BOBBIN_DEVIN_ORG_ID", ORG),
        ("BOBBIN_ADMINS", &admins),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into();
    settings.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    Config::from_values(settings).unwrap()
}

/// The token in a page's forms: the same in all of them.
fn token(page: &str) -> String {
    let mut tokens = page.split("name=\"token\" value=\"").skip(1).map(|rest| rest.split('"').next().unwrap());
    let token = tokens.next().expect("a form");
    assert!(tokens.all(|other| other == token));
    token.to_owned()
}

#[tokio::test]
async fn an_operator_signs_in_and_out_on_the_record() {
    let desk = Desk::new().await;
    let mut browser = Browser::default();
    assert!(!desk.is_in(&browser).await);
    let shown = desk.get(&mut browser, "/console/enter").await;
    assert!(shown.text.contains("href=\"https://bobbin.example.com/console/sign-in\""), "{}", shown.text);

    let (asks, back) = desk.at_slack(&mut browser, ADA).await;
    assert_eq!(asks.path(), "/openid/connect/authorize");
    let asked: BTreeMap<_, _> = asks.query_pairs().into_owned().collect();
    assert_eq!((asked["scope"].as_str(), asked["team"].as_str()), ("openid profile email", TEAM));
    assert!(asked["state"] != asked["nonce"] && asked["state"].len() == 64, "{asked:?}");
    let shown = desk.get(&mut browser, &back).await;
    assert_eq!((shown.status, shown.location.as_deref()), (StatusCode::SEE_OTHER, Some("/console")));
    assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["__Host-bobbin_session"], "the pass is used up");
    let shown = desk.get(&mut browser, "/console").await;
    assert!(shown.text.contains("Ada Lovelace") && shown.text.contains("T0ACME/U0ADA"), "{}", shown.text);
    assert!(!shown.text.contains("No sign-in is set up"), "{}", shown.text);

    let shown = desk.submit(&mut browser, "/console", "/console/sign-out", &[]).await;
    assert_eq!(shown.location.as_deref(), Some("/console/enter"));
    assert!(browser.cookies.is_empty() && !desk.is_in(&browser).await);
    assert_eq!(desk.records().await, ["T0ACME/U0ADA console.enter console", "T0ACME/U0ADA console.leave console"]);
}

#[tokio::test]
async fn whoever_has_to_sign_in_first_comes_to_the_page_they_wanted() {
    let desk = Desk::new().await;
    let wanted = "/console/people?list=said";
    for (kept, to) in [("", wanted), ("Ly9ldmlsLmV4YW1wbGU", "/console"), ("no base64!", "/console")] {
        let mut browser = Browser::default();
        assert_eq!(desk.get(&mut browser, wanted).await.location.as_deref(), Some("/console/enter"));
        desk.get(&mut browser, "/console/live?page=/console").await;
        let cookie = browser.cookies.get_mut("__Host-bobbin_wanted").expect("what they wanted is kept");
        if !kept.is_empty() {
            // As somebody else may have written it: "//evil.example" first.
            kept.clone_into(cookie);
        }
        let (_, back) = desk.at_slack(&mut browser, ADA).await;
        assert_eq!(desk.get(&mut browser, &back).await.location.as_deref(), Some(to), "{kept:?}");
        assert_eq!(browser.cookies.keys().collect::<Vec<_>>(), ["__Host-bobbin_session"], "it is used up");
    }
}

#[tokio::test]
async fn what_there_is_not_is_said_on_a_page_like_every_other() {
    let desk = Desk::new().await;
    let mut browser = desk.operator(ADA).await;
    desk.submit(&mut browser, "/console", "/console/pause", &[("workspace", ""), ("reason", "a drill")]).await;
    let lost = [
        ("/console/nothing/here", "No such page"),
        ("/console/people?list=bogus", "No such list"),
        ("/console/sessions?phase=bogus", "No such phase"),
        ("/console/threads/T0ACME/C0BACKEND/1700000000.000100", "No such thread"),
    ];
    for (path, words) in lost {
        let shown = desk.get(&mut browser, path).await;
        assert_eq!(shown.status, StatusCode::NOT_FOUND, "{path}");
        for part in [words, "Ada Lovelace", "New sessions are paused", "aria-label=\"Pages\""] {
            assert!(shown.text.contains(part), "{path} without {part}: {}", shown.text);
        }
    }
}

#[tokio::test]
async fn whoever_is_not_named_reads_what_to_ask_for() {
    let desk = Desk::new().await;
    let mut browser = Browser::default();
    let shown = desk.sign_in(&mut browser, LINUS).await;
    assert_eq!(shown.status, StatusCode::FORBIDDEN);
    assert!(shown.text.contains("adding <code>T0ACME/U0LINUS</code> to <code>BOBBIN_ADMINS</code>"), "{}", shown.text);
    assert!(browser.cookies.is_empty() && !desk.is_in(&browser).await);
    assert_eq!(desk.records().await, Vec::<String>::new());
}

#[tokio::test]
async fn another_workspaces_user_is_nobody_whatever_their_id() {
    let desk = Desk::with(&[("BOBBIN_ADMINS", &format!("{NEIGHBOURS}/{ADA}"))]).await;
    let mut browser = Browser::default();
    let shown = desk.sign_in(&mut browser, ADA).await;
    assert!(shown.status == StatusCode::FORBIDDEN && shown.text.contains("T0ACME/U0ADA"), "{}", shown.text);
    assert!(browser.cookies.is_empty());
}

#[tokio::test]
async fn a_session_that_is_forged_too_old_or_of_somebody_removed_is_none() {
    let desk = Desk::new().await;
    let (ada, grace) = (desk.operator(ADA).await, desk.operator(GRACE).await);
    let name = "__Host-bobbin_session";
    let (body, signature) = ada.cookies[name].split_once('.').unwrap();
    let (of_grace, _) = grace.cookies[name].split_once('.').unwrap();
    let elsewhere = Desk::with(&[("BOBBIN_SECRET_KEY", &"01".repeat(32))]).await.operator(ADA).await;
    let forged = [
        format!("{of_grace}.{signature}"),
        format!("{body}.{}", "0".repeat(64)),
        format!("{body}."),
        body.to_owned(),
        elsewhere.cookies[name].clone(),
    ];
    for forged in forged {
        let browser = Browser { cookies: [(name.to_owned(), forged.clone())].into() };
        assert!(!desk.is_in(&browser).await, "{forged}");
    }
    let plain = Browser { cookies: [("bobbin_session".to_owned(), ada.cookies[name].clone())].into() };
    assert!(!desk.is_in(&plain).await, "a cookie that another host may have set");

    assert!(desk.is_in(&ada).await && desk.is_in(&grace).await);
    let newer = config(&desk.base, &[("BOBBIN_ADMINS", &format!("{TEAM}/{GRACE}"))]);
    desk.bobbin.take_over(&newer).unwrap();
    let shown = desk.get(&mut ada.clone(), "/console").await;
    assert!(
        shown.status == StatusCode::FORBIDDEN && shown.text.contains("adding <code>T0ACME/U0ADA"),
        "{}",
        shown.text
    );
    desk.clock.advance(Duration::from_mins(59));
    assert!(desk.is_in(&grace).await);
    desk.clock.advance(Duration::from_mins(2));
    assert!(!desk.is_in(&grace).await);
}

#[tokio::test]
async fn without_a_session_no_page_and_no_stream_says_anything() {
    let desk = Desk::new().await;
    let pages = ["", "/sessions", "/people", "/dead", "/installs", "/health", "/log", "/live?page=/console"];
    let others = ["/threads/T0ACME/C0BACKEND/1700000000.000100", "/dead/01936c4e7a507cc09d2b0f3f6b1f7a11"];
    let forged = Browser { cookies: [("__Host-bobbin_session".to_owned(), "e30.00".to_owned())].into() };
    for path in pages.into_iter().chain(others) {
        for browser in [Browser::default(), forged.clone()] {
            let shown = desk.get(&mut browser.clone(), &format!("/console{path}")).await;
            let to = shown.location.as_deref();
            assert_eq!(
                (shown.status, to, shown.text.as_str()),
                (StatusCode::SEE_OTHER, Some("/console/enter"), ""),
                "{path}"
            );
        }
    }
}

#[tokio::test]
async fn an_open_page_is_told_once_when_its_session_is_over_and_then_no_more() {
    let over_time: fn(&Desk) = |desk| desk.clock.advance(Duration::from_hours(1));
    let removed: fn(&Desk) = |desk| {
        let newer = config(&desk.base, &[("BOBBIN_ADMINS", &format!("{TEAM}/{GRACE}"))]);
        desk.bobbin.take_over(&newer).unwrap();
    };
    for end in [over_time, removed] {
        let desk = Desk::new().await;
        let browser = desk.operator(ADA).await;
        let mut looks = browser.clone();
        let watched = desk.get(&mut looks, "/console/live?page=/console/log");
        let ended = async {
            tokio::task::yield_now().await;
            end(&desk);
        };
        // The body ends, where it would go on for ever.
        let both = async { tokio::join!(watched, ended) };
        let (shown, ()) = tokio::time::timeout(Duration::from_secs(20), both).await.expect("the stream ends");
        assert_eq!(shown.text.matches("event: changed").count(), 1, "{}", shown.text);
    }
}

#[tokio::test]
async fn a_sign_in_begun_in_one_browser_ends_in_no_other_and_once() {
    let desk = Desk::new().await;
    let mut browser = Browser::default();
    let (_, back) = desk.at_slack(&mut browser, ADA).await;
    let mut other = Browser::default();
    let shown = desk.get(&mut other, &back).await;
    assert!(shown.status == StatusCode::FORBIDDEN && shown.text.contains("another browser"), "{}", shown.text);
    desk.at_slack(&mut other, LINUS).await;
    assert_eq!(desk.get(&mut other, &back).await.status, StatusCode::FORBIDDEN, "not with another pass either");
    assert_eq!(desk.world.slack.calls("openid.connect.token"), 0, "no code was turned in");

    let before = browser.clone();
    assert_eq!(desk.get(&mut browser, &back).await.status, StatusCode::SEE_OTHER);
    assert_eq!(desk.get(&mut browser, &back).await.status, StatusCode::FORBIDDEN, "replayed");
    let shown = desk.get(&mut before.clone(), &back).await;
    assert!(shown.status == StatusCode::BAD_GATEWAY && shown.text.contains("invalid_code"), "{}", shown.text);

    let mut late = Browser::default();
    let (asks, back) = desk.at_slack(&mut late, ADA).await;
    let state = asks.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let declined = format!("/console/signed-in?error=access_denied&state={state}");
    let shown = desk.get(&mut late.clone(), &declined).await;
    assert!(shown.text.contains("You did not sign in"), "{}", shown.text);
    desk.clock.advance(Duration::from_mins(11));
    assert_eq!(desk.get(&mut late, &back).await.status, StatusCode::FORBIDDEN);
}

#[tokio::test]
async fn a_token_of_another_sign_in_or_without_the_verifier_signs_nobody_in() {
    let desk = Desk::new().await;
    for (name, says) in [("nonce", "Slack did not say who you are"), ("code_challenge", "invalid_code_verifier")] {
        let mut browser = Browser::default();
        let (asks, _) = desk.at_slack(&mut browser, ADA).await;
        // Somebody on the way had Slack believe that another browser began it.
        let mut changed = asks.clone();
        let pairs = asks.query_pairs().map(|(n, v)| if n == name { (n, "theirs".into()) } else { (n, v) });
        changed.query_pairs_mut().clear().extend_pairs(pairs);
        let shown = desk.get(&mut browser, &desk.back(&changed, ADA).unwrap()).await;
        assert_eq!(shown.status, StatusCode::BAD_GATEWAY, "{name}");
        assert!(shown.text.contains(says), "{name}: {}", shown.text);
        assert!(browser.cookies.is_empty());
    }
    assert_eq!(desk.records().await, Vec::<String>::new());
}

#[tokio::test]
async fn a_form_that_is_not_of_the_session_does_nothing() {
    let desk = Desk::new().await;
    let (mut ada, mut grace) = (desk.operator(ADA).await, desk.operator(GRACE).await);
    let ours = token(&desk.get(&mut ada, "/console").await.text);
    let theirs = token(&desk.get(&mut grace, "/console").await.text);
    let cross = [("origin", "https://evil.example"), ("sec-fetch-site", "cross-site")];
    let same_site = [("origin", PUBLIC), ("sec-fetch-site", "same-site")];
    let tries: [(Pairs<'_>, Pairs<'_>); 8] = [
        (&OURS, &[]),
        (&OURS, &[("token", "")]),
        (&OURS, &[("token", &theirs)]),
        (&OURS, &[("token", &theirs), ("token", &ours)]),
        (&cross, &[("token", &ours)]),
        (&same_site, &[("token", &ours)]),
        (&[("origin", "null")], &[("token", &ours)]),
        (&[], &[("token", &ours)]),
    ];
    for (headers, form) in tries {
        let shown = desk.post(&mut ada, "/console/sign-out", headers, form).await;
        assert_eq!(shown.status, StatusCode::FORBIDDEN, "{headers:?} {form:?}");
        assert!(shown.text.contains("Nothing was changed"), "{}", shown.text);
        assert!(desk.is_in(&ada).await);
    }
    let shown = desk.post(&mut Browser::default(), "/console/sign-out", &OURS, &[("token", &ours)]).await;
    assert_eq!(shown.status, StatusCode::FORBIDDEN);
    assert_eq!(desk.get(&mut ada, "/console/sign-out").await.status, StatusCode::METHOD_NOT_ALLOWED);
    assert_eq!(
        desk.post(&mut ada, "/console/sign-out", &OURS, &[("token", &ours)]).await.status,
        StatusCode::SEE_OTHER
    );
}
