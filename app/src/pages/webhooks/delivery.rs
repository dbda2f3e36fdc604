//! One delivery: what is sent, and how each try went.

use domain::webhooks::{self, Attempt, DeliveryDetail, DeliveryState};
use domain::{DeliveryId, Error, Missing, WebhookId};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::{answer_text, delivery_badge};
use crate::components::heading::PageHeading;
use crate::components::settings_nav::settings_nav;
use crate::components::table::Table;
use crate::components::{form, time};
use crate::context::{PageRequest, load, page_request, sentence};
use crate::query::path_segment;

/// The page.
#[component]
pub fn Delivery() -> impl IntoView {
    let request = page_request();
    let endpoint = path_segment::<WebhookId>("id", Missing::Webhook);
    let id = path_segment::<DeliveryId>("delivery", Missing::Delivery);
    load(async move {
        let endpoint = webhooks::get(&request.db, &request.actor, endpoint?).await?;
        let delivery = webhooks::delivery(&request.db, &request.actor, id?).await?;
        if delivery.endpoint != endpoint.id {
            return Err(Error::NotFound(Missing::Delivery));
        }
        let back = format!("/settings/webhooks/{}", endpoint.id);
        let again = format!("{back}/deliveries/{}/resend", delivery.summary.id);
        Ok(view! {
            <PageHeading title=delivery.summary.kind.clone()>
                <a class="button" href=back>"To the endpoint"</a>
            </PageHeading>
            {settings_nav("/settings/webhooks")}
            {form::errors(&request.form, &[])}
            <div class="with-aside">
                <div class="stack">
                    <section><h2>"Tries"</h2>{attempts(&delivery)}</section>
                    <section>
                        <h2>"What is sent"</h2>
                        <pre class="said panel" tabindex="0">{pretty(&delivery.body)}</pre>
                        <p class="small mute">"Shown with line breaks, sent without: a signature covers the bytes that arrive."</p>
                    </section>
                </div>
                <aside class="aside stack" aria-label="State">
                    <div class="panel">
                        {facts(&delivery, &endpoint.url, &request)}
                        {if endpoint.off.is_none() {
                            let word = if delivery.summary.state == DeliveryState::Waiting { "Send it now" } else { "Send it again" };
                            form::one_button(&again, "button button-primary button-wide", word, Vec::new())
                        } else {
                            view! { <p class="small mute">"The endpoint is off: switch it on to send this again."</p> }.into_any()
                        }}
                    </div>
                </aside>
            </div>
        })
    })
}

fn facts(d: &DeliveryDetail, url: &str, request: &PageRequest) -> AnyView {
    let s = &d.summary;
    let next = s
        .next_at
        .filter(|at| *at > request.now)
        .map(|at| view! { <div><dt>"Next try"</dt><dd>{time::exact(at)}</dd></div> });
    view! {
        <dl class="facts facts-plain">
            <div><dt>"State"</dt><dd>{delivery_badge(s)}</dd></div>
            {next}
            <div><dt>"Written"</dt><dd>{time::exact(s.created_at)}</dd></div>
            <div><dt>"To"</dt><dd class="break">{url.to_owned()}</dd></div>
            <div><dt>"Message id"</dt><dd class="break"><code>{s.message.to_string()}</code></dd></div>
        </dl>
    }
    .into_any()
}

fn attempts(d: &DeliveryDetail) -> AnyView {
    if d.attempts.is_empty() {
        return view! { <p class="mute">"None yet. It is about to be sent; load this page again."</p> }.into_any();
    }
    let rows: Vec<_> = d.attempts.iter().map(row).collect();
    let head = vec![("When", false), ("Answer", false), ("Took", true)];
    view! { <Table caption="Tries" head=head cards=true>{rows}</Table> }.into_any()
}

fn row(a: &Attempt) -> AnyView {
    let answer = match a.status {
        Some(_) => answer_text(a.status, None),
        None => sentence(&answer_text(None, a.error.as_deref())),
    };
    let said = a.answer.as_ref().map(|text| view! { <pre class="said small">{text.clone()}</pre> });
    view! {
        <tr>
            <td class="nowrap">{time::exact(a.at)}</td>
            <td data-label="Answer">{answer}{said}</td>
            <td class="right nowrap" data-label="Took">{time::millis_text(f64::from(a.duration_ms))}</td>
        </tr>
    }
    .into_any()
}

/// A body with line breaks, its parts in the order in which they are sent.
fn pretty(body: &str) -> String {
    #[derive(Deserialize, Serialize)]
    struct Body {
        r#type: String,
        timestamp: String,
        data: Value,
    }
    let read = serde_json::from_str::<Body>(body);
    read.and_then(|b| serde_json::to_string_pretty(&b)).unwrap_or_else(|_| body.to_owned())
}
