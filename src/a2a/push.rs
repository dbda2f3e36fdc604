//! Where an agent may tell of changes by itself, and what such a notification names.

use serde_json::{Value, json};
use url::Url;

/// An address for one task's notifications.
#[derive(Clone)]
pub struct Push {
    /// Our id for it.
    pub id: String,
    /// Where to.
    pub url: Url,
    /// What proves that a notification comes from the agent.
    pub token: String,
}

impl std::fmt::Debug for Push {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Push").field("id", &self.id).field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl Push {
    /// `TaskPushNotificationConfig` of A2A 1.0.
    pub(super) fn v1(&self) -> Value {
        json!({
            "id": self.id, "url": self.url.as_str(), "token": self.token,
            "authentication": { "scheme": "Bearer", "credentials": self.token },
        })
    }

    /// `PushNotificationConfig` of A2A 0.3.
    pub(super) fn v03(&self) -> Value {
        json!({
            "id": self.id, "url": self.url.as_str(), "token": self.token,
            "authentication": { "schemes": ["Bearer"], "credentials": self.token },
        })
    }
}

/// The agent's id of the task that a notification's body is about: a `StreamResponse` of A2A 1.0, or a task or event
/// of 0.3. A notification is a hint to ask the agent; nothing else of it is believed.
pub fn task_of(body: &Value) -> Option<String> {
    // Some agents wrap what they push as a JSON-RPC result.
    let body = body.get("result").filter(|r| r.is_object()).unwrap_or(body);
    let inner = ["task", "statusUpdate", "artifactUpdate", "message"].iter().find_map(|k| body.get(k)).unwrap_or(body);
    let is_task = inner.get("status").is_some() && inner.get("taskId").is_none();
    let id = if is_task { inner.get("id")? } else { inner.get("taskId")? };
    id.as_str().filter(|id| !id.is_empty()).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_of_either_version_names_its_task() {
        for body in [
            json!({"task": {"id": "t", "contextId": "c", "status": {"state": "TASK_STATE_WORKING"}}}),
            json!({"statusUpdate": {"taskId": "t", "contextId": "c", "status": {"state": "TASK_STATE_WORKING"}}}),
            json!({"artifactUpdate": {"taskId": "t", "artifact": {"artifactId": "a", "parts": []}}}),
            json!({"message": {"messageId": "m", "taskId": "t", "parts": []}}),
            json!({"kind": "task", "id": "t", "contextId": "c", "status": {"state": "completed"}}),
            json!({"kind": "status-update", "taskId": "t", "status": {"state": "completed"}, "final": true}),
            json!({"jsonrpc": "2.0", "result": {"kind": "artifact-update", "taskId": "t", "artifact": {}}}),
        ] {
            assert_eq!(task_of(&body).as_deref(), Some("t"), "{body}");
        }
        for body in [json!({"id": "t"}), json!({"message": {"messageId": "m"}}), json!("t"), json!({"taskId": ""})] {
            assert_eq!(task_of(&body), None, "{body}");
        }
    }

    #[test]
    fn the_token_is_not_in_logs() {
        let push = Push { id: "p".into(), url: "https://x.example/push".parse().unwrap(), token: "s3cret".into() };
        assert!(!format!("{push:?}").contains("s3cret"));
        assert_eq!(push.v1()["authentication"], json!({"scheme": "Bearer", "credentials": "s3cret"}));
        assert_eq!(push.v03()["authentication"], json!({"schemes": ["Bearer"], "credentials": "s3cret"}));
    }
}
