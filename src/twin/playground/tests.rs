//! The page through its routes, as a browser without a script sees it.

use std::{str::FromStr, sync::Arc};

use axum::{
    body::Body,
    http::{Request, StatusCode, header},
};
use http_body_util::BodyExt;
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tower::ServiceExt;
use url::form_urlencoded;

use super::{Playground, router};
use crate::{
    clock::{Clock, SystemClock},
    domain::{
        ids::{ChannelId, SessionId, Ts, UserId},
        status::{Detail, Status},
    },
    twin::{
        slack::{AgentSession, AgentStatus, Answered, Ephemeral, Prompts, SayOptions, View},
        world::{self, ADA, ADA_AT_DEVIN, BACKEND, BOT_ID, BOT_USER, GRACE, LINUS},
    },
};

struct Page {
    playground: Playground,
}

/// What came back.
struct Answer {
    status: StatusCode,
    policy: String,
    location: String,
    body: String,
}

impl Page {
    fn new() -> Self {
        let clock: Arc<dyn Clock> = Arc::new(SystemClock);
        let world = world::world(&clock).unwrap();
        Self { playground: Playground { slack: world.slack, devin: world.devin, stop: CancellationToken::new() } }
    }

    async fn send(&self, request: Request<Body>) -> Answer {
        let response = router(self.playground.clone()).oneshot(request).await.unwrap();
        let (head, body) = response.into_parts();
        let text = |name| head.headers.get(name).map(|v| v.to_str().unwrap().to_owned()).unwrap_or_default();
        let (policy, location) = (text(header::CONTENT_SECURITY_POLICY), text(header::LOCATION));
        let status = head.status;
        let bytes = body.collect().await.unwrap().to_bytes();
        Answer { status, policy, location, body: String::from_utf8(bytes.to_vec()).unwrap() }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Request::get(path).body(Body::empty()).unwrap()).await
    }

    async fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish();
        let request = Request::post(path)
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header("sec-fetch-site", "same-origin")
            .body(Body::from(body))
            .unwrap();
        self.send(request).await
    }

    /// Ada says something in `#backend`.
    fn said(&self, text: &str) -> Ts {
        let (ada, backend) = (ADA.parse::<UserId>().unwrap(), BACKEND.parse::<ChannelId>().unwrap());
        self.playground.slack.say(&ada, &backend, text, SayOptions::default()).unwrap()
    }

    /// The message becomes the bot's, with these blocks.
    fn card(&self, blocks: &serde_json::Value) -> Ts {
        let ts = self.said("card");
        self.playground.slack.change(|state| {
            let message = state.message_mut(&BACKEND.parse().unwrap(), &ts).unwrap();
            message.user = BOT_USER.parse().unwrap();
            message.bot_id = Some(BOT_ID.to_owned());
            message.blocks = blocks.as_array().unwrap().clone();
        });
        ts
    }

    /// A session of Ada's, made through the API.
    async fn session(&self) -> SessionId {
        let wanted = json!({"prompt": "fix it", "title": "Fix <the> test", "create_as_user_id": ADA_AT_DEVIN});
        let request = Request::post(format!("/v3/organizations/{}/sessions", world::ORG))
            .header(header::AUTHORIZATION, format!("Bearer {}", world::DEVIN_KEY))
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(wanted.to_string()))
            .unwrap();
        let response = self.playground.devin.router().oneshot(request).await.unwrap();
        assert_eq!(response.status(), StatusCode::OK);
        self.playground.devin.sessions()[0].id.clone()
    }
}

