// A search on its way: how far it is, how fast, how long still, and its shards as a picture.

import { byId, h, say } from './dom.js';
import { about, count, counted, duration } from './numbers.js';

const CELL = 10;
const MOST_WIDE = 960;

let seen = [];
let lastSaid = 0;

/** Comparisons per second over the last half minute, or since the beginning. */
function rate(status) {
  const now = performance.now() / 1000;
  const { done } = status.comparisons;
  if (seen.length && seen.at(-1).done > done) seen = [];
  seen.push({ now, done });
  while (seen.length > 2 && now - seen[0].now > 30) seen.shift();
  const recent = (done - seen[0].done) / (now - seen[0].now);
  if (seen.length > 1 && recent > 0) return recent;
  const since = status.planned ? (Date.now() - new Date(status.planned)) / 1000 : status.elapsed_seconds;
  return since > 0 ? done / since : 0;
}

/** What that costs in Azure, as a list has it. */
function price(of) {
  return of ? `, ${of.amount.likely.toPrecision(2)} ${of.currency} in Azure` : '';
}

function colours() {
  const style = getComputedStyle(document.documentElement);
  return (name) => style.getPropertyValue(name).trim();
}

function drawMap(map) {
  const canvas = byId('map');
  const wide = map?.rows[0]?.length ?? 0;
  byId('map-figure').hidden = wide === 0;
  if (wide === 0) return;
  const high = map.rows.length;
  // Cells keep their size while a picture is small, so that nothing jumps.
  const cell = Math.max(3, Math.min(CELL * 2, Math.floor(Math.min(MOST_WIDE / wide, 480 / high))));
  if (canvas.width !== wide * cell || canvas.height !== high * cell) {
    canvas.width = wide * cell;
    canvas.height = high * cell;
  }
  const colour = colours();
  const paint = canvas.getContext('2d');
  const gap = cell > 4 ? 1 : 0;
  paint.clearRect(0, 0, canvas.width, canvas.height);
  map.rows.forEach((row, y) => {
    [...row].forEach((letter, x) => {
      const part = letter === '#' ? 1 : letter === '.' || letter === '!' ? 0 : Number(letter) / 10;
      paint.globalAlpha = 1;
      paint.fillStyle = letter === '!' ? colour('--bad') : colour('--cell');
      paint.fillRect(x * cell, y * cell, cell - gap, cell - gap);
      if (part > 0) {
        paint.globalAlpha = 0.25 + 0.75 * part;
        paint.fillStyle = colour('--accent');
        paint.fillRect(x * cell, y * cell, cell - gap, cell - gap);
      }
    });
  });
  const folded = map.cell_chunks > 1 || map.cell_volumes > 1;
  byId('map-caption').textContent =
    `${counted(map.chunks, 'chunk')} of queries (down) × ${counted(map.volumes, 'volume')} of the database (across)` +
    (folded ? `; a cell stands for ${map.cell_chunks} × ${map.cell_volumes} shards` : '');
}

/** Shows where a search stands. */
export function showProgress(status) {
  const { comparisons, shards, chunks, state } = status;
  const bar = byId('progress');
  const isKnown = comparisons.total > 0;
  bar.max = comparisons.total || 1;
  if (isKnown || state !== 'queued') bar.value = comparisons.done;
  else bar.removeAttribute('value');
  const percent = isKnown ? Math.floor((100 * comparisons.done) / comparisons.total) : 0;
  const speed = rate(status);
  const { waiting = 0, running = 0, searches_before: before, seconds_left: left } = status.underway ?? {};
  const facts = [
    ['Comparisons', `${about(comparisons.done)} of ${about(comparisons.total)} (${percent} %)`],
    ['Shards', `${count(shards.done)} of ${count(shards.total)}${shards.failed ? `, ${count(shards.failed)} failed` : ''}`],
    ['Running', `${count(running)}, and ${count(waiting)} waiting`],
    ['Chunks merged', `${count(chunks.done)} of ${count(chunks.total)}`],
    ['Speed', speed > 0 ? `${about(speed)} comparisons per second` : '–'],
    ['Time so far', duration(status.elapsed_seconds)],
    ['Time left', left ? `about ${duration(left)}` : 'not known yet'],
    ['Computing time', `${duration(status.instance_seconds ?? 0)} so far${price(status.price)}`],
  ];
  byId('progress-facts').replaceChildren(...facts.map(([name, value]) => h('div', {}, h('dt', {}, name), h('dd', {}, value))));
  const words = !isKnown ? 'The queries are being read.' : state === 'queued' ? `Waiting for its turn${before ? `, behind ${counted(before, 'search', 'searches')}` : ''}.` : 'Being compared.';
  byId('progress-words').textContent = words;
  drawMap(status.map);
  const canvas = byId('map');
  canvas.setAttribute('aria-label', `${count(shards.done)} of ${count(shards.total)} shards are done`);
  // Not every step, which nobody could bear to hear.
  if (performance.now() - lastSaid > 20_000) {
    lastSaid = performance.now();
    say(`${percent} per cent`);
  }
  document.title = `${percent} % · skyblast`;
}

/** Forgets the speed of the search before. */
export function startWatching() {
  seen = [];
  lastSaid = 0;
}
