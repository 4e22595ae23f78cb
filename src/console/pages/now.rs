//! *Now*: how many sessions do what, which of them wait for a person, longest first, and how quick the last hour was.

use std::sync::Arc;

use askama::Template;
use axum::{extract::State, response::Response};

use super::{Console, ROWS, Trouble, Viewer, shown};
use crate::{
    console::{
        pulse::PulseView,
        view::{Frame, SessionView, phase_words},
    },
    oversight::Filter,
};

/// Where this page is.
pub(in crate::console) const HERE: &str = "/console";
/// Width of the band of phases, in its own units.
const BAND: u64 = 1_000;

#[derive(Template)]
#[template(path = "console/now.html", config = ".askama.toml")]
struct NowPage {
    frame: Frame,
    total: u64,
    phases: Vec<PhaseView>,
    /// Those that wait, longest first.
    waiting: Vec<SessionView>,
    /// Whether there are more of them.
    more: bool,
    pulse: PulseView,
    /// The machine whose hour that is.
    replica: String,
    /// The workspaces that can be paused alone: id and name.
    workspaces: Vec<(String, String)>,
}

/// A phase with its part of the band.
struct PhaseView {
    name: &'static str,
    words: &'static str,
    tone: &'static str,
    count: u64,
    from: u64,
    width: u64,
}

pub(in crate::console) async fn page(State(console): State<Arc<Console>>, viewer: Viewer) -> Result<Response, Trouble> {
    let trouble = |error| Trouble(HERE, error);
    let frame = console.frame(HERE, viewer).await?;
    let counts = console.oversight.phases().await.map_err(trouble)?;
    let page = console.oversight.links(&Filter::Waiting, None, ROWS).await.map_err(trouble)?;
    let now = console.clock.now();
    let waiting = page.links.iter().map(|row| SessionView::of(row, now)).collect();
    let total = counts.iter().map(|(_, count)| count).sum();
    let (phases, more, pulse) = (band(&counts, total), page.next.is_some(), console.replica.pulse.view(now));
    let workspaces = console.workspaces().await.map_err(trouble)?;
    let replica = console.replica.named();
    Ok(shown(&NowPage { frame, total, phases, waiting, more, pulse, replica, workspaces }))
}

/// The phases that there are, each with its share of the band.
fn band(counts: &[(&'static str, u64)], total: u64) -> Vec<PhaseView> {
    let (mut phases, mut before) = (Vec::new(), 0);
    for &(name, count) in counts.iter().filter(|(_, count)| *count > 0) {
        let (words, tone) = phase_words(name);
        let at = |part: u64| part.saturating_mul(BAND).checked_div(total).unwrap_or_default();
        let (from, until) = (at(before), at(before + count));
        phases.push(PhaseView { name, words, tone, count, from, width: until - from });
        before += count;
    }
    phases
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_band_is_filled_and_has_no_gaps() {
        let phases = band(&[("your_turn", 1), ("held", 0), ("working", 2), ("done", 4)], 7);
        let parts: Vec<_> = phases.iter().map(|phase| (phase.from, phase.width)).collect();
        assert_eq!(parts, [(0, 142), (142, 286), (428, 572)]);
        assert!(band(&[("done", 0)], 0).is_empty());
    }
}
