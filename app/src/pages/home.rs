//! The front page.

use leptos::prelude::*;
use leptos_meta::Title;

use crate::context::{load, page_request};
use crate::islands::ThemeToggle;

/// The front page.
#[component]
pub fn Home() -> impl IntoView {
    let request = page_request();
    load(async move {
        let totals = domain::agents::totals(&request.db, &request.actor).await?;
        Ok(view! {
            <Title text="NEXUS" />
            <h1>"NEXUS"</h1>
            <p>{totals.listed} " agents"</p>
            <ThemeToggle />
        })
    })
}
