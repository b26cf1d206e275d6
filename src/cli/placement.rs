//! Where a search is to be compared, on the command line.

use std::time::Duration;

use super::duration::parse_duration;
use crate::jobs::Place;

/// Where the shards of a search are compared.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Where it is compared")]
pub(super) struct PlacementFlags {
    /// Who is told of its shards: `own` workers, the app in the `cloud`, or in a `burst` own workers first
    /// [default: what the server says]
    #[arg(long, value_name = "PLACE")]
    place: Option<Place>,

    /// With --place burst: it is to be done by then, such as 2h; what own workers will not have done goes to the cloud
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    deadline: Option<Duration>,

    /// With --place burst: what own workers will not have done in so long goes to the cloud [default: 10m without
    /// --deadline]
    #[arg(long, value_name = "TIME", value_parser = parse_duration)]
    burst_after: Option<Duration>,

    /// With --place burst: the most that the cloud may cost, in the currency of the server's prices; own workers do
    /// the rest
    #[arg(long, value_name = "AMOUNT")]
    budget: Option<f64>,
}

impl PlacementFlags {
    /// The flags as options of a request.
    pub(super) fn pairs(&self) -> Vec<(&'static str, String)> {
        let seconds = |time: Duration| time.as_secs().to_string();
        let all = [
            ("place", self.place.map(|place| place.to_string())),
            ("deadline", self.deadline.map(seconds)),
            ("burst_after", self.burst_after.map(seconds)),
            ("budget", self.budget.map(|budget| budget.to_string())),
        ];
        all.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
    }
}
