//! The SQL of agents: `agents`, `agent_secrets`.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use rust_decimal::prelude::{FromPrimitive, ToPrimitive};
use serde_json::Value;
use sqlx::{PgConnection, PgPool};
use uuid::Uuid;

use super::view::Totals;
use super::watch::{self, Probe, Watch};
use super::{
    AgentDetail, AgentStatus, AgentSummary, Facets, NewAgent, OwnedAgent, SearchQuery, SigningSecrets, Skill, Sort,
};
use crate::{Actor, AgentId, Credits, Db, Error, Missing, Result, UserId};

/// The columns of a card, as every query here names them.
struct Row {
    id: AgentId,
    name: String,
    description: String,
    status: String,
    skills: Value,
    tags: Vec<String>,
    trust_score: Decimal,
    price: Credits,
    featured: Option<bool>,
    completed: Option<i64>,
    failed: Option<i64>,
    verified_at: Option<DateTime<Utc>>,
}

impl From<Row> for AgentSummary {
    fn from(r: Row) -> Self {
        AgentSummary {
            id: r.id,
            name: r.name,
            description: r.description,
            status: AgentStatus::parse(&r.status).unwrap_or(AgentStatus::Offline),
            skills: skills_of(r.skills),
            tags: r.tags,
            trust: r.trust_score.to_f64().unwrap_or_default(),
            price: r.price,
            featured: r.featured.unwrap_or_default(),
            completed: r.completed.unwrap_or_default(),
            failed: r.failed.unwrap_or_default(),
            verified: r.verified_at.is_some(),
        }
    }
}

/// Skills that cannot be read are left out rather than taking the whole list down.
fn skills_of(value: Value) -> Vec<Skill> {
    match value {
        Value::Array(items) => items.into_iter().filter_map(|v| serde_json::from_value(v).ok()).collect(),
        _ => Vec::new(),
    }
}

fn skills_json(skills: &[Skill]) -> Result<Value> {
    serde_json::to_value(skills).map_err(|e| Error::Internal(e.into()))
}

pub(super) async fn insert(tx: &mut PgConnection, owner: UserId, new: &NewAgent) -> Result<AgentId> {
    Ok(sqlx::query_scalar!(
        r#"INSERT INTO agents (name, description, owner_user_id, endpoint, skills, tags, price_per_task, agent_card, card_url,
                               max_concurrent, promised_seconds)
           VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11) RETURNING id AS "id: AgentId""#,
        new.name,
        new.description,
        owner as UserId,
        new.endpoint,
        skills_json(&new.skills)?,
        &new.tags,
        new.price as Credits,
        new.card,
        new.card_url,
        new.max_concurrent,
        new.promised_seconds
    )
    .fetch_one(tx)
    .await?)
}

pub(super) async fn update(tx: &mut PgConnection, owner: UserId, id: AgentId, change: &NewAgent) -> Result<()> {
    let done = sqlx::query!(
        "UPDATE agents SET name = $3, description = $4, endpoint = $5, skills = $6, tags = $7, price_per_task = $8,
                agent_card = $9, card_url = $10, max_concurrent = $11, promised_seconds = $12
          WHERE id = $1 AND owner_user_id = $2 AND kind = 'listed' AND retired_at IS NULL",
        id as AgentId,
        owner as UserId,
        change.name,
        change.description,
        change.endpoint,
        skills_json(&change.skills)?,
        &change.tags,
        change.price as Credits,
        change.card,
        change.card_url,
        change.max_concurrent,
        change.promised_seconds
    )
    .execute(tx)
    .await?;
    if done.rows_affected() == 1 { Ok(()) } else { Err(Error::NotFound(Missing::Agent)) }
}

pub(super) async fn set_secret(tx: &mut PgConnection, id: AgentId, secret: &str) -> Result<()> {
    sqlx::query_scalar!("SELECT economy.set_agent_secret($1, $2)", id as AgentId, secret).fetch_one(tx).await?;
    Ok(())
}

pub(super) async fn secrets(pool: &PgPool, id: AgentId) -> Result<SigningSecrets> {
    let row = sqlx::query!(
        "SELECT secret, CASE WHEN previous_expires_at > now() THEN previous END AS previous
           FROM agent_secrets WHERE agent_id = $1",
        id as AgentId
    )
    .fetch_optional(pool)
    .await?;
    Ok(SigningSecrets(row.map(|r| [Some(r.secret), r.previous].into_iter().flatten().collect()).unwrap_or_default()))
}

