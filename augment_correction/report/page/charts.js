// Drawings: the flow of passages through the stages, histograms, and a document's strip.

const tip = byId('tip');
function showTip(event, text) {
  tip.hidden = !text;
  if (!text) return;
  tip.textContent = text;
  const box = tip.getBoundingClientRect();
  const left = Math.min(event.clientX + 14, innerWidth - box.width - 8);
  const top = event.clientY + 20 + box.height > innerHeight ? event.clientY - box.height - 12 : event.clientY + 20;
  tip.style.left = `${Math.max(8, left)}px`;
  tip.style.top = `${top}px`;
}
const tipped = (text) => ({onmousemove: (event) => showTip(event, text), onmouseleave: () => showTip(null, '')});

const band = (x1, top1, bottom1, x2, top2, bottom2) => {
  const middle = (x1 + x2) / 2;
  return `M${x1} ${top1}C${middle} ${top1} ${middle} ${top2} ${x2} ${top2}V${bottom2}C${middle} ${bottom2} ${middle} ${bottom1} ${x1} ${bottom1}Z`;
};

// What fell out of a step: [class, count, what became of it].
const fallen = (step) => [['lost', step.rejected, 'rejected'], ['failed', step.failed, 'failed'], ['gate', step.gate, 'held out'], ['pending', step.pending || 0, 'pending']].filter(([, count]) => count);

// The passages, each stage, what was kept; a stage for kinds of which there is none is left out. In columns: the stages of
// one column are for different kinds, and a passage goes through one of them.
function flowColumns() {
  const passages = {name: 'passages', note: plural(index.documents, 'document'), in: index.rows.length, rejected: 0, failed: 0, gate: 0, pending: totals.pending, from: []};
  const steps = index.funnel.map((step, place) => {
    const last = place + 1 === index.funnel.length;
    return {...step, name: words(step.stage), last, note: last ? share(step.in, index.rows.length) : step.model ? `${step.model} model` : 'no model'};
  });
  const nodes = [passages, ...steps];
  const columns = [[passages]];
  const shown = nodes.filter((node) => node === passages || node.in || !node.kinds);
  for (const column of [...new Set(steps.map((step) => step.column))].sort((a, b) => a - b)) {
    const beside = shown.filter((node) => node !== passages && node.column === column);
    if (beside.length) columns.push(beside);
  }
  return {nodes, columns};
}

const FLOW_HEAD = 60, FLOW_FOOT = 20, FLOW_GAP = 14, FLOW_TALL = 150, FLOW_BAR = 8, FLOW_END = 100;
function flow() {
  const {nodes, columns} = flowColumns();
  const label = columns.flat().map((node) => `${node.name}: ${number(node.in)}`).join(', ');
  const least = Math.max(...columns.slice(0, -1).flat().map(labelWidth)) + FLOW_GAP;
  return drawn((width) => (pitchOf(width, columns) < least ? flowList(columns) : flowBands(nodes, columns, width)), `Flow: ${label}`);
}

const pitchOf = (width, columns) => (width - FLOW_END) / (columns.length - 1);
function labelWidth(node) {
  const pen = document.createElement('canvas').getContext('2d');
  const family = getComputedStyle(document.body).fontFamily;
  const wide = (text, font) => { pen.font = `${font} ${family}`; return pen.measureText(text).width; };
  const foot = fallen(node).reduce((sum, each) => sum + wide(lossWords(node, each).join(' '), '600 13px') + 8, 0);
  return Math.max(wide(node.name, '13px'), wide(node.note, '12.5px'), foot);
}

const lossWords = (node, [kind, count, what]) => [`− ${number(count)}`, kind === 'lost' ? share(count, node.in) : what];
const lossText = (node) => fallen(node).map((each) => {
  const [count, what] = lossWords(node, each);
  return h('span', {class: `flow-out ${each[0]}`}, `${count} `, h('span', {class: 'flow-note'}, what));
});
const kindsOf = (node) => (node.kinds ? `for ${node.kinds.map(words).join(', ')}` : null);

