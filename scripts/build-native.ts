/**
 * Builds native/build/Release/doorkeep.node, and relay-holder beside it, with npm's own node-gyp and the headers
 * of the pinned runtime, and replaces the old ones at once when they are whole. `npm ci` runs this. A failure is
 * one line and no error: doorkeep then computes in TypeScript, and drives no relay.
 * `--arch=arm64` builds for the door on another machine (set CC to a cross compiler).
 */
import { execFileSync, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const native = join(root, 'native');
const products = ['doorkeep.node', 'relay-holder'];
const release = join(native, 'build/Release');
const addon = join(release, 'doorkeep.node');
const stamp = join(native, 'build/sources.sha256');
const arch = process.argv.find((word) => word.startsWith('--arch='))?.slice(7) ?? process.arch;

try {
  console.log(build());
} catch (error) {
  const reason = error instanceof Error ? error.message : String(error);
  // Of other sources than these.
  for (const name of products) rmSync(join(release, name), { force: true });
  console.log(`native kernels not built, doorkeep will compute in TypeScript: ${reason}`);
  console.log('retry with: npm run postinstall');
}

function build(): string {
  const nodedir = headers();
  const digest = digestOfSources(nodedir);
  const isWhole = products.every((name) => existsSync(join(release, name)));
  if (isWhole && existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) {
    return 'native kernels are up to date';
  }
  const startedAt = performance.now();
  // node-gyp empties its folder first: in the place of use, whoever starts meanwhile would find no addon.
  mkdirSync(release, { recursive: true });
  const folder = mkdtempSync(join(native, 'build/new-'));
  try {
    for (const name of ['binding.gyp', 'src']) {
      cpSync(join(native, name), join(folder, name), { recursive: true });
    }
    const built = runNodeGyp(nodeGyp(), nodedir, folder);
    for (const name of products) renameSync(join(built, name), join(release, name));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  writeFileSync(stamp, digest);
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  return `native kernels built in ${seconds} s (${setNames()})`;
}

/** Of the pinned runtime, whatever Node is on the machine; of the running one where there is no pinned one. */
function headers(): string {
  const pinned = join(root, `node_modules/node-linux-${arch}`);
  const running = dirname(dirname(process.execPath));
  const found = [pinned, running].find((path) => existsSync(join(path, 'include/node/node_api.h')));
  if (!found) throw new Error(`no Node headers in node_modules/node-linux-${arch}`);
  return found;
}

/** Changes with the sources, the runtime's headers, the processor and the compiler asked for. */
function digestOfSources(nodedir: string): string {
  const hash = createHash('sha256');
  hash.update(JSON.stringify([arch, process.env['CC'] ?? '', process.env['CFLAGS'] ?? '']));
  hash.update(readFileSync(join(nodedir, 'include/node/node_version.h')));
  const sources = readdirSync(join(native, 'src')).map((name) => join('src', name));
  for (const name of ['binding.gyp', ...sources.sort()]) {
    hash.update(`${name}\0`).update(readFileSync(join(native, name)));
  }
  return hash.digest('hex');
}

/** npm tells its scripts where its node-gyp is; by hand, we look beside the npm on the path. */
function nodeGyp(): string {
  const told = process.env['npm_config_node_gyp'];
  if (told && existsSync(told)) return told;
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    const npm = join(folder, 'npm');
    if (!existsSync(npm)) continue;
    const path = join(realpathSync(npm), '../../node_modules/node-gyp/bin/node-gyp.js');
    if (existsSync(path)) return path;
  }
  throw new Error("npm's node-gyp was not found");
}

/** Builds in `cwd` and returns the folder with what came of it. */
function runNodeGyp(path: string, nodedir: string, cwd: string): string {
  // A user's npm configuration may carry the headers of another Node: the pinned ones are the truth.
  const { npm_config_nodedir: _, ...env } = process.env;
  const words = [path, 'rebuild', '--release', `--nodedir=${nodedir}`, `--arch=${arch}`];
  const result = spawnSync(process.execPath, words, { cwd, env, encoding: 'utf8' });
  if (result.error) throw result.error;
  const built = join(cwd, 'build/Release');
  if (result.status === 0 && products.every((name) => existsSync(join(built, name)))) return built;
  throw new Error(firstFault(`${result.stdout}\n${result.stderr}`));
}

/** The line that says what is wrong, out of pages of output. */
function firstFault(output: string): string {
  const lines = output
    .split('\n')
    .map((line) => line.replace(/^gyp ERR! (stack )?(Error: )?/, '').trim());
  const fault =
    lines.find((line) => /: (fatal )?error: /.test(line)) ??
    lines.find((line) => /not found|could not find|no such file/i.test(line)) ??
    lines.find((line) => /failed/.test(line));
  return fault ?? 'node-gyp failed without a reason';
}

/** Loaded in a process of its own: a broken addon is then a word, not a crash. */
function setNames(): string {
  if (arch !== process.arch) return arch;
  const script = `console.log(require(${JSON.stringify(addon)}).available.join(', '))`;
  return execFileSync(process.execPath, ['-e', script], { encoding: 'utf8' }).trim();
}
