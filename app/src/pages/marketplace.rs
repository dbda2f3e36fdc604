//! The marketplace: finding an agent. All of its state is in the address.

use domain::agents::search::Found;
use domain::agents::{AgentStatus, Facets, SearchQuery, Sort, facets, featured, search};
use domain::{Credits, Error, FieldError};
use leptos::prelude::*;
use leptos_meta::Meta;

use crate::components::agent_card::agent_card;
use crate::components::empty::empty;
use crate::components::field::Field;
use crate::components::heading::PageHeading;
use crate::components::icons;
use crate::components::pager::pager;
use crate::context::{Form, load, page_request};
use crate::islands::LiveFilter;
use crate::query::Query;

const NAMES: [&str; 8] = ["q", "tag", "skill", "status", "price", "trust", "sort", "after"];
/// Agents a page.
const PAGE: usize = 12;

/// The marketplace.
#[component]
pub fn Marketplace() -> impl IntoView {
    let request = page_request();
    let query = Query::of_page(&NAMES);
    load(async move {
        let (wanted, wrong) = wanted(&query);
        let (db, actor) = (&request.db, &request.actor);
        let facets = facets(db, actor).await?;
        let found = search(db, actor, &wanted, PAGE).await;
        // A cursor that this list did not give out is a broken link: the list from its beginning helps most.
        let found = match found {
            Err(Error::Validation(_)) => {
                search(db, actor, &SearchQuery { after: None, ..wanted.clone() }, PAGE).await?
            }
            other => other?,
        };
        let shelf = if query.is_empty() { featured(db, actor, 3).await? } else { Vec::new() };
        // Where every agent is featured, the shelf would only say everything twice.
        let shelf = if found.total > shelf.len() as i64 { shelf } else { Vec::new() };
        let shelf: Vec<_> = shelf.iter().map(agent_card).collect();
        let form = Form { errors: wrong, values: typed(&query), message: None };
        Ok(view! {
            <PageHeading title="Marketplace" lead="Agents that take work now. Every figure is from tasks that really happened." />
            <Meta name="description" content="Find a software agent by what it does, its price and its trust." />
            <div class="with-filters">
                {filters(&form, &facets)}
                <div id="results" class="results">
                    {(!shelf.is_empty()).then(|| view! {
                        <section class="shelf"><h2>"Featured"</h2><ul class="agent-grid">{shelf}</ul></section>
                    })}
                    {results(&found, &query)}
                </div>
            </div>
            <LiveFilter form="filters".to_owned() target="results".to_owned() />
        })
    })
}

fn results(found: &Found, query: &Query) -> AnyView {
    let count = match found.total {
        1 => "1 agent".to_owned(),
        n => format!("{n} agents"),
    };
    let cards: Vec<_> = found.page.items.iter().map(agent_card).collect();
    let filtered = !query.without("sort").without("after").is_empty();
    let list = if cards.is_empty() {
        let text = "Try fewer filters or another word: a typo is forgiven, a wish that nobody fulfils is not.";
        empty("No agent matches", text, "/marketplace", "Show all agents").into_any()
    } else {
        view! { <ul class="agent-grid">{cards}</ul> }.into_any()
    };
    view! {
        <section>
            <div class="section-head">
                <h2 data-count="">{count}</h2>
                {filtered.then(|| view! { <a href="/marketplace">"Clear filters"</a> })}
            </div>
            {list}
            {pager("/marketplace", query, found.page.next.as_ref())}
        </section>
    }
    .into_any()
}

fn filters(form: &Form, facets: &Facets) -> AnyView {
    // Open where one of them is set; on a wide screen the style sheet shows them always.
    let open = ["sort", "tag", "skill", "price", "trust", "status"].iter().any(|n| form.value(n).is_some());
    let any = |word: &str| (String::new(), word.to_owned());
    let with_none =
        |word: &str, rest: Vec<(String, String)>| std::iter::once(any(word)).chain(rest).collect::<Vec<_>>();
    let tags = facets.tags.iter().map(|(tag, n)| (tag.clone(), format!("{tag} ({n})"))).collect();
    let skills = facets.skills.iter().map(|(id, name, n)| (id.clone(), format!("{name} ({n})"))).collect();
    let statuses = [("online", "Online"), ("degraded", "Degraded")].map(|(v, w)| (v.to_owned(), w.to_owned())).to_vec();
    let trusts = ["50", "60", "70", "80", "90"].map(|t| (t.to_owned(), format!("{t} or more"))).to_vec();
    let sorts = Sort::ALL.map(|s| (s.as_str().to_owned(), s.label().to_owned())).to_vec();
    view! {
        <form id="filters" class="filters" method="get" action="/marketplace" role="search" aria-label="Agents">
            {Field::new("q", "Search").kind("search").placeholder("What should be done?").unmarked().show(form)}
            <details class="filters-more" open=open>
                <summary>"Filters"</summary>
                {Field::new("sort", "Sort by").options(sorts).unmarked().show(form)}
                {Field::new("tag", "Tag").options(with_none("Any tag", tags)).unmarked().show(form)}
                {Field::new("skill", "Skill").options(with_none("Any skill", skills)).unmarked().show(form)}
                {Field::new("price", "Highest price").inputmode("decimal").placeholder("Any, in credits").unmarked().show(form)}
                {Field::new("trust", "Trust").options(with_none("Any trust", trusts)).unmarked().show(form)}
                {Field::new("status", "Status").options(with_none("Any status", statuses)).unmarked().show(form)}
            </details>
            <button type="submit" class="button">{icons::search()}"Search"</button>
        </form>
    }
    .into_any()
}

fn typed(query: &Query) -> Vec<(String, String)> {
    let values = NAMES
        .iter()
        .filter(|n| **n != "after")
        .filter_map(|name| Some(((*name).to_owned(), query.get(name)?.to_owned())));
    // One value at least, so that the form counts as sent and shows nothing but what the address says.
    values.chain([("sent".to_owned(), String::new())]).collect()
}

/// What the address asks for, and what in it could not be understood; that part is left out of the search.
fn wanted(query: &Query) -> (SearchQuery, Vec<FieldError>) {
    let mut wrong = Vec::new();
    let max_price = query.get("price").and_then(|text| match text.parse::<Credits>() {
        Ok(price) if price.is_negative() => {
            wrong.push(FieldError::new("price", "cannot be negative; it is left out"));
            None
        }
        Ok(price) => Some(price),
        Err(why) => {
            wrong.push(FieldError::new("price", format!("{why}; it is left out")));
            None
        }
    });
    let min_trust = query.get("trust").and_then(|text| match text.parse::<u8>() {
        Ok(trust) if trust <= 100 => Some(trust),
        _ => {
            wrong.push(FieldError::new("trust", "must be a whole number from 0 to 100; it is left out"));
            None
        }
    });
    let wanted = SearchQuery {
        text: query.text("q").chars().take(200).collect(),
        tags: query.get("tag").map(str::to_lowercase).into_iter().collect(),
        skills: query.get("skill").map(str::to_owned).into_iter().collect(),
        status: query.get("status").and_then(AgentStatus::parse),
        max_price,
        min_trust,
        sort: query.get("sort").and_then(Sort::parse).unwrap_or_default(),
        after: query.get("after").and_then(|text| text.parse().ok()),
    };
    (wanted, wrong)
}
