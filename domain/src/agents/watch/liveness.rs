//! What the signals say of a listed agent. Pure: time is an argument.

use chrono::{DateTime, TimeDelta, Utc};

use crate::agents::AgentStatus;

/// An agent that has sent a heartbeat within this time is one that sends them, and is missed when they stop.
pub const BEATS_WITHIN: TimeDelta = TimeDelta::days(1);
/// A heartbeat later than this after the one before is late.
pub const LATE_AFTER: TimeDelta = TimeDelta::minutes(2);
/// Without a heartbeat for this long an agent is silent.
pub const SILENT_AFTER: TimeDelta = TimeDelta::minutes(5);
/// Unanswered probes in a row after which an agent is offline.
pub const FAILURES_MAX: i32 = 3;
/// How long after an answered probe the next one is made, less or more up to a tenth.
pub const PROBE_EVERY: TimeDelta = TimeDelta::seconds(60);
/// The same after an unanswered one.
pub const PROBE_FAILING_EVERY: TimeDelta = TimeDelta::seconds(15);

/// What is known of a listed agent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signals {
    /// The status that it has. It stays while nothing was observed.
    pub given: AgentStatus,
    /// What its last heartbeat said.
    pub said: Option<AgentStatus>,
    /// When that came. `None` also where it came before the agent was listed.
    pub beat_at: Option<DateTime<Utc>>,
    /// Whether it answered the last probe.
    pub answered: Option<bool>,
    /// Unanswered probes in a row.
    pub failures: i32,
    /// Whether calls for tasks are held back, because several in a row failed.
    pub calls_held: bool,
}

/// Why a listed agent is not online.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reason {
    /// Probes were not answered.
    NoAnswer,
    /// Heartbeats stopped, and the last probe was not answered either.
    Silent,
    /// Its heartbeat said so.
    SaidOffline,
    /// Its heartbeat said so.
    SaidDegraded,
    /// Calls for tasks failed in a row.
    CallsFail,
    /// The next heartbeat is overdue.
    BeatsLate,
}

impl Reason {
    /// All of them.
    pub const ALL: [Reason; 6] = [
        Reason::NoAnswer,
        Reason::Silent,
        Reason::SaidOffline,
        Reason::SaidDegraded,
        Reason::CallsFail,
        Reason::BeatsLate,
    ];

    /// The database's word.
    pub fn as_str(self) -> &'static str {
        match self {
            Reason::NoAnswer => "no_answer",
            Reason::Silent => "silent",
            Reason::SaidOffline => "said_offline",
            Reason::SaidDegraded => "said_degraded",
            Reason::CallsFail => "calls_fail",
            Reason::BeatsLate => "beats_late",
        }
    }

    /// The reason of a word.
    pub fn parse(text: &str) -> Option<Reason> {
        Reason::ALL.into_iter().find(|r| r.as_str() == text)
    }

    /// For everybody.
    pub fn public(self) -> &'static str {
        match self {
            Reason::NoAnswer => "Did not answer",
            Reason::Silent => "Stopped sending heartbeats and did not answer",
            Reason::SaidOffline => "Said that it is offline",
            Reason::SaidDegraded => "Said that it is degraded",
            Reason::CallsFail => "Calls to it failed",
            Reason::BeatsLate => "Heartbeats came late",
        }
    }

    /// For its owner: what ends it.
    pub fn cure(self) -> &'static str {
        match self {
            Reason::NoAnswer | Reason::Silent => "One answered check brings it back.",
            Reason::SaidOffline | Reason::SaidDegraded => "A heartbeat that says online brings it back.",
            Reason::CallsFail => "One answered call brings it back; calls are tried again by themselves.",
            Reason::BeatsLate => "The next heartbeat brings it back.",
        }
    }
}

/// The status of a listed agent, and why it is not online. There is no reason where nothing was observed yet.
pub fn judge(s: &Signals, now: DateTime<Utc>) -> (AgentStatus, Option<Reason>) {
    let silence = s.beat_at.map(|at| now - at).filter(|silence| *silence < BEATS_WITHIN);
    // What it said a day ago says nothing of today.
    let said = s.said.filter(|_| silence.is_some());
    let failing = s.answered == Some(false);
    if s.answered.is_none() && silence.is_none() && !s.calls_held {
        return (s.given, None);
    }
    let offline = if said == Some(AgentStatus::Offline) {
        Some(Reason::SaidOffline)
    } else if s.failures >= FAILURES_MAX {
        Some(Reason::NoAnswer)
    } else if failing && silence.is_some_and(|silence| silence > SILENT_AFTER) {
        Some(Reason::Silent)
    } else {
        None
    };
    if offline.is_some() {
        return (AgentStatus::Offline, offline);
    }
    let degraded = if failing {
        Some(Reason::NoAnswer)
    } else if said == Some(AgentStatus::Degraded) {
        Some(Reason::SaidDegraded)
    } else if s.calls_held {
        Some(Reason::CallsFail)
    } else if silence.is_some_and(|silence| silence > LATE_AFTER) {
        Some(Reason::BeatsLate)
    } else {
        None
    };
    (if degraded.is_some() { AgentStatus::Degraded } else { AgentStatus::Online }, degraded)
}

