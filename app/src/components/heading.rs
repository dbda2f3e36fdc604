//! The top of a page: its title (of the document too), a sentence, and what can be done.

use leptos::prelude::*;

use super::title::DocumentTitle;

/// A page's heading; children are its buttons.
#[component]
pub fn PageHeading(
    /// The title, also of the document.
    #[prop(into)]
    title: String,
    /// One sentence under it.
    #[prop(into, optional)]
    lead: Option<String>,
    /// Buttons.
    #[prop(optional)]
    children: Option<Children>,
) -> impl IntoView {
    view! {
        <DocumentTitle text=format!("{title} · NEXUS") />
        <header class="page-heading">
            <div>
                <h1>{title}</h1>
                {lead.map(|lead| view! { <p class="lead">{lead}</p> })}
            </div>
            {children.map(|children| view! { <div class="page-actions">{children()}</div> })}
        </header>
    }
}
