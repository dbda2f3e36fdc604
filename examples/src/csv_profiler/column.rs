//! The profile of one column.

use std::collections::HashMap;

use chrono::{NaiveDateTime, NaiveTime};
use serde_json::{Value, json};

use super::cell::Cell;
use super::read::Table;
use crate::numbers::rounded;

/// Longer values are cut where they are shown.
const SHOWN_CHARS: usize = 60;

/// How many filled cells there are of each kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Kinds {
    pub integers: usize,
    pub numbers: usize,
    pub booleans: usize,
    pub dates: usize,
    pub times: usize,
    pub texts: usize,
}

impl Kinds {
    /// Numbers, booleans, dates and texts. A column that mixes these is mixed; one of integers and other numbers is
    /// not.
    pub fn families(self) -> [usize; 4] {
        [self.integers + self.numbers, self.booleans, self.dates + self.times, self.texts]
    }
}

/// One column, profiled.
#[derive(Debug)]
pub(super) struct Column {
    pub name: String,
    pub kinds: Kinds,
    pub filled: usize,
    pub missing: usize,
    pub distinct: usize,
    /// The most frequent value and how often it occurs; among equals the one that comes first.
    pub top: Option<(String, usize)>,
    /// The first cell of each family of kinds, in the order of [`Kinds::families`].
    pub examples: [Option<String>; 4],
    numbers: Numbers,
    earliest: Option<NaiveDateTime>,
    latest: Option<NaiveDateTime>,
}

/// Mean and variance in one pass (Welford's method), which does not lose digits the way sums of squares do.
#[derive(Debug, Default)]
struct Numbers {
    count: usize,
    mean: f64,
    squares: f64,
    range: Option<(f64, f64)>,
}

impl Numbers {
    fn add(&mut self, x: f64) {
        self.count += 1;
        let off = x - self.mean;
        self.mean += off / self.count as f64;
        self.squares += off * (x - self.mean);
        self.range = Some(self.range.map_or((x, x), |(low, high)| (low.min(x), high.max(x))));
    }

    /// Of a sample; one number alone has none.
    fn standard_deviation(&self) -> Option<f64> {
        (self.count > 1).then(|| (self.squares / (self.count - 1) as f64).sqrt())
    }
}

impl Column {
    /// The profile of the column at `at`.
    pub fn of(table: &Table, at: usize) -> Column {
        let mut column = Column {
            name: table.names[at].clone(),
            kinds: Kinds::default(),
            filled: 0,
            missing: 0,
            distinct: 0,
            top: None,
            examples: [const { None }; 4],
            numbers: Numbers::default(),
            earliest: None,
            latest: None,
        };
        let mut values: HashMap<&str, (usize, usize)> = HashMap::new();
        for (row, text) in table.cells(at).enumerate() {
            let cell = Cell::of(text, table.decimal_comma());
            column.count(cell, text);
            if cell != Cell::Missing {
                values.entry(text.trim()).or_insert((0, row)).0 += 1;
            }
        }
        column.distinct = values.len();
        let top = values.into_iter().max_by(|(_, (n, row)), (_, (m, other))| n.cmp(m).then(other.cmp(row)));
        column.top = top.map(|(value, (times, _))| (shown(value), times));
        column
    }

    fn count(&mut self, cell: Cell, text: &str) {
        let k = &mut self.kinds;
        let (kind, family) = match cell {
            Cell::Missing => {
                self.missing += 1;
                return;
            }
            Cell::Integer(_) => (&mut k.integers, 0),
            Cell::Number(_) => (&mut k.numbers, 0),
            Cell::Boolean => (&mut k.booleans, 1),
            Cell::Date(_) => (&mut k.dates, 2),
            Cell::DateTime(_) => (&mut k.times, 2),
            Cell::Text => (&mut k.texts, 3),
        };
        *kind += 1;
        self.filled += 1;
        self.examples[family].get_or_insert_with(|| shown(text.trim()));
        if let Some(moment) = cell.moment() {
            self.earliest = Some(self.earliest.map_or(moment, |known| known.min(moment)));
            self.latest = Some(self.latest.map_or(moment, |known| known.max(moment)));
        }
        if let Some(x) = cell.value() {
            self.numbers.add(x);
        }
    }

