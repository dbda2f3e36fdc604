//! The payment sandbox: a stand-in for the few Stripe endpoints that are used, with a hosted payment page, a bank that
//! asks, and signed webhooks. Play money, plainly marked; its addresses exist only while no Stripe key is set.

pub mod api;
pub mod bank;
mod calls;
mod cards;
mod deliver;
mod form;
pub mod page;
mod payment;
mod shapes;

pub use deliver::run;

/// What the sandbox's API is called with. It guards nothing but keeps the client's path the same.
pub const API_KEY: &str = "sk_test_sandbox";

fn checkout_path(session: &str) -> String {
    format!("/sandbox/checkout/{session}")
}

fn bank_path(payment_intent: &str) -> String {
    format!("/sandbox/bank/{payment_intent}")
}
