//! Server-sent events (HTML standard, section 9.2.6, "Interpreting an event stream"), as far as A2A uses them: data.

use std::collections::VecDeque;

use super::call_error::CallError;
use crate::outbound::ANSWER_LIMIT;

/// Takes bytes as they come, gives events when they are whole.
#[derive(Debug, Default)]
pub(super) struct Events {
    line: Vec<u8>,
    data: Vec<u8>,
    has_data: bool,
    after_cr: bool,
    begun: bool,
    ready: VecDeque<Vec<u8>>,
}

impl Events {
    /// Takes the next bytes.
    ///
    /// # Errors
    /// [`CallError`] when one event is larger than an answer may be.
    pub(super) fn feed(&mut self, bytes: &[u8]) -> Result<(), CallError> {
        for &byte in bytes {
            match byte {
                b'\n' if self.after_cr => self.after_cr = false,
                b'\n' | b'\r' => {
                    self.after_cr = byte == b'\r';
                    self.end_of_line();
                }
                _ => {
                    self.after_cr = false;
                    self.line.push(byte);
                }
            }
        }
        if self.line.len() + self.data.len() > ANSWER_LIMIT {
            return Err(CallError::protocol("The agent's stream has an event of more than 8 MB"));
        }
        Ok(())
    }

    /// The stream has ended. Its last event may lack the blank line.
    pub(super) fn end(&mut self) {
        if !self.line.is_empty() {
            self.end_of_line();
        }
        self.dispatch();
    }

    /// The data of the next event.
    pub(super) fn next(&mut self) -> Option<Vec<u8>> {
        self.ready.pop_front()
    }

    fn end_of_line(&mut self) {
        let mut line = std::mem::take(&mut self.line);
        if !std::mem::replace(&mut self.begun, true) && line.starts_with(b"\xEF\xBB\xBF") {
            line.drain(..3);
        }
        if line.is_empty() {
            return self.dispatch();
        }
        let colon = line.iter().position(|b| *b == b':').unwrap_or(line.len());
        // Comments keep the connection alive; names, ids and pauses mean nothing to A2A.
        if &line[..colon] != b"data" {
            return;
        }
        let value = line.get(colon + 1..).unwrap_or_default();
        if std::mem::replace(&mut self.has_data, true) {
            self.data.push(b'\n');
        }
        self.data.extend_from_slice(value.strip_prefix(b" ").unwrap_or(value));
    }

    fn dispatch(&mut self) {
        let data = std::mem::take(&mut self.data);
        if std::mem::take(&mut self.has_data) && !data.is_empty() {
            self.ready.push_back(data);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(stream: &str, step: usize) -> Vec<String> {
        let mut events = Events::default();
        for bytes in stream.as_bytes().chunks(step) {
            events.feed(bytes).unwrap();
        }
        events.end();
        std::iter::from_fn(|| events.next()).map(|d| String::from_utf8(d).unwrap()).collect()
    }

    #[test]
    fn every_line_ending_and_every_cut() {
        let stream = "\u{feff}: hello\r\ndata: {\"a\":\r\ndata: 1}\r\n\r\nevent: x\nid: 7\n\ndata:two\rretry: 9\r\rdata\n\ndata: last";
        for step in 1..stream.len() {
            assert_eq!(read(stream, step), ["{\"a\":\n1}", "two", "last"], "in steps of {step}");
        }
    }

    #[test]
    fn an_event_has_a_limit() {
        let mut events = Events::default();
        let piece = vec![b'x'; ANSWER_LIMIT / 4];
        let fed = (0..5).find_map(|_| events.feed(&piece).err());
        assert!(fed.is_some());
    }
}
