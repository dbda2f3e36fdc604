//! Keyset paging: a page ends with the key of its last row, and the next one starts after it. Rows that come
//! or go in between neither repeat nor vanish, and the hundredth page costs what the first does.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use uuid::Uuid;

use crate::{Error, FieldError, Result};

/// Where a page ends: the sort key of its last row and the row's id. Opaque to clients.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// The sort key as text; each list knows its own form.
    pub key: String,
    /// Breaks ties between equal keys.
    pub id: Uuid,
}

/// One page of rows.
#[derive(Clone, Debug)]
pub struct Page<T> {
    /// The rows, in the list's order.
    pub items: Vec<T>,
    /// Where the next page starts; `None` on the last.
    pub next: Option<Cursor>,
}

impl<T> Page<T> {
    /// Cuts `rows`, which hold one more than `limit` if there is a next page, to a page.
    pub fn cut(mut rows: Vec<T>, limit: usize, cursor: impl Fn(&T) -> Cursor) -> Page<T> {
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next = if more { rows.last().map(cursor) } else { None };
        Page { items: rows, next }
    }
}

impl std::fmt::Display for Cursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&URL_SAFE_NO_PAD.encode(format!("{}|{}", self.key, self.id)))
    }
}

impl FromStr for Cursor {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused = || Error::Validation(vec![FieldError::new("cursor", "is not one that this list gave out")]);
        let bytes = URL_SAFE_NO_PAD.decode(text).map_err(|_| refused())?;
        let plain = String::from_utf8(bytes).map_err(|_| refused())?;
        let (key, id) = plain.rsplit_once('|').ok_or_else(refused)?;
        Ok(Cursor { key: key.to_owned(), id: id.parse().map_err(|_| refused())? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_the_url_and_a_forged_one_is_refused() {
        let cursor = Cursor { key: "97.50|x".into(), id: Uuid::from_u128(7) };
        assert_eq!(cursor.to_string().parse::<Cursor>().unwrap(), cursor);
        for bad in ["", "%%%", "AAAA", "bm90LWEtdXVpZHw3"] {
            assert!(matches!(bad.parse::<Cursor>(), Err(Error::Validation(_))), "{bad}");
        }
    }

    #[test]
    fn a_page_has_a_next_one_only_if_there_is_more() {
        let at = |n: &i32| Cursor { key: n.to_string(), id: Uuid::nil() };
        assert_eq!(Page::cut(vec![1, 2, 3], 3, at).next, None);
        let page = Page::cut(vec![1, 2, 3], 2, at);
        assert_eq!((page.items, page.next.unwrap().key), (vec![1, 2], "2".to_owned()));
    }
}
