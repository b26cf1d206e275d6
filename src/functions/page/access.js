// What the server wants to see of who calls: a function key, a token of the sign-in. They are kept as long as this
// tab lives and are sent with calls of the API only.

const KEY = 'skyblast.key';
const TOKEN = 'skyblast.token';

/** What is known. */
export function access() {
  return { key: sessionStorage.getItem(KEY) ?? '', token: sessionStorage.getItem(TOKEN) ?? '' };
}

/** Keeps what somebody has given. */
export function keep({ key, token }) {
  for (const [name, value] of [[KEY, key], [TOKEN, token]]) {
    if (value === undefined) continue;
    if (value.trim()) sessionStorage.setItem(name, value.trim().replace(/^Bearer\s+/i, ''));
    else sessionStorage.removeItem(name);
  }
}

/** Takes a key out of the address (`#key=…`, alone or behind a place), where it should not stay. */
export function takeFromAddress() {
  const match = /[#&]key=([^&]*)/.exec(location.hash);
  if (!match) return;
  keep({ key: decodeURIComponent(match[1]) });
  const rest = location.hash.replace(match[0], '');
  history.replaceState(null, '', `${location.pathname}${rest.startsWith('#') || !rest ? rest : `#${rest.slice(1)}`}`);
}

/** The headers that go with a call. */
export function headers() {
  const { key, token } = access();
  return { ...(key && { 'x-functions-key': key }), ...(token && { authorization: `Bearer ${token}` }) };
}
