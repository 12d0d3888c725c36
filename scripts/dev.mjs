// Watches the sources; on a change rebuilds the bundle and the debug server and starts it anew.
// It asks for file times twice a second rather than for notifications: a few hundred files cost
// nothing, and it also works in containers and on shared folders.
// usage: node scripts/dev.mjs [arguments for `natter serve`]
import { spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const watched = ['src', 'app', 'frontend', 'server', 'migrations', 'style', 'Cargo.toml', 'Cargo.lock', 'Trunk.toml'];
const say = (text) => console.log(`==> ${text}`);

function times(path, found = new Map()) {
  try {
    const stat = statSync(path);
    if (!stat.isDirectory()) found.set(path, `${stat.mtimeMs} ${stat.size}`);
    else for (const name of readdirSync(path)) if (name !== 'node_modules' && !/^\.|~$/.test(name)) times(join(path, name), found);
  } catch {
    // Gone since it was listed: the next look will tell.
  }
  return found;
}
const look = () => new Map(watched.flatMap((name) => [...times(join(root, name))]));
const differing = (before, after) =>
  [...new Set([...before.keys(), ...after.keys()])].filter((path) => before.get(path) !== after.get(path));
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const run = (command, ...args) =>
  new Promise((done) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit' });
    child.on('error', (error) => (console.error(`error: ${command}: ${error.message}`), done(false)));
    child.on('exit', (code) => done(code === 0));
  });

let server;
async function stop() {
  const child = server;
  server = undefined;
  if (!child || child.exitCode !== null || child.signalCode !== null) return;
  const gone = new Promise((done) => child.once('exit', done));
  child.kill('SIGTERM');
  // Open sockets may keep it from leaving; nobody waits for that while developing.
  const hurry = setTimeout(() => child.kill('SIGKILL'), 2000);
  await gone;
  clearTimeout(hurry);
}
function start() {
  const child = spawn(join(root, 'target/debug/natter'), ['serve', ...process.argv.slice(2)], { cwd: root, stdio: 'inherit' });
  child.on('error', (error) => console.error(`error: the server did not start: ${error.message}`));
  child.on('exit', (code) => {
    if (server === child && code) say(`The server ended with status ${code}; waiting for a change`);
  });
  server = child;
}

async function build() {
  const began = Date.now();
  if (!(await run('bash', 'scripts/bundle.sh', '--dev'))) return false;
  say('Building the server (debug)');
  if (!(await run('cargo', 'build', '--bin', 'natter'))) return false;
  say(`Built in ${((Date.now() - began) / 1000).toFixed(1)} s`);
  return true;
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.on(signal, async () => {
    await stop();
    process.exit(0);
  });
}

for (;;) {
  let before = look();
  if (await build()) {
    await stop();
    start();
  } else {
    say(`Not built; ${server ? 'the last good build keeps running' : 'nothing is running'} until the next change`);
  }
  // Whatever changed during the build counts too: `before` is from its beginning.
  let changed;
  while ((changed = differing(before, look())).length === 0) await pause(500);
  // Let an editor or a checkout finish writing.
  for (let last = look(); await pause(200), differing(last, (last = look())).length > 0; );
  say(`Changed: ${changed.slice(0, 3).map((path) => path.slice(root.length + 1)).join(', ')}${changed.length > 3 ? ' and more' : ''}`);
}
