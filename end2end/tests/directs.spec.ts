import { type Page } from '@playwright/test';
import { Account, NO_SERVER, expect, open, test } from './support/test';
import { conversations, link, say } from './support/chat';
import { Wire } from './support/socket';

const card = (page: Page, name: string) => page.getByRole('dialog', { name, exact: true });
const input = (page: Page, name: string) => page.getByPlaceholder(`Private message ${name}`);
const directLog = (page: Page, name: string) => page.getByRole('log', { name: `Messages in ${name}` });
const directComposer = (page: Page, name: string) => page.getByRole('textbox', { name: `Message ${name}`, exact: true });
const author = (page: Page, name: string) => page.getByRole('log').getByRole('button', { name, exact: true }).first();

/** Three people in #general, where Mira has said something. */
async function three(server: Parameters<typeof Account.register>[0]) {
  const ada = await Account.register(server, 'ada');
  const mira = await Account.register(server, 'mira');
  const tomas = await Account.register(server, 'tomas');
  const general = await ada.createChannel('general');
  for (const member of [mira, tomas]) await member.join(general);
  await mira.post(general, 'good morning');
  return { ada, mira, tomas, general };
}

test('a click on a name opens a card, and what is written there arrives at once and nowhere else', async ({ server, signedIn }) => {
  const { ada, mira, tomas } = await three(server);
  const from = await open(await signedIn(ada), '/channels/general');
  const to = await open(await signedIn(mira), '/channels/general');
  const outside = await open(await signedIn(tomas), '/channels/general');
  const frames: string[] = [];
  from.on('websocket', (socket) => socket.on('framesent', ({ payload }) => frames.push(payload.toString())));
  await open(from.context(), '/channels/general', from);

  await author(from, 'mira').click();
  await expect(card(from, 'mira')).toContainText('Member');
  await expect(card(from, 'mira')).toContainText('Online');
  await expect(input(from, 'mira')).toBeFocused();
  await from.keyboard.type('just between us');
  await from.keyboard.press('Enter');
  await expect(card(from, 'mira').getByRole('status')).toHaveText('Sent.');
  await expect(input(from, 'mira')).toHaveValue('');

  await expect(link(to, 'ada 1 unread')).toBeVisible();
  await expect(conversations(outside).getByRole('link', { name: /ada|mira/ })).toHaveCount(0);
  const sent = frames.map((frame) => JSON.parse(frame)).find((frame) => frame.receiver);
  expect(sent).toMatchObject({ sender: { id: ada.id }, receiver: { id: mira.id }, text: 'just between us' });
  expect(new Date(sent.timestamp).getTime()).toBeGreaterThan(0);

  await card(from, 'mira').getByRole('link', { name: 'Open conversation' }).click();
  await expect(from).toHaveURL('/direct/mira');
  await expect(card(from, 'mira')).toBeHidden();
  await expect(directLog(from, 'mira')).toContainText('just between us');
  await link(to, 'ada 1 unread').click();
  await expect(to).toHaveURL('/direct/ada');
  await expect(directLog(to, 'ada')).toContainText('just between us');
  await directComposer(to, 'ada').fill('so it is');
  await directComposer(to, 'ada').press('Enter');
  await expect(directLog(from, 'mira')).toContainText('so it is');
});

