use super::*;
use reqwest::StatusCode;
use serde_json::json;

use crate::a2a::push::Push;
use crate::a2a::reply::{self, Reply};
use domain::agents::SigningSecrets;
use domain::tasks::finish::Fault;

fn answer_of(status: u16, body: &str) -> Answer {
    Answer { head: Head { status: StatusCode::from_u16(status).unwrap(), ..Head::default() }, body: body.into() }
}

fn outgoing() -> Outgoing {
    let message = json!({
        "messageId": "m1", "role": "ROLE_USER", "taskId": "t/1", "contextId": "c1", "referenceTaskIds": ["t0"],
        "metadata": {"skillId": "s"},
        "parts": [
            {"text": "hello"}, {"data": {"n": 1}}, {"data": [1, 2]},
            {"raw": "/wA=", "filename": "f.bin", "mediaType": "application/x"},
            {"url": "https://x.example/f", "filename": "g"}],
    });
    let push = Push { id: "p".into(), url: "https://n.example/push".parse().unwrap(), token: "tok".into() };
    Outgoing { message, push: Some(push) }
}

fn target(protocol: Protocol) -> Target {
    Target {
        endpoint: "https://x.example/base/?k=v".parse().unwrap(),
        protocol,
        tenant: Some("t 1".into()),
        streaming: true,
        push: true,
        secrets: SigningSecrets(vec![]),
    }
}

fn sent(protocol: Protocol, op: Operation<'_>) -> (String, Value) {
    let call = call(&target(protocol), op, "1").unwrap();
    (call.url.to_string(), call.body.map_or(Value::Null, |b| serde_json::from_str(&b).unwrap()))
}

/// Everything that agents of a dialect may send back, as parts of A2A 1.0.
fn parts_read(protocol: Protocol, message: Value) -> Value {
    let out = Outgoing { message: json!({"messageId": "m"}), push: None };
    let body = if protocol.is_rest() { message } else { json!({"id": "1", "result": message}) };
    let read = answer(protocol, Operation::Send(&out), &answer_of(200, &body.to_string()), "1").unwrap();
    let Event::Message(message) = read else { panic!("{read:?}") };
    assert_eq!(message["role"], "ROLE_AGENT", "nobody speaks for the requester");
    message["parts"].clone()
}

#[test]
fn version_1_speaks_as_the_specification_has_it() {
    let out = outgoing();
    let push = json!({"id": "p", "url": "https://n.example/push", "token": "tok",
        "authentication": {"scheme": "Bearer", "credentials": "tok"}});
    let (url, body) = sent(Protocol::V1JsonRpc, Operation::Send(&out));
    assert_eq!(url, "https://x.example/base/?k=v");
    let configuration = json!({"returnImmediately": true, "taskPushNotificationConfig": push});
    let params = json!({"message": out.message, "configuration": configuration, "tenant": "t 1"});
    assert_eq!(body, json!({"jsonrpc": "2.0", "id": "1", "method": "SendMessage", "params": params}));
    let (url, body) = sent(Protocol::V1Rest, Operation::Stream(&out));
    assert_eq!(url, "https://x.example/base/t%201/message:stream?k=v");
    assert_eq!(body, json!({"message": out.message, "configuration": {"taskPushNotificationConfig": push}}));
    for (op, path, verb) in [
        (Operation::Get("a/b"), "/base/t%201/tasks/a%2Fb", false),
        (Operation::Cancel("a"), "/base/t%201/tasks/a:cancel", true),
        (Operation::Resubscribe { task: "a", by_get: false }, "/base/t%201/tasks/a:subscribe", true),
        (Operation::Resubscribe { task: "a", by_get: true }, "/base/t%201/tasks/a:subscribe", false),
    ] {
        let call = call(&target(Protocol::V1Rest), op, "1").unwrap();
        assert_eq!((call.url.path(), call.body.is_some(), call.version), (path, verb, Some("1.0")));
    }
    let parts = json!([{"text": "a"}, {"data": null}, {"raw": "_wA", "filename": "f"}, {"url": "u"}, {"new": 7}]);
    for protocol in [Protocol::V1JsonRpc, Protocol::V1Rest] {
        let read = parts_read(protocol, json!({"message": {"messageId": "m", "role": "ROLE_USER", "parts": parts}}));
        let unknown = json!({"data": {"new": 7}, "mediaType": "application/json"});
        let expected = json!([{"text": "a"}, {"data": null}, {"raw": "/wA=", "filename": "f"}, {"url": "u"}, unknown]);
        assert_eq!(read, expected);
    }
}

