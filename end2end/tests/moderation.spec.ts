import { type Locator, type Page } from '@playwright/test';
import { Account, expect, open, test } from './support/test';
import { Wire } from './support/socket';
import { composer, link, log, message, say } from './support/chat';

const gone = (page: Page): Locator => log(page).getByText('This message was deleted.');

/** Points at a message and does something to it. */
async function act(page: Page, text: string, name: string): Promise<void> {
  await message(page, text).hover();
  await message(page, text).getByRole('toolbar', { name: 'Message actions' }).getByRole('button', { name, exact: true }).click();
}

async function two(server: Parameters<typeof Account.register>[0]) {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  await member.join(channel);
  return { admin, member, channel };
}

test('one edits what one said, and everyone sees the new words', async ({ server, signedIn }) => {
  const { admin, member } = await two(server);
  const ada = await open(await signedIn(admin), '/channels/general');
  const mira = await open(await signedIn(member), '/channels/general');
  await say(mira, 'helo');
  await act(mira, 'helo', 'Edit');
  const editor = mira.getByRole('textbox', { name: 'Edit message' });
  await expect(editor).toBeFocused();
  await expect(editor).toHaveValue('helo');
  await editor.press('Escape');
  await expect(editor).toBeHidden();
  await composer(mira).press('ArrowUp');
  await expect(editor).toBeFocused();
  await expect(message(mira, 'helo').or(mira.locator('.message:has(.editor)')).getByRole('toolbar'), 'nothing lies over it').toHaveCount(0);
  await editor.press('Escape');
  await expect(composer(mira), 'back to where it was begun').toBeFocused();
  await composer(mira).press('ArrowUp');
  await editor.fill('hello');
  await editor.press('Enter');
  for (const page of [ada, mira]) {
    await expect(message(page, 'hello')).toBeVisible();
    await expect(log(page).getByText('(edited)')).toHaveAttribute('title', /^Edited \w+day/);
    await expect(log(page).getByText('helo', { exact: true })).toHaveCount(0);
  }
  await message(ada, 'hello').hover();
  await expect(message(ada, 'hello').getByRole('button', { name: 'Edit', exact: true })).toHaveCount(0);
});

test('words being edited survive a reaction, a lost connection and a refusal', async ({ server, signedIn, watch }) => {
  watch.allow(/WebSocket connection to .* failed/);
  const { admin, member, channel } = await two(server);
  const posted = await member.post(channel, 'helo');
  const ada = await open(await signedIn(admin), '/channels/general');
  const page = await (await signedIn(member)).newPage();
  const wire = await Wire.of(page);
  await open(page.context(), '/channels/general', page);
  const editor = page.getByRole('textbox', { name: 'Edit message' });
  await act(page, 'helo', 'Edit');
  await editor.fill('hello');
  await editor.press('Home');
  await act(ada, 'helo', 'React');
  await message(ada, 'helo').getByRole('button', { name: 'Party' }).click();
  await expect(log(page).getByRole('button', { name: /^🎉/ })).toBeVisible();
  await expect(editor).toBeFocused();
  await page.keyboard.type('Oh, ');
  await expect(editor, 'the caret stays, too').toHaveValue('Oh, hello');

  wire.sent = (frame, answer) => {
    if (frame.type !== 'edit') return 'pass';
    answer({ type: 'error', ref: frame.ref, code: 'rate_limited', detail: 'Too quick. Wait a moment.' });
    return 'lose';
  };
  await editor.press('Enter');
  await expect(log(page).getByRole('alert')).toHaveText('Too quick. Wait a moment.');
  await expect(editor).toHaveValue('Oh, hello');
  wire.sent = () => 'lose';
  await editor.press('Enter');
  await wire.cut();
  await expect(log(page).getByRole('alert')).toHaveText(/Save again/);
  await expect(editor).toHaveValue('Oh, hello');
  wire.sent = () => 'pass';
  await editor.press('Enter');
  await expect(editor).toBeHidden();
  await expect(message(page, 'Oh, hello')).toBeFocused();
  await expect(message(ada, 'Oh, hello')).toBeVisible();
  expect((await member.texts(channel))).toEqual(['Oh, hello']);
  expect(posted.text).toBe('helo');
});

test('the moment begins anew, and it is over when one leaves the place', async ({ server, signedIn }) => {
  const { admin, member, channel } = await two(server);
  await member.post(channel, 'stays a while');
  await member.post(channel, 'goes at once');
  const page = await (await signedIn(member)).newPage();
  await page.clock.install();
  await open(page.context(), '/channels/general', page);
  await act(page, 'stays a while', 'Delete');
  await page.clock.runFor(2_000);
  await page.getByRole('button', { name: 'Undo' }).click();
  await page.clock.runFor(1_000);
  await act(page, 'stays a while', 'Delete');
  // The first moment would be over.
  await page.clock.runFor(3_000);
  expect(await admin.texts(channel)).toEqual(['stays a while', 'goes at once']);
  await page.clock.runFor(3_000);
  await expect.poll(() => admin.texts(channel)).toEqual([undefined, 'goes at once']);

  await act(page, 'goes at once', 'Delete');
  await link(page, 'Catch up').click();
  await expect(page).toHaveURL('/');
  await page.goto('about:blank');
  await expect.poll(() => admin.texts(channel)).toEqual([undefined, undefined]);
});

