//! Pieces as text alone: what notifications and screen readers get, and what is sent when Slack refuses the blocks.
//!
//! All of it is escaped, and there are no tokens in it, so that nothing can call anybody; a link's address stands beside
//! its label. Fences are the one mark that is used: without them code would lose its lines.

use super::{
    outbound::escape,
    piece::{Align, Piece, Run, Table},
};
use crate::domain::code::FENCE;

/// Widest column that others are aligned to; a longer cell stands out of its row, which costs only beauty.
const MAX_ALIGNED_COLUMNS: usize = 48;

/// Pieces as escaped text.
pub(super) fn plain(pieces: &[Piece]) -> String {
    let mut out = String::new();
    for (at, piece) in pieces.iter().enumerate() {
        let before = at.checked_sub(1).and_then(|at| pieces.get(at));
        out.push_str(match (before, piece) {
            (None, _) => "",
            (Some(Piece::Item { .. }), Piece::Item { .. }) | (Some(Piece::Heading { .. }), _) => "\n",
            (Some(_), _) => "\n\n",
        });
        out.push_str(&one(piece));
    }
    out
}

fn one(piece: &Piece) -> String {
    match piece {
        Piece::Heading { runs, .. } | Piece::Paragraph(runs) => escape(&inline(runs)),
        Piece::Item { depth, number, runs } => {
            let mark = number.map_or_else(|| "•".to_owned(), |number| format!("{number}."));
            format!("{}{mark} {}", "    ".repeat(*depth), escape(&inline(runs)))
        }
        Piece::Quote(runs) => {
            let lines: Vec<String> = inline(runs).lines().map(|line| format!("> {}", escape(line))).collect();
            lines.join("\n")
        }
        Piece::Code { text, .. } => format!("{FENCE}\n{}\n{FENCE}", escape(text)),
        Piece::Table(table) => format!("{FENCE}\n{}\n{FENCE}", escape(&aligned(table))),
        Piece::Rule => "———".to_owned(),
    }
}

/// Runs as text, with the addresses of labelled links.
pub(super) fn inline(runs: &[Run]) -> String {
    let mut out = String::new();
    let mut from = 0;
    let mut runs = runs.iter().peekable();
    let mut before = None;
    while let Some(run) = runs.next() {
        if before != Some(&run.link) {
            from = out.len();
        }
        out.push_str(&run.text);
        before = Some(&run.link);
        let ends = runs.peek().is_none_or(|next| next.link != run.link);
        if let (Some(url), true) = (&run.link, ends) {
            let label = out.get(from..).unwrap_or_default();
            let address = url.as_str().trim_start_matches("mailto:");
            if label != address && label.parse().ok().as_ref() != Some(url) {
                out.extend([" (", address, ")"]);
            }
        }
    }
    out
}

/// A table as lines whose columns stand below each other.
pub(super) fn aligned(table: &Table) -> String {
    let rows: Vec<Vec<String>> =
        table.rows.iter().map(|row| row.iter().map(|cell| inline(cell).replace('\n', " ")).collect()).collect();
    let columns = rows.iter().map(Vec::len).max().unwrap_or(0);
    let mut widths = vec![0; columns];
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(columns_of(cell)).min(MAX_ALIGNED_COLUMNS);
        }
    }
    let mut lines: Vec<String> = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        let cells = row.iter().enumerate().map(|(at, cell)| {
            let align = table.aligns.get(at).copied().unwrap_or(Align::Left);
            padded(cell, widths.get(at).copied().unwrap_or(0), align)
        });
        lines.push(cells.collect::<Vec<_>>().join("  ").trim_end().to_owned());
        if number == 0 {
            lines.push(widths.iter().map(|width| "-".repeat((*width).max(1))).collect::<Vec<_>>().join("  "));
        }
    }
    lines.join("\n")
}

fn padded(cell: &str, width: usize, align: Align) -> String {
    let missing = width.saturating_sub(columns_of(cell));
    let left = match align {
        Align::Left => 0,
        Align::Center => missing / 2,
        Align::Right => missing,
    };
    format!("{}{cell}{}", " ".repeat(left), " ".repeat(missing - left))
}

/// How many columns a text takes in a font of one width: two for the scripts and pictures that are wide.
fn columns_of(text: &str) -> usize {
    let wide = |c: char| {
        matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{f900}'..='\u{faff}'
            | '\u{fe30}'..='\u{fe4f}' | '\u{ff00}'..='\u{ff60}' | '\u{ffe0}'..='\u{ffe6}' | '\u{1f300}'..='\u{1faff}')
    };
    let none = |c: char| matches!(c, '\u{300}'..='\u{36f}' | '\u{200b}'..='\u{200f}' | '\u{fe00}'..='\u{fe0f}');
    text.chars().map(|c| if wide(c) { 2 } else { usize::from(!none(c)) }).sum()
}
