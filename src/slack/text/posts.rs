//! A text as the posts that carry it.
//!
//! A post holds whole pieces where it can; what is longer than a post is cut after a line or a word, and code that is
//! cut is code again in the next post. Slack does not document how long all blocks of a message may be: messages of
//! 11,341 characters were refused, and whether the JSON around the text counts is not known. So both are bounded: the
//! text, which also has to fit the field for plain text (4,000 characters are advised), and the JSON as it is sent.
//!
//! A text that would need more than three posts is better read as a file. Only as much of it is parsed as three posts
//! can hold, so that the longest text costs no more than a short one.

use serde_json::Value;

use super::{
    blocks::{blocks, fits},
    markdown::pieces,
    piece::Piece,
    plain::{aligned, plain},
};

/// Most posts that one text becomes.
pub const MAX_POSTS: usize = 3;
/// Most characters of a post's text.
const MAX_POST_CHARS: usize = 3_500;
/// Most characters of a post's blocks as JSON; what others add, such as buttons, has room up to ten thousand.
const MAX_POST_JSON_CHARS: usize = 8_000;
/// Most blocks of a post: Slack takes 50, and others add some.
const MAX_POST_BLOCKS: usize = 40;
/// Characters that the marks around a piece cost.
const MARKS_CHARS: usize = 12;
/// As much of a text is parsed: a multiple of what the posts hold, because marks and addresses are not shown.
const MAX_PARSED_CHARS: usize = 8 * MAX_POSTS * MAX_POST_CHARS;

/// One post.
#[derive(Debug, Clone, PartialEq)]
pub struct Post {
    /// Escaped text: what notifications show, and all of the post in case that Slack refuses the blocks.
    pub text: String,
    /// Block Kit blocks.
    pub blocks: Vec<Value>,
}

/// A text, ready to be posted.
#[derive(Debug, Clone, PartialEq)]
pub enum Posts {
    /// These posts hold all of it.
    Whole(Vec<Post>),
    /// It is too long for posts; this is its beginning.
    Begun(Post),
}

/// Lays a Markdown text out. A text without anything to show has no posts.
pub fn posts(markdown: &str) -> Posts {
    let parsed = markdown.char_indices().nth(MAX_PARSED_CHARS).map(|(at, _)| at);
    let (head, rest) = markdown.split_at_checked(parsed.unwrap_or(markdown.len())).unwrap_or((markdown, ""));
    let mut packer = Packer { waiting: pieces(head), ..Packer::default() };
    packer.waiting.reverse();
    let complete = packer.pack() && rest.trim().is_empty();
    let mut posts = packer.posts.into_iter().map(|pieces| Post { text: plain(&pieces), blocks: blocks(&pieces) });
    if complete {
        return Posts::Whole(posts.collect());
    }
    match posts.next() {
        Some(first) => Posts::Begun(first),
        None => Posts::Whole(Vec::new()),
    }
}

#[derive(Default)]
struct Packer {
    /// What is still to be packed, the next piece last.
    waiting: Vec<Piece>,
    posts: Vec<Vec<Piece>>,
    now: Page,
}

/// The post being filled.
#[derive(Default)]
struct Page {
    pieces: Vec<Piece>,
    chars: usize,
    json: usize,
    blocks: usize,
    has_table: bool,
}

impl Packer {
    /// Fills posts; whether all of it found room.
    fn pack(&mut self) -> bool {
        while let Some(piece) = self.waiting.pop() {
            if self.posts.len() >= MAX_POSTS {
                return false;
            }
            let piece = self.now.as_taken(piece);
            let size = Size::of(&piece, self.now.pieces.last());
            if self.now.takes(&size) {
                self.now.add(piece, &size);
            } else if self.now.pieces.is_empty() || (piece.is_divisible() && size.is_long() && self.now.has_room()) {
                self.split(&piece, &size);
            } else {
                self.waiting.push(piece);
                self.turn();
            }
        }
        self.turn();
        self.posts.len() <= MAX_POSTS
    }

    /// Puts the beginning of a piece into the post, and the rest into those after it.
    fn split(&mut self, piece: &Piece, size: &Size) {
        let room = (MAX_POST_CHARS - self.now.chars).saturating_sub(MARKS_CHARS);
        // Characters that JSON writes longer than they are, and runs of many looks, need room of their own.
        let json = (MAX_POST_JSON_CHARS - self.now.json).saturating_sub(MARKS_CHARS);
        let by_json = size.chars * json / size.json.max(1);
        let mut room = room.min(by_json).max(1);
        loop {
            let (head, tail) = piece.clone().cut(room);
            let size = Size::of(&head, self.now.pieces.last());
            if self.now.takes(&size) || room == 1 || (tail.is_none() && room < size.chars) {
                self.now.add(head, &size);
                self.waiting.extend(tail);
                return self.turn();
            }
            room /= 2;
        }
    }