test('deleting can be taken back for a moment, then it is gone everywhere', async ({ server, signedIn }) => {
  const { admin, member, channel } = await two(server);
  const ada = await open(await signedIn(admin), '/channels/general');
  const mira = await open(await signedIn(member), '/channels/general');
  await say(mira, 'oops');
  await act(mira, 'oops', 'Delete');
  await mira.getByRole('button', { name: 'Undo' }).click();
  await expect(message(mira, 'oops')).toBeVisible();
  await act(mira, 'oops', 'Delete');
  await expect(log(mira).getByText('Deleted.')).toBeVisible();
  await expect(message(ada, 'oops')).toBeVisible();
  for (const page of [ada, mira]) await expect(gone(page)).toBeVisible({ timeout: 10_000 });
  expect(await member.texts(channel)).toEqual([undefined]);
  await mira.reload();
  await expect(gone(mira)).toBeVisible();
});

test('an admin deletes what a member said and tells them why', async ({ server, signedIn }) => {
  const { admin, member } = await two(server);
  const ada = await open(await signedIn(admin), '/channels/general');
  const mira = await open(await signedIn(member), '/channels/general');
  await say(mira, 'buy my watches');
  await act(ada, 'buy my watches', 'Delete');
  const dialog = ada.getByRole('dialog', { name: 'Delete message' });
  await dialog.getByRole('textbox', { name: /Reason/ }).fill('no advertising');
  await dialog.getByRole('button', { name: 'Delete message' }).click();
  await expect(dialog).toBeHidden();
  for (const page of [ada, mira]) await expect(gone(page)).toBeVisible({ timeout: 10_000 });
  await link(mira, 'ada 1 unread').click();
  await expect(mira.getByRole('log', { name: 'Messages in ada' })).toContainText('I deleted a message of yours in #general: no advertising');
});

test('a member can only do to others’ messages what members may', async ({ server, signedIn }) => {
  const { admin, member } = await two(server);
  const ada = await open(await signedIn(admin), '/channels/general');
  const mira = await open(await signedIn(member), '/channels/general');
  await say(ada, 'from the admin');
  await message(mira, 'from the admin').hover();
  const buttons = message(mira, 'from the admin').getByRole('toolbar').getByRole('button');
  await expect(buttons.first()).toBeVisible();
  expect(await buttons.evaluateAll((all) => all.map((button) => button.getAttribute('aria-label')))).toEqual([
    'React', 'Reply', 'Mark unread from here',
  ]);
});

test('reactions are counted, named and taken back', async ({ server, signedIn }) => {
  const { admin, member } = await two(server);
  const ada = await open(await signedIn(admin), '/channels/general');
  const mira = await open(await signedIn(member), '/channels/general');
  await say(ada, 'lunch?');
  await act(mira, 'lunch?', 'React');
  await message(mira, 'lunch?').getByRole('button', { name: 'Thumbs up' }).click();
  const reaction = (page: Page) => message(page, 'lunch?').getByRole('button', { name: /^👍/ });
  await expect(reaction(ada)).toContainText('1');
  await expect(reaction(ada)).toHaveAccessibleName('👍 1: mira');
  await expect(reaction(mira)).toHaveAccessibleName('👍 1: you');
  await reaction(ada).click();
  for (const page of [ada, mira]) {
    await expect(reaction(page)).toContainText('2');
    await expect(reaction(page)).toHaveAttribute('aria-pressed', 'true');
  }
  await reaction(mira).click();
  await expect(reaction(mira)).toHaveAttribute('aria-pressed', 'false');
  await reaction(ada).click();
  for (const page of [ada, mira]) await expect(reaction(page)).toHaveCount(0);
});

test('a reply quotes what it answers and leads there', async ({ server, signedIn }) => {
  const { admin, member, channel } = await two(server);
  const first = await admin.post(channel, 'the very first word');
  for (let i = 0; i < 70; i++) await admin.post(channel, `filler ${i}`);
  await member.markRead(channel, 71);
  const mira = await open(await signedIn(member), '/channels/general');
  await act(mira, 'filler 69', 'Reply');
  await expect(mira.getByText('Replying to ada: filler 69')).toBeVisible();
  await expect(composer(mira)).toBeFocused();
  await say(mira, 'an answer');
  await expect(message(mira, 'an answer').getByRole('button', { name: /answers/ })).toContainText('filler 69');
  await member.post(channel, 'from far away', { reply_to: first.id });
  const quote = message(mira, 'from far away').getByRole('button', { name: /answers/ });
  await expect(quote).toContainText('the very first word');
  await quote.click();
  await expect(message(mira, 'the very first word')).toBeInViewport();
});

