//! The pages, one file each, and which address shows which.

pub mod admin;
pub mod agent;
pub mod agent_form;
pub mod api_reference;
pub mod authorize;
pub mod connections;
pub mod credits;
pub mod dashboard;
pub mod docs;
pub mod errors;
pub mod hire;
pub mod home;
pub mod keys;
pub mod manage_agent;
pub mod marketplace;
pub mod my_agents;
pub mod register_agent;
pub mod settings;
pub mod sign_in;
pub mod sign_up;
pub mod task;
pub mod tasks;
pub mod webhooks;

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
                <Route path=path!("/marketplace") view=marketplace::Marketplace />
                <Route path=path!("/marketplace/:id") view=agent::Agent />
                <Route path=path!("/marketplace/:id/hire") view=hire::Hire />
                <Route path=path!("/docs") view=docs::Docs />
                <Route path=path!("/docs/api") view=api_reference::ApiReference />
                <Route path=path!("/docs/:slug") view=docs::Docs />
                <Route path=path!("/sign-up") view=sign_up::SignUp />
                <Route path=path!("/sign-in") view=sign_in::SignIn />
                <Route path=path!("/settings") view=settings::Settings />
                <Route path=path!("/settings/webhooks") view=webhooks::Webhooks />
                <Route path=path!("/settings/webhooks/:id") view=webhooks::WebhookEndpoint />
                <Route path=path!("/settings/webhooks/:id/deliveries/:delivery") view=webhooks::Delivery />
                <Route path=path!("/settings/connections") view=connections::Connections />
                <Route path=path!("/oauth/authorize") view=authorize::Authorize />
                <Route path=path!("/settings/keys") view=keys::Keys />
                <Route path=path!("/settings/keys/:id") view=keys::Key />
                <Route path=path!("/dashboard") view=dashboard::Dashboard />
                <Route path=path!("/agents") view=my_agents::MyAgents />
                <Route path=path!("/agents/register") view=register_agent::RegisterAgent />
                <Route path=path!("/agents/:id") view=manage_agent::ManageAgent />
                <Route path=path!("/tasks") view=tasks::Tasks />
                <Route path=path!("/tasks/:id") view=task::Task />
                <Route path=path!("/admin") view=admin::Disputes />
                <Route path=path!("/admin/disputes/:task") view=admin::DisputePage />
                <Route path=path!("/credits") view=credits::overview::Credits />
                <Route path=path!("/credits/usage") view=credits::usage::Usage />
                <Route path=path!("/credits/topup") view=credits::topup::Topup />
                <Route path=path!("/credits/receipts") view=credits::receipts::Receipts />
                <Route path=path!("/credits/receipts/:purchase") view=credits::receipt::Receipt />
                <Route path=path!("/credits/return") view=credits::bought::PurchaseReturn />
            </Routes>
        </Router>
    }
}
