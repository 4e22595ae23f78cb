//! What a store address means. The crate reads plain addresses; lists of hosts (Sentinel, Cluster) are not URLs in the
//! strict sense and are taken apart here. An error shows the form that was expected and never the credentials.

use percent_encoding::percent_decode_str;
use redis::{
    ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo, TlsMode,
    io::tcp::{TcpSettings, socket2::TcpKeepalive},
    sentinel::{SentinelClient, SentinelClientBuilder, SentinelServerType},
};
use std::time::Duration;

use crate::store::{Result, StoreError};

/// What an address may look like.
const ALLOWED: &str = "redis://[user:password@]host[:port][/db], rediss://… (TLS), \
     redis+sentinel://[user:password@]host[:port][,host…]/service[/db], redis+cluster://[user:password@]host[:port][,host…] \
     (rediss+… for TLS)";

/// Redis's port.
const REDIS_PORT: u16 = 6379;

/// Sentinel's port.
const SENTINEL_PORT: u16 = 26379;

/// How long a silent connection rests before the kernel probes it: shorter than common NAT and load balancer time-outs
/// (350 s at AWS), so that an idle connection is not cut unnoticed.
const KEEPALIVE_SECONDS: u64 = 60;

/// How long sent bytes may stay unacknowledged before the kernel gives the connection up.
const USER_TIMEOUT_SECONDS: u64 = 10;

/// Where Redis is and how to reach it.
#[derive(Debug)]
pub(super) enum Target {
    /// One server.
    Single(ConnectionInfo),
    /// The primary that the sentinels name.
    Sentinel(Sentinels),
    /// A Cluster, by some of its nodes.
    Cluster(Vec<ConnectionInfo>),
}

/// The sentinels and what to ask them.
#[derive(Debug)]
pub(super) struct Sentinels {
    hosts: Vec<ConnectionAddr>,
    service: String,
    login: RedisConnectionInfo,
    tls: bool,
}

impl Sentinels {
    /// A client that asks the sentinels anew. `turn` rotates them, so that one that hangs is not always the first.
    pub(super) fn client(&self, turn: usize) -> redis::RedisResult<SentinelClient> {
        let mut hosts = self.hosts.clone();
        let count = hosts.len().max(1);
        hosts.rotate_left(turn % count);
        let mut builder = SentinelClientBuilder::new(hosts, &self.service, SentinelServerType::Master)?
            .set_client_to_redis_db(self.login.db())
            .set_client_to_redis_tcp_settings(tcp())
            .set_client_to_sentinel_tcp_settings(tcp());
        if let Some(user) = self.login.username() {
            builder = builder.set_client_to_redis_username(user);
        }
        if let Some(password) = self.login.password() {
            builder = builder.set_client_to_redis_password(password);
        }
        if self.tls {
            builder = builder.set_client_to_redis_tls_mode(TlsMode::Secure);
        }
        builder.build()
    }
}

/// Reads an address.
pub(super) fn parse(address: &str) -> Result<Target> {
    let (scheme, rest) = address.split_once("://").ok_or_else(|| wrong("no scheme"))?;
    let tls = scheme.starts_with("rediss");
    if tls && rustls::crypto::CryptoProvider::get_default().is_none() {
        // Losing the race against another installer is as good as winning it.
        drop(rustls::crypto::ring::default_provider().install_default());
    }
    match scheme {
        "redis" | "rediss" => {
            let info =
                address.into_connection_info().map_err(|e| wrong(&format!("an address that {}", e.category())))?;
            Ok(Target::Single(info.set_tcp_settings(tcp())))
        }
        "redis+sentinel" | "rediss+sentinel" => sentinel(rest, tls).map(Target::Sentinel),
        "redis+cluster" | "rediss+cluster" => cluster(rest, tls).map(Target::Cluster),
        other => Err(wrong(&format!("the scheme {other:?}"))),
    }
}

fn sentinel(rest: &str, tls: bool) -> Result<Sentinels> {
    let (login, rest) = login(rest)?;
    let mut parts = rest.split('/');
    let hosts = hosts(parts.next().unwrap_or_default(), SENTINEL_PORT, tls)?;
    let service = parts.next().filter(|s| !s.is_empty()).ok_or_else(|| wrong("sentinels without a service name"))?;
    let db = match parts.next() {
        None | Some("") => 0,
        Some(text) => text.parse().map_err(|_| wrong(&format!("the database {text:?}, which is not a number")))?,
    };
    Ok(Sentinels { hosts, service: service.to_owned(), login: login.set_db(db), tls })
}

