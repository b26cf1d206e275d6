// Elements in few words. Text is always text: nothing is ever parsed as HTML.

/** The element with this id. */
export const byId = (id) => document.getElementById(id);

/** Makes an element; functions in `attributes` become listeners, `false` and `null` are left out. */
export function h(tag, attributes = {}, ...children) {
  return fill(document.createElement(tag), attributes, children);
}

/** The same for SVG. */
export function svg(tag, attributes = {}, ...children) {
  return fill(document.createElementNS('http://www.w3.org/2000/svg', tag), attributes, children);
}

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes)) {
    if (typeof value === 'function') element.addEventListener(name, value);
    else if (value === true) element.setAttribute(name, '');
    else if (value !== false && value !== null && value !== undefined) element.setAttribute(name, value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** Shows the one of some elements. */
export function showOnly(shown, elements) {
  for (const element of elements) element.hidden = element !== shown;
}

let spoken = 0;

/** Says something to those who use a screen reader; the same text is said again. */
export function say(text) {
  byId('spoken').textContent = text + (spoken++ % 2 ? '\u00a0' : '');
}

/** Calls `work` when it has not been asked for during some milliseconds. */
export function afterPause(milliseconds, work) {
  let timer;
  return (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => work(...values), milliseconds);
  };
}

/** A button that copies what `text` gives. */
export function copyButton(text, label = 'Copy') {
  const button = h('button', { type: 'button', class: 'quiet', click: copy }, label);
  async function copy() {
    const value = text();
    try {
      await navigator.clipboard.writeText(value);
    } catch {
      // Pages that came without encryption have no clipboard; this way is older.
      const field = h('textarea', { class: 'offscreen', 'aria-hidden': 'true' });
      field.value = value;
      document.body.append(field);
      field.select();
      document.execCommand('copy');
      field.remove();
      button.focus();
    }
    button.textContent = 'Copied';
    say('Copied');
    setTimeout(() => (button.textContent = label), 1500);
  }
  return button;
}

/** Gives the browser some text to save as a file. */
export function save(name, text, type = 'text/plain') {
  const url = URL.createObjectURL(new Blob([text], { type }));
  const link = h('a', { href: url, download: name, class: 'offscreen' });
  document.body.append(link);
  link.click();
  link.remove();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
