//! Two workspaces that install the app, and two Devin organisations: each speaks with its own token to its own
//! organisation, and nothing of one is ever visible to the other.

mod ends;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use axum::{
    Router,
    body::{Body, Bytes, to_bytes},
    extract::Request,
    http::{StatusCode, header},
    response::Response,
};
use bobbin::{
    app::{Bobbin, Limits, send_as_slack, serve},
    clock::Clock,
    config::{Config, ConfigError},
    domain::ids::{ChannelId, TeamId, Ts},
    outbound::{Outbound, OutboundOptions},
    oversight::Actor,
    store::{SharedStore, embedded::EmbeddedStore},
    tenancy::{Installation, Workspaces as _},
    twin::{
        self,
        slack::SayOptions,
        world::{
            ADA, BACKEND, BOT_USER, CLIENT_ID, CLIENT_SECRET, DEVIN_KEY, NEIGHBOURS, NEXT_DOOR, OLGA, ORG,
            OTHER_DEVIN_KEY, OTHER_ORG, SIGNING_SECRET, TEAM,
        },
    },
    work::Stepped,
};
use tokio::net::TcpListener;
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tower::ServiceExt as _;
use url::Url;

use crate::{
    pages::Desk,
    support::{clock::TestClock, world::id},
};

/// Where the bot is reached from outside.
const PUBLIC: &str = "https://bobbin.example.com";
const CALLBACK: &str = "https://bobbin.example.com/slack/oauth/callback";
const SECRET_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// Both worlds and the one bot between them.
struct Town {
    clock: Arc<TestClock>,
    acme: twin::World,
    next: twin::World,
    bobbin: Bobbin,
    store: SharedStore,
    config: Config,
    outbound: Outbound,
    base: String,
    stop: CancellationToken,
    _folder: tempfile::TempDir,
}

/// A browser that keeps its cookie.
#[derive(Default)]
struct Browser {
    cookie: Option<String>,
}

/// What the browser was shown.
struct Shown {
    status: StatusCode,
    location: Option<Url>,
    text: String,
}

/// The twin that a request is meant for: the one whose token, code or key it carries.
async fn route(request: Request, acme: Router, next: Router) -> Response {
    let (head, body) = request.into_parts();
    let body: Bytes = to_bytes(body, usize::MAX).await.unwrap();
    let bearer = head.headers.get(header::AUTHORIZATION).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let of_next = |text: &str| text.contains(NEIGHBOURS) || text.contains(OTHER_DEVIN_KEY);
    let theirs = of_next(bearer) || (bearer.starts_with("Basic") && of_next(&String::from_utf8_lossy(&body)));
    let request = || Request::from_parts(head.clone(), Body::from(body.clone()));
    if head.uri.path().starts_with("/hooks/") {
        // These addresses are their own secret.
        let answer = acme.oneshot(request()).await.unwrap();
        return if answer.status() == StatusCode::NOT_FOUND { next.oneshot(request()).await.unwrap() } else { answer };
    }
    (if theirs { next } else { acme }).oneshot(request()).await.unwrap()
}

impl Town {
    async fn new(tables: &str) -> Self {
        Self::with(tables, &[]).await
    }

