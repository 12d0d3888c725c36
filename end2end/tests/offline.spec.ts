import { Account, NO_SERVER, expect, open, test } from './support/test';
import { composer, link, log, message, say, texts } from './support/chat';
import { Wire } from './support/socket';

for (const path of ['/channels/plans', '/direct/mira', '/browse', '/admin/channels'] as const) {
  test(`${path}, opened while the server is away, comes when it is back`, async ({ server, signedIn, watch }) => {
    watch.allow(...NO_SERVER);
    const admin = await Account.register(server, 'ada');
    const member = await Account.register(server, 'mira');
    await admin.createChannel('general');
    await admin.post(await admin.createChannel('plans'), 'the plan is');
    await admin.post(await admin.direct(member), 'hello');
    const page = await open(await signedIn(admin), path === '/admin/channels' ? '/admin' : '/channels/general');
    await server.crash();
    const way = { '/channels/plans': '#plans', '/direct/mira': 'mira', '/browse': 'Browse channels', '/admin/channels': 'Channels' }[path];
    await page.locator(`a[href="${path}"]`).filter({ visible: true }).first().click();
    await expect(page.getByRole('button', { name: 'Retry' }), way).toBeVisible();
    await server.start();
    await expect(page.getByRole('button', { name: 'Retry' })).toBeHidden({ timeout: 20_000 });
    if (path === '/channels/plans') await expect(texts(page, 'plans')).toHaveText(['the plan is']);
    if (path === '/browse') await expect(page.getByRole('button', { name: 'Leave #plans' })).toBeVisible();
  });
}

test('what could not be shown is tried again by hand', async ({ server, signedIn, watch }) => {
  watch.allow(...NO_SERVER, /net::ERR_FAILED/);
  const admin = await Account.register(server, 'ada');
  await admin.createChannel('general');
  await admin.post(await admin.createChannel('plans'), 'the plan is');
  const page = await open(await signedIn(admin), '/channels/general');
  await page.route('**/api/fn/open_channel*', (route) => route.abort());
  await link(page, '#plans 1 unread').or(link(page, '#plans')).click();
  await expect(page.getByRole('button', { name: 'Retry' })).toBeVisible();
  await page.unroute('**/api/fn/open_channel*');
  await page.getByRole('button', { name: 'Retry' }).click();
  await expect(texts(page, 'plans')).toHaveText(['the plan is']);
});

test('a word about the connection goes when that is back, and lies over nothing one writes in', async ({ server, signedIn, watch }) => {
  watch.allow(...NO_SERVER);
  const admin = await Account.register(server, 'ada');
  await admin.post(await admin.createChannel('general'), 'one');
  const page = await open(await signedIn(admin), '/channels/general');
  await server.crash();
  await expect(page.getByText('Reconnecting…')).toBeVisible();
  await message(page, 'one').hover();
  await log(page).getByRole('button', { name: 'Mark unread from here' }).click();
  const notice = page.getByRole('alert').filter({ hasText: 'Not connected right now' });
  await expect(notice).toBeVisible();
  const [box, writing] = [await notice.boundingBox(), await composer(page).boundingBox()];
  expect((box?.y ?? 0) + (box?.height ?? 0)).toBeLessThan(writing?.y ?? 0);
  await server.start();
  await expect(notice).toBeHidden({ timeout: 20_000 });
});

test('a connection that died without a word is noticed when the network comes back, and nothing said on it is lost', async ({ server, signedIn }) => {
  const ada = await Account.register(server, 'ada');
  const mira = await Account.register(server, 'mira');
  const [general, plans] = [await ada.createChannel('general'), await ada.createChannel('plans')];
  for (const channel of [general, plans]) await mira.join(channel);
  await ada.post(general, 'a slip');
  await mira.post(plans, 'the plan is');
  const page = await (await signedIn(ada)).newPage();
  const wire = await Wire.of(page);
  await open(page.context(), '/channels/general', page);
  await expect(texts(page)).toHaveText(['a slip']);
  wire.silence();
  await say(page, 'still here');
  await message(page, 'a slip').hover();
  await log(page).getByRole('button', { name: 'Delete' }).click();
  await link(page, '#plans 1 unread').click();
  await expect(link(page, '#plans')).toBeVisible();
  // The moment in which a deletion can be taken back goes by.
  await link(page, '#general').click();
  await expect(page.getByRole('button', { name: 'Undo' })).toBeHidden({ timeout: 8_000 });
  await page.evaluate(() => window.dispatchEvent(new Event('online')));
  await expect.poll(async () => (await mira.texts(general)).map((text) => text ?? 'deleted').sort(), { timeout: 15_000 }).toEqual(['deleted', 'still here']);
  await expect(link(page, '#plans'), 'it stays read').toBeVisible();
  await page.reload();
  await expect(link(page, '#plans'), 'and is').toBeVisible();
});

test('who comes back does not wait for the next try to connect', async ({ server, signedIn, watch }) => {
  watch.allow(...NO_SERVER);
  const ada = await Account.register(server, 'ada');
  await ada.post(await ada.createChannel('general'), 'one');
  const page = await open(await signedIn(ada), '/channels/general');
  let tries = 0;
  page.on('websocket', () => tries++);
  await server.crash();
  await expect.poll(() => tries, { timeout: 20_000 }).toBeGreaterThan(4);
  const before = tries;
  // Said during a try, it asks nothing of the next one.
  const online = () => page.evaluate(() => window.dispatchEvent(new Event('online')));
  await expect.poll(async () => (await online(), tries), { timeout: 3_000, intervals: [50] }).toBeGreaterThan(before + 3);
  await server.start();
});