#[test]
fn version_03_speaks_both_of_its_forms() {
    let out = outgoing();
    let push = json!({"id": "p", "url": "https://n.example/push", "token": "tok",
        "authentication": {"schemes": ["Bearer"], "credentials": "tok"}});
    let (url, body) = sent(Protocol::V03JsonRpc, Operation::Send(&out));
    assert_eq!((url.as_str(), &body["method"]), ("https://x.example/base/?k=v", &json!("message/send")));
    let file = json!({"bytes": "/wA=", "name": "f.bin", "mimeType": "application/x"});
    let parts = json!([
        {"kind": "text", "text": "hello"}, {"kind": "data", "data": {"n": 1}},
        {"kind": "data", "data": {"value": [1, 2]}, "metadata": {"data_part_compat": true}},
        {"kind": "file", "file": file}, {"kind": "file", "file": {"uri": "https://x.example/f", "name": "g"}}]);
    let message = json!({"kind": "message", "messageId": "m1", "role": "user", "taskId": "t/1", "contextId": "c1",
        "referenceTaskIds": ["t0"], "metadata": {"skillId": "s"}, "parts": parts});
    let configuration = json!({"blocking": false, "pushNotificationConfig": push});
    assert_eq!(body["params"], json!({"message": message, "configuration": configuration}));
    let mut answered = message.clone();
    answered["role"] = json!("agent");
    assert_eq!(parts_read(Protocol::V03JsonRpc, answered), out.message["parts"], "there and back");

    let (url, body) = sent(Protocol::V03Rest, Operation::Send(&out));
    assert_eq!(url, "https://x.example/base/v1/message:send?k=v", "0.3 has no tenants");
    let file = json!({"fileWithBytes": "L3dBPQ==", "name": "f.bin", "mimeType": "application/x"});
    let content = json!([
        {"text": "hello"}, {"data": {"data": {"n": 1}}},
        {"data": {"data": {"value": [1, 2]}}, "metadata": {"data_part_compat": true}},
        {"file": file}, {"file": {"fileWithUri": "https://x.example/f", "name": "g"}}]);
    let message = json!({"messageId": "m1", "role": "ROLE_USER", "taskId": "t/1", "contextId": "c1",
        "metadata": {"skillId": "s"}, "content": content});
    assert_eq!(body, json!({"message": message, "configuration": {"blocking": false, "pushNotification": push}}));
    assert_eq!(parts_read(Protocol::V03Rest, json!({"message": message})), out.message["parts"], "there and back");
    let once = json!({"message": {"content": [{"file": {"fileWithBytes": "/wA="}}, {"kind": "hologram", "x": 1}]}});
    let unknown = json!({"data": {"kind": "hologram", "x": 1}, "mediaType": "application/json"});
    assert_eq!(parts_read(Protocol::V03Rest, once), json!([{"raw": "/wA="}, unknown]));
}

