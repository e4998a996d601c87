// Drives the gateway's page in headless Chromium. Usage: node page.cjs URL FOLDER
// Prints a line for each step that holds; reads a line where the gateway is to be restarted.
// NODE_PATH holds the folder that playwright-core is installed in.
'use strict';
const readline = require('readline');
const { chromium } = require('playwright-core');

const [url, folder] = process.argv.slice(2);
const say = (line) => process.stdout.write(line + '\n');
const LIMIT_MS = 20000;
const LOOK_MS = 50;
// Polls from outside: the page allows no eval, which playwright's own waiting needs.
async function until(page, holds, argument) {
  const end = Date.now() + LIMIT_MS;
  while (!(await page.evaluate(holds, argument))) {
    if (Date.now() > end) throw new Error(`waited in vain: ${holds}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}
const time = (page) => page.evaluate(() => document.getElementById('player').currentTime);
const later = (page, than) =>
  until(page, (t) => document.getElementById('player').currentTime > t, than);

async function run() {
  const browser = await chromium.launch({
    executablePath: '/usr/bin/chromium',
    args: ['--no-sandbox', '--autoplay-policy=no-user-gesture-required', '--mute-audio'],
  });
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => {
    if (message.text().includes('Content Security Policy')) problems.push(message.text());
  });
  await page.goto(url);
  await until(page, () => document.querySelector('#tracks button') !== null);

  // By keyboard alone: to the first track, and play it.
  await page.focus('#tracks button');
  await page.keyboard.press('Enter');
  await later(page, 1);
  say('plays');
  await page.evaluate(() => { document.getElementById('player').currentTime = 15; });
  await later(page, 16);
  say('seeks');
  await page.focus('#toggle');
  await page.keyboard.press('Enter');
  const paused = await time(page);
  await until(page, () => document.getElementById('player').paused);
  await page.keyboard.press('Enter');
  await later(page, paused + 0.3);
  say('pauses');
  await until(page, () => document.getElementById('trace').childElementCount > 0 &&
    document.getElementById('edges').childElementCount > 0 &&
    document.getElementById('offload').textContent.includes('%'));
  say('shows');

  // By keyboard: another policy and a limit, which the engine then says it has.
  await page.focus('#set-policy');
  await page.keyboard.type('15 s');
  await page.focus('#set-down');
  await page.keyboard.type('4000');
  await page.keyboard.press('Enter');
  await until(page, () => document.getElementById('settings-said').textContent === 'Applied.' &&
    document.getElementById('policy').textContent === 'spotify' &&
    document.getElementById('set-down').value === '4000');
  say('applies');

  // What a screen reader is told: each control has a name.
  const nameless = await page.evaluate(() => [...document.querySelectorAll(
    'button, input, select, canvas, [tabindex]')].filter((e) => e.offsetParent !== null &&
      !(e.textContent.trim() || e.labels?.length || e.getAttribute('aria-label') ||
        e.getAttribute('aria-labelledby'))).map((e) => e.outerHTML));
  if (nameless.length) problems.push('without a name: ' + nameless.join(' '));

  for (const [name, scheme, width, height] of [['light', 'light', 1280, 900], ['dark', 'dark', 1280, 900],
                                              ['phone', 'light', 375, 800]]) {
    await page.emulateMedia({ colorScheme: scheme });
    await page.setViewportSize({ width, height });
    await until(page, () => document.querySelector('#rates-text').textContent.includes('/s'));
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) problems.push(`${name}: ${wide} pixels wider than the screen`);
    await page.screenshot({ path: `${folder}/${name}.png`, fullPage: true });
  }
  say('fits');

  say('restart');
  await new Promise((resolve) => readline.createInterface({ input: process.stdin }).once('line', resolve));
  await until(page, () => document.getElementById('link').textContent === 'connected');
  await page.evaluate(() => { document.getElementById('player').currentTime = 3; });
  await until(page, () => {
    const p = document.getElementById('player');
    return !p.paused && !p.error && p.currentTime > 4;
  });
  say('goes on');
  await browser.close();
  if (problems.length) throw new Error(problems.join('; '));
  say('done');
  process.exit(0);
}

run().catch((error) => {
  say('failed: ' + String(error).split('\n')[0]);
  process.exit(1);
});
