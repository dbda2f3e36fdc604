//! What looks wrong in a table: one line of text each.

use std::collections::HashSet;

use super::column::Column;
use super::read::Table;
use crate::numbers::{counted, grouped};

/// So many places are named of each oddity; the rest is counted.
const PLACES: usize = 5;

/// Everything odd, the whole table first, then column by column.
pub(super) fn find(table: &Table, columns: &[Column]) -> Vec<String> {
    let mut found = Vec::new();
    found.extend(one_column(table));
    found.extend(ragged(table));
    found.extend(repeated_rows(table));
    found.extend(repeated_names(table));
    for column in columns {
        found.extend(of_column(column, table.rows.len()));
    }
    found
}

fn one_column(table: &Table) -> Option<String> {
    (table.names.len() == 1).then(|| "there is only one column; if that is wrong, name the delimiter".to_owned())
}

fn ragged(table: &Table) -> Option<String> {
    let width = table.names.len();
    let places: Vec<String> = table
        .rows
        .iter()
        .filter(|row| row.len() != width)
        .map(|row| format!("{} ({})", line(row), row.len()))
        .collect();
    let rows = counted(places.len(), "row does", "rows do");
    (!places.is_empty()).then(|| format!("{rows} not have {width} fields: {}", at_lines(&places)))
}

fn repeated_rows(table: &Table) -> Option<String> {
    let mut seen: HashSet<Vec<&str>> = HashSet::new();
    let again = table.rows.iter().filter(|row| !seen.insert(row.iter().map(str::trim).collect()));
    let places: Vec<String> = again.map(|row| line(row).to_string()).collect();
    let rows = counted(places.len(), "row repeats", "rows repeat");
    (!places.is_empty()).then(|| format!("{rows} an earlier one: {}", at_lines(&places)))
}

fn repeated_names(table: &Table) -> Option<String> {
    let mut seen = HashSet::new();
    let again: Vec<String> =
        table.names.iter().filter(|name| !seen.insert(name.to_lowercase())).map(|name| format!("“{name}”")).collect();
    (!again.is_empty()).then(|| format!("several columns have the same name: {}", listed(&again)))
}

fn of_column(column: &Column, rows: usize) -> Vec<String> {
    let name = &column.name;
    let mut found = Vec::new();
    if column.filled == 0 {
        found.push(format!("{name}: empty in every row"));
    } else if column.missing * 2 > rows {
        found.push(format!("{name}: missing in {} of {} rows", grouped(column.missing as u64), grouped(rows as u64)));
    }
    // One value makes a column constant, which is no news.
    if let (1, Some((value, 2..))) = (column.distinct, &column.top) {
        found.push(format!("{name}: always “{value}”"));
    }
    if column.kind() == "mixed" {
        found.push(format!("{name}: {}", mixture(column)));
    }
    found
}

/// How many cells there are of each family, and an example of the rarest, which is the one to look for.
fn mixture(column: &Column) -> String {
    let words = [("number", "numbers"), ("yes or no", "yes or no"), ("date", "dates"), ("text", "texts")];
    let families = column.kinds.families();
    let present = || (0..families.len()).filter(|family| families[*family] > 0);
    let parts: Vec<String> = present().map(|f| counted(families[f], words[f].0, words[f].1)).collect();
    let rarest = present().min_by_key(|family| families[*family]).and_then(|f| column.examples[f].as_deref());
    format!("{} (such as “{}”)", parts.join(", "), rarest.unwrap_or_default())
}

fn line(row: &csv::StringRecord) -> u64 {
    row.position().map_or(0, csv::Position::line)
}

/// The first few, and how many more there are.
fn listed(places: &[String]) -> String {
    let mut text = places.iter().take(PLACES).cloned().collect::<Vec<_>>().join(", ");
    if places.len() > PLACES {
        text.push_str(&format!(" and {} more", grouped((places.len() - PLACES) as u64)));
    }
    text
}

fn at_lines(places: &[String]) -> String {
    format!("{} {}", if places.len() == 1 { "line" } else { "lines" }, listed(places))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(csv: &str) -> Vec<String> {
        let table = Table::read(csv, None, true).unwrap();
        let columns: Vec<Column> = (0..table.names.len()).map(|at| Column::of(&table, at)).collect();
        find(&table, &columns)
    }

    #[test]
    fn a_clean_table_has_none() {
        assert_eq!(found("id,name\n1,ann\n2,bob\n"), Vec::<String>::new());
    }

    #[test]
    fn each_kind_of_oddity() {
        let csv = "a,A,b,c\n1,x,,9\n2,y,,9\n2,y,,9\n3,z,,9,extra\n4,x,q,9\n";
        let expected = [
            "1 row does not have 4 fields: line 5 (5)",
            "1 row repeats an earlier one: line 4",
            "several columns have the same name: “A”",
            "b: missing in 4 of 5 rows",
            "c: always “9”",
        ];
        assert_eq!(found(csv), expected);
        assert!(found("only\n1\n2\n")[0].contains("only one column"));
    }

    #[test]
    fn long_lists_are_cut() {
        let csv = format!("a,b\n{}", "1\n".repeat(7));
        assert!(found(&csv)[0].ends_with("lines 2 (1), 3 (1), 4 (1), 5 (1), 6 (1) and 2 more"), "{:?}", found(&csv));
    }
}
