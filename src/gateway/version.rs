//! Which version of the protocol a request speaks (A2A 1.0, section 3.6).

use axum::http::{HeaderMap, Uri};

use super::error::{GatewayError, Kind, Result};

/// A version that is served.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// 0.3.
    V03,
    /// 1.0.
    V1,
}

/// What the client names: in the header, else in the query. `None`: nothing, which is 0.3 to who goes by the letter; methods and
/// paths, which differ between the two, say more.
///
/// # Errors
/// `VersionNotSupportedError`.
pub fn named(headers: &HeaderMap, uri: &Uri) -> Result<Option<Version>> {
    let header = headers.get("a2a-version").map(|v| String::from_utf8_lossy(v.as_bytes()).into_owned());
    let query = || {
        let pairs = url::form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes());
        pairs
            .into_iter()
            .find(|(name, _)| name.eq_ignore_ascii_case("a2a-version"))
            .map(|(_, value)| value.into_owned())
    };
    let Some(text) = header.or_else(query) else { return Ok(None) };
    match text.trim() {
        "" => Ok(None),
        text => parse(text)
            .map(Some)
            .ok_or_else(|| GatewayError::new(Kind::Version, format!("A2A {text} is not spoken here: 1.0 and 0.3 are"))),
    }
}

/// Patch numbers do not count; a 1.x is spoken as 1.0.
fn parse(text: &str) -> Option<Version> {
    let mut numbers = text.split('.').map(|n| n.parse::<u32>().ok());
    let (major, minor) = (numbers.next()??, numbers.next()??);
    if numbers.any(|n| n.is_none()) {
        return None;
    }
    match (major, minor) {
        (1, 0) => Some(Version::V1),
        (0, 3) => Some(Version::V03),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patch_numbers_do_not_count() {
        for (text, version) in [
            ("1.0", Some(Version::V1)),
            ("1.0.1", Some(Version::V1)),
            ("0.3", Some(Version::V03)),
            ("0.3.0", Some(Version::V03)),
            ("0.2", None),
            ("2.0", None),
            ("1", None),
            ("1.0.x", None),
            ("one", None),
        ] {
            assert_eq!(parse(text), version, "{text}");
        }
    }

    #[test]
    fn the_header_goes_before_the_query_and_empty_says_nothing() {
        let mut headers = HeaderMap::new();
        let uri: Uri = "/a2a/x?A2A-Version=1.0".parse().unwrap();
        assert_eq!(named(&headers, &uri).unwrap(), Some(Version::V1));
        headers.insert("A2A-Version", "0.3".parse().unwrap());
        assert_eq!(named(&headers, &uri).unwrap(), Some(Version::V03));
        headers.insert("A2A-Version", "".parse().unwrap());
        assert_eq!(named(&headers, &uri).unwrap(), None);
        headers.insert("A2A-Version", "3.0".parse().unwrap());
        assert!(named(&headers, &uri).is_err());
    }
}
