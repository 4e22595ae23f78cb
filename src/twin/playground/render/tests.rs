//! What people see, and what hostile text cannot do.

use serde_json::json;

use super::*;

fn dir() -> Directory {
    Directory {
        users: BTreeMap::from([("U1".to_owned(), "Ada".to_owned()), ("U2".to_owned(), "Linus <b>".to_owned())]),
        channels: BTreeMap::from([("C1".to_owned(), "builds".to_owned())]),
        sessions: BTreeSet::from(["abc".to_owned()]),
        viewer: "U1".to_owned(),
        query: "channel=C1".to_owned(),
        host: String::new(),
    }
}

fn place() -> Place<'static> {
    Place { spot: Spot::Message { channel: "C1", ts: "1.2" }, keep: "", prefix: "m" }
}

#[test]
fn emphasis_needs_boundaries() {
    let html = mrkdwn(&dir(), "*bold* _it_ ~no~ `a*b*` 2*3*4 snake_case_name *_both_*");
    assert_eq!(
        html,
        "<strong>bold</strong> <em>it</em> <del>no</del> <code>a*b*</code> 2*3*4 snake_case_name \
         <strong><em>both</em></strong>"
    );
}

#[test]
fn marks_inside_links_and_code_do_not_close() {
    assert_eq!(
        mrkdwn(&dir(), "_see <https://x.test/a_b|here> now_"),
        r#"<em>see <a href="https://x.test/a_b" target="_blank" rel="noopener noreferrer">here</a> now</em>"#
    );
    assert_eq!(mrkdwn(&dir(), "*open"), "*open");
    assert_eq!(mrkdwn(&dir(), "* not a b*"), "* not a b*");
}

#[test]
fn mentions_have_names_and_the_viewer_stands_out() {
    assert_eq!(
        mrkdwn(&dir(), "<@U1> <@U2> <#C1> <!here> <@U9>"),
        "<span class=\"mention mention-me\">@Ada</span> <span class=\"mention\">@Linus &lt;b&gt;</span> \
         <span class=\"mention\">#builds</span> <span class=\"mention mention-me\">@here</span> \
         <span class=\"mention\">@U9</span>"
    );
}

#[test]
fn fences_and_quotes() {
    assert_eq!(
        mrkdwn(&dir(), "so:\n```\nlet a = &lt;b&gt;;\n```\n&gt; one\n&gt; two\nend"),
        "so:<pre>let a = &lt;b&gt;;</pre><blockquote>one<br>two</blockquote>end"
    );
}

#[test]
fn entities_are_shown_once() {
    assert_eq!(mrkdwn(&dir(), "a &amp;lt; b &lt;i&gt;"), "a &amp;lt; b &lt;i&gt;");
}

#[test]
fn emoji_and_dates() {
    assert_eq!(
        mrkdwn(&dir(), ":eyes: 10:30:00 :nope:"),
        "<span class=\"emoji\" data-name=\"eyes\" title=\":eyes:\">👀</span> 10:30:00 :nope:"
    );
    assert_eq!(mrkdwn(&dir(), "<!date^0^{date_num} at {time}|then>"), "1970-01-01 at 00:00");
    assert_eq!(mrkdwn(&dir(), "<!date^soon^{time}|then &lt;x>"), "then &lt;x");
    assert!(plain(":lock: a:b").ends_with(">🔒</span> a:b"));
}

#[test]
fn hostile_text_stays_text() {
    for text in [
        "<script>alert(1)</script>",
        "<javascript:alert(1)|click>",
        "<data:text/html,x|click>",
        "<@U1|\"><img src=x onerror=alert(1)>",
        "```<script>```",
        "<https://x.test/\" onmouseover=\"alert(1)|x>",
        "<!date^x^{time}|<script>>",
    ] {
        for html in [mrkdwn(&dir(), text), markdown(&dir(), text), plain(text)] {
            assert!(!html.contains("<script"), "{html}");
            assert!(!html.contains("<img"), "{html}");
            assert!(!html.contains("javascript:alert(1)\""), "{html}");
            assert!(!html.contains("\" onmouseover=\""), "{html}");
        }
    }
    assert!(!markdown(&dir(), "[x](javascript:alert(1))").contains("href"));
    assert!(!mrkdwn(&dir(), &"*a ".repeat(2_000)).is_empty());
}

#[test]
fn a_known_session_opens_on_the_page() {
    let dir = dir();
    assert_eq!(
        dir.href("https://app.devin.ai/sessions/abc").as_deref(),
        Some("/playground?channel=C1&session=abc&pane=devin")
    );
    assert_eq!(dir.href("https://app.devin.ai/sessions/other").as_deref(), Some("https://app.devin.ai/sessions/other"));
    assert_eq!(dir.href("ftp://x.test/"), None);
    let dir = Directory { host: "acme.slack.com".to_owned(), ..dir };
    assert_eq!(
        dir.href("https://acme.slack.com/archives/C2/p1700000000000100").as_deref(),
        Some("/playground?channel=C2&thread=1700000000.000100&as=U1&pane=thread")
    );
    assert_eq!(
        dir.href("https://acme.slack.com/archives/C2/p1700000000000200?thread_ts=1700000000.000100&cid=C2").as_deref(),
        Some("/playground?channel=C2&thread=1700000000.000100&as=U1&pane=thread")
    );
    assert_eq!(dir.href("https://x.slack.com/archives/C2/p17").as_deref(), Some("https://x.slack.com/archives/C2/p17"));
}

