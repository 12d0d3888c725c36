import type { Page } from '@playwright/test';
import { Account, PASSWORD, expect, open, test } from './support/test';
import { conversations, enterThroughPage } from './support/chat';

const entries = (page: Page) => page.getByRole('region', { name: 'Where you are logged in' }).getByRole('listitem');
const told = (page: Page) => page.locator('.told');

async function changePassword(page: Page, current: string, next: string): Promise<void> {
  await page.getByLabel('Current password').fill(current);
  await page.getByLabel('New password').fill(next);
  await page.getByRole('button', { name: 'Change password' }).click();
}

test('a new name is on the pages of others at once', async ({ server, signedIn, watch }) => {
  watch.allow(/status of 422/);
  const admin = await Account.register(server, 'ada');
  const mira = await Account.register(server, 'mira');
  const general = await admin.createChannel('general');
  await mira.join(general);
  await mira.post(general, 'hello');
  const other = await open(await signedIn(admin), '/channels/general');
  await other.getByRole('log').getByRole('button', { name: 'mira', exact: true }).first().click();
  const card = other.getByRole('dialog', { name: 'mira' });
  await expect(card).toContainText('Member');
  const page = await open(await signedIn(mira), '/');
  await conversations(page).getByRole('link', { name: 'Settings of mira' }).click();
  await expect(page).toHaveURL('/settings');
  const name = page.getByRole('textbox', { name: 'Display name' });
  await expect(name).toHaveValue('mira');
  await name.fill('   ');
  await page.getByRole('button', { name: 'Save name' }).click();
  await expect(page.getByRole('alert')).toContainText('A display name');
  await expect(name).toHaveAttribute('aria-invalid', 'true');
  await expect(name).toHaveAccessibleDescription(/A display name/);
  await name.fill('Mira Lind');
  await page.getByRole('button', { name: 'Save name' }).click();
  await expect(told(page)).toHaveText('Your name is changed.');
  await expect(conversations(page).getByRole('link', { name: 'Settings of Mira Lind' })).toBeVisible();
  await expect(card).toContainText('Mira Lind');
});

test('a new password needs the old one, and ends every other session', async ({ server, signedIn, watch }) => {
  watch.allow(/status of 422/);
  const mira = await Account.register(server, 'mira');
  const elsewhere = await open(await signedIn(mira), '/');
  const page = await open(await signedIn(mira), '/settings');
  await changePassword(page, 'not the password', 'another good one');
  const current = page.getByLabel('Current password');
  await expect(page.getByRole('alert')).toContainText("That isn't your current password.");
  await expect(current).toHaveAccessibleDescription(/That isn't your current password\./);
  await expect(current).toBeFocused();
  await changePassword(page, PASSWORD, 'another good one');
  await expect(told(page)).toContainText('Your password is changed.');
  await expect(current).toHaveValue('');
  await expect(entries(page)).toHaveCount(1);
  await expect(elsewhere).toHaveURL(/\/login/);
  await enterThroughPage(elsewhere, 'Log in', 'mira', 'another good one');
  await expect(elsewhere).toHaveURL('/');
});

test('sessions are listed, and ended one by one or all at once', async ({ server, signedIn }) => {
  const mira = await Account.register(server, 'mira');
  const userAgent = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0';
  const elsewhere = await open(await signedIn(mira, { userAgent }), '/');
  const page = await open(await signedIn(mira), '/settings');
  await expect(entries(page)).toHaveCount(3);
  const own = entries(page).filter({ hasText: 'This device' });
  await expect(own).toHaveCount(1);
  await expect(own).toContainText('Last used');
  await expect(own.getByRole('button', { name: 'End' })).toHaveCount(0);
  const other = entries(page).filter({ hasText: 'Firefox on Windows' });
  await other.getByRole('button', { name: 'End' }).click();
  await expect(told(page)).toHaveText('Firefox on Windows is logged out.');
  await expect(entries(page)).toHaveCount(2);
  await expect(elsewhere).toHaveURL(/\/login/);
  await page.getByRole('button', { name: 'End all others' }).click();
  await expect(told(page)).toHaveText('You are logged in only here now.');
  await expect(entries(page)).toHaveCount(1);
  await expect(page.getByRole('button', { name: 'End all others' })).toHaveCount(0);
  await expect(mira.sessions()).rejects.toThrow(/401/);
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('one changes name and password, and ends sessions', async ({ server, page }) => {
    const mira = await Account.register(server, 'mira');
    await page.goto('/login');
    await enterThroughPage(page, 'Log in', 'mira', PASSWORD);
    await page.goto('/settings');
    await page.getByRole('textbox', { name: 'Display name' }).fill('Mira Lind');
    await page.getByRole('button', { name: 'Save name' }).click();
    await expect(page).toHaveURL('/settings');
    await expect(page.getByRole('textbox', { name: 'Display name' })).toHaveValue('Mira Lind');
    await changePassword(page, 'not the password', 'another good one');
    await expect(page.getByRole('alert')).toContainText("That isn't your current password.");
    await expect(page.getByLabel('Current password')).toHaveAttribute('aria-invalid', 'true');
    expect(page.url()).not.toContain('good');
    await expect(entries(page)).toHaveCount(2);
    await entries(page).filter({ hasText: 'node' }).getByRole('button', { name: 'End' }).click();
    await expect(entries(page)).toHaveCount(1);
    await expect(mira.sessions()).rejects.toThrow(/401/);
    await changePassword(page, PASSWORD, 'another good one');
    await page.getByRole('button', { name: 'Log out' }).click();
    await enterThroughPage(page, 'Log in', 'mira', 'another good one');
    await expect(page).toHaveURL('/');
  });
});
