//! Resources, prompts and the completion of ids.

use domain::api_keys::Scope;
use serde_json::{Value, json};
use sqlx::PgPool;

use super::{Mcp, code};
use crate::api::only;
use crate::scripted_agent::{Answer, ScriptedAgent, task};
use crate::test_app::TestApp;

async fn texts(mcp: &Mcp, uri: &str) -> Value {
    let read = mcp.result("resources/read", json!({"uri": uri})).await;
    assert_eq!((&read["contents"][0]["uri"], &read["cacheScope"]), (&json!(uri), &json!("private")));
    assert!(read["contents"][0]["_meta"]["nexus/foreignContent"].is_array(), "{read}");
    read["contents"][0].clone()
}

#[sqlx::test(migrations = "./migrations")]
async fn agents_tasks_and_files_are_read(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = ScriptedAgent::listed(&app, &owner, json!({}), |_, _, _| {
        Answer::Now(json!({"task": task("TASK_STATE_COMPLETED", "done", json!([{"artifactId": "a", "parts": [
            {"raw": "AP8H", "filename": "x.bin", "mediaType": "application/x-thing"}, {"text": "words"}, {"data": {"n": 1}}]}]))}))
    })
    .await;
    let mcp = app.mcp(&buyer).await;
    let id = mcp.good("delegate_task", json!({"agentId": agent.id, "message": "make"})).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let json_of = |content: &Value| -> Value {
        assert_eq!(content["mimeType"], "application/json");
        serde_json::from_str(content["text"].as_str().unwrap()).unwrap()
    };
    assert_eq!(json_of(&texts(&mcp, "nexus://agents").await)["data"][0]["id"], json!(agent.id));
    assert_eq!(json_of(&texts(&mcp, &format!("nexus://agents/{}", agent.id)).await)["name"], "Scripted");
    let uri = format!("nexus://tasks/{id}");
    assert_eq!(json_of(&texts(&mcp, &uri).await)["state"], "completed");
    let file = texts(&mcp, &format!("{uri}/artifacts/0/0")).await;
    assert_eq!((&file["blob"], &file["mimeType"]), (&json!("AP8H"), &json!("application/x-thing")));
    let words = texts(&mcp, &format!("{uri}/artifacts/0/1")).await;
    assert_eq!((&words["text"], &words["mimeType"]), (&json!("words"), &json!("text/plain")));
    assert_eq!(json_of(&texts(&mcp, &format!("{uri}/artifacts/0/2")).await), json!({"n": 1}));

    let (_, stranger) = app.person("stranger").await;
    let theirs = app.mcp(&stranger).await;
    for (client, uri) in [
        (&theirs, uri.clone()),
        (&theirs, format!("{uri}/artifacts/0/0")),
        (&mcp, format!("{uri}/artifacts/0/9")),
        (&mcp, format!("nexus://agents/{id}")),
        (&mcp, "nexus://nowhere".to_owned()),
        (&mcp, "https://example.org/".to_owned()),
    ] {
        let answer = client.ask("resources/read", json!({"uri": uri})).await;
        assert_eq!(code(&answer), (200, -32602), "{uri}");
        assert_eq!(answer.1["error"]["data"]["uri"], json!(uri));
    }
    let templates = mcp.result("resources/templates/list", json!({})).await;
    let found: Vec<&str> =
        templates["resourceTemplates"].as_array().unwrap().iter().map(|t| t["uriTemplate"].as_str().unwrap()).collect();
    assert_eq!(
        found,
        ["nexus://agents/{agentId}", "nexus://tasks/{taskId}", "nexus://tasks/{taskId}/artifacts/{artifact}/{part}"]
    );
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn the_list_has_pages(pool: PgPool) {
    let app = TestApp::start_with(pool, &["--rate-limit", "100000"]).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "1.00").await;
    let mcp = app.mcp(&buyer).await;
    for n in 0..53 {
        mcp.good("delegate_task", json!({"agentId": agent, "message": format!("order {n}"), "waitSeconds": 0})).await;
    }
    let first = mcp.result("resources/list", json!({})).await;
    assert_eq!(
        (first["resources"].as_array().unwrap().len(), &first["resources"][0]["uri"]),
        (51, &json!("nexus://agents"))
    );
    let second = mcp.result("resources/list", json!({"cursor": first["nextCursor"]})).await;
    assert_eq!((second["resources"].as_array().unwrap().len(), second.get("nextCursor")), (3, None));
    assert_eq!(second["resources"][2]["title"], "order 0");
    let blind = app.mcp_with(&buyer, only(Scope::AgentsRead)).await;
    assert_eq!(blind.result("resources/list", json!({})).await["resources"].as_array().unwrap().len(), 1);
    app.finish().await;
}

