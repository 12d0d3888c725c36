import type { Locator } from '@playwright/test';
import { Account, PASSWORD, expect, open, test } from './support/test';
import { enterThroughPage, link, texts } from './support/chat';

const withoutScripts = (html: string): string => html.replace(/<script\b.*?<\/script>/gs, '');

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('one can log in, see the channels and read', async ({ server, page }) => {
    const admin = await Account.register(server, 'ada');
    const channel = await admin.createChannel('general', 'All of us');
    for (const text of ['one', 'two <b>&amp;', 'three']) await admin.post(channel, text);
    await page.goto('/channels/general');
    await expect(page).toHaveURL('/login?next=/channels/general');
    await enterThroughPage(page, 'Log in', 'ada', 'not the password');
    await expect(page.getByRole('alert')).toBeVisible();
    await enterThroughPage(page, 'Log in', 'ada', PASSWORD);
    await expect(page).toHaveURL('/channels/general');
    await expect(texts(page)).toHaveText(['one', 'two <b>&amp;', 'three']);
    await expect(texts(page).last()).toBeInViewport();
    await expect(page.getByText('All of us').first()).toBeVisible();
  });

  test('a wrong password is told, and the right one then works', async ({ server, page }) => {
    await Account.register(server, 'ada');
    await page.goto('/login');
    for (const name of ['ada', 'nobody']) {
      await enterThroughPage(page, 'Log in', name, 'not the password');
      await expect(page.getByRole('alert')).toHaveText("That username and password don't match.");
      expect(page.url()).not.toContain('not');
    }
    await enterThroughPage(page, 'Log in', 'ada', PASSWORD);
    await expect(page).toHaveURL('/');
  });

  test('one can register, join, leave and log out', async ({ server, page }) => {
    await (await Account.register(server, 'ada')).createChannel('general');
    await page.goto('/register');
    await enterThroughPage(page, 'Create account', 'mira', 'short');
    await expect(page.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
    await enterThroughPage(page, 'Create account', 'mira', PASSWORD);
    await expect(page).toHaveURL('/');
    await page.goto('/browse');
    await page.getByRole('button', { name: 'Join #general' }).click();
    await expect(page).toHaveURL('/channels/general');
    await expect(link(page, '#general')).toBeVisible();
    await page.goto('/browse');
    await page.getByRole('button', { name: 'Leave #general' }).click();
    await expect(link(page, '#general')).toBeHidden();
    await page.goto('/');
    await page.getByRole('button', { name: 'Log out' }).click();
    await expect(page).toHaveURL('/login?out');
    await page.goto('/browse');
    await expect(page).toHaveURL('/login?next=/browse');
  });
});

for (const colorScheme of ['light', 'dark'] as const) {
  test(`what one writes in has an edge, and shows that it has the focus, where it is ${colorScheme}`, async ({ server, signedIn, newBrowser }) => {
    const ada = await Account.register(server, 'ada');
    await ada.createChannel('general');
    const page = await open(await signedIn(ada, { colorScheme }), '/channels/general');
    const colours = (field: Locator): Promise<{ edge: string; contrast: number; accent: string }> =>
      field.evaluate((node) => {
        const context = document.createElement('canvas').getContext('2d', { willReadFrequently: true })!;
        const light = (colour: string): number => {
          context.fillStyle = colour;
          context.fillRect(0, 0, 1, 1);
          const [r, g, b] = [...context.getImageData(0, 0, 1, 1).data].map((it) => (it / 255 <= 0.04045 ? it / 255 / 12.92 : ((it / 255 + 0.055) / 1.055) ** 2.4));
          return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
        };
        let around = node.parentElement!;
        while (getComputedStyle(around).backgroundColor === 'rgba(0, 0, 0, 0)') around = around.parentElement!;
        const edge = getComputedStyle(node).borderTopColor;
        const [a, b] = [light(edge), light(getComputedStyle(around).backgroundColor)];
        const probe = document.body.appendChild(document.createElement('i'));
        probe.style.color = 'var(--accent)';
        const accent = getComputedStyle(probe).color;
        probe.remove();
        return { edge, contrast: (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05), accent };
      });
    const check = async (field: Locator): Promise<void> => {
      await field.blur();
      expect((await colours(field)).contrast, 'of its edge with what is around it').toBeGreaterThanOrEqual(3);
      await field.focus();
      const { edge, accent } = await colours(field);
      expect(edge).toBe(accent);
    };
    await page.getByRole('button', { name: 'Create channel' }).click();
    await check(page.getByRole('dialog', { name: 'Create channel' }).getByRole('textbox', { name: 'Name' }));
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'New direct message' }).click();
    await check(page.getByRole('dialog').getByRole('searchbox', { name: 'Search people' }).or(page.getByRole('dialog').getByPlaceholder('Search people')));
    await page.goto('/browse');
    await check(page.getByPlaceholder('Search channels'));
    await page.goto('/admin/people');
    await check(page.getByRole('searchbox', { name: 'Search people' }));
    const out = await (await newBrowser({ colorScheme })).newPage();
    await out.goto('/login');
    for (const name of ['Username', 'Password']) await check(out.getByLabel(name));
  });
}

