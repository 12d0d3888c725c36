import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const endToEnd = fileURLToPath(new URL('../..', import.meta.url));
const binary = resolve(endToEnd, process.env.NATTER_BIN ?? '../target/release/natter');
const READY_WITHIN = 10_000;
const STOP_WITHIN = 10_000;

/** One process of the program, on a port and a data folder of its own. */
export class Server {
  url = '';
  private port = 0;
  private child?: ChildProcess;
  private log = '';
  private constructor(private readonly data: string) {}

  static async launch(): Promise<Server> {
    const server = new Server(await mkdtemp(join(tmpdir(), 'natter-end2end-')));
    await server.start();
    return server;
  }

  /** Starts it, or starts it again where it was. */
  async start(): Promise<void> {
    const child = spawn(binary, ['serve', '--listen', `127.0.0.1:${this.port}`, '--data-dir', this.data], {
      cwd: this.data,
      env: { PATH: process.env.PATH, NATTER_RATE_LIMITS: 'off' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.child = child;
    child.stderr.on('data', (chunk: Buffer) => (this.log += chunk.toString()));
    this.url = await new Promise<string>((resolve, reject) => {
      let said = '';
      const late = setTimeout(() => reject(new Error(`not ready: ${said}${this.log}`)), READY_WITHIN);
      child.once('error', reject);
      child.once('exit', (code) => reject(new Error(`ended with ${code}: ${said}${this.log}`)));
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        const found = /listening on (http:\/\/\S+)/.exec(said)?.[1];
        if (!found) return;
        clearTimeout(late);
        child.removeAllListeners('exit');
        resolve(found);
      });
    });
    this.port = Number(new URL(this.url).port);
  }

  /** Ends it as a power cut would: nothing is said, flushed or closed. */
  async crash(): Promise<void> {
    await this.end('SIGKILL');
  }

  /** Ends it in order, and complains of what a good end doesn't have. */
  async stop(): Promise<void> {
    const code = await this.end('SIGTERM');
    await rm(this.data, { recursive: true, force: true });
    const plain = this.log.replace(/\x1b\[[0-9;]*m/g, '');
    const bad = plain.split('\n').filter((line) => /panicked| ERROR /.test(line));
    if (bad.length > 0) throw new Error(`the server complained:\n${bad.join('\n')}`);
    if (code !== 0) throw new Error(`the server ended with ${code}:\n${plain}`);
  }

  private async end(signal: NodeJS.Signals): Promise<number | null> {
    const child = this.child;
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
    child.kill(signal);
    const forced = setTimeout(() => child.kill('SIGKILL'), STOP_WITHIN);
    const code = await ended;
    clearTimeout(forced);
    return code;
  }
}
