import { Account, expect, open, test } from './support/test';
import { composer, conversations, link, log, message, say, texts } from './support/chat';
import { Wire } from './support/socket';

test('each channel keeps its draft and its messages while one is elsewhere', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const general = await admin.createChannel('general');
  const random = await admin.createChannel('random');
  const page = await open(await signedIn(admin), '/channels/general');
  await say(page, 'here');
  await composer(page).fill('unfinished');
  await link(page, '#random').click();
  await expect(composer(page, 'random')).toHaveValue('');
  await composer(page, 'random').fill('also unfinished');
  await admin.post(general, 'meanwhile');
  await admin.post(random, 'in random');
  await expect(texts(page, 'random')).toHaveText(['in random']);
  await page.goBack();
  await expect(texts(page)).toHaveText(['here', 'meanwhile']);
  await expect(composer(page)).toHaveValue('unfinished');
  await page.goForward();
  await expect(texts(page, 'random')).toHaveText(['in random']);
  await expect(composer(page, 'random')).toHaveValue('also unfinished');
  await say(page, 'to random', 'random');
  await expect(texts(page, 'random')).toHaveText(['in random', 'to random']);
  expect(await admin.texts(general)).toEqual(['here', 'meanwhile']);
});

test('one gets away from where others reacted, and who is here may change meanwhile', async ({ server, signedIn }) => {
  const [admin, member] = [await Account.register(server, 'ada'), await Account.register(server, 'mira')];
  const general = await admin.createChannel('general');
  await admin.createChannel('random');
  await admin.createChannel('plans');
  await member.join(general);
  await admin.post(general, 'what do you say?');
  const mira = await open(await signedIn(member), '/channels/general');
  await message(mira, 'what do you say?').hover();
  await message(mira, 'what do you say?').getByRole('button', { name: 'React' }).click();
  await mira.keyboard.press('Enter');
  await expect(message(mira, 'what do you say?').getByRole('button', { pressed: true })).toBeVisible();

  const page = await open(await signedIn(admin), '/channels/general');
  await page.evaluate(() => Object.assign(window, { kept: true }));
  for (const name of ['random', 'plans']) {
    await expect(message(page, 'what do you say?').getByRole('button', { pressed: false, name: 'mira' })).toBeVisible();
    // The next page takes its time; the old one is still there.
    await page.route('**/api/fn/open_channel*', async (route) => {
      await mira.goto('/login');
      await mira.goto('/channels/general');
      await new Promise((later) => setTimeout(later, 500));
      await route.continue();
    });
    await link(page, `#${name}`).click();
    await expect(composer(page, name)).toBeVisible();
    await page.unroute('**/api/fn/open_channel*');
    await link(page, '#general').click();
  }
  await expect(composer(page)).toBeVisible();
  expect(await page.evaluate(() => 'kept' in window), 'it broke, and was loaded again').toBe(true);
});

test('whoever goes on before a page has come breaks nothing, though people come and files arrive', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const others = [];
  for (const name of ['mira', 'tomas', 'grace']) {
    const other = await Account.register(server, name);
    await admin.post(await admin.direct(other), `hello ${name}`);
    others.push(other);
  }
  const page = await open(await signedIn(admin), '/direct/mira');
  await page.evaluate(() => Object.assign(window, { kept: true }));
  const releases: (() => void)[] = [];
  await page.route('**/api/fn/open_direct*', async (route) => {
    await new Promise<void>((release) => releases.push(release));
    await route.continue();
  });
  let arrive = (): void => {};
  const arrived = new Promise<void>((go) => (arrive = go));
  await page.route('**/api/v1/uploads*', async (route) => {
    await arrived;
    await route.continue();
  });
  await page.locator('input[type=file]').setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('notes') });
  await link(page, 'tomas').click();
  await expect.poll(() => releases.length).toBe(1);
  await link(page, 'grace').click();
  releases[0]!();
  // The page of the second has come, and is over already: the first is still the one that is seen.
  await expect.poll(() => releases.length).toBe(2);
  await page.waitForTimeout(200);
  arrive();
  const mira = await open(await signedIn(others[0]!), '/');
  await expect(conversations(page).getByRole('link', { name: 'mira' })).toBeVisible();
  await page.waitForTimeout(800);
  await mira.close();
  releases[1]!();
  await expect(page.getByRole('log')).toContainText('hello grace');
  expect(await page.evaluate(() => 'kept' in window), 'it broke, and was loaded again').toBe(true);
});

test('a message still on its way stays where it was written', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const general = await admin.createChannel('general');
  await admin.createChannel('random');
  const page = await (await signedIn(admin)).newPage();
  const wire = await Wire.of(page);
  await open(page.context(), '/channels/general', page);
  wire.sent = (frame) => (frame.type === 'send' ? 'lose' : 'pass');
  await say(page, 'waiting');
  await link(page, '#random').click();
  await expect(composer(page, 'random')).toBeVisible();
  await expect(texts(page, 'random')).toHaveCount(0);
  await link(page, '#general').click();
  await expect(message(page, 'waiting')).toHaveAttribute('aria-busy', 'true');
  await link(page, '#random').click();
  wire.sent = () => 'pass';
  await wire.cut();
  await expect.poll(() => admin.texts(general)).toEqual(['waiting']);
  await link(page, '#general').click();
  await expect(texts(page)).toHaveText(['waiting']);
  await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
});

test('a channel that takes long to come is named at once', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const general = await admin.createChannel('general');
  const random = await admin.createChannel('random', 'Whatever else');
  await admin.post(general, 'here');
  await admin.post(random, 'there');
  const page = await open(await signedIn(admin), '/channels/general');
  let pass = (): void => {};
  const passed = new Promise<void>((done) => (pass = done));
  await page.route('**/api/fn/open_channel*', async (route) => {
    await passed;
    await route.continue();
  });
  await link(page, '#random').click();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('#random');
  await expect(page.locator('.header-topic')).toHaveText('Whatever else');
  await expect(log(page, 'random')).toHaveAttribute('aria-busy', 'true');
  await expect(log(page, 'random')).toContainText('Loading…');
  pass();
  await expect(texts(page, 'random')).toHaveText(['there']);
  await expect(log(page, 'random')).not.toHaveAttribute('aria-busy', 'true');
  await say(page, 'arrived', 'random');
});
