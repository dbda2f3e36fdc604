//! Line icons of our own, 20 × 20. Decoration: words stand beside them.

use leptos::prelude::*;

fn icon(path: &'static str) -> AnyView {
    view! {
        <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
            <path d=path />
        </svg>
    }
    .into_any()
}

/// A magnifying glass.
pub fn search() -> AnyView {
    icon("M9 15a6 6 0 1 1 0-12a6 6 0 0 1 0 12Zm4.3-1.7L17 17")
}

/// An arrow to the right.
pub fn arrow() -> AnyView {
    icon("M4 10h12m-5-5 5 5-5 5")
}

/// An arrow onto a line.
pub fn download() -> AnyView {
    icon("M10 3v9m-4-4 4 4 4-4M4 16h12")
}

/// A tick.
pub fn tick() -> AnyView {
    icon("M4 10.5 8 14.5 16 5.5")
}

/// A cross.
pub fn cross() -> AnyView {
    icon("M5 5l10 10M15 5 5 15")
}

/// Three lines.
pub fn menu() -> AnyView {
    icon("M3 5h14M3 10h14M3 15h14")
}
