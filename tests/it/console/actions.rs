//! What operators do in the console: saying who somebody is, dead letters, pausing; each by a form of their own session,
//! on the record, and for nobody without one.

use std::time::Duration;

use axum::{
    extract::Request,
    http::{StatusCode, header},
};
use bobbin::{
    clock::Clock as _,
    domain::{ids::InputId, mailbox::Mailbox},
    people::FAILING,
    store::{Admit, Change, Commit, Door, Input, Offer, Turn},
    twin::world::{ADA, GRACE_AT_DEVIN, LINUS, TEAM},
};

use super::{Browser, Desk, OURS, Shown};
use crate::support::world::id;

const PAGES: [&str; 6] =
    ["/console", "/console/sessions", "/console/people", "/console/dead", "/console/installs", "/console/log"];
const NO_ACCOUNT: &str = r#"{"v":1,"standing":{"is":"refused","why":"no_account"},"times":3}"#;

impl Desk {
    /// Somebody asked, and could not be linked.
    async fn failed(&self, user: &str, seen: &str) {
        let row = Change::put(FAILING, &format!("person:{TEAM}/{user}"), seen.to_owned());
        self.store.register(&[row]).await.unwrap();
    }

    /// Something that could not be handled, and was set aside.
    async fn buried(&self, says: &str) -> InputId {
        let body = format!(r#"{{"event":{{"type":"message","text":"{says}"}}}}"#);
        let input = Input::received(self.clock.now(), Door::Events, body.into_bytes());
        let mailbox = Mailbox::Person { team: id(TEAM), user: id(ADA) };
        let offer = Offer { mailbox, input: input.clone(), seen: vec![says.to_owned()], admit: Admit::Always };
        self.store.accept(&offer).await.unwrap();
        let Turn::Taken(leased) = self.store.lease(Duration::from_mins(1)).await.unwrap() else { panic!("it waits") };
        self.store.bury(&leased.lease, "not done within a day", &Commit::default()).await.unwrap();
        input.id
    }

    /// What is shown at the machine itself.
    async fn here(&self, path: &str) -> Shown {
        self.send(&mut Browser::default(), Request::get(path).header(header::HOST, "localhost"), String::new()).await
    }
}

#[tokio::test]
async fn without_sign_in_everything_can_be_read_nothing_done_and_the_page_says_why() {
    let desk = Desk::with(&[("BOBBIN_ADMINS", ""), ("BOBBIN_PUBLIC_URL", "http://127.0.0.1:3000")]).await;
    desk.failed(LINUS, NO_ACCOUNT).await;
    let letter = desk.buried("the secret plan").await;
    for path in PAGES.into_iter().map(str::to_owned).chain([format!("/console/dead/{letter}")]) {
        let shown = desk.here(&path).await;
        assert_eq!(shown.status, StatusCode::OK, "{path}");
        assert!(shown.text.contains("No sign-in is set up"), "{path}");
        assert!(!shown.text.contains("method=\"post\"") && !shown.text.contains("secret"), "{path}: {}", shown.text);
    }
    let people = desk.here("/console/people").await.text;
    assert!(people.contains("T0ACME/U0LINUS") && people.contains("nobody in the Devin organisation"), "{people}");
    assert!(people.contains("name them in <code>BOBBIN_ADMINS</code>"), "{people}");
    assert!(desk.here("/console/dead").await.text.contains("not done within a day"));

    let mut browser = Browser::default();
    let from_here = [("host", "localhost"), ("origin", "http://localhost")];
    for path in ["/console/pause", "/console/people/set", "/console/dead/1/drop"] {
        let shown =
            desk.post(&mut browser, path, &from_here, &[("team", TEAM), ("user", LINUS), ("account", "x")]).await;
        assert!(
            shown.status == StatusCode::FORBIDDEN && shown.text.contains("for reading only"),
            "{path}: {}",
            shown.text
        );
    }
    assert_eq!(desk.records().await, Vec::<String>::new());
}

#[tokio::test]
async fn no_form_is_acted_on_that_is_not_of_the_session() {
    let desk = Desk::new().await;
    let letter = desk.buried("the secret plan").await;
    let mut browser = desk.operator(ADA).await;
    let before = desk.records().await;
    let whom = [("team", TEAM), ("user", LINUS), ("account", GRACE_AT_DEVIN), ("reason", "r"), ("token", "0")];
    let of_letter = ["body", "replay", "drop"].map(|act| format!("/console/dead/{letter}/{act}"));
    let paths =
        ["/console/people/set", "/console/people/remove", "/console/pause", "/console/resume", "/console/sign-out"];
    for path in paths.into_iter().map(str::to_owned).chain(of_letter) {
        let shown = desk.post(&mut browser, &path, &OURS, &whom).await;
        assert!(shown.status == StatusCode::FORBIDDEN && !shown.text.contains("secret"), "{path}: {}", shown.text);
        assert_ne!(desk.get(&mut browser, &path).await.status, StatusCode::SEE_OTHER, "{path} is not for looking");
    }
    assert_eq!(desk.records().await, before);
    assert!(desk.bobbin.oversight.letter(&letter).await.unwrap().is_some());
}

#[tokio::test]
async fn an_operator_says_who_somebody_is_corrects_it_and_takes_it_back() {
    let desk = Desk::new().await;
    desk.failed(LINUS, NO_ACCOUNT).await;
    desk.failed("U0GIL", &NO_ACCOUNT.replace("no_account", "guest")).await;
    let mut browser = desk.operator(ADA).await;
    let shown = desk.get(&mut browser, "/console/people").await.text;
    assert!(shown.contains("tried 3 times") && shown.contains("Guests stay out"), "{shown}");
    assert_eq!(shown.matches("Say who it is<").count(), 1, "of a guest it is of no use");

    let whom = |account| [("team", TEAM), ("user", LINUS), ("organisation", ""), ("account", account)];
    let set = |account| (whom(account), "/console/people/set");
    let (form, path) = set("nobody@example.com");
    let shown = desk.submit(&mut browser, "/console/people", path, &form).await;
    assert!(shown.status == StatusCode::BAD_REQUEST && shown.text.contains("no one member"), "{}", shown.text);
    for (account, devin) in [("ada@acme.example", "user-ada"), (GRACE_AT_DEVIN, GRACE_AT_DEVIN)] {
        let (form, path) = set(account);
        let shown = desk.submit(&mut browser, "/console/people", path, &form).await;
        let to = "/console/people?list=said";
        assert_eq!((shown.status, shown.location.as_deref()), (StatusCode::SEE_OTHER, Some(to)), "{}", shown.text);
        let shown = desk.get(&mut browser, to).await.text;
        assert!(
            shown.contains("Noted. It holds") && shown.contains(devin) && shown.contains("T0ACME/U0ADA"),
            "{shown}"
        );
        assert!(!desk.get(&mut browser, to).await.text.contains("Noted."), "said once");
    }
    let (all, _) = desk.bobbin.oversight.overrides(None, 10).await.unwrap();
    assert_eq!((all.len(), all[0].set.by.as_str()), (1, "T0ACME/U0ADA"));

    let shown = desk.submit(&mut browser, "/console/people", "/console/people/remove", &whom("")).await;
    assert_eq!(shown.status, StatusCode::SEE_OTHER);
    assert!(
        desk.get(&mut browser, "/console/people?list=said").await.text.contains("No operator said who somebody is")
    );
    let wrong = [("team", "acme"), ("user", LINUS), ("account", "x")];
    let shown = desk.submit(&mut browser, "/console/people", "/console/people/set", &wrong).await;
    assert!(shown.status == StatusCode::BAD_REQUEST && shown.text.contains("Slack workspace id"), "{}", shown.text);
    let target = "T0ACME/U0LINUS";
    let expected = ["people.set", "people.set", "people.remove"].map(|act| format!("T0ACME/U0ADA {act} {target}"));
    assert_eq!(desk.records().await[1..], expected);
}

#[tokio::test]
async fn people_are_listed_in_pages_and_everybody_once() {
    let desk = Desk::new().await;
    for number in 0..120 {
        desk.failed(&format!("U{number:04}"), NO_ACCOUNT).await;
    }
    let mut browser = desk.operator(ADA).await;
    let (mut path, mut users) = ("/console/people?list=unlinked".to_owned(), Vec::new());
    for rows in [50, 50, 20] {
        let shown = desk.get(&mut browser, &path).await.text;
        let on_page = shown.split("<small>T0ACME/U").skip(1).filter_map(|rest| rest.get(..4)).map(str::to_owned);
        let on_page: Vec<String> = on_page.filter(|number| number.bytes().all(|b| b.is_ascii_digit())).collect();
        assert_eq!(on_page.len(), rows, "{path}");
        users.extend(on_page);
        let next = shown.split("class=\"more\" href=\"").nth(1).map(|rest| rest.split('"').next().unwrap());
        path = next.unwrap_or_default().replace("&amp;", "&").replace("&#38;", "&");
    }
    users.sort();
    users.dedup();
    assert_eq!((users.len(), path.as_str()), (120, ""));
}

#[tokio::test]
async fn a_dead_letter_is_looked_at_put_back_and_dropped() {
    let desk = Desk::new().await;
    let (one, two) = (desk.buried("the secret plan").await, desk.buried("another secret").await);
    let mut browser = desk.operator(ADA).await;
    let shown = desk.get(&mut browser, "/console/dead").await.text;
    assert!(shown.contains(one.as_str()) && shown.contains(two.as_str()) && !shown.contains("secret"), "{shown}");
    let page = format!("/console/dead/{one}");
    // The reference that somebody was given leads there.
    let shown = desk.get(&mut browser, &format!("/console/sessions?q=%60{one}%60")).await;
    assert_eq!((shown.status, shown.location.as_deref()), (StatusCode::SEE_OTHER, Some(page.as_str())));
    let shown = desk.get(&mut browser, &page).await.text;
    assert!(shown.contains("event.text") && !shown.contains("secret"), "{shown}");
    let shown = desk.submit(&mut browser, &page, &format!("{page}/body"), &[]).await.text;
    assert!(shown.contains("the secret plan") && shown.contains("on the record"), "{shown}");

    let shown = desk.submit(&mut browser, &page, &format!("{page}/replay"), &[]).await;
    assert_eq!((shown.status, shown.location.as_deref()), (StatusCode::SEE_OTHER, Some("/console/dead")));
    let shown = desk.get(&mut browser, "/console/dead").await.text;
    assert!(shown.contains("back in its mailbox") && !shown.contains(one.as_str()), "{shown}");
    let Turn::Taken(leased) = desk.store.lease(Duration::from_mins(1)).await.unwrap() else { panic!("it is back") };
    assert_eq!(leased.input.map(|input| input.id), Some(one.clone()));
    let page = "/console/dead";
    let again = desk.submit(&mut browser, &format!("{page}/{two}"), &format!("{page}/{one}/replay"), &[]).await;
    assert!(
        again.status == StatusCode::BAD_REQUEST && again.text.contains("Nothing is set aside as"),
        "{}",
        again.text
    );

    let page = format!("/console/dead/{two}");
    desk.submit(&mut browser, &page, &format!("{page}/drop"), &[]).await;
    let shown = desk.get(&mut browser, "/console/dead").await.text;
    let gone = desk.get(&mut browser, &page).await;
    assert!(gone.status == StatusCode::NOT_FOUND && gone.text.contains("No such letter"), "{}", gone.text);
    assert!(shown.contains("The letter is forgotten.") && shown.contains("Nothing is set aside."), "{shown}");
    let expected = [("read", &one), ("replay", &one), ("drop", &two)];
    let expected = expected.map(|(act, letter)| format!("T0ACME/U0ADA letters.{act} {letter}"));
    assert_eq!(desk.records().await[1..], expected);
}

#[tokio::test]
async fn new_sessions_are_paused_and_resumed_for_all_or_one_workspace() {
    let desk = Desk::new().await;
    let mut browser = desk.operator(ADA).await;
    let shown = desk.submit(&mut browser, "/console", "/console/pause", &[("reason", "a <b>bad</b> day")]).await;
    assert_eq!(shown.location.as_deref(), Some("/console"), "{}", shown.text);
    let one = [("workspace", TEAM), ("reason", "")];
    desk.submit(&mut browser, "/console", "/console/pause", &one).await;
    for path in PAGES {
        let shown = desk.get(&mut browser, path).await.text;
        assert!(shown.contains("for all workspaces") && shown.contains("for T0ACME"), "{path}: {shown}");
        assert!(shown.contains("by T0ACME/U0ADA") && !shown.contains("<b>bad"), "{path}: {shown}");
        assert_eq!(shown.matches("action=\"/console/resume\"").count(), 2, "{path}");
    }
    desk.submit(&mut browser, "/console/log", "/console/resume", &[("workspace", "")]).await;
    let pauses = desk.bobbin.oversight.pauses().await.unwrap();
    assert_eq!(pauses.iter().map(|pause| pause.workspace.clone()).collect::<Vec<_>>(), [Some(id(TEAM))]);
    desk.submit(&mut browser, "/console/log", "/console/resume", &one).await;
    assert!(desk.get(&mut browser, "/console").await.text.contains("New sessions are started again."));
    assert_eq!(desk.bobbin.oversight.pauses().await.unwrap(), []);
    let long = "x".repeat(201);
    for wrong in [[("workspace", "acme"), ("reason", "")], [("workspace", ""), ("reason", long.as_str())]] {
        let shown = desk.submit(&mut browser, "/console", "/console/pause", &wrong).await;
        assert_eq!(shown.status, StatusCode::BAD_REQUEST, "{}", shown.text);
    }
    let shown = desk.submit(&mut browser, "/console", "/console/resume", &one).await;
    assert!(shown.status == StatusCode::BAD_REQUEST && shown.text.contains("not paused"), "{}", shown.text);
    let expected = ["pause all workspaces", "pause T0ACME", "resume all workspaces", "resume T0ACME"];
    assert_eq!(desk.records().await[1..], expected.map(|act| format!("T0ACME/U0ADA intake.{act}")));
}
