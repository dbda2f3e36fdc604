//! The marketplace: finding an agent.

use super::{AgentSummary, store};
use crate::{Actor, Credits, Cursor, Db, Page, Result};

/// Whether an agent takes work.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AgentStatus {
    /// Listed and answering.
    Online,
    /// Listed; answers badly of late.
    Degraded,
    /// Not listed, or listed and not answering.
    Offline,
}

impl AgentStatus {
    /// The database's word.
    pub fn as_str(self) -> &'static str {
        match self {
            AgentStatus::Online => "online",
            AgentStatus::Degraded => "degraded",
            AgentStatus::Offline => "offline",
        }
    }

    /// The status of a word.
    pub fn parse(text: &str) -> Option<AgentStatus> {
        [AgentStatus::Online, AgentStatus::Degraded, AgentStatus::Offline].into_iter().find(|s| s.as_str() == text)
    }
}

/// In which order.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sort {
    /// The best match first; without a text, the most trusted.
    #[default]
    Best,
    /// The most trusted first.
    Trust,
    /// The cheapest first.
    Price,
    /// The dearest first.
    PriceDown,
    /// The most tasks done first.
    Tasks,
    /// The newest first.
    Newest,
}

impl Sort {
    /// All, in the order that a menu shows them.
    pub const ALL: [Sort; 6] = [Sort::Best, Sort::Trust, Sort::Price, Sort::PriceDown, Sort::Tasks, Sort::Newest];

    /// The word in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Sort::Best => "best",
            Sort::Trust => "trust",
            Sort::Price => "price",
            Sort::PriceDown => "price-down",
            Sort::Tasks => "tasks",
            Sort::Newest => "newest",
        }
    }

    /// A word for people.
    pub fn label(self) -> &'static str {
        match self {
            Sort::Best => "Best match",
            Sort::Trust => "Most trusted",
            Sort::Price => "Lowest price",
            Sort::PriceDown => "Highest price",
            Sort::Tasks => "Most tasks done",
            Sort::Newest => "Newest",
        }
    }

    /// The order of a word.
    pub fn parse(text: &str) -> Option<Sort> {
        Sort::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// What is looked for. Empty means everything that is listed.
#[derive(Clone, Debug, Default)]
pub struct SearchQuery {
    /// Words; a typo is forgiven.
    pub text: String,
    /// Must carry each of these tags.
    pub tags: Vec<String>,
    /// Must have a skill of each of these ids.
    pub skills: Vec<String>,
    /// Must be in this state.
    pub status: Option<AgentStatus>,
    /// Must not cost more.
    pub max_price: Option<Credits>,
    /// Must be trusted at least this much, 0 to 100.
    pub min_trust: Option<u8>,
    /// In this order.
    pub sort: Sort,
    /// After this one.
    pub after: Option<Cursor>,
}

/// Agents that match, and how many do in all.
#[derive(Clone, Debug)]
pub struct Found {
    /// One page of them.
    pub page: Page<AgentSummary>,
    /// All that match.
    pub total: i64,
}

/// Words to filter by, with how many listed agents have each; the most common first.
#[derive(Clone, Debug, Default)]
pub struct Facets {
    /// Tags.
    pub tags: Vec<(String, i64)>,
    /// Skills, by id and name.
    pub skills: Vec<(String, String, i64)>,
}

/// Listed agents that match.
///
/// # Errors
/// When the database does not answer.
pub async fn search(db: &Db, actor: &Actor, query: &SearchQuery, limit: usize) -> Result<Found> {
    let mut tx = db.begin(actor).await?;
    let (rows, total) = store::search(&mut tx, query, limit + 1).await?;
    let page = Page::cut(rows, limit, |(agent, key)| Cursor { key: key.clone(), id: agent.id.0 });
    let page = Page { items: page.items.into_iter().map(|(agent, _)| agent).collect(), next: page.next };
    Ok(Found { page, total })
}

/// What listed agents can be filtered by.
///
/// # Errors
/// When the database does not answer.
pub async fn facets(db: &Db, actor: &Actor) -> Result<Facets> {
    let mut tx = db.begin(actor).await?;
    store::facets(&mut tx).await
}

/// The featured shelf: the most trusted of the featured agents that are online.
///
/// # Errors
/// When the database does not answer.
pub async fn featured(db: &Db, actor: &Actor, limit: usize) -> Result<Vec<AgentSummary>> {
    let mut tx = db.begin(actor).await?;
    store::featured(&mut tx, limit).await
}
