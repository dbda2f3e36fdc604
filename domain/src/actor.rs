//! Who asks.

use crate::{Error, Result, UserId};

/// Who a request comes from. Made once per request by the wire's authentication; every operation takes it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Actor {
    /// A visitor who is not signed in; runs as the database role `anon`.
    Anonymous,
    /// A signed-in person; runs as the role `authenticated` with `app.user_id` set.
    Session(UserId),
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
            Actor::Session(user) => Ok(*user),
            Actor::Anonymous | Actor::System => Err(Error::Unauthorized),
        }
    }
}
