// Sending queries: in one request, or in parts if they are longer than a request may be.

import { address, call, health } from './api.js';

/** Requests longer than this are sent in parts though they might pass: a part that is lost is sent again alone. */
const IN_ONE = 4 << 20;
const TRIES = 4;

async function patiently(work, signal) {
  for (let tried = 1; ; tried++) {
    try {
      return await work();
    } catch (error) {
      if (tried === TRIES || !error.mayPass || signal?.aborted) throw error;
      await new Promise((resolve) => setTimeout(resolve, 1000 * tried));
    }
  }
}

/**
 * Submits a search; gives what the server says of it. `key` makes the same submission, sent again, the same search.
 */
export async function submit(blob, options, { key, told = () => {}, signal }) {
  const extra = { 'idempotency-key': key };
  const limit = Math.min(IN_ONE, await health().then((health) => health.body_limit_bytes, () => IN_ONE));
  if (blob.size <= limit) {
    told('Sending…');
    const path = address('/api/searches', options);
    return patiently(() => call('POST', path, { body: blob, type: 'text/plain', signal, extra }), signal);
  }
  const { id, part_bytes: most } = await patiently(() => call('POST', '/api/uploads', { signal }), signal);
  const length = Math.min(most, limit);
  const parts = Math.ceil(blob.size / length);
  for (let part = 0; part < parts; part++) {
    told(`Sending part ${part + 1} of ${parts}…`);
    const body = blob.slice(part * length, (part + 1) * length);
    await patiently(() => call('PUT', `/api/uploads/${id}/parts/${part}`, { body, type: 'application/octet-stream', signal }), signal);
  }
  const path = address('/api/searches', { upload: id, parts, ...options });
  return patiently(() => call('POST', path, { signal, extra }), signal);
}
