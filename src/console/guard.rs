//! Who may look, and who may act.
//!
//! With sign-in that is whoever signed in with Slack and is named in the configuration, from wherever they come. Without,
//! the console is for whoever sits at the machine: it is open, for reading only, where the bot listens on loopback and is
//! not known to be reached from outside, and closed everywhere else.
//!
//! A page on another site cannot look either: its requests carry its own host name even where that name leads to this
//! machine (DNS rebinding), and only loopback's own names are answered. What came through a proxy came from outside. Where
//! there is sign-in, a browser gives its session to our own host alone.

use std::{net::SocketAddr, sync::Arc};

use axum::{
    extract::{Request, State},
    http::{HeaderMap, HeaderValue, Method, header},
    middleware::Next,
    response::{AppendHeaders, IntoResponse, Response},
};
use jiff::Timestamp;
use url::Url;

use super::{Console, forms, gate::Gate, sign_in::SignIn, viewer::Viewer};
use crate::config::is_loopback;

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
#[derive(Debug, Clone)]
pub enum Access {
    /// Whoever sits at this machine, for reading only.
    Here,
    /// Nobody.
    Nobody,
    /// Operators who signed in.
    Admins(Arc<SignIn>),
}

impl Access {
    /// Who may look at a bot that listens here, is reached so from outside, and where one may sign in or not.
    pub fn of(listen: SocketAddr, public_url: Option<&Url>, sign_in: Option<Arc<SignIn>>) -> Self {
        let outside = public_url.is_some_and(|url| !is_loopback(url));
        match sign_in {
            Some(sign_in) => Self::Admins(sign_in),
            None if listen.ip().is_loopback() && !outside => Self::Here,
            None => Self::Nobody,
        }
    }

    /// Whether whoever sent this to look may look still.
    pub(super) fn still_admits(&self, headers: &HeaderMap, now: Timestamp) -> bool {
        match self {
            Self::Here => true,
            Self::Nobody => false,
            Self::Admins(sign_in) => sign_in.admin(headers, now).is_ok(),
        }
    }

    /// The request as it is answered: with who looks, and with a form that may be acted on.
    async fn admit(&self, mut request: Request, now: Timestamp) -> Result<Request, Response> {
        let acts = !matches!(*request.method(), Method::GET | Method::HEAD);
        let viewer = match self {
            Self::Here if is_direct(request.headers()) && is_from_here(request.headers()) => Viewer::Here,
            Self::Here | Self::Nobody => return Err(Gate::Closed.into_response()),
            Self::Admins(sign_in) => {
                let admin = sign_in.admin(request.headers(), now);
                Viewer::Admin(admin.map_err(|gate| sign_in.to_gate(gate, &request))?)
            }
        };
        if acts {
            let (Self::Admins(sign_in), Some(admin)) = (self, viewer.admin()) else {
                return Err(Gate::ReadOnly.into_response());
            };
            let checked = forms::checked(request, &sign_in.public_url, &admin.token).await;
            request = checked.map_err(IntoResponse::into_response)?;
        }
        request.extensions_mut().insert(viewer);
        Ok(request)
    }
}

fn is_direct(headers: &HeaderMap) -> bool {
    !PROXIED.iter().any(|name| headers.contains_key(*name))
}

fn is_from_here(headers: &HeaderMap) -> bool {
    let host = headers.get(header::HOST).and_then(|host| host.to_str().ok());
    let url = host.and_then(|host| Url::parse(&format!("http://{host}/")).ok());
    url.is_some_and(|url| is_loopback(&url))
}

/// Answers only those who may look, and acts only for those who may.
pub(super) async fn look(State(console): State<Arc<Console>>, request: Request, next: Next) -> Response {
    let request = match console.access.admit(request, console.clock.now()).await {
        Ok(request) => request,
        Err(answer) => return answer,
    };
    let says = request.extensions().get::<Viewer>().and_then(Viewer::admin).is_some_and(|admin| admin.done.is_some());
    let looks = request.method() == Method::GET;
    let answer = next.run(request).await;
    match &console.access {
        Access::Admins(sign_in) if says && looks => (AppendHeaders([sign_in.said()]), answer).into_response(),
        Access::Admins(_) | Access::Here | Access::Nobody => answer,
    }
}

/// Has browsers be as careful as they can. They keep where they come from to our own pages, which forms have to name.
pub(super) async fn careful(request: Request, next: Next) -> Response {
    let mut answer = next.run(request).await;
    for (name, value) in [
        (header::CONTENT_SECURITY_POLICY, POLICY),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::REFERRER_POLICY, "same-origin"),
        (header::CACHE_CONTROL, "no-store"),
    ] {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests {
    use axum::body::Body;

    use super::*;

    #[test]
    fn only_a_bot_that_nobody_reaches_from_outside_is_open() {
        let is_open = |listen: &str, url: Option<&str>| {
            let url = url.map(|url| url.parse().unwrap());
            match Access::of(listen.parse().unwrap(), url.as_ref(), None) {
                Access::Here => true,
                Access::Nobody => false,
                Access::Admins(_) => panic!("nobody signs in"),
            }
        };
        assert!(is_open("127.0.0.1:3000", None) && is_open("[::1]:3000", Some("http://localhost:3000")));
        assert!(!is_open("0.0.0.0:3000", None));
        assert!(!is_open("127.0.0.1:3000", Some("https://bobbin.acme.example")));
    }

    async fn status(access: Access, method: Method, pairs: &[(&'static str, &'static str)]) -> u16 {
        let mut request = Request::builder().method(method).uri("/console");
        for (name, value) in pairs {
            request = request.header(*name, *value);
        }
        let admitted = access.admit(request.body(Body::empty()).unwrap(), Timestamp::UNIX_EPOCH).await;
        admitted.map_or_else(|answer| answer.status().as_u16(), |_| 200)
    }

    #[tokio::test]
    async fn neither_another_name_nor_a_proxy_is_let_in_and_nobody_acts_without_sign_in() {
        let here = async |pairs: &[(&'static str, &'static str)]| status(Access::Here, Method::GET, pairs).await;
        for host in ["127.0.0.1:3000", "localhost", "[::1]:3000"] {
            assert_eq!(here(&[("host", host)]).await, 200, "{host}");
        }
        for host in ["evil.example", "127.0.0.1.evil.example:3000", "localhost@evil.example", "", "192.0.2.1"] {
            assert_eq!(here(&[("host", host)]).await, 403, "{host}");
        }
        assert_eq!(here(&[]).await, 403);
        for name in PROXIED {
            assert_eq!(here(&[("host", "localhost"), (name, "x")]).await, 403, "{name}");
        }
        let local = [("host", "localhost"), ("origin", "http://localhost")];
        assert_eq!(status(Access::Nobody, Method::GET, &local).await, 403);
        for method in [Method::POST, Method::PUT, Method::DELETE] {
            assert_eq!(status(Access::Here, method.clone(), &local).await, 403, "{method}");
        }
    }
}
