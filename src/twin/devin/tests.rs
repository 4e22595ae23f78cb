//! The stand-in Devin, asked as a client asks it.

use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::{
    body::Body,
    http::{Request, Response, header},
};
use http_body_util::BodyExt;
use jiff::SignedDuration;
use serde_json::{Value, json};
use tower::ServiceExt;

use super::*;
use crate::{
    clock::Clock,
    domain::{
        ids::SessionId,
        status::{Detail, Status},
    },
    twin::world::*,
};

#[derive(Debug, Default)]
struct Moved(AtomicI64);

impl Clock for Moved {
    fn offset(&self) -> SignedDuration {
        SignedDuration::from_secs(self.0.load(Ordering::SeqCst))
    }
}

struct Asker {
    twin: Arc<DevinTwin>,
    clock: Arc<Moved>,
}

fn devin() -> Asker {
    let moved = Arc::new(Moved::default());
    let clock: Arc<dyn Clock> = Arc::clone(&moved) as Arc<dyn Clock>;
    Asker { twin: world(&clock).unwrap().devin, clock: moved }
}

async fn read(answer: Response<Body>) -> (u16, Value) {
    let status = answer.status().as_u16();
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    (status, serde_json::from_slice(&bytes).unwrap_or(Value::Null))
}

impl Asker {
    async fn raw(&self, request: Request<Body>) -> Response<Body> {
        self.twin.router().oneshot(request).await.unwrap()
    }

    async fn ask(&self, verb: &str, path: &str, body: Value) -> (u16, Value) {
        let path = path.replace("{o}", &format!("/v3/organizations/{ORG}"));
        let request =
            Request::builder().method(verb).uri(path).header(header::AUTHORIZATION, format!("Bearer {DEVIN_KEY}"));
        let request = if body.is_null() {
            request.body(Body::empty()).unwrap()
        } else {
            request.header(header::CONTENT_TYPE, "application/json").body(Body::from(body.to_string())).unwrap()
        };
        read(self.raw(request).await).await
    }

    async fn get(&self, path: &str) -> Value {
        let (status, body) = self.ask("GET", path, Value::Null).await;
        assert_eq!(status, 200, "{path}: {body}");
        body
    }

    async fn create(&self, prompt: &str) -> SessionId {
        let (status, body) = self.ask("POST", "{o}/sessions", json!({ "prompt": prompt, "tags": ["t"] })).await;
        assert_eq!(status, 200, "{body}");
        body["session_id"].as_str().unwrap().parse().unwrap()
    }

    async fn status(&self, id: &SessionId) -> (String, Option<String>) {
        let body = self.get(&format!("{{o}}/sessions/{}", id.prefixed())).await;
        (body["status"].as_str().unwrap().to_owned(), body["status_detail"].as_str().map(str::to_owned))
    }

    async fn send(&self, id: &SessionId, message: &str) -> (u16, Value) {
        self.ask("POST", &format!("{{o}}/sessions/{}/messages", id.bare()), json!({ "message": message })).await
    }

    fn revoke(&self, permission: &str) {
        self.twin.change(|state| state.keys.get_mut(DEVIN_KEY).unwrap().permissions.remove(permission));
    }

    fn advance(&self, seconds: i64) {
        self.clock.0.fetch_add(seconds, Ordering::SeqCst);
    }
}

#[tokio::test]
async fn answers_to_writes_hide_what_only_reads_show() {
    let devin = devin();
    let id = devin.create("Fix it\nplease").await;
    devin.twin.set(&id, Status::Running, Some(Detail::Finished)).unwrap();
    let (_, written) = devin.send(&id, "more").await;
    assert_eq!(
        (&written["status"], &written["status_detail"], &written["category"]),
        (&json!("running"), &Value::Null, &Value::Null)
    );
    assert_eq!(written["session_id"], id.bare());
    assert_eq!(written["title"], "Fix it");
    assert_eq!(devin.status(&id).await, ("running".into(), Some("working".into())));
    let bare = devin.get(&format!("{{o}}/sessions/{}", id.bare())).await;
    assert_eq!(bare["status_detail"], "working");
}

