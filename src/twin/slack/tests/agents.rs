//! Agent sessions, titles and prompts; and the events of reactions, edits, deletes and shares that go with them.

use super::support::*;

#[tokio::test]
async fn an_agent_session_shows_its_state_and_its_stop_button_while_it_works() {
    let (twin, clock) = slack();
    let (place, ada) = (channel(BACKEND), user(ADA));
    let root = twin.say(&ada, &place, "hello", SayOptions::default()).unwrap();
    let reply =
        twin.say(&ada, &place, "more", SayOptions { thread: Some(root.clone()), ..SayOptions::default() }).unwrap();
    events(&twin);
    let set = |args: Value| call(&twin, "agents.sessions.setStatus", args);
    let with = |status: &str| json!({ "channel_id": BACKEND, "thread_ts": root, "status": status, "title": "Fix it" });
    let answer = set(with("processing")).await;
    assert_eq!((&answer["agent_status"], &answer["title"]), (&json!("processing"), &json!("Fix it")));
    for (args, code) in [
        (with("busy"), "invalid_status"),
        (json!({ "channel_id": BACKEND, "status": "active" }), "thread_ts_required"),
        (json!({ "channel_id": BACKEND, "thread_ts": reply, "status": "active" }), "thread_not_found"),
        (json!({ "channel_id": GENERAL, "thread_ts": root, "status": "active" }), "not_in_channel"),
        (
            json!({ "channel_id": BACKEND, "thread_ts": root, "status": "active", "initiator_user_id": STELLA }),
            "user_not_found",
        ),
        (json!({ "channel_id": BACKEND, "thread_ts": root, "status": "active", "username": "x" }), "missing_scope"),
        (
            json!({ "channel_id": BACKEND, "thread_ts": root, "status": "active", "title": "x".repeat(201) }),
            "invalid_name",
        ),
    ] {
        assert_eq!(set(args.clone()).await["error"], code, "{args}");
    }
    twin.stop_agent(&ada, &place, &root).unwrap();
    let event = events(&twin).remove(0);
    assert_eq!(
        (&event["event"]["type"], &event["event"]["thread_ts"]),
        (&json!("agent_session_stopped"), &json!(root))
    );
    clock.advance(3601);
    assert_eq!(twin.agent_session(&place, &root).unwrap().status, AgentStatus::Active, "lapsed");
    assert!(twin.stop_agent(&ada, &place, &root).is_err());
    let rename = |thread: &Ts, title: &str| {
        call(&twin, "agents.sessions.rename", json!({ "channel_id": BACKEND, "thread_ts": thread, "title": title }))
    };
    set(json!({ "channel_id": BACKEND, "thread_ts": root, "status": "closed", "title": "Ignored" })).await;
    assert_eq!(twin.agent_session(&place, &root).unwrap().title.as_deref(), Some("Fix it"), "on creation only");
    assert_eq!(rename(&root, "New").await["title"], "New");
    twin.change(|state| state.agent_sessions.clear());
    assert_eq!(rename(&root, "New").await["error"], "session_not_found");
    twin.change(|state| state.features.agents_refused = Some("feature_disabled".into()));
    assert_eq!(set(with("active")).await["error"], "feature_disabled");
}

#[tokio::test]
async fn prompts_belong_to_a_direct_conversation_and_titles_to_its_threads() {
    let (twin, _) = slack();
    let direct = channel("D0ADA");
    let root = twin.say(&user(ADA), &direct, "hello", SayOptions::default()).unwrap();
    let prompts = |more: Value| {
        let mut args =
            json!({ "channel_id": "D0ADA", "title": "Try", "prompts": [{ "title": "Fix", "message": "Fix it" }] });
        args.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        call(&twin, "assistant.threads.setSuggestedPrompts", args)
    };
    assert_eq!(prompts(json!({ "thread_ts": root })).await["ok"], true);
    assert_eq!(twin.prompts(&direct), None, "taken, and shown nowhere");
    assert_eq!(prompts(json!({})).await["ok"], true);
    assert_eq!(twin.prompts(&direct).unwrap().prompts, [("Fix".into(), "Fix it".into())]);
    let five = vec![json!({ "title": "a", "message": "b" }); 5];
    assert_eq!(prompts(json!({ "prompts": five })).await["error"], "invalid_arguments");
    assert_eq!(prompts(json!({ "channel_id": BACKEND })).await["error"], "channel_not_found");
    let title = |ts: &str| {
        call(&twin, "assistant.threads.setTitle", json!({ "channel_id": "D0ADA", "thread_ts": ts, "title": "Login" }))
    };
    assert_eq!(title("1.000001").await["error"], "invalid_thread_ts");
    assert_eq!(title(root.as_str()).await["ok"], true);
    assert_eq!(twin.title(&direct, &root).as_deref(), Some("Login"));
    twin.change(|state| state.features.agent_view = false);
    assert_eq!(prompts(json!({})).await["error"], "not_agent_app");
}

