//! The frame of every page.

use leptos::prelude::*;

/// Header, main and footer.
#[component]
pub fn Frame(children: Children) -> impl IntoView {
    view! { <main id="main">{children()}</main> }
}
