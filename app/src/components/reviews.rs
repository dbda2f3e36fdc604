//! What payers say of an agent, what its owner answers, and the form for that.

use chrono::{DateTime, Utc};
use domain::trust::{Review, ReviewSummary, TEXT_LIMIT};
use domain::{AgentId, Page, TaskId};
use leptos::prelude::*;

use super::field::Field;
use super::{form, time, trust};
use crate::context::Form;
use crate::query::encode;

/// Everything that the section shows.
pub struct Shelf {
    /// Whose reviews.
    pub agent: AgentId,
    /// How all of them are spread.
    pub summary: ReviewSummary,
    /// Those of this page.
    pub page: Page<Review>,
    /// Where this page starts, as its address says it; `None` for the newest.
    pub after: Option<String>,
    /// Whether the reader owns the agent.
    pub may_answer: bool,
    /// The review whose answer is being written.
    pub answering: Option<TaskId>,
    /// What was typed, if an answer was refused.
    pub form: Form,
    /// The request's moment.
    pub now: DateTime<Utc>,
}

/// The reviews of an agent, one page of them.
pub fn section(shelf: Shelf) -> AnyView {
    let reviews: Vec<_> = shelf.page.items.iter().map(|r| review(&shelf, r)).collect();
    let older = shelf.page.next.as_ref().map(|next| {
        let to = format!("/marketplace/{}?reviews={next}#reviews", shelf.agent);
        view! { <a class="button" href=to rel="next">"Older reviews"</a> }
    });
    let newest = shelf.after.as_ref().map(|_| {
        view! { <a class="button" href=format!("/marketplace/{}#reviews", shelf.agent)>"Newest reviews"</a> }
    });
    let empty = match (reviews.is_empty(), shelf.summary.count()) {
        (false, _) => None,
        (true, 0) => Some("No reviews yet. Whoever has paid for a task can rate it when it has ended."),
        (true, _) => Some("There are no older reviews."),
    };
    view! {
        <section id="reviews">
            <h2>"Reviews"</h2>
            {(shelf.summary.count() > 0).then(|| spread(&shelf.summary))}
            {empty.map(|words| view! { <p class="mute">{words}</p> })}
            {(!reviews.is_empty()).then(|| view! { <ul class="reviews">{reviews}</ul> })}
            {(older.is_some() || newest.is_some()).then(|| view! { <nav class="pager" aria-label="Pages of reviews">{newest}{older}</nav> })}
        </section>
    }
    .into_any()
}

/// One review by itself, as the page of its task shows it.
pub fn one(review: &Review, now: DateTime<Utc>) -> AnyView {
    let answer = review.answer.as_ref().map(|answer| {
        view! { <div class="review-answer"><p class="small mute">"The provider answered"</p>{paragraphs(answer)}</div> }
    });
    view! {
        <p class="review-head">
            {stars(review.stars)}
            <span><strong>{review.author.clone()}</strong>" "<span class="mute small">{time::ago(review.created_at, now)}</span></span>
        </p>
        {paragraphs(&review.text)}
        {answer}
    }
    .into_any()
}

/// The mean, and how many gave how many stars.
fn spread(summary: &ReviewSummary) -> AnyView {
    let count = summary.count();
    let mean = summary.mean().unwrap_or_default();
    let rows: Vec<_> = (1..=5_usize)
        .rev()
        .filter_map(|stars| Some((stars, *summary.stars.get(stars - 1)?)))
        .map(|(stars, n)| {
            let share = n as f64 / count as f64 * 100.0;
            view! {
                <li>
                    <span class="nowrap">{many(stars as i64, "star")}</span>
                    {trust::bar(share, format!("{share:.0} % gave {}", many(stars as i64, "star")))}
                    <span class="right">{n}</span>
                </li>
            }
        })
        .collect();
    view! {
        <div class="review-spread">
            <p><strong class="review-mean">{format!("{mean:.1}")}</strong>" of 5 stars"<br />
                <span class="mute small">{format!("plain mean of {}", many(count, "review"))}</span></p>
            <ul>{rows}</ul>
        </div>
    }
    .into_any()
}

