import type { Locator, Page } from '@playwright/test';
import { Account, NO_SERVER, expect, open, test } from './support/test';
import { composer, log, sendButton } from './support/chat';
import { carry, film, picture } from './support/files';
import type { Server } from './support/server';
import { Wire } from './support/socket';

/** Ada and Mira in #general. */
async function two(server: Server) {
  const ada = await Account.register(server, 'ada');
  const mira = await Account.register(server, 'mira');
  const general = await ada.createChannel('general');
  await mira.join(general);
  return { ada, mira, general };
}

const input = (page: Page): Locator => page.locator('.composer input[type=file]');
const waiting = (page: Page): Locator => page.getByRole('list', { name: 'Files to send' }).getByRole('listitem');
const shown = (page: Page, name: string): Locator => log(page).getByRole('img', { name });
const box = (page: Page): Locator => page.locator('dialog.lightbox');
const png = (name: string, bytes: Buffer) => ({ name, mimeType: 'image/png', buffer: bytes });

/** Its own shape, and the one it is shown in. */
const shapes = (image: Locator) =>
  image.evaluate((it: HTMLImageElement) => {
    const { width, height } = it.getBoundingClientRect();
    return { natural: it.naturalWidth / it.naturalHeight, shown: width / height, loaded: it.complete && it.naturalWidth > 0 };
  });

test('pictures that are picked go out with their words as one message, and the other one sees them', async ({ server, signedIn }) => {
  const { ada, mira } = await two(server);
  const from = await open(await signedIn(ada), '/channels/general');
  const to = await open(await signedIn(mira), '/channels/general');
  await expect(from.getByRole('button', { name: 'Attach files' })).toBeEnabled();
  const [wide, tall] = [await picture(from, 1600, 900), await picture(from, 300, 900, 'tomato', 'image/jpeg')];
  await input(from).setInputFiles([png('wide.png', wide), { name: 'tall.jpg', mimeType: 'image/jpeg', buffer: tall }]);
  await expect(waiting(from)).toHaveCount(2);
  await expect(waiting(from).first()).toContainText('wide.png');
  await composer(from).fill('two pictures');
  await sendButton(from).click();
  await expect(waiting(from)).toHaveCount(0);
  for (const page of [from, to]) {
    await expect(log(page)).toContainText('two pictures');
    for (const [name, ratio] of [['wide.png', 16 / 9], ['tall.jpg', 1 / 3]] as const) {
      await expect.poll(async () => (await shapes(shown(page, name))).loaded).toBe(true);
      const { natural, shown: seen } = await shapes(shown(page, name));
      expect(natural).toBeCloseTo(ratio, 1);
      expect(seen).toBeCloseTo(natural, 1);
    }
  }
  await to.reload();
  await expect(shown(to, 'wide.png')).toBeVisible();
  await expect.poll(async () => (await shapes(shown(to, 'wide.png'))).loaded).toBe(true);
  await expect(log(to).getByRole('listitem').filter({ has: to.locator('.picture') })).toHaveCount(1);
});

test('a picture that is pasted and files that are dropped are sent without a word', async ({ server, signedIn }) => {
  const { ada } = await two(server);
  const page = await open(await signedIn(ada), '/channels/general');
  await expect(composer(page)).toBeEnabled();
  const bytes = await picture(page, 200, 100);
  await carry(page, 'paste', '.composer textarea', [{ name: 'image.png', type: 'image/png', bytes }]);
  await expect(waiting(page)).toHaveCount(1);
  const notes = { name: 'notes.txt', type: 'text/plain', bytes: Buffer.from('hello') };
  await carry(page, 'dragover', '.log', [notes]);
  await expect(page.locator('.drop-zone')).toContainText('Drop for #general');
  await carry(page, 'drop', '.log', [notes]);
  await expect(page.locator('.drop-zone')).toHaveCount(0);
  await expect(waiting(page)).toHaveCount(2);
  await composer(page).press('Enter');
  await expect(shown(page, 'image.png')).toBeVisible();
  const card = log(page).getByRole('link', { name: 'Download notes.txt, Text · 5 B' });
  const [download] = await Promise.all([page.waitForEvent('download'), card.click()]);
  expect(download.suggestedFilename()).toBe('notes.txt');
});

