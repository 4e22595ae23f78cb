//! `WebSocket`s: a connection that stays open both ways, asked for as an HTTP request like any other, so that the same
//! certificates, proxies and time-outs hold for it as for every call.

use std::time::Instant;

use reqwest::{
    Method, Response, StatusCode, Upgraded,
    header::{
        CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_VERSION, UPGRADE,
    },
};
use tokio_tungstenite::tungstenite::handshake::{client::generate_key, derive_accept_key};
use tracing::Instrument as _;
use url::Url;

use super::send::{Call, Outbound, SendError, chain, classify, client, is_loopback, open, outcome_of, record, span};

impl Outbound {
    /// Opens a WebSocket, whose frames are the caller's business. `wss:` and, on this machine alone, `ws:`.
    ///
    /// <https://www.rfc-editor.org/rfc/rfc6455#section-4.1>
    ///
    /// # Errors
    ///
    /// [`SendError`], when there is none. Nothing is done by asking for one, so that asking again is safe.
    pub async fn upgrade(&self, call: &Call, mut url: Url) -> Result<Upgraded, SendError> {
        let near = is_loopback(&url);
        let scheme = match url.scheme() {
            "wss" => "https",
            "ws" if near => "http",
            _ => return Err(SendError::NotSent("an address that is not a WebSocket's with TLS".to_owned())),
        };
        url.set_scheme(scheme).map_err(|()| SendError::NotSent("an address without a host".to_owned()))?;
        // A client for this one connection: it must not agree on HTTP/2, and nothing of it is used a second time.
        let builder = client(&self.options).http1_only();
        let builder = if near { builder.no_proxy() } else { builder };
        let http = builder.build().map_err(|error| SendError::NotSent(chain(error)))?;
        let key = generate_key();
        let request = http.request(Method::GET, url).headers(asking(&key)?);
        let started = Instant::now();
        let span = span(call);
        let answered = Box::pin(open(&self.bounded(call), request).instrument(span.clone())).await;
        let (outcome, status) = match &answered {
            Ok(answer) if answer.status() == StatusCode::SWITCHING_PROTOCOLS => ("ok", 101),
            Ok(answer) => (outcome_of(answer.status().as_u16()), answer.status().as_u16()),
            Err(SendError::NotSent(_)) => ("not_sent", 0),
            Err(SendError::Unknown(_)) => ("unknown", 0),
        };
        record(&span, call, outcome, status, started.elapsed());
        agreed(answered?, &key)?.upgrade().await.map_err(classify)
    }
}

fn asking(key: &str) -> Result<HeaderMap, SendError> {
    let key = HeaderValue::from_str(key).map_err(|error| SendError::NotSent(error.to_string()))?;
    Ok(HeaderMap::from_iter([
        (CONNECTION, HeaderValue::from_static("Upgrade")),
        (UPGRADE, HeaderValue::from_static("websocket")),
        (SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13")),
        (SEC_WEBSOCKET_KEY, key),
    ]))
}

/// The answer, if it is one of somebody who understood the question.
fn agreed(answer: Response, key: &str) -> Result<Response, SendError> {
    let status = answer.status();
    if status != StatusCode::SWITCHING_PROTOCOLS {
        return Err(SendError::Unknown(format!("no WebSocket, but status {}", status.as_u16())));
    }
    let accept = answer.headers().get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
    if accept == Some(derive_accept_key(key.as_bytes()).as_bytes()) {
        Ok(answer)
    } else {
        Err(SendError::Unknown("the answer is to another question".to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::TcpListener,
    };

    use super::*;
    use crate::outbound::OutboundOptions;

    async fn ask(url: &str) -> Result<Upgraded, SendError> {
        let outbound = Outbound::new(OutboundOptions::default()).unwrap();
        let call = Call { service: "slack", method: "socket".into(), timeout: Duration::from_secs(2) };
        outbound.upgrade(&call, url.parse().unwrap()).await
    }

    /// Answers one request with a head, in which `KEY` stands for the right answer, and echoes what comes after.
    async fn serve(listener: TcpListener, head: &str) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut buffer = [0_u8; 4096];
        let read = stream.read(&mut buffer).await.unwrap();
        let request = String::from_utf8_lossy(&buffer[..read]).to_lowercase();
        assert!(request.contains("sec-websocket-version: 13") && request.contains("upgrade: websocket"), "{request}");
        let asked = String::from_utf8_lossy(&buffer[..read]).into_owned();
        let key = asked.lines().find(|line| line.to_lowercase().starts_with("sec-websocket-key: ")).unwrap();
        let head = head.replace("KEY", &derive_accept_key(key.split_once(": ").unwrap().1.trim().as_bytes()));
        stream.write_all(head.as_bytes()).await.unwrap();
        let read = stream.read(&mut buffer).await.unwrap_or_default();
        stream.write_all(&buffer[..read]).await.unwrap_or_default();
    }

    async fn answered(head: &str) -> Result<Upgraded, SendError> {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("ws://{}/link?ticket=secret", listener.local_addr().unwrap());
        let serving = serve(listener, head);
        let asking = async {
            let mut upgraded = ask(&url).await?;
            upgraded.write_all(b"hello").await.unwrap();
            let mut said = [0; 5];
            upgraded.read_exact(&mut said).await.unwrap();
            assert_eq!(&said, b"hello");
            Ok(upgraded)
        };
        tokio::join!(asking, serving).0
    }

    const SWITCHING: &str = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n";

    #[tokio::test]
    async fn what_the_other_side_agrees_to_stays_open_both_ways() {
        answered(&format!("{SWITCHING}Sec-WebSocket-Accept: KEY\r\n\r\n")).await.unwrap();
    }

    #[tokio::test]
    async fn whoever_does_not_understand_the_question_gives_no_socket_and_no_ticket_is_told() {
        for head in [
            "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n".to_owned(),
            "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n".to_owned(),
            format!("{SWITCHING}\r\n"),
            format!("{SWITCHING}Sec-WebSocket-Accept: AAAA\r\n\r\n"),
        ] {
            let error = answered(&head).await.unwrap_err().to_string();
            assert!(!error.contains("secret"), "{error}");
        }
    }

    #[tokio::test]
    async fn without_tls_nothing_leaves_the_machine() {
        for url in ["ws://wss.slack.example/link", "http://127.0.0.1:1/", "https://wss.slack.example/"] {
            assert!(matches!(ask(url).await, Err(SendError::NotSent(_))), "{url}");
        }
    }
}