fn cluster(rest: &str, tls: bool) -> Result<Vec<ConnectionInfo>> {
    let (login, rest) = login(rest)?;
    let list = rest.strip_suffix('/').unwrap_or(rest);
    if list.contains('/') {
        return Err(wrong("a database number on a Cluster, which has only database 0"));
    }
    hosts(list, REDIS_PORT, tls)?
        .into_iter()
        .map(|host| {
            let info = host.into_connection_info().map_err(|e| wrong(e.category()))?;
            Ok(info.set_redis_settings(login.clone()).set_tcp_settings(tcp()))
        })
        .collect()
}

fn login(rest: &str) -> Result<(RedisConnectionInfo, &str)> {
    let Some((credentials, rest)) = rest.rsplit_once('@') else {
        return Ok((RedisConnectionInfo::default(), rest));
    };
    let plain = |text: &str| {
        let text = percent_decode_str(text).decode_utf8().map_err(|_| wrong("credentials that are not UTF-8"))?;
        Ok::<_, StoreError>(text.into_owned())
    };
    let (user, password) = credentials.split_once(':').unwrap_or((credentials, ""));
    let mut login = RedisConnectionInfo::default();
    if !user.is_empty() {
        login = login.set_username(plain(user)?);
    }
    if !password.is_empty() {
        login = login.set_password(plain(password)?);
    }
    Ok((login, rest))
}

fn hosts(list: &str, default_port: u16, tls: bool) -> Result<Vec<ConnectionAddr>> {
    list.split(',').map(|host| address(host, default_port, tls)).collect()
}

fn address(text: &str, default_port: u16, tls: bool) -> Result<ConnectionAddr> {
    let after_bracket = text.rfind(']').unwrap_or(0);
    let (host, port) = match text.rfind(':').filter(|colon| *colon >= after_bracket) {
        Some(colon) => {
            let (host, port) = text.split_at(colon);
            let port = port.trim_start_matches(':');
            (host, port.parse().map_err(|_| wrong(&format!("the port {port:?}")))?)
        }
        None => (text, default_port),
    };
    let host = host.trim_start_matches('[').trim_end_matches(']').to_owned();
    if host.is_empty() {
        return Err(wrong("an empty host"));
    }
    Ok(if tls {
        ConnectionAddr::TcpTls { host, port, insecure: false, tls_params: None }
    } else {
        ConnectionAddr::Tcp(host, port)
    })
}

fn tcp() -> TcpSettings {
    let keepalive = TcpKeepalive::new().with_time(Duration::from_secs(KEEPALIVE_SECONDS));
    let settings = TcpSettings::default().set_nodelay(true).set_keepalive(keepalive);
    #[cfg(target_os = "linux")]
    let settings = settings.set_user_timeout(Duration::from_secs(USER_TIMEOUT_SECONDS));
    settings
}

fn wrong(found: &str) -> StoreError {
    StoreError::Unavailable(format!("the Redis address has {found}; allowed are {ALLOWED}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_address_is_one_server() {
        assert!(
            matches!(parse("redis://127.0.0.1:6379/2"), Ok(Target::Single(info)) if info.redis_settings().db() == 2)
        );
        assert!(matches!(parse("rediss://redis.example"), Ok(Target::Single(_))));
    }

    #[test]
    fn sentinels_name_a_service_and_a_database() {
        let Ok(Target::Sentinel(found)) = parse("redis+sentinel://u:p%40ss@a:1,b,[::1]:3/main/4") else {
            panic!("not read as sentinels");
        };
        let port = |host: &str, port| ConnectionAddr::Tcp(host.to_owned(), port);
        assert_eq!(found.hosts, [port("a", 1), port("b", SENTINEL_PORT), port("::1", 3)]);
        assert_eq!((found.service.as_str(), found.login.db()), ("main", 4));
        assert_eq!(found.login.password(), Some("p@ss"));
        assert!(found.client(5).is_ok());
    }

    #[test]
    fn a_cluster_is_a_list_of_nodes() {
        let Ok(Target::Cluster(nodes)) = parse("redis+cluster://a,b:7001") else { panic!("not read as a cluster") };
        let found: Vec<_> = nodes.iter().map(|node| node.addr().to_string()).collect();
        assert_eq!(found, ["a:6379", "b:7001"]);
    }

    #[test]
    fn errors_say_what_was_found_and_what_is_allowed_but_no_password() {
        for address in [
            "memcached://u:hush@a",
            "redis+sentinel://u:hush@a:1",
            "redis+cluster://u:hush@a/3",
            "redis+cluster://u:hush@:1",
            "host",
        ] {
            let error = parse(address).unwrap_err().to_string();
            assert!(error.contains("redis+sentinel://"), "{error}");
            assert!(!error.contains("hush"), "{error}");
        }
    }
}
