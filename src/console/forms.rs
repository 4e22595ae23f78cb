//! Forms are taken from our own pages alone: the browser has to name our address as where it comes from, and the form has
//! to carry its session's token. Both are checked before any page sees the request, so that none can forget to.

use axum::{
    body::{Body, to_bytes},
    extract::Request,
    http::{HeaderMap, header},
};
use url::{Url, form_urlencoded};

use super::gate::Gate;
use crate::install::pass::same;

/// The name of the field with the token.
const FIELD: &str = "token";
/// Longest form.
const MAX_BYTES: usize = 16 * 1024;

/// Gives a request on whose form is one of ours.
pub(super) async fn checked(request: Request, public_url: &Url, token: &str) -> Result<Request, Gate> {
    if !is_from_us(request.headers(), public_url) {
        return Err(Gate::ForeignForm);
    }
    let (head, body) = request.into_parts();
    let body = to_bytes(body, MAX_BYTES).await.map_err(|_| Gate::ForeignForm)?;
    let mut tokens = form_urlencoded::parse(&body).filter(|(name, _)| name == FIELD);
    let ours = tokens.next().is_some_and(|(_, given)| same(&given, token)) && tokens.next().is_none();
    if ours { Ok(Request::from_parts(head, Body::from(body))) } else { Err(Gate::ForeignForm) }
}

/// Every browser names the origin of a form that is posted; newer ones also say how it is related to ours.
fn is_from_us(headers: &HeaderMap, public_url: &Url) -> bool {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let site = headers.get("sec-fetch-site").is_none_or(|site| site == "same-origin");
    site && text(header::ORIGIN) == Some(public_url.origin().ascii_serialization().as_str())
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderName, HeaderValue};

    use super::*;

    #[test]
    fn only_our_own_pages_post() {
        let from_us = |pairs: &[(&'static str, &'static str)]| {
            let headers =
                pairs.iter().map(|(n, v)| (HeaderName::from_static(n), HeaderValue::from_static(v))).collect();
            is_from_us(&headers, &"https://bobbin.example.com/".parse().unwrap())
        };
        let ours = ("origin", "https://bobbin.example.com");
        assert!(from_us(&[ours]) && from_us(&[ours, ("sec-fetch-site", "same-origin")]));
        for site in ["same-site", "cross-site", "none"] {
            assert!(!from_us(&[ours, ("sec-fetch-site", site)]), "{site}");
        }
        for origin in
            ["null", "", "https://evil.example", "http://bobbin.example.com", "https://bobbin.example.com:444"]
        {
            assert!(!from_us(&[("origin", origin)]), "{origin}");
        }
        assert!(!from_us(&[]) && !from_us(&[("sec-fetch-site", "same-origin")]));
    }
}
