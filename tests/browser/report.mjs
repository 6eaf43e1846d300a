// Opens DIR/report.html as a file, with no network, and compares what it shows with the run's
// summary.json, or DIR/sweep.html with sweep.json; takes pictures at two widths in light and dark.
//
//     npm ci && node report.mjs DIR [FOLDER FOR PICTURES]
//
// Exit code 0 if all is well. CHROMIUM names the browser, if it is not /usr/bin/chromium.
import {chromium} from 'playwright-core';
import {existsSync, mkdirSync, readFileSync} from 'node:fs';
import {basename, join, resolve} from 'node:path';
import {pathToFileURL} from 'node:url';

const [folder, pictures] = process.argv.slice(2);
if (!folder) {
  console.error('usage: node report.mjs DIR [FOLDER FOR PICTURES]');
  process.exit(2);
}
const swept = existsSync(join(folder, 'sweep.json'));
const summary = JSON.parse(readFileSync(join(folder, swept ? 'sweep.json' : 'summary.json'), 'utf8'));
const address = pathToFileURL(resolve(folder, swept ? 'sweep.html' : 'report.html')).href;
const wrong = [];
const check = (holds, what) => { if (!holds) wrong.push(what); };

async function checkRun(page, text, at) {
  const plain = s => s.replace(/,/g, '');
  for (const key of ['made', 'delivered', 'dropped'])
    check(plain(await text(key)) === String(summary.packets[key]), `${at}: ${key} is ${await text(key)}`);
  check(await text('fingerprint') === summary.fingerprint, `${at}: the fingerprint`);
  check(await text('seed') === String(summary.seed), `${at}: the seed`);
  const failed = summary.expect.filter(e => !e.ok).length;
  const word = summary.violations.length || failed ? 'FAILED' : summary.interrupted ? 'INTERRUPTED' : 'OK';
  check(await text('verdict') === word, `${at}: the verdict is ${await text('verdict')}`);
  const flows = Object.keys(summary.flows);
  if (flows.length) {
    const rows = await page.locator('#table-flows tbody tr').count();
    check(rows === Math.min(20, flows.length), `${at}: ${rows} rows for ${flows.length} flows`);
    const shown = await page.locator('#table-flows').innerText();
    check(flows.length > 20 || flows.every(f => shown.includes(f)), `${at}: a flow is missing`);
  }
  const set = (summary.set || []).map(s => `--set ${s}`);
  check(JSON.stringify(await page.locator('#set li').allInnerTexts()) === JSON.stringify(set),
    `${at}: what was set is ${await page.locator('#set li').allInnerTexts()}`);
  const taps = summary.taps || [];
  check(await page.locator('#table-taps tbody tr').count() === Math.min(20, taps.length), `${at}: the taps`);
  for (const link of await page.locator('#table-taps a').all())
    check(existsSync(new URL(await link.getAttribute('href'), address)), `${at}: ${await link.innerText()} is not there`);
  const links = await page.locator('#table-taps a').count();
  check(links === Math.min(20, taps.filter(t => existsSync(join(folder, basename(t.file))) || existsSync(t.file)).length),
    `${at}: ${links} links to files of taps`);
}

