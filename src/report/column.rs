//! The columns of a table.

macro_rules! columns {
    ($($variant:ident $name:literal $title:literal $text:literal;)*) => {
        /// A column of a tabular report.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum Column { $(#[doc = $text] $variant,)* }

        impl Column {
            /// Every column, in the order of BLAST+'s help.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The specifier, as in `--outfmt "6 qseqid"`.
            pub fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }

            /// The name in the `# Fields:` line of format 7.
            pub fn title(self) -> &'static str {
                match self { $(Self::$variant => $title,)* }
            }

            /// What the column holds, in a few words.
            pub fn description(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }
        }
    };
}

columns! {
    Qseqid "qseqid" "query id" "query id: first word of its definition line";
    Qgi "qgi" "query gi" "always 0";
    Qacc "qacc" "query acc." "same as qseqid";
    Qaccver "qaccver" "query acc.ver" "same as qseqid";
    Qlen "qlen" "query length" "query length, residues";
    Sseqid "sseqid" "subject id" "subject id: first word of its definition line";
    Sallseqid "sallseqid" "subject ids" "same as sseqid";
    Sgi "sgi" "subject gi" "always 0";
    Sallgi "sallgi" "subject gis" "always 0";
    Sacc "sacc" "subject acc." "same as sseqid";
    Saccver "saccver" "subject acc.ver" "same as sseqid";
    Sallacc "sallacc" "subject accs." "same as sseqid";
    Slen "slen" "subject length" "subject length, residues";
    Qstart "qstart" "q. start" "first aligned query residue, from 1";
    Qend "qend" "q. end" "last aligned query residue";
    Sstart "sstart" "s. start" "first aligned subject residue, from 1";
    Send "send" "s. end" "last aligned subject residue";
    Qseq "qseq" "query seq" "aligned part of the query, with gaps";
    Sseq "sseq" "subject seq" "aligned part of the subject, with gaps";
    Evalue "evalue" "evalue" "E-value";
    Bitscore "bitscore" "bit score" "bit score";
    Score "score" "score" "raw score";
    Length "length" "alignment length" "columns of the alignment";
    Pident "pident" "% identity" "percentage of identical columns";
    Nident "nident" "identical" "identical columns";
    Mismatch "mismatch" "mismatches" "columns with different residues";
    Positive "positive" "positives" "columns with a positive score";
    Gapopen "gapopen" "gap opens" "runs of gaps";
    Gaps "gaps" "gaps" "columns with a gap";
    Ppos "ppos" "% positives" "percentage of positive columns";
    Frames "frames" "query/sbjct frames" "frames of query and subject";
    Qframe "qframe" "query frame" "frame of the query";
    Sframe "sframe" "sbjct frame" "frame of the subject";
    Btop "btop" "BTOP" "the alignment as matches and differences";
    Staxid "staxid" "subject tax id" "taxid of the subject; N/A if it is not known";
    Ssciname "ssciname" "subject sci name" "scientific name of staxid; N/A without a taxonomy";
    Scomname "scomname" "subject com names" "common name of staxid";
    Sblastname "sblastname" "subject blast name" "group of staxid, as in primates";
    Sskingdom "sskingdom" "subject super kingdom" "superkingdom of staxid";
    Staxids "staxids" "subject tax ids" "taxids of all names of the subject, ascending; 0 if one is not known";
    Sscinames "sscinames" "subject sci names" "scientific names of staxids";
    Scomnames "scomnames" "subject com names" "common names of staxids";
    Sblastnames "sblastnames" "subject blast names" "groups of staxids, each once";
    Sskingdoms "sskingdoms" "subject super kingdoms" "superkingdoms of staxids, each once";
    Stitle "stitle" "subject title" "whole definition line of the subject";
    Salltitles "salltitles" "subject titles" "same as stitle";
    Sstrand "sstrand" "subject strand" "N/A for proteins";
    Qcovs "qcovs" "% query coverage per subject" "percentage of the query covered by the subject's HSPs";
    Qcovhsp "qcovhsp" "% query coverage per hsp" "percentage of the query covered by the HSP";
    Qcovus "qcovus" "% query coverage per uniq subject" "N/A for proteins";
}

impl Column {
    /// Whether it holds names of taxa.
    pub(super) fn names_taxa(self) -> bool {
        matches!(
            self,
            Self::Ssciname
                | Self::Scomname
                | Self::Sblastname
                | Self::Sskingdom
                | Self::Sscinames
                | Self::Scomnames
                | Self::Sblastnames
                | Self::Sskingdoms
        )
    }
}

/// The twelve columns that `std` and an empty column list mean.
pub(super) const STANDARD: [Column; 12] = [
    Column::Qaccver,
    Column::Saccver,
    Column::Pident,
    Column::Length,
    Column::Mismatch,
    Column::Gapopen,
    Column::Qstart,
    Column::Qend,
    Column::Sstart,
    Column::Send,
    Column::Evalue,
    Column::Bitscore,
];
