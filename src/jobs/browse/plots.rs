//! How the hits of a query are distributed; what is kept of them does not grow with their number.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use crate::report::HitSummary;

/// Stretches of the query that are told apart.
const STRETCHES: usize = 200;
/// Residues of the subject's length that are one class.
const LENGTH_CLASS: u32 = 10;
/// E-values beyond this many powers of ten are one class, as are those of 0.
const LAST_EVALUE: i32 = 200;
/// Species that are counted one by one; the others are counted together.
const COUNTED_SPECIES: usize = 10_000;
/// Species that are named.
const NAMED_SPECIES: usize = 50;

/// Distributions of hits.
#[derive(Clone, Debug, PartialEq, Serialize, utoipa::ToSchema)]
pub struct Plots {
    /// Hits by the power of ten of their E-value, negated: 5 stands for 1e-5 to below 1e-4.
    pub evalues: BTreeMap<i32, u64>,
    /// Residues of a class of lengths.
    pub length_class: u32,
    /// Hits by length of the subject, in classes.
    pub lengths: BTreeMap<u32, u64>,
    /// Hits by identity of their best HSP, in whole per cent.
    pub identities: BTreeMap<u32, u64>,
    /// How many HSPs lie over each of some stretches of equal length of the query.
    pub depth: Vec<u64>,
    /// The most frequent species, and how many hits are theirs.
    pub species: Vec<(String, u64)>,
    /// Hits of other species.
    pub other_species: u64,
    /// Hits whose title names none.
    pub without_species: u64,
}

/// Takes hits one by one.
#[derive(Debug)]
pub(super) struct Plotter {
    plots: Plots,
    query_length: u64,
    species: HashMap<String, u64>,
}

impl Plotter {
    /// For hits of a query of this length.
    pub(super) fn new(query_length: u64) -> Self {
        let stretches = STRETCHES.min(query_length as usize);
        let plots = Plots {
            evalues: BTreeMap::new(),
            length_class: LENGTH_CLASS,
            lengths: BTreeMap::new(),
            identities: BTreeMap::new(),
            depth: vec![0; stretches],
            species: Vec::new(),
            other_species: 0,
            without_species: 0,
        };
        Self { plots, query_length, species: HashMap::new() }
    }

    /// Adds a hit.
    pub(super) fn add(&mut self, hit: &HitSummary) {
        let power = if hit.evalue > 0.0 { (-hit.evalue.log10()).ceil() as i32 } else { LAST_EVALUE };
        *self.plots.evalues.entry(power.min(LAST_EVALUE)).or_default() += 1;
        *self.plots.lengths.entry(hit.length / LENGTH_CLASS * LENGTH_CLASS).or_default() += 1;
        *self.plots.identities.entry(hit.identity as u32).or_default() += 1;
        let stretches = self.plots.depth.len() as u64;
        let stretch =
            |position: u32| (u64::from(position.max(1) - 1) * stretches / self.query_length.max(1)) as usize;
        for &(first, last, _) in &hit.places {
            let covered = self.plots.depth.get_mut(stretch(first)..=stretch(last));
            covered.into_iter().flatten().for_each(|depth| *depth += 1);
        }
        match &hit.species {
            None => self.plots.without_species += 1,
            Some(species) => {
                if let Some(count) = self.species.get_mut(species) {
                    *count += 1;
                } else if self.species.len() < COUNTED_SPECIES {
                    self.species.insert(species.clone(), 1);
                } else {
                    self.plots.other_species += 1;
                }
            }
        }
    }

    /// The distributions of what was added.
    pub(super) fn finish(mut self) -> Plots {
        let mut species = Vec::from_iter(self.species);
        species.sort_by(|(a, one), (b, two)| two.cmp(one).then_with(|| a.cmp(b)));
        let others = species.split_off(species.len().min(NAMED_SPECIES));
        self.plots.other_species += others.iter().map(|(_, count)| count).sum::<u64>();
        self.plots.species = species;
        self.plots
    }
}
