//! The `table` block: rows of cells with plain or rich text.

use std::fmt::Write as _;

use serde_json::Value;

use super::{
    Directory,
    blocks::{items, text},
    plain,
    rich_text::rich_text,
};

/// Appends a `table` block; the first row is its head, as Slack draws it.
pub(super) fn table(out: &mut String, dir: &Directory, block: &Value) {
    let columns = items(block, "column_settings");
    out.push_str(r#"<div class="table-wrap"><table>"#);
    for (at, row) in items(block, "rows").iter().enumerate() {
        out.push_str("<tr>");
        let cells = row.as_array().map(Vec::as_slice).unwrap_or_default();
        for (column, cell) in cells.iter().enumerate() {
            let align = columns.get(column).map(|column| text(column, "align")).unwrap_or_default();
            let class = match align {
                "center" => r#" class="to-center""#,
                "right" => r#" class="to-right""#,
                _ => "",
            };
            let tag = if at == 0 { "th" } else { "td" };
            let _open = write!(out, "<{tag}{class}>");
            if text(cell, "type") == "rich_text" {
                rich_text(out, dir, cell);
            } else {
                out.push_str(&plain(text(cell, "text")));
            }
            let _close = write!(out, "</{tag}>");
        }
        out.push_str("</tr>");
    }
    out.push_str("</table></div>");
}
