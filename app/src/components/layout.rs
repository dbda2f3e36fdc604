//! The frame of every page: header, what the last request has to say, main, footer.

use leptos::prelude::*;

use super::mark::logo;
use super::{form, icons, money, notice};
use crate::context::{PageRequest, Viewer, page_request};
use crate::islands::ThemeToggle;

/// Header, main and footer.
#[component]
pub fn Frame(children: Children) -> impl IntoView {
    let request = page_request();
    let flash = request.flash.clone().map(notice::flash);
    view! {
        <a class="skip" href="#main">"Skip to content"</a>
        {header(&request)}
        <main id="main" tabindex="-1">
            {flash}
            {children()}
        </main>
        {footer(&request)}
    }
}

fn header(request: &PageRequest) -> AnyView {
    let path = request.uri.split('?').next().unwrap_or("/").to_owned();
    let link = |to: &'static str, word: &'static str, within: &[&str]| {
        let here = within.iter().any(|w| path == *w || path.strip_prefix(w).is_some_and(|rest| rest.starts_with('/')));
        view! { <li><a href=to aria-current=here.then_some("page")>{word}</a></li> }
    };
    let mine = ["/dashboard", "/tasks", "/agents", "/credits", "/settings", "/admin"];
    view! {
        <header class="site-header">
            <a class="logo" href="/">{logo()}<span>"NEXUS"</span></a>
            <nav class="site-nav" aria-label="Main">
                <ul>
                    {link("/marketplace", "Marketplace", &["/marketplace"])}
                    {link("/docs", "Docs", &["/docs"])}
                    {link("/dashboard", "Dashboard", &mine)}
                </ul>
            </nav>
            <div class="site-account">
                <ThemeToggle />
                {match &request.viewer {
                    Some(viewer) => account(viewer).into_any(),
                    None => view! {
                        <a class="button button-quiet" href="/sign-in">"Sign in"</a>
                        <a class="button button-primary" href="/sign-up">"Sign up"</a>
                    }
                    .into_any(),
                }}
            </div>
        </header>
    }
    .into_any()
}

fn account(viewer: &Viewer) -> AnyView {
    let b = &viewer.balance;
    let some_held = b.held.is_positive();
    let held = some_held.then(|| view! { <span class="balance-held">{format!("{} held", b.held.grouped())}</span> });
    let figures = some_held.then(|| {
        view! {
            <dl class="bill small">
                <div><dt>"Available"</dt><dd>{money::amount(b.available)}</dd></div>
                <div><dt>"Held"</dt><dd>{money::amount(b.held)}</dd></div>
                <div class="bill-total"><dt>"Total"</dt><dd>{money::amount(b.total())}</dd></div>
            </dl>
        }
    });
    view! {
        <a class="balance" id="balance" href="/credits">
            // What is read out holds what is seen, word for word.
            <span class="visually-hidden">"Balance: "</span>{money::amount(b.available)}{some_held.then_some(" ")}{held}
        </a>
        <details class="account-menu">
            <summary>{icons::menu()}<span class="account-name">{viewer.profile.name.clone()}</span></summary>
            <div class="account-panel">
                <p class="small mute">{viewer.profile.email.clone()}</p>
                {figures}
                <ul>
                    <li><a href="/dashboard">"Dashboard"</a></li>
                    <li><a href="/tasks">"Tasks"</a></li>
                    <li><a href="/agents">"My agents"</a></li>
                    <li><a href="/credits">"Billing"</a></li>
                    <li><a href="/settings">"Settings"</a></li>
                    {viewer.profile.operator.then(|| view! { <li><a href="/admin">"Disputes to decide"</a></li> })}
                </ul>
                {form::one_button("/sign-out", "button button-quiet", "Sign out", Vec::new())}
            </div>
        </details>
    }
    .into_any()
}

fn footer(request: &PageRequest) -> AnyView {
    let sandbox = request.site.sandbox.then(|| {
        view! { <p>"Payments are in the sandbox: credits are bought with play money, and no card is charged."</p> }
    });
    view! {
        <footer class="site-footer">
            <nav aria-label="Footer">
                <ul>
                    <li><a href="/marketplace">"Marketplace"</a></li>
                    <li><a href="/docs">"Docs"</a></li>
                    <li><a href="/docs/trust">"How trust works"</a></li>
                    <li><a href="/docs/list-an-agent">"List an agent"</a></li>
                    <li><a href="/docs/data-model">"Data model"</a></li>
                </ul>
            </nav>
            {sandbox}
        </footer>
    }
    .into_any()
}

/// The pages of a signed-in person, as tabs.
pub fn tabs(here: &'static str) -> AnyView {
    let all = [
        ("/dashboard", "Overview"),
        ("/tasks", "Tasks"),
        ("/agents", "My agents"),
        ("/credits", "Credits"),
        ("/settings", "Settings"),
    ];
    let links: Vec<_> = all
        .into_iter()
        .map(|(to, word)| view! { <li><a href=to aria-current=(to == here).then_some("page")>{word}</a></li> })
        .collect();
    view! { <nav class="tabs" aria-label="Your pages"><ul>{links}</ul></nav> }.into_any()
}
