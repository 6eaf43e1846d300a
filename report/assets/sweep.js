// A grid of runs draws itself: plots over the values of one key, with a line for each combination of
// the others; which expectations held where; all points as a table.
(() => {
'use strict';

const data = JSON.parse(document.getElementById('data').textContent);
const page = document.getElementById('page');
const {whole, el, number, list, object, count, rate, bytes, duration, share, measured, save, csv, file, csvButton, contents,
  section, table, colour, drawn, redraw, plot} = sluiceParts(page, `${data.scenario}, sweep`);

const keys = list(data.keys), points = list(data.points).filter(p => Array.isArray(p.values));
const whole_points = points.filter(p => p.fingerprint && p.verdict !== 'interrupted');
const label = p => keys.map((k, i) => `${k.path}=${p.values[i]}`).join(', ');
const bad = p => p.verdict !== 'ok';
const notMet = p => list(p.expect).filter(e => !e.ok);
const why = p => p.error || notMet(p).map(e => e.measured == null ? e.text
  : `${e.text} (measured ${measured(e.measured, e)})`).join('\n');

function headline() {
  const failed = points.filter(p => p.verdict === 'failed').length;
  const broken = points.filter(p => ['error', 'violated'].includes(p.verdict)).length;
  const [word, good] = broken || failed ? ['FAILED', false] : data.interrupted ? ['INTERRUPTED', false] : ['OK', true];
  const without = !points.some(p => list(p.expect).length);
  page.append(el('header', {class: 'top'},
    el('span', {class: `verdict ${good ? 'good' : 'bad'}`, id: 'verdict'}, word),
    el('h1', {}, data.scenario)),
    el('p', {class: 'soft', id: 'held'}, [
      `${count(points.length)} of ${count(data.grid)} points run`,
      without ? 'no expectations' : failed === 0 ? 'all expectations held'
        : `expectations did not hold at ${count(failed)}`,
      broken && `${count(broken)} went wrong`].filter(Boolean).join('; ')));
  for (const p of points.filter(p => p.error).slice(0, 20))
    page.append(el('div', {class: 'callout'}, el('b', {}, label(p)), `: ${p.error}`));
  const stuck = points.filter(p => p.deadlock);
  if (stuck.length)
    page.append(el('div', {class: 'callout'}, el('b', {}, `Deadlock at ${count(stuck.length)} points`),
      `, first at ${label(stuck[0])}: ${stuck[0].deadlock}`));
  const range = (title, of, show) => {
    const all = whole_points.map(of).filter(v => v != null);
    if (!all.length) return null;
    const low = Math.min(...all), high = Math.max(...all);
    return el('div', {class: 'tile'}, el('span', {class: 'soft small'}, title),
      el('b', {}, low === high ? show(low) : `${show(low)} to ${show(high)}`));
  };
  page.append(el('div', {class: 'tiles'},
    el('div', {class: 'tile'}, el('span', {class: 'soft small'}, 'points'), el('b', {id: 'points-run'}, count(points.length)),
      el('span', {class: 'soft small'}, keys.map(k => k.values.length).join(' x '))),
    range('lost', p => p.made > 0 ? p.dropped / p.made : 0, share),
    range('goodput', p => p.goodput_bps, rate),
    range('latency p99', p => p.latency_ns && p.latency_ns.p99 / 1e9, duration),
    range('senders held, sum', p => p.paused_seconds, duration)));
  const fact = (name, id, value) => el('div', {}, el('dt', {}, name), el('dd', {id}, value));
  page.append(el('dl', {class: 'facts'},
    keys.map((k, i) => fact(k.path, `key-${i}`, `${k.values[0]} to ${k.values[k.values.length - 1]}, ${k.values.length} values`)),
    list(data.set).map((s, i) => fact('set', `set-${i}`, s)),
    fact('file', 'file', data.file), fact('Sluice', 'version', data.sluice)));
}

// -- plots ------------------------------------------------------------------------------------------

const unitShow = {'s': duration, 'B': bytes, 'bit/s': rate, 'ratio': share,
  '': v => Number.isInteger(v) ? count(v) : Number(v.toPrecision(4))};
const ofLatency = (key, name) => ({name: `latency ${name}`, show: duration,
  of: p => p.latency_ns ? p.latency_ns[key] / 1e9 : null});
const countOf = (key, name) => ({name, show: n => count(Math.round(n)), incrs: whole, of: p => number(p[key])});
const figures = [
  {name: 'lost, share', show: share, of: p => p.made > 0 ? p.dropped / p.made : null},
  {name: 'goodput', show: rate, of: p => number(p.goodput_bps)},
  ofLatency('p99', 'p99'),
  {name: 'senders held, sum', show: duration, run: true, of: p => number(p.paused_seconds)},
  {name: 'delivered, share', show: share, of: p => p.made > 0 ? p.delivered / p.made : null},
  countOf('made', 'packets made'), countOf('delivered', 'packets delivered'),
  countOf('dropped', 'packets dropped'), countOf('held', 'packets still on their way'),
  ofLatency('mean', 'mean'), ofLatency('p50', 'p50'), ofLatency('p999', 'p99.9'), ofLatency('max', 'max'),
  {name: 'last delivery', show: duration, of: p => p.completed_seconds == null ? null : p.completed_seconds},
  {...countOf('stops', 'stops'), run: true}, {...countOf('pause_frames', 'pause frames'), run: true},
  ...list(data.metrics).map((text, i) => ({name: text, run: true,
    show: unitShow[(list((whole_points[0] || {}).metrics)[i] || {unit: ''}).unit] || unitShow[''],
    of: p => list(p.metrics)[i] ? p.metrics[i].measured : null})),
];
const flows = [...new Set(whole_points.flatMap(p => Object.keys(object(p.flows))))];
const option = (value, name, chosen) => el('option', {value, selected: chosen}, name);

/** The values of a key along an axis: numbers in their order, words in that of the command line. */
function axisOf(k) {
  const key = keys[k], words = key.scale === 'words';
  const all = key.values.map((text, i) => ({text, i}));
  if (!words) {
    const numbers = new Map();
    for (const p of points) numbers.set(p.values[k], p.numbers[k]);
    for (const v of all) v.x = numbers.get(v.text);
  } else for (const v of all) v.x = v.i;
  const known = all.filter(v => v.x != null).sort((a, b) => a.x - b.x);
  return {k, words, values: known, log: key.scale === 'log' && known.length > 1 && known[0].x > 0};
}

function plots() {
  const most = 8;
  let axis = axisOf(0), combinations = [], chosen = [];
  const others = p => keys.map((key, i) => i === axis.k ? null : `${key.path}=${p.values[i]}`).filter(Boolean).join(', ');
  const combine = () => {
    combinations = [...new Set(whole_points.map(others))];
    chosen = combinations.slice(0, most);
  };
  combine();
  const draws = [];
  const all = () => draws.forEach(draw => draw());
  const into = section('figures', 'Figures', null,
    keys.length > 1 && el('label', {class: 'small soft'}, 'over ', el('select', {id: 'choose-x', change: e => {
      axis = axisOf(Number(e.target.value));
      combine();
      offer();
      all();
    }}, keys.map((k, i) => option(i, k.path, i === 0)))));
  const picker = el('div'), choices = el('div', {class: 'choices'});
  const offer = () => {
    picker.hidden = combinations.length <= 1;
    const note = el('span', {class: 'soft small'});
    choices.replaceChildren(...combinations.slice(0, 200).map(name => {
      const box = el('input', {type: 'checkbox', change: () => {
        if (!box.checked) chosen = chosen.filter(c => c !== name);
        else if (chosen.length < most) chosen = [...chosen, name];
        else { box.checked = false; note.textContent = `at most ${most} at once`; return; }
        all();
      }});
      box.checked = chosen.includes(name);
      return el('label', {title: name}, box, el('span', {}, name));
    }), note);
  };
  picker.append(el('details', {class: 'picker'}, el('summary', {}, 'Choose the lines'), el('div', {}, choices)));
  into.append(picker);
  const grid = el('div', {class: 'figures'});
  into.append(grid);

  for (let n = 0; n < 4; ++n) {
    const holder = el('div', {class: 'plot', id: `plot-${n}`}), readout = el('div', {class: 'readout'});
    const chooseFigure = el('select', {'aria-label': 'Figure', id: `figure-${n}`, change: () => draw()},
      figures.map((f, i) => option(i, f.name, i === n)));
    const chooseFlow = el('select', {'aria-label': 'Flow', id: `flow-${n}`, change: () => draw()},
      option('', 'all flows', true), flows.slice(0, 500).map((f, i) => option(i, f)));
    const lines = () => {
      const figure = figures[Number(chooseFigure.value)];
      const flow = figure.run || chooseFlow.value === '' ? null : flows[Number(chooseFlow.value)];
      return [figure, chosen.map((name, n) => {
        const at = new Map(whole_points.filter(p => others(p) === name).map(p => [p.values[axis.k], p]));
        return {name: name || (flow || figure.name), colour: colour(n),
          values: axis.values.map(v => {
            const p = at.get(v.text), from = p && (flow ? object(p.flows)[flow] : p);
            return from ? figure.of(from) : null;
          })};
      })];
    };
    const draw = () => {
      const [figure, shown] = lines();
      chooseFlow.hidden = Boolean(figure.run) || flows.length < 2;
      const x = axis.values.map(v => v.x), texts = new Map(axis.values.map(v => [v.x, v.text]));
      plot(holder, readout, x, shown, {show: figure.show, incrs: figure.incrs, log: axis.log, words: axis.words,
        marks: true, points: true, showX: v => texts.get(v) || ''});
    };
    const name = () => `${figures[Number(chooseFigure.value)].name}`.replace(/[^A-Za-z0-9.]+/g, '-');
    grid.append(el('div', {class: 'figure'}, el('div', {class: 'head'}, chooseFigure, chooseFlow, el('span', {class: 'push'}),
      el('button', {type: 'button', 'data-csv': `figure-${n}`, click: () => {
        const [, shown] = lines();
        save(file(name()), csv([[keys[axis.k].path + (keys[axis.k].unit ? ` (${keys[axis.k].unit})` : ''),
          ...shown.map(l => l.name)], ...axis.values.map((v, i) => [axis.words ? v.text : v.x, ...shown.map(l => l.values[i])])]), 'text/csv');
      }}, 'CSV')), readout, holder));
    draws.push(draw);
    drawn.push(draw);
  }
  offer();
  all();
}

// -- expectations -----------------------------------------------------------------------------------

function expectations() {
  const lines = list(data.expect);
  if (!lines.length) return;
  const byNumber = new Map(points.map(p => [p.point, p]));
  const into = section('expect', 'Expectations');
  table(into, 'expectations', [
    {name: 'expected', of: e => e.text, left: true, wrap: true},
    {name: 'held at', csv: 'held', of: e => e.points - e.failed, show: (n, e) => `${count(n)} of ${count(e.points)} points`},
    {name: 'result', of: e => e.failed ? 'NOT MET' : 'ok', left: true, mark: e => e.failed ? 'bad' : 'good'},
    {name: 'first not met at', of: e => e.first_failed == null ? null : label(byNumber.get(e.first_failed)), left: true, wrap: true},
  ], lines);
  // Where: with one key a row for each expectation, with two a row for each value of the second.
  const cell = (text, good, title) => el('td', {class: good ? 'good' : 'bad', title}, text);
  const map = (heads, rows) => into.append(el('div', {class: 'scroll'}, el('table', {class: 'rows map', id: 'map'},
    el('thead', {}, el('tr', {}, heads.map((h, i) => el('th', {class: i ? '' : 'left'}, h)))),
    el('tbody', {}, rows))));
  if (keys.length === 1)
    map([keys[0].path, ...points.map(p => p.values[0])], lines.map(line => el('tr', {}, el('td', {class: 'left wrap'}, line.text),
      points.map(p => {
        const e = list(p.expect).find(e => e.text === line.text);
        return e ? cell(e.ok ? 'ok' : 'no', e.ok, `${label(p)}: ${e.measured == null ? e.note || '-' : measured(e.measured, e)}`)
          : el('td', {}, '-');
      }))));
  else if (keys.length === 2) {
    const at = new Map(points.map(p => [p.values.join('\n'), p]));
    map([`${keys[1].path} \\ ${keys[0].path}`, ...keys[0].values], keys[1].values.map(b => el('tr', {}, el('td', {class: 'left'}, b),
      keys[0].values.map(a => {
        const p = at.get(`${a}\n${b}`);
        return p ? cell(p.verdict === 'failed' ? `${notMet(p).length} not met` : p.verdict, !bad(p), [label(p), why(p)].filter(Boolean).join('\n')) : el('td', {}, '-');
      }))));
  }
}

function pointTable() {
  const into = section('points', 'Points');
  const linked = points.some(p => p.directory);
  table(into, 'points', [
    {name: 'point', of: p => p.point},
    ...keys.map((k, i) => ({name: k.path, csv: k.unit ? `${k.path} (${k.unit})` : k.path, left: k.scale === 'words',
      of: p => p.numbers[i] == null ? p.values[i] : p.numbers[i], show: (v, p) => p.values[i]})),
    {name: 'verdict', of: p => p.verdict, left: true, mark: p => bad(p) ? 'bad' : 'good', show: (v, p) =>
      el('span', {title: why(p)}, v === 'failed' ? `${notMet(p).length} not met` : v)},
    {name: 'delivered', csv: 'delivered_share', of: p => p.made > 0 ? p.delivered / p.made : null, show: share},
    {name: 'dropped', of: p => p.dropped, show: count, mark: p => p.dropped > 0 ? 'bad' : ''},
    {name: 'goodput', csv: 'goodput_bps', of: p => p.goodput_bps, show: rate},
    {name: 'p50', csv: 'latency_p50_ns', of: p => p.latency_ns && p.latency_ns.p50, show: n => duration(n / 1e9)},
    {name: 'p99', csv: 'latency_p99_ns', of: p => p.latency_ns && p.latency_ns.p99, show: n => duration(n / 1e9)},
    {name: 'stops', of: p => p.stops, show: count},
    {name: 'held for', csv: 'paused_seconds', of: p => p.paused_seconds, show: duration},
    ...list(data.metrics).map((text, i) => ({name: text, of: p => list(p.metrics)[i] && p.metrics[i].measured,
      show: (v, p) => (unitShow[p.metrics[i].unit] || unitShow[''])(v)})),
    {name: 'last delivery', csv: 'completed_seconds', of: p => p.completed_seconds, show: duration},
    ...(linked ? [{name: 'report', of: p => p.directory ? `${p.directory}/report.html` : null, left: true,
      show: v => el('a', {href: v}, 'open')}] : []),
  ], points);
  const dropped = number(object(data.left_out).flows);
  if (dropped) into.append(el('p', {class: 'soft small'}, `${count(dropped)} flows of each point are in their totals only.`));
}

headline();
const nav = el('nav');
page.append(nav);
if (whole_points.length) plots();
expectations();
pointTable();
nav.append(...contents.map(([id, title]) => el('a', {href: `#${id}`}, title)));
redraw();
page.dataset.ready = 'yes';
})();
