import type { Page } from '@playwright/test';
import { Account, connected, expect, open, test } from './support/test';
import { composer, log, message, say, texts } from './support/chat';
import { Wire } from './support/socket';

test('a message that never left survives a reload and arrives once', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const channel = await admin.createChannel('general');
  const page = await (await signedIn(admin)).newPage();
  const wire = await Wire.of(page);
  await open(page.context(), '/channels/general', page);
  wire.sent = (frame) => (frame.type === 'send' ? 'lose' : 'pass');
  await say(page, 'first');
  await say(page, 'second');
  await expect(message(page, 'second')).toHaveAttribute('aria-busy', 'true');
  expect(await admin.texts(channel)).toEqual([]);

  // Still lost: the page that comes up shows them waiting.
  await Promise.all([connected(page), page.reload()]);
  await expect(texts(page)).toHaveText(['first', 'second']);
  await expect(message(page, 'first')).toHaveAttribute('aria-busy', 'true');

  wire.sent = () => 'pass';
  await Promise.all([connected(page), page.reload()]);
  await expect.poll(() => admin.texts(channel)).toEqual(['first', 'second']);
  await expect(texts(page)).toHaveText(['first', 'second']);
  await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
  await page.reload();
  await expect(texts(page)).toHaveText(['first', 'second']);
  expect(await admin.texts(channel)).toEqual(['first', 'second']);
});

for (const end of ['a reload', 'a broken connection'] as const) {
  test(`a message whose acknowledgement got lost is not sent twice after ${end}`, async ({ server, signedIn }) => {
    const admin = await Account.register(server, 'ada');
    const channel = await admin.createChannel('general');
    const page = await (await signedIn(admin)).newPage();
    const wire = await Wire.of(page);
    await open(page.context(), '/channels/general', page);
    let sends = 0;
    wire.sent = (frame) => {
      sends += Number(frame.type === 'send');
      return 'pass';
    };
    wire.received = (frame) => (frame.type === 'ack' || frame.type === 'message' ? 'lose' : 'pass');
    await say(page, 'once');
    await expect.poll(() => admin.texts(channel)).toEqual(['once']);
    await expect(message(page, 'once')).toHaveAttribute('aria-busy', 'true');

    wire.received = () => 'pass';
    const back = connected(page);
    await (end === 'a reload' ? page.reload() : wire.cut());
    await back;
    await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
    await expect(texts(page)).toHaveText(['once']);
    expect(sends, 'it was sent again').toBe(2);
    await say(page, 'next');
    await expect(texts(page)).toHaveText(['once', 'next']);
    await expect.poll(() => admin.texts(channel)).toEqual(['once', 'next']);
  });
}

test('a refused message says why, and can be retried or discarded', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const channel = await admin.createChannel('general');
  const page = await (await signedIn(admin)).newPage();
  const wire = await Wire.of(page);
  await open(page.context(), '/channels/general', page);
  wire.sent = (frame, answer) => {
    if (frame.type !== 'send') return 'pass';
    answer({ type: 'error', ref: frame.ref, code: 'forbidden', detail: 'Only admins write here.' });
    return 'lose';
  };
  await say(page, 'kept');
  await say(page, 'dropped');
  const failed = (text: string) => message(page, text).getByRole('alert');
  for (const text of ['kept', 'dropped']) {
    await expect(failed(text)).toContainText("Couldn't send.");
    await expect(failed(text)).toContainText('Only admins write here.');
    await expect(message(page, text)).not.toHaveAttribute('aria-busy');
  }
  await message(page, 'kept').getByRole('button', { name: 'Retry' }).click();
  await expect(failed('kept'), 'refused again').toBeVisible();

  wire.sent = () => 'pass';
  await message(page, 'dropped').getByRole('button', { name: 'Discard' }).click();
  await expect(message(page, 'dropped')).toHaveCount(0);
  await message(page, 'kept').getByRole('button', { name: 'Retry' }).click();
  await expect(failed('kept')).toBeHidden();
  await expect.poll(() => admin.texts(channel)).toEqual(['kept']);
  await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
  await Promise.all([connected(page), page.reload()]);
  await say(page, 'later');
  await expect(texts(page)).toHaveText(['kept', 'later']);
  await expect.poll(() => admin.texts(channel)).toEqual(['kept', 'later']);
});

