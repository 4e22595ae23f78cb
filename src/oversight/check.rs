//! One thing that was looked at, and how a list of them is told: in words for a person, as JSON for a script.

use serde::Serialize;
use serde_json::json;

/// Version of the JSON form.
const VERSION: u8 = 1;

/// Part of what an operator sets up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Area {
    /// Keys and tables.
    Configuration,
    /// How Slack reaches us.
    Reach,
    /// The store, and what was set aside in it.
    Store,
    /// The app in a workspace.
    Slack,
    /// The key in an organisation.
    Devin,
    /// The bot that runs here.
    Process,
    /// What was tried out.
    Live,
}

impl Area {
    /// What it is called.
    pub fn title(self) -> &'static str {
        match self {
            Self::Configuration => "Configuration",
            Self::Reach => "Reach",
            Self::Store => "Store",
            Self::Slack => "Slack",
            Self::Devin => "Devin",
            Self::Process => "Process",
            Self::Live => "Live",
        }
    }
}

/// What came of a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// As it should be.
    Ok,
    /// It works, but not as well or as safely as it could.
    Warn,
    /// It does not work.
    Fail,
    /// It could not be looked at.
    Skipped,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warn => "warn",
            Self::Fail => "FAIL",
            Self::Skipped => "skip",
        }
    }
}

/// One thing that was looked at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Check {
    /// Where it belongs.
    pub area: Area,
    /// What it is; always the same word for the same thing.
    pub name: String,
    /// Which workspace or organisation, where there are several.
    pub of: Option<String>,
    /// What came of it.
    pub state: State,
    /// What was found.
    pub found: String,
    /// What to do, unless all is well.
    pub remedy: Option<String>,
}

impl Check {
    fn new(area: Area, name: &str, state: State, found: impl Into<String>, remedy: Option<String>) -> Self {
        Self { area, name: name.to_owned(), of: None, state, found: found.into(), remedy }
    }

    /// All is well.
    pub fn ok(area: Area, name: &str, found: impl Into<String>) -> Self {
        Self::new(area, name, State::Ok, found, None)
    }

    /// It could be better.
    pub fn warn(area: Area, name: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(area, name, State::Warn, found, Some(remedy.into()))
    }

    /// It does not work.
    pub fn fail(area: Area, name: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(area, name, State::Fail, found, Some(remedy.into()))
    }

    /// It could not be looked at.
    pub fn skipped(area: Area, name: &str, found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::new(area, name, State::Skipped, found, Some(remedy.into()))
    }

    /// The same, of one workspace or organisation.
    #[must_use]
    pub fn of(self, of: &str) -> Self {
        Self { of: Some(of.to_owned()), ..self }
    }
}

/// Whether any of them failed.
pub fn any_failed(checks: &[Check]) -> bool {
    checks.iter().any(|check| check.state == State::Fail)
}

/// For a person: a paragraph for each area, the remedy below what needs one.
pub fn in_words(checks: &[Check]) -> String {
    let name = |check: &Check| match &check.of {
        Some(of) => format!("{} ({of})", check.name),
        None => check.name.clone(),
    };
    let width = checks.iter().map(|check| name(check).chars().count()).max().unwrap_or(0);
    let mut lines: Vec<String> = Vec::new();
    let mut area = None;
    for check in checks {
        if area != Some(check.area) {
            lines.extend(area.map(|_| String::new()));
            lines.push(check.area.title().to_owned());
            area = Some(check.area);
        }
        lines.push(format!("  {:<4}  {:<width$}  {}", check.state.word(), name(check), one_line(&check.found)));
        lines.extend(check.remedy.as_ref().map(|remedy| format!("        → {}", one_line(remedy))));
    }
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    let (ok, warn) = (count(State::Ok), count(State::Warn));
    let (fail, skipped) = (count(State::Fail), count(State::Skipped));
    lines.push(format!("\n{fail} failed, {warn} to look at, {ok} well, {skipped} not looked at."));
    lines.join("\n")
}

/// For a script.
pub fn as_json(checks: &[Check]) -> String {
    format!("{:#}", json!({ "v": VERSION, "ok": !any_failed(checks), "checks": checks }))
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn checks() -> [Check; 3] {
        [
            Check::ok(Area::Store, "takes_writes", "yes"),
            Check::warn(Area::Store, "appendfsync", "everysec", "set appendfsync\nalways"),
            Check::fail(Area::Devin, "key", "refused", "make another").of("org-acme"),
        ]
    }

    #[test]
    fn words_are_grouped_and_aligned_and_the_remedy_follows() {
        let expected = "Store\n  ok    takes_writes    yes\n  warn  appendfsync     everysec\n        → set appendfsync \
                        always\n\nDevin\n  FAIL  key (org-acme)  refused\n        → make another\n\n1 failed, 1 to look \
                        at, 1 well, 0 not looked at.";
        assert_eq!(in_words(&checks()), expected);
    }

    #[test]
    fn scripts_read_the_same_fields_for_every_check() {
        let read: serde_json::Value = serde_json::from_str(&as_json(&checks())).unwrap();
        assert_eq!((&read["v"], &read["ok"]), (&json!(1), &json!(false)));
        let last = json!({
            "area": "devin", "name": "key", "of": "org-acme", "state": "fail", "found": "refused", "remedy": "make another",
        });
        assert_eq!(read["checks"][2], last);
        assert_eq!(read["checks"][0]["remedy"], json!(null));
        assert!(any_failed(&checks()) && !any_failed(&checks()[..2]));
    }
}
