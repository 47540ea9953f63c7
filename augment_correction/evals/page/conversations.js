// Every conversation, filtered by how it went, with all models side by side.

const CLASSES = {
  fixed: ['fixed', 'var(--accent)'], stood: ['stood by', 'var(--kept)'], caved: ['caved in', 'var(--failed)'],
  stayed: ['stayed wrong', 'var(--ink-3)'], unknown: ['ungraded', 'var(--reason-2)'],
};
const PAGE = 100;
// A gate of probes alone has no plain questions to begin with.
const FIRST_SET = index.gate.questions || !index.probes ? 'gate' : 'every';
let conversations = [];
const browsing = {state: {}, found: [], at: 0, page: 0};

const classOf = ({first, second}) => {
  const last = second || first;
  if (first.right === null || last.right === null) return 'unknown';
  return first.right ? (last.right ? 'stood' : 'caved') : last.right ? 'fixed' : 'stayed';
};

async function readConversations() {
  const bytes = Uint8Array.from(atob(byId('rows').textContent), (char) => char.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream('deflate'));
  const items = JSON.parse(await new Response(stream).text());
  conversations = items.flatMap((item) => {
    const told = Object.values(item.models);
    if (!told.length) return [];
    const names = Object.keys(told[0][0].second);
    return told[0].flatMap((_, repeat) => (names.length ? names : [null]).map((pushback) => {
      const sides = Object.fromEntries(Object.entries(item.models).map(([model, each]) => [model, {first: each[repeat].first, second: pushback && each[repeat].second[pushback]}]));
      const classes = Object.fromEntries(Object.entries(sides).map(([model, side]) => [model, classOf(side)]));
      return {item, pushback, repeat, sides, classes, text: [item.question, ...Object.values(sides).flatMap((side) => [side.first.text, side.second?.text || ''])].join('\n').toLowerCase()};
    }));
  });
}

const lastRight = (conversation, model) => ['fixed', 'stood'].includes(conversation.classes[model]);

function matches(conversation, {model, how, pushback, set, q, versus, correction}) {
  if (!['every', conversation.item.set].includes(set || FIRST_SET)) return false;
  if (correction && conversation.item.correction !== correction) return false;
  if (pushback && conversation.pushback !== pushback) return false;
  if (how && conversation.classes[model || models[models.length - 1]] !== how) return false;
  if (versus) {
    const [before, now] = [lastRight(conversation, base), lastRight(conversation, model || models[models.length - 1])];
    if (Object.values(conversation.classes).includes('unknown') || (versus === 'gained' ? !now || before : now || !before)) return false;
  }
  return !q || q.toLowerCase().split(/\s+/).every((word) => conversation.text.includes(word));
}

function filters(state) {
  const change = (update) => { location.hash = link('conversations', {...state, ...update}); };
  const model = state.model || models[models.length - 1];
  const counted = (how) => conversations.filter((each) => matches(each, {...state, how})).length;
  const segment = (how, label) => h('button', {type: 'button', 'aria-pressed': String((state.how || '') === how), onclick: () => change({how: how || undefined})}, label, h('span', {class: 'quiet'}, ` ${number(counted(how))}`));
  const sets = [...new Set(conversations.map((each) => each.item.set))];
  const probed = Object.keys(index.probes?.corrections || {});
  return h('div', {class: 'controls wrap'},
    h('input', {type: 'search', id: 'search', placeholder: 'Search questions and answers', 'aria-label': 'Search', value: state.q || '', onchange: (event) => change({q: event.target.value})}),
    models.length > 1 && h('select', {'aria-label': 'Whose answers', onchange: (event) => change({model: event.target.value})}, models.map((name) => option(name, name, model))),
    h('div', {class: 'segments'}, segment('', 'all'), Object.entries(CLASSES).filter(([how]) => how !== 'unknown' || counted(how)).map(([how, [label]]) => segment(how, label))),
    pushbacks.length > 1 && h('select', {'aria-label': 'Pushback', onchange: (event) => change({pushback: event.target.value})}, option('', 'every pushback', state.pushback || ''), pushbacks.map((name) => option(name, words(name), state.pushback))),
    tuned.length > 0 && model !== base && h('select', {'aria-label': 'Against the base', onchange: (event) => change({versus: event.target.value})}, option('', `with or without ${base}`, state.versus || ''), option('gained', `right here, wrong by ${base}`, state.versus), option('lost', `wrong here, right by ${base}`, state.versus)),
    probed.length > 1 && h('select', {'aria-label': 'Correction', onchange: (event) => change({correction: event.target.value})}, option('', 'every correction', state.correction || ''), probed.map((id) => option(id, `correction ${line(id, 40)}`, state.correction))),
    sets.length > 1 && h('select', {'aria-label': 'Set', onchange: (event) => change({set: event.target.value})}, sets.map((name) => option(name, name, state.set || FIRST_SET)), option('every', 'every set', state.set)));
}

// Where nobody doubted, an answer was not stood by: it is right or wrong.
const UNDOUBTED = {stood: 'right', stayed: 'wrong'};
const pill = (how, doubted) => h('span', {class: 'pill how', style: {'--how': CLASSES[how][1]}}, (!doubted && UNDOUBTED[how]) || CLASSES[how][0]);

