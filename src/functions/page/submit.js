// The form: sequences, database, options; what is wrong with them, what they will take, and how else to send them.

import { access } from './access.js';
import * as api from './api.js';
import { commands } from './command.js';
import { afterPause, byId, copyButton, h, say } from './dom.js';
import { draft, dropDraft, keepDraft } from './draft.js';
import { estimate, inWords } from './estimate.js';
import { checkFasta, place } from './fasta.js';
import { about, bytes, count, counted, day, duration } from './numbers.js';
import { FOLDED, SHOWN, asked, objection, tidy } from './options.js';
import { remember } from './remembered.js';
import { submit } from './upload.js';

/** Longer texts are kept beside the field: browsers take half a minute to put a megabyte into one. */
const LONGEST_TYPED = 100_000;

const form = byId('search-form');
const text = byId('query');
const OPTIONS = [...SHOWN, ...FOLDED.flatMap(([, options]) => options)];

let file = null;
let checked = null;
let checking = null;
let databases = [];
let sending = false;
let submissionKey = null;

const field = (name) => form.elements[name];

/** The sequences as they would be sent. */
const content = () => file ?? new Blob([text.value]);

function values() {
  return Object.fromEntries(OPTIONS.map(({ name }) => [name, tidy(field(name).value)]));
}

// Fields of options that are folded away.

function optionField({ name, choices, hint }) {
  const id = `option-${name}`;
  const note = `${id}-hint`;
  const input = choices
    ? h('select', { id, name, 'aria-describedby': note }, choices.map((choice) => h('option', { value: choice }, choice || 'usual')))
    : h('input', { id, name, autocomplete: 'off', spellcheck: 'false', 'aria-describedby': `${note} ${id}-error` });
  return h('div', { class: 'field' },
    h('label', { for: id }, h('code', {}, name)),
    input,
    h('p', { class: 'hint', id: note }, `usual: ${hint}`),
    h('p', { class: 'error', id: `${id}-error` }));
}

function buildOptions() {
  byId('folded').append(...FOLDED.map(([title, options]) =>
    h('fieldset', {}, h('legend', {}, title), h('div', { class: 'fields' }, options.map(optionField)))));
}

// What is wrong, said beside the field.

function tell(name, message) {
  const input = name === 'query' ? text : field(name);
  const error = byId(`${input.id}-error`);
  if (error) error.textContent = message;
  if (message) input.setAttribute('aria-invalid', 'true');
  else input.removeAttribute('aria-invalid');
  if (message) input.closest('details')?.setAttribute('open', '');
}

/** Values that the server has refused; what it said of them stands until they are changed. */
const refused = new Map();

function checkOption(option) {
  const input = field(option.name);
  if (refused.get(option.name) === input.value) return false;
  refused.delete(option.name);
  const objected = input.tagName === 'SELECT' ? '' : objection(option, input.value);
  tell(option.name, objected);
  return !objected;
}

// Sequences.

function lines(problems, further) {
  const items = problems.map((problem) => h('li', {}, place(problem)));
  if (further > 0) items.push(h('li', {}, `and ${count(further)} more`));
  return items;
}

function showChecked() {
  const box = byId('query-report');
  const found = checked;
  box.replaceChildren();
  byId('drop-file').hidden = !file;
  byId('file-name').textContent = file ? `${file.name ?? 'pasted text'}, ${bytes(file.size)}` : '';
  text.readOnly = Boolean(file);
  if (!found) {
    tell('query', '');
    return;
  }
  const isEmpty = !file && !text.value.trim();
  tell('query', '');
  if (isEmpty) return;
  if (found.unchecked) {
    box.append(h('p', {}, 'Compressed in a way that browsers do not read to its end: the server checks it.'));
    return;
  }
  if (found.errors.length > 0) {
    tell('query', `${counted(found.errors.length + found.furtherErrors, 'problem')} to be mended first:`);
    box.append(h('ul', { class: 'problems' }, lines(found.errors, found.furtherErrors)));
  }
  if (found.residues > 0) {
    const kind = found.kind === 'gzip' ? ' (gzip)' : '';
    box.append(h('p', { class: found.errors.length ? 'hint' : 'sum' }, `${counted(found.records, 'record')}, ${counted(found.residues, 'residue')}${kind}`));
  }
  if (found.nucleotideRecords > 0 && found.nucleotideRecords === found.records) {
    box.append(h('p', { class: 'warning' }, 'This looks like DNA or RNA. blastp compares proteins: paste the translation.'));
  }
  const all = found.warnings.length + found.furtherWarnings;
  if (all > 0) {
    box.append(h('details', { class: 'warnings' },
      h('summary', {}, `${counted(all, 'remark')}: searched all the same`),
      h('ul', {}, lines(found.warnings, found.furtherWarnings))));
  }
}

