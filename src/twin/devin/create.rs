//! Creating a session. Where the documents leave it open what is refused, this is: an id that means nothing, a limit of
//! nothing, a schema that refers to elsewhere.

use std::collections::VecDeque;

use serde_json::{Map, Value};

use super::{
    api::{Asked, Problem, Reply},
    check::Fields,
    objects::View,
    sessions::{MAX_TAGS, add_tags, answer, as_user, first_line, known_files, missing},
    state::{Extras, Principal, Session, SessionSecret, State},
};
use crate::{
    domain::{ids::SessionId, status::Status},
    twin::ids::unique,
};

/// Most bytes of a schema for structured output.
const MAX_SCHEMA_BYTES: usize = 64 * 1024;
/// Most characters of a session secret's name, and of its value.
const MAX_SECRET_CHARS: (usize, usize) = (256, 65_536);
/// Modes of the newest schema.
const MODES: &[&str] = &["normal", "fast", "lite", "ultra", "fusion"];
/// Machines that this organisation has.
const PLATFORMS: &[&str] = &["inherit", "linux", "windows"];

pub(super) fn create(asked: &mut Asked<'_>) -> Reply {
    let wanted = Wanted::read(asked.json())?;
    known(asked.state, &wanted)?;
    let user = as_user(asked, wanted.create_as)?;
    let (owner, service_user_id) = match &asked.key.principal {
        Principal::ServiceUser { id, .. } => (user.clone(), Some(id.clone())),
        Principal::PatUser { id, .. } => (Some(user.clone().unwrap_or_else(|| id.clone())), None),
    };
    let id: SessionId = unique(asked.now).simple().to_string().parse().map_err(|_| missing())?;
    let urls = wanted.attachment_urls;
    let mut session = Session {
        id: id.clone(),
        title: wanted.title.unwrap_or_else(|| first_line(&wanted.prompt)),
        status: Status::New,
        detail: None,
        tags: Vec::new(),
        created_at: asked.now,
        updated_at: asked.now,
        acus: 0.0,
        pull_requests: Vec::new(),
        structured_output: None,
        category: Some("feature_development".to_owned()),
        user_id: owner,
        service_user_id,
        playbook_id: wanted.playbook_id,
        devin_mode: Some(wanted.devin_mode.unwrap_or_else(|| "normal".to_owned())),
        archived: false,
        repos: wanted.repos,
        files: known_files(asked.state, &urls),
        attachment_urls: urls.clone(),
        max_acu_limit: wanted.max_acu_limit,
        extras: wanted.extras,
        messages: Vec::new(),
        script: VecDeque::new(),
        scripted: asked.state.scripted,
        prompt: wanted.prompt.clone(),
    };
    add_tags(&mut session, wanted.tags);
    asked.state.sessions.push(session);
    asked.state.tell(asked.now, &id, wanted.prompt, user, urls);
    asked.state.begin_script(&id, asked.now);
    answer(asked.state, &id, View::Written)
}

/// Refuses what does not exist.
fn known(state: &State, wanted: &Wanted) -> Result<(), Problem> {
    if let Some(platform) = wanted.extras.platform.as_ref().filter(|name| !PLATFORMS.contains(&name.as_str())) {
        let known = PLATFORMS.join(", ");
        return Err(Problem::new(400, &format!("Unknown platform '{platform}'. Valid platforms: {known}")));
    }
    for id in wanted.playbook_id.iter().chain(&wanted.extras.child_playbook_id) {
        if !state.playbooks.iter().any(|playbook| &playbook.id == id) {
            return Err(Problem::new(404, "Playbook not found"));
        }
    }
    for id in wanted.extras.secret_ids.iter().flatten() {
        if !state.secrets.iter().any(|secret| &secret.id == id) {
            return Err(Problem::new(404, "Secret not found"));
        }
    }
    Ok(())
}

/// A `SessionCreateRequest`.
struct Wanted {
    prompt: String,
    title: Option<String>,
    tags: Vec<String>,
    repos: Vec<String>,
    playbook_id: Option<String>,
    attachment_urls: Vec<String>,
    max_acu_limit: Option<i64>,
    devin_mode: Option<String>,
    create_as: Option<String>,
    extras: Extras,
}

impl Wanted {
    fn read(body: &Value) -> Result<Self, Problem> {
        let mut fields = Fields::of(body);
        let wanted = Self {
            prompt: fields.required("prompt"),
            title: fields.text("title"),
            tags: fields.texts_up_to("tags", MAX_TAGS).unwrap_or_default(),
            repos: fields.texts("repos").unwrap_or_default(),
            playbook_id: fields.text("playbook_id"),
            attachment_urls: fields.urls("attachment_urls"),
            max_acu_limit: fields.positive("max_acu_limit"),
            devin_mode: fields.choice("devin_mode", MODES),
            create_as: fields.text("create_as_user_id"),
            extras: extras(&mut fields),
        };
        fields.done()?;
        Ok(wanted)
    }
}

fn extras(fields: &mut Fields<'_>) -> Extras {
    Extras {
        child_playbook_id: fields.text("child_playbook_id"),
        knowledge_ids: fields.texts("knowledge_ids"),
        secret_ids: fields.texts("secret_ids"),
        session_secrets: secrets(fields),
        platform: fields.text("platform"),
        bypass_approval: fields.flag("bypass_approval"),
        resumable: fields.flag_not_null("resumable"),
        structured_output_schema: schema(fields),
        structured_output_required: fields.flag("structured_output_required"),
        session_links: fields.texts("session_links").unwrap_or_default(),
    }
}

fn schema(fields: &mut Fields<'_>) -> Option<Value> {
    let schema = fields.object("structured_output_schema", MAX_SCHEMA_BYTES)?;
    if refers_elsewhere(schema) {
        fields.wrong("structured_output_schema", "External references are not allowed", "value_error");
    }
    Some(schema.clone())
}

fn refers_elsewhere(value: &Value) -> bool {
    let here = |(name, value): (&String, &Value)| {
        name == "$ref" && value.as_str().is_some_and(|to| !to.starts_with('#')) || refers_elsewhere(value)
    };
    match value {
        Value::Object(fields) => fields.iter().any(here),
        Value::Array(items) => items.iter().any(refers_elsewhere),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => false,
    }
}

fn secrets(fields: &mut Fields<'_>) -> Vec<SessionSecret> {
    let name = "session_secrets";
    let items = fields.objects(name);
    let read: Option<Vec<SessionSecret>> = items.into_iter().map(secret).collect();
    if read.is_none() {
        fields.wrong(name, "Input should have a key of 1 to 256 and a value of up to 65536 characters", "value_error");
    }
    read.unwrap_or_default()
}

fn secret(item: &Map<String, Value>) -> Option<SessionSecret> {
    let text = |name: &str, from: usize, to: usize| {
        let text = item.get(name)?.as_str()?;
        (from..=to).contains(&text.chars().count()).then(|| text.to_owned())
    };
    Some(SessionSecret {
        key: text("key", 1, MAX_SECRET_CHARS.0)?,
        value: text("value", 0, MAX_SECRET_CHARS.1)?,
        sensitive: item.get("sensitive").map_or(Some(true), Value::as_bool)?,
    })
}
