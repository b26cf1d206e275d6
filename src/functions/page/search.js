// One search: what is known of it, and below that its progress, its report, or why there is none.

import * as api from './api.js';
import { byId, copyButton, h, say } from './dom.js';
import { closeDownloads, showDownloads } from './downloads.js';
import { count, counted, day, duration, fromNow, when } from './numbers.js';
import { closeReport, showReport } from './read.js';
import { remember } from './remembered.js';
import { closeSpecies, showSpecies } from './species.js';
import { showProgress, startWatching } from './watch.js';

const POLL = 2_000;
const SLOWEST = 30_000;

const WORDS = {
  queued: 'queued',
  running: 'running',
  completed: 'completed',
  completed_with_failed_shards: 'completed, but shards failed',
  failed: 'failed',
  cancelled: 'cancelled',
};

let open = null;
let timer;
let asking = null;

const isFinal = (state) => state !== 'queued' && state !== 'running';
const canRetry = ({ state }) => state === 'completed_with_failed_shards' || state === 'failed';
const hasReport = (state) => state.startsWith('completed');

/** The state as a mark. */
export function stateMark(state) {
  return h('span', { class: `state ${state}` }, WORDS[state] ?? state);
}

function row(name, ...value) {
  return h('div', {}, h('dt', {}, name), h('dd', {}, value));
}

function showFacts(status) {
  const { database, database_size: size, options } = status;
  const asked = Object.entries(options);
  const made = status.database_created ? `, made ${day(status.database_created)}` : '';
  const rows = [
    row('Queries', status.queries ? `${counted(status.queries, 'query', 'queries')}, ${counted(status.residues, 'residue')}` : 'not read yet'),
    row('Database', `${database.name}${status.database_title && status.database_title !== database.name ? ` (${status.database_title})` : ''}, ${counted(size.sequences, 'sequence')}, ${counted(size.residues, 'residue')}${made}`),
    row('Version', h('code', { class: 'wrap' }, database.version)),
    row('Program', `${status.program || 'blastp'} of skyblast ${status.engine}, as blastp 2.12.0`),
    row('Options', asked.length ? asked.map(([name, value]) => h('code', { class: 'chip' }, `${name} ${value}`)) : 'the usual ones of blastp'),
    status.recall && row('Mode', `finds ${status.recall}`),
    row('Submitted', when(status.submitted)),
    status.finished && row('Ended', `${when(status.finished)}, after ${duration(status.elapsed_seconds)}${status.instance_seconds ? ` (${duration(status.instance_seconds)} of computing time)` : ''}`),
    status.expires && row('Removed', `${fromNow(status.expires)} (${day(status.expires)})`),
    row('Id', h('code', { class: 'wrap' }, status.id)),
  ];
  byId('facts').replaceChildren(...rows.filter(Boolean));
}

function showWarnings(status) {
  const box = byId('search-warnings');
  const all = status.warnings.length + status.further_warnings;
  box.hidden = all === 0;
  if (all === 0) return;
  box.replaceChildren(
    h('summary', {}, `${counted(all, 'remark')} on the queries`),
    h('ul', {}, status.warnings.map(({ record, id, message }) => h('li', {}, `record ${record}${id ? ` (${id})` : ''}: ${message}`)),
      status.further_warnings > 0 && h('li', {}, `and ${count(status.further_warnings)} more`)));
}

function showMissing(status) {
  const box = byId('missing');
  box.hidden = status.shards.failed === 0 || !isFinal(status.state);
  if (box.hidden) return;
  const reasons = [...new Set(status.failed_shards.map(({ reason }) => reason))].slice(0, 5);
  box.replaceChildren(
    h('strong', {}, `${counted(status.shards.failed, 'shard')} of ${count(status.shards.total)} failed: hits in them are not here.`),
    h('ul', {}, reasons.map((reason) => h('li', {}, reason))));
}

function show(status) {
  const first = !open.status;
  const before = open.status?.state;
  open.status = status;
  const name = status.label || `Search of ${when(status.submitted)}`;
  if (document.activeElement !== byId('search-label')) byId('search-label').value = status.label ?? '';
  byId('search-name').textContent = name;
  byId('search-state').replaceChildren(stateMark(status.state));
  showFacts(status);
  showWarnings(status);
  showMissing(status);
  const final = isFinal(status.state);
  byId('cancel').hidden = final;
  byId('retry').hidden = !canRetry(status);
  byId('watch').hidden = final;
  byId('report').hidden = !hasReport(status.state);
  byId('no-report').hidden = !final || hasReport(status.state);
  const soFar = !final && status.chunks.done > 0;
  byId('search-actions').hidden = !hasReport(status.state) && !soFar;
  if (soFar && !open.soFar) showDownloads(status);
  open.soFar = soFar;
  byId('search-species').hidden = !hasReport(status.state);
  if (!final) {
    showProgress(status);
  } else {
    document.title = `${name} · skyblast`;
    if (!hasReport(status.state)) byId('no-report').textContent = status.reason || `The search was ${WORDS[status.state]}; there is no report.`;
  }
  if (before && before !== status.state) {
    say(`The search is ${WORDS[status.state]}.`);
  }
  if (hasReport(status.state)) {
    showReport(status, open.place);
    showSpecies(status.id);
    if (first || !before || !hasReport(before)) showDownloads(status);
  }
}

