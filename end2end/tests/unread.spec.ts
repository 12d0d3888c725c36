import type { Page } from '@playwright/test';
import { Account, connected, expect, open, test } from './support/test';
import { conversations, link, log, message, say, texts } from './support/chat';

test('unread messages are counted where one is not looking, and opening clears them everywhere', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  await member.join(channel);
  const ada = await open(await signedIn(admin), '/channels/general');
  const mira = await open(await signedIn(member), '/');
  const other = await open(await signedIn(member), '/browse');
  await expect(mira.getByText("You're all caught up")).toBeVisible();
  for (const text of ['one', 'two', 'three']) await say(ada, text);
  for (const page of [mira, other]) await expect(link(page, '#general 3 unread')).toBeVisible();
  await expect(link(ada, '#general')).toBeVisible();
  await expect(mira.getByRole('region', { name: 'Catch up' })).toContainText('3 new');
  await mira.reload();
  await expect(link(mira, '#general 3 unread')).toBeVisible();

  await link(mira, '#general 3 unread').click();
  await expect(log(mira).getByText('New', { exact: true })).toBeVisible();
  for (const page of [mira, other]) {
    await expect(link(page, '#general')).toBeVisible();
    await expect(conversations(page)).not.toContainText('3');
  }
  expect((await member.channel(channel)).unread).toBe(0);
  await other.reload();
  await expect(link(other, '#general')).toBeVisible();
});

test('a channel that is open but not looked at stays unread', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  await member.join(channel);
  const browser = await signedIn(member);
  const page = await browser.newPage();
  // Headless tabs all believe to be in front: this one is told when it isn't.
  await page.addInitScript(() => {
    let hidden = false;
    Object.defineProperty(document, 'visibilityState', { get: () => (hidden ? 'hidden' : 'visible') });
    Object.assign(window, {
      hide: (now: boolean) => {
        hidden = now;
        document.dispatchEvent(new Event('visibilitychange', { bubbles: true }));
      },
    });
  });
  await open(browser, '/channels/general', page);
  await admin.post(channel, 'seen');
  await expect(log(page)).toContainText('seen');
  await expect(log(page).getByText('New', { exact: true })).toHaveCount(0);
  await page.evaluate('hide(true)');
  await admin.post(channel, 'psst');
  await expect(link(page, '#general 1 unread')).toBeVisible();
  await page.evaluate('hide(false)');
  await expect(log(page).getByText('New', { exact: true }), 'it is shown where one left off').toBeVisible();
  await expect(log(page).locator('li:has-text("New") + li')).toContainText('psst');
  await expect(link(page, '#general')).toBeVisible();
  await expect.poll(async () => (await member.channel(channel)).unread).toBe(0);
});

test('what is unread is opened at its beginning, however long it is', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  await member.join(channel);
  await admin.post(channel, 'known by now');
  await member.markRead(channel, 1);
  const long = (n: number): string => Array.from({ length: 60 }, (_, line) => `line ${line + 1} of ${n}`).join('\n\n');
  for (let n = 1; n <= 6; n++) await admin.post(channel, long(n));
  const context = await signedIn(member);
  const page = await open(context, '/');
  const begins = async (page: Page): Promise<void> => {
    await expect(log(page).getByText('New', { exact: true })).toBeInViewport({ ratio: 1 });
    await expect(log(page).getByText('line 1 of 1', { exact: true })).toBeInViewport({ ratio: 1 });
  };
  await page.getByRole('article', { name: '#general' }).getByRole('link', { name: 'Open' }).click();
  await expect(page).toHaveURL('/channels/general');
  await begins(page);
  await expect(log(page).getByText('known by now'), 'and what was said before').toBeInViewport();
  await conversations(page).getByRole('link', { name: /^Catch up/ }).click();
  await link(page, '#general 6 unread').click();
  await begins(page);
  await page.reload();
  await begins(page);
  await expect(link(page, '#general 6 unread'), 'not read before it is seen').toBeVisible();
  const plain = await (await signedIn(member, { javaScriptEnabled: false })).newPage();
  await plain.goto('/channels/general');
  await begins(plain);

  await log(page).focus();
  await page.keyboard.press('End');
  await expect(log(page).getByText('line 60 of 6', { exact: true })).toBeInViewport();
  await expect(link(page, '#general')).toBeVisible();
  await expect.poll(async () => (await member.channel(channel)).unread).toBe(0);
  await page.reload();
  await expect(log(page).getByText('line 60 of 6', { exact: true })).toBeInViewport();
});

