//! The payment sandbox: a stand-in for the few Stripe endpoints that are used, with a hosted payment page and signed
//! webhooks. Play money, plainly marked; its addresses exist only while no Stripe key is set.

pub mod api;
mod deliver;
pub mod page;
mod session;

pub use deliver::run;

/// What the sandbox's API is called with. It guards nothing but keeps the client's path the same.
pub const API_KEY: &str = "sk_test_sandbox";
