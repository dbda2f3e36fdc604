//! The documentation is true: the data model against the database, links against files, settings against the source.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use sqlx::PgPool;

/// By table (`schema.table`) and column: type, null and default as the page writes them.
type Tables = BTreeMap<String, BTreeMap<String, [String; 3]>>;

const WHAT: [&str; 3] = ["type", "null", "default"];
const HEADER: &str = "| Column | Type | Null | Default | Meaning |";

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// The pages by slug, with their text.
fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    for entry in fs::read_dir(root().join("docs")).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_some_and(|e| e == "md") {
            let slug = path.file_stem().unwrap().to_str().unwrap().to_owned();
            pages.insert(slug, fs::read_to_string(&path).unwrap());
        }
    }
    assert!(pages.contains_key("index"), "docs/ has pages");
    pages
}

/// The tables of the page: a third-level heading names one, the rows below its header are its columns.
fn documented(text: &str) -> Tables {
    let mut tables = Tables::new();
    let mut table = String::new();
    let mut in_columns = false;
    for line in text.lines() {
        if let Some(heading) = line.strip_prefix("### ") {
            table = heading.trim().to_owned();
            let known = tables.insert(table.clone(), BTreeMap::new());
            assert!(known.is_none(), "docs/data-model.md describes {table} twice");
        } else if line.starts_with('#') {
            table.clear();
        }
        if line == HEADER {
            in_columns = true;
            assert!(!table.is_empty(), "docs/data-model.md has columns without a table");
        } else if !line.starts_with('|') {
            in_columns = false;
        } else if in_columns && !line.starts_with("|-") {
            let cells: Vec<&str> = line.trim_matches('|').split(" | ").map(str::trim).collect();
            let [column, kind, null, default, meaning] = cells[..] else {
                panic!("docs/data-model.md, {table}: not five cells: {line}");
            };
            let column = column.trim_matches('`');
            assert!(!meaning.is_empty(), "docs/data-model.md, {table}.{column} has no meaning");
            // A bar within a cell is escaped, in code too.
            let row = [kind, null, default].map(|cell| cell.trim_matches('`').replace("\\|", "|"));
            let known = tables.get_mut(&table).unwrap().insert(column.to_owned(), row);
            assert!(known.is_none(), "docs/data-model.md describes {table}.{column} twice");
        }
    }
    tables
}

/// The tables of the database: every schema that the migrations fill, without the list of migrations.
async fn existing(pool: &PgPool) -> Tables {
    let rows: Vec<(String, String, String, String, String)> = sqlx::query_as(
        "SELECT n.nspname || '.' || c.relname, a.attname::text, format_type(a.atttypid, a.atttypmod),
                CASE WHEN a.attnotnull THEN 'no' ELSE 'yes' END,
                CASE WHEN a.attidentity <> '' THEN 'identity' WHEN a.attgenerated <> '' THEN 'generated'
                     ELSE coalesce(pg_get_expr(d.adbin, d.adrelid), '-') END
           FROM pg_class c
           JOIN pg_namespace n ON n.oid = c.relnamespace
           JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
           LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
          WHERE c.relkind IN ('r', 'p') AND n.nspname <> 'information_schema' AND n.nspname NOT LIKE 'pg\\_%'
            AND c.relname <> '_sqlx_migrations'",
    )
    .fetch_all(pool)
    .await
    .unwrap();
    let mut tables = Tables::new();
    for (table, column, kind, null, default) in rows {
        tables.entry(table).or_default().insert(column, [kind, null, default]);
    }
    tables
}

