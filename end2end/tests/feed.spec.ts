import type { Locator, Page } from '@playwright/test';
import { Account, NO_SERVER, expect, open, test } from './support/test';
import { composer, conversations, link, log, message } from './support/chat';
import { film, picture } from './support/files';
import { Wire } from './support/socket';
import type { Channel } from './support/account';
import type { Server } from './support/server';

const feed = (page: Page): Locator => page.getByRole('region', { name: 'Catch up' });
const cards = (page: Page): Locator => feed(page).getByRole('article');
const card = (page: Page, name: string): Locator => feed(page).getByRole('article', { name, exact: true });
const caughtUp = (page: Page): Locator => page.getByText("You're all caught up");
const icon = (page: Page): Locator => page.locator('link[rel=icon]');

interface Place { ada: Account; mira: Account; general: Channel; random: Channel; direct: Channel }

/** Ada, the admin, and Mira, who are in two channels and write to each other. */
async function place(server: Server): Promise<Place> {
  const ada = await Account.register(server, 'ada');
  const mira = await Account.register(server, 'mira');
  const [general, random] = [await ada.createChannel('general'), await ada.createChannel('random')];
  for (const channel of [general, random]) await mira.join(channel);
  return { ada, mira, general, random, direct: await ada.direct(mira) };
}

test('what is unread stands there in order, with how it begins', async ({ server, signedIn }) => {
  const { ada, mira, general, random, direct } = await place(server);
  await ada.post(general, 'read by now');
  await mira.markRead(general, 1);
  for (let n = 1; n <= 5; n++) await ada.post(general, `message **${n}**`);
  await ada.post(direct, 'psst');
  await ada.post(random, 'look, @mira');
  const context = await signedIn(mira);
  // Complete before any script runs.
  const html = await (await context.request.get('/')).text();
  expect(html).toContain('message <strong>1</strong>');
  expect(html).toContain('<title>Catch up · Natter</title>');
  const page = await open(context, '/');
  await expect(cards(page)).toHaveCount(3);
  await expect(cards(page).nth(0)).toHaveAccessibleName('#random');
  await expect(cards(page).nth(1)).toHaveAccessibleName('ada');
  await expect(cards(page).nth(2)).toHaveAccessibleName('#general');
  await expect(card(page, '#random')).toContainText('1 mention · 1 new');
  await expect(card(page, 'ada').getByRole('listitem')).toHaveText([/psst/]);
  const plain = card(page, '#general');
  await expect(plain).toContainText('5 new');
  await expect(plain).toContainText('read by now');
  await expect(plain.getByRole('listitem')).toHaveText([/message 1/, /message 2/, /message 3/]);
  await plain.getByRole('link', { name: '2 more in #general' }).click();
  await expect(log(page).getByText('New', { exact: true })).toBeVisible();
  await expect(page).toHaveURL(/\/channels\/general$/);
});

test('much that is unread is opened at the first of it', async ({ server, signedIn }) => {
  const { ada, mira, general } = await place(server);
  for (let n = 1; n <= 60; n++) await ada.post(general, `message ${n}`);
  const page = await open(await signedIn(mira), '/');
  await card(page, '#general').getByRole('link', { name: 'Open' }).click();
  await expect(page).toHaveURL('/channels/general');
  await expect(log(page).getByText('message 1', { exact: true })).toBeInViewport();
  await expect(log(page).getByText('New', { exact: true })).toBeInViewport();
  await expect(link(page, '#general 60 unread'), 'not read before it is seen').toBeVisible();
  await page.reload();
  await expect(log(page).getByText('message 1', { exact: true })).toBeInViewport();
  await expect(log(page).getByText('New', { exact: true })).toBeInViewport();
});

