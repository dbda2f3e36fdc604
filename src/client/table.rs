//! Tables that fit a terminal.

use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::terminal::{Line, Style, clean};

/// Between two columns.
const GAP: usize = 2;

/// A column.
#[derive(Clone, Copy, Debug)]
pub struct Column {
    /// Its heading.
    pub head: &'static str,
    /// Numbers stand at the right.
    pub right: bool,
    /// To how many characters it may be cut; `None` is never cut, such as an id that is to be copied.
    pub least: Option<usize>,
    /// Whether it may be left out.
    pub spare: bool,
}

impl Column {
    /// One that is shown whole.
    pub const fn whole(head: &'static str) -> Column {
        Column { head, right: false, least: None, spare: false }
    }

    /// A number.
    pub const fn number(head: &'static str) -> Column {
        Column { right: true, ..Column::whole(head) }
    }

    /// Text that may be cut to `least` characters.
    pub const fn text(head: &'static str, least: usize) -> Column {
        Column { least: Some(least), ..Column::whole(head) }
    }

    /// The same, left out where there is no room.
    pub const fn spare(self) -> Column {
        Column { spare: true, ..self }
    }
}

/// A cell.
pub type Cell = (Style, String);

/// A plain cell.
pub fn cell(text: impl Into<String>) -> Cell {
    (Style::Plain, text.into())
}

/// The lines of a table; within `width` where there is one. Where even the least does not fit, each row is a paragraph.
pub fn lines(columns: &[Column], rows: &[Vec<Cell>], width: Option<usize>) -> Vec<Line> {
    let rows: Vec<Vec<Cell>> =
        rows.iter().map(|r| r.iter().map(|(s, t)| (*s, clean(t, false).into_owned())).collect()).collect();
    let full: Vec<usize> = (0..columns.len())
        .map(|n| rows.iter().map(|r| r[n].1.width()).chain([columns[n].head.width()]).max().unwrap_or(0))
        .collect();
    let Some(widths) = fit(columns, &full, width) else {
        return paragraphs(columns, &rows, width.unwrap_or(usize::MAX));
    };
    let line = |cells: Vec<(Style, &str)>| {
        let shown: Vec<usize> = (0..columns.len()).filter(|n| widths[*n].is_some()).collect();
        let mut line = Line::default();
        for n in &shown {
            let size = widths[*n].unwrap_or(0);
            let text = cut(cells[*n].1, size);
            let space = " ".repeat(size.saturating_sub(text.width()));
            let last = Some(n) == shown.last();
            if columns[*n].right {
                line = line.with(Style::Plain, space).with(cells[*n].0, text);
            } else {
                line = line.with(cells[*n].0, text);
                if !last {
                    line = line.with(Style::Plain, space);
                }
            }
            if !last {
                line = line.with(Style::Plain, " ".repeat(GAP));
            }
        }
        line
    };
    let head = line(columns.iter().map(|c| (Style::Dim, c.head)).collect());
    let body = rows.iter().map(|r| line(r.iter().map(|(s, t)| (*s, t.as_str())).collect()));
    std::iter::once(head).chain(body).collect()
}

/// How wide each column is; `None` for one that is left out. `None` for all when they do not fit.
fn fit(columns: &[Column], full: &[usize], width: Option<usize>) -> Option<Vec<Option<usize>>> {
    let Some(width) = width else { return Some(full.iter().copied().map(Some).collect()) };
    let mut widths: Vec<Option<usize>> = full.iter().copied().map(Some).collect();
    let least = |n: usize| columns[n].least.map_or(full[n], |l| l.min(full[n]));
    let total = |widths: &[Option<usize>]| {
        let shown = widths.iter().flatten().count();
        widths.iter().flatten().sum::<usize>() + GAP * shown.saturating_sub(1)
    };
    let smallest = |widths: &[Option<usize>]| {
        let cut: Vec<Option<usize>> = widths.iter().enumerate().map(|(n, w)| w.map(|_| least(n))).collect();
        total(&cut)
    };
    while smallest(&widths) > width {
        let spare = (0..columns.len()).rev().find(|n| columns[*n].spare && widths[*n].is_some())?;
        widths[spare] = None;
    }
    // The widest of those that can give gives first.
    while total(&widths) > width {
        let room = |n: &usize| widths[*n].unwrap_or(0).saturating_sub(least(*n));
        let giver = (0..columns.len()).filter(|n| room(n) > 0).max_by_key(|n| widths[*n])?;
        widths[giver] = widths[giver].map(|w| w - 1);
    }
    Some(widths)
}

fn paragraphs(columns: &[Column], rows: &[Vec<Cell>], width: usize) -> Vec<Line> {
    let mut lines = Vec::new();
    for row in rows {
        for (column, (style, text)) in columns.iter().zip(row).filter(|(_, (_, text))| !text.is_empty()) {
            let head = format!("{} ", column.head);
            let room = width.saturating_sub(head.width());
            let text = if column.least.is_some() { cut(text, room.max(1)) } else { text.clone() };
            lines.push(Line::default().with(Style::Dim, head).with(*style, text));
        }
        lines.push(Line::default());
    }
    lines
}

/// The text within so many columns; an ellipsis stands for what is cut.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut used = 1;
    for c in text.chars() {
        used += c.width().unwrap_or(0);
        if used > width {
            break;
        }
        shown.push(c);
    }
    format!("{}…", shown.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    const COLUMNS: [Column; 4] =
        [Column::text("NAME", 6), Column::number("PRICE"), Column::text("SKILLS", 6).spare(), Column::whole("ID")];

    fn shown(width: Option<usize>) -> Vec<String> {
        let row = |name: &str, price: &str| vec![cell(name), cell(price), cell("one, two, three"), cell("0123456789")];
        let lines = lines(&COLUMNS, &[row("漢字の要約をする", "2.50"), row("A\u{1b}[2J\nB", "1,000.00")], width);
        lines.into_iter().map(|l| l.0.into_iter().map(|(_, text)| text).collect()).collect()
    }

    #[test]
    fn a_table_is_as_wide_as_it_may_be() {
        assert_eq!(
            shown(None),
            [
                "NAME                 PRICE  SKILLS           ID",
                "漢字の要約をする      2.50  one, two, three  0123456789",
                "A\u{fffd}[2J B           1,000.00  one, two, three  0123456789",
            ]
        );
        for width in 34..60 {
            for line in shown(Some(width)) {
                assert!(line.width() <= width, "{width}: {line}");
                assert!(!line.starts_with("漢") || line.ends_with("0123456789"), "ids are whole: {line}");
            }
        }
        assert_eq!(shown(Some(40))[1], "漢字の…       2.50  one, tw…  0123456789");
        assert_eq!(shown(Some(30))[1], "漢字の…       2.50  0123456789");
    }

    #[test]
    fn where_no_table_fits_rows_are_paragraphs() {
        assert_eq!(shown(Some(15))[..5], ["NAME 漢字の要…", "PRICE 2.50", "SKILLS one, tw…", "ID 0123456789", ""]);
    }
}
