//! The console's pages against real stores, with stories that the workers wrote.

use std::{sync::Arc, time::Duration};

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{StatusCode, header},
};
use bobbin::{
    app::{Bobbin, doctor::Rounds},
    clock::Clock as _,
    console::{self, Access, Console, Replica},
    twin::world::{ADA, BACKEND, BOT_TOKEN, DEVIN_KEY, GRACE, SIGNING_SECRET, TEAM},
};
use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
use tokio_util::sync::CancellationToken;
use tower::ServiceExt as _;

use crate::support::world::{On, World};

/// An answer of the console.
pub(crate) struct Shown {
    pub(crate) status: StatusCode,
    pub(crate) location: Option<String>,
    pub(crate) text: String,
}

/// What a console keeps in memory.
#[derive(Default)]
pub(crate) struct Desk(Arc<Replica>);

impl Desk {
    /// A page, as whoever sits at the machine gets it.
    pub(crate) async fn shown(&self, bobbin: &Bobbin, path: &str) -> Shown {
        let console = Console {
            oversight: bobbin.oversight.clone(),
            installations: bobbin.install.as_ref().map(|install| install.installations.clone()),
            scopes: Vec::new(),
            clock: bobbin.clock.clone(),
            replica: self.0.clone(),
            access: Access::Here,
            stop: CancellationToken::new(),
        };
        let request = Request::get(path).header(header::HOST, "localhost").body(Body::empty()).unwrap();
        let answer = console::routes(Arc::new(console)).oneshot(request).await.unwrap();
        let status = answer.status();
        let location = answer.headers().get(header::LOCATION).map(|value| value.to_str().unwrap().to_owned());
        let text = String::from_utf8(to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec()).unwrap();
        Shown { status, location, text }
    }

    /// Examines whenever somebody asks.
    async fn examine(&self, rounds: &Rounds) {
        loop {
            self.0.checkup.asked().await;
            if self.0.checkup.begin(rounds.clock.now()) {
                self.0.checkup.end(rounds.examine().await, rounds.clock.now());
            }
        }
    }

    /// A page once it shows this, or after a number of looks.
    async fn until(&self, bobbin: &Bobbin, path: &str, part: &str) -> String {
        let mut page = self.shown(bobbin, path).await.text;
        for _ in 0..20 {
            if page.contains(part) {
                break;
            }
            page = self.shown(bobbin, path).await.text;
        }
        page
    }
}

/// A page of a console that was just opened.
async fn shown(world: &World, path: &str) -> Shown {
    Desk::default().shown(&world.bobbin, path).await
}

/// The page of a thread in the channel of the back end.
async fn thread(world: &World, root: &bobbin::domain::ids::Ts) -> String {
    let page = shown(world, &format!("/console/threads/{TEAM}/{BACKEND}/{root}")).await;
    assert_eq!(page.status, StatusCode::OK, "{}", page.text);
    page.text
}

