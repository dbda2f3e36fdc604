//! Agents that are watched: claims, status, incidents, mail, uptime, heartbeats, proofs. Time is stepped by hand.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chrono::{DateTime, TimeDelta, Utc};
use domain::agents::watch::proof::{self, Seen};
use domain::agents::watch::{self, BeatHeaders, Probe};
use domain::agents::{self, AgentStatus, NewAgent};
use domain::{Actor, AgentId, Error};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use sqlx::PgPool;

use crate::support::Economy;

fn seconds(n: i64) -> TimeDelta {
    TimeDelta::seconds(n)
}

/// A little later than now, in whole seconds: the database keeps no nanoseconds.
fn soon() -> DateTime<Utc> {
    DateTime::from_timestamp(Utc::now().timestamp() + 10, 0).unwrap()
}

/// The agent as the worker would be given it.
async fn probe(economy: &Economy, owner: &Actor, id: AgentId) -> Probe {
    watch::probe_now(&economy.db, owner, id, Utc::now() + TimeDelta::days(365)).await.unwrap()
}

async fn answers(economy: &Economy, probe: &Probe, at: DateTime<Utc>) -> Option<AgentStatus> {
    watch::record_probe(&economy.db, probe, at, Ok(12), at).await.unwrap()
}

async fn fails(economy: &Economy, probe: &Probe, at: DateTime<Utc>) -> Option<AgentStatus> {
    let why = "it answered with HTTP status 502".to_owned();
    watch::record_probe(&economy.db, probe, at, Err(why), at).await.unwrap()
}

async fn status(economy: &Economy, id: AgentId) -> (String, bool) {
    sqlx::query_as("SELECT status, listed FROM agents WHERE id = $1")
        .bind(id.0)
        .fetch_one(economy.db.pool())
        .await
        .unwrap()
}

async fn mails(economy: &Economy) -> Vec<(String, String)> {
    sqlx::query_as("SELECT subject, body FROM mails WHERE about LIKE 'agent-%' ORDER BY created_at")
        .fetch_all(economy.db.pool())
        .await
        .unwrap()
}

#[sqlx::test(migrations = "../migrations")]
async fn listing_begins_the_watch_and_each_way_off_the_list_ends_it(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let owner = economy.person("owner").await;
    let id = economy.agent(&owner, "Worker", "10").await;
    let planned = || async {
        sqlx::query_scalar::<_, bool>("SELECT next_probe_at IS NOT NULL FROM agent_watch WHERE agent_id = $1")
            .bind(id.0)
            .fetch_one(&pool)
            .await
            .unwrap()
    };
    let list = || async { agents::set_status(&economy.db, &owner, id, true).await.unwrap() };
    assert_eq!((status(&economy, id).await, planned().await), (("online".into(), true), true));
    agents::set_status(&economy.db, &owner, id, false).await.unwrap();
    assert_eq!((status(&economy, id).await, planned().await), (("offline".into(), false), false));

    // An owner cannot talk a failing agent back online: the switch is on already, and it is asked at once.
    list().await;
    let (p, now) = (probe(&economy, &owner, id).await, Utc::now());
    for n in 1..=3 {
        fails(&economy, &p, now + seconds(15 * n)).await;
    }
    list().await;
    assert_eq!(status(&economy, id).await, ("offline".into(), true));
    let due = watch::due_probes(&economy.db, 10, Utc::now() + seconds(1)).await.unwrap();
    assert_eq!(due.len(), 1, "asked at once");

    // Off and on: a fresh start, and the old incident is over.
    agents::set_status(&economy.db, &owner, id, false).await.unwrap();
    let open: i64 = sqlx::query_scalar("SELECT count(*) FROM agent_incidents WHERE ended_at IS NULL")
        .fetch_one(&pool)
        .await
        .unwrap();
    assert_eq!(open, 0);
    list().await;
    assert_eq!(status(&economy, id).await, ("online".into(), true));

    // Another address: off, and unproven.
    sqlx::query("UPDATE agents SET verified_at = now()").execute(&pool).await.unwrap();
    let moved = NewAgent {
        name: "Worker".into(),
        endpoint: "https://elsewhere.example.org/rpc".into(),
        skills: agents::owned(&economy.db, &owner, id).await.unwrap().summary.skills,
        ..NewAgent::default()
    };
    agents::update(&economy.db, &owner, id, moved).await.unwrap();
    assert_eq!((status(&economy, id).await, planned().await), (("offline".into(), false), false));
    assert!(!agents::owned(&economy.db, &owner, id).await.unwrap().summary.verified);
    // What was begun at the old address says nothing of the new one.
    assert_eq!(fails(&economy, &p, Utc::now() + seconds(100)).await, None);

    agents::mark_tested(&economy.db, &owner, id, "https://elsewhere.example.org/rpc", None).await.unwrap();
    list().await;
    agents::retire(&economy.db, &owner, id).await.unwrap();
    assert_eq!((status(&economy, id).await, planned().await), (("offline".into(), false), false));
}

