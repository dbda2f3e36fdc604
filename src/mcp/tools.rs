//! The tools. Each is an operation of the REST API under a name that a model understands: what it takes, checks, refuses and
//! answers is that operation's.

use domain::api_keys::Scope;
use serde_json::{Value, json};

use super::schema;

/// A tool.
#[derive(Debug)]
pub struct Tool {
    /// What it is called by.
    pub name: &'static str,
    /// What people see.
    title: &'static str,
    /// What a model is told.
    about: &'static str,
    /// The operation: method and path in the OpenAPI document.
    pub method: &'static str,
    /// The path, with `{id}` where an argument stands.
    pub path: &'static str,
    /// The argument that is the `{id}`, and what it is.
    pub id: Option<(&'static str, &'static str)>,
    /// What a key must have.
    pub scope: Option<Scope>,
    /// What a call costs, in the units of the REST API's limits.
    pub cost: u32,
    /// Whether it can wait for a task.
    pub waits: bool,
    /// Whether it changes nothing.
    pub reads: bool,
    /// Whether what it changes cannot be changed back.
    destroys: bool,
    /// Whether doing it twice is doing it once.
    repeats: bool,
    /// Whether an agent is called: somebody outside of NEXUS.
    reaches_out: bool,
    /// What in the result others wrote: JSON pointers, `*` for each of a list.
    pub foreign: &'static [&'static str],
}

/// What others wrote in a task.
const TASK_FOREIGN: &[&str] =
    &["/title", "/result", "/messages/*", "/artifacts/*", "/progress", "/error", "/agentName"];
const AGENT_FOREIGN: &[&str] = &["/name", "/description", "/skills/*", "/tags/*", "/publisher"];

const READ: Tool = Tool {
    name: "",
    title: "",
    about: "",
    method: "get",
    path: "",
    id: None,
    scope: None,
    cost: 1,
    waits: false,
    reads: true,
    destroys: false,
    repeats: true,
    reaches_out: false,
    foreign: &[],
};

const CHANGE: Tool =
    Tool { method: "post", scope: Some(Scope::TasksWrite), cost: 5, reads: false, repeats: false, ..READ };

/// All of them, in the order of a first visit.
pub static TOOLS: [Tool; 10] = [
    Tool {
        name: "discover_agents",
        title: "Find agents",
        about: "Finds agents for hire by words, tags, skills, price and trust. Every figure is from tasks that really happened. \
                Then delegate_task hires one.",
        path: "/discover",
        cost: 2,
        foreign: &["/data/*/name", "/data/*/description", "/data/*/skills", "/data/*/tags"],
        ..READ
    },
    Tool {
        name: "get_agent",
        title: "Look at an agent",
        about: "One agent: what it does, its skills with their input schemas, its price in credits, its trust score.",
        path: "/agents/{id}",
        id: Some(("agentId", "The agent.")),
        foreign: AGENT_FOREIGN,
        ..READ
    },
    Tool {
        name: "get_agent_trust",
        title: "Why an agent is trusted",
        about: "Why an agent has its trust score (0 to 100): reliability, speed, quality and age, and from how much each is known.",
        path: "/agents/{id}/trust",
        id: Some(("agentId", "The agent.")),
        ..READ
    },
    Tool {
        name: "delegate_task",
        title: "Hire an agent",
        about: "Hires an agent for one task. It costs credits: the price is held at once, paid when the task completes, and comes \
                back when it fails or is cancelled. Waits up to waitSeconds and then answers with the task as it is: state \
                completed has the result; waitingFor input has a question, which reply_to_task answers; anything else goes on, \
                and check_task_status follows it. With maxPriceWithoutAsking a dearer agent is hired only after the person has \
                agreed. Calling this request off cancels the task.",
        path: "/tasks",
        waits: true,
        reaches_out: true,
        foreign: TASK_FOREIGN,
        ..CHANGE
    },
    Tool {
        name: "check_task_status",
        title: "Look at a task",
        about: "A task as it is: its state, what was said, what the agent made. With waitSeconds it waits that long for the task to \
                end or to ask something.",
        path: "/tasks/{id}",
        id: Some(("taskId", "The task.")),
        scope: Some(Scope::TasksRead),
        waits: true,
        foreign: TASK_FOREIGN,
        ..READ
    },
    Tool {
        name: "reply_to_task",
        title: "Answer an agent",
        about: "Answers what the agent of a task asked (waitingFor is input or auth). The task goes on; with waitSeconds it is \
                waited for.",
        path: "/tasks/{id}/reply",
        id: Some(("taskId", "The task that waits.")),
        waits: true,
        reaches_out: true,
        foreign: TASK_FOREIGN,
        ..CHANGE
    },
    Tool {
        name: "cancel_task",
        title: "Cancel a task",
        about: "Cancels a task that has not ended. What was held comes back at once, and the agent is told.",
        path: "/tasks/{id}/cancel",
        id: Some(("taskId", "The task.")),
        destroys: true,
        reaches_out: true,
        foreign: TASK_FOREIGN,
        ..CHANGE
    },
    Tool {
        name: "rate_agent",
        title: "Rate a result",
        about: "Rates the result of a completed task, 1 to 5 stars, with words that everybody may read. Once a task, by who paid \
                for it; the agent's trust score follows.",
        path: "/tasks/{id}/rating",
        id: Some(("taskId", "A completed task.")),
        destroys: true,
        foreign: TASK_FOREIGN,
        ..CHANGE
    },
    Tool {
        name: "list_tasks",
        title: "List tasks",
        about: "Your tasks, newest first: those that you ordered, and those that your agents do.",
        path: "/tasks",
        scope: Some(Scope::TasksRead),
        foreign: &["/data/*/title", "/data/*/agentName", "/data/*/requesterName"],
        ..READ
    },
    Tool {
        name: "get_balance",
        title: "Look at the balance",
        about: "Credits: what can be spent, what running tasks hold, what was earned.",
        path: "/billing/balance",
        scope: Some(Scope::BillingRead),
        ..READ
    },
];

impl Tool {
    /// The tool of a name.
    pub fn named(name: &str) -> Option<&'static Tool> {
        TOOLS.iter().find(|tool| tool.name == name)
    }

    /// As `tools/list` shows it.
    pub fn listed(&self) -> Value {
        json!({
            "name": self.name,
            "title": self.title,
            "description": self.about,
            "inputSchema": schema::input(self),
            "outputSchema": schema::output(self),
            "annotations": {
                "title": self.title,
                "readOnlyHint": self.reads,
                "destructiveHint": self.destroys,
                "idempotentHint": self.repeats,
                "openWorldHint": self.reaches_out,
            },
        })
    }
}

/// `tools/list`, made once: the tools are the same for everybody, as long as the program runs.
pub fn list() -> &'static Value {
    static LIST: std::sync::LazyLock<Value> =
        std::sync::LazyLock::new(|| json!({ "tools": TOOLS.iter().map(Tool::listed).collect::<Vec<_>>() }));
    &LIST
}
