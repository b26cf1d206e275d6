//! The order of subjects and of their alignments in a pairwise report, if it is not that of E-values
//! (`-sorthits`, `-sorthsps`; `objtools/align_format/align_format_util.cpp`).

use std::cmp::Ordering;
use std::io;
use std::str::FromStr;

use super::coverage::covered;
use super::outfmt::PairwiseStyle;
use super::query_hits::QueryHits;
use crate::engine::{Hit, Hsp, Spelled};

macro_rules! numbered {
    ($(#[$about:meta])* $name:ident: $($number:literal $variant:ident $text:literal;)*) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum $name { $(#[doc = $text] $variant,)* }

        impl $name {
            /// The number that stands for it.
            pub fn number(self) -> u8 {
                match self { $(Self::$variant => $number,)* }
            }
        }

        impl FromStr for $name {
            type Err = &'static str;

            fn from_str(text: &str) -> Result<Self, Self::Err> {
                match i32::read(text) {
                    $(Ok($number) => Ok(Self::$variant),)*
                    _ => Err(concat!("must be a number: ", $(" ", $number, " (", $text, ")",)*)),
                }
            }
        }
    };
}

numbered! {
    /// What subjects are sorted by.
    HitOrder:
    0 Evalue "E-value";
    1 BitScore "bit score";
    2 TotalScore "total bit score";
    3 Identity "percent identity";
    4 Coverage "query coverage";
}

numbered! {
    /// What the HSPs of a subject are sorted by.
    HspOrder:
    0 Evalue "E-value";
    1 Score "score";
    2 QueryStart "query start";
    3 Identity "percent identity";
    4 SubjectStart "subject start";
}

/// The hits of a query in the order in which `style` wants subjects, if it is another than theirs.
pub(super) fn ordered<'h>(
    hits: &'h dyn QueryHits,
    style: &PairwiseStyle,
) -> io::Result<Option<Box<dyn QueryHits + 'h>>> {
    let sorted = match style.hit_order.unwrap_or(HitOrder::Evalue) {
        HitOrder::Evalue => return Ok(None),
        HitOrder::BitScore => {
            hits.sorted(|a, b| first(b, |hsp| hsp.bit_score).total_cmp(&first(a, |hsp| hsp.bit_score)), false)
        }
        // blastp's comparison makes the later of equals come first.
        HitOrder::TotalScore => hits.sorted(|a, b| total_bits(b).total_cmp(&total_bits(a)), true),
        HitOrder::Identity => hits.sorted(
            |a, b| match (a.hsps.first(), b.hsps.first()) {
                (Some(a), Some(b)) => more_alike(a, b),
                _ => Ordering::Equal,
            },
            false,
        ),
        HitOrder::Coverage => hits.sorted(
            |a, b| {
                let evalue = |hit| first(hit, |hsp| hsp.evalue);
                covered(b).cmp(&covered(a)).then(evalue(a).total_cmp(&evalue(b)))
            },
            false,
        ),
    };
    sorted.map(Some)
}

/// What `of` says of the first HSP of a hit.
fn first(hit: &Hit, of: fn(&Hsp) -> f64) -> f64 {
    hit.hsps.first().map_or(0.0, of)
}

/// The HSPs of one of `hits` hits in the order in which `style` wants them.
pub(super) fn shown_hsps<'h>(hit: &'h Hit, hits: usize, style: &PairwiseStyle) -> Vec<&'h Hsp> {
    let mut hsps: Vec<&Hsp> = hit.hsps.iter().collect();
    // A single subject is never compared, and its HSPs then stay as they are.
    if style.hit_order == Some(HitOrder::Identity) && hits > 1 {
        hsps.sort_by(|a, b| more_alike(a, b));
    }
    match style.hsp_order {
        None | Some(HspOrder::Evalue) => {}
        Some(HspOrder::Score) => hsps.sort_by(|a, b| b.bit_score.total_cmp(&a.bit_score)),
        Some(HspOrder::Identity) => hsps.sort_by(|a, b| more_alike(a, b)),
        Some(HspOrder::QueryStart) => {
            hsps.sort_by(|a, b| a.query.start.cmp(&b.query.start).then(a.evalue.total_cmp(&b.evalue)));
        }
        Some(HspOrder::SubjectStart) => {
            hsps.sort_by(|a, b| a.subject.start.cmp(&b.subject.start).then(a.evalue.total_cmp(&b.evalue)));
        }
    }
    hsps
}

/// The sum of the bit scores of a subject's HSPs.
pub(super) fn total_bits(hit: &Hit) -> f64 {
    hit.hsps.iter().map(|hsp| hsp.bit_score).sum()
}

/// The share of identical columns, then the E-value.
fn more_alike(a: &Hsp, b: &Hsp) -> Ordering {
    let share = |hsp: &Hsp| f64::from(hsp.identities) / f64::from(hsp.alignment_length());
    let by_share =
        if a.identities > 0 && b.identities > 0 { share(b).total_cmp(&share(a)) } else { Ordering::Equal };
    by_share.then(a.evalue.total_cmp(&b.evalue))
}