test('while the server can take no messages they wait, and arrive in the order they were written', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const channel = await admin.createChannel('general');
  const page = await (await signedIn(admin)).newPage();
  const wire = await Wire.of(page);
  await open(page.context(), '/channels/general', page);
  let refused = 0;
  wire.sent = (frame, answer) => {
    if (frame.type !== 'send') return 'pass';
    refused++;
    answer({ type: 'error', ref: frame.ref, code: 'unavailable', detail: 'Try again in a moment.' });
    return 'lose';
  };
  for (const text of ['one', 'two', 'three']) await say(page, text);
  await expect.poll(() => refused, 'it is asked again').toBeGreaterThan(4);
  await expect(log(page).getByRole('alert')).toHaveCount(0);
  await expect(message(page, 'one')).toHaveAttribute('aria-busy', 'true');
  wire.sent = () => 'pass';
  await say(page, 'four');
  await expect.poll(() => admin.texts(channel), { timeout: 10_000 }).toEqual(['one', 'two', 'three', 'four']);
  await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
});

test('a message that is too long stays in the box and says so', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  await admin.createChannel('general');
  const page = await open(await signedIn(admin), '/channels/general');
  await composer(page).fill('x'.repeat(4_001));
  await composer(page).press('Enter');
  await expect(composer(page)).toHaveAccessibleDescription(/4001 characters; a message has at most 4,000/);
  await expect(composer(page)).toHaveValue('x'.repeat(4_001));
  await composer(page).fill('🙂'.repeat(4_000));
  await composer(page).press('Enter');
  await expect(log(page)).toContainText('🙂'.repeat(4_000));
  await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
});

test('what waits in two tabs is not lost when both are closed', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const channel = await admin.createChannel('general');
  const browser = await signedIn(admin);
  for (let tabs = 0; tabs < 2; tabs++) {
    const tab = await browser.newPage();
    const wire = await Wire.of(tab);
    wire.sent = (frame) => (frame.type === 'send' ? 'lose' : 'pass');
    await open(browser, '/channels/general', tab);
  }
  const [one, two] = browser.pages() as [Page, Page];
  await say(one, 'from one');
  await say(two, 'from two');
  await expect(message(one, 'from one')).toHaveAttribute('aria-busy', 'true');
  await expect(message(two, 'from two')).toHaveAttribute('aria-busy', 'true');
  await one.close();
  await two.close();
  const page = await open(browser, '/channels/general');
  await expect(texts(page)).toHaveText(['from one', 'from two']);
  await expect.poll(() => admin.texts(channel)).toEqual(['from one', 'from two']);
});

test('what the browser has no room to keep is sent all the same', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const channel = await admin.createChannel('general');
  const page = await (await signedIn(admin)).newPage();
  await page.addInitScript(() => {
    const keep = Storage.prototype.setItem;
    Storage.prototype.setItem = function (key: string, value: string): void {
      if (key.startsWith('natter.outbox.')) throw new DOMException('full', 'QuotaExceededError');
      keep.call(this, key, value);
    };
  });
  const wire = await Wire.of(page);
  await open(page.context(), '/channels/general', page);
  wire.sent = (frame) => (frame.type === 'send' ? 'lose' : 'pass');
  await say(page, 'no room for me');
  await expect(message(page, 'no room for me')).toHaveAttribute('aria-busy', 'true');
  wire.sent = () => 'pass';
  await wire.cut();
  await expect.poll(() => admin.texts(channel)).toEqual(['no room for me']);
  await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
});
