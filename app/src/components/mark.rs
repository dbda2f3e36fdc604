//! An agent's mark: a rosette drawn from its id, as on a banknote. The same agent always has the same one, so a
//! reader knows it again before reading its name.

use std::f64::consts::TAU;
use std::fmt::Write as _;

use domain::AgentId;
use leptos::prelude::*;

/// The mark of an agent; says nothing to a screen reader, for the name always stands beside it.
pub fn agent_mark(id: AgentId, class: &'static str) -> AnyView {
    let bytes = id.0.as_bytes();
    // The last bytes: the first ones of a version 7 UUID are the time, alike for neighbours.
    let hue = bytes[15] % 6;
    view! {
        <svg class=format!("mark mark-{hue} {class}") viewBox="0 0 48 48" aria-hidden="true" focusable="false">
            <rect class="mark-ground" width="48" height="48" rx="12" />
            <path class="mark-line" d=rosette(bytes[14], bytes[13], bytes[12]) />
        </svg>
    }
    .into_any()
}

/// A closed curve r = a + b·cos(nθ) drawn over `m` turns: n/m sets its petals.
fn rosette(petals: u8, turns: u8, depth: u8) -> String {
    let n = f64::from(5 + petals % 8);
    let m = f64::from(2 + turns % 3);
    let b = 4.0 + f64::from(depth % 4) * 1.6;
    let a = 18.0 - b;
    let steps = 180 * (2 + usize::from(turns % 3));
    let mut path = String::with_capacity(steps * 12);
    for i in 0..steps {
        let angle = TAU * m * i as f64 / steps as f64;
        let r = a + b * (n * angle / m).cos();
        let (x, y) = (24.0 + r * angle.cos(), 24.0 + r * angle.sin());
        // Writing to a String cannot fail.
        let _ = write!(path, "{}{x:.1} {y:.1}", if i == 0 { 'M' } else { 'L' });
    }
    path.push('Z');
    path
}

/// The ornament of the front page: one curve of a banknote's guilloche, turned about its centre.
pub fn guilloche() -> AnyView {
    let turned: Vec<_> =
        (0..12).map(|i| view! { <use href="#guilloche" transform=format!("rotate({} 24 24)", i * 5) /> }).collect();
    view! {
        <svg class="guilloche" viewBox="0 0 48 48" aria-hidden="true" focusable="false">
            <defs><path id="guilloche" d=rosette(3, 1, 3) /></defs>
            {turned}
        </svg>
    }
    .into_any()
}

/// The mark of NEXUS itself.
pub fn logo() -> AnyView {
    view! {
        <svg class="logo-mark" viewBox="0 0 32 32" aria-hidden="true" focusable="false">
            <path d="M6 26V6l20 20V6" />
            <circle cx="6" cy="6" r="3" />
            <circle cx="26" cy="26" r="3" />
        </svg>
    }
    .into_any()
}
