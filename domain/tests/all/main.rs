//! The tests of the economy on real databases, as one program: it links once.

mod accounts;
mod money;
mod policies;
mod schema;
mod support;
mod task_life;
