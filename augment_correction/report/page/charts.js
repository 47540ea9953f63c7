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

const band = (x1, top1, bottom1, x2, top2, bottom2) => {
  const middle = (x1 + x2) / 2;
  return `M${x1} ${top1}C${middle} ${top1} ${middle} ${top2} ${x2} ${top2}V${bottom2}C${middle} ${bottom2} ${middle} ${bottom1} ${x1} ${bottom1}Z`;
};

// Columns: what was cut, each stage, what was kept. A band is as high as its share; what falls out leaves downward.
function flow() {
  const total = index.rows.length;
  const columns = [{name: 'passages', note: plural(index.documents, 'document'), count: total, lost: totals.pending, lostName: 'pending'}];
  for (const step of index.funnel) {
    const lost = step.rejected + step.failed + step.gate;
    if (step.does === 'compose' && !lost) continue;
    columns.push({name: words(step.stage), note: step.model ? `${step.model} model` : 'no model', count: step.in, lost, stage: step.stage});
  }
  columns.push({name: 'kept', note: share(totals.kept, total), count: totals.kept, lost: 0});
  const label = columns.map((column) => `${column.name}: ${number(column.count)}`).join(', ');
  return drawn((given) => {
    const width = Math.max(given, columns.length * 150), top = 58, tall = 128, height = 254, bar = 8;
    const x = (column) => 2 + (column * (width - 120)) / (columns.length - 1);
    const size = (count) => (count ? Math.max(2, (tall * count) / total) : 0);
    const drawing = s('svg', {width, height, viewBox: `0 0 ${width} ${height}`});
    columns.forEach((column, place) => {
      const here = size(column.count), through = size(column.count - column.lost), left = x(place);
      if (place + 1 < columns.length) drawing.append(s('path', {class: 'flow-band', d: band(left + bar, top, top + through, x(place + 1), top, top + size(columns[place + 1].count))}));
      if (column.lost) {
        const lost = size(column.lost), middle = top + here - lost / 2, turn = 14 + lost / 2, end = left + bar + 10 + turn;
        const path = `M${left + bar} ${middle}h10a${turn} ${turn} 0 0 1 ${turn} ${turn}V${height - 34}`;
        drawing.append(s('path', {class: column.lostName ? 'flow-pending' : 'flow-lost', d: path, 'stroke-width': lost, ...tipped(`${number(column.lost)} ${column.lostName || 'fell out here'} (${share(column.lost, total)})`)}));
        drawing.append(s('text', {class: 'flow-out', x: end, y: height - 16, 'text-anchor': 'middle'}, `− ${number(column.lost)}`));
        drawing.append(s('text', {class: 'flow-note', x: end, y: height - 2, 'text-anchor': 'middle'}, column.lostName || share(column.lost, column.count)));
      }
      const last = place + 1 === columns.length;
      drawing.append(s('rect', {class: last ? 'flow-end' : 'flow-bar', x: left, y: top, width: bar, height: Math.max(here, 2), rx: 2}));
      drawing.append(s('text', {class: 'flow-name', x: left, y: 14}, column.name));
      drawing.append(s('text', {class: 'flow-count', x: left, y: 34}, number(column.count)));
      drawing.append(s('text', {class: 'flow-note', x: left, y: 50}, column.note));
    });
    return drawing;
  }, `Flow: ${label}`);
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
    if (per === 1) return `passage ${number(first + 1)}: ${one.status === 'rejected' ? `rejected, ${reasonName(one)} (${words(one.stage)})` : one.status}`;
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
