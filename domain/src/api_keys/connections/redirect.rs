//! Where the answer of an authorization may be sent to. Pure.

use url::{Host, Url};

/// Longest redirect URI.
const LONGEST: usize = 2_000;

/// Reads a redirect URI: https; or http on this computer; or a scheme with a dot in it, which an app registers for itself
/// (RFC 8252, sections 7.1 to 7.3). Without fragment (RFC 6749, section 3.1.2) and user name.
///
/// # Errors
/// What is wrong with it, to be read after its name.
pub fn check(text: &str) -> Result<Url, &'static str> {
    if text.len() > LONGEST {
        return Err("is longer than 2000 characters");
    }
    if text.chars().any(|c| c.is_control() || c.is_whitespace()) {
        return Err("has a character that no URI has");
    }
    if text.contains('#') {
        return Err("has a fragment");
    }
    let url = Url::parse(text).map_err(|_| "is not an absolute URI")?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("has a user name");
    }
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err("must be https, but for 127.0.0.1, [::1] and localhost"),
        scheme if scheme.contains('.') => Ok(url),
        _ => Err("has a scheme that is neither https nor an app's own with a dot in it, such as com.example.app"),
    }
}

/// Whether a client that registered `registered` may be answered at `asked`: where they are the same, character by character;
/// on this computer the port may differ, because a program takes the one that is free (RFC 8252, section 7.3).
pub fn matches(registered: &str, asked: &str) -> bool {
    if registered == asked {
        return true;
    }
    let (Ok(mut registered), Ok(mut asked)) = (check(registered), check(asked)) else { return false };
    let local = |url: &Url| url.scheme() == "http" && is_loopback(url);
    local(&registered)
        && local(&asked)
        && registered.set_port(None).is_ok()
        && asked.set_port(None).is_ok()
        && registered == asked
}

/// Whether it leads to a program on the person's own computer.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(ip)) => ip == std::net::Ipv4Addr::LOCALHOST,
        Some(Host::Ipv6(ip)) => ip == std::net::Ipv6Addr::LOCALHOST,
        None => false,
    }
}

/// Where it leads, for people: a host, or an app's own scheme.
pub fn place(text: &str) -> String {
    match Url::parse(text) {
        Ok(url) if matches!(url.scheme(), "http" | "https") => {
            let host = url.host_str().unwrap_or_default();
            url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
        }
        Ok(url) => url.scheme().to_owned(),
        Err(_) => String::new(),
    }
}

/// `uri` with these parameters behind those that it has.
pub(super) fn with_parameters(uri: &str, parameters: &[(&str, &str)]) -> String {
    let added: String = url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish();
    let joint = match uri.split_once('?') {
        None => "?",
        Some((_, "")) => "",
        Some(_) => "&",
    };
    format!("{uri}{joint}{added}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_goes_to_a_safe_place_alone() {
        for good in [
            "https://client.example/callback?a=b",
            "http://127.0.0.1:49152/cb",
            "http://[::1]/cb",
            "http://localhost/cb",
            "com.example.app:/oauth",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
        for bad in [
            "http://client.example/cb",
            "http://127.0.0.2/cb",
            "http://localhost.evil.example/cb",
            "https://client.example/cb#top",
            "https://me@client.example/cb",
            "https://client.example/a b",
            "javascript:alert(1)",
            "data:text/html,x",
            "myapp://cb",
            "/callback",
            "",
            &format!("https://client.example/{}", "x".repeat(2_000)),
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn only_a_port_on_this_computer_may_differ() {
        assert!(matches("http://127.0.0.1/cb", "http://127.0.0.1:5000/cb"));
        assert!(matches("http://localhost:1/cb", "http://localhost:2/cb"));
        assert!(matches("http://[::1]:1/cb", "http://[::1]:2/cb"));
        for (registered, asked) in [
            ("http://127.0.0.1/cb", "http://127.0.0.1:5000/other"),
            ("http://127.0.0.1/cb", "http://localhost/cb"),
            ("http://127.0.0.1/cb", "http://127.0.0.1:5000/cb?x=1"),
            ("http://127.0.0.1/cb", "http://me@127.0.0.1/cb"),
            ("https://client.example/cb", "https://client.example:8443/cb"),
            ("https://client.example/cb", "https://client.example/cb/"),
            ("https://client.example/cb", "https://client.example/cb?x=1"),
            ("https://localhost/cb", "https://localhost:2/cb"),
        ] {
            assert!(!matches(registered, asked), "{registered} {asked}");
        }
    }

    #[test]
    fn an_answer_stands_behind_what_the_client_has_there() {
        let with = |uri| with_parameters(uri, &[("code", "a&b"), ("state", "ü")]);
        assert_eq!(with("https://a.example/"), "https://a.example/?code=a%26b&state=%C3%BC");
        assert_eq!(with("https://a.example/?x=1"), "https://a.example/?x=1&code=a%26b&state=%C3%BC");
        assert_eq!(with("com.example.app:/cb?"), "com.example.app:/cb?code=a%26b&state=%C3%BC");
    }

    #[test]
    fn people_read_a_host() {
        assert_eq!(place("https://client.example/cb?x"), "client.example");
        assert_eq!(place("http://127.0.0.1:5000/cb"), "127.0.0.1:5000");
        assert_eq!(place("com.example.app:/cb"), "com.example.app");
    }
}
