//! What pages are made of. Plain functions where markup is all there is; components where they hold children.

pub mod agent_card;
pub mod badges;
pub mod chart;
pub mod content;
pub mod empty;
pub mod field;
pub mod form;
pub mod heading;
pub mod icons;
pub mod layout;
pub mod mark;
pub mod money;
pub mod notice;
pub mod pager;
pub mod reviews;
pub mod schema;
pub mod settings_nav;
pub mod table;
pub mod time;
pub mod title;
pub mod trust;
pub mod uptime;
