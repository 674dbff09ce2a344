import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** What a process and all its threads asked of the system. */
export type Watched = {
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
  /** Every call about a socket, as strace shows it. */
  readonly network: readonly string[];
  /** Every file that was, or should have been, made, opened to be made, or given a name. */
  readonly made: readonly string[];
  /** Every file that was opened to be read, or looked for. */
  readonly opened: readonly string[];
  /** What is in the empty folders that it was given as its home, its cache, and for temporary files. */
  readonly strewn: readonly string[];
};

/** Why nobody can be watched here; undefined: it works. */
export const cannotWatch: string | undefined = tried();

/**
 * Runs a script of Node in a network of its own without any link, under strace. It has an environment as a service
 * has it: nothing but PATH and folders that are empty, so that nothing hides behind CI=true or a cache that is there.
 */
export async function watched(
  folder: string,
  script: string,
  args: readonly string[],
  more: Readonly<Record<string, string>> = {},
): Promise<Watched> {
  const home = join(folder, 'home');
  const own = { HOME: home, TMPDIR: join(home, 'tmp'), XDG_CACHE_HOME: join(home, 'cache') };
  const xdg = { XDG_DATA_HOME: join(home, 'data'), XDG_CONFIG_HOME: join(home, 'config') };
  const folders = { ...own, ...xdg, XDG_RUNTIME_DIR: join(home, 'run') };
  for (const each of Object.values(folders)) mkdirSync(each, { recursive: true });
  const before = new Set(contentOf(home));
  const log = join(folder, 'calls');
  const options = ['-f', '-qq', '-y', '-s', '256', '-e', `trace=${calls}`, '-e', 'signal=none'];
  const child = spawn(
    'unshare',
    [...namespace(), 'strace', ...options, '-o', log, process.execPath, script, ...args],
    { env: { PATH: process.env['PATH'], ...folders, ...more }, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (piece: Buffer) => {
    stdout += piece;
  });
  child.stderr.on('data', (piece: Buffer) => {
    stderr += piece;
  });
  const [status] = await once(child, 'close');
  return {
    ...{ status, stdout, stderr },
    ...callsIn(readFileSync(log, 'utf8')),
    strewn: contentOf(home).filter((path) => !before.has(path)),
  };
}

const networkCalls = ['socket', 'socketpair', 'connect', 'bind', 'sendto', 'sendmsg', 'sendmmsg'];
const makingCalls = [
  'creat',
  'mkdir',
  'mkdirat',
  'rename',
  'renameat',
  'renameat2',
  'link',
  'linkat',
  'symlink',
  'symlinkat',
  'mknod',
  'mknodat',
];
const calls = [...networkCalls, ...makingCalls, 'open', 'openat', 'execve']
  // Not every architecture has all of them.
  .map((name) => `?${name}`)
  .join();

/** A call that another thread interrupts is two lines; what was asked is in the first. */
function callsIn(log: string): Pick<Watched, 'network' | 'made' | 'opened'> {
  const network: string[] = [];
  const made: string[] = [];
  const opened: string[] = [];
  for (const line of log.split('\n')) {
    const [, name = '', asked = ''] = /^\d+ +(\w+)\((.*)$/.exec(line) ?? [];
    if (networkCalls.includes(name)) network.push(line);
    else if (makingCalls.includes(name)) made.push(...pathsIn(asked));
    else if (/O_CREAT|O_TMPFILE/.test(asked)) made.push(...pathsIn(asked));
    else if (name === 'open' || name === 'openat') opened.push(...pathsIn(asked));
  }
  return { network, made, opened };
}

/** Every path of a call, made whole with the folder that is named before it. */
function pathsIn(asked: string): string[] {
  return [...asked.matchAll(/(?:AT_FDCWD|\d+)?(?:<([^>]*)>)?(?:, )?"([^"]*)"/g)].map(
    ([, folder = '/', name = '']) => resolve(folder, name),
  );
}

function contentOf(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' });
}

/** Whoever is not root can have a network of their own in a user namespace, where that is allowed. */
function namespace(): readonly string[] {
  return process.getuid?.() === 0 ? ['--net'] : ['--user', '--map-root-user', '--net'];
}

function tried(): string | undefined {
  try {
    const probe = ['strace', '-f', '-qq', '-o', '/dev/null', '-e', 'trace=openat', 'true'];
    execFileSync('unshare', [...namespace(), ...probe], { stdio: 'pipe' });
    return undefined;
  } catch (cause) {
    return cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
  }
}
