import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { sha256Hex } from '../../agent/io/files/digests.ts';
import { gunzip, gzip } from '../../agent/io/files/gzip.ts';
import { withTemporaryFolder } from '../../agent/io/files/temporary-folder.ts';
import { number, object, text } from '../../agent/shape.ts';
import { temporaryFolder } from '../../agent/test/fakes/temporary-folder.ts';
import { parseLine } from '../../agent/ueip/line.ts';
import { openDatabase } from './fleet-database.ts';
import { type FleetPlan, noFaults, plantedFaults, presetFirstDate } from './fleet-plan.ts';
import { reportMarkdown, reportTables, tableCsv } from './fleet-report.ts';
import { type GeneratedFleet, generateFleet } from './generated-fleet.ts';
import { type ReadFleet, readFleet, writeFleet } from './read-fleet.ts';
import { codeBits, coinsShare } from './telemetry-codes.ts';

const plan: FleetPlan = {
  doors: 200,
  nights: 7,
  firstDate: presetFirstDate,
  seed: 'fleet',
  faults: plantedFaults,
};
/** Beside tests that use all processors it takes several times as long as alone. */
const patienceMs = 240_000;

describe('a fleet with faults planted in it', () => {
  let made: GeneratedFleet;
  let read: ReadFleet;
  beforeAll(async () => {
    await withTemporaryFolder('doorkeep-', async (folder) => {
      made = generateFleet(plan, folder);
      read = await readFleet(folder, () => 0);
    });
  }, patienceMs);

  test('a release that refuses more residents is found, and by how much', () => {
    const { release } = plantedFaults;
    const [found] = worse('agent_version', release.agentVersion);
    expect(found?.measure.name).toBe('no-match');
    expect(found?.low95).toBeLessThan(release.addedNoMatch);
    expect(found?.high95).toBeGreaterThan(release.addedNoMatch);
  });

  test('a recogniser that takes longer is found, by its own stage and by no other', () => {
    const { recogniser } = plantedFaults;
    const found = worse('embedding_model', recogniser.embeddingModel);
    expect(found.map(({ measure }) => measure.name)).toEqual(['embed']);
    const { difference = 0, usual = 1 } = found[0] ?? {};
    expect(1 + difference / usual).toBeCloseTo(recogniser.embedFactor, 1);
  });

  test('doors without light at dusk are found among all others', () => {
    const { dusk } = plantedFaults;
    const [found] = read.report.findings.doorsApart;
    expect(found).toMatchObject({
      reason: 'low-quality',
      fromHour: dusk.fromHour,
      untilHour: dusk.untilHour,
    });
    expect(found?.doors).toBeLessThanOrEqual(1.5 * dusk.shareOfDoors * plan.doors);
    expect(found?.share).toBeCloseTo(dusk.lowQuality, 1);
  });

  test('what gets worse under a release is found on the day on which it began', () => {
    const { drifting } = read.report.findings;
    const found = drifting.map(({ build, measure, drift }) => [build, measure.name, drift?.since]);
    expect(found).toEqual([[expect.stringMatching(/^0\.3\.2 /), 'no-face', '2027-04-09']]);
  });

  test('nothing else is found', () => {
    const { release, recogniser, dusk, drift } = plantedFaults;
    const known = [
      `agent_version ${release.agentVersion} no-match`,
      `embedding_model ${recogniser.embeddingModel} embed`,
      // As it drifts, it is worse over the week.
      `agent_version ${drift.agentVersion} no-face`,
    ];
    const { worse: all, drifting, doorsApart } = read.report.findings;
    const unknown = all
      .filter(({ factor }) => factor !== 'hour')
      .map(({ factor, level, measure }) => `${factor} ${level} ${measure.name}`)
      .filter((finding) => !known.includes(finding));
    const otherHours = all.filter(
      ({ factor, level, measure }) =>
        factor === 'hour' &&
        !(
          measure.name === 'low-quality' &&
          Number(level) >= dusk.fromHour &&
          Number(level) < dusk.untilHour
        ),
    );
    expect([...unknown, ...otherHours]).toEqual([]);
    expect(drifting).toHaveLength(1);
    expect(doorsApart).toHaveLength(1);
    expect(read.report.findings.uncompared).toEqual([]);
  });

  test('every record of every object is read', () => {
    const { attempts } = read.report.sizes;
    const inClocks = read.report.clocks.reduce((sum, each) => sum + each.attempts, 0);
    expect(inClocks).toBe(attempts);
    // The rest are the days of doors that only count.
    expect(made.records - attempts).toBeGreaterThan(0);
    expect(made.records - attempts).toBeLessThan(0.01 * made.records);
  });

  test('what happened while a clock was not believed is in no figure by the day', () => {
    const untrusted = read.report.clocks.reduce((sum, each) => sum + each.untrusted, 0);
    const dated = read.report.shares
      .filter(({ reason }) => reason === 'any')
      .reduce((sum, each) => sum + each.attempts, 0);
    expect(untrusted).toBeGreaterThan(0);
    expect(dated).toBe(read.report.sizes.attempts - untrusted);
  });

  test('codes of one epoch tell who resembles whom, those of two epochs nothing', () => {
    const near = (among: string) => {
      const pairs = read.report.codes.distances.filter((each) => each.among === among);
      const total = pairs.reduce((sum, each) => sum + each.pairs, 0);
      const few = pairs.filter(({ bits }) => bits <= 6).reduce((sum, each) => sum + each.pairs, 0);
      return { few, total, share: few / total };
    };
    const coins = Array.from({ length: 7 }, (_, bits) => coinsShare(bits)).reduce((a, b) => a + b);
    expect(near('one epoch, both let in').share).toBeGreaterThan(5 * coins);
    const { few, total } = near('two epochs of a door');
    expect(Math.abs(few - coins * total)).toBeLessThan(5 * Math.sqrt(coins * total));
  });

  test('the release that refuses residents shows in whom the door let in on the same day', () => {
    const rest = (release: string) => {
      const found = read.report.codes.refused.find(({ agentVersion }) => agentVersion === release);
      return found ? (found.nearOneLetIn - found.byChance) / found.refused : Number.NaN;
    };
    expect(rest('0.4.0')).toBeGreaterThan(0);
    expect(rest(plantedFaults.release.agentVersion)).toBeGreaterThan(1.1 * rest('0.4.0'));
  });

  test('no figure is of fewer than ten doors, and none names a door', () => {
    const report = JSON.stringify(read.report);
    const doors = [...report.matchAll(/"doors":(\d+)/g)].map(([, count]) => Number(count));
    expect(doors.length).toBeGreaterThan(100);
    expect(Math.min(...doors)).toBeGreaterThanOrEqual(10);
    // Pseudonyms, epochs and tokens are that long; so are the digits of a share, behind their point.
    const names = /(?<![\d.])[0-9a-f]{16}/.exec(`${report}${reportMarkdown(read.report)}`);
    expect(names).toBeNull();
  });

  test('tables and charts are written', async () => {
    const folder = temporaryFolder();
    await writeFleet(read, folder);
    const files = readdirSync(folder);
    expect(files).toContain('fleet.md');
    expect(files).toContain('fleet.json');
    expect(files.filter((file) => file.endsWith('.csv')).length).toBe(
      reportTables(read.report).length,
    );
    for (const chart of ['failures', 'stages', 'drift', 'hours', 'codes']) {
      expect(readFileSync(join(folder, `fleet-${chart}.svg`), 'utf8')).toMatch(/^<svg /);
    }
  });

  function worse(factor: string, level: string) {
    return read.report.findings.worse.filter(
      (each) => each.factor === factor && each.level === level,
    );
  }
});

