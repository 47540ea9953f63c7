// The desk: a list, one conversation beside its passage, and what is decided about it. The server keeps every decision.

const index = JSON.parse(byId('index').textContent);
const STATES = {open: 'undecided', approved: 'approved', rejected: 'rejected', ask_again: 'to ask again'};
const FILTERS = [['open', 'undecided'], ['all', 'all'], ['approved', 'approved'], ['rejected', 'rejected'], ['ask_again', 'to ask again'], ['edited', 'edited']];
const REASONS = ['the answer is wrong', 'the passage does not say it', 'the mistake is not a mistake', 'the question makes no sense alone', 'badly written', 'private or harmful'];
const KEYS = [['a', 'approve, and go to the next'], ['r', 'reject: a reason, Enter'], ['e', 'edit the messages; Ctrl+Enter saves what is changed, Esc leaves it'], ['g', 'mark to be asked again'], ['u', 'undo the decision'], ['j k', 'next, previous'], ['n', 'the next that is undecided'], ['f', 'another selection of the list'], ['/', 'search the questions'], ['t', 'light or dark'], ['?', 'these keys']];
const AT_ONCE = 100;
const desk = {rows: [], counts: {}, filter: 'all', query: '', chosen: [], id: null, row: null, form: null, editing: false, busy: false};

async function ask(path, body) {
  const options = body ? {method: 'POST', headers: {'Content-Type': 'application/json'}, body: JSON.stringify(body)} : {};
  let reply;
  try {
    reply = await fetch(`api/${path}`, {cache: 'no-store', credentials: 'omit', ...options});
  } catch {
    throw new Error('The program does not answer, because it was ended in its terminal. Your decisions are kept.');
  }
  const data = await reply.json();
  if (!reply.ok) throw Object.assign(new Error(data.error), {outdated: reply.status === 409});
  return data;
}

function say(text, bad) {
  const place = byId('said');
  if (!place) return;
  place.textContent = text || '';
  place.classList.toggle('bad', Boolean(bad));
}

// The fields whose text is written nowhere yet. Whatever would take them away asks `free` first.
const unsaved = () => [...document.querySelectorAll('textarea')].filter((field) => field.value !== field.before);
function free() {
  const [field] = unsaved();
  if (!field) return true;
  byId('desk').classList.remove('listing');
  field.focus();
  say('This message is changed and not saved. Save it (Ctrl+Enter) or leave it (Esc) first.', true);
  return false;
}

const entryOf = (id) => desk.rows.find((row) => row[0] === id);
const matches = ([, kind, title, question, state, edited]) =>
  (desk.filter === 'all' || (desk.filter === 'edited' ? edited : state === desk.filter)) &&
  (!desk.query || `${title} ${question} ${words(kind)}`.toLowerCase().includes(desk.query));

function progress() {
  const {counts} = desk;
  const decided = counts.all - counts.open;
  put(byId('tabs'), h('div', {class: 'progress'},
    h('span', {id: 'progress', role: 'status'}, `${number(decided)} of ${number(counts.all)} decided`),
    h('div', {class: 'progress-bar', 'aria-hidden': 'true'}, ['approved', 'rejected', 'ask_again'].map((state) => h('i', {class: `bg-${state}`, style: {width: `${(100 * counts[state]) / counts.all}%`}})))));
}

function listItem([id, kind, title, question, state, edited]) {
  return h('li', {role: 'option', id: `item-${id}`, 'aria-selected': id === desk.id ? 'true' : 'false', onclick: () => { if (!free()) return; select(id); byId('desk').classList.remove('listing'); }},
    h('div', {class: 'item-text', dir: 'auto'}, rich(question)),
    h('div', {class: 'item-meta'}, h('span', {class: `state ${state}`}, STATES[state]), edited && h('span', {}, 'edited'), h('span', {}, words(kind)), h('bdi', {}, title)));
}

