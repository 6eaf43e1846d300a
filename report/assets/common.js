// What the pages of runs, of sweeps and the live page have in common: figures as text, tables, plots, the picture
// of the topology. What came from a run is put on the page as text only.
//
// sluiceParts(page, name of the run): all of it, for that element.
'use strict';

const sluiceParts = (page, runName) => {

const dark = matchMedia('(prefers-color-scheme: dark)');
const narrow = () => page.clientWidth < 640;

// -- small things -----------------------------------------------------------------------------------

// Steps of an axis of bytes.
const powers = Array.from({length: 45}, (_, i) => 2 ** i);

// Likewise of counts.
const whole = Array.from({length: 16}, (_, i) => [1, 2, 5].map(n => n * 10 ** i)).flat();

/** An element: attributes (a function is a listener), then children: elements or text. */
function el(name, attributes, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {}))
    if (typeof value === 'function') node.addEventListener(key, value);
    else if (value === true) node.setAttribute(key, '');
    else if (value !== false && value != null) node.setAttribute(key, value);
  for (const child of children.flat())
    if (child != null && child !== false)
      node.append(child instanceof Node ? child : String(child));
  return node;
}

const number = x => typeof x === 'number' && isFinite(x) ? x : 0;
const list = x => Array.isArray(x) ? x : [];
const object = x => x && typeof x === 'object' && !Array.isArray(x) ? x : {};
const count = n => number(n).toLocaleString('en-US');
const digits = x => x >= 100 ? x.toFixed(0) : x >= 10 ? x.toFixed(1) : x.toFixed(2);

function scaled(value, units, step) {
  let i = 0, v = Math.abs(value);
  while (v >= step && i + 1 < units.length) { v /= step; ++i; }
  return `${value < 0 ? '-' : ''}${i === 0 && Number.isInteger(v) ? v : digits(v)} ${units[i]}`;
}
const rate = bps => scaled(number(bps), ['bit/s', 'kbit/s', 'Mbit/s', 'Gbit/s', 'Tbit/s'], 1000);
const bytes = n => scaled(number(n), ['B', 'KiB', 'MiB', 'GiB', 'TiB'], 1024);
const duration = s => {
  s = number(s);
  if (s === 0) return '0 s';
  const ns = s * 1e9;
  if (ns < 1e3) return `${digits(ns)} ns`;
  if (ns < 1e6) return `${digits(ns / 1e3)} us`;
  if (ns < 1e9) return `${digits(ns / 1e6)} ms`;
  return `${digits(s)} s`;
};
/** A share that is not everything is never 100%. */
const share = x => {
  x = number(x) * 100;
  if (x > 0 && x < 0.1) return '<0.1%';
  if (x < 100 && x > 99.9) return '>99.9%';
  return `${Number.isInteger(x) ? x : x.toFixed(1)}%`;
};
const part = (n, of) => of > 0 ? share(n / of) : '-';

/** In the unit in which it was expected. */
function measured(value, e) {
  if (typeof value !== 'number') return value;
  const text = String(e.text);
  if (/\d\s*(ps|ns|us|ms|s|min)\s*$/.test(text)) return duration(value);
  if (/%\s*$/.test(text)) return share(value);
  if (/\dk?\s*([KMG]i?)?B\s*$/.test(text)) return bytes(value);
  if (/bit\s*$/.test(text)) return rate(value);
  return Number.isInteger(value) ? count(value) : Number(value.toPrecision(6));
}