#[tokio::test]
async fn wrong_types_are_listed_and_unknown_fields_ignored() {
    let devin = devin();
    let body = json!({ "prompt": 5, "tags": "x", "max_acu_limit": "3", "devin_mode": "slow", "attachment_urls": ["no"], "nonsense": 1 });
    let (status, body) = devin.ask("POST", "{o}/sessions", body).await;
    assert_eq!((status, &body["status"], &body["title"].is_string()), (422, &json!(422), &true));
    let fields: Vec<&str> = body["errors"].as_array().unwrap().iter().map(|e| e["loc"][1].as_str().unwrap()).collect();
    assert_eq!(fields, ["prompt", "tags", "attachment_urls", "max_acu_limit", "devin_mode"]);
    assert_eq!(devin.ask("POST", "{o}/sessions", json!({ "prompt": "x", "nonsense": 1 })).await.0, 200);
    let many: Vec<String> = (0..51).map(|n| n.to_string()).collect();
    assert_eq!(devin.ask("POST", "{o}/sessions", json!({ "prompt": "x", "tags": many })).await.0, 422);
    let (status, body) = devin.ask("POST", "{o}/sessions", json!({ "prompt": "x", "platform": "beos" })).await;
    assert_eq!((status, body["detail"].as_str().unwrap().contains("windows")), (400, true));
}

#[tokio::test]
async fn everything_that_a_session_can_be_given_is_checked_and_kept() {
    let devin = devin();
    let wrong = json!({
        "prompt": "x", "max_acu_limit": 0, "knowledge_ids": "n", "secret_ids": [1], "session_secrets": [{ "key": "" }],
        "bypass_approval": "yes", "resumable": null, "structured_output_required": 1, "session_links": {},
        "structured_output_schema": { "items": { "$ref": "https://acme.example/s.json" } },
    });
    let (status, body) = devin.ask("POST", "{o}/sessions", wrong).await;
    let fields: BTreeSet<&str> =
        body["errors"].as_array().unwrap().iter().map(|e| e["loc"][1].as_str().unwrap()).collect();
    assert_eq!((status, fields.len()), (422, 9), "{body}");
    for (field, value) in
        [("playbook_id", json!("no")), ("child_playbook_id", json!("no")), ("secret_ids", json!(["no"]))]
    {
        assert_eq!(devin.ask("POST", "{o}/sessions", json!({ "prompt": "x", field: value })).await.0, 404, "{field}");
    }
    let secret = json!({ "key": "TOKEN", "value": "hunter2" });
    let good = json!({
        "prompt": "x", "child_playbook_id": "playbook-review", "knowledge_ids": [], "secret_ids": ["secret-npm"],
        "session_secrets": [secret], "platform": "windows", "bypass_approval": true, "resumable": false,
        "structured_output_schema": { "$ref": "#/definitions/a" }, "session_links": ["devin-0f3a"], "max_acu_limit": 3,
    });
    let (status, body) = devin.ask("POST", "{o}/sessions", good).await;
    assert_eq!(status, 200, "{body}");
    let id: SessionId = body["session_id"].as_str().unwrap().parse().unwrap();
    let (extras, ledger) =
        devin.twin.read(|state| (state.session(&id).unwrap().extras.clone(), format!("{:?}", state.ledger)));
    assert_eq!((extras.knowledge_ids, extras.secret_ids), (Some(vec![]), Some(vec!["secret-npm".to_owned()])));
    assert_eq!((extras.session_secrets[0].value.as_str(), extras.session_secrets[0].sensitive), ("hunter2", true));
    assert!(!ledger.contains("hunter2"));
    devin.twin.set(&id, Status::Suspended, Some(Detail::Inactivity)).unwrap();
    assert_eq!(devin.send(&id, "wake up").await.0, 400, "it was not to be woken");
    assert_eq!(devin.get("{o}/secrets").await["items"][0]["key"], "NPM_TOKEN");
}

