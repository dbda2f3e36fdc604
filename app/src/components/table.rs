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
    /// The rows.
    children: Children,
) -> impl IntoView {
    let head: Vec<_> = head
        .into_iter()
        .map(|(word, right)| view! { <th scope="col" class=if right { "right" } else { "" }>{word}</th> })
        .collect();
    let label = caption.clone();
    view! {
        <div class="table-wrap" role="region" tabindex="0" aria-label=label>
            <table>
                <caption class="visually-hidden">{caption}</caption>
                <thead><tr>{head}</tr></thead>
                <tbody>{children()}</tbody>
            </table>
        </div>
    }
}