test('what is on its way is seen, can be cancelled, and be tried again', async ({ server, signedIn, watch }) => {
  watch.allow(/net::ERR_FAILED/);
  const { ada } = await two(server);
  const page = await open(await signedIn(ada), '/channels/general');
  await expect(composer(page)).toBeEnabled();
  let release = () => {};
  let failing = true;
  await page.route('**/api/v1/uploads', async (route) => {
    if (failing) return route.abort();
    await new Promise<void>((go) => (release = go));
    await route.continue();
  });
  await input(page).setInputFiles(png('cat.png', await picture(page, 50, 50)));
  await expect(waiting(page).getByRole('alert')).toHaveText("Can't reach the server.");
  await composer(page).press('Enter');
  await expect(page.getByRole('status').filter({ hasText: "A file couldn't be uploaded" })).toBeVisible();
  failing = false;
  await page.getByRole('button', { name: 'Retry cat.png' }).click();
  await expect(composer(page)).toBeFocused();
  await expect(page.getByRole('progressbar', { name: 'Uploading cat.png' }).or(page.getByText('Making it ready…'))).toBeVisible();
  await composer(page).fill('a cat');
  await composer(page).press('Enter');
  await expect(page.getByText('Sends once its files are there.')).toBeVisible();
  await expect(log(page).getByText('a cat')).toHaveCount(0);
  release();
  await expect(shown(page, 'cat.png')).toBeVisible();
  await expect(log(page)).toContainText('a cat');

  await input(page).setInputFiles(png('dog.png', await picture(page, 50, 50)));
  await page.getByRole('button', { name: 'Remove dog.png' }).click();
  await expect(waiting(page)).toHaveCount(0);
  await expect(composer(page)).toBeFocused();
  await expect(sendButton(page)).toBeDisabled();
});

test('what is removed before it is sent is gone from the server, too', async ({ server, signedIn }) => {
  const { ada } = await two(server);
  const page = await open(await signedIn(ada), '/channels/general');
  await expect(composer(page)).toBeEnabled();
  const [made] = await Promise.all([
    page.waitForResponse((answer) => answer.url().endsWith('/api/v1/uploads')),
    input(page).setInputFiles({ name: 'notes.txt', mimeType: 'text/plain', buffer: Buffer.from('hello') }),
  ]);
  const file = await made.json();
  await expect(waiting(page)).toContainText('5 B');
  const [gone] = await Promise.all([
    page.waitForResponse((answer) => answer.request().method() === 'DELETE'),
    page.getByRole('button', { name: 'Remove notes.txt' }).click(),
  ]);
  expect([gone.url().endsWith(`/api/v1/uploads/${file.id}`), gone.status()]).toEqual([true, 204]);
  await expect(waiting(page)).toHaveCount(0);
});

