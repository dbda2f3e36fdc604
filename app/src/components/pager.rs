//! The way through a long list. Keyset paging has no numbers: there is what follows, and the beginning.

use domain::Cursor;
use leptos::prelude::*;

use crate::query::Query;

/// Links to the next page and back to the first.
pub fn pager(path: &str, query: &Query, next: Option<&Cursor>) -> AnyView {
    let is_first = query.get("after").is_none();
    let first = (!is_first).then(|| {
        let to = query.without("after").href(path);
        view! { <a class="button button-quiet" href=to>"First page"</a> }
    });
    let next = next.map(|cursor| {
        let to = query.with("after", &cursor.to_string()).href(path);
        view! { <a class="button" href=to rel="next">"Next page"</a> }
    });
    (first.is_some() || next.is_some())
        .then(|| view! { <nav class="pager" aria-label="Pages">{first}{next}</nav> })
        .into_any()
}
