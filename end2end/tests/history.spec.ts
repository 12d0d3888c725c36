import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Locator, Page } from '@playwright/test';
import { Account, expect, open, test } from './support/test';
import type { Channel } from './support/account';
import type { Server } from './support/server';
import { Wire } from './support/socket';
import { log, message, say, texts } from './support/chat';

const ALL = Array.from({ length: 130 }, (_, n) => `message ${n + 1}`);

/** ada has written 130 messages in #general, which mira is in and has read. */
async function longChannel(server: Server, read = ALL.length): Promise<{ ada: Account; mira: Account; channel: Channel }> {
  const ada = await Account.register(server, 'ada');
  const mira = await Account.register(server, 'mira');
  const channel = await ada.createChannel('general');
  await mira.join(channel);
  for (const text of ALL) await ada.post(channel, text);
  if (read > 0) await mira.markRead(channel, read);
  return { ada, mira, channel };
}

const top = async (element: Locator): Promise<number> => (await element.boundingBox())?.y ?? NaN;

/** Turns the wheel over the log until that message can be seen. */
async function wheelUpTo(page: Page, text: string): Promise<void> {
  await log(page).hover();
  await expect(async () => {
    await page.mouse.wheel(0, -400);
    await expect(message(page, text)).toBeInViewport({ timeout: 100 });
  }).toPass({ intervals: [50] });
}

/** Where an element stands once wheel and layout have come to rest. */
async function settled(element: Locator): Promise<number> {
  let last = NaN;
  await expect(async () => {
    const before = last;
    last = await top(element);
    expect(last).toBe(before);
  }).toPass({ intervals: [150] });
  return last;
}

test('the newest messages stand at the bottom, and the rest is a scroll away', async ({ server, signedIn }) => {
  const { mira } = await longChannel(server);
  const page = await open(await signedIn(mira), '/channels/general');
  await expect(message(page, 'message 130')).toBeInViewport({ ratio: 1 });
  await expect(texts(page)).toHaveText(ALL.slice(-50));
  await log(page).hover();
  await expect(async () => {
    await page.mouse.wheel(0, -1_000);
    await expect(page.getByText('Welcome to #general')).toBeInViewport({ timeout: 100 });
  }).toPass({ timeout: 15_000, intervals: [100] });
  await expect(texts(page)).toHaveText(ALL);
  await expect(page.getByRole('button', { name: 'Earlier messages' })).toBeHidden();
});

test('who clicked a message and reads on is not taken back to it', async ({ server, signedIn }) => {
  const { mira } = await longChannel(server);
  const page = await open(await signedIn(mira), '/channels/general');
  await message(page, 'message 128').locator('.message-text').click();
  await expect(message(page, 'message 128')).toBeFocused();
  // Upwards is to less.
  await log(page).evaluate((it) => {
    let last = it.scrollTop;
    it.addEventListener('scroll', () => {
      it.dataset.back = String(Math.max(Number(it.dataset.back ?? 0), it.scrollTop - last));
      last = it.scrollTop;
    });
  });
  await wheelUpTo(page, 'message 70');
  await settled(message(page, 'message 70'));
  await expect(message(page, 'message 128')).not.toBeInViewport();
  expect(Number(await log(page).getAttribute('data-back')), 'pixels back').toBeLessThan(10);
  await expect(message(page, 'message 128'), 'the next key begins there all the same').toBeFocused();
});

test('older messages come without the view jumping', async ({ server, signedIn }) => {
  const { mira } = await longChannel(server);
  const page = await (await signedIn(mira)).newPage();
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/api/fn/channel_history*', async (route) => {
    await held;
    await route.continue();
  });
  await open(page.context(), '/channels/general', page);
  await expect(texts(page)).toHaveCount(50);
  await wheelUpTo(page, 'message 88');
  await expect(page.getByRole('button', { name: 'Loading…' })).toHaveCount(1);
  const seen = message(page, 'message 90');
  await expect(seen).toBeInViewport();
  const before = await settled(seen);
  release();
  await expect(texts(page)).toHaveCount(100);
  expect(Math.abs((await settled(seen)) - before)).toBeLessThan(2);
});

