//! How near a word is to one of ours. Asking "did you mean" about words that nobody got wrong would be worse than not
//! asking, so a slip has to look like one: a letter too many, too few, or two in the wrong order; another letter
//! only in a word that is long enough to be recognised.

/// Words as long as this are still recognised with two slips.
const LONG: usize = 8;

/// Words that are near one of ours and mean something else.
const OTHER_WORDS: [&str; 2] = ["tile", "news"];

/// Whether somebody who wrote `found` probably meant `word`. A letter in the place of another counts from `swaps_from`
/// letters on. Both in small letters.
pub(super) fn is_near(found: &str, word: &str, swaps_from: usize) -> bool {
    if found.len() < 2 || OTHER_WORDS.contains(&found) {
        return false;
    }
    let length = word.chars().count();
    match slips(found, word) {
        1 => length >= swaps_from || found.chars().count() != length || letters(found) == letters(word),
        2 => length >= LONG,
        _ => false,
    }
}

/// The value among `allowed` that was probably meant.
pub fn nearest<'a>(found: &str, allowed: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let found = found.to_lowercase();
    allowed
        .map(|word| (slips(&found, word), word))
        .filter(|(slips, word)| *slips * 2 < word.len())
        .min()
        .map(|(_, w)| w)
}

fn letters(word: &str) -> Vec<char> {
    let mut letters: Vec<char> = word.chars().collect();
    letters.sort_unstable();
    letters
}

/// Letters to add, drop or change, or neighbours to exchange, to make one of the other (optimal string alignment).
fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    // Nothing of ours is that long, and the table grows with the product.
    if a.len().abs_diff(b.len()) > 2 {
        return usize::MAX / 2;
    }
    let mut before: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=b.len()).collect();
    let mut left_a = None;
    for (row, &letter) in a.iter().enumerate() {
        let mut line = vec![row + 1];
        let mut left_b = None;
        for (column, &other) in b.iter().enumerate() {
            let at = |line: &[usize], index: usize| line.get(index).copied().unwrap_or(usize::MAX / 2);
            let mut best = at(&last, column) + usize::from(letter != other);
            best = best.min(at(&last, column + 1) + 1).min(at(&line, column) + 1);
            if left_a == Some(other) && left_b == Some(letter) && column > 0 {
                best = best.min(at(&before, column - 1) + 1);
            }
            line.push(best);
            left_b = Some(other);
        }
        before = std::mem::replace(&mut last, line);
        left_a = Some(letter);
    }
    last.last().copied().unwrap_or(usize::MAX / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_are_counted() {
        for (a, b, count) in [("fast", "fast", 0), ("fats", "fast", 1), ("fastt", "fast", 1), ("rep", "repo", 1)] {
            assert_eq!((slips(a, b), slips(b, a)), (count, count), "{a} {b}");
        }
        assert_eq!(slips("knowlegde", "knowledge"), 1);
        assert_eq!(slips("kitten", "sitting"), 3);
        assert_eq!(slips("", "ab"), 2);
    }

    #[test]
    fn a_short_word_with_another_letter_is_another_word() {
        for (found, word) in [("rep", "repo"), ("mod", "mode"), ("moed", "mode"), ("fastt", "fast"), ("nwe", "new")] {
            assert!(is_near(found, word, LONG), "{found}");
        }
        for (found, word) in [("node", "mode"), ("code", "mode"), ("last", "fast"), ("scheme", "schema"), ("a", "acu")]
        {
            assert!(!is_near(found, word, LONG), "{found}");
        }
        assert!(is_near("playbokk", "playbook", LONG) && is_near("playbok", "playbook", LONG));
    }

    #[test]
    fn the_nearest_value_has_to_be_near() {
        let modes = || ["normal", "fast", "lite", "ultra", "fusion"].into_iter();
        assert_eq!(nearest("fats", modes()), Some("fast"));
        assert_eq!(nearest("Ulta", modes()), Some("ultra"));
        assert_eq!(nearest("production", modes()), None);
    }
}
