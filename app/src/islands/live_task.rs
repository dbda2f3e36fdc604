//! A task that is watched while it runs. Without script the page reloads itself.

use leptos::prelude::*;

/// Follows the stream at `url`: each snapshot replaces what the element `target` holds, and what it says of itself
/// (`data-announce`) is read out.
#[island]
pub fn LiveTask(url: String, target: String) -> impl IntoView {
    let (said, say) = signal(String::new());
    #[cfg(feature = "hydrate")]
    Effect::new(move |_| watch::start(&url, &target, say));
    #[cfg(not(feature = "hydrate"))]
    let _ = (url, target, say);
    view! { <p class="visually-hidden" role="status">{said}</p> }
}

#[cfg(feature = "hydrate")]
mod watch {
    use leptos::prelude::*;
    use wasm_bindgen::JsCast;
    use wasm_bindgen::prelude::Closure;

    use crate::islands::swap::swap;

    pub(super) fn start(url: &str, target: &str, say: WriteSignal<String>) {
        let Ok(source) = web_sys::EventSource::new(url) else { return };
        let target = target.to_owned();
        let snapshot = Closure::<dyn FnMut(web_sys::MessageEvent)>::new(move |event: web_sys::MessageEvent| {
            let (Some(html), Some(element)) = (event.data().as_string(), document().get_element_by_id(&target)) else {
                return;
            };
            // Reading on in an opened part matters more than the newest state of it.
            let open = open_details(&element);
            element.set_inner_html(&html);
            reopen(&element, &open);
            if let Ok(Some(news)) = element.query_selector("[data-announce]") {
                say.set(news.get_attribute("data-announce").unwrap_or_default());
            }
        });
        let end = {
            let (source, page) = (source.clone(), url.split("/live").next().unwrap_or_default().to_owned());
            Closure::<dyn FnMut()>::new(move || {
                source.close();
                // A refund has changed the balance in the header. The task's own page, as this one may be what a refused form left.
                let page = page.clone();
                leptos::task::spawn_local(async move {
                    swap(&page, &["balance"], || true).await;
                });
            })
        };
        let _ = source.add_event_listener_with_callback("snapshot", snapshot.as_ref().unchecked_ref());
        let _ = source.add_event_listener_with_callback("end", end.as_ref().unchecked_ref());
        // They live as long as the page does.
        snapshot.forget();
        end.forget();
    }

    fn open_details(element: &web_sys::Element) -> Vec<String> {
        let Ok(open) = element.query_selector_all("details[open][id]") else { return Vec::new() };
        (0..open.length()).filter_map(|i| open.get(i)?.dyn_into::<web_sys::Element>().ok()).map(|e| e.id()).collect()
    }

    fn reopen(element: &web_sys::Element, ids: &[String]) {
        for id in ids {
            if let Ok(Some(details)) = element.query_selector(&format!("#{id}")) {
                let _ = details.set_attribute("open", "");
            }
        }
    }
}
