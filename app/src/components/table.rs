//! Tables that scroll on their own when they are wider than the page.

use leptos::prelude::*;

/// A table with a caption for screen readers. A keyboard can scroll it, so it can be focused.
#[component]
pub fn Table(
    /// What it holds.
    #[prop(into)]
    caption: String,
    /// Column headings; right-aligned where marked.
    head: Vec<(&'static str, bool)>,
    /// Whether each row becomes a card on a phone; its cells then need `data-label`.
    #[prop(optional)]
    cards: bool,
    /// The rows.
    children: Children,
) -> impl IntoView {
    let head: Vec<_> = head
        .into_iter()
        .map(|(word, right)| {
            // A column of buttons has no heading, and a heading without words is none.
            let class = if right { "right" } else { "" };
            if word.is_empty() {
                view! { <td></td> }.into_any()
            } else {
                view! { <th scope="col" class=class>{word}</th> }.into_any()
            }
        })
        .collect();
    let label = caption.clone();
    view! {
        <div class=if cards { "table-wrap table-cards" } else { "table-wrap" } role="group" tabindex="0" aria-label=label>
            <table>
                <caption class="visually-hidden">{caption}</caption>
                <thead><tr>{head}</tr></thead>
                <tbody>{children()}</tbody>
            </table>
        </div>
    }
}
