//! Pure rules of listings.

use super::{NewAgent, Skill};
use crate::{Credits, FieldError};

/// The dearest a task may be; the database has the same limit.
pub const PRICE_MAX: Credits = Credits::INITIAL_GRANT_TIMES_1000;
/// Most skills of one agent.
pub const SKILLS_MAX: usize = 50;
/// Most tags of one agent.
pub const TAGS_MAX: usize = 10;
/// Longest description, in characters.
pub const DESCRIPTION_MAX: usize = 5_000;

/// Tasks that an agent is given at once where its owner says nothing; the database has the same default.
pub const CONCURRENT_DEFAULT: i32 = 16;
/// Most tasks that an agent may be given at once.
pub const CONCURRENT_MAX: i32 = 1_000;
/// The longest promise, in seconds.
pub const PROMISE_MAX: i32 = 3_600;

/// Everything wrong with a listing; empty when it can be kept.
pub fn check(new: &NewAgent) -> Vec<FieldError> {
    let mut wrong = Vec::new();
    let mut say = |field: &str, what: String| wrong.push(FieldError::new(field, what));

    let name = new.name.chars().count();
    if name == 0 {
        say("name", "is missing".into());
    } else if name > 100 {
        say("name", "is longer than 100 characters".into());
    }
    if new.description.chars().count() > DESCRIPTION_MAX {
        say("description", format!("is longer than {DESCRIPTION_MAX} characters"));
    }
    if let Err(what) = check_endpoint(&new.endpoint) {
        say("endpoint", what);
    }
    if new.price.is_negative() {
        say("price", "cannot be negative".into());
    } else if new.price > PRICE_MAX {
        say("price", format!("cannot be above {} credits", PRICE_MAX.grouped()));
    }
    if new.tags.len() > TAGS_MAX {
        say("tags", format!("are more than {TAGS_MAX}"));
    }
    if let Some(tag) = new.tags.iter().find(|t| !is_tag(t)) {
        say("tags", format!("“{tag}” is not a tag: 1 to 30 lower-case letters, digits and dashes"));
    }
    if let Some(what) = check_skills(&new.skills) {
        say("skills", what);
    }
    if !(1..=CONCURRENT_MAX).contains(&new.max_concurrent) {
        say("max_concurrent", format!("must be between 1 and {CONCURRENT_MAX}"));
    }
    if new.promised_seconds.is_some_and(|s| !(1..=PROMISE_MAX).contains(&s)) {
        say("promised_seconds", format!("must be between 1 and {PROMISE_MAX}"));
    }
    wrong
}

/// Whether an agent can be reached at `endpoint` at all. Where it leads is judged when it is called.
fn check_endpoint(endpoint: &str) -> Result<(), String> {
    let parsed =
        url::Url::parse(endpoint).map_err(|_| "is not a URL such as https://agents.example.org/a2a".to_owned())?;
    if !matches!(parsed.scheme(), "http" | "https") {
        return Err("must begin with https:// or http://".into());
    }
    if parsed.host_str().is_none_or(str::is_empty) {
        return Err("names no host".into());
    }
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("must not carry a user name or password: calls are signed instead".into());
    }
    if endpoint.len() > 2_000 {
        return Err("is longer than 2,000 characters".into());
    }
    Ok(())
}

fn check_skills(skills: &[Skill]) -> Option<String> {
    if skills.len() > SKILLS_MAX {
        return Some(format!("are more than {SKILLS_MAX}"));
    }
    for (i, skill) in skills.iter().enumerate() {
        let n = i + 1;
        if skill.id.is_empty() || skill.id.len() > 100 || skill.id.chars().any(|c| c.is_control() || c.is_whitespace())
        {
            return Some(format!("number {n} needs an id of 1 to 100 characters without spaces"));
        }
        if skill.name.trim().is_empty() || skill.name.chars().count() > 100 {
            return Some(format!("number {n} ({}) needs a name of 1 to 100 characters", skill.id));
        }
        if skill.description.chars().count() > 2_000 {
            return Some(format!("number {n} ({}) has a description of more than 2,000 characters", skill.id));
        }
        if skills[..i].iter().any(|s| s.id == skill.id) {
            return Some(format!("the id {} stands twice", skill.id));
        }
        for schema in [&skill.input_schema, &skill.output_schema].into_iter().flatten() {
            if !schema.is_object() || schema.to_string().len() > 20_000 {
                return Some(format!(
                    "number {n} ({}) has a schema that is not a JSON object of at most 20 kB",
                    skill.id
                ));
            }
        }
    }
    None
}

