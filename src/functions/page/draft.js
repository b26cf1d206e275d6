// What has been typed, so that a reload or a wrong key loses nothing. A tab's own.

const NAME = 'skyblast.draft';
const LONGEST = 2_000_000;

/** Keeps the values of the form. */
export function keepDraft(values) {
  try {
    const text = JSON.stringify(values);
    if (text.length <= LONGEST) sessionStorage.setItem(NAME, text);
    else sessionStorage.setItem(NAME, JSON.stringify({ ...values, query: '' }));
  } catch {
    // There is no room for it.
  }
}

/** The values that were kept. */
export function draft() {
  try {
    return JSON.parse(sessionStorage.getItem(NAME) ?? '{}');
  } catch {
    return {};
  }
}

/** Forgets them. */
export const dropDraft = () => sessionStorage.removeItem(NAME);