test('a mention is completed, shown to whom it names, and counted until it is read', async ({ server, signedIn }) => {
  const { admin, member } = await two(server);
  const ada = await open(await signedIn(admin), '/channels/general');
  const mira = await open(await signedIn(member), '/');
  await composer(ada).pressSequentially('hello @mi');
  await expect(ada.getByRole('option', { name: '@mira' })).toHaveAttribute('aria-selected', 'true');
  await composer(ada).press('Enter');
  await expect(composer(ada)).toHaveValue('hello @mira ');
  await composer(ada).press('Enter');
  await expect(link(mira, '#general 1 unread, 1 mention')).toBeVisible();
  await link(mira, '#general 1 unread, 1 mention').click();
  await expect(mira.locator('.message-calls')).toContainText('hello @mira');
  await expect(link(mira, '#general')).toBeVisible();
  await expect(ada.locator('.message-calls')).toHaveCount(0);
  await say(ada, '@channel lunch');
  await say(mira, '@channel breakfast');
  await expect(log(mira).locator('.mention').filter({ hasText: '@channel' })).toHaveCount(1);
  await expect(ada.locator('.message-calls')).toHaveCount(0);
});

test('what is marked unread stays so, on every device, until one comes back', async ({ server, signedIn }) => {
  const { admin, member, channel } = await two(server);
  for (const text of ['one', 'two', 'three']) await admin.post(channel, text);
  const mira = await open(await signedIn(member), '/channels/general');
  const other = await open(await signedIn(member), '/browse');
  for (const page of [mira, other]) await expect(link(page, '#general')).toBeVisible();
  await act(mira, 'two', 'Mark unread from here');
  for (const page of [mira, other]) await expect(link(page, '#general 2 unread')).toBeVisible();
  await expect(log(mira).getByText('New', { exact: true })).toBeVisible();
  await mira.getByRole('link', { name: 'Catch up' }).first().click();
  await expect(link(mira, '#general 2 unread')).toBeVisible();
  await link(mira, '#general 2 unread').click();
  for (const page of [mira, other]) await expect(link(page, '#general')).toBeVisible();
});

test('Markdown is shown, and HTML is only text', async ({ server, signedIn }) => {
  const { admin, channel } = await two(server);
  await admin.post(channel, '**bold** and `code` <img src=x onerror=alert(1)> [a link](https://example.org) [no](javascript:alert(1))');
  await admin.post(channel, '```rust\nfn main() {}\n```');
  const ada = await open(await signedIn(admin), '/channels/general');
  await expect(log(ada).locator('strong')).toHaveText('bold');
  await expect(log(ada).getByText('<img src=x onerror=alert(1)>')).toBeVisible();
  await expect(log(ada).getByRole('link', { name: 'a link' })).toHaveAttribute('href', 'https://example.org');
  await expect(log(ada).getByRole('link', { name: 'no' })).toHaveCount(0);
  await expect(log(ada).locator('pre .hl-k')).toHaveText('fn');
  await expect(log(ada).locator('img')).toHaveCount(0);
});

test('messages and their actions can be reached by keyboard', async ({ server, signedIn }) => {
  const { admin, channel } = await two(server);
  for (const text of ['one', 'two']) await admin.post(channel, text);
  const ada = await open(await signedIn(admin), '/channels/general');
  await log(ada).focus();
  await ada.keyboard.press('ArrowUp');
  await expect(message(ada, 'two')).toBeFocused();
  await ada.keyboard.press('ArrowUp');
  await expect(message(ada, 'one')).toBeFocused();
  const react = message(ada, 'one').getByRole('button', { name: 'React' });
  await expect(react).toBeVisible();
  for (let i = 0; i < 4 && !(await react.evaluate((button) => button === document.activeElement)); i++) {
    await ada.keyboard.press('Tab');
  }
  await expect(react).toBeFocused();
  await log(ada).hover();
  await ada.mouse.move(5, 5);
  await expect(react, 'the pointer goes elsewhere').toBeFocused();
  await ada.keyboard.press('Enter');
  await expect(message(ada, 'one').getByRole('button', { name: 'Thumbs up' })).toBeFocused();
  await ada.keyboard.press('Escape');
  await expect(react).toBeFocused();
  await ada.keyboard.press('Enter');
  await ada.keyboard.press('Enter');
  await expect(message(ada, 'one').getByRole('button', { name: /^👍/ })).toBeVisible();
  await expect(message(ada, 'one')).toBeFocused();
  await message(ada, 'one').getByRole('button', { name: 'Delete' }).press('Enter');
  await expect(ada.getByRole('button', { name: 'Undo' })).toBeFocused();
  await ada.keyboard.press('Enter');
  await expect(message(ada, 'one')).toBeFocused();
});
