//! What was said and made in a task. All of it comes from strangers: it is shown as text, never as markup.

use domain::TaskId;
use domain::tasks::{Artifact, Message, Part, PartBody};
use leptos::prelude::*;
use serde_json::{Map, Value};

use super::icons;

/// Longest table that a page shows; the download has all rows.
const ROWS_SHOWN: usize = 200;
/// Most columns that a page shows.
const COLUMNS_SHOWN: usize = 20;
/// Longest text that a page shows.
const CHARS_SHOWN: usize = 50_000;

/// The artifacts of a task.
pub fn artifacts(task: TaskId, all: &[Artifact]) -> Vec<AnyView> {
    all.iter().enumerate().map(|(i, artifact)| one_artifact(task, i, artifact).into_any()).collect()
}

fn one_artifact(task: TaskId, index: usize, artifact: &Artifact) -> AnyView {
    let name = if artifact.name.is_empty() { format!("Result {}", index + 1) } else { title_case(&artifact.name) };
    let parts: Vec<_> = artifact
        .parts
        .iter()
        .enumerate()
        .map(|(n, part)| part_view(part, Some(format!("/tasks/{task}/artifacts/{index}/{n}"))))
        .collect();
    let description =
        (!artifact.description.is_empty()).then(|| view! { <p class="mute">{artifact.description.clone()}</p> });
    let label = name.clone();
    view! { <section class="artifact" aria-label=label><h3>{name}</h3>{description}{parts}</section> }.into_any()
}

/// The conversation, oldest first.
pub fn messages(all: &[Message], agent: &str, requester: &str) -> AnyView {
    let items: Vec<_> = all
        .iter()
        .map(|message| {
            let (class, who) =
                if message.from_agent { ("said said-agent", agent) } else { ("said said-requester", requester) };
            let parts: Vec<_> = message.parts.iter().map(|part| part_view(part, None)).collect();
            view! { <li class=class><p class="said-who">{who.to_owned()}</p>{parts}</li> }
        })
        .collect();
    view! { <ol class="conversation">{items}</ol> }.into_any()
}

/// One part; `file` is where it can be fetched, if it can.
fn part_view(part: &Part, file: Option<String>) -> AnyView {
    match &part.body {
        PartBody::Text(text) => text_view(text).into_any(),
        PartBody::Data(value) => {
            let save = file.map(|to| {
                view! { <p><a class="download" href=to download="">{icons::download()}"Download as JSON"</a></p> }
            });
            view! { <div class="data">{data_view(value, 0)}{save}</div> }.into_any()
        }
        PartBody::Raw(bytes) => file_view(part, bytes.len(), file).into_any(),
        PartBody::Url(url) => {
            // A link of any other kind (javascript:, data:) is shown, not made clickable.
            let safe = url.starts_with("https://") || url.starts_with("http://");
            let name = part.filename.clone().unwrap_or_else(|| url.clone());
            if safe {
                view! { <p><a href=url.clone() rel="noopener noreferrer nofollow ugc">{name}</a></p> }.into_any()
            } else {
                view! { <p><code>{url.clone()}</code></p> }.into_any()
            }
        }
    }
}

fn text_view(text: &str) -> AnyView {
    let shown: String = text.chars().take(CHARS_SHOWN).collect();
    let cut = shown.len() < text.len();
    view! {
        <div class="text">{shown}</div>
        {cut.then(|| view! { <p class="mute small">"Cut here: the text is longer than a page should be."</p> })}
    }
    .into_any()
}

fn file_view(part: &Part, size: usize, file: Option<String>) -> AnyView {
    let name = part.filename.clone().unwrap_or_else(|| "file".into());
    let kind = part.media_type.clone().unwrap_or_else(|| "application/octet-stream".into());
    let about = format!("{kind}, {}", bytes_text(size));
    let image = matches!(kind.as_str(), "image/png" | "image/jpeg" | "image/gif" | "image/webp");
    match file {
        Some(to) => {
            let shown =
                image.then(|| view! { <img class="artifact-image" src=format!("{to}?inline=1") alt=name.clone() /> });
            view! {
                <figure class="file">
                    {shown}
                    <figcaption>
                        <a class="download" href=to download="">{icons::download()}{name}</a>
                        <span class="mute small">{about}</span>
                    </figcaption>
                </figure>
            }
            .into_any()
        }
        None => view! { <p class="file"><code>{name}</code> <span class="mute small">{about}</span></p> }.into_any(),
    }
}