#[cfg(test)]
mod tests {
    use super::AgentStatus::{Degraded, Offline, Online};
    use super::*;

    const NOW: DateTime<Utc> = DateTime::UNIX_EPOCH;

    fn quiet() -> Signals {
        Signals { given: Online, said: None, beat_at: None, answered: None, failures: 0, calls_held: false }
    }

    fn probed(failures: i32) -> Signals {
        Signals { answered: Some(failures == 0), failures, ..quiet() }
    }

    fn beats(seconds: i64, said: AgentStatus) -> Signals {
        Signals { said: Some(said), beat_at: Some(NOW - TimeDelta::seconds(seconds)), ..quiet() }
    }

    #[test]
    fn each_case_is_judged_by_the_written_rules() {
        let day = 24 * 3600;
        let table = [
            ("never observed", quiet(), (Online, None)),
            ("never observed, as given", Signals { given: Degraded, ..quiet() }, (Degraded, None)),
            ("probe answered", probed(0), (Online, None)),
            ("one probe failed", probed(1), (Degraded, Some(Reason::NoAnswer))),
            ("two probes failed", probed(2), (Degraded, Some(Reason::NoAnswer))),
            ("three probes failed", probed(3), (Offline, Some(Reason::NoAnswer))),
            ("was offline, one probe answered", Signals { given: Offline, ..probed(0) }, (Online, None)),
            ("beat on time", beats(120, Online), (Online, None)),
            ("beat late", beats(121, Online), (Degraded, Some(Reason::BeatsLate))),
            ("beat long ago, probe unknown", beats(301, Online), (Degraded, Some(Reason::BeatsLate))),
            (
                "beat late, probe answered",
                Signals { answered: Some(true), ..beats(3600, Online) },
                (Degraded, Some(Reason::BeatsLate)),
            ),
            (
                "silent and one probe failed",
                Signals { answered: Some(false), failures: 1, ..beats(301, Online) },
                (Offline, Some(Reason::Silent)),
            ),
            (
                "not silent yet and one probe failed",
                Signals { answered: Some(false), failures: 1, ..beats(300, Online) },
                (Degraded, Some(Reason::NoAnswer)),
            ),
            ("beats no more", Signals { answered: Some(true), ..beats(day, Online) }, (Online, None)),
            (
                "beats no more, one probe failed",
                Signals { answered: Some(false), failures: 1, ..beats(day, Online) },
                (Degraded, Some(Reason::NoAnswer)),
            ),
            ("beats no more, nothing else known", beats(day, Offline), (Online, None)),
            ("said offline", beats(10, Offline), (Offline, Some(Reason::SaidOffline))),
            (
                "said offline, probe answered",
                Signals { answered: Some(true), ..beats(10, Offline) },
                (Offline, Some(Reason::SaidOffline)),
            ),
            ("said offline a day ago", Signals { answered: Some(true), ..beats(day, Offline) }, (Online, None)),
            ("said degraded", beats(10, Degraded), (Degraded, Some(Reason::SaidDegraded))),
            (
                "a beat does not answer for the address",
                Signals { answered: Some(false), failures: 3, ..beats(1, Online) },
                (Offline, Some(Reason::NoAnswer)),
            ),
            ("calls held", Signals { calls_held: true, ..quiet() }, (Degraded, Some(Reason::CallsFail))),
            (
                "calls held, probe answered",
                Signals { calls_held: true, ..probed(0) },
                (Degraded, Some(Reason::CallsFail)),
            ),
            ("calls held, three failed", Signals { calls_held: true, ..probed(3) }, (Offline, Some(Reason::NoAnswer))),
        ];
        for (case, signals, expected) in table {
            assert_eq!(judge(&signals, NOW), expected, "{case}");
        }
    }

    #[test]
    fn words_are_read_as_they_are_written() {
        for reason in Reason::ALL {
            assert_eq!(Reason::parse(reason.as_str()), Some(reason));
        }
        assert_eq!(Reason::parse("nonsense"), None);
    }
}