test('pictures and files are glimpsed at, and lead to their message', async ({ server, signedIn }) => {
  const { ada, mira, general, direct } = await place(server);
  const page = await (await signedIn(mira)).newPage();
  const [wide, tall] = [await picture(page, 1600, 900), await picture(page, 300, 900, 'tomato')];
  await ada.send(direct, '', [await ada.upload('wide.png', wide)]);
  await ada.post(general, 'before');
  const files = [await ada.upload('wide.png', wide), await ada.upload('tall.png', tall)];
  const said = await ada.send(general, 'look', [...files, await ada.upload('film.mp4', await film(page)), await ada.upload('notes.txt', 'hello')]);
  // Their places are there before they are.
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/thumbnail', async (route) => {
    await held;
    await route.continue();
  });
  await open(page.context(), '/', page);
  const inCard = (name: string, file: string): Locator => card(page, name).getByRole('img', { name: file });
  const all = [inCard('ada', 'wide.png'), inCard('#general', 'wide.png'), inCard('#general', 'tall.png')];
  await expect(all[2]).toBeVisible();
  const boxes = await Promise.all(all.map((image) => image.boundingBox()));
  release();
  for (const image of all) {
    await expect.poll(() => image.evaluate((it: HTMLImageElement) => it.naturalWidth)).toBeGreaterThan(0);
    const shape = await image.evaluate((it: HTMLImageElement) => ({ natural: it.naturalWidth / it.naturalHeight, shown: it.width / it.height }));
    expect(shape.shown).toBeCloseTo(shape.natural, 1);
  }
  const after = await Promise.all(all.map((image) => image.boundingBox()));
  for (const [at, box] of boxes.entries()) {
    expect(box!.height).toBeLessThanOrEqual(120);
    // Sizes are whole pixels until the shape is known.
    for (const side of ['x', 'y', 'width', 'height'] as const) expect(Math.abs(after[at]![side] - box![side])).toBeLessThan(1);
  }
  for (const link of await card(page, '#general').locator('.glimpses a').all()) expect((await link.boundingBox())!.width).toBeGreaterThanOrEqual(44);
  await expect(card(page, '#general').getByRole('link', { name: /^film\.mp4 Video · 0:0\d · / })).toBeVisible();
  await expect(card(page, '#general').locator('video')).toHaveCount(0);
  await expect(card(page, '#general').getByRole('link', { name: /^notes\.txt Text · 5 B/ })).toBeVisible();
  await inCard('#general', 'tall.png').click();
  await expect(page).toHaveURL(`/channels/general?at=${said.seq}`);
  await expect(log(page).getByText('look', { exact: true })).toBeInViewport();
  await ada.deleteMessage(said);
  await open(page.context(), '/', page);
  await expect(card(page, 'ada').getByRole('img', { name: 'wide.png' })).toBeVisible();
  await expect(page.getByRole('img', { name: 'tall.png' })).toHaveCount(0);
});

test('what is said on a card answers nothing that was chosen elsewhere', async ({ server, signedIn }) => {
  const { ada, mira, general } = await place(server);
  const first = await ada.post(general, 'who is in?');
  const page = await open(await signedIn(mira), '/channels/general');
  await message(page, 'who is in?').hover();
  await message(page, 'who is in?').getByRole('button', { name: 'Reply', exact: true }).click();
  await expect(page.getByText('Replying to ada: who is in?')).toBeVisible();
  await conversations(page).getByRole('link', { name: /^Catch up/ }).click();
  await ada.post(general, 'something else');
  await card(page, '#general').getByRole('button', { name: 'Reply' }).click();
  await page.getByRole('textbox', { name: 'Message #general' }).fill('agreed');
  await page.keyboard.press('Enter');
  await expect(card(page, '#general').getByText('Sent', { exact: true })).toBeVisible();
  await link(page, '#general 1 unread').click();
  await expect(message(page, 'agreed')).toBeVisible();
  await expect(message(page, 'agreed').getByRole('button', { name: /answers/ })).toHaveCount(0);
  await expect(page.getByText('Replying to ada: who is in?'), 'it still waits where it was chosen').toBeVisible();
  await composer(page).fill('me');
  await composer(page).press('Enter');
  await expect(message(page, 'me').getByRole('button', { name: /answers/ })).toContainText(first.text);
});

