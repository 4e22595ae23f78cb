//! Markdown as Devin writes it, to pieces. Whatever Markdown itself would drop from sight (definitions of links that
//! nothing uses, cells beyond a table's columns, a link's title, HTML) is written out, because nothing that Devin says
//! may get lost on its way.

use std::{collections::BTreeSet, ops::Range};

use pulldown_cmark::{Alignment, CodeBlockKind, Event, HeadingLevel, LinkType, Options, Parser, Tag, TagEnd};
use url::Url;

use super::{
    link::{address, lies, linkify, visible},
    piece::{Align, Piece, Run, Style, Table, text_of},
    tidy::{clean, is_break, trim},
};

/// Largest number in front of an item that Slack's lists are trusted with; others are written as text.
const MAX_ITEM_NUMBER: u64 = 99_999;

/// Reads a text.
pub(super) fn pieces(markdown: &str) -> Vec<Piece> {
    let text = clean(markdown);
    let options = Options::ENABLE_TABLES | Options::ENABLE_STRIKETHROUGH | Options::ENABLE_TASKLISTS;
    let mut reader = Reader { source: &text, ..Reader::default() };
    let events = Parser::new_ext(&text, options).into_offset_iter();
    let defined: Vec<(String, Range<usize>)> =
        events.reference_definitions().iter().map(|(_, d)| (d.dest.to_string(), d.span.clone())).collect();
    for (event, range) in events {
        reader.event(event, range);
    }
    reader.flush();
    for (target, span) in defined {
        if !reader.used.contains(&target) {
            reader.text(text.get(span).unwrap_or_default());
            reader.flush();
        }
    }
    reader.pieces
}

/// A link or picture whose label is being read.
#[derive(Debug)]
struct Open {
    target: String,
    title: String,
    from: usize,
    picture: bool,
}

/// What the item being read begins with, until its first words.
#[derive(Debug, Clone, Copy)]
struct Bullet {
    depth: usize,
    number: Option<u64>,
}

/// A table being read.
#[derive(Debug)]
struct Rows {
    table: Table,
    row: Vec<Vec<Run>>,
    /// Where the last cell that was written ended.
    end: usize,
}

#[derive(Debug, Default)]
struct Reader<'a> {
    source: &'a str,
    pieces: Vec<Piece>,
    runs: Vec<Run>,
    bold: usize,
    italic: usize,
    strike: usize,
    links: Vec<Open>,
    lists: Vec<Option<u64>>,
    bullet: Option<Bullet>,
    in_item: bool,
    quotes: usize,
    heading: Option<u8>,
    code: Option<(String, String)>,
    rows: Option<Rows>,
    used: BTreeSet<String>,
}