test('without scripts one can go on from there, and to the newest', async ({ server, signedIn, watch }) => {
  watch.allow(/was preloaded using link preload but not used/);
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  await member.join(channel);
  for (let n = 1; n <= 150; n++) await admin.post(channel, `message ${n}`);
  await member.markRead(channel, 20);
  const page = await (await signedIn(member, { javaScriptEnabled: false })).newPage();
  await page.goto('/channels/general');
  await expect(log(page).getByText('New', { exact: true })).toBeInViewport();
  const shown = async (): Promise<number> => Number((await texts(page).last().textContent())!.replace('message ', ''));
  const last = await shown();
  expect(last).toBeLessThan(100);
  await page.getByRole('button', { name: 'Later messages' }).click();
  await expect(page).toHaveURL(`/channels/general?at=${last + 1}`);
  await expect(message(page, `message ${last + 1}`)).toBeInViewport({ ratio: 1 });
  expect(await shown()).toBeGreaterThan(last);
  await page.getByRole('button', { name: 'Jump to newest' }).click();
  await expect(page).toHaveURL('/channels/general?at=newest');
  await expect(message(page, 'message 150')).toBeInViewport({ ratio: 1 });
  await expect(page.getByRole('button', { name: 'Jump to newest' })).toBeHidden();
  // The address leads there with scripts, too.
  const awake = await open(await signedIn(member), '/channels/general?at=newest');
  await expect(message(awake, 'message 150')).toBeInViewport({ ratio: 1 });
  await expect(link(awake, '#general')).toBeVisible();
});

test('whoever reads on before the page is awake is left there', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  await member.join(channel);
  for (let n = 1; n <= 60; n++) await admin.post(channel, `message ${n}`);
  await member.markRead(channel, 10);
  for (const [address, begin, far] of [
    ['/channels/general', 'New', 600],
    ['/channels/general', 'New', 100_000],
    ['/channels/general?at=newest', 'message 60', -600],
  ] as const) {
    const page = await (await signedIn(member)).newPage();
    let wake = (): void => {};
    const awake = new Promise<void>((go) => (wake = go));
    await page.route('**/*.wasm', async (route) => {
      await awake;
      await route.continue();
    });
    const ready = connected(page);
    await page.goto(address, { waitUntil: 'commit' });
    await expect(log(page).getByText(begin, { exact: true })).toBeInViewport();
    await log(page).hover();
    await page.mouse.wheel(0, far);
    await expect(log(page).getByText(begin, { exact: true })).not.toBeInViewport();
    const place = (): Promise<number> => log(page).evaluate((it) => it.scrollTop);
    const before = await place();
    wake();
    await ready;
    await page.waitForTimeout(300);
    expect(await place()).toBe(before);
    await page.close();
  }
});

test('unread messages that fit are shown where they are, at the end', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  await member.join(channel);
  for (let n = 1; n <= 40; n++) await admin.post(channel, `message ${n}`);
  await member.markRead(channel, 37);
  const page = await open(await signedIn(member), '/channels/general');
  await expect(log(page).getByText('New', { exact: true })).toBeInViewport();
  await expect(log(page).getByText('message 40')).toBeInViewport({ ratio: 1 });
  expect(await log(page).evaluate((it) => it.scrollTop)).toBe(0);
  await expect(link(page, '#general')).toBeVisible();
});

test('marking as read from Catch up clears the count', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  await member.join(channel);
  await admin.post(channel, 'one');
  const mira = await open(await signedIn(member), '/');
  await mira.getByRole('button', { name: 'Mark read' }).click();
  await expect(link(mira, '#general')).toBeVisible();
  await expect(mira.getByText("You're all caught up")).toBeVisible();
  await expect.poll(async () => (await member.channel(channel)).unread).toBe(0);
});

test('what was marked unread can be marked read from Catch up, with what came since', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  await member.join(channel);
  for (const text of ['one', 'two']) await admin.post(channel, text);
  const mira = await open(await signedIn(member), '/channels/general');
  await expect(link(mira, '#general')).toBeVisible();
  await log(mira).getByText('two').hover();
  await log(mira).getByRole('button', { name: 'Mark unread from here' }).click();
  await expect(link(mira, '#general 1 unread')).toBeVisible();
  await conversations(mira).getByRole('link', { name: 'Catch up' }).click();
  const button = mira.getByRole('button', { name: 'Mark read' });
  await expect(button).toBeVisible();
  await admin.post(channel, 'three');
  await expect(link(mira, '#general 2 unread')).toBeVisible();
  await button.click();
  await expect(mira.getByText("You're all caught up")).toBeVisible();
  await expect.poll(async () => (await member.channel(channel)).unread).toBe(0);
});

test('opening a channel by its address reads it', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  await member.join(channel);
  await admin.post(channel, 'one');
  const mira = await open(await signedIn(member), '/channels/general');
  await expect(log(mira).getByText('New', { exact: true })).toBeVisible();
  await expect(link(mira, '#general')).toBeVisible();
  await expect.poll(async () => (await member.channel(channel)).unread).toBe(0);
});

test('the title says how much is to oneself', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  await member.join(channel);
  const mira = await open(await signedIn(member), '/browse');
  await expect(mira).toHaveTitle('Browse channels · Natter');
  await admin.post(channel, 'for everyone');
  await admin.post(channel, 'for @mira');
  await expect(mira).toHaveTitle('(1) Browse channels · Natter');
  for (const text of ['psst', 'hello?']) await admin.post(await admin.direct(member), text);
  await expect(mira).toHaveTitle('(3) Browse channels · Natter');
  await link(mira, '#general 2 unread, 1 mention').click();
  await expect(mira).toHaveTitle('(2) #general · Natter');
  await link(mira, 'ada 2 unread').click();
  await expect(mira).toHaveTitle('ada · Natter');
});
