//! Who fits a request, and in which order they are asked.

use std::cmp::Ordering;

use super::store;
use crate::tasks::{Part, content};
use crate::{Actor, AgentId, Credits, Db, Result};

/// Of those who fit, so many are compared: the cheapest where that is asked for, else the most trusted.
pub(super) const COMPARED: i64 = 200;
/// So much of a text is read for what it is about, in characters.
const READ: usize = 1_000;

/// Which of those who fit is asked first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// By trust, price and speed together ([`score`]).
    #[default]
    Best,
    /// The lowest price first.
    Cheapest,
    /// Whose completed tasks took the shortest at the median; whose are not known come last.
    Fastest,
    /// The highest trust first.
    MostTrusted,
}

impl Strategy {
    /// All of them.
    pub const ALL: [Strategy; 4] = [Strategy::Best, Strategy::Cheapest, Strategy::Fastest, Strategy::MostTrusted];

    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Strategy::Best => "best",
            Strategy::Cheapest => "cheapest",
            Strategy::Fastest => "fastest",
            Strategy::MostTrusted => "most-trusted",
        }
    }

    /// The strategy of a word.
    pub fn parse(text: &str) -> Option<Strategy> {
        Strategy::ALL.into_iter().find(|s| s.as_str() == text)
    }
}

/// What whoever asks wants of the agent.
#[derive(Clone, Debug, PartialEq)]
pub struct Wishes {
    /// It must have this skill.
    pub skill: Option<String>,
    /// It must carry each of these tags.
    pub tags: Vec<String>,
    /// It must not cost more.
    pub max_credits: Option<Credits>,
    /// Who is asked first.
    pub strategy: Strategy,
    /// It must be trusted at least this much, 0 to 100.
    pub min_trust: Option<f64>,
    /// How many are tried, 1 to 5.
    pub max_agents: i32,
}

impl Default for Wishes {
    fn default() -> Wishes {
        Wishes {
            skill: None,
            tags: Vec::new(),
            max_credits: None,
            strategy: Strategy::Best,
            min_trust: None,
            max_agents: 3,
        }
    }
}

/// Which of the wishes an agent fits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Fits {
    /// It has the skill.
    pub skill: bool,
    /// It carries the tags.
    pub tags: bool,
    /// It costs no more.
    pub price: bool,
    /// It is trusted enough.
    pub trust: bool,
    /// It takes the media types.
    pub media: bool,
}

impl Fits {
    /// Everything.
    pub const ALL: Fits = Fits { skill: true, tags: true, price: true, trust: true, media: true };

