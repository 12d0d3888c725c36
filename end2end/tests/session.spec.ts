import { Account, expect, open, test } from './support/test';
import { texts } from './support/chat';

/** The contract's second, and the time to load another page. */
const SOON = { timeout: 3_000 };
/** What a page was asking for just then is refused. */
const REFUSED = /status of 401 .*\/api\/fn\//;

test('logging out in one tab sends the others to log in', async ({ server, signedIn, watch }) => {
  watch.allow(REFUSED);
  const admin = await Account.register(server, 'ada');
  await admin.createChannel('general');
  const browser = await signedIn(admin);
  const elsewhere = await open(await signedIn(admin), '/channels/general');
  const one = await open(browser, '/');
  const two = await open(browser, '/channels/general');
  await one.getByRole('button', { name: 'Log out' }).click();
  await expect(one).toHaveURL('/login');
  await expect(two).toHaveURL('/login', SOON);
  await two.goto('/channels/general');
  await expect(two).toHaveURL('/login');
  expect((await browser.cookies()).filter((cookie) => cookie.value !== '')).toEqual([]);
  // Another session of the same person goes on.
  await elsewhere.getByRole('textbox', { name: 'Message #general' }).fill('still here');
  await elsewhere.keyboard.press('Enter');
  await expect(texts(elsewhere)).toHaveText(['still here']);
  await expect(elsewhere.locator('[aria-busy=true]')).toHaveCount(0);
});

test('a session ended from elsewhere is sent to log in at once', async ({ server, signedIn, watch }) => {
  watch.allow(REFUSED);
  const admin = await Account.register(server, 'ada');
  await admin.createChannel('general');
  const known = new Set((await admin.sessions()).map((session) => session.id));
  const browser = await signedIn(admin);
  const page = await open(browser, '/channels/general');
  const its = (await admin.sessions()).filter((session) => !known.has(session.id));
  expect(its).toHaveLength(1);
  await admin.endSession(its[0]!);
  await expect(page).toHaveURL('/login', SOON);
  await expect(page.getByRole('button', { name: 'Log in' })).toBeVisible();
  await page.goto('/channels/general');
  await expect(page).toHaveURL('/login');
});

test('no script can read the credentials', async ({ server, signedIn }) => {
  const browser = await signedIn(await Account.register(server, 'ada'));
  const page = await open(browser, '/');
  const cookies = await browser.cookies();
  expect(cookies.length).toBeGreaterThan(0);
  for (const cookie of cookies) expect(cookie).toMatchObject({ httpOnly: true, sameSite: 'Lax' });
  expect(await page.evaluate('document.cookie')).toBe('');
  const kept = await page.evaluate('JSON.stringify({ ...localStorage, ...sessionStorage }) + document.documentElement.outerHTML');
  for (const cookie of cookies) expect(kept).not.toContain(cookie.value);
});