#[sqlx::test(migrations = "./migrations")]
async fn the_data_model_page_is_the_database(pool: PgPool) {
    let database = existing(&pool).await;
    let page = documented(&pages()["data-model"]);
    for schema in ["public.", "auth."] {
        assert!(database.keys().any(|table| table.starts_with(schema)), "the database has tables in {schema}");
    }
    let mut wrong = Vec::new();
    for (table, columns) in &database {
        let Some(described) = page.get(table) else {
            wrong.push(format!("{table} is not in docs/data-model.md"));
            continue;
        };
        for (column, is) in columns {
            let Some(says) = described.get(column) else {
                wrong.push(format!("{table}.{column} is not in docs/data-model.md"));
                continue;
            };
            for (what, (is, says)) in WHAT.iter().zip(is.iter().zip(says)) {
                if is != says {
                    wrong.push(format!("{table}.{column}: {what} is {is}, docs/data-model.md says {says}"));
                }
            }
        }
    }
    for (table, columns) in &page {
        let Some(is) = database.get(table) else {
            wrong.push(format!("{table} is in docs/data-model.md, but not in the database"));
            continue;
        };
        for column in columns.keys().filter(|column| !is.contains_key(*column)) {
            wrong.push(format!("{table}.{column} is in docs/data-model.md, but not in the database"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Where the links of a page lead: what stands between `](` and `)`.
fn links(text: &str) -> Vec<&str> {
    text.split("](").skip(1).filter_map(|rest| rest.split(')').next()).collect()
}

#[test]
fn links_between_pages_lead_to_files() {
    for (slug, text) in pages() {
        for link in links(&text) {
            let path = link.split('#').next().unwrap_or_default();
            let target = match path.strip_prefix("/docs") {
                Some("" | "/") => "index",
                // Made of the OpenAPI document.
                Some("/api") => continue,
                Some(rest) => rest.trim_start_matches('/'),
                None => {
                    assert!(!path.ends_with(".md"), "docs/{slug}.md: {link} should be written as /docs/…");
                    continue;
                }
            };
            let file = root().join("docs").join(format!("{target}.md"));
            assert!(file.is_file(), "docs/{slug}.md: {link} leads to no file");
        }
    }
}

#[test]
fn the_overview_links_to_every_page() {
    let pages = pages();
    let linked: BTreeSet<&str> =
        links(&pages["index"]).into_iter().filter_map(|link| link.strip_prefix("/docs/")).collect();
    for slug in pages.keys().filter(|slug| *slug != "index") {
        assert!(linked.contains(slug.as_str()), "docs/index.md does not link to /docs/{slug}");
    }
}

#[test]
fn each_page_is_one_title_and_a_lead() {
    for (slug, text) in pages() {
        let mut lines = text.lines();
        assert!(lines.next().is_some_and(|line| line.starts_with("# ")), "docs/{slug}.md begins with a title");
        assert_eq!(lines.next(), Some(""), "docs/{slug}.md: a blank line after the title");
        let lead = lines.next().unwrap_or_default();
        assert!(lead.ends_with('.') && !lead.starts_with(['#', '|', '-']), "docs/{slug}.md has a lead after its title");
    }
}

#[test]
fn every_setting_is_documented() {
    let path: &Path = &root().join("src/config.rs");
    let source = fs::read_to_string(path).unwrap();
    // In two pieces, so that the search for readers of the environment does not find this line.
    let mark = concat!("env", " = \"");
    let settings: Vec<&str> = source.split(mark).skip(1).filter_map(|rest| rest.split('"').next()).collect();
    assert!(settings.contains(&"DATABASE_URL"), "settings are found in src/config.rs");
    let (client, server): (Vec<&str>, Vec<&str>) = settings.into_iter().partition(|s| *s == "NEXUS_URL");
    let client: Vec<&str> = client.into_iter().chain(nexus::config::ClientEnvironment::VARIABLES).collect();
    for (slug, settings) in [("run", server), ("cli", client)] {
        let page = &pages()[slug];
        for setting in &settings {
            assert!(page.contains(&format!("| `{setting}` |")), "docs/{slug}.md has no row for {setting}");
        }
        // And the other way: a row of a setting that is gone.
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        for named in rows.filter(|name| name.chars().all(|c| c.is_ascii_uppercase() || c == '_')) {
            assert!(
                settings.contains(&named),
                "docs/{slug}.md has a row for {named}, which src/config.rs does not read"
            );
        }
    }
}

/// The words of every command that does something: `nexus user create`.
fn commands(command: &clap::Command, before: &str) -> BTreeSet<String> {
    let words =
        if before.is_empty() { command.get_name().to_owned() } else { format!("{before} {}", command.get_name()) };
    let mut found = BTreeSet::new();
    for sub in command.get_subcommands().filter(|c| c.get_name() != "help" && !c.is_hide_set()) {
        found.extend(commands(sub, &words));
    }
    if !command.is_subcommand_required_set() && !before.is_empty() {
        found.insert(words);
    }
    found
}

#[test]
fn every_command_is_documented() {
    for (slug, command) in [("run", nexus::cli::command()), ("cli", nexus::client::command())] {
        let known = commands(&command, "");
        assert!(known.len() > 6, "{known:?}");
        let page = &pages()[slug];
        let rows: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("| `nexus ")).collect();
        // A row begins with the words of its command, and then has what the command takes.
        let row_of = |words: &str| {
            let words = words.trim_start_matches("nexus ");
            rows.iter().filter(|row| row.strip_prefix(words).is_some_and(|rest| rest.starts_with(['`', ' ']))).count()
        };
        for words in &known {
            assert!(row_of(words) > 0, "docs/{slug}.md has no row for {words}");
        }
        for row in &rows {
            let row = row.split('`').next().unwrap();
            let of = |words: &&String| {
                let rest = row.strip_prefix(words.trim_start_matches("nexus "));
                // What follows a command are placeholders and options.
                rest.is_some_and(|r| !r.trim_start().starts_with(|c: char| c.is_ascii_lowercase()))
            };
            assert!(
                known.iter().any(|words| of(&words)),
                "docs/{slug}.md has a row for nexus {row}, which is no command"
            );
        }
    }
}

/// The first cells of a page's rows, where they are one word in code.
fn first_cells(page: &str) -> BTreeSet<&str> {
    page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once("` |")).map(|(cell, _)| cell).collect()
}

#[test]
fn every_scope_and_code_of_the_api_is_documented() {
    let pages = pages();
    let page = &pages["use-the-api"];
    for scope in domain::api_keys::Scope::ALL {
        let row = format!("| `{scope}` | {}. |", scope.label());
        assert!(page.contains(&row), "docs/use-the-api.md has no row {row}");
    }
    let source = fs::read_to_string(root().join("domain/src/error.rs")).unwrap();
    let codes: BTreeSet<&str> = source
        .split("=> \"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .filter(|word| word.len() > 3 && word.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .collect();
    assert!(codes.contains("VALIDATION_ERROR"), "codes are found in domain/src/error.rs");
    let described = first_cells(page);
    for code in &codes {
        assert!(described.contains(code), "docs/use-the-api.md has no row for {code}");
    }
    // And the other way; the router has one of its own.
    for cell in described.iter().filter(|cell| cell.chars().all(|c| c.is_ascii_uppercase() || c == '_')) {
        assert!(
            codes.contains(cell) || *cell == "METHOD_NOT_ALLOWED",
            "docs/use-the-api.md has a row for {cell}, which is no code"
        );
    }
}
