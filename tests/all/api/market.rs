//! The marketplace, trust and reviews over REST: open to everybody.

use domain::AgentId;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{code, fields};
use crate::test_app::TestApp;

fn names(page: &(u16, Value)) -> Vec<&str> {
    assert_eq!(page.0, 200, "{page:?}");
    page.1["data"].as_array().unwrap().iter().map(|a| a["name"].as_str().unwrap()).collect()
}

#[sqlx::test(migrations = "./migrations")]
async fn anybody_finds_agents(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let (_, owner) = app.person("owner").await;
    for (slug, price) in [("echo", "2.50"), ("summariser", "8.00"), ("csv-profiler", "30.00")] {
        app.agent(&owner, slug, price).await;
    }
    let hidden = app.agent(&owner, "echo", "1.00").await;
    domain::agents::set_status(&app.db, &owner, hidden, false).await.unwrap();
    sqlx::query("UPDATE agents SET tags = '{text,small}', trust_score = 61 WHERE name = 'echo'")
        .execute(&pool)
        .await
        .unwrap();
    let nobody = app.nobody();
    let find = async |query: &str| nobody.get(&format!("/discover?{query}")).await;

    let all = find("sort=price").await;
    assert_eq!(names(&all)[0], "echo");
    let total = all.1["total"].as_u64().unwrap() as usize;
    assert_eq!((total, &all.1["nextCursor"]), (names(&all).len(), &Value::Null), "and not what is off the list");
    assert_eq!(all.1["data"][0]["priceCredits"], "2.50");
    for query in [
        "q=echo&skills=echo",
        "skills=echo",
        "tags=text&tags=small",
        "tags=text,small",
        "maxPrice=2.50",
        "minTrust=61",
        "status=online&maxPrice=3",
        "q=ecoh&tags=&status=",
    ] {
        assert_eq!(names(&find(query).await), ["echo"], "{query}");
    }
    for query in ["tags=text,large", "skills=echo,nothing", "maxPrice=0.01", "minTrust=100", "status=degraded"] {
        let none = find(query).await;
        assert_eq!((names(&none), &none.1["total"]), (Vec::<&str>::new(), &json!(0)), "{query}");
    }
    for (query, field) in [
        ("status=offline", "status"),
        ("status=nonsense", "status"),
        ("sort=nonsense", "sort"),
        ("maxPrice=-1", "maxPrice"),
        ("maxPrice=cheap", "maxPrice"),
        ("minTrust=101", "minTrust"),
        ("minTrust=300", "minTrust"),
        ("limit=0", "limit"),
        ("limit=many", "limit"),
        ("cursor=nonsense", "cursor"),
        ("nonsense=1", "nonsense"),
        ("q=%00", "text"),
    ] {
        let refused = find(query).await;
        assert_eq!((code(&refused), fields(&refused)), ((400, "VALIDATION_ERROR"), vec![field]), "{query}");
    }
    // Page by page it is the same list.
    let (mut seen, mut query) = (Vec::new(), "sort=price&limit=1".to_owned());
    loop {
        let page = find(&query).await;
        assert_eq!(page.1["total"], all.1["total"]);
        seen.extend(names(&page).into_iter().map(str::to_owned));
        let Some(next) = page.1["nextCursor"].as_str() else { break };
        query = format!("sort=price&limit=1&cursor={next}");
    }
    assert_eq!(seen, names(&all));

    let (status, facets) = nobody.get("/discover/facets").await;
    let echo = json!({"id": "echo", "name": "Echo", "count": 1});
    assert!(status == 200 && facets["data"]["skills"].as_array().unwrap().contains(&echo), "{facets}");
    assert!(facets["data"]["tags"].as_array().unwrap().contains(&json!({"tag": "small", "count": 1})), "{facets}");
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn a_score_is_explained_and_a_review_answered(pool: PgPool) {
    let app = TestApp::start(pool.clone()).await;
    let ((_, owner), (_, buyer)) = (app.person("owner").await, app.person("buyer").await);
    let agent = app.agent(&owner, "echo", "2.50").await;
    let (hirer, mine, nobody) = (app.program(&buyer).await, app.program(&owner).await, app.nobody());
    let at = |path: &str| format!("/agents/{agent}{path}");

    let fresh = nobody.get(&at("/trust")).await.1;
    assert_eq!((&fresh["data"]["score"], &fresh["data"]["successRate"]), (&json!(50.0), &Value::Null));
    assert_eq!(nobody.get(&at("/trust/history")).await.1["data"], json!([]));
    let mut tasks = Vec::new();
    for n in 0..3 {
        let task = hirer.post("/tasks?wait=30", json!({"agentId": agent, "message": format!("{n}")})).await;
        assert_eq!(task.1["data"]["state"], "completed", "{task:?}");
        let id = task.1["data"]["id"].as_str().unwrap().to_owned();
        let rating = json!({"stars": n + 3, "text": format!("Review {n}")});
        assert_eq!(hirer.post(&format!("/tasks/{id}/rating"), rating).await.0, 200);
        tasks.push(id);
    }
    let (status, trust) = nobody.get(&at("/trust")).await;
    let said = &trust["data"];
    assert_eq!(
        (status, said["evidence"]["completed"].as_i64(), said["successRate"].as_f64()),
        (200, Some(3), Some(1.0))
    );
    assert_eq!((&said["ratings"]["count"], &said["ratings"]["stars"]), (&json!(3), &json!([0, 0, 1, 1, 1])));
    assert_eq!((&said["latency"]["sample"], said["latency"]["p50Ms"].is_number()), (&json!(3), true));
    let parts = said["parts"].as_array().unwrap();
    let sum: f64 = parts.iter().map(|p| p["weight"].as_f64().unwrap() * p["value"].as_f64().unwrap()).sum();
    // The score is of the last event, the parts are of now: between them some hundredths have faded.
    assert!((sum - said["score"].as_f64().unwrap()).abs() < 0.02, "{said}");
    assert!(said["recent"].as_array().unwrap().iter().any(|e| e["kind"] == "rating_received"), "{said}");
    let history = nobody.get(&at("/trust/history")).await.1;
    assert_eq!((history["data"].as_array().unwrap().len(), &history["data"][0]["score"]), (1, &said["score"]));

    let stats = nobody.get(&at("/stats")).await.1["data"].clone();
    assert_eq!((&stats["completed"], &stats["failed"], &stats["successRate"]), (&json!(3), &json!(0), &json!(1.0)));
    assert_eq!((&stats["earnedCredits"], stats["uptime"]["days"].as_array().unwrap().len()), (&Value::Null, 30));
    assert!(stats["latency"]["p95Ms"].is_number() && stats["incidents"] == json!([]), "{stats}");
    // 3 times 2.50 less 5 %, half-up: 0.13 each.
    assert_eq!(mine.get(&at("/stats")).await.1["data"]["earnedCredits"], "7.11");
    assert_eq!(hirer.get(&at("/stats")).await.1["data"]["earnedCredits"], Value::Null);

    let first = nobody.get(&at("/reviews?limit=2")).await.1;
    let texts = |page: &Value| -> Vec<String> {
        page["data"].as_array().unwrap().iter().map(|r| r["text"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(texts(&first), ["Review 2", "Review 1"]);
    let next = first["nextCursor"].as_str().unwrap();
    let second = nobody.get(&at(&format!("/reviews?limit=2&cursor={next}"))).await.1;
    assert_eq!((texts(&second), &second["nextCursor"]), (vec!["Review 0".to_owned()], &Value::Null));
    assert_eq!(fields(&nobody.get(&at("/reviews?cursor=nonsense")).await), ["cursor"]);

    let answer = at(&format!("/reviews/{}/answer", tasks[0]));
    for text in ["Thanks", "Thank you"] {
        let said = mine.post(&answer, json!({"answer": text})).await;
        assert_eq!((said.0, &said.1["data"]["answer"]), (200, &json!(text)), "{said:?}");
    }
    for wrong in [json!({"answer": "  "}), json!({"answer": "x".repeat(2_001)}), json!({})] {
        assert_eq!(fields(&mine.post(&answer, wrong).await), ["answer"]);
    }
    assert_eq!(code(&hirer.post(&answer, json!({"answer": "Mine"})).await), (404, "AGENT_NOT_FOUND"));
    // A review of another agent of the same owner's, and of none.
    let other = app.agent(&owner, "echo", "1").await;
    for path in [
        format!("/agents/{other}/reviews/{}/answer", tasks[0]),
        at(&format!("/reviews/{}/answer", uuid::Uuid::nil())),
        at("/reviews/nonsense/answer"),
    ] {
        assert_eq!(code(&mine.post(&path, json!({"answer": "Mine"})).await), (404, "TASK_NOT_FOUND"), "{path}");
    }
    assert_eq!(nobody.get(&at("/reviews")).await.1["data"][2]["answer"], "Thank you");

    // Off the list it is its owner's alone.
    domain::agents::set_status(&app.db, &owner, agent, false).await.unwrap();
    for path in ["", "/trust", "/trust/history", "/reviews", "/stats"] {
        assert_eq!(code(&nobody.get(&at(path)).await), (404, "AGENT_NOT_FOUND"), "{path}");
        assert_eq!(mine.get(&at(path)).await.0, 200, "{path}");
        let none: AgentId = AgentId(uuid::Uuid::nil());
        assert_eq!(mine.get(&format!("/agents/{none}{path}")).await.0, 404, "{path}");
    }
    app.finish().await;
}
