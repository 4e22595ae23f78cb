//! What follows `/devin`: read the same way at the door, which must know at once whether a form is to be opened, and by
//! whoever answers it.

use super::words::{Order, nearest};

/// What somebody asks for with the slash command.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ask {
    /// The form that starts a session.
    Form,
    /// A session for this task, options included.
    Task(String),
    /// Their sessions.
    List,
    /// As whom their sessions run.
    Whoami,
    /// How all this is used.
    Help,
    /// Something that is said in a session's thread, where Slack allows no commands.
    InThread(Order),
    /// A word that was probably meant to be another.
    Meant {
        /// What was written.
        found: String,
        /// What was probably meant.
        meant: &'static str,
    },
}

/// The words that stand first, or alone.
const WORDS: [&str; 4] = ["new", "list", "whoami", "help"];

impl Ask {
    /// Reads what follows the command. What is none of its words is a task: `/devin fix the login` can hardly mean
    /// anything else.
    pub fn read(text: &str) -> Self {
        let text = text.trim();
        let (first, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        if first.eq_ignore_ascii_case("new") {
            let task = rest.trim();
            return if task.is_empty() { Self::Form } else { Self::Task(task.to_owned()) };
        }
        match Order::read(text) {
            Some(Order::List) => return Self::List,
            Some(Order::Whoami) => return Self::Whoami,
            Some(Order::Help) => return Self::Help,
            Some(order) => return Self::InThread(order),
            None if text.is_empty() => return Self::Help,
            None => {}
        }
        let meant = if rest.is_empty() { nearest(first, WORDS.into_iter()) } else { None };
        let meant = meant.and_then(|meant| WORDS.into_iter().find(|word| *word == meant));
        match meant {
            Some(meant) => Self::Meant { found: first.chars().take(40).collect(), meant },
            None => Self::Task(text.to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_task_needs_no_word_before_it() {
        for text in ["new fix the login", "fix the login", "New  fix the login ", "NEW fix the login"] {
            assert_eq!(Ask::read(text), Ask::Task("fix the login".to_owned()), "{text}");
        }
        assert_eq!(Ask::read("list all open issues"), Ask::Task("list all open issues".to_owned()));
        assert_eq!(Ask::read("helpdesk"), Ask::Task("helpdesk".to_owned()));
    }

    #[test]
    fn words_alone_are_answered() {
        assert_eq!(Ask::read("new"), Ask::Form);
        assert_eq!(Ask::read(""), Ask::Help);
        assert_eq!(Ask::read(" Help "), Ask::Help);
        assert_eq!(Ask::read("list"), Ask::List);
        assert_eq!(Ask::read("who am i?"), Ask::Whoami);
        assert_eq!(Ask::read("stop"), Ask::InThread(Order::Stop));
    }

    #[test]
    fn a_slip_is_asked_about_and_never_becomes_a_session() {
        for (found, meant) in [("lsit", "list"), ("halp", "help"), ("whomai", "whoami"), ("nwe", "new")] {
            assert_eq!(Ask::read(found), Ask::Meant { found: found.to_owned(), meant }, "{found}");
        }
    }
}
