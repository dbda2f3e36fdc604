//! Each policy, tried as a visitor, as the owner and as a stranger, by bare SQL without any WHERE: the second wall
//! must hold by itself.

use crate::support::Economy;
use domain::Actor;
use sqlx::{PgConnection, PgPool};

/// Begins a transaction as `actor`, as the program does.
async fn as_role(tx: &mut PgConnection, actor: &Actor) {
    let (role, user) = match actor {
        Actor::Session(user) | Actor::Key { user, .. } => ("authenticated", user.to_string()),
        Actor::Anonymous | Actor::System => ("anon", String::new()),
    };
    sqlx::query("SELECT set_config('role', $1, true), set_config('app.user_id', $2, true)")
        .bind(role)
        .bind(user)
        .execute(tx)
        .await
        .unwrap();
}

/// How many rows of `table` the actor sees; `None` when it may not look at all.
async fn seen(pool: &PgPool, actor: &Actor, table: &str, column: &str) -> Option<i64> {
    let mut tx = pool.begin().await.unwrap();
    as_role(&mut tx, actor).await;
    sqlx::query_scalar(sqlx::AssertSqlSafe(format!("SELECT count({column}) FROM {table}")))
        .fetch_one(&mut *tx)
        .await
        .ok()
}

/// How many rows a statement changes as the actor; `None` when it is refused.
async fn changed(pool: &PgPool, actor: &Actor, sql: &'static str) -> Option<u64> {
    let mut tx = pool.begin().await.unwrap();
    as_role(&mut tx, actor).await;
    sqlx::query(sql).execute(&mut *tx).await.ok().map(|d| d.rows_affected())
}

