//! The saved card, automatic top-up, spending limits, and being told of a low balance.

use domain::ledger::payments::customer::{self, SavedCard};
use domain::ledger::payments::topup::{self, AutoTopup, MOST_FAILURES, TopupState};
use domain::ledger::{self, SpendingLimits};
use domain::{Credits, Error};
use leptos::prelude::*;

use super::{frame, provider};
use crate::components::field::Field;
use crate::components::heading::PageHeading;
use crate::components::notice::{Notice, Tone};
use crate::components::{form, money, time};
use crate::context::{PageRequest, load, page_request, sentence};

/// The page.
#[component]
pub fn Topup() -> impl IntoView {
    let request = page_request();
    load(async move {
        let (db, actor) = (&request.db, &request.actor);
        let card = customer::saved_card(db, actor, provider(&request)).await?;
        let topup = topup::get(db, actor).await?;
        let limits = ledger::limits(db, actor, request.now).await?;
        let low = ledger::low_balance(db, actor).await?;
        let elsewhere = request.form.of_no_section();
        Ok::<_, Error>(view! {
            <PageHeading title="Top-up and limits" lead="Never run dry, and never spend more than you mean to." />
            {frame("/credits/topup", &request)}
            {form::errors(&elsewhere, &[])}
            <div class="stack narrow-left">
                {automatic(topup.as_ref(), card.as_ref(), &request)}
                {saved_card(card.as_ref())}
                {spending(&limits, &request)}
                {low_balance(low, &request)}
            </div>
        })
    })
}

fn saved_card(card: Option<&SavedCard>) -> AnyView {
    let body = match card {
        Some(card) => {
            let forget = form::one_button("/credits/card/forget", "button", "Forget this card", Vec::new());
            view! {
                <p><strong>{card_text(card)}</strong>{format!(", expires {}", card.expires)}</p>
                <p class="small mute">"The payment provider keeps it; its number is not stored here. Forgetting it turns automatic top-up off."</p>
                {forget}
            }
            .into_any()
        }
        None => view! {
            <p>"No card is saved. Buy credits once with “Keep this card” ticked, and it is."</p>
            <p><a class="button" href="/credits#buy">"Buy credits"</a></p>
        }
        .into_any(),
    };
    view! { <section class="panel" id="card"><h2>"Saved card"</h2>{body}</section> }.into_any()
}

/// `Visa ···· 4242`
fn card_text(card: &SavedCard) -> String {
    let mut brand = card.brand.chars();
    let brand = brand.next().map(|c| c.to_uppercase().collect::<String>() + brand.as_str()).unwrap_or_default();
    format!("{brand} ···· {}", card.last4)
}

fn automatic(topup: Option<&AutoTopup>, card: Option<&SavedCard>, request: &PageRequest) -> AnyView {
    let typed = request.form.of_section("topup");
    let state = topup.map_or(TopupState::Off, |t| t.state);
    let (class, word) = match state {
        TopupState::Active => ("badge badge-good", "On"),
        TopupState::NeedsAction => ("badge badge-warn", "Needs you"),
        TopupState::Paused => ("badge badge-bad", "Paused"),
        TopupState::Off => ("badge badge-mute", "Off"),
    };
    let plain = |credits: Credits| credits.to_string();
    let dollars = |cents: i64| Credits::from_cents(cents).to_string();
    let threshold = topup.map_or("100.00".to_owned(), |t| plain(t.threshold));
    let amount = topup.map_or("40.00".to_owned(), |t| dollars(t.amount_cents));
    let cap = topup.map_or("200.00".to_owned(), |t| dollars(t.monthly_cap_cents));
    let button = match state {
        TopupState::Off => "Turn on",
        TopupState::Paused => "Save and turn on again",
        TopupState::Active | TopupState::NeedsAction => "Save",
    };
    let settings = card.map(|_| {
        view! {
            <form method="post" action="/credits/topup" class="form">
                {form::errors(&typed, &["threshold", "amount", "monthly_cap"])}
                {form::hidden("section", "topup".into())}
                {Field::new("threshold", "When the balance falls below").inputmode("decimal").required(true).value(threshold)
                    .hint("In credits. What running tasks hold does not count.").show(&typed)}
                <div class="two-fields">
                    {Field::new("amount", "Buy for").inputmode("decimal").required(true).value(amount)
                        .hint("In US dollars, from $5.00.").show(&typed)}
                    {Field::new("monthly_cap", "At most a month").inputmode("decimal").required(true).value(cap)
                        .hint("In US dollars; months are UTC.").show(&typed)}
                </div>
                <div class="form-actions">{form::submit(button)}</div>
            </form>
        }
    });
    let off =
        (state != TopupState::Off).then(|| form::one_button("/credits/topup/off", "button", "Turn off", Vec::new()));
    // The form says what is wrong with it; where there is none, this does.
    let without_form = card.is_none().then(|| form::errors(&typed, &[]));
    view! {
        <section class="panel" id="topup">
            <div class="section-head">
                <h2>"Automatic top-up"</h2>
                <span class=class><span class="dot" aria-hidden="true"></span>{word}</span>
            </div>
            {standing(topup, card)}
            {without_form}
            {settings}
            {off}
        </section>
    }
    .into_any()
}

