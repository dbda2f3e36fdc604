//! The kinds of tasks, and so of agents: one agent for each.

use domain::tasks::TaskState;

/// What an agent does with a task.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// Answers at once.
    Once,
    /// Takes a while over each, takes few at once, and is wanted by a crowd.
    Crowded,
    /// Answers with a task, which is asked after until it is done.
    Later,
    /// The same, and rings when it is done.
    Rings,
    /// Streams; every fourth stream breaks the first time.
    Streams,
    /// Drops the connection, with half an answer or none.
    Crashes,
    /// Answers 500 and 503 first.
    Stumbles,
    /// Never answers.
    Stalls,
    /// Completes twice, differently, and rings for each.
    Twice,
    /// Answers after the deadline.
    Late,
    /// Answers what is no answer.
    Garbage,
    /// Asks its requester something.
    Asks,
    /// Forgets what it had taken.
    Forgets,
    /// Gives the address of a file that never comes (only in the test of stopping).
    Files,
}

impl Kind {
    /// Those of the big test.
    pub const MIXED: [Kind; 13] = [
        Kind::Once,
        Kind::Crowded,
        Kind::Later,
        Kind::Rings,
        Kind::Streams,
        Kind::Crashes,
        Kind::Stumbles,
        Kind::Stalls,
        Kind::Twice,
        Kind::Late,
        Kind::Garbage,
        Kind::Asks,
        Kind::Forgets,
    ];

    pub fn word(self) -> &'static str {
        match self {
            Kind::Once => "once",
            Kind::Crowded => "crowded",
            Kind::Later => "later",
            Kind::Rings => "rings",
            Kind::Streams => "streams",
            Kind::Crashes => "crashes",
            Kind::Stumbles => "stumbles",
            Kind::Stalls => "stalls",
            Kind::Twice => "twice",
            Kind::Late => "late",
            Kind::Garbage => "garbage",
            Kind::Asks => "asks",
            Kind::Forgets => "forgets",
            Kind::Files => "files",
        }
    }

    pub fn of(text: &str) -> Option<(Kind, u32)> {
        let (word, n) = text.split_once(' ')?;
        let kind = Kind::MIXED.into_iter().chain([Kind::Files]).find(|k| k.word() == word)?;
        Some((kind, n.parse().ok()?))
    }

    /// How many are ordered. The crowd orders `Crowded`, and the few of others come on top.
    pub fn count(self) -> u32 {
        match self {
            Kind::Once => 480,
            Kind::Crowded => 400,
            Kind::Later | Kind::Rings => 160,
            Kind::Streams | Kind::Stumbles => 120,
            Kind::Crashes | Kind::Twice | Kind::Garbage => 100,
            Kind::Asks => 80,
            Kind::Stalls | Kind::Forgets => 60,
            Kind::Late => 40,
            Kind::Files => 0,
        }
    }

    /// How many calls the agent takes at once.
    pub fn most(self) -> i32 {
        match self {
            Kind::Crowded => 8,
            Kind::Later | Kind::Rings => 60,
            Kind::Stalls | Kind::Asks | Kind::Twice | Kind::Forgets => 30,
            Kind::Streams | Kind::Late => 20,
            Kind::Once | Kind::Crashes | Kind::Stumbles | Kind::Garbage | Kind::Files => 16,
        }
    }

    /// Seconds until the task counts as failed.
    pub fn timeout(self) -> i64 {
        match self {
            Kind::Stalls | Kind::Late => 10,
            Kind::Crashes | Kind::Stumbles => 60,
            _ => 900,
        }
    }

    /// A third of the agents work for nothing.
    pub fn price(self) -> &'static str {
        match self {
            Kind::Once => "0.50",
            Kind::Crowded => "1.00",
            Kind::Later | Kind::Stalls | Kind::Garbage | Kind::Forgets => "0",
            Kind::Rings => "1.37",
            Kind::Streams | Kind::Files => "2.00",
            Kind::Crashes => "3.33",
            Kind::Stumbles => "0.99",
            Kind::Twice => "4.00",
            Kind::Late => "5.00",
            Kind::Asks => "2.50",
        }
    }

    pub fn streams(self) -> bool {
        self == Kind::Streams
    }

    pub fn rings(self) -> bool {
        matches!(self, Kind::Rings | Kind::Twice)
    }

    /// Agents that do no wrong: whatever happens around them, each task that is not called off is completed.
    pub fn is_right(self) -> bool {
        matches!(
            self,
            Kind::Once | Kind::Crowded | Kind::Later | Kind::Rings | Kind::Streams | Kind::Twice | Kind::Asks
        )
    }

    /// What a task must not end as.
    pub fn never(self) -> Option<TaskState> {
        match self {
            Kind::Stalls | Kind::Late | Kind::Garbage => Some(TaskState::Completed),
            kind if kind.is_right() => Some(TaskState::Failed),
            _ => None,
        }
    }
}