pub(super) async fn mark_tested(
    pool: &PgPool,
    owner: UserId,
    id: AgentId,
    endpoint: &str,
    protocol: Option<&str>,
) -> Result<bool> {
    let done = sqlx::query!(
        "UPDATE agents SET tested_at = now(), protocol = $4
          WHERE id = $1 AND owner_user_id = $2 AND endpoint = $3 AND kind = 'listed' AND retired_at IS NULL",
        id as AgentId,
        owner as UserId,
        endpoint,
        protocol
    )
    .execute(pool)
    .await?;
    Ok(done.rows_affected() == 1)
}

pub(super) async fn set_status(tx: &mut PgConnection, id: AgentId, status: &str) -> Result<()> {
    sqlx::query_scalar!("SELECT economy.set_agent_status($1, $2)", id as AgentId, status).fetch_one(tx).await?;
    Ok(())
}

/// Locks one of an owner's agents until the transaction ends. A key that is limited to other agents finds none.
pub(super) async fn lock(tx: &mut PgConnection, owner: UserId, id: AgentId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        "SELECT 1 AS one FROM agents
          WHERE id = $1 AND owner_user_id = $2 AND kind = 'listed' AND retired_at IS NULL FOR NO KEY UPDATE",
        id as AgentId,
        owner as UserId
    )
    .fetch_optional(tx)
    .await?
    .is_some())
}

pub(super) async fn retire(tx: &mut PgConnection, id: AgentId) -> Result<()> {
    sqlx::query_scalar!("SELECT economy.retire_agent($1)", id as AgentId).fetch_one(tx).await?;
    Ok(())
}

pub(super) async fn is_owner(tx: &mut PgConnection, user: UserId, id: AgentId) -> Result<bool> {
    Ok(sqlx::query_scalar!(
        r#"SELECT EXISTS (SELECT 1 FROM agents WHERE id = $1 AND owner_user_id = $2) AS "own!""#,
        id as AgentId,
        user as UserId
    )
    .fetch_one(tx)
    .await?)
}

/// What the signals say of a listed agent.
pub(super) async fn set_observed_status(tx: &mut PgConnection, id: AgentId, status: AgentStatus) -> Result<()> {
    sqlx::query!("UPDATE agents SET status = $2 WHERE id = $1 AND listed", id as AgentId, status.as_str())
        .execute(tx)
        .await?;
    Ok(())
}

pub(super) async fn set_heartbeat(tx: &mut PgConnection, id: AgentId, at: DateTime<Utc>) -> Result<()> {
    sqlx::query!("UPDATE agents SET last_heartbeat = $2 WHERE id = $1", id as AgentId, at).execute(tx).await?;
    Ok(())
}

/// One of an owner's agents that is not retired, to be asked, and when it was asked last.
pub(super) async fn probe_of(
    pool: &PgPool,
    owner: UserId,
    id: AgentId,
) -> Result<Option<(Probe, Option<DateTime<Utc>>)>> {
    let row = sqlx::query!(
        r#"SELECT a.endpoint, a.card_url, a.agent_card, a.protocol, w.last_probe_at
             FROM agents a JOIN agent_watch w ON w.agent_id = a.id
            WHERE a.id = $1 AND a.owner_user_id = $2 AND a.kind = 'listed' AND a.retired_at IS NULL"#,
        id as AgentId,
        owner as UserId
    )
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|r| {
        let probe =
            Probe { agent: id, endpoint: r.endpoint, card_url: r.card_url, card: r.agent_card, protocol: r.protocol };
        (probe, r.last_probe_at)
    }))
}

/// Locks an agent that still answers at `endpoint`; answers with since when its owner is verified.
pub(super) async fn lock_verified(
    tx: &mut PgConnection,
    id: AgentId,
    endpoint: &str,
) -> Result<Option<Option<DateTime<Utc>>>> {
    Ok(sqlx::query_scalar!(
        "SELECT verified_at FROM agents WHERE id = $1 AND endpoint = $2 AND retired_at IS NULL FOR NO KEY UPDATE",
        id as AgentId,
        endpoint
    )
    .fetch_optional(tx)
    .await?)
}