#[test]
fn the_oldest_dialect_has_bare_words() {
    let out = outgoing();
    let (_, body) = sent(Protocol::Plain, Operation::Send(&out));
    let file = json!({"name": "f.bin", "mimeType": "application/x", "bytes": "/wA="});
    let parts = json!([
        {"type": "text", "data": "hello"}, {"type": "data", "data": {"n": 1}}, {"type": "text", "data": "{\"n\":1}"},
        {"type": "data", "data": [1, 2]}, {"type": "text", "data": "[1,2]"}, {"type": "file", "data": file},
        {"type": "file", "data": {"name": "g", "url": "https://x.example/f"}}]);
    let message = json!({"role": "user", "parts": parts, "metadata": {"skillId": "s"}});
    assert_eq!(body["params"], json!({"id": "t/1", "message": message}), "a follow-up names its task");
    assert!(call(&target(Protocol::Plain), Operation::Stream(&out), "1").is_none());
    let read = parts_read(
        Protocol::Plain,
        json!({"role": "agent", "parts": [{"type": "text", "data": "a"}, {"type": "text", "text": "b"},
            {"type": "file", "data": file}, {"type": "image"}]}),
    );
    let raw = json!({"raw": "/wA=", "filename": "f.bin", "mediaType": "application/x"});
    let unknown = json!({"data": {"type": "image"}, "mediaType": "application/json"});
    assert_eq!(read, json!([{"text": "a"}, {"text": "b"}, raw, unknown]));
    let task = |status: &str, more: Value| {
        let mut result = json!({"status": status, "messages": [{"role": "user", "parts": []},
            {"role": "agent", "parts": [{"type": "text", "data": "said"}]}]});
        result.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        let body = json!({"jsonrpc": "2.0", "result": result}).to_string();
        reply::read(answer(Protocol::Plain, Operation::Send(&out), &answer_of(200, &body), "1").unwrap())
    };
    let Ok(Reply::Completed(done)) =
        task("completed", json!({"artifacts": [{"parts": [{"type": "text", "data": "x"}]}]}))
    else {
        panic!()
    };
    assert_eq!(
        (done.messages.len(), &done.artifacts[0]),
        (1, &json!({"artifactId": "artifact-1", "parts": [{"text": "x"}]}))
    );
    for (word, expected) in [
        ("running", "Working"),
        ("working", "Working"),
        ("submitted", "Working"),
        ("pending", "Working"),
        ("assigned", "Working"),
        ("failed", "Failed"),
        ("canceled", "Failed"),
        ("cancelled", "Failed"),
        ("rejected", "Failed"),
        ("input-required", "Asks"),
        ("input_required", "Asks"),
    ] {
        let read = format!("{:?}", task(word, json!({})).unwrap());
        assert!(read.starts_with(expected), "{word}: {read}");
    }
    let Ok(Reply::Working(working)) = task("running", json!({})) else { panic!() };
    assert_eq!(working.task, "t/1", "an agent that names no task has ours");
    assert!(task("elsewhere", json!({})).is_err());
}

#[test]
fn an_answer_in_another_dialect_is_known_as_one() {
    let out = outgoing();
    let task_1 = json!({"task": {"id": "t", "status": {"state": "TASK_STATE_WORKING"}}});
    let task_03 = json!({"kind": "task", "id": "t", "contextId": "c", "status": {"state": "working"}});
    let plain = json!({"id": "t", "status": "running", "messages": []});
    for (protocol, result) in
        [(Protocol::V1JsonRpc, &task_03), (Protocol::V1JsonRpc, &plain), (Protocol::V03JsonRpc, &plain)]
    {
        let body = json!({"jsonrpc": "2.0", "id": "1", "result": result}).to_string();
        let error = answer(protocol, Operation::Send(&out), &answer_of(200, &body), "1").unwrap_err();
        assert!(error.other_dialect, "{protocol:?}");
    }
    let body = json!({"jsonrpc": "2.0", "id": null, "error": {"code": -32600, "message": "x"}}).to_string();
    for (protocol, status, body) in [
        (Protocol::V1Rest, 200, body.as_str()),
        (Protocol::V1JsonRpc, 404, "x"),
        (Protocol::V1JsonRpc, 200, &body),
        (Protocol::V03Rest, 404, "{\"detail\":\"Not Found\"}"),
        (Protocol::V1JsonRpc, 200, "<html>"),
    ] {
        let error = answer(protocol, Operation::Send(&out), &answer_of(status, body), "1").unwrap_err();
        assert!(error.other_dialect && !error.unknown_task, "{protocol:?} {status} {body}");
    }
    assert!(answer(Protocol::V1Rest, Operation::Send(&out), &answer_of(200, &task_1.to_string()), "1").is_ok());
}

#[test]
fn errors_of_rest_mean_what_those_of_json_rpc_mean() {
    let rest = |op: Operation<'_>, status: u16, body: Value| {
        answer(Protocol::V1Rest, op, &answer_of(status, &body.to_string()), "1").unwrap_err()
    };
    let said = |status: u16, grpc: &str, reason: &str| {
        let info = json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason});
        json!({"error": {"code": status, "status": grpc, "message": "why", "details": [info]}})
    };
    let get = Operation::Get("t");
    assert!(rest(get, 404, said(404, "NOT_FOUND", "TASK_NOT_FOUND")).unknown_task);
    assert!(rest(get, 404, json!({"message": "Task not found"})).unknown_task, "as 0.3 says it");
    assert!(!rest(get, 404, json!({"detail": "Not Found"})).unknown_task, "a server that has no such path");
    for (status, grpc, reason) in [
        (400, "INVALID_ARGUMENT", "INVALID_PARAMS"),
        (400, "INVALID_ARGUMENT", "CONTENT_TYPE_NOT_SUPPORTED"),
        (400, "INVALID_ARGUMENT", ""),
        (415, "", ""),
    ] {
        let out = outgoing();
        let error = rest(Operation::Send(&out), status, said(status, grpc, reason));
        assert_eq!((error.fault, error.status), (Fault::Requester, Some(status)), "{grpc} {reason}");
    }
    let out = outgoing();
    let stream = Operation::Stream(&out);
    assert!(rest(stream, 400, said(400, "FAILED_PRECONDITION", "UNSUPPORTED_OPERATION")).unsupported);
    assert!(rest(stream, 501, json!({"message": "no"})).unsupported);
    assert!(rest(stream, 400, said(400, "FAILED_PRECONDITION", "PUSH_NOTIFICATION_NOT_SUPPORTED")).no_push);
    let busy = rest(get, 503, said(503, "UNAVAILABLE", "BUSY"));
    assert!(busy.transient && !busy.unsupported);
}

