//! A session's structured output as people read it: tables, written as Markdown and rendered like Devin's own words. The
//! JSON itself goes beside it as a file, so a table may leave out what does not fit.

use askama::Template;
use serde_json::{Map, Value};

use super::say;

/// The file that holds all of an output.
pub const OUTPUT_FILE: &str = "result.json";
/// What stands above that file.
pub const OUTPUT_CAPTION: &str = "The same as JSON:";

/// Most rows of one table.
const MAX_ROWS: usize = 50;
/// Most columns of one table; Slack's own takes 20, but nobody reads them.
const MAX_COLUMNS: usize = 8;
/// Longest text of one cell.
const MAX_CELL_CHARS: usize = 200;
/// Deepest object whose fields get rows of their own.
const MAX_DEPTH: usize = 3;

#[derive(Template)]
#[template(path = "voice/output.md", config = ".askama.toml")]
struct Output {
    parts: Vec<Part>,
}

/// One table, with its heading where there is more than one.
struct Part {
    name: String,
    table: String,
    left_out: usize,
}

/// The output as Markdown.
pub fn output(value: &Value) -> String {
    let mut parts = Vec::new();
    match value {
        Value::Array(items) => parts.push(list(String::new(), items)),
        Value::Object(fields) => {
            let mut rows = Vec::new();
            flatten(fields, "", 1, &mut rows, &mut parts);
            if !rows.is_empty() {
                parts.insert(0, table(String::new(), &["Field", "Value"].map(str::to_owned), &rows));
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            parts.push(Part { name: String::new(), table: cell(value), left_out: 0 });
        }
    }
    say(&Output { parts })
}

/// An object's fields as rows; lists of objects become tables of their own.
fn flatten(fields: &Map<String, Value>, above: &str, depth: usize, rows: &mut Vec<Vec<String>>, parts: &mut Vec<Part>) {
    for (name, value) in fields {
        let path = if above.is_empty() { name.clone() } else { format!("{above}.{name}") };
        match value {
            Value::Object(inner) if depth < MAX_DEPTH && !inner.is_empty() => {
                flatten(inner, &path, depth + 1, rows, parts);
            }
            Value::Array(items) if items.iter().any(Value::is_object) => parts.push(list(literal(&path), items)),
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) | Value::Object(_) => {
                rows.push(vec![literal(&path), cell(value)]);
            }
        }
    }
}

/// A list: with a column for each field where its items are objects.
fn list(name: String, items: &[Value]) -> Part {
    let mut columns: Vec<&String> = Vec::new();
    for key in items.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if !columns.contains(&key) && columns.len() < MAX_COLUMNS {
            columns.push(key);
        }
    }
    if columns.is_empty() {
        let rows: Vec<Vec<String>> = items.iter().map(|item| vec![cell(item)]).collect();
        return table(name, &["Value".to_owned()], &rows);
    }
    let row = |item: &Value| match item {
        Value::Object(fields) => columns.iter().map(|key| fields.get(*key).map(cell).unwrap_or_default()).collect(),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Array(_) => vec![cell(item)],
    };
    let rows: Vec<Vec<String>> = items.iter().map(row).collect();
    table(name, &columns.iter().map(|key| literal(key)).collect::<Vec<_>>(), &rows)
}

fn table(name: String, columns: &[String], rows: &[Vec<String>]) -> Part {
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let mut table = line(columns);
    let rule: Vec<String> = columns.iter().map(|_| "---".to_owned()).collect();
    for row in std::iter::once(rule.as_slice()).chain(rows.iter().take(MAX_ROWS).map(Vec::as_slice)) {
        table.push('\n');
        table.push_str(&line(row));
    }
    table.push('\n');
    Part { name, table, left_out: rows.len().saturating_sub(MAX_ROWS) }
}

/// One value in a cell: on one line, and nothing in it read as Markdown.
fn cell(value: &Value) -> String {
    match value {
        Value::Null => "–".to_owned(),
        Value::Bool(true) => "yes".to_owned(),
        Value::Bool(false) => "no".to_owned(),
        Value::Number(number) => number.to_string(),
        Value::String(text) => literal(text),
        Value::Array(items) if items.iter().all(|item| !item.is_object() && !item.is_array()) => {
            items.iter().map(cell).collect::<Vec<_>>().join(", ")
        }
        Value::Array(_) | Value::Object(_) => literal(&value.to_string()),
    }
}

/// Text as it is: shortened to one line, with Markdown's marks made harmless.
fn literal(text: &str) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let cut = line.chars().count() > MAX_CELL_CHARS;
    let mut safe = String::with_capacity(line.len());
    for c in line.chars().take(MAX_CELL_CHARS) {
        if c.is_ascii_punctuation() && !matches!(c, '.' | ',' | ':' | ';' | '/' | '-' | '\'' | '"' | '?' | '=' | '%') {
            safe.push('\\');
        }
        safe.push(c);
    }
    if cut {
        safe.push('…');
    }
    safe
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_objects_fields_are_rows_and_a_list_of_objects_is_a_table_of_its_own() {
        let value = json!({
            "verdict": "2 | 3 *pass*",
            "flaky": true,
            "counts": { "passed": 41, "failed": null },
            "labels": ["a", "b"],
            "failures": [{ "test": "login", "line": 7 }, { "test": "logout", "owner": "ada" }],
        });
        insta::assert_snapshot!(output(&value), @r"
        **The result, in the form that was asked for**

        | Field | Value |
        | --- | --- |
        | counts.failed | – |
        | counts.passed | 41 |
        | flaky | yes |
        | labels | a, b |
        | verdict | 2 \| 3 \*pass\* |

        **failures**

        | line | test | owner |
        | --- | --- | --- |
        | 7 | login |  |
        |  | logout | ada |
        ");
    }

    #[test]
    fn a_list_is_a_table_and_what_does_not_fit_is_counted() {
        let rows: Vec<Value> = (0..60).map(|n| json!({ "n": n })).collect();
        let text = output(&json!(rows));
        assert!(text.contains("| 49 |") && !text.contains("| 50 |"), "{text}");
        assert!(text.contains("10 more rows"), "{text}");
        assert!(output(&json!("<!here>")).contains(r"\<\!here\>"));
        assert!(output(&json!([1, 2])).contains("| 2 |"));
    }
}
