//! Reads an agent's input out of a message. Every complaint names the field and what to send instead.

use std::ops::RangeInclusive;
use std::str::FromStr;

use a2a::{Message, Part, PartContent};
use serde_json::{Map, Value};

use crate::agent::Refusal;
use crate::numbers::grouped;

/// The fields of one input. Unknown fields are ignored: a workflow may hand on more than a skill asks for.
#[derive(Debug)]
pub(crate) struct Input {
    fields: Map<String, Value>,
}

impl Input {
    /// The first `data` part, and `main` from the text parts, or from a file of one of the media types `files`,
    /// where the data does not have it.
    pub fn read(message: &Message, main: &'static str, files: &[&str]) -> Result<Input, Refusal> {
        let mut fields = match message.parts.iter().find_map(data_of) {
            None => Map::new(),
            Some(Value::Object(fields)) => fields.clone(),
            Some(_) => {
                return Err(Refusal::rejected(main, "the data part must be a JSON object with this field"));
            }
        };
        if is_absent(fields.get(main)) {
            if let Some(text) = text_of(&message.parts) {
                fields.insert(main.to_owned(), Value::String(text));
            } else if let Some(file) = message.parts.iter().find(|part| is_file(part, files)) {
                fields.insert(main.to_owned(), Value::String(file_text(file, main)?));
            } else if message.parts.iter().any(|part| matches!(part.content, PartContent::Url(_))) {
                return Err(Refusal::rejected(main, "addresses are not fetched; send the content itself"));
            } else if message.parts.iter().any(|part| matches!(part.content, PartContent::Raw(_))) {
                return Err(Refusal::rejected(main, "a file of this type is not read; send text"));
            }
        }
        Ok(Input { fields })
    }

    /// A text that must be there, of at most `max` characters.
    pub fn text(&self, field: &str, max: usize) -> Result<&str, Refusal> {
        let text = match self.fields.get(field) {
            None | Some(Value::Null) => return Err(Refusal::rejected(field, "is missing; send it as text")),
            Some(Value::String(text)) => text,
            Some(_) => return Err(Refusal::rejected(field, "must be a text; send a string")),
        };
        if text.trim().is_empty() {
            return Err(Refusal::rejected(field, "is empty; send some text"));
        }
        // Bytes bound characters from above, so most texts need no count.
        if text.len() > max {
            let length = text.chars().count();
            if length > max {
                let (length, max) = (grouped(length as u64), grouped(max as u64));
                return Err(Refusal::rejected(field, format!("has {length} characters; send at most {max}")));
            }
        }
        Ok(text)
    }

    /// A whole number, `default` where there is none.
    pub fn integer(&self, field: &str, bounds: RangeInclusive<i64>, default: i64) -> Result<i64, Refusal> {
        let fix = || format!("must be a whole number from {} to {}", bounds.start(), bounds.end());
        let Some(value) = self.given(field) else {
            return Ok(default);
        };
        let number = match value {
            Value::Number(n) => n.as_i64().or_else(|| n.as_f64().filter(|x| x.fract() == 0.0).map(|x| x as i64)),
            Value::String(text) => i64::from_str(text.trim()).ok(),
            _ => None,
        };
        number.filter(|n| bounds.contains(n)).ok_or_else(|| Refusal::rejected(field, fix()))
    }

    /// A number within bounds, where one was given.
    pub fn number(&self, field: &str, bounds: RangeInclusive<f64>) -> Result<Option<f64>, Refusal> {
        let fix = || format!("must be a number from {} to {}, or be left out", bounds.start(), bounds.end());
        let Some(value) = self.given(field) else {
            return Ok(None);
        };
        let number = match value {
            Value::Number(n) => n.as_f64(),
            Value::String(text) => f64::from_str(text.trim()).ok(),
            _ => None,
        };
        number.filter(|n| bounds.contains(n)).map(Some).ok_or_else(|| Refusal::rejected(field, fix()))
    }

    /// One of `options`, `default` where none was given.
    pub fn choice(
        &self,
        field: &str,
        options: &[&'static str],
        default: &'static str,
    ) -> Result<&'static str, Refusal> {
        let Some(value) = self.given(field) else {
            return Ok(default);
        };
        let chosen =
            value.as_str().and_then(|text| options.iter().find(|option| option.eq_ignore_ascii_case(text.trim())));
        chosen.copied().ok_or_else(|| Refusal::rejected(field, format!("must be one of: {}", options.join(", "))))
    }

    /// Yes or no, `default` where neither was given.
    pub fn flag(&self, field: &str, default: bool) -> Result<bool, Refusal> {
        let Some(value) = self.given(field) else {
            return Ok(default);
        };
        let flag = match value {
            Value::Bool(flag) => Some(*flag),
            Value::String(text) => bool::from_str(text.trim()).ok(),
            _ => None,
        };
        flag.ok_or_else(|| Refusal::rejected(field, "must be true or false"))
    }

    /// An optional field that says something: forms send empty strings for what was left open.
    fn given(&self, field: &str) -> Option<&Value> {
        self.fields.get(field).filter(|value| !is_absent(Some(value)))
    }
}

