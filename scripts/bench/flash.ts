/**
 * What a day of records costs the flash: 1,000 records in groups of an hour, by the kernel's account of the
 * process and, as root, by that of a block device with an ext4 of its own, journal included. Everything is
 * counted: appending, checkpoints, and overwriting what was forgotten. After each group all files are synced, as
 * the kernel does of itself in an hour. `node scripts/bench/flash.ts`
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { withTemporaryFolder } from '../../agent/io/files/temporary-folder.ts';
import { threadWrittenBytes } from '../../agent/io/files/written-bytes.ts';
import { textTable } from '../../agent/io/measuring/text-table.ts';
import { type Habit, recordDays } from '../../agent/test/fakes/record-days.ts';

type Tuning = { readonly pageSizeBytes?: number; readonly logBytes?: number };

await withTemporaryFolder('doorkeep-flash-', async (folder) => {
  const { place, deviceBytes, end } = onItsOwnDevice(folder);
  try {
    const rows = configurations().map(([habit, tuning], n) => {
      const own = join(place, `${n}`);
      const { records, recordBytes, written } = recordDays({
        file: join(own, 'records.db'),
        keyFile: join(own, 'epoch.key'),
        limits: { maxRecords: 50_000, maxBytes: 32 << 20, ...tuning },
        habit,
        warmUpDays: habit === 'never sent' ? 32 : 3,
        measuredDays: 5,
        meters: [() => threadWrittenBytes() ?? Number.NaN, deviceBytes],
      });
      const [kernel = Number.NaN, device = Number.NaN] = written;
      const each = (bytes: number) => `${Math.round(bytes / records)}`;
      const ratio = (bytes: number) => (bytes / recordBytes).toFixed(2);
      return [
        habit,
        name(tuning.pageSizeBytes),
        name(tuning.logBytes),
        each(recordBytes),
        each(kernel),
        ratio(kernel),
        process.getuid?.() === 0 ? ratio(device) : 'not root',
      ];
    });
    const head = [
      'records are',
      'page',
      'log',
      'bytes/record',
      'to flash',
      'ratio',
      'with journal',
    ];
    console.log(textTable([head, ...rows]));
  } finally {
    end();
  }
});

function configurations(): readonly (readonly [Habit, Tuning])[] {
  const sizes = [512, 1024, 2048, 4096].flatMap((pageSizeBytes) =>
    [32, 128, 512].map((kib) => ({ pageSizeBytes, logBytes: kib * 1024 })),
  );
  const nightly = [{}, ...sizes].map((tuning) => ['sent every night', tuning] as const);
  return [...nightly, ['never sent', {}]];
}

/** An ext4 of 256 MiB on a loop device; without the right to mount one, the folder itself. */
function onItsOwnDevice(folder: string) {
  if (process.getuid?.() !== 0) return { place: folder, deviceBytes: () => Number.NaN, end() {} };
  const [image, place] = [join(folder, 'image'), join(folder, 'mount')];
  mkdirSync(place);
  execFileSync('truncate', ['-s', '256M', image]);
  execFileSync('mkfs.ext4', ['-q', '-F', image]);
  execFileSync('mount', ['-o', 'loop,noatime', image, place]);
  const device = execFileSync('findmnt', ['-n', '-o', 'SOURCE', place], {
    encoding: 'utf8',
  }).trim();
  const statistics = `/sys/block/${basename(device)}/stat`;
  return {
    place,
    deviceBytes() {
      execFileSync('sync', ['-f', place]);
      const sectors = readFileSync(statistics, 'utf8').trim().split(/\s+/)[6];
      return Number(sectors) * 512;
    },
    end: () => void execFileSync('umount', [place]),
  };
}

function name(sizeBytes: number | undefined): string {
  return sizeBytes === undefined ? 'preset' : `${sizeBytes}`;
}
