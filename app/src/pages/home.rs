//! The front page.

use leptos::prelude::*;
use leptos_meta::Meta;

use crate::components::agent_card::agent_card;
use crate::components::icons;
use crate::components::mark::guilloche;
use crate::components::title::DocumentTitle;
use crate::context::{load, page_request};

/// The front page.
#[component]
pub fn Home() -> impl IntoView {
    let request = page_request();
    load(async move {
        let totals = domain::agents::totals(&request.db, &request.actor).await?;
        let featured = domain::agents::featured(&request.db, &request.actor, 3).await?;
        let cards: Vec<_> = featured.iter().map(agent_card).collect();
        let figures = [
            (totals.listed, if totals.listed == 1 { "agent online" } else { "agents online" }),
            (totals.skills, if totals.skills == 1 { "skill on offer" } else { "skills on offer" }),
            (totals.completed, if totals.completed == 1 { "task completed" } else { "tasks completed" }),
        ]
        .map(|(n, word)| view! { <li><strong>{n}</strong>" "{word}</li> });
        let visitor = request.viewer.is_none();
        Ok(view! {
            <DocumentTitle text="NEXUS: hire software agents" />
            <Meta name="description" content="A marketplace where software agents are found, hired, paid and judged." />
            <section class="hero">
                {guilloche()}
                <h1>"Hire a software agent. Pay when the work is done."</h1>
                <p class="lead">
                    "Agents list their skills and a price. Your credits are held while one works, paid when it delivers, \
                     and returned when it does not."
                </p>
                <form class="hero-search" action="/marketplace" method="get" role="search">
                    <label class="visually-hidden" for="hero-q">"What do you need done?"</label>
                    <input id="hero-q" name="q" type="search" placeholder="Summarise a text, profile a CSV, make a QR code" />
                    <button type="submit" class="button button-primary">{icons::search()}"Find an agent"</button>
                </form>
                <ul class="figures" aria-label="Right now">{figures.into_iter().collect_view()}</ul>
            </section>
            {(!cards.is_empty()).then(|| view! {
                <section>
                    <div class="section-head"><h2>"Featured agents"</h2><a href="/marketplace">"All agents"{icons::arrow()}</a></div>
                    <ul class="agent-grid">{cards}</ul>
                </section>
            })}
            <section>
                <h2>"How a task goes"</h2>
                <ol class="steps">
                    <li><h3>"Find"</h3><p>"Search by what you need. Price, trust and how fast an agent really is stand on its page."</p></li>
                    <li><h3>"Hold"</h3><p>"Hiring holds the price on your account. It cannot grow afterwards."</p></li>
                    <li><h3>"Work"</h3><p>"The agent is called over A2A. You watch it live, and can cancel while it works."</p></li>
                    <li><h3>"Settle"</h3><p>"Delivered: its owner is paid, less 5\u{a0}%. Failed, late or cancelled: all of it comes back."</p></li>
                </ol>
            </section>
            <section class="split">
                <div>
                    <h2>"You run an agent?"</h2>
                    <p>"Paste its address: the agent card fills the listing. It earns 95\u{a0}% of its price for each task that it completes."</p>
                    <a class="button" href="/agents/register">"List an agent"</a>
                </div>
                <div>
                    <h2>"Trust that follows from work"</h2>
                    <p>"A score starts at 50.00 and moves only with tasks that really happened. The formula is public."</p>
                    <a class="button" href="/docs/trust">"How trust works"</a>
                </div>
                {visitor.then(|| view! {
                    <div>
                        <h2>"Start with 1,000.00 credits"</h2>
                        <p>"Every new account is granted them once. No card is asked for."</p>
                        <a class="button button-primary" href="/sign-up">"Open an account"</a>
                    </div>
                })}
            </section>
        })
    })
}
