//! The documentation: `docs/*.md`, built into the program and rendered here.

use leptos::prelude::*;

use crate::components::title::DocumentTitle;
use leptos_router::hooks::use_params_map;
use pulldown_cmark::{CowStr, Event, HeadingLevel, Options, Parser, Tag, TagEnd, html};

use super::api_reference;
use super::errors::NotFound;

/// One page: its name in the address, in the menu, and its text.
struct Doc {
    slug: &'static str,
    name: &'static str,
    text: &'static str,
}

/// All of them, in the order of the menu.
const DOCS: [Doc; 14] = [
    Doc { slug: "", name: "Overview", text: include_str!("../../../docs/index.md") },
    Doc { slug: "hire", name: "Hire an agent", text: include_str!("../../../docs/hire.md") },
    Doc { slug: "list-an-agent", name: "List an agent", text: include_str!("../../../docs/list-an-agent.md") },
    Doc { slug: "disputes", name: "Disputes", text: include_str!("../../../docs/disputes.md") },
    Doc { slug: "credits", name: "Credits", text: include_str!("../../../docs/credits.md") },
    Doc { slug: "trust", name: "Trust", text: include_str!("../../../docs/trust.md") },
    Doc { slug: "webhooks", name: "Webhooks", text: include_str!("../../../docs/webhooks.md") },
    Doc { slug: "cli", name: "Command line", text: include_str!("../../../docs/cli.md") },
    Doc { slug: "use-the-api", name: "Use the API", text: include_str!("../../../docs/use-the-api.md") },
    Doc { slug: "a2a", name: "Use A2A", text: include_str!("../../../docs/a2a.md") },
    Doc { slug: "mcp", name: "Use MCP", text: include_str!("../../../docs/mcp.md") },
    Doc { slug: "sdk", name: "SDKs", text: include_str!("../../../docs/sdk.md") },
    Doc { slug: "run", name: "Run NEXUS", text: include_str!("../../../docs/run.md") },
    Doc { slug: "data-model", name: "Data model", text: include_str!("../../../docs/data-model.md") },
];

/// A documentation page.
#[component]
pub fn Docs() -> impl IntoView {
    let slug = use_params_map().get_untracked().get("slug").unwrap_or_default();
    let Some(doc) = DOCS.iter().find(|d| d.slug == slug) else { return view! { <NotFound /> }.into_any() };
    let page = render(doc.text);
    let contents: Vec<_> =
        page.contents.into_iter().map(|(id, text)| view! { <li><a href=format!("#{id}")>{text}</a></li> }).collect();
    view! {
        <DocumentTitle text=format!("{} · NEXUS docs", doc.name) />
        <div class="docs">
            {menu(doc.slug)}
            <article class="prose" inner_html=page.html></article>
            {(contents.len() > 1).then(|| view! {
                <nav class="docs-contents" aria-label="On this page"><p class="small mute">"On this page"</p><ul>{contents}</ul></nav>
            })}
        </div>
    }
    .into_any()
}

/// The way through all pages, the reference of the API among them.
pub(super) fn menu(here: &str) -> AnyView {
    let mut pages: Vec<(&str, &str)> = DOCS.iter().map(|d| (d.slug, d.name)).collect();
    let at = pages.iter().position(|(slug, _)| *slug == "use-the-api").map_or(pages.len(), |i| i + 1);
    pages.insert(at, (api_reference::SLUG, "API reference"));
    let links: Vec<_> = pages
        .into_iter()
        .map(|(slug, name)| {
            let to = if slug.is_empty() { "/docs".to_owned() } else { format!("/docs/{slug}") };
            view! { <li><a href=to aria-current=(slug == here).then_some("page")>{name}</a></li> }
        })
        .collect();
    view! { <nav class="docs-menu" aria-label="Documentation"><ul>{links}</ul></nav> }.into_any()
}

/// A page as HTML, and its second-level headings by id.
struct Rendered {
    html: String,
    contents: Vec<(String, String)>,
}

fn render(text: &str) -> Rendered {
    let mut events: Vec<Event<'_>> = Parser::new_ext(text, Options::ENABLE_TABLES).collect();
    let mut contents = Vec::new();
    for i in 0..events.len() {
        if let Event::Start(Tag::Heading { level, .. }) = &events[i] {
            let level = *level;
            let words: String = events[i + 1..]
                .iter()
                .take_while(|e| !matches!(e, Event::End(TagEnd::Heading(_))))
                .filter_map(|e| match e {
                    Event::Text(t) | Event::Code(t) => Some(t.as_ref()),
                    _ => None,
                })
                .collect();
            let id = slug_of(&words);
            if let Event::Start(Tag::Heading { id: slot, .. }) = &mut events[i] {
                *slot = Some(CowStr::from(id.clone()));
            }
            if level == HeadingLevel::H2 {
                contents.push((id, words));
            }
        }
    }
    let mut html = String::new();
    html::push_html(&mut html, events.into_iter());
    // A wide table scrolls on its own, and a keyboard can scroll it; so with code.
    let html = html
        .replace("<table>", r#"<div class="table-wrap" role="group" tabindex="0" aria-label="Table"><table>"#)
        .replace("</table>", "</table></div>")
        .replace("<th>", r#"<th scope="col">"#)
        .replace("<pre>", r#"<pre tabindex="0">"#);
    Rendered { html, contents }
}

/// `Own PostgreSQL` as `own-postgresql`, as code hosts make it.
fn slug_of(words: &str) -> String {
    let dashed: String = words
        .to_lowercase()
        .chars()
        .filter_map(|c| if c.is_alphanumeric() || c == '_' { Some(c) } else { (c == ' ' || c == '-').then_some('-') })
        .collect();
    dashed.trim_matches('-').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_can_be_linked_to() {
        let page = render("# One\n\n## Own `auth.users`, twice\n\n| a |\n|---|\n| b |\n");
        assert_eq!(page.contents, [("own-authusers-twice".to_owned(), "Own auth.users, twice".to_owned())]);
        assert!(
            page.html.contains(r#"<h2 id="own-authusers-twice">"#) && page.html.contains(r#"tabindex="0""#),
            "{}",
            page.html
        );
    }

    #[test]
    fn links_between_the_pages_lead_somewhere() {
        for doc in &DOCS {
            for event in Parser::new(doc.text) {
                if let Event::Start(Tag::Link { dest_url, .. }) = event
                    && let Some(slug) = dest_url.strip_prefix("/docs/")
                {
                    let slug = slug.split('#').next().unwrap_or_default();
                    let known = slug == api_reference::SLUG || DOCS.iter().any(|d| d.slug == slug);
                    assert!(known, "{}: {dest_url} leads nowhere", doc.slug);
                }
            }
        }
    }
}
