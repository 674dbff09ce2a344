import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { memoryVolume, noLoopVolume } from '../../test/fakes/loop-volume.ts';
import { createManualTime } from '../../test/fakes/manual-time.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { systemTimers } from '../process/clock.ts';
import {
  classify,
  erasureSentence,
  type Mount,
  mountOf,
  parseMounts,
  volumeFacts,
} from './volume.ts';
import { eraseVolume } from './volume-command.ts';

const mountinfo = String.raw`22 27 0:21 / /proc rw,relatime - proc proc rw
27 1 254:0 / / rw,relatime - ext4 /dev/mmcblk0p2 rw,discard
31 27 0:40 / /tmp rw,nosuid - tmpfs tmpfs rw,size=65536k
40 27 31:2 / /data rw,noatime shared:7 master:3 - ubifs ubi0:data rw,ubi=0,vol=1
41 40 0:44 / /data/ueip ro - tmpfs cover ro
42 41 31:3 / /data/ueip rw - ext4 /dev/mmcblk0p5 rw
43 27 0:45 / /mnt/with\040blank rw - vfat /dev/sda1 rw
44 27 0:46 / /merged rw - overlay overlay rw,lowerdir=/rom,upperdir=/data/over,workdir=/data/work`;
const mounts = parseMounts(mountinfo);

test.each([
  ['/', '/dev/mmcblk0p2'],
  ['/var/lib/doorkeep', '/dev/mmcblk0p2'],
  ['/tmp', 'tmpfs'],
  ['/tmpx', '/dev/mmcblk0p2'],
  ['/data/gallery', 'ubi0:data'],
  ['/data/ueip/outbox', '/dev/mmcblk0p5'],
  ['/mnt/with blank/x', '/dev/sda1'],
])('%s lies on %s', (path, source) => {
  expect(mountOf(mounts, path).source).toBe(source);
});

const mount = (type: string, options = ['rw']): Mount => ({
  mountPoint: '/data',
  type,
  source: '/dev/x',
  options,
});
const unseen = () => undefined;

test.each([
  ['ext4', 'in-place'],
  ['ext2', 'in-place'],
  ['vfat', 'in-place'],
  ['xfs', 'in-place'],
  ['f2fs', 'cryptographic-only'],
  ['ubifs', 'cryptographic-only'],
  ['btrfs', 'cryptographic-only'],
  ['jffs2', 'cryptographic-only'],
  ['nfs4', 'cryptographic-only'],
  ['something-new', 'cryptographic-only'],
  ['squashfs', 'none'],
  ['erofs', 'none'],
])('on %s an erasure is %s', (type, erasure) => {
  expect(classify(mount(type), unseen)).toEqual({
    type,
    device: '/dev/x',
    volatile: false,
    readOnly: erasure === 'none',
    erasure,
  });
});

test('a journal of the data keeps copies, a read-only mount takes nothing', () => {
  const journal = classify(mount('ext4', ['rw', 'data=journal']), unseen);
  expect(journal.erasure).toBe('cryptographic-only');
  const readOnly = classify(mount('ext4', ['ro', 'relatime', 'rw']), unseen);
  expect(readOnly).toMatchObject({ readOnly: true, erasure: 'none' });
});

test('S0-7 what is gone after a restart is told, also beneath a layer', () => {
  for (const type of ['tmpfs', 'ramfs']) expect(classify(mount(type), unseen).volatile).toBe(true);
  const overlay = (...more: string[]) => mount('overlay', ['rw', 'upperdir=/over/up', ...more]);
  expect(classify(overlay(), () => mount('tmpfs'))).toMatchObject({
    type: 'overlay on tmpfs',
    volatile: true,
  });
  expect(classify(overlay(), () => mount('ext4'))).toMatchObject({
    type: 'overlay on ext4',
    volatile: false,
    erasure: 'in-place',
  });
  expect(classify(overlay('volatile'), () => mount('ext4')).volatile).toBe(true);
  // A container: what it writes is thrown away with it.
  expect(classify(overlay(), unseen)).toMatchObject({
    volatile: true,
    erasure: 'cryptographic-only',
  });
  expect(classify(mount('overlay', ['rw', 'lowerdir=/a:/b']), unseen)).toMatchObject({
    readOnly: true,
    erasure: 'none',
  });
});

test('the facts of a folder that is not there yet are those of the one above it', () => {
  const folder = temporaryFolder();
  const facts = volumeFacts(join(folder, 'not', 'yet'));
  expect(facts).toMatchObject({ ...volumeFacts(folder), freeBytes: expect.any(Number) });
  expect(facts.folder).toBe(folder);
  expect(facts.freeBytes).toBeGreaterThan(0);
});

test.skipIf(noLoopVolume)('S0-7 a real tmpfs is told from a real disk', () => {
  const folder = join(temporaryFolder(), 'data');
  mkdirSync(folder);
  const onDisk = volumeFacts(folder);
  memoryVolume(folder);
  expect(volumeFacts(join(folder, 'ueip'))).toMatchObject({ type: 'tmpfs', volatile: true });
  expect(volumeFacts(folder)).not.toMatchObject({ device: onDisk.device });
});

test('the sentence about an erasure promises no more than the file system keeps', () => {
  expect(erasureSentence({ type: 'ext4', erasure: 'in-place' })).toContain('in place');
  expect(erasureSentence({ type: 'ubifs', erasure: 'cryptographic-only' })).toContain(
    'volume.erase',
  );
  expect(erasureSentence({ type: 'squashfs', erasure: 'none' })).toContain('cannot be written');
});

test.each([
  ['no command', [], { result: 'nothing-there' }],
  ['a command that succeeds', ['true'], { result: 'done' }],
  ['a command that fails', ['sh', '-c', 'exit 3'], { result: 'failed', code: 'exit-3' }],
  ['a command that dies', ['sh', '-c', 'kill -9 $$'], { result: 'failed', code: 'SIGKILL' }],
  ['a command that is not there', ['/no/such/program'], { result: 'failed', code: 'ENOENT' }],
])('%s says what became of the volume', async (_, argv, report) => {
  expect(await eraseVolume(argv, systemTimers)).toEqual(report);
});

test('arguments of the command are handed over as they are: there is no shell', async () => {
  const folder = temporaryFolder();
  const argv = ['mkdir', join(folder, '$(id); rm -rf x')];
  expect(await eraseVolume(argv, systemTimers)).toEqual({ result: 'done' });
  expect(volumeFacts(argv[1] ?? '').folder).toBe(argv[1]);
});

test('a command that never ends is ended, and has failed', async () => {
  const time = createManualTime();
  const report = eraseVolume(['sleep', '1000'], time.timers, 60_000);
  time.advance(60_000);
  expect(await report).toEqual({ result: 'failed', code: 'timeout' });
});
