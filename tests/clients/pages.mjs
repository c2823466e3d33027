// The pages in a real browser.
//
//   node pages.mjs walk URL TOKEN          people's ways through the pages
//   node pages.mjs check URL PATH...       each page: accessible, narrow, and on its own
//   node pages.mjs attack URL PATH...      each page: shows hostile text and runs no script
//   node pages.mjs pictures URL FOLDER NAME=PATH...

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium } from 'playwright-core';

const [task, base, ...rest] = process.argv.slice(2);
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const executablePath = execFileSync('sh', ['-c', 'command -v chromium'], { encoding: 'utf8' }).trim();
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
const looks = [1280, 320].flatMap((width) =>
    ['light', 'dark'].map((colorScheme) => ({ width, colorScheme })));

async function open(path, { width = 1280, colorScheme = 'light', ...more } = {}) {
    const context = await browser.newContext({
        viewport: { width, height: 900 }, colorScheme, ...more,
    });
    const page = await context.newPage();
    page.seen = { requests: [], errors: [] };
    page.on('request', (request) => page.seen.requests.push(request.url()));
    page.on('console', (message) => message.type() === 'error' && page.seen.errors.push(message.text()));
    page.on('dialog', (dialog) => page.seen.errors.push(dialog.message()));
    page.on('pageerror', (error) => page.seen.errors.push(error.message));
    if (path) await page.goto(base + path);
    return page;
}

const tasks = {
    async walk([token]) {
        const page = await open('/');
        const at = (path) => assert.equal(page.url(), base + path);
        const heading = async (text) => assert.equal(await page.textContent('h1'), text);
        // By keyboard alone.
        await page.focus('#search');
        await page.keyboard.type('OPEN g/');
        await page.keyboard.press('Enter');
        await page.waitForURL('**/?search=OPEN+g%2F');
        assert.equal(await page.locator('.projects li').count(), 1);
        await page.focus('.projects a');
        await page.keyboard.press('Enter');
        await page.waitForURL('**/g/open');
        await heading('g/open');
        await page.click('article h2 a >> nth=0');
        await heading('Second');
        await page.click('text=its page');
        at('/g/open/-/releases/v2');
        const download = page.locator('.assets a').first();
        const response = await page.request.get(await download.getAttribute('href'), { maxRedirects: 0 });
        assert.equal(response.headers().location, 'https://e.com/0');

        await page.goto(base + '/g/closed/-/releases/v1');
        at('/-/sign_in?return_to=%2Fg%2Fclosed%2F-%2Freleases%2Fv1');
        await page.fill('#token', 'glpat-wrong');
        await page.keyboard.press('Enter');
        await page.waitForSelector('[role=alert]');
        await page.fill('#token', token);
        await page.click('main button');
        await page.waitForURL('**/g/closed/-/releases/v1');
        await heading('v1');
        const [cookie] = await page.context().cookies();
        assert.deepEqual([cookie.httpOnly, cookie.sameSite, cookie.expires], [true, 'Lax', -1]);
        await page.click('text=Sign out');
        at('/');
        await page.goto(base + '/g/closed');
        await heading('Sign in');
        assert.deepEqual(page.seen.errors.filter((text) => !/status of 4/.test(text)), []);
    },

    async check(paths) {
        for (const path of paths) for (const look of looks) {
            const where = `${path} ${look.width} ${look.colorScheme}`;
            const page = await open(path, look);
            const wide = await page.evaluate(() => document.documentElement.scrollWidth > innerWidth);
            assert.ok(!wide, `${where} scrolls sideways`);
            assert.deepEqual(page.seen.errors.filter((text) => !text.includes('status of 404')), [], where);
            for (const url of page.seen.requests) assert.ok(url.startsWith(base + '/'), `${where}: ${url}`);
            assert.equal(await page.locator('h1').count(), 1, where);
            await page.context().close();

            // axe is a script, which the pages allow none of.
            const relaxed = await open(path, { ...look, bypassCSP: true });
            await relaxed.addScriptTag({ content: axe });
            const { violations } = await relaxed.evaluate(() => axe.run());
            const found = violations.map(({ id, nodes }) => `${id}: ${nodes[0].html}`);
            assert.deepEqual(found, [], where);
            await relaxed.context().close();
        }
    },

    async attack(paths) {
        const written = new Set(
            ('html head meta title link style body header a form span button main footer nav h1 h2 h3 h4 h5 ' +
             'h6 p time div section ul ol li pre code details summary img article strong em del ' +
             'blockquote table thead tbody tr th td hr br input sup label svg g rect text clippath').split(' '));
        for (const path of paths) {
            const page = await open(path);
            const elements = await page.evaluate(() => [...document.querySelectorAll('*')].map((one) =>
                [one.localName, ...one.getAttributeNames(), one.getAttribute('href') ?? '', one.getAttribute('src') ?? '']));
            for (const [name, ...attributes] of elements) {
                assert.ok(written.has(name.toLowerCase()), `${path}: <${name}>`);
                for (const attribute of attributes) {
                    assert.ok(!/^(on|style$|srcdoc|formaction)/.test(attribute), `${path}: ${attribute}`);
                    assert.ok(!/^\s*(javascript|data|vbscript):/i.test(attribute), `${path}: ${attribute}`);
                }
            }
            assert.equal(await page.evaluate(() => window.attacked), undefined, path);
            const refused = page.seen.errors.filter((text) => !/status of 4|net::ERR/.test(text));
            assert.deepEqual(refused, [], path);
            await page.context().close();
        }
    },

    async pictures([folder, ...named]) {
        for (const [name, path] of named.map((one) => one.split('='))) for (const look of looks) {
            const page = await open(path, { ...look });
            await page.setViewportSize({ width: look.width, height: look.width === 320 ? 640 : 800 });
            await page.screenshot({ path: `${folder}/${name}-${look.width}-${look.colorScheme}.png` });
            await page.context().close();
        }
    },
};

try {
    await tasks[task](rest);
} finally {
    await browser.close();
}
