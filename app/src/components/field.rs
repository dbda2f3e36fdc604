//! One field of a form: label, hint, control, and what is wrong with it, tied together for screen readers.

use leptos::prelude::*;

use crate::context::Form;

/// A field, described step by step and rendered by [`Field::show`].
#[derive(Clone, Debug, Default)]
pub struct Field {
    name: String,
    label: String,
    control: Control,
    value: String,
    hint: Option<String>,
    required: bool,
    attributes: Attributes,
    autofocus: bool,
    id_prefix: &'static str,
    unmarked: bool,
}

#[derive(Clone, Debug)]
enum Control {
    Input(&'static str),
    Area(u16),
    Select(Vec<(String, String)>),
    Check,
    File,
}

impl Default for Control {
    fn default() -> Self {
        Control::Input("text")
    }
}

#[derive(Clone, Debug, Default)]
struct Attributes {
    autocomplete: Option<&'static str>,
    inputmode: Option<&'static str>,
    placeholder: Option<String>,
    maxlength: Option<u64>,
    minlength: Option<usize>,
    min: Option<String>,
    max: Option<String>,
    step: Option<&'static str>,
    mono: bool,
}

impl Field {
    /// A line of text.
    pub fn new(name: impl Into<String>, label: impl Into<String>) -> Field {
        Field { name: name.into(), label: label.into(), ..Field::default() }
    }

    /// A line of another type: `email`, `password`, `search`, `number`, `url`.
    pub fn kind(mut self, kind: &'static str) -> Field {
        self.control = Control::Input(kind);
        self
    }

    /// Several lines.
    pub fn lines(mut self, rows: u16) -> Field {
        self.control = Control::Area(rows);
        self
    }

    /// One of these values, each with its words.
    pub fn options(mut self, options: Vec<(String, String)>) -> Field {
        self.control = Control::Select(options);
        self
    }

    /// A box to tick; sent as `true`, and as a hidden `false` before it.
    pub fn check(mut self) -> Field {
        self.control = Control::Check;
        self
    }

    /// A file to send.
    pub fn file(mut self) -> Field {
        self.control = Control::File;
        self
    }

    /// What it holds when nothing was typed yet.
    pub fn value(mut self, value: impl Into<String>) -> Field {
        self.value = value.into();
        self
    }

    /// A sentence under the label.
    pub fn hint(mut self, hint: impl Into<String>) -> Field {
        self.hint = Some(hint.into());
        self
    }

    /// Must be filled.
    pub fn required(mut self, required: bool) -> Field {
        self.required = required;
        self
    }

    /// What a browser may fill it with.
    pub fn autocomplete(mut self, word: &'static str) -> Field {
        self.attributes.autocomplete = Some(word);
        self
    }

    /// Which keyboard a phone shows.
    pub fn inputmode(mut self, mode: &'static str) -> Field {
        self.attributes.inputmode = Some(mode);
        self
    }

    /// An example of what to type.
    pub fn placeholder(mut self, text: impl Into<String>) -> Field {
        self.attributes.placeholder = Some(text.into());
        self
    }

    /// Longest text that the browser lets pass.
    pub fn maxlength(mut self, most: Option<u64>) -> Field {
        self.attributes.maxlength = most;
        self
    }

    /// Shortest text that the browser lets pass.
    pub fn minlength(mut self, least: usize) -> Field {
        self.attributes.minlength = Some(least);
        self
    }

    /// Range of a number, and its steps.
    pub fn range(mut self, min: Option<String>, max: Option<String>, step: &'static str) -> Field {
        (self.attributes.min, self.attributes.max, self.attributes.step) = (min, max, Some(step));
        self
    }

    /// For code, schemas, addresses.
    pub fn mono(mut self) -> Field {
        self.attributes.mono = true;
        self
    }

    /// Where the cursor is when the page opens.
    pub fn autofocus(mut self) -> Field {
        self.autofocus = true;
        self
    }

    /// Set where two forms on a page have a field of the same name.
    pub fn id_prefix(mut self, prefix: &'static str) -> Field {
        self.id_prefix = prefix;
        self
    }

