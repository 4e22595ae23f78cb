//! The line to the collector: over our own way out, so that proxies, time-outs and certificates are as everywhere.

use std::{
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use opentelemetry_http::{Bytes, HttpClient, HttpError, Request, Response};
use tokio::runtime::Handle;

use crate::outbound::{Call, Outbound};

/// Time for one batch; the standard's default.
const TIMEOUT: Duration = Duration::from_secs(10);

/// The line.
#[derive(Debug)]
pub(super) struct Line {
    outbound: Outbound,
    /// Batches are made on a thread of their own, and sent where the rest of the network is.
    runtime: Handle,
    broken: AtomicBool,
}

impl Line {
    /// A line from this runtime.
    pub(super) fn new(outbound: Outbound, runtime: Handle) -> Self {
        Self { outbound, runtime, broken: AtomicBool::new(false) }
    }

    /// Says once that spans get lost, and once that they no longer do.
    fn note(&self, trouble: Option<String>) {
        let was = self.broken.swap(trouble.is_some(), Ordering::Relaxed);
        match trouble {
            Some(why) if !was => {
                tracing::warn!(why, "spans are lost: the collector at OTEL_EXPORTER_OTLP_ENDPOINT takes none");
            }
            None if was => tracing::info!("the collector takes spans again"),
            Some(_) | None => {}
        }
    }
}

#[async_trait]
impl HttpClient for Line {
    async fn send_bytes(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let (parts, body) = request.into_parts();
        let url = parts.uri.to_string().parse()?;
        let request = self.outbound.request(parts.method, url).headers(parts.headers).body(body);
        let outbound = self.outbound.clone();
        let call = Call { service: "otlp", method: "traces".into(), timeout: TIMEOUT };
        let sending = self.runtime.spawn(async move { outbound.send(&call, request).await });
        let answer = match sending.await? {
            Ok(answer) => answer,
            Err(error) => {
                self.note(Some(error.to_string()));
                return Err(error.into());
            }
        };
        self.note((answer.status >= 300).then(|| format!("status {}", answer.status)));
        Ok(Response::builder().status(answer.status).body(answer.body)?)
    }
}