/// A list of objects as a table, an object as its fields, anything else as JSON.
fn data_view(value: &Value, depth: u8) -> AnyView {
    match value {
        Value::Array(rows) if !rows.is_empty() && rows.iter().all(Value::is_object) => rows_view(rows).into_any(),
        Value::Array(items)
            if depth < 3 && !items.is_empty() && items.len() <= ROWS_SHOWN && items.iter().all(is_plain) =>
        {
            let items: Vec<_> = items.iter().map(|v| view! { <li>{plain(v)}</li> }).collect();
            view! { <ul class="plain-list">{items}</ul> }.into_any()
        }
        Value::Object(map) if depth < 3 && !map.is_empty() => fields_view(map, depth).into_any(),
        other if is_plain(other) => plain_view(plain(other)),
        other => {
            let text: String =
                serde_json::to_string_pretty(other).unwrap_or_default().chars().take(CHARS_SHOWN).collect();
            view! { <pre class="code" tabindex="0">{text}</pre> }.into_any()
        }
    }
}

/// A value of any length; a long one scrolls, and so must be reachable by keyboard.
fn plain_view(text: String) -> AnyView {
    let long = text.len() > 400 || text.lines().count() > 12;
    view! { <span class=long.then_some("long") tabindex=long.then_some("0")>{text}</span> }.into_any()
}

fn fields_view(map: &Map<String, Value>, depth: u8) -> AnyView {
    let rows: Vec<_> = map
        .iter()
        .map(|(key, value)| view! { <div class="fields-row"><dt>{key.clone()}</dt><dd>{data_view(value, depth + 1)}</dd></div> })
        .collect();
    view! { <dl class="fields">{rows}</dl> }.into_any()
}

fn rows_view(rows: &[Value]) -> AnyView {
    let mut columns: Vec<&str> = Vec::new();
    for key in rows.iter().filter_map(Value::as_object).flat_map(Map::keys) {
        if columns.len() < COLUMNS_SHOWN && !columns.contains(&key.as_str()) {
            columns.push(key);
        }
    }
    let numeric = |c: &str| rows.iter().filter_map(|r| r.get(c)).all(|v| v.is_number() || v.is_null());
    let classes: Vec<&str> = columns.iter().map(|c| if numeric(c) { "right" } else { "" }).collect();
    let head: Vec<_> = columns
        .iter()
        .zip(&classes)
        .map(|(c, class)| view! { <th scope="col" class=(*class).to_owned()>{(*c).to_owned()}</th> })
        .collect();
    let body: Vec<_> = rows
        .iter()
        .take(ROWS_SHOWN)
        .map(|row| {
            let cells: Vec<_> = columns
                .iter()
                .zip(&classes)
                .map(|(c, class)| view! { <td class=(*class).to_owned()>{row.get(*c).map(cell).unwrap_or_default()}</td> })
                .collect();
            view! { <tr>{cells}</tr> }
        })
        .collect();
    let more = rows.len().saturating_sub(ROWS_SHOWN);
    view! {
        <div class="table-wrap" role="group" tabindex="0" aria-label="Data">
            <table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>
        </div>
        {(more > 0).then(|| view! { <p class="mute small">{format!("{more} more rows are in the download.")}</p> })}
    }
    .into_any()
}

fn is_plain(value: &Value) -> bool {
    !value.is_array() && !value.is_object()
}

fn plain(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Null => "–".into(),
        Value::Bool(yes) => (if *yes { "yes" } else { "no" }).into(),
        other => other.to_string(),
    }
}

fn cell(value: &Value) -> String {
    if is_plain(value) {
        plain(value).chars().take(500).collect()
    } else {
        value.to_string().chars().take(500).collect()
    }
}

fn title_case(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map(|c| c.to_uppercase().collect::<String>() + chars.as_str()).unwrap_or_default()
}

/// `812 bytes`, `14 kB`, `1.2 MB`.
pub fn bytes_text(size: usize) -> String {
    match size {
        0..1_000 => format!("{size} bytes"),
        1_000..1_000_000 => format!("{} kB", size.div_ceil(1_000)),
        _ => format!("{:.1} MB", size as f64 / 1e6),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn strangers_text_stays_text() {
        let part = Part::text("<script>alert(1)</script>");
        let html = part_view(&part, None).to_html();
        assert!(html.contains("&lt;script&gt;") && !html.contains("<script>"), "{html}");
        let link = Part { body: PartBody::Url("javascript:alert(1)".into()), filename: None, media_type: None };
        assert!(!part_view(&link, None).to_html().contains("href"));
        let data = data_view(&json!([{"a": "<b>", "n": 1}, {"a": null, "m": [1]}]), 0).to_html();
        assert!(data.contains("&lt;b&gt;") && data.contains("<table>") && data.contains("[1]"), "{data}");
    }

    #[test]
    fn sizes_read_as_people_write_them() {
        assert_eq!([999, 1_001, 1_250_000].map(bytes_text), ["999 bytes", "2 kB", "1.2 MB"]);
    }
}