function fillList() {
  desk.chosen = desk.rows.filter(matches);
  const at = Math.max(0, desk.chosen.findIndex((row) => row[0] === desk.id));
  const first = Math.max(0, Math.floor(at / AT_ONCE) * AT_ONCE);
  const shown = desk.chosen.slice(first, first + AT_ONCE);
  put(byId('list'), shown.map(listItem));
  byId('found').textContent = plural(desk.chosen.length, 'conversation') + (desk.chosen.length > shown.length ? `, ${number(first + 1)} to ${number(first + shown.length)}` : '');
  byId(`item-${desk.id}`)?.scrollIntoView({block: 'nearest'});
}

async function select(id) {
  Object.assign(desk, {id, row: null, form: null, editing: false});
  byId('reader').setAttribute('aria-busy', 'true'); // until then no key decides: it would be about what is not seen yet
  fillList();
  try {
    const row = await ask(`row?id=${encodeURIComponent(id)}`);
    if (desk.id !== id) return;
    desk.row = row;
    take(row, id); // another person may have decided about it since the list was loaded
    fillList();
    draw();
    byId('reader').scrollTop = 0;
    byId('reader').setAttribute('aria-busy', 'false');
  } catch (problem) {
    put(byId('reader'), h('p', {class: 'notice'}, problem.message));
  }
}

function deskTurn(turn, row) {
  const view = turnView(turn, row.text, []);
  const head = view.querySelector('header');
  const tools = head.lastElementChild;
  head.append(h('span', {}, tools, turn.edited && h('span', {class: 'pill edited'}, 'edited'), !desk.editing && h('button', {type: 'button', class: 'edit', 'aria-label': `edit the message of the ${turn.role}`, onclick: () => edit(turn.number)}, 'edit')));
  if (!desk.editing) return view;
  const field = h('textarea', {'data-turn': turn.number, 'data-part': turn.part, 'aria-label': `text of the ${ROLE_NAMES[turn.is] || turn.role}`, dir: 'auto', spellcheck: 'true'});
  field.value = turn.text;
  field.before = field.value;
  view.querySelector('.said').replaceWith(h('div', {}, field, h('div', {class: 'turn-tools'}, h('button', {type: 'button', class: 'act', onclick: save}, 'Save', h('kbd', {}, 'Ctrl ⏎')), h('button', {type: 'button', class: 'act', onclick: leave}, 'Leave', h('kbd', {}, 'Esc')))));
  return view;
}

function draw() {
  const {row} = desk;
  put(byId('reader'),
    h('header', {class: 'row-head'},
      h('h2', {}, h('bdi', {}, rich(row.title || row.id))),
      h('p', {class: 'meta'}, h('span', {class: `pill ${row.state}`, id: 'state'}, STATES[row.state]), row.edited && h('span', {class: 'pill edited'}, 'edited'), h('span', {class: 'pill'}, words(row.kind)), h('span', {class: 'id quiet'}, row.id), row.reason && h('span', {dir: 'auto'}, rich(row.reason)))),
    maskLegend(row),
    h('div', {class: 'beside'},
      h('section', {class: 'conversation', 'aria-label': 'Conversation'}, row.turns.map((turn) => deskTurn(turn, row)), foundView(row) || []),
      passageView(row, [])));
  actions();
}

function actions() {
  const {row} = desk;
  const button = (key, label, act, more) => h('button', {type: 'button', class: 'act', id: `act-${key}`, onclick: act, ...more}, label, h('kbd', {}, key));
  const parts = [];
  if (desk.form) {
    const field = h('input', {id: 'why', type: 'text', maxlength: 500, autocomplete: 'off', dir: 'auto', value: row.state === 'rejected' ? row.reason : ''});
    parts.push(h('form', {class: 'why-form', onsubmit: (event) => { event.preventDefault(); decide(desk.form, {reason: field.value}); }},
      h('label', {for: 'why'}, desk.form === 'reject' ? 'Why is it rejected? Enter rejects, Esc cancels.' : 'What should be different? Enter marks it, Esc cancels.'),
      field,
      h('div', {class: 'reasons'}, REASONS.map((reason) => h('button', {type: 'button', onclick: () => decide(desk.form, {reason})}, reason)))));
  }
  parts.push(h('div', {class: 'actions-row'},
    button('a', 'Approve', () => decide('approve'), {class: 'act first'}),
    button('r', 'Reject', () => open_('reject')), button('e', 'Edit', () => edit()),
    button('g', 'Ask again', () => open_('ask_again'), {disabled: !row.can_ask_again, title: row.can_ask_again ? null : 'no model wrote it'}),
    button('u', 'Undo', () => decide('undo'), {disabled: row.state === 'open' && !row.edited}),
    button('n', 'Next', nextOpen),
    h('span', {id: 'said', role: 'status', 'aria-live': 'polite'})));
  put(byId('actions'), parts);
}

