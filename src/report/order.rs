//! The order of subjects and of their alignments in a pairwise report, if it is not that of E-values
//! (`-sorthits`, `-sorthsps`; `objtools/align_format/align_format_util.cpp`).

use std::cmp::Ordering;
use std::str::FromStr;

use super::coverage::covered;
use super::outfmt::PairwiseStyle;
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

/// A subject and its HSPs in the order in which they are shown.
#[derive(Debug)]
pub(super) struct Shown<'h> {
    pub(super) hit: &'h Hit,
    pub(super) hsps: Vec<&'h Hsp>,
}

impl<'h> Shown<'h> {
    /// The hits of a query as `style` wants them.
    pub(super) fn ordered(hits: &'h [Hit], style: &PairwiseStyle) -> Vec<Self> {
        let mut shown: Vec<_> =
            hits.iter().map(|hit| Self { hit, hsps: hit.hsps.iter().collect() }).collect();
        sort_hits(&mut shown, style.hit_order.unwrap_or(HitOrder::Evalue));
        for Self { hsps, .. } in &mut shown {
            match style.hsp_order {
                None | Some(HspOrder::Evalue) => {}
                Some(HspOrder::Score) => hsps.sort_by(|a, b| b.bit_score.total_cmp(&a.bit_score)),
                Some(HspOrder::Identity) => hsps.sort_by(|a, b| more_alike(a, b)),
                Some(HspOrder::QueryStart) => {
                    hsps.sort_by(|a, b| {
                        a.query.start.cmp(&b.query.start).then(a.evalue.total_cmp(&b.evalue))
                    });
                }
                Some(HspOrder::SubjectStart) => hsps.sort_by(|a, b| {
                    a.subject.start.cmp(&b.subject.start).then(a.evalue.total_cmp(&b.evalue))
                }),
            }
        }
        shown
    }
}

fn sort_hits(shown: &mut [Shown<'_>], order: HitOrder) {
    let first = |shown: &Shown<'_>, of: fn(&Hsp) -> f64| shown.hsps.first().map_or(0.0, |hsp| of(hsp));
    match order {
        HitOrder::Evalue => {}
        HitOrder::BitScore => {
            let bits = |shown: &Shown<'_>| first(shown, |hsp| hsp.bit_score);
            shown.sort_by(|a, b| bits(b).total_cmp(&bits(a)));
        }
        HitOrder::TotalScore => {
            // blastp's comparison makes the later of equals come first.
            shown.reverse();
            shown.sort_by(|a, b| total_bits(b.hit).total_cmp(&total_bits(a.hit)));
        }
        HitOrder::Identity => {
            shown.sort_by(|a, b| match (a.hsps.first(), b.hsps.first()) {
                (Some(a), Some(b)) => more_alike(a, b),
                _ => Ordering::Equal,
            });
            // A single subject is never compared, and its HSPs then stay as they are.
            if shown.len() > 1 {
                shown.iter_mut().for_each(|shown| shown.hsps.sort_by(|a, b| more_alike(a, b)));
            }
        }
        HitOrder::Coverage => {
            let evalue = |shown: &Shown<'_>| first(shown, |hsp| hsp.evalue);
            shown.sort_by(|a, b| covered(b.hit).cmp(&covered(a.hit)).then(evalue(a).total_cmp(&evalue(b))));
        }
    }
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
