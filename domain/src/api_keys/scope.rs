//! What a key may do.

use std::collections::BTreeSet;
use std::fmt;

use crate::{FieldError, Result};

/// One permission. Writing includes reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// See one's agents.
    AgentsRead,
    /// Register, change and retire them.
    AgentsWrite,
    /// See one's tasks.
    TasksRead,
    /// Hire: it spends credits. Also cancel, answer, judge.
    TasksWrite,
    /// See one's workflows and runs.
    WorkflowsRead,
    /// Change and run them: it spends credits.
    WorkflowsWrite,
    /// See balance, ledger, receipts.
    BillingRead,
    /// Open checkouts, set limits.
    BillingWrite,
    /// See keys (never their secrets).
    KeysRead,
    /// Create, rotate and revoke them.
    KeysWrite,
    /// See webhooks and their deliveries.
    WebhooksRead,
    /// Change them and send again.
    WebhooksWrite,
}

impl Scope {
    /// All of them, in the order that a form shows.
    pub const ALL: [Scope; 12] = [
        Scope::AgentsRead,
        Scope::AgentsWrite,
        Scope::TasksRead,
        Scope::TasksWrite,
        Scope::WorkflowsRead,
        Scope::WorkflowsWrite,
        Scope::BillingRead,
        Scope::BillingWrite,
        Scope::KeysRead,
        Scope::KeysWrite,
        Scope::WebhooksRead,
        Scope::WebhooksWrite,
    ];

    /// The word that is stored and sent: `resource:read` or `resource:write`.
    pub fn as_str(self) -> &'static str {
        match self {
            Scope::AgentsRead => "agents:read",
            Scope::AgentsWrite => "agents:write",
            Scope::TasksRead => "tasks:read",
            Scope::TasksWrite => "tasks:write",
            Scope::WorkflowsRead => "workflows:read",
            Scope::WorkflowsWrite => "workflows:write",
            Scope::BillingRead => "billing:read",
            Scope::BillingWrite => "billing:write",
            Scope::KeysRead => "keys:read",
            Scope::KeysWrite => "keys:write",
            Scope::WebhooksRead => "webhooks:read",
            Scope::WebhooksWrite => "webhooks:write",
        }
    }

    /// What it lets a program do, for people.
    pub fn label(self) -> &'static str {
        match self {
            Scope::AgentsRead => "See your agents",
            Scope::AgentsWrite => "Register, change and retire your agents",
            Scope::TasksRead => "See your tasks and their results",
            Scope::TasksWrite => "Hire agents (spends credits), answer, cancel, rate and dispute",
            Scope::WorkflowsRead => "See your workflows and runs",
            Scope::WorkflowsWrite => "Change and run workflows (spends credits)",
            Scope::BillingRead => "See balance, ledger and receipts",
            Scope::BillingWrite => "Open checkouts, set limits, ask for refunds",
            Scope::KeysRead => "See your keys, never their secrets",
            Scope::KeysWrite => "Create, rotate and revoke keys",
            Scope::WebhooksRead => "See webhooks and their deliveries",
            Scope::WebhooksWrite => "Change webhooks and send again",
        }
    }

    /// The scope of a word.
    pub fn parse(word: &str) -> Option<Scope> {
        Scope::ALL.into_iter().find(|s| s.as_str() == word)
    }

    /// The scope that contains it: writing contains reading.
    fn wider(self) -> Option<Scope> {
        match self {
            Scope::AgentsRead => Some(Scope::AgentsWrite),
            Scope::TasksRead => Some(Scope::TasksWrite),
            Scope::WorkflowsRead => Some(Scope::WorkflowsWrite),
            Scope::BillingRead => Some(Scope::BillingWrite),
            Scope::KeysRead => Some(Scope::KeysWrite),
            Scope::WebhooksRead => Some(Scope::WebhooksWrite),
            Scope::AgentsWrite
            | Scope::TasksWrite
            | Scope::WorkflowsWrite
            | Scope::BillingWrite
            | Scope::KeysWrite
            | Scope::WebhooksWrite => None,
        }
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What a key may do in all.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Scopes {
    /// Everything, scopes to come included; written `*`.
    All,
    /// These.
    Some(BTreeSet<Scope>),
}

impl Scopes {
    /// Whether they allow `scope`.
    pub fn allow(&self, scope: Scope) -> bool {
        match self {
            Scopes::All => true,
            Scopes::Some(set) => set.contains(&scope) || scope.wider().is_some_and(|w| set.contains(&w)),
        }
    }

    /// Whether they allow all that `other` does.
    pub fn contain(&self, other: &Scopes) -> bool {
        match (self, other) {
            (Scopes::All, _) => true,
            (Scopes::Some(_), Scopes::All) => false,
            (Scopes::Some(_), Scopes::Some(set)) => set.iter().all(|s| self.allow(*s)),
        }
    }

    /// Reads words.
    ///
    /// # Errors
    /// [`crate::Error::Validation`] of `scopes`, naming the word.
    pub fn parse<S: AsRef<str>>(words: &[S]) -> Result<Scopes> {
        let mut set = BTreeSet::new();
        for word in words.iter().map(|w| w.as_ref().trim()) {
            if word == "*" {
                return Ok(Scopes::All);
            }
            let known = Scope::parse(word).ok_or_else(|| {
                let all: Vec<&str> = Scope::ALL.iter().map(|s| s.as_str()).collect();
                let what = format!("“{word}” is not a scope: use * or some of {}", all.join(", "));
                crate::Error::Validation(vec![FieldError::new("scopes", what)])
            })?;
            set.insert(known);
        }
        if set.is_empty() {
            return Err(crate::Error::field("scopes", "is empty: a key must be able to do something"));
        }
        Ok(Scopes::Some(set))
    }

    /// The words that are stored and sent.
    pub fn words(&self) -> Vec<String> {
        match self {
            Scopes::All => vec!["*".into()],
            Scopes::Some(set) => set.iter().map(|s| s.as_str().to_owned()).collect(),
        }
    }

    /// What the database keeps. A word that this program does not know (a newer one wrote it) allows nothing.
    pub(super) fn stored(words: &[String]) -> Scopes {
        if words.iter().any(|w| w == "*") {
            Scopes::All
        } else {
            Scopes::Some(words.iter().filter_map(|w| Scope::parse(w)).collect())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writing_includes_reading_and_nothing_else() {
        for granted in Scope::ALL {
            let scopes = Scopes::Some(BTreeSet::from([granted]));
            for wanted in Scope::ALL {
                let resource = |s: Scope| s.as_str().split(':').next().unwrap_or_default();
                let same = resource(granted) == resource(wanted);
                let expected = granted == wanted || (same && granted.as_str().ends_with(":write"));
                assert_eq!(scopes.allow(wanted), expected, "{granted} for {wanted}");
            }
            assert!(Scopes::All.allow(granted) && Scopes::All.contain(&scopes) && !scopes.contain(&Scopes::All));
        }
    }

    #[test]
    fn words_are_read_and_a_wrong_one_is_named() {
        let read = Scopes::parse(&["tasks:write", " agents:read"]).unwrap();
        assert_eq!(read.words(), ["agents:read", "tasks:write"]);
        assert_eq!(Scopes::parse(&["agents:read", "*"]).unwrap(), Scopes::All);
        assert!(Scopes::parse(&["tasks:admin"]).unwrap_err().to_string().contains("“tasks:admin” is not a scope"));
        assert!(Scopes::parse::<&str>(&[]).is_err());
        assert!(!Scopes::stored(&["galaxies:write".into()]).allow(Scope::TasksRead));
    }
}
