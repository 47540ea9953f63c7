// A run while it goes on. What it shows comes from its own server, which ends with the run.

const index = JSON.parse(byId('index').textContent);
const KEYS = [['t', 'light or dark'], ['?', 'these keys']];
const EVERY = 2000;
let shown = '';

const time = (seconds) => (seconds === null || seconds === undefined ? '–' : seconds < 90 ? `${Math.round(seconds)} s` : seconds < 5400 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`);
const tile = (label, value, note) => h('div', {class: 'tile'}, h('span', {class: 'tile-label'}, label), h('span', {class: 'tile-value'}, value), note && h('span', {class: 'tile-note'}, note));

function draw(state) {
  const whole = state.total ? Math.min(1, state.finished / state.total) : 0;
  put(byId('live'),
    h('div', {class: 'progress-line', role: 'progressbar', 'aria-label': 'passages', 'aria-valuenow': state.finished, 'aria-valuemax': state.total || 0}, h('i', {style: {width: `${100 * whole}%`}})),
    h('div', {class: 'tiles'},
      tile('passages', `${number(state.finished)}${state.total ? ` of ${number(state.total)}` : ''}`, state.reused ? `${number(state.reused)} reused` : state.phase),
      tile('time', time(state.seconds), state.eta === null ? null : `${time(state.eta)} left`),
      tile('cost of this run', money(state.cost)),
      tile('rejected', number(state.stages.reduce((sum, stage) => sum + stage[2], 0)), state.reasons.slice(0, 2).map(([name, count]) => `${number(count)} ${words(name.split('/').pop())}`).join(', '))),
    h('section', {class: 'card'}, h('h2', {}, 'Stages'), h('table', {class: 'table'},
      h('thead', {}, h('tr', {}, ['stage', 'kept', 'rejected', 'failed', 'under way'].map((name, place) => h('th', {class: place ? 'num' : null}, name)))),
      h('tbody', {}, state.stages.map(([name, ...counts]) => h('tr', {}, h('td', {}, words(name)), counts.map((count) => h('td', {class: 'num'}, number(count)))))))),
    state.notices.length > 0 && h('section', {class: 'card'}, h('h2', {}, 'Notes'), h('ul', {}, state.notices.map((notice) => h('li', {class: 'note'}, rich(notice))))));
  const key = state.latest.map((row) => row.id).join();
  if (key === shown) return;
  shown = key;
  put(byId('latest'), state.latest.map((row) => h('article', {class: 'latest'}, h('h3', {}, h('bdi', {}, rich(row.title)), h('span', {class: 'pill'}, words(row.kind))), row.turns.map((turn) => turnView(turn, row.text, [])))));
}

async function poll() {
  let reply;
  try {
    reply = await fetch('api/state', {cache: 'no-store', credentials: 'omit'});
  } catch {
    byId('ended').hidden = false;
    byId('open-report').remove();
    return;
  }
  setTimeout(poll, EVERY);
  const state = await reply.json();
  if (reply.ok) draw(state); else put(byId('live'), h('p', {class: 'note'}, state.error));
}

document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === 't') turnTheme(); else if (event.key === '?') help();
});
byId('run-name').textContent = index.name;
byId('theme').addEventListener('click', turnTheme);
byId('help').addEventListener('click', help);
put(byId('tabs'), h('a', {id: 'open-report', href: 'report.html', target: '_blank', rel: 'noopener'}, 'Report so far'));
try { setTheme(localStorage.getItem('report-theme')); } catch { /* a browser may forbid it */ }
put(byId('main'),
  h('p', {class: 'ended', id: 'ended', hidden: true, role: 'status'}, 'The run has ended. Its report.html is in the output folder.'),
  h('div', {id: 'live'}), h('h2', {}, 'Latest conversations'), h('div', {id: 'latest'}, h('p', {class: 'quiet'}, 'None yet.')));
poll();
