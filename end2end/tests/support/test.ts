import { type BrowserContext, type BrowserContextOptions, type Page, test as base, expect } from '@playwright/test';
import { Account, PASSWORD } from './account';
import { Server } from './server';

/** It says how quick the machine is, not the page. That what is loaded ahead is used: rendering.spec.ts. */
const SLOW = /\/pkg\/[^ ]+\.wasm was preloaded using link preload but not used within a few seconds/;

/** What the browser complains of; a test fails on all that it didn't foresee. */
export class Watch {
  private readonly heard: string[] = [];
  private readonly foreseen: RegExp[] = [];

  over(context: BrowserContext): void {
    context.on('console', (message) => {
      if (['error', 'warning'].includes(message.type()) && !SLOW.test(message.text())) {
        this.heard.push(`${message.type()}: ${message.text().split('\n')[0]} (${message.location().url})`);
      }
    });
    context.on('weberror', (error) => this.heard.push(`uncaught: ${error.error().message}`));
  }

  /** For this test alone. */
  allow(...complaints: RegExp[]): void {
    this.foreseen.push(...complaints);
  }

  get complaints(): string[] {
    return this.heard.filter((text) => !this.foreseen.some((allowed) => allowed.test(text)));
  }
}

/** What a browser says while there is no server. */
export const NO_SERVER = [/WebSocket connection to .* failed/, /net::ERR_(CONNECTION_\w+|EMPTY_RESPONSE|SOCKET_NOT_CONNECTED)/];

interface Fixtures {
  server: Server;
  watch: Watch;
  /** A browser of its own, with nobody logged in. */
  newBrowser: (options?: BrowserContextOptions) => Promise<BrowserContext>;
  /** A browser of its own in which that person is logged in. */
  signedIn: (who: Account, options?: BrowserContextOptions) => Promise<BrowserContext>;
}

export const test = base.extend<Fixtures>({
  server: async ({}, use) => {
    const server = await Server.launch();
    await use(server);
    await server.stop();
  },
  baseURL: async ({ server }, use) => use(server.url),
  watch: async ({}, use) => {
    const watch = new Watch();
    await use(watch);
    expect(watch.complaints, 'the browser complained').toEqual([]);
  },
  context: async ({ context, watch }, use) => {
    watch.over(context);
    await use(context);
  },
  newBrowser: async ({ browser, server, watch }, use) => {
    const opened: BrowserContext[] = [];
    await use(async (options) => {
      const context = await browser.newContext({ baseURL: server.url, ...options });
      watch.over(context);
      opened.push(context);
      return context;
    });
    await Promise.all(opened.map((context) => context.close()));
  },
  signedIn: async ({ newBrowser, server }, use) => {
    await use(async (who, options) => {
      const context = await newBrowser(options);
      const data = { username: who.name, password: PASSWORD };
      const answer = await context.request.post('/api/v1/auth/login', { data, headers: { origin: server.url } });
      expect(answer.ok()).toBe(true);
      return context;
    });
  },
});

/** Opens a page of somebody logged in, and waits until it is awake and connected. */
export async function open(context: BrowserContext, path: string, page?: Page): Promise<Page> {
  const tab = page ?? (await context.newPage());
  await Promise.all([connected(tab), tab.goto(path)]);
  return tab;
}

/** Until the server has said `ready` to a page that is about to connect. */
export async function connected(page: Page): Promise<void> {
  const socket = await page.waitForEvent('websocket');
  await socket.waitForEvent('framereceived', (frame) => frame.payload.toString().includes('"type":"ready"'));
}

export { Account, PASSWORD, expect };
