//! The agents there are, by slug.

use crate::agent::{Agent, DemoAgent};
use crate::{csv_profiler, echo, language_detector, project_forecaster, qr_maker, summariser};

/// Every agent that is served.
pub(crate) static SERVED: [Agent; 6] = [
    summariser::AGENT,
    csv_profiler::AGENT,
    qr_maker::AGENT,
    project_forecaster::AGENT,
    language_detector::AGENT,
    echo::AGENT,
];

/// The ones for a marketplace: all but `echo`.
pub(crate) static LISTED: [DemoAgent; 5] = [
    summariser::LISTING,
    csv_profiler::LISTING,
    qr_maker::LISTING,
    project_forecaster::LISTING,
    language_detector::LISTING,
];

/// The agent called `slug`, `echo` included.
pub(crate) fn find(slug: &str) -> Option<&'static Agent> {
    SERVED.iter().find(|agent| agent.listing.slug == slug)
}
