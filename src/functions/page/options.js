// The options of a search: blastp's names, what they may be, and what they are unless somebody says otherwise.

const MATRICES = ['BLOSUM62', 'BLOSUM45', 'BLOSUM50', 'BLOSUM80', 'BLOSUM90', 'PAM30', 'PAM70', 'PAM250', 'IDENTITY'];

const number = (text) => (/^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : NaN);
const whole = (text) => (/^\d+$/.test(text) ? Number(text) : NaN);

const positive = (text) => (number(text) > 0 && Number.isFinite(number(text)) ? '' : 'a number above 0, such as 0.001 or 1e-5');
const finite = (text) => (Number.isFinite(number(text)) ? '' : 'a number');
const from = (least, most = Infinity) => (text) =>
  whole(text) >= least && whole(text) <= most ? '' : `a whole number, ${least} ${most === Infinity ? 'or more' : `to ${most}`}`;
const share = (text) => (number(text) > 0 && number(text) < 0.5 ? '' : 'a number above 0 and below 0.5');
const percent = (text) => (number(text) >= 0 && number(text) <= 100 ? '' : 'a percentage from 0 to 100');
const signed = (text) => (/^-?\d+$/.test(text) ? '' : 'a whole number');
const part = (text) => (/^\d+-\d+$/.test(text) && Number(text.split('-')[0]) < Number(text.split('-')[1]) ? '' : 'first-last, such as 10-200');
const cuts = (text) => (/^(no|yes|\d+ [\d.]+ [\d.]+)$/.test(text) ? '' : 'no, yes, or window and two cuts, such as 12 2.2 2.5');

/** Those that everybody sees are fields of the page itself; `usual` is what the server takes without them. */
export const SHOWN = [
  { name: 'mode', usual: 'exact' },
  { name: 'task', usual: 'blastp' },
  { name: 'evalue', usual: '10', check: positive },
  { name: 'max_target_seqs', usual: '500', check: from(1, 1_000_000) },
  { name: 'outfmt', usual: '6' },
];

const yesNo = { choices: ['', 'true', 'false'] };

/** The others, in groups. */
export const FOLDED = [
  ['Scoring', [
    { name: 'matrix', choices: ['', ...MATRICES], hint: 'BLOSUM62; PAM30 with blastp-short' },
    { name: 'gapopen', check: signed, hint: 'by the matrix; 11' },
    { name: 'gapextend', check: signed, hint: 'by the matrix; 1' },
    { name: 'comp_based_stats', choices: ['', '0', '1', '2', '3'], hint: '2' },
    { name: 'use_sw_tback', ...yesNo, hint: 'false' },
    { name: 'ungapped', ...yesNo, hint: 'false; needs comp_based_stats 0' },
  ]],
  ['Words and extension', [
    { name: 'word_size', check: from(2, 7), hint: 'by the task; 3' },
    { name: 'threshold', check: positive, hint: 'by the task; 11' },
    { name: 'window_size', check: from(0), hint: 'by the task; 40' },
    { name: 'xdrop_ungap', check: positive, hint: '7' },
    { name: 'xdrop_gap', check: finite, hint: '15' },
    { name: 'xdrop_gap_final', check: finite, hint: '25' },
  ]],
  ['Masking and parts of queries', [
    { name: 'seg', check: cuts, hint: 'no' },
    { name: 'soft_masking', ...yesNo, hint: 'false' },
    { name: 'lcase_masking', ...yesNo, hint: 'false' },
    { name: 'query_loc', check: part, hint: 'all of it' },
  ]],
  ['Which hits', [
    { name: 'max_hsps', check: from(1), hint: 'all' },
    { name: 'qcov_hsp_perc', check: percent, hint: '0' },
    { name: 'culling_limit', check: from(0), hint: '0, none' },
    { name: 'best_hit_overhang', check: share, hint: 'none' },
    { name: 'best_hit_score_edge', check: share, hint: 'none' },
    { name: 'subject_besthit', ...yesNo, hint: 'false' },
  ]],
  ['Which sequences are searched', [
    { name: 'taxids', hint: 'all; or of these taxa only: 9606, Mus musculus' },
    { name: 'negative_taxids', hint: 'none; or all but those of these taxa' },
  ]],
  ['Statistics', [
    { name: 'dbsize', check: signed, hint: 'that of the database' },
    { name: 'searchsp', check: from(0), hint: 'by the lengths' },
  ]],
];

/** What people paste without seeing it: typographic minus signs and quotes, blanks around. */
export function tidy(text) {
  return text
    .replace(/[\u2010-\u2015\u2212]/g, '-')
    .replace(/["'`\u2018-\u201f\u00ab\u00bb]/g, '')
    .replace(/[\u00a0\u2000-\u200b\ufeff]/g, ' ')
    .trim();
}

/** Why a value is none of this option; empty if it is one, or nothing is said. */
export function objection({ name, check }, text) {
  const value = tidy(text);
  if (!value || !check) return '';
  const expected = check(value);
  if (!expected) return '';
  const looksLikeSequence = /^>|^[A-Z*\s]{12,}$/i.test(value);
  return `${name} is ${expected}${looksLikeSequence ? '; this looks like a sequence, which belongs into the field above' : ''}`;
}

/** The options that are not the usual ones. */
export function asked(values) {
  const usual = new Map(SHOWN.map(({ name, usual }) => [name, usual]));
  return Object.fromEntries(Object.entries(values).filter(([name, value]) => value !== '' && value !== usual.get(name)));
}

/** The formats of reports. */
export const FORMATS = [
  ['6', 'Table (6)', 'tsv'],
  ['7', 'Table with comments (7)', 'txt'],
  ['10', 'Comma-separated (10)', 'csv'],
  ['0', 'Pairwise (0)', 'txt'],
  ['5', 'BLAST XML (5)', 'xml'],
  ['15', 'BLAST JSON (15)', 'json'],
  ['16', 'BLAST XML2 (16)', 'xml'],
  ['17', 'SAM (17)', 'sam'],
  ['parquet', 'Parquet', 'parquet'],
  ['arrow', 'Arrow stream', 'arrows'],
];
