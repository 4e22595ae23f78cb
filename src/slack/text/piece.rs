//! What a Markdown text is made of before it becomes Slack's blocks: a flat list of pieces, each small enough to reason
//! about and, but for tables and rules, cut in two where a post is full. Nesting is a number here, because Slack's lists
//! are flat with an indent, and because a flat list can be walked without recursion.

use url::Url;

/// Longest opening of a piece that is looked through for a good place to cut: the second half of what fits.
const SEARCHED_PART: usize = 2;

/// How a stretch of text looks.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Style(u8);

impl Style {
    pub(super) const BOLD: Self = Self(1);
    pub(super) const ITALIC: Self = Self(2);
    pub(super) const STRIKE: Self = Self(4);
    pub(super) const CODE: Self = Self(8);

    pub(super) fn with(self, other: Self, wanted: bool) -> Self {
        if wanted { Self(self.0 | other.0) } else { self }
    }

    pub(super) fn has(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) fn is_plain(self) -> bool {
        self.0 == 0
    }
}

/// A stretch of text of one look, perhaps a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) text: String,
    pub(super) style: Style,
    pub(super) link: Option<Url>,
}

impl Run {
    pub(super) fn plain(text: impl Into<String>) -> Self {
        Self { text: text.into(), style: Style::default(), link: None }
    }

    fn like(&self, text: &str) -> Self {
        Self { text: text.to_owned(), ..self.clone() }
    }
}

/// How a column of a table is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Align {
    Left,
    Center,
    Right,
}

/// A table: rows of cells, the first row being the head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Table {
    pub(super) aligns: Vec<Align>,
    pub(super) rows: Vec<Vec<Vec<Run>>>,
}

/// A part of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Heading {
        level: u8,
        runs: Vec<Run>,
    },
    Paragraph(Vec<Run>),
    /// `number`: of an ordered list.
    Item {
        depth: usize,
        number: Option<u64>,
        runs: Vec<Run>,
    },
    Quote(Vec<Run>),
    Code {
        language: String,
        text: String,
    },
    Table(Table),
    Rule,
}

/// The text of runs without their looks.
pub(super) fn text_of(runs: &[Run]) -> String {
    runs.iter().map(|run| run.text.as_str()).collect()
}

impl Piece {
    /// Whether it can be cut.
    pub(super) fn is_divisible(&self) -> bool {
        match self {
            Self::Heading { .. } | Self::Paragraph(_) | Self::Item { .. } | Self::Quote(_) | Self::Code { .. } => true,
            Self::Table(_) | Self::Rule => false,
        }
    }

    /// Cuts off a beginning of at most so many characters, at the best place; `None` where there is nothing to cut.
    pub(super) fn cut(self, most_chars: usize) -> (Self, Option<Self>) {
        match self {
            Self::Heading { level, runs } => {
                let (head, tail) = cut_runs(runs, most_chars);
                (Self::Heading { level, runs: head }, tail.map(|runs| Self::Heading { level, runs }))
            }
            Self::Paragraph(runs) => {
                let (head, tail) = cut_runs(runs, most_chars);
                (Self::Paragraph(head), tail.map(Self::Paragraph))
            }
            Self::Item { depth, number, runs } => {
                let (head, tail) = cut_runs(runs, most_chars);
                // What is left of an item stands under it without a mark of its own.
                (Self::Item { depth, number, runs: head }, tail.map(Self::Paragraph))
            }
            Self::Quote(runs) => {
                let (head, tail) = cut_runs(runs, most_chars);
                (Self::Quote(head), tail.map(Self::Quote))
            }
            Self::Code { language, text } => match split_at(&text, most_chars) {
                Some((head, tail)) => {
                    let head = head.strip_suffix('\n').unwrap_or(head).to_owned();
                    let tail = Self::Code { language: language.clone(), text: tail.to_owned() };
                    (Self::Code { language, text: head }, Some(tail))
                }
                None => (Self::Code { language, text }, None),
            },
            Self::Table(_) | Self::Rule => (self, None),
        }
    }
}

fn cut_runs(runs: Vec<Run>, most_chars: usize) -> (Vec<Run>, Option<Vec<Run>>) {
    let mut left = most_chars;
    let mut head = Vec::new();
    let mut runs = runs.into_iter();
    while let Some(run) = runs.next() {
        let chars = run.text.chars().count();
        if chars <= left {
            left -= chars;
            head.push(run);
            continue;
        }
        let mut tail = Vec::new();
        // A link stays whole where it can.
        let cuts = left > 0 && (run.link.is_none() || head.is_empty());
        match split_at(&run.text, left).filter(|_| cuts) {
            Some((before, after)) => {
                head.push(run.like(before));
                tail.push(run.like(after));
            }
            None => tail.push(run),
        }
        tail.extend(runs);
        return (head, Some(tail));
    }
    (head, None)
}

/// Cuts a text after at most so many characters (at least one): after a line if there is one in the second half of what
/// fits, else after a word, else between two characters that do not belong together. `None`: all of it fits.
fn split_at(text: &str, most_chars: usize) -> Option<(&str, &str)> {
    let limit = text.char_indices().nth(most_chars.max(1)).map(|(at, _)| at)?;
    let window = text.get(..limit)?;
    let after = |mark: char| window.rfind(mark).map(|at| at + mark.len_utf8()).filter(|at| *at > limit / SEARCHED_PART);
    let wanted = after('\n').or_else(|| after(' ')).unwrap_or_else(|| apart(text, limit));
    text.split_at_checked(wanted)
}

/// Moves a cut before characters that only change the one before them.
fn apart(text: &str, limit: usize) -> usize {
    let mut at = limit;
    for _ in 0..8 {
        let (before, after) = text.split_at_checked(at).unwrap_or((text, ""));
        let joined = after.starts_with(is_joining) || before.ends_with('\u{200d}');
        match before.char_indices().next_back() {
            Some((earlier, _)) if joined && earlier > 0 => at = earlier,
            Some(_) | None => return at,
        }
    }
    limit
}

fn is_joining(letter: char) -> bool {
    matches!(letter, '\u{300}'..='\u{36f}' | '\u{200d}' | '\u{fe00}'..='\u{fe0f}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{20d0}'..='\u{20ff}')
}
