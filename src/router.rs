//! Every address of the program, and the layers around them in order.

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::http::{HeaderName, HeaderValue, header};
use axum::routing::{get, post};
use tower_http::catch_panic::CatchPanicLayer;
use tower_http::compression::CompressionLayer;
use tower_http::compression::predicate::{DefaultPredicate, NotForContentType, Predicate};
use tower_http::request_id::{MakeRequestUuid, PropagateRequestIdLayer, SetRequestIdLayer};
use tower_http::services::ServeDir;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;

use crate::state::AppState;
use crate::web::{
    account_forms, agent_forms, connection_forms, hire_form, judge_forms, key_forms, ledger_csv, limit_forms, live,
    page, purchase_forms, review_forms, same_origin, session, task_forms, topup_forms, webhook_forms,
};
use crate::{api, gateway, mcp, oauth, payments, sandbox, web};

/// Largest form, with its file.
const FORM_LIMIT: usize = 4 * 1024 * 1024;

/// Builds the program's router.
pub fn router(state: AppState) -> Router {
    let pages = Router::new()
        .route("/", get(page::show))
        .route("/marketplace", get(page::show))
        .route("/marketplace/{id}", get(page::show))
        .route("/marketplace/{id}/hire", get(page::show).post(hire_form::hire))
        .route("/docs", get(page::show))
        .route("/docs/api", get(page::show))
        .route("/docs/{slug}", get(page::show))
        .route("/sign-up", get(page::show).post(account_forms::sign_up))
        .route("/sign-in", get(page::show).post(account_forms::sign_in))
        .route("/sign-out", post(account_forms::sign_out))
        .route("/settings", get(page::show))
        .route("/settings/name", post(account_forms::change_name))
        .route("/settings/password", post(account_forms::change_password))
        .route("/settings/sessions/end", post(account_forms::end_session))
        .route("/settings/sessions/end-others", post(account_forms::end_other_sessions))
        .route("/settings/close", post(account_forms::close))
        .route("/settings/webhooks", get(page::show).post(webhook_forms::create))
        .route("/settings/webhooks/{id}", get(page::show).post(webhook_forms::change))
        .route("/settings/webhooks/{id}/active", post(webhook_forms::set_active))
        .route("/settings/webhooks/{id}/secret", post(webhook_forms::rotate_secret))
        .route("/settings/webhooks/{id}/test", post(webhook_forms::send_test))
        .route("/settings/webhooks/{id}/resend", post(webhook_forms::resend_failed))
        .route("/settings/webhooks/{id}/delete", post(webhook_forms::delete))
        .route("/settings/webhooks/{id}/deliveries/{delivery}", get(page::show))
        .route("/settings/webhooks/{id}/deliveries/{delivery}/resend", post(webhook_forms::resend))
        .route("/settings/keys", get(page::show).post(key_forms::create))
        .route("/settings/keys/{id}", get(page::show).post(key_forms::change))
        .route("/settings/keys/{id}/rotate", post(key_forms::rotate))
        .route("/settings/keys/{id}/revoke", post(key_forms::revoke))
        .route("/settings/connections", get(page::show))
        .route("/settings/connections/{id}/cut-off", post(connection_forms::cut_off))
        .route("/oauth/authorize", get(connection_forms::authorize).post(connection_forms::decide))
        .route("/dashboard", get(page::show))
        .route("/agents", get(page::show))
        .route("/agents/register", get(page::show).post(agent_forms::register))
        .route("/agents/{id}", get(page::show).post(agent_forms::edit))
        .route("/agents/{id}/status", post(agent_forms::set_status))
        .route("/agents/{id}/test", post(agent_forms::test_call))
        .route("/agents/{id}/check", post(agent_forms::check))
        .route("/agents/{id}/proof", post(agent_forms::look_for_proof))
        .route("/agents/{id}/secret", post(agent_forms::rotate_secret))
        .route("/agents/{id}/retire", post(agent_forms::retire))
        .route("/agents/{id}/reviews/{task}/answer", post(review_forms::answer))
        .route("/tasks", get(page::show))
        .route("/tasks/{id}", get(page::show))
        .route("/tasks/{id}/cancel", post(task_forms::cancel))
        .route("/tasks/{id}/live", get(live::task))
        .route("/tasks/{id}/reply", post(task_forms::reply))
        .route("/tasks/{id}/again", post(task_forms::again))
        .route("/tasks/{id}/accept", post(judge_forms::accept))
        .route("/tasks/{id}/rating", post(judge_forms::rate))
        .route("/tasks/{id}/dispute", post(judge_forms::dispute))
        .route("/tasks/{id}/dispute/say", post(judge_forms::say))
        .route("/tasks/{id}/dispute/offer", post(judge_forms::offer))
        .route("/tasks/{id}/dispute/accept", post(judge_forms::accept_offer))
        .route("/tasks/{id}/dispute/give-in", post(judge_forms::give_in))
        .route("/admin", get(page::show))
        .route("/admin/disputes/{task}", get(page::show))
        .route("/admin/disputes/{task}/decide", post(judge_forms::decide))
        .route("/tasks/{id}/artifacts/{artifact}/{part}", get(task_forms::download))
        .route("/credits", get(page::show))
        .route("/billing", get(purchase_forms::billing))
        .route("/credits/buy", post(purchase_forms::buy))
        .route("/credits/return", get(page::show))
        .route("/credits/usage", get(page::show))
        .route("/credits/ledger.csv", get(ledger_csv::download))
        .route("/credits/receipts", get(page::show))
        .route("/credits/receipts/{purchase}", get(page::show))
        .route("/credits/receipts/{purchase}/refund", post(purchase_forms::refund))
        .route("/credits/billing-details", post(purchase_forms::billing_details))
        .route("/credits/topup", get(page::show).post(topup_forms::set))
        .route("/credits/topup/off", post(topup_forms::off))
        .route("/credits/topup/confirm", post(topup_forms::confirm))
        .route("/credits/card/forget", post(topup_forms::forget_card))
        .route("/credits/limits", post(limit_forms::set))
        .route("/credits/low-balance", post(limit_forms::set_low_balance))
        .fallback(page::show);
    let pages = match &state.payments {
        p if p.is_sandbox() => pages
            .route("/sandbox/checkout/{session}", get(sandbox::page::show).post(sandbox::page::pay))
            .route("/sandbox/bank/{payment_intent}", get(sandbox::bank::show).post(sandbox::bank::answer)),
        _ => pages,
    };
    // From the outside in: the form's origin is judged before its session is loaded, and both before a handler runs.
    let pages = pages
        .layer(DefaultBodyLimit::max(FORM_LIMIT))
        .layer(session::layer(&state))
        .layer(axum::middleware::from_fn_with_state(state.clone(), same_origin::check));

    // For programs: no cookies here, so nothing that a cookie's owner could be made to send.
    let machines = Router::new()
        .route("/healthz", get(web::health::alive))
        .route("/readyz", get(web::health::ready))
        .route("/api/openapi.json", get(api::serve_document))
        .nest("/api/v1", api::routes(&state))
        .merge(oauth::routes())
        .merge(mcp::routes(&state))
        .route("/a2a/push/{task}", post(web::push::ring))
        .merge(gateway::routes())
        .route("/stripe/webhook", post(payments::webhook::receive));
    let machines = if state.payments.is_sandbox() { machines.merge(sandbox::api::routes()) } else { machines };

    let files = ServeDir::new(&*state.leptos.site_root).precompressed_br().precompressed_gzip();
    let files = Router::new()
        .nest_service(
            "/pkg",
            ServeDir::new(format!("{}/pkg", state.leptos.site_root)).precompressed_br().precompressed_gzip(),
        )
        .route_service("/favicon.svg", files.clone())
        .route_service("/api-reference.js", files.clone())
        .route_service("/theme.js", files)
        .layer(SetResponseHeaderLayer::if_not_present(header::CACHE_CONTROL, HeaderValue::from_static("no-cache")));

    // A stream must arrive as it is written, so it is not compressed.
    let compress = DefaultPredicate::new().and(NotForContentType::const_new("text/event-stream"));
    let request_id = HeaderName::from_static("x-request-id");
    pages
        .merge(machines)
        .merge(files)
        .layer(CompressionLayer::new().compress_when(compress))
        .layer(web::headers::layer(&state))
        .layer(CatchPanicLayer::custom(web::page::panicked))
        .layer(PropagateRequestIdLayer::new(request_id.clone()))
        .layer(TraceLayer::new_for_http().make_span_with(web::headers::span))
        .layer(SetRequestIdLayer::new(request_id, MakeRequestUuid))
        .with_state(state)
}