    /// `integer`, `number`, `boolean`, `date`, `datetime`, `text`, `mixed` or `empty`. A column that is at least
    /// half text is text: codes such as A1, 12, B3 are no mistake.
    pub fn kind(&self) -> &'static str {
        let k = self.kinds;
        let several = k.families().iter().filter(|count| **count > 0).count() > 1;
        match () {
            () if self.filled == 0 => "empty",
            () if k.texts * 2 >= self.filled => "text",
            () if several => "mixed",
            () if k.numbers > 0 => "number",
            () if k.integers > 0 => "integer",
            () if k.booleans > 0 => "boolean",
            () if k.times > 0 => "datetime",
            () => "date",
        }
    }

    /// Whether the numbers of the column say something about it.
    fn is_numeric(&self) -> bool {
        self.numbers.count > 0 && self.kind() != "text"
    }

    /// The column's row in the table of results.
    pub fn row(&self) -> Value {
        let (min, max) = self.bounds();
        let numeric = self.is_numeric();
        json!({
            "column": self.name,
            "type": self.kind(),
            "filled": self.filled,
            "missing": self.missing,
            "distinct": self.distinct,
            "min": min,
            "max": max,
            "mean": numeric.then(|| rounded(self.numbers.mean, 4)),
            "stddev": self.numbers.standard_deviation().filter(|_| numeric).map(|x| rounded(x, 4)),
            "topValue": self.top.as_ref().map(|(value, _)| value),
            "topCount": self.top.as_ref().map(|(_, times)| times),
        })
    }

    /// The column in one line for people.
    pub fn sentence(&self) -> String {
        let mut text = format!("{}: {}, {} filled", self.name, self.kind(), self.filled);
        if self.missing > 0 {
            text.push_str(&format!(", {} missing", self.missing));
        }
        text.push_str(&format!(", {} distinct", self.distinct));
        let (min, max) = self.bounds();
        if !min.is_null() {
            let plain = |value: Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            text.push_str(&format!(", {} to {}", plain(min), plain(max)));
        }
        if self.is_numeric() {
            text.push_str(&format!(", mean {}", rounded(self.numbers.mean, 4)));
        }
        text
    }

    /// Least and greatest: numbers of a numeric column, ISO dates of one of dates, else nothing.
    fn bounds(&self) -> (Value, Value) {
        let kind = self.kind();
        if let (true, Some((low, high))) = (self.is_numeric(), self.numbers.range) {
            return (plain_number(low), plain_number(high));
        }
        match (kind, self.earliest, self.latest) {
            ("date" | "datetime", Some(earliest), Some(latest)) => (iso(earliest, kind), iso(latest, kind)),
            _ => (Value::Null, Value::Null),
        }
    }
}

/// Whole numbers without `.0`.
fn plain_number(x: f64) -> Value {
    if x.fract() == 0.0 && x.abs() < 9e15 { json!(x as i64) } else { json!(x) }
}

fn iso(moment: NaiveDateTime, kind: &str) -> Value {
    if kind == "date" && moment.time() == NaiveTime::MIN {
        json!(moment.date().to_string())
    } else {
        json!(moment.format("%Y-%m-%dT%H:%M:%S").to_string())
    }
}

fn shown(value: &str) -> String {
    match value.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}…", &value[..end]),
        None => value.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn column(cells: &[&str]) -> Column {
        let csv = format!("c;x\n{}", cells.iter().map(|cell| format!("{cell};.\n")).collect::<String>());
        Column::of(&Table::read(&csv, None, true).unwrap(), 0)
    }

    #[test]
    fn kinds_of_columns() {
        let cases: [(&[&str], &str); 10] = [
            (&["1", "2", ""], "integer"),
            (&["1", "2,5"], "number"),
            (&["yes", "no"], "boolean"),
            (&["2025-01-01", "02.01.2025"], "date"),
            (&["2025-01-01", "2025-01-02 10:00"], "datetime"),
            (&["a", "b"], "text"),
            (&["A1", "12", "B3"], "text"),
            (&["1", "2", "free"], "mixed"),
            (&["1", "2025-01-01", "3"], "mixed"),
            (&["", "n/a"], "empty"),
        ];
        for (cells, kind) in cases {
            assert_eq!(column(cells).kind(), kind, "{cells:?}");
        }
    }

    #[test]
    fn a_numeric_column() {
        let row = column(&["2", "4", "4", "4", "5", "5", "7", "9", "n/a"]).row();
        assert_eq!(row["mean"], 5.0);
        assert_eq!(row["stddev"], 2.1381);
        assert_eq!((&row["min"], &row["max"], &row["distinct"]), (&json!(2), &json!(9), &json!(5)));
        assert_eq!((&row["filled"], &row["missing"]), (&json!(8), &json!(1)));
        assert_eq!((&row["topValue"], &row["topCount"]), (&json!("4"), &json!(3)));
    }

    #[test]
    fn dates_and_texts() {
        let row = column(&["03.02.2025", "2024-12-31"]).row();
        assert_eq!((&row["min"], &row["max"]), (&json!("2024-12-31"), &json!("2025-02-03")));
        let row = column(&["b", "a", "b"]).row();
        assert_eq!((&row["min"], &row["mean"], &row["topValue"]), (&Value::Null, &Value::Null, &json!("b")));
    }
}
