// The live page: asks the program that serves it how the run stands, a few times a second, and draws that.
// What can be changed goes to the same program, with the token that it has printed. docs/live.md tells
// what is asked for.
(async () => {
'use strict';

const page = document.getElementById('page');

// -- talking to the program -------------------------------------------------------------------------

// The token comes in the part of the address that no request has, and does not stay there.
const given = new URLSearchParams(location.hash.slice(1)).get('token');
if (given) {
  sessionStorage.setItem('token', given);
  history.replaceState(null, '', location.pathname);
}
const token = () => sessionStorage.getItem('token') || '';

async function get(path) {
  const reply = await fetch(path, {cache: 'no-store'});
  if (!reply.ok) throw Object.assign(new Error((await reply.text()).slice(0, 300)), {status: reply.status});
  return reply.json();
}
/** What the program answers: {ok, status, error, hint, ...}. */
async function post(path, body) {
  try {
    const reply = await fetch(path, {method: 'POST', body: JSON.stringify(body || {}),
      headers: {'Authorization': `Bearer ${token()}`, 'Content-Type': 'application/json'}});
    return {ok: reply.ok, status: reply.status, ...await reply.json()};
  } catch (e) {
    return {ok: false, status: 0, error: 'the program does not answer', hint: String(e.message || e)};
  }
}
const pause = ms => new Promise(done => setTimeout(done, ms));

const about = await get('/api/topology');
const parts = sluiceParts(page, about.scenario);
const {powers, whole, el, number, list, object, count, rate, bytes, duration, share, part, contents, section, table,
  redraw, pickedPlot, bandPlot, svgNode, topologyPicture, lineUse, nodeOf, style, dark} = parts;
document.title = `${about.scenario} - Sluice, live`;
const targets = object(about.targets);

const set = (node, key, value) => { if (node && node[key] !== value) node[key] = value; };

// -- the head: how it stands, and what holds for the whole run ----------------------------------------

const verdict = el('span', {class: 'verdict quiet', id: 'verdict'}, 'STARTING');
const said = el('p', {class: 'said', id: 'steer-said', role: 'status'});
const status = el('p', {class: 'soft', id: 'status', role: 'status', 'aria-live': 'polite'}, about.description || '');
const tell = (into, answer, well) => {
  into.className = `said ${answer.ok ? 'good' : 'bad'}`;
  into.replaceChildren(answer.ok ? well : answer.error || `the program answers ${answer.status}`,
    !answer.ok && answer.hint && answer.status !== 401 ? el('span', {class: 'hint'}, answer.hint) : '');
  if (answer.status === 401) askForToken(true);
};

let held = false;
const holdButton = el('button', {type: 'button', class: 'main', id: 'hold', click: async () => {
  const wanted = !held;
  const answer = await post(wanted ? '/api/hold' : '/api/go-on');
  tell(said, answer, wanted ? 'The run stands still.' : 'The run goes on.');
  if (answer.ok) showHeld(wanted);
}}, 'Hold');
const showHeld = now => { held = now; set(holdButton, 'textContent', held ? 'Go on' : 'Hold'); };
const speedField = el('input', {type: 'number', id: 'speed', min: '0', step: 'any', 'aria-label': 'Times as fast as the wall clock'});
async function setSpeed(times) {
  tell(said, await post('/api/speed', {times}), `Now at ${times}x the wall clock.`);
}
let speed = 0;
const speeds = el('form', {class: 'speeds', submit: e => { e.preventDefault(); setSpeed(Number(speedField.value)); }},
  el('button', {type: 'button', title: 'Half as fast', id: 'slower', click: () => setSpeed(speed / 2)}, '\u00bd'),
  speedField, el('span', {class: 'soft'}, 'x'), el('button', {type: 'submit', id: 'set-speed'}, 'Set speed'),
  el('button', {type: 'button', title: 'Twice as fast', id: 'faster', click: () => setSpeed(speed * 2)}, '2x'));
const tokenField = el('input', {type: 'password', id: 'token', autocomplete: 'off', spellcheck: 'false',
  placeholder: 'the token that the program has printed', 'aria-label': 'Token'});
const tokenForm = el('form', {class: 'token', hidden: true, submit: e => {
  e.preventDefault();
  sessionStorage.setItem('token', tokenField.value.trim());
  tokenField.value = '';
  tokenForm.hidden = true;
  tell(said, {ok: true}, 'The token is kept until this page is closed.');
}}, el('span', {}, 'To change anything:'), tokenField, el('button', {type: 'submit'}, 'Use this token'));
function askForToken(focus) {
  tokenForm.hidden = false;
  if (focus) tokenField.focus();
}
const tool = el('div', {class: 'bar'}, holdButton, speeds, tokenForm);
page.append(el('div', {class: 'sticky'},
  el('header', {class: 'top'}, verdict, el('h1', {}, about.scenario)), tool, said), status);
const trouble = el('div');
page.append(trouble);

const tiles = el('div', {class: 'tiles'}), tile = {};
for (const [id, title] of [['made', 'packets made'], ['delivered', 'delivered'], ['dropped', 'dropped'],
  ['still', 'still on their way'], ['time', 'virtual time']]) {
  const value = el('b', {id}, '-'), below = el('span', {class: 'soft small'}, '\u00a0');
  const box = el('div', {class: 'tile'}, el('span', {class: 'soft small'}, title), value, below);
  tile[id] = (text, note, bad) => {
    set(value, 'textContent', text);
    set(below, 'textContent', note);
    set(box, 'className', bad ? 'tile bad' : 'tile');
  };
  tiles.append(box);
}
const facts = el('dl', {class: 'facts'}), fact = {};
for (const [id, name, mono] of [['speed-now', 'speed'], ['wall', 'wall clock'], ['lag', 'lag at most'], ['rate', 'delivered now'],
  ['hops', 'packet-hops'], ['seed', 'seed'], ['fingerprint', 'fingerprint', true]]) {
  const value = el('dd', {id, class: mono ? 'mono' : null}, '-');
  fact[id] = text => set(value, 'textContent', text);
  facts.append(el('div', {}, el('dt', {}, name), value));
}
const nav = el('nav');
page.append(tiles, facts, nav);

let wasOver = false;
function showHead(state, f, now) {
  const ended = state.over, bad = state.verdict && state.verdict.code !== 0;
  const failed = list(object(state.verdict).expect).filter(e => !e.ok);
  const [word, kind] = ended ? [f.violations.length ? 'FAILED' : f.interrupted ? 'INTERRUPTED' : failed.length ? 'FAILED' : 'OVER',
    bad ? 'bad' : 'good'] : f.deadlock ? ['DEADLOCK', 'bad'] : state.held ? ['HELD', 'held'] : ['RUNNING', 'good'];
  set(verdict, 'textContent', word);
  set(verdict, 'className', `verdict ${kind}`);
  const all = list(object(state.verdict).expect).length;
  const words = ended
    ? `The run is over. ${all === 0 ? 'It had no expectations.' : failed.length === 0 ? `All ${all} expectations held.`
      : `${failed.length} of ${all} expectations did not hold.`}`
      + (state.changes.length ? ' The program has printed the command that repeats it with its changes.' : '')
    : state.clock === 'virtual' ? 'This run is on the virtual clock, as fast as it can: begin it with --speed to hold or change it.'
    : state.held ? 'Virtual time stands still. Changes can be made; they take effect when the run goes on.'
    : about.description || '';
  set(status, 'textContent', words);
  const trouble_ = JSON.stringify([f.deadlock, f.violations, failed]);
  if (trouble.shown !== trouble_) {
    trouble.shown = trouble_;
    trouble.replaceChildren(
      ...(f.deadlock ? [el('div', {class: 'callout', id: 'deadlock'}, el('b', {}, 'Deadlock'),
        ` since ${duration(f.deadlock.since_seconds)}: ${list(f.deadlock.links).join(', ')} wait for each other`)] : []),
      ...(f.violations.length ? [el('div', {class: 'callout'}, el('b', {}, 'Violated (a bug in Sluice)'),
        f.violations.slice(0, 20).map(v => el('p', {}, v)))] : []),
      ...(failed.length ? [el('div', {class: 'callout'}, el('b', {}, 'Expected, and not so'),
        failed.slice(0, 20).map(e => el('p', {class: 'mono'}, e.text)))] : []));
  }
  const p = f.packets, made = number(p.made);
  tile.made(count(made), bytes(f.bytes.made));
  tile.delivered(count(p.delivered), `${part(p.delivered, made)}, ${bytes(f.bytes.delivered)}`);
  tile.dropped(count(p.dropped), part(p.dropped, made), p.dropped > 0);
  tile.still(count(p.held), part(p.held, made));
  tile.time(duration(f.virtual_seconds), `${duration(f.wall_seconds)} of wall clock`);
  fact['speed-now'](state.clock === 'virtual' ? 'virtual clock' : `${Number(state.speed.toPrecision(6))}x`);
  fact.wall(duration(f.wall_seconds));
  fact.lag(state.clock === 'virtual' ? '-' : duration(f.lag_seconds));
  fact.rate(now ? rate(now) : '-');
  fact.hops(count(f.packet_hops));
  fact.seed(f.seed);
  fact.fingerprint(f.fingerprint || 'at the end');
  const real = state.clock === 'real' && !ended;
  holdButton.disabled = !real;
  for (const e of speeds.elements) e.disabled = !real;
  for (const b of document.querySelectorAll('form.change button[type=submit]')) b.disabled = !real;
  if (ended && !wasOver) said.replaceChildren();
  wasOver = ended;
  showHeld(state.held && !ended);
  speed = state.speed;
  if (document.activeElement !== speedField && state.clock === 'real') set(speedField, 'value', String(Number(state.speed.toPrecision(6))));
}

// -- what can be changed ------------------------------------------------------------------------------

function forms() {
  const into = section('change', 'Change something', 'takes effect at once, and is kept as an event of the run');
  const grid = el('div', {class: 'forms'});
  into.append(grid);
  let number = 0;
  const names = (id, all) => {
    const data = el('datalist', {id});
    // A browser shows a few; beyond that one types.
    data.append(...list(all).slice(0, 2000).map(value => el('option', {value})));
    into.append(data);
    return id;
  };
  const drains = names('drains', targets.drains), rates = names('rates', targets.rates), ports = names('ports', targets.ports),
    links = names('links', targets.links);
  const field = (label, attributes) => {
    const input = el('input', {type: 'text', autocomplete: 'off', spellcheck: 'false', ...attributes});
    return {label: el('label', {}, el('span', {}, label), input), value: () => input.value.trim()};
  };
  const lasting = () => field('for', {placeholder: 'until it is ended', name: 'for'});
  const first = all => list(all)[0] || '';
  const add = (id, title, all, fields, body) => {
    if (!list(all).length) return;
    const answer = el('div', {class: 'said', role: 'status'});
    const button = el('button', {type: 'submit'}, 'Do it');
    grid.append(el('form', {class: 'change', id: `form-${id}`, submit: async e => {
      e.preventDefault();
      const wanted = body();
      for (const key of Object.keys(wanted)) if (wanted[key] === '') delete wanted[key];
      button.disabled = true;
      const a = await post('/api/change', wanted);
      button.disabled = false;
      tell(answer, a, `From ${duration(a.at_seconds)} on.`);
    }}, el('h3', {id: `title-${id}`}, title), ...fields.map(f => f.label), el('div', {class: 'foot'}, button, answer)));
    ++number;
  };
  {
    const what = field('of', {list: drains, value: first(targets.drains), name: 'set'});
    const to = field('to', {value: '1Gbit', name: 'to'}), how = lasting();
    add('drain', 'How fast a VM or sink reads', targets.drains, [what, to, how],
      () => ({set: what.value(), to: to.value(), for: how.value()}));
  }
  {
    const what = field('of', {list: rates, value: first(targets.rates), name: 'set'});
    const to = field('to', {value: '1Gbit', name: 'to'}), how = lasting();
    add('rate', 'How fast a generator sends', targets.rates, [what, to, how],
      () => ({set: what.value(), to: to.value(), for: how.value()}));
  }
  {
    const what = field('port', {list: ports, value: first(targets.ports), name: 'on'}), how = lasting();
    const boxes = [...'01234567'].map(p => el('input', {type: 'checkbox', value: p, 'aria-label': `priority ${p}`}));
    boxes[3].checked = true;
    const line = el('input', {type: 'checkbox', change: () => { for (const b of boxes) b.disabled = line.checked; }});
    const which = {label: el('div', {class: 'choices priorities small'}, boxes.map((b, p) => el('span', {}, b, ` ${p}`)),
      el('span', {}, line, ' whole link (PAUSE)'))};
    add('storm', 'Pause storm from a port', targets.ports, [what, which, how], () => line.checked
      ? {inject: 'pause', on: what.value(), for: how.value()}
      : {inject: 'pfc-pause', on: what.value(), priority: boxes.filter(b => b.checked).map(b => Number(b.value)), for: how.value()});
  }
  {
    const what = field('link', {list: links, value: first(targets.links), name: 'link'}), how = lasting();
    add('link', 'Take a link down', targets.links, [what, how], () => ({link: what.value(), state: 'down', for: how.value()}));
  }
}

const ended = c => c.for_ps != null && clock >= c.at_seconds + c.for_seconds;
let clock = 0, changesOver = false;
const endButtons = new Map();
function endButton(c) {
  if (!endButtons.has(c.event)) {
    const button = el('button', {type: 'button', 'aria-label': `End change ${c.event}`, click: async () => {
      button.disabled = true;
      const a = await post('/api/end', {event: c.event});
      button.disabled = false;
      tell(said, a, `Change ${c.event} ends at ${duration(a.ends_seconds)}.`);
    }}, 'End it');
    endButtons.set(c.event, button);
  }
  return endButtons.get(c.event);
}
function changesTable() {
  const into = section('changes', 'Changes', 'in the order in which they were asked for');
  into.hidden = true;
  const update = table(into, 'changes', [
    {name: 'number', of: c => c.event},
    {name: 'at', csv: 'at_seconds', of: c => c.at_seconds, show: duration},
    {name: 'for', csv: 'for_seconds', of: c => c.for_seconds ?? null, show: duration},
    {name: 'what', of: c => c.text, left: true, wrap: true},
    {name: 'state', of: c => clock < c.at_seconds ? 'to come' : ended(c) || changesOver ? 'over' : 'in force', left: true},
    {name: '', of: c => !changesOver && !ended(c) ? 1 : null, show: (v, c) => endButton(c), left: true},
  ], []);
  return (changes, over) => {
    changesOver = over;
    into.hidden = changes.length === 0;
    update([...changes].reverse());
  };
}

// -- what happened lately: snapshots, and what came from one to the next ---------------------------------

let names = null;
const past = [];  // {t, wall, f}: virtual and wall seconds, figures
let windowSeconds = 30;
const mostValues = 4e6;

function remember(f) {
  const t = f.virtual_seconds, newest = past[past.length - 1];
  // While nothing moves there is nothing new.
  if (newest && t <= newest.t) { newest.f = f; return; }
  past.push({t, wall: f.wall_seconds, f});
  const most = Math.max(8, Math.min(300, Math.floor(mostValues / Math.max(1, names.components.length))));
  while (past.length > most) past.shift();
}
/** The snapshots that are shown. */
let shown = [];
function choose() {
  const newest = past[past.length - 1];
  const from = past.findIndex(h => h.wall >= newest.wall - windowSeconds);
  shown = past.slice(Math.max(0, from - 1));
}
const times = () => shown.map(h => h.t);
/** For each snapshot what a sum has grown by for each second since the one before. */
const growth = (of, factor) => {
  const out = shown.map((h, i) => i === 0 ? 0 : factor * (of(h.f) - of(shown[i - 1].f)) / (h.t - shown[i - 1].t));
  if (out.length > 1) out[0] = out[1];
  return out;
};
/** Growth over about the last wall second. */
let before = null, latest = null;
function bounds() {
  latest = past[past.length - 1];
  let i = past.length - 1;
  while (i > 0 && latest.wall - past[i].wall < 0.9) --i;
  before = past[i];
}
const lately = of => latest && latest.t > before.t ? (of(latest.f) - of(before.f)) / (latest.t - before.t) : 0;

// -- topology -------------------------------------------------------------------------------------------

/** The name of a port, whatever part of it a queue is. */
const portOf = name => String(name).replace(/(-tx|\.in)$/, '');
const short = bps => rate(bps).replace('bit/s', '').trim();

function topology() {
  const drawn = topologyPicture(about.picture, object(about.topology).links);
  if (!drawn) return () => {};
  const into = section('topology', 'Topology', 'as of the last second');
  into.append(drawn.holder, el('div', {class: 'legend'},
    el('span', {}, el('i', {style: 'background:linear-gradient(90deg,var(--line),var(--accent))'}), 'how full a link is'),
    el('span', {}, el('i', {style: 'background:var(--band)'}), 'paused: its sender is held'),
    el('span', {}, el('i', {style: 'background:#b3261e'}), 'packets lost, or no light')));
  // The colours of the legend mean something else here, and the page has a heading. What is left may be
  // larger, and on a narrow screen one scrolls.
  const svg = drawn.svg;
  for (const path of svg.querySelectorAll('path.link:not([data-a])')) {
    if (path.nextElementSibling) path.nextElementSibling.remove();
    path.remove();
  }
  for (const title of svg.querySelectorAll('text.title')) title.remove();
  const ground = svg.querySelector('.bg');
  if (ground) ground.remove();
  const box = svg.getBBox(), room = 22;
  if (box.width > 0) {
    svg.setAttribute('viewBox', [box.x - room, box.y - room, box.width + 2 * room, box.height + 2 * room].join(' '));
    const wide = box.width + 2 * room;
    svg.style.width = wide > 3000 ? `${wide}px` : `min(100%, ${Math.round(1.5 * wide)}px)`;
    svg.style.minWidth = `${Math.round(Math.min(wide, 3000) * 0.8)}px`;
    svg.style.display = 'block';
    svg.style.margin = '0 auto';
    svg.removeAttribute('width');
    svg.removeAttribute('height');
  }
  const index = new Map(names.components.map((c, i) => [c.name, i]));
  const labelled = drawn.links.length <= 60;
  const pausesAt = new Map();
  const note = (key, i) => pausesAt.set(key, [...(pausesAt.get(key) || []), i]);
  names.pauses.forEach((p, i) => { note(`${portOf(p.on)} ${portOf(p.holds)}`, i); note(nodeOf(p.on), i); });
  const links = drawn.links.map(l => {
    const length = l.path.getTotalLength(), begin = l.path.getPointAtLength(0), end = l.path.getPointAtLength(length);
    const level = Math.abs(begin.y - end.y) < 8, aLower = level ? begin.x < end.x : begin.y > end.y;
    const middle = l.path.getPointAtLength(length * (level ? 0.5 : aLower ? 0.4 : 0.6));
    const text = svgNode('text', {x: middle.x, y: middle.y, 'text-anchor': 'middle', class: 'small',
      style: 'font-variant-numeric:tabular-nums'});
    const rows = [svgNode('tspan', {x: middle.x, dy: -3}), svgNode('tspan', {x: middle.x, dy: 13})];
    text.append(...rows);
    const plate = svgNode('rect', {class: 'plate', rx: 3});
    const held = svgNode('path', {d: l.path.getAttribute('d'), fill: 'none', 'stroke-dasharray': '7 6', 'stroke-linecap': 'round'});
    held.style.display = 'none';
    l.path.after(held);
    if (labelled) drawn.svg.append(plate, text);
    return {...l, level, aLower, middle, rows, plate, text, held, there: index.get(`${l.a}->${l.b}`), back: index.get(`${l.b}->${l.a}`)};
  });
  const used = (l, i) => i == null ? [0, 0] : [
    8 * lately(f => f.components.out_bytes[i]),
    lineUse(lately(f => f.components.out_bytes[i]), lately(f => f.components.out[i]), l.rate, 1)];
  const pausedShare = key => Math.min(1, (pausesAt.get(key) || []).reduce((most, i) =>
    Math.max(most, lately(f => f.pauses.paused_ps[i]) / 1e12), 0));
  return () => {
    const down = current.changes.filter(c => object(c.what).link && !ended(c) && clock >= c.at_seconds)
      .map(c => String(c.what.link).split('--').map(end => end.trim()));
    // An end is named by its port, or by its node if that leaves no doubt.
    const is = (end, port) => end === port || end === nodeOf(port);
    const lost = {};
    for (const d of list(latest.f.drops)) {
      const where = d.component.includes('->') ? d.component : nodeOf(d.component);
      lost[where] = number(lost[where]) + number(d.packets);
    }
    for (const node of drawn.nodes) {
      node.below(lost[node.name] ? `-${count(lost[node.name])}` : '');
      const s = pausedShare(node.name);
      node.above(s >= 0.005 ? `held ${s > 0.99 ? '>99' : Math.round(100 * s)}%` : '');
    }
    for (const l of links) {
      const [there, thereUse] = used(l, l.there), [back, backUse] = used(l, l.back), most = Math.min(1, Math.max(thereUse, backUse));
      const cut = number(lost[`${l.a}->${l.b}`]) + number(lost[`${l.b}->${l.a}`]);
      const isDown = down.some(([x, y]) => is(x, l.a) && is(y, l.b) || is(x, l.b) && is(y, l.a));
      l.path.style.strokeWidth = String(1.4 + 4.6 * most);
      l.path.style.stroke = isDown ? '#b3261e' : `color-mix(in srgb, ${style('--accent')} ${Math.round(25 + 75 * Math.sqrt(most))}%, ${style('--soft')})`;
      l.path.style.strokeDasharray = isDown ? '2 6' : '';
      const s = Math.max(pausedShare(`${l.b} ${l.a}`), pausedShare(`${l.a} ${l.b}`));
      l.held.style.display = s >= 0.01 ? '' : 'none';
      l.held.style.stroke = style('--band');
      l.held.style.strokeWidth = String(1.5 + 2.5 * s);
      l.note(`; ${l.a} to ${l.b} ${rate(there)} (${share(thereUse)} full), back ${rate(back)} (${share(backUse)} full)`
        + (s ? `; paused ${share(s)} of the time` : '') + (cut ? `; ${count(cut)} packets lost on it` : ''));
      if (!labelled) continue;
      const [up, downward] = l.aLower ? [there, back] : [back, there];
      const texts = isDown ? ['down', ''] : [up > 0 ? `${l.level ? '\u2192' : '\u2191'}${short(up)}` : '', downward > 0 ? `${l.level ? '\u2190' : '\u2193'}${short(downward)}` : ''];
      if (l.shown === texts.join()) continue;
      l.shown = texts.join();
      l.rows.forEach((row, i) => { row.textContent = texts[i]; });
      const wide = Math.max(...texts.map(x => x.length)) * 6.3 + 6;
      const first = texts[0] ? 0 : 13, high = (texts[0] ? 13 : 0) + (texts[1] ? 13 : 0);
      for (const [k, v] of Object.entries({x: l.middle.x - wide / 2, y: l.middle.y - 14 + first, width: high ? wide : 0, height: high + (high ? 3 : 0)}))
        l.plate.setAttribute(k, v);
    }
  };
}

// -- plots ------------------------------------------------------------------------------------------------

function plots() {
  const chooser = el('select', {'aria-label': 'How much is shown', change: () => { windowSeconds = Number(chooser.value); draw(true); }},
    [[10, '10 s'], [30, '30 s'], [60, '60 s']].map(([v, t]) => el('option', {value: v, selected: v === windowSeconds}, `last ${t} of wall clock`)));
  const updates = [], best = [];
  let seen = '';
  const add = (id, title, note, items, weight, o, button) => {
    if (!items.length) return;
    const into = section(id, title, note, button);
    const update = pickedPlot(into, id, [0], items, o);
    updates.push((x, again) => {
      if (o.hides) {
        into.hidden = !items.some((item, i) => weight(i) > 0);
        if (into.hidden) return;
      }
      const order = again ? items.map((item, i) => [weight(i), i]).sort((a, b) => b[0] - a[0]).slice(0, 8)
        .filter(([w], k) => w > 0 || k === 0).map(([, i]) => items[i]) : null;
      update(x, order);
    });
  };
  const byComponent = kinds => names.components.map((c, i) => [c, i]).filter(([c]) => kinds(c));
  const links = byComponent(c => c.kind === 'link');
  add('ports', 'Throughput by port', 'bits on the way of a link, frames without preamble and gap',
    links.map(([c, i]) => ({name: c.name, lines: () => [{name: c.name, values: growth(f => f.components.out_bytes[i], 8)}]})),
    k => latest.f.components.out_bytes[links[k][1]] - shown[0].f.components.out_bytes[links[k][1]], {show: rate, steps: true}, chooser);
  add('throughput', 'Throughput by flow', 'delivered',
    names.flows.map((name, i) => ({name, lines: () => [{name, values: growth(f => f.flows.delivered_bytes[i], 8)}]})),
    i => latest.f.flows.delivered_bytes[i] - shown[0].f.flows.delivered_bytes[i], {show: rate, steps: true});
  const queues = byComponent(c => !['link', 'producer', 'consumer'].includes(c.kind));
  add('queues', 'Queue depth', 'what waits, with the thresholds at which it stops and starts its sender',
    queues.map(([c, i]) => ({name: c.name, lines: () => {
      const values = shown.map(h => h.f.components.waiting_bytes[i]), high = Math.max(0, ...values);
      const lines = [{name: c.name, values, colour: parts.colour(0)}];
      const mark = (key, name, n) => {
        if (c[key] >= 0 && c[key] <= 8 * high)
          lines.push({name: `${name} ${bytes(c[key])}`, values: shown.map(() => c[key]), dash: [6, 4], colour: parts.colour(n)});
      };
      mark('start_bytes', 'start', 2);
      mark('stop_bytes', 'stop', 1);
      mark('capacity_bytes', 'capacity', 6);
      return lines;
    }})), k => shown.reduce((most, h) => Math.max(most, h.f.components.waiting_bytes[queues[k][1]]), 0),
    {show: bytes, incrs: powers, one: true, chosen: 1});
  add('losses', 'Packets lost', 'sum since the begin, by component',
    names.components.map((c, i) => ({name: c.name, lines: () => [{name: c.name, values: shown.map(h => h.f.components.dropped[i])}]})),
    i => latest.f.components.dropped[i], {show: n => count(Math.round(n)), incrs: whole, hides: true});

  let bands = null;
  if (names.pauses.length) {
    const into = section('pauses', 'Senders held', 'the darker, the larger the share of the time');
    const rows = names.pauses.map((p, i) => ({name: `${p.on}${p.priority >= 0 ? ` p${p.priority}` : ''}`, holds: p.holds, i,
      shares: () => growth(f => f.pauses.paused_ps[i], 1e-12).slice(1), sum: () => latest.f.pauses.paused_ps[i] / 1e12}));
    const span = () => ({from: shown.length ? shown[0].t : 0, times: times().slice(1)});
    let update = null, order = [];
    bands = again => {
      if (again || !order.length)
        order = rows.filter(r => latest.f.pauses.paused_ps[r.i] > 0)
          .sort((a, b) => latest.f.pauses.paused_ps[b.i] - latest.f.pauses.paused_ps[a.i]);
      into.hidden = order.length === 0;
      if (!order.length) return;
      if (!update) update = bandPlot(into, order, span);
      else update(order);
    };
  }
  let chosenAt = -1e9;
  function draw(now) {
    choose();
    const likeBefore = `${shown.length} ${latest.t}`;
    if (likeBefore === seen && !now) return;
    seen = likeBefore;
    // Which are the busiest is found out every few seconds: lines that come and go cannot be read.
    const again = performance.now() - chosenAt > 5000 || shown.length < 8;
    if (again) chosenAt = performance.now();
    const x = times();
    for (const u of updates) u(x, again);
    if (bands) bands(again);
  }
  return draw;
}

// -- how full the queues are ----------------------------------------------------------------------------

function fills() {
  const limits = names.components.map((c, i) => ({name: c.name, i, of: c.capacity_bytes ?? c.stop_bytes, stop: c.stop_bytes, start: c.start_bytes}))
    .filter(q => q.of > 0);
  if (!limits.length) return () => {};
  const into = section('fill', 'Queue fill', 'what waits of what fits; orange: full, or so full that it stops its sender; red: loses packets; marks: where it stops and starts its sender');
  const grid = el('div', {class: 'fills'}), size = parts.narrow() ? 10 : 16;
  let wanted = '', order = [], sortedAt = -1e9;
  if (limits.length > size)
    into.querySelector('.head').append(el('input', {type: 'search', placeholder: `Filter ${count(limits.length)} queues`, 'aria-label': 'Filter',
      input: e => { wanted = e.target.value.toLowerCase(); sortedAt = -1e9; draw(); }}));
  const empty = el('p', {class: 'soft small'}, 'Nothing waits.');
  into.append(grid, empty);
  let rows = [];
  const waits = q => latest.f.components.waiting_bytes[q.i];
  function draw() {
    if (performance.now() - sortedAt > 2000 || current.over) {
      sortedAt = performance.now();
      order = limits.filter(q => wanted === '' ? waits(q) > 0 : q.name.toLowerCase().includes(wanted))
        .map(q => [q, waits(q) / q.of]).sort((a, b) => b[1] - a[1]).slice(0, size).map(([q]) => q);
      set(empty, 'hidden', order.length > 0);
      if (rows.length !== order.length) {
        rows = order.map(() => ({label: el('span', {class: 'label'}), sum: el('span', {class: 'sum'}), bar: el('i'),
          stop: el('b'), start: el('b', {class: 'start'})}));
        grid.replaceChildren(...rows.flatMap(r => {
          r.fill = el('div', {class: 'fill'}, r.bar, r.start, r.stop);
          return [r.label, r.sum, r.fill];
        }));
      }
    }
    order.forEach((q, k) => {
      const r = rows[k], n = waits(q), full = Math.min(1, n / q.of);
      set(r.label, 'textContent', q.name);
      set(r.label, 'title', q.name);
      set(r.sum, 'textContent', `${bytes(n)} of ${bytes(q.of)}`);
      set(r.fill, 'className', `fill${lately(f => f.components.dropped[q.i]) > 0 ? ' losing'
        : full >= 0.97 || q.stop >= 0 && n >= q.stop ? ' stopped' : ''}`);
      set(r.bar.style, 'width', `${(100 * full).toFixed(1)}%`);
      for (const [mark, at] of [[r.stop, q.stop], [r.start, q.start]]) {
        set(mark, 'hidden', !(at >= 0 && at < q.of));
        if (!mark.hidden) set(mark.style, 'left', `${(100 * at / q.of).toFixed(1)}%`);
      }
    });
  }
  return draw;
}

// -- tables -----------------------------------------------------------------------------------------------

function tables() {
  const flows = names.flows.map((name, i) => ({name, i}));
  const of = key => f => latest.f.flows[key][f.i];
  const time = v => v > 0 ? duration(v / 1e9) : '-';
  const update = table(section('flows', 'Flows'), 'flows', [
    {name: 'flow', of: f => f.name, left: true},
    {name: 'made', of: of('made'), show: count},
    {name: 'delivered', of: of('delivered'), show: (n, f) => `${count(n)} (${part(n, of('made')(f))})`},
    {name: 'dropped', of: of('dropped'), show: count, mark: f => of('dropped')(f) > 0 ? 'bad' : ''},
    {name: 'now', csv: 'delivered_bps', of: f => 8 * lately(x => x.flows.delivered_bytes[f.i]), show: rate},
    {name: 'p50', csv: 'latency_p50_ns', of: of('p50_ns'), show: time},
    {name: 'p99', csv: 'latency_p99_ns', of: of('p99_ns'), show: time},
  ], flows);
  const lost = section('drops', 'Where packets were lost');
  lost.hidden = true;
  const losses = table(lost, 'drops', [
    {name: 'component', of: d => d.component, left: true},
    {name: 'reason', of: d => d.reason, left: true},
    {name: 'priority', of: d => d.priority},
    {name: 'packets', of: d => number(d.packets), show: count},
  ], []);
  return () => {
    update(flows);
    lost.hidden = list(latest.f.drops).length === 0;
    losses([...list(latest.f.drops)].sort((a, b) => b.packets - a.packets));
  };
}

// -- all of it, a few times a second ------------------------------------------------------------------------

const offline = el('div', {id: 'offline', role: 'status', hidden: true}, 'The program does not answer. It may have ended.');
document.body.append(offline);
if (!token()) askForToken(false);

let current = null, since = 0, draw = () => {}, showChanges = () => {};
redraw();

for (;;) {
  const begun = performance.now();
  try {
    const state = await get(`/api/state?since=${since}`);
    offline.hidden = true;
    // What is fixed is asked for when there is something of it.
    if (state.figures && !names) {
      names = await get('/api/names');
      remember(state.figures);
      bounds();
      choose();
      current = state;
      const drawers = [topology()];
      forms();
      showChanges = changesTable();
      drawers.push(fills(), plots(), tables());
      const links = contents.map(([id, title]) => [document.getElementById(id), el('a', {href: `#${id}`}, title)]);
      nav.append(...links.map(([, link]) => link));
      drawers.push(() => { for (const [part, link] of links) set(link, 'hidden', part.hidden); });
      draw = () => { for (const d of drawers) d(); };
      dark.addEventListener('change', () => draw());
    }
    if (state.figures) {
      remember(state.figures);
      bounds();
    }
    since = state.snapshot;
    current = state;
    if (latest) {
      clock = latest.t;
      showHead(state, latest.f, lately(f => f.bytes.delivered) * 8);
      showChanges(list(state.changes), state.over);
      if (state.figures) draw();
      page.dataset.ready = 'yes';
    }
    page.dataset.over = state.over ? 'yes' : 'no';
  } catch (e) {
    offline.hidden = false;
    await pause(1500);
  }
  const took = performance.now() - begun;
  // Nobody looks at a page in the background, and nothing comes any more from a run that is over.
  await pause(document.hidden || (current && current.over) ? 2000 : Math.max(250, 3 * took));
}
})();