#[test]
fn reactions_edits_and_broadcasts_are_told_as_the_real_one_tells_them() {
    let (twin, _) = slack();
    let (place, ada, grace) = (channel(BACKEND), user(ADA), user(GRACE));
    let root = twin.say(&ada, &place, "root", SayOptions::default()).unwrap();
    events(&twin);
    twin.react(&grace, &place, &root, "x").unwrap();
    twin.unreact(&grace, &place, &root, "x").unwrap();
    assert!(twin.unreact(&grace, &place, &root, "x").is_err());
    let found = events(&twin);
    assert_eq!(kinds(&found), ["reaction_added", "reaction_removed"]);
    assert_eq!((&found[1]["event"]["item_user"], &found[1]["event"]["item"]["ts"]), (&json!(ADA), &json!(root)));
    twin.edit(&ada, &place, &root, "root").unwrap();
    assert!(events(&twin).is_empty(), "nothing was changed");
    twin.unfurl(&place, &root).unwrap();
    let event = &events(&twin)[0]["event"];
    assert_eq!((&event["message"]["text"], &event["message"]["edited"]), (&json!("root"), &Value::Null));
    let wide = SayOptions { thread: Some(root.clone()), broadcast: true, ..SayOptions::default() };
    twin.say(&grace, &place, "all of you", wide).unwrap();
    let found = events(&twin);
    assert_eq!(kinds(&found), ["message/thread_broadcast", "message/message_changed"]);
    assert_eq!((&found[0]["event"]["root"]["text"], &found[0]["event"]["thread_ts"]), (&json!("root"), &json!(root)));
}

#[test]
fn a_parent_with_replies_leaves_a_placeholder_that_goes_with_the_last_of_them() {
    let (twin, _) = slack();
    let (place, ada) = (channel(BACKEND), user(ADA));
    let root = twin.say(&ada, &place, "root", SayOptions::default()).unwrap();
    let reply = SayOptions { thread: Some(root.clone()), ..SayOptions::default() };
    let reply = twin.say(&ada, &place, "reply", reply).unwrap();
    events(&twin);
    twin.delete(&ada, &place, &root).unwrap();
    let found = events(&twin);
    assert_eq!(kinds(&found), ["message/message_changed"]);
    let event = &found[0]["event"];
    assert_eq!(
        (&event["message"]["subtype"], &event["previous_message"]["text"]),
        (&json!("tombstone"), &json!("root"))
    );
    twin.delete(&ada, &place, &reply).unwrap();
    let found = events(&twin);
    assert_eq!(kinds(&found), ["message/message_deleted", "message/message_deleted"]);
    assert_eq!(found[0]["event"]["previous_message"]["thread_ts"], json!(root));
    assert_eq!(
        (&found[1]["event"]["deleted_ts"], &found[1]["event"]["previous_message"]["subtype"]),
        (&json!(root), &json!("tombstone"))
    );
}

#[test]
fn files_and_snippets_come_in_one_message() {
    let (twin, _) = slack();
    let file =
        |name: &str| NewFile { name: name.into(), mimetype: "text/plain".into(), bytes: b"a\nb\nc\nd\ne\nf".to_vec() };
    let options = SayOptions {
        files: vec![file("one.txt"), file("two.txt")],
        snippets: vec![file("log.rs")],
        ..SayOptions::default()
    };
    twin.say(&user(ADA), &channel(BACKEND), "look", options).unwrap();
    let files = events(&twin)[0]["event"]["files"].clone();
    assert_eq!(
        (&files[0]["mode"], &files[1]["name"], &files[2]["mode"]),
        (&json!("hosted"), &json!("two.txt"), &json!("snippet"))
    );
    assert_eq!((&files[2]["preview"], &files[2]["lines_more"]), (&json!("a\nb\nc\nd\ne"), &json!(1)));
}

#[test]
fn an_app_hears_only_what_it_is_subscribed_to() {
    let (twin, _) = slack();
    twin.change(|state| state.features.subscribed = Some(["message.im".to_owned()].into()));
    twin.say(&user(ADA), &channel(BACKEND), &format!("<@{BOT_USER}>"), SayOptions::default()).unwrap();
    twin.say(&user(ADA), &channel("D0ADA"), "hello", SayOptions::default()).unwrap();
    assert_eq!(kinds(&events(&twin)), ["message"]);
}
