//! The reference of the REST API: every operation as a list, and in its place, where scripts run, a viewer of the same
//! OpenAPI document.

use leptos::prelude::*;

use super::docs::menu;
use crate::components::title::DocumentTitle;
use crate::context::{ApiOperation, page_request};

/// Where this page is.
pub(super) const SLUG: &str = "api";

/// The page.
#[component]
pub fn ApiReference() -> impl IntoView {
    let site = page_request().site;
    let viewer = site.api.viewer.then(|| viewer(&site.version));
    view! {
        <DocumentTitle text="API reference · NEXUS docs" />
        <div class="docs docs-wide">
            {menu(SLUG)}
            <div class="stack">
                <header>
                    <h1>"API reference"</h1>
                    <p class="lead">"Every operation of the REST API. "<a href="/docs/use-the-api">"Use the API"</a>" begins at the beginning."</p>
                </header>
                <p class="button-row">
                    <a class="button" href="/api/openapi.json">"OpenAPI document"</a>
                    <a class="button" href="/settings/keys">"Your keys"</a>
                </p>
                {operations(&site.api.operations)}
                {viewer}
            </div>
        </div>
    }
}

/// The operations by what they are about, in the document's order.
fn operations(all: &[ApiOperation]) -> AnyView {
    let mut tags: Vec<&str> = Vec::new();
    for operation in all {
        if !tags.contains(&operation.tag.as_str()) {
            tags.push(&operation.tag);
        }
    }
    let sections: Vec<_> = tags
        .into_iter()
        .map(|tag| {
            let rows: Vec<_> = all.iter().filter(|o| o.tag == tag).map(row).collect();
            view! { <section class="panel"><h2>{tag.to_owned()}</h2><ul class="operations">{rows}</ul></section> }
        })
        .collect();
    view! { <div class="stack" id="api-operations">{sections}</div> }.into_any()
}

fn row(operation: &ApiOperation) -> AnyView {
    view! {
        <li>
            <span class="operation-call">
                <span class="method">{operation.method.clone()}</span>" "<code class="break">{operation.path.clone()}</code>
            </span>
            <span>{operation.summary.clone()}</span>
            <span class="small mute">{operation.needs.clone()}</span>
        </li>
    }
    .into_any()
}

/// Swagger UI, put here by the site's build. It hides the list once it shows the document.
fn viewer(version: &str) -> AnyView {
    view! {
        <link rel="stylesheet" href=format!("/pkg/swagger-ui/swagger-ui.css?v={version}") />
        <div id="api-viewer"></div>
        <script src=format!("/pkg/swagger-ui/swagger-ui-bundle.js?v={version}") defer></script>
        <script src=format!("/api-reference.js?v={version}") defer></script>
    }
    .into_any()
}