#[sqlx::test(migrations = "../migrations")]
async fn closing_an_account_takes_its_agents_off_the_list(pool: PgPool) {
    let economy = Economy::new(pool);
    let owner = economy.person("owner").await;
    let id = economy.agent(&owner, "Worker", "10").await;
    domain::accounts::close(&economy.db, &owner, "long enough".into()).await.unwrap();
    assert_eq!(status(&economy, id).await, ("offline".into(), false));
    assert_eq!(watch::due_probes(&economy.db, 10, Utc::now() + seconds(600)).await.unwrap().len(), 0);
}

#[sqlx::test(migrations = "../migrations")]
async fn a_due_probe_is_one_processs(pool: PgPool) {
    let economy = Economy::new(pool);
    let owner = economy.person("owner").await;
    for n in 0..20 {
        economy.agent(&owner, &format!("Worker{n}"), "10").await;
    }
    let now = Utc::now() + seconds(10);
    let (a, b) = tokio::join!(watch::due_probes(&economy.db, 100, now), watch::due_probes(&economy.db, 100, now));
    let mut claimed: Vec<AgentId> = a.unwrap().into_iter().chain(b.unwrap()).map(|p| p.agent).collect();
    claimed.sort();
    let all = claimed.len();
    claimed.dedup();
    assert_eq!((all, claimed.len()), (20, 20), "each once");
    assert_eq!(watch::due_probes(&economy.db, 100, now + seconds(59)).await.unwrap().len(), 0);
    assert_eq!(watch::due_probes(&economy.db, 7, now + seconds(60)).await.unwrap().len(), 7, "in batches");
}

#[sqlx::test(migrations = "../migrations")]
async fn status_incident_mail_and_hiring_follow_the_probes(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (owner, buyer) = (economy.person("owner").await, economy.person("buyer").await);
    let id = economy.agent(&owner, "Worker", "10").await;
    let p = probe(&economy, &owner, id).await;
    let t = soon();
    let search = || async {
        let found = agents::search(&economy.db, &Actor::Anonymous, &agents::SearchQuery::default(), 10).await.unwrap();
        found.page.items.into_iter().map(|a| a.status).collect::<Vec<_>>()
    };
    assert_eq!(answers(&economy, &p, t).await, Some(AgentStatus::Online));
    assert_eq!(fails(&economy, &p, t + seconds(60)).await, Some(AgentStatus::Degraded));
    assert_eq!(search().await, [AgentStatus::Degraded], "listed with a mark");
    economy.hire(&buyer, id).await.unwrap();
    assert_eq!(fails(&economy, &p, t + seconds(75)).await, Some(AgentStatus::Degraded));
    assert_eq!(mails(&economy).await, vec![], "not for degraded");
    assert_eq!(fails(&economy, &p, t + seconds(90)).await, Some(AgentStatus::Offline));
    assert_eq!(search().await, []);
    assert!(matches!(economy.hire(&buyer, id).await, Err(Error::AgentOffline(_))));
    assert_eq!(fails(&economy, &p, t + seconds(105)).await, Some(AgentStatus::Offline));

    let told = mails(&economy).await;
    assert_eq!(told.len(), 1, "once an incident");
    assert!(told[0].0.contains("Worker") && told[0].1.contains("HTTP status 502"), "{told:?}");
    let mine = agents::owned(&economy.db, &owner, id).await.unwrap();
    let why = mine.why_not_listed().unwrap();
    assert!(
        why.contains("did not answer") && why.contains("HTTP status 502") && why.contains("brings it back"),
        "{why}"
    );

    // A page of its own stays, and says so; who is not its owner sees no error.
    let detail = agents::detail(&economy.db, &buyer, id).await.unwrap();
    assert_eq!(detail.summary.status, AgentStatus::Offline);

    assert_eq!(answers(&economy, &p, t + seconds(120)).await, Some(AgentStatus::Online));
    assert_eq!(agents::owned(&economy.db, &owner, id).await.unwrap().why_not_listed(), None);
    economy.hire(&buyer, id).await.unwrap();

    // A second outage within the hour is an incident, and no second mail; after the hour there is one.
    for n in 0..3 {
        fails(&economy, &p, t + seconds(200 + n)).await;
    }
    answers(&economy, &p, t + seconds(300)).await;
    assert_eq!(mails(&economy).await.len(), 1);
    for n in 0..3 {
        fails(&economy, &p, t + seconds(3_700 + n)).await;
    }
    assert_eq!(mails(&economy).await.len(), 2);

    let report = watch::report(&economy.db, &Actor::Anonymous, id, t + seconds(3_702)).await.unwrap();
    let list: Vec<_> = report
        .incidents
        .iter()
        .map(|i| (i.status, (i.began_at - t).num_seconds(), i.ended_at.map(|e| (e - t).num_seconds())))
        .collect();
    let (down, bad) = (AgentStatus::Offline, AgentStatus::Degraded);
    assert_eq!(
        list,
        [
            (down, 3_702, None),
            (bad, 3_700, Some(3_702)),
            (down, 202, Some(300)),
            (bad, 200, Some(202)),
            (down, 90, Some(120)),
            (bad, 60, Some(90)),
        ]
    );
}

