import { Account, NO_SERVER, expect, open, test } from './support/test';
import { composer, conversations, link, log, say } from './support/chat';
import { Wire } from './support/socket';

test('what is begun is there after a reload, in each conversation, until it is sent', async ({ server, signedIn }) => {
  const [ada, mira] = [await Account.register(server, 'ada'), await Account.register(server, 'mira')];
  const [general, random] = [await ada.createChannel('general'), await ada.createChannel('random')];
  await ada.post(await ada.direct(mira), 'psst');
  const page = await open(await signedIn(ada), '/channels/general');
  const mark = (name: string) => link(page, name).locator('.draft-mark');
  await expect(link(page, '#general')).not.toHaveAccessibleDescription('Draft');
  await composer(page).fill('begun\nin lines');
  await expect(mark('#general')).toHaveCount(1);
  await expect(mark('#general'), 'it can be read').toBeHidden();
  await link(page, '#random').click();
  await composer(page, 'random').fill('also begun');
  await link(page, 'mira').click();
  await page.getByRole('textbox', { name: 'Message mira' }).fill('between us');
  await page.goto('/browse');
  for (const name of ['#general', '#random', 'mira']) {
    await expect(mark(name)).toBeVisible();
    await expect(link(page, name)).toHaveAccessibleDescription('Draft');
  }
  await open(page.context(), '/channels/general', page);
  await expect(composer(page)).toHaveValue('begun\nin lines');
  await link(page, 'mira').click();
  await expect(page.getByRole('textbox', { name: 'Message mira' })).toHaveValue('between us');

  await open(page.context(), '/channels/random', page);
  await expect(composer(page, 'random')).toHaveValue('also begun');
  await composer(page, 'random').press('Enter');
  await expect(composer(page, 'random')).toHaveValue('');
  await open(page.context(), '/channels/general', page);
  await composer(page).fill('');
  await page.reload();
  await expect(composer(page)).toBeEnabled();
  await expect(composer(page)).toHaveValue('');
  for (const name of ['#general', '#random']) await expect(mark(name)).toHaveCount(0);
  expect([await ada.texts(general), await ada.texts(random)]).toEqual([[], ['also begun']]);
});

test('a draft is one account\'s, known to its other tabs, and forgotten on log-out', async ({ server, signedIn }) => {
  const [ada, mira] = [await Account.register(server, 'ada'), await Account.register(server, 'mira')];
  const general = await ada.createChannel('general');
  await mira.join(general);
  const context = await signedIn(ada);
  const [page, other] = [await open(context, '/channels/general'), await open(context, '/browse')];
  const kept = () => page.evaluate(() => Object.keys(localStorage).filter((key) => key.startsWith('natter.draft.')).length);
  await composer(page).fill('for later');
  await expect(link(other, '#general').locator('.draft-mark')).toBeVisible();
  await link(other, '#general').click();
  await expect(composer(other)).toHaveValue('for later');
  await conversations(other).getByRole('link', { name: 'Catch up' }).click();
  await say(page, 'now');
  await expect.poll(kept).toBe(0);
  await expect(link(other, '#general').locator('.draft-mark')).toHaveCount(0);
  await link(other, '#general').click();
  await expect(composer(other)).toHaveValue('');

  await composer(page).fill('my secret');
  await expect.poll(kept).toBe(1);
  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page).toHaveURL('/login');
  expect(await kept()).toBe(0);
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('my secret');
  await expect(other).toHaveURL(/\/login/);
});

test('what is written in two tabs at once is neither lost nor sent twice', async ({ server, signedIn }) => {
  const ada = await Account.register(server, 'ada');
  const general = await ada.createChannel('general');
  const context = await signedIn(ada);
  const [one, two] = [await open(context, '/channels/general'), await open(context, '/channels/general')];
  await composer(one).fill('said once');
  await expect(composer(two)).toHaveValue('said once');
  await composer(one).press('Enter');
  await expect(composer(two)).toHaveValue('');
  await expect(composer(two)).toBeEnabled();
  await composer(two).press('Enter');
  await expect.poll(() => ada.texts(general)).toEqual(['said once']);

  // Of what stands there, the other tab doesn't know yet.
  await composer(one).fill('a long story');
  await expect(composer(two)).toHaveValue('a long story');
  const told = (text: string): Promise<void> =>
    two.evaluate((text) => {
      const key = Object.keys(localStorage).find((key) => key.startsWith('natter.draft.'))!;
      const was = localStorage.getItem(key)!;
      const oldValue = JSON.stringify({ ...(JSON.parse(was) as object), text });
      localStorage.removeItem(key);
      dispatchEvent(new StorageEvent('storage', { key, oldValue, newValue: null, storageArea: localStorage }));
    }, text);
  await told('ok');
  await expect(composer(two)).toHaveValue('a long story');
  await link(two, 'Catch up').click();
  await link(two, '#general').click();
  await expect(composer(two)).toHaveValue('a long story');
});

