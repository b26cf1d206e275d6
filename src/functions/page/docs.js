// The API to read and to try: made from /api/openapi.json, sent to the server that it came from.
import { byId, h } from './dom.js';

const METHODS = ['get', 'post', 'put', 'patch', 'delete'];
const LONGEST = 100_000;

/** A field with its label, and how to read what was written into it. */
function field(label, about, input) {
  return h('p', {}, h('label', {}, `${label} `, input), about ? h('small', {}, ` ${about}`) : '');
}

/** The fields of an operation's parameters, by name. */
function fields(operation) {
  return (operation.parameters ?? []).map(({ name, in: place, required, description }) => {
    const input = h('input', { type: 'text', required: Boolean(required), autocomplete: 'off' });
    return { name, place, input, shown: field(`${name} (${place})`, description, input) };
  });
}

/** The address and headers that the fields ask for. */
function asked(path, known) {
  const headers = {};
  const query = new URLSearchParams();
  let address = path;
  for (const { name, place, input } of known) {
    if (!input.value) continue;
    if (place === 'path') address = address.replace(`{${name}}`, encodeURIComponent(input.value));
    else if (place === 'query') query.append(name, input.value);
    else headers[name] = input.value;
  }
  return { address: query.size ? `${address}?${query}` : address, headers };
}

/** What the server said, as text. */
async function answer(response) {
  const text = await response.text();
  const shown = text.length > LONGEST ? `${text.slice(0, LONGEST)}\n… (${text.length} letters)` : text;
  const headers = [...response.headers].map(([name, value]) => `${name}: ${value}`).join('\n');
  return `${response.status} ${response.statusText}\n${headers}\n\n${shown}`;
}

/** The form that sends one operation. */
function form(method, path, operation) {
  const known = fields(operation);
  const types = Object.keys(operation.requestBody?.content ?? {}).filter((type) => !type.startsWith('multipart/'));
  const type = h('select', {}, ...types.map((name) => h('option', {}, name)));
  const body = h('textarea', { rows: 6, spellcheck: 'false' });
  const output = h('pre', { tabindex: 0, hidden: true, 'aria-live': 'polite' });
  async function send(event) {
    event.preventDefault();
    const { address, headers } = asked(path, known);
    const key = byId('key').value;
    if (key) headers['x-functions-key'] = key;
    if (types.length) headers['content-type'] = type.value;
    output.hidden = false;
    output.textContent = '…';
    try {
      const request = { method: method.toUpperCase(), headers, body: types.length ? body.value : undefined };
      output.textContent = await answer(await fetch(address, request));
    } catch (error) {
      output.textContent = `not answered: ${error.message}`;
    }
  }
  const sent = types.length > 0 && [field('Type of the body', '', type), field('Body', '', body)];
  return h('form', { submit: send }, known.map((one) => one.shown), sent, h('button', { type: 'submit' }, 'Send'), output);
}

/** An operation: what it is, what it answers, and a form to try it. */
function section(path, method, operation) {
  const answers = Object.entries(operation.responses ?? {}).map(([status, { description }]) =>
    h('li', {}, h('strong', {}, status), ` ${description}`));
  return h('details', { id: operation.operationId },
    h('summary', {}, h('code', {}, `${method.toUpperCase()} ${path}`), ` ${operation.summary ?? ''}`),
    form(method, path, operation), h('h3', {}, 'Answers'), h('ul', {}, ...answers));
}

async function show() {
  const about = byId('about');
  const response = await fetch('/api/openapi.json');
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  const { info, tags, paths } = await response.json();
  about.replaceChildren(info.description, ' ', h('a', { href: '/api/openapi.json' }, '/api/openapi.json'));
  const all = Object.entries(paths).flatMap(([path, item]) =>
    METHODS.filter((method) => item[method]).map((method) => ({ path, method, operation: item[method] })));
  for (const { name, description } of tags) {
    const these = all.filter(({ operation }) => operation.tags?.includes(name));
    byId('operations').append(h('h2', {}, description),
      ...these.map(({ path, method, operation }) => section(path, method, operation)));
  }
}

show().catch((error) => { byId('about').append(` It cannot be read: ${error.message}`); });