test('the keyboard moves, answers, puts away and opens', async ({ server, signedIn }) => {
  const { ada, mira, general, random, direct } = await place(server);
  for (const channel of [general, random, direct]) await ada.post(channel, 'hello');
  const page = await open(await signedIn(mira), '/');
  const [first, second, third] = [card(page, 'ada'), card(page, '#random'), card(page, '#general')];
  await page.keyboard.press('j');
  await expect(first).toBeFocused();
  await page.keyboard.press('j');
  await page.keyboard.press('ArrowDown');
  await expect(third).toBeFocused();
  await page.keyboard.press('j');
  await expect(third, 'there is no further one').toBeFocused();
  await page.keyboard.press('k');
  await expect(second).toBeFocused();
  await page.keyboard.press('Control+e');
  await expect(second).toContainText('1 new');

  await page.keyboard.press('r');
  const box = page.getByRole('textbox', { name: 'Message #random' });
  await expect(box).toBeFocused();
  await page.keyboard.type('jerk', { delay: 1 });
  await expect(box, 'keys are letters here').toHaveValue('jerk');
  await page.keyboard.press('Escape');
  await expect(box).toBeHidden();
  await expect(second).toBeFocused();
  await page.keyboard.press('r');
  await expect(box, 'what was begun is kept').toHaveValue('jerk');
  await box.fill('thanks');
  await page.keyboard.press('Enter');
  await expect(second.getByRole('list', { name: 'Your replies' })).toContainText('thanks');
  await expect(second.getByText('Sent', { exact: true })).toBeVisible();
  await expect(box).toBeFocused();
  await expect(box).toHaveValue('');
  expect(await ada.texts(random)).toEqual(['hello', 'thanks']);
  await page.keyboard.press('Escape');

  await page.keyboard.press('e');
  await expect(second).toContainText('Read');
  await expect(third).toBeFocused();
  await expect.poll(async () => (await mira.channel(random)).unread).toBe(0);
  await page.keyboard.press('e');
  await expect(first, 'the one that is left').toBeFocused();
  await page.keyboard.press('k');
  await page.keyboard.press('j');
  await page.keyboard.press('u');
  await expect(second).toContainText('1 new');
  await expect.poll(async () => (await mira.channel(random)).unread).toBe(1);
  await page.keyboard.press('Escape');
  await expect(page.locator('.feed-card-on')).toHaveCount(0);
  await page.keyboard.press('o');
  await expect(page).toHaveURL('/direct/ada');
});

test('what is marked read stays in its place, can be taken back, and is gone at the next visit', async ({ server, signedIn }) => {
  const { ada, mira, general, random } = await place(server);
  for (const channel of [general, random]) await ada.post(channel, 'hello');
  const page = await open(await signedIn(mira), '/');
  const top = card(page, '#random');
  const before = await card(page, '#general').boundingBox();
  await top.getByRole('button', { name: 'Mark read' }).click();
  await expect(top).toContainText('Read');
  await expect(link(page, '#random')).toBeVisible();
  expect(await card(page, '#general').boundingBox()).toEqual(before);
  await expect(caughtUp(page)).toHaveCount(0);
  await top.getByRole('button', { name: 'Mark unread' }).click();
  await expect(top).toContainText('1 new');
  await expect(link(page, '#random 1 unread')).toBeVisible();
  for (const name of ['#random', '#general']) await card(page, name).getByRole('button', { name: 'Mark read' }).click();
  await expect(caughtUp(page)).toBeVisible();
  await expect(cards(page)).toHaveCount(2);
  await link(page, '#general').click();
  await conversations(page).getByRole('link', { name: 'Catch up' }).click();
  await expect(caughtUp(page)).toBeVisible();
  await expect(cards(page)).toHaveCount(0);
  await page.getByRole('link', { name: 'Look around' }).click();
  await expect(page).toHaveURL('/browse');
});

