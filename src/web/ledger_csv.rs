//! The ledger of an account as a CSV file, for spreadsheets and accounting.

use std::borrow::Cow;

use axum::body::{Body, Bytes};
use axum::extract::{Query, State};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use chrono::SecondsFormat;
use domain::ledger::{self, Entry, EntryFilter, EntryKind};
use domain::{Actor, Cursor, Db, Error, Page};
use futures::stream;
use serde::Deserialize;

use super::failure::{log_if_ours, status_of};
use super::visit::SignedIn;
use crate::state::AppState;

/// Rows that are read at a time.
const CHUNK: usize = 1_000;

/// Which rows.
#[derive(Deserialize)]
pub struct Wanted {
    #[serde(rename = "type")]
    kind: Option<String>,
}

/// What is still to be written.
enum Rest {
    Page(Page<Entry>),
    After(Cursor),
    Nothing,
}

/// Sends all of the account's rows, newest first, as they are read.
pub async fn download(State(state): State<AppState>, me: SignedIn, Query(wanted): Query<Wanted>) -> Response {
    let kind = wanted.kind.as_deref().and_then(EntryKind::parse);
    let (db, actor) = (state.db.clone(), me.visit.actor);
    // The first page decides the status: once the stream has begun, it can only break off.
    let first = match read(&db, &actor, kind, None).await {
        Ok(page) => page,
        Err(error) => {
            log_if_ours(&error);
            return (status_of(&error), app::sentence(&error.to_string())).into_response();
        }
    };
    let chunks = stream::try_unfold((Rest::Page(first), true), move |(rest, begins)| {
        let (db, actor) = (db.clone(), actor);
        async move {
            let page = match rest {
                Rest::Page(page) => page,
                Rest::After(cursor) => read(&db, &actor, kind, Some(cursor)).await.inspect_err(log_if_ours)?,
                Rest::Nothing => return Ok::<_, Error>(None),
            };
            let text = rows(&page.items, begins).map_err(Error::Internal)?;
            let rest = page.next.map_or(Rest::Nothing, Rest::After);
            Ok(Some((Bytes::from(text), (rest, false))))
        }
    });
    let headers = [
        (header::CONTENT_TYPE, HeaderValue::from_static("text/csv; charset=utf-8")),
        (header::CONTENT_DISPOSITION, HeaderValue::from_static("attachment; filename=\"nexus-ledger.csv\"")),
        (header::CACHE_CONTROL, HeaderValue::from_static("private, no-store")),
    ];
    (headers, Body::from_stream(chunks)).into_response()
}

async fn read(db: &Db, actor: &Actor, kind: Option<EntryKind>, after: Option<Cursor>) -> domain::Result<Page<Entry>> {
    ledger::entries(db, actor, &EntryFilter { kind, after }, CHUNK).await
}

/// Rows in the form of RFC 4180, with the heading before the first.
fn rows(entries: &[Entry], begins: bool) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let mut out = csv::WriterBuilder::new().terminator(csv::Terminator::CRLF).from_writer(Vec::new());
    if begins {
        out.write_record(["time", "type", "amount", "balance after", "reference", "description"])?;
    }
    for e in entries {
        out.write_record([
            &*e.created_at.to_rfc3339_opts(SecondsFormat::Millis, true),
            e.kind.as_str(),
            &e.amount.to_string(),
            &e.balance_after.to_string(),
            &harmless(e.reference_id.as_deref().unwrap_or_default()),
            &harmless(&e.description),
        ])?;
    }
    Ok(out.into_inner().map_err(|e| e.into_error())?)
}

/// A text that a spreadsheet will not take for a formula. Descriptions hold titles that strangers typed.
fn harmless(text: &str) -> Cow<'_, str> {
    if text.starts_with(['=', '+', '-', '@', '\t', '\r', '\n']) {
        Cow::Owned(format!("'{text}"))
    } else {
        Cow::Borrowed(text)
    }
}

#[cfg(test)]
mod tests {
    use domain::Credits;

    use super::*;

    #[test]
    fn texts_are_quoted_and_are_no_formulas() {
        let entry = Entry {
            id: uuid::Uuid::nil(),
            position: 1,
            kind: EntryKind::TaskDebit,
            amount: Credits::from_cents(-1_000),
            balance_after: Credits::from_cents(99_000),
            reference_id: Some("-2+3".into()),
            description: "=HYPERLINK(\"x\"), really".into(),
            created_at: chrono::DateTime::UNIX_EPOCH,
        };
        let text = String::from_utf8(rows(&[entry], true).unwrap()).unwrap();
        assert_eq!(
            text,
            "time,type,amount,balance after,reference,description\r\n\
             1970-01-01T00:00:00.000Z,task_debit,-10.00,990.00,'-2+3,\"'=HYPERLINK(\"\"x\"\"), really\"\r\n"
        );
        assert_eq!([harmless("@x"), harmless("\tx"), harmless("plain")], ["'@x", "'\tx", "plain"]);
    }
}