test(
  'in a fleet without faults nothing is found',
  async () => {
    const folder = join(temporaryFolder(), 'bucket');
    generateFleet({ ...plan, doors: 100, nights: 4, seed: 'healthy', faults: noFaults }, folder);
    const { findings } = (await readFleet(folder, () => 0)).report;
    const { worse, drifting, doorsApart, comparisons } = findings;
    expect([worse, drifting, doorsApart]).toEqual([[], [], []]);
    expect(comparisons.length).toBeGreaterThan(100);
  },
  patienceMs,
);

describe('the objects of a few doors', () => {
  const few: FleetPlan = { ...plan, doors: 12, nights: 3 };

  function generated(seed = few.seed) {
    const folder = temporaryFolder();
    generateFleet({ ...few, seed }, folder);
    const objects = readdirSync(folder, { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.gz'))
      .sort();
    return { objects, bytesOf: (object: string) => readFileSync(join(folder, object)), folder };
  }

  test('lie where devices put them, under the digest of their bytes', () => {
    const key = /^ttl(?:2[5-8])\/ueip\/([0-9a-f]{2})\/\1[0-9a-f]{22}\/[0-9a-f]{32}\.jsonl\.gz$/;
    const { objects, bytesOf } = generated();
    expect(objects.length).toBeGreaterThanOrEqual(few.doors * few.nights);
    for (const object of objects) {
      expect(object).toMatch(key);
      expect(basename(object, '.jsonl.gz')).toBe(sha256Hex(bytesOf(object)).slice(0, 32));
    }
  });

  test('hold lines that the agent itself would send', () => {
    const { objects, bytesOf } = generated();
    for (const object of objects) {
      const plain = new TextDecoder().decode(gunzip(bytesOf(object)));
      for (const line of plain.trimEnd().split('\n')) {
        expect(parseLine(new TextEncoder().encode(line)).kind).toBe('record');
      }
    }
  });

  test('are the same whenever they are made from the same seed, and others from another', () => {
    const { objects } = generated();
    expect(generated().objects).toEqual(objects);
    expect(generated('another').objects).not.toEqual(objects);
  });

  test('are not mixed with those of another fleet', () => {
    const { folder } = generated();
    expect(() => generateFleet(few, folder)).toThrow('is not empty');
  });

  test('are not read past an object that is damaged', async () => {
    const damaged = join(temporaryFolder(), 'bucket');
    const door = join(damaged, 'ttl27/ueip/ab', 'ab'.repeat(12));
    mkdirSync(door, { recursive: true });
    writeFileSync(join(door, `${'0'.repeat(32)}.jsonl.gz`), gzip(new Uint8Array(40).fill(0x7b)));
    await expect(readFleet(damaged, () => 0)).rejects.toThrow(/JSON/);
  });
});

test('the statements that the document shows read objects as they lie', async () => {
  const page = readFileSync(new URL('../../docs/fleets.md', import.meta.url), 'utf8');
  const blocks = [...page.matchAll(/```sql\n([^`]+)```/g)].map(([, sql = '']) => sql);
  const view = blocks.find((sql) => sql.includes('read_json('));
  const query = blocks.find((sql) => sql.startsWith('SELECT'));
  const folder = temporaryFolder();
  const made = generateFleet({ ...plan, doors: 40, nights: 1 }, folder);
  const database = await openDatabase(temporaryFolder());
  onTestFinished(() => database.close());
  await database.run((view ?? '').replace('s3://BUCKET', folder));
  const all = object({ records: number(0, 1e9), doors: number(0, 1e9) });
  expect(
    await database.rows(
      'SELECT CAST(count(*) AS DOUBLE) AS records, CAST(count(DISTINCT door) AS DOUBLE) AS doors FROM ueip',
      all,
    ),
  ).toEqual([{ records: made.records, doors: 40 }]);
  const count = text({ pattern: /^\d+$/ });
  const row = object({
    ...{ agent_version: text(), embedding_model: text() },
    ...{ doors: count, attempts: count, failures: count, no_match: count },
    mean_ms: number(100, 1000),
  });
  const builds = await database.rows(query ?? '', row);
  expect(builds.length).toBeGreaterThan(0);
  for (const { doors, attempts, failures, no_match } of builds) {
    expect(Number(doors)).toBeGreaterThanOrEqual(10);
    expect(Number(failures)).toBeLessThan(Number(attempts));
    expect(Number(no_match)).toBeLessThan(Number(failures));
  }
});

test('a bucket without an object is said to be one', async () => {
  await expect(readFleet(temporaryFolder(), () => 0)).rejects.toThrow(/No files found/);
});

test('a folder that would be taken for a pattern is refused', async () => {
  await expect(readFleet(join(temporaryFolder(), 'a*'), () => 0)).rejects.toThrow(/pattern/);
});

test('a cell of a table may hold commas, quotes and line ends', () => {
  const table = { name: 't', title: 't', note: '', columns: ['a', 'b'], rows: [['x,"y"\n', null]] };
  expect(tableCsv(table)).toBe('a,b\r\n"x,""y""\n",\r\n');
});

test('coins fall as they do', () => {
  const all = Array.from({ length: codeBits + 1 }, (_, bits) => coinsShare(bits));
  expect(all.reduce((sum, share) => sum + share)).toBeCloseTo(1, 12);
  expect(coinsShare(12)).toBeCloseTo(0.1612, 4);
});
