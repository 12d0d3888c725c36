import { Account, expect, open, test } from './support/test';
import { composer, conversations, createChannel, link } from './support/chat';

test('a new channel appears on an open browse page', async ({ server, signedIn }) => {
  const ada = await open(await signedIn(await Account.register(server, 'ada')), '/');
  const mira = await open(await signedIn(await Account.register(server, 'mira')), '/browse');
  await expect(mira.getByText('There are no channels yet.')).toBeVisible();
  await createChannel(ada, 'general', 'Everything');
  await expect(mira.getByRole('button', { name: 'Join #general' })).toBeVisible();
  await expect(mira.getByText('1 member · Everything')).toBeVisible();
  await expect(mira.getByText('There are no channels yet.')).toBeHidden();
  await mira.getByRole('button', { name: 'Join #general' }).click();
  await expect(mira).toHaveURL('/channels/general');
  await expect(link(mira, '#general')).toBeVisible();
});

test('a deleted channel vanishes everywhere, and its open page says so', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  await member.join(channel);
  const ada = await open(await signedIn(admin), '/channels/general');
  const browser = await signedIn(member);
  const mira = await open(browser, '/channels/general');
  const browse = await open(browser, '/browse');
  await expect(browse.getByRole('button', { name: 'Leave #general' })).toBeVisible();

  await ada.getByRole('button', { name: 'Delete channel' }).click();
  const dialog = ada.getByRole('dialog', { name: 'Delete #general?' });
  await expect(dialog).toContainText("Every message in #general is deleted for all 2 members. This can't be undone.");
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toBeHidden();
  await expect(link(mira, '#general')).toBeVisible();

  await ada.getByRole('button', { name: 'Delete channel' }).click();
  await dialog.getByRole('button', { name: 'Delete channel' }).click();
  await expect(ada).toHaveURL('/');
  for (const page of [ada, mira, browse]) await expect(link(page, '#general')).toBeHidden();
  await expect(mira.getByRole('alert')).toHaveText('#general was deleted.');
  await expect(browse.getByText('There are no channels yet.')).toBeVisible();
});

test('a member sees no controls that only admins may use', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  await member.join(await admin.createChannel('general'));
  const mira = await open(await signedIn(member), '/channels/general');
  await expect(conversations(mira)).toContainText('Member');
  for (const path of ['/', '/browse', '/channels/general']) {
    await open(mira.context(), path, mira);
    await expect(link(mira, '#general')).toBeVisible();
    for (const name of [/create/i, /delete/i]) {
      await expect(mira.getByRole('button', { name, includeHidden: true })).toHaveCount(0);
      await expect(mira.getByRole('dialog', { name, includeHidden: true })).toHaveCount(0);
    }
  }
});

test('somebody who leaves elsewhere is out here too, and can come back', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  await member.join(channel);
  const mira = await open(await signedIn(member), '/channels/general');
  await member.leave(channel);
  await expect(mira.getByText("You aren't in #general")).toBeVisible();
  await expect(link(mira, '#general')).toBeHidden();
  await mira.getByRole('button', { name: 'Join #general' }).click();
  await expect(mira.getByRole('textbox', { name: 'Message #general' })).toBeVisible();
  await expect(link(mira, '#general')).toBeVisible();
});

test('a renamed channel takes its readers along, and what they were writing', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const [member, outsider] = [await Account.register(server, 'mira'), await Account.register(server, 'tomas')];
  const channel = await admin.createChannel('general');
  await member.join(channel);
  const mira = await open(await signedIn(member), '/');
  await link(mira, '#general').click();
  await composer(mira).fill('half a thought');
  const tomas = await open(await signedIn(outsider), '/channels/general');
  await admin.change(channel, { name: 'plans' });
  await expect(mira).toHaveURL('/channels/plans');
  await expect(composer(mira, 'plans')).toHaveValue('half a thought');
  await composer(mira, 'plans').press('Enter');
  await expect.poll(() => admin.texts(channel)).toEqual(['half a thought']);
  await expect(tomas).toHaveURL('/channels/plans');
  await expect(tomas.getByRole('button', { name: 'Join #plans' })).toBeVisible();
  await mira.goBack();
  await expect(mira, 'the old address is gone from the way back').toHaveURL('/');
});

test('the first channel is also made in browsers that need help with dialogs', async ({ server, signedIn }) => {
  const browser = await signedIn(await Account.register(server, 'ada'));
  const page = await browser.newPage();
  await page.addInitScript('delete window.CommandEvent');
  await open(browser, '/', page);
  await page.evaluate("document.querySelectorAll('[commandfor]').forEach((button) => button.removeAttribute('commandfor'))");
  await page.getByRole('button', { name: 'Create a channel' }).click();
  await expect(page.getByRole('dialog', { name: 'Create channel' })).toBeVisible();
});

test('words selected with the mouse let go outside do not close a dialog', async ({ server, signedIn }) => {
  const page = await open(await signedIn(await Account.register(server, 'ada')), '/');
  await conversations(page).getByRole('button', { name: 'Create channel' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create channel' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill('general');
  await dialog.getByRole('textbox', { name: 'Name' }).hover();
  await page.mouse.down();
  await page.mouse.move(5, 5);
  await page.mouse.up();
  await expect(dialog.getByRole('textbox', { name: 'Name' })).toHaveValue('general');
  await expect(dialog).toBeVisible();
  await page.mouse.click(5, 5);
  await expect(dialog).toBeHidden();
});

test('the number of members is right while people come and go', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  const browser = await signedIn(admin);
  const browse = await open(browser, '/browse');
  const inside = await open(browser, '/channels/general');
  await expect(browse.getByText('1 member', { exact: true })).toBeVisible();
  await member.join(channel);
  await expect(browse.getByText('2 members', { exact: true })).toBeVisible();
  await inside.getByRole('button', { name: 'Delete channel' }).click();
  await expect(inside.getByRole('dialog')).toContainText('all 2 members');
  await member.leave(channel);
  await expect(browse.getByText('1 member', { exact: true })).toBeVisible();
});

test('one leaves where one is, from the list of members', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  await member.join(await admin.createChannel('general'));
  await admin.admit(await admin.createChannel('plans', '', { visibility: 'private' }), member);
  const mira = await open(await signedIn(member), '/channels/general');
  const list = mira.getByRole('complementary', { name: 'Members' });
  await list.getByRole('button', { name: 'Leave #general' }).press('Enter');
  await expect(mira.getByRole('alert')).toHaveText("You aren't in #general any more.");
  await expect(mira.getByRole('heading', { name: '#general' })).toBeFocused();
  await mira.getByRole('button', { name: 'Join #general' }).click();
  await expect(composer(mira)).toBeVisible();

  await link(mira, '#plans').click();
  await list.getByRole('button', { name: 'Leave #plans' }).click();
  const dialog = mira.getByRole('dialog', { name: 'Leave #plans?' });
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(composer(mira, 'plans')).toBeVisible();
  await list.getByRole('button', { name: 'Leave #plans' }).click();
  await dialog.getByRole('button', { name: 'Leave channel' }).click();
  await expect(link(mira, '#plans')).toBeHidden();
  await expect(mira.getByRole('alert')).toContainText('#plans');
});
