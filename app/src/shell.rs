//! The document around every page.

use leptos::prelude::*;
use leptos_meta::{MetaTags, provide_meta_context};

use crate::components::layout::Frame;
use crate::context::page_request;
use crate::pages::PageRoutes;

/// The whole document. The wasm and its glue carry the build's version, so that a new build is never met by an old
/// script; theme-color follows the tokens in style/.
pub fn shell(options: LeptosOptions) -> impl IntoView {
    provide_meta_context();
    let version = page_request().site.version;
    view! {
        <!DOCTYPE html>
        <html lang="en">
            <head>
                <meta charset="utf-8" />
                <meta name="viewport" content="width=device-width, initial-scale=1" />
                <meta name="color-scheme" content="light dark" />
                <link rel="stylesheet" href=format!("/pkg/nexus.css?v={version}") />
                <script src=format!("/theme.js?v={version}")></script>
                <link rel="icon" type="image/svg+xml" href="/favicon.svg" />
                <HydrationScripts options islands=true />
                <MetaTags />
            </head>
            <body>
                <Frame>
                    <PageRoutes />
                </Frame>
            </body>
        </html>
    }
}