impl Reader<'_> {
    fn event(&mut self, event: Event<'_>, range: Range<usize>) {
        match event {
            Event::Start(tag) => self.start(tag, range),
            Event::End(tag) => self.end(tag, &range),
            Event::Code(code) => self.push(&code, self.style().with(Style::CODE, true)),
            Event::InlineHtml(html) if is_break(&html) => self.text("\n"),
            Event::SoftBreak | Event::HardBreak => self.text("\n"),
            Event::Rule => {
                self.flush();
                self.pieces.push(Piece::Rule);
            }
            Event::TaskListMarker(done) => self.text(if done { "☑ " } else { "☐ " }),
            // The last three are not switched on, so they do not come.
            Event::Text(text)
            | Event::Html(text)
            | Event::InlineHtml(text)
            | Event::InlineMath(text)
            | Event::DisplayMath(text)
            | Event::FootnoteReference(text) => self.text(&text),
        }
    }

    fn start(&mut self, tag: Tag<'_>, range: Range<usize>) {
        match tag {
            Tag::Strong => self.bold += 1,
            Tag::Emphasis => self.italic += 1,
            Tag::Strikethrough => self.strike += 1,
            Tag::Link { link_type: LinkType::Email, dest_url, title, .. } => {
                self.open(&format!("mailto:{dest_url}"), &title, false);
            }
            Tag::Link { dest_url, title, .. } => self.open(&dest_url, &title, false),
            Tag::Image { dest_url, title, .. } => self.open(&dest_url, &title, true),
            Tag::TableHead | Tag::TableRow | Tag::TableCell | Tag::Superscript | Tag::Subscript => {}
            Tag::Paragraph
            | Tag::HtmlBlock
            | Tag::FootnoteDefinition(_)
            | Tag::MetadataBlock(_)
            | Tag::DefinitionList
            | Tag::DefinitionListTitle
            | Tag::DefinitionListDefinition => self.flush(),
            Tag::Heading { level, .. } => {
                self.flush();
                self.heading = Some(depth(level));
            }
            Tag::BlockQuote(_) => {
                self.flush();
                self.quotes += 1;
            }
            Tag::CodeBlock(kind) => {
                self.flush();
                let info = match kind {
                    CodeBlockKind::Fenced(info) => info.trim().to_owned(),
                    CodeBlockKind::Indented => String::new(),
                };
                self.code = Some((info, String::new()));
            }
            Tag::List(first) => {
                self.flush();
                self.lists.push(first);
            }
            Tag::Item => self.item(range),
            Tag::Table(aligns) => {
                self.flush();
                let aligns = aligns.iter().copied().map(align).collect();
                self.rows = Some(Rows { table: Table { aligns, rows: Vec::new() }, row: Vec::new(), end: 0 });
            }
        }
    }

    fn end(&mut self, tag: TagEnd, range: &Range<usize>) {
        match tag {
            TagEnd::Strong => self.bold -= 1,
            TagEnd::Emphasis => self.italic -= 1,
            TagEnd::Strikethrough => self.strike -= 1,
            TagEnd::Link | TagEnd::Image => self.close(),
            TagEnd::TableCell => self.cell(range),
            TagEnd::TableHead | TagEnd::TableRow => self.row(range),
            TagEnd::Table => {
                if let Some(rows) = self.rows.take() {
                    self.pieces.push(Piece::Table(rows.table));
                }
            }
            TagEnd::Paragraph
            | TagEnd::HtmlBlock
            | TagEnd::FootnoteDefinition
            | TagEnd::MetadataBlock(_)
            | TagEnd::DefinitionList
            | TagEnd::DefinitionListTitle
            | TagEnd::DefinitionListDefinition => self.flush(),
            TagEnd::Superscript | TagEnd::Subscript => {}
            TagEnd::Heading(_) => {
                self.flush();
                self.heading = None;
            }
            TagEnd::BlockQuote(_) => {
                self.flush();
                self.quotes -= 1;
            }
            TagEnd::CodeBlock => {
                if let Some((language, text)) = self.code.take() {
                    let text = text.strip_suffix('\n').unwrap_or(&text).to_owned();
                    self.pieces.extend(code(language, text));
                }
            }
            TagEnd::List(_) => {
                self.flush();
                self.lists.pop();
            }
            TagEnd::Item => {
                // An item without a word is one all the same.
                if self.bullet.is_some() && self.runs.is_empty() {
                    self.runs.push(Run::plain(" "));
                }
                self.flush();
                self.in_item = false;
            }
        }
    }

    fn style(&self) -> Style {
        Style::default()
            .with(Style::BOLD, self.bold > 0)
            .with(Style::ITALIC, self.italic > 0)
            .with(Style::STRIKE, self.strike > 0)
    }

    fn text(&mut self, text: &str) {
        match &mut self.code {
            Some((_, code)) => code.push_str(text),
            None => self.push(text, self.style()),
        }
    }

    fn push(&mut self, text: &str, style: Style) {
        let joins = self.links.last().is_none_or(|open| self.runs.len() > open.from);
        match self.runs.last_mut().filter(|last| joins && last.style == style && last.link.is_none()) {
            Some(last) => last.text.push_str(text),
            None if text.is_empty() => {}
            None => self.runs.push(Run { text: text.to_owned(), style, link: None }),
        }
    }

    fn open(&mut self, target: &str, title: &str, picture: bool) {
        let (target, title, from) = (target.to_owned(), title.to_owned(), self.runs.len());
        self.links.push(Open { target, title, from, picture });
    }

    /// A link's label is complete: it becomes a link, or is written beside its address.
    fn close(&mut self) {
        let Some(open) = self.links.pop() else { return };
        let Open { target, title, from, picture } = open;
        self.used.insert(target.clone());
        let style = self.style();
        let mut label = self.runs.split_off(from.min(self.runs.len()));
        let words = text_of(&label);
        let named = !visible(&words).trim().is_empty();
        let address = address(&target);
        let inner = label.iter().any(|run| run.link.is_some());
        let plain = |text: String| Run { text, style, link: None };
        match address {
            Some(url) if !named => {
                let text = if picture { "image".to_owned() } else { shown(&url) };
                self.runs.push(Run { text, style, link: Some(url) });
            }
            Some(url) if inner || lies(&words, &url) => {
                for run in &mut label {
                    run.text = visible(&run.text);
                }
                self.runs.append(&mut label);
                let address = Run { text: shown(&url), style, link: Some(url) };
                self.runs.extend([plain(" (".to_owned()), address, plain(")".to_owned())]);
            }
            Some(url) => {
                let linked = |run: Run| Run { text: visible(&run.text), style: run.style, link: Some(url.clone()) };
                self.runs.extend(label.into_iter().map(linked));
            }
            None => {
                self.runs.append(&mut label);
                let shown = if named { format!(" ({target})") } else { target.clone() };
                self.runs.extend(Some(plain(shown)).filter(|_| words.trim() != target && !target.is_empty()));
            }
        }
        if !title.is_empty() {
            self.runs.push(plain(format!(" ({title})")));
        }
    }

    fn item(&mut self, range: Range<usize>) {
        self.flush();
        let depth = self.lists.len().saturating_sub(1);
        let written = self.source.get(range).unwrap_or_default();
        let number = self.lists.last_mut().and_then(Option::as_mut).map(|next| {
            // Markdown counts by itself; a list that skips a number means it.
            let digits: String = written.chars().take_while(char::is_ascii_digit).collect();
            let number = digits.parse().ok().filter(|written| *written > *next).unwrap_or(*next);
            *next = number.saturating_add(1);
            number
        });
        self.bullet = Some(Bullet { depth, number });
        self.in_item = true;
    }

    fn cell(&mut self, range: &Range<usize>) {
        let runs = self.finished();
        if let Some(rows) = &mut self.rows {
            rows.row.push(runs);
            rows.end = rows.end.max(range.end);
        }
    }

    fn row(&mut self, range: &Range<usize>) {
        let Some(rows) = &mut self.rows else { return };
        // Cells for which the table has no column.
        let surplus = self.source.get(rows.end.max(range.start)..range.end).unwrap_or_default();
        let surplus = surplus.trim_matches(|c: char| c == '|' || c.is_whitespace());
        if let (false, Some(last)) = (surplus.is_empty(), rows.row.last_mut()) {
            last.push(Run::plain(format!(" | {surplus}")));
        }
        let row = std::mem::take(&mut rows.row);
        rows.table.rows.push(row);
    }

    /// The runs read so far, with bare addresses made links.
    fn finished(&mut self) -> Vec<Run> {
        let mut out = Vec::new();
        for run in std::mem::take(&mut self.runs) {
            if run.link.is_some() || run.style.has(Style::CODE) { out.push(run) } else { linkify(run, &mut out) }
        }
        out.retain(|run| !run.text.is_empty());
        out
    }

    /// Ends the piece that is being read.
    fn flush(&mut self) {
        let mut runs = self.finished();
        trim(&mut runs);
        let bullet = self.bullet.take_if(|_| !runs.is_empty());
        if runs.is_empty() {
            return;
        }
        if self.quotes > 0 {
            return self.quote(bullet, runs);
        }
        match (self.heading, bullet, self.pieces.last_mut()) {
            (Some(level), None, _) => self.pieces.push(Piece::Heading { level, runs }),
            (_, Some(Bullet { depth, number }), _) => self.pieces.push(item(depth, number, runs)),
            (None, None, Some(Piece::Item { runs: before, .. })) if self.in_item => {
                before.push(Run::plain("\n"));
                before.append(&mut runs);
            }
            (None, None, _) => self.pieces.push(Piece::Paragraph(runs)),
        }
    }

    /// Lists and headings in a quotation stay in it, as text.
    fn quote(&mut self, bullet: Option<Bullet>, mut runs: Vec<Run>) {
        if let Some(Bullet { depth, number }) = bullet {
            let mark = number.map_or_else(|| "• ".to_owned(), |number| format!("{number}. "));
            runs.insert(0, Run::plain(format!("{}{mark}", "    ".repeat(depth.min(8)))));
        }
        match self.pieces.last_mut() {
            Some(Piece::Quote(before)) => {
                before.push(Run::plain("\n"));
                before.append(&mut runs);
            }
            _ => self.pieces.push(Piece::Quote(runs)),
        }
    }
}

