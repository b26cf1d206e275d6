// The hits of one query: a table a page at a time, ordered and filtered by the server, with pictures of all of them.

import { showAlignments } from './alignments.js';
import * as api from './api.js';
import { afterPause, byId, h, save, say } from './dom.js';
import { count, counted } from './numbers.js';
import { objection, tidy } from './options.js';
import { drawOverview } from './overview.js';
import { drawPlots } from './plots.js';

const PAGE = 50;
const MOST_SELECTED = 500;

/** Columns: the name in the API, the title, the value, whether the best is the largest. */
const COLUMNS = [
  ['rank', '#', ({ rank }) => count(rank), false, 'Place in the report'],
  ['subject', 'Subject', null, false, 'Name of the database sequence (saccver)'],
  ['title', 'Title', null, false, 'Its title (stitle)'],
  ['evalue', 'E-value', ({ evalue_text }) => evalue_text, false, 'Smallest of its HSPs (evalue)'],
  ['bit_score', 'Bits', ({ bit_score_text }) => bit_score_text, true, 'Largest bit score of its HSPs (bitscore)'],
  ['identity', 'Identity', ({ identity }) => `${identity.toFixed(1)} %`, true, 'Of the best HSP (pident)'],
  ['coverage', 'Coverage', ({ coverage }) => `${coverage} %`, true, 'Share of the query under its HSPs (qcovs)'],
  ['species', 'Species', null, false, 'As its title says, or else its taxid'],
  ['length', 'Length', ({ length }) => count(length), true, 'Of the database sequence (slen)'],
  ['total_bits', 'Total', ({ total_bits }) => count(total_bits), true, 'Sum of the bit scores of its HSPs'],
  ['hsps', 'HSPs', ({ hsps }) => count(hsps), true, 'Number of local alignments'],
];

const filterForm = byId('hit-filter');
let shown = null;

const FIELDS = [
  { name: 'evalue', check: (text) => (Number(text) >= 0 ? '' : 'a number, such as 1e-5') },
  { name: 'identity', check: (text) => (Number(text) >= 0 && Number(text) <= 100 ? '' : 'a percentage') },
  { name: 'coverage', check: (text) => (Number(text) >= 0 && Number(text) <= 100 ? '' : 'a percentage') },
];

function filter() {
  const values = Object.fromEntries([...new FormData(filterForm)].map(([name, value]) => [name, tidy(value)]));
  let good = true;
  for (const option of FIELDS) {
    const objected = objection(option, values[option.name]);
    const input = filterForm.elements[option.name];
    input.toggleAttribute('aria-invalid', Boolean(objected));
    if (objected) input.setAttribute('aria-invalid', 'true');
    byId(`hit-${option.name}-error`).textContent = objected;
    good &&= !objected;
  }
  return good ? values : null;
}

function header() {
  const sorted = ({ column, descending }, name) => column === name && (descending ? 'descending' : 'ascending');
  return h('tr', {},
    h('th', { scope: 'col' }, h('input', { type: 'checkbox', id: 'select-page', 'aria-label': 'Select all hits of this page', change: selectPage })),
    COLUMNS.map(([name, title, , , explained]) => {
      const order = sorted(shown, name);
      return h('th', { scope: 'col', class: `column-${name}`, 'aria-sort': order || 'none' },
        h('button', { type: 'button', 'data-column': name, title: explained, click: () => sortBy(name) }, title,
          h('span', { 'aria-hidden': 'true', class: 'order' }, order === 'ascending' ? '▲' : order === 'descending' ? '▼' : '')));
    }));
}

