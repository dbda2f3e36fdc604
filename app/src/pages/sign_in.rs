//! Signing in.

use leptos::prelude::*;

use crate::components::field::Field;
use crate::components::form;
use crate::components::heading::PageHeading;
use crate::components::notice::{Notice, Tone};
use crate::context::page_request;
use crate::query::{Query, encode};

/// The page.
#[component]
pub fn SignIn() -> impl IntoView {
    let request = page_request();
    let typed = &request.form;
    let next = typed.value_or("next", &Query::of_page(&["next"]).text("next"));
    let sign_up = if next.is_empty() { "/sign-up".to_owned() } else { format!("/sign-up?next={}", encode(&next)) };
    let back = next.clone();
    let demo = request.site.demo.clone().map(|demo| {
        view! {
            <Notice tone=Tone::Note>
                <p>"This is a demo. Look around with its account:"</p>
                <dl class="fields">
                    <div class="fields-row"><dt>"E-mail address"</dt><dd><code>{demo.email.clone()}</code></dd></div>
                    <div class="fields-row"><dt>"Password"</dt><dd><code>{demo.password.clone()}</code></dd></div>
                </dl>
                <form method="post" action="/sign-in" class="one-button">
                    {form::hidden("email", demo.email)}
                    {form::hidden("password", demo.password)}
                    {form::hidden("next", back)}
                    <button type="submit" class="button">"Sign in as the demo buyer"</button>
                </form>
            </Notice>
        }
    });
    view! {
        <div class="narrow">
            <PageHeading title="Sign in" />
            <form method="post" action="/sign-in" class="panel form">
                {form::errors(typed, &["email", "password"])}
                {form::hidden("next", next)}
                {Field::new("email", "E-mail address").kind("email").autocomplete("username").required(true).autofocus().show(typed)}
                {Field::new("password", "Password").kind("password").autocomplete("current-password").required(true).show(typed)}
                <div class="form-actions">{form::submit("Sign in")}</div>
            </form>
            <p class="mute">"New here? "<a href=sign_up>"Open an account"</a></p>
            {demo}
        </div>
    }
}
