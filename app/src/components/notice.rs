//! Boxes that say something about the page.

use leptos::prelude::*;

use crate::context::{Flash, FlashKind};
use crate::islands::CopyButton;

/// How serious.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Good to know.
    Note,
    /// Done.
    Good,
    /// Look at this.
    Warn,
    /// Went wrong.
    Bad,
}

/// A box with whatever it holds.
#[component]
pub fn Notice(tone: Tone, children: Children) -> impl IntoView {
    let class = match tone {
        Tone::Note => "notice",
        Tone::Good => "notice notice-good",
        Tone::Warn => "notice notice-warn",
        Tone::Bad => "notice notice-bad",
    };
    view! { <div class=class>{children()}</div> }
}

/// What the request before this one has to say; read out at once.
pub fn flash(flash: Flash) -> AnyView {
    let (class, role) = match flash.kind {
        FlashKind::Good => ("notice notice-good", "status"),
        FlashKind::Bad => ("notice notice-bad", "alert"),
        FlashKind::Secret => ("notice notice-warn", "status"),
    };
    let detail = flash.detail.map(|detail| match flash.kind {
        FlashKind::Secret => view! {
            <p class="secret"><code>{detail.clone()}</code> <CopyButton text=detail label="Copy".to_owned() /></p>
            <p class="small">"It is shown this once."</p>
        }
        .into_any(),
        FlashKind::Good | FlashKind::Bad => view! { <pre class="said">{detail}</pre> }.into_any(),
    });
    view! { <div class=format!("{class} flash") role=role><p>{flash.text}</p>{detail}</div> }.into_any()
}
