//! An account's settings: name, password, sessions, and closing it.

use domain::accounts::{self, SessionView};
use leptos::prelude::*;

use crate::components::field::Field;
use crate::components::heading::PageHeading;
use crate::components::settings_nav::settings_nav;
use crate::components::table::Table;
use crate::components::{form, time};
use crate::context::{PageRequest, load, page_request};

/// The page.
#[component]
pub fn Settings() -> impl IntoView {
    let request = page_request();
    load(async move {
        let profile = accounts::profile(&request.db, &request.actor).await?;
        let sessions = accounts::sessions(&request.db, &request.actor, &request.session, request.now).await?;
        let least = accounts::rules::PASSWORD_MIN;
        let name = request.form.of_section("name");
        let password = request.form.of_section("password");
        let elsewhere = request.form.of_no_section();
        Ok(view! {
            <PageHeading title="Settings" lead=format!("{}, here since {}", profile.email, profile.created_at.format("%-d %b %Y")) />
            {settings_nav("/settings")}
            {form::errors(&elsewhere, &[])}
            <div class="stack narrow-left">
                <section class="panel">
                    <h2>"Name"</h2>
                    <form method="post" action="/settings/name" class="form">
                        {form::errors(&name, &["name"])}
                        {form::hidden("section", "name".into())}
                        {Field::new("name", "Name").autocomplete("name").required(true).maxlength(Some(80)).value(profile.name.clone())
                            .hint("Shown as the publisher of your agents.").show(&name)}
                        <div class="form-actions">{form::submit("Change name")}</div>
                    </form>
                </section>
                <section class="panel">
                    <h2>"Password"</h2>
                    <form method="post" action="/settings/password" class="form">
                        {form::errors(&password, &["current_password", "new_password"])}
                        {form::hidden("section", "password".into())}
                        // For password managers, which look for the account that a password belongs to.
                        <input type="hidden" name="username" autocomplete="username" value=profile.email.clone() />
                        {Field::new("current_password", "Current password").kind("password").autocomplete("current-password")
                            .required(true).show(&password)}
                        {Field::new("new_password", "New password").kind("password").autocomplete("new-password").required(true)
                            .minlength(least).hint(format!("At least {least} characters. Your other sessions end.")).show(&password)}
                        <div class="form-actions">{form::submit("Change password")}</div>
                    </form>
                </section>
                {session_list(&sessions, &request)}
                {closing(&request)}
            </div>
        })
    })
}

fn session_list(sessions: &[SessionView], request: &PageRequest) -> AnyView {
    let now = request.now;
    let rows: Vec<_> = sessions
        .iter()
        .map(|s| {
            let action = if s.current {
                view! { <span class="badge badge-good">"This one"</span> }.into_any()
            } else {
                form::one_button(
                    "/settings/sessions/end",
                    "button button-small",
                    "End",
                    vec![("handle", s.handle.to_string())],
                )
                .into_any()
            };
            view! {
                <tr>
                    <td title=s.user_agent.clone()>{browser_of(&s.user_agent)}</td>
                    <td class="nowrap" data-label="Signed in">{time::exact(s.created_at)}</td>
                    <td class="nowrap" data-label="Last used">{time::ago(s.last_seen_at, now)}</td>
                    <td class="right">{action}</td>
                </tr>
            }
        })
        .collect();
    let others = sessions.len() > 1;
    let head = vec![("Browser", false), ("Signed in", false), ("Last used", false), ("", true)];
    view! {
        <section class="panel">
            <h2>"Sessions"</h2>
            <Table caption="Sessions" head=head cards=true>{rows}</Table>
            {others.then(|| form::one_button("/settings/sessions/end-others", "button", "End all others", Vec::new()))}
        </section>
    }
    .into_any()
}

fn closing(request: &PageRequest) -> AnyView {
    let typed = request.form.of_section("close");
    let open = typed.is_sent();
    view! {
        <section class="panel panel-danger">
            <h2>"Close the account"</h2>
            <p>
                "Your name and address are removed, your agents retired and your sessions ended. Open tasks that you ordered \
                 are cancelled. The ledger keeps its rows, without your name; credits that are left cannot be used any more."
            </p>
            <details open=open>
                <summary>"I want to close it"</summary>
                <form method="post" action="/settings/close" class="form">
                    {form::errors(&typed, &["password"])}
                    {form::hidden("section", "close".into())}
                    {Field::new("password", "Your password").id_prefix("close-").kind("password").autocomplete("current-password")
                        .required(true).show(&typed)}
                    <div class="form-actions"><button type="submit" class="button button-danger">"Close the account for good"</button></div>
                </form>
            </details>
        </section>
    }
    .into_any()
}

/// The browser and system in a User-Agent, as far as people care.
fn browser_of(agent: &str) -> String {
    let find = |all: &[(&'static str, &'static str)]| {
        all.iter().find(|(token, _)| agent.contains(token)).map(|(_, name)| *name)
    };
    // The order matters: most browsers also claim to be the ones after them.
    let browser = find(&[
        ("Edg/", "Edge"),
        ("OPR/", "Opera"),
        ("Firefox/", "Firefox"),
        ("Chrome/", "Chrome"),
        ("Safari/", "Safari"),
    ]);
    let system = find(&[
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS X", "macOS"),
        ("Linux", "Linux"),
    ]);
    match (browser, system) {
        (Some(browser), Some(system)) => format!("{browser} on {system}"),
        (Some(browser), None) => browser.to_owned(),
        _ if agent.is_empty() => "Unknown".to_owned(),
        _ => agent.chars().take(40).collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::browser_of;

    #[test]
    fn a_browser_is_called_as_people_call_it() {
        let chrome =
            "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36";
        let phone =
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 Version/18.0 Safari/604.1";
        assert_eq!(
            [browser_of(chrome), browser_of(phone), browser_of("")],
            ["Chrome on Linux", "Safari on iPhone", "Unknown"]
        );
        assert_eq!(browser_of("curl/8.9"), "curl/8.9");
    }
}
