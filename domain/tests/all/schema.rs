//! Reads the catalogue and holds it against the given data model: every table, column, type, default, check,
//! foreign key, index, policy and trigger, and the house's own rules of schemas.

use std::collections::BTreeMap;

use sqlx::PgPool;

const SEED: &str = include_str!("seed_schema.txt");

type Columns = Vec<[String; 6]>;

fn seed() -> BTreeMap<String, Columns> {
    let mut tables: BTreeMap<String, Columns> = BTreeMap::new();
    let mut table = String::new();
    for line in SEED.lines().filter(|l| !l.starts_with('#') && !l.is_empty()) {
        match line.split(" | ").map(str::to_owned).collect::<Vec<_>>().try_into() {
            Ok(column) => tables.get_mut(&table).unwrap().push(column),
            Err(_) => {
                table = line.to_owned();
                tables.insert(table.clone(), Vec::new());
            }
        }
    }
    tables
}

#[sqlx::test(migrations = "../migrations")]
async fn every_given_column_stands_as_given(pool: PgPool) {
    let tables = seed();
    assert_eq!(tables.len(), 10);
    for (table, columns) in tables {
        for [name, kind, default, nullable, checks, foreign] in columns {
            let place = format!("{table}.{name}");
            let row: Option<(String, Option<String>, bool)> = sqlx::query_as(
                "SELECT format_type(a.atttypid, a.atttypmod), pg_get_expr(d.adbin, d.adrelid), NOT a.attnotnull
                   FROM pg_attribute a LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
                  WHERE a.attrelid = ('public.' || $1)::regclass AND a.attname = $2 AND NOT a.attisdropped",
            )
            .bind(&table)
            .bind(&name)
            .fetch_optional(&pool)
            .await
            .unwrap();
            let (is, has, null) = row.unwrap_or_else(|| panic!("{place} is missing"));
            assert_eq!(is, kind, "type of {place}");
            assert_eq!(has.unwrap_or_else(|| "-".into()), default, "default of {place}");
            assert_eq!(if null { "yes" } else { "no" }, nullable, "nullability of {place}");

            let definitions: Vec<String> = sqlx::query_scalar(
                "SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c
                   JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attname = $2
                  WHERE c.conrelid = ('public.' || $1)::regclass AND c.contype = 'c' AND c.conkey = ARRAY[a.attnum]",
            )
            .bind(&table)
            .bind(&name)
            .fetch_all(&pool)
            .await
            .unwrap();
            let all = definitions.join(" ").replace("(length(", " length(");
            for word in checks.split_whitespace().filter(|w| *w != "-") {
                assert!(all.contains(word), "{place}: {word} is not in its checks: {all}");
            }
            if checks.starts_with('\'') {
                let values = checks.split_whitespace().count();
                assert_eq!(
                    all.matches("::text").count(),
                    values + usize::from(all.contains("(status)::text")),
                    "{place}: other values: {all}"
                );
            }

            let keys: Vec<String> = sqlx::query_scalar(
                "SELECT pg_get_constraintdef(c.oid) FROM pg_constraint c
                   JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attname = $2
                  WHERE c.conrelid = ('public.' || $1)::regclass AND c.contype = 'f' AND c.conkey = ARRAY[a.attnum]",
            )
            .bind(&table)
            .bind(&name)
            .fetch_all(&pool)
            .await
            .unwrap();
            let wanted =
                if foreign == "-" { vec![] } else { vec![format!("FOREIGN KEY ({name}) REFERENCES {foreign}")] };
            assert_eq!(keys, wanted, "foreign key of {place}");
        }
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn every_given_index_stands_as_given(pool: PgPool) {
    let given = [
        ("idx_agents_owner", "ON public.agents USING btree (owner_user_id)"),
        ("idx_agents_status", "ON public.agents USING btree (status)"),
        ("idx_agents_tags", "ON public.agents USING gin (tags)"),
        ("idx_agents_trust", "ON public.agents USING btree (trust_score DESC)"),
        ("idx_agents_featured", "ON public.agents USING btree (featured) WHERE (featured = true)"),
        ("idx_tasks_requester", "ON public.tasks USING btree (requester_agent_id)"),
        ("idx_tasks_assigned", "ON public.tasks USING btree (assigned_agent_id)"),
        ("idx_tasks_status", "ON public.tasks USING btree (status)"),
        ("idx_workflows_owner", "ON public.workflows USING btree (owner_user_id)"),
        ("idx_workflow_runs_workflow_id", "ON public.workflow_runs USING btree (workflow_id)"),
        ("idx_workflow_runs_status", "ON public.workflow_runs USING btree (status)"),
        ("idx_workflow_runs_created_at", "ON public.workflow_runs USING btree (created_at DESC)"),
        ("idx_trust_events_agent", "ON public.trust_events USING btree (agent_id)"),
        ("idx_trust_events_task_id", "ON public.trust_events USING btree (task_id)"),
        ("idx_transactions_task", "ON public.transactions USING btree (task_id)"),
        ("idx_transactions_from", "ON public.transactions USING btree (from_agent_id)"),
        ("idx_transactions_to", "ON public.transactions USING btree (to_agent_id)"),
        ("idx_credit_transactions_user", "ON public.credit_transactions USING btree (user_id)"),
        ("idx_credit_transactions_type", "ON public.credit_transactions USING btree (user_id, type)"),
        ("idx_credit_transactions_created", "ON public.credit_transactions USING btree (user_id, created_at DESC)"),
        ("idx_credit_transactions_ref", "ON public.credit_transactions USING btree (reference_id)"),
        ("idx_api_keys_hash", "UNIQUE INDEX idx_api_keys_hash ON public.api_keys USING btree (key_hash)"),
        ("idx_api_keys_user", "ON public.api_keys USING btree (user_id)"),
    ];
    for (name, definition) in given {
        let is: Option<String> =
            sqlx::query_scalar("SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' AND indexname = $1")
                .bind(name)
                .fetch_optional(&pool)
                .await
                .unwrap();
        let is = is.unwrap_or_else(|| panic!("{name} is missing"));
        assert!(is.ends_with(definition), "{name}: {is}");
    }
    for table in seed().keys() {
        let key: Vec<String> = sqlx::query_scalar("SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = ('public.' || $1)::regclass AND contype = 'p'")
            .bind(table)
            .fetch_all(&pool)
            .await
            .unwrap();
        let column = match table.as_str() {
            "credit_balances" => "user_id",
            "stripe_events" => "event_id",
            _ => "id",
        };
        assert_eq!(key, [format!("PRIMARY KEY ({column})")], "{table}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn every_given_policy_and_trigger_stands(pool: PgPool) {
    let given = [
        ("agents", "agents_select_public", "SELECT"),
        ("agents", "agents_owner_all", "ALL"),
        ("tasks", "tasks_requester", "ALL"),
        ("tasks", "tasks_assigned", "SELECT"),
        ("workflows", "workflows_owner", "ALL"),
        ("workflow_runs", "Allow all access", "ALL"),
        ("trust_events", "trust_events_select", "SELECT"),
        ("transactions", "transactions_involved", "SELECT"),
        ("credit_balances", "credit_balances_own", "SELECT"),
        ("credit_transactions", "credit_transactions_own", "SELECT"),
        ("api_keys", "api_keys_owner", "ALL"),
    ];
    for (table, policy, command) in given {
        let is: Option<String> = sqlx::query_scalar(
            "SELECT cmd FROM pg_policies WHERE schemaname = 'public' AND tablename = $1 AND policyname = $2",
        )
        .bind(table)
        .bind(policy)
        .fetch_optional(&pool)
        .await
        .unwrap();
        assert_eq!(is.as_deref(), Some(command), "{policy} on {table}");
    }
    let of_stripe: i64 = sqlx::query_scalar("SELECT count(*) FROM pg_policies WHERE tablename = 'stripe_events'")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(of_stripe, 0, "stripe_events is the service's alone");
    let labels: Vec<String> = sqlx::query_scalar("SELECT e.enumlabel FROM pg_enum e JOIN pg_type t ON t.oid = e.enumtypid WHERE t.typname = 'workflow_run_status' ORDER BY e.enumsortorder")
        .fetch_all(&pool)
        .await
        .unwrap();
    assert_eq!(labels, ["pending", "running", "completed", "failed", "cancelled"]);
    for table in ["agents", "tasks", "workflows", "credit_balances", "workflow_runs"] {
        let touched: i64 = sqlx::query_scalar(
            "SELECT count(*) FROM pg_trigger t WHERE t.tgrelid = ('public.' || $1)::regclass AND t.tgfoid = 'public.update_updated_at'::regproc
                AND pg_get_triggerdef(t.oid) LIKE '%BEFORE UPDATE ON%FOR EACH ROW%'",
        )
        .bind(table)
        .fetch_one(&pool)
        .await
        .unwrap();
        assert_eq!(touched, 1, "updated_at of {table}");
    }
}

#[sqlx::test(migrations = "../migrations")]
async fn every_table_has_row_level_security(pool: PgPool) {
    let open: Vec<String> = sqlx::query_scalar(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
          WHERE c.relkind = 'r' AND n.nspname IN ('public', 'auth') AND NOT c.relrowsecurity AND c.relname <> '_sqlx_migrations'",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(open, Vec::<String>::new());
}

#[sqlx::test(migrations = "../migrations")]
async fn every_foreign_key_has_an_index_that_begins_with_it(pool: PgPool) {
    let bare: Vec<String> = sqlx::query_scalar(
        "SELECT c.conrelid::regclass || '.' || a.attname FROM pg_constraint c
           JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
          WHERE c.contype = 'f'
            AND NOT EXISTS (SELECT 1 FROM pg_index i WHERE i.indrelid = c.conrelid AND i.indkey[0] = c.conkey[1])",
    )
    .fetch_all(&pool)
    .await
    .unwrap();
    assert_eq!(bare, Vec::<String>::new());
}

#[sqlx::test(migrations = "../migrations")]
async fn the_web_roles_cannot_write_money_states_or_trust(pool: PgPool) {
    let forbidden = [
        ("credit_balances", "INSERT, UPDATE, DELETE"),
        ("credit_transactions", "INSERT, UPDATE, DELETE"),
        ("transactions", "INSERT, UPDATE, DELETE"),
        ("stripe_events", "SELECT, INSERT, UPDATE, DELETE"),
        ("trust_events", "INSERT, UPDATE, DELETE"),
        ("tasks", "UPDATE, DELETE"),
        ("agents", "DELETE"),
        ("agent_secrets", "SELECT, INSERT, UPDATE, DELETE"),
        ("task_queue", "SELECT, INSERT, UPDATE, DELETE"),
        ("webhook_secrets", "SELECT, INSERT, UPDATE, DELETE"),
        ("webhook_messages", "INSERT, UPDATE, DELETE"),
        ("webhook_deliveries", "INSERT, UPDATE, DELETE"),
        ("webhook_attempts", "INSERT, UPDATE, DELETE"),
        ("auth.users", "SELECT, INSERT, UPDATE, DELETE"),
        ("auth.sessions", "SELECT, INSERT, UPDATE, DELETE"),
    ];
    for role in ["anon", "authenticated"] {
        for (table, privileges) in forbidden {
            for privilege in privileges.split(", ") {
                let sql = if privilege == "DELETE" {
                    "SELECT has_table_privilege($1, $2, $3)"
                } else {
                    "SELECT has_any_column_privilege($1, $2, $3)"
                };
                let may: bool =
                    sqlx::query_scalar(sql).bind(role).bind(table).bind(privilege).fetch_one(&pool).await.unwrap();
                assert!(!may, "{role} may {privilege} on {table}");
            }
        }
        for (table, column, privilege) in [
            ("agents", "trust_score", "UPDATE"),
            ("agents", "featured", "UPDATE"),
            ("agents", "created_at", "UPDATE"),
            ("agents", "status", "UPDATE"),
            ("agents", "status", "INSERT"),
            ("agents", "trust_score", "INSERT"),
            ("agents", "endpoint", "SELECT"),
            ("agents", "metadata", "SELECT"),
            ("agents", "agent_card", "SELECT"),
            ("tasks", "status", "INSERT"),
            ("tasks", "output", "INSERT"),
            ("tasks", "assigned_agent_id", "INSERT"),
            ("api_keys", "key_hash", "SELECT"),
            ("api_keys", "key_hash", "INSERT"),
            ("api_keys", "key_hash", "UPDATE"),
        ] {
            let may: bool = sqlx::query_scalar("SELECT has_column_privilege($1, $2, $3, $4)")
                .bind(role)
                .bind(table)
                .bind(column)
                .bind(privilege)
                .fetch_one(&pool)
                .await
                .unwrap();
            assert!(!may, "{role} may {privilege} {table}.{column}");
        }
        let functions: Vec<String> = sqlx::query_scalar(
            "SELECT p.oid::regprocedure::text FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
              WHERE n.nspname = 'ledger' AND has_function_privilege($1, p.oid, 'EXECUTE') AND has_schema_privilege($1, n.oid, 'USAGE')",
        )
        .bind(role)
        .fetch_all(&pool)
        .await
        .unwrap();
        assert_eq!(functions, Vec::<String>::new(), "{role} reaches the ledger's functions");
    }
}