#[tokio::test]
async fn a_thread_shows_its_states_and_what_was_done_and_by_whom_and_no_word_that_was_written() {
    for on in [On::Redis, On::Embedded] {
        let mut world = World::on(on).await;
        world.lenient();
        let root = world.mention(ADA, "fix the login test").await;
        world.devin_says("Shall I take the pelican route?").await;
        world.devin_becomes("running", Some("waiting_for_user")).await;
        world.reply(GRACE, &root, "use the tangerine branch").await;
        world.devin_becomes("exit", None).await;
        let page = thread(&world, &root).await;

        let rects: Vec<_> = page.split("<rect class=\"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
        assert!(rects.len() >= 3 && rects.contains(&"call") && rects.last() == Some(&"quiet"), "{rects:?}");
        let states = page.split("States, oldest first").nth(1).unwrap().split("</table>").next().unwrap();
        assert_eq!(states.matches("<tr><td ").count(), rects.len(), "the table says what the band says");
        assert!(states.contains("running / waiting_for_user") && states.contains("for good"), "{states}");

        let home = format!("https://acme.slack.com/archives/{BACKEND}/p");
        for post in world.posts("bobbin_card").iter().chain(&world.posts("bobbin_transition")) {
            let address = format!("{home}{}?thread_ts={root}", post.ts.as_str().replace('.', ""));
            assert!(page.contains(&address), "{address} in {page}");
        }
        let session = world.session_id();
        let parts =
            ["Message", "Change at Devin", "create session", "devin ", "slack chat.postMessage", "Open in Slack"];
        for part in parts.into_iter().chain([session.bare(), ADA, GRACE, "Ada Lovelace", "Nothing is in hand"]) {
            assert!(page.contains(part), "{part} in {page}");
        }
        for word in ["pelican", "tangerine", BOT_TOKEN, DEVIN_KEY, SIGNING_SECRET] {
            assert!(!page.contains(word), "{word} in {page}");
        }
    }
}

#[tokio::test]
async fn a_thread_in_trouble_shows_what_is_in_hand_and_what_stands_in_its_way() {
    let mut world = World::on(On::Embedded).await;
    world.lenient();
    world.devin.faults().unreachable();
    let root = world.say(ADA, BACKEND, "<@U0BOBBIN> fix the pelican");
    world.settle().await;
    let page = thread(&world, &root).await;
    for part in
        ["A thread without a session", "tried again later", "attempt ", "class=\"why\"", "Waiting inputs", "events"]
    {
        assert!(page.contains(part), "{part} in {page}");
    }
    assert!(!page.contains("pelican"), "{page}");
}

#[tokio::test]
async fn a_search_for_one_session_or_one_message_goes_to_its_thread() {
    let mut world = World::on(On::Embedded).await;
    world.lenient();
    let root = world.mention(ADA, "fix the login test").await;
    let session = world.session_id();
    let message = format!("https://acme.slack.com/archives/{BACKEND}/p{}", root.as_str().replace('.', ""));
    let address = format!("/console/threads/{TEAM}/{BACKEND}/{root}");
    for wanted in [session.bare().to_owned(), format!("https://app.devin.ai/sessions/{}", session.bare()), message] {
        let query: String = url::form_urlencoded::byte_serialize(wanted.as_bytes()).collect();
        let found = shown(&world, &format!("/console/sessions?q={query}")).await;
        assert_eq!(
            (found.status, found.location.as_deref()),
            (StatusCode::SEE_OTHER, Some(address.as_str())),
            "{wanted}"
        );
    }
    for path in ["/console", &format!("/console/sessions?q={ADA}")] {
        let page = shown(&world, path).await.text;
        let listed = path == "/console" || page.contains(&format!("href=\"{address}\""));
        assert!(listed, "{path}: {page}");
        assert!(path == "/console" || page.contains(&format!("<small>{TEAM}</small>")), "which workspace: {page}");
    }
    world.devin_becomes("running", Some("waiting_for_user")).await;
    assert!(shown(&world, "/console").await.text.contains(&format!("href=\"{address}\"")), "from Now");
}

#[tokio::test]
async fn a_thread_that_is_not_known_is_not_found() {
    let world = World::on(On::Embedded).await;
    for path in ["T1/C1/1700000000.000100", "T1/C1/now", "x/y/z"] {
        let page = shown(&world, &format!("/console/threads/{path}")).await;
        assert_eq!(page.status, StatusCode::NOT_FOUND, "{path}");
        assert!(page.text.contains("No such thread") && page.text.contains("Show all sessions"), "{}", page.text);
    }
}

#[tokio::test]
async fn the_last_hour_is_drawn_from_the_metrics_as_they_are() {
    let bounds = [0.001, 0.01, 0.1, 1.0, 10.0];
    let builder = PrometheusBuilder::new().set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), &bounds);
    let recorder = builder.unwrap().build_recorder();
    let _recording = metrics::set_default_local_recorder(&recorder);
    let (mut world, desk) = (World::on(On::Embedded).await, Desk::default());
    world.lenient();
    let page = desk.shown(&world.bobbin, "/console").await.text;
    for part in ["Inputs a minute", "none yet", "Change to post", "nothing yet", "of this replica"] {
        assert!(page.contains(part), "{part} in {page}");
    }
    let plots = |page: &str| page.split("class=\"plot\"").skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(plots(&page).len(), 3, "they are there before anything happens: nothing jumps later");

    world.mention(ADA, "fix the login test").await;
    world.devin_becomes("running", Some("waiting_for_user")).await;
    desk.0.pulse.take(world.clock.now(), &recorder.handle().render());
    let page = desk.shown(&world.bobbin, "/console").await.text;
    let plots = plots(&page);
    assert!(page.contains("1 in all, at most 1") && plots[0].contains("<rect"), "{page}");
    assert!(page.matches("99 of 100 ").count() >= 4, "{page}");
    assert!(plots[1].contains("class=\"median\"") && plots[2].contains("class=\"median\""), "{page}");
    let row = page.split("<th scope=\"row\">0 to 5</th>").nth(1).unwrap().split("</tr>").next().unwrap();
    assert!(row.starts_with("<td>1</td>") && !row.contains('–'), "the table says what the charts say: {row}");
}

#[tokio::test]
async fn a_bot_that_runs_examines_itself_once_for_all_who_look() {
    let (world, desk) = (World::on(On::Embedded).await, Desk::default());
    let config = world.config();
    let rounds = Rounds {
        config: Box::new(move || Ok((config.clone(), Vec::new()))),
        listen: world.base.trim_start_matches("http://").parse().unwrap(),
        store: world.store.clone(),
        outbound: world.outbound.clone(),
        clock: world.clock.clone(),
    };
    let missing = || world.slack.change(|state| state.tokens.get_mut(BOT_TOKEN).unwrap().scopes.remove("files:write"));
    let looking = async {
        let health = async || desk.shown(&world.bobbin, "/console/health").await.text;
        let page = desk.until(&world.bobbin, "/console/health", "Everything that was looked at").await;
        for part in ["Everything that was looked at", "takes writes", "bot of Acme", "ManageOrgSessions", "org-acme"] {
            assert!(page.contains(part), "{part} in {page}");
        }
        assert!(!page.contains("files:write"), "{page}");
        let asked = world.slack.calls("auth.test");
        assert!(missing());
        futures_util::future::join_all((0..5).map(|_| health())).await;
        assert_eq!(world.slack.calls("auth.test"), asked, "what was found holds for a while");

        world.clock.advance(Duration::from_secs(31));
        futures_util::future::join_all((0..5).map(|_| health())).await;
        let page = desk.until(&world.bobbin, "/console/health", "files:write").await;
        assert_eq!(world.slack.calls("auth.test"), asked + 1, "once for all of them");
        for part in ["not granted: files:write", "install the app again", "What to do", " failed"] {
            assert!(page.contains(part), "{part} in {page}");
        }
        for secret in [BOT_TOKEN, DEVIN_KEY, SIGNING_SECRET] {
            assert!(!page.contains(secret), "{page}");
        }
    };
    tokio::select! {
        () = desk.examine(&rounds) => {}
        () = looking => {}
    }
}

#[tokio::test]
async fn health_is_shown_while_the_examination_is_still_under_way() {
    let (world, desk) = (World::on(On::Embedded).await, Desk::default());
    let page = desk.shown(&world.bobbin, "/console/health").await;
    assert!(page.status == StatusCode::OK && page.text.contains("still checking"), "{}", page.text);
}