function open_(form) {
  if (!desk.row || (form === 'ask_again' && !desk.row.can_ask_again) || !free()) return;
  desk.form = form;
  actions();
  byId('why').focus();
}

function take(told, id) {
  const entry = entryOf(id);
  [entry[4], entry[5]] = [told.state, told.edited];
  desk.counts = told.counts;
  progress();
}

// Where somebody else has decided meanwhile, nothing was written: what they left is loaded, and a text that is being edited stays.
async function refused(problem, id) {
  if (problem.outdated && desk.id === id) {
    const row = await ask(`row?id=${encodeURIComponent(id)}`);
    if (desk.id !== id) return;
    desk.row = row;
    take(row, id);
    if (!desk.editing) { desk.form = null; fillList(); draw(); }
  }
  const how = desk.editing ? ' Esc shows it as it is now; saving again puts your text in its place.' : ' It is shown as it is now.';
  say(problem.message + (problem.outdated ? how : ''), true);
}

async function decide(action, more = {}) {
  if (desk.busy || !desk.row || !free()) return;
  desk.busy = true;
  const {id} = desk;
  try {
    const told = await ask('decide', {conversation: id, action, seen: desk.row.seen, ...more});
    take(told, id);
    if (desk.id !== id) return fillList(); // the reader went on before the answer came
    desk.form = null;
    if (action === 'undo') { await select(id); say('taken back'); } else nextOpen();
  } catch (problem) { await refused(problem, id).catch((other) => say(other.message, true)); } finally { desk.busy = false; }
}

function edit(number) {
  if (!desk.row || !free()) return;
  desk.editing = true;
  desk.form = null;
  draw();
  const fields = [...document.querySelectorAll('textarea')];
  const field = number === undefined ? fields[fields.length - 1] : fields.find((each) => Number(each.dataset.turn) === number);
  field?.focus();
}

function leave() {
  if (!desk.row) return;
  desk.editing = false;
  desk.form = null;
  draw();
}

// Every message that was changed: one that stayed open beside the saved one would be lost.
async function save() {
  if (desk.busy || !desk.row) return;
  const numbers = [...new Set(unsaved().map((field) => Number(field.dataset.turn)))];
  if (!numbers.length) return leave();
  desk.busy = true;
  const {id} = desk;
  try {
    let told;
    for (const number of numbers) {
      const fields = [...document.querySelectorAll(`textarea[data-turn="${number}"]`)];
      const sent = fields.map((field) => field.value);
      const parts = Object.fromEntries(fields.map((field) => [field.dataset.part, field.value]));
      told = await ask('decide', {conversation: id, action: 'edit', seen: desk.row.seen, turn: number, text: parts.whole ?? parts.rest, mistake: parts.mistake ?? ''});
      desk.row.seen = told.seen;
      fields.forEach((field, at) => { field.before = sent[at]; });
      take(told, id);
    }
    const row = await ask(`row?id=${encodeURIComponent(id)}`);
    if (desk.id !== id) return;
    desk.row = row;
    if (!unsaved().length) { desk.editing = false; fillList(); draw(); }
    say(`saved; ${told.proof}`);
  } catch (problem) { await refused(problem, id).catch((other) => say(other.message, true)); } finally { desk.busy = false; }
}

function step(by) {
  const at = desk.chosen.findIndex((row) => row[0] === desk.id);
  const next = desk.chosen[at + by];
  if (next && free()) select(next[0]);
}

