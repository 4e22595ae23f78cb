//! The three doors that Slack posts to: read and verify a request, and put what became of it into an answer.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Request, State},
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};

use super::{
    Receive,
    accept::{self, Ending},
    body::VerifiedInput,
};

pub(super) async fn events(State(receive): State<Arc<Receive>>, request: Request) -> Response {
    match VerifiedInput::read(&receive, request).await {
        Ok(input) => answer(accept::event(&receive, &input).await),
        Err(status) => status.into_response(),
    }
}

pub(super) async fn commands(State(receive): State<Arc<Receive>>, request: Request) -> Response {
    match VerifiedInput::read(&receive, request).await {
        Ok(input) => answer(accept::command(&receive, &input).await),
        Err(status) => status.into_response(),
    }
}

pub(super) async fn interactions(State(receive): State<Arc<Receive>>, request: Request) -> Response {
    match VerifiedInput::read(&receive, request).await {
        Ok(input) => answer(accept::interaction(&receive, &input).await),
        Err(status) => status.into_response(),
    }
}

fn answer(ending: Ending) -> Response {
    match ending {
        Ending::Taken => StatusCode::OK.into_response(),
        Ending::Answer(answer) => Json(answer).into_response(),
        Ending::Challenge(challenge) => ([(header::CONTENT_TYPE, "text/plain")], challenge).into_response(),
        Ending::SetAside => StatusCode::BAD_REQUEST.into_response(),
        Ending::NotStored => StatusCode::SERVICE_UNAVAILABLE.into_response(),
    }
}
