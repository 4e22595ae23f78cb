//! Which links may leave, and which of them would lie.
//!
//! A link is made only for web and mail addresses that have no user part (`https://good.example@evil.example`); a label
//! that names another host than the link's is written beside the address instead of over it. What cannot be seen in a
//! label, such as marks that turn its direction round, is taken out before it is compared and before it is shown.

use url::Url;

use super::piece::Run;

/// Longest address that becomes a link; Slack takes so many for a button's.
const MAX_ADDRESS_CHARS: usize = 3_000;

/// Endings of file names that are no ending of any host, so that `package.json` may be a label.
const FILE_ENDINGS: &[&str] = &[
    "cfg", "conf", "cpp", "cs", "css", "csv", "ex", "go", "html", "ini", "java", "jpg", "js", "json", "jsx", "kt",
    "lock", "log", "pdf", "php", "png", "proto", "rb", "scss", "sql", "svg", "swift", "tf", "toml", "ts", "tsx", "txt",
    "vue", "xml", "yaml", "yml",
];

/// What ends an address in running text, in whatever script.
const ENDS: &[char] =
    &['<', '>', '"', '`', '|', '\\', '^', '{', '}', '「', '」', '、', '。', '（', '）', '，', '”', '“', '»', '«'];
/// What ends a sentence and not the address before it.
const TRAILING: &[char] = &['.', ',', ';', ':', '!', '?', '\'', ')', ']', '*', '_', '~'];

/// The address of a link, if it may be one.
pub(super) fn address(target: &str) -> Option<Url> {
    let target = target.trim();
    let url: Url = target.parse().ok()?;
    let web = matches!(url.scheme(), "http" | "https") && url.host_str().is_some_and(|host| !host.is_empty());
    let named = !url.username().is_empty() || url.password().is_some();
    let mail = url.scheme() == "mailto" && url.path().contains('@');
    ((web && !named || mail) && url.as_str().chars().count() <= MAX_ADDRESS_CHARS).then_some(url)
}

/// A label without what cannot be seen in it, on one line.
pub(super) fn visible(label: &str) -> String {
    let seen = |c: char| {
        if c == '\n' || c == '\t' { Some(' ') } else { Some(c).filter(|c| !is_hidden(*c)) }
    };
    label.chars().filter_map(seen).collect()
}

/// Marks that change how the text around them is read and leave nothing to see.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Whether a label looks like the address of another place than the link's.
pub(super) fn lies(label: &str, url: &Url) -> bool {
    let own = if url.scheme() == "mailto" { url.path().to_lowercase() } else { host(url) };
    let bare = |host: &str| host.trim_start_matches("www.").trim_end_matches('.').to_owned();
    let label: String = visible(label).chars().map(as_dot).collect::<String>().to_lowercase();
    let mut words =
        label.split(|c: char| c.is_whitespace() || matches!(c, '(' | ')' | ',' | '"' | '<' | '>' | '[' | ']'));
    words.any(|word| {
        if url.scheme() == "mailto" {
            return word.contains('@') && word.trim_start_matches("mailto:") != own;
        }
        // Every part of an address that can be taken for its host, whatever stands around it.
        let before_path = |part: &'_ str| part.split(['/', '?', '#', '\\']).next().unwrap_or_default().to_owned();
        let named = word.split("://").map(before_path);
        let apart = |c: char| !c.is_alphanumeric() && !matches!(c, '.' | '-' | '_');
        named.into_iter().any(|part| part.split(apart).any(|host| is_domain(host) && bare(host) != bare(&own)))
    })
}

fn host(url: &Url) -> String {
    url.host_str().unwrap_or_default().to_lowercase()
}

/// Letters that are read as a dot, and as a slash.
fn as_dot(c: char) -> char {
    match c {
        '\u{3002}' | '\u{ff0e}' | '\u{ff61}' | '\u{2024}' => '.',
        '\u{2044}' | '\u{2215}' | '\u{29f8}' | '\u{ff0f}' => '/',
        other => other,
    }
}

/// Some names of files look like hosts as well (`main.rs`); writing such a link out costs only beauty.
fn is_domain(word: &str) -> bool {
    let (name, top) = word.trim_end_matches('.').rsplit_once('.').unwrap_or_default();
    let letters = top.chars().all(|c| c.is_alphanumeric() || c == '-') && top.chars().any(char::is_alphabetic);
    !name.is_empty() && letters && top.chars().count() >= 2 && !FILE_ENDINGS.contains(&top)
}

