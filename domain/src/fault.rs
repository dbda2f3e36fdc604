//! Places where a test may kill the program, to see that what was begun there is wholly done or wholly not.
//!
//! In a release build this is nothing. In a build with debug assertions the command line can name one place
//! (`--fault-point NAME`); the program ends there the first time it comes by, as by `kill -9`.

#[cfg(debug_assertions)]
static CHOSEN: std::sync::OnceLock<String> = std::sync::OnceLock::new();

/// Every place, in the order in which it is passed.
pub const POINTS: [&str; 14] = [
    "settle.begun",
    "settle.locked",
    "settle.holds-ended",
    "settle.balances-locked",
    "settle.balances-written",
    "settle.rows-written",
    "settle.tasks-written",
    "settle.before-commit",
    "settle.committed",
    "purchase.locked",
    "purchase.marked-paid",
    "purchase.posted",
    "purchase.before-commit",
    "purchase.committed",
];

/// Chooses the place; `false` when there is no such place, or one was chosen before.
#[cfg(debug_assertions)]
pub fn choose(name: &str) -> bool {
    POINTS.contains(&name) && CHOSEN.set(name.to_owned()).is_ok()
}

/// Is passed.
#[inline]
pub(crate) fn point(name: &'static str) {
    #[cfg(debug_assertions)]
    if CHOSEN.get().is_some_and(|chosen| chosen == name) {
        // Nothing is flushed and nothing told to anybody: as if the power had gone.
        std::process::abort();
    }
    #[cfg(not(debug_assertions))]
    let _ = name;
}
