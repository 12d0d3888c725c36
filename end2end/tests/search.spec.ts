import type { Locator, Page } from '@playwright/test';
import { Account, expect, open, test } from './support/test';
import type { Channel } from './support/account';
import type { Server } from './support/server';
import { conversations, log, message, say, texts } from './support/chat';

const palette = (page: Page): Locator => page.getByRole('dialog', { name: 'Search' });
const box = (page: Page): Locator => palette(page).getByRole('combobox');
const option = (page: Page, name: string | RegExp): Locator => palette(page).getByRole('option', { name });
const results = (page: Page): Locator => page.getByRole('list', { name: 'Results' }).getByRole('listitem');

/** ada and mira are in #general, where 130 messages were written; the one about tea is the thirtieth. */
async function world(server: Server): Promise<{ ada: Account; mira: Account; channel: Channel }> {
  const ada = await Account.register(server, 'ada');
  const mira = await Account.register(server, 'mira');
  const channel = await ada.createChannel('general');
  await mira.join(channel);
  for (let n = 1; n <= 130; n++) await ada.post(channel, n === 30 ? 'green **tea** 绿茶' : `message ${n}`);
  await ada.createChannel('secret', '', { visibility: 'private' });
  return { ada, mira, channel };
}

test('the page names channels and people, too', async ({ server, signedIn }) => {
  const { ada, mira, channel } = await world(server);
  await ada.post(channel, 'generally speaking');
  await ada.createChannel('not-general');
  const context = await signedIn(mira);
  const page = await open(context, '/search?q=gen');
  const named = page.getByRole('list', { name: 'Channels and people' });
  await expect(named.getByRole('link')).toHaveText(['general', 'not-general']);
  await expect(results(page)).toHaveCount(1);
  await page.getByRole('searchbox', { name: 'Search messages' }).fill('@ad');
  await page.keyboard.press('Enter');
  await expect(named.getByRole('link')).toHaveCount(1);
  await named.getByRole('link', { name: 'ada', exact: true }).click();
  await expect(page).toHaveURL('/direct/ada');
  // Before scripts and without them, and nothing of what one may not see.
  const html = await (await context.request.get('/search?q=e')).text();
  expect(html).toContain('href="/channels/general"');
  expect(html).not.toContain('/channels/secret');
});

test('words are found in any script, and marked', async ({ server, signedIn }) => {
  const ada = await Account.register(server, 'ada');
  const channel = await ada.createChannel('general');
  const texts = ['The quick BROWN fox', 'Привет, мир', '明日の会議は東京タワーで', '내일 회의는 서울에서', '我们明天喝绿茶吧'];
  for (const text of texts) await ada.post(channel, text);
  const page = await open(await signedIn(ada), '/search');
  for (const [query, at] of [['row', 0], ['МИР', 1], ['会議', 2], ['회의', 3], ['绿茶', 4], ['茶', 4]] as const) {
    await page.getByRole('searchbox', { name: 'Search messages' }).fill(query);
    await page.keyboard.press('Enter');
    await expect(results(page)).toHaveCount(1);
    await expect(results(page)).toContainText(texts[at]);
    await expect(results(page).locator('mark')).toHaveText(new RegExp(`^${query}$`, 'i'));
  }
});

test('one key opens a box that leads to channels, people and messages', async ({ server, signedIn }) => {
  const { ada, mira } = await world(server);
  await ada.post(await ada.direct(mira), 'tea for two');
  const page = await open(await signedIn(mira), '/');
  await page.keyboard.press('Control+k');
  await expect(palette(page)).toBeVisible();
  await expect(box(page)).toBeFocused();
  await page.keyboard.press('Control+k');
  await expect(palette(page)).toBeHidden();

  await conversations(page).getByRole('button', { name: 'Search' }).click();
  await expect(box(page)).toBeFocused();
  await box(page).fill('gen');
  await expect(option(page, 'general')).toBeVisible();
  await expect(option(page, 'Messages with “gen”')).toHaveAttribute('aria-selected', 'true');
  await page.keyboard.press('ArrowDown');
  await expect(option(page, 'general')).toHaveAttribute('aria-selected', 'true');
  const active = await box(page).getAttribute('aria-activedescendant');
  await expect(option(page, 'general')).toHaveId(active ?? '');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/channels/general');
  await expect(palette(page)).toBeHidden();

  await page.keyboard.press('Control+k');
  await expect(box(page)).toHaveValue('');
  await box(page).fill('secret');
  await expect(option(page, 'Messages with “secret”')).toBeVisible();
  await expect(option(page, /secret$/), 'what one may not see').toHaveCount(0);
  await box(page).fill('@ad');
  await option(page, 'ada').click();
  await expect(page).toHaveURL('/direct/ada');

  await page.keyboard.press('Control+k');
  await box(page).fill('tea for');
  await option(page, /tea for two/).click();
  await expect(page).toHaveURL('/direct/ada?at=1');
  for (const words of ['', 'tea']) {
    await page.keyboard.press('Control+k');
    await box(page).fill(words);
    await page.keyboard.press('Escape');
    await expect(palette(page), 'at once').toBeHidden();
  }
});