#[sqlx::test(migrations = "../migrations")]
async fn an_older_answer_does_not_undo_a_newer_one(pool: PgPool) {
    let economy = Economy::new(pool);
    let owner = economy.person("owner").await;
    let id = economy.agent(&owner, "Worker", "10").await;
    let p = probe(&economy, &owner, id).await;
    let t = soon();
    // Begun first, given up ten seconds later; meanwhile another one was answered.
    answers(&economy, &p, t + seconds(1)).await;
    let late =
        watch::record_probe(&economy.db, &p, t, Err("there was no answer".into()), t + seconds(10)).await.unwrap();
    assert_eq!((late, status(&economy, id).await.0), (None, "online".into()));
}

#[sqlx::test(migrations = "../migrations")]
async fn calls_that_are_held_back_degrade(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let owner = economy.person("owner").await;
    let id = economy.agent(&owner, "Worker", "10").await;
    let p = probe(&economy, &owner, id).await;
    let t = soon();
    sqlx::query("UPDATE agent_gates SET open_until = $1").bind(t + seconds(30)).execute(&pool).await.unwrap();
    assert_eq!(answers(&economy, &p, t).await, Some(AgentStatus::Degraded));
    let why = agents::owned(&economy.db, &owner, id).await.unwrap().why_degraded().unwrap();
    assert!(why.contains("calls to it failed"), "{why}");
    assert_eq!(answers(&economy, &p, t + seconds(60)).await, Some(AgentStatus::Online));
}

#[sqlx::test(migrations = "../migrations")]
async fn uptime_adds_up_what_was_seen(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let owner = economy.person("owner").await;
    let id = economy.agent(&owner, "Worker", "10").await;
    let p = probe(&economy, &owner, id).await;
    let day = Utc::now().date_naive() + TimeDelta::days(2);
    let t = day.and_hms_opt(12, 0, 0).unwrap().and_utc();
    sqlx::query("UPDATE agent_watch SET observed_at = $1").bind(t).execute(&pool).await.unwrap();
    let report = |at| watch::report(&economy.db, &Actor::Anonymous, id, at);
    // 60 s up; then found failing: the minute before was still up. 45 s degraded, 100 s down, then up again.
    answers(&economy, &p, t + seconds(60)).await;
    fails(&economy, &p, t + seconds(120)).await;
    fails(&economy, &p, t + seconds(135)).await;
    fails(&economy, &p, t + seconds(165)).await;
    answers(&economy, &p, t + seconds(265)).await;
    let today = *report(t + seconds(265)).await.unwrap().uptime.days.last().unwrap();
    assert_eq!((today.day, today.up, today.degraded, today.down), (day, 120, 45, 100));
    assert_eq!(report(t + seconds(265)).await.unwrap().uptime.share(), None, "an hour has not been seen");

    // Nobody looked for two hours: five minutes of them count.
    answers(&economy, &p, t + seconds(7_465)).await;
    let mut at = t + seconds(7_465);
    for _ in 0..11 {
        at += seconds(300);
        answers(&economy, &p, at).await;
    }
    let seen = report(at).await.unwrap();
    let today = *seen.uptime.days.last().unwrap();
    assert_eq!((today.up, today.degraded, today.down), (120 + 300 + 3_300, 45, 100));
    let share = seen.uptime.share().unwrap();
    assert!((share - 3_765.0 / 3_865.0).abs() < 1e-9, "{share}");

    // Off the list nothing counts.
    agents::set_status(&economy.db, &owner, id, false).await.unwrap();
    answers(&economy, &p, at + seconds(60)).await;
    let mine = watch::report(&economy.db, &owner, id, at).await.unwrap();
    assert_eq!(mine.uptime.days.last().unwrap().up, 3_720);
    assert!(matches!(report(at).await, Err(Error::NotFound(_))), "and nobody else sees it");

    watch::forget_old_uptime(&economy.db, at + TimeDelta::days(91)).await.unwrap();
    for table in ["agent_uptime", "agent_incidents"] {
        let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
        let left: i64 = sqlx::query_scalar(sql).fetch_one(&pool).await.unwrap();
        assert_eq!(left, 0, "{table}");
    }
}