function nextOpen() {
  if (!free()) return undefined;
  const at = desk.rows.findIndex((row) => row[0] === desk.id);
  const order = [...desk.rows.slice(at + 1), ...desk.rows.slice(0, at + 1)];
  const next = order.find((row) => row[4] === 'open');
  if (next) return select(next[0]);
  return select(desk.id).then(() => say('Everything is decided. Finish writes the files.'));
}

function filterBy(name) {
  desk.filter = name;
  byId('filter').value = name;
  fillList();
}

async function finish() {
  if (!free()) return;
  try {
    await ask('finish', {});
    put(byId('main'), h('div', {class: 'done'}, h('h2', {}, 'Finished'), h('p', {}, 'The program writes the files again and checks the mask. You can close this page.')));
  } catch (problem) { say(problem.message, true); }
}

document.addEventListener('keydown', (event) => {
  if (byId('help-dialog').open) return;
  const field = event.target.matches('input, select, textarea') && event.target;
  if (field) {
    if (event.key === 'Escape') { event.preventDefault(); if (field.id === 'search') field.blur(); else leave(); }
    else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && field.dataset.turn) { event.preventDefault(); save(); }
    else if (event.key === 'Enter' && field.id === 'search') field.blur();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || !desk.row) return;
  if (event.repeat && !['j', 'k', 'ArrowDown', 'ArrowUp'].includes(event.key)) return; // a key held down would decide about what nobody read
  const act = {
    a: () => decide('approve'), r: () => open_('reject'), e: () => edit(), g: () => open_('ask_again'), u: () => decide('undo'),
    j: () => step(1), k: () => step(-1), ArrowDown: () => step(1), ArrowUp: () => step(-1), n: nextOpen,
    f: () => filterBy(FILTERS[(FILTERS.findIndex(([name]) => name === desk.filter) + 1) % FILTERS.length][0]),
    '/': () => { byId('desk').classList.add('listing'); byId('search').focus(); }, t: turnTheme, '?': help,
    Escape: leave,
  }[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

addEventListener('beforeunload', (event) => { if (unsaved().length) event.preventDefault(); });

async function start() {
  byId('run-name').textContent = index.name;
  byId('theme').addEventListener('click', turnTheme);
  byId('help').addEventListener('click', help);
  byId('skip').addEventListener('click', (event) => { event.preventDefault(); byId('reader')?.focus(); });
  byId('help').before(h('button', {type: 'button', id: 'show-list', onclick: () => byId('desk')?.classList.toggle('listing')}, 'List'), h('button', {type: 'button', id: 'finish', onclick: finish}, 'Finish'));
  try { setTheme(localStorage.getItem('report-theme')); } catch { /* a browser may forbid it */ }
  try {
    Object.assign(desk, await ask('rows'));
  } catch (problem) {
    put(byId('main'), h('p', {class: 'notice'}, problem.message));
    return;
  }
  progress();
  put(byId('main'), h('div', {class: 'desk', id: 'desk'},
    h('div', {class: 'list-side'},
      h('div', {class: 'list-tools'},
        h('input', {type: 'search', id: 'search', placeholder: 'Search questions and titles', 'aria-label': 'Search questions and titles', oninput: (event) => { desk.query = event.target.value.trim().toLowerCase(); fillList(); }}),
        h('select', {id: 'filter', 'aria-label': 'Which conversations', onchange: (event) => filterBy(event.target.value)}, FILTERS.map(([name, label]) => option(name, label, desk.filter)))),
      h('div', {class: 'list-head'}, h('span', {id: 'found', role: 'status'})),
      h('ul', {id: 'list', role: 'listbox', tabindex: 0, 'aria-label': 'Conversations'})),
    h('section', {id: 'reader', tabindex: -1, 'aria-label': 'The conversation'}),
    h('div', {class: 'actions', id: 'actions'})));
  const first = desk.rows.find((row) => row[4] === 'open') || desk.rows[0];
  await select(first[0]);
}
start();
