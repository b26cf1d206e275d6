// The queries of a report as a list of any length: rows exist for what is on the screen only, and are fetched a page at
// a time. With a filter the list grows as it is read on, since nobody knows its length before.

import * as api from './api.js';
import { afterPause, byId, h, say } from './dom.js';
import { count, counted, evalue } from './numbers.js';

const PAGE = 200;
const BEYOND = 8;
/** Browsers cannot scroll over more pixels than some millions. */
const MOST_PIXELS = 8_000_000;

const scroller = byId('query-scroller');
const body = byId('query-rows');

let shown = null;

const row = () => shown.rowHeight;
const length = () => (shown.filtered ? shown.found.length : shown.total);

function filter() {
  const form = byId('query-filter');
  return { text: form.elements.text.value.trim(), with_hits: form.elements.with_hits.value };
}

async function fetchPage(number) {
  const { pages, id } = shown;
  if (pages.has(number)) return;
  pages.set(number, null);
  const current = shown;
  try {
    const { queries } = await api.queries(id, { from: number * PAGE + 1, limit: PAGE }, current.stop.signal);
    pages.set(number, queries);
  } catch (problem) {
    pages.delete(number);
    if (problem.name !== 'AbortError') byId('query-note').textContent = problem.message;
    return;
  }
  if (shown === current) draw();
}

async function fetchMore() {
  if (shown.reading || shown.next === null) return;
  const current = shown;
  current.reading = true;
  try {
    const wanted = { ...current.filter, from: current.next, limit: PAGE };
    const { queries, next } = await api.queries(current.id, wanted, current.stop.signal);
    current.found.push(...queries);
    current.next = next ?? null;
  } catch (problem) {
    if (problem.name !== 'AbortError') byId('query-note').textContent = problem.message;
    current.next = null;
  }
  current.reading = false;
  if (shown === current) draw();
}

const at = (place) => (shown.filtered ? shown.found[place] : shown.pages.get(Math.floor(place / PAGE))?.[place % PAGE]);

function rowOf(query, index) {
  const isOpen = query?.place === shown.place;
  if (!query) return h('tr', { 'aria-rowindex': index + 2 }, h('td', { colspan: 4, class: 'pending' }, '…'));
  return h('tr', { 'aria-rowindex': index + 2, class: isOpen && 'open' },
    h('td', { class: 'number' }, count(query.place)),
    h('th', { scope: 'row' },
      h('a', { href: `#/searches/${shown.id}/queries/${query.place}`, 'aria-current': isOpen && 'true', title: `${query.id} ${query.title}` }, query.id),
      h('span', { class: 'title' }, query.title || `${count(query.length)} residues`)),
    h('td', { class: 'number' }, count(query.hits)),
    h('td', { class: 'number' }, query.best ? evalue(query.best.evalue) : '–'));
}

function spacer(height) {
  const cell = h('td', { colspan: 4 });
  cell.style.height = `${height}px`;
  return h('tr', { class: 'spacer', 'aria-hidden': 'true' }, cell);
}

function draw() {
  if (!shown) return;
  const all = length();
  const pixels = Math.min(all * row(), MOST_PIXELS);
  const scale = all ? pixels / (all * row()) : 1;
  const visible = Math.ceil(scroller.clientHeight / row());
  const first = Math.max(0, Math.floor(scroller.scrollTop / scale / row()) - BEYOND);
  const end = Math.min(all, first + visible + 2 * BEYOND);
  const focused = document.activeElement?.closest('#query-rows a')?.getAttribute('href');
  const rows = [];
  for (let index = first; index < end; index++) rows.push(rowOf(at(index), index));
  const before = scale === 1 ? first * row() : Math.max(0, scroller.scrollTop - BEYOND * row());
  body.replaceChildren(spacer(before), ...rows, spacer(Math.max(0, pixels - before - rows.length * row())));
  if (focused) body.querySelector(`a[href="${focused}"]`)?.focus({ preventScroll: true });
  byId('query-table').setAttribute('aria-rowcount', shown.filtered && shown.next !== null ? -1 : all + 1);
  if (shown.filtered) {
    const more = shown.next !== null;
    byId('query-note').textContent = `${counted(shown.found.length, 'query', 'queries')}${more ? ' so far' : ' found'}`;
    if (more && end >= all) fetchMore();
  } else {
    byId('query-note').textContent = counted(all, 'query', 'queries');
    for (let page = Math.floor(first / PAGE); page * PAGE < end; page++) fetchPage(page);
  }
}

function reload() {
  shown.stop.abort();
  const wanted = filter();
  const filtered = Boolean(wanted.text || wanted.with_hits);
  shown = { ...shown, stop: new AbortController(), filtered, filter: wanted, found: [], next: 1, reading: false };
  if (!filtered) shown.pages = new Map([...shown.pages].filter(([, queries]) => queries));
  scroller.scrollTop = 0;
  draw();
}

/** Scrolls to a query that is not in sight. */
function reveal(place) {
  if (shown.filtered || !place) return;
  const top = (place - 1) * row();
  if (top < scroller.scrollTop || top + row() > scroller.scrollTop + scroller.clientHeight - 40) {
    scroller.scrollTop = Math.max(0, top - scroller.clientHeight / 3);
  }
}

/** Shows the queries of a search, with this one open. */
export function showQueries(id, total, place) {
  if (shown?.id !== id) {
    const rowHeight = parseFloat(getComputedStyle(scroller).getPropertyValue('--row'));
    shown = { id, total, place, rowHeight, stop: new AbortController(), pages: new Map(), filtered: false, filter: {}, found: [], next: null, reading: false };
    byId('query-filter').reset();
    scroller.scrollTop = 0;
  }
  shown.place = place;
  reveal(place);
  draw();
}

/** The place of the query that comes so many after the open one, if it is known. */
export function neighbour(step) {
  if (!shown) return null;
  if (!shown.filtered) {
    const place = (shown.place ?? 0) + step;
    return place >= 1 && place <= shown.total ? place : null;
  }
  const index = shown.found.findIndex(({ place }) => place === shown.place);
  return shown.found[index + step]?.place ?? null;
}

/** Fetches no more. */
export function closeQueries() {
  shown?.stop.abort();
  shown = null;
  body.replaceChildren();
}

/** Makes the list work. */
export function startQueries() {
  let asked = false;
  scroller.addEventListener('scroll', () => {
    if (asked) return;
    asked = true;
    requestAnimationFrame(() => {
      asked = false;
      draw();
    });
  }, { passive: true });
  new ResizeObserver(() => draw()).observe(scroller);
  const form = byId('query-filter');
  const soon = afterPause(250, () => shown && reload());
  form.addEventListener('input', soon);
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    if (shown) reload();
  });
  // From row to row by the arrows, as in any list.
  body.addEventListener('keydown', (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const current = event.target.closest('tr');
    if (!step || !current) return;
    const next = step > 0 ? current.nextElementSibling : current.previousElementSibling;
    const link = next?.querySelector('a');
    if (!link) return;
    event.preventDefault();
    link.focus({ preventScroll: true });
    next.scrollIntoView({ block: 'nearest' });
    say('');
  });
}
