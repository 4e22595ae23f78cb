//! The `table` block. <https://docs.slack.dev/reference/block-kit/blocks/table-block>

use serde_json::{Map, Value};

use super::{Checker, text_chars};

/// Most rows.
const MAX_ROWS: usize = 100;
/// Most cells of a row, and most settings of columns.
const MAX_COLUMNS: usize = 20;
/// Most characters in all cells of a table, and of all tables of a message.
const MAX_CHARS: usize = 10_000;

impl Checker {
    pub(super) fn table(&mut self, block: &Value, fields: &Map<String, Value>, path: &str) {
        self.known(fields, path, &["rows", "column_settings"]);
        self.tables += 1;
        if self.tables > 1 {
            self.error("only_one_table_allowed", path);
        }
        self.at_most(&format!("{path}/rows"), text_chars(std::slice::from_ref(block)), MAX_CHARS);
        let given = fields.get("rows").unwrap_or(&Value::Null);
        for (at, row) in self.items(given, &format!("{path}/rows"), MAX_ROWS).iter().enumerate() {
            let place = format!("{path}/rows/{at}");
            for (column, cell) in self.items(row, &place, MAX_COLUMNS).iter().enumerate() {
                self.cell(cell, &format!("{place}/{column}"));
            }
        }
        if let Some(settings) = fields.get("column_settings") {
            let place = format!("{path}/column_settings");
            for (at, setting) in self.items(settings, &place, MAX_COLUMNS).iter().enumerate() {
                self.column(setting, &format!("{place}/{at}"));
            }
        }
    }

    fn cell(&mut self, cell: &Value, path: &str) {
        let Some(fields) = cell.as_object() else { return self.error("must be an object", path) };
        match fields.get("type").and_then(Value::as_str) {
            Some("raw_text") => {
                self.known(fields, path, &["text"]);
                self.required_string(fields, "text", path, MAX_CHARS);
            }
            Some("rich_text") => self.rich_text(fields, path),
            Some(_) | None => self.error("failed to match all allowed schemas", path),
        }
    }

    fn column(&mut self, setting: &Value, path: &str) {
        // A column may be left as it is.
        let Some(fields) = setting.as_object() else {
            if !setting.is_null() {
                self.error("must be an object", path);
            }
            return;
        };
        self.known(fields, path, &["align", "is_wrapped"]);
        let align = fields.get("align").map(|align| align.as_str().unwrap_or_default());
        if align.is_some_and(|align| !matches!(align, "left" | "center" | "right")) {
            self.error("must be one of left, center, right", &format!("{path}/align"));
        }
        if fields.get("is_wrapped").is_some_and(|wrapped| !wrapped.is_boolean()) {
            self.error("must be a boolean", &format!("{path}/is_wrapped"));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{
        super::{Surface, check, tests::errors},
        *,
    };

    fn table(rows: usize, columns: usize, cell: &str) -> Value {
        let row = vec![json!({ "type": "raw_text", "text": cell }); columns];
        json!({ "type": "table", "rows": vec![row; rows] })
    }

    #[test]
    fn a_table_has_its_limits() {
        assert_eq!(errors(table(100, 20, "a")), Vec::<String>::new());
        assert!(!errors(table(101, 1, "a")).is_empty());
        assert!(!errors(table(1, 21, "a")).is_empty());
        assert!(!errors(table(0, 0, "a")).is_empty());
        assert!(!errors(table(1, 1, "")).is_empty());
        assert!(errors(table(10, 1, &"é".repeat(1000))).is_empty());
        assert!(!errors(table(10, 1, &"é".repeat(1001))).is_empty(), "10,000 characters in all");
    }

    #[test]
    fn a_message_takes_one_table() {
        let found = check(&[table(1, 1, "a"), table(1, 1, "b")], Surface::Message);
        assert_eq!(found, ["only_one_table_allowed [json-pointer:/blocks/1]"]);
    }

    #[test]
    fn cells_and_columns_are_looked_at() {
        let mut block = table(1, 1, "a");
        block["column_settings"] = json!([{ "align": "middle" }]);
        assert_eq!(errors(block).len(), 1);
        let linked = json!({ "type": "rich_text", "elements": [{ "type": "rich_text_section", "elements":
            [{ "type": "link", "url": "https://loom.example" }] }] });
        assert_eq!(errors(json!({ "type": "table", "rows": [[linked]] })), Vec::<String>::new());
        let odd = json!({ "type": "mrkdwn", "text": "a" });
        assert_eq!(errors(json!({ "type": "table", "rows": [[odd]] })).len(), 1);
    }
}