test('drafts are forgotten by whoever logs out before the page is awake', async ({ server, signedIn, watch }) => {
  watch.allow(/was preloaded using link preload but not used/);
  const ada = await Account.register(server, 'ada');
  await ada.createChannel('general');
  const page = await open(await signedIn(ada), '/channels/general');
  await composer(page).fill('my secret');
  // The program never comes to this page.
  await page.route('**/*.wasm', (route) => (page.url().endsWith('/channels/general') ? undefined : route.continue()));
  await page.reload({ waitUntil: 'commit' });
  await expect(composer(page)).toBeDisabled();
  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page).toHaveURL('/login');
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('my secret');
});

test('drafts are forgotten also where the answer to a log-out is lost', async ({ server, signedIn, watch }) => {
  watch.allow(...NO_SERVER, /status of 401/);
  const ada = await Account.register(server, 'ada');
  await ada.createChannel('general');
  const page = await (await signedIn(ada)).newPage();
  await page.clock.install();
  await open(page.context(), '/channels/general', page);
  await composer(page).fill('my secret');
  await expect.poll(() => page.evaluate(() => JSON.stringify(localStorage))).toContain('my secret');
  const done = new Promise<void>((resolve) =>
    page.route('**/api/fn/logout', async (route) => {
      await route.fetch({ maxRedirects: 0 });
      resolve();
    }),
  );
  await page.getByRole('button', { name: 'Log out' }).click({ noWaitAfter: true });
  await done;
  await page.clock.fastForward(11_000);
  await expect(page).toHaveURL('/login');
  expect(await page.evaluate(() => JSON.stringify(localStorage))).not.toContain('my secret');
  await expect(page.getByText('You were logged out'), 'it was oneself').toHaveCount(0);
});

test('a log-out that is stopped takes no draft, and the page goes on', async ({ server, signedIn, watch }) => {
  test.setTimeout(60_000);
  watch.allow(...NO_SERVER, /net::ERR_ABORTED/);
  const ada = await Account.register(server, 'ada');
  const general = await ada.createChannel('general');
  const page = await (await signedIn(ada)).newPage();
  const wire = await Wire.of(page);
  await open(page.context(), '/channels/general', page);
  await composer(page).fill('kept');
  await page.route('**/api/fn/logout', (route) => route.abort('aborted'));
  const stopped = page.waitForEvent('requestfailed');
  await page.getByRole('button', { name: 'Log out' }).click();
  await stopped;
  await wire.cut();
  await ada.post(general, 'still here');
  await expect(log(page)).toContainText('still here', { timeout: 20_000 });
  await page.reload();
  await expect(composer(page)).toHaveValue('kept');
  // A link that says so doesn't do it either.
  await page.goto('/login?out');
  await expect(page).toHaveURL('/');
  await page.goto('/channels/general');
  await expect(composer(page)).toHaveValue('kept');
});

test('what was sent while there was no connection is no draft any more', async ({ server, signedIn, watch }) => {
  watch.allow(...NO_SERVER);
  const ada = await Account.register(server, 'ada');
  const general = await ada.createChannel('general');
  const page = await (await signedIn(ada)).newPage();
  const wire = await Wire.of(page);
  await open(page.context(), '/channels/general', page);
  wire.sent = (frame) => (frame.type === 'send' ? 'lose' : 'pass');
  await say(page, 'on its way');
  wire.sent = () => 'pass';
  await page.reload();
  await expect.poll(() => ada.texts(general)).toEqual(['on its way']);
  await expect(composer(page)).toHaveValue('');
});