pub(super) async fn set_verified(tx: &mut PgConnection, id: AgentId, at: Option<DateTime<Utc>>) -> Result<()> {
    sqlx::query!(
        "UPDATE agents SET verified_at = $2 WHERE id = $1 AND verified_at IS DISTINCT FROM $2",
        id as AgentId,
        at
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// When these agents were registered, which is where their tenure begins.
pub(crate) async fn registered_at(tx: &mut PgConnection, ids: &[AgentId]) -> Result<BTreeMap<AgentId, DateTime<Utc>>> {
    let ids: Vec<Uuid> = ids.iter().map(|a| a.0).collect();
    let rows = sqlx::query!(r#"SELECT id AS "id: AgentId", created_at FROM agents WHERE id = ANY ($1)"#, &ids)
        .fetch_all(tx)
        .await?;
    Ok(rows.into_iter().map(|r| (r.id, r.created_at)).collect())
}

/// Writes the scores that trust computed, in the same transaction as their evidence, in id order.
pub(crate) async fn set_trust_scores(tx: &mut PgConnection, scores: &BTreeMap<AgentId, f64>) -> Result<()> {
    let ids: Vec<Uuid> = scores.keys().map(|a| a.0).collect();
    let scores: Vec<Decimal> = scores.values().map(|s| Decimal::from_f64(*s).unwrap_or_default().round_dp(2)).collect();
    // Locked first: an UPDATE over a join takes its rows in no order that could be relied on.
    sqlx::query!("SELECT 1 AS one FROM agents WHERE id = ANY ($1) ORDER BY id FOR NO KEY UPDATE", &ids)
        .fetch_all(&mut *tx)
        .await?;
    sqlx::query!(
        "UPDATE agents a SET trust_score = d.score FROM unnest($1::uuid[], $2::numeric[]) AS d (id, score)
          WHERE a.id = d.id AND a.trust_score <> d.score",
        &ids,
        &scores
    )
    .execute(tx)
    .await?;
    Ok(())
}

/// Matching agents with their sort keys, one page, and how many match in all. Every order is a number that falls,
/// so that one comparison pages through all of them.
pub(super) async fn search(
    tx: &mut PgConnection,
    query: &SearchQuery,
    limit: usize,
) -> Result<(Vec<(AgentSummary, String)>, i64)> {
    // How alike a word must be to count as the one that was meant: "sumarizer" finds "summariser".
    sqlx::query_scalar!("SELECT set_config('pg_trgm.word_similarity_threshold', '0.4', true)")
        .fetch_one(&mut *tx)
        .await?;
    let text = query.text.trim().to_lowercase();
    let sort = match query.sort {
        Sort::Best if text.is_empty() => Sort::Trust,
        other => other,
    };
    let skills = query.skills.iter().map(|id| serde_json::json!({ "id": id })).collect::<Value>();
    let after_key = query.after.as_ref().map(|c| c.key.parse::<Decimal>()).transpose();
    let after_key = after_key.map_err(|_| Error::field("cursor", "is not one that this list gave out"))?;
    let rows = sqlx::query!(
        r#"WITH found AS MATERIALIZED (
             SELECT a.id, a.name, a.description, a.status, a.skills, a.tags, a.trust_score, a.price_per_task, a.featured,
                    s.completed, s.failed, a.verified_at,
                    (CASE $7::text
                       WHEN 'best' THEN round((2 * ts_rank(a.search, websearch_to_tsquery('pg_catalog.english', $1))
                                               + word_similarity($1, a.search_text)
                                               + word_similarity($1, lower(a.name)))::numeric, 6)
                       WHEN 'price' THEN -a.price_per_task
                       WHEN 'price-down' THEN a.price_per_task
                       WHEN 'tasks' THEN coalesce(s.completed, 0)::numeric
                       WHEN 'newest' THEN extract(epoch FROM a.created_at)
                       ELSE a.trust_score END) AS key
               FROM agents a LEFT JOIN agent_stats s ON s.agent_id = a.id
              WHERE a.kind = 'listed' AND a.status <> 'offline'
                AND ($1::text = '' OR a.search @@ websearch_to_tsquery('pg_catalog.english', $1) OR $1 <% a.search_text)
                AND ($2::text[] IS NULL OR a.tags @> $2)
                AND ($3::jsonb IS NULL OR a.skills @> $3)
                AND ($4::text IS NULL OR a.status = $4)
                AND ($5::numeric IS NULL OR a.price_per_task <= $5)
                AND ($6::int IS NULL OR a.trust_score >= $6))
           SELECT id AS "id: AgentId", name, description, status, skills, tags, trust_score,
                  price_per_task AS "price: Credits", featured, completed AS "completed?", failed AS "failed?", verified_at,
                  key::text AS "key!", (SELECT count(*) FROM found) AS "total!"
             FROM found
            WHERE $8::numeric IS NULL OR (key, id) < ($8, $9::uuid)
            ORDER BY key DESC, id DESC LIMIT $10"#,
        text,
        (!query.tags.is_empty()).then_some(&*query.tags),
        (!query.skills.is_empty()).then_some(skills),
        query.status.map(AgentStatus::as_str),
        query.max_price.map(Credits::decimal),
        query.min_trust.map(i32::from),
        sort.as_str(),
        after_key,
        query.after.as_ref().map(|c| c.id),
        limit as i64
    )
    .fetch_all(&mut *tx)
    .await?;
    let total = rows.first().map_or(0, |r| r.total);
    let agents = rows
        .into_iter()
        .map(|r| {
            let row = Row {
                id: r.id,
                name: r.name,
                description: r.description,
                status: r.status,
                skills: r.skills,
                tags: r.tags,
                trust_score: r.trust_score,
                price: r.price,
                featured: r.featured,
                completed: r.completed,
                failed: r.failed,
                verified_at: r.verified_at,
            };
            (row.into(), r.key)
        })
        .collect();
    Ok((agents, total))
}

pub(super) async fn featured(tx: &mut PgConnection, limit: usize) -> Result<Vec<AgentSummary>> {
    let rows = sqlx::query_as!(
        Row,
        r#"SELECT a.id AS "id: AgentId", a.name, a.description, a.status, a.skills, a.tags, a.trust_score,
                  a.price_per_task AS "price: Credits", a.featured, s.completed AS "completed?", s.failed AS "failed?",
                  a.verified_at
             FROM agents a LEFT JOIN agent_stats s ON s.agent_id = a.id
            WHERE a.featured = true AND a.kind = 'listed' AND a.status = 'online'
            ORDER BY a.trust_score DESC, a.id LIMIT $1"#,
        limit as i64
    )
    .fetch_all(tx)
    .await?;
    Ok(rows.into_iter().map(AgentSummary::from).collect())
}

pub(super) async fn facets(tx: &mut PgConnection) -> Result<Facets> {
    let tags = sqlx::query!(
        r#"SELECT t AS "tag!", count(*) AS "n!" FROM agents a, unnest(a.tags) t
            WHERE a.kind = 'listed' AND a.status <> 'offline' GROUP BY t ORDER BY count(*) DESC, t LIMIT 40"#
    )
    .fetch_all(&mut *tx)
    .await?;
    let skills = sqlx::query!(
        r#"SELECT s ->> 'id' AS "id!", min(s ->> 'name') AS "name!", count(DISTINCT a.id) AS "n!"
             FROM agents a, jsonb_array_elements(a.skills) s
            WHERE a.kind = 'listed' AND a.status <> 'offline' AND s ->> 'id' IS NOT NULL AND s ->> 'name' IS NOT NULL
            GROUP BY s ->> 'id' ORDER BY 3 DESC, 2 LIMIT 60"#
    )
    .fetch_all(&mut *tx)
    .await?;
    Ok(Facets {
        tags: tags.into_iter().map(|r| (r.tag, r.n)).collect(),
        skills: skills.into_iter().map(|r| (r.id, r.name, r.n)).collect(),
    })
}

pub(super) async fn detail(tx: &mut PgConnection, id: AgentId, own: bool) -> Result<Option<AgentDetail>> {
    let row = sqlx::query!(
        r#"SELECT a.id AS "id: AgentId", a.name, a.description, a.status, a.skills, a.tags, a.trust_score,
                  a.price_per_task AS "price: Credits", a.featured, s.completed AS "completed?", s.failed AS "failed?",
                  a.verified_at, a.created_at, coalesce(economy.agent_publisher(a.id), '') AS "publisher!"
             FROM agents a LEFT JOIN agent_stats s ON s.agent_id = a.id
            WHERE a.id = $1 AND a.kind = 'listed' AND a.retired_at IS NULL AND (a.listed OR $2)"#,
        id as AgentId,
        own
    )
    .fetch_optional(tx)
    .await?;
    Ok(row.map(|r| AgentDetail {
        publisher: r.publisher,
        created_at: r.created_at,
        own,
        summary: Row {
            id: r.id,
            name: r.name,
            description: r.description,
            status: r.status,
            skills: r.skills,
            tags: r.tags,
            trust_score: r.trust_score,
            price: r.price,
            featured: r.featured,
            completed: r.completed,
            failed: r.failed,
            verified_at: r.verified_at,
        }
        .into(),
    }))
}

/// Where a page of an owner's agents begins.
pub(super) struct After {
    pub in_use: bool,
    pub created_at: DateTime<Utc>,
    pub id: AgentId,
}

/// An owner's agents, the newest first, retired ones last. A key that is limited to chosen agents sees no others.
pub(super) async fn owned(
    tx: &mut PgConnection,
    owner: UserId,
    id: Option<AgentId>,
    after: Option<&After>,
    limit: usize,
) -> Result<Vec<OwnedAgent>> {
    let rows = sqlx::query!(
        r#"SELECT a.id AS "id: AgentId", a.name, a.description, a.status, a.skills, a.tags, a.trust_score,
                  a.price_per_task AS "price: Credits", a.featured, s.completed AS "completed?", s.failed AS "failed?",
                  a.verified_at, a.listed, a.max_concurrent, a.promised_seconds, a.last_heartbeat,
                  w.last_probe_at AS "last_probe_at?", w.last_probe_ms AS "last_probe_ms?", w.probe_error AS "probe_error?",
                  i.status AS "incident?", i.reason AS "reason?", i.began_at AS "began_at?",
                  a.created_at, a.tested_at, a.retired_at, p.endpoint AS "endpoint!", p.card_url, p.agent_card AS "card!",
                  coalesce((SELECT sum(t.amount_credits - ledger_fee.fee) FROM transactions t,
                            LATERAL (SELECT round(t.amount_credits * 0.05, 2) AS fee) ledger_fee
                            WHERE t.to_agent_id = a.id AND t.status = 'settled'), 0) AS "earned!: Credits"
             FROM agents a LEFT JOIN agent_stats s ON s.agent_id = a.id LEFT JOIN agent_watch w ON w.agent_id = a.id
                  LEFT JOIN agent_incidents i ON i.agent_id = a.id AND i.ended_at IS NULL,
                  LATERAL economy.agent_private(a.id) p
            WHERE a.owner_user_id = $1 AND a.kind = 'listed' AND ($2::uuid IS NULL OR a.id = $2)
              AND ($3::bool IS NULL OR (a.retired_at IS NULL, a.created_at, a.id) < ($3, $4::timestamptz, $5::uuid))
              AND ((SELECT economy.key_agents()) IS NULL OR a.id = ANY ((SELECT economy.key_agents())::uuid[]))
            ORDER BY a.retired_at IS NULL DESC, a.created_at DESC, a.id DESC LIMIT $6"#,
        owner as UserId,
        id as Option<AgentId>,
        after.map(|a| a.in_use),
        after.map(|a| a.created_at),
        after.map(|a| a.id.0),
        limit as i64
    )
    .fetch_all(tx)
    .await?;
    Ok(rows
        .into_iter()
        .map(|r| OwnedAgent {
            endpoint: r.endpoint,
            card_url: r.card_url,
            card: r.card,
            tested_at: r.tested_at,
            retired_at: r.retired_at,
            created_at: r.created_at,
            earned: r.earned,
            listed: r.listed,
            max_concurrent: r.max_concurrent,
            promised_seconds: r.promised_seconds,
            watch: Watch {
                incident: watch::incident(r.incident.as_deref(), r.reason.as_deref(), r.began_at, None),
                probed_at: r.last_probe_at,
                millis: r.last_probe_ms,
                probe_error: r.probe_error,
                last_heartbeat: r.last_heartbeat,
            },
            summary: Row {
                id: r.id,
                name: r.name,
                description: r.description,
                status: r.status,
                skills: r.skills,
                tags: r.tags,
                trust_score: r.trust_score,
                price: r.price,
                featured: r.featured,
                completed: r.completed,
                failed: r.failed,
                verified_at: r.verified_at,
            }
            .into(),
        })
        .collect())
}

pub(super) async fn totals(tx: &mut PgConnection) -> Result<Totals> {
    Ok(sqlx::query_as!(
        Totals,
        r#"SELECT count(*) AS "listed!", coalesce(sum(s.completed), 0)::bigint AS "completed!",
                  (SELECT count(DISTINCT k ->> 'id') FROM agents b, jsonb_array_elements(b.skills) k
                    WHERE b.kind = 'listed' AND b.status <> 'offline') AS "skills!"
             FROM agents a LEFT JOIN agent_stats s ON s.agent_id = a.id WHERE a.kind = 'listed' AND a.status <> 'offline'"#
    )
    .fetch_one(tx)
    .await?)
}

/// The demo's agents: found by owner and name, registered or brought up to date, and put online. They run inside
/// this very program, which is their test call. Answers with the id and the signing secret.
///
/// # Errors
/// [`Error::Forbidden`] for anybody but the program itself; [`Error::Validation`].
pub async fn adopt_demo_agent(
    db: &Db,
    actor: &Actor,
    owner: UserId,
    agent: &NewAgent,
    featured: bool,
) -> Result<(AgentId, String)> {
    if *actor != Actor::System {
        return Err(Error::Forbidden("only the program itself seeds the demo".into()));
    }
    let wrong = super::rules::check(agent);
    if !wrong.is_empty() {
        return Err(Error::Validation(wrong));
    }
    let mut tx = db.begin(actor).await?;
    let known = sqlx::query_scalar!(
        r#"SELECT id AS "id: AgentId" FROM agents WHERE owner_user_id = $1 AND name = $2 AND kind = 'listed'
            AND retired_at IS NULL ORDER BY created_at LIMIT 1"#,
        owner as UserId,
        agent.name
    )
    .fetch_optional(&mut *tx)
    .await?;
    let id = match known {
        Some(id) => {
            update(&mut tx, owner, id, agent).await?;
            id
        }
        None => insert(&mut tx, owner, agent).await?,
    };
    sqlx::query!(
        "UPDATE agents SET listed = true, status = 'online', tested_at = now(), featured = $2 WHERE id = $1",
        id as AgentId,
        featured
    )
    .execute(&mut *tx)
    .await?;
    let secret = sqlx::query_scalar!(
        "INSERT INTO agent_secrets (agent_id, secret) VALUES ($1, $2)
         ON CONFLICT (agent_id) DO UPDATE SET secret = agent_secrets.secret RETURNING secret",
        id as AgentId,
        crate::signing::new_secret()
    )
    .fetch_one(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok((id, secret))
}

/// What its gateway address shows of a listed agent, for anybody.
pub(super) async fn exposed(pool: &PgPool, id: AgentId) -> Result<Option<super::Exposed>> {
    let row = sqlx::query!(
        r#"SELECT a.name, a.description, a.skills, a.price_per_task AS "price: Credits", a.agent_card AS card, a.updated_at,
                  coalesce(economy.agent_publisher(a.id), '') AS "publisher!", a.trust_score::float8 AS "trust!"
             FROM agents a WHERE a.id = $1 AND a.kind = 'listed' AND a.listed AND a.retired_at IS NULL"#,
        id as AgentId
    );
    let Some(r) = row.fetch_optional(pool).await? else { return Ok(None) };
    let modes = |name: &str| {
        let listed = r.card.get(name).and_then(Value::as_array);
        listed.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect()
    };
    Ok(Some(super::Exposed {
        id,
        name: r.name,
        description: r.description,
        input_modes: modes("defaultInputModes"),
        output_modes: modes("defaultOutputModes"),
        skills: skills_of(r.skills),
        price: r.price,
        publisher: r.publisher,
        updated_at: r.updated_at,
        trust: r.trust,
    }))
}

pub(super) async fn card_keys(pool: &PgPool) -> Result<Vec<(String, Vec<u8>)>> {
    let rows = sqlx::query!("SELECT id, pkcs8 FROM card_keys ORDER BY created_at DESC, id").fetch_all(pool).await?;
    Ok(rows.into_iter().map(|r| (r.id, r.pkcs8)).collect())
}

/// Keeps the first of the keys that several processes may offer at once.
pub(super) async fn first_card_key(pool: &PgPool, id: &str, pkcs8: &[u8]) -> Result<()> {
    let mut tx = pool.begin().await?;
    sqlx::query_scalar!(r#"SELECT 1 AS "one!" FROM pg_advisory_xact_lock(7253003)"#).fetch_one(&mut *tx).await?;
    sqlx::query!(
        "INSERT INTO card_keys (id, pkcs8) SELECT $1, $2 WHERE NOT EXISTS (SELECT 1 FROM card_keys)",
        id,
        pkcs8
    )
    .execute(&mut *tx)
    .await?;
    tx.commit().await?;
    Ok(())
}
