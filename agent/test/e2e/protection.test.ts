import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import fixture from '../../../fixtures/templates/ufc1.json' with { type: 'json' };
import { sharedFaces, sharedModels } from '../fakes/shared-material.ts';
import { doorkeep } from './doorkeep.ts';

const folder = mkdtempSync(join(tmpdir(), 'doorkeep-protection-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('doorkeep transform', () => {
  const [known] = fixture.cases;
  const lines = known?.embeddings.map((embedding) =>
    JSON.stringify({ purpose: 'match', key: known.key, bits: known.bits, embedding }),
  );
  const input = Buffer.from(`${lines?.join('\n')}\n`);

  test('gives nothing out unless it is told that this is an evaluation', async () => {
    const ran = await doorkeep(['transform'], input);
    expect(ran.stdout).toBe('');
    expect(ran.stderr).toContain('USAGE: transform makes codes with any key');
    expect(ran.status).toBe(64);
  });

  test('answers each line with its code, and leaves settings and data directory alone', async () => {
    const dataDir = join(folder, 'data');
    const ran = await doorkeep(['transform', '--unsafe-evaluation'], input, {
      DOORKEEP_DATA_DIR: dataDir,
    });
    expect(ran.json()).toEqual(
      known?.codes.map((code, i) => ({ line: i + 1, purpose: 'match', bits: 4096, code })),
    );
    expect(ran.status).toBe(0);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('answers good lines after a bad one, and then says by its status that one was bad', async () => {
    const mixed = Buffer.concat([Buffer.from('{}\n'), input]);
    const ran = await doorkeep(['transform', '--unsafe-evaluation'], mixed);
    expect(ran.json()).toHaveLength(4);
    expect(ran.json()[0]).toMatchObject({ line: 1, error: { code: 'INPUT_INVALID' } });
    expect(ran.stderr).toContain('INPUT_INVALID: 1 of 4 lines were refused');
    expect(ran.status).toBe(65);
  });
});

describe('doorkeep evaluate --protection', () => {
  test('says what is wrong with its own options', async () => {
    for (const [args, message] of [
      [['--plots', 'x'], '--plots goes with --protection'],
      [['--protection', '--keys', '1'], '--keys is a whole number from 2 to 20, not 1'],
      [['--protection', '--targets', 'x'], '--targets is a whole number from 10 to 10000, not x'],
    ] as const) {
      const ran = await doorkeep(['evaluate', '--pairs', 'none.csv', ...args]);
      expect(ran.stderr).toContain(`USAGE: ${message}`);
      expect(ran.status).toBe(64);
    }
  });

  test.skipIf(!sharedModels || !sharedFaces)(
    'reports on labelled pictures, and draws what it found',
    async () => {
      const list = join(folder, 'pairs.csv');
      writeFileSync(list, pairsOf(40));
      const plots = join(folder, 'plots');
      const ran = await doorkeep([
        ...['evaluate', '--json', '--data-dir', join(folder, 'models'), '--pairs', list],
        ...['--no-quality', '--face', 'central', '--protection', '--plots', plots],
        ...['--keys', '2', '--targets', '10', '--epochs', '5'],
      ]);
      expect(ran.stderr).toBe('');
      expect(ran.json()).toEqual([
        expect.objectContaining({
          scheme: 'UFC-1',
          seed: '1',
          faces: { pictures: 80, persons: 40, targets: 10, strangers: 60 },
          sizes: expect.objectContaining({ keys: 2, epochs: 5 }),
        }),
      ]);
      expect(readdirSync(plots)).toHaveLength(6);
    },
    120_000,
  );
});

/** Of the LFW split: residents with a second picture, and as many pairs of two of them. */
function pairsOf(count: number): string {
  const lfw = join(sharedFaces ?? '', 'lfw');
  const rows = readFileSync(join(lfw, 'ident.csv'), 'utf8').trim().split('\n').slice(1);
  const files = new Map<string, string[]>();
  for (const [role, identity = '', file = ''] of rows.map((row) => row.split(','))) {
    if (role !== 'nonmated') files.set(identity, [...(files.get(identity) ?? []), file]);
  }
  const people = [...files.values()].filter((own) => own.length > 1).slice(0, count);
  const at = (own: readonly string[] | undefined, i: number) => join(lfw, 'images', own?.[i] ?? '');
  const pairs = people.flatMap((own, i) => [
    `${at(own, 0)},${at(own, 1)},1,${i % 2}`,
    `${at(own, 0)},${at(people[(i + 2) % people.length], 0)},0,${i % 2}`,
  ]);
  return `a,b,same,fold\n${pairs.join('\n')}\n`;
}
