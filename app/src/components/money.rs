//! Amounts of credits, always with two decimals and the word.

use domain::Credits;
pub use domain::ledger::payments::price::dollars;
use leptos::prelude::*;

/// `1,234.50 credits`.
pub fn amount(credits: Credits) -> AnyView {
    view! { <span class="amount">{format!("{} ", credits.grouped())}<span class="unit">"credits"</span></span> }
        .into_any()
}

/// `+9.50 credits`, `−10.00 credits`: for rows of the ledger.
pub fn signed(credits: Credits) -> AnyView {
    let (class, sign) = if credits.is_positive() { ("amount amount-in", "+") } else { ("amount", "") };
    view! { <span class=class>{format!("{sign}{} ", credits.grouped())}<span class="unit">"credits"</span></span> }
        .into_any()
}

/// The same in a sentence or an attribute.
pub fn text(credits: Credits) -> String {
    format!("{} credits", credits.grouped())
}
