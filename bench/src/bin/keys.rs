//! What the door of the API costs: a key is verified, its scope looked at, its limit counted, at an even 500 requests a second;
//! beside the bare query by the same index at the same rate, before and after. `scripts/bench keys`

use std::time::{Duration, Instant};

use bench::{Result, economy, people, say};
use chrono::Utc;
use domain::api_keys::{self, NewKey, Scope, Scopes, Token};
use domain::{Actor, Db, UserId};
use nexus::api::limits::{Limits, Subject};
use sha2::{Digest, Sha256};
use tokio_util::sync::CancellationToken;

const PEOPLE: i64 = 10_000;
/// Keys that are used; there are this many times ten in the table.
const KEYS: i64 = 2_000;
const A_SECOND: u32 = 500;
const SECONDS: u32 = 20;

#[tokio::main]
async fn main() -> Result<()> {
    let db = economy("keys").await?;
    people(db.pool(), PEOPLE).await?;
    let tokens = keys(&db).await?;
    let limits = Limits::new(db.clone(), 6_000, 300);
    let stop = CancellationToken::new();
    let returning = tokio::spawn(limits.clone().run(stop.clone()));
    let mut rows = Vec::new();
    for round in 0..3 {
        rows.push((format!("bare query, round {}", round + 1), at_a_rate(&tokens, |t| bare(db.clone(), t)).await?));
        rows.push((
            format!("verified, scoped and counted, round {}", round + 1),
            at_a_rate(&tokens, |t| door(db.clone(), limits.clone(), t)).await?,
        ));
    }
    stop.cancel();
    returning.await?;
    say("| at 500 a second for 20 s | p50 ms | p99 ms | worst ms |\n|---|---|---|---|");
    for (name, times) in &rows {
        let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize] * 1_000.0;
        say(&format!("| {name} | {:.2} | {:.2} | {:.2} |", at(0.5), at(0.99), at(1.0)));
    }
    let median = |want_bare: bool| {
        let mut all: Vec<f64> = rows
            .iter()
            .filter(|(n, _)| n.starts_with("bare") == want_bare)
            .map(|(_, t)| t[t.len() * 99 / 100])
            .collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    say(&format!("| p99 to the bare query's p99 | {:.2} | | |", median(false) / median(true)));
    Ok(())
}

/// Makes keys as the program does, and many more rows beside them.
async fn keys(db: &Db) -> Result<Vec<Token>> {
    let users: Vec<UserId> =
        sqlx::query_scalar("SELECT id FROM u ORDER BY n LIMIT $1").bind(KEYS).fetch_all(db.pool()).await?;
    let mut tokens = Vec::new();
    for user in users {
        let new = NewKey::named("bench", Scopes::parse(&["tasks:write", "agents:read"])?);
        tokens.push(api_keys::create(db, &Actor::Session(user), new, Utc::now()).await?.token);
    }
    sqlx::query(
        "INSERT INTO api_keys (user_id, name, key_hash, prefix)
         SELECT u.id, 'other', encode(sha256((u.n || '-' || g)::bytea), 'hex'), 'nxk_other' FROM u, generate_series(1, 2) g",
    )
    .execute(db.pool())
    .await?;
    sqlx::raw_sql("VACUUM ANALYZE api_keys").execute(db.pool()).await?;
    Ok(tokens)
}

/// What a request passes before its handler runs (`nexus::api::caller`).
async fn door(db: Db, limits: Limits, token: Token) -> Result<(), String> {
    let key = api_keys::verify(&db, &token, Utc::now()).await.map_err(|e| e.to_string())?;
    let key = key.map_err(|problem| problem.sentence().to_owned())?;
    if !key.allows(Scope::TasksRead) {
        return Err("the scope is not enough".into());
    }
    let allowed = limits.take(&[(Subject::Account(key.user), limits.account)], 1).await.map_err(|e| e.to_string())?;
    if allowed.wait.is_some() { Err("too often".into()) } else { Ok(()) }
}

/// The lookup alone.
async fn bare(db: Db, token: Token) -> Result<(), String> {
    let hash: String = Sha256::digest(token.reveal().as_bytes()).iter().map(|b| format!("{b:02x}")).collect();
    let found: Option<(uuid::Uuid, Vec<String>)> =
        sqlx::query_as("SELECT user_id, scopes FROM api_keys WHERE key_hash = $1")
            .bind(hash)
            .fetch_optional(db.pool())
            .await
            .map_err(|e| e.to_string())?;
    found.map(|_| ()).ok_or_else(|| "the key is not there".into())
}

/// Calls at an even rate, whether or not the ones before have ended; answers with the times from when each was due, sorted, in
/// seconds.
async fn at_a_rate<F>(tokens: &[Token], call: impl Fn(Token) -> F) -> Result<Vec<f64>>
where
    F: Future<Output = Result<(), String>> + Send + 'static,
{
    let mut ticks = tokio::time::interval(Duration::from_secs(1) / A_SECOND);
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..(A_SECOND * SECONDS) as usize {
        ticks.tick().await;
        let (begun, work) = (Instant::now(), call(tokens[n * 7_919 % tokens.len()].clone()));
        calls.spawn(async move { work.await.map(|()| begun.elapsed().as_secs_f64()) });
    }
    let mut times = Vec::new();
    while let Some(done) = calls.join_next().await {
        times.push(done?.map_err(|e| e.clone())?);
    }
    times.sort_by(f64::total_cmp);
    Ok(times)
}
