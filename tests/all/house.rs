//! The rules of the house that no compiler checks, read off the sources.

use std::fs;
use std::path::{Path, PathBuf};

const NOUNS: [&str; 9] =
    ["accounts", "api_keys", "webhooks", "ledger", "trust", "agents", "tasks", "routes", "workflows"];

fn sources(folder: &str) -> Vec<(PathBuf, String)> {
    fn walk(dir: &Path, out: &mut Vec<(PathBuf, String)>) {
        for entry in fs::read_dir(dir).unwrap().map(Result::unwrap) {
            let path = entry.path();
            if path.is_dir() {
                walk(&path, out);
            } else if path.extension().is_some_and(|e| e == "rs") {
                out.push((path.clone(), fs::read_to_string(&path).unwrap()));
            }
        }
    }
    let mut out = Vec::new();
    walk(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &mut out);
    assert!(!out.is_empty(), "{folder} has sources");
    out
}

#[test]
fn sql_stands_in_the_stores_of_domain_alone() {
    for folder in ["src", "app/src", "frontend/src", "examples/src"] {
        for (path, text) in sources(folder) {
            assert!(!text.contains("sqlx::query"), "{}: SQL belongs into domain", path.display());
        }
    }
    for (path, text) in sources("domain/src") {
        let name = path.file_name().unwrap().to_str().unwrap();
        assert!(
            !text.contains("sqlx::query") || matches!(name, "store.rs" | "db.rs"),
            "{}: SQL belongs into store.rs",
            path.display()
        );
    }
}

#[test]
fn a_module_uses_only_those_to_its_left() {
    for (i, noun) in NOUNS.iter().enumerate() {
        let Some(files) = fs::metadata(Path::new(env!("CARGO_MANIFEST_DIR")).join("domain/src").join(noun))
            .ok()
            .map(|_| sources(&format!("domain/src/{noun}")))
        else {
            continue;
        };
        for (path, text) in files {
            for right in &NOUNS[i + 1..] {
                for form in [format!("crate::{right}"), format!(" {right}::")] {
                    let used = text.lines().filter(|l| !l.trim_start().starts_with("//")).any(|l| l.contains(&form));
                    assert!(!used, "{}: {noun} stands left of {right}", path.display());
                }
            }
        }
    }
}

#[test]
fn the_environment_is_read_in_one_file() {
    for folder in ["src", "app/src", "domain/src", "examples/src"] {
        for (path, text) in sources(folder) {
            let reads = text.contains("env::var") || text.contains("env = \"");
            assert!(
                !reads || path.ends_with("src/config.rs"),
                "{}: settings are read in src/config.rs",
                path.display()
            );
        }
    }
}

#[test]
fn dependencies_run_one_way() {
    let manifest = |folder: &str| {
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder).join("Cargo.toml")).unwrap()
    };
    for web in ["axum", "leptos", "reqwest", "stripe", "tower", "app.", "app =", "nexus ="] {
        let named = manifest("domain").lines().any(|l| l.starts_with(web) || l.starts_with(&format!("async-{web}")));
        assert!(!named, "domain knows no {web}");
    }
    assert!(!manifest("app").lines().any(|l| l.starts_with("nexus")), "app never imports src");
    for (path, text) in sources("app/src") {
        assert!(!text.contains("use nexus"), "{}", path.display());
    }
}

#[test]
fn files_stay_readable() {
    for folder in ["src", "app/src", "domain/src", "examples/src"] {
        for (path, text) in sources(folder) {
            // The SQL of the largest nouns is one file each by rule.
            let limit = if path.ends_with("store.rs") { 700 } else { 420 };
            let lines = text.lines().count();
            assert!(lines <= limit, "{}: {lines} lines, split it", path.display());
            for drawer in ["util", "utils", "helpers", "common", "misc", "manager", "service"] {
                assert_ne!(path.file_stem().unwrap(), drawer, "{}: name it after what it holds", path.display());
            }
        }
    }
}

#[test]
fn titles_are_escaped_in_one_place() {
    for (path, text) in sources("app/src") {
        let uses = text.contains("leptos_meta::Title") || text.contains("<Title ");
        assert!(
            !uses || path.ends_with("components/title.rs"),
            "{}: DocumentTitle escapes, Title does not",
            path.display()
        );
    }
}