/// Code; of a block without any, what was written about it.
fn code(language: String, text: String) -> Option<Piece> {
    match (language.is_empty(), text.is_empty()) {
        (_, false) => Some(Piece::Code { language, text }),
        (false, true) => Some(Piece::Paragraph(vec![Run::plain(language)])),
        (true, true) => None,
    }
}

fn item(depth: usize, number: Option<u64>, mut runs: Vec<Run>) -> Piece {
    match number.filter(|number| !(1..=MAX_ITEM_NUMBER).contains(number)) {
        Some(odd) => {
            runs.insert(0, Run::plain(format!("{odd}. ")));
            Piece::Item { depth, number: None, runs }
        }
        None => Piece::Item { depth, number, runs },
    }
}

/// An address as it is shown: a mail address without its scheme.
fn shown(url: &Url) -> String {
    if url.scheme() == "mailto" { url.path().to_owned() } else { url.to_string() }
}

fn depth(level: HeadingLevel) -> u8 {
    match level {
        HeadingLevel::H1 => 1,
        HeadingLevel::H2 => 2,
        HeadingLevel::H3 => 3,
        HeadingLevel::H4 => 4,
        HeadingLevel::H5 => 5,
        HeadingLevel::H6 => 6,
    }
}

fn align(alignment: Alignment) -> Align {
    match alignment {
        Alignment::None | Alignment::Left => Align::Left,
        Alignment::Center => Align::Center,
        Alignment::Right => Align::Right,
    }
}