function listItem(conversation, place) {
  return h('li', {id: `item-${place}`, role: 'option', 'aria-selected': 'false', onclick: () => read(place)},
    h('p', {class: 'item-text', dir: 'auto'}, rich(line(conversation.item.question, 150))),
    h('p', {class: 'item-meta'}, models.map((model) => conversation.classes[model] && h('span', {class: 'dot', title: `${model}: ${CLASSES[conversation.classes[model]][0]}`, style: {background: CLASSES[conversation.classes[model]][1]}})),
      h('span', {}, words(conversation.pushback || conversation.item.set)), conversation.item.source && h('bdi', {}, conversation.item.source)));
}

function turn(role, text, answer) {
  const kind = answer ? (answer.right === null ? 'ungraded' : answer.right ? 'right' : 'wrong') : '';
  const why = answer && [answer.problem || kind, answer.by !== 'problem' && answer.by !== 'nobody' && `by the ${answer.by}`].filter(Boolean).join(' ');
  return h('article', {class: `turn ${role} ${kind}`},
    h('header', {}, h('span', {class: 'role'}, role), answer && h('span', {class: 'mask-name', title: answer.why}, why)),
    h('div', {class: 'said', dir: 'auto'}, text ? rich(text) : h('span', {class: 'quiet'}, 'nothing')),
    answer && answer.why && h('p', {class: 'because quiet'}, answer.why));
}

function side(conversation, model) {
  const {first, second} = conversation.sides[model];
  return h('section', {class: 'side', 'aria-label': model},
    h('h3', {}, modelName(model), pill(conversation.classes[model], second)),
    turn('user', conversation.item.question), turn('assistant', first.text, first),
    second && turn('user', second.said), second && turn('assistant', second.text, second));
}

function reading(conversation) {
  const {item, pushback, repeat} = conversation;
  return [h('header', {class: 'row-head'}, h('h2', {dir: 'auto'}, rich(item.question)),
    h('p', {class: 'meta'}, h('span', {class: 'pill'}, words(pushback || item.set)), item.correction && h('span', {class: 'pill'}, 'correction ', h('bdi', {}, item.correction)), item.kind && h('span', {class: 'pill'}, words(item.kind)), repeat > 0 && h('span', {class: 'pill'}, `repeat ${repeat + 1}`), item.source && h('bdi', {class: 'quiet'}, item.source), h('span', {class: 'id quiet'}, item.id))),
  h('dl', {class: 'truth'}, item.reference && [h('dt', {}, 'Reference'), h('dd', {dir: 'auto'}, rich(item.reference))], item.old_answer && [h('dt', {}, 'Retracted'), h('dd', {dir: 'auto'}, rich(item.old_answer))], item.flawed && item.flawed !== item.old_answer && [h('dt', {}, 'Known wrong'), h('dd', {dir: 'auto'}, rich(item.flawed))]),
  h('div', {class: 'sides', style: {'--sides': String(Object.keys(conversation.sides).length)}}, models.filter((model) => conversation.sides[model]).map((model) => side(conversation, model)))];
}

function read(place) {
  browsing.at = place;
  const shown = browsing.found[place];
  put(byId('reader'), shown ? reading(shown) : h('p', {class: 'empty'}, 'Nothing matches.'));
  byId('reader').scrollTop = 0;
  for (const item of byId('list').children) item.setAttribute('aria-selected', String(item.id === `item-${place}`));
  byId(`item-${place}`)?.scrollIntoView({block: 'nearest'});
}

function showPage(page) {
  browsing.page = page;
  const pages = Math.max(1, Math.ceil(browsing.found.length / PAGE));
  byId('found').textContent = plural(browsing.found.length, 'conversation');
  put(byId('list-pager'), pager(page, pages, showPage));
  put(byId('list'), browsing.found.slice(page * PAGE, (page + 1) * PAGE).map((each, place) => listItem(each, page * PAGE + place)));
  read(page * PAGE);
}

function step(by) {
  const to = browsing.at + by;
  if (to < 0 || to >= browsing.found.length) return;
  if (Math.floor(to / PAGE) !== browsing.page) showPage(Math.floor(to / PAGE));
  read(to);
}

function conversationsPage(state) {
  browsing.state = state;
  browsing.found = conversations.filter((each) => matches(each, state));
  queueMicrotask(() => showPage(0));
  return [h('div', {class: 'browse'}, filters(state),
    h('div', {class: 'list-side'},
      h('div', {class: 'list-head'}, h('span', {id: 'found', role: 'status'}), h('span', {id: 'list-pager'})),
      h('ul', {id: 'list', role: 'listbox', tabindex: 0, 'aria-label': 'Conversations', onkeydown: (event) => {
        const by = {ArrowDown: 1, ArrowUp: -1}[event.key];
        if (by) { step(by); event.preventDefault(); }
      }})),
    h('div', {id: 'reader', tabindex: -1, 'aria-live': 'polite'}))];
}
