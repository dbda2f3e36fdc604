//! Server-sent events (HTML standard, section 9.2.6, "Interpreting an event stream") as NEXUS sends them: named, numbered,
//! with JSON.

use std::collections::VecDeque;

use serde_json::Value;

/// One event.
#[derive(Clone, Debug, PartialEq)]
pub struct Happening {
    /// `snapshot`, `event` or `end`.
    pub kind: String,
    /// Its number.
    pub number: Option<i64>,
    /// What it says.
    pub data: Value,
}

/// Takes bytes as they come, gives events when they are whole.
#[derive(Debug, Default)]
pub struct Reader {
    line: Vec<u8>,
    kind: String,
    number: Option<i64>,
    data: String,
    ready: VecDeque<Happening>,
}

impl Reader {
    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            match byte {
                b'\n' => self.end_of_line(),
                // NEXUS ends its lines with a line feed; a return before it says nothing.
                b'\r' => {}
                _ => self.line.push(byte),
            }
        }
    }

    /// The next event.
    pub fn next(&mut self) -> Option<Happening> {
        self.ready.pop_front()
    }

    fn end_of_line(&mut self) {
        let line = std::mem::take(&mut self.line);
        let line = String::from_utf8_lossy(&line);
        if line.is_empty() {
            let (kind, data) = (std::mem::take(&mut self.kind), std::mem::take(&mut self.data));
            // Without data it is no event, but a sign of life.
            if let Ok(data) = serde_json::from_str(&data) {
                self.ready.push_back(Happening { kind, number: self.number, data });
            }
            return;
        }
        let (name, value) = line.split_once(':').unwrap_or((&line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match name {
            "event" => value.clone_into(&mut self.kind),
            "id" => self.number = value.parse().ok(),
            "data" => {
                if !self.data.is_empty() {
                    self.data.push('\n');
                }
                self.data.push_str(value);
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn events_are_whole_however_they_are_cut() {
        let stream = ": alive\n\nevent: snapshot\nid: 4\ndata: {\"a\":\ndata: \"ü\"}\n\n:\n\nevent: end\r\nid: 5\r\ndata:1\r\n\r\ndata: {\"cut\"";
        let expected = [
            Happening { kind: "snapshot".into(), number: Some(4), data: json!({"a": "ü"}) },
            Happening { kind: "end".into(), number: Some(5), data: json!(1) },
        ];
        for step in 1..stream.len() {
            let mut reader = Reader::default();
            stream.as_bytes().chunks(step).for_each(|bytes| reader.feed(bytes));
            let read: Vec<Happening> = std::iter::from_fn(|| reader.next()).collect();
            assert_eq!(read, expected, "in steps of {step}");
        }
    }
}
