//! Where the client talks: results on the standard output, everything else on standard error. What others wrote (names,
//! messages, results) goes to a terminal without its control characters: a title that clears the screen is no title.

use std::borrow::Cow;
use std::io::{BufRead as _, IsTerminal, Write as _};

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use serde_json::Value;
use tokio::sync::mpsc;

use super::failure::Failure;
use crate::config::ClientEnvironment;

/// How a piece of text looks where colours are wanted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Style {
    /// As it is.
    #[default]
    Plain,
    /// What matters.
    Bold,
    /// What matters less.
    Dim,
    /// Something went well.
    Good,
    /// Something did not.
    Bad,
    /// Something is asked.
    Ask,
}

impl Style {
    /// The parameter of "Select Graphic Rendition" (ECMA-48, section 8.3.117).
    fn code(self) -> Option<&'static str> {
        match self {
            Style::Plain => None,
            Style::Bold => Some("1"),
            Style::Dim => Some("2"),
            Style::Good => Some("32"),
            Style::Bad => Some("31"),
            Style::Ask => Some("33"),
        }
    }
}

/// A line in pieces.
#[derive(Clone, Debug, Default)]
pub struct Line(pub Vec<(Style, String)>);

impl Line {
    /// With another piece.
    pub fn with(mut self, style: Style, text: impl Into<String>) -> Line {
        self.0.push((style, text.into()));
        self
    }
}

impl From<&str> for Line {
    fn from(text: &str) -> Line {
        Line::default().with(Style::Plain, text)
    }
}

impl From<String> for Line {
    fn from(text: String) -> Line {
        Line::default().with(Style::Plain, text)
    }
}

/// The streams of the process.
#[derive(Debug)]
pub struct Screen {
    out: Stream,
    err: Stream,
    /// Whether somebody can be asked.
    pub asks: bool,
    /// The width of the terminal that the output goes to, in columns.
    pub width: Option<usize>,
    lines: Option<mpsc::UnboundedReceiver<String>>,
}

#[derive(Debug)]
struct Stream {
    terminal: bool,
    colors: bool,
}

impl Screen {
    /// What the streams are.
    pub fn of(environment: &ClientEnvironment) -> Screen {
        let stream = |terminal| Stream { terminal, colors: terminal && environment.colors };
        let (out, err) = (std::io::stdout().is_terminal(), std::io::stderr().is_terminal());
        let said = out.then(|| tcgetwinsize(std::io::stdout()).map_or(0, |size| usize::from(size.ws_col)));
        let width = said.map(|columns| if columns == 0 { environment.columns.unwrap_or(80) } else { columns });
        let asks = std::io::stdin().is_terminal() && err;
        Screen { out: stream(out), err: stream(err), asks, width, lines: None }
    }

    /// A line of the result.
    ///
    /// # Errors
    /// [`Failure::Closed`].
    pub fn out(&self, line: impl Into<Line>) -> Result<(), Failure> {
        self.print(&(render(&line.into(), self.out.colors) + "\n"))
    }

    /// A result as it was made: to a file or a program every byte of it, to a terminal without control characters.
    ///
    /// # Errors
    /// [`Failure::Closed`].
    pub fn result(&self, text: &str) -> Result<(), Failure> {
        let text: Cow<'_, str> = if self.out.terminal { clean(text, true) } else { text.into() };
        self.print(&text)?;
        if text.ends_with('\n') { Ok(()) } else { self.print("\n") }
    }

    /// A JSON document; over several lines unless it is one of a stream.
    ///
    /// # Errors
    /// [`Failure::Closed`].
    pub fn json(&self, document: &Value, streamed: bool) -> Result<(), Failure> {
        let text = if streamed { serde_json::to_string(document) } else { serde_json::to_string_pretty(document) };
        self.print(&(escaped(&text.unwrap_or_default()) + "\n"))
    }

    fn print(&self, text: &str) -> Result<(), Failure> {
        let mut out = std::io::stdout().lock();
        out.write_all(text.as_bytes()).and_then(|()| out.flush()).map_err(|_| Failure::Closed)
    }

    /// A line beside the result.
    pub fn note(&self, line: impl Into<Line>) {
        self.tell(&(render(&line.into(), self.err.colors) + "\n"));
    }

    /// Several lines of somebody else's beside the result, set in.
    pub fn quote(&self, text: &str) {
        for line in text.lines() {
            self.note(Line::from("  ").with(Style::Plain, line));
        }
    }

    fn tell(&self, text: &str) {
        // Where nobody listens, nothing is lost.
        let mut err = std::io::stderr().lock();
        let _ = err.write_all(text.as_bytes()).and_then(|()| err.flush());
    }

    /// Asks for a line; [`Screen::line`] gets it.
    pub fn prompt(&self, text: &str) {
        self.tell(&render(&Line::default().with(Style::Ask, text), self.err.colors));
    }

    /// The next line of the standard input; `None` at its end. Nothing is lost when it is not waited for.
    pub async fn line(&mut self) -> Option<String> {
        let lines = self.lines.get_or_insert_with(|| {
            let (to, lines) = mpsc::unbounded_channel();
            // Not one of the runtime's threads: it waits for a person, and the program must not wait for it.
            std::thread::spawn(move || {
                for line in std::io::stdin().lock().lines() {
                    let Ok(line) = line else { return };
                    if to.send(line).is_err() {
                        return;
                    }
                }
            });
            lines
        });
        lines.recv().await
    }