function hitRow(hit) {
  const name = `Alignments with ${hit.subject}`;
  return h('tr', { class: shown.selected.has(hit.ordinal) && 'selected' },
    h('td', {}, h('input', {
      type: 'checkbox',
      checked: shown.selected.has(hit.ordinal),
      'aria-label': `Select ${hit.subject}`,
      change: ({ target }) => select([hit], target.checked),
    })),
    COLUMNS.map(([column, , value]) => {
      if (column === 'subject') {
        return h('th', { scope: 'row' }, h('button', { type: 'button', class: 'link', title: name, click: () => align([hit.ordinal]) }, hit.subject));
      }
      if (column === 'title') return h('td', { class: 'column-title', title: hit.title }, h('span', {}, beyondName(hit)));
      if (column === 'species') return h('td', { class: 'column-species' }, hit.species ?? '');
      return h('td', { class: `number column-${column}` }, value(hit));
    }));
}

function showSelected() {
  const number = shown.selected.size;
  byId('selected-note').textContent = number ? `${counted(number, 'hit')} selected` : 'None selected';
  for (const id of ['show-selected', 'save-whole', 'save-aligned', 'clear-selected']) {
    if (number) byId(id).removeAttribute('aria-disabled');
    else byId(id).setAttribute('aria-disabled', 'true');
  }
  const box = byId('select-page');
  if (!box || !shown.page) return;
  const here = shown.page.hits.filter(({ ordinal }) => shown.selected.has(ordinal)).length;
  box.checked = here > 0 && here === shown.page.hits.length;
  box.indeterminate = here > 0 && !box.checked;
}

function select(hits, wanted) {
  for (const { ordinal } of hits) {
    if (!wanted) shown.selected.delete(ordinal);
    else if (shown.selected.size < MOST_SELECTED) shown.selected.add(ordinal);
    else say(`No more than ${MOST_SELECTED} hits can be selected.`);
  }
  [...byId('hit-rows').rows].forEach((row, index) => {
    const isSelected = shown.selected.has(shown.page.hits[index]?.ordinal);
    row.classList.toggle('selected', isSelected);
    const box = row.querySelector('input');
    if (box) box.checked = isSelected;
  });
  showSelected();
}

const selectPage = ({ target }) => select(shown.page.hits, target.checked);

function sortBy(name) {
  const [, title, , largestFirst] = COLUMNS.find(([column]) => column === name);
  shown.descending = shown.column === name ? !shown.descending : largestFirst;
  shown.column = name;
  shown.from = 0;
  say(`Ordered by ${title}, ${shown.descending ? 'largest' : 'smallest'} first`);
  load({ keepFocus: name });
}

function showPage() {
  const { page, from } = shown;
  const { query, missing_volumes: [missing, of], matching, hits } = page;
  byId('query-name').textContent = query.id;
  byId('query-title').textContent = query.title;
  const filtered = matching !== query.hits ? `, ${count(matching)} ${matching === 1 ? 'matches' : 'match'} the filter` : '';
  byId('query-facts').textContent =
    `Query ${count(query.place)} (record ${count(query.number)}), ${counted(query.length, 'residue')}: ${counted(query.hits, 'hit')}, ${counted(query.hsps, 'HSP')}${filtered}` +
    (missing ? `. ${missing} of ${of} volumes failed: hits in them are not here` : '');
  byId('hit-head').replaceChildren(header());
  byId('hit-rows').replaceChildren(...(hits.length ? hits.map(hitRow) : [
    h('tr', {}, h('td', { colspan: COLUMNS.length + 1, class: 'pending' }, query.hits ? 'No hit is like that.' : 'No hits found.')),
  ]));
  const last = from + hits.length;
  byId('hit-range').textContent = matching ? `${count(from + 1)}–${count(last)} of ${count(matching)}` : '0 of 0';
  setDisabled('hits-before', from === 0);
  setDisabled('hits-behind', last >= matching);
  showSelected();
  drawOverview(query, page, (ordinal) => align([ordinal]));
  if (page.plots) drawPlots(page.plots, matching, chooseSpecies);
}

function setDisabled(id, disabled) {
  if (disabled) byId(id).setAttribute('aria-disabled', 'true');
  else byId(id).removeAttribute('aria-disabled');
}

function chooseSpecies(species) {
  filterForm.elements.species.value = filterForm.elements.species.value === species ? '' : species;
  shown.from = 0;
  load({});
}