    /// Not called optional: in a filter every field is.
    pub fn unmarked(mut self) -> Field {
        self.unmarked = true;
        self
    }

    /// Renders it with what was typed and what is wrong.
    pub fn show(self, form: &Form) -> AnyView {
        let id = format!("{}{}", self.id_prefix, self.name.replace('.', "-"));
        let error = form.error(&self.name).map(|message| format!("{} {message}.", self.label));
        let first_wrong = form.errors.first().is_some_and(|e| e.field == self.name);
        let hint_id = self.hint.as_ref().map(|_| format!("{id}-hint"));
        let error_id = error.as_ref().map(|_| format!("{id}-error"));
        let described = [error_id.clone(), hint_id.clone()].into_iter().flatten().collect::<Vec<_>>().join(" ");
        let described = (!described.is_empty()).then_some(described);
        let invalid = error.is_some().then_some("true");
        let focus = first_wrong || (self.autofocus && form.errors.is_empty());
        let value =
            if form.is_sent() { form.value(&self.name).unwrap_or_default().to_owned() } else { self.value.clone() };
        let a = self.attributes;
        let class = if a.mono { "mono" } else { "" };
        let (name, required) = (self.name, self.required);
        let optional = !required && !self.unmarked;
        if matches!(self.control, Control::Check) {
            // The last value of the name counts, and the box comes after the hidden one.
            let ticked =
                form.values.iter().rev().find(|(n, _)| *n == name).map_or(value == "true", |(_, v)| v == "true");
            return view! {
                <div class="field field-check">
                    <input type="hidden" name=name.clone() value="false" />
                    <input type="checkbox" id=id.clone() name=name value="true" checked=ticked aria-describedby=described aria-invalid=invalid />
                    <label for=id>{self.label}</label>
                    {self.hint.map(|hint| view! { <p class="field-hint" id=hint_id>{hint}</p> })}
                    {error.map(|error| view! { <p class="field-error" id=error_id>{error}</p> })}
                </div>
            }
            .into_any();
        }
        let control = match self.control {
            Control::Input(kind) => {
                // A password is typed again, never sent back.
                let value = if kind == "password" { String::new() } else { value };
                view! {
                    <input id=id.clone() name=name type=kind value=value class=class required=required autofocus=focus
                        autocomplete=a.autocomplete inputmode=a.inputmode placeholder=a.placeholder maxlength=a.maxlength
                        minlength=a.minlength min=a.min max=a.max step=a.step aria-describedby=described aria-invalid=invalid />
                }
                .into_any()
            }
            Control::Area(rows) => view! {
                // A newline right after the tag would be eaten by the parser; this one is meant to be.
                <textarea id=id.clone() name=name rows=rows class=class required=required autofocus=focus placeholder=a.placeholder
                    maxlength=a.maxlength spellcheck=if a.mono { "false" } else { "true" } aria-describedby=described
                    aria-invalid=invalid>{format!("\n{value}")}</textarea>
            }
            .into_any(),
            Control::Select(options) => {
                let options: Vec<_> = options
                    .into_iter()
                    .map(|(v, words)| view! { <option value=v.clone() selected=v == value>{words}</option> })
                    .collect();
                view! {
                    <select id=id.clone() name=name autofocus=focus aria-describedby=described aria-invalid=invalid>{options}</select>
                }
                .into_any()
            }
            Control::File => view! {
                <input id=id.clone() name=name type="file" aria-describedby=described aria-invalid=invalid />
            }
            .into_any(),
            Control::Check => ().into_any(),
        };
        view! {
            <div class="field">
                <label for=id>{self.label}{optional.then(|| view! { <span class="optional">" optional"</span> })}</label>
                {self.hint.map(|hint| view! { <p class="field-hint" id=hint_id>{hint}</p> })}
                {control}
                {error.map(|error| view! { <p class="field-error" id=error_id>{error}</p> })}
            </div>
        }
        .into_any()
    }
}
