//! A file that an agent named instead of sending it.

use std::time::Duration;

use domain::tasks::finish::Fault;
use url::Url;

use super::call_error::CallError;
use super::client::AgentClient;
use crate::outbound::OutboundError;

/// How long a file may take.
const FILE_LIMIT: Duration = Duration::from_secs(60);

/// A file, whole.
#[derive(Clone, Debug)]
pub struct FetchedFile {
    /// What is in it.
    pub bytes: Vec<u8>,
    /// What the server says it is.
    pub media_type: Option<String>,
    /// What it is called, by the server or by its address; a bare name, no path.
    pub filename: Option<String>,
}

impl AgentClient {
    /// Fetches a file of up to `largest` bytes: a GET through the guard, unsigned and without credentials.
    ///
    /// # Errors
    /// [`CallError`]: the address cannot be called, or does not answer with a file of that size.
    pub async fn fetch_file(&self, url: &str, largest: usize) -> Result<FetchedFile, CallError> {
        let failed = |why: String, fault, transient| {
            let message = format!("A file that the agent named could not be fetched: {why}");
            CallError::new(message, "Named a file that cannot be fetched", fault, transient)
        };
        let parsed = Url::parse(url).map_err(|_| failed("its address is no URL".into(), Fault::Agent, false))?;
        if !parsed.username().is_empty() || parsed.password().is_some() {
            return Err(failed("its address carries a user name or password".into(), Fault::Agent, false));
        }
        let request = self.outbound().get(parsed.clone()).header("accept", "*/*");
        let answer = self.outbound().send_for(request, largest, FILE_LIMIT).await.map_err(|error| {
            let fault = if matches!(error, OutboundError::Refused(_)) { Fault::Platform } else { Fault::Agent };
            let transient = matches!(error, OutboundError::Connect | OutboundError::Broken | OutboundError::Timeout);
            failed(error.to_string(), fault, transient)
        })?;
        if !answer.status.is_success() {
            let why = format!("its server answered with HTTP status {}", answer.status.as_u16());
            return Err(failed(why, Fault::Agent, false).under(&answer.head));
        }
        let filename = answer.disposition.as_deref().and_then(disposed).or_else(|| last_segment(&parsed));
        let media_type = answer.head.content_type.clone();
        Ok(FetchedFile { bytes: answer.body, media_type, filename })
    }
}

/// The name in a `Content-Disposition` header (RFC 6266); the encoded form wins.
fn disposed(header: &str) -> Option<String> {
    let parameters = || header.split(';').skip(1).filter_map(|p| p.trim().split_once('='));
    let of = |name: &str| parameters().find(|(n, _)| n.trim().eq_ignore_ascii_case(name)).map(|(_, v)| v.trim());
    let encoded = of("filename*").and_then(|v| {
        let (charset, rest) = v.split_once('\'')?;
        let (_, text) = rest.split_once('\'')?;
        charset.eq_ignore_ascii_case("utf-8").then(|| percent_decoded(text))
    });
    encoded.or_else(|| of("filename").map(|v| v.trim_matches('"').to_owned())).and_then(|name| bare(&name))
}

fn last_segment(url: &Url) -> Option<String> {
    bare(&percent_decoded(url.path_segments()?.next_back()?)).filter(|name| name.contains('.'))
}

fn percent_decoded(text: &str) -> String {
    let form = format!("x={}", text.replace('+', "%2B").replace('&', "%26"));
    let decoded = url::form_urlencoded::parse(form.as_bytes()).next();
    decoded.map(|(_, value)| value.into_owned()).unwrap_or_default()
}

/// A name without a path, shortened.
fn bare(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let name: String = last.chars().filter(|c| !c.is_control()).take(200).collect();
    let name = name.trim();
    (!name.is_empty() && name != "." && name != "..").then(|| name.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_bare_name() {
        for (header, name) in [
            ("attachment; filename=\"report.pdf\"", Some("report.pdf")),
            ("attachment; filename=plain.txt", Some("plain.txt")),
            ("attachment; filename=\"x.txt\"; filename*=UTF-8''na%C3%AFve%20plan.txt", Some("naïve plan.txt")),
            ("attachment; filename=\"../../etc/passwd\"", Some("passwd")),
            ("attachment; filename=\"C:\\\\temp\\\\a.txt\"", Some("a.txt")),
            ("inline", None),
            ("attachment; filename=\"..\"", None),
        ] {
            assert_eq!(disposed(header).as_deref(), name, "{header}");
        }
        let of = |u: &str| last_segment(&u.parse().unwrap());
        assert_eq!(of("https://x.example/a/my%20file.csv?x=1").as_deref(), Some("my file.csv"));
        assert_eq!(of("https://x.example/download"), None);
    }
}
