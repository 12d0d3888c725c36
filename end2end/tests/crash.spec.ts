import { Account, NO_SERVER, expect, open, test } from './support/test';
import { composer, message, say, texts } from './support/chat';

/** The longest wait between two tries to connect, by now. */
const RECONNECTED = { timeout: 15_000 };

test('a crash loses and doubles nothing, and keeps the order the same for everyone', async ({ server, signedIn, watch }) => {
  test.setTimeout(60_000);
  watch.allow(...NO_SERVER);
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const bob = await Account.register(server, 'bob');
  const channel = await admin.createChannel('general');
  for (const who of [member, bob]) await who.join(channel);
  const ada = await open(await signedIn(admin), '/channels/general');
  const mira = await open(await signedIn(member), '/channels/general');
  await say(ada, 'before');
  await expect(texts(mira)).toHaveText(['before']);

  // Some of these are stored and not yet acknowledged when it happens, some never arrive.
  for (let n = 1; n <= 5; n++) await say(ada, `falling ${n}`);
  await server.crash();
  for (const page of [ada, mira]) await expect(page.getByText('Reconnecting…')).toBeVisible();
  await say(ada, 'typed while down');
  await say(mira, 'mira too');
  await expect(message(ada, 'typed while down')).toHaveAttribute('aria-busy', 'true');
  await expect(message(ada, 'typed while down')).toHaveCSS('opacity', '0.55');
  await composer(mira).fill('a draft');

  await server.start();
  await bob.post(channel, 'bob 1');
  await bob.post(channel, 'bob 2');
  const sent = ['before', 'falling 1', 'falling 2', 'falling 3', 'falling 4', 'falling 5', 'typed while down', 'mira too', 'bob 1', 'bob 2'];
  for (const page of [ada, mira]) {
    await expect(page.getByText('Reconnecting…')).toBeHidden(RECONNECTED);
    await expect(texts(page)).toHaveCount(sent.length, RECONNECTED);
    await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
  }
  const stored = await bob.texts(channel);
  expect(stored.toSorted()).toEqual(sent.toSorted());
  expect(stored.filter((text) => /falling|typed/.test(text)), "one's own order stays").toEqual([...sent.slice(1, 7)]);
  for (const page of [ada, mira]) await expect(texts(page)).toHaveText(stored);
  await expect(composer(mira)).toHaveValue('a draft');

  await bob.post(channel, 'after');
  await say(ada, 'and on');
  for (const page of [ada, mira]) await expect(texts(page)).toHaveText([...stored, 'after', 'and on']);
});

test('a channel made, and one deleted, while the page was cut off are right after it', async ({ server, signedIn, watch }) => {
  watch.allow(...NO_SERVER);
  const admin = await Account.register(server, 'ada');
  const old = await admin.createChannel('old');
  const page = await open(await signedIn(admin), '/');
  await expect(page.getByRole('link', { name: '#old', exact: true })).toBeVisible();
  await server.crash();
  await expect(page.getByText('Reconnecting…')).toBeVisible();
  await server.start();
  await admin.deleteChannel(old);
  await admin.createChannel('new');
  await expect(page.getByRole('link', { name: '#new', exact: true })).toBeVisible(RECONNECTED);
  await expect(page.getByRole('link', { name: '#old', exact: true })).toBeHidden();
});