// A band is as high as its share; what falls out fades at the foot of its bar. Every label has a place of its own.
function flowBands(nodes, columns, width) {
  const total = index.rows.length, pitch = pitchOf(width, columns);
  const size = (count) => (count ? Math.max(1.5, (FLOW_TALL * count) / total) : 0);
  let height = 0;
  columns.forEach((column, place) => {
    let top = 0;
    for (const node of column) {
      Object.assign(node, {left: place * pitch, top: top + FLOW_HEAD, tall: Math.max(size(node.in), 2), out: 0, come: 0});
      top += FLOW_HEAD + node.tall + (fallen(node).length ? FLOW_FOOT : 0) + FLOW_GAP;
    }
    height = Math.max(height, top - FLOW_GAP);
  });
  const drawing = s('svg', {width, height, viewBox: `0 0 ${width} ${height}`});
  // A gradient takes its own element's colour, so that there is one of each kind.
  drawing.append(s('defs', {}, ['lost', 'failed', 'gate', 'pending'].map((kind) => s('linearGradient', {id: `fade-${kind}`, class: kind},
    s('stop', {offset: '0', 'stop-color': 'currentColor', 'stop-opacity': '0.5'}), s('stop', {offset: '1', 'stop-color': 'currentColor', 'stop-opacity': '0'})))));
  const labels = [];
  for (const column of columns) for (const node of column) {
    for (const [from, count] of node.from) {
      const source = nodes[from + 1], tall = size(count);
      drawing.append(s('path', {class: 'flow-band', d: band(source.left + FLOW_BAR, source.top + source.out, source.top + source.out + tall, node.left, node.top + node.come, node.top + node.come + tall), ...tipped(`${number(count)} from ${source.name} to ${node.name}`)}));
      source.out += tall;
      node.come += tall;
    }
  }
  for (const node of columns.flat()) {
    drawing.append(s('rect', {class: node.last ? 'flow-end' : 'flow-bar', x: node.left, y: node.top, width: FLOW_BAR, height: node.tall, rx: 2}));
    let foot = node.top + node.tall;
    for (const [kind, count, what] of fallen(node).reverse()) {
      const tall = size(count);
      foot -= tall;
      const told = tipped(`${number(count)} ${what} (${share(count, total)} of all)`);
      drawing.append(s('rect', {class: `flow-lost ${kind}`, x: node.left, y: foot, width: FLOW_BAR, height: tall, ...told}));
      drawing.append(s('rect', {x: node.left + FLOW_BAR, y: foot, width: Math.min(70, pitch / 2), height: tall, fill: `url(#fade-${kind})`, ...told}));
    }
    const room = node.last ? FLOW_END : pitch - FLOW_GAP / 2;
    const place = (top) => ({left: `${node.left}px`, top: `${top}px`, width: `${room}px`});
    labels.push(h('div', {class: 'flow-label', style: place(node.top - FLOW_HEAD), title: kindsOf(node) || node.name},
      h('span', {class: 'flow-name'}, node.name), h('span', {class: 'flow-count'}, number(node.in)), h('span', {class: 'flow-note'}, node.note)));
    if (fallen(node).length) labels.push(h('div', {class: 'flow-label', style: place(node.top + node.tall + 2)}, h('span', {class: 'flow-foot'}, lossText(node))));
  }
  return h('div', {class: 'flow'}, drawing, labels);
}

// The same from top to bottom, where the columns have no room beside each other.
function flowList(columns) {
  const total = index.rows.length, percent = (count) => `${(100 * count) / total}%`;
  const row = (node) => h('li', {},
    h('div', {class: 'flow-line'}, h('span', {class: 'flow-name'}, node.name, ' ', h('span', {class: 'flow-note'}, node.note)), h('span', {class: 'flow-count'}, number(node.in))),
    h('div', {class: 'flow-meter'}, h('i', {class: node.last ? 'flow-end' : 'flow-bar', style: {width: percent(node.in - fallen(node).reduce((sum, [, count]) => sum + count, 0))}}),
      fallen(node).map(([kind, count]) => h('i', {class: `flow-lost ${kind}`, style: {width: percent(count)}}))),
    fallen(node).length > 0 && h('div', {class: 'flow-foot'}, lossText(node)));
  return h('ol', {class: 'flow-list'}, columns.map((column) => (column.length === 1 ? row(column[0])
    : h('li', {class: 'flow-beside'}, h('p', {class: 'flow-note'}, 'a passage goes through one of these, by its kind:'), h('ol', {}, column.map(row))))));
}

function histogram(lengths, color) {
  const {counts, width: step, median, p95} = lengths;
  const label = `${lengths.name}: median ${median}, 95th percentile ${p95}, longest ${lengths.max} ${lengths.unit}`;
  return drawn((width) => {
    const height = 120, floor = height - 20, most = Math.max(...counts), cell = width / counts.length;
    const drawing = s('svg', {width, height, viewBox: `0 0 ${width} ${height}`, style: {'--bar': color}});
    counts.forEach((count, bin) => {
      const tall = count ? Math.max(1.5, ((floor - 16) * count) / most) : 0;
      const last = bin + 1 === counts.length && lengths.cut;
      const range = last ? `${number(bin * step)} and more` : `${number(bin * step)} to ${number((bin + 1) * step - 1)}`;
      drawing.append(s('rect', {class: 'bin', x: bin * cell, y: floor - tall, width: Math.max(cell - 1, 0.5), height: tall, rx: Math.min(1.5, cell / 4)}));
      drawing.append(s('rect', {class: 'bin-hover', x: bin * cell, y: 0, width: cell, height: floor, ...tipped(`${range} ${lengths.unit}: ${number(count)}`)}));
    });
    drawing.append(s('line', {class: 'axis', x1: 0, x2: width, y1: floor + 0.5, y2: floor + 0.5}));
    const at = Math.min(width, (median / step) * cell);
    drawing.append(s('line', {class: 'median', x1: at, x2: at, y1: 12, y2: floor}));
    drawing.append(s('text', {class: 'median-name', x: at + (at > width - 80 ? -4 : 4), y: 10, 'text-anchor': at > width - 80 ? 'end' : 'start'}, `median ${number(median)}`));
    drawing.append(s('text', {class: 'tick', x: 0, y: height - 4}, '0'));
    drawing.append(s('text', {class: 'tick', x: width, y: height - 4, 'text-anchor': 'end'}, `${number(counts.length * step)}${lengths.cut ? ' +' : ''}`));
    return drawing;
  }, label);
}

