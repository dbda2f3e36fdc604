//! The query of a page's address: what it is filtered by.

use leptos::prelude::*;
use leptos_router::hooks::{use_params_map, use_query_map};

/// Names and values, in order, without empty ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Query(Vec<(String, String)>);

impl Query {
    /// Those of this request, of the names that the page knows; others are dropped, so that links stay clean.
    pub fn of_page(names: &[&str]) -> Query {
        let map = use_query_map().get_untracked();
        let known = names.iter().filter_map(|name| Some(((*name).to_owned(), map.get(name)?)));
        Query(known.map(|(n, v)| (n, v.trim().to_owned())).filter(|(_, v)| !v.is_empty()).collect())
    }

    /// The value of a name.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// The value, or nothing.
    pub fn text(&self, name: &str) -> String {
        self.get(name).unwrap_or_default().to_owned()
    }

    /// Whether nothing is asked for.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The same with `name` set.
    pub fn with(&self, name: &str, value: &str) -> Query {
        let mut out = self.without(name);
        out.0.push((name.to_owned(), value.to_owned()));
        out
    }

    /// The same without `name`.
    pub fn without(&self, name: &str) -> Query {
        Query(self.0.iter().filter(|(n, _)| n != name).cloned().collect())
    }

    /// The address of `path` with this query.
    pub fn href(&self, path: &str) -> String {
        let pairs: Vec<String> = self.0.iter().map(|(n, v)| format!("{}={}", encode(n), encode(v))).collect();
        if pairs.is_empty() { path.to_owned() } else { format!("{path}?{}", pairs.join("&")) }
    }
}

/// A segment of the page's path, as what it should be; anything else is an address where nothing is.
pub fn path_segment<T: std::str::FromStr>(name: &str, missing: domain::Missing) -> domain::Result<T> {
    let text = use_params_map().get_untracked().get(name).unwrap_or_default();
    text.parse().map_err(|_| domain::Error::NotFound(missing))
}

/// Percent-encoding of everything but unreserved characters (RFC 3986, section 2.3).
pub fn encode(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => char::from(b).to_string(),
            other => format!("%{other:02X}"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_becomes_a_link_and_nothing_breaks_out_of_it() {
        let query = Query(vec![("q".into(), "a&b=c d".into()), ("after".into(), "x".into())]);
        assert_eq!(query.without("after").with("sort", "price").href("/m"), "/m?q=a%26b%3Dc%20d&sort=price");
        assert_eq!(Query::default().href("/m"), "/m");
    }
}