test('a file that may not be is said to be so at once', async ({ server, signedIn, watch }) => {
  // The recording of the test fetches previews again, by other means than a page may.
  watch.allow(/the server responded with a status of 422/, /Connecting to 'blob:/);
  const { ada } = await two(server);
  const page = await open(await signedIn(ada), '/channels/general');
  await expect(composer(page)).toBeEnabled();
  await input(page).setInputFiles([png('broken.png', Buffer.from('\x89PNG\r\n\x1a\n and no more', 'latin1'))]);
  await expect(waiting(page).getByRole('alert')).toContainText('damaged');
  await expect(page.getByRole('button', { name: 'Retry broken.png' })).toHaveCount(0);
  await page.getByRole('button', { name: 'Remove broken.png' }).click();
  const many = Array.from({ length: 12 }, (_, at) => ({ name: `${at}.txt`, mimeType: 'text/plain', buffer: Buffer.from('x') }));
  await input(page).setInputFiles(many);
  await expect(waiting(page)).toHaveCount(10);
  await expect(page.getByRole('status').filter({ hasText: 'at most 10 files' })).toBeVisible();
});

test('pictures are looked at one after the other, by keyboard and by finger', async ({ server, signedIn }) => {
  const { ada, mira, general } = await two(server);
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
  const page = await open(await signedIn(mira, phone), '/channels/general');
  const files = [];
  for (const name of ['one.png', 'two.png', 'three.png']) files.push(await ada.upload(name, await picture(page, 900, 600)));
  await ada.send(general, 'three', files);
  await expect(shown(page, 'two.png')).toBeVisible();
  const thumbnail = await shown(page, 'two.png').getAttribute('src');
  expect(thumbnail).toBe(files[1].thumbnail_url);

  await shown(page, 'two.png').click();
  await expect(box(page)).toBeVisible();
  await expect(page.getByRole('dialog', { name: 'two.png' })).toBeVisible();
  await expect(box(page).getByRole('img', { name: 'two.png' })).toHaveAttribute('src', files[1].url);
  await expect(box(page)).toContainText('2 of 3');
  await page.keyboard.press('ArrowRight');
  await expect(box(page)).toContainText('3 of 3');
  await page.keyboard.press('ArrowRight');
  await expect(box(page)).toContainText('1 of 3');
  await page.keyboard.press('ArrowLeft');
  await expect(page.getByRole('dialog', { name: 'three.png' })).toBeVisible();
  await box(page).getByRole('button', { name: 'Previous picture' }).click();
  await expect(page.getByRole('dialog', { name: 'two.png' })).toBeVisible();
  const swipe = (from: number, to: number) =>
    box(page).evaluate((dialog, [from, to]) => {
      const finger = (clientX: number) => new Touch({ identifier: 1, target: dialog, clientX, clientY: 400 });
      const say = (type: string, x: number, held: boolean) =>
        dialog.dispatchEvent(new TouchEvent(type, { bubbles: true, touches: held ? [finger(x)] : [], changedTouches: [finger(x)] }));
      say('touchstart', from, true);
      say('touchend', to, false);
    }, [from, to]);
  await swipe(300, 100);
  await expect(page.getByRole('dialog', { name: 'three.png' })).toBeVisible();
  await swipe(100, 300);
  await expect(page.getByRole('dialog', { name: 'two.png' })).toBeVisible();
  await swipe(300, 290);
  await expect(page.getByRole('dialog', { name: 'two.png' })).toBeVisible();
  await expect(box(page).getByRole('link', { name: 'Download two.png' })).toHaveAttribute('download', 'two.png');
  await page.keyboard.press('Escape');
  await expect(box(page)).toBeHidden();
  await expect(log(page).getByRole('link', { name: 'two.png' })).toBeFocused();
});

test('a film plays in its place and can be gone through', async ({ server, signedIn }) => {
  const { ada, mira } = await two(server);
  const from = await open(await signedIn(ada), '/channels/general');
  const to = await open(await signedIn(mira), '/channels/general');
  await expect(composer(from)).toBeEnabled();
  await input(from).setInputFiles({ name: 'film.mp4', mimeType: 'video/mp4', buffer: await film(from) });
  await composer(from).fill('a film');
  await composer(from).press('Enter');
  const video = to.locator('.video video');
  await expect(video).toBeVisible();
  await expect.poll(() => video.evaluate((it: HTMLVideoElement) => it.readyState)).toBeGreaterThan(0);
  const { ratio, natural, length, reach } = await video.evaluate((it: HTMLVideoElement) => {
    const { width, height } = it.getBoundingClientRect();
    return { ratio: width / height, natural: it.videoWidth / it.videoHeight, length: it.duration, reach: it.seekable.end(0) };
  });
  expect(natural).toBeCloseTo(16 / 9, 1);
  expect(ratio).toBeCloseTo(natural, 1);
  expect(reach).toBeCloseTo(length, 1);
  const there = await video.evaluate(async (it: HTMLVideoElement) => {
    const done = new Promise((seeked) => it.addEventListener('seeked', seeked, { once: true }));
    it.currentTime = it.duration / 2;
    await done;
    return it.currentTime / it.duration;
  });
  expect(there).toBeCloseTo(0.5, 1);
});

test('a drawing with a script in it is only a download', async ({ server, signedIn }) => {
  const { ada, mira, general } = await two(server);
  const svg = '<svg xmlns="http://www.w3.org/2000/svg"><script>parent.hacked = true; hacked = true</script></svg>';
  const file = await ada.upload('cat.svg', svg);
  await ada.send(general, 'look', [file]);
  const page = await open(await signedIn(mira), '/channels/general');
  const card = log(page).getByRole('link', { name: /Download cat\.svg/ });
  await expect(card).toBeVisible();
  await expect(log(page).locator('.picture')).toHaveCount(0);
  const [download] = await Promise.all([page.waitForEvent('download'), page.evaluate((url) => void (location.href = url), file.url)]);
  expect(download.suggestedFilename()).toBe('cat.svg');
  await expect(page).toHaveURL('/channels/general');
  expect(await page.evaluate(() => 'hacked' in window)).toBe(false);
});

test('a deleted message takes its pictures along, and an edit keeps them', async ({ server, signedIn }) => {
  const { ada, mira, general } = await two(server);
  const page = await open(await signedIn(ada), '/channels/general');
  const other = await open(await signedIn(mira), '/channels/general');
  const said = await ada.send(general, 'a cat', [await ada.upload('cat.png', await picture(page, 90, 60))]);
  await expect(shown(page, 'cat.png')).toBeVisible();
  await composer(page).focus();
  await page.keyboard.press('ArrowUp');
  await page.getByRole('textbox', { name: 'Edit message' }).fill('');
  await page.keyboard.press('Enter');
  await expect(log(other).getByText('a cat')).toHaveCount(0);
  await expect(shown(other, 'cat.png')).toBeVisible();
  await ada.deleteMessage(said);
  await expect(log(other)).toContainText('This message was deleted.');
  await expect(shown(other, 'cat.png')).toHaveCount(0);
});

test('files wait in their conversation while one looks elsewhere, and once sent they stay over a reload', async ({ server, signedIn }) => {
  const { ada } = await two(server);
  await ada.createChannel('other');
  const page = await open(await signedIn(ada), '/channels/general');
  await expect(composer(page)).toBeEnabled();
  await input(page).setInputFiles(png('cat.png', await picture(page, 60, 60)));
  await expect(waiting(page)).toHaveCount(1);
  await page.getByRole('link', { name: '#other' }).click();
  await expect(page).toHaveURL('/channels/other');
  await expect(waiting(page)).toHaveCount(0);
  await page.getByRole('link', { name: '#general' }).click();
  await expect(waiting(page)).toContainText(['cat.png']);
  await expect(waiting(page).locator('progress')).toHaveCount(0);
  await composer(page).press('Enter');
  await expect(shown(page, 'cat.png')).toBeVisible();
  await expect(log(page).locator('.message-sending')).toHaveCount(0);
  await open(page.context(), '/channels/general', page);
  await expect(shown(page, 'cat.png')).toHaveCount(1);
  await expect(shown(page, 'cat.png')).toHaveAttribute('src', /\/thumbnail$/);
  await expect.poll(async () => (await shapes(shown(page, 'cat.png'))).loaded).toBe(true);
  await expect(waiting(page)).toHaveCount(0);
});

test('files that are not sent yet outlive a reload, in their own tab alone', async ({ server, signedIn }) => {
  const { ada, general } = await two(server);
  const context = await signedIn(ada);
  const page = await open(context, '/channels/general');
  await input(page).setInputFiles([png('cat.png', await picture(page, 60, 60)), png('dog.png', await picture(page, 60, 60, 'tomato'))]);
  await expect(waiting(page)).toHaveCount(2);
  await expect(waiting(page).locator('progress')).toHaveCount(0);
  await page.getByRole('button', { name: /dog\.png/ }).click();
  await expect(waiting(page)).toHaveCount(1);
  await open(context, '/channels/general', page);
  await expect(waiting(page)).toContainText(['cat.png']);
  const second = await open(context, '/channels/general');
  await expect(composer(second)).toBeEnabled();
  await expect(waiting(second)).toHaveCount(0);
  await composer(page).press('Enter');
  await expect(shown(page, 'cat.png')).toBeVisible();
  await expect.poll(() => ada.texts(general)).toEqual(['']);
  await open(context, '/channels/general', page);
  await expect(shown(page, 'cat.png')).toHaveCount(1);
  await expect(waiting(page)).toHaveCount(0);
});

test('whoever leaves while a file is on its way is asked first', async ({ server, signedIn, watch }) => {
  watch.allow(/net::ERR_FAILED/);
  const { ada } = await two(server);
  const page = await open(await signedIn(ada), '/channels/general');
  await page.route('**/api/v1/uploads', () => {});
  await composer(page).click();
  await page.keyboard.type('see this');
  await input(page).setInputFiles(png('cat.png', await picture(page, 60, 60)));
  await expect(waiting(page)).toHaveCount(1);
  const asked = page.waitForEvent('dialog');
  await page.close({ runBeforeUnload: true });
  const dialog = await asked;
  expect(dialog.type()).toBe('beforeunload');
  await dialog.dismiss();
  await expect(waiting(page), 'they stayed').toHaveCount(1);
  await page.getByRole('button', { name: /cat\.png/ }).click();
  const closed = page.waitForEvent('close');
  await page.close({ runBeforeUnload: true });
  await closed;
});

test('an unsent message keeps its files over a reload', async ({ server, signedIn, watch }) => {
  watch.allow(...NO_SERVER, /net::ERR_FAILED/);
  const { ada, mira } = await two(server);
  const context = await signedIn(ada);
  const page = await context.newPage();
  const wire = await Wire.of(page);
  // What is said is lost on the way, until the page has been loaded again.
  wire.sent = (frame) => (frame.type === 'send' ? 'lose' : 'pass');
  await open(context, '/channels/general', page);
  await input(page).setInputFiles(png('cat.png', await picture(page, 60, 60)));
  await expect(waiting(page).locator('progress')).toHaveCount(0);
  await composer(page).fill('a cat');
  await composer(page).press('Enter');
  await expect(shown(page, 'cat.png')).toBeVisible();
  await expect(log(page).locator('.message-sending')).toHaveCount(1);
  wire.sent = () => 'pass';
  await open(context, '/channels/general', page);
  await expect(shown(page, 'cat.png')).toBeVisible();
  await expect(log(page).locator('.message-sending')).toHaveCount(0);
  const other = await open(await signedIn(mira), '/channels/general');
  await expect(log(other)).toContainText('a cat');
  await expect(shown(other, 'cat.png')).toBeVisible();
});
