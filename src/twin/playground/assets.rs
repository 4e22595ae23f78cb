//! Style, script and icon, compiled in, and the headers that let the page load nothing else.

use axum::{
    extract::Request,
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};

/// What the browser may load and do: our own files only, nothing inline, no frame around the page.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// The style sheet.
pub(super) async fn css() -> Response {
    asset("text/css; charset=utf-8", include_str!("../../../templates/playground/app.css"))
}

/// The script.
pub(super) async fn js() -> Response {
    asset("text/javascript; charset=utf-8", include_str!("../../../templates/playground/app.js"))
}

/// The icon.
pub(super) async fn icon() -> Response {
    asset("image/svg+xml", include_str!("../../../templates/playground/icon.svg"))
}

fn asset(kind: &'static str, body: &'static str) -> Response {
    ([(header::CONTENT_TYPE, kind)], body).into_response()
}

/// Refuses what another site's page would send, and puts the headers on every answer.
pub(super) async fn guard(request: Request, next: Next) -> Response {
    let foreign = request.method() == Method::POST && !same_origin(request.headers());
    let mut response = if foreign {
        (StatusCode::FORBIDDEN, "This form was sent from another site.").into_response()
    } else {
        next.run(request).await
    };
    let pairs = [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in pairs {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}

/// Whether a form was sent by our own page. Browsers say so; a program that says nothing at all is no browser, and
/// cannot be tricked into sending.
fn same_origin(headers: &HeaderMap) -> bool {
    let text = |name: HeaderName| headers.get(name).and_then(|value| value.to_str().ok());
    if let Some(site) = text(HeaderName::from_static("sec-fetch-site")) {
        return matches!(site, "same-origin" | "none");
    }
    match text(header::ORIGIN) {
        None => true,
        Some(origin) => {
            let host = origin.split_once("://").map(|(_, host)| host);
            host.is_some() && host == text(header::HOST)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect()
    }

    #[test]
    fn forms_of_other_sites_are_refused() {
        assert!(same_origin(&headers(&[])));
        assert!(same_origin(&headers(&[("sec-fetch-site", "same-origin")])));
        assert!(!same_origin(&headers(&[("sec-fetch-site", "cross-site")])));
        assert!(!same_origin(&headers(&[("sec-fetch-site", "same-site"), ("host", "localhost:3000")])));
        assert!(same_origin(&headers(&[("origin", "http://localhost:3000"), ("host", "localhost:3000")])));
        assert!(!same_origin(&headers(&[("origin", "http://evil.test"), ("host", "localhost:3000")])));
        assert!(!same_origin(&headers(&[("origin", "null"), ("host", "localhost:3000")])));
    }
}
