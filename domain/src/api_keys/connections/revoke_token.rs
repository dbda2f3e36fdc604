//! A client gives its tokens back (RFC 7009).

use chrono::{DateTime, Utc};

use super::client::Client;
use super::failure::{Failure, Why};
use super::store;
use crate::api_keys::store as keys;
use crate::api_keys::token;
use crate::{Actor, Db};

/// Ends a token. With a refresh token, used or not, the whole connection ends; an access token ends alone. One that is unknown
/// is no error (RFC 7009, section 2.2).
///
/// # Errors
/// [`Why::InvalidGrant`] for another client's token; a fault when the database does not answer.
pub async fn revoke_token(db: &Db, client: &Client, sent: &str, now: DateTime<Utc>) -> Result<(), Failure> {
    let hash = token::hash_of(sent);
    let not_theirs = || Failure::refused(Why::InvalidGrant, "the token is another client's");
    let mut tx = db.begin(&Actor::System).await?;
    if let Some(found) = store::lock_refresh(&mut tx, &hash).await? {
        if found.client != client.id {
            return Err(not_theirs());
        }
        keys::revoke(&mut tx, found.user, found.key, now).await?;
    } else if let Some(of) = store::client_of_access(&mut tx, &hash).await? {
        if of != client.id {
            return Err(not_theirs());
        }
        store::delete_access(&mut tx, &hash).await?;
    }
    tx.commit().await?;
    Ok(())
}
