//! The way through the pages of an account's settings.

use leptos::prelude::*;

use super::layout::tabs;

/// The pages in their order: address and name.
const PAGES: &[(&str, &str)] = &[
    ("/settings", "Account"),
    ("/settings/connections", "Connections"),
    ("/settings/keys", "API keys"),
    ("/settings/webhooks", "Webhooks"),
];

/// The tabs of all pages, and those of the settings.
pub fn settings_nav(here: &'static str) -> AnyView {
    let links: Vec<_> = PAGES
        .iter()
        .map(|(to, word)| view! { <li><a href=*to aria-current=(*to == here).then_some("page")>{*word}</a></li> })
        .collect();
    view! {
        {tabs("/settings")}
        <nav class="subtabs" aria-label="Settings"><ul>{links}</ul></nav>
    }
    .into_any()
}
