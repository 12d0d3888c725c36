import type { Locator, Page } from '@playwright/test';
import { Account, expect, open, test } from './support/test';
import { composer, message, texts } from './support/chat';
import type { Server } from './support/server';

test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });

const bar = (page: Page, text: string): Locator => message(page, text).getByRole('toolbar', { name: 'Message actions' });
const bars = (page: Page): Locator => page.getByRole('toolbar');

async function act(page: Page, text: string, name: string): Promise<void> {
  await message(page, text).tap();
  await bar(page, text).getByRole('button', { name, exact: true }).tap();
}

/** Mira has said the last of three things in #general. */
async function three(server: Server): Promise<Account> {
  const [ada, mira] = [await Account.register(server, 'ada'), await Account.register(server, 'mira')];
  const general = await ada.createChannel('general');
  await mira.join(general);
  for (const text of ['one', 'two']) await ada.post(general, text);
  await mira.post(general, 'three');
  return mira;
}

test('a finger does to a message whatever can be done to it', async ({ server, signedIn }) => {
  const page = await open(await signedIn(await three(server)), '/channels/general');
  await act(page, 'one', 'React');
  await message(page, 'one').getByRole('button', { name: 'Heart' }).tap();
  await expect(message(page, 'one').getByRole('button', { name: '❤️ 1: you' })).toBeVisible();
  await expect(bars(page), 'nothing is in the way any more').toHaveCount(0);

  await act(page, 'two', 'Reply');
  await expect(page.getByText('Replying to')).toBeVisible();
  await expect(composer(page)).toBeFocused();
  await expect(bars(page)).toHaveCount(0);
  await composer(page).pressSequentially('an answer');
  await page.getByRole('button', { name: 'Send', exact: true }).tap();
  await expect(composer(page), 'the keyboard stays').toBeFocused();
  await expect(message(page, 'an answer').getByRole('button', { name: /^This answers/ })).toContainText('two');

  await act(page, 'three', 'Edit');
  const editor = page.getByRole('textbox', { name: 'Edit message' });
  await expect(editor).toBeFocused();
  await editor.fill('three, and more');
  await page.getByRole('button', { name: 'Save' }).tap();
  await expect(texts(page)).toContainText(['three, and more']);

  await act(page, 'three, and more', 'Delete');
  await page.getByRole('button', { name: 'Undo' }).tap();
  await act(page, 'three, and more', 'Delete');
  await expect(page.getByText('This message was deleted.')).toBeVisible({ timeout: 10_000 });
});

test('the actions stay on what was tapped until something else is', async ({ server, signedIn }) => {
  const page = await open(await signedIn(await three(server)), '/channels/general');
  await message(page, 'one').tap();
  await expect(bar(page, 'one')).toBeVisible();
  await message(page, 'one').tap();
  await expect(bar(page, 'one')).toBeVisible();
  await message(page, 'two').tap();
  await expect(bar(page, 'two')).toBeVisible();
  await expect(bars(page)).toHaveCount(1);
  await page.getByRole('heading', { name: '#general', level: 1 }).tap();
  await expect(bars(page)).toHaveCount(0);
  // Held down, as for a menu: then there is no click.
  await message(page, 'two').dispatchEvent('pointerdown', { pointerType: 'touch' });
  await expect(bars(page)).toHaveCount(0);
  await message(page, 'two').dispatchEvent('contextmenu');
  await message(page, 'two').dispatchEvent('pointercancel', { pointerType: 'touch' });
  await expect(bar(page, 'two')).toBeVisible();
});

test('a tap where the actions come does none of them', async ({ server, signedIn }) => {
  const page = await open(await signedIn(await three(server)), '/channels/general');
  const { width } = (await message(page, 'three').boundingBox())!;
  for (const back of [30, 80, 120, 170]) {
    await message(page, 'three').tap({ position: { x: width - back, y: 4 } });
    await expect(bar(page, 'three')).toBeVisible();
    await page.getByRole('heading', { name: '#general', level: 1 }).tap();
    await expect(bars(page)).toHaveCount(0);
  }
  await expect(texts(page)).toHaveText(['one', 'two', 'three']);
  await expect(page.getByRole('textbox', { name: 'Edit message' })).toHaveCount(0);
  await expect(page.getByText('Replying to')).toHaveCount(0);
});