#[sqlx::test(migrations = "./migrations")]
async fn prompts_are_filled_in_and_ids_completed(pool: PgPool) {
    let app = TestApp::start(pool).await;
    let (_, owner) = app.person("owner").await;
    let (_, buyer) = app.person("buyer").await;
    let agent = app.agent(&owner, "echo", "1.00").await;
    let mcp = app.mcp(&buyer).await;
    let id = mcp.good("delegate_task", json!({"agentId": agent, "message": "Say good morning"})).await["id"]
        .as_str()
        .unwrap()
        .to_owned();
    let names: Vec<Value> = mcp.result("prompts/list", json!({})).await["prompts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|p| p["name"].clone())
        .collect();
    assert_eq!(names, ["find_and_hire", "review_task"]);
    let get = async |name: &str, arguments: Value| {
        mcp.result("prompts/get", json!({"name": name, "arguments": arguments})).await
    };
    let hire = get("find_and_hire", json!({"work": "translate this", "budget": "5.00"})).await;
    let text = hire["messages"][0]["content"]["text"].as_str().unwrap();
    assert!(text.contains("translate this") && text.contains("5.00") && text.contains("delegate_task"), "{text}");
    let open = get("find_and_hire", json!({"work": "x"})).await;
    assert!(open["messages"][0]["content"]["text"].as_str().unwrap().contains("maxPriceWithoutAsking"));
    let review = get("review_task", json!({"taskId": id})).await;
    assert_eq!(review["messages"][1]["content"]["resource"]["uri"], json!(format!("nexus://tasks/{id}")));
    let wrong = json!({"name": "review_task", "arguments": {"taskId": agent}});
    assert_eq!(code(&mcp.ask("prompts/get", wrong).await), (200, -32602));
    let blind = app.mcp_with(&buyer, only(Scope::AgentsRead)).await;
    let blocked = json!({"name": "review_task", "arguments": {"taskId": id}});
    assert_eq!(code(&blind.ask("prompts/get", blocked).await), (403, 403));

    let values = async |mcp: &Mcp, reference: Value, name: &str, begun: &str| {
        let params = json!({"ref": reference, "argument": {"name": name, "value": begun}});
        mcp.result("completion/complete", params).await["completion"]["values"].clone()
    };
    let prompt = json!({"type": "ref/prompt", "name": "review_task"});
    let agents = json!({"type": "ref/resource", "uri": "nexus://agents/{agentId}"});
    for begun in ["", &id[..8], "good mor"] {
        assert_eq!(values(&mcp, prompt.clone(), "taskId", begun).await, json!([id]), "{begun}");
    }
    assert_eq!(values(&mcp, prompt.clone(), "taskId", "zzz").await, json!([]));
    let agent_id = agent.to_string();
    for begun in ["", "echo", &agent_id[..13]] {
        assert_eq!(values(&mcp, agents.clone(), "agentId", begun).await, json!([agent]), "{begun}");
    }
    assert_eq!(values(&blind, prompt, "taskId", "").await, json!([]));
    app.finish().await;
}
