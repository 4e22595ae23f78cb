//! What the Web API answers.

use super::support::*;

#[tokio::test]
async fn a_post_is_read_back_with_as_much_metadata_as_was_asked_for() {
    let (twin, _) = slack();
    let metadata = json!({ "event_type": "bobbin_card", "event_payload": { "key": "k" } });
    let root = post(&twin, json!({ "channel": BACKEND, "text": "root", "metadata": metadata })).await;
    post(&twin, json!({ "channel": BACKEND, "text": "reply", "thread_ts": root })).await;
    let args = json!({ "channel": BACKEND, "ts": root });
    let answer = call(&twin, "conversations.replies", args).await;
    assert_eq!(answer["messages"][0]["metadata"], json!({ "event_type": "bobbin_card" }));
    assert_eq!(answer["messages"][0]["reply_count"], 1);
    assert_eq!(answer["messages"][1]["parent_user_id"], BOT_USER);
    let args = json!({ "channel": BACKEND, "ts": root, "include_all_metadata": true });
    let answer = call(&twin, "conversations.replies", args).await;
    assert_eq!(answer["messages"][0]["metadata"], metadata);
}

#[tokio::test]
async fn refusals_carry_the_documented_codes() {
    let (twin, _) = slack();
    let ada = twin.say(&user(ADA), &channel(BACKEND), "mine", SayOptions::default()).unwrap();
    let big = json!({ "event_type": "t", "event_payload": { "key": "k".repeat(17_000) } });
    let nested = json!({ "event_type": "t", "event_payload": { "key": [1] } });
    let section = |text: &str| json!([{ "type": "section", "text": { "type": "mrkdwn", "text": text } }]);
    let many: Vec<Value> = (0..4).map(|_| section(&"x".repeat(2900))[0].clone()).collect();
    for (method, args, code) in [
        ("chat.postMessage", json!({ "channel": "C0NOWHERE", "text": "x" }), "channel_not_found"),
        ("chat.postMessage", json!({ "channel": GENERAL, "text": "x" }), "not_in_channel"),
        ("chat.postMessage", json!({ "channel": ATTIC, "text": "x" }), "is_archived"),
        ("chat.postMessage", json!({ "channel": BACKEND }), "no_text"),
        ("chat.postMessage", json!({ "channel": BACKEND, "blocks": section("") }), "invalid_blocks"),
        ("chat.postMessage", json!({ "channel": BACKEND, "blocks": "[{" }), "invalid_blocks_format"),
        ("chat.postMessage", json!({ "channel": BACKEND, "blocks": many }), "msg_blocks_too_long"),
        ("chat.postMessage", json!({ "channel": BACKEND, "text": "x", "metadata": big }), "metadata_too_large"),
        ("chat.postMessage", json!({ "channel": BACKEND, "text": "x", "metadata": nested }), "invalid_metadata_schema"),
        ("chat.postMessage", json!({ "channel": BACKEND, "text": "x", "metadata": "[]" }), "invalid_metadata_format"),
        ("chat.postMessage", json!({ "channel": BACKEND, "text": "x", "thread_ts": "1.000001" }), "thread_not_found"),
        ("chat.update", json!({ "channel": BACKEND, "ts": ada, "text": "x" }), "cant_update_message"),
        ("chat.update", json!({ "channel": BACKEND, "ts": "1.000001", "text": "x" }), "message_not_found"),
        ("chat.delete", json!({ "channel": BACKEND, "ts": ada }), "cant_delete_message"),
        ("chat.postEphemeral", json!({ "channel": BACKEND, "user": STELLA, "text": "x" }), "user_not_in_channel"),
        ("reactions.remove", json!({ "channel": BACKEND, "timestamp": ada, "name": "eyes" }), "no_reaction"),
        ("reactions.add", json!({ "channel": BACKEND, "timestamp": ada, "name": ":eyes:" }), "invalid_name"),
        ("conversations.replies", json!({ "channel": BACKEND, "ts": "1.000001" }), "thread_not_found"),
        ("users.info", json!({ "user": "U0NOBODY" }), "user_not_found"),
        ("users.lookupByEmail", json!({ "email": "dana@acme.example" }), "users_not_found"),
        ("views.open", json!({ "trigger_id": "x", "view": { "type": "home", "blocks": [] } }), "invalid_arguments"),
        ("views.update", json!({ "view_id": "V0", "view": { "type": "home", "blocks": [] } }), "not_found"),
        ("chat.meMessage", json!({}), "unknown_method"),
    ] {
        let answer = call(&twin, method, args.clone()).await;
        assert_eq!((&answer["ok"], &answer["error"]), (&json!(false), &json!(code)), "{method} {args}");
    }
}

