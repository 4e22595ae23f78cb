//! Escaping, and Markdown as text alone.

use super::{markdown::pieces, plain::plain};

/// Slack's three special characters, made harmless. Once: text that is escaped already shows its entities.
pub fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Markdown as escaped text without looks: for places that hold one line or two.
pub fn plain_to_mrkdwn(markdown: &str) -> String {
    plain(&pieces(markdown))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn becomes(markdown: &str, text: &str) {
        assert_eq!(plain_to_mrkdwn(markdown), text);
    }

    #[test]
    fn marks_are_gone_and_structure_stays() {
        becomes("**bold**, *italic*, ~~gone~~ and `code`", "bold, italic, gone and code");
        becomes("# Done\n\n## **All** of it ##\ntext", "Done\nAll of it\ntext");
        becomes("- one\n  * two\n\n3. three\n4. four", "• one\n    • two\n3. three\n4. four");
        becomes("- [x] done\n- [ ] open", "• ☑ done\n• ☐ open");
        becomes("> quoted <b>\n> and more", "> quoted &lt;b&gt;\n> and more");
        becomes("2 * 3 * 4, a ** b, #5 and C#", "2 * 3 * 4, a ** b, #5 and C#");
        becomes("```rust\nlet a = **b;\n```", "```\nlet a = **b;\n```");
        becomes("one\n\n---\n\ntwo<br>three", "one\n\n———\n\ntwo\nthree");
    }

    #[test]
    fn nothing_can_call_anybody_or_lie() {
        becomes("<!channel> <@U1> & <!here|x>", "&lt;!channel&gt; &lt;@U1&gt; &amp; &lt;!here|x&gt;");
        becomes("[<!channel>](https://loom.example)", "&lt;!channel&gt; (https://loom.example/)");
        becomes("[https://good.example](https://evil.example/x)", "https://good.example (https://evil.example/x)");
        becomes("[x](javascript:alert) and [ ] open", "x (javascript:alert) and [ ] open");
        becomes("https://loom.example/a_b_c", "https://loom.example/a_b_c");
        becomes("![diagram](https://loom.example/d.png)", "diagram (https://loom.example/d.png)");
    }

    #[test]
    fn what_markdown_hides_is_written_out() {
        becomes("text\n\n[unused]: https://loom.example/x", "text\n\n[unused]: https://loom.example/x");
        becomes("[used][a]\n\n[a]: https://loom.example/x 'the title'", "used (https://loom.example/x) (the title)");
        becomes("| a |\n|---|\n| 1 | 2 | 3 |", "```\na\n---------\n1 | 2 | 3\n```");
        becomes("<details>hidden</details>", "&lt;details&gt;hidden&lt;/details&gt;");
        becomes("3. three\n7. seven\n7. eight", "3. three\n7. seven\n8. eight");
        becomes("\u{1b}[31mred\u{1b}[0m\u{7} text", "red text");
    }

    #[test]
    fn a_table_stands_in_columns() {
        let table = "| Test | ms |\n|:--|--:|\n| login | 12 |\n| 日本語 | 7 |";
        becomes(table, "```\nTest    ms\n------  --\nlogin   12\n日本語   7\n```");
    }
}
