// Takes what Trunk built (target/natter/trunk) to dist/: adds the fonts, and for a release minifies
// the stylesheet, compresses everything once and for all, and says how large it became.
// dist/ is only touched where something differs, so that cargo does not embed it anew for nothing.
// usage: node scripts/finish-bundle.mjs release|dev
import { createRequire } from 'node:module';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { brotliCompressSync, constants, gzipSync } from 'node:zlib';

const AIM = 250_000; // bytes, compressed with brotli
const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const from = join(root, 'target/natter/trunk');
const dist = join(root, 'dist');
const release = process.argv[2] !== 'dev';
const style = createRequire(join(root, 'style/package.json'));

const walk = (folder) =>
  existsSync(folder)
    ? readdirSync(folder, { withFileTypes: true, recursive: true })
        .filter((entry) => entry.isFile())
        .map((entry) => relative(folder, join(entry.parentPath ?? entry.path, entry.name)))
    : [];

/** Everything that dist/ is to hold: name to content. */
const files = new Map();
for (const name of walk(from)) {
  if (name !== 'index.html') files.set(name, readFileSync(join(from, name))); // the server renders its own pages
}

// The server looks for its three files by their endings.
const top = [...files.keys()].filter((name) => !name.includes('/'));
for (const ending of ['_bg.wasm', '.js', '.css']) {
  const found = top.filter((name) => name.endsWith(ending));
  if (found.length !== 1) {
    console.error(`error: expected one *${ending} in the bundle, found ${found.length}: ${found.join(', ')}`);
    process.exit(1);
  }
}

if (release) {
  // Trunk would only minify this together with the JavaScript, at which it fails.
  const tailwind = createRequire(style.resolve('@tailwindcss/cli/package.json'));
  const { optimize } = await import(pathToFileURL(tailwind.resolve('@tailwindcss/node')));
  for (const name of top.filter((name) => name.endsWith('.css'))) {
    files.set(name, Buffer.from(optimize(files.get(name).toString(), { file: name, minify: true }).code));
  }
}

// Names carry the version because everything in dist/ is served as immutable.
const inter = dirname(style.resolve('@fontsource-variable/inter/package.json'));
const { version } = JSON.parse(readFileSync(join(inter, 'package.json'), 'utf8'));
for (const range of ['latin', 'latin-ext']) {
  files.set(`inter-${range}-${version}.woff2`, readFileSync(join(inter, `files/inter-${range}-wght-normal.woff2`)));
}
files.set(`inter-${version}-LICENSE.txt`, readFileSync(join(inter, 'LICENSE')));

const brotli = (content) =>
  brotliCompressSync(content, {
    params: { [constants.BROTLI_PARAM_QUALITY]: 11, [constants.BROTLI_PARAM_LGWIN]: 22, [constants.BROTLI_PARAM_SIZE_HINT]: content.length },
  });
const same = (name, content) => existsSync(join(dist, name)) && readFileSync(join(dist, name)).equals(content);

if (release) {
  for (const [name, content] of [...files]) {
    if (!/\.(wasm|js|css)$/.test(name)) continue;
    const [br, gz] = [`${name}.br`, `${name}.gz`];
    const kept = same(name, content) && existsSync(join(dist, br)) && existsSync(join(dist, gz));
    files.set(br, kept ? readFileSync(join(dist, br)) : brotli(content));
    files.set(gz, kept ? readFileSync(join(dist, gz)) : gzipSync(content, { level: 9 }));
  }
}

for (const [name, content] of files) {
  if (same(name, content)) continue;
  mkdirSync(dirname(join(dist, name)), { recursive: true });
  writeFileSync(join(dist, name), content);
}
for (const name of walk(dist)) if (!files.has(name)) rmSync(join(dist, name));

const kilobytes = (bytes) => `${(bytes / 1000).toFixed(1)} KB`.padStart(11);
const line = (label, raw, small) =>
  console.log(`    ${label.padEnd(6)}${kilobytes(raw)} raw${small === undefined ? '' : `${kilobytes(small)} brotli`}`);
let [raw, small] = [0, 0];
for (const kind of ['wasm', 'js', 'css']) {
  const names = [...files.keys()].filter((name) => name.endsWith(`.${kind}`));
  const sum = (suffix) => names.reduce((total, name) => total + statSync(join(dist, name + suffix)).size, 0);
  raw += sum('');
  if (release) small += sum('.br');
  line(kind, sum(''), release ? sum('.br') : undefined);
}
line('total', raw, release ? small : undefined);
if (release) console.log(`    ${small < AIM ? 'within' : 'ABOVE'} the aim of ${AIM / 1000} KB brotli`);
