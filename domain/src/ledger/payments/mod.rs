//! Buying credits: what is on sale, what was paid, what was taken back, cards kept, automatic purchases.
//!
//! | rule | where |
//! |---|---|
//! | what a sum buys | [`price`], [`packages`] |
//! | the row is written before the provider is asked, and says what is credited | [`purchase`] |
//! | an event of the provider and its effect are one transaction, once | [`events`] |
//! | a webhook that never came is asked after | [`purchase::due_for_check`] |
//! | refunds and disputes take back as far as the balance reaches; the rest is owed | `ledger.apply_reversals` in the migrations |
//! | a buyer gets unspent credits refunded | [`refund`] |
//! | a balance below the threshold is topped up, within its cap, and declines end in a pause | [`topup`] |
//! | what the provider keeps for an account | [`customer`] |

pub mod customer;
pub mod events;
pub mod packages;
pub mod price;
pub mod purchase;
pub mod refund;
mod store;
pub mod topup;

/// Who takes the money. What one provider knows means nothing to the other: after the change from the sandbox to Stripe
/// no play-money customer, card or purchase is ever sent to Stripe.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Provider {
    /// Stripe.
    Stripe,
    /// The stand-in for it: play money.
    Sandbox,
}

impl Provider {
    /// The database's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Provider::Stripe => "stripe",
            Provider::Sandbox => "sandbox",
        }
    }

    /// The provider of a word of the database.
    pub fn parse(text: &str) -> Option<Provider> {
        [Provider::Stripe, Provider::Sandbox].into_iter().find(|p| p.as_str() == text)
    }
}
