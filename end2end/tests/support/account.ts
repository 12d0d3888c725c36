import { randomUUID } from 'node:crypto';
import type { Server } from './server';

export const PASSWORD = 'correct horse battery';

export interface Channel { id: string; name: string; members: number; joined: boolean; unread: number; rev: number }
export interface Message { id: string; seq: number; rev: number; text: string; sender: { id: string; username: string } }
export interface Upload { id: string; filename: string; media_type: string; url: string; thumbnail_url?: string }
interface Session { id: string; current: boolean }

/** Somebody with an account, acting through the public HTTP API as another program would. */
export class Account {
  private constructor(
    private readonly server: Server,
    readonly name: string,
    readonly id: string,
    private readonly token: string,
  ) {}

  static async register(server: Server, name: string): Promise<Account> {
    return Account.enter(server, name, 'register');
  }

  /** A further session of the same person. */
  static async logIn(server: Server, name: string): Promise<Account> {
    return Account.enter(server, name, 'login');
  }

  private static async enter(server: Server, name: string, how: 'register' | 'login'): Promise<Account> {
    const answer = await call<{ access_token: string; user: { id: string } }>(server, 'POST', `auth/${how}`, { username: name, password: PASSWORD });
    return new Account(server, name, answer.user.id, answer.access_token);
  }

  createChannel(name: string, topic = '', rules: object = {}): Promise<Channel> {
    return this.call('POST', 'channels', { name, topic, ...rules });
  }

  change(channel: Channel, what: object): Promise<Channel> {
    return this.call('PATCH', `channels/${channel.id}`, what);
  }

  admit(channel: Channel, who: Account): Promise<Channel> {
    return this.call('PUT', `channels/${channel.id}/members/${who.id}`);
  }

  remove(channel: Channel, who: Account): Promise<void> {
    return this.call('DELETE', `channels/${channel.id}/members/${who.id}`);
  }

  /** The private conversation with somebody. */
  direct(who: Account): Promise<Channel> {
    return this.call('PUT', `directs/${who.id}`);
  }

  /** Gives or takes a role, suspends or reinstates. */
  changeUser(who: Account, what: object): Promise<void> {
    return this.call('PATCH', `users/${who.id}`, what);
  }

  deleteChannel(channel: Channel): Promise<void> {
    return this.call('DELETE', `channels/${channel.id}`);
  }

  join(channel: Channel): Promise<Channel> {
    return this.call('PUT', `channels/${channel.id}/members/me`);
  }

  leave(channel: Channel): Promise<void> {
    return this.call('DELETE', `channels/${channel.id}/members/me`);
  }

  post(channel: Channel, text: string, more: object = {}): Promise<Message> {
    return this.call('POST', `channels/${channel.id}/messages`, { text, ref: randomUUID(), ...more });
  }

  /** Uploads a file, for a message to carry. */
  async upload(name: string, bytes: Uint8Array | string): Promise<Upload> {
    const form = new FormData();
    form.append('file', new Blob([bytes as BlobPart]), name);
    const headers = { authorization: `Bearer ${this.token}` };
    const answer = await fetch(`${this.server.url}/api/v1/uploads`, { method: 'POST', headers, body: form });
    if (!answer.ok) throw new Error(`upload: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Upload;
  }

  /** A message that carries files. */
  send(channel: Channel, text: string, files: Upload[]): Promise<Message> {
    return this.post(channel, text, { attachments: files.map((file) => file.id) });
  }

  schedule(channel: Channel, text: string, sendAt: string, files: Upload[] = []): Promise<{ id: string }> {
    const attachments = files.map((file) => file.id);
    return this.call('POST', 'scheduled', { channel_id: channel.id, text, send_at: sendAt, ref: randomUUID(), attachments });
  }

  /** What waits to be sent. */
  async scheduled(): Promise<{ id: string; text: string; send_at: string }[]> {
    return (await this.call<{ items: { id: string; text: string; send_at: string }[] }>('GET', 'scheduled')).items;
  }

  sendNow(scheduled: { id: string }): Promise<void> {
    return this.call('POST', `scheduled/${scheduled.id}/send`);
  }

  deleteMessage(message: Message): Promise<void> {
    return this.call('DELETE', `messages/${message.id}`);
  }

  markRead(channel: Channel, seq: number): Promise<void> {
    return this.call('PUT', `channels/${channel.id}/read`, { seq });
  }

  /** The texts of the newest hundred messages, oldest first. */
  async texts(channel: Channel): Promise<string[]> {
    const page = await this.call<{ items: Message[] }>('GET', `channels/${channel.id}/messages?limit=100`);
    return page.items.map((message) => message.text);
  }

  channel(channel: Channel): Promise<Channel> {
    return this.call('GET', `channels/${channel.id}`);
  }

  async sessions(): Promise<Session[]> {
    return (await this.call<{ items: Session[] }>('GET', 'auth/sessions')).items;
  }

  endSession(session: Session): Promise<void> {
    return this.call('DELETE', `auth/sessions/${session.id}`);
  }

  private call<T>(method: string, path: string, body?: object): Promise<T> {
    return call<T>(this.server, method, path, body, this.token);
  }
}

async function call<T>(server: Server, method: string, path: string, body?: object, token?: string): Promise<T> {
  const headers = { ...(body && { 'content-type': 'application/json' }), ...(token && { authorization: `Bearer ${token}` }) };
  const answer = await fetch(`${server.url}/api/v1/${path}`, { method, headers, body: body && JSON.stringify(body) });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${text}`);
  return (text === '' ? undefined : JSON.parse(text)) as T;
}
