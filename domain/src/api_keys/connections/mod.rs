//! Clients that a person connects with a click: OAuth 2.1, authorisation code with PKCE. A connection is a key whose secret
//! nobody has; what its client sends are access tokens that point to it, so that scopes, caps, spending and the end of keys
//! hold for it as they are.
//!
//! | rule | where |
//! |---|---|
//! | a client registers itself (RFC 7591) | [`register`] |
//! | where an answer may be sent to | [`redirect`] |
//! | what a client may ask; what is wrong is shown, or sent back | [`ask()`] |
//! | a person approves what was asked, or less; never `keys:write` | [`approve()`] |
//! | a code works once, for [`CODE_LIFE`]; twice cuts the connection off | [`redeem`] |
//! | a refresh token works once; an old one cuts the connection off | [`refresh`] |
//! | a token is good at one part of the site (RFC 8707) | [`resource`] |
//! | cut off means now | [`cut_off`], [`revoke_token()`] |

mod approve;
mod ask;
mod client;
mod exchange;
mod failure;
mod list;
pub mod redirect;
pub mod resource;
mod revoke_token;
mod store;

use chrono::TimeDelta;

pub use approve::{Choice, approve};
pub use ask::{Asked, Problem, ask, offered};
pub use client::{AuthMethod, Client, NewClient, Registered, authenticate, register};
pub use exchange::{CodeRequest, Issued, RefreshRequest, redeem, refresh};
pub use failure::{Failure, Refusal, Why};
pub use list::{Connection, cut_off, forget_old, list};
pub use revoke_token::revoke_token;

pub(super) use store::by_access_token;

/// How long a code waits to be fetched.
pub const CODE_LIFE: TimeDelta = TimeDelta::seconds(60);
/// How long an access token works.
pub const ACCESS_LIFE: TimeDelta = TimeDelta::hours(1);
/// How long a used refresh token may come again, from a client that lost the answer.
pub const REFRESH_GRACE: TimeDelta = TimeDelta::seconds(30);
/// Most connections of an account that work.
pub const CONNECTIONS_MAX: i64 = 100;
/// The lives that the consent page offers, in days.
pub const LIFE_PRESETS: [i64; 3] = [7, 30, 90];