fn many(n: i64, what: &str) -> String {
    if n == 1 { format!("1 {what}") } else { format!("{n} {what}s") }
}

fn review(shelf: &Shelf, review: &Review) -> AnyView {
    let task = review.task;
    let text: Vec<_> = paragraphs(&review.text);
    let refused = shelf.form.of_section(&task.to_string());
    let writing = shelf.may_answer && (shelf.answering == Some(task) || refused.is_sent());
    let answer = review.answer.as_ref().filter(|_| !writing).map(|answer| {
        view! {
            <div class="review-answer">
                <p class="small mute">"The provider answered"{review.answered_at.map(|at| view! { " "{time::ago(at, shelf.now)} })}</p>
                {paragraphs(answer)}
            </div>
        }
    });
    let action = match (shelf.may_answer, writing) {
        (false, _) => None,
        (true, true) => Some(answer_form(shelf, review, &refused)),
        (true, false) => {
            let word = if review.answer.is_some() { "Change your answer" } else { "Answer" };
            let page = shelf.after.as_ref().map(|a| format!("reviews={}&", encode(a))).unwrap_or_default();
            let to = format!("/marketplace/{}?{page}answer={task}#review-{task}", shelf.agent);
            let label = format!("{word}: review by {}", review.author);
            Some(view! { <p><a class="button button-small" href=to aria-label=label>{word}</a></p> }.into_any())
        }
    };
    view! {
        <li class="panel review" id=format!("review-{task}")>
            <p class="review-head">
                {stars(review.stars)}
                <span><strong>{review.author.clone()}</strong>" "<span class="mute small">{time::ago(review.created_at, shelf.now)}</span></span>
            </p>
            {text}
            {answer}
            {action}
        </li>
    }
    .into_any()
}

fn answer_form(shelf: &Shelf, review: &Review, typed: &Form) -> AnyView {
    let action = format!("/agents/{}/reviews/{}/answer", shelf.agent, review.task);
    let field = Field::new("answer", "Your answer")
        .lines(4)
        .required(true)
        .maxlength(Some(TEXT_LIMIT as u64))
        .value(review.answer.clone().unwrap_or_default())
        .hint("Everybody reads it, under the review.");
    view! {
        <form method="post" action=action class="form">
            {form::errors(typed, &["answer"])}
            {form::hidden("section", review.task.to_string())}
            {form::hidden("reviews", shelf.after.clone().unwrap_or_default())}
            {field.show(typed)}
            {form::submit("Publish the answer")}
        </form>
    }
    .into_any()
}

/// What stands between empty lines. Forms end lines with CR and LF.
pub fn paragraphs(text: &str) -> Vec<AnyView> {
    split(text).into_iter().map(|p| view! { <p>{p}</p> }.into_any()).collect()
}

fn split(text: &str) -> Vec<String> {
    let text = text.replace("\r\n", "\n");
    text.split("\n\n").map(|p| p.trim().to_owned()).filter(|p| !p.is_empty()).collect()
}

/// Stars as a picture, and in words for whoever does not see it.
fn stars(n: i16) -> AnyView {
    let all: Vec<_> = (1..=5_i16)
        .map(|i| {
            let class = if i <= n { "star star-full" } else { "star" };
            view! {
                <svg class=class viewBox="0 0 20 20" aria-hidden="true" focusable="false">
                    <path d="M10 2.5l2.3 4.8 5.2.7-3.8 3.6.9 5.2-4.6-2.5-4.6 2.5.9-5.2L2.5 8l5.2-.7z" />
                </svg>
            }
        })
        .collect();
    view! { <span class="stars">{all}<span class="small">{format!("{n} of 5 stars")}</span></span> }.into_any()
}

#[cfg(test)]
mod tests {
    use super::split;

    #[test]
    fn paragraphs_stay_apart_whoever_ends_the_lines() {
        assert_eq!(split("one\r\ntwo\r\n\r\n\r\nthree\r\n"), ["one\ntwo", "three"]);
        assert_eq!(split("one\n\ntwo"), ["one", "two"]);
    }
}
