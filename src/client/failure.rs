//! Why a command of the client came to nothing: one sentence with what to do, and an exit code.

use std::process::ExitCode;

use serde_json::{Value, json};

/// Why.
#[derive(Debug)]
pub enum Failure {
    /// NEXUS refused, or the command line cannot do what was asked.
    Refused(Box<Refusal>),
    /// The command is not one that makes sense.
    Usage(String),
    /// There is no result: the task failed, was cancelled, waits for an answer, or was left to itself.
    NoResult(String),
    /// NEXUS could not be reached, or something else answers there.
    Connection(String),
    /// Who read the output has gone.
    Closed,
}

/// What was answered instead of what was asked for.
#[derive(Clone, Debug, Default)]
pub struct Refusal {
    /// The HTTP status; 0 when it was not NEXUS that refused.
    pub status: u16,
    /// The code of the contract; empty when the answer has none.
    pub code: String,
    /// For people.
    pub message: String,
    /// Particulars.
    pub details: Value,
    /// What the log of the server knows it by.
    pub request_id: Option<String>,
    /// What to do.
    pub advice: Option<String>,
}

/// The fields of the API by the option that fills them.
const OPTIONS: [(&str, &str); 17] = [
    ("skillId", "--skill"),
    ("message", "MESSAGE"),
    ("data", "--data"),
    ("parts", "--file"),
    ("maxBudgetCredits", "--max-budget"),
    ("maxPriceCredits", "--max-price"),
    ("minTrustScore", "--min-trust"),
    ("timeoutSeconds", "--timeout"),
    ("Idempotency-Key", "--idempotency-key"),
    ("maxPrice", "--max-price"),
    ("minTrust", "--min-trust"),
    ("skills", "--skill"),
    ("tags", "--tag"),
    ("amountCents", "--amount"),
    ("packageId", "PACKAGE"),
    ("period", "--period"),
    ("type", "--type"),
];

impl Failure {
    /// A refusal of the command line's own.
    pub fn refused(code: &str, message: impl Into<String>) -> Failure {
        Failure::Refused(Box::new(Refusal { code: code.into(), message: message.into(), ..Refusal::default() }))
    }

    /// A file or folder of this machine that is not as it must be.
    pub fn local(what: impl std::fmt::Display, why: impl std::fmt::Display) -> Failure {
        Failure::refused("LOCAL", format!("{what}: {why}"))
    }

    /// 1 refused, 2 usage, 3 no result, 4 no connection. Output that nobody reads is no failure.
    pub fn exit_code(&self) -> ExitCode {
        match self {
            Failure::Closed => ExitCode::SUCCESS,
            Failure::Refused(_) => ExitCode::from(1),
            Failure::Usage(_) => ExitCode::from(2),
            Failure::NoResult(_) => ExitCode::from(3),
            Failure::Connection(_) => ExitCode::from(4),
        }
    }

    /// One sentence, or two: what happened, and what to do.
    pub fn sentence(&self) -> String {
        match self {
            Failure::Refused(refusal) => refusal.sentence(),
            Failure::Usage(text) | Failure::NoResult(text) | Failure::Connection(text) => text.clone(),
            Failure::Closed => String::new(),
        }
    }

    /// The refusal as the API would have sent it, for `--json`.
    pub fn json(&self) -> Option<Value> {
        let Failure::Refused(refusal) = self else { return None };
        let error = json!({ "code": refusal.code, "message": refusal.message, "details": refusal.details });
        Some(json!({ "error": error }))
    }
}

impl Refusal {
    /// What the body of an answer says.
    pub fn read(status: u16, body: &str) -> Refusal {
        let answer: Value = serde_json::from_str(body).unwrap_or_default();
        let text = |name: &str| answer["error"][name].as_str().unwrap_or_default().to_owned();
        let details = answer["error"]["details"].clone();
        Refusal { status, code: text("code"), message: text("message"), details, ..Refusal::default() }
    }

