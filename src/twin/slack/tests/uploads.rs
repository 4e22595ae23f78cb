//! Files that the app sends.

use super::support::*;

/// Announces a file; its address and its id.
async fn announced(twin: &Arc<SlackTwin>, length: usize) -> (String, String) {
    let args = json!({ "filename": "a.md", "length": length.to_string() });
    let answer = call(twin, "files.getUploadURLExternal", args).await;
    let path = answer["upload_url"].as_str().unwrap().split_once("/upload/").unwrap().1.to_owned();
    (format!("/upload/{path}"), answer["file_id"].as_str().unwrap().to_owned())
}

async fn sent(twin: &Arc<SlackTwin>, path: &str, body: &str) -> StatusCode {
    raw(twin, Request::post(path).body(Body::from(body.to_owned())).unwrap()).await.status()
}

#[tokio::test]
async fn a_file_is_announced_sent_and_shown_once() {
    let (twin, _) = slack();
    let root = post(&twin, json!({ "channel": BACKEND, "text": "root" })).await;
    let (path, file) = announced(&twin, 5).await;
    let section = json!({ "type": "rich_text_section", "elements": [{ "type": "text", "text": "Here:" }] });
    let blocks = json!([{ "type": "rich_text", "block_id": "mark", "elements": [section] }]);
    let args =
        json!({ "files": [{ "id": file, "title": "A" }], "channel_id": BACKEND, "thread_ts": root, "blocks": blocks });
    let early = call(&twin, "files.completeUploadExternal", args.clone()).await;
    assert_eq!(early["error"], "file_not_found", "nothing was sent yet");
    assert_eq!(sent(&twin, &path, "hell").await, StatusCode::BAD_REQUEST, "another length than announced");
    assert_eq!(sent(&twin, &path, "hello").await, StatusCode::OK);
    assert_eq!(sent(&twin, &path, "again").await, StatusCode::NOT_FOUND);
    let shown = call(&twin, "files.completeUploadExternal", args.clone()).await;
    assert_eq!((&shown["ok"], &shown["files"][0]["id"]), (&json!(true), &json!(file)));
    assert_eq!(call(&twin, "files.completeUploadExternal", args).await["error"], "file_not_found", "shared already");
    let thread = call(&twin, "conversations.replies", json!({ "channel": BACKEND, "ts": root })).await;
    let message = &thread["messages"][1];
    assert_eq!((&message["subtype"], &message["blocks"][0]["block_id"]), (&json!("file_share"), &json!("mark")));
    assert_eq!(message["files"][0]["size"], 5);
}

#[tokio::test]
async fn what_the_real_one_does_not_show_is_refused() {
    let (twin, _) = slack();
    let (path, file) = announced(&twin, 5).await;
    assert_eq!(sent(&twin, &path, "hello").await, StatusCode::OK);
    let markdown = json!([{ "type": "markdown", "text": "Here:" }]);
    for (change, code) in [
        (json!({ "channel_id": GENERAL }), "not_in_channel"),
        (json!({ "channel_id": ATTIC }), "is_archived"),
        (json!({ "thread_ts": "1.000001" }), "thread_not_found"),
        (json!({ "blocks": markdown }), "internal_error"),
        (json!({ "blocks": [{ "type": "section" }] }), "invalid_blocks"),
        (json!({ "files": [] }), "invalid_arguments"),
    ] {
        let mut args = json!({ "files": [{ "id": file }], "channel_id": BACKEND });
        args.as_object_mut().unwrap().extend(change.as_object().unwrap().clone());
        assert_eq!(call(&twin, "files.completeUploadExternal", args).await["error"], code, "{change}");
    }
    for length in ["0", "many"] {
        let args = json!({ "filename": "a.md", "length": length });
        assert_eq!(call(&twin, "files.getUploadURLExternal", args).await["error"], "invalid_arguments");
    }
}
