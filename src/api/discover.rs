//! The marketplace over REST: the same search as the page's. Open to everybody.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::Uri;
use axum::http::request::Parts;
use domain::agents::{self, AgentStatus, SearchQuery, Sort};
use domain::{Cursor, Error, FieldError};
use serde::{Deserialize, Serialize};
use url::form_urlencoded;
use utoipa::{IntoParams, ToSchema};

use super::agent_body::AgentRow;
use super::answer::{Answer, Data, Money, data};
use super::caller::Visitor;
use super::input::{cursor, limit, params};
use crate::state::AppState;
use crate::web::failure::ApiError;

/// What is looked for.
#[derive(Debug, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct DiscoverQuery {
    /// Words; a typo is forgiven. At most 200 characters count.
    q: Option<String>,
    /// Must carry each of these tags: the parameter again, or with commas.
    #[param(value_type = Option<Vec<String>>)]
    tags: Option<String>,
    /// Must have a skill of each of these ids: the parameter again, or with commas.
    #[param(value_type = Option<Vec<String>>)]
    skills: Option<String>,
    /// Must be `online`, or `degraded`; both when left out.
    status: Option<String>,
    /// Must not cost more.
    #[param(value_type = Option<String>, example = "10.00")]
    max_price: Option<Money>,
    /// Must be trusted at least this much.
    #[param(minimum = 0, maximum = 100)]
    min_trust: Option<u8>,
    /// `best` (the best match; without words the most trusted), `trust`, `price`, `price-down`, `tasks` or `newest`.
    #[param(example = "best")]
    sort: Option<String>,
    /// Rows a page, 1 to 100; 20 when left out.
    #[param(minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// The `nextCursor` of the page before.
    cursor: Option<String>,
}

impl FromRequestParts<AppState> for DiscoverQuery {
    type Rejection = ApiError;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, ApiError> {
        params(&joined(&parts.uri))
    }
}

/// The query with each repeated list as one, with commas.
fn joined(uri: &Uri) -> Uri {
    let mut pairs: Vec<(String, String)> = Vec::new();
    for (name, value) in form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes()).into_owned() {
        let is_list = matches!(name.as_str(), "tags" | "skills");
        match pairs.iter_mut().find(|(known, _)| is_list && *known == name) {
            Some((_, values)) => {
                values.push(',');
                values.push_str(&value);
            }
            None => pairs.push((name, value)),
        }
    }
    let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
    format!("/?{query}").parse().unwrap_or_default()
}

fn words(list: Option<&str>) -> impl Iterator<Item = &str> {
    list.unwrap_or_default().split(',').map(str::trim).filter(|word| !word.is_empty())
}

impl DiscoverQuery {
    fn wanted(&self) -> domain::Result<SearchQuery> {
        let mut wrong = Vec::new();
        let given = |text: &Option<String>| text.clone().filter(|t| !t.is_empty());
        let status = given(&self.status).and_then(|word| {
            let listed = AgentStatus::parse(&word).filter(|s| *s != AgentStatus::Offline);
            if listed.is_none() {
                wrong.push(FieldError::new("status", "must be online or degraded"));
            }
            listed
        });
        let sort = given(&self.sort).map(|word| {
            Sort::parse(&word).unwrap_or_else(|| {
                wrong.push(FieldError::new("sort", "must be best, trust, price, price-down, tasks or newest"));
                Sort::default()
            })
        });
        if self.max_price.is_some_and(|m| m.0.is_negative()) {
            wrong.push(FieldError::new("maxPrice", "cannot be negative"));
        }
        if self.min_trust.is_some_and(|t| t > 100) {
            wrong.push(FieldError::new("minTrust", "must be 0 to 100"));
        }
        if !wrong.is_empty() {
            return Err(Error::Validation(wrong));
        }
        Ok(SearchQuery {
            text: self.q.as_deref().unwrap_or_default().chars().take(200).collect(),
            tags: words(self.tags.as_deref()).map(str::to_lowercase).collect(),
            skills: words(self.skills.as_deref()).map(str::to_owned).collect(),
            status,
            max_price: self.max_price.map(|m| m.0),
            min_trust: self.min_trust,
            sort: sort.unwrap_or_default(),
            after: cursor(self.cursor.as_deref())?,
        })
    }
}

/// Agents that match, a page of them.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = FoundAgents)]
pub struct FoundBody {
    /// The agents of this page, in the order asked for.
    data: Vec<AgentRow>,
    /// What `cursor` of the next request must be; `null` on the last page.
    #[schema(required)]
    next_cursor: Option<String>,
    /// How many match in all.
    total: i64,
}

/// Find agents
///
/// Those that are on the list and take work. Every figure is from tasks that really happened.
#[utoipa::path(get, path = "/discover", tag = "Marketplace", operation_id = "discoverAgents", params(DiscoverQuery),
    responses((status = 200, description = "A page of agents, and how many match", body = FoundBody)))]
pub async fn search(
    State(state): State<AppState>,
    visitor: Visitor,
    query: DiscoverQuery,
) -> Result<Json<FoundBody>, ApiError> {
    let limit = limit(query.limit)?;
    let found = agents::search(&state.db, &visitor.actor, &query.wanted()?, limit).await?;
    Ok(Json(FoundBody {
        next_cursor: found.page.next.as_ref().map(Cursor::to_string),
        data: found.page.items.into_iter().map(AgentRow::from).collect(),
        total: found.total,
    }))
}

/// What agents can be found by, the most common first.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Facets)]
pub struct FacetsBody {
    /// Tags, at most 40.
    tags: Vec<TagCount>,
    /// Skills, at most 60.
    skills: Vec<SkillCount>,
}

/// A tag.
#[derive(Debug, Serialize, ToSchema)]
pub struct TagCount {
    /// The tag.
    tag: String,
    /// How many listed agents carry it.
    count: i64,
}

/// A skill.
#[derive(Debug, Serialize, ToSchema)]
pub struct SkillCount {
    /// What it is named by.
    id: String,
    /// For people.
    name: String,
    /// How many listed agents have it.
    count: i64,
}

/// List tags and skills
///
/// What `GET /discover` can be narrowed by, with how many agents have each.
#[utoipa::path(get, path = "/discover/facets", tag = "Marketplace", operation_id = "listFacets",
    responses((status = 200, description = "Tags and skills", body = Data<FacetsBody>)))]
pub async fn facets(State(state): State<AppState>, visitor: Visitor) -> Answer<FacetsBody> {
    let found = agents::facets(&state.db, &visitor.actor).await?;
    Ok(data(FacetsBody {
        tags: found.tags.into_iter().map(|(tag, count)| TagCount { tag, count }).collect(),
        skills: found.skills.into_iter().map(|(id, name, count)| SkillCount { id, name, count }).collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lists_are_repeated_or_have_commas() {
        let of = |query: &str| {
            let query: DiscoverQuery = params(&joined(&format!("/x?{query}").parse().unwrap())).ok().unwrap();
            query.wanted().unwrap()
        };
        for query in ["tags=a&tags=B", "tags=a,b", "tags=a%2Cb&q=x", "tags=a,,&tags=%20b"] {
            assert_eq!(of(query).tags, ["a", "b"], "{query}");
        }
        assert!(of("tags=&skills=").skills.is_empty());
        assert!(params::<DiscoverQuery>(&joined(&"/x?q=a&q=b".parse().unwrap())).is_err(), "one text");
    }
}
