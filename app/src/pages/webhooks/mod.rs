//! The endpoints that an account's messages go to, and adding one.

mod delivery;
mod endpoint;
mod fields;

use chrono::{DateTime, Utc};
use domain::webhooks::{self, DeliveryState, DeliverySummary, Endpoint, OffReason, rules};
use leptos::prelude::*;

pub use delivery::Delivery;
pub use endpoint::WebhookEndpoint;
use fields::endpoint_fields;

use crate::components::empty::empty;
use crate::components::heading::PageHeading;
use crate::components::settings_nav::settings_nav;
use crate::components::table::Table;
use crate::components::{form, time};
use crate::context::{PageRequest, load, page_request};

/// The page.
#[component]
pub fn Webhooks() -> impl IntoView {
    let request = page_request();
    load(async move {
        let endpoints = webhooks::list(&request.db, &request.actor).await?;
        let rows: Vec<_> = endpoints.iter().map(|e| row(e, request.now)).collect();
        let head = vec![("Endpoint", false), ("Messages", false), ("State", false), ("Last message", true)];
        Ok(view! {
            <PageHeading title="Webhooks" lead="Your programs hear of what happens here as it happens." />
            {settings_nav("/settings/webhooks")}
            <div class="stack">
            {if rows.is_empty() {
                let text = "Give an address of yours, and it gets a signed message when a task completes, an agent of yours \
                            goes offline or credits arrive. Nothing has to ask again and again.";
                empty("No endpoint yet", text, "/docs/webhooks", "How to receive messages").into_any()
            } else {
                view! { <Table caption="Your endpoints" head=head cards=true>{rows}</Table> }.into_any()
            }}
            {if endpoints.len() < rules::ENDPOINTS_MAX {
                adding(&request)
            } else {
                view! { <p class="mute">"An account has at most 20 endpoints. Delete one to add another."</p> }.into_any()
            }}
            </div>
        })
    })
}

fn row(e: &Endpoint, now: DateTime<Utc>) -> AnyView {
    let about =
        (!e.description.is_empty()).then(|| view! { <span class="small mute block">{e.description.clone()}</span> });
    let last = e.last_message_at.map_or_else(|| "none yet".into_any(), |at| time::ago(at, now));
    view! {
        <tr>
            <td class="cell-title"><a class="break" href=format!("/settings/webhooks/{}", e.id)>{e.url.clone()}</a>{about}</td>
            <td data-label="Messages">{types_text(e)}</td>
            <td data-label="State">{endpoint_badge(e)}</td>
            <td class="right nowrap" data-label="Last message">{last}</td>
        </tr>
    }
    .into_any()
}

fn types_text(e: &Endpoint) -> String {
    match e.types.as_slice() {
        [] => "everything".into(),
        [one] => one.clone(),
        many => format!("{} types", many.len()),
    }
}

fn endpoint_badge(e: &Endpoint) -> AnyView {
    let (class, word) = match (e.off.map(|off| off.reason), e.failing_since) {
        (Some(OffReason::Owner), _) => ("badge badge-mute", "Off"),
        (Some(OffReason::Gone | OffReason::Failing), _) => ("badge badge-bad", "Switched off"),
        (None, Some(_)) => ("badge badge-warn", "Failing"),
        (None, None) => ("badge badge-good", "On"),
    };
    view! { <span class=class><span class="dot" aria-hidden="true"></span>{word}</span> }.into_any()
}

fn delivery_badge(d: &DeliverySummary) -> AnyView {
    let (class, word) = match d.state {
        DeliveryState::Waiting if d.attempts > 0 => ("badge badge-warn", "Tried again later"),
        DeliveryState::Waiting => ("badge badge-busy", "On its way"),
        DeliveryState::Delivered => ("badge badge-good", "Delivered"),
        DeliveryState::Failed => ("badge badge-bad", "Failed"),
    };
    view! { <span class=class><span class="dot" aria-hidden="true"></span>{word}</span> }.into_any()
}

/// What the receiver answered, in a few words.
fn answer_text(status: Option<i32>, error: Option<&str>) -> String {
    match (status, error) {
        (Some(status), _) => format!("HTTP {status}"),
        (None, Some(error)) => error.to_owned(),
        (None, None) => "–".into(),
    }
}

fn adding(request: &PageRequest) -> AnyView {
    let typed = request.form.clone();
    view! {
        <section class="panel narrow-left" id="add">
            <h2>"Add an endpoint"</h2>
            <form method="post" action="/settings/webhooks" class="form">
                {form::errors(&typed, &["url", "description", "types"])}
                {endpoint_fields(&typed, "", "", &[])}
                <div class="form-actions">{form::submit("Add it")}</div>
                <p class="small mute">"You get a secret to check signatures with. "<a href="/docs/webhooks">"How to receive messages"</a></p>
            </form>
        </section>
    }
    .into_any()
}
