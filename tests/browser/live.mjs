// Starts a run on the real clock, opens its live page, holds it, changes its speed and the network, and
// compares what the page shows at the end with what --json printed; takes pictures at two widths in
// light and dark.
//
//     npm ci && node live.mjs PROGRAM SCENARIO SPEED [FOLDER FOR PICTURES]
//     node live.mjs ../../build/test/cli/sluice ../../scenarios/pfc-incast.yaml 0.002x pictures
//
// Exit code 0 if all is well. CHROMIUM names the browser, if it is not /usr/bin/chromium.
import {chromium} from 'playwright-core';
import {spawn} from 'node:child_process';
import {mkdirSync} from 'node:fs';
import {join} from 'node:path';

const [program, scenario, speed, pictures] = process.argv.slice(2);
if (!speed) {
  console.error('usage: node live.mjs PROGRAM SCENARIO SPEED [FOLDER FOR PICTURES]');
  process.exit(2);
}
const wrong = [];
const check = (holds, what) => { if (!holds) wrong.push(what); };
const plain = s => s.replace(/,/g, '');
if (pictures) mkdirSync(pictures, {recursive: true});

const run = spawn(program, ['run', scenario, '--speed', speed, '--serve=127.0.0.1:0', '--hold', '--json'],
  {stdio: ['ignore', 'pipe', 'pipe']});
