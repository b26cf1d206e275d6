// How the hits are distributed: E-values, lengths, identities, species.

import { byId, h, svg } from './dom.js';
import { count, counted } from './numbers.js';

const WIDTH = 320;
const HEIGHT = 120;
const FLOOR = 98;
const MOST_BARS = 24;

/** Joins classes of numbers, evenly wide, until few enough are left. */
function joined(counts, width) {
  const places = Object.keys(counts).map(Number);
  const [least, most] = [Math.min(...places), Math.max(...places)];
  let step = width;
  for (const factor of [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000]) {
    step = width * factor;
    if (Math.floor(most / step) - Math.floor(least / step) < MOST_BARS) break;
  }
  const start = Math.floor(least / step) * step;
  const bars = Array.from({ length: Math.floor((most - start) / step) + 1 }, (_, index) => ({ from: start + index * step, number: 0 }));
  for (const [place, number] of Object.entries(counts)) bars[Math.floor((place - start) / step)].number += number;
  return { bars, step };
}

function plot(id, counts, width, label, words) {
  const box = byId(id);
  if (Object.keys(counts).length === 0) {
    box.replaceChildren();
    return;
  }
  const { bars, step } = joined(counts, width);
  const most = Math.max(...bars.map(({ number }) => number));
  const wide = WIDTH / bars.length;
  const shape = bars.map(({ from, number }, index) => {
    const high = number ? Math.max(2, (number / most) * (FLOOR - 14)) : 0;
    return svg('rect', { class: 'column', x: (index * wide + 0.5).toFixed(1), y: (FLOOR - high).toFixed(1), width: Math.max(1, wide - 1).toFixed(1), height: high.toFixed(1) },
      svg('title', {}, `${label(from, step)}: ${counted(number, 'hit')}`));
  });
  const ends = [bars[0].from, bars.at(-1).from];
  const top = bars.find(({ number }) => number === most);
  box.replaceChildren(svg('svg', { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: 'img', 'aria-label': `${words}: most frequent ${label(top.from, step)} with ${counted(most, 'hit')}` },
    svg('text', { class: 'tick', x: 0, y: 10 }, count(most)),
    shape,
    svg('line', { class: 'axis', x1: 0, x2: WIDTH, y1: FLOOR, y2: FLOOR }),
    svg('text', { class: 'tick', x: 0, y: HEIGHT - 8 }, label(ends[0], step)),
    bars.length > 1 && svg('text', { class: 'tick', x: WIDTH, y: HEIGHT - 8, 'text-anchor': 'end' }, label(ends[1], step))));
}

function power(from, step) {
  if (from >= 200) return '1e-200 or 0';
  const end = from + step - 1;
  return step > 1 ? `1e${-Math.min(end, 200)} to 1e${-from + 1}` : `1e${-from}`;
}

/** Draws all of it; `choose` is called with a species that is clicked. */
export function drawPlots(plots, matching, choose) {
  plot('plot-evalues', plots.evalues, 1, power, 'E-values');
  plot('plot-lengths', plots.lengths, plots.length_class, (from, step) => `${count(from)}–${count(from + step - 1)}`, 'Lengths of subjects');
  plot('plot-identities', plots.identities, 1, (from, step) => (step > 1 && from < 100 ? `${from}–${Math.min(100, from + step - 1)} %` : `${from} %`), 'Identities');
  const rows = plots.species.map(([species, number]) => h('tr', {},
    h('th', { scope: 'row' }, h('button', { type: 'button', class: 'link', click: () => choose(species), title: 'Show these hits only, or all again' }, species)),
    h('td', { class: 'number' }, count(number))));
  const rest = [['other species', plots.other_species], ['title names none', plots.without_species]].filter(([, number]) => number > 0);
  rows.push(...rest.map(([words, number]) => h('tr', {}, h('th', { scope: 'row', class: 'faint' }, words), h('td', { class: 'number' }, count(number)))));
  byId('species-rows').replaceChildren(...rows);
  byId('species').hidden = matching === 0;
  byId('plots').hidden = matching === 0;
}
