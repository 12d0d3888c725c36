import type { Locator, Page } from '@playwright/test';
import { Account, PASSWORD, expect, open, test } from './support/test';
import { composer, conversations, enterThroughPage, link, sendButton, texts } from './support/chat';

test.use({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true, deviceScaleFactor: 3 });

async function fits(page: Page): Promise<void> {
  const [wide, room] = await page.evaluate<[number, number]>('[document.documentElement.scrollWidth, innerWidth]');
  expect(wide, `${page.url()} is wider than the screen`).toBeLessThanOrEqual(room);
  expect(room).toBe(390);
}

/** Everything in there that is meant for a finger. */
async function tappable(page: Page, within: Locator | Page = page): Promise<void> {
  for (const control of await within.locator('button, a, input, textarea, [role=button]').filter({ visible: true }).all()) {
    const name = await control.evaluate((node) => node.getAttribute('aria-label') ?? ((node.textContent ?? '') || node.id));
    const inText = await control.evaluate((node) => getComputedStyle(node).display === 'inline');
    if (inText) continue; // A link in a sentence has the sentence's height.
    expect.soft((await control.boundingBox())?.height ?? 0, `height of ${name} on ${page.url()}`).toBeGreaterThanOrEqual(44);
  }
}

test('from registering to a conversation and back', async ({ server, newBrowser }) => {
  const admin = await Account.register(server, 'ada');
  await admin.post(await admin.createChannel('general', 'All of us'), 'Welcome!');
  const page = await (await newBrowser()).newPage();
  await page.goto('/register');
  await fits(page);
  await enterThroughPage(page, 'Create account', 'mira', PASSWORD);
  await expect(page).toHaveURL('/');
  await fits(page);
  await conversations(page).getByRole('button', { name: 'Browse channels' }).tap();
  await page.getByRole('button', { name: 'Join #general' }).tap();
  await expect(texts(page)).toHaveText(['Welcome!']);
  await expect(conversations(page)).toBeHidden();
  await page.getByRole('link', { name: 'Back to conversations' }).tap();
  await expect(conversations(page)).toBeVisible();
  await link(page, '#general').tap();
  await expect(conversations(page)).toBeHidden();

  await expect(composer(page)).toBeEnabled();
  await expect(composer(page), 'no keyboard jumps up').not.toBeFocused();
  await composer(page).tap();
  await composer(page).pressSequentially('Hello from the road');
  await sendButton(page).tap();
  await expect(texts(page)).toHaveText(['Welcome!', 'Hello from the road']);
  await expect(composer(page)).toHaveValue('');
  await expect(texts(page).last()).toBeInViewport({ ratio: 1 });
  await expect(composer(page)).toBeInViewport({ ratio: 1 });
  await fits(page);
});

test('at home the list is a screen of its own, and what is unread another', async ({ server, signedIn }) => {
  const [ada, mira] = [await Account.register(server, 'ada'), await Account.register(server, 'mira')];
  const general = await ada.createChannel('general');
  await mira.join(general);
  await ada.post(general, 'hello @mira');
  const page = await open(await signedIn(mira), '/');
  const feed = page.getByRole('region', { name: 'Catch up' });
  const entry = link(page, 'Catch up');
  const onList = async (): Promise<void> => {
    await expect(conversations(page)).toBeInViewport({ ratio: 1 });
    await expect(feed).not.toBeInViewport();
  };
  const onFeed = async (): Promise<void> => {
    await expect(feed).toBeInViewport({ ratio: 1 });
    await expect(conversations(page)).not.toBeInViewport();
  };
  await onList();
  await expect(entry).toHaveAccessibleDescription('1 message is waiting for you');
  await expect(entry).toContainText('1');
  await entry.tap();
  await expect(page).toHaveURL('/#catch-up');
  await onFeed();
  await expect(page.getByRole('heading', { name: 'Catch up', level: 1 })).toBeFocused();
  await page.getByRole('link', { name: 'Back to conversations' }).tap();
  await expect(page).toHaveURL('/');
  await onList();
  await entry.tap();
  await onFeed();
  await feed.getByRole('link', { name: 'Open' }).tap();
  await expect(texts(page)).toHaveText(['hello @mira']);
  await page.goBack();
  await onFeed();
  await page.reload();
  await onFeed();
  await page.goBack();
  await onList();
  await link(page, '#general').tap();
  await page.getByRole('link', { name: 'Back to conversations' }).tap();
  await onList();
  // What one scrolls moves inside its screen.
  expect((await conversations(page).boundingBox())!.height).toBe(844);
});

