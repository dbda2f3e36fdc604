//! Reads CSV text into rows, guessing the delimiter where none is given.

use std::collections::HashMap;

use csv::{ReaderBuilder, StringRecord};

use crate::agent::Refusal;

/// The words of the input's `delimiter` field.
pub(super) const DELIMITERS: [&str; 5] = ["auto", "comma", "semicolon", "tab", "pipe"];
/// Wider tables are not made for people, and their profile neither.
const COLUMNS_MAX: usize = 500;
/// Rows that the guess looks at.
const GUESS_ROWS: usize = 100;

/// What separates the fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Delimiter {
    Comma,
    Semicolon,
    Tab,
    Pipe,
}

/// In the order in which ties are decided.
const CANDIDATES: [Delimiter; 4] = [Delimiter::Comma, Delimiter::Semicolon, Delimiter::Tab, Delimiter::Pipe];

impl Delimiter {
    /// By a word of [`DELIMITERS`]; `None` for `auto`.
    pub fn named(name: &str) -> Option<Delimiter> {
        CANDIDATES.into_iter().find(|candidate| candidate.name() == name)
    }

    pub fn name(self) -> &'static str {
        match self {
            Delimiter::Comma => "comma",
            Delimiter::Semicolon => "semicolon",
            Delimiter::Tab => "tab",
            Delimiter::Pipe => "pipe",
        }
    }

    fn byte(self) -> u8 {
        match self {
            Delimiter::Comma => b',',
            Delimiter::Semicolon => b';',
            Delimiter::Tab => b'\t',
            Delimiter::Pipe => b'|',
        }
    }

    /// The one under which most rows have the same number of fields, more than one.
    fn guess(csv: &str) -> Delimiter {
        let mut best = (Delimiter::Comma, 0.0);
        for candidate in CANDIDATES {
            let widths: Vec<usize> = records(csv, candidate).take(GUESS_ROWS).flatten().map(|r| r.len()).collect();
            let Some((width, times)) = most_common(&widths).filter(|(width, _)| *width > 1) else {
                continue;
            };
            // Agreement decides; among equals the finer cut does, but never against agreement.
            let score = times as f64 / widths.len() as f64 + 0.001 * width.min(100) as f64;
            if score > best.1 {
                best = (candidate, score);
            }
        }
        best.0
    }
}

/// A table as it was sent.
pub(super) struct Table {
    pub delimiter: Delimiter,
    pub has_header: bool,
    /// One name a column, made up where there is none. How many there are is the table's width.
    pub names: Vec<String>,
    pub rows: Vec<StringRecord>,
}

impl Table {
    /// Rows of any width are taken as they are; blank lines are skipped.
    pub fn read(csv: &str, delimiter: Option<Delimiter>, has_header: bool) -> Result<Table, Refusal> {
        let delimiter = delimiter.unwrap_or_else(|| Delimiter::guess(csv));
        let mut rows = Vec::new();
        for record in records(csv, delimiter) {
            rows.push(record.map_err(|error| Refusal::failed(format!("csv: cannot be read: {error}")))?);
        }
        let names = if has_header && !rows.is_empty() {
            rows.remove(0).iter().enumerate().map(|(at, name)| named(name, at)).collect()
        } else {
            let widths: Vec<usize> = rows.iter().map(StringRecord::len).collect();
            let width = most_common(&widths).map_or(0, |(width, _)| width);
            (0..width).map(|at| named("", at)).collect::<Vec<_>>()
        };
        if rows.is_empty() {
            return Err(Refusal::failed("csv: has no rows below the header; send a table of at least two lines"));
        }
        if names.len() > COLUMNS_MAX {
            return Err(Refusal::failed(format!("csv: has {} columns; send at most {COLUMNS_MAX}", names.len())));
        }
        Ok(Table { delimiter, has_header, names, rows })
    }

    /// The cells of one column; rows that are too short have an empty one.
    pub fn cells(&self, column: usize) -> impl Iterator<Item = &str> {
        self.rows.iter().map(move |row| row.get(column).unwrap_or_default())
    }

    /// Whether a comma inside a number is a decimal comma: where commas do not separate fields, they usually are.
    pub fn decimal_comma(&self) -> bool {
        self.delimiter != Delimiter::Comma
    }
}

fn records(csv: &str, delimiter: Delimiter) -> impl Iterator<Item = Result<StringRecord, csv::Error>> {
    let mut builder = ReaderBuilder::new();
    builder.has_headers(false).flexible(true).delimiter(delimiter.byte());
    builder.from_reader(csv.as_bytes()).into_records()
}

fn named(name: &str, at: usize) -> String {
    let name = name.trim();
    if name.is_empty() { format!("column {}", at + 1) } else { name.to_owned() }
}

/// The most common width and how often it occurs; among equals the larger.
fn most_common(widths: &[usize]) -> Option<(usize, usize)> {
    let mut times: HashMap<usize, usize> = HashMap::new();
    for width in widths {
        *times.entry(*width).or_default() += 1;
    }
    times.into_iter().max_by_key(|(width, times)| (*times, *width))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_delimiter_is_found() {
        let cases = [
            ("a,b\n1,2\n", Delimiter::Comma),
            ("a;b\n1,5;2,5\n", Delimiter::Semicolon),
            ("a\tb\n1, 2\t3\n", Delimiter::Tab),
            ("a|b\n\"1|2\"|3\n", Delimiter::Pipe),
            ("name;note\nx;one, two\ny;three\n", Delimiter::Semicolon),
            ("single\n1\n", Delimiter::Comma),
        ];
        for (csv, delimiter) in cases {
            assert_eq!(Delimiter::guess(csv), delimiter, "{csv}");
        }
    }

    #[test]
    fn names_are_made_up_where_missing() {
        let table = Table::read("a,,c\n1,2,3\n", None, true).unwrap();
        assert_eq!(table.names, ["a", "column 2", "c"]);
        let table = Table::read("1,2\n3,4,5\n6,7\n", None, false).unwrap();
        assert_eq!((table.names.len(), table.rows.len()), (2, 3));
        assert_eq!(table.cells(1).collect::<Vec<_>>(), ["2", "4", "7"]);
    }
}
