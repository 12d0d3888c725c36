import { type Locator, type Page, expect } from '@playwright/test';

export const conversations = (page: Page): Locator => page.getByRole('navigation', { name: 'Conversations' });
export const link = (page: Page, name: string): Locator => conversations(page).getByRole('link', { name, exact: true });
export const log = (page: Page, channel = 'general'): Locator => page.getByRole('log', { name: `Messages in #${channel}` });
export const composer = (page: Page, channel = 'general'): Locator => page.getByRole('textbox', { name: `Message #${channel}` });
export const sendButton = (page: Page): Locator => page.getByRole('button', { name: 'Send', exact: true });

/** The messages alone, without days and lines between them. */
export const messages = (page: Page, channel = 'general'): Locator =>
  log(page, channel).getByRole('listitem').filter({ has: page.locator('.message-text') });
export const texts = (page: Page, channel = 'general'): Locator => messages(page, channel).locator('.message-text');
export const message = (page: Page, text: string): Locator =>
  messages(page).filter({ has: page.locator('.message-text').getByText(text, { exact: true }) });

/** Types a message and sends it with Enter. */
export async function say(page: Page, text: string, channel = 'general'): Promise<void> {
  await composer(page, channel).fill(text);
  await composer(page, channel).press('Enter');
  await expect(composer(page, channel)).toHaveValue('');
}

/** Admins: through the dialog. */
export async function createChannel(page: Page, name: string, topic: string): Promise<void> {
  await conversations(page).getByRole('button', { name: 'Create channel' }).click();
  const dialog = page.getByRole('dialog', { name: 'Create channel' });
  await dialog.getByRole('textbox', { name: 'Name' }).fill(name);
  await dialog.getByRole('textbox', { name: 'Topic' }).fill(topic);
  await dialog.getByRole('button', { name: 'Create channel' }).click();
  await expect(page).toHaveURL(`/channels/${name}`);
  await expect(dialog).toBeHidden();
}

/** Through the page; `password` is the same for everyone. */
export async function enterThroughPage(page: Page, button: string, username: string, password: string): Promise<void> {
  await page.getByRole('textbox', { name: 'Username' }).fill(username);
  await page.getByLabel('Password').fill(password);
  await page.getByRole('button', { name: button }).click();
}