// One cell for a passage, or for as many as fit; a cell of several is stacked. Arrows move a cursor, Enter opens.
const STRIP_CELLS = 400;
function strip(file, open) {
  const rows = [...rowsOfFile(file)];
  const per = Math.ceil(rows.length / STRIP_CELLS) || 1;
  const cells = Math.ceil(rows.length / per);
  const gap = cells <= 150 ? 0.12 : 0;
  const drawing = s('svg', {viewBox: `0 0 ${Math.max(cells, 24)} 10`, preserveAspectRatio: 'none', class: gap ? 'strip' : 'strip dense', 'aria-hidden': 'true'});
  const paths = new Map();
  for (let cell = 0; cell < cells; cell++) {
    const inside = new Map();
    const end = Math.min(rows.length, (cell + 1) * per);
    for (let place = cell * per; place < end; place++) inside.set(rowClass[rows[place]], (inside.get(rowClass[rows[place]]) || 0) + 1);
    let y = 10;
    for (const id of [...inside.keys()].sort((a, b) => STATUSES.indexOf(classes[a].status) - STATUSES.indexOf(classes[b].status) || a - b)) {
      const tall = (10 * inside.get(id)) / (end - cell * per);
      y -= tall;
      paths.set(id, `${paths.get(id) || ''}M${cell + gap / 2} ${y.toFixed(3)}h${1 - gap}v${tall.toFixed(3)}h${gap - 1}z`);
    }
  }
  for (const [id, d] of paths) drawing.append(s('path', {d, style: {fill: classes[id].color}}));
  const cursor = s('rect', {class: 'cursor', y: 0, height: 10, width: 1, x: 0, visibility: 'hidden'});
  drawing.append(cursor);
  const say = (cell) => {
    const first = cell * per, last = Math.min(rows.length, first + per) - 1, one = classes[rowClass[rows[first]]];
    if (per === 1) return `passage ${number(first + 1)}: ${one.status === 'rejected' ? `rejected, ${reasonAt(one)}` : one.status}`;
    const kept = rows.slice(first, last + 1).filter((row) => classes[rowClass[row]].status === 'kept').length;
    return `passages ${number(first + 1)} to ${number(last + 1)}: ${number(kept)} kept`;
  };
  const cellAt = (event) => {
    const box = drawing.getBoundingClientRect();
    return Math.floor(((event.clientX - box.left) / box.width) * Math.max(cells, 24));
  };
  let at = -1;
  const box = h('div', {class: 'strip-box', tabindex: 0, role: 'slider', 'aria-label': `Passages of ${file.name}`, 'aria-valuemin': 1, 'aria-valuemax': cells, 'aria-valuenow': 1,
    onmousemove: (event) => { const cell = cellAt(event); showTip(event, cell < cells && cell >= 0 ? say(cell) : ''); },
    onmouseleave: () => showTip(null, ''),
    onclick: (event) => { const cell = cellAt(event); if (cell < cells && cell >= 0) open(rows[cell * per]); },
    onkeydown: (event) => {
      const step = {ArrowRight: 1, ArrowLeft: -1, Home: -cells, End: cells}[event.key];
      if (step) {
        at = Math.max(0, Math.min(cells - 1, at + step));
        cursor.setAttribute('x', at);
        cursor.setAttribute('visibility', 'visible');
        box.setAttribute('aria-valuenow', at + 1);
        box.setAttribute('aria-valuetext', say(at));
        const frame = drawing.getBoundingClientRect();
        showTip({clientX: frame.left + (frame.width * at) / Math.max(cells, 24), clientY: frame.top + 8}, say(at));
        event.preventDefault();
      } else if (event.key === 'Enter' && at >= 0) open(rows[at * per]);
    },
    onblur: () => { cursor.setAttribute('visibility', 'hidden'); showTip(null, ''); }}, drawing);
  return box;
}
