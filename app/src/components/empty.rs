//! What a list shows when nothing is in it: why, and what to do about it.

use leptos::prelude::*;

/// A sentence, and a way on.
pub fn empty(title: &'static str, text: &'static str, to: &'static str, action: &'static str) -> AnyView {
    view! {
        <div class="empty">
            <svg class="empty-art" viewBox="0 0 120 60" aria-hidden="true" focusable="false">
                <path d="M10 50V10l45 40V10M65 30h45M100 20l10 10-10 10" />
            </svg>
            <p class="empty-title">{title}</p>
            <p>{text}</p>
            {(!to.is_empty()).then(|| view! { <a class="button" href=to>{action}</a> })}
        </div>
    }
    .into_any()
}
