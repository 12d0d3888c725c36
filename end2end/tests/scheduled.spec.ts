import { Account, expect, open, test } from './support/test';
import { composer, conversations, log, texts } from './support/chat';
import { carry, picture } from './support/files';
import type { Page } from '@playwright/test';

const later = (page: Page) => page.getByRole('button', { name: 'Send later' });
const dialog = (page: Page, name = 'Send later') => page.getByRole('dialog', { name });
const waiting = (page: Page) => page.getByRole('list', { name: 'Waiting to be sent' }).getByRole('listitem');
const inAn = { hour: 60 * 60 * 1000 };
const from = (millis: number) => new Date(Date.now() + millis).toISOString();

/** As a field for local times takes it, in the zone that the browser is in. */
async function local(page: Page, millis: number): Promise<string> {
  return page.evaluate((millis) => {
    const at = new Date(Date.now() + millis);
    return new Date(at.getTime() - at.getTimezoneOffset() * 60_000).toISOString().slice(0, 19);
  }, millis);
}

test('a message for later is written in the composer, waits on its page and arrives', async ({ server, signedIn }) => {
  const [ada, mira] = [await Account.register(server, 'ada'), await Account.register(server, 'mira')];
  const general = await ada.createChannel('general');
  await mira.join(general);
  const page = await open(await signedIn(mira, { timezoneId: 'Europe/Berlin' }), '/channels/general');
  const other = await open(await signedIn(ada), '/channels/general');
  await expect(later(page)).toBeDisabled();
  await composer(page).fill('good **morning**');
  await later(page).click();
  await expect(dialog(page)).toBeVisible();
  await expect(dialog(page).getByRole('button', { name: 'Tomorrow' })).toHaveAccessibleName('Tomorrow 09:00');
  await expect(dialog(page)).toContainText('Europe/Berlin');
  // What is there at first can be taken as it is.
  const suggested = await dialog(page).getByLabel('Pick a time').inputValue();
  expect(suggested).toMatch(/:00$/);
  expect(suggested >= (await local(page, inAn.hour / 2)).slice(0, 16), suggested).toBe(true);
  await dialog(page).getByLabel('Pick a time').fill(await local(page, -2 * inAn.hour));
  await dialog(page).getByRole('button', { name: 'Schedule' }).click();
  await expect(dialog(page).getByRole('alert')).toContainText('in the past');
  await dialog(page).getByLabel('Pick a time').fill(await local(page, 4_000));
  await dialog(page).getByRole('button', { name: 'Schedule' }).click();
  await expect(dialog(page)).toBeHidden();
  await expect(composer(page)).toHaveValue('');
  await expect(composer(page)).toBeFocused();
  await expect(page.getByText(/Will be sent today, \d\d:\d\d/)).toBeVisible();
  await expect(conversations(page).getByRole('link', { name: 'Scheduled, 1 waiting' })).toBeVisible();
  await page.getByRole('link', { name: 'See all' }).click();
  await expect(page).toHaveURL('/scheduled');
  await expect(waiting(page)).toHaveCount(1);
  await expect(waiting(page).locator('strong')).toHaveText('morning');
  await expect(waiting(page).getByRole('link', { name: '#general' })).toBeVisible();
  await expect(log(other)).not.toContainText('good morning');
  await expect(texts(other)).toHaveText(['good morning'], { timeout: 15_000 });
  await expect(waiting(page)).toHaveCount(0);
  await expect(page.getByText('Nothing is waiting to be sent')).toBeVisible();
  await expect(conversations(page).getByRole('link', { name: 'Scheduled', exact: true })).toBeVisible();
});

/** Noon in Berlin of the day before its clocks change next. */
function dayBeforeTheClocksChange(): Date {
  const hour = (at: number): number => Number(new Intl.DateTimeFormat('en', { timeZone: 'Europe/Berlin', hour: 'numeric', hourCycle: 'h23' }).format(at));
  const day = 24 * inAn.hour;
  let noon = Math.ceil(Date.now() / day) * day + day;
  while (hour(noon) !== 12) noon -= inAn.hour;
  while (hour(noon + day) === 12) noon += day;
  return new Date(noon);
}

test('nine in the morning is nine by the clock also when the clocks change in the night', async ({ server, signedIn }) => {
  const ada = await Account.register(server, 'ada');
  await ada.createChannel('general');
  const page = await open(await signedIn(ada, { timezoneId: 'Europe/Berlin' }), '/channels/general');
  const noon = dayBeforeTheClocksChange();
  await page.clock.setFixedTime(noon);
  await composer(page).fill('good morning');
  await later(page).click();
  await dialog(page).getByRole('button', { name: 'Tomorrow' }).click();
  await expect(dialog(page)).toBeHidden();
  const hours = async (): Promise<number> => {
    const [one] = await ada.scheduled();
    return one ? (Date.parse(one.send_at) - noon.getTime()) / inAn.hour : NaN;
  };
  await expect.poll(hours).not.toBeNaN();
  expect([20, 22], 'one more or one less than on other days').toContain(await hours());
});

