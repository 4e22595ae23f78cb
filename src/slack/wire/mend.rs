//! Half emoji: a `\ud83d` without its other half, left where some program cut a text by UTF-16 units.
//!
//! It is legal in JSON and impossible in a Rust string, so that one broken preview in an attachment would make a whole
//! event unreadable. Each half becomes the replacement character, which is written in as many bytes: nothing moves.

use std::borrow::Cow;

/// Bytes of an escape such as `\ud83d`.
const ESCAPE_BYTES: usize = 6;

/// The replacement character as an escape.
const REPLACEMENT: &[u8; ESCAPE_BYTES] = b"\\ufffd";

/// The body with half emoji replaced; borrowed when there are none.
pub fn mend(body: &[u8]) -> Cow<'_, [u8]> {
    let mut mended = Cow::Borrowed(body);
    let mut at = 0;
    while let Some(rest) = body.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(next) = rest.iter().position(|&byte| byte == b'\\') else { break };
        at += next;
        let (length, whole) = escape(body, at);
        if !whole && let Some(place) = mended.to_mut().get_mut(at..at + ESCAPE_BYTES) {
            place.copy_from_slice(REPLACEMENT);
        }
        at += length;
    }
    mended
}

/// How many bytes the escape here takes, and whether it stands for something.
fn escape(body: &[u8], at: usize) -> (usize, bool) {
    match unit(body, at) {
        Some(0xD800..=0xDBFF) => match unit(body, at + ESCAPE_BYTES) {
            Some(0xDC00..=0xDFFF) => (2 * ESCAPE_BYTES, true),
            Some(_) | None => (ESCAPE_BYTES, false),
        },
        Some(0xDC00..=0xDFFF) => (ESCAPE_BYTES, false),
        Some(_) => (ESCAPE_BYTES, true),
        // Another escape, such as a quote or a back-slash: two bytes.
        None => (2, true),
    }
}

/// The UTF-16 unit of an escape.
fn unit(body: &[u8], at: usize) -> Option<u16> {
    let digits = body.get(at..at + ESCAPE_BYTES)?.strip_prefix(b"\\u")?;
    if !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    u16::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn halves_are_replaced_and_pairs_are_kept() {
        let mended = |text: &'static str| String::from_utf8(mend(text.as_bytes()).into_owned()).unwrap();
        assert_eq!(mended(r#"{"a":"x\ud83d"}"#), r#"{"a":"x\ufffd"}"#);
        assert_eq!(mended(r#""\udc4b \ud83d\ud83d\udc4b""#), r#""\ufffd \ufffd\ud83d\udc4b""#);
        assert_eq!(mended(r#""\\ud83d \" \u00e9""#), r#""\\ud83d \" \u00e9""#);
        assert_eq!(mended(r#""\ud8"#), r#""\ud8"#);
        assert!(matches!(mend(br#"{"a":"\ud83d\udc4b"}"#), Cow::Borrowed(_)));
    }

    proptest! {
        #[test]
        fn what_is_mended_is_readable(escapes in r#"(\\ud83d|\\udc4b|\\u00e9|\\\\|\\"|[a-z ]){0,20}"#) {
            let body = format!("\"{escapes}\"");
            let text: Result<String, _> = serde_json::from_slice(&mend(body.as_bytes()));
            prop_assert!(text.is_ok(), "{}", body);
        }

        #[test]
        fn readable_text_is_left_alone(text: String) {
            let body = serde_json::to_vec(&text).unwrap();
            prop_assert!(mend(&body).as_ref() == body.as_slice());
        }
    }
}