async function checkSweep(page, text, at) {
  const points = summary.points;
  check((await text('points-run')).replace(/,/g, '') === String(points.length), `${at}: the number of points`);
  const word = points.some(p => !['ok', 'interrupted'].includes(p.verdict)) ? 'FAILED'
    : summary.interrupted ? 'INTERRUPTED' : 'OK';
  check(await text('verdict') === word, `${at}: the verdict is ${await text('verdict')}`);
  const rows = await page.locator('#table-points tbody tr').allInnerTexts();
  check(rows.length === Math.min(20, points.length), `${at}: ${rows.length} rows for ${points.length} points`);
  rows.forEach((row, i) => check(points[i].values.every(v => row.includes(v)), `${at}: row ${i + 1} is ${row}`));
  // What is chosen is what is saved: the first plot, with delivered packets, over every key.
  const figure = await page.locator('#figure-0 option').evaluateAll(all => all.findIndex(o => o.text === 'packets delivered'));
  await page.selectOption('#figure-0', String(figure));
  for (let k = 0; k < summary.keys.length; ++k) {
    if (summary.keys.length > 1) await page.selectOption('#choose-x', String(k));
    const [saved] = await Promise.all([page.waitForEvent('download'), page.click('[data-csv=figure-0]')]);
    const lines = readFileSync(await saved.path(), 'utf8').trim().split('\n');
    check(lines.length === 1 + summary.keys[k].values.length, `${at}: ${lines.length} lines over ${summary.keys[k].path}`);
    const first = points.find(p => p.point === 1);
    if (first && first.verdict !== 'interrupted' && first.fingerprint)
      check(lines.slice(1).some(l => l.split(',')[1] === String(first.delivered)), `${at}: the first point over ${summary.keys[k].path}`);
  }
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--headless', '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run',
    '--disable-background-networking', '--disable-component-update', '--disable-sync']});
try {
  for (const width of [1280, 390])
    for (const colorScheme of ['light', 'dark']) {
      const at = `${width} px, ${colorScheme}`;
      const context = await browser.newContext({viewport: {width, height: 900}, colorScheme, offline: true});
      const page = await context.newPage();
      page.on('console', m => { if (['error', 'warning'].includes(m.type())) wrong.push(`${at}: console: ${m.text()}`); });
      page.on('pageerror', e => wrong.push(`${at}: ${e}`));
      page.on('request', r => { if (!/^(file|data|blob):/.test(r.url())) wrong.push(`${at}: asks for ${r.url()}`); });
      const begin = Date.now();
      await page.goto(address);
      await page.waitForSelector('body [data-ready=yes], main[data-ready=yes]', {timeout: 30000});
      const took = Date.now() - begin;
      const text = id => page.locator(`#${id}`).innerText();
      await (swept ? checkSweep : checkRun)(page, text, at);
      for (const plot of await page.locator('.plot').all())
        check(await plot.locator('canvas').count() === 1, `${at}: a plot without a picture`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      check(wide <= 0, `${at}: the page is ${wide} px too wide`);
      // Every plot and table gives its figures.
      const saves = await page.locator('[data-csv]').count();
      for (let i = 0, from; i < saves; ++i) {
        // Ten downloads are as many as Chromium lets a page make without asking.
        if (i % 8 === 0) {
          if (from) await from.close();
          from = await context.newPage();
          await from.goto(address);
          await from.waitForSelector('body [data-ready=yes], main[data-ready=yes]', {timeout: 30000});
        }
        const button = from.locator('[data-csv]').nth(i);
        const [download] = await Promise.all([from.waitForEvent('download'), button.click()]);
        const lines = readFileSync(await download.path(), 'utf8').trim().split('\n');
        check(lines.length > 1 && lines[0].includes(',') , `${at}: ${await button.getAttribute('data-csv')}.csv has no rows`);
      }
      for (const picker of await page.locator('details.picker').all())
        await picker.evaluate(d => { d.open = true; });
      check(await page.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth),
        `${at}: the page is too wide with open pickers`);
      for (const picker of await page.locator('details.picker').all())
        await picker.evaluate(d => { d.open = false; });
      if (pictures) {
        mkdirSync(pictures, {recursive: true});
        await page.screenshot({path: join(pictures, `${width}-${colorScheme}.png`), fullPage: true});
      }
      console.log(`${at}: drawn in ${took} ms, ${saves} CSV files`);
      await context.close();
    }
} finally {
  await browser.close();
}
for (const line of wrong) console.error(line);
console.log(wrong.length ? `${wrong.length} things are wrong` : 'all is well');
process.exit(wrong.length ? 1 : 0);
