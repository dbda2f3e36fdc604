//! The NEXUS user interface. Pages and components run on the server alone (feature `ssr`); islands run on both
//! sides, and are all that the browser's wasm holds.

// A view's type nests as its markup does, deeper than the compiler's limit of 128.
#![recursion_limit = "256"]

pub mod islands;

#[cfg(feature = "ssr")]
pub mod components;
#[cfg(feature = "ssr")]
mod context;
#[cfg(feature = "ssr")]
pub mod pages;
#[cfg(feature = "ssr")]
mod query;
#[cfg(feature = "ssr")]
mod shell;

#[cfg(feature = "ssr")]
pub use context::{
    ApiOffer, ApiOperation, DemoAccount, Flash, FlashKind, Form, PageRequest, Site, Viewer, load, page_request,
    sentence,
};
#[cfg(feature = "ssr")]
pub use shell::shell;
