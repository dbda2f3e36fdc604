//! CSV profiler: what is in each column of a table, and what looks wrong.

mod cell;
mod column;
mod oddities;
mod offer;
mod read;

use a2a::Message;
use serde_json::Value;

use crate::agent::{Done, Refusal, Started};
use crate::artifact;
use crate::input::Input;
use crate::numbers::counted;
use column::Column;
use read::{Delimiter, Table};

pub(crate) use offer::{AGENT, LISTING};

fn profile(message: &Message) -> Result<Started, Refusal> {
    let input = Input::read(message, "csv", offer::FILES)?;
    let csv = input.text("csv", offer::CSV_MAX)?;
    let delimiter = Delimiter::named(input.choice("delimiter", &read::DELIMITERS, "auto")?);
    let table = Table::read(csv, delimiter, input.flag("hasHeader", true)?)?;
    let columns: Vec<Column> = (0..table.names.len()).map(|at| Column::of(&table, at)).collect();
    let oddities = oddities::find(&table, &columns);
    let line = format!("{}, {}", size(&table), counted(oddities.len(), "oddity", "oddities"));
    let rows: Vec<Value> = columns.iter().map(Column::row).collect();
    let artifacts = vec![
        artifact::text("summary", "The table in words, and what looks wrong.", summary(&table, &columns, &oddities)),
        artifact::data("columns", "One row a column.", Value::Array(rows)),
    ];
    Ok(Started::Done(Done { line, artifacts }))
}

fn size(table: &Table) -> String {
    let (rows, columns) = (table.rows.len(), table.names.len());
    format!("{}, {}", counted(rows, "row", "rows"), counted(columns, "column", "columns"))
}

fn summary(table: &Table, columns: &[Column], oddities: &[String]) -> String {
    let header = if table.has_header { "the first line names the columns" } else { "no header" };
    let mut text = format!("{}; separated by {}; {header}.\n\nColumns\n", size(table), table.delimiter.name());
    for column in columns {
        text.push_str(&format!("- {}\n", column.sentence()));
    }
    text.push_str("\nOddities\n");
    if oddities.is_empty() {
        text.push_str("- none found\n");
    }
    for oddity in oddities {
        text.push_str(&format!("- {oddity}\n"));
    }
    text
}

#[cfg(test)]
mod tests {
    use a2a::{Part, Role};
    use serde_json::json;

    use super::*;

    fn run(input: Value) -> Result<Done, Refusal> {
        match profile(&Message::new(Role::User, vec![Part::data(input)]))? {
            Started::Done(done) => Ok(done),
            Started::Working(_) => panic!("fast agents do not take time"),
        }
    }

    #[test]
    fn a_table_in_words() {
        let csv = "id,price,currency\n1,2.50,EUR\n2,,EUR\n2,,EUR\n3,free,EUR\n4,9,EUR\n5,8";
        let done = run(json!({ "csv": csv })).unwrap();
        let text = done.artifacts[0].parts[0].as_text().unwrap();
        for part in [
            "6 rows, 3 columns; separated by comma",
            "price: mixed, 4 filled, 2 missing",
            "1 row repeats an earlier one: line 4",
            "price: 3 numbers, 1 text (such as “free”)",
            "currency: always “EUR”",
            "line 7 (2)",
        ] {
            assert!(text.contains(part), "{part}\n---\n{text}");
        }
        assert_eq!(done.line, "6 rows, 3 columns, 4 oddities");
    }

    #[test]
    fn what_is_no_table_fails() {
        for (csv, why) in [("just a sentence", "no rows"), ("a,b\n", "no rows")] {
            match run(json!({ "csv": csv })) {
                Err(Refusal::Failed(text)) => assert!(text.starts_with("csv: ") && text.contains(why), "{text}"),
                Err(other) => panic!("{other:?}"),
                Ok(_) => panic!("{csv} passed"),
            }
        }
        assert!(matches!(run(json!({ "csv": "a\n1", "delimiter": "#" })), Err(Refusal::Rejected(_))));
    }
}