    /// The wishes by name.
    fn named(self) -> [(&'static str, bool); 5] {
        [
            ("skill", self.skill),
            ("tags", self.tags),
            ("maxCredits", self.price),
            ("minTrust", self.trust),
            ("media types", self.media),
        ]
    }
}

/// An agent that is online and may be hired.
#[derive(Clone, Debug)]
pub struct Candidate {
    /// The agent.
    pub agent: AgentId,
    /// What it is called.
    pub name: String,
    /// What it does.
    pub description: String,
    /// Per task.
    pub price: Credits,
    /// 0 to 100.
    pub trust: f64,
    /// How long its last completed tasks took at the median, in milliseconds; `None` before the first.
    pub p50_ms: Option<f64>,
    /// The media types that it takes; empty: its card does not say.
    pub modes: Vec<String>,
    /// How well the words of the request describe it; more is better, 0 is not at all.
    pub relevance: f64,
    /// Which of the wishes it fits.
    pub fits: Fits,
}

/// Who fits, the first to ask first; or why nobody does.
#[derive(Clone, Debug)]
pub enum Picked {
    /// At least one, and how many there are.
    Found(Vec<Candidate>),
    /// None.
    Nobody(Nobody),
}

/// Why nobody fits.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Nobody {
    /// Agents that are online and could be hired.
    pub online: i64,
    /// How many would fit if one wish were dropped, for each that was made.
    pub without: Vec<(&'static str, usize)>,
}

/// How good an agent is for `best`, 0 to 1: `0.6 × trust/100 + 0.25 × (cheapest + 1)/(price + 1) + 0.15 × (quickest + 1 s)/(median
/// + 1 s)`, prices in credits. An agent that has completed nothing yet has 0.5 in place of the last quotient.
pub fn score(agent: &Candidate, cheapest: Credits, quickest_ms: Option<f64>) -> f64 {
    let credits = |sum: Credits| sum.cents() as f64 / 100.0;
    let price = (credits(cheapest) + 1.0) / (credits(agent.price) + 1.0);
    let speed = match (agent.p50_ms, quickest_ms) {
        (Some(own), Some(quickest)) => (quickest + 1_000.0) / (own + 1_000.0),
        _ => 0.5,
    };
    0.6 * agent.trust / 100.0 + 0.25 * price + 0.15 * speed
}

/// Puts candidates in the order in which they are asked. Equals are ordered by trust, then price, then id.
pub fn rank(strategy: Strategy, candidates: &mut [Candidate]) {
    let cheapest = candidates.iter().map(|c| c.price).min().unwrap_or_default();
    let quickest = candidates.iter().filter_map(|c| c.p50_ms).min_by(f64::total_cmp);
    let best = |c: &Candidate| score(c, cheapest, quickest);
    let median = |c: &Candidate| c.p50_ms.unwrap_or(f64::INFINITY);
    candidates.sort_by(|a, b| {
        let first = match strategy {
            Strategy::Best => best(b).total_cmp(&best(a)),
            Strategy::Cheapest => a.price.cmp(&b.price),
            Strategy::Fastest => median(a).total_cmp(&median(b)),
            Strategy::MostTrusted => Ordering::Equal,
        };
        first.then(b.trust.total_cmp(&a.trust)).then(a.price.cmp(&b.price)).then(a.agent.cmp(&b.agent))
    });
}

/// Why this one is asked, of so many that fit.
pub(super) fn reason(strategy: Strategy, agent: &Candidate, of: usize) -> String {
    let which = match strategy {
        Strategy::Best => "best of trust, price and speed",
        Strategy::Cheapest => "cheapest",
        Strategy::Fastest => "fastest",
        Strategy::MostTrusted => "most trusted",
    };
    let among = if of == 1 { "the only one that fits".to_owned() } else { format!("the {which} of {of} that fit") };
    let speed = agent.p50_ms.map_or_else(String::new, |ms| format!(", {:.1} s at the median", ms / 1_000.0));
    format!("{among}: {} credits, trust {:.2}{speed}", agent.price, agent.trust)
}

/// Who fits: agents that are online, that the actor's key may hire and that are not the actor's own, with the skill and all tags,
/// at most so dear, trusted so much, and taking the media types of `parts`. Where neither skill nor tags are asked for, the words
/// of the message say what it is about: of those that share words with it, the ones that do so at least half as well as the first
/// stay; where none does, all stay. `besides`: who has been asked already.
///
/// # Errors
/// [`crate::Error::Unauthorized`]; when the database does not answer.
pub async fn pick(db: &Db, actor: &Actor, wishes: &Wishes, parts: &[Part], besides: &[AgentId]) -> Result<Picked> {
    let user = actor.user()?;
    let key = if let Actor::Key { key, .. } = actor { Some(*key) } else { None };
    let named = wishes.skill.is_some() || !wishes.tags.is_empty();
    let text = (!named).then(|| content::text_of(parts).chars().take(READ).collect::<String>());
    let mut tx = db.begin(&Actor::System).await?;
    let seeker = store::Seeker { user, key, besides, text: text.as_deref() };
    let takes = |c: &Candidate| content::not_taken(&c.modes, parts).is_none();
    let mut found = store::candidates(&mut tx, &seeker, wishes, 0, COMPARED).await?;
    found.retain(takes);
    if found.is_empty() {
        let (mut near, online) =
            (store::candidates(&mut tx, &seeker, wishes, 1, 10_000).await?, store::online(&mut tx, &seeker).await?);
        near.iter_mut().for_each(|c| c.fits.media = takes(c));
        return Ok(Picked::Nobody(Nobody { online, without: without(wishes, parts, &near) }));
    }
    let first = found.iter().map(|c| c.relevance).fold(0.0, f64::max);
    found.retain(|c| c.relevance >= first / 2.0);
    rank(wishes.strategy, &mut found);
    Ok(Picked::Found(found))
}

/// How many fit all wishes but one, for each that was made.
fn without(wishes: &Wishes, parts: &[Part], near: &[Candidate]) -> Vec<(&'static str, usize)> {
    let made = [
        wishes.skill.is_some(),
        !wishes.tags.is_empty(),
        wishes.max_credits.is_some(),
        wishes.min_trust.is_some(),
        parts.iter().any(|p| p.media_type.is_some()),
    ];
    let names = Fits::ALL.named();
    (0..names.len())
        .filter(|n| made[*n])
        .map(|n| {
            let all_others = |c: &&Candidate| c.fits.named().iter().enumerate().all(|(m, (_, fits))| m == n || *fits);
            (names[n].0, near.iter().filter(all_others).count())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn agent(n: u128, price: &str, trust: f64, p50_ms: Option<f64>) -> Candidate {
        Candidate {
            agent: AgentId(Uuid::from_u128(n)),
            name: format!("agent {n}"),
            description: String::new(),
            price: price.parse().unwrap(),
            trust,
            p50_ms,
            modes: Vec::new(),
            relevance: 0.0,
            fits: Fits::ALL,
        }
    }

    #[test]
    fn each_strategy_has_its_own_first() {
        let agents = [
            agent(1, "9", 95.0, Some(9_000.0)),
            agent(2, "1", 40.0, Some(5_000.0)),
            agent(3, "6", 60.0, Some(200.0)),
            agent(4, "2", 85.0, None),
            agent(5, "1", 45.0, None),
        ];
        for (strategy, order) in [
            // 0.64, 0.52, 0.58, 0.75, 0.60
            (Strategy::Best, [4, 1, 5, 3, 2]),
            (Strategy::Cheapest, [5, 2, 4, 3, 1]),
            (Strategy::Fastest, [3, 2, 1, 4, 5]),
            (Strategy::MostTrusted, [1, 4, 3, 5, 2]),
        ] {
            let mut ranked = agents.to_vec();
            rank(strategy, &mut ranked);
            let is: Vec<u128> = ranked.iter().map(|c| c.agent.0.as_u128()).collect();
            assert_eq!(is, order, "{strategy:?}");
        }
    }

    #[test]
    fn a_score_is_what_its_formula_says() {
        let one = agent(1, "3", 80.0, Some(1_000.0));
        // 0.6 × 0.8 + 0.25 × 2/4 + 0.15 × 1500/2000
        assert!((score(&one, "1".parse().unwrap(), Some(500.0)) - 0.7175).abs() < 1e-9);
        assert!((score(&agent(1, "0", 100.0, Some(0.0)), Credits::ZERO, Some(0.0)) - 1.0).abs() < 1e-9);
    }

    #[test]
    fn what_is_in_the_way_is_counted_wish_by_wish() {
        let wishes = Wishes { skill: Some("x".into()), max_credits: Some(Credits::ZERO), ..Wishes::default() };
        let but = |fits: Fits| Candidate { fits, ..agent(1, "1", 50.0, None) };
        let near = [
            but(Fits { skill: false, ..Fits::ALL }),
            but(Fits { price: false, ..Fits::ALL }),
            but(Fits { price: false, ..Fits::ALL }),
            but(Fits { price: false, media: false, ..Fits::ALL }),
        ];
        assert_eq!(without(&wishes, &[Part::text("x")], &near), [("skill", 1), ("maxCredits", 2)]);
    }

    #[test]
    fn words_are_read_back() {
        assert!(Strategy::ALL.into_iter().all(|s| Strategy::parse(s.as_str()) == Some(s)));
        assert_eq!(Strategy::parse("random"), None);
    }
}