    /// Whether the same request may be answered otherwise in a moment. What an agent or an account is the reason of is not.
    pub fn is_transient(&self) -> bool {
        match self.status {
            429 => true,
            502..=504 => self.code.is_empty(),
            _ => false,
        }
    }

    fn sentence(&self) -> String {
        if self.code.is_empty() {
            return format!("the answer was status {} without a reason that could be read", self.status);
        }
        let mut sentence = match self.details.as_array() {
            Some(fields) if self.code == "VALIDATION_ERROR" => fields.iter().map(field).collect::<Vec<_>>().join("; "),
            _ => self.message.clone(),
        };
        if self.status != 0 {
            sentence = format!("{sentence} ({})", self.code);
        }
        match self.advice.clone().or_else(|| self.what_to_do()) {
            Some(advice) if sentence.ends_with(['?', '.']) => format!("{sentence} {advice}"),
            Some(advice) => format!("{sentence}. {advice}"),
            None => sentence,
        }
    }

    fn what_to_do(&self) -> Option<String> {
        let advice = match self.code.as_str() {
            "UNAUTHORIZED" => "Sign in with another key: nexus login",
            "FORBIDDEN" if self.details["scope"].is_string() => {
                "Make a key that may do this in the settings of the site, then: nexus login"
            }
            "INSUFFICIENT_CREDITS" => "Buy some: nexus credits packages",
            "AGENT_OFFLINE" => "Try later, or look for another: nexus agents",
            "AGENT_NOT_FOUND" => "Look for it: nexus agents",
            "TASK_NOT_FOUND" => "See yours: nexus tasks",
            "TRUST_THRESHOLD_NOT_MET" => "Choose another agent, or a lower --min-trust",
            "RATE_LIMIT_EXCEEDED" => "Wait a minute",
            "IDEMPOTENCY_CONFLICT" => "Use another --idempotency-key",
            "INTERNAL_ERROR" => {
                let id = self.request_id.as_deref().map(|id| format!(" by this request: {id}"));
                return Some(format!("The operator finds the reason in the log{}", id.unwrap_or_default()));
            }
            _ => return None,
        };
        Some(advice.to_owned())
    }
}

/// A wrong field, named as it is on the command line.
fn field(wrong: &Value) -> String {
    let (name, message) = (wrong["field"].as_str().unwrap_or_default(), wrong["message"].as_str().unwrap_or_default());
    let base = name.split(['[', '.']).next().unwrap_or(name);
    let shown = OPTIONS.iter().find(|(field, _)| *field == base).map_or(name, |(_, option)| option);
    format!("{shown} {message}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_a_sentence_and_what_to_do() {
        let sentence = |status, body: Value| Refusal::read(status, &body.to_string()).sentence();
        let refused =
            |code: &str, details: Value| json!({"error": {"code": code, "message": "no", "details": details}});
        assert_eq!(
            sentence(402, refused("INSUFFICIENT_CREDITS", json!({"needed": "9.00", "available": "1.00"}))),
            "no (INSUFFICIENT_CREDITS). Buy some: nexus credits packages"
        );
        let fields =
            json!([{"field": "parts[0].raw", "message": "is not base64"}, {"field": "x", "message": "is odd"}]);
        assert_eq!(
            sentence(400, refused("VALIDATION_ERROR", fields)),
            "--file is not base64; x is odd (VALIDATION_ERROR)"
        );
        assert_eq!(sentence(409, refused("CONFLICT", json!(null))), "no (CONFLICT)");
        assert_eq!(
            Refusal::read(500, "<html>").sentence(),
            "the answer was status 500 without a reason that could be read"
        );
    }

    #[test]
    fn what_an_agent_is_the_reason_of_is_not_asked_again() {
        let of = |status, code: &str| Refusal { status, code: code.into(), ..Refusal::default() }.is_transient();
        assert!(of(429, "RATE_LIMIT_EXCEEDED") && of(503, "") && of(502, ""));
        assert!(!of(503, "AGENT_OFFLINE") && !of(502, "PROTOCOL_ERROR") && !of(500, "") && !of(402, ""));
    }
}
