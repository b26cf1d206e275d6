//! What a report says beside its hits: the search, the database, and statistics of each query.

use std::sync::Arc;

use jiff::Timestamp;

use super::so_far::SoFar;
use crate::engine::{
    CompositionMode, DatabaseTotals, Hit, OptionError, QuerySequence, SearchOptions, SearchedQuery,
};
use crate::scoring::{GapCosts, KarlinParameters, Matrix, SearchSpace, TableRow, ungapped_parameters};
use crate::sequence::alphabet::O;
use crate::sequence::defline;
use crate::sequence::names::{Name, SubjectNames};
use crate::sequence::taxids::Taxid;
use crate::sequence::title::{first_word, tidy};
use crate::taxonomy::Taxonomy;

/// The name that reports give the program: the results are those of this blastp.
pub(super) const PROGRAM: &str = concat!("BLASTP 2.12.0+ (skyblast ", env!("CARGO_PKG_VERSION"), ")");

/// Its version alone.
pub(super) const PROGRAM_VERSION: &str = concat!("2.12.0+ (skyblast ", env!("CARGO_PKG_VERSION"), ")");

/// The publication that reports of all formats name, as XML and JSON have it.
pub(super) const REFERENCE: &str = "Stephen F. Altschul, Thomas L. Madden, Alejandro A. Sch&auml;ffer, \
    Jinghui Zhang, Zheng Zhang, Webb Miller, and David J. Lipman (1997), \"Gapped BLAST and PSI-BLAST: \
    a new generation of protein database search programs\", Nucleic Acids Res. 25:3389-3402.";

/// A database as reports describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabaseText {
    /// What the user calls it.
    pub name: String,
    /// What its maker calls it.
    pub title: String,
    /// Which version of it was searched, if it has versions.
    pub version: Option<String>,
    /// When it was made.
    pub posted: Option<Timestamp>,
    /// Its size.
    pub totals: DatabaseTotals,
    /// The size of what is searched of it, which statistics refer to.
    pub searched: DatabaseTotals,
    /// What it consists of, if the user named several databases.
    pub parts: Vec<DatabasePart>,
    /// Whether it is no database but sequences that were given with the queries (`-subject`).
    pub is_given: bool,
}

/// One of several databases that are searched together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DatabasePart {
    /// What its maker calls it.
    pub title: String,
    /// When it was made.
    pub posted: Option<Timestamp>,
    /// Its size.
    pub totals: DatabaseTotals,
}

/// What all queries of a report have in common.
#[derive(Clone, Debug)]
pub struct ReportContext {
    pub(super) database: DatabaseText,
    pub(super) options: SearchOptions,
    pub(super) matrix: Matrix,
    pub(super) gaps: GapCosts,
    /// Tabulated parameters of alignments without gaps.
    pub(super) ungapped: TableRow,
    /// Tabulated parameters of alignments with gaps.
    pub(super) gapped: TableRow,
    taxonomy: Option<Arc<Taxonomy>>,
    /// What the report is on, if its search has not ended.
    so_far: Option<SoFar>,
}

/// What a report says of a query.
#[derive(Clone, Copy, Debug)]
pub struct QueryText<'a> {
    /// The query's number in its file, from 1; names a query without an id.
    pub number: u64,
    /// Its number in the report, from 1, which differs if queries before it were left out.
    pub place: u64,
    /// Its whole definition line, without `>`.
    pub defline: &'a [u8],
    /// Its residues.
    pub sequence: QuerySequence<'a>,
    /// What it was not compared with.
    pub missing: MissingVolumes,
}

/// Volumes of the database that a query could not be compared with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct MissingVolumes {
    /// How many.
    pub missing: u32,
    /// Of how many.
    pub of: u32,
}

impl MissingVolumes {
    /// Whether nothing of the database was searched.
    pub(super) fn is_all(self) -> bool {
        self.missing > 0 && self.missing >= self.of
    }

    /// What is to be said of a query that was not compared with the whole database.
    pub(super) fn remark(self, has_hits: bool) -> Option<String> {
        let Self { missing, of } = self;
        match missing {
            0 => None,
            _ if self.is_all() => Some(format!("Not searched: all {of} volumes of the database failed")),
            _ => {
                let rest = if has_hits { "hits in them are not here" } else { "no hits found in the others" };
                Some(format!("Incomplete: {missing} of {of} volumes of the database failed, {rest}"))
            }
        }
    }
}

/// Statistics of a query that could be searched.
#[derive(Clone, Copy, Debug)]
pub(super) struct QueryStatistics {
    /// λ, K and H without gaps, by the query's composition.
    pub(super) ungapped: KarlinParameters,
    /// λ, K and H that the search used.
    pub(super) used: KarlinParameters,
    /// Its search space.
    pub(super) space: SearchSpace,
}

