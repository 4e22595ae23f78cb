//! Pieces as Slack's blocks.
//!
//! Text goes out as `rich_text`, and neither as `markdown` nor as mrkdwn sections. In `rich_text` structure and text are
//! apart: a text element is shown as it is, so that nothing in it can be a mention, a broadcast, a link or a mark, and
//! there is nothing to escape; lists nest by a number, code keeps its language. What the others would cost:
//!
//! | | `rich_text` | `markdown` | mrkdwn in a section |
//! | --- | --- | --- | --- |
//! | limit | none of its own | 12,000 characters in a message | 3,000 a block |
//! | `<!channel>`, `<@U…>` in the text | shown as text | not documented, and not tested by anybody we know of | a call, unless escaped |
//! | `*`, `_`, `~` in the text | shown | must be escaped with care | cannot be escaped |
//! | link with a false label | cannot be made by the text | can | can |
//! | nested lists, numbered lists | yes | differs from client to client | no |
//! | beside a file (`files.completeUploadExternal`) | taken | refused with `internal_error` | taken |
//!
//! Tables become the `table` block, at most one a message, of 100 rows, 20 columns and 10,000 characters; rules are
//! dividers, headings of the first two levels are headers, which take 150 characters of plain text.
//! <https://docs.slack.dev/reference/block-kit/blocks/rich-text-block>

use serde_json::{Map, Value, json};

use super::piece::{Align, Piece, Run, Style, Table, text_of};

/// Most characters of a header block.
const MAX_HEADER_CHARS: usize = 150;
/// Deepest indent of a list.
const MAX_INDENT: usize = 8;
/// Most rows of a table block, most columns, and most characters in all cells.
const MAX_TABLE: (usize, usize, usize) = (100, 20, 10_000);
/// From so many characters in a cell on, its column's text is wrapped.
const WRAPPED_CHARS: usize = 30;
/// Stands in an empty cell, because empty texts are refused.
const EMPTY_CELL: &str = "\u{200b}";

/// Names under which languages are written, and Slack's name where it is another. One that is not listed is written
/// above its code, because it is not documented which ones are refused.
const LANGUAGES: &[(&str, &str)] = &[
    ("bash", "shell"),
    ("c", "c"),
    ("cpp", "cpp"),
    ("csharp", "csharp"),
    ("css", "css"),
    ("diff", "diff"),
    ("dockerfile", "dockerfile"),
    ("go", "go"),
    ("html", "html"),
    ("java", "java"),
    ("javascript", "javascript"),
    ("js", "javascript"),
    ("json", "json"),
    ("jsx", "javascript"),
    ("kotlin", "kotlin"),
    ("markdown", "markdown"),
    ("md", "markdown"),
    ("php", "php"),
    ("py", "python"),
    ("python", "python"),
    ("rb", "ruby"),
    ("rs", "rust"),
    ("ruby", "ruby"),
    ("rust", "rust"),
    ("sh", "shell"),
    ("shell", "shell"),
    ("sql", "sql"),
    ("swift", "swift"),
    ("ts", "typescript"),
    ("tsx", "typescript"),
    ("typescript", "typescript"),
    ("xml", "xml"),
    ("yaml", "yaml"),
    ("yml", "yaml"),
    ("zsh", "shell"),
];

/// Words that say nothing about a language.
const NO_LANGUAGE: &[&str] = &["", "text", "txt", "plain", "plaintext", "console", "output", "log"];

/// Pieces as blocks, in order.
pub(super) fn blocks(pieces: &[Piece]) -> Vec<Value> {
    let mut writer = Writer::default();
    for piece in pieces {
        writer.piece(piece);
    }
    writer.end_text();
    writer.blocks
}

/// Whether a table fits the table block.
pub(super) fn fits(table: &Table) -> bool {
    let (rows, columns, chars) = MAX_TABLE;
    let all: usize = table.rows.iter().flatten().flatten().map(|run| run.text.chars().count()).sum();
    let cells = table.rows.iter().all(|row| (1..=columns).contains(&row.len()));
    (1..=rows).contains(&table.rows.len()) && cells && all <= chars
}

#[derive(Default)]
struct Writer {
    blocks: Vec<Value>,
    /// Elements of the rich text that is being written.
    elements: Vec<Value>,
    /// The section that is being written: paragraphs that follow each other share one.
    section: Vec<Value>,
    /// Whether it ends with a heading.
    headed: bool,
    /// The list that is being written.
    list: Option<List>,
}

/// A run of items that one list element can hold.
struct List {
    depth: usize,
    first: Option<u64>,
    next: Option<u64>,
    items: Vec<Value>,
}

impl Writer {
    fn piece(&mut self, piece: &Piece) {
        match piece {
            Piece::Heading { level: 1 | 2, runs } if is_header(runs) => {
                let text = text_of(runs).replace('\n', " ");
                self.block(json!({ "type": "header", "text": { "type": "plain_text", "text": text, "emoji": false } }));
            }
            Piece::Heading { runs, .. } => {
                let bold = |run: &Run| Run { style: run.style.with(Style::BOLD, true), ..run.clone() };
                self.paragraph(&runs.iter().map(bold).collect::<Vec<_>>());
                self.headed = true;
            }
            Piece::Paragraph(runs) => self.paragraph(runs),
            Piece::Item { depth, number, runs } => self.item((*depth).min(MAX_INDENT), *number, runs),
            Piece::Quote(runs) => self.element(json!({ "type": "rich_text_quote", "elements": inline(runs) })),
            Piece::Code { language, text } => self.code(language, text),
            Piece::Table(table) => self.block(rows(table)),
            Piece::Rule => self.block(json!({ "type": "divider" })),
        }
    }

