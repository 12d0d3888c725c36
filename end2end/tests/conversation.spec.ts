import { Account, PASSWORD, expect, open, test } from './support/test';
import { composer, conversations, createChannel, enterThroughPage, log, messages, say, sendButton, texts } from './support/chat';

test('two people register, find each other and talk', async ({ newBrowser }) => {
  const ada = await (await newBrowser()).newPage();
  await ada.goto('/');
  await expect(ada).toHaveURL('/login');
  await ada.getByRole('link', { name: 'Create account' }).click();
  await expect(ada).toHaveURL('/register');
  await enterThroughPage(ada, 'Create account', 'ada', PASSWORD);
  await expect(ada).toHaveURL('/');
  await expect(conversations(ada)).toContainText('Admin');
  await createChannel(ada, 'random', '');
  await createChannel(ada, 'general', 'All that concerns everyone');
  await expect(ada.getByText('All that concerns everyone').first()).toBeVisible();

  const mira = await (await newBrowser()).newPage();
  await mira.goto('/register');
  await enterThroughPage(mira, 'Create account', 'mira', PASSWORD);
  await expect(mira).toHaveURL('/');
  await expect(conversations(mira)).toContainText('Member');
  await conversations(mira).getByRole('button', { name: 'Browse channels' }).click();
  await expect(mira.getByRole('button', { name: /^Join #/ })).toHaveCount(2);
  await expect(async () => {
    // Until the page is awake a search finds nobody listening.
    await mira.getByRole('searchbox', { name: 'Search channels' }).fill('EVERYONE');
    await expect(mira.getByRole('button', { name: /^Join #/ })).toHaveCount(1, { timeout: 500 });
  }).toPass();
  await mira.getByRole('button', { name: 'Join #general' }).click();
  await expect(mira).toHaveURL('/channels/general');

  await say(ada, 'Good morning');
  await expect(texts(mira)).toHaveText(['Good morning']);
  await say(mira, 'Good morning, Ada');
  await expect(texts(ada)).toHaveText(['Good morning', 'Good morning, Ada']);
  for (const text of ['one', 'two', 'three']) await say(ada, text);
  const all = ['Good morning', 'Good morning, Ada', 'one', 'two', 'three'];
  for (const page of [ada, mira]) {
    await expect(texts(page)).toHaveText(all);
    await expect(page.locator('[aria-busy=true]')).toHaveCount(0);
    // Three groups: ada, mira, ada.
    await expect(log(page).getByText('ada', { exact: true })).toHaveCount(2);
    await expect(log(page).getByText('mira', { exact: true })).toHaveCount(1);
    await page.reload();
    await expect(texts(page)).toHaveText(all);
    await expect(log(page).getByText('ada', { exact: true })).toHaveCount(2);
  }
});

test('Enter sends and Shift+Enter breaks the line', async ({ newBrowser }) => {
  const ada = await (await newBrowser()).newPage();
  await ada.goto('/register');
  await enterThroughPage(ada, 'Create account', 'ada', PASSWORD);
  await expect(ada).toHaveURL('/');
  await createChannel(ada, 'general', '');
  await expect(composer(ada)).toBeFocused();
  await ada.keyboard.press('Enter');
  await ada.keyboard.type('   ');
  await ada.keyboard.press('Enter');
  await ada.keyboard.press('ControlOrMeta+a');
  await ada.keyboard.type('first line');
  await ada.keyboard.press('Shift+Enter');
  await ada.keyboard.type('second line');
  await expect(composer(ada)).toHaveValue('first line\nsecond line');
  await ada.keyboard.press('Enter');
  await expect(composer(ada)).toHaveValue('');
  await expect(messages(ada)).toHaveCount(1);
  await expect.poll(() => texts(ada).innerText()).toBe('first line\nsecond line');
  await expect(composer(ada)).toBeFocused();
});

test('the button that sends leaves the focus where one writes', async ({ server, signedIn }) => {
  const ada = await Account.register(server, 'ada');
  await ada.createChannel('general');
  const page = await open(await signedIn(ada), '/channels/general');
  await composer(page).fill('by mouse');
  await sendButton(page).click();
  await expect(composer(page)).toBeFocused();
  await composer(page).fill('by keyboard');
  await sendButton(page).focus();
  await page.keyboard.press('Enter');
  await expect(texts(page)).toHaveText(['by mouse', 'by keyboard']);
  await expect(composer(page)).toBeFocused();
});

test('what a form refuses is said beside it, and the right answer then works', async ({ newBrowser, watch }) => {
  watch.allow(/Failed to load resource: .* status of 4(01|09|22)/);
  const page = await (await newBrowser()).newPage();
  await page.goto('/register');
  await enterThroughPage(page, 'Create account', 'ada', 'short');
  await expect(page.getByLabel('Password')).toHaveAccessibleDescription(/8/);
  await expect(page.getByLabel('Password')).toHaveAttribute('aria-invalid', 'true');
  await expect(page).toHaveURL(/\/register/);
  await enterThroughPage(page, 'Create account', 'ada', PASSWORD);
  await expect(page).toHaveURL('/');
  await page.getByRole('button', { name: 'Log out' }).click();
  await expect(page).toHaveURL('/login');
  await enterThroughPage(page, 'Log in', 'ada', 'not the password');
  await expect(page.getByRole('alert')).toHaveText("That username and password don't match.");
  await enterThroughPage(page, 'Log in', 'ADA', PASSWORD);
  await expect(page).toHaveURL('/');
});

test('each paragraph runs the way that its language does', async ({ server, signedIn }) => {
  const ada = await Account.register(server, 'ada');
  const general = await ada.createChannel('general');
  await ada.post(general, 'שלום עולם, מה שלומך?\n\nand then English, with שלום in it');
  const page = await open(await signedIn(ada), '/channels/general');
  /** Where the first and the last character of each paragraph stand, from the left. */
  const ends = await texts(page).last().locator('p').evaluateAll((paragraphs) =>
    paragraphs.map((paragraph) => {
      const text = paragraph.firstChild!;
      const at = (from: number): number => {
        const range = document.createRange();
        range.setStart(text, from);
        range.setEnd(text, from + 1);
        return range.getBoundingClientRect().x;
      };
      return { first: at(0), last: at(text.textContent!.length - 1), right: paragraph.getBoundingClientRect().right };
    }),
  );
  expect(ends).toHaveLength(2);
  expect(ends[0]!.first, 'from the right').toBeGreaterThan(ends[0]!.right - 40);
  expect(ends[0]!.last, 'the question mark is the last').toBeLessThan(ends[0]!.first);
  expect(ends[1]!.last).toBeGreaterThan(ends[1]!.first);
});