fn result_of(answer_: &Answer) -> Result<Event, CallError> {
    answer(Protocol::V1JsonRpc, Operation::Get("t"), answer_, "1")
}

#[test]
fn transient_is_what_may_go_better_next_time() {
    for (status, transient) in
        [(500, true), (503, true), (429, true), (408, true), (400, false), (401, false), (404, false), (302, false)]
    {
        let error = result_of(&answer_of(status, "x")).unwrap_err();
        assert_eq!((error.transient, error.status), (transient, Some(status)), "{status}");
    }
    assert!(result_of(&answer_of(302, "")).unwrap_err().message.contains("redirect"));
    let rpc = result_of(&answer_of(200, r#"{"jsonrpc":"2.0","id":"1","error":{"code":-32603,"message":"boom"}}"#));
    assert!(!rpc.unwrap_err().transient);
    let busy = r#"{"jsonrpc":"2.0","id":"1","error":{"code":-32603,"message":"busy"}}"#;
    assert!(result_of(&answer_of(503, busy)).unwrap_err().transient);
    let input = r#"{"jsonrpc":"2.0","id":"1","error":{"code":-32602,"message":"no text"}}"#;
    let input = result_of(&answer_of(500, input)).unwrap_err();
    assert_eq!((input.transient, input.fault), (false, Fault::Requester), "a refused input is not the agent's fault");
    let lost = r#"{"jsonrpc":"2.0","id":"1","error":{"code":-32001,"message":"?"}}"#;
    assert!(result_of(&answer_of(200, lost)).unwrap_err().unknown_task);
    for (code, unsupported) in [(-32004, true), (-32601, true), (-32603, false)] {
        let body = json!({"jsonrpc": "2.0", "id": "1", "error": {"code": code, "message": "?"}}).to_string();
        assert_eq!(result_of(&answer_of(200, &body)).unwrap_err().unsupported, unsupported, "{code}");
    }
}

#[test]
fn an_answer_must_be_to_our_request() {
    let task = r#"{"id":"t","status":{"state":"TASK_STATE_WORKING"}}"#;
    assert!(result_of(&answer_of(200, &format!(r#"{{"id":"1","result":{task}}}"#))).is_ok());
    for bad in [&format!(r#"{{"id":"2","result":{task}}}"#), r#"{"id":"1"}"#, "no json", "[]"] {
        assert_eq!(result_of(&answer_of(200, bad)).unwrap_err().fault, Fault::Agent, "{bad}");
    }
}

#[test]
fn what_cannot_be_stored_is_taken_out() {
    let said = r#"{"id":"1","result":{"id":"t","status":{"state":"TASK_STATE_COMPLETED"},
        "artifacts":[{"artifactId":"a","parts":[{"data":{"a\u0000b":["x\u0000y",1]}}]}]}}"#;
    let Ok(Event::Task(task)) = result_of(&answer_of(200, said)) else { panic!() };
    assert_eq!(task.artifacts[0]["parts"][0]["data"], json!({"ab": ["xy", 1]}));
}

#[test]
fn declared_types_count() {
    let mut html = answer_of(200, r#"{"id":"1","result":{"id":"t","status":{"state":"TASK_STATE_WORKING"}}}"#);
    html.head.content_type = Some("text/html".into());
    assert!(result_of(&html).unwrap_err().message.contains("HTML page"));
    for fine in ["application/json", "application/a2a+json", "text/plain"] {
        html.head.content_type = Some(fine.into());
        assert!(result_of(&html).is_ok(), "{fine}");
    }
}