/// Makes links of the bare addresses in a run of plain text.
pub(super) fn linkify(run: Run, out: &mut Vec<Run>) {
    let mut rest = run.text.as_str();
    let mut plain = String::new();
    while let Some(at) = next_address(rest) {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        plain.push_str(before);
        let end = extent(from);
        let (target, after) = from.split_at_checked(end).unwrap_or((from, ""));
        let after_letter = plain.ends_with(char::is_alphanumeric);
        match address(target).filter(|_| !after_letter) {
            Some(url) => {
                if !plain.is_empty() {
                    out.push(Run { text: std::mem::take(&mut plain), ..run.clone() });
                }
                out.push(Run { text: visible(target), style: run.style, link: Some(url) });
            }
            None => plain.push_str(target),
        }
        rest = after;
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        out.push(Run { text: plain, ..run });
    }
}

fn next_address(text: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(found) = text.get(from..)?.find("://") {
        let at = from + found;
        let before = text.get(..at)?;
        if let Some(scheme) = ["https", "http"].iter().find(|scheme| before.ends_with(**scheme)) {
            return Some(at - scheme.len());
        }
        from = at + 3;
    }
    None
}

/// How many bytes an address takes at the start of a text; at least its scheme, so that reading goes on.
fn extent(text: &str) -> usize {
    let end = text.find(|c: char| c.is_whitespace() || is_hidden(c) || ENDS.contains(&c)).unwrap_or(text.len());
    let mut found = text.get(..end).unwrap_or(text);
    let (open, mut close) = (found.matches('(').count(), found.matches(')').count());
    while let Some(last) = found.chars().next_back().filter(|c| TRAILING.contains(c)) {
        if last == ')' && close <= open {
            break;
        }
        close -= usize::from(last == ')');
        found = found.strip_suffix(last).unwrap_or(found);
    }
    found.len().max("http://".len().min(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn links(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        linkify(Run::plain(text), &mut out);
        assert_eq!(out.iter().map(|run| run.text.as_str()).collect::<String>(), text, "nothing is lost");
        out.into_iter().filter_map(|run| run.link.map(|url| url.to_string())).collect()
    }

    #[test]
    fn bare_addresses_become_links_without_the_sentence_around_them() {
        assert_eq!(
            links("see https://loom.example/a_(b), or (https://loom.example/c)."),
            ["https://loom.example/a_(b)", "https://loom.example/c"]
        );
        assert_eq!(links("見て「https://loom.example/あ」。"), ["https://loom.example/%E3%81%82"]);
        assert!(links("xhttps://loom.example and ftp://x.example and https:// and http://").is_empty());
        assert!(links("https://good.example@evil.example/").is_empty(), "a user part pretends to be the host");
    }

    #[test]
    fn a_label_that_names_another_place_lies() {
        let url: Url = "https://evil.example/x".parse().unwrap();
        for label in [
            "https://good.example",
            "good.example",
            "see GOOD.example/path",
            "good\u{200b}.example",
            "good。example",
            "\u{202e}good.example",
            "good.example:443",
            "user@good.example",
            "www.good.example.",
            "https://good.example|x",
            "http://good.example|http://evil.example",
        ] {
            assert!(lies(label, &url), "{label}");
        }
        for label in ["the page", "evil.example", "www.evil.example/other", "v1.2", "3.14", "e.g. this"] {
            assert!(!lies(label, &url), "{label}");
        }
        let mail: Url = "mailto:evil@evil.example".parse().unwrap();
        assert!(lies("good@good.example", &mail) && !lies("write to us", &mail));
    }

    #[test]
    fn only_web_and_mail_addresses_are_links() {
        for target in
            ["javascript:alert(1)", "file:///etc/passwd", "relative", "slack://open", "https://", "data:text/html,x"]
        {
            assert!(address(target).is_none(), "{target}");
        }
        assert!(address("mailto:ada@loom.example").is_some());
        assert!(address(&format!("https://loom.example/{}", "a".repeat(3_000))).is_none());
    }
}
