//! The API's front: which operation a path asks for, who asks, what they may do, and errors in Devin's form.
//!
//! Permissions are checked before existence, as the real one does it.

use std::{collections::BTreeMap, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, MatchedPath, Multipart, RawPathParams, Request, State as Shared},
    http::{HeaderMap, Method as Verb, StatusCode, Uri, header},
    middleware,
    response::{IntoResponse, Response},
    routing::{any, get},
};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    attachments::{self, Upload},
    check::Query,
    create, members, messages,
    server::DevinTwin,
    sessions,
    state::{Key, State},
};
use crate::twin::{
    faults::{Breakable, Faults, inject},
    ledger::Call,
};

/// Largest upload; the real limit is not documented.
const MAX_BODY_BYTES: usize = 64 * 1024 * 1024;

/// A refusal.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Problem {
    pub(super) status: u16,
    pub(super) detail: String,
    /// Filled for 422 only.
    pub(super) errors: Vec<Value>,
}

/// What an operation gives.
pub(super) enum Given {
    /// A body.
    Body(Value),
    /// Another address.
    Redirect(String),
}

/// What an operation gives, or a refusal.
pub(super) type Reply = Result<Given, Problem>;

/// One request.
pub(super) struct Asked<'a> {
    pub(super) state: &'a mut State,
    pub(super) now: Timestamp,
    pub(super) key: &'a Key,
    pub(super) params: &'a BTreeMap<String, String>,
    pub(super) query: Query,
    pub(super) body: Body,
}

/// The body of a request.
#[derive(Clone)]
pub(super) enum Body {
    /// As JSON; `Null` when there was none.
    Json(Value),
    /// A file.
    File(Upload),
}

/// What can be asked for.
#[derive(Clone, Copy)]
struct Operation {
    name: &'static str,
    /// Whether it changes nothing.
    reads: bool,
    /// Any one of these permissions suffices; empty: a valid key does.
    permissions: &'static [&'static str],
    run: fn(&mut Asked<'_>) -> Reply,
}

impl Problem {
    /// A refusal.
    pub(super) fn new(status: u16, detail: &str) -> Self {
        Self { status, detail: detail.to_owned(), errors: Vec::new() }
    }

    /// A missing permission.
    pub(super) fn forbidden(permission: &str) -> Self {
        Self::new(403, &format!("Missing permission {permission}"))
    }

    /// A request that does not fit the schema.
    pub(super) fn invalid(errors: Vec<Value>) -> Self {
        Self { status: 422, detail: "Validation failed".to_owned(), errors }
    }

    fn response(&self, instance: &str) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let errors = if self.errors.is_empty() { Value::Null } else { json!(self.errors) };
        // RFC 9110 renamed 422; the HTTP crate still has the old name.
        let title =
            if self.status == 422 { "Unprocessable Content" } else { status.canonical_reason().unwrap_or("Error") };
        let body = json!({
            "type": "about:blank", "title": title, "status": self.status,
            "detail": self.detail, "instance": instance, "errors": errors,
        });
        (status, [(header::CONTENT_TYPE, "application/problem+json")], body.to_string()).into_response()
    }
}

impl Asked<'_> {
    /// Refuses a key without this permission.
    pub(super) fn need(&self, permission: &str) -> Result<(), Problem> {
        let held = self.key.permissions.contains(permission);
        if held { Ok(()) } else { Err(Problem::forbidden(permission)) }
    }

    /// A part of the path.
    pub(super) fn param(&self, name: &str) -> &str {
        self.params.get(name).map(String::as_str).unwrap_or_default()
    }

    /// The body as JSON.
    pub(super) fn json(&self) -> &Value {
        match &self.body {
            Body::Json(value) => value,
            Body::File(_) => &Value::Null,
        }
    }
}

impl DevinTwin {
    /// The twin as a web server: `/v3/…`, `/v3beta1/…`, and the addresses of attachments.
    pub fn router(self: &Arc<Self>) -> Router {
        let mut router = Router::new();
        for path in [
            "/v3/self",
            "/v3/organizations/{org}/sessions",
            "/v3/organizations/{org}/sessions/{session}",
            "/v3/organizations/{org}/sessions/{session}/archive",
            "/v3/organizations/{org}/sessions/{session}/unarchive",
            "/v3/organizations/{org}/sessions/{session}/messages",
            "/v3/organizations/{org}/sessions/{session}/tags",
            "/v3/organizations/{org}/sessions/{session}/attachments",
            "/v3/organizations/{org}/attachments",
            "/v3/organizations/{org}/attachments/{uuid}/{name}",
            "/v3/organizations/{org}/playbooks",
            "/v3/organizations/{org}/secrets",
            "/v3beta1/organizations/{org}/members/users",
            "/v3beta1/organizations/{org}/members/idp-users",
            "/attachments/{uuid}/{name}",
        ] {
            router = router.route(path, any(serve));
        }
        router
            .route("/presigned/{uuid}/{name}", get(attachments::presigned))
            .layer(middleware::from_fn_with_state(Arc::clone(self), inject::<Self>))
            .layer(DefaultBodyLimit::max(MAX_BODY_BYTES))
            .with_state(Arc::clone(self))
    }

