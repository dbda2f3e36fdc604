//! Sessions: rows in PostgreSQL behind an opaque cookie.

use async_trait::async_trait;
use chrono::{DateTime, Utc};
use domain::accounts::{self, SessionRecord};
use domain::{Db, UserId};
use serde_json::Value;
use sha2::{Digest, Sha256};
use time::OffsetDateTime;
use tower_sessions::cookie::SameSite;
use tower_sessions::session::{Id, Record};
use tower_sessions::session_store::{Error, Result};
use tower_sessions::{Expiry, SessionManagerLayer, SessionStore};

use crate::state::AppState;

/// What the session remembers.
pub const USER: &str = "user";
/// The browser, as it called itself at sign-in.
pub const USER_AGENT: &str = "user_agent";
/// A message for the next page.
pub const FLASH: &str = "flash";

/// A session ends this long after it was last changed (signed in).
const LIFE: time::Duration = time::Duration::days(30);

/// The layer that loads and saves sessions. HttpOnly and SameSite=Lax always; `__Host-` and Secure under https.
pub fn layer(state: &AppState) -> SessionManagerLayer<PgSessions> {
    let secure = state.public_url.scheme() == "https";
    SessionManagerLayer::new(PgSessions { db: state.db.clone() })
        .with_name(if secure { "__Host-nexus" } else { "nexus" })
        .with_secure(secure)
        .with_http_only(true)
        .with_same_site(SameSite::Lax)
        .with_path("/")
        .with_expiry(Expiry::OnInactivity(LIFE))
}

/// The store. Ids are kept as SHA-256, so that the table is no bunch of keys.
#[derive(Clone, Debug)]
pub struct PgSessions {
    db: Db,
}

/// What the store calls a session.
pub fn hash(id: &Id) -> [u8; 32] {
    Sha256::digest(id.to_string().as_bytes()).into()
}

impl PgSessions {
    async fn write(&self, record: &Record) -> Result<()> {
        let data = serde_json::to_value(&record.data).map_err(|e| Error::Encode(e.to_string()))?;
        let user = data.get(USER).and_then(Value::as_str).and_then(|id| id.parse::<UserId>().ok());
        let text = |key: &str| data.get(key).and_then(Value::as_str).unwrap_or_default().to_owned();
        let kept = SessionRecord {
            id: hash(&record.id),
            user,
            user_agent: text(USER_AGENT),
            data,
            expires_at: to_chrono(record.expiry_date),
        };
        accounts::save_session(&self.db, &kept).await.map_err(backend)
    }
}

#[async_trait]
impl SessionStore for PgSessions {
    async fn create(&self, record: &mut Record) -> Result<()> {
        // 128 random bits do not collide.
        self.write(record).await
    }

    async fn save(&self, record: &Record) -> Result<()> {
        self.write(record).await
    }

    async fn load(&self, id: &Id) -> Result<Option<Record>> {
        let found = accounts::load_session(&self.db, &hash(id), Utc::now()).await.map_err(backend)?;
        let Some(kept) = found else { return Ok(None) };
        let data = serde_json::from_value(kept.data).map_err(|e| Error::Decode(e.to_string()))?;
        Ok(Some(Record { id: *id, data, expiry_date: to_time(kept.expires_at) }))
    }

    async fn delete(&self, id: &Id) -> Result<()> {
        accounts::delete_session(&self.db, &hash(id)).await.map_err(backend)
    }
}

fn backend(error: domain::Error) -> Error {
    Error::Backend(crate::cli::with_source(&error))
}

fn to_chrono(at: OffsetDateTime) -> DateTime<Utc> {
    DateTime::from_timestamp(at.unix_timestamp(), at.nanosecond()).unwrap_or(DateTime::<Utc>::MAX_UTC)
}

fn to_time(at: DateTime<Utc>) -> OffsetDateTime {
    OffsetDateTime::from_unix_timestamp(at.timestamp()).unwrap_or(OffsetDateTime::UNIX_EPOCH)
}
