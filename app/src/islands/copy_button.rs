//! Copying what is shown once.

use leptos::prelude::*;

/// A button that copies `text`.
#[island]
pub fn CopyButton(text: String, label: String) -> impl IntoView {
    let (said, say) = signal(String::new());
    let copy = move |_| {
        #[cfg(feature = "hydrate")]
        {
            let promise = window().navigator().clipboard().write_text(&text);
            leptos::task::spawn_local(async move {
                let done = wasm_bindgen_futures::JsFuture::from(promise).await.is_ok();
                say.set(if done { "Copied." } else { "Select the text and copy it." }.to_owned());
            });
        }
        #[cfg(not(feature = "hydrate"))]
        let _ = (&text, say);
    };
    view! {
        <span class="copy needs-script">
            <button type="button" class="button button-small" on:click=copy>{label}</button>
            <span role="status">{said}</span>
        </span>
    }
}
