//! Who asks.

use crate::{Error, KeyId, Result, UserId};

/// Who a request comes from. Made once per request by the wire's authentication; every operation takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A visitor who is not signed in; runs as the database role `anon`.
    Anonymous,
    /// A signed-in person; runs as the role `authenticated` with `app.user_id` set.
    Session(UserId),
    /// A program with an API key; runs as the role `authenticated` with `app.user_id` and `app.key_id` set. The database holds it
    /// to the key's agents and caps; its scopes are the wire's to check.
    Key {
        /// Whose key.
        user: UserId,
        /// Which one.
        key: KeyId,
    },
    /// The program itself (worker, webhook, command line); runs as the owner of the schema.
    System,
}

impl Actor {
    /// The account that acts.
    ///
    /// # Errors
    /// [`Error::Unauthorized`] where there is none.
    pub fn user(&self) -> Result<UserId> {
        match self {
            Actor::Session(user) | Actor::Key { user, .. } => Ok(*user),
            Actor::Anonymous | Actor::System => Err(Error::Unauthorized),
        }
    }
}