function save(name, text, type) {
  const link = el('a', {href: URL.createObjectURL(new Blob([text], {type})), download: name});
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}
/** A field that a spreadsheet would take for a formula is none. */
const field = x => {
  let text = x == null ? '' : String(x);
  if (typeof x === 'string' && /^[=+\-@\t\r]/.test(text)) text = `'${text}`;
  return /[",\n\r]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
};
const csv = rows => rows.map(r => r.map(field).join(',')).join('\n') + '\n';
const file = name => `${String(runName).replace(/[^A-Za-z0-9._-]+/g, '-')}-${name}.csv`;
const csvButton = (name, rows) => el('button', {
  type: 'button', title: `Save as ${file(name)}`, 'data-csv': name,
  click: () => save(file(name), csv(rows()), 'text/csv')}, 'CSV');

const contents = [];
function section(id, title, ...parts) {
  const [note, ...buttons] = parts;
  const node = el('section', {id},
    el('div', {class: 'head'}, el('h2', {}, title), note && el('span', {class: 'soft small'}, note),
      el('span', {class: 'push'}), buttons));
  contents.push([id, title]);
  page.append(node);
  return node;
}

// -- tables -----------------------------------------------------------------------------------------

/** columns: {name, of: row -> value, show: value -> text, left, wrap, mark: row -> class}; a value that
    is an element stays one. The function that it returns takes other rows; only cells that have
    changed are drawn again. */
function table(into, id, columns, rows, options = {}) {
  const size = options.size || 20;
  let first = 0, sorted = null, down = true, wanted = '';
  const body = el('tbody');
  const head = el('tr', {}, columns.map((c, i) => el('th', {class: c.left ? 'left' : ''},
    el('button', {type: 'button', class: 'sort', title: 'Sort', click: () => {
      down = sorted === i ? !down : !c.left;
      sorted = i;
      head.childNodes.forEach((th, k) => k === i
        ? th.setAttribute('aria-sort', down ? 'descending' : 'ascending') : th.removeAttribute('aria-sort'));
      draw(true);
    }}, c.name))));
  const search = rows.length > size && el('input', {
    type: 'search', placeholder: `Filter ${count(rows.length)} rows`, 'aria-label': 'Filter',
    input: () => { wanted = search.value.toLowerCase(); draw(true); }});
  const back = el('button', {type: 'button', click: () => { first = Math.max(0, first - size); draw(); }}, 'Back');
  const next = el('button', {type: 'button', click: () => { first += size; draw(); }}, 'Next');
  const place = el('span');
  const pager = el('div', {class: 'pager', hidden: true}, back, place, next);
  const shownRows = () => {
    const found = wanted === '' ? rows : rows.filter(r => columns.some(c => c.left
      && String(c.of(r) ?? '').toLowerCase().includes(wanted)));
    if (sorted == null) return found;
    const of = columns[sorted].of, way = down ? -1 : 1;
    return [...found].sort((a, b) => {
      const x = of(a), y = of(b);
      return way * (typeof x === 'number' && typeof y === 'number'
        ? x - y : String(x ?? '').localeCompare(String(y ?? '')));
    });
  };
  const set = (node, key, value) => { if (node[key] !== value) node[key] = value; };
  function draw(again) {
    if (again) first = 0;
    const all = shownRows();
    first = Math.min(first, Math.max(0, Math.ceil(all.length / size) - 1) * size);
    const page = all.slice(first, first + size);
    while (body.rows.length > page.length) body.deleteRow(-1);
    while (body.rows.length < page.length) body.append(el('tr', {}, columns.map(() => el('td'))));
    page.forEach((r, i) => columns.forEach((c, k) => {
      const cell = body.rows[i].cells[k], value = c.of(r);
      const shown = value == null ? '-' : c.show ? c.show(value, r) : value;
      set(cell, 'className', [c.left && 'left', c.wrap && 'wrap', c.mark && c.mark(r)].filter(Boolean).join(' '));
      if (!(shown instanceof Node)) set(cell, 'textContent', String(shown));
      else if (cell.firstChild !== shown) cell.replaceChildren(shown);
    }));
    set(pager, 'hidden', all.length <= size);
    set(back, 'disabled', first === 0);
    set(next, 'disabled', first + size >= all.length);
    set(place, 'textContent', `${count(first + 1)} to ${count(Math.min(first + size, all.length))} of ${count(all.length)}`);
  }
  const tools = into.querySelector('.head');
  if (search) tools.append(search);
  if (!options.plain)
    tools.append(csvButton(id, () => [columns.map(c => c.csv || c.name),
      ...rows.map(r => columns.map(c => c.of(r)))]));
  into.append(el('div', {class: 'scroll'},
    el('table', {class: 'rows', id: `table-${id}`}, el('thead', {}, head), body)), pager);
  draw();
  return others => { rows = others; draw(); };
}

// -- plots ------------------------------------------------------------------------------------------

const palettes = {
  light: ['#2563c9', '#c8651b', '#1f8a5b', '#a8328c', '#7a5bd0', '#0e8a9c', '#b3261e', '#6b7a1c'],
  dark: ['#7eb0ff', '#f0a05c', '#62cf98', '#ea86cf', '#b8a0ff', '#56c8da', '#ff8d83', '#c3d05a']};
const colour = i => palettes[dark.matches ? 'dark' : 'light'][i % 8];
const style = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const drawn = [];  // to be drawn again when the width or the colours change
let drawnWidth = 0;
function redraw() {
  drawnWidth = page.clientWidth;
  for (const draw of drawn) draw();
}
dark.addEventListener('change', redraw);
addEventListener('resize', () => { if (page.clientWidth !== drawnWidth) redraw(); });

/** Up to eight lines over time (or something else); with a line of figures under the cursor.
    lines: {name, values, dash, colour}. The same lines with other values are drawn into the same plot. */
function plot(holder, readout, x, lines, o) {
  const width = Math.max(240, holder.clientWidth);
  const like = [width, dark.matches, narrow(), ...lines.map(l => `${l.name}${l.dash ? 1 : 0}`)].join('|');
  const data = [x, ...lines.map(l => l.values)];
  const old = holder.plotted;
  if (old && old.like === like) {
    old.x = x, old.lines = lines;
    old.u.setData(data);
    old.tell(old.u);
    return;
  }
  if (old) old.u.destroy();
  holder.replaceChildren();
  const made = holder.plotted = {like, x, lines};
  const axis = {stroke: style('--soft'), grid: {stroke: style('--line'), width: 1},
    ticks: {stroke: style('--line'), width: 1, size: 4}, font: '11px system-ui, sans-serif'};
  // On an axis 2.00 ms is 2 ms.
  const short = text => text.replace(/(\.\d*?)0+(?=\D|$)/, '$1').replace(/\.(?=\D|$)/, '');
  const showX = o.showX || duration, mark = v => o.marks ? showX(v) : short(showX(v));
  const scaleX = {time: false, distr: o.log ? 3 : 1};
  if (o.log) scaleX.range = (u, low, high) => [low * 0.92, Math.max(high, low * 1.5) * 1.08];
  else if (o.words) scaleX.range = () => [-0.3, Math.max(1, x.length - 1) + 0.3];
  // Where few values were chosen, the marks stand at them; those that would touch are left out.
  const chosen = {splits: () => x, grid: axis.grid, ticks: axis.ticks, filter: (u, marks) => {
    let end = -Infinity;
    return marks.map(v => {
      const half = 3.4 * mark(v).length + 5, at = u.valToPos(v, 'x');
      if (at - half < end) return null;
      end = at + half;
      return v;
    });
  }};
  // A few decades have marks at their powers of 10, less also at 2 and 5.
  const wide = o.log && x[x.length - 1] > 300 * x[0];
  const powersOf10 = (u, marks) => marks.map(v => {
    const digit = Math.round(v / Math.pow(10, Math.floor(Math.log10(v) + 1e-9)));
    return digit === 1 || x[x.length - 1] < 8 * x[0] || !wide && (digit === 2 || digit === 5) ? v : null;
  });
  made.tell = u => {
    const i = u && u.cursor.idx, {x, lines} = made;
    const at = i != null && i < x.length;
    readout.replaceChildren(...(at ? [el('span', {class: 'key'}, el('b', {}, showX(x[i])))] : []),
      ...lines.map((l, k) => el('span', {class: 'key'},
        el('i', {style: `background:${l.colour || colour(k)}`}),
        l.name, at && l.values[i] != null ? el('b', {}, o.show(l.values[i])) : null)));
  };
  made.u = new uPlot({
    width, height: narrow() ? 210 : 250, padding: [10, 30, 0, 0], cursor: {y: false, points: {size: 6}},
    legend: {show: false},
    scales: {x: scaleX,
      y: {range: (u, low, high) => [0, high > 0 ? high * 1.06 : 1]}},
    axes: [
      {...axis, space: 70, size: 30, values: (u, marks) => marks.map(v => v == null ? '' : mark(v)),
        ...(o.marks ? chosen : o.log ? {filter: powersOf10, grid: {...axis.grid, filter: powersOf10},
          ticks: {...axis.ticks, filter: powersOf10}} : {})},
      {...axis, size: narrow() ? 72 : 84, values: (u, marks) => marks.map(v => short(o.show(v))),
        ...(o.incrs ? {incrs: o.incrs} : {})}],
    series: [{}, ...lines.map((l, k) => ({
      label: l.name, stroke: l.colour || colour(k), width: l.dash ? 1.2 : 1.8, dash: l.dash,
      points: o.points ? {show: true, size: 7, fill: l.colour || colour(k)} : {show: false}, spanGaps: false,
      paths: o.steps && !l.dash ? uPlot.paths.stepped({align: -1}) : undefined}))],
    hooks: {setCursor: [made.tell]},
  }, data, holder);
  made.tell(null);
}

/** A plot of a few of many: names, the first some chosen, others by a picker with a filter.
    items: {name, lines: () => [line]}, best first. The function that it returns takes another x and, as
    long as nobody has chosen, other items to begin with. */
function pickedPlot(into, id, x, items, o) {
  const most = 8, usual = o.chosen || 5;
  let chosen = items.slice(0, usual), byHand = false;
  const holder = el('div', {class: 'plot', id: `plot-${id}`}), readout = el('div', {class: 'readout'});
  const lines = () => chosen.flatMap(item => item.lines());
  const draw = () => plot(holder, readout, x, lines(), o);
  into.querySelector('.head').append(csvButton(id, () => {
    const all = lines();
    return [[o.xName || 'seconds', ...all.map(l => l.name)],
      ...x.map((t, i) => [t, ...all.map(l => l.values[i] ?? '')])];
  }));
  into.append(readout, holder);
  if (items.length > 1) {
    const choices = el('div', {class: 'choices'});
    const search = el('input', {type: 'search', placeholder: `Filter ${count(items.length)}`,
      'aria-label': 'Filter', input: () => offer()});
    const more = el('span', {class: 'soft small'});
    const offer = () => {
      const wanted = search.value.toLowerCase();
      const all = items.filter(i => i.name.toLowerCase().includes(wanted));
      more.textContent = all.length > 100 ? ` ${count(all.length - 100)} more: filter` : '';
      choices.replaceChildren(...all.slice(0, 100).map(item => {
        const box = el('input', {type: o.one ? 'radio' : 'checkbox', name: `choose-${id}`, change: () => {
          byHand = true;
          if (o.one) chosen = [item];
          else if (!box.checked) chosen = chosen.filter(c => c !== item);
          else if (chosen.length < most) chosen = [...chosen, item];
          else { box.checked = false; more.textContent = ` at most ${most} at once`; return; }
          draw();
        }});
        box.checked = chosen.includes(item);
        return el('label', {title: item.name}, box, el('span', {}, item.name));
      }));
    };
    const picker = el('details', {class: 'picker', toggle: () => offer()},
      el('summary', {}, `Choose what is shown (${count(items.length)})`),
      el('div', {}, search, more, choices));
    into.append(picker);
  }
  drawn.push(draw);
  draw();
  return (otherX, best) => {
    x = otherX;
    if (best && !byHand) chosen = best.slice(0, usual);
    draw();
  };
}

/** A row for each hop and priority: how much of each interval its sender was held.
    rows: {name, holds, shares: () => [share of each interval], sum: () => seconds}; span: () =>
    {from, times}: when the first interval begins and each ends. The function that it returns draws
    again, with other rows if there are some. */
function bandPlot(into, rows, span) {
  const size = 16;
  let first = 0, wanted = '', made = [], madeOf = '';
  const readout = el('div', {class: 'readout'}), grid = el('div', {class: 'bands'});
  const back = el('button', {type: 'button', click: () => { first -= size; draw(); }}, 'Back');
  const next = el('button', {type: 'button', click: () => { first += size; draw(); }}, 'Next');
  const place = el('span'), pager = el('div', {class: 'pager'}, back, place, next);
  const low = el('span'), high = el('span');
  const build = shown => {
    made = shown.map(row => {
      const canvas = el('canvas', {mousemove: e => {
        const {from, times} = span(), t = from + e.offsetX / canvas.clientWidth * (last(times) - from);
        const i = times.findIndex(x => x >= t);
        if (i >= 0) readout.replaceChildren(el('b', {}, `${row.name} `), `holds ${row.holds}; at ${duration(times[i])}: `,
          el('b', {}, share(Math.min(1, row.shares()[i]))), ' of the interval');
      }, mouseleave: () => readout.replaceChildren()});
      return {row, canvas, sum: el('span', {class: 'sum'}),
        label: el('span', {class: 'label', title: `${row.name} holds ${row.holds}`}, row.name)};
    });
    grid.replaceChildren(...made.flatMap(m => narrow() ? [m.label, m.sum, m.canvas] : [m.label, m.canvas, m.sum]),
      el('div', {class: 'axis'}, low, high));
  };
  function draw() {
    const all = wanted === '' ? rows : rows.filter(r => r.name.toLowerCase().includes(wanted));
    first = Math.min(first, Math.max(0, Math.ceil(all.length / size) - 1) * size);
    const shown = all.slice(first, first + size);
    const like = [narrow(), ...shown.map(r => r.name)].join('|');
    if (like !== madeOf) build(shown);
    madeOf = like;
    const {from, times} = span(), end = last(times), fill = style('--band');
    low.textContent = duration(from);
    high.textContent = duration(end);
    made.forEach((m, k) => {
      m.row = shown[k];
      m.sum.textContent = duration(m.row.sum());
      const width = m.canvas.width = Math.max(1, Math.round(m.canvas.clientWidth * devicePixelRatio));
      m.canvas.height = 16;
      const paint = m.canvas.getContext('2d'), x = t => Math.floor((t - from) / (end - from) * width);
      paint.fillStyle = fill;
      m.row.shares().forEach((s, i) => {
        if (s <= 0) return;
        const x0 = x(i ? times[i - 1] : from);
        paint.globalAlpha = 0.2 + 0.8 * Math.min(1, s);
        paint.fillRect(x0, 0, Math.max(1, x(times[i]) - x0), 16);
      });
    });
    pager.hidden = all.length <= size;
    back.disabled = first === 0;
    next.disabled = first + size >= all.length;
    place.textContent = `${count(first + 1)} to ${count(Math.min(first + size, all.length))} of ${count(all.length)}`;
  }
  if (rows.length > size)
    into.querySelector('.head').append(el('input', {type: 'search', placeholder: `Filter ${count(rows.length)} rows`,
      'aria-label': 'Filter', input: e => { wanted = e.target.value.toLowerCase(); first = 0; draw(); }}));
  into.append(readout, grid, pager);
  drawn.push(draw);
  draw();
  return others => { if (others) rows = others; draw(); };
}

// -- the topology -----------------------------------------------------------------------------------

const space = 'http://www.w3.org/2000/svg';
function svgNode(name, attributes, text) {
  const node = document.createElementNS(space, name);
  for (const [k, v] of Object.entries(attributes)) node.setAttribute(k, v);
  if (text != null) node.textContent = text;
  return node;
}
/** A figure on the picture, in a box of its own colour. */
function badge(x, y, text, fill) {
  const w = text.length * 6.4 + 10;
  const group = svgNode('g', {});
  group.append(svgNode('rect', {x: x - w / 2, y: y - 11, width: w, height: 15, rx: 7, fill}),
    svgNode('text', {x, y, 'text-anchor': 'middle', style: 'fill:#fff;font-size:11px;font-weight:600'}, text));
  return group;
}

/** The picture of `sluice graph`, put into `holder`; nothing if it is none. What one draws on it:
    nodes: [{name, above(text), below(text)}], links: [{a, b, rate, path, note(text)}]. */
function topologyPicture(text, links) {
  const parsed = new DOMParser().parseFromString(text, 'image/svg+xml').documentElement;
  if (parsed.nodeName !== 'svg') return null;
  const svg = document.importNode(parsed, true);
  const ground = svg.querySelector('.bg');
  if (ground) ground.style.fill = 'none';
  svg.style.maxWidth = svg.getAttribute('width') > 3000 ? 'none' : '100%';
  svg.style.height = 'auto';
  const rates = {};
  for (const l of list(links)) rates[`${l.a} ${l.b}`] = number(l.rate_bps);
  const holder = el('div', {class: 'picture', tabindex: '0', role: 'img', 'aria-label': 'The topology; its figures are in the tables below'});
  // A root of its own: neither the picture's style nor the page's is meant for the other.
  holder.attachShadow({mode: 'open'}).append(svg);
  const spot = (x, y, fill) => {
    let shown = '', node = null;
    return text => {
      text = text || '';
      if (text === shown) return;
      shown = text;
      if (node) node.remove();
      node = text ? badge(x, y, text, fill) : null;
      if (node) svg.append(node);
    };
  };
  const nodes = [...svg.querySelectorAll('[data-node]')].flatMap(node => {
    const box = node.querySelector('rect');
    if (!box) return [];
    const of = key => Number(box.getAttribute(key)), x = of('x') + of('width') / 2;
    return [{name: node.getAttribute('data-node'), above: spot(x, of('y') - 6, '#a85a10'),
      below: spot(x, of('y') + of('height') + 13, '#b3261e')}];
  });
  const lines = [...svg.querySelectorAll('[data-a]')].map(path => {
    const a = path.getAttribute('data-a'), b = path.getAttribute('data-b'), title = path.querySelector('title');
    const said = title ? title.textContent : '';
    return {a, b, path, rate: rates[`${a} ${b}`] || rates[`${b} ${a}`] || 0,
      note: text => { if (title && title.textContent !== said + text) title.textContent = said + text; }};
  });
  return {holder, svg, nodes, links: lines};
}
/** What a link carried of what it can, from bytes and frames in a time: a frame takes 24 bytes more of
    the line (preamble, FCS and gap), as the model has it. */
const lineUse = (bytes, frames, bps, seconds) =>
  bps > 0 && seconds > 0 ? 8 * (number(bytes) + 24 * number(frames)) / bps / seconds : 0;

/** The node that a component belongs to, by its name. */
const nodeOf = name => String(name).split(/[/.:]/)[0];

/** From cumulative values to what came since the sample before, for each second. */
function perSecond(times, values, factor) {
  return values.map((v, i) => {
    const t = times[i] - (i ? times[i - 1] : 0);
    return t > 0 ? factor * (number(v) - (i ? number(values[i - 1]) : 0)) / t : 0;
  });
}
const last = values => list(values).length ? number(values[values.length - 1]) : 0;
const largest = values => list(values).reduce((a, b) => Math.max(a, number(b)), 0);

return {dark, narrow, powers, whole, el, number, list, object, count, digits, rate, bytes, duration, share, part, measured, save, csv, file,
  csvButton, contents, section, table, colour, style, drawn, redraw, plot, pickedPlot, bandPlot, svgNode, badge,
  topologyPicture, lineUse, nodeOf, perSecond, last, largest};
};