#[tokio::test]
async fn a_missing_permission_is_named_before_anything_is_looked_up() {
    let devin = devin();
    let nobody = Request::get("/v3/self").body(Body::empty()).unwrap();
    assert_eq!(read(devin.raw(nobody).await).await.0, 401);
    devin.revoke("ManageOrgSessions");
    let (status, body) = devin.ask("POST", "{o}/sessions/devin-none/messages", json!({ "message": "x" })).await;
    assert_eq!((status, &body["detail"]), (403, &json!("Missing permission ManageOrgSessions")));
    assert_eq!(devin.ask("GET", "{o}/sessions/devin-none", Value::Null).await.0, 404);
}

#[tokio::test]
async fn acting_as_somebody_needs_the_permission_and_a_member() {
    let devin = devin();
    let create = |user: &str| devin.ask("POST", "{o}/sessions", json!({ "prompt": "x", "create_as_user_id": user }));
    let (status, body) = create(GRACE_AT_DEVIN).await;
    assert_eq!((status, &body["user_id"]), (200, &json!(GRACE_AT_DEVIN)));
    assert_eq!(create("user-nobody").await.0, 404);
    let id = devin.create("y").await;
    let body = json!({ "message": "m", "message_as_user_id": ADA_AT_DEVIN });
    assert_eq!(devin.ask("POST", &format!("{{o}}/sessions/{id}/messages"), body.clone()).await.0, 200);
    let said = devin.twin.read(|state| state.session(&id).unwrap().messages.last().unwrap().clone());
    assert_eq!(said.as_user.unwrap().as_str(), ADA_AT_DEVIN);
    devin.revoke("ImpersonateOrgSessions");
    assert_eq!(create(ADA_AT_DEVIN).await.1["detail"], "Missing permission ImpersonateOrgSessions");
    assert_eq!(devin.ask("POST", &format!("{{o}}/sessions/{id}/messages"), body).await.0, 403);
}

#[tokio::test]
async fn cursors_go_forward_and_come_from_the_server_only() {
    let devin = devin();
    let id = devin.create("first").await;
    devin.twin.say(&id, "second").unwrap();
    let last = devin.twin.say(&id, "third").unwrap();
    let path = format!("{{o}}/sessions/{id}/messages?first=2");
    let page = devin.get(&path).await;
    let cursor = page["end_cursor"].as_str().unwrap().to_owned();
    assert_eq!((&page["has_next_page"], &page["items"][0]["source"]), (&json!(true), &json!("user")));
    let rest = devin.get(&format!("{path}&after={cursor}")).await;
    assert_eq!((&rest["items"][0]["event_id"], &rest["end_cursor"]), (&json!(last), &Value::Null));
    devin.twin.say(&id, "fourth").unwrap();
    let again = devin.get(&format!("{path}&after={cursor}")).await;
    assert_eq!(again["items"].as_array().unwrap().len(), 2, "an old cursor still goes on from its place");
    assert_eq!(devin.ask("GET", &format!("{path}&after={last}"), Value::Null).await.0, 422);
    assert_eq!(devin.ask("GET", &format!("{{o}}/sessions?after={cursor}"), Value::Null).await.0, 422);
    assert_eq!(devin.ask("GET", "{o}/sessions?first=201", Value::Null).await.0, 422);
}

