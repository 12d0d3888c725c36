import type { Page } from '@playwright/test';
import { Account, expect, open, test } from './support/test';
import { composer, say } from './support/chat';

/** Something strays into the page that the program doesn't know, so that it breaks when it wakes. */
async function spoil(page: Page, times: number): Promise<() => number> {
  let loads = 0;
  await page.route('**/channels/general', async (route) => {
    if (loads++ >= times) return route.continue();
    const response = await route.fetch();
    const body = (await response.text()).replace('<div class="frame', 'stray<div class="frame');
    await route.fulfill({ response, body });
  });
  return () => loads;
}

// A page that the test hands over has no place in the network that a socket could be opened from.
const BROKEN = [/panicked|hydration|Unrecoverable|unreachable/, /LOCAL_NETWORK_ACCESS_CHECKS/];

test('a page that breaks is loaded again by itself', async ({ server, signedIn, watch }) => {
  watch.allow(...BROKEN);
  const admin = await Account.register(server, 'ada');
  await admin.createChannel('general');
  const page = await (await signedIn(admin)).newPage();
  const loads = await spoil(page, 1);
  await page.goto('/channels/general');
  await expect(composer(page)).toBeEnabled({ timeout: 15_000 });
  expect(loads()).toBe(2);
  await say(page, 'awake');
  await expect(page.getByRole('button', { name: 'Reload' })).toHaveCount(0);
});

test('a page that goes on breaking says so, and what was begun is kept', async ({ server, signedIn, watch }) => {
  watch.allow(...BROKEN);
  const admin = await Account.register(server, 'ada');
  await admin.createChannel('general');
  const page = await open(await signedIn(admin), '/channels/general');
  await composer(page).fill('begun');
  const loads = await spoil(page, 2);
  await page.reload();
  const notice = page.getByRole('alert').filter({ hasText: 'Something broke on this page.' });
  await expect(notice).toBeVisible({ timeout: 15_000 });
  expect(loads()).toBe(2);
  await notice.getByRole('button', { name: 'Reload' }).click();
  await expect(composer(page)).toHaveValue('begun', { timeout: 15_000 });
  await expect(notice).toHaveCount(0);
});
