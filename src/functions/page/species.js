// The species of all hits of a search, fetched when somebody opens them, a page at a time.

import * as api from './api.js';
import { byId, h } from './dom.js';
import { count, counted } from './numbers.js';

const PAGE = 100;

let shown = null;

function row(name, { hits, best_hits: best, queries }, aside) {
  const numbers = [hits, best, queries].map((number) => h('td', { class: 'number' }, count(number)));
  return h('tr', {}, h('th', { scope: 'row', class: aside && 'faint' }, name), numbers);
}

async function fetchMore() {
  const current = shown;
  if (!current || current.reading) return;
  current.reading = true;
  const note = byId('search-species-note');
  note.textContent = 'Counting…';
  try {
    const wanted = { from: current.species.length, limit: PAGE };
    const { total, species, ...rest } = await api.species(current.id, wanted, current.stop.signal);
    if (shown !== current) return;
    current.species.push(...species);
    const asides = [['other species', rest.other_species], ['species not known', rest.without_species]];
    byId('search-species-rows').replaceChildren(
      ...current.species.map(({ species: name, ...found }) => row(name, found)),
      ...asides.filter(([, { hits }]) => hits > 0).map(([words, found]) => row(words, found, true)));
    note.textContent = `${counted(total, 'species', 'species')}, those with the most hits first`;
    byId('search-species-more').hidden = current.species.length >= total;
  } catch (problem) {
    if (problem.name !== 'AbortError') note.textContent = problem.message;
  }
  current.reading = false;
}

/** Offers the species of a search that has a report. */
export function showSpecies(id) {
  if (shown?.id === id) return;
  shown?.stop.abort();
  shown = { id, species: [], reading: false, stop: new AbortController() };
  byId('search-species-rows').replaceChildren();
  byId('search-species-more').hidden = true;
  byId('search-species').open = false;
}

/** Fetches no more. */
export function closeSpecies() {
  shown?.stop.abort();
  shown = null;
}

/** Makes it work. */
export function startSpecies() {
  byId('search-species').addEventListener('toggle', ({ target }) => {
    if (target.open && shown?.species.length === 0) fetchMore();
  });
  byId('search-species-more').addEventListener('click', fetchMore);
}