test('where colours are forced, the focus and the open conversation are still seen', async ({ server, signedIn }) => {
  const ada = await Account.register(server, 'ada');
  await ada.createChannel('general');
  const page = await open(await signedIn(ada, { forcedColors: 'active' }), '/channels/general');
  const field = page.getByRole('textbox', { name: 'Message #general' });
  await field.focus();
  for (const element of [field, link(page, '#general')]) {
    await expect(element).toHaveCSS('outline-style', 'solid');
    await expect(element).toHaveCSS('outline-width', '2px');
  }
});

test('the HTML itself holds the channels and the newest messages', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const channel = await admin.createChannel('general', 'All of us');
  await admin.createChannel('random');
  for (let n = 1; n <= 60; n++) await admin.post(channel, `message <${n}>`);
  const { request } = await signedIn(admin);
  const answer = await request.get('/channels/general', { headers: { accept: 'text/html' } });
  expect(answer.status()).toBe(200);
  const html = withoutScripts(await answer.text());
  expect(html).toMatch(/aria-label="#random"/);
  expect(html).toContain('message &lt;60&gt;');
  expect(html.indexOf('message &lt;59&gt;')).toBeLessThan(html.indexOf('message &lt;60&gt;'));
  expect(html).toContain('All of us');
  expect(withoutScripts(await (await request.get('/browse')).text())).toContain('Leave #random');
});

test('pages are never stored and run no script but their own', async ({ server, signedIn, request }) => {
  const admin = await Account.register(server, 'ada');
  await admin.createChannel('general');
  const someone = (await signedIn(admin)).request;
  const nonces = new Set<string>();
  for (const [from, path] of [[request, '/login'], [request, '/register'], [someone, '/'], [someone, '/browse'], [someone, '/channels/general']] as const) {
    const answer = await from.get(path);
    expect(answer.headers()['cache-control'], path).toBe('no-store');
    expect(answer.headers()['x-content-type-options'], path).toBe('nosniff');
    const policy = answer.headers()['content-security-policy'] ?? '';
    expect(policy, path).not.toContain('unsafe-inline');
    const nonce = /script-src [^;]*'nonce-([^']{16,})'/.exec(policy)?.[1] ?? 'none';
    const scripts = (await answer.text()).match(/<script\b[^>]*>/g) ?? [];
    expect(scripts.length).toBeGreaterThan(0);
    for (const script of scripts) expect(script, path).toContain(`nonce="${nonce}"`);
    nonces.add(nonce);
  }
  expect(nonces.size, 'each answer has its own').toBe(5);
});

test('what is loaded ahead is what is used: each file is asked for once', async ({ page }) => {
  const asked: string[] = [];
  page.on('request', (request) => {
    const { pathname } = new URL(request.url());
    if (pathname.startsWith('/pkg/')) asked.push(pathname.replace(/.*\./, ''));
  });
  await page.goto('/login', { waitUntil: 'networkidle' });
  expect(asked.toSorted()).toEqual(['css', 'js', 'wasm', 'woff2']);
});

test('the bundle is compressed and kept for ever', async ({ request }) => {
  const html = await (await request.get('/login')).text();
  const files = new Set(html.match(/\/pkg\/[^"']+/g));
  expect([...files].map((file) => file.replace(/.*\./, '')).toSorted()).toEqual(['css', 'js', 'wasm']);
  for (const file of files) {
    const answer = await request.get(file, { headers: { 'accept-encoding': 'gzip, br' } });
    expect(answer.status(), file).toBe(200);
    expect(answer.headers()['cache-control'], file).toMatch(/max-age=31536000, immutable/);
    expect(answer.headers()['content-encoding'], file).toBe('br');
    expect(answer.headers()['vary']?.toLowerCase(), file).toContain('accept-encoding');
  }
  const plain = await request.get([...files][0] ?? '', { headers: { 'accept-encoding': 'identity' } });
  expect(plain.headers()['content-encoding']).toBeUndefined();
});
