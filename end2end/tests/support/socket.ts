import type { Page, WebSocketRoute } from '@playwright/test';

export interface Frame { type?: string; ref?: string; channel_id?: string; text?: string; [key: string]: unknown }
/** What becomes of a frame: it passes on, or it is lost on the way. */
export type Fate = 'pass' | 'lose';

/** Stands between a page and the server's socket. Set it up before the page is opened. */
export class Wire {
  /** Of what the page says. */
  sent: (frame: Frame, answer: (frame: Frame) => void) => Fate = () => 'pass';
  /** Of what the server says. */
  received: (frame: Frame) => Fate = () => 'pass';
  private routes: WebSocketRoute[] = [];
  private dead = new Set<WebSocketRoute>();

  static async of(page: Page): Promise<Wire> {
    const wire = new Wire();
    await page.routeWebSocket(/\/api\/v1\/ws$/, (route) => wire.connect(route));
    return wire;
  }

  /** Breaks the connection, as a network does. */
  async cut(): Promise<void> {
    await Promise.all(this.routes.splice(0).map((route) => route.close({ code: 3000, reason: 'cut' })));
  }

  /** Kills the connection without a word, as a router does that forgets it. The next one is sound. */
  silence(): void {
    this.routes.forEach((route) => this.dead.add(route));
  }

  private connect(route: WebSocketRoute): void {
    const server = route.connectToServer();
    this.routes.push(route);
    route.onMessage((text) => {
      const answer = (frame: Frame): void => route.send(JSON.stringify(frame));
      if (!this.dead.has(route) && this.sent(parse(text), answer) === 'pass') server.send(text);
    });
    server.onMessage((text) => {
      if (!this.dead.has(route) && this.received(parse(text)) === 'pass') route.send(text);
    });
  }
}

const parse = (text: string | Buffer): Frame => JSON.parse(text.toString()) as Frame;
