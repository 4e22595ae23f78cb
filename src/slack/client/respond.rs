//! What goes to a `response_url`: the address that comes with a button, a command or a shortcut, for half an hour and five
//! answers. <https://docs.slack.dev/interactivity/handling-user-interaction#message_responses>

use serde_json::{Map, Value, json};

use crate::domain::ids::Ts;

/// An answer at a `response_url`.
#[derive(Debug, Clone, PartialEq)]
pub enum Response {
    /// A new message that only the person sees.
    Beside {
        /// In which thread; `None`: in the channel.
        thread: Option<Ts>,
        /// mrkdwn.
        text: String,
        /// Block Kit.
        blocks: Option<Value>,
    },
    /// In the place of the message whose button was pressed.
    Instead {
        /// mrkdwn.
        text: String,
        /// Block Kit; without it the message loses the blocks it had.
        blocks: Option<Value>,
    },
    /// The message whose button was pressed goes away.
    Away,
}

impl Response {
    pub(super) fn body(&self) -> Value {
        let mut body = Map::new();
        let (text, blocks) = match self {
            Self::Beside { thread, text, blocks } => {
                body.insert("response_type".to_owned(), json!("ephemeral"));
                body.insert("replace_original".to_owned(), json!(false));
                body.extend(thread.as_ref().map(|thread| ("thread_ts".to_owned(), json!(thread))));
                (text, blocks)
            }
            Self::Instead { text, blocks } => {
                body.insert("replace_original".to_owned(), json!(true));
                (text, blocks)
            }
            // Slack takes this one alone.
            Self::Away => return json!({ "delete_original": true }),
        };
        body.insert("text".to_owned(), json!(text));
        body.extend(blocks.as_ref().map(|blocks| ("blocks".to_owned(), blocks.clone())));
        Value::Object(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_answer_has_slacks_form() {
        let beside = |thread| Response::Beside { thread, text: "hello".to_owned(), blocks: None };
        assert_eq!(
            beside(None).body(),
            json!({ "response_type": "ephemeral", "replace_original": false, "text": "hello" })
        );
        assert_eq!(
            beside(Some("1.2".parse().unwrap())).body(),
            json!({ "response_type": "ephemeral", "replace_original": false, "thread_ts": "1.2", "text": "hello" })
        );
        let instead = Response::Instead { text: "done".to_owned(), blocks: Some(json!([])) };
        assert_eq!(instead.body(), json!({ "replace_original": true, "text": "done", "blocks": [] }));
        assert_eq!(Response::Away.body(), json!({ "delete_original": true }));
    }
}
