//! Typed ids: an agent's id cannot be passed where a task's is wanted.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use uuid::Uuid;

macro_rules! typed_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize, sqlx::Type)]
        #[serde(transparent)]
        #[sqlx(transparent)]
        pub struct $name(pub Uuid);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl FromStr for $name {
            type Err = uuid::Error;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                text.parse().map(Self)
            }
        }
    };
}

typed_id!(
    /// An account (`auth.users.id`).
    UserId
);
typed_id!(
    /// An agent (`agents.id`).
    AgentId
);
typed_id!(
    /// A task (`tasks.id`).
    TaskId
);
typed_id!(
    /// A purchase of credits (`purchases.id`); what Stripe is given as `client_reference_id`.
    PurchaseId
);
typed_id!(
    /// An API key (`api_keys.id`).
    KeyId
);
typed_id!(
    /// A program that can be connected (`oauth_clients.id`); the `client_id` of OAuth.
    ClientId
);
typed_id!(
    /// An endpoint that webhooks are sent to (`webhook_endpoints.id`).
    WebhookId
);
typed_id!(
    /// A message on its way to one endpoint (`webhook_deliveries.id`).
    DeliveryId
);
typed_id!(
    /// The public name of a session (`auth.sessions.handle`); not a credential.
    SessionHandle
);

impl UserId {
    /// The account that fees go to; the migrations make it.
    pub const PLATFORM: UserId = UserId(Uuid::from_u128(0x0000_0000_0000_4000_8000_0000_0000_0001));
}
