//! Webhooks out: what happens to an account is told to addresses of its choice, in the form of the Standard Webhooks
//! specification.
//!
//! | rule | where |
//! |---|---|
//! | which types there are | [`EVENT_TYPES`] |
//! | a message is written with what it tells of, or not at all | the triggers `note_for_webhooks` in the migrations |
//! | another noun's message is one call | `webhooks.emit(user, type, data)` in the migrations |
//! | where messages may go | [`rules`] |
//! | eight tries over a day; 2xx is success, a redirect is not | [`retry`] |
//! | one worker at a time, by a lease; no endpoint holds up another | [`claim`] |
//! | off after five days in which nothing arrived, or when the receiver is gone | [`record`] |

mod deliver;
mod endpoints;
mod events;
mod log;
pub mod retry;
pub mod rules;
mod store;

pub use deliver::{Answer, Claim, LEASE, Message, PER_ENDPOINT, Recorded, Tried, claim, forget_old, record};
pub use endpoints::{
    Endpoint, EndpointChange, NewEndpoint, Off, OffReason, Secret, change, create, delete, get, list, lock,
    rotate_secret,
};
pub use events::{EVENT_TYPES, EventType, TEST};
pub use log::{
    Attempt, DeliveryDetail, DeliveryFilter, DeliveryState, DeliverySummary, deliveries, delivery, resend,
    resend_failed, send_test,
};

/// The channel on which the database announces that messages were written; the payload says nothing.
pub const WRITTEN: &str = "webhooks";