test('Enter shows all that fits, marked, and one click leads to its place', async ({ server, signedIn }) => {
  const { ada, mira, channel } = await world(server);
  const page = await open(await signedIn(mira), '/');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('绿茶');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL(/\/search\?q=/);
  await expect(results(page)).toHaveCount(1);
  await expect(results(page)).toContainText('green tea 绿茶');
  await expect(results(page).locator('mark')).toHaveText('绿茶');
  await expect(results(page).getByRole('link', { name: '#general' })).toBeVisible();

  await results(page).getByRole('button', { name: 'ada' }).click();
  await expect(page.getByRole('dialog', { name: 'ada' }).getByRole('textbox', { name: 'Private message ada' })).toBeFocused();
  await page.keyboard.press('Escape');

  await results(page).getByRole('link', { name: /green tea/ }).click();
  await expect(page).toHaveURL('/channels/general?at=30');
  const found = log(page).getByRole('listitem').filter({ hasText: '绿茶' });
  await expect(found).toBeInViewport();
  await expect(found).toBeFocused();

  // Around it, and what is said meanwhile doesn't stand right behind it.
  await expect(message(page, 'message 29')).toBeVisible();
  await ada.post(channel, 'news');
  await expect(message(page, 'message 54')).toHaveCount(1);
  await expect(message(page, 'news')).toHaveCount(0);
  expect((await mira.channel(channel)).unread, 'nothing was read').toBe(131);
  await page.getByRole('button', { name: 'Jump to newest' }).click();
  await expect(message(page, 'news')).toBeInViewport({ ratio: 1 });
  await expect(page.getByRole('button', { name: 'Jump to newest' })).toBeHidden();
});

test('history goes on both ways from there until it meets what is live', async ({ server, signedIn }) => {
  const { ada, mira, channel } = await world(server);
  const page = await open(await signedIn(mira), '/channels/general?at=30');
  await expect(message(page, 'message 31')).toBeInViewport();
  await log(page).hover();
  await expect(async () => {
    await page.mouse.wheel(0, 1_500);
    await expect(message(page, 'message 130')).toBeInViewport({ timeout: 100 });
  }).toPass({ timeout: 15_000, intervals: [100] });
  await expect(page.getByRole('button', { name: 'Jump to newest' })).toBeHidden();
  await ada.post(channel, 'and live again');
  await expect(message(page, 'and live again')).toBeInViewport();
  await expect(async () => {
    await page.mouse.wheel(0, -2_000);
    await expect(page.getByText('Welcome to #general')).toBeInViewport({ timeout: 100 });
  }).toPass({ timeout: 15_000, intervals: [100] });
  await expect(texts(page)).toHaveCount(131);
});

test('sending leads from an old place to the newest', async ({ server, signedIn }) => {
  const { mira } = await world(server);
  const page = await open(await signedIn(mira), '/channels/general?at=30');
  await expect(message(page, 'message 31')).toBeInViewport();
  await say(page, 'mine');
  await expect(message(page, 'mine')).toBeInViewport({ ratio: 1 });
  await expect(message(page, 'message 130')).toHaveCount(1);
  await expect(page.getByRole('button', { name: 'Jump to newest' })).toBeHidden();
});

test('the page works as a plain form, says what is wrong, and has more pages', async ({ server, signedIn }) => {
  const { mira } = await world(server);
  const plain = await (await signedIn(mira, { javaScriptEnabled: false })).newPage();
  await plain.goto('/search');
  await expect(plain.getByRole('main').getByText('from:mira')).toBeVisible();
  await plain.getByRole('searchbox', { name: 'Search messages', exact: true }).fill('message in:general');
  await plain.getByRole('main').getByRole('button', { name: 'Search', exact: true }).click();
  await expect(results(plain)).toHaveCount(20);
  await expect(results(plain).first()).toContainText('message 130');
  await plain.getByRole('link', { name: 'More results' }).click();
  await expect(results(plain).first()).toContainText('message 110');

  const page = await open(await signedIn(mira), '/search?q=message');
  await expect(results(page)).toHaveCount(20);
  await page.getByRole('link', { name: 'More results' }).click();
  await expect(results(page)).toHaveCount(40);
  await expect(results(page).last()).toContainText('message 91');
  await page.getByRole('main').getByRole('searchbox').fill('nobody said this');
  await page.keyboard.press('Enter');
  await expect(page.getByText('No message fits.')).toBeVisible();
  await expect(results(page)).toHaveCount(0);
});

test('a query that can’t be read says why', async ({ server, signedIn, watch }) => {
  const { mira } = await world(server);
  watch.allow(/status of 422/);
  const page = await open(await signedIn(mira), '/search?q=before:yesterday');
  await expect(page.getByRole('main').getByRole('alert')).toContainText('2026-11-26');
  await expect(page.getByRole('button', { name: 'Retry' }), 'it would be no better').toHaveCount(0);
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('the box is a tap away, and so is the place', async ({ server, signedIn }) => {
    const { mira } = await world(server);
    const page = await open(await signedIn(mira), '/');
    await conversations(page).getByRole('button', { name: 'Search' }).tap();
    await box(page).fill('tea');
    await expect(option(page, /green tea/)).toBeVisible();
    expect((await option(page, /green tea/).boundingBox())?.height).toBeGreaterThanOrEqual(44);
    await option(page, /green tea/).tap();
    await expect(log(page).getByRole('listitem').filter({ hasText: '绿茶' })).toBeInViewport();
    const wide = await page.evaluate<number>('document.documentElement.scrollWidth - innerWidth');
    expect(wide).toBeLessThanOrEqual(0);
  });
});
