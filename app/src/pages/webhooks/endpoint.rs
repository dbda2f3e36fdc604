//! One endpoint: what was sent there, what it wants, its secret, on and off.

use domain::webhooks::{self, DeliveryFilter, DeliveryState, DeliverySummary, Endpoint, OffReason};
use domain::{Missing, Page, WebhookId};
use leptos::prelude::*;

use super::{answer_text, delivery_badge, endpoint_badge, endpoint_fields};
use crate::components::empty::empty;
use crate::components::field::Field;
use crate::components::heading::PageHeading;
use crate::components::notice::{Notice, Tone};
use crate::components::pager::pager;
use crate::components::settings_nav::settings_nav;
use crate::components::table::Table;
use crate::components::{form, time};
use crate::context::{Form, PageRequest, load, page_request};
use crate::query::{Query, path_segment};

/// Deliveries a page.
const PAGE: usize = 20;

/// The page.
#[component]
pub fn WebhookEndpoint() -> impl IntoView {
    let request = page_request();
    let id = path_segment::<WebhookId>("id", Missing::Webhook);
    let query = Query::of_page(&["state", "after"]);
    load(async move {
        let endpoint = webhooks::get(&request.db, &request.actor, id?).await?;
        let filter = DeliveryFilter {
            state: query.get("state").and_then(DeliveryState::parse),
            after: query.get("after").and_then(|text| text.parse().ok()),
        };
        let page = webhooks::deliveries(&request.db, &request.actor, endpoint.id, &filter, PAGE).await?;
        let title =
            if endpoint.description.is_empty() { "Webhook endpoint".into() } else { endpoint.description.clone() };
        let elsewhere = request.form.of_no_section();
        Ok(view! {
            <PageHeading title=title />
            {settings_nav("/settings/webhooks")}
            <p class="break webhook-url"><code>{endpoint.url.clone()}</code></p>
            {form::errors(&elsewhere, &[])}
            <div class="with-aside">
                <div class="stack">
                    {why_not(&endpoint)}
                    {log(&endpoint, &page, &query, filter.state, &request)}
                    {editing(&endpoint, &request)}
                </div>
                <aside class="aside stack" aria-label="State">
                    {state(&endpoint)}
                    {secret(&endpoint)}
                    {deleting(&endpoint, &request)}
                </aside>
            </div>
        })
    })
}

/// Why nothing arrives, where nothing does.
fn why_not(e: &Endpoint) -> AnyView {
    let (tone, lead, text) = match (e.off.map(|off| off.reason), e.failing_since) {
        (Some(OffReason::Owner), _) => {
            (Tone::Note, "Off", "Nothing is sent here, and what happens meanwhile is not kept for it.")
        }
        (Some(OffReason::Gone), _) => (
            Tone::Bad,
            "Switched off",
            "The receiver answered 410 Gone, which says that nothing is to be sent there again.",
        ),
        (Some(OffReason::Failing), _) => (
            Tone::Bad,
            "Switched off",
            "Every message failed for five days. When the receiver works again, switch it on and send again what failed.",
        ),
        (None, Some(_)) => (
            Tone::Warn,
            "Failing",
            "No message has arrived since then. After five days of that the endpoint is switched off.",
        ),
        (None, None) => return ().into_any(),
    };
    let since = e.off.and_then(|off| off.at).or(e.failing_since).map(|at| view! { " since "{time::exact(at)} });
    view! { <Notice tone=tone><p><strong>{lead}{since}". "</strong>{text}</p></Notice> }.into_any()
}

fn state(e: &Endpoint) -> AnyView {
    let base = format!("/settings/webhooks/{}", e.id);
    let on = e.off.is_none();
    let switch = |word: &'static str, class: &'static str, active: &str| {
        form::one_button(&format!("{base}/active"), class, word, vec![("active", active.to_owned())])
    };
    view! {
        <div class="panel">
            <dl class="facts facts-plain">
                <div><dt>"State"</dt><dd>{endpoint_badge(e)}</dd></div>
                <div><dt>"Added"</dt><dd>{time::day(e.created_at)}</dd></div>
            </dl>
            {on.then(|| form::one_button(&format!("{base}/test"), "button button-primary button-wide", "Send a test message", Vec::new()))}
            {if on { switch("Switch off", "button button-wide", "false") } else { switch("Switch on", "button button-primary button-wide", "true") }}
        </div>
    }
    .into_any()
}