#[tokio::test]
async fn the_list_filters_and_may_lag_behind() {
    let devin = devin();
    devin.twin.change(|state| state.list_lag = Duration::from_secs(30));
    let id = devin.create("x").await;
    let found = |body: Value| body["items"].as_array().unwrap().len();
    assert_eq!(found(devin.get("{o}/sessions").await), 0);
    assert_eq!(devin.status(&id).await.0, "new", "get does not lag");
    devin.advance(31);
    assert_eq!(found(devin.get("{o}/sessions?tags=t&tags=other").await), 1, "any of the tags");
    devin.twin.change(|state| state.tag_filter = TagFilter::All);
    assert_eq!(found(devin.get("{o}/sessions?tags=t&tags=other").await), 0);
    let ids = format!("{{o}}/sessions?session_ids={}&session_ids=none", id.prefixed());
    assert_eq!(found(devin.get(&ids).await), 1);
    let updated = devin.twin.read(|state| state.session(&id).unwrap().updated_at.as_second());
    assert_eq!(found(devin.get(&format!("{{o}}/sessions?updated_after={updated}")).await), 0, "bounds are excluded");
    assert_eq!(found(devin.get(&format!("{{o}}/sessions?updated_after={}", updated - 1)).await), 1);
}

#[tokio::test]
async fn a_message_wakes_a_sleeper_and_is_refused_at_the_end() {
    let devin = devin();
    let id = devin.create("x").await;
    devin.twin.set(&id, Status::Suspended, Some(Detail::Inactivity)).unwrap();
    let (status, body) = devin.send(&id, "wake up").await;
    assert_eq!((status, &body["status"]), (200, &json!("resuming")));
    devin.advance(3);
    assert_eq!(devin.status(&id).await, ("running".into(), Some("working".into())));
    let path = format!("{{o}}/sessions/{id}");
    let (_, archived) = devin.ask("POST", &format!("{path}/archive"), Value::Null).await;
    assert_eq!((&archived["status"], &archived["is_archived"]), (&json!("suspended"), &json!(true)));
    assert_eq!(devin.send(&id, "x").await.0, 400);
    assert_eq!(devin.ask("POST", &format!("{path}/unarchive"), Value::Null).await.0, 200);
    assert_eq!(devin.ask("DELETE", &path, Value::Null).await.1["status"], "exit");
    let (status, body) = devin.ask("DELETE", &path, Value::Null).await;
    assert_eq!((status, &body["detail"]), (400, &json!("Devin session already exited")));
    assert_eq!(devin.send(&id, "x").await.0, 400);
}

#[tokio::test]
async fn messages_move_updated_at_unless_told_otherwise() {
    let devin = devin();
    let id = devin.create("x").await;
    let updated = || devin.twin.read(|state| state.session(&id).unwrap().updated_at.as_second());
    let before = updated();
    devin.advance(10);
    devin.twin.change(|state| state.messages_move_updated_at = false);
    devin.twin.say(&id, "quiet").unwrap();
    assert_eq!(updated(), before);
    devin.twin.change(|state| state.messages_move_updated_at = true);
    devin.twin.say(&id, "loud").unwrap();
    assert!(updated() >= before + 10);
}

#[tokio::test]
async fn tags_are_appended_once_and_replaced() {
    let devin = devin();
    let path = format!("{{o}}/sessions/{}/tags", devin.create("x").await);
    assert_eq!(devin.ask("POST", &path, json!({ "tags": ["t", "u"] })).await.1, json!({ "tags": ["t", "u"] }));
    assert_eq!(devin.ask("PUT", &path, json!({ "tags": ["v"] })).await.1, json!({ "tags": ["v"] }));
    assert_eq!(devin.get(&path).await, json!({ "tags": ["v"] }));
    assert_eq!(devin.ask("PUT", &path, json!({ "tags": [1] })).await.0, 422);
}

#[tokio::test]
async fn people_are_found_by_their_exact_address_in_the_list_they_are_in() {
    let devin = devin();
    let find = |list: &'static str, email: &'static str| {
        let path = format!("/v3beta1/organizations/{ORG}/members/{list}?email={email}");
        let devin = &devin;
        async move { devin.get(&path).await["items"].as_array().unwrap().len() }
    };
    assert_eq!(find("users", "ada@acme.example").await, 1);
    assert_eq!(find("users", "Ada@acme.example").await, 0);
    assert_eq!(find("users", "grace@acme.example").await, 0);
    assert_eq!(find("idp-users", "grace@acme.example").await, 1);
}

