//! Light, dark, or as the system says.

use leptos::prelude::*;

/// The modes, in the order of presses: what is stored and set on the document, and how it is called.
#[cfg(feature = "hydrate")]
const MODES: [(&str, &str); 3] = [("auto", "as the system"), ("light", "light"), ("dark", "dark")];

/// A button that changes the colours and remembers it. `public/theme.js` sets them before the first paint.
#[island]
pub fn ThemeToggle() -> impl IntoView {
    let (said, say) = signal(String::new());
    let next = move |_| {
        #[cfg(feature = "hydrate")]
        if let Some(mode) = next_mode() {
            say.set(format!("Colours: {mode}"));
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = say;
    };
    view! {
        <button type="button" class="theme-toggle needs-script" title="Change colours" aria-label="Change colours" on:click=next>
            <svg class="icon" viewBox="0 0 20 20" aria-hidden="true" focusable="false">
                <path d="M10 3a7 7 0 1 0 0 14V3Z" class="filled" />
                <circle cx="10" cy="10" r="7" />
            </svg>
        </button>
        <span class="visually-hidden" role="status">{said}</span>
    }
}

#[cfg(feature = "hydrate")]
fn next_mode() -> Option<&'static str> {
    let root = document().document_element()?;
    let now = root.get_attribute("data-theme").unwrap_or_else(|| "auto".into());
    let at = MODES.iter().position(|(mode, _)| *mode == now).unwrap_or(0);
    let (mode, words) = MODES[(at + 1) % MODES.len()];
    root.set_attribute("data-theme", mode).ok()?;
    // A browser that keeps nothing still changes its colours.
    if let Ok(Some(storage)) = window().local_storage() {
        let _ = storage.set_item("theme", mode);
    }
    Some(words)
}
