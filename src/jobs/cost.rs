//! What jobs cost.
//!
//! The hits of a shard are noted with the time that it took to get them, and a blob with that time in its name
//! records what did not lead to hits, or to hits that were there, so that two listings add them up. A shard
//! that was compared twice has cost twice. Of a process that is killed
//! nothing is recorded.

use super::edition::Edition;
use super::job::Outcome;
use super::pipeline::Pipeline;

impl Pipeline {
    /// Logs what a job that has just ended was and did cost.
    pub(super) async fn report_cost(&self, edition: Edition, outcome: &Outcome) {
        let id = edition.job;
        self.tally.job_ended(outcome.state);
        let job = match self.ledger.job(id).await {
            Ok(job) => job,
            Err(error) => return tracing::warn!(job = %id, %error, "could not look up what the job did"),
        };
        self.note_rate(&job, outcome).await;
        let instance_seconds = outcome.instance_milliseconds as f64 / 1e3;
        let seconds = outcome.finished.duration_since(job.submitted).as_secs_f64();
        let comparisons = if outcome.state.has_report() { job.comparisons() } else { 0 };
        tracing::info!(
            metric = "job",
            job = %id,
            state = %outcome.state,
            database = %job.database,
            queries = job.queries(),
            query_residues = job.residues(),
            comparisons,
            residue_pairs = job.residue_pairs(),
            shards_done = outcome.shards_done,
            shards_failed = outcome.shards_failed,
            instance_seconds,
            seconds,
            comparisons_per_second = comparisons as f64 / seconds.max(1e-3),
            "a job has ended"
        );
    }
}
