import { Account, PASSWORD, expect, open, test } from './support/test';
import { composer, conversations, enterThroughPage, link, log } from './support/chat';

/** An admin and a member in the private channel #plans, and somebody outside. */
async function plans(server: Parameters<typeof Account.register>[0]) {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const outsider = await Account.register(server, 'tomas');
  const channel = await admin.createChannel('plans', 'Not for everyone', { visibility: 'private' });
  await admin.admit(channel, member);
  return { admin, member, outsider, channel };
}

test('a private channel appears to whom it is opened, and to nobody else', async ({ server, signedIn, watch }) => {
  watch.allow(/404/);
  const { admin, outsider, channel } = await plans(server);
  const tomas = await open(await signedIn(outsider), '/browse');
  await expect(tomas.getByText('There are no channels yet.')).toBeVisible();
  await open(tomas.context(), '/channels/plans', tomas);
  await expect(tomas.getByText('There is no #plans')).toBeVisible();
  await admin.admit(channel, outsider);
  await expect(link(tomas, '#plans')).toBeVisible();
  await link(tomas, '#plans').click();
  await expect(composer(tomas, 'plans')).toBeVisible();
});

test('whoever is put out while reading is told so, hears nothing more, and is taken elsewhere', async ({ server, signedIn }) => {
  const { admin, member, channel } = await plans(server);
  await admin.post(channel, 'the plan is');
  const mira = await open(await signedIn(member), '/channels/plans');
  await expect(log(mira, 'plans')).toContainText('the plan is');
  const heard: string[] = [];
  mira.on('websocket', (socket) => socket.on('framereceived', ({ payload }) => heard.push(payload.toString())));
  await open(mira.context(), '/channels/plans', mira);
  await admin.remove(channel, member);
  await expect(mira.getByRole('alert')).toHaveText("You can't read #plans any more.");
  await expect(mira.getByText('Catch up opens in a few seconds.')).toBeVisible();
  await expect(mira.getByRole('link', { name: 'Go to Catch up' })).toBeVisible();
  await expect(link(mira, '#plans')).toBeHidden();
  await admin.post(channel, 'without you');
  await expect(mira).toHaveURL('/', { timeout: 15_000 });
  expect(heard.filter((frame) => frame.includes('without you'))).toEqual([]);
});

test('whoever is put out of a public channel is told so and can come back', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('general');
  await member.join(channel);
  const mira = await open(await signedIn(member), '/channels/general');
  await admin.remove(channel, member);
  await expect(mira.getByRole('alert')).toHaveText("You aren't in #general any more.");
  await expect(mira.getByText('Catch up opens in a few seconds.')).toBeVisible();
  await mira.getByRole('button', { name: 'Join #general' }).click();
  await expect(composer(mira)).toBeVisible();
  await expect(mira.getByRole('alert')).toHaveCount(0);
});

test('making a channel private hides it from those outside', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const outsider = await Account.register(server, 'tomas');
  const channel = await admin.createChannel('open', 'For now');
  const tomas = await open(await signedIn(outsider), '/browse');
  await expect(tomas.getByRole('button', { name: 'Join #open' })).toBeVisible();
  await admin.change(channel, { visibility: 'private' });
  await expect(tomas.getByRole('button', { name: 'Join #open' })).toBeHidden();
  await admin.change(channel, { visibility: 'public', name: 'reopened' });
  await expect(tomas.getByRole('button', { name: 'Join #reopened' })).toBeVisible();
});

test('where only admins write, members read; a new role shows at once', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  const channel = await admin.createChannel('news', 'From above', { post_policy: 'admins' });
  await member.join(channel);
  const mira = await open(await signedIn(member), '/channels/news');
  await expect(mira.getByText('Only admins write here.')).toBeVisible();
  await expect(composer(mira, 'news')).toHaveCount(0);
  await expect(conversations(mira)).toContainText('Member');
  await admin.changeUser(member, { role: 'admin' });
  await expect(composer(mira, 'news')).toBeVisible();
  await expect(conversations(mira)).toContainText('Admin');
  await admin.changeUser(member, { role: 'member' });
  await expect(composer(mira, 'news')).toHaveCount(0);
  await expect(mira.getByRole('button', { name: 'Delete channel' })).toHaveCount(0);
});

test('whoever is suspended is out at once, and back when reinstated', async ({ server, signedIn, watch }) => {
  watch.allow(/401|WebSocket connection to .* failed/);
  const admin = await Account.register(server, 'ada');
  const member = await Account.register(server, 'mira');
  await member.join(await admin.createChannel('general'));
  const mira = await open(await signedIn(member), '/channels/general');
  await admin.changeUser(member, { suspended: true });
  await expect(mira).toHaveURL('/login?next=/channels/general');
  await expect(mira.getByRole('status')).toHaveText('You were logged out, here or by an admin. Log in to go on.');
  watch.allow(/403/);
  await enterThroughPage(mira, 'Log in', 'mira', PASSWORD);
  await expect(mira.getByText('This account is suspended. Ask an admin.')).toBeVisible();
  await admin.changeUser(member, { suspended: false });
  await enterThroughPage(mira, 'Log in', 'mira', PASSWORD);
  await expect(link(mira, '#general')).toBeVisible();
});