async function poll() {
  clearTimeout(timer);
  asking?.abort();
  asking = new AbortController();
  const current = open;
  const { signal } = asking;
  try {
    const final = current.status && isFinal(current.status.state);
    const status = await api.status(current.id, !final, signal);
    if (open !== current) return;
    byId('search-error').hidden = true;
    byId('search-body').hidden = false;
    current.pause = POLL;
    remember(current.id);
    show(status);
    if (!isFinal(status.state)) timer = setTimeout(poll, document.hidden ? SLOWEST : POLL);
  } catch (problem) {
    if (problem.name === 'AbortError' || open !== current) return;
    const box = byId('search-error');
    box.hidden = false;
    if (!problem.mayPass) {
      byId('search-body').hidden = true;
      box.replaceChildren(
        h('p', {}, problem.status === 404 ? 'There is no such search: it was removed, has expired, or belongs to somebody else.' : problem.message),
        h('p', {}, problem.status !== 401 && h('a', { href: '#/searches' }, 'My searches')));
      return;
    }
    box.textContent = `${problem.message}. Trying again.`;
    current.pause = Math.min(SLOWEST, current.pause * 1.5);
    timer = setTimeout(poll, current.pause);
  }
}

async function cancel() {
  const button = byId('cancel');
  if (button.dataset.sure !== 'yes') {
    button.dataset.sure = 'yes';
    button.textContent = 'Really cancel?';
    setTimeout(() => {
      button.dataset.sure = '';
      button.textContent = 'Cancel the search';
    }, 5_000);
    return;
  }
  button.dataset.sure = '';
  try {
    await api.cancel(open.id);
    say('Cancelled');
    poll();
  } catch (problem) {
    // Asking again would hide it.
    byId('search-error').hidden = false;
    byId('search-error').textContent = problem.message;
  }
  button.textContent = 'Cancel the search';
}

async function retry() {
  const button = byId('retry');
  button.disabled = true;
  try {
    await api.retry(open.id);
    say('What failed is tried again');
    startWatching();
    poll();
  } catch (problem) {
    byId('search-error').hidden = false;
    byId('search-error').textContent = problem.message;
  }
  button.disabled = false;
}

async function relabel() {
  const input = byId('search-label');
  const text = input.value.trim();
  if (!open?.status || text === (open.status.label ?? '')) return;
  const note = byId('search-label-note');
  try {
    await api.label(open.id, text);
    note.textContent = 'Saved';
    setTimeout(() => (note.textContent = ''), 2_000);
    poll();
  } catch (problem) {
    note.textContent = problem.message;
  }
}

/** Opens a search, perhaps at a query of its report. */
export function openSearch(id, place) {
  if (open?.id === id) {
    open.place = place;
    if (open.status && hasReport(open.status.state)) showReport(open.status, place);
    return;
  }
  closeSearch();
  open = { id, place, status: null, pause: POLL };
  byId('search-body').hidden = true;
  byId('search-error').hidden = false;
  byId('search-error').textContent = 'Looking…';
  byId('search-name').textContent = 'Search';
  byId('search-state').replaceChildren();
  startWatching();
  poll();
}

/** Asks no more. */
export function closeSearch() {
  clearTimeout(timer);
  asking?.abort();
  open = null;
  closeReport();
  closeDownloads();
  closeSpecies();
}

/** Makes the view work. */
export function startSearch() {
  byId('cancel').addEventListener('click', cancel);
  byId('retry').addEventListener('click', retry);
  byId('search-label').addEventListener('change', relabel);
  byId('search-label-form').addEventListener('submit', (event) => {
    event.preventDefault();
    byId('search-label').blur();
  });
  byId('search-link').append(copyButton(() => location.href.split('/queries/')[0], 'Copy the address of this search'));
  // A laptop that was closed, a network that is back.
  document.addEventListener('visibilitychange', () => {
    if (!document.hidden && open && !(open.status && isFinal(open.status.state))) poll();
  });
  window.addEventListener('online', () => open && poll());
}
