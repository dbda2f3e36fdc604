//! Accounts: who may sign in, and their sessions.
//!
//! | rule | where |
//! |---|---|
//! | what an e-mail address, a name and a password must be | [`rules`] |
//! | an account comes with its grant and its client agent, or not at all | [`sign_up()`] |
//! | sign-in is slowed per account and address, and answers alike for unknown accounts | [`sign_in()`] |
//! | a closed account is anonymised, never deleted | [`close()`] |

mod close;
mod mail;
mod password;
mod profile;
pub mod rules;
mod session;
mod sign_in;
mod sign_up;
mod store;

pub use close::close;
pub use mail::{Mail, due_mails, mail_sent, queue_mail};
pub use profile::{
    Profile, change_name, change_password, find_by_email, is_operator, list, profile, profile_within, reset_password,
    set_operator,
};
pub use session::{
    SessionRecord, SessionView, delete_expired_sessions, delete_session, end_other_sessions, end_session, load_session,
    save_session, sessions,
};
pub use sign_in::{SignIn, forget_old_failures, sign_in};
pub use sign_up::{SignUp, sign_up};
