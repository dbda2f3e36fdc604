//! What a single cell holds.

use chrono::{NaiveDate, NaiveDateTime, NaiveTime};

/// The content of a cell, by what it can be read as.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell {
    /// Empty, or a word that stands for it, such as `n/a`.
    Missing,
    Integer(f64),
    Number(f64),
    Boolean,
    Date(NaiveDate),
    DateTime(NaiveDateTime),
    Text,
}

/// In lower case.
const MISSING: [&str; 9] = ["", "na", "n/a", "null", "none", "nan", "-", "--", "?"];
const BOOLEANS: [&str; 4] = ["true", "false", "yes", "no"];
/// Only formats that read one way: 03/04/2025 is March or April, so it stays text.
const DATES: [&str; 3] = ["%Y-%m-%d", "%Y/%m/%d", "%d.%m.%Y"];
const DATE_TIMES: [&str; 4] = ["%Y-%m-%dT%H:%M:%S%.f", "%Y-%m-%d %H:%M:%S%.f", "%Y-%m-%dT%H:%M", "%Y-%m-%d %H:%M"];

impl Cell {
    /// Reads `text`; `decimal_comma` says that 1,5 is one and a half.
    pub fn of(text: &str, decimal_comma: bool) -> Cell {
        let text = text.trim();
        let is = |words: &[&str]| words.iter().any(|word| word.eq_ignore_ascii_case(text));
        if is(&MISSING) {
            return Cell::Missing;
        }
        if is(&BOOLEANS) {
            return Cell::Boolean;
        }
        if let Some(number) = number(text, decimal_comma) {
            return number;
        }
        if !text.starts_with(|c: char| c.is_ascii_digit()) {
            return Cell::Text;
        }
        if let Some(date) = DATES.iter().find_map(|format| NaiveDate::parse_from_str(text, format).ok()) {
            return Cell::Date(date);
        }
        let local = text.strip_suffix('Z').unwrap_or(text);
        match DATE_TIMES.iter().find_map(|format| NaiveDateTime::parse_from_str(local, format).ok()) {
            Some(time) => Cell::DateTime(time),
            None => Cell::Text,
        }
    }

    /// The moment a date or time stands for.
    pub fn moment(self) -> Option<NaiveDateTime> {
        match self {
            Cell::Date(date) => Some(date.and_time(NaiveTime::MIN)),
            Cell::DateTime(time) => Some(time),
            Cell::Missing | Cell::Integer(_) | Cell::Number(_) | Cell::Boolean | Cell::Text => None,
        }
    }

    /// The value of a number.
    pub fn value(self) -> Option<f64> {
        match self {
            Cell::Integer(x) | Cell::Number(x) => Some(x),
            Cell::Missing | Cell::Boolean | Cell::Date(_) | Cell::DateTime(_) | Cell::Text => None,
        }
    }
}

fn number(text: &str, decimal_comma: bool) -> Option<Cell> {
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let mut chars = digits.chars();
    let first = chars.next()?;
    // A leading zero makes it a code (a postcode, an article number), which no arithmetic should touch.
    if !first.is_ascii_digit() || (first == '0' && chars.next().is_some_and(|c| c.is_ascii_digit())) {
        return None;
    }
    if !digits.chars().all(|c| c.is_ascii_digit() || matches!(c, '.' | ',' | 'e' | 'E' | '+' | '-')) {
        return None;
    }
    let (group, point) = if decimal_comma { ('.', ',') } else { (',', '.') };
    // Under a decimal comma 1.5 is still one and a half unless the dot groups thousands beside a comma.
    let plain = if text.contains(',') { ungrouped(text, group, point)? } else { text.to_owned() };
    let value: f64 = plain.parse().ok().filter(|value: &f64| value.is_finite())?;
    let whole = digits.chars().all(|c| c.is_ascii_digit() || c == group) && !plain.contains('.');
    Some(if whole { Cell::Integer(value) } else { Cell::Number(value) })
}

/// `text` without its grouping marks and with a decimal point; `None` where the groups are not of three digits.
fn ungrouped(text: &str, group: char, point: char) -> Option<String> {
    let (whole, fraction) = text.split_once(point).map_or((text, None), |(whole, fraction)| (whole, Some(fraction)));
    let mut groups = whole.trim_start_matches(['-', '+']).split(group);
    let head = groups.next()?;
    let rest: Vec<&str> = groups.collect();
    let grouped = !rest.is_empty();
    if (grouped && head.len() > 3) || rest.iter().any(|g| g.len() != 3) || fraction.is_some_and(|f| f.contains(group)) {
        return None;
    }
    let whole = whole.replace(group, "");
    Some(fraction.map_or_else(|| whole.clone(), |fraction| format!("{whole}.{fraction}")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_both_notations() {
        let cases = [
            ("42", false, Cell::Integer(42.0)),
            ("-7", true, Cell::Integer(-7.0)),
            ("2.50", false, Cell::Number(2.5)),
            ("1e3", false, Cell::Number(1000.0)),
            ("1,234", false, Cell::Integer(1234.0)),
            ("1,234.5", false, Cell::Number(1234.5)),
            ("12,5", true, Cell::Number(12.5)),
            ("1.234,56", true, Cell::Number(1234.56)),
            ("2.5", true, Cell::Number(2.5)),
            ("12,5", false, Cell::Text),
            ("0123", false, Cell::Text),
            ("0.5", false, Cell::Number(0.5)),
            ("0", false, Cell::Integer(0.0)),
            ("1e999", false, Cell::Text),
            ("inf", false, Cell::Text),
            ("12 kg", false, Cell::Text),
        ];
        for (text, decimal_comma, cell) in cases {
            assert_eq!(Cell::of(text, decimal_comma), cell, "{text}");
        }
    }

    #[test]
    fn the_other_kinds() {
        for missing in ["", "  ", "N/A", "null", "-"] {
            assert_eq!(Cell::of(missing, false), Cell::Missing, "{missing:?}");
        }
        assert_eq!(Cell::of("Yes", false), Cell::Boolean);
        assert_eq!(Cell::of("2025-02-28", false), Cell::of("28.02.2025", false));
        assert!(matches!(Cell::of("2025-02-28T10:30:00Z", false), Cell::DateTime(_)));
        for text in ["2025-02-30", "03/04/2025", "A1", "1-2"] {
            assert_eq!(Cell::of(text, false), Cell::Text, "{text}");
        }
    }
}