#[sqlx::test(migrations = "../migrations")]
async fn each_policy_as_visitor_owner_and_stranger(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (buyer, owner, stranger) =
        (economy.person("buyer").await, economy.person("owner").await, economy.person("stranger").await);
    let visitor = Actor::Anonymous;
    let agent = economy.agent(&owner, "Worker", "10").await;
    let hidden = economy.agent(&owner, "Hidden", "10").await;
    domain::agents::set_status(&economy.db, &owner, hidden, false).await.unwrap();
    let task = economy.hire(&buyer, agent).await.unwrap();
    let claim = economy.claim(task.id).await;
    economy.complete(&claim).await;
    let rows = format!(
        "INSERT INTO workflows (name, owner_user_id) VALUES ('w', '{0}');
         INSERT INTO workflow_runs (workflow_id) SELECT id FROM workflows;
         INSERT INTO api_keys (user_id, name, key_hash, prefix) VALUES ('{0}', 'k', 'h', 'nxk_');
         INSERT INTO stripe_events (event_id, type) VALUES ('e', 't');
         INSERT INTO purchases (user_id, package, credits, amount_cents) VALUES ('{0}', 'starter', 1000, 1000);
         INSERT INTO webhook_endpoints (user_id, url) VALUES ('{0}', 'https://x.example');
         INSERT INTO webhook_secrets (endpoint_id, secret) SELECT id, 's' FROM webhook_endpoints;
         SELECT webhooks.emit('{0}', 'task.created', '{{}}');
         INSERT INTO webhook_attempts (delivery_id, at, duration_ms, status) SELECT id, now(), 1, 200 FROM webhook_deliveries",
        buyer.user().unwrap()
    );
    sqlx::raw_sql(sqlx::AssertSqlSafe(rows)).execute(&pool).await.unwrap();

    // Rows that each sees: visitor, buyer, owner, stranger. None: may not look.
    let table = [
        // Online ones, and one's own in any state; everybody has a client agent.
        ("agents", "id", [Some(1), Some(2), Some(3), Some(2)]),
        ("tasks", "id", [None, Some(1), Some(1), Some(0)]),
        ("task_events", "seq", [None, Some(4), Some(4), Some(0)]),
        ("task_attempts", "number", [None, Some(1), Some(1), Some(0)]),
        ("workflows", "id", [None, Some(1), Some(0), Some(0)]),
        ("workflow_runs", "id", [None, Some(1), Some(0), Some(0)]),
        ("trust_events", "id", [Some(1), Some(1), Some(1), Some(1)]),
        ("transactions", "id", [None, Some(1), Some(1), Some(0)]),
        ("credit_balances", "user_id", [None, Some(1), Some(1), Some(1)]),
        ("credit_transactions", "id", [None, Some(2), Some(3), Some(1)]),
        ("purchases", "id", [None, Some(1), Some(0), Some(0)]),
        ("stripe_events", "event_id", [None, None, None, None]),
        ("api_keys", "id", [None, Some(1), Some(0), Some(0)]),
        ("agent_secrets", "agent_id", [None, None, None, None]),
        ("webhook_endpoints", "id", [None, Some(1), Some(0), Some(0)]),
        ("webhook_secrets", "endpoint_id", [None, None, None, None]),
        ("webhook_messages", "id", [None, Some(1), Some(0), Some(0)]),
        ("webhook_deliveries", "id", [None, Some(1), Some(0), Some(0)]),
        ("webhook_attempts", "id", [None, Some(1), Some(0), Some(0)]),
        ("auth.users", "id", [None, None, None, None]),
    ];
    for (name, column, expected) in table {
        let mut got = Vec::new();
        for actor in [&visitor, &buyer, &owner, &stranger] {
            got.push(seen(&pool, actor, name, column).await);
        }
        assert_eq!(got, expected, "{name}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn nobody_writes_what_is_not_theirs(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (owner, stranger) = (economy.person("owner").await, economy.person("stranger").await);
    economy.agent(&owner, "Worker", "10").await;
    let visitor = Actor::Anonymous;
    let rename = "UPDATE agents SET name = 'Mine now' WHERE kind = 'listed'";
    assert_eq!(changed(&pool, &visitor, rename).await, None);
    assert_eq!(changed(&pool, &stranger, rename).await, Some(0));
    assert_eq!(changed(&pool, &owner, rename).await, Some(1));
    for sql in [
        "UPDATE agents SET trust_score = 100",
        "UPDATE agents SET featured = true",
        "UPDATE agents SET created_at = '2000-01-01'",
        "UPDATE agents SET status = 'online'",
        "UPDATE tasks SET status = 'completed'",
        "DELETE FROM tasks",
        "DELETE FROM agents",
        "INSERT INTO agents (name, owner_user_id, endpoint, status) SELECT 'x', auth.uid(), 'https://x.example', 'online'",
        "INSERT INTO tasks (title, requester_agent_id, status) SELECT 'x', id, 'completed' FROM agents",
        "INSERT INTO api_keys (user_id, name, key_hash, prefix) SELECT auth.uid(), 'k', 'self-made', 'nxk_'",
        "UPDATE credit_balances SET balance = 1000000",
        "INSERT INTO credit_transactions (user_id, type, amount, balance_after) SELECT auth.uid(), 'purchase', 5, 5",
        "SELECT ledger.post(auth.uid(), 'purchase', 5, NULL, '')",
        "SELECT economy.append_task_event(gen_random_uuid(), 'completed', '{}')",
        "SELECT economy.close_account(auth.uid())",
        "SELECT webhooks.emit(auth.uid(), 'credits.purchased', '{}')",
        "UPDATE webhook_endpoints SET failing_since = NULL",
        "INSERT INTO webhook_messages (user_id, type, data) SELECT auth.uid(), 'credits.purchased', '{}'",
    ] {
        assert_eq!(changed(&pool, &owner, sql).await, None, "the owner could: {sql}");
    }
    // In somebody else's name.
    let foreign = "INSERT INTO agents (name, owner_user_id, endpoint) SELECT 'x', owner_user_id, 'https://x.example' FROM agents WHERE kind = 'listed'";
    assert_eq!(changed(&pool, &stranger, foreign).await, None);
}

#[sqlx::test(migrations = "../migrations")]
async fn endpoint_card_and_metadata_are_for_the_owner(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (owner, stranger) = (economy.person("owner").await, economy.person("stranger").await);
    let agent = economy.agent(&owner, "Worker", "10").await;
    for (actor, rows) in [(&owner, 1), (&stranger, 0)] {
        let mut tx = pool.begin().await.unwrap();
        as_role(&mut tx, actor).await;
        let found: i64 = sqlx::query_scalar("SELECT count(*) FROM economy.agent_private($1)")
            .bind(agent.0)
            .fetch_one(&mut *tx)
            .await
            .unwrap();
        assert_eq!(found, rows);
    }
    assert_eq!(seen(&pool, &owner, "agents", "endpoint").await, None);
}
