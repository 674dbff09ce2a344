import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { cannotWatch, type Watched, watched } from './system-calls.ts';

const script = fileURLToPath(new URL('../fakes/silent-agent.ts', import.meta.url));

type Run = Watched & {
  readonly dataDir: string;
  /** What the agent said of itself at its end. */
  readonly told: { readonly state: string; readonly waiting: number };
};

async function run(decision: string, env: Readonly<Record<string, string>> = {}): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'doorkeep-silence-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const dataDir = join(folder, 'data');
  const seen = await watched(folder, script, [dataDir, decision], env);
  expect(seen, seen.stderr).toMatchObject({ status: 0, stderr: '' });
  return { ...seen, dataDir, told: JSON.parse(readFileSync(join(dataDir, 'told.json'), 'utf8')) };
}

/** What was asked of any socket but the control socket, which is a file in the data directory. */
function elsewhere({ network, dataDir }: Run): readonly string[] {
  return network.filter(
    (line) =>
      !/\b(socket|socketpair)\(AF_UNIX,/.test(line) &&
      !line.includes(`{sa_family=AF_UNIX, sun_path="${dataDir}/`),
  );
}

function expectSilence(seen: Run): void {
  expect(elsewhere(seen)).toEqual([]);
  // What is read before a name is looked up.
  expect(
    seen.opened.filter((path) =>
      /^\/etc\/(resolv\.conf|hosts|nsswitch\.conf|gai\.conf)$/.test(path),
    ),
  ).toEqual([]);
  expect(seen.made.filter((path) => !`${path}/`.startsWith(`${seen.dataDir}/`))).toEqual([]);
  expect(seen.strewn).toEqual([]);
  // S0-35: nobody is spoken to.
  expect(seen.stdout).toBe('');
  // The whole of the runtime was there to be watched.
  expect(seen.opened.some((path) => path.endsWith('onnxruntime_binding.node'))).toBe(true);
  expect(seen.network.some((line) => line.includes(`${seen.dataDir}/control.sock`))).toBe(true);
}

const where = `in a network of its own, every call watched${cannotWatch ? `: not here (${cannotWatch})` : ''}`;

describe.skipIf(cannotWatch !== undefined)(where, () => {
  test.each([
    ['nobody was ever asked', 'never-asked', 'never-asked', {}],
    ['DO_NOT_TRACK is set', 'do-not-track', 'never-asked', { DO_NOT_TRACK: '1' }],
    ['the household has opted out', 'opted-out', 'withdrawn', {}],
  ])(
    'S0-1 S0-30 S0-35 forty days in which %s: no socket but the control socket, no name looked up, no file elsewhere, no word',
    async (_, decision, state, env) => {
      const seen = await run(decision, env);
      expect(seen.told).toEqual({ state, waiting: 0 });
      expectSilence(seen);
    },
    180_000,
  );

  test('S0-8 S0-35 with a grant and records, until the night’s window opens: the same', async () => {
    const seen = await run('granted-by-day');
    expect(seen.told).toEqual({ state: 'granted', waiting: 3 });
    expectSilence(seen);
  });

  test('in the window it is heard: whoever watches would have seen it before', async () => {
    const seen = await run('granted-by-night');
    expect(elsewhere(seen).join('\n')).toMatch(/connect\(.*sin_port=htons\(443\).*192\.0\.2\.1/);
  });

  test('one datagram and one file elsewhere are seen', async () => {
    const seen = await run('leaky');
    const calls = elsewhere(seen).join('\n');
    expect(calls).toMatch(/socket\(AF_INET, SOCK_DGRAM/);
    expect(calls).toMatch(/192\.0\.2\.1/);
    expect(seen.strewn).toEqual(['.doorkeep-id']);
    expect(seen.made.some((path) => path.endsWith('/home/.doorkeep-id'))).toBe(true);
  });
});