#[tokio::test]
async fn an_upload_is_fetched_through_a_redirect() {
    let devin = devin();
    let form = "--b\r\ncontent-disposition: form-data; name=\"file\"; filename=\"a b.txt\"\r\ncontent-type: text/plain\r\n\r\nhello\r\n--b--\r\n";
    let request =
        |path: &str| Request::post(path.to_owned()).header(header::AUTHORIZATION, format!("Bearer {DEVIN_KEY}"));
    let upload = request(&format!("/v3/organizations/{ORG}/attachments"))
        .header(header::CONTENT_TYPE, "multipart/form-data; boundary=b")
        .body(Body::from(form))
        .unwrap();
    let (status, body) = read(devin.raw(upload).await).await;
    assert_eq!((status, &body["name"]), (200, &json!("a b.txt")));
    let url = body["url"].as_str().unwrap();
    let path = url.strip_prefix("http://devin.invalid").unwrap();
    let fetch =
        Request::get(path).header(header::AUTHORIZATION, format!("Bearer {DEVIN_KEY}")).body(Body::empty()).unwrap();
    let answer = devin.raw(fetch).await;
    assert_eq!(answer.status().as_u16(), 307);
    let to =
        answer.headers()[header::LOCATION].to_str().unwrap().strip_prefix("http://devin.invalid").unwrap().to_owned();
    let file = devin.raw(Request::get(to).body(Body::empty()).unwrap()).await;
    assert_eq!(file.into_body().collect().await.unwrap().to_bytes().as_ref(), b"hello");
    let (_, made) = devin.ask("POST", "{o}/sessions", json!({ "prompt": "x", "attachment_urls": [url] })).await;
    let id: SessionId = made["session_id"].as_str().unwrap().parse().unwrap();
    devin.twin.attach(&id, "shot.png", "image/png", b"png").unwrap();
    let files = devin.get(&format!("{{o}}/sessions/{id}/attachments")).await;
    assert_eq!((&files[0]["source"], &files[1]["source"]), (&json!("user"), &json!("devin")));
}

#[tokio::test]
async fn a_scripted_session_works_by_itself_until_it_is_done() {
    let devin = devin();
    devin.twin.script_new_sessions(true);
    let id = devin.create("Make the build faster").await;
    assert_eq!(devin.status(&id).await.0, "new");
    devin.advance(4);
    assert_eq!(devin.status(&id).await, ("running".into(), Some("working".into())));
    devin.advance(60);
    assert!(devin.twin.script_step());
    assert_eq!(devin.status(&id).await, ("running".into(), Some("finished".into())));
    let session = devin.twin.read(|state| state.session(&id).unwrap().clone());
    assert!(session.messages[1].message.contains("Make the build faster"));
    assert_eq!((session.pull_requests.len(), session.pull_requests[0].state.as_str()), (1, "open"));
    assert!(session.acus > 0.0);
}

#[tokio::test]
async fn a_script_waits_for_an_answer_and_ends_when_somebody_takes_over() {
    let devin = devin();
    devin.twin.script_new_sessions(true);
    for (prompt, status, detail) in [
        ("Shall we drop the cache?", "running", Some("waiting_for_user")),
        ("Deploy the new version", "running", Some("waiting_for_approval")),
        ("Sleep a little", "suspended", Some("inactivity")),
    ] {
        let id = devin.create(prompt).await;
        devin.advance(60);
        assert_eq!(devin.status(&id).await, (status.to_owned(), detail.map(str::to_owned)), "{prompt}");
        assert_eq!(devin.send(&id, "yes").await.0, 200);
        devin.advance(60);
        assert_eq!(devin.status(&id).await, ("running".into(), Some("finished".into())), "{prompt}");
    }
    let id = devin.create("Something long").await;
    devin.twin.set(&id, Status::Running, Some(Detail::Working)).unwrap();
    devin.advance(600);
    assert_eq!(devin.status(&id).await, ("running".into(), Some("working".into())));
}
