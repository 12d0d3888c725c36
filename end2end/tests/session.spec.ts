import { Account, PASSWORD, expect, open, test } from './support/test';
import { enterThroughPage, texts } from './support/chat';

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
  await expect(two).toHaveURL('/login?next=/channels/general', SOON);
  await two.goto('/channels/general');
  await expect(two).toHaveURL('/login?next=/channels/general');
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
  await expect(page).toHaveURL('/login?next=/channels/general', SOON);
  await expect(page.getByRole('button', { name: 'Log in' })).toBeVisible();
  await page.goto('/channels/general');
  await expect(page).toHaveURL('/login?next=/channels/general');
});

test('after log-in one comes back to where one was going', async ({ server, newBrowser, signedIn, watch }) => {
  watch.allow(REFUSED, /status of 401 .*\/api\/fn\/login/);
  const admin = await Account.register(server, 'ada');
  const general = await admin.createChannel('general');
  const { seq } = await admin.post(general, 'look here');
  const page = await (await newBrowser()).newPage();
  await page.goto(`/channels/general?at=${seq}`);
  await expect(page).toHaveURL(/\/login\?next=/);
  await enterThroughPage(page, 'Log in', 'ada', 'not the password');
  await expect(page.getByRole('alert')).toBeVisible();
  await enterThroughPage(page, 'Log in', 'ada', PASSWORD);
  await expect(page).toHaveURL(`/channels/general?at=${seq}`);
  await expect(texts(page)).toHaveText(['look here']);
  // Whoever is logged in already goes on at once.
  await page.goto('/login?next=/search%3Fq%3Dlook%2520here');
  await expect(page).toHaveURL('/search?q=look%20here');

  // A session that ends under an open page.
  const known = new Set((await admin.sessions()).map((session) => session.id));
  const other = await open(await signedIn(admin), '/search?q=look');
  const its = (await admin.sessions()).filter((session) => !known.has(session.id));
  await admin.endSession(its[0]!);
  await expect(other).toHaveURL('/login?next=/search%3Fq%3Dlook', SOON);
  await enterThroughPage(other, 'Log in', 'ada', PASSWORD);
  await expect(other).toHaveURL('/search?q=look');
  await other.getByRole('button', { name: 'Log out' }).click();
  await expect(other, 'whoever logs out is done there').toHaveURL('/login');
});

test('who has to make an account first comes there, too', async ({ server, newBrowser }) => {
  const page = await (await newBrowser()).newPage();
  await page.goto('/browse');
  await page.getByRole('link', { name: 'Create account' }).click();
  await expect(page).toHaveURL('/register?next=/browse');
  await expect(page.getByText('You are the first here')).toBeVisible();
  await enterThroughPage(page, 'Create account', 'ada', PASSWORD);
  await expect(page).toHaveURL('/browse');
  await expect(page.getByRole('link', { name: 'Admin', exact: true })).toBeVisible();

  const plain = await (await newBrowser({ javaScriptEnabled: false })).newPage();
  await plain.goto('/register?next=/browse');
  await expect(plain.getByText('You are the first here')).toHaveCount(0);
  await plain.getByRole('link', { name: 'Log in' }).click();
  await expect(plain).toHaveURL('/login?next=/browse');
  await plain.getByRole('link', { name: 'Create account' }).click();
  await enterThroughPage(plain, 'Create account', 'mira', PASSWORD);
  await expect(plain).toHaveURL('/browse');
  await plain.goto('/register?next=//evil.example');
  await expect(plain).toHaveURL('/');
});

test('a link to the log-in page leads nowhere else', async ({ server, newBrowser, watch }) => {
  watch.allow(/was preloaded using link preload but not used/);
  await Account.register(server, 'ada');
  const [page, plain] = [await (await newBrowser()).newPage(), await (await newBrowser({ javaScriptEnabled: false })).newPage()];
  for (const [tab, next] of [[page, '//evil.example'], [page, '/\\evil.example'], [page, '/\t/evil.example'], [plain, '//evil.example']] as const) {
    const address = `/login?next=${encodeURIComponent(next)}`;
    await tab.goto(address);
    await enterThroughPage(tab, 'Log in', 'ada', PASSWORD);
    await expect(tab).toHaveURL('/');
    // Nor for whoever is logged in.
    await tab.goto(address);
    await expect(tab).toHaveURL('/');
    await tab.goto('about:blank');
    await tab.context().clearCookies();
  }
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