fn is_absent(value: Option<&Value>) -> bool {
    match value {
        None | Some(Value::Null) => true,
        Some(Value::String(text)) => text.trim().is_empty(),
        Some(_) => false,
    }
}

fn data_of(part: &Part) -> Option<&Value> {
    match &part.content {
        PartContent::Data(value) => Some(value),
        PartContent::Text(_) | PartContent::Raw(_) | PartContent::Url(_) => None,
    }
}

/// All text parts as paragraphs of one text.
fn text_of(parts: &[Part]) -> Option<String> {
    let texts: Vec<&str> = parts.iter().filter_map(Part::as_text).collect();
    (!texts.is_empty()).then(|| texts.join("\n\n"))
}

/// Whether `part` is a file of one of these media types; parameters (`; charset=utf-8`) do not count. A CSV file
/// without a type is known by its name, since browsers often have no type for it.
fn is_file(part: &Part, media_types: &[&str]) -> bool {
    if !matches!(part.content, PartContent::Raw(_)) {
        return false;
    }
    let media_type = part.media_type.as_deref().unwrap_or_default();
    let bare = media_type.split(';').next().unwrap_or_default().trim();
    let named_csv = part.filename.as_deref().is_some_and(|name| name.to_ascii_lowercase().ends_with(".csv"));
    media_types.iter().any(|known| known.eq_ignore_ascii_case(bare)) || (named_csv && media_types.contains(&"text/csv"))
}

fn file_text(part: &Part, main: &str) -> Result<String, Refusal> {
    let PartContent::Raw(bytes) = &part.content else {
        return Ok(String::new());
    };
    let text = String::from_utf8(bytes.clone())
        .map_err(|_| Refusal::rejected(main, "the file is not UTF-8 text; save it as UTF-8 and send it again"))?;
    // Spreadsheets put a byte order mark first, which would end up in the first column's name.
    Ok(text.strip_prefix('\u{feff}').map(str::to_owned).unwrap_or(text))
}

#[cfg(test)]
mod tests {
    use a2a::Role;
    use serde_json::json;

    use super::*;

    fn input(parts: Vec<Part>) -> Result<Input, Refusal> {
        Input::read(&Message::new(Role::User, parts), "text", &["text/csv"])
    }

    #[test]
    fn data_first_then_text_then_file() {
        let csv = || Part::raw(b"\xef\xbb\xbfa,b".to_vec()).with_media_type("text/csv; charset=utf-8");
        let both = input(vec![Part::text("plain"), Part::data(json!({ "text": "data" })), csv()]).unwrap();
        assert_eq!(both.text("text", 10).unwrap(), "data");
        let split = input(vec![Part::data(json!({ "n": 2 })), Part::text("one"), Part::text("two")]).unwrap();
        assert_eq!(split.text("text", 10).unwrap(), "one\n\ntwo");
        assert_eq!(split.integer("n", 1..=3, 1).unwrap(), 2);
        assert_eq!(input(vec![csv()]).unwrap().text("text", 10).unwrap(), "a,b");
        let named = Part::raw(b"a,b".to_vec()).with_filename("Report.CSV");
        assert_eq!(input(vec![named]).unwrap().text("text", 10).unwrap(), "a,b");
    }

    #[test]
    fn complaints_name_the_field_and_the_fix() {
        let said = |result: Result<Input, Refusal>| match result.and_then(|i| i.text("text", 3).map(str::len)) {
            Err(Refusal::Rejected(text)) => text,
            other => panic!("{other:?}"),
        };
        assert_eq!(said(input(vec![Part::data(json!({}))])), "text: is missing; send it as text");
        assert_eq!(said(input(vec![Part::data(json!({ "text": 1 }))])), "text: must be a text; send a string");
        assert_eq!(said(input(vec![Part::text("  ")])), "text: is empty; send some text");
        assert_eq!(said(input(vec![Part::text("four")])), "text: has 4 characters; send at most 3");
        assert!(said(input(vec![Part::data(json!([1]))])).contains("JSON object"));
        assert!(said(input(vec![Part::url("http://example.org/")])).contains("not fetched"));
        assert!(said(input(vec![Part::raw(vec![0xff]).with_media_type("text/csv")])).contains("UTF-8"));
    }

    #[test]
    fn options_take_what_forms_send() {
        let form =
            input(vec![Part::data(json!({ "n": "3", "x": "", "on": "true", "size": "LARGE", "f": 2.5 }))]).unwrap();
        assert_eq!(form.integer("n", 1..=3, 1).unwrap(), 3);
        assert_eq!(form.integer("x", 1..=3, 1).unwrap(), 1);
        assert!(form.flag("on", false).unwrap());
        assert_eq!(form.choice("size", &["small", "large"], "small").unwrap(), "large");
        assert_eq!(form.number("f", 0.0..=10.0).unwrap(), Some(2.5));
        assert_eq!(form.number("x", 0.0..=10.0).unwrap(), None);
        assert!(form.integer("f", 1..=3, 1).is_err());
        assert!(form.number("f", 0.0..=1.0).is_err());
        assert!(form.choice("n", &["small"], "small").is_err());
        assert!(form.flag("n", true).is_err());
    }
}
