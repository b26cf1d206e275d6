// Where hits lie on the query: how many lie over each stretch, and a bar per hit of the page.

import { byId, h, svg } from './dom.js';
import { count, counted } from './numbers.js';

const WIDTH = 800;
const DEPTH = 56;
const BAR = 7;
const MOST_BARS = 100;

/** Classes of bit scores, those of NCBI's pages. */
const CLASSES = [[200, 'bits-200', '200 and more'], [80, 'bits-80', '80–200'], [50, 'bits-50', '50–80'], [40, 'bits-40', '40–50'], [0, 'bits-0', 'below 40']];

const classOf = (bits) => CLASSES.find(([least]) => bits >= least)[1];

function ticks(length) {
  const rough = length / 6;
  const power = 10 ** Math.floor(Math.log10(Math.max(rough, 1)));
  const step = Math.max(1, [1, 2, 5, 10].map((factor) => factor * power).find((step) => step >= rough));
  const places = [1];
  for (let place = step; place < length * 0.93; place += step) if (place > 1) places.push(place);
  return [...places, length];
}

/** Draws the picture; `open` is called with the hit whose bar is clicked. */
export function drawOverview(query, page, open) {
  const box = byId('overview');
  const { length } = query;
  const hits = page.hits.slice(0, MOST_BARS);
  box.hidden = hits.length === 0 || length === 0;
  if (box.hidden) return;
  const x = (position) => (position / length) * WIDTH;
  const depth = page.plots?.depth ?? [];
  const most = Math.max(1, ...depth);
  const stretch = WIDTH / Math.max(1, depth.length);
  const curve = depth.map((number, place) => {
    const y = (DEPTH - 4) * (1 - number / most) + 4;
    return `${place ? 'L' : 'M'}${(place * stretch).toFixed(1)} ${y.toFixed(1)}H${((place + 1) * stretch).toFixed(1)}`;
  }).join('');
  const axis = DEPTH + 16;
  const height = axis + 8 + hits.length * BAR;
  const bars = hits.map((hit, index) => {
    const y = axis + 8 + index * BAR;
    const title = `${hit.subject}: E-value ${hit.evalue_text}, ${hit.bit_score_text} bits`;
    return svg('g', { class: 'bar', click: () => open(hit.ordinal) },
      svg('title', {}, title),
      svg('rect', { class: 'reach', x: 0, y: y - 1, width: WIDTH, height: BAR }),
      hit.places.map(([first, last, bits]) =>
        svg('rect', { class: classOf(bits), x: x(first - 1).toFixed(1), y, width: Math.max(1.5, x(last - first + 1)).toFixed(1), height: BAR - 2, rx: 1.5 })));
  });
  const covered = depth.filter((number) => number > 0).length / Math.max(1, depth.length);
  const words = `${count(Math.round(100 * covered))} per cent of the query lie under hits, up to ${counted(most, 'alignment')} deep. The table below has the same hits.`;
  byId('overview-picture').replaceChildren(svg('svg', { viewBox: `0 0 ${WIDTH} ${height}`, role: 'img', 'aria-label': words },
    svg('path', { class: 'depth', d: curve ? `${curve}V${DEPTH}H0Z` : '' }),
    svg('line', { class: 'axis', x1: 0, x2: WIDTH, y1: DEPTH, y2: DEPTH }),
    ticks(length).map((position, index, all) =>
      svg('text', { class: 'tick', x: x(position), y: axis - 2, 'text-anchor': index === 0 ? 'start' : index === all.length - 1 ? 'end' : 'middle' }, count(position))),
    bars));
  byId('overview-key').replaceChildren('Bit score: ', ...CLASSES.map(([, name, words]) => h('span', { class: 'key' }, h('span', { class: `swatch ${name}`, 'aria-hidden': 'true' }), words)));
}
