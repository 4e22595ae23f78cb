//! The Web API's front: finds the method, checks token and scopes, writes the ledger, and puts answers in Slack's form.
//!
//! Every refusal is HTTP 200 with `ok:false`, as the real one does it.

use std::{collections::BTreeSet, sync::Arc};

use axum::{
    Json, Router,
    body::Bytes,
    extract::{DefaultBodyLimit, Path, Request, State as Shared},
    http::{HeaderMap, HeaderValue, Method as Verb, StatusCode, Uri},
    middleware,
    response::{IntoResponse, Response},
    routing::{any, get, post},
};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::{
    agents,
    args::{Args, JsonBody},
    assistant, chat, conversations, doors, oauth, openid, people, reactions,
    server::SlackTwin,
    sockets,
    state::{Channel, ChannelKind, State},
    uploads, views,
};
use crate::{
    domain::ids::ChannelId,
    twin::{
        faults::{Breakable, Faults, inject},
        ledger::Call,
    },
};

/// Endings of the methods that change nothing.
const READS: &[&str] =
    &[".test", ".get", ".getPermalink", ".history", ".info", ".list", ".lookupByEmail", ".members", ".replies"];

/// A refusal: the code and what else the answer says.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ApiError {
    pub(super) code: String,
    pub(super) extra: Map<String, Value>,
}

/// What a method gives: the fields beside `ok`.
pub(super) type Reply = Result<Value, ApiError>;

/// One call of a method.
pub(super) struct Asked<'a> {
    pub(super) state: &'a mut State,
    pub(super) args: &'a mut Args,
    pub(super) now: Timestamp,
    pub(super) scopes: &'a BTreeSet<String>,
    pub(super) token: &'a str,
}

/// How a method is called.
struct Method {
    /// The scope it needs; empty when none, or when it depends on the kind of conversation.
    scope: &'static str,
    json: JsonBody,
    run: fn(&mut Asked<'_>) -> Reply,
}

impl ApiError {
    /// A refusal with nothing but its code.
    pub(super) fn new(code: &str) -> Self {
        Self { code: code.to_owned(), extra: Map::new() }
    }

    /// `invalid_arguments` with its explanation.
    pub(super) fn arguments(message: &str) -> Self {
        Self::new("invalid_arguments").with("response_metadata", json!({ "messages": [message] }))
    }

    /// Adds a field to the answer.
    pub(super) fn with(mut self, name: &str, value: Value) -> Self {
        self.extra.insert(name.to_owned(), value);
        self
    }
}

impl Asked<'_> {
    /// Refuses a token without this scope.
    pub(super) fn need(&self, scope: &str) -> Result<(), ApiError> {
        if self.scopes.contains(scope) {
            return Ok(());
        }
        let provided: Vec<&str> = self.scopes.iter().map(String::as_str).collect();
        Err(ApiError::new("missing_scope").with("needed", json!(scope)).with("provided", json!(provided.join(","))))
    }

    /// Refuses a token without `channels:…`, `groups:…` or `im:…`, whichever the conversation asks for.
    pub(super) fn need_for(&self, channel: &ChannelId, right: &str) -> Result<(), ApiError> {
        let kind = self.state.channels.get(channel).map(|channel| &channel.kind);
        let family = match kind {
            Some(ChannelKind::Private) => "groups",
            Some(ChannelKind::Direct(_)) => "im",
            Some(ChannelKind::Public) | None => "channels",
        };
        self.need(&format!("{family}:{right}"))
    }

    /// The conversation an argument names, if the bot may know of it.
    pub(super) fn visible(&self, name: &str) -> Result<&Channel, ApiError> {
        let not_found = || ApiError::new("channel_not_found");
        let id = self.args.required(name)?.parse::<ChannelId>().map_err(|_| not_found())?;
        let channel = self.state.channels.get(&id).ok_or_else(not_found)?;
        let bot = &self.state.app.bot_user;
        let known = channel.kind == ChannelKind::Public || channel.members.contains(bot);
        if known { Ok(channel) } else { Err(not_found()) }
    }

