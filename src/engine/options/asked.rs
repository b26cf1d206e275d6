//! Back from the options of a search to what a user would ask for.

use super::choices::OptionChoices;
use super::contest::Contest;
use super::masking::{SegChoice, Switch};
use super::search_options::SearchOptions;

impl OptionChoices {
    /// The options in which a search differs from the usual one, by the names and in the spelling that
    /// [`set`](Self::set) takes: asked for together they give this search, and none can be left out. Numbers of
    /// many digits are in scientific notation.
    pub fn asked(options: &SearchOptions) -> Vec<(&'static str, String)> {
        let mut asked = Self::all(options).pairs();
        let mut place = 0;
        while place < asked.len() {
            let mut fewer = asked.clone();
            fewer.remove(place);
            if gives(&fewer, options) {
                asked = fewer;
            } else {
                place += 1;
            }
        }
        asked.into_iter().map(in_few_digits).collect()
    }

    /// Every option by name, but the task, which is a set of defaults for others.
    fn all(options: &SearchOptions) -> Self {
        let (culling_limit, shares) = match options.contest {
            None => (None, None),
            Some(Contest::Culling(limit)) => (Some(limit), None),
            Some(Contest::BestHit { overhang, score_edge }) => (None, Some((overhang, score_edge))),
        };
        let switch = |on: bool| Some(Switch(on));
        Self {
            evalue: Some(options.evalue),
            max_target_seqs: Some(options.max_target_seqs),
            comp_based_stats: Some(options.composition),
            matrix: Some(options.matrix),
            gapopen: Some(options.gaps.open),
            gapextend: Some(options.gaps.extend),
            word_size: Some(options.words.size),
            threshold: Some(options.words.threshold),
            window_size: Some(options.words.window),
            xdrop_ungap: Some(options.drop_off.ungapped),
            xdrop_gap: Some(options.drop_off.gapped),
            xdrop_gap_final: Some(options.drop_off.last),
            max_hsps: options.max_hsps,
            qcov_hsp_perc: Some(options.min_query_cover),
            dbsize: options.database_residues,
            searchsp: options.search_space,
            ungapped: switch(options.ungapped),
            seg: Some(SegChoice(options.masking.seg)),
            soft_masking: switch(options.masking.soft),
            lcase_masking: switch(options.masking.lower_case),
            query_loc: options.query_location,
            culling_limit,
            best_hit_overhang: shares.map(|(overhang, _)| overhang),
            best_hit_score_edge: shares.map(|(_, score_edge)| score_edge),
            subject_besthit: switch(options.subject_best_hit),
            use_sw_tback: switch(options.locally_optimal),
            mode: Some(options.mode),
            ..Self::default()
        }
    }
}

/// Whether asking for `pairs` gives this search.
fn gives(pairs: &[(&'static str, String)], options: &SearchOptions) -> bool {
    let mut choices = OptionChoices::default();
    pairs.iter().all(|(name, value)| choices.set(name, value).is_ok())
        && choices.resolve().is_ok_and(|resolved| resolved == *options)
}

/// Digits of the largest whole number that an option can be, 2^64 - 1.
const LONGEST_WHOLE: usize = 20;

/// A number with a fraction, or of more digits than a whole number has, in scientific notation.
fn in_few_digits((name, value): (&'static str, String)) -> (&'static str, String) {
    let is_whole = value.parse::<i128>().is_ok() && value.len() <= LONGEST_WHOLE;
    match value.parse::<f64>() {
        Ok(number) if value.len() > 12 && !is_whole => (name, format!("{number:e}")),
        _ => (name, value),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(pairs: &[(&str, &str)]) -> Vec<(&'static str, String)> {
        let mut choices = OptionChoices::default();
        for (name, value) in pairs {
            choices.set(name, value).expect("an option");
        }
        let options = choices.resolve().expect("a search");
        let asked = OptionChoices::asked(&options);
        assert!(gives(&asked, &options), "{asked:?}");
        asked
    }

    #[test]
    fn of_a_usual_search_nothing_is_said() {
        assert_eq!(asked(&[]), []);
        assert_eq!(
            asked(&[("evalue", "10"), ("matrix", "BLOSUM62"), ("seg", "no"), ("ungapped", "false")]),
            []
        );
    }

    #[test]
    fn what_was_asked_for_is_named_as_it_is_asked_for() {
        for pairs in [
            &[("evalue", "0.001"), ("max_target_seqs", "5")][..],
            &[("matrix", "BLOSUM45")],
            &[("matrix", "PAM30"), ("gapopen", "7"), ("gapextend", "2")],
            &[("seg", "10 1.8 2.1"), ("soft_masking", "true"), ("query_loc", "10-60")],
            &[("best_hit_overhang", "0.2"), ("best_hit_score_edge", "0.3")],
            &[("culling_limit", "2")],
        ] {
            let expected: Vec<_> = pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect();
            assert_eq!(asked(pairs), expected);
        }
    }

    #[test]
    fn a_task_is_told_by_the_options_that_it_stands_for() {
        let names: Vec<_> = asked(&[("task", "blastp-short")]).into_iter().map(|(name, _)| name).collect();
        assert!(names.contains(&"matrix") && names.contains(&"word_size"), "{names:?}");
    }
}