    /// Asks for a secret, which the terminal does not show; reads a line where nobody can be asked.
    ///
    /// # Errors
    /// [`Failure::Usage`] when there is none.
    pub async fn secret(&mut self, prompt: &str) -> Result<String, Failure> {
        let hidden = self.asks.then(|| {
            self.prompt(prompt);
            Hidden::begin()
        });
        let line = tokio::select! {
            line = self.line() => line,
            _ = tokio::signal::ctrl_c() => None,
        };
        if hidden.is_some() {
            drop(hidden);
            self.tell("\n");
        }
        let line = line.map(|l| l.trim().to_owned()).filter(|l| !l.is_empty());
        line.ok_or_else(|| Failure::Usage("no key was given".into()))
    }
}

/// While it lives the terminal does not show what is typed.
struct Hidden(Option<Termios>);

impl Hidden {
    fn begin() -> Hidden {
        let before = tcgetattr(std::io::stdin()).ok();
        if let Some(mut modes) = before.clone() {
            modes.local_modes.remove(LocalModes::ECHO);
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Flush, &modes);
        }
        Hidden(before)
    }
}

impl Drop for Hidden {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            let _ = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

fn render(line: &Line, colors: bool) -> String {
    let mut rendered = String::new();
    for (style, text) in &line.0 {
        match style.code().filter(|_| colors) {
            Some(code) => rendered.push_str(&format!("\u{1b}[{code}m{}\u{1b}[0m", clean(text, false))),
            None => rendered.push_str(&clean(text, false)),
        }
    }
    rendered
}

/// Text that does nothing to a terminal but show: no control characters, and none that turn the direction of what follows.
/// Line feeds and tabs stay where the text is a `block`, and are spaces where it is a line.
pub fn clean(text: &str, block: bool) -> Cow<'_, str> {
    let harmless = |c: char| !acts(c) || (block && matches!(c, '\n' | '\t'));
    if text.chars().all(harmless) {
        return text.into();
    }
    let shown = |c| match c {
        c if harmless(c) => c,
        '\n' | '\t' | '\r' | '\u{2028}' | '\u{2029}' => ' ',
        _ => char::REPLACEMENT_CHARACTER,
    };
    // A return before a line feed is the other way to end a line.
    let text: Cow<'_, str> = if block { text.replace("\r\n", "\n").into() } else { text.into() };
    text.chars().map(shown).collect::<String>().into()
}

/// Whether a character does something instead of being shown (Unicode: Cc, the bidirectional controls, the separators of
/// lines, and tags that nobody sees).
fn acts(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
        || matches!(c, '\u{e0000}'..='\u{e007f}')
}

/// JSON whose strings have no characters that act: the same document, escaped.
fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for c in json.chars() {
        if c != '\n' && acts(c) {
            let mut units = [0; 2];
            c.encode_utf16(&mut units).iter().for_each(|unit| text.push_str(&format!("\\u{unit:04x}")));
        } else {
            text.push(c);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_acts_on_a_terminal_is_not_sent_to_it() {
        assert_eq!(clean("plain, ümlaut, 漢字, 👩‍💻", false), "plain, ümlaut, 漢字, 👩‍💻");
        for (evil, shown) in [
            ("\u{1b}[2Jgone", "\u{fffd}[2Jgone"),
            ("\u{1b}]0;title\u{7}", "\u{fffd}]0;title\u{fffd}"),
            ("\u{9b}31mred", "\u{fffd}31mred"),
            ("a\rb", "a b"),
            ("a\u{8}\u{7f}b", "a\u{fffd}\u{fffd}b"),
            ("safe\u{202e}cod.exe", "safe\u{fffd}cod.exe"),
            ("a\u{2028}b", "a b"),
            ("a\u{e0041}", "a\u{fffd}"),
        ] {
            assert_eq!(clean(evil, false), shown, "{evil:?}");
            assert!(!clean(evil, true).chars().any(|c| acts(c) && c != '\n'), "{evil:?}");
        }
        assert_eq!(clean("a\r\n\tb\nc", true), "a\n\tb\nc");
        assert_eq!(clean("a\n\tb", false), "a  b");
    }

    #[test]
    fn colours_are_ours_alone() {
        let line = Line::from("a\u{1b}[31m").with(Style::Bad, "b\u{1b}[0m");
        assert_eq!(render(&line, false), "a\u{fffd}[31mb\u{fffd}[0m");
        assert_eq!(render(&line, true), "a\u{fffd}[31m\u{1b}[31mb\u{fffd}[0m\u{1b}[0m");
    }

    #[test]
    fn escaped_json_is_the_same_json() {
        let value = serde_json::json!({"a\u{9b}": "\u{1b}[0m\u{202e}\u{7f}\u{e0041}ü\n"});
        let text = escaped(&serde_json::to_string_pretty(&value).unwrap());
        assert!(!text.chars().any(|c| c != '\n' && acts(c)), "{text}");
        assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), value);
    }
}
