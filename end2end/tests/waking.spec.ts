import { Account, connected, expect, open, test } from './support/test';

test('a page is woken with what it was made from', async ({ server, signedIn }) => {
  const admin = await Account.register(server, 'ada');
  const mira = await Account.register(server, 'mira');
  const general = await admin.createChannel('general');
  await mira.join(general);
  await admin.post(general, 'hello');
  const { request } = await signedIn(admin);
  for (const path of ['/', '/browse', '/channels/general', '/direct/mira', '/search?q=hello', '/scheduled', '/settings', '/admin', '/admin/people']) {
    const html = await (await request.get(path, { headers: { accept: 'text/html' } })).text();
    // Who is here and their channels, and the one thing that the page itself shows.
    expect(html.match(/__RESOLVED_RESOURCES\[\d+\] = /g), path).toHaveLength(2);
  }
});

test('a page that is loaded while messages come in wakes up', async ({ server, signedIn }) => {
  test.setTimeout(120_000);
  const admin = await Account.register(server, 'ada');
  const mira = await Account.register(server, 'mira');
  const general = await admin.createChannel('general');
  await mira.join(general);
  const direct = await admin.direct(mira);
  const context = await signedIn(mira);
  let going = true;
  let said = 0;
  const posting: Promise<unknown>[] = [];
  const refused: unknown[] = [];
  const chatter = (async () => {
    for (; going; said++) {
      posting.push(admin.post(said % 3 === 2 ? direct : general, `words ${said} for @mira`).catch((why: unknown) => refused.push(why)));
      await new Promise((next) => setTimeout(next, 8));
    }
  })();
  for (const path of ['/', '/channels/general', '/direct/ada', '/', '/search?q=words', '/scheduled', '/', '/channels/general', '/', '/direct/ada', '/', '/']) {
    const page = await context.newPage();
    // What the browser complains of fails the test.
    await Promise.all([connected(page), page.goto(path)]);
    await page.close();
  }
  going = false;
  await chatter;
  await Promise.all(posting);
  expect(refused).toEqual([]);
  expect(said).toBeGreaterThan(12);
});
