//! Requests to NEXUS: each is sent again where that can help and cannot do harm.

use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Client, Method, RequestBuilder, Response, StatusCode, header};
use serde_json::Value;
use url::Url;
use uuid::Uuid;

use super::failure::{Failure, Refusal};
use crate::config::Secret;

/// How often a request is sent again.
const RETRIES: u32 = 3;
/// A server that asks to wait longer than this is not waited for.
const PATIENCE: Duration = Duration::from_secs(20);
/// A connection on which nothing comes for so long is dead: a stream says something every 15 seconds.
const SILENCE: Duration = Duration::from_secs(40);

/// NEXUS at one address, with one key.
#[derive(Clone, Debug)]
pub struct Api {
    client: Client,
    base: Url,
    key: Option<Secret>,
}

impl Api {
    /// NEXUS at `base`.
    ///
    /// # Errors
    /// When TLS cannot be set up.
    pub fn new(base: Url, key: Option<Secret>) -> Result<Api, Failure> {
        crate::serve::install_tls();
        // Whoever redirects would be handed the key.
        let client = Client::builder()
            .redirect(Policy::none())
            .connect_timeout(Duration::from_secs(10))
            .read_timeout(SILENCE)
            .user_agent(concat!("nexus-cli/", env!("CARGO_PKG_VERSION")))
            .build()
            .map_err(|e| Failure::Connection(format!("TLS cannot be set up: {e}")))?;
        Ok(Api { client, base, key })
    }

    /// Where it is.
    pub fn base(&self) -> &Url {
        &self.base
    }

    /// Whether there is a key to ask with.
    pub fn has_key(&self) -> bool {
        self.key.is_some()
    }

    /// A page of the site.
    pub fn page(&self, path: &str) -> String {
        format!("{}{path}", self.base.as_str().trim_end_matches('/'))
    }

    fn request(&self, method: Method, path: &[&str], query: &[(&str, String)]) -> RequestBuilder {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(["api", "v1"]).extend(path);
        }
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        let request = self.client.request(method, url).header(header::ACCEPT, "application/json, text/event-stream");
        match &self.key {
            Some(key) => request.bearer_auth(&key.0),
            None => request,
        }
    }

    /// A GET; answers with the whole document.
    ///
    /// # Errors
    /// [`Failure::Refused`], [`Failure::Connection`].
    pub async fn get(&self, path: &[&str], query: &[(&str, String)]) -> Result<Value, Failure> {
        self.json(|| self.request(Method::GET, path, query)).await
    }

    /// A POST under an idempotency key: sent again, it is done once.
    ///
    /// # Errors
    /// [`Failure::Refused`], [`Failure::Connection`].
    pub async fn post(&self, path: &[&str], body: &Value, once: Option<&str>) -> Result<Value, Failure> {
        let once = once.map_or_else(|| Uuid::new_v4().to_string(), str::to_owned);
        self.json(|| self.request(Method::POST, path, &[]).header("Idempotency-Key", &once).json(body)).await
    }

    /// The bytes of a file.
    ///
    /// # Errors
    /// [`Failure::Refused`], [`Failure::Connection`].
    pub async fn file(&self, path: &[&str]) -> Result<Vec<u8>, Failure> {
        self.send(|| self.request(Method::GET, path, &[])).await
    }

    /// Opens a stream, after the event of this number; asked once.
    ///
    /// # Errors
    /// [`Failure::Refused`], [`Failure::Connection`].
    pub async fn stream(&self, path: &[&str], last: Option<i64>) -> Result<Response, Failure> {
        let mut request = self.request(Method::GET, path, &[]);
        if let Some(last) = last {
            request = request.header("Last-Event-ID", last);
        }
        let answer = request.send().await.map_err(|e| self.broken(&e))?;
        self.accepted(answer).await
    }

    /// Sends a message to the MCP server, once. Whatever it answers is the answer.
    ///
    /// # Errors
    /// [`Failure::Connection`].
    pub async fn message(&self, message: &Value, headers: header::HeaderMap) -> Result<Response, Failure> {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().push("mcp");
        }
        let request = self.client.post(url).header(header::ACCEPT, "application/json, text/event-stream");
        let request = match &self.key {
            Some(key) => request.bearer_auth(&key.0),
            None => request,
        };
        request.headers(headers).json(message).send().await.map_err(|e| self.broken(&e))
    }

    async fn json(&self, request: impl Fn() -> RequestBuilder) -> Result<Value, Failure> {
        serde_json::from_slice(&self.send(request).await?).map_err(|_| self.something_else())
    }

    /// The body of the answer. What was lost on the way, either way, is asked for again.
    async fn send(&self, request: impl Fn() -> RequestBuilder) -> Result<Vec<u8>, Failure> {
        let mut sent = 0;
        loop {
            let (failed, asked) = match request().send().await {
                Ok(answer) => {
                    let asked = retry_after(&answer);
                    let in_flight = answer.status() == StatusCode::CONFLICT && asked.is_some();
                    match self.accepted(answer).await {
                        Ok(answer) => match answer.bytes().await {
                            Ok(body) => return Ok(body.into()),
                            Err(error) => (self.broken(&error), None),
                        },
                        Err(Failure::Refused(refusal)) if in_flight || refusal.is_transient() => {
                            (Failure::Refused(refusal), asked)
                        }
                        Err(failed) => return Err(failed),
                    }
                }
                Err(error) => (self.broken(&error), None),
            };
            let wait = asked.unwrap_or_else(|| backoff(sent));
            if sent == RETRIES || wait > PATIENCE {
                return Err(failed);
            }
            tokio::time::sleep(wait).await;
            sent += 1;
        }
    }

    async fn accepted(&self, answer: Response) -> Result<Response, Failure> {
        let status = answer.status();
        if status.is_success() {
            return Ok(answer);
        }
        if status.is_redirection() {
            let to = answer.headers().get(header::LOCATION).and_then(|l| l.to_str().ok()).unwrap_or("another address");
            let sentence = format!("{} leads to {to}: give the address of the site itself (--url)", self.base);
            return Err(Failure::Connection(sentence));
        }
        let request_id = answer.headers().get("x-request-id").and_then(|id| id.to_str().ok()).map(str::to_owned);
        let body = answer.text().await.unwrap_or_default();
        let refusal = Refusal { request_id, ..Refusal::read(status.as_u16(), &body) };
        if refusal.code.is_empty() && status.is_client_error() && status != StatusCode::TOO_MANY_REQUESTS {
            return Err(self.something_else());
        }
        Err(Failure::Refused(Box::new(refusal)))
    }

    fn broken(&self, error: &reqwest::Error) -> Failure {
        let mut why: &dyn std::error::Error = error;
        while let Some(source) = why.source() {
            why = source;
        }
        let what = if error.is_connect() { "cannot be reached" } else { "broke off" };
        Failure::Connection(format!(
            "NEXUS at {} {what}: {why}. Is it the right address (--url, NEXUS_URL)?",
            self.base
        ))
    }

    fn something_else(&self) -> Failure {
        Failure::Connection(format!(
            "what answers at {} is not NEXUS. Is it the right address (--url, NEXUS_URL)?",
            self.base
        ))
    }
}

fn retry_after(answer: &Response) -> Option<Duration> {
    let seconds = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds))
}

/// A quarter of a second, doubled each time, and up to half of it more, so that many do not come at once.
pub fn backoff(sent: u32) -> Duration {
    Duration::from_millis(250).saturating_mul(1 << sent.min(4)).mul_f64(1.0 + rand::random::<f64>() / 2.0)
}