impl ReportContext {
    /// The context of a search with `options` in `database`.
    ///
    /// # Errors
    /// If there are no statistics for the matrix and gap costs.
    pub fn new(database: DatabaseText, options: SearchOptions) -> Result<Self, OptionError> {
        let gapped = TableRow::gapped(options.matrix, options.gaps)
            .ok_or_else(|| OptionError::gap_costs(options.matrix, options.gaps))?;
        Ok(Self {
            database,
            options,
            matrix: Matrix::new(options.matrix),
            gaps: options.gaps,
            ungapped: TableRow::ungapped(options.matrix),
            gapped,
            taxonomy: None,
            so_far: None,
        })
    }

    /// The context with the names of taxa, for reports that [show them](super::OutputFormat::names_taxa).
    #[must_use]
    pub fn naming_taxa(mut self, taxonomy: Option<Arc<Taxonomy>>) -> Self {
        self.taxonomy = taxonomy;
        self
    }

    /// The context of a report on the queries that have been searched so far.
    #[must_use]
    pub fn so_far(mut self, so_far: SoFar) -> Self {
        self.so_far = Some(so_far);
        self
    }

    /// What is to be said of a report that is made before its search has ended.
    pub(super) fn is_partial(&self) -> Option<String> {
        self.so_far.as_ref().map(|so_far| format!("Partial report of a search that has not ended: {so_far}"))
    }

    /// The place of the query that begins the report.
    pub fn first_place(&self) -> u64 {
        self.so_far.as_ref().map_or(1, SoFar::first_place)
    }

    /// The names of taxa.
    pub(super) fn taxonomy(&self) -> Option<&Taxonomy> {
        self.taxonomy.as_deref()
    }

    /// What is searched of a query.
    pub(super) fn searched<'a>(&self, query: QueryText<'a>) -> SearchedQuery<'a> {
        SearchedQuery::new(query.sequence, &self.options)
    }

    /// Statistics of a query; `None` if it cannot be searched.
    pub(super) fn statistics(&self, query: QueryText<'_>) -> Option<QueryStatistics> {
        let query = self.searched(query).compared;
        let ungapped = ungapped_parameters(&query, &self.matrix)?;
        let DatabaseTotals { residues, sequences } = self.database.searched;
        let database = self.options.space_residues(residues);
        let row =
            if self.options.ungapped { TableRow { karlin: ungapped, ..self.ungapped } } else { self.gapped };
        let mut space = SearchSpace::new(query.len() as u64, database, sequences, &row);
        space.effective = self.options.stated_space().unwrap_or(space.effective);
        Some(QueryStatistics { ungapped, used: row.karlin, space })
    }

    /// The mode of composition-based statistics; 0 for none.
    pub(super) fn composition_mode(&self) -> u8 {
        match self.options.composition {
            CompositionMode::Off => 0,
            CompositionMode::Scale => 1,
            CompositionMode::Conditional => 2,
            CompositionMode::Always => 3,
        }
    }
}

/// Positions of O that are listed; they count from 0.
const POSITIONS_SHOWN: usize = 20;
/// Letters of a query's label that stay when it is cut.
const LABEL_CUT: usize = 25;
/// Letters of the longest label that is not cut.
const LABEL_LIMIT: usize = 35;

