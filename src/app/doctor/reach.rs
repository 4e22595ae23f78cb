//! Whether Slack's requests reach us and nobody else's do: a signed one is answered, a wrongly signed one is refused.

use std::time::{Duration, Instant};

use reqwest::Method;
use secrecy::SecretString;
use serde_json::json;
use url::Url;
use uuid::Uuid;

use super::check::{Area, Check};
use crate::{
    clock::Clock,
    outbound::{Answer, Call, Outbound, SendError},
    slack::signature::{SIGNATURE_HEADER, TIMESTAMP_HEADER, sign},
};

const AREA: Area = Area::Reach;
/// How long Slack waits for an answer.
const SLACK_WAITS: Duration = Duration::from_secs(3);
/// How long we do.
const TIMEOUT: Duration = Duration::from_secs(8);

/// Whether a wrongly signed request is sent as well. The bot counts those, and an alert watches the count: whoever looks
/// again and again leaves it out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Forgery {
    /// It is.
    Tried,
    /// It is not.
    LeftOut,
}

/// Knocks at our own door, by way of the public address.
pub(super) async fn examine(
    outbound: &Outbound,
    clock: &dyn Clock,
    (url, secret): (Option<&Url>, Option<&SecretString>),
    forgery: Forgery,
) -> Vec<Check> {
    let (Some(url), Some(secret)) = (url, secret) else {
        let remedy = "set BOBBIN_PUBLIC_URL to the address that stands in the Slack app's request URLs";
        return vec![Check::skipped(AREA, "public_url", "no public address is set", remedy)];
    };
    let Ok(door) = url.join("slack/events") else { return Vec::new() };
    let challenge = Uuid::now_v7().simple().to_string();
    let body = json!({ "type": "url_verification", "token": "", "challenge": challenge }).to_string();
    let knock = |secret: SecretString| {
        let at = clock.now().as_second();
        let request = outbound
            .request(Method::POST, door.clone())
            .header("content-type", "application/json")
            .header(TIMESTAMP_HEADER, at.to_string())
            .header(SIGNATURE_HEADER, sign(&secret, at, body.as_bytes()))
            .body(body.clone());
        let call = Call { service: "bobbin", method: "knock".into(), timeout: TIMEOUT };
        async move { outbound.send(&call, request).await }
    };
    let began = Instant::now();
    let signed = knock(secret.clone()).await;
    let mut checks = vec![scheme(url), answered(&signed, began.elapsed())];
    if let Ok(answer) = &signed {
        checks.push(echoed(answer, &challenge));
    }
    if signed.is_ok() && forgery == Forgery::Tried {
        let forged = knock(SecretString::from(Uuid::now_v7().to_string())).await;
        checks.push(refused(&forged));
    }
    checks
}

fn scheme(url: &Url) -> Check {
    let name = "public_url";
    let host = url.host_str().unwrap_or_default();
    let here = matches!(host, "localhost" | "127.0.0.1" | "[::1]");
    match url.scheme() {
        "https" => Check::ok(AREA, name, format!("https, {host}")),
        scheme if here => Check::ok(AREA, name, format!("{scheme}, {host}: this machine alone")),
        scheme => {
            let remedy = "Slack posts to https:// with a publicly trusted certificate only: put a TLS proxy in front, and \
                          change BOBBIN_PUBLIC_URL";
            Check::fail(AREA, name, format!("{scheme}, {host}"), remedy)
        }
    }
}

fn answered(answer: &Result<Answer, SendError>, took: Duration) -> Check {
    let name = "reachable";
    match answer {
        Ok(_) if took < SLACK_WAITS => Check::ok(AREA, name, format!("answered within {} ms", took.as_millis())),
        Ok(_) => {
            let remedy = "Slack waits for three seconds: look at what stands between, and at the store";
            Check::fail(AREA, name, format!("answered after {} ms", took.as_millis()), remedy)
        }
        Err(error) => {
            let remedy = "look at DNS, firewall and proxy of BOBBIN_PUBLIC_URL, and whether `bobbin serve` runs; from inside \
                          its own network the address may be out of reach although Slack has it";
            Check::fail(AREA, name, format!("no answer: {error}"), remedy)
        }
    }
}

fn echoed(answer: &Answer, challenge: &str) -> Check {
    let name = "signature";
    let said = String::from_utf8_lossy(&answer.body);
    let remedy = match answer.status {
        200 if said.contains(challenge) => return Check::ok(AREA, name, "a signed request is answered"),
        401 => {
            "the bot there has another signing secret: give both the same BOBBIN_SLACK_SIGNING_SECRETS (Slack: Basic \
             Information), or look at its clock"
        }
        200 => "another program answers there: let the proxy pass /slack/… to BOBBIN_LISTEN unchanged",
        300..=399 => "an address that redirects is the wrong one: set BOBBIN_PUBLIC_URL to where it leads",
        404 | 405 => "let the proxy pass the path /slack/events unchanged, and POST",
        403 => "a proxy or firewall asks for more than Slack brings: let POST /slack/… through without a sign-in",
        503 => "the bot is there and cannot store: look at the store below",
        _ => "look at the proxy: it does not reach BOBBIN_LISTEN",
    };
    Check::fail(AREA, name, format!("a signed request is answered with {}", answer.status), remedy)
}

fn refused(answer: &Result<Answer, SendError>) -> Check {
    let name = "forgery";
    match answer {
        Ok(answer) if answer.status == 401 => Check::ok(AREA, name, "a wrongly signed request is refused"),
        Ok(answer) => {
            let remedy =
                "something in front of the bot answers in its place: let it pass requests and answers unchanged";
            Check::fail(AREA, name, format!("a wrongly signed request is answered with {}", answer.status), remedy)
        }
        Err(error) => Check::fail(AREA, name, format!("no answer: {error}"), "ask again; look at the proxy"),
    }
}

#[cfg(test)]
mod tests {
    use super::{super::check::State, *};

    fn answer(status: u16, body: &str) -> Answer {
        Answer { status, retry_after: None, content_type: None, body: body.to_owned().into() }
    }

    #[test]
    fn every_wrong_answer_has_a_remedy_of_its_own() {
        assert_eq!(echoed(&answer(200, r#"{"challenge":"abc"}"#), "abc").state, State::Ok);
        let remedies = [
            (200, "another program"),
            (401, "signing secret"),
            (302, "redirects"),
            (404, "the path"),
            (502, "BOBBIN_LISTEN"),
        ];
        for (status, remedy) in remedies {
            let check = echoed(&answer(status, "hello"), "abc");
            assert!(check.state == State::Fail && check.remedy.as_ref().unwrap().contains(remedy), "{check:?}");
        }
        assert_eq!(refused(&Ok(answer(401, ""))).state, State::Ok);
        assert_eq!(refused(&Ok(answer(200, ""))).state, State::Fail);
        assert_eq!(answered(&Ok(answer(200, "")), Duration::from_secs(4)).state, State::Fail);
    }

    #[test]
    fn only_this_machine_goes_without_tls() {
        for (url, state) in [
            ("https://bot.acme.example/", State::Ok),
            ("http://127.0.0.1:3000/", State::Ok),
            ("http://bot.acme.example/", State::Fail),
        ] {
            assert_eq!(scheme(&url.parse().unwrap()).state, state, "{url}");
        }
    }
}
