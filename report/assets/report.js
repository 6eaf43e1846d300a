// The report of a run draws itself from the data in the page.
(() => {
'use strict';

const data = JSON.parse(document.getElementById('data').textContent);
const summary = data.summary, series = data.series, topology = data.topology;
const page = document.getElementById('page');
const {powers, whole, el, number, list, object, count, rate, bytes, duration, share, part, save, csvButton, contents,
  section, table, measured, colour, redraw, pickedPlot, bandPlot, topologyPicture, lineUse, nodeOf, perSecond, last,
  largest} = sluiceParts(page, summary.scenario);

// -- what the page is made of -----------------------------------------------------------------------

const packets = object(summary.packets), sizes = object(summary.bytes);
const flows = Object.entries(object(summary.flows)).map(([name, f]) => ({name, ...object(f)}));
const components = Object.entries(object(summary.components)).map(([name, c]) => ({name, ...object(c)}));
const expectations = list(summary.expect), violations = list(summary.violations);
const seconds = number(summary.virtual_seconds);

function headline() {
  const failed = expectations.filter(e => !e.ok).length;
  const held = expectations.length === 0 ? 'no expectations'
    : failed === 0 ? `all ${expectations.length} expectations held`
    : `${failed} of ${expectations.length} expectations did not hold`;
  const [word, good] = violations.length ? ['FAILED', false]
    : summary.interrupted ? ['INTERRUPTED', false]
    : failed ? ['FAILED', false] : ['OK', true];
  page.append(el('header', {class: 'top'},
    el('span', {class: `verdict ${good ? 'good' : 'bad'}`, id: 'verdict'}, word),
    el('h1', {}, summary.scenario)),
    el('p', {class: 'soft', id: 'held'}, held));
  if (summary.deadlock)
    page.append(el('div', {class: 'callout'}, el('b', {}, 'Deadlock'),
      ` since ${duration(summary.deadlock.since_seconds)}: `,
      `${list(summary.deadlock.links).join(', ')} wait for each other`));
  if (violations.length)
    page.append(el('div', {class: 'callout'}, el('b', {}, 'Violated (a bug in Sluice)'),
      violations.slice(0, 20).map(v => el('p', {}, v)),
      violations.length > 20 && el('p', {}, `and ${violations.length - 20} more, in summary.json`)));
  const tile = (id, title, value, below, bad) => el('div', {class: bad ? 'tile bad' : 'tile'},
    el('span', {class: 'soft small'}, title), el('b', {id}, value), el('span', {class: 'soft small'}, below));
  const made = number(packets.made);
  page.append(el('div', {class: 'tiles'},
    tile('made', 'packets made', count(made), bytes(sizes.made)),
    tile('delivered', 'delivered', count(packets.delivered), `${part(packets.delivered, made)}, ${bytes(sizes.delivered)}`),
    tile('dropped', 'dropped', count(packets.dropped), part(packets.dropped, made), packets.dropped > 0),
    tile('still', 'still on their way', count(packets.held), part(packets.held, made)),
    tile('time', 'virtual time', duration(seconds), `${duration(summary.wall_seconds)} of wall clock`)));
  const fact = (name, id, value, mono) => el('div', {}, el('dt', {}, name),
    el('dd', {id, class: mono ? 'mono' : null}, value));
  page.append(el('dl', {class: 'facts'},
    fact('fingerprint', 'fingerprint', summary.fingerprint, true),
    fact('seed', 'seed', summary.seed),
    fact('clock', 'clock', summary.clock),
    fact('packet-hops', 'hops', count(summary.packet_hops)),
    fact('threads', 'threads', summary.threads),
    fact('Sluice', 'version', summary.sluice)),
    el('p', {id: 'conserved', class: 'small soft'}, violations.length ? 'The books do not balance.'
      : `Conserved: made ${count(made)} = delivered ${count(packets.delivered)} + dropped `
        + `${count(packets.dropped)} + held ${count(packets.held)}, at each of ${count(components.length)} components.`));
}

/** What was changed while the run went on: see docs/live.md. */
function changes() {
  const made = list(summary.changes);
  if (!made.length) return;
  table(section('changes', 'Changed while it ran', 'repeat.sh repeats it'), 'changes', [
    {name: 'at', csv: 'at_seconds', of: c => number(c.at_seconds), show: duration},
    {name: 'for', csv: 'for_seconds', of: c => c.for_seconds, show: duration},
    {name: 'what', of: c => c.text, left: true, wrap: true},
  ], made);
}

function expectationTable() {
  if (!expectations.length) return;
  const into = section('expect', 'Expectations');
  table(into, 'expectations', [
    {name: 'expected', of: e => e.text, left: true, wrap: true},
    {name: 'measured', of: e => e.measured, show: measured},
    {name: 'result', of: e => e.ok ? 'ok' : 'NOT MET', left: true, mark: e => e.ok ? 'good' : 'bad'},
    ...(expectations.some(e => e.note) ? [{name: 'note', of: e => e.note || '', left: true, wrap: true}] : []),
  ], expectations);
}

function picture() {
  const drawn = data.picture && topologyPicture(data.picture, object(topology).links);
  if (!drawn) return;
  const into = section('topology', 'Topology', 'red: packets lost there; orange: share of the time that '
    + 'senders were held by it; links: how full the busier way was');
  const lost = {}, held = {};
  for (const d of list(summary.drops)) {
    const where = d.component.includes('->') ? d.component : nodeOf(d.component);
    lost[where] = number(lost[where]) + number(d.packets);
  }
  for (const p of list(summary.pauses))
    held[nodeOf(p.on)] = Math.max(number(held[nodeOf(p.on)]), seconds > 0 ? number(p.paused_seconds) / seconds : 0);
  for (const node of drawn.nodes) {
    if (lost[node.name]) node.below(`-${count(lost[node.name])}`);
    if (held[node.name] >= 0.001) node.above(`${share(held[node.name])} held`);
  }
  const by = Object.fromEntries(components.map(c => [c.name, c]));
  for (const {a, b, rate, path, note} of drawn.links) {
    const use = (from, to) => {
      const c = by[`${from}->${to}`];
      return c && c.out_bytes != null ? lineUse(c.out_bytes, c.out, rate, seconds) : null;
    };
    const there = use(a, b), back = use(b, a), most = Math.max(number(there), number(back));
    if (there == null && back == null) continue;
    path.style.strokeWidth = String(1.4 + 4.6 * Math.min(1, most));
    const cut = number(lost[`${a}->${b}`]) + number(lost[`${b}->${a}`]);
    note(`; ${a} to ${b} ${share(number(there))} full, back ${share(number(back))}`
      + (cut ? `; ${count(cut)} packets lost on it` : ''));
  }
  into.append(drawn.holder);
}

function seriesPlots() {
  if (!series) {
    section('series', 'Over time').append(el('p', {class: 'soft'},
      'This run was not sampled (--series off), so there is nothing to plot.'));
    return;
  }
  const times = list(series.seconds);
  const from = [0, ...times];  // a point before the first sample, so that nothing is cut off
  const zero = values => [0, ...values];
  const left = object(series.left_out);
  const note = (kind, what) => left[kind] ? `${count(left[kind])} ${what} with smaller peaks were left out` : null;

  const flowItems = list(series.flows).filter(f => last(f.delivered) > 0)
    .sort((a, b) => last(b.delivered_bytes) - last(a.delivered_bytes))
    .map(f => ({name: f.flow, lines: () => [{name: f.flow, values: [0, ...perSecond(times, list(f.delivered_bytes), 8)]}]}));
  if (flowItems.length) {
    const into = section('throughput', 'Throughput by flow', note('flows', 'flows')
      || `delivered, mean of each ${duration(series.interval_seconds)}`);
    pickedPlot(into, 'throughput', from, flowItems, {show: rate, steps: true});
  }

  const queues = list(series.components).filter(c => largest(c.held_bytes) > 0)
    .sort((a, b) => largest(b.held_bytes) - largest(a.held_bytes))
    .map(c => ({name: c.component, lines: () => {
      const flat = bytes => from.map(() => bytes), high = largest(c.held_bytes);
      const lines = [{name: c.component, values: zero(c.held_bytes), colour: colour(0)}];
      const mark = (key, name, n) => {
        // A limit that is far away would press the curve to the ground.
        if (c[key] >= 0 && c[key] <= 8 * high)
          lines.push({name: `${name} ${bytes(c[key])}`, values: flat(c[key]), dash: [6, 4], colour: colour(n)});
      };
      mark('start_bytes', 'start', 2);
      mark('stop_bytes', 'stop', 1);
      mark('capacity_bytes', 'capacity', 6);
      return lines;
    }}));
  if (queues.length) {
    const into = section('queues', 'Queue depth', note('components', 'components')
      || 'what waits at each sample, frame bytes');
    pickedPlot(into, 'queues', from, queues, {show: bytes, incrs: powers, one: true, chosen: 1, steps: false});
  }

  bands(times);

  const losers = list(series.components).filter(c => last(c.dropped) > 0)
    .sort((a, b) => last(b.dropped) - last(a.dropped))
    .map(c => ({name: c.component, lines: () => [{name: c.component, values: zero(c.dropped)}]}));
  if (losers.length) {
    const into = section('drops-over-time', 'Packets lost', 'sum since the begin, by component');
    pickedPlot(into, 'drops-over-time', from, losers, {show: n => count(Math.round(n)), incrs: whole});
  }

  for (const [key, title, lane] of [['pause_frames', 'Pause frames sent', 'priority'], ['flow_packets', 'Flow packets sent', 'lane']]) {
    const items = list(series[key]).filter(f => last(f.sent) > 0).sort((a, b) => last(b.sent) - last(a.sent))
      .map(f => ({name: `${f.from} to ${f.to}, ${lane} ${f[lane]}`, lines: () => [
        {name: `${f.from} to ${f.to}, ${lane} ${f[lane]}`, values: zero(f.sent)}]}));
    if (items.length)
      pickedPlot(section(key, title, note('pause_frames', 'ways') || 'sum since the begin'), key, from, items,
        {show: n => count(Math.round(n)), incrs: whole});
  }
}

function bands(times) {
  const all = list(series.pauses).filter(p => last(p.paused_seconds) > 0)
    .sort((a, b) => last(b.paused_seconds) - last(a.paused_seconds));
  if (!all.length) return;
  const left = number(object(series.left_out).pauses);
  const into = section('pauses-over-time', 'Senders held', left ? `${count(left)} hops with less were left out`
    : 'the darker, the larger the share of the interval');
  const name = p => `${p.on}${p.priority >= 0 ? ` p${p.priority}` : ''}`;
  bandPlot(into, all.map(p => ({name: name(p), holds: p.holds, sum: () => last(p.paused_seconds),
    shares: () => perSecond(times, list(p.paused_seconds), 1)})), () => ({from: 0, times}));
  into.querySelector('.head').append(csvButton('pauses-over-time', () => [['seconds', ...all.map(name)],
    ...times.map((t, i) => [t, ...all.map(p => p.paused_seconds[i])])]));
}

function latency() {
  const had = list(series && series.flows).filter(f => f.latency && list(f.latency.packets).length)
    .sort((a, b) => last(b.delivered) - last(a.delivered));
  if (!had.length) return;
  // One axis for all: the bounds are the same buckets in every flow.
  const bounds = [...new Set(had.flatMap(f => f.latency.upper_ns))].sort((a, b) => a - b);
  const place = new Map(bounds.map((b, i) => [b, i]));
  const items = had.map(f => ({name: f.flow, lines: () => {
    const values = bounds.map(() => 0), all = f.latency.packets.reduce((a, b) => a + number(b), 0);
    f.latency.packets.forEach((n, i) => { values[place.get(f.latency.upper_ns[i])] = all > 0 ? number(n) / all : 0; });
    return [{name: f.flow, values}];
  }}));
  const into = section('latency', 'Latency', 'share of packets by latency from due to consumed, eighths of an octave');
  pickedPlot(into, 'latency', bounds.map(b => b / 1e9), items, {show: share, steps: true, log: true, xName: 'latency_seconds'});
}

function tables() {
  const ns = f => v => f.delivered === 0 ? '-' : duration(v / 1e9);
  const time = key => ({name: key.replace('p999', 'p99.9'), csv: `latency_${key}_ns`, of: f => number(object(f.latency_ns)[key]),
    show: (v, f) => ns(f)(v)});
  if (flows.length) {
    const into = section('flows', 'Flows');
    table(into, 'flows', [
      {name: 'flow', of: f => f.name, left: true},
      {name: 'made', of: f => number(f.made), show: count},
      {name: 'delivered', of: f => number(f.delivered), show: (n, f) => `${count(n)} (${part(n, f.made)})`},
      {name: 'dropped', of: f => number(f.dropped), show: count, mark: f => f.dropped > 0 ? 'bad' : ''},
      time('p50'), time('p99'), time('p999'), time('max'),
      {name: 'goodput', csv: 'goodput_bps', of: f => number(f.goodput_bps), show: rate},
      {name: 'done at', csv: 'completed_seconds', of: f => f.completed_seconds, show: duration},
      {name: 'blocked by', left: true, wrap: true, of: f => list(f.blocked_by).slice(0, 3)
        .map(b => `${b.component} ${share(b.share)}`).join(', ')},
    ], flows);
  }
  const drops = list(summary.drops);
  if (drops.length) {
    const into = section('drops', 'Where packets were lost');
    table(into, 'drops', [
      {name: 'component', of: d => d.component, left: true},
      {name: 'reason', of: d => d.reason, left: true},
      {name: 'priority', of: d => d.priority},
      {name: 'packets', of: d => number(d.packets), show: count},
      {name: 'bytes', of: d => number(d.bytes), show: bytes},
    ], [...drops].sort((a, b) => b.packets - a.packets));
  }
  const held = list(summary.pauses).filter(p => p.sent || p.received || p.paused_seconds);
  if (held.length) {
    const into = section('pauses', 'Who held whom');
    table(into, 'pauses', [
      {name: 'by', of: p => p.on, left: true},
      {name: 'held', of: p => p.holds, left: true},
      {name: 'priority', of: p => p.priority, show: p => p < 0 ? 'all' : p},
      {name: 'stops', of: p => number(p.sent), show: count},
      {name: 'received', of: p => number(p.received), show: count},
      {name: 'for', csv: 'paused_seconds', of: p => number(p.paused_seconds), show: duration},
      {name: 'share', of: p => seconds > 0 ? number(p.paused_seconds) / seconds : 0, show: share},
    ], [...held].sort((a, b) => b.paused_seconds - a.paused_seconds));
  }
  const frames = list(summary.pause_frames).filter(f => f.sent);
  if (frames.length) {
    const into = section('frames', 'Pause frames');
    table(into, 'pause-frames', [
      {name: 'from', of: f => f.from, left: true},
      {name: 'to', of: f => f.to, left: true},
      {name: 'priority', of: f => f.priority},
      {name: 'sent', of: f => number(f.sent), show: count},
      {name: 'received', of: f => number(f.received), show: count},
      {name: 'pauses', of: f => number(f.transitions), show: count},
      {name: 'paused for', csv: 'paused_seconds', of: f => number(f.paused_seconds), show: duration},
      {name: 'share', of: f => number(f.share), show: share},
    ], [...frames].sort((a, b) => b.paused_seconds - a.paused_seconds));
  }
  const taps = list(summary.taps);
  if (taps.length) {
    const into = section('taps', 'Taps', 'what passed ports, as pcapng');
    const files = list(data.tap_files), base = path => String(path).split('/').pop();
    // As a shell wants it.
    const quoted = path => /^[\w./-]+$/.test(path) ? path : `'${path.replace(/'/g, `'\\''`)}'`;
    const rows = taps.map((t, i) => ({...object(t), path: files[i]}));
    table(into, 'taps', [
      {name: 'on', of: t => t.on, left: true},
      {name: 'file', of: t => t.file, left: true, show: (file, t) => file === '-' ? 'the standard output'
        : t.path ? el('a', {href: t.path.split('/').map(encodeURIComponent).join('/')}, base(t.path)) : file},
      {name: 'saw', csv: 'seen', of: t => number(t.seen), show: count},
      {name: 'wrote', csv: 'written', of: t => number(t.written), show: count},
      {name: 'size', csv: 'bytes', of: t => number(t.bytes), show: bytes},
      {name: 'dropped by the port', csv: 'dropped', of: t => number(t.dropped), show: count,
        mark: t => t.dropped > 0 ? 'bad' : ''},
    ], rows);
    const first = rows.find(t => t.path);
    if (first) into.append(el('p', {class: 'soft small'}, 'In this directory: ', el('code', {}, `wireshark ${quoted(first.path)}`)));
  }
  const into = section('components', 'Components');
  table(into, 'components', [
    {name: 'component', of: c => c.name, left: true},
    {name: 'in', of: c => number(c.in), show: count},
    {name: 'out', of: c => number(c.out), show: count},
    {name: 'dropped', of: c => number(c.dropped), show: count, mark: c => c.dropped > 0 ? 'bad' : ''},
    {name: 'held', of: c => number(c.held), show: count},
    {name: 'most bytes', csv: 'max_bytes', of: c => number(c.max_bytes), show: bytes},
    {name: 'stopped', csv: 'sleeps', of: c => number(c.sleeps), show: count},
  ], [...components].sort((a, b) => b.max_bytes - a.max_bytes), {size: 12});
}

function scenarioText() {
  if (!data.scenario) return;
  const set = list(summary.set);
  const into = section('scenario', 'Scenario', set.length ? 'the file, and what was changed in it' : 'as it was read', el('button', {type: 'button',
    click: () => save('scenario.yaml', data.scenario, 'text/yaml')}, 'Save'));
  if (set.length)
    into.append(el('p', {class: 'small'}, 'Run with'), el('ul', {class: 'set small', id: 'set'},
      set.map(s => el('li', {}, el('code', {}, `--set ${s}`)))));
  into.append(el('pre', {class: 'scenario', tabindex: '0'}, data.scenario));
}

headline();
const nav = el('nav');
page.append(nav);
expectationTable();
changes();
picture();
seriesPlots();
latency();
tables();
scenarioText();
nav.append(...contents.map(([id, title]) => el('a', {href: `#${id}`}, title)));
redraw();  // now that it is known whether the page has a scroll bar
page.dataset.ready = 'yes';
})();