    /// Ends the post. A heading goes with what it heads.
    fn turn(&mut self) {
        let mut page = std::mem::take(&mut self.now);
        while page.pieces.len() > 1
            && !self.waiting.is_empty()
            && matches!(page.pieces.last(), Some(Piece::Heading { .. }))
        {
            self.waiting.extend(page.pieces.pop());
        }
        if !page.pieces.is_empty() {
            self.posts.push(page.pieces);
        }
    }
}

/// How much room a piece takes behind what stands there already.
struct Size {
    chars: usize,
    json: usize,
    blocks: usize,
}

impl Size {
    fn of(piece: &Piece, before: Option<&Piece>) -> Self {
        let chars = match piece {
            // The words, not what escaping and alignment make of them.
            Piece::Table(table) => table.rows.iter().flatten().flatten().map(|run| run.text.chars().count()).sum(),
            Piece::Heading { runs, .. } | Piece::Paragraph(runs) | Piece::Item { runs, .. } | Piece::Quote(runs) => {
                runs.iter().map(|run| run.text.chars().count()).sum()
            }
            Piece::Code { text, .. } => text.chars().count(),
            Piece::Rule => 0,
        };
        let pair: Vec<Piece> = before.into_iter().chain([piece]).cloned().collect();
        let ((json, blocks), (json_before, blocks_before)) =
            (written(&pair), written(pair.split_last().map_or(&[], |(_, first)| first)));
        Self {
            chars: chars + MARKS_CHARS,
            json: json.saturating_sub(json_before),
            blocks: blocks.saturating_sub(blocks_before),
        }
    }

    fn is_long(&self) -> bool {
        self.chars > MAX_POST_CHARS / 2 || self.json > MAX_POST_JSON_CHARS / 2
    }
}

/// Characters of pieces as JSON, and how many blocks they are.
fn written(pieces: &[Piece]) -> (usize, usize) {
    let blocks = blocks(pieces);
    (blocks.iter().map(|block| block.to_string().chars().count()).sum(), blocks.len())
}

impl Page {
    fn takes(&self, size: &Size) -> bool {
        self.chars + size.chars <= MAX_POST_CHARS
            && self.json + size.json <= MAX_POST_JSON_CHARS
            && self.blocks + size.blocks <= MAX_POST_BLOCKS
    }

    fn has_room(&self) -> bool {
        self.chars < MAX_POST_CHARS / 2 && self.json < MAX_POST_JSON_CHARS / 2 && self.blocks < MAX_POST_BLOCKS / 2
    }

    /// A table that the table block does not take becomes aligned text.
    fn as_taken(&self, piece: Piece) -> Piece {
        let size = Size::of(&piece, None);
        let alone = size.json <= MAX_POST_JSON_CHARS && size.chars <= MAX_POST_CHARS;
        match &piece {
            Piece::Table(table) if !fits(table) || !alone || self.has_table => {
                Piece::Code { language: String::new(), text: aligned(table) }
            }
            Piece::Table(_)
            | Piece::Heading { .. }
            | Piece::Paragraph(_)
            | Piece::Item { .. }
            | Piece::Quote(_)
            | Piece::Code { .. }
            | Piece::Rule => piece,
        }
    }

    fn add(&mut self, piece: Piece, size: &Size) {
        self.chars += size.chars;
        self.json += size.json;
        self.blocks += size.blocks;
        self.has_table |= matches!(piece, Piece::Table(_));
        self.pieces.push(piece);
    }
}

#[cfg(test)]
mod tests {
    use std::{fmt::Write as _, time::Instant};

    use super::*;

    fn whole(markdown: &str) -> Vec<Post> {
        match posts(markdown) {
            Posts::Whole(posts) => posts,
            Posts::Begun(first) => panic!("too long: {}", first.text),
        }
    }

    fn kinds(post: &Post) -> Vec<&str> {
        post.blocks.iter().map(|block| block["type"].as_str().unwrap()).collect()
    }

    #[test]
    fn a_short_text_is_one_post_and_an_empty_one_none() {
        let posts = whole("# Done\n\nAll **tests** pass.\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\nBye.");
        assert_eq!(posts.len(), 1);
        assert_eq!(kinds(&posts[0]), ["header", "rich_text", "table", "rich_text"]);
        assert!(whole("").is_empty() && whole(" \n\n ").is_empty());
    }

