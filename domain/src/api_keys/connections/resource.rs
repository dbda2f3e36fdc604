//! Which part of the site a token is good at (RFC 8707), kept as a path: `/` is all of it. Pure.

use url::Url;
use uuid::Uuid;

/// The path of a resource that is a part of this site: the site itself, `/mcp`, `/a2a` with one agent or all, `/api/v1`.
/// `None` for any other. A trailing slash does not count, because clients add and drop it.
pub fn path_of(site: &str, resource: &str) -> Option<String> {
    let (site, asked) = (Url::parse(site).ok()?, Url::parse(resource).ok()?);
    let plain = asked.query().is_none()
        && asked.fragment().is_none()
        && asked.username().is_empty()
        && asked.password().is_none();
    if asked.origin() != site.origin() || !plain {
        return None;
    }
    match asked.path().trim_end_matches('/') {
        "" => Some("/".into()),
        path @ ("/mcp" | "/a2a" | "/api/v1") => Some(path.into()),
        path => {
            let agent: Uuid = path.strip_prefix("/a2a/")?.parse().ok()?;
            Some(format!("/a2a/{agent}"))
        }
    }
}

/// Whether what is good at `granted` is good at `path`: there and below.
pub fn covers(granted: &str, path: &str) -> bool {
    granted == "/" || path == granted || path.strip_prefix(granted).is_some_and(|rest| rest.starts_with('/'))
}

/// The address of a path on this site; the site's own has no trailing slash.
pub fn address(site: &str, path: &str) -> String {
    format!("{site}{}", path.trim_end_matches('/'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_resource_is_a_part_of_this_site() {
        let path = |resource: &str| path_of("https://nexus.example", resource);
        let agent = "/a2a/00000000-0000-4000-8000-00000000000a";
        assert_eq!(path("https://nexus.example").as_deref(), Some("/"));
        assert_eq!(path("https://NEXUS.example:443/").as_deref(), Some("/"));
        assert_eq!(path("https://nexus.example/mcp/").as_deref(), Some("/mcp"));
        assert_eq!(path(&format!("https://nexus.example{agent}")).as_deref(), Some(agent));
        for bad in [
            "https://evil.example/mcp",
            "http://nexus.example/mcp",
            "https://nexus.example:8443/mcp",
            "https://nexus.example/mcp?x=1",
            "https://nexus.example/mcp#x",
            "https://me@nexus.example/mcp",
            "https://nexus.example/credits",
            "https://nexus.example/a2a/somebody",
            "/mcp",
            "",
        ] {
            assert_eq!(path(bad), None, "{bad}");
        }
        assert_eq!(address("https://nexus.example", "/"), "https://nexus.example");
        assert_eq!(address("https://nexus.example", "/mcp"), "https://nexus.example/mcp");
    }

    #[test]
    fn a_part_covers_what_is_below_it() {
        for (granted, path, covered) in [
            ("/", "/mcp", true),
            ("/", "/api/v1", true),
            ("/mcp", "/mcp", true),
            ("/mcp", "/a2a", false),
            ("/mcp", "/", false),
            ("/mcp", "/mcpx", false),
            ("/a2a", "/a2a/1", true),
            ("/a2a/1", "/a2a", false),
            ("/a2a/1", "/a2a/12", false),
        ] {
            assert_eq!(covers(granted, path), covered, "{granted} {path}");
        }
    }
}
