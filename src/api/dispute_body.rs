//! A dispute as programs see it.

use chrono::{DateTime, Utc};
use domain::Credits;
use domain::tasks::disputes::{DecidedBy, Dispute, Side};
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::answer::Money;

/// A dispute.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DisputeBody {
    /// About which task.
    pub task_id: Uuid,
    /// What was paid.
    pub paid_credits: Money,
    /// What lies in escrow.
    pub escrow_credits: Money,
    /// A refund that one side proposes.
    #[schema(required)]
    pub offer: Option<OfferBody>,
    /// When it was opened.
    pub opened_at: DateTime<Utc>,
    /// Until when the provider is to say something; `null` once they have.
    #[schema(required)]
    pub answer_by: Option<DateTime<Utc>>,
    /// When the clock decides at the latest.
    pub decide_by: DateTime<Utc>,
    /// How it was decided; `null` while it is open.
    #[schema(required)]
    pub decision: Option<DecisionBody>,
    /// What was said, oldest first.
    pub statements: Vec<StatementBody>,
}

/// A proposal.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OfferBody {
    /// `requester` or `provider`.
    pub side: &'static str,
    /// What would go back to the requester.
    pub refund_credits: Money,
}

/// How a dispute ended.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct DecisionBody {
    /// `requester`, `provider`, `agreement`, `operator` or `timer`.
    pub by: &'static str,
    /// What goes back to the requester in all.
    pub refund_credits: Money,
    /// How much of it has.
    pub returned_credits: Money,
    /// What is still owed of it.
    pub owed_credits: Money,
    /// When.
    pub at: DateTime<Utc>,
}

/// Something said in a dispute.
#[derive(Debug, Serialize, ToSchema)]
pub struct StatementBody {
    /// `requester`, `provider` or `operator`.
    pub side: &'static str,
    /// By whom.
    pub author: String,
    /// What.
    pub text: String,
    /// When.
    pub at: DateTime<Utc>,
}

impl From<Dispute> for DisputeBody {
    fn from(d: Dispute) -> DisputeBody {
        let offer = |(side, refund): (Side, Credits)| OfferBody { side: side.as_str(), refund_credits: Money(refund) };
        DisputeBody {
            task_id: d.task.0,
            paid_credits: Money(d.paid),
            escrow_credits: Money(d.escrow),
            offer: d.offer.map(offer),
            opened_at: d.opened_at,
            answer_by: d.answer_by,
            decide_by: d.decide_by,
            decision: d.decision.map(|c| DecisionBody {
                by: DecidedBy::as_str(c.by),
                refund_credits: Money(c.refund),
                returned_credits: Money(c.returned),
                owed_credits: Money(c.owed),
                at: c.at,
            }),
            statements: d
                .statements
                .into_iter()
                .map(|s| StatementBody { side: s.side.as_str(), author: s.author, text: s.text, at: s.created_at })
                .collect(),
        }
    }
}
