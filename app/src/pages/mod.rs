//! The pages, one file each, and which address shows which.

pub mod errors;
pub mod home;

use leptos::prelude::*;
use leptos_router::components::{Route, Router, Routes};
use leptos_router::path;

/// Which page an address shows. `src/router.rs` lists the same addresses for the server.
#[component]
pub fn PageRoutes() -> impl IntoView {
    view! {
        <Router>
            <Routes fallback=errors::NotFound>
                <Route path=path!("/") view=home::Home />
            </Routes>
        </Router>
    }
}
