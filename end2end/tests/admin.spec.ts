import type { Locator, Page } from '@playwright/test';
import { Account, PASSWORD, expect, open, test } from './support/test';
import { conversations, enterThroughPage, link } from './support/chat';

const PATHS = ['/admin', '/admin/channels', '/admin/channels/general', '/admin/people', '/admin/registration', '/admin/audit'];

const areas = (page: Page): Locator => page.getByRole('navigation', { name: 'Admin' });
const entry = (page: Page, name: string): Locator =>
  page.getByRole('main').getByRole('listitem').filter({ has: page.getByText(name, { exact: true }) });
const said = (page: Page): Locator => page.getByRole('main').getByRole('status');
const log = (page: Page): Locator => page.getByRole('list', { name: 'Audit log' }).getByRole('listitem');

/** Browsers fetch the bundle also where no script will ask for it. */
const UNUSED = /preloaded using link preload but not used/;

test('the overview shows how the place is doing', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const [general, plans] = [await admin.createChannel('general'), await admin.createChannel('plans')];
  await member.join(general);
  for (const text of ['one', 'two']) await admin.post(general, text);
  await member.post(general, 'three');
  await admin.post(plans, 'four');
  const page = await open(await signedIn(admin), '/');
  await conversations(page).getByRole('link', { name: 'Admin' }).click();
  await expect(page).toHaveURL('/admin');
  await expect(page.getByRole('definition').filter({ hasText: /^4$/ })).toBeVisible();
  for (const [title, number, tip] of [['Messages per day', '4', '4 messages'], ['Active people per day', '2', '2 people']] as const) {
    await expect(page.getByRole('img', { name: title })).toBeVisible();
    await expect(page.getByRole('img', { name: title }).locator('title')).toHaveCount(14);
    await expect(page.getByRole('img', { name: title }).locator('title').last()).toContainText(tip);
    await expect(page.getByRole('table', { name: title }).getByRole('row').last().getByRole('cell')).toHaveText(number);
  }
  const storage = page.getByRole('region', { name: 'Storage' });
  await expect(storage).toContainText('in all');
  await expect(storage.getByRole('listitem')).toHaveText([/^Database\d.* [kM]B$/, /^Pictures/, /^Videos/, /^Other files/]);
  const busiest = page.getByRole('main').getByRole('list').first().getByRole('listitem');
  await expect(busiest).toHaveText(['#general3', '#plans1']);
  await busiest.getByRole('link', { name: '#plans' }).click();
  await expect(page).toHaveURL('/admin/channels/plans');
});

test('the areas lead to each other, and the way stays where the focus is', async ({ server, signedIn }) => {
  const page = await open(await signedIn(await Account.register(server, 'ada')), '/admin');
  for (const [name, path] of [['Channels', '/channels'], ['People', '/people'], ['Registration', '/registration'], ['Audit log', '/audit'], ['Overview', '']] as const) {
    await areas(page).getByRole('link', { name, exact: true }).press('Enter');
    await expect(page).toHaveURL(`/admin${path}`);
    await expect(areas(page).getByRole('link', { name, exact: true })).toHaveAttribute('aria-current', 'page');
    await expect(areas(page).getByRole('link', { name, exact: true })).toBeFocused();
    await expect(areas(page).locator('[aria-current]')).toHaveCount(1);
  }
});