async function check() {
  checking?.abort();
  checking = new AbortController();
  const { signal } = checking;
  const blob = content();
  submissionKey = null;
  if (blob.size === 0) {
    checked = null;
    byId('checking').textContent = '';
    showChecked();
    showEstimate();
    return null;
  }
  try {
    const told = (read) => (byId('checking').textContent = `Checking… ${bytes(read)}`);
    const found = await checkFasta(blob, { signal, told });
    checked = found;
    byId('checking').textContent = '';
    showChecked();
    showEstimate();
    return found;
  } catch (error) {
    if (error.name !== 'AbortError') throw error;
    return null;
  }
}

const checkSoon = afterPause(250, check);

function takeFile(given) {
  file = given;
  if (given) {
    text.value = '';
    text.placeholder = 'The file is searched with.';
    given.slice(0, 400).text().then((start) => {
      if (file === given && !/[\x00-\x08]/.test(start)) text.placeholder = `${start}…`;
    });
  } else {
    text.placeholder = text.dataset.placeholder;
  }
  checked = null;
  showChecked();
  check();
}

function takePasted(event) {
  const pasted = event.clipboardData?.getData('text') ?? '';
  const [pastedFile] = event.clipboardData?.files ?? [];
  if (pastedFile) {
    event.preventDefault();
    takeFile(pastedFile);
  } else if (pasted.length > LONGEST_TYPED) {
    event.preventDefault();
    const before = text.value.slice(0, text.selectionStart);
    const after = text.value.slice(text.selectionEnd);
    takeFile(new File([before, pasted, after], 'pasted.fa', { type: 'text/plain' }));
  }
}

function acceptDrops() {
  const target = byId('drop');
  const over = (event, isOver) => {
    event.preventDefault();
    target.classList.toggle('over', isOver);
  };
  // A file that misses the field must not replace the page, and all that was typed.
  for (const name of ['dragover', 'drop']) window.addEventListener(name, (event) => event.preventDefault());
  target.addEventListener('dragover', (event) => over(event, true));
  target.addEventListener('dragleave', (event) => over(event, false));
  target.addEventListener('drop', (event) => {
    over(event, false);
    const [dropped] = event.dataTransfer.files;
    if (dropped) takeFile(dropped);
  });
}

// Databases.

async function loadDatabases() {
  const select = field('database');
  const wanted = select.value || draft().database;
  try {
    databases = await api.databases();
  } catch (problem) {
    tell('database', `The databases cannot be listed: ${problem.message}`);
    return;
  }
  select.replaceChildren(...databases.map(({ name, sequences, created }) =>
    h('option', { value: name }, `${name} (${about(sequences)} sequences, ${day(created)})`)));
  if (databases.some(({ name }) => name === wanted)) select.value = wanted;
  tell('database', databases.length ? '' : 'There is no database yet. Add one with: skyblast databases add NAME --in FILE');
  showDatabase();
}

const database = () => databases.find(({ name }) => name === field('database').value);

function showDatabase() {
  const chosen = database();
  byId('database-note').textContent = chosen
    ? `${chosen.title}: ${counted(chosen.sequences, 'sequence')}, ${counted(chosen.residues, 'residue')}, made ${day(chosen.created)}, ${counted(chosen.volumes, 'volume')}, version ${chosen.version.slice(0, 12)}`
    : '\u00a0';
  showEstimate();
}

// What it will take, and how else it is sent.

let estimating = null;

async function showEstimate() {
  showCommands();
  estimating?.abort();
  const box = byId('estimate');
  const chosen = database();
  if (!chosen || !checked?.residues || checked.errors.length) {
    box.textContent = 'What it will take is shown here when there are sequences and a database.';
    return;
  }
  const work = `${about(checked.records * chosen.sequences)} comparisons (${counted(checked.records, 'query', 'queries')} × ${counted(chosen.sequences, 'sequence')}).`;
  if (!box.textContent.startsWith(work)) box.textContent = work;
  const { signal } = (estimating = new AbortController());
  const local = ['localhost', '127.0.0.1', '[::1]'].includes(location.hostname);
  try {
    const found = await estimate(checked, { database: chosen.name, ...asked(values()) }, signal);
    if (!signal.aborted) box.textContent = `${work} ${inWords(found, local)}`;
  } catch (problem) {
    if (problem.name !== 'AbortError' && !signal.aborted) box.textContent = `${work} How long that takes and what it costs cannot be said: ${problem.message}`;
  }
}

