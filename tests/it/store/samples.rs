//! Stored forms are promises to files that already exist: samples written by version 1 must be read for ever. A sample
//! is never changed; a new form gets a new version and a new sample.

use bobbin::store::{
    Admit, Body, Dead, Door, Input, Offer,
    embedded::{SpoolEntry, Spooled},
};

use super::contract::{input, offer, thread};

const INPUT_TEXT: &str = r#"{"v":1,"id":"01890a5d-ac96-774b-bcce-b302099a8057","at":"2026-11-24T02:00:00Z","door":"events","body":"{\"type\":\"event_callback\",\"text\":\"\\\"é\\\" 🧵\"}"}"#;

const INPUT_BYTES: &str =
    r#"{"v":1,"id":"i2","at":"2026-11-24T02:00:00.123456Z","door":"interactions","body":{"hex":"ff007b"}}"#;

const DEAD: &str = r#"{"v":1,"mailbox":"thread:T1/C1/1700000000.000001","input":{"v":1,"id":"i1","at":"2026-11-24T02:00:00Z","door":"events","body":"{}"},"at":"2026-11-24T03:00:00Z","why":"a \"reason\"","attempts":7}"#;

const DEAD_WITHOUT_MAILBOX: &str = r#"{"v":1,"mailbox":null,"input":{"v":1,"id":"i1","at":"2026-11-24T02:00:00Z","door":"events","body":"{}"},"at":"2026-11-24T03:00:00Z","why":"why","attempts":0}"#;

const SPOOLED: &str = r#"{"v":1,"entry":{"offer":{"mailbox":"thread:T1/C1/1700000000.000001","input":{"v":1,"id":"i1","at":"2026-11-24T02:00:00Z","door":"events","body":"{}"},"seen":["i1"],"admit":"if_known"}}}"#;

const SPOOLED_UNREADABLE: &str = r#"{"v":1,"entry":{"unreadable":{"input":{"v":1,"id":"i1","at":"2026-11-24T02:00:00Z","door":"events","body":"{}"},"why":"no \"JSON\""}}}"#;

#[test]
fn entries_of_the_spool_of_version_1() {
    let entry = SpoolEntry::Offer(Offer { admit: Admit::IfKnown, ..offer(&thread(1), "i1") });
    same(SPOOLED, &Spooled { v: 1, entry });
    let entry = SpoolEntry::Unreadable { input: input("i1", "{}"), why: "no \"JSON\"".to_owned() };
    same(SPOOLED_UNREADABLE, &Spooled { v: 1, entry });
}

#[test]
fn inputs_of_version_1() {
    let body = "{\"type\":\"event_callback\",\"text\":\"\\\"é\\\" \u{1f9f5}\"}";
    same(INPUT_TEXT, &input("01890a5d-ac96-774b-bcce-b302099a8057", body));
    let bytes = Input {
        at: "2026-11-24T02:00:00.123456Z".parse().unwrap(),
        door: Door::Interactions,
        body: Body::from(vec![0xff, 0x00, b'{']),
        ..input("i2", "")
    };
    same(INPUT_BYTES, &bytes);
}

#[test]
fn dead_letters_of_version_1() {
    let dead = Dead {
        v: 1,
        mailbox: Some(thread(1)),
        input: input("i1", "{}"),
        at: "2026-11-24T03:00:00Z".parse().unwrap(),
        why: "a \"reason\"".to_owned(),
        attempts: 7,
    };
    same(DEAD, &dead);
    same(DEAD_WITHOUT_MAILBOX, &Dead { mailbox: None, why: "why".to_owned(), attempts: 0, ..dead });
}

fn same<T>(sample: &str, value: &T)
where
    T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + std::fmt::Debug,
{
    assert_eq!(&serde_json::from_str::<T>(sample).unwrap(), value);
    assert_eq!(serde_json::to_string(value).unwrap(), sample);
}