    async fn with(tables: &str, more: &[(&'static str, &str)]) -> Self {
        let clock = TestClock::new();
        let shared: Arc<dyn Clock> = clock.clone();
        let folder = tempfile::tempdir().unwrap();
        let (acme, next) = (twin::world(&shared).unwrap(), twin::world::neighbours(&shared).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let mut routers = Vec::new();
        for world in [&acme, &next] {
            world.slack.set_base_url(&base);
            world.devin.set_base_url(&base);
            world.slack.change(|state| state.oauth.redirects = vec![CALLBACK.to_owned()]);
            routers.push(Router::new().merge(world.slack.router()).merge(world.devin.router()));
        }
        // Installed by nobody yet.
        acme.slack.change(|state| state.tokens.clear());
        let (ours, theirs) = (routers[0].clone(), routers[1].clone());
        let both = Router::new().fallback(move |request: Request| route(request, ours.clone(), theirs.clone()));
        let stop = CancellationToken::new();
        TaskTracker::new().spawn(serve(listener, both, Limits::default(), stop.clone()));
        let store: SharedStore =
            Arc::new(EmbeddedStore::open(folder.path().join("bobbin.db"), shared.clone()).unwrap());
        store.found().await.unwrap();
        let config = configured(&base, tables, more).unwrap();
        let outbound = Outbound::new(OutboundOptions::default()).unwrap();
        let bobbin = Bobbin::with_outbound(&config, store.clone(), shared, outbound.clone()).unwrap();
        Self { clock, acme, next, bobbin, store, config, outbound, base, stop, _folder: folder }
    }

    /// A town in which the neighbours have an organisation of their own.
    async fn of_two() -> Self {
        let tables = format!(
            "[organisations.next]\nid = \"{OTHER_ORG}\"\nkey = \"{OTHER_DEVIN_KEY}\"\n\
             [workspaces.{NEIGHBOURS}]\norganisation = \"next\"\n"
        );
        Self::new(&tables).await
    }

    async fn visit(&self, browser: &mut Browser, path: &str) -> Shown {
        let mut request = Request::get(path);
        if let Some(cookie) = &browser.cookie {
            request = request.header(header::COOKIE, cookie);
        }
        let answer = self.bobbin.doors().oneshot(request.body(Body::empty()).unwrap()).await.unwrap();
        if let Some(set) = told(&answer, &header::SET_COOKIE) {
            assert!(set.contains("HttpOnly") && set.contains("SameSite=Lax") && set.contains("Secure"), "{set}");
            browser.cookie = set.split(';').next().map(str::to_owned).filter(|pair| !pair.ends_with('='));
        }
        let location = told(&answer, &header::LOCATION).map(|to| to.parse().unwrap());
        let status = answer.status();
        let text = String::from_utf8(to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap();
        Shown { status, location, text }
    }

    /// Somebody installs the app; what their browser shows in the end.
    async fn install(&self, world: &twin::World, by: &str) -> Shown {
        let mut browser = Browser::default();
        let asks = self.visit(&mut browser, "/slack/install").await.location.unwrap();
        let back = world.slack.allow_install(&asks, &id(by)).unwrap();
        self.visit(&mut browser, &format!("{}?{}", back.path(), back.query().unwrap())).await
    }

    /// Everything that is there is delivered and handled, and short waits are sat out.
    async fn settle(&self) {
        let end = self.clock.now() + Duration::from_secs(100);
        for _ in 0..300 {
            let mut delivered = 0;
            for world in [&self.acme, &self.next] {
                let send = |request| send_to(self.bobbin.doors(), request);
                delivered += usize::from(world.slack.deliver_next(send).await.is_some());
            }
            match self.bobbin.worker.step().await.unwrap() {
                Stepped::Handled => {}
                Stepped::Unfounded => panic!("the store is founded"),
                Stepped::Idle { .. } if delivered > 0 => {}
                Stepped::Idle { next } => match next.filter(|at| *at <= end) {
                    Some(at) => self.clock.advance_to(at),
                    None => return,
                },
            }
        }
        panic!("the town does not come to rest");
    }

    async fn look(&self) {
        self.clock.advance(Duration::from_secs(15));
        let more = self.bobbin.more_watches.iter().map(|(watch, _)| watch);
        for watch in [&self.bobbin.watch].into_iter().chain(more) {
            watch.hurry().await;
            watch.step().await.unwrap();
        }
        self.settle().await;
    }

    fn installation(&self) -> Arc<bobbin::tenancy::Installations> {
        self.bobbin.install.as_ref().unwrap().installations.clone()
    }

    async fn known(&self, team: &str) -> Installation {
        self.installation().of(&id::<TeamId>(team)).await.unwrap().unwrap()
    }
}

/// The configuration of a bot between the two, to which both are invited unless `more` says otherwise.
fn configured(base: &str, tables: &str, more: &[(&'static str, &str)]) -> Result<Config, ConfigError> {
    let mut settings: BTreeMap<&str, String> = [
        ("BOBBIN_PUBLIC_URL", PUBLIC),
        ("BOBBIN_SLACK_SIGNING_SECRETS", SIGNING_SECRET),
        ("BOBBIN_SLACK_CLIENT_ID", CLIENT_ID),
        ("BOBBIN_SLACK_CLIENT_SECRET", CLIENT_SECRET),
        ("BOBBIN_SLACK_WORKSPACES", &format!("{TEAM},{NEIGHBOURS},E0NEXT")),
        ("BOBBIN_SLACK_API_URL", &format!("{base}/api/")),
        ("BOBBIN_SECRET_KEY", SECRET_KEY),
        ("BOBBIN_DEVIN_API_URL", base),
        ("BOBBIN_DEVIN_API_KEY", DEVIN_KEY),
        ("BOBBIN_DEVIN_ORG_ID", ORG),
    ]
    .map(|(name, value)| (name, value.to_owned()))
    .into();
    settings.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
    Config::from_values_and_file(settings, tables)
}

/// A header of an answer.
fn told(answer: &Response, name: &header::HeaderName) -> Option<String> {
    answer.headers().get(name).map(|value| value.to_str().unwrap().to_owned())
}

impl Drop for Town {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// Delivers straight into the doors.
async fn send_to(
    doors: Router,
    request: twin::slack::Outgoing,
) -> Result<twin::slack::Answered, twin::slack::Undelivered> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let base = format!("http://{}", listener.local_addr().unwrap());
    let stop = CancellationToken::new();
    TaskTracker::new().spawn(serve(listener, doors, Limits::default(), stop.clone()));
    let answer = send_as_slack(&Outbound::new(OutboundOptions::default()).unwrap(), &base, request).await;
    stop.cancel();
    answer
}

fn say(world: &twin::World, user: &str, channel: &str, text: &str) -> Ts {
    world.slack.say(&id(user), &id::<ChannelId>(channel), text, SayOptions::default()).unwrap()
}

fn posts(world: &twin::World, channel: &str, root: &Ts) -> Vec<String> {
    let thread = world.slack.thread(&id::<ChannelId>(channel), root);
    thread.iter().filter(|m| m.user == id(BOT_USER)).map(|m| format!("{} {:?}", m.text, m.blocks)).collect()
}

#[tokio::test]
async fn a_workspace_installs_and_whoever_did_it_is_told_what_to_do_next() {
    let town = Town::of_two().await;
    let shown = town.install(&town.next, OLGA).await;
    assert_eq!(shown.status, StatusCode::OK);
    assert!(
        shown.text.contains("Bobbin is installed in Next") && shown.text.contains("/invite @bobbin"),
        "{}",
        shown.text
    );
    assert!(!shown.text.contains("Something is missing"), "{}", shown.text);
    town.settle().await;
    let direct = town.next.slack.direct(&id(OLGA)).unwrap();
    let told = town
        .next
        .slack
        .read(|state| state.channels[&direct].messages.iter().map(|m| m.text.clone()).collect::<Vec<_>>());
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].contains("*Bobbin is installed.*"), "{told:?}");

    let root = say(&town.next, OLGA, NEXT_DOOR, &format!("<@{BOT_USER}> fix the login test"));
    town.settle().await;
    let sessions = town.next.devin.sessions();
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0].user_id.as_ref().unwrap().as_str(), "user-olga");
    assert!(town.acme.devin.sessions().is_empty(), "in their own organisation");
    assert_eq!(posts(&town.next, NEXT_DOOR, &root).len(), 1);
}

/// Whoever installs the app decides which e-mail addresses the people of their workspace have.
#[tokio::test]
async fn a_workspace_that_nobody_invited_gets_nothing_and_what_slack_allowed_is_given_back() {
    let town = Town::with("", &[("BOBBIN_SLACK_WORKSPACES", TEAM)]).await;
    for enterprise in [None, Some("E0NEXT")] {
        town.next.slack.change(|state| state.oauth.enterprise = enterprise.map(id));
        let shown = town.install(&town.next, OLGA).await;
        let add = format!("adding <code>{}</code> to <code>BOBBIN_SLACK_WORKSPACES", enterprise.unwrap_or(NEIGHBOURS));
        assert!(shown.status == StatusCode::FORBIDDEN && shown.text.contains(&add), "{}", shown.text);
    }
    assert!(town.installation().list().await.unwrap().is_empty());
    assert_eq!(town.next.slack.calls("auth.revoke"), 2);
    let works = |state: &twin::slack::State| state.tokens.values().any(|token| token.refused.is_none());
    assert!(!town.next.slack.read(works), "no token of theirs works");

    say(&town.next, OLGA, NEXT_DOOR, &format!("<@{BOT_USER}> fix the login test"));
    town.settle().await;
    let by_us = |m: &twin::slack::Message| m.user == id(BOT_USER);
    let spoke = |state: &twin::slack::State| state.channels.values().flat_map(|channel| &channel.messages).any(by_us);
    assert!(!town.next.slack.read(spoke), "nobody there hears of us");
    assert!(town.next.devin.sessions().is_empty() && town.acme.devin.sessions().is_empty());
    assert_eq!(town.install(&town.acme, ADA).await.status, StatusCode::OK, "whoever is invited comes in");
}

#[tokio::test]
async fn a_workspace_is_invited_by_its_id_its_organisation_a_table_of_its_own_or_with_everybody() {
    let table = format!("[workspaces.{NEIGHBOURS}]\n");
    for (list, tables, enterprise) in
        [(NEIGHBOURS, "", None), ("E0NEXT", "", Some("E0NEXT")), ("", table.as_str(), None), ("*", "", Some("E0NEXT"))]
    {
        let town = Town::with(tables, &[("BOBBIN_SLACK_WORKSPACES", list)]).await;
        town.next.slack.change(|state| state.oauth.enterprise = enterprise.map(id));
        let shown = town.install(&town.next, OLGA).await;
        assert_eq!(shown.status, StatusCode::OK, "{list:?} {tables:?}: {}", shown.text);
        assert_eq!(town.next.slack.calls("auth.revoke"), 0);
    }
    let nobody = configured("http://localhost:1", "", &[("BOBBIN_SLACK_WORKSPACES", "")]).unwrap_err().to_string();
    assert!(nobody.contains("BOBBIN_SLACK_WORKSPACES: found nothing; allowed: the workspaces that may"), "{nobody}");
}

#[tokio::test]
async fn a_workspace_that_is_invited_no_longer_has_no_token_until_it_is_again() {
    let town = Town::of_two().await;
    town.install(&town.next, OLGA).await;
    town.settle().await;
    let only = |list: &str| configured(&town.base, "", &[("BOBBIN_SLACK_WORKSPACES", list)]).unwrap();
    town.bobbin.take_over(&only(TEAM)).unwrap();
    assert!(!town.installation().has(&id(NEIGHBOURS)).await.unwrap());
    let page = Desk::default().shown(&town.bobbin, "/console/installs").await.text;
    assert!(page.contains("not invited"), "{page}");
    // Nothing is done at once, whatever is remembered of tokens and people.
    let methods = ["chat.postMessage", "chat.postEphemeral", "reactions.add", "users.info"];
    let calls = |town: &Town| methods.map(|method| town.next.slack.calls(method)).iter().sum::<usize>();
    let before = calls(&town);
    let root = say(&town.next, OLGA, NEXT_DOOR, &format!("<@{BOT_USER}> fix the login test"));
    town.next.slack.command(&id(OLGA), &id(NEXT_DOOR), "/devin", "whoami").unwrap();
    town.settle().await;
    assert_eq!((calls(&town), town.acme.devin.sessions().len()), (before, 0), "nothing is done or said");
    let kept = town.installation().list().await.unwrap();
    assert_eq!(town.install(&town.next, OLGA).await.status, StatusCode::FORBIDDEN);
    assert_eq!(town.installation().list().await.unwrap(), kept, "what is kept stays as it was");
    town.next.slack.change(|state| {
        let of_the_kept = state.tokens.values_mut().next().unwrap();
        of_the_kept.refused = None;
    });

    town.bobbin.take_over(&only(&format!("{TEAM},{NEIGHBOURS}"))).unwrap();
    town.clock.advance(Duration::from_hours(1));
    town.settle().await;
    assert_eq!(posts(&town.next, NEXT_DOOR, &root).len(), 1, "what waited is handled");
}

#[tokio::test]
async fn what_was_begun_in_one_browser_ends_in_no_other_and_not_later() {
    let town = Town::of_two().await;
    let mut browser = Browser::default();
    let asks = town.visit(&mut browser, "/slack/install").await.location.unwrap();
    let back = town.next.slack.allow_install(&asks, &id(OLGA)).unwrap();
    let path = format!("{}?{}", back.path(), back.query().unwrap());
    let shown = town.visit(&mut Browser::default(), &path).await;
    assert_eq!(shown.status, StatusCode::FORBIDDEN);
    assert!(shown.text.contains("begun in another browser"), "{}", shown.text);
    let mut other = Browser::default();
    town.visit(&mut other, "/slack/install").await;
    assert_eq!(town.visit(&mut other, &path).await.status, StatusCode::FORBIDDEN);
    let denied = format!(
        "/slack/oauth/callback?error=access_denied&state={}",
        asks.query_pairs().find(|(n, _)| n == "state").unwrap().1
    );
    let mut same = Browser { cookie: browser.cookie.clone() };
    assert!(town.visit(&mut same, &denied).await.text.contains("Nothing was installed"));
    town.clock.advance(Duration::from_mins(11));
    assert_eq!(town.visit(&mut browser, &path).await.status, StatusCode::FORBIDDEN);
    assert!(town.installation().list().await.unwrap().is_empty());
    assert_eq!(town.next.slack.calls("oauth.v2.access"), 0, "no code was turned in");
}

#[tokio::test]
async fn a_code_that_slack_refuses_installs_nothing_and_a_missing_permission_is_said() {
    let town = Town::of_two().await;
    let mut browser = Browser::default();
    let asks = town.visit(&mut browser, "/slack/install").await.location.unwrap();
    let state = asks.query_pairs().find(|(name, _)| name == "state").unwrap().1.into_owned();
    let shown =
        town.visit(&mut browser, &format!("/slack/oauth/callback?code=code-{NEIGHBOURS}-9&state={state}")).await;
    assert_eq!(shown.status, StatusCode::BAD_GATEWAY);
    assert!(shown.text.contains("<code>invalid_code</code>"), "{}", shown.text);
    assert!(town.installation().list().await.unwrap().is_empty());

    town.next.slack.change(|state| state.oauth.denied = vec!["files:read".to_owned()]);
    let shown = town.install(&town.next, OLGA).await;
    assert!(
        shown.text.contains("Something is missing") && shown.text.contains("<code>files:read</code>"),
        "{}",
        shown.text
    );
    town.next.slack.change(|state| state.oauth.denied.clear());
    let shown = town.install(&town.next, OLGA).await;
    assert!(!shown.text.contains("Something is missing"), "installed again with more");
    assert_eq!(town.installation().list().await.unwrap().len(), 1);
}

#[tokio::test]
async fn nothing_of_one_tenant_is_visible_to_another() {
    let town = Town::of_two().await;
    town.install(&town.acme, ADA).await;
    town.install(&town.next, OLGA).await;
    let ours = say(&town.acme, ADA, BACKEND, &format!("<@{BOT_USER}> the secret of acme"));
    let theirs = say(&town.next, OLGA, NEXT_DOOR, &format!("<@{BOT_USER}> the secret of next"));
    town.settle().await;
    for (world, other) in [(&town.acme, "next"), (&town.next, "acme")] {
        let sessions = world.devin.sessions();
        assert_eq!(sessions.len(), 1);
        let session = sessions[0].id.clone();
        world.devin.say(&session, &format!("not for {other}")).unwrap();
        world.devin.set(&session, "running".to_owned().into(), Some("waiting_for_user".to_owned().into())).unwrap();
    }
    town.look().await;
    let acme = posts(&town.acme, BACKEND, &ours).join("\n");
    let next = posts(&town.next, NEXT_DOOR, &theirs).join("\n");
    assert!(
        acme.contains("not for next") && !acme.contains("not for acme") && !acme.contains("secret of next"),
        "{acme}"
    );
    assert!(
        next.contains("not for acme") && !next.contains("not for next") && !next.contains("secret of acme"),
        "{next}"
    );

    // The same thread key, asked for in the wrong workspace: a session's tag that names somebody else's thread.
    let session = town.acme.devin.sessions()[0].id.clone();
    let tag = format!("bobbin-thread:{NEIGHBOURS}/{NEXT_DOOR}/{theirs}");
    town.acme.devin.change(|state| state.sessions[0].tags.push(tag));
    town.acme.devin.say(&session, "told to the wrong thread?").unwrap();
    town.look().await;
    town.look().await;
    assert!(!posts(&town.next, NEXT_DOOR, &theirs).join("\n").contains("wrong thread"));

    // Every call went to its own side with its own token and named nothing of the other.
    for (world, foreign) in [(&town.acme, [NEIGHBOURS, NEXT_DOOR, OLGA]), (&town.next, [TEAM, BACKEND, ADA])] {
        let calls = world.slack.read(|state| format!("{:?}", state.ledger));
        assert!(foreign.iter().all(|id| !calls.contains(id)), "{calls}");
    }
    let list = |world: &twin::World, user: &str, channel: &str| {
        world.slack.command(&id(user), &id(channel), "/devin", "list").unwrap();
    };
    list(&town.acme, ADA, BACKEND);
    list(&town.next, OLGA, NEXT_DOOR);
    town.settle().await;
    let shown = |world: &twin::World| {
        world.slack.read(|state| state.ephemerals.iter().map(|e| e.text.clone()).collect::<Vec<_>>().join("\n"))
    };
    let (acme, next) = (shown(&town.acme), shown(&town.next));
    assert!(acme.contains("secret of acme") && !acme.contains("secret of next"), "{acme}");
    assert!(next.contains("secret of next") && !next.contains("secret of acme"), "{next}");
}

#[tokio::test]
async fn an_operators_pages_show_no_word_and_no_secret_of_any_tenant() {
    let town = Town::of_two().await;
    town.install(&town.acme, ADA).await;
    town.install(&town.next, OLGA).await;
    let ours = say(&town.acme, ADA, BACKEND, &format!("<@{BOT_USER}> look at the login test"));
    let theirs = say(&town.next, OLGA, NEXT_DOOR, &format!("<@{BOT_USER}> look at the search"));
    town.settle().await;
    for (world, user, channel, root) in [(&town.acme, ADA, BACKEND, &ours), (&town.next, OLGA, NEXT_DOOR, &theirs)] {
        let options = SayOptions { thread: Some(root.clone()), ..SayOptions::default() };
        world.slack.say(&id(user), &id::<ChannelId>(channel), "use the tangerine branch", options).unwrap();
        world.devin.say(&world.devin.sessions()[0].id, "or the pelican route?").unwrap();
    }
    town.look().await;
    town.look().await;
    let desk = Desk::default();
    let threads = [(TEAM, BACKEND, &ours), (NEIGHBOURS, NEXT_DOOR, &theirs)]
        .map(|(team, channel, root)| format!("/console/threads/{team}/{channel}/{root}"));
    let pages = ["/console", "/console/sessions", "/console/installs", "/console/health", "/console/log"];
    let tokens = |world: &twin::World| world.slack.read(|state| state.tokens.keys().cloned().collect::<Vec<_>>());
    let secrets = [DEVIN_KEY, OTHER_DEVIN_KEY, SIGNING_SECRET, CLIENT_SECRET, SECRET_KEY].map(str::to_owned);
    let hidden: Vec<String> = secrets
        .into_iter()
        .chain(tokens(&town.acme))
        .chain(tokens(&town.next))
        .chain(["tangerine".to_owned(), "pelican".to_owned()])
        .collect();
    assert!(hidden.len() > 8, "{hidden:?}");
    for path in pages.into_iter().map(str::to_owned).chain(threads.clone()) {
        let page = desk.shown(&town.bobbin, &path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}");
        for word in &hidden {
            assert!(!page.text.contains(word), "{word} on {path}: {}", page.text);
        }
    }
    for (path, (mine, other)) in threads.iter().zip([(ADA, OLGA), (OLGA, ADA)]) {
        let page = desk.shown(&town.bobbin, path).await.text;
        assert!(page.contains(mine) && !page.contains(other), "{path}: {page}");
    }
}

#[tokio::test]
async fn a_workspace_that_takes_the_app_out_stops_and_goes_on_when_it_is_back_within_a_day() {
    let town = Town::of_two().await;
    town.install(&town.acme, ADA).await;
    town.install(&town.next, OLGA).await;
    town.settle().await;
    // Slack sends what came just before the end as well.
    let root = say(&town.next, OLGA, NEXT_DOOR, &format!("<@{BOT_USER}> fix the login test"));
    town.next.slack.uninstall();
    town.settle().await;
    let gone = town.known(NEIGHBOURS).await.gone.unwrap();
    assert_eq!(gone.why, "account_inactive");
    assert!(town.next.devin.sessions().is_empty(), "nothing is done for a workspace that is gone");
    let ours = say(&town.acme, ADA, BACKEND, &format!("<@{BOT_USER}> look at the search"));
    town.settle().await;
    assert_eq!(posts(&town.acme, BACKEND, &ours).len(), 1, "others go on");

    town.clock.advance(Duration::from_mins(20));
    town.install(&town.next, OLGA).await;
    town.clock.advance(Duration::from_mins(6));
    town.settle().await;
    assert_eq!(town.next.devin.sessions().len(), 1, "what waited was kept");
    assert_eq!(posts(&town.next, NEXT_DOOR, &root).len(), 1);
    assert!(town.known(NEIGHBOURS).await.gone.is_none(), "the late events of the old installation end no new one");
}

#[tokio::test]
async fn a_token_that_runs_out_is_renewed_before_and_written_down_before_it_is_used() {
    let town = Town::of_two().await;
    town.next.slack.change(|state| state.oauth.rotates = true);
    town.install(&town.next, OLGA).await;
    town.settle().await;
    town.clock.advance(Duration::from_hours(11));
    let mut renewed = Vec::new();
    for text in ["fix the login test", "and the search"] {
        let root = say(&town.next, OLGA, NEXT_DOOR, &format!("<@{BOT_USER}> {text}"));
        town.settle().await;
        renewed.push((posts(&town.next, NEXT_DOOR, &root).len(), town.next.slack.calls("oauth.v2.access")));
    }
    assert_eq!(renewed, [(1, 2), (1, 2)], "once for the code, once for the renewal");

    // Another replica, which has nothing in memory, finds the new pair.
    let other =
        Bobbin::with_outbound(&town.config, town.store.clone(), town.clock.clone(), town.outbound.clone()).unwrap();
    let installations = other.install.unwrap().installations.clone();
    assert!(installations.has(&id::<TeamId>(NEIGHBOURS)).await.unwrap());
    town.next.slack.change(|state| state.tokens.clear());
    town.clock.advance(Duration::from_hours(12));
    say(&town.next, OLGA, NEXT_DOOR, &format!("<@{BOT_USER}> once more"));
    town.settle().await;
    assert_eq!(town.next.devin.sessions().len(), 3, "the refresh token of the second pair works");
}

#[tokio::test]
async fn an_organisations_installation_speaks_in_all_of_its_workspaces() {
    let town = Town::of_two().await;
    town.next.slack.change(|state| state.oauth.enterprise = Some(id("E0NEXT")));
    let shown = town.install(&town.next, OLGA).await;
    assert_eq!(shown.status, StatusCode::OK, "{}", shown.text);
    let all = town.installation().list().await.unwrap();
    assert_eq!(all.iter().map(|one| one.id.as_str()).collect::<Vec<_>>(), ["E0NEXT"]);
    let root = say(&town.next, OLGA, NEXT_DOOR, &format!("<@{BOT_USER}> fix the login test"));
    town.settle().await;
    assert_eq!(posts(&town.next, NEXT_DOOR, &root).len(), 1);
    assert_eq!(town.next.devin.sessions()[0].tags.iter().filter(|tag| tag.contains(NEIGHBOURS)).count(), 1);

    // What is paused in the organisation is paused in each of its workspaces; what would pause nothing is refused.
    let (oversight, actor) = (&town.bobbin.oversight, Actor::command_line("ops"));
    let refused = oversight.pause(&actor, Some(&id("T0TYPO")), "").await.unwrap_err();
    assert!(refused.to_string().contains("T0TYPO is no workspace or organisation that installed the app"), "{refused}");
    oversight.pause(&actor, Some(&id("E0NEXT")), "maintenance").await.unwrap();
    let root = say(&town.next, OLGA, NEXT_DOOR, &format!("<@{BOT_USER}> fix the search"));
    town.settle().await;
    assert_eq!(town.next.devin.sessions().len(), 1, "paused");
    let told = posts(&town.next, NEXT_DOOR, &root);
    assert!(told.iter().any(|post| post.contains("maintenance")), "{told:?}");
    oversight.pause(&actor, Some(&id(NEIGHBOURS)), "").await.unwrap();

    town.next.slack.uninstall();
    town.settle().await;
    assert!(town.known("E0NEXT").await.gone.is_some());
}

#[tokio::test]
async fn where_the_app_has_pkce_a_code_is_worth_nothing_without_the_browser_it_was_asked_for_in() {
    let town = Town::with("", &[("BOBBIN_SLACK_PKCE", "true")]).await;
    town.next.slack.change(|state| state.oauth.pkce = true);
    assert_eq!(town.install(&town.next, OLGA).await.status, StatusCode::OK);

    // A code that somebody else got, put into another browser's way back.
    let (mut theirs, mut ours) = (Browser::default(), Browser::default());
    let asked = town.visit(&mut theirs, "/slack/install").await.location.unwrap();
    let stolen = town.next.slack.allow_install(&asked, &id(OLGA)).unwrap();
    let of = |url: &Url, name: &str| url.query_pairs().find(|(n, _)| n == name).unwrap().1.into_owned();
    let asked = town.visit(&mut ours, "/slack/install").await.location.unwrap();
    let path = format!("{}?code={}&state={}", stolen.path(), of(&stolen, "code"), of(&asked, "state"));
    let shown = town.visit(&mut ours, &path).await;
    assert_eq!(shown.status, StatusCode::BAD_GATEWAY);
    assert!(shown.text.contains("invalid_code_verifier"), "{}", shown.text);
}

#[tokio::test]
async fn a_person_who_revokes_their_own_token_ends_no_installation_and_a_stranger_in_a_shared_channel_names_none() {
    let town = Town::of_two().await;
    town.install(&town.next, OLGA).await;
    let tokens = serde_json::json!({ "oauth": [OLGA], "bot": [] });
    town.next.slack.emit(&serde_json::json!({ "type": "tokens_revoked", "tokens": tokens }), None);
    town.settle().await;
    assert!(town.known(NEIGHBOURS).await.gone.is_none());

    // Another organisation has an installation for all of its workspaces; somebody of it writes in a shared channel.
    town.acme.slack.change(|state| state.oauth.enterprise = Some(id("E0ACME")));
    town.install(&town.acme, ADA).await;
    let body = serde_json::json!({
        "type": "event_callback", "team_id": NEIGHBOURS, "enterprise_id": "E0ACME", "event_id": "Ev07SHARED",
        "authorizations": [{ "team_id": NEIGHBOURS, "enterprise_id": null, "user_id": BOT_USER, "is_bot": true }],
        "event": { "type": "app_mention", "user": OLGA, "channel": NEXT_DOOR, "ts": "1795000000.000100",
                   "text": format!("<@{BOT_USER}> fix it") },
    });
    town.next.slack.emit(&body["event"], None);
    assert_eq!(bobbin::slack::wire::enterprise_install(body.to_string().as_bytes()), None);
    town.settle().await;
    town.next.slack.uninstall();
    town.settle().await;
    assert!(town.known(NEIGHBOURS).await.gone.is_some(), "without one of its own it speaks with nobody else's");
}

#[tokio::test]
async fn a_call_that_learns_of_the_end_ends_the_installation_without_any_event() {
    for (code, ends) in [("account_inactive", true), ("token_revoked", true), ("invalid_auth", false)] {
        let town = Town::of_two().await;
        town.install(&town.next, OLGA).await;
        town.settle().await;
        let refuse = |code: Option<&str>| {
            let code = code.map(str::to_owned);
            town.next.slack.change(|state| state.tokens.values_mut().for_each(|token| token.refused.clone_from(&code)));
        };
        refuse(Some(code));
        let root = say(&town.next, OLGA, NEXT_DOOR, &format!("<@{BOT_USER}> fix the login test"));
        town.settle().await;
        let gone = town.known(NEIGHBOURS).await.gone;
        assert_eq!(gone.map(|gone| gone.why), ends.then(|| code.to_owned()), "{code}");
        assert!(town.next.devin.sessions().is_empty(), "{code}: nothing starts where we cannot speak");

        refuse(None);
        town.clock.advance(Duration::from_mins(20));
        town.install(&town.next, OLGA).await;
        town.clock.advance(Duration::from_mins(6));
        town.settle().await;
        assert!(town.known(NEIGHBOURS).await.gone.is_none(), "{code}");
        assert_eq!(posts(&town.next, NEXT_DOOR, &root).len(), 1, "{code}: what waited was kept");
    }
}

#[tokio::test]
async fn no_token_lies_readable_in_the_store() {
    let town = Town::of_two().await;
    town.install(&town.next, OLGA).await;
    let kept = town.store.recall(&format!("install:{NEIGHBOURS}")).await.unwrap().unwrap();
    assert!(!kept.contains("xoxb") && kept.contains("sealed:v1:"), "{kept}");
    assert!(!town.base.is_empty());
}

#[tokio::test]
async fn a_channel_can_belong_to_another_organisation_than_its_workspace() {
    of_two_organisations().await;
}

/// A workspace one of whose channels belongs to another organisation; Ada has a session in each.
async fn of_two_organisations() -> Town {
    let tables = format!(
        "[organisations.next]\nid = \"{OTHER_ORG}\"\nkey = \"{OTHER_DEVIN_KEY}\"\n\
         [channels.{BACKEND}]\norganisation = \"next\"\n"
    );
    let town = Town::new(&tables).await;
    town.next.devin.change(|state| {
        let ada = state.users[0].clone();
        state.users.push(twin::devin::Member {
            id: id("user-ada-next"),
            email: Some("ada@acme.example".to_owned()),
            ..ada
        });
    });
    town.install(&town.acme, ADA).await;
    say(&town.acme, ADA, BACKEND, &format!("<@{BOT_USER}> fix the login test"));
    say(&town.acme, ADA, "C0OPS", &format!("<@{BOT_USER}> look at the search"));
    town.settle().await;
    let owner = |world: &twin::World| {
        world.devin.sessions().iter().map(|s| s.user_id.as_ref().unwrap().to_string()).collect::<Vec<_>>()
    };
    assert_eq!((owner(&town.next), owner(&town.acme)), (vec!["user-ada-next".to_owned()], vec!["user-ada".to_owned()]));
    town
}

#[tokio::test]
async fn whoever_is_in_several_organisations_sees_which_session_is_whose_and_who_they_are_in_each() {
    let town = of_two_organisations().await;
    for word in ["list", "whoami"] {
        town.acme.slack.command(&id(ADA), &id("C0OPS"), "/devin", word).unwrap();
    }
    town.acme.slack.open_home(&id(ADA), "home").unwrap();
    town.settle().await;
    let told = whispers(&town.acme);
    for part in ["fix the login test", "in _next_", "look at the search", "in _default_"] {
        assert!(told[0].contains(part), "{part}: {}", told[0]);
    }
    assert!(told[1].contains("(organisation _default_): as *Ada Lovelace*"), "{}", told[1]);
    assert!(told[1].contains(&format!("In <#{BACKEND}> (organisation _next_): as *Ada Lovelace*")), "{}", told[1]);
    let home = town.acme.slack.home(&id(ADA)).unwrap().blocks().iter().map(ToString::to_string).collect::<String>();
    assert!(
        home.contains("in _next_") && home.contains("in _default_") && home.contains("organisation _next_"),
        "{home}"
    );

    // Who has an account in the channel's organisation alone is welcome there, and told so; elsewhere they are not.
    town.acme.devin.change(|state| state.users.retain(|user| user.id.as_str() != "user-ada"));
    town.clock.advance(Duration::from_hours(25));
    town.acme.slack.command(&id(ADA), &id(BACKEND), "/devin", "tidy the changelog").unwrap();
    town.acme.slack.command(&id(ADA), &id("C0OPS"), "/devin", "whoami").unwrap();
    town.acme.slack.command(&id(ADA), &id("C0OPS"), "/devin", "count the tests").unwrap();
    town.settle().await;
    assert_eq!((town.next.devin.sessions().len(), town.acme.devin.sessions().len()), (2, 1));
    let told = whispers(&town.acme);
    assert!(told.iter().any(|words| words.contains("(organisation _default_): not at all. I can't start")), "{told:?}");
}

#[tokio::test]
async fn of_another_workspaces_organisations_nobody_learns_that_they_exist() {
    let town = of_two_organisations().await;
    // Olga has an account in the organisation of Acme's channel; it is no channel of her workspace.
    town.install(&town.next, OLGA).await;
    town.settle().await;
    for word in ["list", "whoami"] {
        town.next.slack.command(&id(OLGA), &id(NEXT_DOOR), "/devin", word).unwrap();
    }
    town.next.slack.open_home(&id(OLGA), "home").unwrap();
    town.settle().await;
    let told = whispers(&town.next).join("\n");
    assert!(told.contains("nobody in the Devin organisation has the e-mail address"), "{told}");
    let home = town.next.slack.home(&id(OLGA)).unwrap().blocks().iter().map(ToString::to_string).collect::<String>();
    for shown in [&told, &home] {
        assert!(!shown.contains("_next_") && !shown.contains(BACKEND) && !shown.contains("login test"), "{shown}");
    }
}

/// What only one person saw, in order.
fn whispers(world: &twin::World) -> Vec<String> {
    world.slack.read(|state| state.ephemerals.iter().map(|e| e.text.clone()).collect())
}
