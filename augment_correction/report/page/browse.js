// All rows: searched and filtered, a list beside the one that is read.

const ROWS_A_PAGE = 40;
const browsing = {rows: [], state: {}, turn: 0, terms: []};

function readChoice(state) {
  const whole = (value) => (value === undefined || value === '' || Number.isNaN(Number(value)) ? undefined : Number(value));
  return {status: STATUSES.includes(state.status) ? state.status : '', why: whole(state.why), kind: state.kind || '', file: whole(state.file), dup: state.dup === 'any' ? 'any' : whole(state.dup)};
}

function statusTabs(state, choice) {
  const counts = {'': index.rows.length, ...totals};
  return h('div', {class: 'segments', role: 'group', 'aria-label': 'Status'}, ['', ...STATUSES].filter((name) => !name || counts[name]).map((name) =>
    h('button', {type: 'button', 'aria-pressed': String(choice.status === name), class: name, onclick: () => change({status: name, why: undefined, kind: name && name !== 'kept' ? undefined : state.kind})}, name || 'all', h('span', {class: 'quiet'}, ` ${short(counts[name])}`))));
}

function change(with_) {
  location.hash = link('conversations', {...browsing.state, page: undefined, row: undefined, ...with_});
}

function filters(state, choice) {
  const offered = reasons.filter((each) => !choice.status || each.status === choice.status);
  const file = choice.file !== undefined && files[choice.file];
  return h('div', {class: 'controls wrap'},
    h('input', {type: 'search', id: 'search', placeholder: 'Search passages, turns, replies, ids   ( / )', 'aria-label': 'Search the full text', value: state.q || '', onchange: (event) => change({q: event.target.value.trim()})}),
    statusTabs(state, choice),
    offered.length > 0 && choice.status !== 'kept' && h('select', {'aria-label': 'Reason', onchange: (event) => change({why: event.target.value})}, option('', 'any reason', ''), offered.map((each) => option(each.id, `${reasonAt(each)} ${number(each.count)}`, choice.why))),
    kinds.length > 1 && h('select', {'aria-label': 'Kind', onchange: (event) => change({kind: event.target.value})}, option('', 'any kind', ''), kinds.map((kind) => option(kind, words(kind), choice.kind))),
    files.length > 1 && h('select', {'aria-label': 'File', class: 'file-select', onchange: (event) => change({file: event.target.value})}, option('', 'any file', ''), files.slice(0, 500).concat(file && file.id >= 500 ? [file] : []).map((each) => option(each.id, `${each.name} (${number(each.rows)})`, choice.file)), files.length > 500 && h('option', {disabled: true}, 'more: choose one under Documents')),
    groups.length > 0 && h('label', {class: 'check'}, h('input', {type: 'checkbox', checked: choice.dup !== undefined, onchange: (event) => change({dup: event.target.checked ? 'any' : undefined})}), choice.dup !== undefined && choice.dup !== 'any' ? `near-duplicates, group ${choice.dup + 1}` : 'near-duplicates'),
    Object.keys(state).some((key) => !['page', 'row'].includes(key) && state[key] !== undefined && state[key] !== '') && h('a', {href: link('conversations'), class: 'clear'}, 'clear'));
}

function listItem(row, data) {
  const kind = classes[rowClass[row]];
  const question = data.turns?.find((turn) => turn.role === 'user');
  const place = data.places[0];
  return h('li', {id: `item-${row}`, role: 'option', 'aria-selected': 'false', onclick: () => select(row)},
    h('p', {class: question ? 'item-text' : 'item-text passage-line', dir: 'auto'}, rich(line(question ? question.text : data.text, 150))),
    h('p', {class: 'item-meta'}, dot(kind), kind.status === 'kept' ? null : h('span', {}, reasonAt(kind)), place && h('bdi', {}, `${place.source}${place.source.includes('#') ? '' : ' ' + (place.index + 1)}`)));
}

function select(row, focus) {
  history.replaceState(null, '', link('conversations', {...browsing.state, row}));
  browsing.state.row = String(row);
  showRow(row);
  if (focus) byId('list')?.focus({preventScroll: true});
}

