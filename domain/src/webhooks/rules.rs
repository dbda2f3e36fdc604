//! What an endpoint must be. Pure.

use url::Url;

use super::events::EVENT_TYPES;
use crate::FieldError;

/// Most endpoints of one account; the database has the same limit.
pub const ENDPOINTS_MAX: usize = 20;
/// Longest URL, in bytes.
pub const URL_MAX: usize = 2_000;
/// Longest description, in characters.
pub const DESCRIPTION_MAX: usize = 200;

/// Which URLs messages may go to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Schemes {
    /// Nobody on the way reads or changes a message.
    HttpsOnly,
    /// Where private addresses may be called: receivers on the same machine have no certificates.
    HttpToo,
}

/// What is wrong with a URL, if anything. Where it leads is judged when it is called.
pub fn check_url(url: &str, schemes: Schemes) -> Option<FieldError> {
    let wrong = |what: &str| Some(FieldError::new("url", what));
    let Ok(parsed) = Url::parse(url) else {
        return wrong("is not a URL such as https://example.org/webhooks");
    };
    match (parsed.scheme(), schemes) {
        ("https", _) | ("http", Schemes::HttpToo) => {}
        (_, Schemes::HttpsOnly) => return wrong("must begin with https://"),
        (_, Schemes::HttpToo) => return wrong("must begin with https:// or http://"),
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return wrong("must not carry a user name or password: messages are signed instead");
    }
    if parsed.fragment().is_some() {
        return wrong("must not carry a fragment (#): it is not sent");
    }
    if url.len() > URL_MAX {
        return wrong("is longer than 2,000 characters");
    }
    None
}

/// What is wrong with a description, if anything.
pub fn check_description(text: &str) -> Option<FieldError> {
    (text.chars().count() > DESCRIPTION_MAX)
        .then(|| FieldError::new("description", format!("is longer than {DESCRIPTION_MAX} characters")))
}

/// What is wrong with a choice of types, if anything.
pub fn check_types(types: &[String]) -> Option<FieldError> {
    let unknown = types.iter().find(|t| EVENT_TYPES.iter().all(|known| known.name != t.as_str()))?;
    Some(FieldError::new("types", format!("“{unknown}” is no type of event")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_https_and_carries_no_secret() {
        let said = |url: &str, schemes| check_url(url, schemes).map(|e| e.message);
        for good in ["https://example.org/hook?x=1", "https://example.org:8443/"] {
            assert_eq!(said(good, Schemes::HttpsOnly), None, "{good}");
        }
        assert_eq!(said("http://127.0.0.1:9/hook", Schemes::HttpToo), None);
        let long = format!("https://example.org/{}", "x".repeat(URL_MAX));
        for bad in [
            "",
            "example.org",
            "http://example.org/",
            "ftp://example.org/",
            "https://u:p@example.org/",
            "https://x.org/#a",
            &long,
        ] {
            assert!(said(bad, Schemes::HttpsOnly).is_some(), "{bad}");
        }
        assert!(said("ftp://example.org/", Schemes::HttpToo).is_some());
    }

    #[test]
    fn only_types_that_exist_are_asked_for() {
        assert_eq!(check_types(&[]), None);
        assert_eq!(check_types(&["task.completed".into()]), None);
        assert!(check_types(&["task.completed".into(), "task.exploded".into()]).is_some());
        assert!(check_types(&[super::super::TEST.into()]).is_some());
    }
}