    pub(super) fn enter(&self, method: &str, outcome: Result<(), String>, args: String) {
        let call = Call { at: self.now(), method: method.to_owned(), outcome, args };
        self.quietly(|state| state.ledger.push(call));
    }

    fn reply(&self, operation: Operation, headers: &HeaderMap, heard: &Heard) -> Reply {
        let now = self.now();
        self.script_step();
        let run = |state: &mut State| {
            let bearer = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
            let token = bearer.and_then(|value| value.strip_prefix("Bearer ")).unwrap_or_default();
            let key = state.keys.get(token).cloned().ok_or_else(|| Problem::new(401, "Invalid credentials"))?;
            let permitted = operation.permissions.iter().any(|name| key.permissions.contains(*name));
            if let (Some(first), false) = (operation.permissions.first(), permitted) {
                return Err(Problem::forbidden(first));
            }
            if heard.params.get("org").is_some_and(|org| org != state.org.as_str()) {
                return Err(Problem::new(404, "Organization not found"));
            }
            let body = heard.body.clone()?;
            let query = heard.query.clone();
            (operation.run)(&mut Asked { state, now, key: &key, params: &heard.params, query, body })
        };
        if operation.reads { self.quietly(run) } else { self.change(run) }
    }
}

impl Breakable for DevinTwin {
    fn faults(&self) -> &Faults {
        Self::faults(self)
    }

    fn operation(&self, request: &Request) -> String {
        let path = request.extensions().get::<MatchedPath>().map(|path| path.as_str().to_owned());
        let path = path.unwrap_or_else(|| request.uri().path().to_owned());
        if path.ends_with("/presigned/{uuid}/{name}") {
            return "presigned".to_owned();
        }
        find(request.method(), &path).map_or(path, |operation| operation.name.to_owned())
    }

    fn refuse(&self, status: StatusCode, code: &str) -> Response {
        Problem::new(status.as_u16(), code).response("")
    }

    fn note(&self, operation: &str, outcome: String) {
        self.enter(operation, Err(outcome), "{}".to_owned());
    }

    fn time(&self) -> Timestamp {
        self.now()
    }
}

/// A request once it was read.
struct Heard {
    params: BTreeMap<String, String>,
    query: Query,
    body: Result<Body, Problem>,
}

async fn serve(
    Shared(twin): Shared<Arc<DevinTwin>>,
    path: MatchedPath,
    params: RawPathParams,
    request: Request,
) -> Response {
    let (verb, uri, headers) = (request.method().clone(), request.uri().clone(), request.headers().clone());
    let Some(operation) = find(&verb, path.as_str()) else {
        return Problem::new(405, "Method Not Allowed").response(uri.path());
    };
    let params = params.iter().map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
    let body = read_body(operation.name, &headers, request).await;
    let heard = Heard { params, query: Query::read(uri.query().unwrap_or_default()), body };
    let args = summary(&heard, &uri);
    let reply = twin.reply(operation, &headers, &heard);
    let outcome = reply.as_ref().map(|_| ()).map_err(|problem| problem.status.to_string());
    twin.enter(operation.name, outcome, args);
    match reply {
        Ok(Given::Body(body)) => Json(body).into_response(),
        Ok(Given::Redirect(to)) => (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, to)]).into_response(),
        Err(problem) => problem.response(uri.path()),
    }
}

async fn read_body(operation: &str, headers: &HeaderMap, request: Request) -> Result<Body, Problem> {
    if operation == "attachments.upload" {
        let missing = || Problem::invalid(vec![error("file", "Field required", "missing")]);
        let form = Multipart::from_request(request, &()).await.map_err(|_| missing())?;
        return Upload::read(form).await.ok_or_else(missing).map(Body::File);
    }
    let unreadable = || Problem::new(400, "Request body could not be read");
    let bytes = Bytes::from_request(request, &()).await.map_err(|_| unreadable())?;
    if bytes.is_empty() {
        return Ok(Body::Json(Value::Null));
    }
    let kind = headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let object = json!({ "type": "dict_type", "loc": ["body"], "msg": "Input should be a valid dictionary" });
    if !kind.starts_with("application/json") {
        return Err(Problem::invalid(vec![object]));
    }
    let broken = json!({ "type": "json_invalid", "loc": ["body", 0], "msg": "JSON decode error" });
    let value: Value = serde_json::from_slice(&bytes).map_err(|_| Problem::invalid(vec![broken]))?;
    if value.is_object() { Ok(Body::Json(value)) } else { Err(Problem::invalid(vec![object])) }
}