fn sign(secret: &str, id: &str, at: DateTime<Utc>, body: &[u8]) -> (String, String) {
    let key = STANDARD.decode(secret.strip_prefix("whsec_").unwrap()).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    let stamp = at.timestamp().to_string();
    mac.update(format!("{id}.{stamp}.").as_bytes());
    mac.update(body);
    (stamp, format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
}

async fn beat(
    economy: &Economy,
    id: AgentId,
    secret: &str,
    said: AgentStatus,
    signed_at: DateTime<Utc>,
    now: DateTime<Utc>,
) -> domain::Result<AgentStatus> {
    let (timestamp, signature) = sign(secret, "b-1", signed_at, b"{}");
    let headers = BeatHeaders { id: "b-1", timestamp: &timestamp, signature: &signature };
    let known = watch::authenticate_beat(&economy.db, id, headers, b"{}", now).await?;
    Ok(watch::beat(&economy.db, known, said, now).await?.status)
}

#[sqlx::test(migrations = "../migrations")]
async fn heartbeats_are_the_agents_own_recent_and_new(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let owner = economy.person("owner").await;
    let id = economy.agent(&owner, "Worker", "10").await;
    let secret = agents::rotate_secret(&economy.db, &owner, id).await.unwrap();
    let t = soon();
    let online = AgentStatus::Online;
    assert_eq!(beat(&economy, id, &secret, online, t, t).await.unwrap(), online);
    let before: (serde_json::Value, DateTime<Utc>) =
        sqlx::query_as("SELECT metadata, last_heartbeat FROM agents WHERE id = $1")
            .bind(id.0)
            .fetch_one(&pool)
            .await
            .unwrap();
    assert_eq!((before.0, before.1.timestamp()), (serde_json::json!({}), t.timestamp()));

    // A replay and an older one do nothing.
    for stale in [t, t - seconds(1)] {
        let again = beat(&economy, id, &secret, AgentStatus::Offline, stale, t + seconds(5)).await;
        assert!(matches!(again, Err(Error::Conflict(_))), "{again:?}");
    }
    assert_eq!(status(&economy, id).await.0, "online");
    // Clocks within five minutes.
    for (signed, right) in [(t + seconds(305), false), (t + seconds(300), true), (t - seconds(301), false)] {
        let got = beat(&economy, id, &secret, online, signed, t).await;
        assert_eq!(got.is_ok(), right, "{signed} {got:?}");
        assert!(right || matches!(got, Err(Error::Unauthorized)));
    }
    // Both secrets during a rotation; after it only the new one.
    let fresh = agents::rotate_secret(&economy.db, &owner, id).await.unwrap();
    let t = t + seconds(400);
    beat(&economy, id, &secret, online, t, t).await.unwrap();
    beat(&economy, id, &fresh, online, t + seconds(1), t + seconds(1)).await.unwrap();
    sqlx::query("UPDATE agent_secrets SET previous_expires_at = now()").execute(&pool).await.unwrap();
    assert!(matches!(beat(&economy, id, &secret, online, t + seconds(2), t).await, Err(Error::Unauthorized)));
    beat(&economy, id, &fresh, online, t + seconds(2), t).await.unwrap();
    // Somebody else's secret, and an agent that is not there.
    let other = economy.agent(&owner, "Other", "10").await;
    assert!(matches!(beat(&economy, other, &fresh, online, t, t).await, Err(Error::Unauthorized)));
    let nobody = AgentId(uuid::Uuid::from_u128(7));
    assert!(matches!(beat(&economy, nobody, &fresh, online, t, t).await, Err(Error::Unauthorized)));
    // A wrong signature is refused before the time is looked at.
    let headers = BeatHeaders { id: "b-1", timestamp: "x", signature: "v1,AAAA" };
    let nonsense = watch::authenticate_beat(&economy.db, id, headers, b"{}", t).await;
    assert!(matches!(nonsense, Err(Error::Unauthorized)));
}

#[sqlx::test(migrations = "../migrations")]
async fn what_a_heartbeat_says_counts_until_the_next(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let owner = economy.person("owner").await;
    let id = economy.agent(&owner, "Worker", "10").await;
    let secret = agents::rotate_secret(&economy.db, &owner, id).await.unwrap();
    let p = probe(&economy, &owner, id).await;
    let t = soon();
    let (online, degraded, offline) = (AgentStatus::Online, AgentStatus::Degraded, AgentStatus::Offline);
    assert_eq!(beat(&economy, id, &secret, degraded, t, t).await.unwrap(), degraded);
    assert_eq!(beat(&economy, id, &secret, offline, t + seconds(1), t + seconds(1)).await.unwrap(), offline);
    assert_eq!(answers(&economy, &p, t + seconds(30)).await, Some(offline), "it said so");
    let told = mails(&economy).await;
    assert_eq!((told.len(), told[0].1.contains("said that it is offline")), (1, true), "{told:?}");
    assert_eq!(beat(&economy, id, &secret, online, t + seconds(60), t + seconds(60)).await.unwrap(), online);
    // Late, then silent with a failing address.
    assert_eq!(answers(&economy, &p, t + seconds(181)).await, Some(degraded));
    assert_eq!(fails(&economy, &p, t + seconds(361)).await, Some(offline));
    // A beat brings the next probe forward, and the address decides.
    assert_eq!(beat(&economy, id, &secret, online, t + seconds(362), t + seconds(362)).await.unwrap(), degraded);
    assert_eq!(watch::due_probes(&economy.db, 10, t + seconds(362)).await.unwrap().len(), 1);
    assert_eq!(answers(&economy, &p, t + seconds(363)).await, Some(online));
    // Off the list a beat is taken, and changes nothing.
    agents::set_status(&economy.db, &owner, id, false).await.unwrap();
    assert_eq!(beat(&economy, id, &secret, online, t + seconds(400), t + seconds(400)).await.unwrap(), offline);
    assert_eq!(status(&economy, id).await, ("offline".into(), false));
    // On it again: heartbeats of before are not missed.
    agents::set_status(&economy.db, &owner, id, true).await.unwrap();
    sqlx::query("UPDATE agent_watch SET watched_since = $1").bind(t + seconds(401)).execute(&pool).await.unwrap();
    assert_eq!(answers(&economy, &p, t + seconds(1_000)).await, Some(online));
}

#[sqlx::test(migrations = "../migrations")]
async fn a_proof_holds_until_it_is_definitely_gone(pool: PgPool) {
    let economy = Economy::new(pool);
    let (owner, stranger) = (economy.person("owner").await, economy.person("stranger").await);
    let id = economy.agent(&owner, "Worker", "10").await;
    let t = Utc::now();
    let token = proof::show(&economy.db, &owner, id).await.unwrap().token;
    assert_eq!(proof::show(&economy.db, &owner, id).await.unwrap().token, token, "the same each time");
    assert!(matches!(proof::show(&economy.db, &stranger, id).await, Err(Error::NotFound(_))));
    assert!(matches!(proof::check_now(&economy.db, &stranger, id, t).await, Err(Error::NotFound(_))));
    let verified = || async { agents::owned(&economy.db, &owner, id).await.unwrap().summary.verified };

    let check = proof::check_now(&economy.db, &owner, id, t).await.unwrap();
    assert_eq!(check.token, token);
    assert!(!proof::record(&economy.db, &check, &Seen::Nothing("the file is not there".into()), t).await.unwrap());
    assert_eq!(proof::show(&economy.db, &owner, id).await.unwrap().problem.as_deref(), Some("the file is not there"));
    assert!(matches!(proof::check_now(&economy.db, &owner, id, t).await, Err(Error::RateLimited(_))));
    assert!(proof::record(&economy.db, &check, &Seen::Token, t).await.unwrap() && verified().await);

    // Daily, by one process.
    let day = TimeDelta::days(1);
    assert_eq!(proof::due(&economy.db, 10, t + day - seconds(1)).await.unwrap().len(), 0);
    let (a, b) = tokio::join!(proof::due(&economy.db, 10, t + day), proof::due(&economy.db, 10, t + day));
    assert_eq!(a.unwrap().len() + b.unwrap().len(), 1);
    assert!(proof::record(&economy.db, &check, &Seen::Unknown("no answer".into()), t + day).await.unwrap());
    assert!(verified().await, "network trouble proves nothing");
    assert_eq!(proof::due(&economy.db, 10, t + day + TimeDelta::hours(1)).await.unwrap().len(), 1, "sooner then");
    assert!(!proof::record(&economy.db, &check, &Seen::Nothing("gone".into()), t + day).await.unwrap());
    assert!(!verified().await);
    assert_eq!(proof::due(&economy.db, 10, t + day * 30).await.unwrap().len(), 0);
    // A check of an address that the agent has left.
    let moved = proof::ProofCheck { endpoint: "https://other.example".into(), ..check };
    assert!(!proof::record(&economy.db, &moved, &Seen::Token, t + day).await.unwrap() && !verified().await);
}

#[sqlx::test(migrations = "../migrations")]
async fn strangers_see_what_is_public_and_no_more(pool: PgPool) {
    let economy = Economy::new(pool.clone());
    let (owner, stranger) = (economy.person("owner").await, economy.person("stranger").await);
    let id = economy.agent(&owner, "Worker", "10").await;
    let p = probe(&economy, &owner, id).await;
    let t = soon();
    for n in 0..3 {
        fails(&economy, &p, t + seconds(60 + n)).await;
    }
    proof::show(&economy.db, &owner, id).await.unwrap();
    assert!(matches!(watch::probe_now(&economy.db, &stranger, id, t).await, Err(Error::NotFound(_))));
    assert!(matches!(watch::probe_now(&economy.db, &owner, id, t + seconds(63)).await, Err(Error::RateLimited(_))));
    let count = |actor: Actor, table: &'static str| {
        let pool = pool.clone();
        async move {
            let mut tx = pool.begin().await.unwrap();
            let (role, user) = match actor {
                Actor::Session(user) | Actor::Key { user, .. } => ("authenticated", user.to_string()),
                Actor::Anonymous | Actor::System => ("anon", String::new()),
            };
            let set = "SELECT set_config('role', $1, true), set_config('app.user_id', $2, true)";
            sqlx::query(set).bind(role).bind(user).execute(&mut *tx).await.unwrap();
            let sql = sqlx::AssertSqlSafe(format!("SELECT count(*) FROM {table}"));
            sqlx::query_scalar::<_, i64>(sql).fetch_one(&mut *tx).await.ok()
        }
    };
    for role in ["anon", "authenticated"] {
        for (table, column) in
            [("agents", "listed"), ("agents", "verified_at"), ("agents", "last_heartbeat"), ("agent_watch", "said")]
        {
            for privilege in ["INSERT", "UPDATE"] {
                let may = sqlx::query_scalar::<_, bool>("SELECT has_column_privilege($1, $2, $3, $4)");
                let may = may.bind(role).bind(table).bind(column).bind(privilege).fetch_one(&pool).await.unwrap();
                assert!(!may, "{role} may {privilege} {table}.{column}");
            }
        }
    }
    let all = [Actor::Anonymous, stranger, owner];
    for (table, listed, hidden) in [
        ("agent_watch", [None, Some(0), Some(1)], [None, Some(0), Some(1)]),
        ("agent_proofs", [None, None, None], [None, None, None]),
        ("agent_incidents", [Some(2), Some(2), Some(2)], [Some(0), Some(0), Some(2)]),
        ("agent_uptime", [Some(1), Some(1), Some(1)], [Some(0), Some(0), Some(1)]),
    ] {
        for (on_the_list, expected) in [(true, listed), (false, hidden)] {
            sqlx::query("UPDATE agents SET listed = $1 WHERE id = $2")
                .bind(on_the_list)
                .bind(id.0)
                .execute(&pool)
                .await
                .unwrap();
            for (actor, expected) in all.iter().zip(expected) {
                assert_eq!(count(*actor, table).await, expected, "{table} {actor:?} listed: {on_the_list}");
            }
        }
    }
}
