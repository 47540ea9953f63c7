// An experiment's figures: a forest plot by area, a scatter of losses, and tables. `index` is experiment.json.

const index = JSON.parse(byId('index').textContent);
const BY_LOSS = index.config.decision.figure === 'nll';
const UNIT = BY_LOSS ? 'nats' : 'points';
const scaled = (value) => (BY_LOSS ? value : 100 * value);
const fixed = (value, digits = BY_LOSS ? 3 : 1) => (value === null || value === undefined ? '–' : Number(value).toFixed(digits));
const signed = (value) => (value === null || value === undefined ? '–' : `${value >= 0 ? '+' : '−'}${fixed(Math.abs(scaled(value)))}`);
const percent = (value) => (value === null || value === undefined ? '–' : `${(100 * value).toFixed(1)} %`);
const perplexity = (value) => (value === null || value === undefined ? '–' : value >= 1000 ? number(Math.round(value)) : value.toFixed(2));
const range = (found) => (!found || found.low === null ? 'no interval' : `${signed(found.low)} to ${signed(found.high)}`);
const classOf = (pair) => (pair === 'targeted - random' ? 'control' : pair.split(' - ')[0]);

function card(title, note, ...content) {
  return h('section', {class: 'card'}, h('h2', {}, title), note && h('p', {class: 'note'}, note), content);
}
function table(head, rows, kind) {
  return h('div', {class: 'wide'}, h('table', {class: `table ${kind || ''}`},
    h('thead', {}, h('tr', {}, head.map((name, place) => h('th', {class: place ? 'num' : null}, name)))),
    h('tbody', {}, rows)));
}
const cells = (first, ...values) => h('tr', {}, h('td', {}, h('bdi', {}, first)), values.map((value) => h('td', {class: 'num'}, value)));
const legend = (names) => h('div', {class: 'legend'}, names.map((name) => h('span', {class: classOf(name)}, h('i', {}), words(name))));

// Each area's differences with their intervals, around zero; plus is better.
function forest(areas) {
  const pairs = [...new Set(areas.flatMap((area) => Object.keys(area.differences)))];
  const lines = areas.flatMap((area) => pairs.filter((pair) => area.differences[pair]).map((pair, place) => ({area, pair, first: place === 0, found: area.differences[pair]})));
  const values = lines.flatMap(({found}) => [found.value, found.low, found.high]).filter((value) => value !== null && value !== undefined);
  const most = Math.max(1e-9, ...values.map(Math.abs));
  const [left, right, row] = [240, 930, 22];
  const x = (value) => (left + right) / 2 + (value / most) * ((right - left) / 2 - 10);
  const height = 34 + lines.length * row;
  return s('svg', {class: 'forest', viewBox: `0 0 1120 ${height}`, role: 'img', 'aria-label': `Differences by area: ${lines.map(({area, pair, found}) => `${area.area}, ${pair} ${signed(found.value)}`).join('; ')}`},
    s('line', {class: 'zero', x1: x(0), x2: x(0), y1: 4, y2: height - 26}),
    lines.map(({area, pair, first, found}, place) => {
      const y = 16 + place * row;
      return s('g', {class: classOf(pair)},
        s('title', {}, `${area.area}: ${pair} ${signed(found.value)} ${UNIT} (${range(found)})`),
        first && s('text', {class: 'name', x: 0, y: y + 4}, `${area.weak ? '● ' : ''}${line(area.area, 28)} (${area.items})`),
        found.low !== null && s('line', {class: 'span', x1: x(found.low), x2: x(found.high), y1: y, y2: y}),
        s('circle', {class: 'point', cx: x(found.value), cy: y, r: 4}),
        s('text', {x: 945, y: y + 4}, `${signed(found.value)} (${range(found)})`));
    }),
    s('text', {x: left, y: height - 6}, 'worse'), s('text', {x: right, y: height - 6, 'text-anchor': 'end'}, `better, ${UNIT}`));
}

// Loss of the reference answer of every dev item, before and after: below the line it became likelier.
function scatter(items, arm) {
  const points = items.filter((item) => item.base.nll !== null && item.after[arm] && item.after[arm].nll !== null);
  if (!points.length) return h('p', {class: 'quiet'}, 'The student tells no log-probabilities.');
  const most = Math.max(...points.flatMap((item) => [item.base.nll, item.after[arm].nll])) * 1.04 || 1;
  const [size, edge] = [520, 44];
  const x = (value) => edge + (value / most) * (size - edge - 10);
  const y = (value) => size - edge - (value / most) * (size - edge - 10);
  const ticks = [0, 0.25, 0.5, 0.75, 1].map((part) => part * most);
  return s('svg', {class: `scatter ${arm}`, viewBox: `0 0 ${size} ${size}`, role: 'img', 'aria-label': `Loss before and after of ${points.length} questions, ${arm}`},
    s('path', {class: 'axis', d: `M${edge} 10V${size - edge}H${size - 10}`}),
    s('line', {class: 'diagonal', x1: x(0), y1: y(0), x2: x(most), y2: y(most)}),
    ticks.map((value) => [s('text', {x: x(value), y: size - edge + 16, 'text-anchor': 'middle'}, value.toFixed(1)), s('text', {x: edge - 8, y: y(value) + 4, 'text-anchor': 'end'}, value.toFixed(1))]),
    points.map((item) => s('circle', {class: weakAreas().has(item.area) ? '' : 'strong', cx: x(item.base.nll), cy: y(item.after[arm].nll), r: 4},
      s('title', {}, `${item.question}\n${item.base.nll.toFixed(2)} → ${item.after[arm].nll.toFixed(2)} nats a token`))),
    s('text', {x: (size + edge) / 2, y: size - 8, 'text-anchor': 'middle'}, 'before (nats a token)'),
    s('text', {x: 12, y: size / 2, transform: `rotate(-90 12 ${size / 2})`, 'text-anchor': 'middle'}, 'after'));
}

let shownRound = index.rounds.length - 1;
const round = () => index.rounds[shownRound];
const weakAreas = () => new Set(round().areas.filter((area) => area.chosen).map((area) => area.name));
const arms = () => Object.keys(round().arms);
