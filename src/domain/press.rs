//! Where a pressed button belongs: its value begins with the first message of its thread, because what only one person
//! sees does not always say which thread it is about. The rest of the value is signed over the thread, so that one that
//! was changed on its way is refused by whoever handles it.

use super::ids::Ts;

/// Separates the thread from the rest of a value.
const SEPARATOR: char = ':';

/// The value of a button of a thread.
pub fn value(root: &Ts, rest: &str) -> String {
    format!("{root}{SEPARATOR}{rest}")
}

/// The thread's first message and the rest; `None` for a value that no thread's button has.
pub fn split(value: &str) -> Option<(Ts, &str)> {
    let (root, rest) = value.split_once(SEPARATOR)?;
    Some((root.parse().ok()?, rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_names_its_thread() {
        let root: Ts = "1700000000.000100".parse().unwrap();
        assert_eq!(split(&value(&root, "a:b")), Some((root, "a:b")));
        assert_eq!(split("open"), None);
        assert_eq!(split("x:y"), None);
    }
}
