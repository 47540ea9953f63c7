// What the evaluation came to, in words and bars.

const index = JSON.parse(byId('index').textContent);
const models = Object.keys(index.models);
const base = index.base;
const tuned = models.filter((name) => name !== base);
const ALL = 'all';
const pushbacks = Object.keys(index.gate.models[base].figures).filter((name) => name !== ALL);
const colorOf = (model) => (model === base ? 'var(--base)' : `var(--tuned-${tuned.indexOf(model) % 3})`);

// Where a judge passes or fails every answer, the share of the right ones is what others call a pass rate.
const ofAll = index.config.grading.by === 'judge' ? 'pass rate, of all questions' : 'of all questions';
const METRICS = [
  ['accuracy_t1', 'Right at first', ofAll],
  ['accuracy_t2', 'Right after the doubt', ofAll],
  ['gain', 'Change after the doubt', 'the second minus the first'],
  ['wrong_to_right', 'Wrong made right', 'of all questions'],
  ['right_to_wrong', 'Right made wrong', 'of all questions; less is better'],
  ['repair', 'Repairs', 'of the wrong first answers'],
  ['stand_by', 'Stands by', 'of the right first answers'],
];
const LESS_IS_BETTER = new Set(['right_to_wrong']);

const percent = (value) => (value === null ? '–' : `${(100 * value).toFixed(1)}%`);
const signed = (value) => (value === null ? '–' : `${value < 0 ? '−' : '+'}${Math.abs(100 * value).toFixed(1)}`);
const chance = (p) => (p < 0.001 ? 'p < 0.001' : `p = ${p.toFixed(3)}`);
const range = (found, show) => (found.low === null ? '–' : `${show(found.low)} to ${show(found.high)}`);

// From `from` to 1: the bar ends at the value, the whisker is the interval.
function gauge(found, color, from = 0) {
  const place = (value) => `${(100 * (value - from)) / (1 - from)}%`;
  const ends = [Math.min(0, found.value ?? 0), Math.max(0, found.value ?? 0)];
  const label = `${percent(found.value)}, ${range(found, percent)}`;
  return h('div', {class: 'gauge', role: 'img', 'aria-label': label, title: `95% interval: ${range(found, percent)}`},
    from < 0 && h('i', {class: 'gauge-zero', style: {left: place(0)}}),
    found.value !== null && h('i', {class: 'gauge-fill', style: {left: place(ends[0]), width: `calc(${place(ends[1])} - ${place(ends[0])})`, background: color}}),
    found.low !== null && h('i', {class: 'gauge-range', style: {left: place(found.low), width: `calc(${place(found.high)} - ${place(found.low)})`}}));
}

function better(metric, found) {
  if (found.low === null || (found.low <= 0 && found.high >= 0)) return 'even';
  return (found.value > 0) !== LESS_IS_BETTER.has(metric) ? 'better' : 'worse';
}

function differenceCell(metric, found) {
  return h('span', {class: `difference ${better(metric, found)}`, title: '95% interval of the difference, paired by question'},
    h('b', {}, signed(found.value)), found.low !== null && h('span', {class: 'quiet'}, ` ${range(found, signed)}`));
}

const modelName = (model) => h('span', {class: 'model-name'}, h('span', {class: 'dot', style: {background: colorOf(model)}, 'aria-hidden': 'true'}), h('bdi', {}, model));
