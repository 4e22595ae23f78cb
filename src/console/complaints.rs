//! The newest warnings and errors of this process's log, as the Health page shows them: a few, in memory, gone with the
//! process. The log itself has no secret and no word of a person in it.

use std::{
    collections::VecDeque,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;

/// So many are kept.
const KEPT: usize = 50;
/// Longest text of one, in characters.
const WORDS_MAX: usize = 400;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Complaint {
    /// When.
    pub at: Timestamp,
    /// Whether it is an error; otherwise a warning.
    pub serious: bool,
    /// What it says, with its fields.
    pub words: String,
    /// The mailbox that was in hand.
    pub mailbox: Option<String>,
}

/// The newest ones.
#[derive(Debug, Default)]
pub struct Complaints(Mutex<VecDeque<Complaint>>);

impl Complaints {
    /// None so far.
    pub const fn new() -> Self {
        Self(Mutex::new(VecDeque::new()))
    }

    /// Keeps one, in the place of the oldest.
    pub fn add(&self, complaint: Complaint) {
        let words = complaint.words.chars().take(WORDS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect();
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() == KEPT {
            kept.pop_front();
        }
        kept.push_back(Complaint { words, ..complaint });
    }

    /// Those that are kept, newest first.
    pub fn newest(&self) -> Vec<Complaint> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().rev().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept_and_none_is_long() {
        let complaints = Complaints::new();
        for second in 0..60 {
            let at = Timestamp::from_second(second).unwrap();
            complaints.add(Complaint { at, serious: false, words: "a\nb".repeat(1_000), mailbox: None });
        }
        let kept = complaints.newest();
        assert_eq!((kept.len(), kept[0].at.as_second(), kept[49].at.as_second()), (50, 59, 10));
        assert!(kept[0].words.len() == 400 && !kept[0].words.contains('\n'));
    }
}