#[tokio::test]
async fn long_text_is_cut_in_a_post_and_refused_in_an_update() {
    let (twin, _) = slack();
    let answer = call(&twin, "chat.postMessage", json!({ "channel": BACKEND, "text": "é".repeat(40_001) })).await;
    assert_eq!(answer["warning"], "message_truncated");
    assert_eq!(answer["message"]["text"].as_str().unwrap().chars().count(), 40_000);
    let args = json!({ "channel": BACKEND, "ts": answer["ts"], "text": "é".repeat(4_001) });
    assert_eq!(call(&twin, "chat.update", args).await["error"], "msg_too_long");
}

#[tokio::test]
async fn an_update_keeps_metadata_and_drops_blocks_that_are_not_given_again() {
    let (twin, _) = slack();
    let metadata = json!({ "event_type": "t", "event_payload": { "key": "k" } });
    let blocks = json!([{ "type": "divider" }]);
    let ts = post(&twin, json!({ "channel": BACKEND, "text": "a", "blocks": blocks, "metadata": metadata })).await;
    call(&twin, "chat.update", json!({ "channel": BACKEND, "ts": ts, "text": "b" })).await;
    let message = twin.read(|state| state.message(&channel(BACKEND), &ts).cloned()).unwrap();
    assert_eq!((message.text.as_str(), message.blocks.len()), ("b", 0));
    assert_eq!(message.metadata, Some(metadata));
    call(&twin, "chat.update", json!({ "channel": BACKEND, "ts": ts, "text": "b", "metadata": {} })).await;
    assert_eq!(twin.read(|state| state.message(&channel(BACKEND), &ts).unwrap().metadata.clone()), None);
}

#[tokio::test]
async fn the_parent_comes_first_on_every_page_and_foreign_cursors_are_refused() {
    let (twin, _) = slack();
    let root = post(&twin, json!({ "channel": BACKEND, "text": "root" })).await;
    for n in 0..3 {
        post(&twin, json!({ "channel": BACKEND, "text": n.to_string(), "thread_ts": root })).await;
    }
    let page = |cursor: Value| {
        call(&twin, "conversations.replies", {
            json!({ "channel": BACKEND, "ts": root, "limit": 3, "cursor": cursor })
        })
    };
    let texts = |answer: &Value| -> Vec<String> {
        answer["messages"].as_array().unwrap().iter().map(|m| m["text"].as_str().unwrap().to_owned()).collect()
    };
    let first = page(json!("")).await;
    assert_eq!((texts(&first), &first["has_more"]), (vec!["root".into(), "0".into(), "1".into()], &json!(true)));
    let second = page(first["response_metadata"]["next_cursor"].clone()).await;
    assert_eq!(texts(&second), ["root", "2"]);
    assert_eq!(second["response_metadata"]["next_cursor"], "");
    assert_eq!(page(json!("dXNlcjpVMDYx")).await["error"], "invalid_cursor");
}

#[tokio::test]
async fn scopes_decide_what_is_seen() {
    let (twin, _) = slack();
    assert_eq!(call(&twin, "users.info", json!({ "user": ADA })).await["user"]["profile"]["email"], "ada@acme.example");
    twin.add_token(BOT_TOKEN, &["users:read"]);
    let ada = call(&twin, "users.info", json!({ "user": ADA })).await;
    assert_eq!((&ada["ok"], &ada["user"]["profile"]["email"]), (&json!(true), &Value::Null));
    let refused = call(&twin, "chat.postMessage", json!({ "channel": BACKEND, "text": "x" })).await;
    assert_eq!(refused["error"], "missing_scope");
    assert_eq!((&refused["needed"], &refused["provided"]), (&json!("chat:write"), &json!("users:read")));
}