    /// The conversation an argument names, if the bot is in it.
    pub(super) fn joined(&self, name: &str) -> Result<&Channel, ApiError> {
        let channel = self.visible(name)?;
        let member = channel.members.contains(&self.state.app.bot_user);
        if member { Ok(channel) } else { Err(ApiError::new("not_in_channel")) }
    }
}

impl SlackTwin {
    /// The twin as a web server: `/api/<method>`, `/files/…`, `/hooks/…`, `/link/`.
    pub fn router(self: &Arc<Self>) -> Router {
        Router::new()
            .route("/api/oauth.v2.access", post(oauth::access))
            .route("/oauth/v2/authorize", get(oauth::authorize))
            .route("/oauth/v2/allow", get(oauth::allow))
            .route("/api/openid.connect.token", post(openid::token))
            .route("/openid/connect/authorize", get(openid::authorize))
            .route("/openid/connect/allow", get(openid::allow))
            .route("/openid/connect/keys", get(openid::keys))
            .route("/api/{method}", any(call))
            .route("/link/", get(sockets::link))
            .route("/files/{id}/{name}", get(doors::download))
            .route("/hooks/{id}", post(doors::respond))
            .route("/upload/v1/{token}", post(uploads::receive).layer(DefaultBodyLimit::max(uploads::MAX_FILE_BYTES)))
            .layer(middleware::from_fn_with_state(Arc::clone(self), inject::<Self>))
            .with_state(Arc::clone(self))
    }

    /// Writes a call into the ledger.
    pub(super) fn enter(&self, method: &str, outcome: Result<(), String>, args: String) {
        let call = Call { at: self.now(), method: method.to_owned(), outcome, args };
        self.quietly(|state| state.ledger.push(call));
    }
}

impl Breakable for SlackTwin {
    fn faults(&self) -> &Faults {
        Self::faults(self)
    }

    fn operation(&self, request: &Request) -> String {
        let path = request.uri().path().trim_start_matches('/');
        let name = path.strip_prefix("api/").unwrap_or_else(|| path.split('/').next().unwrap_or_default());
        name.to_owned()
    }

    fn refuse(&self, status: StatusCode, code: &str) -> Response {
        let status = if status == StatusCode::TOO_MANY_REQUESTS { status } else { StatusCode::OK };
        (status, Json(json!({ "ok": false, "error": code }))).into_response()
    }

    fn note(&self, operation: &str, outcome: String) {
        self.enter(operation, Err(outcome), "{}".to_owned());
    }

    fn time(&self) -> Timestamp {
        self.now()
    }
}

/// What is known of a call once it was read.
#[derive(Default)]
struct Seen {
    args: Args,
    scopes: BTreeSet<String>,
}

async fn call(
    Shared(twin): Shared<Arc<SlackTwin>>,
    Path(name): Path<String>,
    verb: Verb,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let mut seen = Seen::default();
    let reply = twin.reply(&name, (&verb, &uri, &headers), &body, &mut seen);
    let outcome = reply.as_ref().map(|_| ()).map_err(|error| error.code.clone());
    twin.enter(&name, outcome, seen.args.summary());
    answer(reply, &seen)
}

impl SlackTwin {
    fn reply(&self, name: &str, head: (&Verb, &Uri, &HeaderMap), body: &[u8], seen: &mut Seen) -> Reply {
        let method = method(name).ok_or_else(|| ApiError::new("unknown_method").with("req_method", json!(name)))?;
        let (args, token) = Args::read(head, body, method.json)?;
        seen.args = args;
        if name == "api.test" {
            return Ok(json!({}));
        }
        let token = token.ok_or_else(|| ApiError::new("not_authed"))?;
        let known = self.read(|state| state.tokens.get(&token).cloned());
        let known = known.ok_or_else(|| ApiError::new("invalid_auth"))?;
        if let Some(code) = known.refused {
            return Err(ApiError::new(&code));
        }
        seen.scopes = known.scopes;
        let now = self.now();
        let run = |state: &mut State| {
            let mut asked = Asked { state, args: &mut seen.args, now, scopes: &seen.scopes, token: &token };
            if !method.scope.is_empty() {
                asked.need(method.scope)?;
            }
            (method.run)(&mut asked)
        };
        if READS.iter().any(|ending| name.ends_with(ending)) { self.quietly(run) } else { self.change(run) }
    }
}