async function load({ keepFocus } = {}) {
  const current = shown;
  const wanted = filter();
  if (!wanted) return;
  current.asking?.abort();
  current.asking = new AbortController();
  const values = {
    ...wanted,
    from: current.from,
    limit: PAGE,
    sort: current.column,
    descending: current.descending,
    plots: true,
  };
  byId('hits').setAttribute('aria-busy', 'true');
  try {
    const page = await api.hits(current.id, current.place, values, current.asking.signal);
    if (shown !== current) return;
    current.page = page;
    byId('hit-error').textContent = '';
    byId('hit-content').hidden = false;
    showPage();
    if (keepFocus) byId('hit-head').querySelector(`[data-column="${keepFocus}"]`)?.focus();
  } catch (problem) {
    if (problem.name !== 'AbortError') byId('hit-error').textContent = problem.message;
  }
  if (shown === current) byId('hits').removeAttribute('aria-busy');
}

async function align(ordinals) {
  const box = byId('alignments');
  box.hidden = false;
  byId('alignments-note').textContent = 'Fetching alignments…';
  try {
    const page = await api.alignments(shown.id, shown.place, ordinals);
    showAlignments(shown.page.query, page);
    byId('alignments-title').focus({ preventScroll: true });
    box.scrollIntoView({ block: 'start', behavior: matchMedia('(prefers-reduced-motion: reduce)').matches ? 'auto' : 'smooth' });
  } catch (problem) {
    byId('alignments-note').textContent = problem.message;
  }
}

/** The title without the name that it mostly begins with. */
function beyondName({ subject, title }) {
  return title.startsWith(subject) ? title.slice(subject.length).trim() : title;
}

/** The chosen subjects as FASTA: whole ones, or what is aligned of them. */
async function saveSelected(part) {
  try {
    const fasta = await api.sequences(shown.id, shown.place, [...shown.selected], part);
    save(`${shown.page.query.id.replace(/[^\w.-]+/g, '_')}.${part}.fa`, fasta);
    say(`${counted(fasta.match(/^>/gm)?.length ?? 0, 'sequence')} saved`);
  } catch (problem) {
    byId('hit-error').textContent = problem.message;
  }
}

/** Shows the hits of the query in this place. */
export function showHits(id, place) {
  if (shown?.id === id && shown.place === place) return;
  shown?.asking?.abort();
  const order = shown ?? { column: 'rank', descending: false };
  shown = { id, place, from: 0, column: order.column, descending: order.descending, selected: new Set(), page: null };
  byId('alignments').hidden = true;
  byId('no-query').hidden = true;
  byId('hits').hidden = false;
  load();
}

/** Shows that no query is open. */
export function closeHits() {
  shown?.asking?.abort();
  shown = null;
  byId('hits').hidden = true;
  byId('hit-content').hidden = true;
  byId('no-query').hidden = false;
}

/** Makes the table work. */
export function startHits() {
  // Where there is little room, the table comes first.
  byId('distributions').open = matchMedia('(min-width: 640px)').matches;
  const again = afterPause(250, () => {
    if (!shown) return;
    shown.from = 0;
    load();
  });
  filterForm.addEventListener('input', again);
  filterForm.addEventListener('reset', () => setTimeout(again));
  filterForm.addEventListener('submit', (event) => {
    event.preventDefault();
    again();
  });
  const page = (by) => () => {
    const from = shown.from + by * PAGE;
    if (from < 0 || from >= shown.page.matching) return;
    shown.from = from;
    load().then(() => byId('hit-table-title').scrollIntoView({ block: 'nearest' }));
  };
  byId('hits-before').addEventListener('click', page(-1));
  byId('hits-behind').addEventListener('click', page(1));
  byId('show-selected').addEventListener('click', () => shown.selected.size && align([...shown.selected]));
  for (const part of ['whole', 'aligned']) {
    byId(`save-${part}`).addEventListener('click', () => shown.selected.size && saveSelected(part));
  }
  byId('clear-selected').addEventListener('click', () => {
    shown.selected.clear();
    select([], false);
  });
}
