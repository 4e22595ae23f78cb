//! Who may look. Without sign-in the console is for whoever sits at the machine: it is open, for reading only, where the
//! bot listens on loopback and is not known to be reached from outside, and closed everywhere else.
//!
//! A page on another site cannot look either: its requests carry its own host name even where that name leads to this
//! machine (DNS rebinding), and only loopback's own names are answered. What came through a proxy came from outside.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use url::{Host, Url};

use super::{Console, pages};

/// Headers that only proxies write.
const PROXIED: [&str; 8] = [
    "forwarded",
    "via",
    "x-forwarded-for",
    "x-forwarded-host",
    "x-forwarded-proto",
    "x-real-ip",
    "cf-connecting-ip",
    "true-client-ip",
];

/// Own files only, no frames, no forms elsewhere.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; \
                      form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// Who may look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// Whoever sits at this machine, for reading only.
    Here,
    /// Nobody.
    Nobody,
}

impl Access {
    /// Who may look at a bot that listens here and is reached so from outside.
    pub fn of(listen: SocketAddr, public_url: Option<&Url>) -> Self {
        let outside = public_url.is_some_and(|url| !url.host().is_some_and(|host| is_loopback(&host)));
        if listen.ip().is_loopback() && !outside { Self::Here } else { Self::Nobody }
    }

    /// Whether a request with these headers may be answered.
    fn lets_in(self, headers: &HeaderMap) -> bool {
        match self {
            Self::Here => !PROXIED.iter().any(|name| headers.contains_key(*name)) && is_from_here(headers),
            Self::Nobody => false,
        }
    }
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => *name == "localhost",
        Host::Ipv4(ip) => ip.is_loopback(),
        Host::Ipv6(ip) => ip.is_loopback(),
    }
}

fn is_from_here(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let url = host.and_then(|host| Url::parse(&format!("http://{host}/")).ok());
    url.is_some_and(|url| url.host().is_some_and(|host| is_loopback(&host)))
}

/// Answers only those who may look, and has browsers be as careful as they can.
pub(super) async fn look(State(console): State<Arc<Console>>, request: Request, next: Next) -> Response {
    let mut answer = if console.access.lets_in(request.headers()) {
        next.run(request).await
    } else {
        (StatusCode::FORBIDDEN, pages::closed()).into_response()
    };
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "no-referrer"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_bot_that_nobody_reaches_from_outside_is_open() {
        let of = |listen: &str, url: Option<&str>| {
            let url = url.map(|url| url.parse().unwrap());
            Access::of(listen.parse().unwrap(), url.as_ref())
        };
        assert_eq!(of("127.0.0.1:3000", None), Access::Here);
        assert_eq!(of("[::1]:3000", Some("http://localhost:3000")), Access::Here);
        assert_eq!(of("0.0.0.0:3000", None), Access::Nobody);
        assert_eq!(of("127.0.0.1:3000", Some("https://bobbin.acme.example")), Access::Nobody);
    }

    #[test]
    fn neither_another_name_nor_a_proxy_is_let_in() {
        let lets_in = |pairs: &[(&'static str, &'static str)]| {
            let headers = pairs
                .iter()
                .map(|(name, value)| (header::HeaderName::from_static(name), HeaderValue::from_static(value)));
            Access::Here.lets_in(&headers.collect())
        };
        for host in ["127.0.0.1:3000", "localhost", "[::1]:3000"] {
            assert!(lets_in(&[("host", host)]), "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example:3000", "localhost@evil.example", "", "192.0.2.1"] {
            assert!(!lets_in(&[("host", host)]), "{host}");
        }
        assert!(!lets_in(&[]));
        for name in PROXIED {
            assert!(!lets_in(&[("host", "localhost"), (name, "x")]), "{name}");
        }
        let headers = [(header::HOST, HeaderValue::from_static("localhost"))].into_iter().collect();
        assert!(!Access::Nobody.lets_in(&headers));
    }
}