/// The answer in Slack's form.
fn answer(reply: Reply, seen: &Seen) -> Response {
    let mut body = match reply {
        Ok(Value::Object(mut fields)) => {
            fields.insert("ok".to_owned(), Value::Bool(true));
            fields
        }
        Ok(_) => Map::from_iter([("ok".to_owned(), Value::Bool(true))]),
        Err(error) => {
            let mut fields = error.extra;
            fields.insert("ok".to_owned(), Value::Bool(false));
            fields.insert("error".to_owned(), Value::String(error.code));
            fields
        }
    };
    if !seen.args.warnings.is_empty() {
        body.insert("warning".to_owned(), json!(seen.args.warnings.join(",")));
        let metadata = body.entry("response_metadata").or_insert_with(|| json!({}));
        if let Value::Object(metadata) = metadata {
            metadata.insert("warnings".to_owned(), json!(seen.args.warnings));
        }
    }
    let scopes = seen.scopes.iter().map(String::as_str).collect::<Vec<_>>().join(",");
    let mut answer = Json(Value::Object(body)).into_response();
    if let Ok(value) = HeaderValue::from_str(&scopes) {
        answer.headers_mut().insert("x-oauth-scopes", value);
    }
    answer
}

/// Finds a method by its name.
fn method(name: &str) -> Option<Method> {
    use JsonBody::{Ignored, Taken};
    let (scope, json, run): (&'static str, JsonBody, fn(&mut Asked<'_>) -> Reply) = match name {
        "api.test" => ("", Taken, |_| Ok(json!({}))),
        "auth.test" => ("", Taken, people::auth_test),
        "auth.revoke" => ("", Ignored, people::revoke),
        "apps.connections.open" => ("", Ignored, sockets::open),
        "chat.postMessage" => ("chat:write", Taken, chat::post),
        "chat.update" => ("chat:write", Taken, chat::update),
        "chat.delete" => ("chat:write", Taken, chat::delete),
        "chat.postEphemeral" => ("chat:write", Taken, chat::post_ephemeral),
        "chat.getPermalink" => ("", Ignored, chat::permalink),
        "reactions.add" => ("reactions:write", Taken, reactions::add),
        "reactions.remove" => ("reactions:write", Taken, reactions::remove),
        "reactions.get" => ("reactions:read", Ignored, reactions::get),
        "conversations.replies" => ("", Ignored, conversations::replies),
        "conversations.history" => ("", Taken, conversations::history),
        "conversations.info" => ("", Ignored, conversations::info),
        "conversations.open" => ("im:write", Taken, conversations::open),
        "conversations.list" => ("", Ignored, conversations::list),
        "conversations.members" => ("", Ignored, conversations::members),
        "users.info" => ("users:read", Ignored, people::info),
        "users.list" => ("users:read", Ignored, people::list),
        "users.lookupByEmail" => ("users:read.email", Ignored, people::lookup_by_email),
        "bots.info" => ("users:read", Ignored, people::bot_info),
        "team.info" => ("team:read", Taken, people::team_info),
        "files.info" => ("files:read", Ignored, people::file_info),
        "files.getUploadURLExternal" => ("files:write", Ignored, uploads::address),
        "files.completeUploadExternal" => ("files:write", Taken, uploads::complete),
        "assistant.threads.setStatus" => ("chat:write", Taken, assistant::set_status),
        "assistant.threads.setTitle" => ("assistant:write", Taken, assistant::set_title),
        "assistant.threads.setSuggestedPrompts" => ("assistant:write", Taken, assistant::set_suggested_prompts),
        "agents.sessions.setStatus" => ("chat:write", Taken, agents::set_status),
        "agents.sessions.rename" => ("chat:write", Taken, agents::rename),
        "views.open" => ("", Taken, views::open),
        "views.push" => ("", Taken, views::push),
        "views.update" => ("", Taken, views::update),
        "views.publish" => ("", Taken, views::publish),
        _ => return None,
    };
    Some(Method { scope, json, run })
}
