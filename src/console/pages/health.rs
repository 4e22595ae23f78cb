//! *Health*: what is wrong and what to do about it, everything that was looked at, and the newest complaints of the log.
//! The examination goes on beside the page, which waits for it only a moment.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};
use jiff::Timestamp;

use super::{Console, Trouble, Viewer, shown, thread};
use crate::{
    console::{
        Complaint,
        checkup::Examined,
        view::{Frame, When},
    },
    domain::mailbox::Mailbox,
    oversight::check::{Area, Check, State as Found},
};

/// Where this page is.
pub(in crate::console) const HERE: &str = "/console/health";
/// Complaints that are shown.
const SHOWN: usize = 20;

#[derive(Template)]
#[template(path = "console/health.html", config = ".askama.toml")]
struct HealthPage {
    frame: Frame,
    /// In words and how loud, once something is known.
    summary: Option<(String, &'static str)>,
    at: Option<When>,
    /// Since when the next examination is under way.
    running: Option<When>,
    /// What needs somebody, worst first.
    needs: Vec<CheckView>,
    areas: Vec<AreaView>,
    links: u64,
    complaints: Vec<ComplaintView>,
    /// The machine that complains.
    replica: String,
}

/// Checks of one area.
struct AreaView {
    title: &'static str,
    checks: Vec<CheckView>,
}

/// One thing that was looked at.
#[derive(Clone)]
struct CheckView {
    area: &'static str,
    name: String,
    of: Option<String>,
    words: &'static str,
    tone: &'static str,
    found: String,
    remedy: Option<String>,
}

/// A line of the log.
struct ComplaintView {
    at: When,
    words: String,
    serious: bool,
    /// The page of the thread in whose turn it was written.
    thread: Option<String>,
}

pub(in crate::console) async fn page(State(console): State<Arc<Console>>, viewer: Viewer) -> Result<Response, Trouble> {
    let frame = console.frame(HERE, viewer).await?;
    let links = console.oversight.link_count().await.map_err(|error| Trouble(HERE, error))?;
    let Examined { last, running, .. } = console.replica.checkup.look(console.clock.now()).await;
    let now = console.clock.now();
    let checks: &[Check] = last.as_ref().map_or(&[], |(checks, _)| checks);
    let mut needs: Vec<&Check> = checks.iter().filter(|c| matches!(c.state, Found::Fail | Found::Warn)).collect();
    needs.sort_by_key(|check| check.state == Found::Warn);
    let complaints = console.replica.complaints.newest();
    Ok(shown(&HealthPage {
        frame,
        summary: last.is_some().then(|| summary(checks)),
        at: last.as_ref().map(|(_, at)| When::of(*at, now)),
        running: running.map(|since| When::of(since, now)),
        needs: needs.into_iter().map(CheckView::of).collect(),
        areas: areas(checks),
        links,
        complaints: complaints.iter().take(SHOWN).map(|complaint| ComplaintView::of(complaint, now)).collect(),
        replica: console.replica.named(),
    }))
}

fn summary(checks: &[Check]) -> (String, &'static str) {
    let count = |state| checks.iter().filter(|check| check.state == state).count();
    match (count(Found::Fail), count(Found::Warn)) {
        (0, 0) => ("All is well".to_owned(), "good"),
        (0, warn) => (format!("{warn} to look at"), "call"),
        (fail, 0) => (format!("{fail} failed"), "bad"),
        (fail, warn) => (format!("{fail} failed, {warn} to look at"), "bad"),
    }
}

/// The checks by area, in the order in which they came.
fn areas(checks: &[Check]) -> Vec<AreaView> {
    let mut areas: Vec<(Area, AreaView)> = Vec::new();
    for check in checks {
        let view = CheckView::of(check);
        match areas.iter_mut().find(|(area, _)| *area == check.area) {
            Some((_, known)) => known.checks.push(view),
            None => areas.push((check.area, AreaView { title: check.area.title(), checks: vec![view] })),
        }
    }
    areas.into_iter().map(|(_, view)| view).collect()
}

impl CheckView {
    fn of(check: &Check) -> Self {
        let (words, tone) = match check.state {
            Found::Ok => ("well", "good"),
            Found::Warn => ("look at it", "call"),
            Found::Fail => ("failed", "bad"),
            Found::Skipped => ("not seen", "quiet"),
        };
        Self {
            area: check.area.title(),
            name: check.name.replace('_', " "),
            of: check.of.clone(),
            words,
            tone,
            found: check.found.clone(),
            remedy: check.remedy.clone(),
        }
    }
}

impl ComplaintView {
    fn of(complaint: &Complaint, now: Timestamp) -> Self {
        let mailbox = complaint.mailbox.as_ref().and_then(|mailbox| mailbox.parse::<Mailbox>().ok());
        let thread = mailbox.as_ref().and_then(thread::of);
        Self { at: When::of(complaint.at, now), words: complaint.words.clone(), serious: complaint.serious, thread }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_failed_is_told_before_what_could_be_better() {
        let ok = Check::ok(Area::Store, "takes_writes", "yes");
        let warn = Check::warn(Area::Store, "room", "500 MiB", "make room");
        let fail = Check::fail(Area::Devin, "key", "refused", "make another");
        assert_eq!(summary(std::slice::from_ref(&ok)), ("All is well".to_owned(), "good"));
        assert_eq!(summary(&[ok.clone(), warn.clone()]), ("1 to look at".to_owned(), "call"));
        assert_eq!(summary(&[warn.clone(), fail.clone()]), ("1 failed, 1 to look at".to_owned(), "bad"));
        let areas = areas(&[ok, fail, warn]);
        let told: Vec<_> = areas.iter().map(|area| (area.title, area.checks.len())).collect();
        assert_eq!(told, [("Store", 2), ("Devin", 1)]);
    }

    #[test]
    fn a_complaint_leads_to_its_thread() {
        let complaint = |mailbox: Option<&str>| Complaint {
            at: Timestamp::UNIX_EPOCH,
            serious: true,
            words: "set aside".to_owned(),
            mailbox: mailbox.map(str::to_owned),
        };
        let thread = |mailbox| ComplaintView::of(&complaint(mailbox), Timestamp::UNIX_EPOCH).thread;
        assert_eq!(thread(Some("thread:T1/C1/1.5")).as_deref(), Some("/console/threads/T1/C1/1.5"));
        assert_eq!([thread(Some("person:T1/U1")), thread(Some("?")), thread(None)], [None, None, None]);
    }
}
