//! The page at `/`: says that the bot runs, and where to look.

use askama::Template;
use axum::{
    Router,
    http::{StatusCode, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};

#[derive(Template)]
#[template(path = "home.html", config = ".askama.toml")]
struct HomePage {
    version: &'static str,
}

/// The route.
pub(super) fn routes() -> Router {
    Router::new().route("/", get(home))
}

async fn home() -> Response {
    let policy =
        "default-src 'none'; style-src 'unsafe-inline'; img-src 'self'; base-uri 'none'; frame-ancestors 'none'";
    match (HomePage { version: env!("CARGO_PKG_VERSION") }).render() {
        Ok(page) => ([(header::CONTENT_SECURITY_POLICY, policy)], Html(page)).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