/// Where it stands, and what to do about it.
fn standing(topup: Option<&AutoTopup>, card: Option<&SavedCard>) -> AnyView {
    let Some(t) = topup.filter(|t| t.state != TopupState::Off) else {
        let text = if card.is_some() {
            "Nothing is bought by itself."
        } else {
            "Nothing is bought by itself. It needs a saved card."
        };
        return view! { <p>{text}</p> }.into_any();
    };
    let rule = format!(
        "Below {}, {} are charged, at most {} a month.",
        money::text(t.threshold),
        money::dollars(t.amount_cents),
        money::dollars(t.monthly_cap_cents)
    );
    let last = t.last_error.as_deref().map(sentence);
    match t.state {
        TopupState::Active if card.is_none() => {
            view! { <Notice tone=Tone::Warn><p>"It is on, but no card is saved: nothing is bought."</p></Notice> }
                .into_any()
        }
        TopupState::Active => {
            let next = time::exact(t.next_try_at);
            let trouble = last.map(|last| {
                view! {
                    <Notice tone=Tone::Warn>
                        <p><strong>"Last time it did not work. "</strong>{last}" The next try is not before "{next}"."</p>
                    </Notice>
                }
            });
            view! { <p>{rule}</p>{trouble} }.into_any()
        }
        TopupState::NeedsAction => {
            let confirm = t.waiting.map(|_| {
                form::one_button("/credits/topup/confirm", "button button-primary", "Confirm the payment", Vec::new())
            });
            view! {
                <p>{rule}</p>
                <Notice tone=Tone::Warn>
                    <p><strong>"Your bank asks you to confirm a payment. "</strong>"Nothing was charged, and nothing is bought until you do."</p>
                    {confirm}
                </Notice>
            }
            .into_any()
        }
        TopupState::Paused => {
            let why = last.unwrap_or_else(|| "The card was declined.".to_owned());
            let after = format!("Paused after {} declines. ", t.failures.max(MOST_FAILURES));
            view! {
                <Notice tone=Tone::Bad>
                    <p><strong>{after}</strong>{why}" Nothing was charged."</p>
                    <p>"Once the card works, or another is saved, turn it on again here."</p>
                </Notice>
            }
            .into_any()
        }
        TopupState::Off => ().into_any(),
    }
}

fn spending(limits: &SpendingLimits, request: &PageRequest) -> AnyView {
    let typed = request.form.of_section("limits");
    let stored = |limit: Option<Credits>| limit.map(|l| l.to_string()).unwrap_or_default();
    let against = |word: &'static str, spent: Credits, limit: Option<Credits>| {
        let of = limit.map(|limit| view! { <span class="mute">{format!(" of {}", money::text(limit))}</span> });
        view! { <div><dt>{word}</dt><dd>{money::amount(spent)}{of}</dd></div> }
    };
    view! {
        <section class="panel" id="limits">
            <h2>"Spending limits"</h2>
            <p>"A task that would exceed a limit is not ordered. Held counts as spent; what comes back does not."</p>
            <dl class="bill">
                {against("Spent today", limits.spent_today, limits.daily)}
                {against("Spent this month", limits.spent_this_month, limits.monthly)}
            </dl>
            <form method="post" action="/credits/limits" class="form">
                {form::errors(&typed, &["daily", "monthly"])}
                {form::hidden("section", "limits".into())}
                <div class="two-fields">
                    {Field::new("daily", "A day").inputmode("decimal").value(stored(limits.daily))
                        .hint("In credits; days are UTC. Empty: no limit.").show(&typed)}
                    {Field::new("monthly", "A month").inputmode("decimal").value(stored(limits.monthly))
                        .hint("In credits; months are UTC. Empty: no limit.").show(&typed)}
                </div>
                <div class="form-actions">{form::submit("Save limits")}</div>
            </form>
        </section>
    }
    .into_any()
}

fn low_balance(below: Option<Credits>, request: &PageRequest) -> AnyView {
    let typed = request.form.of_section("low");
    let now = below.map_or_else(
        || "You are not told of a low balance.".to_owned(),
        |b| {
            format!(
                "A mail comes when fewer than {} are available, once until the balance has been above it again.",
                money::text(b)
            )
        },
    );
    view! {
        <section class="panel" id="low-balance">
            <h2>"Low balance"</h2>
            <p>{now}</p>
            <form method="post" action="/credits/low-balance" class="form">
                {form::errors(&typed, &["lowBalance"])}
                {form::hidden("section", "low".into())}
                {Field::new("lowBalance", "Tell me when my balance falls below").inputmode("decimal")
                    .value(below.map(|b| b.to_string()).unwrap_or_default())
                    .hint("In credits. What running tasks hold does not count. Empty: never.").show(&typed)}
                <div class="form-actions">{form::submit("Save")}</div>
            </form>
        </section>
    }
    .into_any()
}
