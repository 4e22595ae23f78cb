//! The bytes of an input, as they came and as they are stored.

use std::fmt;

use serde::{Deserialize, Serialize, Serializer};

/// The bytes of an input as they came: text where they are UTF-8 (nearly always), else hexadecimal in the stored form.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(from = "BodyForm")]
pub struct Body(Vec<u8>);

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum BodyForm {
    Text(String),
    Bytes { hex: String },
}

impl Body {
    /// The bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Body {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl From<BodyForm> for Body {
    fn from(form: BodyForm) -> Self {
        match form {
            BodyForm::Text(text) => Self(text.into_bytes()),
            BodyForm::Bytes { hex } => Self(hex::decode(&hex).unwrap_or_else(|_| hex.into_bytes())),
        }
    }
}

impl Serialize for Body {
    /// By hand, because the derived way copies the body first, and the door waits for this.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => BodyForm::Bytes { hex: hex::encode(&self.0) }.serialize(serializer),
        }
    }
}

impl fmt::Debug for Body {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Body({} bytes)", self.0.len())
    }
}
