//! Keys for programs.
//!
//! | rule (design section 7) | where |
//! |---|---|
//! | `nxk_` and 32 random bytes; the SHA-256 is kept, the rest shown once | [`Token`] |
//! | what a key may do | [`Scope`], [`Scopes`] |
//! | a key made with a key can do no more than that one | [`create()`] |
//! | one lookup a request; revoked and expired means now | [`verify()`] |
//! | what a key holds is within its caps and its agents | `economy.charge_key`, `economy.check_key_agent` in the migrations |
//! | what a person connected by OAuth is a key too | [`connections`] |
//! | the former secret of a rotated key stays good for at most a day | [`rotate`] |

mod change;
pub mod connections;
mod create;
mod revoke;
pub mod rules;
mod scope;
mod store;
mod token;
mod verify;
mod view;

pub use change::{KeyChange, change, lock};
pub use create::{CreatedKey, NewKey, create};
pub use revoke::{revoke, rotate};
pub use scope::{Scope, Scopes};
pub use token::Token;
pub use verify::{KeyProblem, VerifiedKey, note_use, verify};
pub use view::{ApiKey, current, find, list};