test('nothing is wider than the screen, whatever people write', async ({ server, signedIn, watch }) => {
  watch.allow(/status of 404 .*\/(nowhere|channels\/none)\)$/); // These pages are among those looked at.
  const admin = await Account.register(server, 'a'.repeat(32));
  const name = 'w'.repeat(64);
  const channel = await admin.createChannel(name, 'A topic of many words, '.repeat(10));
  await admin.post(channel, 'W'.repeat(500));
  await admin.post(channel, `https://example.org/${'a-long-address/'.repeat(20)}`);
  const page = await open(await signedIn(admin), '/');
  await expect(link(page, `#${name}`)).toBeVisible();
  for (const path of ['/', '/browse', `/channels/${name}`, '/channels/none', '/nowhere']) {
    await page.goto(path);
    await fits(page);
    for (const each of await page.locator('button, a, h1, h2, p').filter({ visible: true }).all()) {
      const box = await each.boundingBox();
      if (box) expect.soft(box.x + box.width, `${await each.innerText()} on ${path}`).toBeLessThanOrEqual(390.5);
    }
  }
  await open(page.context(), `/channels/${name}`, page);
  await page.getByRole('button', { name: 'Delete channel' }).tap();
  await expect(page.getByRole('dialog')).toBeInViewport({ ratio: 1 });
  await fits(page);
});

test('the members of a channel lie over it, and close again', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  await admin.createChannel('general');
  const page = await open(await signedIn(admin), '/channels/general');
  const button = page.getByRole('button', { name: 'Members' });
  const list = page.getByRole('complementary', { name: 'Members' });
  await expect(button).toHaveAttribute('aria-expanded', 'false');
  await button.tap();
  await expect(button).toHaveAttribute('aria-expanded', 'true');
  await expect(list.getByRole('heading', { name: 'Members' })).toBeVisible();
  await tappable(page, list);
  await expect(list.getByRole('button', { name: 'Close' })).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(list).toBeHidden();
  await expect(button).toBeFocused();
  await button.tap();
  await list.getByRole('button', { name: 'Close' }).tap();
  await expect(list).toBeHidden();

  // Escape closes one thing at a time.
  await admin.createChannel('plans', '', { visibility: 'private' });
  await open(page.context(), '/channels/plans', page);
  await button.tap();
  await list.getByRole('button', { name: 'Leave #plans' }).tap();
  const dialog = page.getByRole('dialog', { name: 'Leave #plans?' });
  await expect(dialog).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog).toBeHidden();
  await expect(list).toBeVisible();
  await expect(list.getByRole('button', { name: 'Leave #plans' })).toBeFocused();
});

test('what one taps is at least 44 pixels high', async ({ server, signedIn, newBrowser }) => {
  const admin = await Account.register(server, 'ada');
  await admin.createChannel('general');
  const out = await (await newBrowser()).newPage();
  for (const path of ['/login', '/register']) {
    await out.goto(path);
    await tappable(out);
  }
  const page = await open(await signedIn(admin), '/');
  for (const path of ['/', '/browse', '/channels/general']) {
    await open(page.context(), path, page);
    await tappable(page);
  }
  await page.getByRole('button', { name: 'Delete channel' }).tap();
  await tappable(page, page.getByRole('dialog'));
  await page.getByRole('button', { name: 'Cancel' }).tap();
  await page.goto('/');
  await conversations(page).getByRole('button', { name: 'Create channel' }).tap();
  await tappable(page, page.getByRole('dialog'));
});