test('what comes while one reads further up moves nothing and is announced', async ({ server, signedIn }) => {
  const { ada, mira, channel } = await longChannel(server);
  const page = await open(await signedIn(mira), '/channels/general');
  await wheelUpTo(page, 'message 105');
  await expect(texts(page), 'older ones came on the way').toHaveCount(100);
  const seen = message(page, 'message 105');
  const before = await settled(seen);
  await ada.post(channel, 'news');
  const pill = (name: string): Locator => page.getByRole('button', { name, exact: true });
  await expect(pill('1 new message')).toBeVisible();
  expect(Math.abs((await settled(seen)) - before)).toBeLessThan(2);
  await ada.post(channel, 'more\n\nnews\n\nin lines');
  await expect(pill('2 new messages')).toBeVisible();
  expect(Math.abs((await settled(seen)) - before)).toBeLessThan(2);
  expect((await mira.channel(channel)).unread, 'not read yet').toBe(2);

  await pill('2 new messages').click();
  await expect(texts(page).last()).toBeInViewport({ ratio: 1 });
  await expect(page.getByRole('button', { name: /new message/ })).toBeHidden();
  await expect.poll(async () => (await mira.channel(channel)).unread).toBe(0);
});

test('at the bottom the view follows, and sending leads there', async ({ server, signedIn }) => {
  const { ada, mira, channel } = await longChannel(server);
  const page = await open(await signedIn(mira), '/channels/general');
  await expect(message(page, 'message 130')).toBeInViewport({ ratio: 1 });
  for (let n = 1; n <= 30; n++) await ada.post(channel, `more ${n}`);
  await expect(message(page, 'more 30')).toBeInViewport({ ratio: 1 });
  await expect(page.getByRole('button', { name: /new message/ })).toBeHidden();
  await wheelUpTo(page, 'message 125');
  await expect(message(page, 'more 30')).not.toBeInViewport();
  await say(page, 'mine');
  await expect(message(page, 'mine')).toBeInViewport({ ratio: 1 });
});

test('a page of history that cannot be had is offered again', async ({ server, signedIn, watch }) => {
  const { mira } = await longChannel(server);
  watch.allow(/net::ERR_FAILED/);
  const page = await (await signedIn(mira)).newPage();
  await page.route('**/api/fn/channel_history*', (route) => route.abort());
  await open(page.context(), '/channels/general', page);
  await wheelUpTo(page, 'message 82');
  const retry = page.getByRole('button', { name: "Couldn't load. Retry?" });
  await expect(retry).toBeVisible();
  await page.unroute('**/api/fn/channel_history*');
  await retry.click();
  await expect(texts(page)).toHaveCount(100);
});

test('all that came during an interruption is counted, and moves nothing', async ({ server, signedIn }) => {
  const { ada, mira, channel } = await longChannel(server);
  const page = await (await signedIn(mira)).newPage();
  const wire = await Wire.of(page);
  await open(page.context(), '/channels/general', page);
  await wheelUpTo(page, 'message 105');
  await expect(texts(page)).toHaveCount(100);
  const before = await settled(message(page, 'message 105'));
  wire.received = (frame) => (frame.type === 'message' ? 'lose' : 'pass');
  for (let n = 1; n <= 5; n++) await ada.post(channel, `missed ${n}`);
  wire.received = () => 'pass';
  await wire.cut();
  await expect(texts(page)).toHaveCount(105);
  await expect(page.getByRole('button', { name: '5 new messages', exact: true })).toBeVisible();
  expect(Math.abs((await settled(message(page, 'message 105'))) - before)).toBeLessThan(2);
});

test('an address leads to a place in a channel, and what comes after stays unread', async ({ server, signedIn }) => {
  const { mira, channel } = await longChannel(server, 0);
  const page = await open(await signedIn(mira), '/channels/general?at=20');
  await expect(message(page, 'message 20')).toBeInViewport();
  await expect(message(page, 'message 20')).toHaveClass(/message-found/);
  expect((await mira.channel(channel)).unread).toBe(130);
  await page.goto('/channels/general?at=9999');
  await expect(page.getByRole('alert')).toHaveText("That message can't be shown.");
  await expect(message(page, 'message 130')).toBeInViewport();
});