fn secret(e: &Endpoint) -> AnyView {
    let action = format!("/settings/webhooks/{}/secret", e.id);
    view! {
        <div class="panel">
            <h2>"Signing secret"</h2>
            <p class="small">
                "Every message is signed with it, so that your receiver can tell ours from anybody’s. "
                <a href="/docs/webhooks#check-the-signature">"How to check"</a>
            </p>
            {form::one_button(&action, "button button-wide", "Make a new one", Vec::new())}
            <p class="small mute">"The old one stays good for a day: messages carry both signatures until then."</p>
        </div>
    }
    .into_any()
}

fn log(
    e: &Endpoint,
    page: &Page<DeliverySummary>,
    query: &Query,
    state: Option<DeliveryState>,
    request: &PageRequest,
) -> AnyView {
    let path = format!("/settings/webhooks/{}", e.id);
    let choices = [
        (None, "All"),
        (Some(DeliveryState::Waiting), "Waiting"),
        (Some(DeliveryState::Delivered), "Delivered"),
        (Some(DeliveryState::Failed), "Failed"),
    ];
    let links: Vec<_> = choices
        .into_iter()
        .map(|(s, word)| {
            let to = s.map_or_else(|| path.clone(), |s| format!("{path}?state={}", s.as_str()));
            view! { <li><a href=to aria-current=(s == state).then_some("page")>{word}</a></li> }
        })
        .collect();
    let rows: Vec<_> = page.items.iter().map(|d| row(e, d, request)).collect();
    let head = vec![("Message", false), ("State", false), ("Last answer", false), ("Tries", true), ("Written", true)];
    view! {
        <section>
            <h2>"Deliveries"</h2>
            <nav class="subtabs" aria-label="State of deliveries"><ul>{links}</ul></nav>
            {if !rows.is_empty() {
                view! { <Table caption="Deliveries" head=head cards=true>{rows}</Table> }.into_any()
            } else if state.is_some() {
                empty("No such delivery", "Nothing is in this state.", "", "").into_any()
            } else if e.off.is_some() {
                empty("Nothing was sent", "The endpoint is off.", "", "").into_any()
            } else {
                empty("Nothing sent yet", "Send a test message to see what arrives and how it is answered.", "", "").into_any()
            }}
            {pager(&path, query, page.next.as_ref())}
            {e.off.is_none().then(|| sending_again(e))}
        </section>
    }
    .into_any()
}

fn row(e: &Endpoint, d: &DeliverySummary, request: &PageRequest) -> AnyView {
    let to = format!("/settings/webhooks/{}/deliveries/{}", e.id, d.id);
    view! {
        <tr>
            <td class="cell-title"><a href=to><code>{d.kind.clone()}</code></a></td>
            <td data-label="State">{delivery_badge(d)}</td>
            <td data-label="Last answer">{answer_text(d.last_status, d.last_error.as_deref())}</td>
            <td class="right" data-label="Tries">{d.attempts}</td>
            <td class="right nowrap" data-label="Written">{time::ago(d.created_at, request.now)}</td>
        </tr>
    }
    .into_any()
}

fn sending_again(e: &Endpoint) -> AnyView {
    let spans = [("1", "The last hour"), ("24", "The last day"), ("168", "The last week"), ("720", "The last 30 days")];
    let spans = spans.into_iter().map(|(hours, words)| (hours.to_owned(), words.to_owned())).collect();
    view! {
        <details class="send-again">
            <summary>"Send all failed ones again"</summary>
            <form method="post" action=format!("/settings/webhooks/{}/resend", e.id) class="filter-row">
                {Field::new("hours", "Written in").options(spans).value("24").unmarked().show(&Form::default())}
                <button type="submit" class="button">"Send again"</button>
            </form>
        </details>
    }
    .into_any()
}

fn editing(e: &Endpoint, request: &PageRequest) -> AnyView {
    let typed = request.form.of_section("edit");
    view! {
        <form method="post" action=format!("/settings/webhooks/{}", e.id) class="panel form">
            <h2>"The endpoint"</h2>
            {form::errors(&typed, &["url", "description", "types"])}
            {form::hidden("section", "edit".into())}
            {endpoint_fields(&typed, &e.url, &e.description, &e.types)}
            <div class="form-actions">{form::submit("Save")}</div>
        </form>
    }
    .into_any()
}

fn deleting(e: &Endpoint, request: &PageRequest) -> AnyView {
    let typed = request.form.of_section("delete");
    let open = typed.is_sent();
    view! {
        <div class="panel panel-danger">
            <h2>"Delete"</h2>
            <details open=open>
                <summary>"I want to delete it"</summary>
                <form method="post" action=format!("/settings/webhooks/{}/delete", e.id) class="form">
                    {form::hidden("section", "delete".into())}
                    {form::confirm(&typed, "With its log and what waits")}
                    <button type="submit" class="button button-danger button-wide">"Delete it"</button>
                </form>
            </details>
        </div>
    }
    .into_any()
}
