import type { Page } from '@playwright/test';
import { Account, PASSWORD, expect, open, test } from './support/test';
import { enterThroughPage } from './support/chat';

const REFUSED = /status of 403/;

/** Who may register, through the page; it has to be open. */
async function choose(page: Page, mode: string): Promise<void> {
  await page.getByRole('radio', { name: mode, exact: true }).check();
  await page.getByRole('button', { name: 'Save' }).click();
  await expect(page.getByRole('main').getByRole('status')).toHaveText('Saved.');
}

/** The link of a new invitation. */
async function invite(page: Page, uses = '1'): Promise<string> {
  const links = page.getByRole('textbox', { name: 'Link' });
  const before = await links.count();
  await page.getByRole('spinbutton', { name: 'Uses' }).fill(uses);
  await page.getByRole('button', { name: 'Create invitation' }).click();
  await expect(links).toHaveCount(before + 1);
  const all = await links.all();
  return Promise.all(all.map((each) => each.inputValue())).then((values) => values[0] ?? '');
}

test('with an invitation only those who have one make an account', async ({ server, signedIn, newBrowser, watch }) => {
  watch.allow(REFUSED);
  const page = await open(await signedIn(await Account.register(server, 'ada')), '/admin/registration');
  await expect(page.getByRole('radio', { name: 'Open' })).toBeChecked();
  await choose(page, 'Invitation only');
  const link = await invite(page);
  expect(link).toMatch(new RegExp(`^${server.url}/invite/.{20}$`));
  await expect(page.getByText('0 of 1 used')).toBeVisible();

  const out = await (await newBrowser()).newPage();
  await out.goto('/login');
  await out.getByRole('link', { name: 'Create account' }).click();
  await expect(out.getByText('You need an invitation')).toBeVisible();
  await expect(out.getByRole('textbox')).toHaveCount(0);
  await expect(out.getByRole('button')).toHaveCount(0);

  await out.goto(link);
  await expect(out.getByRole('heading', { name: 'Create account' })).toBeVisible();
  await expect(out.getByText('You are invited')).toBeVisible();
  const late = await (await newBrowser()).newPage();
  await late.goto(link);
  await enterThroughPage(out, 'Create account', 'mira', PASSWORD);
  await expect(out).toHaveURL('/');

  await enterThroughPage(late, 'Create account', 'grace', PASSWORD);
  await expect(late.getByText('This invitation is used up, too old or withdrawn.')).toBeVisible();
  await late.goto(link);
  await expect(late.getByText('This invitation is used up, too old or withdrawn.')).toBeVisible();
  await expect(late.getByRole('button')).toHaveCount(0);
  await late.getByRole('link', { name: 'Log in' }).click();
  await expect(late).toHaveURL('/login');
  await page.reload();
  await expect(page.getByText('There is no invitation that can still be used.')).toBeVisible();
});

test('a withdrawn invitation does nothing any more', async ({ server, signedIn, newBrowser, watch }) => {
  watch.allow(REFUSED);
  const page = await open(await signedIn(await Account.register(server, 'ada')), '/admin/registration');
  await choose(page, 'Invitation only');
  const link = await invite(page, '5');
  const out = await (await newBrowser()).newPage();
  await out.goto(link);
  await page.getByRole('button', { name: 'Withdraw' }).press('Enter');
  await expect(page.getByRole('main').getByRole('status')).toHaveText('The invitation is withdrawn.');
  await expect(page.getByRole('textbox', { name: 'Link' })).toHaveCount(0);
  await expect(page.locator('body'), 'the focus is not lost').not.toBeFocused();
  await enterThroughPage(out, 'Create account', 'mira', PASSWORD);
  await expect(out.getByText('This invitation is used up, too old or withdrawn.')).toBeVisible();
  await out.reload();
  await expect(out.getByText('Ask whoever sent it for a new one.')).toBeVisible();

  await choose(page, 'Open');
  await out.reload();
  await out.getByRole('link', { name: 'Create account' }).click();
  await enterThroughPage(out, 'Create account', 'mira', PASSWORD);
  await expect(out).toHaveURL('/');
});

test('nobody makes an account where that is closed', async ({ server, signedIn, newBrowser, watch }) => {
  watch.allow(REFUSED);
  const page = await open(await signedIn(await Account.register(server, 'ada')), '/admin/registration');
  await choose(page, 'Closed');
  const link = await invite(page);
  const out = await (await newBrowser()).newPage();
  await out.goto('/register');
  await expect(out.getByText('No new accounts are made here at the moment.')).toBeVisible();
  await expect(out.getByRole('textbox')).toHaveCount(0);
  await expect(out.getByRole('button')).toHaveCount(0);
  await expect(out.getByRole('link', { name: 'Log in' })).toBeVisible();
  await out.goto(link);
  await expect(out.getByText('No new accounts are made here at the moment.')).toBeVisible();
  await expect(out.getByRole('button')).toHaveCount(0);
});

test('a link is copied, and bounds are told', async ({ server, signedIn, watch }) => {
  watch.allow(/status of 422/);
  const browser = await signedIn(await Account.register(server, 'ada'), { permissions: ['clipboard-read', 'clipboard-write'] });
  const page = await open(browser, '/admin/registration');
  const link = await invite(page, '3');
  await page.getByRole('button', { name: 'Copy link' }).click();
  await expect(page.getByRole('main').getByRole('status')).toHaveText('The link is copied.');
  expect(await page.evaluate('navigator.clipboard.readText()')).toBe(link);

  // Browsers keep to the bounds themselves; the server does so for everyone else.
  const days = page.getByRole('spinbutton', { name: 'Days' });
  await days.evaluate((node) => node.removeAttribute('max'));
  await days.fill('400');
  await page.getByRole('button', { name: 'Create invitation' }).click();
  await expect(page.getByText('An invitation lasts 1 to 365 days.')).toBeVisible();
  await expect(days).toHaveAttribute('aria-invalid', 'true');
});

test.describe('without JavaScript', () => {
  test.use({ javaScriptEnabled: false });

  test('one is invited all the same', async ({ server, page, newBrowser, watch }) => {
    watch.allow(/preloaded using link preload but not used/);
    await Account.register(server, 'ada');
    await page.goto('/login');
    await enterThroughPage(page, 'Log in', 'ada', PASSWORD);
    await page.goto('/admin/registration');
    await page.getByRole('radio', { name: 'Invitation only' }).check();
    await page.getByRole('button', { name: 'Save' }).click();
    await expect(page).toHaveURL('/admin/registration');
    await expect(page.getByRole('radio', { name: 'Invitation only' })).toBeChecked();
    await page.getByRole('button', { name: 'Create invitation' }).click();
    const path = await page.getByRole('textbox', { name: 'Link' }).inputValue();
    expect(path).toMatch(/^\/invite\//);
    await expect(page.getByRole('button', { name: 'Copy link' })).toBeHidden();
    const out = await (await newBrowser({ javaScriptEnabled: false })).newPage();
    await out.goto(path);
    await enterThroughPage(out, 'Create account', 'mira', 'short');
    await expect(out.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
    await expect(out.getByText('You are invited')).toBeVisible();
    await enterThroughPage(out, 'Create account', 'mira', PASSWORD);
    await expect(out).toHaveURL('/');
  });
});
