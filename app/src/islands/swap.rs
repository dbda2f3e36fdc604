//! Part of a page replaced by the same part of another answer.

use leptos::prelude::*;
use wasm_bindgen::JsCast;
use wasm_bindgen_futures::JsFuture;

/// Fetches the page at `url` and replaces what each of `ids` holds by what it holds there. `false` when it could
/// not, or `still_wanted` says that a newer request has been made meanwhile.
pub(super) async fn swap(url: &str, ids: &[&str], still_wanted: impl Fn() -> bool) -> bool {
    fetch(url).await.is_some_and(|text| still_wanted() && replace(&text, ids).is_some())
}

async fn fetch(url: &str) -> Option<String> {
    let response = JsFuture::from(window().fetch_with_str(url)).await.ok()?;
    let response: web_sys::Response = response.dyn_into().ok()?;
    if !response.ok() {
        return None;
    }
    JsFuture::from(response.text().ok()?).await.ok()?.as_string()
}

fn replace(text: &str, ids: &[&str]) -> Option<()> {
    let page = web_sys::DomParser::new().ok()?.parse_from_string(text, web_sys::SupportedType::TextHtml).ok()?;
    for id in ids {
        if let (Some(old), Some(new)) = (document().get_element_by_id(id), page.get_element_by_id(id)) {
            old.set_inner_html(&new.inner_html());
            if let Some(label) = new.get_attribute("aria-label") {
                let _ = old.set_attribute("aria-label", &label);
            }
        }
    }
    Some(())
}
