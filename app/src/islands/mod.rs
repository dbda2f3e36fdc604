//! What moves in the browser. Everything works without it.

mod theme_toggle;

pub use theme_toggle::ThemeToggle;