    fn paragraph(&mut self, runs: &[Run]) {
        self.end_list();
        let gap = if std::mem::take(&mut self.headed) { "\n" } else { "\n\n" };
        if !self.section.is_empty() {
            self.section.push(json!({ "type": "text", "text": gap }));
        }
        self.section.extend(inline(runs));
    }

    fn item(&mut self, depth: usize, number: Option<u64>, runs: &[Run]) {
        self.end_section();
        let goes_on = |list: &List| list.depth == depth && list.next == number;
        if !self.list.as_ref().is_some_and(goes_on) {
            self.end_list();
        }
        let list = self.list.get_or_insert(List { depth, first: number, next: number, items: Vec::new() });
        list.next = number.map(|number| number + 1);
        list.items.push(json!({ "type": "rich_text_section", "elements": inline(runs) }));
    }

    fn code(&mut self, info: &str, text: &str) {
        let word = info.split(|c: char| c.is_whitespace() || c == ',').next().unwrap_or_default().to_lowercase();
        let known = LANGUAGES.iter().find(|(name, _)| *name == word).map(|(_, slacks)| *slacks);
        let said = word != info.to_lowercase() || known.is_none();
        if said && !NO_LANGUAGE.contains(&info.to_lowercase().as_str()) {
            self.paragraph(&[Run { style: Style::ITALIC, ..Run::plain(info) }]);
        }
        let mut code = json!({ "type": "rich_text_preformatted", "elements": [{ "type": "text", "text": text }] });
        if let (Some(language), Value::Object(fields)) = (known, &mut code) {
            fields.insert("language".to_owned(), json!(language));
        }
        self.element(code);
    }

    fn element(&mut self, element: Value) {
        self.end_section();
        self.end_list();
        self.elements.push(element);
    }

    fn block(&mut self, block: Value) {
        self.end_text();
        self.blocks.push(block);
    }

    fn end_section(&mut self) {
        self.headed = false;
        if !self.section.is_empty() {
            let elements = std::mem::take(&mut self.section);
            self.elements.push(json!({ "type": "rich_text_section", "elements": elements }));
        }
    }

    fn end_list(&mut self) {
        let Some(List { depth, first, items, .. }) = self.list.take() else { return };
        let style = if first.is_some() { "ordered" } else { "bullet" };
        let mut list = json!({ "type": "rich_text_list", "style": style, "indent": depth, "elements": items });
        if let (Some(first), Value::Object(fields)) = (first.filter(|first| *first > 1), &mut list) {
            fields.insert("offset".to_owned(), json!(first - 1));
        }
        self.elements.push(list);
    }

    fn end_text(&mut self) {
        self.end_section();
        self.end_list();
        if !self.elements.is_empty() {
            let elements = std::mem::take(&mut self.elements);
            self.blocks.push(json!({ "type": "rich_text", "elements": elements }));
        }
    }
}

/// A header shows plain text only.
fn is_header(runs: &[Run]) -> bool {
    let plain = |run: &Run| run.link.is_none() && !run.style.has(Style::CODE) && !run.style.has(Style::STRIKE);
    runs.iter().all(plain)
        && (1..=MAX_HEADER_CHARS).contains(&text_of(runs).trim().chars().count())
        && text_of(runs).chars().count() <= MAX_HEADER_CHARS
}

fn inline(runs: &[Run]) -> Vec<Value> {
    runs.iter().filter(|run| !run.text.is_empty()).map(element).collect()
}

fn element(run: &Run) -> Value {
    let mut element = match &run.link {
        Some(url) if run.text == url.as_str() => json!({ "type": "link", "url": url.as_str() }),
        Some(url) => json!({ "type": "link", "url": url.as_str(), "text": run.text }),
        None => json!({ "type": "text", "text": run.text }),
    };
    let names = [("bold", Style::BOLD), ("italic", Style::ITALIC), ("strike", Style::STRIKE), ("code", Style::CODE)];
    let styles: Map<String, Value> = names
        .into_iter()
        .filter(|(_, style)| run.style.has(*style))
        .map(|(name, _)| (name.to_owned(), Value::Bool(true)))
        .collect();
    if let (false, Value::Object(fields)) = (styles.is_empty(), &mut element) {
        fields.insert("style".to_owned(), Value::Object(styles));
    }
    element
}

fn rows(table: &Table) -> Value {
    let rows: Vec<Vec<Value>> =
        table.rows.iter().map(|row| row.iter().map(|cell| self::cell(cell)).collect()).collect();
    let columns = table.rows.iter().map(Vec::len).max().unwrap_or(0);
    let settings: Vec<Value> = (0..columns)
        .map(|at| {
            let align = match table.aligns.get(at).copied().unwrap_or(Align::Left) {
                Align::Left => "left",
                Align::Center => "center",
                Align::Right => "right",
            };
            let cells = table.rows.iter().filter_map(|row| row.get(at));
            let longest = cells.map(|cell| text_of(cell).chars().count()).max().unwrap_or(0);
            json!({ "align": align, "is_wrapped": longest > WRAPPED_CHARS })
        })
        .collect();
    json!({ "type": "table", "rows": rows, "column_settings": settings })
}

fn cell(runs: &[Run]) -> Value {
    if runs.iter().all(|run| run.link.is_none() && run.style.is_plain()) {
        let text = text_of(runs);
        let text = if text.is_empty() { EMPTY_CELL } else { &text };
        return json!({ "type": "raw_text", "text": text });
    }
    let section = json!({ "type": "rich_text_section", "elements": inline(runs) });
    json!({ "type": "rich_text", "elements": [section] })
}
