//! The bot that runs on this machine, asked at the address where it listens.

use std::{
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};

use reqwest::Method;

use super::check::{Area, Check};
use crate::outbound::{Answer, Call, Outbound, SendError};

const AREA: Area = Area::Process;
/// What says how far the watch is behind.
const LAG: &str = "bobbin_watch_lag_seconds";
/// How far the watch may be behind: then cards say that there is no news.
const LAG_MOST: f64 = 120.0;

/// Asks whether it is ready, and how far its watch is behind.
pub(super) async fn examine(outbound: &Outbound, listen: SocketAddr) -> Vec<Check> {
    let ready = match get(outbound, listen, "readyz").await {
        Ok(answer) => answer,
        Err(error) => {
            let remedy = "start it with `bobbin serve`, and ask again";
            return vec![Check::skipped(AREA, "ready", format!("nothing answers at {listen}: {error}"), remedy)];
        }
    };
    let said = String::from_utf8_lossy(&ready.body).trim().to_owned();
    let ready = if ready.status == 200 {
        Check::ok(AREA, "ready", said)
    } else {
        Check::fail(AREA, "ready", said, "do what the checks of the store say; look at its log")
    };
    let metrics = get(outbound, listen, "metrics").await.ok().filter(|answer| answer.status == 200);
    vec![ready, watch(metrics.map(|answer| String::from_utf8_lossy(&answer.body).into_owned()).as_deref())]
}

async fn get(outbound: &Outbound, listen: SocketAddr, path: &str) -> Result<Answer, SendError> {
    let url = format!("http://{}/{path}", here(listen));
    let url = url.parse().map_err(|_| SendError::NotSent("no address".to_owned()))?;
    let call = Call { service: "bobbin", method: "health".into(), timeout: Duration::from_secs(3) };
    outbound.send(&call, outbound.request(Method::GET, url)).await
}

/// Where an address is reached from its own machine.
fn here(listen: SocketAddr) -> SocketAddr {
    let ip: IpAddr = match listen.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, listen.port())
}

fn watch(metrics: Option<&str>) -> Check {
    let name = "watch_lag";
    let line = |line: &&str| line.starts_with(LAG) && !line.starts_with('#');
    let lags = metrics.into_iter().flat_map(|text| text.lines()).filter(line);
    let lag = lags.filter_map(|line| line.rsplit_once(' ')?.1.parse::<f64>().ok()).reduce(f64::max);
    match lag {
        None => Check::skipped(AREA, name, "it has not looked at Devin yet", "ask again; a replica beside it may look"),
        Some(lag) if lag >= LAG_MOST => {
            let remedy = "do what the checks of Devin say: changes of sessions are not seen, and cards say so";
            Check::fail(AREA, name, format!("Devin has not answered for {lag:.0} s"), remedy)
        }
        Some(lag) if lag > 0.0 => {
            let remedy = "ask again in a minute";
            Check::warn(AREA, name, format!("Devin has not answered for {lag:.0} s"), remedy)
        }
        Some(_) => Check::ok(AREA, name, "the last look at Devin was answered"),
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::check::State::{Fail, Ok, Skipped, Warn},
        *,
    };

    #[test]
    fn the_watch_that_is_furthest_behind_counts() {
        for (metrics, state) in [
            ("# TYPE bobbin_watch_lag_seconds gauge\nbobbin_watch_lag_seconds 0", Ok),
            (
                "bobbin_watch_lag_seconds{organisation=\"a\"} 0\nbobbin_watch_lag_seconds{organisation=\"b\"} 130.5",
                Fail,
            ),
            ("bobbin_watch_lag_seconds 20", Warn),
            ("bobbin_mailboxes_ready 3", Skipped),
        ] {
            assert_eq!(watch(Some(metrics)).state, state, "{metrics}");
        }
    }

    #[test]
    fn whoever_listens_everywhere_is_asked_here() {
        assert_eq!(here("0.0.0.0:3000".parse().unwrap()).to_string(), "127.0.0.1:3000");
        assert_eq!(here("[::]:3000".parse().unwrap()).to_string(), "[::1]:3000");
        assert_eq!(here("10.0.0.7:3000".parse().unwrap()).to_string(), "10.0.0.7:3000");
    }
}