test('nothing moves while one reads, and all devices count the same', async ({ server, signedIn }) => {
  const { ada, mira, general, random, direct } = await place(server);
  const said = [await ada.post(general, 'one'), await ada.post(general, 'two @mira')];
  const desk = await open(await signedIn(mira), '/');
  const phone = await open(await signedIn(mira), '/browse');
  const plain = card(desk, '#general');
  const at = await plain.boundingBox();
  await ada.post(general, 'three');
  await expect(plain).toContainText('1 mention · 3 new');
  await expect(plain.getByRole('link', { name: '1 more in #general' })).toBeVisible();
  await ada.post(random, 'elsewhere');
  await ada.post(direct, 'psst');
  const show = desk.getByRole('button', { name: '2 new conversations · Show' });
  await expect(show).toBeVisible();
  await expect(cards(desk)).toHaveCount(1);
  expect(await plain.boundingBox()).toEqual(at);
  for (const page of [desk, phone]) {
    await expect(link(page, '#general 3 unread, 1 mention')).toBeVisible();
    await expect(page).toHaveTitle(/^\(2\) /);
  }
  // What is deleted isn't unread any more, wherever one is.
  await ada.deleteMessage(said[1]);
  await expect(plain).toContainText('2 new');
  await expect(plain).toContainText('This message was deleted.');
  expect(await plain.boundingBox()).toEqual(at);
  for (const page of [desk, phone]) {
    await expect(link(page, '#general 2 unread')).toBeVisible();
    await expect(page).toHaveTitle(/^\(1\) /);
  }
  await show.click();
  await expect(cards(desk)).toHaveCount(3);
  await expect(cards(desk).nth(0)).toHaveAccessibleName('ada');
  await expect(show).toBeHidden();
  // Read on the other device, it stays where it is.
  const below = await plain.boundingBox();
  await link(phone, 'ada 1 unread').click();
  await expect(card(desk, 'ada')).toContainText('Read');
  expect(await plain.boundingBox()).toEqual(below);
  await expect(cards(desk).nth(0)).toHaveAccessibleName('ada');
  for (const page of [desk, phone]) await expect(page).toHaveTitle(/^[^(]/);
});

test('what comes when all is read appears by itself', async ({ server, signedIn }) => {
  const { ada, mira, general, random, direct } = await place(server);
  for (const channel of [general, random]) await ada.post(channel, 'one');
  const page = await open(await signedIn(mira), '/');
  for (const name of ['#general', '#random']) await card(page, name).getByRole('button', { name: 'Mark read' }).click();
  await expect(caughtUp(page)).toBeVisible();
  const order = ['#random', '#general'];
  for (const [at, name] of order.entries()) await expect(cards(page).nth(at)).toHaveAccessibleName(name);
  const places = await Promise.all(order.map((name) => card(page, name).boundingBox()));
  await ada.post(direct, 'psst');
  await expect(card(page, 'ada')).toContainText('psst');
  await expect(caughtUp(page)).toBeHidden();
  await expect(page.getByRole('button', { name: /Show$/ })).toHaveCount(0);
  expect(await Promise.all(order.map((name) => card(page, name).boundingBox()))).toEqual(places);
  await expect(cards(page)).toHaveCount(3);
  // The same conversation once more.
  await card(page, 'ada').getByRole('button', { name: 'Mark read' }).click();
  await expect(caughtUp(page)).toBeVisible();
  await ada.post(general, 'two');
  await expect(card(page, '#general')).toContainText('1 new');
  await expect(card(page, '#general').getByRole('listitem')).toHaveText([/two/]);
  await expect(cards(page)).toHaveCount(3);
  await expect(cards(page).nth(1)).toHaveAccessibleName('#general');
});

test('after a reconnect the counts are the server\'s', async ({ server, signedIn, watch }) => {
  watch.allow(...NO_SERVER);
  const { ada, mira, general, direct } = await place(server);
  const context = await signedIn(mira);
  const page = await context.newPage();
  const wire = await Wire.of(page);
  await page.goto('/');
  await expect(caughtUp(page)).toBeVisible();
  await ada.post(general, 'one');
  await expect(card(page, '#general')).toContainText('1 new');
  // All that is said from here on is lost.
  wire.received = (frame) => (frame.type === 'ready' ? 'pass' : 'lose');
  await ada.post(general, 'two @mira');
  await ada.post(direct, 'psst');
  await wire.cut();
  await expect(card(page, '#general')).toContainText('1 mention · 2 new');
  await expect(link(page, '#general 2 unread, 1 mention')).toBeVisible();
  await expect(page.getByRole('button', { name: '1 new conversation · Show' })).toBeVisible();
  await expect(page).toHaveTitle('(2) Catch up · Natter');
});

test('a muted channel stays quiet on all devices but for one\'s own name, and can be caught up with', async ({ server, signedIn }) => {
  const { ada, mira, general, random } = await place(server);
  const [desk, phone] = [await open(await signedIn(mira), '/channels/general'), await open(await signedIn(mira), '/')];
  await desk.getByRole('button', { name: 'Mute #general' }).click();
  await expect(desk.getByRole('button', { name: 'Unmute #general' })).toBeVisible();
  await desk.goto('/browse');
  for (const page of [desk, phone]) await expect(link(page, '#general, muted')).toBeVisible();
  await ada.post(general, 'for all: @channel');
  await ada.post(random, 'after it');
  for (const page of [desk, phone]) {
    await expect(link(page, '#random 1 unread')).toBeVisible();
    await expect(link(page, '#general, muted')).toBeVisible();
    await expect(page).toHaveTitle(/^[^(]/);
  }
  await phone.reload();
  await expect(cards(phone)).toHaveCount(2);
  await expect(phone.getByRole('feed', { name: 'Muted conversations' }).getByRole('article')).toHaveAccessibleName('#general');
  await expect(card(phone, '#general')).toContainText('1 new');
  await ada.post(general, 'but @mira, you');
  for (const page of [desk, phone]) {
    await expect(link(page, '#general 2 unread, 1 mention, muted')).toBeVisible();
    await expect(page).toHaveTitle(/^\(1\) /);
  }
  await card(phone, '#general').getByRole('button', { name: 'Mark read' }).click();
  for (const page of [desk, phone]) await expect(link(page, '#general, muted')).toBeVisible();
  await link(desk, '#general, muted').click();
  await desk.getByRole('button', { name: 'Unmute #general' }).click();
  for (const page of [desk, phone]) await expect(link(page, '#general')).toBeVisible();
});

test('the tab\'s icon has a number of what is to oneself, else a dot', async ({ server, signedIn }) => {
  const { ada, mira, general, random, direct } = await place(server);
  const page = await open(await signedIn(mira), '/browse');
  await expect(icon(page)).toHaveAttribute('href', '/favicon.svg');
  await ada.post(general, 'hello');
  await expect(icon(page)).toHaveAttribute('href', /^data:image\/svg\+xml,.*circle(?!.*text)/);
  await ada.post(direct, 'psst');
  await ada.post(random, '@mira');
  await expect(icon(page)).toHaveAttribute('href', /^data:image\/svg\+xml,.*%3E2%3C\/text/);
  await expect(page).toHaveTitle(/^\(2\) /);
  await expect(conversations(page).getByRole('link', { name: 'Catch up', exact: true })).toHaveAccessibleDescription('2 messages are waiting for you');
  await mira.markRead(direct, 1);
  await mira.markRead(random, 1);
  await expect(icon(page)).toHaveAttribute('href', /circle(?!.*text)/);
  await mira.markRead(general, 1);
  await expect(icon(page)).toHaveAttribute('href', '/favicon.svg');
});

test('on a phone cards are read and answered by finger', async ({ server, signedIn }) => {
  const { ada, mira, general } = await place(server);
  await ada.post(general, 'hello');
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
  const page = await open(await signedIn(mira, phone), '/');
  const plain = card(page, '#general');
  const buttons = [plain.getByRole('button', { name: 'Reply' }), plain.getByRole('button', { name: 'Mark read' })];
  for (const button of buttons) {
    await button.scrollIntoViewIfNeeded();
    expect((await button.boundingBox())?.height).toBeGreaterThanOrEqual(44);
  }
  await buttons[0].tap();
  await page.getByRole('textbox', { name: 'Message #general' }).fill('hi');
  await plain.getByRole('button', { name: 'Send' }).tap();
  await expect(plain.getByText('Sent', { exact: true })).toBeVisible();
  await buttons[1].tap();
  await expect(caughtUp(page)).toBeVisible();
  const sideways = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
  expect(sideways).toBe(0);
});

test('what doesn\'t fit on the page comes by a button', async ({ server, signedIn }) => {
  const { ada, mira } = await place(server);
  for (let n = 1; n <= 51; n++) {
    const channel = await ada.createChannel(`c${n}`);
    await mira.join(channel);
    await ada.post(channel, 'hello');
  }
  const page = await open(await signedIn(mira), '/');
  await expect(cards(page)).toHaveCount(50);
  await expect(page.getByRole('button', { name: /new conversation/ })).toHaveCount(0);
  await page.getByRole('button', { name: 'Show more' }).click();
  await expect(cards(page)).toHaveCount(51);
  await expect(cards(page).last()).toHaveAccessibleName('#c1');
  await expect(page.getByRole('button', { name: 'Show more' })).toHaveCount(0);
});