#[tokio::test]
async fn a_json_body_is_not_read_by_methods_that_want_a_form() {
    let (twin, _) = slack();
    let body = json!({ "user": ADA }).to_string();
    let answer = raw(&twin, posted("/api/users.info", "application/json", body)).await;
    let answer: Value = serde_json::from_str(&text(answer).await).unwrap();
    assert_eq!(answer["error"], "invalid_arguments");
    let body = json!({ "channel": BACKEND, "text": 5, "blocks": true }).to_string();
    let answer = raw(&twin, posted("/api/chat.postMessage", "application/json", body)).await;
    let answer: Value = serde_json::from_str(&text(answer).await).unwrap();
    assert_eq!((&answer["error"], &answer["warning"]), (&json!("invalid_blocks_format"), &json!("missing_charset")));
}

#[tokio::test]
async fn faults_say_whether_the_request_took_effect() {
    let (twin, _) = slack();
    let say = |words: &str| {
        let body = json!({ "channel": BACKEND, "text": words }).to_string();
        raw(&twin, posted("/api/chat.postMessage", "application/json", body))
    };
    let faults = twin.faults();
    faults.once("chat.postMessage", FaultAction::DropBefore);
    faults.once("chat.*", FaultAction::DropAfter);
    faults.once("*", FaultAction::RateLimited { after: Some(7) });
    faults.once("*", FaultAction::OkFalse("fatal_error".into()));
    faults.once("*", FaultAction::Delay(Duration::from_millis(1)));
    assert_eq!(say("one").await.extensions().get::<Hangup>(), Some(&Hangup));
    assert_eq!(say("two").await.extensions().get::<Hangup>(), Some(&Hangup));
    let limited = say("three").await;
    assert_eq!(
        (limited.status(), &limited.headers()[header::RETRY_AFTER]),
        (StatusCode::TOO_MANY_REQUESTS, &"7".parse().unwrap())
    );
    let refused = say("four").await;
    assert_eq!(refused.status(), StatusCode::OK);
    assert_eq!(text(refused).await, r#"{"error":"fatal_error","ok":false}"#);
    assert_eq!(say("five").await.status(), StatusCode::OK);
    let texts = twin
        .read(|state| state.channels[&channel(BACKEND)].messages.iter().map(|m| m.text.clone()).collect::<Vec<_>>());
    assert_eq!(texts, ["two", "five"]);
    assert_eq!(twin.calls("chat.postMessage"), 5);
}

#[tokio::test]
async fn files_want_the_token_and_otherwise_show_a_login_page() {
    let (twin, _) = slack();
    let file = NewFile { name: "log 1.txt".into(), mimetype: "text/plain".into(), bytes: b"boom".to_vec() };
    let options = SayOptions { files: vec![file], ..SayOptions::default() };
    twin.say(&user(ADA), &channel(BACKEND), "see", options).unwrap();
    let event = events(&twin).remove(0);
    assert_eq!(event["event"]["subtype"], "file_share");
    let url = event["event"]["files"][0]["url_private"].as_str().unwrap();
    let path = url.strip_prefix("http://slack.invalid").unwrap();
    let good = posted(path, "", String::new()).headers().get(header::AUTHORIZATION).cloned().unwrap();
    let request = Request::get(path).header(header::AUTHORIZATION, good).body(Body::empty()).unwrap();
    assert_eq!(text(raw(&twin, request).await).await, "boom");
    let answer = raw(&twin, Request::get(path).body(Body::empty()).unwrap()).await;
    assert_eq!(answer.status(), StatusCode::OK);
    assert!(answer.headers()[header::CONTENT_TYPE].to_str().unwrap().starts_with("text/html"));
}