test('what waits is edited, moved, sent now and cancelled', async ({ server, signedIn }) => {
  const ada = await Account.register(server, 'ada');
  const general = await ada.createChannel('general');
  for (const [hours, text] of [[1, 'first'], [2, 'second'], [3, 'third']] as const) {
    await ada.schedule(general, text, from(hours * inAn.hour));
  }
  const page = await open(await signedIn(ada), '/scheduled');
  await expect(waiting(page).locator('.message-text')).toHaveText(['first', 'second', 'third']);

  await page.getByRole('button', { name: 'Edit “first”' }).click();
  const words = page.getByRole('textbox', { name: 'Edit message' });
  await expect(words).toBeFocused();
  await words.fill('');
  await words.press('Enter');
  await expect(page.getByRole('alert')).toContainText('needs some text');
  await words.fill('first, changed');
  await words.press('Enter');
  await expect(waiting(page).locator('.message-text').first()).toHaveText('first, changed');

  await page.getByRole('button', { name: 'Reschedule “first, changed”' }).click();
  const [first] = await ada.scheduled();
  const set = await page.evaluate((at) => new Date(Date.parse(at)).toLocaleString('sv').slice(0, 16).replace(' ', 'T'), first!.send_at);
  await expect(dialog(page, 'Reschedule').getByLabel('Pick a time'), 'it begins with the time that is set').toHaveValue(set);
  await dialog(page, 'Reschedule').getByLabel('Pick a time').fill(await local(page, 5 * inAn.hour));
  await dialog(page, 'Reschedule').getByRole('button', { name: 'Schedule' }).click();
  await expect(dialog(page, 'Reschedule')).toBeHidden();
  await expect(waiting(page).locator('.message-text')).toHaveText(['second', 'third', 'first, changed']);

  await page.getByRole('button', { name: 'Send now “second”' }).click();
  await expect(waiting(page)).toHaveCount(2);
  expect(await ada.texts(general)).toEqual(['second']);
  await page.getByRole('button', { name: 'Cancel “third”' }).click();
  await expect(waiting(page).locator('.message-text')).toHaveText(['first, changed']);
  await page.reload();
  await expect(waiting(page).locator('.message-text')).toHaveText(['first, changed']);
  expect(await ada.texts(general)).toEqual(['second']);
});

