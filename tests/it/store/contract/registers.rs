//! Registers.

use std::time::Duration;

use bobbin::store::{Change, Row};

use super::Fixture;

fn names(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.name.as_str()).collect()
}

pub(crate) async fn a_row_is_written_read_and_taken_out(f: &Fixture) {
    let value = "a value: {\"x\": \"\u{1f9f5} \\\"\"}\nand more";
    assert_eq!(f.store.row("r", "n").await.unwrap(), None);
    f.store.register(&[Change::put("r", "n", "old".to_owned())]).await.unwrap();
    f.clock.advance(Duration::from_secs(1));
    f.store
        .register(&[Change::put("r", "n", value.to_owned()), Change::put("other", "n", String::new())])
        .await
        .unwrap();
    let row = f.store.row("r", "n").await.unwrap().unwrap();
    assert_eq!((row.name.as_str(), row.value.as_str()), ("n", value));
    assert_eq!(f.store.rows("r", None, 10).await.unwrap(), [row]);
    f.store.register(&[Change::remove("r", "n"), Change::remove("r", "never known")]).await.unwrap();
    assert_eq!(f.store.row("r", "n").await.unwrap(), None);
    assert_eq!(f.store.rows("r", None, 10).await.unwrap(), []);
    assert_eq!(f.store.row("other", "n").await.unwrap().map(|row| row.value).as_deref(), Some(""));
}

pub(crate) async fn rows_come_in_pages_newest_first(f: &Fixture) {
    // Several rows of one time, and one that moves to the front.
    for batch in ["a", "b", "c"] {
        let put = |n: usize| Change::put("r", &format!("{batch}{n}"), batch.to_owned());
        f.store.register(&[put(1), put(2), put(3)]).await.unwrap();
        f.clock.advance(Duration::from_secs(1));
    }
    f.store.register(&[Change::put("r", "a2", "again".to_owned())]).await.unwrap();
    let (mut found, mut after) = (Vec::new(), None);
    loop {
        let page = f.store.rows("r", after.as_ref(), 2).await.unwrap();
        assert!(page.len() <= 2);
        let Some(last) = page.last() else { break };
        after = Some(last.cursor().to_string().parse().unwrap());
        found.extend(names(&page).into_iter().map(str::to_owned));
    }
    assert_eq!(found, ["a2", "c3", "c2", "c1", "b3", "b2", "b1", "a3", "a1"]);
}

pub(crate) async fn old_rows_are_forgotten(f: &Fixture) {
    let put = |name: &str| Change::Put {
        register: "r".to_owned(),
        name: name.to_owned(),
        value: String::new(),
        keep: Some(Duration::from_mins(10)),
    };
    f.store.register(&[put("old")]).await.unwrap();
    f.clock.advance(Duration::from_mins(6));
    f.store.register(&[put("new")]).await.unwrap();
    assert_eq!(names(&f.store.rows("r", None, 10).await.unwrap()), ["new", "old"]);
    f.clock.advance(Duration::from_mins(6));
    f.store.register(&[put("newest")]).await.unwrap();
    assert_eq!(names(&f.store.rows("r", None, 10).await.unwrap()), ["newest", "new"]);
    assert_eq!(f.store.row("r", "old").await.unwrap(), None);
}

pub(crate) async fn changes_of_several_registers_are_one(f: &Fixture) {
    let changes: Vec<Change> =
        ["one", "two", "three"].iter().map(|register| Change::put(register, "n", "v".to_owned())).collect();
    f.store.register(&changes).await.unwrap();
    let mut times = Vec::new();
    for register in ["one", "two", "three"] {
        times.push(f.store.row(register, "n").await.unwrap().unwrap().at);
    }
    times.dedup();
    assert_eq!(times.len(), 1, "one operation has one time");
}
