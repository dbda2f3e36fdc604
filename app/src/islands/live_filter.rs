//! A search form that answers as one types. Without script its button does the same.

use leptos::prelude::*;

/// Watches the form of id `form`: a change fetches the page that the form would, shows its element `target` in place
/// of this one's, and puts the address into the address bar.
#[island]
pub fn LiveFilter(form: String, target: String) -> impl IntoView {
    let (said, say) = signal(String::new());
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| watch::start(&form, &target, say));
    #[cfg(not(feature = "hydrate"))]
    let _ = (form, target, say);
    view! { <p class="visually-hidden" role="status">{said}</p> }
}

#[cfg(feature = "hydrate")]
mod watch {
    use std::cell::Cell;
    use std::rc::Rc;
    use std::time::Duration;

    use leptos::prelude::*;
    use wasm_bindgen::prelude::Closure;
    use wasm_bindgen::{JsCast, JsValue};

    use crate::islands::swap::swap;

    /// Long enough that a word is typed, short enough to feel at once.
    const PAUSE: Duration = Duration::from_millis(220);

    pub(super) fn start(form: &str, target: &str, say: WriteSignal<String>) {
        let Some(element) = document().get_element_by_id(form) else { return };
        let Ok(form) = element.dyn_into::<web_sys::HtmlFormElement>() else { return };
        // Counts changes, so that an answer to an older one is dropped.
        let newest = Rc::new(Cell::new(0_u32));
        let target = target.to_owned();
        let listener = {
            let form = form.clone();
            Closure::<dyn FnMut()>::new(move || {
                newest.set(newest.get().wrapping_add(1));
                let (mine, newest, form, target) = (newest.get(), newest.clone(), form.clone(), target.clone());
                set_timeout(
                    move || {
                        if newest.get() == mine {
                            leptos::task::spawn_local(show(form, target, say, move || newest.get() == mine));
                        }
                    },
                    PAUSE,
                );
            })
        };
        let function: &js_sys::Function = listener.as_ref().unchecked_ref();
        let _ = form.add_event_listener_with_callback("input", function);
        let _ = form.add_event_listener_with_callback("change", function);
        // It lives as long as the page does.
        listener.forget();
    }

    async fn show(
        form: web_sys::HtmlFormElement,
        target: String,
        say: WriteSignal<String>,
        still_wanted: impl Fn() -> bool,
    ) {
        let Some(url) = address(&form) else { return };
        if swap(&url, &[&target], still_wanted).await {
            if let Ok(history) = window().history() {
                let _ = history.replace_state_with_url(&JsValue::NULL, "", Some(&url));
            }
            let count = document().get_element_by_id(&target).and_then(|e| e.query_selector("[data-count]").ok()?);
            say.set(count.and_then(|c| c.text_content()).unwrap_or_default());
        }
    }

    /// The address that the form leads to, without its empty fields.
    fn address(form: &web_sys::HtmlFormElement) -> Option<String> {
        let data = web_sys::FormData::new_with_form(form).ok()?;
        let query = web_sys::UrlSearchParams::new().ok()?;
        for pair in js_sys::try_iter(&data).ok()?? {
            let pair = js_sys::Array::from(&pair.ok()?);
            let (name, value) = (pair.get(0).as_string()?, pair.get(1).as_string().unwrap_or_default());
            if !value.is_empty() {
                query.append(&name, &value);
            }
        }
        let (path, query) =
            (form.get_attribute("action").unwrap_or_default(), query.to_string().as_string().unwrap_or_default());
        Some(if query.is_empty() { path } else { format!("{path}?{query}") })
    }
}