test('what could not be sent says why, and is written again or put away', async ({ server, signedIn }) => {
  const [ada, mira] = [await Account.register(server, 'ada'), await Account.register(server, 'mira')];
  const general = await ada.createChannel('general');
  await mira.join(general);
  const made = [await mira.schedule(general, 'too late', from(inAn.hour)), await mira.schedule(general, 'never mind', from(inAn.hour))];
  const page = await open(await signedIn(mira), '/scheduled');
  await ada.remove(general, mira);
  for (const one of made) await mira.sendNow(one);
  const failed = page.getByRole('region', { name: 'Not sent' }).getByRole('listitem');
  await expect(failed).toHaveCount(2, { timeout: 15_000 });
  await expect(failed.first()).toContainText('You were no longer in this channel.');
  await expect(conversations(page).getByRole('link', { name: '2 not sent' })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Write again' })).toHaveCount(0);
  await page.getByRole('button', { name: 'Discard “never mind”' }).click();
  await expect(failed).toHaveCount(1);
  await ada.admit(general, mira);
  await open(page.context(), '/scheduled', page);
  await page.getByRole('button', { name: 'Write again “too late”' }).click();
  await expect(page).toHaveURL('/channels/general');
  await expect(composer(page)).toHaveValue('too late');
  await expect(conversations(page).getByRole('link', { name: 'Scheduled', exact: true })).toBeVisible();
  expect(await ada.texts(general)).toEqual([]);
});

test('what is written again takes its files along', async ({ server, signedIn }) => {
  const [ada, mira] = [await Account.register(server, 'ada'), await Account.register(server, 'mira')];
  const general = await ada.createChannel('general');
  await mira.join(general);
  const page = await open(await signedIn(mira), '/scheduled');
  const files = [await mira.upload('cat.png', await picture(page, 300, 200)), await mira.upload('notes.txt', 'hello')];
  const made = await mira.schedule(general, 'look', from(inAn.hour), files);
  await ada.remove(general, mira);
  await mira.sendNow(made);
  await expect(page.getByRole('region', { name: 'Not sent' })).toContainText('With cat.png, notes.txt');
  await ada.admit(general, mira);
  await page.getByRole('button', { name: 'Write again “look”' }).click();
  await expect(page).toHaveURL('/channels/general');
  await expect(composer(page)).toHaveValue('look');
  const picked = page.getByRole('list', { name: 'Files to send' }).getByRole('listitem');
  await expect(picked).toContainText(['cat.png', 'notes.txt']);
  await expect.poll(() => picked.first().locator('img').evaluate((it: HTMLImageElement) => it.naturalWidth)).toBeGreaterThan(0);
  await composer(page).press('Enter');
  await expect(picked).toHaveCount(0);
  const other = await open(await signedIn(ada), '/channels/general');
  await expect(log(other)).toContainText('look');
  await expect(log(other).getByRole('img', { name: 'cat.png' })).toBeVisible();
  await expect(log(other).getByRole('link', { name: /Download notes\.txt/ })).toBeVisible();
  await page.goto('/scheduled');
  await expect(page.getByText('Nothing is waiting to be sent')).toBeVisible();
  await expect(page.getByRole('region', { name: 'Not sent' })).toHaveCount(0);
});

const files = (page: Page) => page.getByRole('list', { name: 'Files to send' }).getByRole('listitem');
const text = (name: string) => ({ name, mimeType: 'text/plain', buffer: Buffer.from(name) });

test('while a message waits, its files are changed with its words', async ({ server, signedIn }) => {
  const [ada, mira] = [await Account.register(server, 'ada'), await Account.register(server, 'mira')];
  const general = await ada.createChannel('general');
  await mira.join(general);
  const page = await (await signedIn(mira)).newPage();
  const uploads = [await mira.upload('cat.png', await picture(page, 300, 200)), await mira.upload('notes.txt', 'hello')];
  await mira.schedule(general, 'look', from(inAn.hour), uploads);
  await open(page.context(), '/scheduled', page);
  const input = page.locator('.later-entry input[type=file]');
  await page.getByRole('button', { name: 'Edit “look”' }).click();
  await expect(files(page)).toContainText(['cat.png', 'notes.txt']);
  await expect.poll(() => files(page).first().locator('img').evaluate((it: HTMLImageElement) => it.naturalWidth)).toBeGreaterThan(0);

  // Nothing is changed until it is saved.
  await page.getByRole('button', { name: 'Remove cat.png' }).click();
  const words = page.getByRole('textbox', { name: 'Edit message' });
  await expect(words).toBeFocused();
  await words.press('Escape');
  await expect(page.getByText('With cat.png, notes.txt')).toBeVisible();

  await page.getByRole('button', { name: 'Edit “look”' }).click();
  await page.getByRole('button', { name: 'Remove notes.txt' }).click();
  const gone = () => page.waitForResponse((answer) => answer.request().method() === 'DELETE');
  await input.setInputFiles(text('never.txt'));
  await expect(files(page).last()).toContainText('9 B');
  const [taken] = await Promise.all([gone(), page.getByRole('button', { name: 'Remove never.txt' }).click()]);
  expect(taken.status()).toBe(204);
  await carry(page, 'dragover', '.later-entry', [{ name: 'more.txt', type: 'text/plain', bytes: Buffer.from('more') }]);
  await expect(page.locator('.drop-zone')).toContainText('Drop for this message');
  await carry(page, 'drop', '.later-entry', [{ name: 'more.txt', type: 'text/plain', bytes: Buffer.from('more') }]);
  await carry(page, 'drop', 'h1', [{ name: 'beside.txt', type: 'text/plain', bytes: Buffer.from('beside') }]);
  await expect(files(page)).toContainText(['cat.png', 'more.txt']);
  await words.fill('look again');
  await words.press('Enter');
  await expect(page.getByText('With cat.png, more.txt', { exact: true })).toBeVisible();
  await expect(words).toBeHidden();
  await open(page.context(), '/scheduled', page);
  await expect(page.getByText('With cat.png, more.txt', { exact: true })).toBeVisible();

  // What was added to a change that isn't saved is taken back.
  await page.getByRole('button', { name: 'Edit “look again”' }).click();
  await input.setInputFiles(text('later.txt'));
  await expect(files(page).last()).toContainText('9 B');
  const [left] = await Promise.all([gone(), page.getByRole('button', { name: "Don't save" }).click()]);
  expect(left.status()).toBe(204);
  await page.getByRole('button', { name: 'Send now “look again”' }).click();
  await expect(page.getByText('Nothing is waiting to be sent')).toBeVisible();
  const other = await open(await signedIn(ada), '/channels/general');
  await expect(log(other)).toContainText('look again');
  await expect(log(other).getByRole('img')).toHaveCount(1);
  await expect(log(other).getByRole('img', { name: 'cat.png' })).toBeVisible();
  await expect(log(other).getByRole('link', { name: /^Download/ })).toHaveCount(1);
  await expect(log(other).getByRole('link', { name: /^Download more\.txt/ })).toBeVisible();
});

test('a change to what waits is saved when its files are there, and may be files alone', async ({ server, signedIn }) => {
  const ada = await Account.register(server, 'ada');
  const general = await ada.createChannel('general');
  await ada.schedule(general, 'words', from(inAn.hour));
  const page = await open(await signedIn(ada), '/scheduled');
  let release = () => {};
  await page.route('**/api/v1/uploads', async (route) => {
    await new Promise<void>((go) => (release = go));
    await route.continue();
  });
  await page.getByRole('button', { name: 'Edit “words”' }).click();
  await page.locator('.later-entry input[type=file]').setInputFiles(text('notes.txt'));
  const words = page.getByRole('textbox', { name: 'Edit message' });
  await words.fill('');
  await words.press('Enter');
  await expect(page.getByText('Saves once its files are there.')).toBeVisible();
  release();
  await expect(page.getByText('With notes.txt')).toBeVisible();
  await page.getByRole('button', { name: 'Edit “notes.txt”' }).click();
  await page.getByRole('button', { name: 'Remove notes.txt' }).click();
  await words.press('Enter');
  await expect(page.getByRole('alert')).toContainText('needs some text');
});

test('a private message waits before there is a conversation, and keys are enough', async ({ server, signedIn }) => {
  const [ada, mira] = [await Account.register(server, 'ada'), await Account.register(server, 'mira')];
  const page = await open(await signedIn(mira), '/direct/ada');
  await page.getByRole('textbox', { name: 'Message ada' }).fill('between us');
  await later(page).focus();
  await page.keyboard.press('Enter');
  await expect(dialog(page)).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(dialog(page)).toBeHidden();
  await expect(later(page)).toBeFocused();
  await page.keyboard.press('Enter');
  await dialog(page).getByRole('button', { name: 'Tomorrow' }).press('Enter');
  await expect(page.getByText('Will be sent tomorrow, 09:00')).toBeVisible();
  await page.getByRole('link', { name: 'See all' }).press('Enter');
  await expect(waiting(page).locator('.message-text')).toHaveText(['between us']);
  await page.getByRole('button', { name: 'Send now “between us”' }).press('Enter');
  await expect(waiting(page)).toHaveCount(0);
  const other = await open(await signedIn(ada), '/direct/mira');
  await expect(other.getByRole('log')).toContainText('between us');
});

test('on a phone everything fits, and fingers find it', async ({ server, signedIn }) => {
  const ada = await Account.register(server, 'ada');
  const general = await ada.createChannel('general');
  await ada.schedule(general, 'a message that is long enough to be broken into several lines on a phone', from(inAn.hour));
  const phone = { viewport: { width: 375, height: 740 }, hasTouch: true, isMobile: true };
  const page = await open(await signedIn(ada, phone), '/scheduled');
  await expect(waiting(page)).toHaveCount(1);
  for (const button of await waiting(page).getByRole('button').all()) {
    expect((await button.boundingBox())!.height).toBeGreaterThanOrEqual(44);
  }
  await page.getByRole('button', { name: 'Reschedule' }).tap();
  for (const button of await dialog(page, 'Reschedule').getByRole('button').all()) {
    expect((await button.boundingBox())!.height).toBeGreaterThanOrEqual(44);
  }
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(375);
});

test('without scripts what waits is shown, sent and cancelled', async ({ server, signedIn }) => {
  const ada = await Account.register(server, 'ada');
  const general = await ada.createChannel('general');
  await ada.schedule(general, 'first', from(inAn.hour));
  await ada.schedule(general, 'second', from(2 * inAn.hour));
  const page = await (await signedIn(ada, { javaScriptEnabled: false })).newPage();
  await page.goto('/scheduled');
  await page.getByRole('button', { name: 'Send now “first”' }).click();
  await expect(page).toHaveURL('/scheduled');
  await page.getByRole('button', { name: 'Cancel “second”' }).click();
  await expect(page).toHaveURL('/scheduled');
  await expect(page.getByText('Nothing is waiting to be sent')).toBeVisible();
  expect(await ada.texts(general)).toEqual(['first']);
});
