//! nexus
pub mod postgres;
