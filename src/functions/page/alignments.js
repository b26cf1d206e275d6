// Alignments as pairwise reports have them, in lines that fit the screen.

import { byId, h } from './dom.js';
import { count, counted } from './numbers.js';

const WIDEST = 120;

/** Columns that fit into the box, in steps of ten. */
function lineLength(box) {
  const probe = h('span', { class: 'probe' }, '0'.repeat(10));
  const pre = h('pre', { class: 'alignment' }, probe);
  box.append(pre);
  const letter = probe.getBoundingClientRect().width / 10;
  pre.remove();
  const fitting = Math.floor(box.clientWidth / (letter || 8)) - 22;
  return Math.max(20, Math.min(WIDEST, Math.floor(fitting / 10) * 10));
}

const residues = (row) => row.length - row.split('-').length + 1;

/** The rows of an alignment with their positions, a block below the other. */
export function written({ query, midline, subject, query_range: [queryFirst], subject_range: [subjectFirst] }, length) {
  const width = String(Math.max(queryFirst + query.length, subjectFirst + subject.length)).length;
  let [before, behind] = [queryFirst - 1, subjectFirst - 1];
  const blocks = [];
  for (let start = 0; start < query.length; start += length) {
    const rows = [query, midline, subject].map((row) => row.slice(start, start + length));
    const [ofQuery, ofSubject] = [residues(rows[0]), residues(rows[2])];
    const line = (name, first, row, last) => `${name}  ${String(first).padEnd(width)}  ${row}  ${last}`;
    blocks.push([
      line('Query', ofQuery ? before + 1 : '', rows[0], ofQuery ? before + ofQuery : ''),
      `${' '.repeat(9 + width)}${rows[1]}`,
      line('Sbjct', ofSubject ? behind + 1 : '', rows[2], ofSubject ? behind + ofSubject : ''),
    ].join('\n'));
    before += ofQuery;
    behind += ofSubject;
  }
  return blocks.join('\n\n');
}

const share = (number, of) => `${count(number)}/${count(of)} (${Math.floor(number === of ? 100 : Math.min(99, 0.5 + (100 * number) / of))} %)`;

function alignmentOf(alignment, index, all, length) {
  const { bit_score: bits, score, evalue, method, columns } = alignment;
  return [
    h('p', { class: 'alignment-facts' },
      `${all > 1 ? `HSP ${index + 1} of ${all}: ` : ''}${bits} bits (${score}), E-value ${evalue}, identities ${share(alignment.identities, columns)}, positives ${share(alignment.positives, columns)}, gaps ${share(alignment.gaps, columns)}${method ? `. ${method}` : ''}`),
    h('pre', { class: 'alignment', tabindex: 0, role: 'group', 'aria-label': `Alignment ${index + 1}` }, written(alignment, length)),
  ];
}

/** Shows the alignments of some hits. */
export function showAlignments(query, { hits, cut }) {
  const box = byId('alignments-list');
  const length = lineLength(box);
  byId('alignments-note').textContent = `${counted(hits.length, 'subject')}, query ${query.id}${cut ? '; the others are too long together, choose fewer' : ''}`;
  box.replaceChildren(...hits.map((hit) => {
    const title = hit.title.startsWith(hit.subject) ? hit.title.slice(hit.subject.length).trim() : hit.title;
    const further = hit.hsps - hit.alignments.length;
    return h('article', {},
      h('h4', {}, hit.subject),
      h('p', { class: 'title' }, `${title ? `${title}, ` : ''}${counted(hit.length, 'residue')}`),
      hit.alignments.map((alignment, index) => alignmentOf(alignment, index, hit.hsps, length)),
      further > 0 && h('p', { class: 'hint' }, `${counted(further, 'further HSP')}: the pairwise report has all of them.`));
  }));
}
