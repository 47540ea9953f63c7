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

// Each area's differences with their intervals, around zero; plus is better. Where there is little room the figures stand above the lines.
const NARROW = 720;
function forest(areas) {
  const pairs = [...new Set(areas.flatMap((area) => Object.keys(area.differences)))];
  const groups = areas.map((area) => ({area, lines: pairs.filter((pair) => area.differences[pair]).map((pair) => ({pair, found: area.differences[pair]}))}));
  const values = groups.flatMap(({lines}) => lines.flatMap(({found}) => [found.value, found.low, found.high])).filter((value) => value !== null && value !== undefined);
  const most = Math.max(1e-9, ...values.map(Math.abs));
  const label = groups.flatMap(({area, lines}) => lines.map(({pair, found}) => `${area.area}, ${pair} ${signed(found.value)}`)).join('; ');
  return drawn((width) => forestAt(width, groups, most), `Differences by area: ${label}`);
}
function forestAt(width, groups, most) {
  const narrow = width < NARROW;
  const [left, right, row, head] = narrow ? [0, width, 32, 20] : [Math.min(240, width / 4), width - 190, 22, 0];
  const x = (value) => (left + right) / 2 + (value / most) * ((right - left) / 2 - 10);
  let top = 4;
  const drawings = groups.flatMap(({area, lines}) => {
    const name = s('text', {class: 'name', x: 0, y: top + 16}, `${area.weak ? '● ' : ''}${line(area.area, narrow ? 40 : 28)} (${area.items})`);
    top += head;
    const made = lines.map(({pair, found}) => {
      const y = top + (narrow ? 24 : 12);
      const figure = narrow ? {x: 0, y: y - 8} : {x: right + 15, y: y + 4};
      top += row;
      return s('g', {class: classOf(pair)},
        s('title', {}, `${area.area}: ${pair} ${signed(found.value)} ${UNIT} (${range(found)})`),
        found.low !== null && s('line', {class: 'span', x1: x(found.low), x2: x(found.high), y1: y, y2: y}),
        s('circle', {class: 'point', cx: x(found.value), cy: y, r: 4}),
        s('text', figure, `${signed(found.value)} (${range(found)})`));
    });
    top += narrow ? 10 : 4;
    return [name, ...made];
  });
  return s('svg', {class: 'forest', width, height: top + 26},
    s('line', {class: 'zero', x1: x(0), x2: x(0), y1: 4, y2: top}), drawings,
    s('text', {x: left, y: top + 18}, 'worse'), s('text', {x: right, y: top + 18, 'text-anchor': 'end'}, `better, ${UNIT}`));
}

// Loss of the reference answer of every dev item, before and after: below the line it became likelier.
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50];
function scatter(items, arm) {
  const points = items.filter((item) => item.base.nll !== null && item.after[arm] && item.after[arm].nll !== null);
  if (!points.length) return h('p', {class: 'quiet'}, 'The student tells no log-probabilities.');
  const most = Math.max(...points.flatMap((item) => [item.base.nll, item.after[arm].nll])) * 1.04 || 1;
  return drawn((width) => scatterAt(Math.min(width, 460), points, arm, most), `Loss before and after of ${points.length} questions, ${arm}`);
}
function scatterAt(size, points, arm, most) {
  const edge = 44;
  const x = (value) => edge + (value / most) * (size - edge - 10);
  const y = (value) => size - edge - (value / most) * (size - edge - 10);
  const step = STEPS.find((each) => most / each <= 5) || most;
  const ticks = [...Array(Math.floor(most / step) + 1).keys()].map((place) => place * step);
  const shown = (value) => String(Number(value.toFixed(1)));
  return s('svg', {class: `scatter ${arm}`, width: size, height: size},
    s('path', {class: 'axis', d: `M${edge} 10V${size - edge}H${size - 10}`}),
    s('line', {class: 'diagonal', x1: x(0), y1: y(0), x2: x(most), y2: y(most)}),
    ticks.map((value) => [s('text', {x: x(value), y: size - edge + 16, 'text-anchor': 'middle'}, shown(value)), value > 0 && s('text', {x: edge - 8, y: y(value) + 4, 'text-anchor': 'end'}, shown(value))]),
    points.map((item) => s('circle', {class: weakAreas().has(item.area) ? '' : 'strong', cx: x(item.base.nll), cy: y(item.after[arm].nll), r: 4},
      s('title', {}, `${item.question}\n${item.base.nll.toFixed(2)} → ${item.after[arm].nll.toFixed(2)} nats a token`))),
    s('text', {x: (size + edge) / 2, y: size - 8, 'text-anchor': 'middle'}, 'before (nats a token)'),
    s('text', {x: 12, y: size / 2, transform: `rotate(-90 12 ${size / 2})`, 'text-anchor': 'middle'}, 'after'));
}

let shownRound = index.rounds.length - 1;
const round = () => index.rounds[shownRound];
const weakAreas = () => new Set(round().areas.filter((area) => area.chosen).map((area) => area.name));
const arms = () => Object.keys(round().arms);
