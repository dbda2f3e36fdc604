//! What moves in the browser. Everything works without it.

mod copy_button;
mod live_filter;
mod live_task;
#[cfg(feature = "hydrate")]
mod swap;
mod theme_toggle;

pub use copy_button::CopyButton;
pub use live_filter::LiveFilter;
pub use live_task::LiveTask;
pub use theme_toggle::ThemeToggle;