async function showRow(row) {
  const pane = byId('reader');
  if (!pane) return;
  browsing.row = row;
  for (const item of byId('list').children) item.setAttribute('aria-selected', String(item.id === `item-${row}`));
  const item = byId(`item-${row}`);
  if (item) {
    const list = byId('list');
    list.setAttribute('aria-activedescendant', item.id);
    if (item.offsetTop < list.scrollTop || item.offsetTop + item.offsetHeight > list.scrollTop + list.clientHeight) list.scrollTop = item.offsetTop - list.clientHeight / 3;
  }
  try {
    const data = await rowAt(row);
    if (browsing.row !== row || byId('reader') !== pane) return;
    put(pane, rowView(row, data, browsing.terms));
    pane.scrollTop = 0;
  } catch (problem) {
    put(pane, h('p', {class: 'notice'}, problem.message));
  }
}

async function showPage() {
  const {rows, state, turn} = browsing;
  const pages = Math.max(1, Math.ceil(rows.length / ROWS_A_PAGE));
  let page = state.page === undefined && state.row !== undefined ? Math.floor(Math.max(0, rows.indexOf(Number(state.row))) / ROWS_A_PAGE) : Number(state.page) || 0;
  page = Math.max(0, Math.min(pages - 1, page));
  browsing.page = page;
  browsing.pages = pages;
  put(byId('list-pager'), pager(page, pages, goPage));
  const slice = rows.slice(page * ROWS_A_PAGE, (page + 1) * ROWS_A_PAGE);
  const key = slice.join();
  if (key === browsing.shown) return;
  browsing.shown = key;
  try {
    const data = await Promise.all(slice.map(rowAt));
    if (turn !== browsing.turn || browsing.shown !== key) return;
    put(byId('list'), slice.map((row, place) => listItem(row, data[place])));
    const wanted = Number(state.row);
    if (slice.length) showRow(state.row !== undefined && slice.includes(wanted) ? wanted : slice[0]);
    else put(byId('reader'), h('p', {class: 'empty'}, 'Nothing matches.'));
  } catch (problem) {
    put(byId('list'));
    put(byId('reader'), h('p', {class: 'notice'}, problem.message));
  }
}

function goPage(to) {
  if (to >= 0 && to < browsing.pages) location.hash = link('conversations', {...browsing.state, row: undefined, page: to || undefined});
}

function step(by) {
  const page = browsing.rows.slice(browsing.page * ROWS_A_PAGE, (browsing.page + 1) * ROWS_A_PAGE);
  const next = page.indexOf(browsing.row) + by;
  if (next >= 0 && next < page.length) select(page[next], true);
  else if (next < 0) goPage(browsing.page - 1);
  else goPage(browsing.page + 1);
}

function tellFound(done) {
  const count = byId('found');
  if (!count) return;
  count.textContent = done < 1 ? `${number(browsing.rows.length)} found, searching … ${Math.floor(100 * done)}%` : plural(browsing.rows.length, 'passage');
  count.classList.toggle('busy', done < 1);
}

// Runs after the page stands, because it fills it bit by bit.
async function fillBrowse() {
  const turn = browsing.turn;
  const candidates = chosenRows(readChoice(browsing.state));
  if (!browsing.terms.length) {
    browsing.rows = candidates;
    tellFound(1);
    return showPage();
  }
  browsing.rows = [];
  try {
    await search(candidates, browsing.terms, () => turn === browsing.turn, (places, done) => {
      if (turn !== browsing.turn) return;
      if (places.length !== browsing.rows.length || done === 1) browsing.rows = [...places].sort((a, b) => a - b).map((place) => candidates[place]);
      tellFound(done);
      if (done === 1 || places.length) showPage();
    });
  } catch (problem) {
    if (byId('reader')) put(byId('reader'), h('p', {class: 'notice'}, problem.message));
  }
}

function browsePage(state) {
  browsing.state = {...state};
  browsing.turn++;
  browsing.shown = null;
  browsing.terms = searchTerms(state.q || '');
  queueMicrotask(fillBrowse);
  return [h('div', {class: 'browse'},
    filters(state, readChoice(state)),
    h('div', {class: 'list-side'},
      h('div', {class: 'list-head'}, h('span', {id: 'found', role: 'status'}), h('span', {id: 'list-pager'})),
      h('ul', {id: 'list', role: 'listbox', tabindex: 0, 'aria-label': 'Passages', onkeydown: (event) => {
        const by = {ArrowDown: 1, ArrowUp: -1}[event.key];
        if (by) { step(by); event.preventDefault(); }
      }})),
    h('div', {id: 'reader', tabindex: -1, 'aria-live': 'polite'}, h('p', {class: 'empty'}, 'Reading …')))];
}
