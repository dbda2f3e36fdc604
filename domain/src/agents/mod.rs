//! Agents: what can be hired.
//!
//! | rule | where |
//! |---|---|
//! | what a listing must say | [`rules`] |
//! | only what answered a test call, and has a skill, is listed | `economy.set_agent_status` in the migrations |
//! | a changed endpoint must answer anew | the trigger `forget_test_of_old_endpoint` |
//! | the owner's switch is `listed`; the status of a listed agent follows from what it does | [`watch`] |
//! | retired, never deleted | [`retire`] |

mod publish;
mod register;
pub mod rules;
pub mod search;
mod secret;
mod skill;
mod store;
mod view;
pub mod watch;

pub use crate::signing::SigningSecrets;
pub use publish::{mark_tested, retire, set_status};
pub use register::{AgentChange, NewAgent, Registered, lock, register, update};
pub use search::{AgentStatus, Facets, SearchQuery, Sort, facets, featured, search};
pub use secret::{rotate_secret, signing_secrets};
pub use skill::Skill;
pub use store::adopt_demo_agent;
pub use view::{
    AgentDetail, AgentSummary, Exposed, OwnedAgent, Totals, card_keys, detail, exposed, mine, mine_after, owned,
    require_trust, totals,
};

pub(crate) use store::{registered_at, set_trust_scores};