/// Whether `tag` is one: 1 to 30 lower-case letters, digits and dashes.
pub fn is_tag(tag: &str) -> bool {
    (1..=30).contains(&tag.len()) && tag.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
}

/// The nearest tag to what somebody typed or a card says: `Data Analysis` becomes `data-analysis`.
pub fn to_tag(text: &str) -> Option<String> {
    let mut tag = String::new();
    for c in text.trim().to_lowercase().chars() {
        if c.is_ascii_alphanumeric() {
            tag.push(c);
        } else if !tag.ends_with('-') && !tag.is_empty() {
            tag.push('-');
        }
    }
    tag.truncate(30);
    let tag = tag.trim_end_matches('-').to_owned();
    is_tag(&tag).then_some(tag)
}

/// Tags from a comma-separated line, without repeats.
pub fn tags_from_line(line: &str) -> Vec<String> {
    let mut tags: Vec<String> = Vec::new();
    for tag in line.split(',').filter_map(to_tag) {
        if !tags.contains(&tag) {
            tags.push(tag);
        }
    }
    tags
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listing() -> NewAgent {
        NewAgent {
            name: "Echo".into(),
            endpoint: "https://agents.example.org/echo".into(),
            skills: vec![Skill { id: "echo".into(), name: "Echo".into(), ..Skill::default() }],
            ..NewAgent::default()
        }
    }

    fn fields(new: &NewAgent) -> Vec<String> {
        check(new).into_iter().map(|e| e.field).collect()
    }

    #[test]
    fn a_good_listing_passes_and_each_fault_names_its_field() {
        assert_eq!(check(&listing()), vec![]);
        assert_eq!(fields(&NewAgent { name: String::new(), ..listing() }), ["name"]);
        assert_eq!(fields(&NewAgent { name: "x".repeat(101), ..listing() }), ["name"]);
        assert_eq!(fields(&NewAgent { price: Credits::from_cents(-1), ..listing() }), ["price"]);
        assert_eq!(fields(&NewAgent { price: Credits::from_cents(100_000_001), ..listing() }), ["price"]);
        assert_eq!(fields(&NewAgent { tags: vec!["Bad Tag".into()], ..listing() }), ["tags"]);
        for (n, right) in [(0, false), (1, true), (1_000, true), (1_001, false)] {
            let got = fields(&NewAgent { max_concurrent: n, ..listing() });
            assert_eq!(got.is_empty(), right, "max_concurrent {n}");
        }
        for (n, right) in [(0, false), (1, true), (3_600, true), (3_601, false)] {
            let got = fields(&NewAgent { promised_seconds: Some(n), ..listing() });
            assert_eq!(got.is_empty(), right, "promised_seconds {n}");
        }
        for endpoint in ["", "nonsense", "ftp://x.example", "https://", "https://u:p@x.example/"] {
            assert_eq!(fields(&NewAgent { endpoint: endpoint.into(), ..listing() }), ["endpoint"], "{endpoint}");
        }
        let twice = vec![listing().skills[0].clone(), listing().skills[0].clone()];
        assert_eq!(fields(&NewAgent { skills: twice, ..listing() }), ["skills"]);
    }

    #[test]
    fn tags_are_made_from_what_people_type() {
        assert_eq!(tags_from_line("Data Analysis, csv,csv, , Ünïcode!"), ["data-analysis", "csv", "n-code"]);
    }
}
