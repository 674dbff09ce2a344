import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

type Part = {
  /** Other parts of agent/ it may import; '*' is all but cli and test. */
  readonly may: readonly string[];
  /** May import packages and node: modules: all of them, or those named. */
  readonly outside?: true | readonly string[];
  readonly why: string;
};

/** What each part of agent/ may import, and why no more. A file at the root is a part of its own. */
const parts: Record<string, Part> = {
  errors: { may: [], why: 'the leaf that everybody shares' },
  shape: { may: [], why: 'checking a value needs nothing' },
  config: { may: ['errors', 'shape'], why: 'reading settings is pure' },
  ports: { may: ['vision', 'template'], why: 'types only' },
  vision: { may: ['errors', 'ports'], why: 'pixel arithmetic, nothing else' },
  template: {
    may: ['errors', 'ports', 'vision'],
    outside: ['node:crypto'],
    why: 'a template is made from an embedding and a key, from nothing else',
  },
  gallery: { may: ['errors', 'ports', 'vision', 'template'], why: 'comparing templates is pure' },
  protection: {
    may: ['errors', 'ports', 'vision', 'template', 'gallery', 'ueip'],
    why: 'measures the protection; the door never imports it',
  },
  recognition: {
    may: ['errors', 'ports', 'vision', 'template', 'gallery'],
    why: 'the door must open whether or not consent, statistics or a cloud exist',
  },
  access: {
    may: ['errors', 'ports', 'recognition'],
    why: 'what a decision does at the door is decided without a relay',
  },
  consent: { may: ['errors', 'ports'], why: 'may we? is answered without looking at any record' },
  ueip: {
    may: ['errors', 'ports', 'vision', 'template', 'recognition', 'consent'],
    why: 'what may be known of an attempt is made without store, link or clock',
  },
  upload: {
    may: ['errors', 'ports', 'consent', 'ueip'],
    outside: ['node:crypto'],
    why: 'when and how a batch may travel is decided without a socket',
  },
  rights: {
    may: ['errors', 'ports', 'consent', 'ueip', 'upload'],
    why: 'what a person may demand is decided without the device',
  },
  io: {
    may: [
      'errors',
      'shape',
      'config',
      'ports',
      'vision',
      'template',
      'gallery',
      'recognition',
      'protection',
      'consent',
      'ueip',
      'upload',
      'rights',
    ],
    outside: true,
    why: 'adapters know the domain, not the wiring',
  },
  agent: { may: ['*'], why: 'the one place that wires' },
  residents: { may: ['*'], why: 'brings store, keys and models together' },
  calibration: { may: ['*'], why: 'measures with the wired parts' },
  door: { may: ['*'], why: 'the wired parts at work' },
  'door-relay': { may: ['*'], why: 'the rule of access and the relay, wired' },
  operations: { may: ['*'], why: 'whole tasks on the wired parts' },
  renewal: { may: ['*'], why: 'whole tasks on store and keys' },
  backup: { may: ['*'], why: 'whole tasks on store and keys' },
  'programme-commands': { may: ['consent'], why: 'types only' },
  'programme-handlers': { may: ['*'], why: 'the programme behind the control socket' },
  'programme-remote': { may: ['*'], why: 'the programme before the control socket' },
  'programme-access': { may: ['*'], why: 'finds out who carries out a command of the programme' },
  'device-bench': { may: ['*'], why: 'times the wired parts' },
  health: { may: ['*'], why: 'looks at every part' },
  'device-health': { may: ['*'], why: 'looks at cameras and relay' },
  'at-work': { may: ['*'], why: 'the door and the programme beside it' },
  programme: { may: ['*'], why: 'the improvement programme, wired' },
  'programme-worker': {
    may: ['*'],
    outside: ['node:worker_threads'],
    why: 'the entry of the thread of the improvement programme',
  },
  demo: { may: ['*'], why: 'runs the wired parts on the embedded pictures' },
  worker: {
    may: ['agent', 'residents', 'config', 'errors', 'io', 'ports', 'recognition', 'vision'],
    outside: ['node:worker_threads'],
    why: 'the entry of the recognition thread',
  },
  cli: {
    may: [
      'agent',
      'residents',
      'operations',
      'door',
      'calibration',
      'renewal',
      'backup',
      'health',
      'device-bench',
      'demo',
      'programme-commands',
      'programme-access',
      'programme-remote',
      'programme',
      'at-work',
      'consent',
      'upload',
      'shape',
      'config',
      'errors',
      'io',
      'ports',
      'gallery',
      'recognition',
      'template',
      'vision',
    ],
    outside: ['commander'],
    why: 'commands call the agent; they hold no logic',
  },
  main: {
    may: ['cli'],
    why: 'the process entry: the guard against an old Node, and the exit status',
  },
};

/** Time and chance are arguments; the process and the terminal belong to io/ and main.ts. */
const forbidden =
  /\b(Date\.now\(|new Date\(\)|performance\.now\(|Math\.random\(|set(?:Timeout|Interval|Immediate)\(|process\.|console\.)/;

const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
  (file) => /\.[jt]s$/.test(file) && !file.endsWith('.test.ts') && !file.startsWith('test/'),
);

test.each(files)('%s imports only what its part may', (file) => {
  const name = partOf(file);
  const part = parts[name];
  if (!part) throw new Error(`agent/${name} has no entry in the table of imports.test.ts`);
  const source = readFileSync(join(root, file), 'utf8');
  const bad = importsOf(source).filter((target) => !allowed(part, name, file, target));
  const free = part.outside === true || name === 'main';
  if (!free) bad.push(...(withoutComments(source).match(forbidden)?.slice(0, 1) ?? []));
  expect(bad, part.why).toEqual([]);
});

test.each(files)('%s has no default export and is no index.ts', (file) => {
  expect(basename(file)).not.toBe('index.ts');
  expect(readFileSync(join(root, file), 'utf8')).not.toMatch(/^export default/m);
});

test('every part in the table exists', () => {
  const missing = Object.keys(parts).filter(
    (name) => !['', '.ts', '.js'].some((ending) => existsSync(join(root, name + ending))),
  );
  expect(missing).toEqual([]);
});

function allowed(part: Part, name: string, file: string, target: string): boolean {
  if (!target.startsWith('.')) {
    return part.outside === true || (part.outside?.includes(target) ?? false);
  }
  const to = partOf(join(file, '..', target));
  if (to === 'cli' || to === 'test') return to === name || (name === 'main' && to === 'cli');
  return to === name || part.may.includes('*') || part.may.includes(to);
}

function importsOf(source: string): string[] {
  const statement = /^(?:import|export)\b(?:[^'";]*?\bfrom)?\s*'([^']+)'/gm;
  const call = /\bimport\(\s*'([^']+)'/g;
  return [statement, call].flatMap((pattern) =>
    [...source.matchAll(pattern)].map(([, target = '']) => target),
  );
}

function withoutComments(source: string): string {
  return source.replace(/\/\*[\s\S]*?\*\//g, '').replace(/(^|\s)\/\/.*$/gm, '');
}

/** 'vision/frame.ts' -> 'vision', 'errors.ts' -> 'errors' */
function partOf(file: string): string {
  return (file.split('/')[0] ?? '').replace(/\.[jt]s$/, '');
}
