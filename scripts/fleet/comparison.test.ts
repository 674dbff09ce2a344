import { expect, onTestFinished, test } from 'vitest';
import { temporaryFolder } from '../../agent/test/fakes/temporary-folder.ts';
import { compareLevels, uncomparedLevels } from './comparison.ts';
import { openDatabase } from './fleet-database.ts';
import { isWorthTelling } from './measures.ts';

const measure = { name: 'no-match', kind: 'share', sum: 'failed', count: 'attempts' } as const;
const from = { table: 'cell', factor: 'release', strata: ['day'] };
type Cells = { doors: number; attempts: number; failed: (door: number) => number; day?: number };

test('a release that fails more often is told by how much, and by what it is compared with', async () => {
  const { insert, only } = await emptyTable();
  await insert('old', { doors: 30, attempts: 100, failed: (door) => 9 + (door % 3) });
  await insert('new', { doors: 20, attempts: 100, failed: (door) => 12 + (door % 3) });
  const found = await only('new');
  expect(found).toMatchObject({ doors: 20, measure });
  expect(found.usual).toBeCloseTo(0.1, 9);
  expect(found.difference).toBeCloseTo(0.0295, 9);
  expect(found.low95).toBeLessThan(0.0295);
  expect(found.high95).toBeGreaterThan(0.0295);
  expect(found.chance).toBeLessThan(1e-6);
});

test('a better release is no finding, however much better', async () => {
  const { insert, only } = await emptyTable();
  await insert('old', { doors: 30, attempts: 100, failed: (door) => 9 + (door % 3) });
  await insert('new', { doors: 20, attempts: 100, failed: (door) => 1 + (door % 3) });
  expect((await only('new')).chance).toBeGreaterThan(0.999);
});

test('a release is not blamed for the day on which it came', async () => {
  const { insert, only } = await emptyTable();
  await insert('old', { doors: 40, attempts: 100, failed: (door) => 4 + (door % 3), day: 1 });
  await insert('old', { doors: 12, attempts: 100, failed: (door) => 19 + (door % 3), day: 2 });
  await insert('new', { doors: 36, attempts: 100, failed: (door) => 19 + (door % 3), day: 2 });
  const { difference, chance } = await only('new');
  expect(difference).toBeCloseTo(0, 9);
  expect(chance).toBeGreaterThan(0.4);
});

test('the failures of a single door do not condemn its release', async () => {
  const { insert, only } = await emptyTable();
  await insert('old', { doors: 30, attempts: 100, failed: (door) => 2 + (door % 2) });
  await insert('new', { doors: 30, attempts: 100, failed: (door) => (door === 0 ? 100 : 2) });
  const { difference, chance } = await only('new');
  expect(difference).toBeGreaterThan(0.02);
  expect(chance).toBeGreaterThan(0.05);
});

test('fewer than ten doors are not compared', async () => {
  const { insert, compared } = await emptyTable();
  await insert('old', { doors: 30, attempts: 100, failed: () => 2 });
  await insert('new', { doors: 9, attempts: 100, failed: (door) => 50 + door });
  expect(await compared()).toEqual([]);
});

test('where all have the same there is nothing to compare with', async () => {
  const { insert, compared } = await emptyTable();
  await insert('old', { doors: 30, attempts: 100, failed: (door) => door });
  expect(await compared()).toEqual([]);
});

test('a release that came only together with something else is said not to be compared', async () => {
  const { insert, compared, uncompared } = await emptyTable();
  await insert('0.1', { doors: 30, attempts: 100, failed: () => 2, day: 1 });
  await insert('0.2', { doors: 30, attempts: 100, failed: (door) => door, day: 1 });
  await insert('0.3', { doors: 30, attempts: 100, failed: () => 50, day: 2 });
  expect((await compared()).map(({ level }) => level)).toEqual(['0.1', '0.2']);
  expect(await uncompared()).toEqual(['0.3']);
});

test('less than a point, or a tenth of the time, is not worth telling', () => {
  const time = { ...measure, kind: 'time' } as const;
  expect([0.009, 0.01].map((by) => isWorthTelling(measure, by, 0.1))).toEqual([false, true]);
  expect([17, 18].map((by) => isWorthTelling(time, by, 180))).toEqual([false, true]);
  expect([9, 10].map((by) => isWorthTelling(time, by, 5))).toEqual([false, true]);
});

async function emptyTable() {
  const database = await openDatabase(temporaryFolder());
  onTestFinished(() => database.close());
  await database.run(
    'CREATE TABLE cell (door VARCHAR, release VARCHAR, day INTEGER, attempts INTEGER, failed INTEGER)',
  );
  const compared = () => compareLevels(database, from, measure);
  return {
    compared,
    uncompared: async () => uncomparedLevels(database, from, await compared()),
    async only(level: string) {
      const found = (await compared()).find((each) => each.level === level);
      if (!found) throw new Error(`${level} was not compared`);
      return found;
    },
    async insert(release: string, { doors, attempts, failed, day = 1 }: Cells): Promise<void> {
      const rows = Array.from(
        { length: doors },
        (_, door) => `('${release} ${door}', '${release}', ${day}, ${attempts}, ${failed(door)})`,
      );
      await database.run(`INSERT INTO cell VALUES ${rows.join(', ')}`);
    },
  };
}
