//! The paths of the HTTP+JSON binding (specification section 11.3), which 1.0 and 0.3 share but for a prefix.

use serde_json::{Value, json};

use super::{Call, Operation};
use crate::a2a::target::Target;

/// The request: the tenant first (1.0 only), then `prefix`, then the operation's path.
pub(super) fn call(
    to: &Target,
    op: Operation<'_>,
    body: Option<Value>,
    prefix: &[&str],
    version: Option<&'static str>,
) -> Call {
    let path: Vec<String> = match op {
        Operation::Send(_) => vec!["message:send".into()],
        Operation::Stream(_) => vec!["message:stream".into()],
        Operation::Get(task) => vec!["tasks".into(), task.into()],
        Operation::Cancel(task) => vec!["tasks".into(), format!("{task}:cancel")],
        Operation::Resubscribe { task, .. } => vec!["tasks".into(), format!("{task}:subscribe")],
    };
    let mut url = to.endpoint.clone();
    // Only addresses without a host have no path to append to, and those are no endpoints.
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.pop_if_empty();
        if version.is_some() {
            segments.extend(to.tenant.iter());
        }
        segments.extend(prefix).extend(path);
    }
    let by_get = matches!(op, Operation::Get(_) | Operation::Resubscribe { by_get: true, .. });
    let body = if by_get { None } else { Some(body.unwrap_or_else(|| json!({})).to_string()) };
    Call { url, body, version }
}
