// Elements and text. Everything that comes from a document or a model goes through text nodes, never through markup.

const SVG = 'http://www.w3.org/2000/svg';

function fill(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'style') Object.entries(value).forEach(([key, set]) => element.style.setProperty(key, set));
    else element.setAttribute(name, value === true ? '' : value);
  }
  element.append(...children.flat(3).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}
const h = (tag, attributes, ...children) => fill(document.createElement(tag), attributes, children);
const s = (tag, attributes, ...children) => fill(document.createElementNS(SVG, tag), attributes, children);
const put = (element, ...children) => {
  element.replaceChildren();
  return fill(element, {}, children);
};
const byId = (id) => document.getElementById(id);

const number = (value) => Number(value).toLocaleString('en-US');
const plural = (count, one, many) => `${number(count)} ${count === 1 ? one : many || one + 's'}`;
const share = (part, whole) => {
  if (!whole) return '–';
  const percent = (100 * part) / whole;
  if (percent > 0 && percent < 0.1) return '< 0.1%';
  return `${percent >= 10 || Number.isInteger(percent) ? Math.round(percent) : percent.toFixed(1)}%`;
};
const words = (name) => String(name || '').replaceAll('_', ' ');
function short(value) {
  for (const [size, letter] of [[1e9, 'B'], [1e6, 'M'], [1e3, 'k']])
    if (value >= size) return `${(value / size).toFixed(value / size >= 100 ? 0 : 1).replace(/\.0$/, '')}${letter}`;
  return number(value);
}
function money(cost) {
  if (cost === null || cost === undefined) return 'unknown';
  if (cost === 0) return '$0';
  return cost < 0.01 ? `$${cost.toPrecision(2)}` : `$${cost.toLocaleString('en-US', {minimumFractionDigits: 2, maximumFractionDigits: cost < 1 ? 4 : 2})}`;
}

// Characters that cannot be seen but change what is: controls, zero widths, and those that turn the reading direction.
const HIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u00ad\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufffe\uffff]/g;

function termRanges(text, terms) {
  const found = [];
  for (const term of terms) {
    const pattern = new RegExp(term.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'gi');
    for (const match of text.matchAll(pattern)) found.push([match.index, match.index + match[0].length, 'hit']);
  }
  return found;
}

// The text as nodes; each [start, end, class] of `ranges` is marked, hidden characters are shown by their number.
function rich(text, ranges = []) {
  const marks = [...ranges];
  for (const match of text.matchAll(HIDDEN)) marks.push([match.index, match.index + match[0].length, 'hidden-char']);
  if (!marks.length) return [text];
  const edges = [...new Set([0, text.length, ...marks.flatMap(([start, end]) => [start, end])])].sort((a, b) => a - b);
  marks.sort((a, b) => a[0] - b[0]);
  const nodes = [];
  let active = [];
  let next = 0;
  for (let edge = 0; edge + 1 < edges.length; edge++) {
    const [start, end] = [edges[edge], edges[edge + 1]];
    while (next < marks.length && marks[next][0] <= start) active.push(marks[next++]);
    active = active.filter((mark) => mark[1] > start);
    const piece = text.slice(start, end);
    const classes = [...new Set(active.map((mark) => mark[2]))];
    if (classes.includes('hidden-char')) {
      const code = 'U+' + piece.codePointAt(0).toString(16).toUpperCase().padStart(4, '0');
      nodes.push(h('span', {class: 'hidden-char', title: `the character ${code}, which cannot be seen`}, code));
    } else if (classes.length) nodes.push(h('mark', {class: classes.join(' ')}, piece));
    else nodes.push(piece);
  }
  return nodes;
}

const line = (text, length) => {
  const flat = text.replace(/\s+/g, ' ').trim();
  return flat.length > length ? flat.slice(0, length).trimEnd() + ' …' : flat;
};

function option(value, label, chosen) {
  return h('option', {value, selected: String(value) === String(chosen)}, label);
}

function pager(page, pages, go) {
  if (pages < 2) return null;
  const button = (label, to, name) => h('button', {type: 'button', disabled: to < 0 || to >= pages || to === page, 'aria-label': name, title: name, onclick: () => go(to)}, label);
  return h('div', {class: 'pager'},
    button('«', 0, 'First page'), button('‹', page - 1, 'Previous page ([)'),
    h('span', {}, `${number(page + 1)} of ${number(pages)}`),
    button('›', page + 1, 'Next page (])'), button('»', pages - 1, 'Last page'));
}

// Both pages have these; each names its own KEYS.
function link(page, state) {
  const known = Object.entries(state || {}).filter(([, value]) => value !== undefined && value !== '' && value !== null);
  const query = new URLSearchParams(known).toString();
  return `#${page}${query ? '?' + query : ''}`;
}

function setTheme(theme) {
  if (theme) document.documentElement.dataset.theme = theme;
  try { if (theme) localStorage.setItem('report-theme', theme); } catch { /* a browser may forbid it to files */ }
}
function turnTheme() {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === 'dark' : matchMedia('(prefers-color-scheme: dark)').matches;
  setTheme(dark ? 'light' : 'dark');
}

function help() {
  const dialog = byId('help-dialog');
  dialog.replaceChildren(h('h2', {id: 'help-title'}, 'Keys'), h('dl', {}, KEYS.map(([keys, what]) => [h('dt', {}, keys.split(' ').map((key) => h('kbd', {}, key))), h('dd', {}, what)])), h('form', {method: 'dialog'}, h('button', {}, 'Close')));
  dialog.showModal();
}

// Redrawn at the width it is given, so that its letters keep their size.
function drawn(draw, label) {
  const box = h('div', {class: 'drawn', role: 'img', 'aria-label': label});
  let width = 0;
  new ResizeObserver(() => {
    if (Math.abs(box.clientWidth - width) < 2) return;
    width = box.clientWidth;
    box.replaceChildren(draw(width));
  }).observe(box);
  return box;
}