fn error(field: &str, message: &str, kind: &str) -> Value {
    json!({ "loc": ["body", field], "msg": message, "type": kind })
}

fn summary(heard: &Heard, uri: &Uri) -> String {
    let body = match &heard.body {
        Ok(Body::Json(body)) => without_secrets(body.clone()),
        Ok(Body::File(file)) => json!({ "file": file.name, "bytes": file.bytes.len() }),
        Err(_) => Value::Null,
    };
    json!({ "path": uri.path(), "query": uri.query(), "body": body }).to_string()
}

/// What is written down of a body: everybody may look at it, so no secret's value.
fn without_secrets(mut body: Value) -> Value {
    for secret in body.get_mut("session_secrets").and_then(Value::as_array_mut).into_iter().flatten() {
        secret["value"] = json!("…");
    }
    body
}

/// Finds what a verb and a path ask for.
fn find(verb: &Verb, path: &str) -> Option<Operation> {
    const VIEW: &[&str] = &["ViewOrgSessions"];
    const MANAGE: &[&str] = &["ManageOrgSessions"];
    const MEMBERS: &[&str] = &["ViewOrgMembership"];
    // Create is disputed between two permissions, so either does.
    const CREATE: &[&str] = &["UseDevinSessions", "ManageOrgSessions"];
    const USE: &[&str] = &["UseDevinSessions"];
    const PLAYBOOKS: &[&str] = &["ViewOrgPlaybooks", "ManageAccountPlaybooks"];
    const SECRETS: &[&str] = &["ViewOrgSecrets", "ManageOrgSecrets"];
    // The twin may be mounted below a prefix, so the paths without an organisation are told by their ends.
    const WITHOUT_ORG: &[&str] = &["/v3/self", "/attachments/{uuid}/{name}"];
    let tail = match path.split_once("/{org}") {
        Some((_, tail)) => tail,
        None => WITHOUT_ORG.iter().find(|end| path.ends_with(*end))?,
    };
    let (name, permissions, run): (&'static str, &'static [&'static str], fn(&mut Asked<'_>) -> Reply) =
        match (verb.as_str(), tail) {
            ("GET", "/v3/self") => ("self", &[], members::whoami),
            ("POST", "/sessions") => ("sessions.create", CREATE, create::create),
            ("GET", "/sessions") => ("sessions.list", VIEW, sessions::list),
            ("GET", "/sessions/{session}") => ("sessions.get", VIEW, sessions::get),
            ("DELETE", "/sessions/{session}") => ("sessions.terminate", MANAGE, sessions::terminate),
            ("POST", "/sessions/{session}/archive") => ("sessions.archive", MANAGE, sessions::archive),
            ("POST", "/sessions/{session}/unarchive") => ("sessions.unarchive", MANAGE, sessions::unarchive),
            ("GET", "/sessions/{session}/messages") => ("messages.list", VIEW, messages::list),
            ("POST", "/sessions/{session}/messages") => ("messages.send", MANAGE, messages::send),
            ("GET", "/sessions/{session}/tags") => ("tags.get", VIEW, sessions::tags),
            ("POST", "/sessions/{session}/tags") => ("tags.append", MANAGE, sessions::append_tags),
            ("PUT", "/sessions/{session}/tags") => ("tags.replace", MANAGE, sessions::replace_tags),
            ("GET", "/sessions/{session}/attachments") => ("attachments.list", VIEW, attachments::of_session),
            ("POST", "/attachments") => ("attachments.upload", USE, attachments::upload),
            ("GET", "/attachments/{uuid}/{name}") => ("attachments.download", VIEW, attachments::download),
            ("GET", "/members/users") => ("members.users", MEMBERS, members::users),
            ("GET", "/members/idp-users") => ("members.idp-users", MEMBERS, members::idp_users),
            ("GET", "/playbooks") => ("playbooks.list", PLAYBOOKS, members::playbooks),
            ("GET", "/secrets") => ("secrets.list", SECRETS, members::secrets),
            _ => return None,
        };
    Some(Operation { name, reads: verb == Verb::GET, permissions, run })
}
