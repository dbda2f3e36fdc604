//! The wasm that the browser loads: the islands of [`app`], brought to life.

/// Called by the page's own script once the wasm is there.
#[wasm_bindgen::prelude::wasm_bindgen]
pub fn hydrate() {
    // Named so that the linker keeps the islands, which nothing else here mentions.
    use app as _;

    console_error_panic_hook::set_once();
    leptos::mount::hydrate_islands();
}
