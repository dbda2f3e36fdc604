//! The NEXUS server: it wires the economy (`domain`) and its pages (`app`) to HTTP, agents and payments.

pub mod a2a;
pub mod api;
pub mod cli;
pub mod client;
pub mod config;
pub mod database;
pub mod demo;
pub mod gateway;
pub mod key_command;
pub mod mail;
pub mod mcp;
pub mod monitoring;
pub mod oauth;
pub mod outbound;
pub mod payments;
pub mod postgres;
pub mod router;
pub mod sandbox;
pub mod serve;
pub mod state;
pub mod task_events;
pub mod web;
pub mod worker;