#[tokio::test]
async fn the_page_is_whole_and_loads_nothing_from_elsewhere() {
    let page = Page::new();
    let answer = page.get("/playground").await;
    assert_eq!(answer.status, StatusCode::OK);
    assert!(answer.policy.starts_with("default-src 'none'; script-src 'self'"), "{}", answer.policy);
    for wanted in ["Ada Lovelace", "IdP only", "from outside", "guest", "not linked", "fix the flaky login test"] {
        assert!(answer.body.contains(wanted), "{wanted}");
    }
    for unwanted in ["style=\"", "onclick", "src=\"http", "href=\"http", "<style"] {
        assert!(!answer.body.contains(unwanted), "{unwanted}");
    }
    for path in ["/playground/app.css", "/playground/app.js", "/playground/icon.svg"] {
        assert_eq!(page.get(path).await.status, StatusCode::OK, "{path}");
    }
}

#[tokio::test]
async fn every_part_can_be_fetched_alone() {
    let page = Page::new();
    for name in ["banner", "sidebar", "channel", "thread", "sessions", "session", "faults", "tabs", "modal"] {
        let answer = page.get(&format!("/playground/part/{name}?channel={BACKEND}")).await;
        assert_eq!(answer.status, StatusCode::OK, "{name}");
        assert!(!answer.body.contains("<html"), "{name}");
    }
    assert_eq!(page.get("/playground/part/no").await.status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn saying_something_makes_a_message_and_opens_its_thread() {
    let page = Page::new();
    let fields =
        [("as", ADA), ("channel", BACKEND), ("in", BACKEND), ("reply_to", ""), ("text", "@Bobbin ask @linus & <b>")];
    let answer = page.post("/playground/say", &fields).await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let message = page.playground.slack.read(|s| s.channels[&BACKEND.parse().unwrap()].messages[0].clone());
    assert_eq!(message.text, format!("<@{BOT_USER}> ask <@{LINUS}> &amp; &lt;b&gt;"));
    assert!(answer.location.contains(&format!("thread={}", message.ts)), "{}", answer.location);
    assert!(!page.playground.slack.pending().is_empty(), "Slack tells the app");
    let shown = page.get(&answer.location).await.body;
    assert!(shown.contains("<span class=\"mention\">@Linus</span> &amp; &lt;b&gt;"), "{shown}");
}

#[tokio::test]
async fn hostile_text_is_escaped_everywhere() {
    let page = Page::new();
    let hostile = "<script>alert(1)</script><javascript:alert(1)|x>";
    page.said(hostile);
    page.card(&json!([{"type": hostile}, {"type": "section", "text": {"type": "mrkdwn", "text": hostile}}]));
    let id = page.session().await;
    page.playground.devin.say(&id, hostile).unwrap();
    page.playground.slack.change(|state| {
        state.team.name = hostile.to_owned();
        if let Some(user) = state.users.get_mut(&ADA.parse::<UserId>().unwrap()) {
            user.real_name = hostile.to_owned();
        }
    });
    let body = page.get(&format!("/playground?channel={BACKEND}&notice=%3Cscript%3E&thread=%3Cscript%3E")).await.body;
    assert!(body.contains("&#60;script") || body.contains("&lt;script"));
    assert!(!body.contains("<script>"), "only our own script element, which has attributes");
    assert!(!body.contains("href=\"javascript"));
}

#[tokio::test]
async fn pressing_a_button_sends_an_interaction() {
    let page = Page::new();
    let ts = page.card(&json!([{"type": "actions", "block_id": "b", "elements": [
        {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}, "value": "v"}]}]));
    let body = page.get(&format!("/playground/part/channel?channel={BACKEND}")).await.body;
    assert!(body.contains(r#"action="/playground/press""#) && body.contains(">Stop</button>"), "{body}");
    let before = page.playground.slack.pending().len();
    let fields = [("as", ADA), ("in", BACKEND), ("ts", ts.as_str()), ("action", "stop")];
    assert_eq!(page.post("/playground/press", &fields).await.status, StatusCode::SEE_OTHER);
    let pending = page.playground.slack.pending();
    assert_eq!(pending.len(), before + 1);
    assert_eq!(pending.last().unwrap().label, "block_actions");
    let gone =
        page.post("/playground/press", &[("as", ADA), ("in", BACKEND), ("ts", ts.as_str()), ("action", "no")]).await;
    assert!(gone.location.ends_with("&notice=gone"), "{}", gone.location);
}

#[tokio::test]
async fn reactions_and_shortcuts_reach_slack() {
    let page = Page::new();
    let ts = page.said("hello");
    let fields = [("as", GRACE), ("in", BACKEND), ("ts", ts.as_str()), ("action", "eyes")];
    page.post("/playground/react", &fields).await;
    let body = page.get(&format!("/playground/part/channel?channel={BACKEND}&as={GRACE}")).await.body;
    assert!(body.contains("reaction-mine"), "{body}");
    page.post("/playground/react", &fields).await;
    let body = page.get(&format!("/playground/part/channel?channel={BACKEND}&as={GRACE}")).await.body;
    assert!(!body.contains("reaction-mine"), "taken back: {body}");
    let fields = [("as", GRACE), ("in", BACKEND), ("ts", ts.as_str()), ("callback", "start_here")];
    page.post("/playground/shortcut", &fields).await;
    assert_eq!(page.playground.slack.pending().last().unwrap().label, "message_action");
}

#[tokio::test]
async fn ephemeral_messages_are_for_one_pair_of_eyes() {
    let page = Page::new();
    page.playground.slack.change(|state| {
        state.ephemerals.push(Ephemeral {
            ts: "1700000000.000100".parse().unwrap(),
            channel: BACKEND.parse().unwrap(),
            user: LINUS.parse().unwrap(),
            thread_ts: None,
            text: "link your account".to_owned(),
            blocks: Vec::new(),
        });
    });
    let seen = |who: &str| format!("/playground/part/channel?channel={BACKEND}&as={who}");
    let linus = page.get(&seen(LINUS)).await.body;
    assert!(linus.contains("link your account") && linus.contains("Only visible to Linus"), "{linus}");
    assert!(!page.get(&seen(ADA)).await.body.contains("link your account"));
}

#[tokio::test]
async fn home_is_opened_and_shown_to_its_owner() {
    let page = Page::new();
    let direct = page.playground.slack.direct(&ADA.parse().unwrap()).unwrap();
    let answer = page.post("/playground/home", &[("as", ADA), ("in", direct.as_str())]).await;
    assert!(answer.location.ends_with("&tab=home"), "{}", answer.location);
    assert_eq!(page.playground.slack.pending().last().unwrap().label, "app_home_opened");
    assert!(page.get(&answer.location).await.body.contains("Home is empty"));
    page.playground.slack.change(|state| {
        let blocks = json!([{"type": "header", "text": {"type": "plain_text", "text": "Your sessions"}}]);
        let view = json!({"type": "home", "blocks": blocks});
        state.views.push(View::new("V1", ADA.parse().unwrap(), view));
    });
    assert!(page.get(&answer.location).await.body.contains("Your sessions"));
    let linus = page.get(&answer.location.replace(ADA, LINUS)).await.body;
    assert!(!linus.contains("Your sessions"), "everybody has their own");
}

fn plain(text: &str) -> serde_json::Value {
    json!({ "type": "plain_text", "text": text })
}

#[tokio::test]
async fn a_modal_is_a_form_that_keeps_what_was_written_and_shows_what_is_wrong() {
    let page = &Page::new();
    let ada: UserId = ADA.parse().unwrap();
    let option = |value: &str| json!({ "text": plain(value), "value": value });
    let field = |block: &str, element: serde_json::Value| json!({ "type": "input", "block_id": block, "label": plain(block), "element": element });
    let view = json!({ "type": "modal", "title": plain("Start"), "submit": plain("Go"), "blocks": [
        field("task", json!({ "type": "plain_text_input", "action_id": "v", "multiline": true, "max_length": 20 })),
        field("mode", json!({ "type": "static_select", "action_id": "v", "options": [option("fast"), option("lite")] })),
        field("opts", json!({ "type": "checkboxes", "action_id": "v", "options": [option("one"), option("two")] })),
        field("book", json!({ "type": "external_select", "action_id": "book", "min_query_length": 0 })),
        { "type": "actions", "block_id": "row", "elements": [{ "type": "button", "action_id": "more", "text": plain("More"),
            "confirm": { "title": plain("Sure?"), "text": plain("Really?"), "confirm": plain("Yes"), "deny": plain("No") } }] },
    ]});
    let slack = &page.playground.slack;
    slack.change(|state| state.views.push(View::new("V1", ada.clone(), view)));
    let seen = || page.get("/playground/part/modal");
    let html = seen().await.body;
    for wanted in
        ["name=\"f:task/v\"", "<textarea rows", "type=\"checkbox\"", "popovertarget=\"modal-row-more-sure\"", ">Sure?<"]
    {
        assert!(html.contains(wanted), "{wanted}: {html}");
    }
    assert!(!page.get(&format!("/playground/part/modal?as={GRACE}")).await.body.contains("dialog"), "hers is not open");
    let send = |more: &[(&'static str, &'static str)]| {
        let fields = [&[("as", ADA), ("view", "V1"), ("f:task/v", "Fix <it>"), ("f:mode/v", "lite")], more].concat();
        async move { page.post("/playground/modal", &fields).await }
    };
    send(&[("press", "suggest:book/book"), ("q:book/book", "re")]).await;
    let delivery = slack.take_due().unwrap();
    assert_eq!(delivery.label, "block_suggestion");
    let options = json!({ "options": [option("review")] }).to_string().into_bytes();
    slack.settle(delivery, Ok(Answered { status: 200, no_retry: false, body: options }));
    send(&[("send", "1")]).await;
    let html = seen().await.body;
    assert!(slack.pending().is_empty() && html.contains("Please complete this required field."), "{html}");
    assert!(html.contains(">Fix &lt;it&gt;</textarea>") && html.contains(r#"value="lite" selected"#), "{html}");
    send(&[("press", "row/more"), ("f:opts/v", "one"), ("f:opts/v", "two"), ("f:book/book", "review")]).await;
    assert_eq!(slack.take_due().unwrap().label, "block_actions");
    send(&[("send", "1"), ("f:opts/v", "one"), ("f:book/book", "review")]).await;
    let delivery = slack.take_due().unwrap();
    let body = json!({ "response_action": "errors", "errors": { "task": "<too> vague" } }).to_string().into_bytes();
    slack.settle(delivery, Ok(Answered { status: 200, no_retry: false, body }));
    let html = seen().await.body;
    assert!(html.contains("&lt;too&gt; vague") && html.contains("field-wrong"), "{html}");
    let values = slack.modal(&ada).unwrap().values();
    assert_eq!(values["opts"]["v"]["selected_options"].as_array().unwrap().len(), 1);
    send(&[("close", "one")]).await;
    assert_eq!(slack.modal(&ada), None);
    assert!(send(&[("send", "1")]).await.location.ends_with("&notice=gone"));
}

#[tokio::test]
async fn home_tabs_prompts_shortcuts_and_the_stop_button_reach_slack() {
    let page = Page::new();
    let slack = &page.playground.slack;
    let (ada, direct) = (ADA.parse::<UserId>().unwrap(), ChannelId::from_str("D0ADA").unwrap());
    let button = |value: &str| json!({ "type": "button", "action_id": "open", "text": plain("Open"), "value": value });
    let section =
        |block: &str| json!({ "type": "section", "block_id": block, "text": plain(block), "accessory": button(block) });
    let home = json!({ "type": "home", "blocks": [section("s1"), section("s2")] });
    let root = page.said("hello");
    slack.change(|state| {
        state.deliveries.clear();
        state.views.push(View::new("V1", ada.clone(), home));
        let prompts = vec![("Fix".to_owned(), "Fix it".to_owned())];
        state.prompts.insert(direct.clone(), Prompts { title: None, prompts });
        let said = SystemClock.now();
        let working = AgentSession { status: AgentStatus::Processing, title: None, initiator: None, said };
        state.agent_sessions.insert((BACKEND.parse().unwrap(), root.clone()), working);
    });
    let body = page.get(&format!("/playground?as={ADA}&channel=D0ADA&tab=home")).await.body;
    assert_eq!(body.matches(r#"<input type="hidden" name="spot" value="home">"#).count(), 2, "{body}");
    page.post("/playground/press", &[("as", ADA), ("spot", "home"), ("block", "s2"), ("action", "open")]).await;
    let delivery = slack.take_due().unwrap();
    assert!(String::from_utf8(delivery.body).unwrap().contains("s2"), "the second of two with one name");
    page.post("/playground/home", &[("as", ADA), ("in", "D0ADA"), ("show", "messages")]).await;
    assert_eq!(slack.take_due().unwrap().label, "app_home_opened");
    let body = page.get(&format!("/playground?as={ADA}&channel=D0ADA")).await.body;
    assert!(body.contains(r#"name="text" value="Fix it""#), "{body}");
    page.post("/playground/shortcut", &[("as", ADA), ("callback", "start_devin")]).await;
    assert_eq!(slack.take_due().unwrap().label, "shortcut");
    let thread = format!("/playground?as={ADA}&channel={BACKEND}&thread={root}");
    let body = page.get(&thread).await.body;
    assert!(body.contains("chip-busy\">Working</span>") && body.contains("/playground/stop"), "{body}");
    page.post("/playground/stop", &[("as", ADA), ("in", BACKEND), ("ts", root.as_str())]).await;
    assert_eq!(slack.take_due().unwrap().label, "agent_session_stopped");
    let command = [("as", ADA), ("in", BACKEND), ("reply_to", root.as_str()), ("text", "/devin help")];
    assert!(page.post("/playground/say", &command).await.location.ends_with("&notice=command"));
}

#[tokio::test]
async fn people_edit_and_delete_their_own_words_and_share_files() {
    let page = Page::new();
    let slack = &page.playground.slack;
    let ts = page.said("see <@U0GRACE> &amp; wait");
    let at = |who: &str| format!("/playground?as={who}&channel={BACKEND}&edit={ts}");
    let body = page.get(&at(ADA)).await.body;
    assert!(body.contains(">see @Grace Hopper &#38; wait</textarea>"), "{body}");
    assert!(!page.get(&at(GRACE)).await.body.contains("class=\"edit\""), "not hers");
    let words = [("as", ADA), ("in", BACKEND), ("ts", ts.as_str()), ("edit", ts.as_str()), ("text", "see @linus")];
    let location = page.post("/playground/edit", &words).await.location;
    assert!(!location.contains("edit="), "{location}");
    let message = slack.read(|state| state.message(&BACKEND.parse().unwrap(), &ts).cloned()).unwrap();
    assert_eq!((message.text.as_str(), message.edited.is_some()), ("see <@U0LINUS>", true));
    page.post("/playground/delete", &words).await;
    assert!(slack.read(|state| state.message(&BACKEND.parse().unwrap(), &ts).is_none()));
    let part = |head: &str, body: &str| format!("--b\r\nContent-Disposition: form-data; {head}\r\n\r\n{body}\r\n");
    let body = [
        part("name=\"as\"", ADA),
        part("name=\"in\"", BACKEND),
        part("name=\"reply_to\"", ""),
        part("name=\"text\"", ""),
        part("name=\"files\"; filename=\"a.txt\"", "boom"),
        part("name=\"snippet\"", "fn main() {}"),
        "--b--\r\n".to_owned(),
    ];
    let request = Request::post("/playground/say")
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
        .header("sec-fetch-site", "same-origin")
        .body(Body::from(body.concat()))
        .unwrap();
    page.send(request).await;
    let files: Vec<_> = slack.read(|state| state.files.values().cloned().collect());
    assert_eq!(files.len(), 2, "{files:?}");
    let file = files.iter().find(|file| file.name == "a.txt").unwrap();
    assert_eq!(page.get(&format!("/playground/file/{}", file.id)).await.body, "boom");
    let shown = page.get(&format!("/playground?as={ADA}&channel={BACKEND}")).await.body;
    assert!(
        shown.contains("download=\"a.txt\"") && shown.contains("<pre class=\"snippet\">fn main() {}</pre>"),
        "{shown}"
    );
}

#[tokio::test]
async fn devin_is_played_by_hand() {
    let page = Page::new();
    let id = page.session().await;
    let of = ("of", id.bare());
    page.post("/playground/devin/set", &[of, ("state", "running/waiting_for_user")]).await;
    page.post("/playground/devin/say", &[of, ("text", "Which **branch**?")]).await;
    page.post("/playground/devin/pr", &[of, ("act", "open")]).await;
    let url = page.playground.devin.sessions()[0].pull_requests[0].url.clone();
    page.post("/playground/devin/pr", &[of, ("act", "merged"), ("url", &url)]).await;
    let session = page.playground.devin.sessions().remove(0);
    assert_eq!((session.status, session.detail), (Status::Running, Some(Detail::WaitingForUser)));
    assert_eq!(session.pull_requests[0].state, "merged");
    let body = page.get("/playground/part/session").await.body;
    for wanted in
        ["Fix &#60;the&#62; test", "waiting for user", "Which <strong>branch</strong>?", "merged", "runs as <b>Ada"]
    {
        assert!(body.contains(wanted), "{wanted}: {body}");
    }
    page.post("/playground/devin/set", &[of, ("status", "hibernating"), ("detail", "")]).await;
    assert_eq!(page.playground.devin.sessions()[0].status, Status::Other("hibernating".to_owned()));
    let gone = page.post("/playground/devin/say", &[("of", "nobody"), ("text", "x")]).await;
    assert!(gone.location.ends_with("&notice=gone"), "{}", gone.location);
}

#[tokio::test]
async fn faults_are_switched_and_shown() {
    let page = Page::new();
    page.post("/playground/fault", &[("fault", "slack-down"), ("scope", "always")]).await;
    page.post("/playground/fault", &[("fault", "devin-lost"), ("scope", "once")]).await;
    assert_eq!(page.playground.slack.faults().waiting().len(), 1);
    assert_eq!(page.playground.devin.faults().waiting()[0].times, Some(1));
    let banner = page.get("/playground/part/banner").await.body;
    assert!(banner.contains("Slack: down, Devin: lost answers (next call)"), "{banner}");
    page.post("/playground/fault", &[("scope", "off")]).await;
    assert!(page.playground.slack.faults().waiting().is_empty());
    assert!(page.playground.devin.faults().waiting().is_empty());
    assert!(!page.get("/playground/part/banner").await.body.contains("Broken"));
}

#[tokio::test]
async fn other_sites_cannot_send_forms() {
    let page = Page::new();
    let request = Request::post("/playground/say").header("sec-fetch-site", "cross-site").body(Body::empty()).unwrap();
    let answer = page.send(request).await;
    assert_eq!(answer.status, StatusCode::FORBIDDEN);
    assert!(!answer.policy.is_empty());
}

#[tokio::test]
async fn the_live_stream_names_the_parts_that_changed() {
    let page = Page::new();
    let request = Request::get(format!("/playground/live?channel={BACKEND}")).body(Body::empty()).unwrap();
    let mut body = router(page.playground.clone()).oneshot(request).await.unwrap().into_body();
    let ready = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert!(ready.starts_with(b"event: ready"));
    page.said("hello");
    let changed = body.frame().await.unwrap().unwrap().into_data().unwrap();
    assert_eq!(String::from_utf8(changed.to_vec()).unwrap(), "event: changed\ndata: channel\n\n");
    page.playground.stop.cancel();
    assert!(body.frame().await.is_none());
}
