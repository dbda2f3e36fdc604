//! Registering and editing an agent.

use serde_json::Value;

use super::{Skill, rules, store};
use crate::signing::new_secret;
use crate::{Actor, AgentId, Credits, Db, Error, Missing, Result};

/// A listing as its owner writes it, or as it is read from an agent card.
#[derive(Clone, Debug, PartialEq)]
pub struct NewAgent {
    /// 1 to 100 characters.
    pub name: String,
    /// What it does, for people; at most 5,000 characters.
    pub description: String,
    /// Where it answers A2A requests.
    pub endpoint: String,
    /// Words to find it by.
    pub tags: Vec<String>,
    /// What it can do.
    pub skills: Vec<Skill>,
    /// Per task.
    pub price: Credits,
    /// Its agent card, as fetched; an empty object when there was none.
    pub card: Value,
    /// Where the card was fetched.
    pub card_url: Option<String>,
    /// Tasks that it is given at once, 1 to 1,000.
    pub max_concurrent: i32,
    /// In how many seconds it promises an answer, 1 to 3,600; `None` for no promise.
    pub promised_seconds: Option<i32>,
}

impl Default for NewAgent {
    fn default() -> NewAgent {
        NewAgent {
            name: String::new(),
            description: String::new(),
            endpoint: String::new(),
            tags: Vec::new(),
            skills: Vec::new(),
            price: Credits::ZERO,
            card: Value::Null,
            card_url: None,
            max_concurrent: rules::CONCURRENT_DEFAULT,
            promised_seconds: None,
        }
    }
}

/// What an edit may change: all of a listing.
pub type AgentChange = NewAgent;

/// A new agent and the one sight of its signing secret.
#[derive(Clone, Debug)]
pub struct Registered {
    /// The agent; offline until it answered a test call and is put online.
    pub id: AgentId,
    /// What requests to it are signed with.
    pub secret: String,
}

/// Registers an agent for the actor.
///
/// # Errors
/// [`Error::Validation`] for each wrong field.
pub async fn register(db: &Db, actor: &Actor, new: NewAgent) -> Result<Registered> {
    let owner = actor.user()?;
    let new = tidy(new)?;
    let secret = new_secret();
    let mut tx = db.begin(actor).await?;
    let id = store::insert(&mut tx, owner, &new).await?;
    store::set_secret(&mut tx, id, &secret).await?;
    tx.commit().await?;
    Ok(Registered { id, secret })
}

/// Changes a listing of the actor's. A new endpoint takes the agent offline until it answers a test call.
///
/// # Errors
/// [`Error::Validation`]; [`Error::NotFound`] when it is not theirs or is retired.
pub async fn update(db: &Db, actor: &Actor, id: AgentId, change: AgentChange) -> Result<()> {
    let owner = actor.user()?;
    let change = tidy(change)?;
    let mut tx = db.begin(actor).await?;
    store::update(&mut tx, owner, id, &change).await?;
    tx.commit().await?;
    Ok(())
}

/// Locks one of the actor's agents until the joint transaction ends, so that it stays as it is looked at next.
///
/// # Errors
/// [`Error::NotFound`] when it is not theirs, is retired, or the actor's key is for other agents.
pub async fn lock(db: &Db, actor: &Actor, id: AgentId) -> Result<()> {
    let owner = actor.user()?;
    let mut tx = db.begin(actor).await?;
    let found = store::lock(&mut tx, owner, id).await?;
    tx.commit().await?;
    if found { Ok(()) } else { Err(Error::NotFound(Missing::Agent)) }
}

fn tidy(mut new: NewAgent) -> Result<NewAgent> {
    new.name = new.name.trim().to_owned();
    new.description = new.description.trim().to_owned();
    new.endpoint = new.endpoint.trim().to_owned();
    if new.card.is_null() {
        new.card = Value::Object(serde_json::Map::new());
    }
    let wrong = rules::check(&new);
    if wrong.is_empty() { Ok(new) } else { Err(Error::Validation(wrong)) }
}
