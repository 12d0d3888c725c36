import type { Locator, Page } from '@playwright/test';
import { Account, PASSWORD, expect, open, test } from './support/test';
import { composer, conversations, link, texts } from './support/chat';

/** Presses Tab until that has the focus. */
async function tabTo(page: Page, element: Locator): Promise<void> {
  for (let n = 0; n < 30; n++) {
    if (await element.evaluate((node) => node === document.activeElement)) return;
    await page.keyboard.press('Tab');
  }
  await expect(element).toBeFocused();
}

test('one can log in with the keyboard alone', async ({ server, page }) => {
  await Account.register(server, 'ada');
  await page.goto('/login');
  await expect(page.getByRole('textbox', { name: 'Username' })).toBeFocused();
  await page.keyboard.type('ada');
  await page.keyboard.press('Tab');
  await expect(page.getByLabel('Password')).toBeFocused();
  await page.keyboard.type(PASSWORD);
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/');
});

test('the dialog opens by keyboard, Escape closes it and the focus returns', async ({ server, signedIn }) => {
  const page = await open(await signedIn(await Account.register(server, 'ada')), '/');
  const button = conversations(page).getByRole('button', { name: 'Create channel' });
  const dialog = page.getByRole('dialog', { name: 'Create channel' });
  for (const key of ['Enter', 'Space']) {
    await tabTo(page, button);
    await page.keyboard.press(key);
    await expect(dialog.getByRole('textbox', { name: 'Name' })).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
    await expect(button).toBeFocused();
  }
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('textbox', { name: 'Name' })).toBeFocused();
  await page.keyboard.type('general');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/channels/general');
  await expect(dialog).toBeHidden();
  await expect(composer(page)).toBeFocused();
  await page.keyboard.type('by hand');
  await page.keyboard.press('Enter');
  await expect(texts(page)).toHaveText(['by hand']);
});

test('a dialog opened again has forgotten what was wrong', async ({ server, signedIn, watch }) => {
  watch.allow(/Failed to load resource: .* status of 4(09|22)/);
  const admin = await Account.register(server, 'ada');
  await admin.createChannel('general');
  const page = await open(await signedIn(admin), '/');
  const dialog = page.getByRole('dialog', { name: 'Create channel' });
  const name = dialog.getByRole('textbox', { name: 'Name' });
  await conversations(page).getByRole('button', { name: 'Create channel' }).click();
  await name.fill('general');
  await page.keyboard.press('Enter');
  await expect(dialog).toContainText(/taken|exists|already/i);
  await name.fill('Not a name!');
  await page.keyboard.press('Enter');
  await expect(dialog).not.toContainText(/taken|exists|already/i);
  await expect(name).toHaveAttribute('aria-invalid', 'true');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await expect(dialog).toBeHidden();
  await conversations(page).getByRole('button', { name: 'Create channel' }).click();
  await expect(name).not.toHaveAttribute('aria-invalid');
  await expect(name).toHaveValue('');

  // Nor does it hear what comes of what was sent before it was closed.
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/api/fn/create_channel', async (route) => {
    await held;
    await route.continue();
  });
  await name.fill('general');
  await page.keyboard.press('Enter');
  await dialog.getByRole('button', { name: 'Close' }).click();
  await conversations(page).getByRole('button', { name: 'Create channel' }).click();
  const answer = page.waitForResponse('**/api/fn/create_channel');
  release();
  await (await answer).finished();
  await expect(dialog.getByRole('button', { name: 'Create channel' })).toBeEnabled();
  await expect(name).not.toHaveAttribute('aria-invalid');
});

test('going elsewhere leaves the focus and the scroll of the conversations where they were', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  for (let n = 10; n < 40; n++) await admin.createChannel(`channel-${n}`);
  const page = await open(await signedIn(admin), '/');
  const list = conversations(page).locator('.overflow-y-auto');
  const browse = conversations(page).getByRole('button', { name: 'Browse channels' });
  await browse.press(' ');
  await expect(page).toHaveURL('/browse');
  await expect(browse).toBeFocused();
  await list.evaluate((element) => element.scrollTo(0, 300));
  await link(page, '#channel-25').click();
  await expect(composer(page, 'channel-25')).toBeVisible();
  await link(page, '#channel-26').click();
  await expect(composer(page, 'channel-26')).toBeVisible();
  expect(await list.evaluate((element) => element.scrollTop)).toBe(300);
});