impl QueryText<'_> {
    /// The title as XML and JSON have it: tidied; may be empty.
    pub(super) fn tidy_title(&self) -> String {
        tidy(&text(defline::title(self.defline)))
    }

    /// The name that XML and JSON give the query.
    pub(super) fn id(&self) -> String {
        format!("Query_{}", self.number)
    }

    /// What is odd about the query, what it was not compared with, that it has no hits, and that the report is
    /// partial; `None` if there is nothing to say.
    ///
    /// The form is blastp's, which states the query twice.
    pub(super) fn message(&self, context: &ReportContext, searched: bool, has_hits: bool) -> Option<String> {
        let mut text = String::new();
        let oddities = self.oddities(context, searched);
        if !oddities.is_empty() {
            let label = self.label();
            text = format!("{label}:  {label}: {} ", oddities.join(" "));
        }
        let remark = self.missing.remark(has_hits);
        if let Some(remark) = remark.or_else(|| (!has_hits).then(|| NO_HITS.to_owned())) {
            if !text.is_empty() {
                text.push(' ');
            }
            text.push_str(&remark);
        }
        if let Some(partial) = context.is_partial() {
            if !text.is_empty() {
                text.push_str("; ");
            }
            text.push_str(&partial);
        }
        Some(text).filter(|text| !text.is_empty())
    }

    fn oddities(&self, context: &ReportContext, searched: bool) -> Vec<String> {
        let residues = context.searched(*self).shown;
        if residues.is_empty() {
            return vec!["Sequence contains no data".to_owned()];
        }
        let mut oddities = Vec::new();
        if !searched {
            let text = "Could not calculate ungapped Karlin-Altschul parameters due to an invalid query \
                        sequence or its translation. Please verify the query sequence(s) and/or \
                        filtering options";
            oddities.push(text.to_owned());
        }
        let replaced = || residues.iter().enumerate().filter(|(_, residue)| **residue == O);
        let listed: Vec<_> =
            replaced().take(POSITIONS_SHOWN).map(|(position, _)| position.to_string()).collect();
        if !listed.is_empty() {
            let cut = if replaced().count() > POSITIONS_SHOWN { ",... (only first 20 shown)" } else { "" };
            oddities.push(format!(
                "One or more O characters replaced by X for alignment score calculations at positions {}{cut}",
                listed.join(", ")
            ));
        }
        oddities
    }

    /// Number and title, cut if they are long.
    fn label(&self) -> String {
        let title = String::from_utf8_lossy(defline::title(self.defline)).into_owned();
        let label = format!("{} {title}", self.id());
        let label = label.trim_end();
        if label.chars().count() <= LABEL_LIMIT {
            return label.to_owned();
        }
        let kept: String = label.chars().take(LABEL_CUT).collect();
        format!("{kept}.. ")
    }
}

/// What is said of a query without hits.
pub(super) const NO_HITS: &str = "No hits found";

/// What names a sequence that was given with the queries: the first word of its title.
pub(super) fn given_id(defline: &[u8]) -> &[u8] {
    match defline::id(defline) {
        b"" => b"unnamed",
        id => id,
    }
}

/// What names such a sequence by its position, from 0.
pub(super) fn given_number(ordinal: u64) -> String {
    format!("Subject_{}", ordinal + 1)
}

/// What XML and JSON call a subject.
#[derive(Debug)]
pub(super) struct SubjectLabel {
    pub(super) id: String,
    pub(super) accession: String,
    /// May be empty.
    pub(super) title: String,
    /// 0 if it is not known.
    pub(super) taxid: Taxid,
}

impl SubjectLabel {
    /// What XML calls a hit's subject: all its names in one title. Without parsed identifiers, databases
    /// have it numbered only.
    pub(super) fn of(hit: &Hit, context: &ReportContext) -> Self {
        let names = SubjectNames::of(&hit.defline);
        let [first, further @ ..] = names.names() else { return Self::unparsed(hit, context) };
        if !names.is_parted() {
            return Self::unparsed(hit, context);
        }
        let mut title = text(&first.title);
        for name in further {
            title.push_str(&format!(" >{} {}", text(&name.id), text(&name.title)));
        }
        let accession = text(&names.entry_of(names.chosen()));
        Self { id: text(names.printed_id(first)), accession, title, taxid: first.taxids.taxid }
    }

    /// What JSON calls it: a label for each of its names.
    pub(super) fn all(hit: &Hit, context: &ReportContext) -> Vec<Self> {
        let names = SubjectNames::of(&hit.defline);
        if !names.is_parted() {
            return vec![Self::unparsed(hit, context)];
        }
        let label = |name: &Name<'_>| Self {
            id: text(names.printed_id(name)),
            accession: text(&names.entry_of(name)),
            title: text(&name.title),
            taxid: name.taxids.taxid,
        };
        names.names().iter().map(label).collect()
    }

    fn unparsed(hit: &Hit, context: &ReportContext) -> Self {
        if context.database.is_given {
            let (title, number) = (described(hit, context), given_number(hit.ordinal()));
            let id = match &*first_word(defline::title(&hit.defline)) {
                b"" => number.clone(),
                word => text(word),
            };
            return Self { id, accession: number, title, taxid: 0 };
        }
        let names = SubjectNames::of(&hit.defline);
        let (id, accession) = (format!("gnl|BL_ORD_ID|{}", hit.ordinal()), hit.ordinal().to_string());
        Self { id, accession, title: text(names.title()), taxid: names.taxid() }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// What a list of descriptions says of a subject, and the title of one that was given with the queries.
pub(super) fn described(hit: &Hit, context: &ReportContext) -> String {
    if context.database.is_given {
        return tidy(&text(defline::title(&hit.defline)));
    }
    SubjectNames::of(&hit.defline).description()
}