test('the card closes by Escape and by a click beside it, and the focus goes back', async ({ server, signedIn }) => {
  const { ada } = await three(server);
  const page = await open(await signedIn(ada), '/channels/general');
  await author(page, 'mira').focus();
  await page.keyboard.press('Enter');
  await expect(input(page, 'mira')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(card(page, 'mira')).toBeHidden();
  await expect(author(page, 'mira')).toBeFocused();
  await author(page, 'mira').click();
  await expect(card(page, 'mira')).toBeVisible();
  await page.mouse.click(5, 5);
  await expect(card(page, 'mira')).toBeHidden();
});

test('names in the list of members and in mentions open the card too', async ({ server, signedIn }) => {
  const { ada, mira, general } = await three(server);
  await mira.post(general, 'what does @tomas say?');
  const page = await open(await signedIn(ada), '/channels/general');
  await page.getByRole('log').getByRole('button', { name: '@tomas' }).click();
  await expect(input(page, 'tomas')).toBeFocused();
  await page.keyboard.press('Escape');
  await page.getByRole('complementary', { name: 'Members' }).getByRole('button', { name: 'mira' }).click();
  await expect(input(page, 'mira')).toBeFocused();
});

test('the card of a name that nobody has keeps the focus', async ({ server, signedIn, watch }) => {
  watch.allow(/status of 404/);
  const { ada, general } = await three(server);
  await ada.post(general, 'ask @nobody');
  const page = await open(await signedIn(ada), '/channels/general');
  await page.getByRole('log').getByRole('button', { name: '@nobody' }).press('Enter');
  await expect(card(page, 'nobody').getByRole('alert')).toBeVisible();
  await expect(card(page, 'nobody').getByRole('button', { name: 'Close' })).toBeFocused();
});

test('on a phone the card is a sheet at the bottom', async ({ server, signedIn }) => {
  const { ada } = await three(server);
  const phone = await signedIn(ada, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  const page = await open(phone, '/channels/general');
  await author(page, 'mira').tap();
  await expect(card(page, 'mira')).toBeVisible();
  const box = await card(page, 'mira').boundingBox();
  expect(box).toMatchObject({ x: 0, width: 390 });
  expect(Math.round((box?.y ?? 0) + (box?.height ?? 0))).toBe(844);
});

test('somebody may write to themselves', async ({ server, signedIn }) => {
  const { ada } = await three(server);
  const page = await open(await signedIn(ada), '/direct/ada');
  await directComposer(page, 'ada').fill('remember the milk');
  await directComposer(page, 'ada').press('Enter');
  await expect(directLog(page, 'ada')).toContainText('remember the milk');
  await expect(link(page, 'ada')).toBeVisible();
  await page.reload();
  await expect(directLog(page, 'ada')).toContainText('remember the milk');
});

test('a page of nobody says so, and one of two others shows nothing', async ({ server, signedIn, watch }) => {
  watch.allow(/404/);
  const { ada, mira, tomas } = await three(server);
  await mira.post(await mira.direct(tomas), 'a secret');
  const page = await open(await signedIn(ada), '/direct/nobody.here');
  await expect(page.getByText('There is nobody called nobody.here')).toBeVisible();
  for (const name of ['mira', 'tomas']) {
    await open(page.context(), `/direct/${name}`, page);
    await expect(directComposer(page, name)).toBeVisible();
    await expect(page.getByText('a secret')).toHaveCount(0);
  }
  await expect(conversations(page).getByRole('link', { name: /mira|tomas/ })).toHaveCount(0);
});

test('reading on one device clears the other, and who is writing shows', async ({ server, signedIn }) => {
  const { ada, mira } = await three(server);
  await mira.post(await mira.direct(ada), 'hello');
  const desk = await open(await signedIn(ada), '/');
  const pocket = await open(await signedIn(ada), '/browse');
  for (const page of [desk, pocket]) await expect(link(page, 'mira 1 unread')).toBeVisible();
  await link(desk, 'mira 1 unread').click();
  for (const page of [desk, pocket]) await expect(link(page, 'mira')).toBeVisible();
  const other = await open(await signedIn(mira), '/direct/ada');
  await directComposer(other, 'ada').pressSequentially('wait');
  await expect(desk.getByText('mira is typing…')).toBeVisible();
  await directComposer(other, 'ada').press('Enter');
  await expect(directLog(desk, 'mira')).toContainText('wait');
  await expect(desk.getByText('mira is typing…')).toBeHidden();
});

test('what is written while the server is away is sent when it is back', async ({ server, signedIn, watch }) => {
  watch.allow(/WebSocket connection to .* failed/, /net::ERR_(CONNECTION_\w+|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED)/);
  const { ada, mira } = await three(server);
  const page = await open(await signedIn(ada), '/direct/mira');
  await server.crash();
  await expect(page.getByText('Reconnecting…')).toBeVisible();
  await directComposer(page, 'mira').fill('not lost');
  await directComposer(page, 'mira').press('Enter');
  await expect(directLog(page, 'mira')).toContainText('not lost');
  await server.start();
  await expect(page.getByText('Reconnecting…')).toBeHidden({ timeout: 20_000 });
  await expect.poll(async () => mira.texts(await mira.direct(ada))).toEqual(['not lost']);
  await expect(directLog(page, 'mira').getByText('not lost')).toHaveCount(1);
  await expect(link(page, 'mira')).toBeVisible();
});

test('a conversation in a channel goes on beside a private one', async ({ server, signedIn }) => {
  const { ada, mira } = await three(server);
  const from = await open(await signedIn(ada), '/channels/general');
  const to = await open(await signedIn(mira), '/channels/general');
  await say(from, 'for all');
  await author(to, 'ada').click();
  await input(to, 'ada').fill('for you');
  await input(to, 'ada').press('Enter');
  await expect(link(from, 'mira 1 unread')).toBeVisible();
  await expect(to.getByRole('log').getByText('for you')).toHaveCount(0);
});

test('what is sent before the card knows whom it is about is sent when it does', async ({ server, signedIn }) => {
  const { ada, mira, general } = await three(server);
  await ada.post(general, 'ask @MIRA');
  const page = await open(await signedIn(ada), '/channels/general');
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  await page.route('**/api/fn/person*', async (route) => {
    await held;
    await route.continue();
  });
  await page.getByRole('log').getByRole('button', { name: '@MIRA' }).click();
  await page.keyboard.type('quick');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog').getByRole('status')).toHaveText('Sending…');
  release();
  await expect(card(page, 'mira').getByRole('status')).toHaveText('Sent.');
  await expect(input(page, 'mira'), 'as they write their name themselves').toBeFocused();
  await expect(card(page, 'mira').getByRole('link', { name: 'Open conversation' })).toHaveAttribute('href', '/direct/mira');
  await expect.poll(async () => mira.texts(await mira.direct(ada))).toEqual(['quick']);

  await input(page, 'mira').fill('not yet');
  await page.keyboard.press('Escape');
  await page.getByRole('log').getByRole('button', { name: '@MIRA' }).click();
  await expect(input(page, 'mira'), 'what is unsent is kept').toHaveValue('not yet');
});

test('a card that cannot be loaded says so and has no field', async ({ server, signedIn, watch }) => {
  watch.allow(/status of 404/);
  const { ada, general } = await three(server);
  await ada.post(general, 'ask @nobody.here');
  const page = await open(await signedIn(ada), '/channels/general');
  await page.getByRole('log').getByRole('button', { name: '@nobody.here' }).click();
  await expect(card(page, 'nobody.here').getByRole('alert')).toHaveText('There is nobody of that name.');
  await expect(card(page, 'nobody.here').getByRole('textbox')).toHaveCount(0);
});

test('a private message that is refused stays in the card, and what was typed since with it', async ({ server, signedIn }) => {
  const { ada, mira } = await three(server);
  const page = await (await signedIn(ada)).newPage();
  const wire = await Wire.of(page);
  await open(page.context(), '/channels/general', page);
  const refusals: (() => void)[] = [];
  wire.sent = (frame, answer) => {
    if (!frame.receiver) return 'pass';
    refusals.push(() => answer({ type: 'error', ref: frame.ref, code: 'rate_limited', detail: 'Too quick. Wait a moment.' }));
    return 'lose';
  };
  await author(page, 'mira').click();
  await input(page, 'mira').fill('one');
  await page.keyboard.press('Enter');
  await expect(card(page, 'mira').getByRole('status')).toHaveText('Sending…');
  await page.keyboard.type('two');
  await expect.poll(() => refusals.length, 'it was said to the server').toBe(1);
  refusals.forEach((refuse) => refuse());
  await expect(card(page, 'mira').getByRole('status')).toHaveText("Couldn't send. Too quick. Wait a moment.");
  await expect(input(page, 'mira')).toHaveValue('one two');
  wire.sent = () => 'pass';
  await page.keyboard.press('Enter');
  await expect(card(page, 'mira').getByRole('status')).toHaveText('Sent.');
  await expect.poll(async () => mira.texts(await mira.direct(ada))).toEqual(['one two']);
});

test('what is sent before it is known to whom it goes is sent as it was then', async ({ server, signedIn }) => {
  const { ada, mira } = await three(server);
  const page = await open(await signedIn(ada), '/channels/general');
  let let_go = (): void => {};
  const held = new Promise<void>((resolve) => (let_go = resolve));
  await page.route(/\/api\/fn\/person/, async (route) => {
    await held;
    await route.continue();
  });
  await author(page, 'mira').click();
  await input(page, 'mira').fill('one');
  await page.keyboard.press('Enter');
  await expect(card(page, 'mira').getByRole('status')).toHaveText('Sending…');
  await page.keyboard.type('two');
  await expect(input(page, 'mira')).toHaveValue('two');
  await page.keyboard.press('Escape');
  await author(page, 'mira').click();
  await expect(input(page, 'mira'), 'nothing of it is lost with the card').toHaveValue('one two');
  await input(page, 'mira').fill('one');
  await page.keyboard.press('Enter');
  await page.keyboard.type('two');
  let_go();
  await expect(card(page, 'mira').getByRole('status')).toHaveText('Sent.');
  await expect(input(page, 'mira')).toHaveValue('two');
  await expect.poll(async () => mira.texts(await mira.direct(ada))).toEqual(['one']);
});

test('names open the card wherever they stand', async ({ server, signedIn }) => {
  const { ada, mira, general } = await three(server);
  await ada.remove(general, mira);
  await mira.join(general);
  const page = await open(await signedIn(ada), '/channels/general');
  const other = await open(await signedIn(mira), '/channels/general');
  const opens = async (name: string, within = page.getByRole('main')) => {
    await within.getByRole('button', { name, exact: true }).first().click();
    await expect(input(page, name)).toBeFocused();
    await page.keyboard.press('Escape');
    await expect(card(page, name)).toBeHidden();
  };
  await page.getByRole('log').getByText('good morning').hover();
  await page.getByRole('button', { name: 'Reply' }).click();
  await opens('mira', page.getByText('Replying to mira'));
  await other.getByRole('textbox', { name: 'Message #general' }).pressSequentially('hm');
  await expect(page.getByText('mira is typing…')).toBeVisible();
  await opens('mira', page.getByText('mira is typing…'));
  for (const path of ['/admin/people', '/admin/channels/general', '/admin/audit', '/direct/mira']) {
    await open(page.context(), path, page);
    await opens('mira');
  }
  await expect(page.getByRole('heading', { name: 'mira', exact: true, level: 1 })).toBeVisible();
});

test('one can write to somebody one shares no channel with', async ({ server, signedIn }) => {
  await Account.register(server, 'ada');
  const grace = await Account.register(server, 'grace');
  const zoe = await Account.register(server, 'zoe');
  const page = await open(await signedIn(grace), '/');
  const to = await open(await signedIn(zoe), '/');
  await conversations(page).getByRole('button', { name: 'New direct message' }).click();
  const dialog = page.getByRole('dialog', { name: 'New direct message' });
  await expect(dialog.getByRole('searchbox', { name: 'Search people' })).toBeFocused();
  await expect(dialog.getByRole('link')).toHaveText([/ada/, /grace.*Notes to yourself/, /zoe/]);
  await page.keyboard.type('zo');
  await expect(dialog.getByRole('link')).toHaveText([/zoe/]);
  await page.keyboard.press('Tab');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/direct/zoe');
  await expect(dialog).toBeHidden();
  await directComposer(page, 'zoe').fill('nice to meet you');
  await directComposer(page, 'zoe').press('Enter');
  await expect(link(to, 'grace 1 unread')).toBeVisible();
});

test('somebody to write to is found by the keyboard alone', async ({ server, signedIn }) => {
  const { ada } = await three(server);
  const page = await open(await signedIn(ada), '/');
  const dialog = page.getByRole('dialog', { name: 'New direct message' });
  const button = conversations(page).getByRole('button', { name: 'New direct message' });
  await button.press('Enter');
  await page.keyboard.type('tom');
  await page.keyboard.press('Enter');
  await expect(page).toHaveURL('/direct/tomas');
  await expect(dialog).toBeHidden();
  await expect(directComposer(page, 'tomas')).toBeFocused();
  await button.press('Enter');
  await expect(dialog.getByRole('link')).toHaveCount(3);
  await page.keyboard.press('ArrowDown');
  await expect(dialog.getByRole('link').first()).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await expect(dialog.getByRole('link', { name: 'mira' })).toBeFocused();
  await page.keyboard.press('ArrowUp');
  await page.keyboard.press('ArrowUp');
  await expect(dialog.getByRole('searchbox')).toBeFocused();
  await page.keyboard.type('nobody.here');
  await page.keyboard.press('Enter');
  await expect(dialog.getByText('Nobody is called that.')).toBeVisible();
});

test('what was begun on a card goes along into the conversation', async ({ server, signedIn }) => {
  const { ada } = await three(server);
  const page = await open(await signedIn(ada), '/channels/general');
  await author(page, 'mira').click();
  await expect(card(page, 'mira')).toContainText('Member');
  await input(page, 'mira').fill('a longer story');
  await card(page, 'mira').getByRole('link', { name: 'Open conversation' }).click();
  await expect(directComposer(page, 'mira')).toHaveValue('a longer story');
  await link(page, '#general').click();
  await author(page, 'mira').click();
  await expect(input(page, 'mira')).toHaveValue('');
});

test('from a card one can write also while the server is away', async ({ server, signedIn, watch }) => {
  watch.allow(...NO_SERVER);
  const { ada, mira } = await three(server);
  const page = await open(await signedIn(ada), '/channels/general');
  await expect(page.getByRole('complementary', { name: 'Members' })).toContainText('mira');
  await server.crash();
  await expect(page.getByText('Reconnecting…')).toBeVisible();
  await author(page, 'mira').click();
  await input(page, 'mira').fill('for later');
  await input(page, 'mira').press('Enter');
  await expect(card(page, 'mira').getByRole('status')).toHaveText('Will be sent once you are connected.');
  await server.start();
  await expect(card(page, 'mira').getByRole('status')).toHaveText('Sent.', { timeout: 20_000 });
  expect(await mira.texts(await mira.direct(ada))).toEqual(['for later']);
});

test('a conversation shows on a phone whether the other one is here, and a suspension at once', async ({ server, signedIn }) => {
  const { ada, mira } = await three(server);
  const phone = await signedIn(ada, { viewport: { width: 390, height: 844 }, isMobile: true, hasTouch: true });
  const page = await open(phone, '/direct/mira');
  const dot = page.getByRole('button', { name: 'About mira' }).locator('.dot');
  await expect(dot).toBeHidden();
  const other = await open(await signedIn(mira), '/');
  await expect(dot).toBeVisible();
  await other.close();
  const desk = await open(await signedIn(ada), '/direct/mira');
  await ada.changeUser(mira, { suspended: true });
  await expect(desk.getByText('Suspended')).toBeVisible();
});

test('an address leads to a place in a private conversation', async ({ server, signedIn }) => {
  const { ada, mira } = await three(server);
  const direct = await mira.direct(ada);
  for (let n = 1; n <= 60; n++) await mira.post(direct, `note ${n}`);
  const page = await open(await signedIn(ada), '/direct/mira?at=3');
  await expect(directLog(page, 'mira').getByText('note 3', { exact: true })).toBeInViewport();
  expect((await ada.channel(direct)).unread).toBe(60);
});