    #[test]
    fn code_that_is_cut_is_code_of_its_language_again() {
        let lines: String = (0..300).fold(String::new(), |mut code, line| {
            writeln!(code, "let line_{line} = {line};").unwrap();
            code
        });
        let posts = whole(&format!("Before.\n\n```rust\n{lines}```\n\nAfter."));
        assert!(posts.len() > 1);
        assert!(posts.iter().all(|post| post.text.matches("```").count() % 2 == 0), "{posts:#?}");
        let elements =
            posts.iter().flat_map(|post| &post.blocks).flat_map(|block| block["elements"].as_array().unwrap());
        let code: Vec<&Value> = elements.filter(|element| element["type"] == "rich_text_preformatted").collect();
        assert!(code.iter().all(|element| element["language"] == "rust"));
        let lines_of = |element: &&Value| format!("{}\n", element["elements"][0]["text"].as_str().unwrap());
        let found = code.iter().map(lines_of).collect::<Vec<_>>().concat();
        assert_eq!(found, lines, "cut between lines, and whole");
        assert!(posts.last().unwrap().text.ends_with("After."));
    }

    #[test]
    fn a_heading_goes_with_what_it_heads() {
        let text = format!("{}\n\n### The end\n\n{}", "a ".repeat(1_600), "b ".repeat(800));
        let posts = whole(&text);
        assert_eq!(posts.len(), 2);
        assert!(posts[1].text.starts_with("The end"), "{}", posts[1].text);
    }

    #[test]
    fn a_list_that_is_cut_goes_on_counting() {
        let items: String = (1..=120).fold(String::new(), |mut list, item| {
            writeln!(list, "{item}. item number {item} with some words").unwrap();
            list
        });
        let posts = whole(&items);
        assert!(posts.len() > 1);
        let second = &posts[1].blocks[0]["elements"][0];
        let first_item = second["elements"][0]["elements"][0]["text"].as_str().unwrap();
        assert_eq!(first_item, format!("item number {} with some words", second["offset"].as_u64().unwrap() + 1));
    }

    #[test]
    fn tables_beyond_slacks_limits_are_aligned_text() {
        let wide = format!("|{}\n|{}\n|{}", "h|".repeat(21), "-|".repeat(21), "c|".repeat(21));
        assert_eq!(kinds(&whole(&wide)[0]), ["rich_text"]);
        let two = "| a |\n|---|\n| 1 |\n\ntext\n\n| b |\n|---|\n| 2 |";
        assert_eq!(kinds(&whole(two)[0]), ["table", "rich_text"], "one table a message");
        let long = format!("| n | text |\n|---|---|\n{}", "| 1 | some words |\n".repeat(100));
        assert!(whole(&long).iter().all(|post| !kinds(post).contains(&"table")), "101 rows");
    }

    #[test]
    fn a_text_too_long_for_three_posts_gives_its_beginning() {
        let Posts::Begun(first) = posts(&"word ".repeat(4_000)) else { panic!("20,000 characters fit") };
        assert!((3_000..=MAX_POST_CHARS).contains(&first.text.chars().count()), "{}", first.text.len());
        assert!(matches!(posts(&"x".repeat(MAX_PARSED_CHARS + 1)), Posts::Begun(_)));
        assert!(matches!(posts(&format!("x{}y", "\n".repeat(MAX_PARSED_CHARS))), Posts::Begun(_)), "the y is not lost");
    }

    #[test]
    fn hostile_text_costs_no_more_than_any_other() {
        let n = 200_000;
        let hostile = [
            "[".repeat(n),
            "*a ".repeat(n),
            "> ".repeat(n),
            "- ".repeat(n),
            "`".repeat(n),
            "![](".repeat(n),
            "<".repeat(n),
            "|".repeat(n),
            format!("|{}\n|{}\n{}", "a|".repeat(20_000), "-|".repeat(20_000), "|\n".repeat(50_000)),
            "https://".repeat(n),
            "&".repeat(n),
            "a\n".repeat(n),
            "# h\n".repeat(n),
            "[a]: /b\n".repeat(n),
            "_**_".repeat(n),
        ];
        for text in hostile {
            let began = Instant::now();
            drop(posts(&text));
            assert!(
                began.elapsed().as_secs() < 10,
                "{}… took {:?}",
                text.chars().take(8).collect::<String>(),
                began.elapsed()
            );
        }
    }
}
