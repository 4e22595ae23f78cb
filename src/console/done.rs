//! What an operator did just now, said once on the next page. The browser carries one of these words and nothing else: no
//! name and no id of anybody.

/// What was done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Done {
    /// New sessions are paused.
    Paused,
    /// They are started again.
    Resumed,
    /// Somebody's Devin account was said.
    Mapped,
    /// What was said was taken back.
    Unmapped,
    /// A dead letter is back in its mailbox.
    Replayed,
    /// A dead letter is forgotten.
    Dropped,
}

impl Done {
    const ALL: [Self; 6] = [Self::Paused, Self::Resumed, Self::Mapped, Self::Unmapped, Self::Replayed, Self::Dropped];

    /// The word that the browser carries.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::Mapped => "mapped",
            Self::Unmapped => "unmapped",
            Self::Replayed => "replayed",
            Self::Dropped => "dropped",
        }
    }

    /// What a word means.
    pub(super) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|done| done.name() == name)
    }

    /// What the page says.
    pub(super) fn words(self) -> &'static str {
        match self {
            Self::Paused => "New sessions are paused. What runs goes on.",
            Self::Resumed => "New sessions are started again.",
            Self::Mapped => "Noted. It holds from the next request of that person.",
            Self::Unmapped => "Taken back. From now on the e-mail address counts again.",
            Self::Replayed => "The letter is back in its mailbox, and handled next.",
            Self::Dropped => "The letter is forgotten.",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_read_again_and_no_other() {
        for done in Done::ALL {
            assert_eq!(Done::named(done.name()), Some(done));
        }
        assert_eq!(Done::named("<b>paused</b>"), None);
    }
}
