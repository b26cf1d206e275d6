// The API of the server that this page came from.

import { headers } from './access.js';

/** What the server has against a request, in its own words (RFC 9457); `status` is 0 if it did not answer. */
export class Problem extends Error {
  constructor(status, members) {
    super(members.detail || members.title || `the server answered ${status}`);
    this.status = status;
    this.members = members;
    this.kind = String(members.type ?? '').replace('urn:skyblast:problem:', '');
  }

  /** Whether it may pass by itself. */
  get mayPass() {
    return this.status === 0 || this.status === 429 || this.status === 408 || this.status >= 500;
  }
}

/** Called when the server does not know who calls. */
let refused = () => {};
export const onRefused = (work) => (refused = work);

async function problemOf(response) {
  let members = {};
  try {
    members = await response.json();
  } catch {
    // Whoever stands in front of the server has no words of its own.
  }
  if (response.status === 401) {
    members.detail ??= 'the server asks for a key';
    refused(members);
  }
  return new Problem(response.status, members);
}

async function answer(method, path, { body, type, signal, extra } = {}) {
  const sent = { ...headers(), accept: 'application/json', ...(type && { 'content-type': type }), ...extra };
  let response;
  try {
    response = await fetch(path, { method, body, signal, headers: sent });
  } catch (error) {
    if (error.name === 'AbortError') throw error;
    throw new Problem(0, { detail: 'the server does not answer; is it running, and is this computer on the network?' });
  }
  if (!response.ok) throw await problemOf(response);
  return response;
}

/** Calls the API; gives the answer's JSON, or nothing if it has none. */
export async function call(method, path, options) {
  const response = await answer(method, path, options);
  return response.status === 204 ? null : response.json();
}

const search = (id) => `/api/searches/${encodeURIComponent(id)}`;

/** Names and values as the query of an address; what is empty is left out. */
export function address(path, values = {}) {
  const given = Object.entries(values).filter(([, value]) => value !== '' && value !== null && value !== undefined);
  const text = new URLSearchParams(given).toString();
  return text ? `${path}?${text}` : path;
}

export const health = () => call('GET', '/api/health');
export const databases = () => call('GET', '/api/databases');
export const status = (id, map, signal) => call('GET', address(search(id), map && { map }), { signal });
export const list = (values) => call('GET', address('/api/searches', values));
export const cancel = (id) => call('DELETE', search(id));
export const retry = (id) => call('POST', `${search(id)}/retry`);
export const remove = (id) => call('DELETE', `${search(id)}?purge=true`);
export const share = (id, seconds) => call('POST', address(`${search(id)}/shares`, { seconds }));
export const results = (id, values) => address(`${search(id)}/results`, values);

export function label(id, text) {
  return call('PATCH', search(id), { body: JSON.stringify({ label: text }), type: 'application/json' });
}

export const queries = (id, values, signal) => call('GET', address(`${search(id)}/queries`, values), { signal });

export const species = (id, values, signal) => call('GET', address(`${search(id)}/species`, values), { signal });

export function hits(id, place, values, signal) {
  return call('GET', address(`${search(id)}/queries/${place}/hits`, values), { signal });
}

export function alignments(id, place, subjects, signal) {
  return call('GET', address(`${search(id)}/queries/${place}/alignments`, { subjects: subjects.join(',') }), { signal });
}

/** Subjects of the query in this place as FASTA; `part` is whole or aligned. */
export async function sequences(id, place, subjects, part) {
  const values = { part, query: place, subjects: subjects.join(','), partial: true };
  return (await answer('GET', address(`${search(id)}/sequences`, values))).text();
}