#[test]
fn markdown_subset() {
    let html = markdown(
        &dir(),
        "# Plan\nFirst **line**\nsecond\n\n- one\n- two `x`\n1. a\n2. b\n\n> quote\n\n| a | b |\n|---|---|\n| 1 | **2** |\n```rust\nfn a() {}\n```\n[pr](https://x.test/1)",
    );
    assert_eq!(
        html,
        "<p class=\"md-h md-h1\">Plan</p><p>First <strong>line</strong><br>second</p>\
         <ul><li class=\"indent-0\">one</li><li class=\"indent-0\">two <code>x</code></li></ul>\
         <ol><li class=\"indent-0\">a</li><li class=\"indent-0\">b</li></ol><blockquote>quote</blockquote>\
         <div class=\"table-wrap\"><table><tr><th>a</th><th>b</th></tr><tr><td>1</td><td><strong>2</strong></td></tr></table></div>\
         <pre>fn a() {}</pre>\
         <p><a href=\"https://x.test/1\" target=\"_blank\" rel=\"noopener noreferrer\">pr</a></p>"
    );
}

#[test]
fn a_card_with_buttons() {
    let card = json!([
        {"type": "header", "text": {"type": "plain_text", "text": "Fix :eyes:"}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "*a*"}, "fields": [{"type": "mrkdwn", "text": "f"}]},
        {"type": "divider"},
        {"type": "actions", "block_id": "b\"1", "elements": [
            {"type": "button", "action_id": "stop", "style": "danger", "value": "v", "text": {"type": "plain_text", "text": "Stop"}},
            {"type": "button", "action_id": "open", "url": "https://app.devin.ai/sessions/abc", "text": {"type": "plain_text", "text": "Open"}},
        ]},
        {"type": "context", "elements": [{"type": "mrkdwn", "text": "by <@U1>"}]},
        {"type": "hologram"},
    ]);
    let html = blocks(&dir(), place(), card.as_array().unwrap());
    assert!(
        html.contains(r#"<p class="bk-header">Fix <span class="emoji" data-name="eyes" title=":eyes:">👀</span></p>"#),
        "{html}"
    );
    assert!(html.contains(r#"<button class="btn btn-danger">Stop</button>"#), "{html}");
    assert!(html.contains(r#"name="block" value="b&quot;1""#), "{html}");
    assert!(html.contains(r#"href="/playground?channel=C1&amp;session=abc&amp;pane=devin" data-press"#), "{html}");
    assert!(html.contains("A block this page cannot draw: hologram"), "{html}");
}

#[test]
fn inert_buttons_send_nothing() {
    let list = json!([{"type": "actions", "elements": [
        {"type": "button", "action_id": "stop", "text": {"type": "plain_text", "text": "Stop"}}]}]);
    let html = blocks(&dir(), Place { spot: Spot::Nowhere, ..place() }, list.as_array().unwrap());
    assert!(html.contains("disabled") && !html.contains("<form"), "{html}");
}

#[test]
fn tables_selects_menus_and_feedback_are_drawn() {
    let plain = |text: &str| json!({"type": "plain_text", "text": text});
    let option = json!({"text": plain("main"), "value": "m\"1"});
    let list = json!([
        {"type": "table", "column_settings": [{}, {"align": "right"}], "rows": [
            [{"type": "raw_text", "text": "<Test>"}, {"type": "raw_text", "text": "Runs"}],
            [{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": "a"}]}]},
             {"type": "raw_text", "text": "9"}]]},
        {"type": "actions", "block_id": "b", "elements": [
            {"type": "static_select", "action_id": "s", "placeholder": plain("Branch"), "options": [option], "initial_option": option},
            {"type": "overflow", "action_id": "o", "options": [option]}]},
        {"type": "context_actions", "block_id": "c", "elements": [{"type": "feedback_buttons", "action_id": "f",
            "positive_button": {"text": plain("Good"), "value": "g"}, "negative_button": {"text": plain("Bad"), "value": "b"}}]},
    ]);
    let html = blocks(&dir(), place(), list.as_array().unwrap());
    for wanted in [
        "<tr><th>&lt;Test&gt;</th><th class=\"to-right\">Runs</th></tr><tr><td><div>a</div></td><td class=\"to-right\">9</td></tr>",
        "<option value=\"m&quot;1\" selected>main</option></select><button class=\"btn btn-small choose\">Choose</button>",
        "popovertarget=\"m-b-o-more\"",
        "<input type=\"hidden\" name=\"chosen\" value=\"g\">",
    ] {
        assert!(html.contains(wanted), "{wanted}: {html}");
    }
}

#[test]
fn rich_text_keeps_its_structure() {
    let list = json!([{"type": "rich_text", "elements": [
        {"type": "rich_text_section", "elements": [
            {"type": "user", "user_id": "U1"}, {"type": "text", "text": " <x>", "style": {"bold": true, "code": true}},
            {"type": "link", "url": "javascript:alert(1)", "text": "no"}]},
        {"type": "rich_text_list", "style": "ordered", "elements": [
            {"type": "rich_text_section", "elements": [{"type": "emoji", "name": "tada"}]}]},
    ]}]);
    assert_eq!(
        blocks(&dir(), place(), list.as_array().unwrap()),
        "<div class=\"bk-rich\"><div><span class=\"mention mention-me\">@Ada</span>\
         <strong><code> &lt;x&gt;</code></strong>no</div><ol><li class=\"indent-0\"><span class=\"emoji\" data-name=\"tada\" title=\":tada:\">🎉</span></li></ol></div>"
    );
}
