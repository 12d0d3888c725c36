import type { Page } from '@playwright/test';
import { Account, expect, open, test } from './support/test';
import { composer, conversations, link, log, message, say } from './support/chat';

const heading = (page: Page, name: string) => page.getByRole('heading', { name, level: 1 });

async function two(server: Parameters<typeof Account.register>[0]) {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  await member.join(channel);
  return { admin, member, channel };
}

test('whoever could not log in goes on where something is to be put right', async ({ server, page, watch }) => {
  watch.allow(/status of 4(01|22)/);
  await Account.register(server, 'ada');
  await page.goto('/login');
  await page.getByRole('textbox', { name: 'Username' }).fill('ada');
  await page.getByLabel('Password').fill('not the right one');
  await page.getByRole('button', { name: 'Log in' }).click();
  await expect(page.getByRole('alert').filter({ visible: true })).toBeVisible();
  await expect(page.getByLabel('Password')).toBeFocused();
});

test('what is wrong with a field is in red, said so, and has the focus', async ({ server, signedIn, watch }) => {
  watch.allow(/status of 422/);
  const page = await open(await signedIn(await Account.register(server, 'ada')), '/');
  await conversations(page).getByRole('button', { name: 'Create channel' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create channel' });
  const name = dialog.getByRole('textbox', { name: 'Name' });
  await name.fill('Not a name!');
  await dialog.getByRole('button', { name: 'Create channel' }).click();
  await expect(name).toBeFocused();
  await expect(name).toHaveAccessibleDescription(/^Error: /);
  const alert = await page.evaluate(() => {
    const probe = document.body.appendChild(document.createElement('i'));
    probe.style.color = 'var(--alert)';
    const color = getComputedStyle(probe).color;
    probe.remove();
    return color;
  });
  await expect(dialog.locator('#channel-name-note')).toHaveCSS('color', alert);
});

test('actions are one stop for the tabulator, and arrows go along them', async ({ server, signedIn }) => {
  const { admin, channel } = await two(server);
  for (const text of ['one', 'two']) await admin.post(channel, text);
  const page = await open(await signedIn(admin), '/channels/general');
  const action = (name: string) => message(page, 'two').getByRole('button', { name, exact: true });
  await message(page, 'two').focus();
  await action('React').focus();
  await page.keyboard.press('ArrowRight');
  await expect(action('Reply')).toBeFocused();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowLeft');
  await expect(action('Delete')).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('Enter');
  await expect(action('Thumbs up')).toBeFocused();
  await page.keyboard.press('ArrowRight');
  await expect(action('Heart')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(action('React')).toBeFocused();
  await page.keyboard.press('Tab');
  await expect(message(page, 'two').getByRole('toolbar').locator(':focus')).toHaveCount(0);
});

test('a message keeps the focus when it is marked unread, and when it is gone', async ({ server, signedIn }) => {
  const { admin, member, channel } = await two(server);
  for (const text of ['one', 'two', 'three']) await admin.post(channel, text);
  const page = await open(await signedIn(member), '/channels/general');
  await expect(link(page, '#general')).toBeVisible();
  await message(page, 'two').focus();
  await message(page, 'two').getByRole('button', { name: 'Mark unread from here' }).focus();
  await page.keyboard.press('Enter');
  await expect(link(page, '#general 2 unread')).toBeVisible();
  await expect(message(page, 'two')).toBeFocused();
  await say(page, 'oops');
  await message(page, 'oops').focus();
  await message(page, 'oops').getByRole('button', { name: 'Delete' }).focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('button', { name: 'Undo' })).toBeFocused();
  await expect(log(page).getByText('This message was deleted.')).toBeVisible({ timeout: 10_000 });
  await expect(log(page).getByRole('listitem').filter({ hasText: 'This message was deleted.' })).toBeFocused();
});

test('a private channel is left only after being asked, a public one at once', async ({ server, signedIn }) => {
  const { admin, member } = await two(server);
  const plans = await admin.createChannel('plans', '', { visibility: 'private' });
  await admin.admit(plans, member);
  const page = await open(await signedIn(member), '/browse');
  await page.getByRole('button', { name: 'Leave #general' }).press('Enter');
  await expect(page.getByRole('button', { name: 'Join #general' })).toBeVisible();
  await expect(page.getByRole('listitem').filter({ hasText: '#general' }).and(page.locator('[tabindex]'))).toBeFocused();

  const dialog = page.getByRole('dialog', { name: 'Leave #plans?' });
  await page.getByRole('button', { name: 'Leave #plans' }).press('Enter');
  await expect(dialog).toContainText('only an admin can let you in again');
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(dialog).toBeHidden();
  await expect(page.getByRole('button', { name: 'Leave #plans' })).toBeFocused();
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Leave channel' }).press('Enter');
  await expect(dialog).toBeHidden();
  await expect(link(page, '#plans')).toBeHidden();
  await expect(heading(page, 'Browse channels')).toBeFocused();
});

test('the focus goes to the heading of where one is taken', async ({ server, signedIn }) => {
  test.slow();
  const { admin, member, channel } = await two(server);
  const ada = await open(await signedIn(admin), '/channels/general');
  const mira = await open(await signedIn(member), '/channels/general');
  await composer(mira).focus();
  await ada.getByRole('button', { name: 'Delete channel' }).click();
  const dialog = ada.getByRole('dialog', { name: 'Delete #general?' });
  await expect(dialog.getByRole('button', { name: 'Cancel' })).toBeFocused();
  await dialog.getByRole('button', { name: 'Delete channel' }).press('Enter');
  await expect(ada).toHaveURL('/');
  await expect(heading(ada, 'Catch up')).toBeFocused();
  await expect(heading(mira, '#general')).toBeFocused();
  await expect(mira).toHaveURL('/', { timeout: 15_000 });
  await expect(heading(mira, 'Catch up')).toBeFocused();
  expect(channel.name).toBe('general');
});

test('the ring around what has the focus is whole among the conversations', async ({ server, signedIn }) => {
  const { admin } = await two(server);
  const page = await open(await signedIn(admin), '/');
  await link(page, '#general').focus();
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Tab');
  await expect(link(page, '#general')).toHaveCSS('outline-offset', '-2px');
});

test('what was half typed is back when one may write again', async ({ server, signedIn }) => {
  const { admin, member, channel } = await two(server);
  const page = await open(await signedIn(member), '/channels/general');
  await composer(page).fill('half a thought');
  await admin.change(channel, { post_policy: 'admins' });
  await expect(page.getByText('What you began to write is kept')).toBeVisible();
  await admin.change(channel, { post_policy: 'everyone' });
  await expect(composer(page)).toHaveValue('half a thought');
  await admin.remove(channel, member);
  await page.getByRole('button', { name: 'Join #general' }).click();
  await expect(composer(page)).toHaveValue('half a thought');
});

test('what one may do to a message lies over no words', async ({ server, signedIn }) => {
  const { admin, channel } = await two(server);
  for (const text of ['long and longer '.repeat(30), 'words '.repeat(90), 'end']) await admin.post(channel, text);
  const page = await open(await signedIn(admin), '/channels/general');
  const rows = log(page).locator('.message');
  for (let at = 0; at < 3; at++) {
    await rows.nth(at).hover();
    const bar = await rows.nth(at).getByRole('toolbar').boundingBox();
    for (const words of await page.locator('.message-text').all()) {
      const box = await words.boundingBox();
      const apart = !bar || !box || box.x + box.width <= bar.x || box.y >= bar.y + bar.height || box.y + box.height <= bar.y;
      expect(apart, `row ${at}`).toBe(true);
    }
  }
});