const showEstimateSoon = afterPause(600, showEstimate);

function showCommands() {
  const options = asked(values());
  const made = commands({
    file: file?.name ?? 'queries.fa',
    database: field('database').value || 'DATABASE',
    options,
    label: tidy(field('label').value),
    withKey: Boolean(access().key),
    server: location.origin,
  });
  for (const [name, line] of Object.entries(made)) byId(`command-${name}`).textContent = line;
}

// Sending.

function focusFirstError() {
  form.querySelector('[aria-invalid="true"]')?.focus();
}

/** Puts what the server has against the search beside the field that it is about. */
function tellProblem(problem) {
  // Some are about two options, as gapopen/gapextend.
  const name = problem.members?.option?.name?.split('/').find((name) => field(name));
  const record = problem.members?.record;
  if (name) {
    tell(name, problem.message);
    refused.set(name, field(name).value);
  } else if (record || ['invalid-fasta', 'no-queries', 'queries-too-large', 'body-too-large'].includes(problem.kind)) {
    tell('query', problem.message);
  } else byId('submit-error').textContent = problem.message;
}

async function send(event) {
  event.preventDefault();
  if (sending) return;
  byId('submit-error').textContent = '';
  // What was refused may go with other values of other options.
  refused.clear();
  const options = OPTIONS.map(checkOption).every(Boolean);
  const found = checked ?? (await check());
  if (content().size === 0 || (!file && !text.value.trim())) tell('query', 'There are no sequences yet: paste some, or choose a file.');
  else showChecked();
  if (!database()) tell('database', databases.length ? 'Choose a database.' : 'There is no database to search.');
  const isGood = options && database() && found && (found.unchecked || found.errors.length === 0) && content().size > 0;
  if (!isGood) {
    say('Something has to be mended first.');
    focusFirstError();
    return;
  }
  const button = byId('submit');
  sending = true;
  button.setAttribute('aria-disabled', 'true');
  const told = (words) => (byId('sending').textContent = words);
  submissionKey ??= [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, '0')).join('');
  try {
    const label = tidy(field('label').value);
    const wanted = { database: field('database').value, ...asked(values()), ...(label && { label }) };
    const accepted = await submit(content(), wanted, { key: submissionKey, told });
    remember(accepted.id);
    file = null;
    text.value = '';
    checked = null;
    showChecked();
    dropDraft();
    submissionKey = null;
    location.hash = `#/searches/${accepted.id}`;
  } catch (problem) {
    tellProblem(problem);
    say(problem.message);
    focusFirstError();
  } finally {
    sending = false;
    button.removeAttribute('aria-disabled');
    told('');
  }
}

function keepNow() {
  if (sending) return;
  const kept = { ...values(), label: field('label').value, database: field('database').value };
  keepDraft({ ...kept, query: file ? '' : text.value });
}

const keepSoon = afterPause(400, keepNow);

function restore() {
  const { query, database: _, ...kept } = draft();
  for (const [name, value] of Object.entries(kept)) if (field(name) && value) field(name).value = value;
  if (query) text.value = query;
  if (FOLDED.some(([, options]) => options.some(({ name }) => field(name).value))) byId('folded').open = true;
}

/** Makes the form work. */
export function startForm() {
  buildOptions();
  restore();
  acceptDrops();
  text.addEventListener('paste', takePasted);
  text.addEventListener('input', () => {
    checked = null;
    checkSoon();
  });
  byId('file').addEventListener('change', ({ target }) => {
    if (target.files[0]) takeFile(target.files[0]);
    target.value = '';
  });
  byId('drop-file').addEventListener('click', () => {
    takeFile(null);
    text.focus();
  });
  byId('example').addEventListener('click', () => {
    takeFile(null);
    text.value = byId('example-text').content.textContent.trim() + '\n';
    check();
    text.focus();
  });
  // While it is typed, not when the field is left: what appears then would push away the button that is being clicked.
  for (const option of OPTIONS) field(option.name).addEventListener('input', afterPause(300, () => checkOption(option)));
  field('database').addEventListener('change', showDatabase);
  form.addEventListener('input', () => {
    keepSoon();
    showCommands();
  });
  form.addEventListener('change', () => {
    keepSoon();
    showCommands();
    showEstimateSoon();
  });
  form.addEventListener('submit', send);
  window.addEventListener('pagehide', keepNow);
  for (const name of ['curl', 'skyblast', 'blastp']) {
    byId(`command-${name}`).after(copyButton(() => byId(`command-${name}`).textContent, `Copy`));
  }
  check();
}

/** Shows what may have changed since the form was last seen. */
export function showForm() {
  loadDatabases();
  showCommands();
}