let out = '', err = '';
run.stdout.on('data', d => { out += d; });
run.stderr.on('data', d => { err += d; });
const until = async (what, holds, patience = 60000) => {
  const end = Date.now() + patience;
  while (!await holds()) {
    if (Date.now() > end) throw new Error(`waited in vain for ${what}`);
    await new Promise(done => setTimeout(done, 50));
  }
};

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync']});
try {
  await until('the address', () => /live page at (\S+)/.test(err));
  const address = /live page at (\S+)/.exec(err)[1];
  const base = address.split('#')[0];

  // What a page shows of the state that the program has, once both are of the same snapshot.
  const open = async (width, colorScheme, name, at = address) => {
    const context = await browser.newContext({viewport: {width, height: 900}, colorScheme});
    const page = await context.newPage();
    page.where = `${name}, ${width} px, ${colorScheme}`;
    page.expected = 0;  // refusals that a test asks for: the browser puts each on the console
    page.on('console', m => {
      if (!['error', 'warning'].includes(m.type())) return;
      if (page.expected > 0 && /status of 4\d\d/.test(m.text())) { --page.expected; return; }
      wrong.push(`${page.where}: console: ${m.text()}`);
    });
    page.on('pageerror', e => wrong.push(`${page.where}: ${e}`));
    page.on('request', r => {
      if (!r.url().startsWith(base) && !/^(data|blob):/.test(r.url())) wrong.push(`${page.where}: asks for ${r.url()}`);
    });
    await page.goto(at);
    await page.waitForSelector('main[data-ready=yes]', {timeout: 30000});
    return page;
  };
  const picture = async (page, name) => {
    await page.evaluate(() => scrollTo(0, 0));
    await page.waitForTimeout(700);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    check(wide <= 0, `${page.where}: the page is ${wide} px too wide`);
    check(await page.locator('.plot canvas').count() >= 3, `${page.where}: plots are missing`);
    if (pictures) await page.screenshot({path: join(pictures, `${name}.png`), fullPage: true});
  };
  const text = (page, id) => page.locator(`#${id}`).innerText();

  const page = await open(1280, 'light', 'running');
  check(await page.evaluate(() => location.hash) === '', 'the token stays in the address');
  check(await text(page, 'verdict') === 'RUNNING', `it is ${await text(page, 'verdict')}`);
  await page.waitForTimeout(3500);
  await picture(page, '1280-light-running');

  // Hold: virtual time stands still. Go on: it does not.
  await page.click('#hold');
  await until('HELD', async () => await text(page, 'verdict') === 'HELD');
  await page.waitForTimeout(600);
  const stands = await text(page, 'time');
  await page.waitForTimeout(1200);
  check(await text(page, 'time') === stands, `virtual time goes on while the run is held: ${stands}, ${await text(page, 'time')}`);
  const held = await (await fetch(`${base}api/state`)).json();
  check(held.held === true, 'the state is not held');
  for (const key of ['made', 'delivered', 'dropped'])
    check(plain(await text(page, key)) === String(held.figures.packets[key]), `held: ${key} is ${await text(page, key)}`);
  await page.click('#hold');
  await until('RUNNING', async () => await text(page, 'verdict') === 'RUNNING');
  await until('virtual time', async () => await text(page, 'time') !== stands);

  // Speed.
  const times = Number.parseFloat(speed);
  await page.click('#slower');
  await until('half the speed', async () => await text(page, 'speed-now') === `${times / 2}x`);
  await page.fill('#speed', String(times));
  await page.click('#set-speed');
  await until('the speed', async () => await text(page, 'speed-now') === `${times}x`);

  // A change that the scenario cannot have is refused where it was asked for.
  page.expected = 1;
  await page.fill('#form-drain input[name=set]', 'nowhere.drain');
  await page.click('#form-drain button');
  await until('the refusal', async () => /is nothing that an event can set/.test(await page.locator('#form-drain .said').innerText()));
  // One that it can have is in the list, with a way to end it.
  const target = await page.locator('#drains option').last().getAttribute('value');
  await page.fill('#form-drain input[name=set]', target);
  await page.fill('#form-drain input[name=to]', '2Gbit');
  await page.click('#form-drain button');
  await until('an answer', async () => /^From/.test(await page.locator('#form-drain .said').innerText()), 10000)
    .catch(async () => wrong.push(`a change: ${await page.locator('#form-drain .said').innerText()}`));
  const changed = (await (await fetch(`${base}api/state`)).json()).changes;
  if (changed.length) {
    await until('the change', async () => (await page.locator('#table-changes').innerText()).includes(target));
    await page.click('#table-changes tbody button');
    await until('its end', async () => /(^|\s)over(\s|$)/.test(await page.locator('#table-changes').innerText()));
  }

  // Without the token nothing is changed, by nobody.
  for (const path of ['hold', 'go-on', 'speed', 'change', 'end']) {
    const reply = await fetch(`${base}api/${path}`, {method: 'POST', body: '{"times":1}'});
    check(reply.status === 401, `POST /api/${path} without a token: ${reply.status}`);
  }
  const stranger = await open(390, 'light', 'without a token', base);
  check(await stranger.locator('#token').isVisible(), 'nobody asks for the token');
  stranger.expected = 1;
  await stranger.click('#hold');
  await until('the refusal', async () => /needs the token/.test(await text(stranger, 'steer-said')));
  check(!(await (await fetch(`${base}api/state`)).json()).held, 'a stranger has held the run');
  await picture(stranger, '390-light-running');
  // By keyboard.
  await stranger.fill('#token', address.split('token=')[1]);
  await stranger.keyboard.press('Enter');
  await stranger.focus('#hold');
  await stranger.keyboard.press('Space');
  await until('HELD', async () => await text(stranger, 'verdict') === 'HELD');
  await stranger.keyboard.press('Space');
  await until('RUNNING', async () => await text(stranger, 'verdict') === 'RUNNING');
  await stranger.close();

  for (const [width, colorScheme] of [[1280, 'dark'], [390, 'dark']]) {
    const other = await open(width, colorScheme, 'running');
    await other.waitForTimeout(2500);
    await picture(other, `${width}-${colorScheme}-running`);
    await other.close();
  }

  // To the end, faster, and what --json printed.
  await page.fill('#speed', String(times * 20));
  await page.keyboard.press('Enter');
  await until('the end', () => out.trim().endsWith('}'), 180000);
  const summary = JSON.parse(out);
  await page.waitForSelector('main[data-over=yes]', {timeout: 10000});
  const compare = async p => {
    for (const key of ['made', 'delivered', 'dropped'])
      check(plain(await text(p, key)) === String(summary.packets[key]), `${p.where}: ${key} is ${await text(p, key)}`);
    check(plain(await text(p, 'still')) === String(summary.packets.held), `${p.where}: still on their way: ${await text(p, 'still')}`);
    check(await text(p, 'fingerprint') === summary.fingerprint, `${p.where}: the fingerprint`);
    check(await text(p, 'seed') === String(summary.seed), `${p.where}: the seed`);
    const failed = summary.violations.length || summary.expect.some(e => !e.ok);
    check(await text(p, 'verdict') === (failed ? 'FAILED' : 'OVER'), `${p.where}: the verdict is ${await text(p, 'verdict')}`);
    const table = await p.locator('#table-flows').innerText();
    for (const [name, f] of Object.entries(summary.flows).slice(0, 20))
      check(plain(table).includes(`${name}\t${f.made}\t${f.delivered}`), `${p.where}: ${name} is not in ${table}`);
    check(await p.locator('#hold').isDisabled(), `${p.where}: what is over can be held`);
    check((summary.changes || []).length === changed.length, `${p.where}: the summary has other changes`);
  };
  await compare(page);
  await picture(page, '1280-light-over');
  for (const [width, colorScheme] of [[1280, 'dark'], [390, 'light'], [390, 'dark']]) {
    const other = await open(width, colorScheme, 'over');
    await compare(other);
    await other.close();
  }
} catch (e) {
  wrong.push(`${e.stack || e}`);
} finally {
  await browser.close();
  run.kill('SIGTERM');
}
for (const line of wrong) console.error(line);
console.log(wrong.length ? `${wrong.length} things are wrong` : 'all is well');
process.exit(wrong.length ? 1 : 0);
