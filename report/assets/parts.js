// What the pages of runs are drawn with: elements, units, tables, plots. What came from a run is put on
// the page as text only. Nothing needs anything outside of the page.
const data = JSON.parse(document.getElementById('data').textContent);
const page = document.getElementById('page');
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
const file = name => `${document.title.replace(/ - Sluice$/, '').replace(/[^A-Za-z0-9._-]+/g, '-')}-${name}.csv`;
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

/** columns: {name, of: row -> value, show: value -> text, left, wrap, mark: row -> class}. */
function table(into, id, columns, rows, options = {}) {
  const size = options.size || 20;
  let shown = rows, first = 0, sorted = null, down = true;
  const body = el('tbody'), pager = el('div', {class: 'pager'});
  const head = el('tr', {}, columns.map((c, i) => el('th', {
    class: c.left ? 'left' : '', title: 'Sort', click: () => {
      down = sorted === i ? !down : !c.left;
      sorted = i;
      draw(true);
    }}, c.name)));
  const search = rows.length > size && el('input', {
    type: 'search', placeholder: `Filter ${count(rows.length)} rows`, 'aria-label': 'Filter',
    input: () => {
      const wanted = search.value.toLowerCase();
      shown = rows.filter(r => columns.some(c => c.left
        && String(c.of(r) ?? '').toLowerCase().includes(wanted)));
      draw(true);
    }});
  function draw(again) {
    if (again) first = 0;
    let all = shown;
    if (sorted != null) {
      const of = columns[sorted].of, way = down ? -1 : 1;
      all = [...shown].sort((a, b) => {
        const x = of(a), y = of(b);
        return way * (typeof x === 'number' && typeof y === 'number'
          ? x - y : String(x ?? '').localeCompare(String(y ?? '')));
      });
    }
    body.replaceChildren(...all.slice(first, first + size).map(r => el('tr', {}, columns.map(c => {
      const value = c.of(r);
      return el('td', {class: [c.left && 'left', c.wrap && 'wrap', c.mark && c.mark(r)]
        .filter(Boolean).join(' ')}, value == null ? '-' : c.show ? c.show(value, r) : value);
    }))));
    pager.replaceChildren();
    if (all.length > size)
      pager.append(
        el('button', {type: 'button', disabled: first === 0,
          click: () => { first = Math.max(0, first - size); draw(); }}, 'Back'),
        `${count(first + 1)} to ${count(Math.min(first + size, all.length))} of ${count(all.length)}`,
        el('button', {type: 'button', disabled: first + size >= all.length,
          click: () => { first += size; draw(); }}, 'Next'));
  }
  const tools = into.querySelector('.head');
  if (search) tools.append(search);
  tools.append(csvButton(id, () => [columns.map(c => c.csv || c.name),
    ...rows.map(r => columns.map(c => c.of(r)))]));
  into.append(el('div', {class: 'scroll'},
    el('table', {class: 'rows', id: `table-${id}`}, el('thead', {}, head), body)), pager);
  draw();
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
    lines: {name, values, dash, colour}. */
function plot(holder, readout, x, lines, o) {
  holder.replaceChildren();
  const width = Math.max(240, holder.clientWidth);
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
  const tell = u => {
    const i = u && u.cursor.idx;
    readout.replaceChildren(...(i != null ? [el('span', {class: 'key'}, el('b', {}, showX(x[i])))] : []),
      ...lines.map((l, k) => el('span', {class: 'key'},
        el('i', {style: `background:${l.colour || colour(k)}`}),
        l.name, i != null && l.values[i] != null ? el('b', {}, o.show(l.values[i])) : null)));
  };
  new uPlot({
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
    hooks: {setCursor: [tell]},
  }, [x, ...lines.map(l => l.values)], holder);
  tell(null);
}

/** A plot of a few of many: names, the first some chosen, others by a picker with a filter.
    items: {name, lines: () => [line]}, best first. */
function pickedPlot(into, id, x, items, o) {
  const most = 8;
  let chosen = items.slice(0, o.chosen || 5);
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
}
