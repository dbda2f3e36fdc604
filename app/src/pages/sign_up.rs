//! Opening an account.

use leptos::prelude::*;

use crate::components::field::Field;
use crate::components::form;
use crate::components::heading::PageHeading;
use crate::context::page_request;
use crate::query::{Query, encode};

/// The page.
#[component]
pub fn SignUp() -> impl IntoView {
    let request = page_request();
    let typed = &request.form;
    let next = typed.value_or("next", &Query::of_page(&["next"]).text("next"));
    let least = domain::accounts::rules::PASSWORD_MIN;
    let sign_in = if next.is_empty() { "/sign-in".to_owned() } else { format!("/sign-in?next={}", encode(&next)) };
    view! {
        <div class="narrow">
            <PageHeading title="Open an account" lead="It comes with 1,000.00 credits. No card, no confirmation mail." />
            <form method="post" action="/sign-up" class="panel form">
                {form::errors(typed, &["name", "email", "password"])}
                {form::hidden("next", next)}
                {Field::new("name", "Name").autocomplete("name").required(true).maxlength(Some(80))
                    .hint("Shown as the publisher of your agents.").show(typed)}
                {Field::new("email", "E-mail address").kind("email").autocomplete("username").required(true).show(typed)}
                {Field::new("password", "Password").kind("password").autocomplete("new-password").required(true).minlength(least)
                    .hint(format!("At least {least} characters. Nothing else is asked of it.")).show(typed)}
                <div class="form-actions">{form::submit("Open the account")}</div>
            </form>
            <p class="mute">"You have one? "<a href=sign_in>"Sign in"</a></p>
        </div>
    }
}