test('a channel is created with its rules, and changed', async ({ server, signedIn, watch }) => {
  watch.allow(/status of (422|409|404)/);
  const admin = await Account.register(server, 'ada');
  await admin.createChannel('taken');
  const page = await open(await signedIn(admin), '/admin/channels');
  await page.getByRole('main').getByRole('button', { name: 'Create channel' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create channel' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill('plans');
  await dialog.getByRole('textbox', { name: 'Topic' }).fill('What comes next');
  await dialog.getByRole('radio', { name: 'Private' }).check();
  await dialog.getByRole('radio', { name: 'Admins only' }).check();
  await dialog.getByRole('button', { name: 'Create channel' }).click();
  await expect(page).toHaveURL('/channels/plans');

  await page.getByRole('link', { name: 'Admin' }).click();
  await areas(page).getByRole('link', { name: 'Channels' }).click();
  await expect(entry(page, 'plans')).toContainText('Private · 1 member · only admins write · What comes next');
  await page.getByRole('main').getByRole('link', { name: '#plans' }).click();
  await expect(page).toHaveURL('/admin/channels/plans');
  const main = page.getByRole('main');
  await expect(main.getByRole('radio', { name: 'Private' })).toBeChecked();
  await expect(main.getByRole('textbox', { name: 'Topic' })).toHaveValue('What comes next');

  await main.getByRole('textbox', { name: 'Name', exact: true }).fill('taken');
  await main.getByRole('button', { name: 'Save' }).click();
  await expect(main.getByRole('textbox', { name: 'Name', exact: true })).toHaveAttribute('aria-invalid', 'true');
  await main.getByRole('textbox', { name: 'Name', exact: true }).fill('ideas');
  await main.getByRole('radio', { name: 'Public' }).check();
  await main.getByRole('button', { name: 'Save' }).press('Enter');
  await expect(said(page)).toHaveText('Saved.');
  await expect(page).toHaveURL('/admin/channels/ideas');
  await expect(page.getByRole('heading', { name: '#ideas' })).toBeVisible();
  await expect(page.locator('body'), 'the focus is not lost').not.toBeFocused();
  await expect(link(page, '#ideas')).toBeVisible();
  await page.goto('/admin/channels/plans');
  await expect(page.getByText('There is nothing here')).toBeVisible();
});

test('people are added to a channel and removed from it, and see so at once', async ({ server, signedIn, watch }) => {
  watch.allow(/status of 404/);
  const admin = await Account.register(server, 'ada');
  const others = await Promise.all(['mira', 'grace'].map((name) => Account.register(server, name)));
  await admin.createChannel('general');
  const mira = await open(await signedIn(others[0] as Account), '/');
  const page = await open(await signedIn(admin), '/admin/channels/general');
  const username = page.getByRole('main').getByRole('textbox', { name: 'Username' });
  await username.fill('nobody');
  await username.press('Enter');
  await expect(page.getByRole('alert')).toHaveText('There is nobody of that name.');
  for (const name of ['mira', 'grace']) {
    await username.fill(name);
    await username.press('Enter');
    await expect(said(page)).toHaveText(`${name} is in #general now.`);
    await expect(page.getByRole('button', { name: `Remove ${name}` })).toBeVisible();
    await expect(username).toHaveValue('');
    await expect(username).toBeFocused();
  }
  await expect(page.getByRole('alert').filter({ visible: true })).toHaveCount(0);
  await expect(link(mira, '#general')).toBeVisible();

  await page.getByRole('button', { name: 'Remove mira' }).press('Enter');
  await expect(said(page)).toHaveText('mira is out of #general.');
  await expect(page.getByRole('button', { name: 'Remove mira' })).toHaveCount(0);
  await expect(link(mira, '#general')).toBeHidden();
  await expect(page.getByRole('heading', { name: /^Members/ }), 'not the next person').toBeFocused();
  await page.getByRole('button', { name: 'Remove ada' }).press('Enter');
  await expect(said(page)).toHaveText('ada is out of #general.');
  await expect(page.getByRole('heading', { name: /^Members/ }), 'nor whoever moves up').toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Remove grace' })).toBeVisible();
});

test('a channel is deleted, after being told what is lost', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  await admin.createChannel('general');
  const page = await open(await signedIn(admin), '/admin/channels/general');
  await page.getByRole('button', { name: 'Delete channel' }).click();
  const dialog = page.getByRole('dialog', { name: 'Delete #general?' });
  await expect(dialog).toContainText("Every message in #general is deleted, for all its members. This can't be undone.");
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await dialog.getByRole('button', { name: 'Delete channel' }).click();
  await expect(page).toHaveURL('/admin/channels');
  await expect(said(page)).toHaveText('#general is deleted.');
  await expect(page.getByText('There are no channels yet.')).toBeVisible();
  await expect(page.locator('body'), 'the focus is not lost').not.toBeFocused();
  await expect(link(page, '#general')).toBeHidden();
});

test('roles are given and taken, but not from the last admin', async ({ server, signedIn, watch }) => {
  watch.allow(/status of 409/);
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const mira = await open(await signedIn(member), '/');
  const page = await open(await signedIn(admin), '/admin/people');
  await entry(page, 'ada').getByRole('button', { name: 'Make member' }).click();
  await expect(page.getByRole('alert').filter({ visible: true })).toContainText(/admin/i);
  await entry(page, 'mira').getByRole('button', { name: 'Make admin' }).press('Enter');
  await page.getByRole('dialog', { name: 'Make mira an admin?' }).getByRole('button', { name: 'Make admin' }).press('Enter');
  await expect(said(page)).toHaveText('mira is an admin now.');
  await expect(page.getByRole('alert').filter({ visible: true }), 'what went wrong before is past').toHaveCount(0);
  await expect(entry(page, 'mira').getByText('Admin', { exact: true })).toBeVisible();
  await expect(entry(page, 'mira')).toBeFocused();
  await expect(conversations(mira).getByRole('link', { name: 'Admin' })).toBeVisible();

  await entry(page, 'ada').getByRole('button', { name: 'Make member' }).click();
  await expect(page.getByRole('alert').filter({ visible: true })).toHaveText("You aren't an admin any more");
  await expect(areas(page)).toHaveCount(0);
  await page.getByRole('link', { name: 'Go to Catch up' }).click();
  await expect(page).toHaveURL('/');
});

test('what is refused moves nothing, so that a second click falls on nobody else', async ({ server, signedIn, watch }) => {
  watch.allow(/status of 409/);
  const admin = await Account.register(server, 'mira');
  await Account.register(server, 'ada');
  const page = await open(await signedIn(admin), '/admin/people');
  const alert = page.getByRole('alert').filter({ visible: true });
  const button = entry(page, 'mira').getByRole('button', { name: 'Make member' });
  const { x, y, width, height } = (await button.boundingBox())!;
  const click = (): Promise<void> => page.mouse.click(x + width / 2, y + height / 2);
  await click();
  await expect(alert).toContainText(/admin/i);
  expect(await button.boundingBox()).toEqual({ x, y, width, height });
  await click();
  await expect(alert).toContainText(/admin/i);
  const ask = entry(page, 'ada').getByRole('button', { name: 'Make admin' });
  await ask.click();
  const dialog = page.getByRole('dialog', { name: 'Make ada an admin?' });
  await expect(dialog.getByRole('alert').filter({ visible: true }), 'what went wrong before is past').toHaveCount(0);
  await dialog.getByRole('link', { name: 'Cancel' }).click();
  await expect(dialog).toBeHidden();
  await expect(ask).toBeFocused();
  await expect(entry(page, 'ada').getByText('Admin', { exact: true })).toHaveCount(0);
});

test('somebody is suspended for a reason, and reinstated', async ({ server, signedIn, newBrowser, watch }) => {
  watch.allow(/status of (401|403)/);
  const admin = await Account.register(server, 'ada');
  const mira = await open(await signedIn(await Account.register(server, 'mira')), '/');
  const page = await open(await signedIn(admin), '/admin/people');
  for (const name of ['Make admin: mira', 'Suspend mira', 'End sessions of mira']) {
    await expect(page.getByRole('button', { name, exact: true })).toBeVisible();
  }
  await entry(page, 'mira').getByRole('button', { name: 'Suspend' }).press('Enter');
  const dialog = page.getByRole('dialog', { name: 'Suspend mira?' });
  await dialog.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(entry(page, 'mira').getByRole('button', { name: 'Suspend' })).toBeFocused();
  await entry(page, 'mira').getByRole('button', { name: 'Suspend' }).press('Enter');
  await dialog.getByRole('textbox', { name: 'Reason' }).fill('Selling watches');
  await dialog.getByRole('button', { name: 'Suspend' }).press('Enter');
  await expect(said(page)).toHaveText('mira is suspended.');
  await expect(entry(page, 'mira')).toContainText('Suspended');
  await expect(entry(page, 'mira')).toBeFocused();
  await expect(mira).toHaveURL('/login');
  const out = await (await newBrowser()).newPage();
  await out.goto('/login');
  await enterThroughPage(out, 'Log in', 'mira', PASSWORD);
  await expect(out.getByRole('alert')).toBeVisible();

  await entry(page, 'mira').getByRole('button', { name: 'Reinstate' }).click();
  await expect(said(page)).toHaveText('mira can log in again.');
  await enterThroughPage(out, 'Log in', 'mira', PASSWORD);
  await expect(out).toHaveURL('/');
  await areas(page).getByRole('link', { name: 'Audit log' }).click();
  await expect(log(page)).toHaveText([/ada reinstated mira/, /ada suspended mira.*“Selling watches”/s]);
});

test('sessions are ended', async ({ server, signedIn, watch }) => {
  watch.allow(/status of 401/);
  const admin = await Account.register(server, 'ada');
  const mira = await open(await signedIn(await Account.register(server, 'mira')), '/');
  const page = await open(await signedIn(admin), '/admin/people');
  await entry(page, 'mira').getByRole('button', { name: 'End sessions' }).click();
  const dialog = page.getByRole('dialog', { name: 'End all sessions of mira?' });
  await dialog.getByRole('link', { name: 'Cancel' }).click();
  await expect(entry(page, 'mira').getByRole('button', { name: 'End sessions' })).toBeFocused();
  await expect(mira).toHaveURL('/');
  await entry(page, 'mira').getByRole('button', { name: 'End sessions' }).click();
  await dialog.getByRole('button', { name: 'End sessions' }).click();
  await expect(said(page)).toHaveText('mira is logged out everywhere.');
  await expect(mira).toHaveURL('/login');
});

test('people are searched and listed a hundred at a time', async ({ server, signedIn }) => {
  test.slow();
  const admin = await Account.register(server, 'ada');
  for (let n = 100; n < 204; n += 8) await Promise.all(Array.from({ length: 8 }, (_, at) => Account.register(server, `user${n + at}`)));
  const page = await open(await signedIn(admin), '/admin/people');
  const people = page.getByRole('main').getByRole('listitem');
  await expect(people).toHaveCount(100);
  await page.getByRole('link', { name: 'More' }).click();
  await expect(people).toHaveCount(5);
  await expect(entry(page, 'user203')).toBeVisible();
  await page.getByRole('searchbox', { name: 'Search people' }).fill('USER12');
  await page.getByRole('searchbox', { name: 'Search people' }).press('Enter');
  await expect(people).toHaveCount(10);
  await expect(page).toHaveURL('/admin/people?q=USER12');
  await page.getByRole('searchbox', { name: 'Search people' }).fill('?&=%');
  await page.getByRole('searchbox', { name: 'Search people' }).press('Enter');
  await expect(page.getByText('Nobody is called that.')).toBeVisible();
  await page.goBack();
  await expect(people).toHaveCount(10);
  await expect(page.getByRole('searchbox', { name: 'Search people' })).toHaveValue('USER12');
});

test('the audit log says what was done, newest first, fifty a page', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  for (let n = 1; n <= 52; n++) await admin.createChannel(`channel-${n}`);
  const page = await open(await signedIn(admin), '/admin/audit');
  await expect(log(page)).toHaveCount(50);
  await expect(log(page).first()).toContainText('ada created #channel-52');
  await expect(log(page).first()).toContainText(/Today, \d\d:\d\d/);
  await page.getByRole('link', { name: 'Older' }).click();
  await expect(log(page)).toHaveText([/ada created #channel-2[^\d]/, /ada created #channel-1[^\d]/]);
  await page.getByRole('link', { name: 'Newest' }).click();
  await expect(log(page)).toHaveCount(50);
});

test('for a member there is nothing', async ({ server, signedIn, watch }) => {
  watch.allow(/status of 404 .*\/admin/);
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  await member.join(channel);
  const browser = await signedIn(member);
  for (const path of PATHS) {
    const answer = await browser.request.get(path, { headers: { accept: 'text/html' } });
    expect(answer.status(), path).toBe(404);
    const html = await answer.text();
    expect(html, path).toContain('There is nothing here');
    expect(html, path).not.toContain('aria-label="Admin"');
    const page = await open(browser, path);
    await expect(page.getByRole('heading', { name: 'There is nothing here' })).toBeVisible();
    await expect(link(page, '#general')).toBeVisible();
    await page.close();
  }
  const id = channel.id;
  const headers = { origin: server.url, accept: 'application/json' };
  const calls: [string, Record<string, string>][] = [
    ['stats', {}], ['audit', {}], ['invites', {}], ['all_channels', {}],
    ['create_channel', { name: 'mine', topic: '' }], ['admit', { id, username: 'mira', channel: 'general' }],
    ['update_channel', { id, name: 'mine', topic: '', visibility: 'public', post_policy: 'everyone' }],
    ['set_registration', { mode: 'closed' }], ['create_invite', { days: '1', uses: '1' }], ['revoke_invite', { code: 'x' }],
  ];
  for (const [name, form] of calls) {
    expect((await browser.request.post(`/api/fn/${name}`, { form, headers })).status(), name).toBe(403);
  }
  expect((await browser.request.post('/api/fn/roster', { form: { name: 'general' }, headers })).status()).toBe(404);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('a channel is made and somebody is suspended', async ({ server, page, watch }) => {
    watch.allow(UNUSED);
    await Account.register(server, 'ada');
    await Account.register(server, 'mira');
    await page.goto('/login');
    await enterThroughPage(page, 'Log in', 'ada', PASSWORD);
    await page.goto('/admin/channels');
    await page.getByRole('main').getByRole('button', { name: 'Create channel' }).click();
    const create = page.getByRole('dialog', { name: 'Create channel' });
    await create.getByRole('textbox', { name: 'Name' }).fill('plans');
    await create.getByRole('radio', { name: 'Private' }).check();
    await create.getByRole('button', { name: 'Create channel' }).click();
    await expect(page).toHaveURL('/channels/plans');
    await page.goto('/admin/channels/plans');
    await page.getByRole('main').getByRole('textbox', { name: 'Username' }).fill('mira');
    await page.getByRole('button', { name: 'Add a member' }).click();
    await expect(page).toHaveURL('/admin/channels/plans');
    await expect(page.getByRole('button', { name: 'Remove mira' })).toBeVisible();

    await page.goto('/admin/people');
    await page.getByRole('searchbox', { name: 'Search people' }).fill('mir');
    await page.getByRole('searchbox', { name: 'Search people' }).press('Enter');
    await expect(page).toHaveURL(/q=mir/);
    await entry(page, 'mira').getByRole('button', { name: 'Suspend' }).click();
    const suspend = page.getByRole('dialog', { name: 'Suspend mira?' });
    await suspend.getByRole('textbox', { name: 'Reason' }).fill('Selling watches');
    await suspend.getByRole('button', { name: 'Suspend' }).click();
    await expect(page).toHaveURL('/admin/people');
    await expect(entry(page, 'mira')).toContainText('Suspended');
    await entry(page, 'mira').getByRole('button', { name: 'Make admin' }).click();
    await page.getByRole('dialog', { name: 'Make mira an admin?' }).getByRole('button', { name: 'Make admin' }).click();
    await expect(entry(page, 'mira').getByText('Admin', { exact: true })).toBeVisible();
    await page.goto('/admin/audit');
    await expect(log(page).nth(1)).toContainText('ada suspended mira');
    await expect(log(page).nth(1)).toContainText('“Selling watches”');
  });

  test('a channel that could not be made or deleted is told of where it was tried', async ({ server, page, watch }) => {
    watch.allow(UNUSED);
    const admin = await Account.register(server, 'ada');
    const taken = await admin.createChannel('taken');
    await page.goto('/login');
    await enterThroughPage(page, 'Log in', 'ada', PASSWORD);
    await page.goto('/admin/channels');
    await page.getByRole('main').getByRole('button', { name: 'Create channel' }).click();
    const create = page.getByRole('dialog', { name: 'Create channel' });
    await create.getByRole('textbox', { name: 'Name' }).fill('taken');
    await create.getByRole('button', { name: 'Create channel' }).click();
    await expect(create.getByRole('textbox', { name: 'Name' })).toHaveAttribute('aria-invalid', 'true');
    await create.getByRole('button', { name: 'Close' }).click();
    await expect(create).toBeHidden();
    await page.goto('/channels/taken');
    await page.getByRole('button', { name: 'Delete channel' }).click();
    await admin.deleteChannel(taken);
    const again = await admin.createChannel('taken');
    const remove = page.getByRole('dialog', { name: 'Delete #taken?' });
    await remove.getByRole('button', { name: 'Delete channel' }).click();
    await expect(remove.getByRole('alert')).toBeVisible();
    expect((await admin.channel(again)).name).toBe('taken');
  });

  test('what goes wrong is told', async ({ server, page, watch }) => {
    watch.allow(UNUSED);
    await Account.register(server, 'ada');
    await page.goto('/login');
    await enterThroughPage(page, 'Log in', 'ada', PASSWORD);
    await page.goto('/admin/people');
    await entry(page, 'ada').getByRole('button', { name: 'Make member' }).click();
    await expect(page.getByRole('alert').filter({ visible: true })).toContainText(/admin/i);
    await entry(page, 'ada').getByRole('button', { name: 'Suspend' }).click();
    const suspend = page.getByRole('dialog', { name: 'Suspend ada?' });
    await suspend.getByRole('button', { name: 'Suspend' }).click();
    await expect(suspend.getByRole('alert')).toContainText(/admin/i);
  });
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

  test('everything fits and can be tapped', async ({ server, signedIn }) => {
    const admin = await Account.register(server, 'a'.repeat(32));
    await admin.post(await admin.createChannel('general', 'A topic of many words, '.repeat(10)), 'Hello');
    await admin.createChannel('w'.repeat(64));
    const page = await open(await signedIn(admin), '/admin/registration');
    await page.getByRole('button', { name: 'Create invitation' }).tap();
    await expect(page.getByRole('textbox', { name: 'Link' })).toBeVisible();
    for (const path of [...PATHS, `/admin/channels/${'w'.repeat(64)}`]) {
      await open(page.context(), path, page);
      const wide = await page.evaluate('document.documentElement.scrollWidth');
      expect(wide, `${path} is wider than the screen`).toBe(390);
      // A link may be smaller than the entry around it, all of which it covers.
      const controls = await page.locator('button, a:not(.entry-link), input').evaluateAll((nodes) =>
        nodes.filter((node) => node.checkVisibility()).map((node) => {
          const { height, right } = node.getBoundingClientRect();
          return { name: node.outerHTML.slice(0, 80), height, right };
        }),
      );
      // The five areas, and the way back.
      expect(controls.length).toBeGreaterThan(5);
      for (const { name, height, right } of controls.filter((control) => control.height > 0)) {
        expect.soft(height, `height of ${name} on ${path}`).toBeGreaterThanOrEqual(44);
        expect.soft(right, `end of ${name} on ${path}`).toBeLessThanOrEqual(390.5);
      }
    }
  });
});