/** The same server behind a line on which pages come in small pieces. */
async function slowly(server: Server, use: (url: string) => Promise<void>): Promise<void> {
  let busy = 0;
  const line = createServer((request, response) => {
    busy++;
    void (async () => {
      const answer = await fetch(server.url + request.url, { headers: { cookie: request.headers.cookie ?? '', accept: request.headers.accept ?? '' } });
      const type = answer.headers.get('content-type') ?? '';
      const body = Buffer.from(await answer.arrayBuffer());
      response.writeHead(answer.status, { 'content-type': type });
      const size = type.startsWith('text/html') ? Math.ceil(body.length / 12) : body.length;
      for (let at = 0; at < body.length; at += size) {
        response.write(body.subarray(at, at + size));
        await new Promise((next) => setTimeout(next, 60));
      }
      response.end();
    })().finally(() => busy--);
  });
  await new Promise<void>((ready) => line.listen(0, '127.0.0.1', ready));
  try {
    await use(`http://127.0.0.1:${(line.address() as AddressInfo).port}`);
    // What is cut off is a fault to the browser.
    await expect.poll(() => busy).toBe(0);
  } finally {
    line.closeAllConnections();
    line.close();
  }
}

test('what one goes to stands between what was said before it and after', async ({ server, signedIn }) => {
  const { ada, mira, channel } = await longChannel(server);
  const quoted = (await ada.post(channel, 'the question')).id;
  for (let n = 1; n <= 40; n++) await ada.post(channel, `more ${n}`);
  await ada.post(channel, 'the answer', { reply_to: quoted });
  await mira.markRead(channel, 200);
  const page = await open(await signedIn(mira), '/channels/general');
  await message(page, 'the answer').getByRole('button', { name: /^This answers/ }).click();
  const inTheMiddle = async (text: string): Promise<void> => {
    await expect(message(page, text)).toBeFocused();
    const [all, row] = [(await log(page).boundingBox())!, (await message(page, text).boundingBox())!];
    expect(row.y - all.y).toBeGreaterThan(all.height / 4);
    expect(row.y - all.y).toBeLessThan((all.height * 3) / 4);
  };
  await inTheMiddle('the question');
  await page.goto('/search?q="message 40"');
  await page.getByRole('listitem').getByRole('link', { name: 'message 40' }).click();
  await inTheMiddle('message 40');
});

test('without scripts, too, an address leads to its message', async ({ server, signedIn, watch }) => {
  watch.allow(/was preloaded using link preload but not used/);
  const { mira } = await longChannel(server);
  const page = await (await signedIn(mira, { javaScriptEnabled: false })).newPage();
  // Preloaded for nobody: it would still be on its way when the line is gone.
  await page.route(/\.wasm$/, (route) => route.fulfill({ body: '' }));
  await slowly(server, async (url) => {
    await page.goto(`${url}/channels/general?at=20`);
    await expect(message(page, 'message 20')).toBeInViewport({ ratio: 1 });
  });
  await page.goto('/channels/general?at=20');
  await expect(page).toHaveTitle('#general · Natter');
  await expect(message(page, 'message 20')).toBeInViewport({ ratio: 1 });
  await expect(message(page, 'message 20')).toBeFocused();
  await page.goto('/channels/general');
  await expect(message(page, 'message 130')).toBeInViewport({ ratio: 1 });
});

test('a page that an address led to stays where the browser went at first', async ({ server, signedIn }) => {
  const { mira } = await longChannel(server);
  const page = await (await signedIn(mira)).newPage();
  // Where the message stands in each frame that is shown, from the first with it. An observer that has just been
  // told to look says how it is when everything else in the frame is done.
  await page.addInitScript(() => {
    const seen: number[] = [];
    Object.assign(window, { seen });
    const observer = new IntersectionObserver((entries) => seen.push(...entries.map((entry) => Math.round(entry.boundingClientRect.top))));
    const look = (): void => {
      observer.disconnect();
      const row = document.querySelector('li[autofocus]');
      if (row && document.activeElement !== document.body) observer.observe(row);
      requestAnimationFrame(look);
    };
    requestAnimationFrame(look);
  });
  await open(page.context(), '/channels/general?at=20', page);
  await expect(message(page, 'message 20')).toHaveClass(/message-found/);
  await expect(message(page, 'message 20')).not.toHaveClass(/message-found/);
  const seen = await page.evaluate(() => [...new Set((window as unknown as { seen: number[] }).seen)]);
  expect(seen).toHaveLength(1);
});
