import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { doorkeep } from '../test/e2e/doorkeep.ts';
import { temporaryFolder } from '../test/fakes/temporary-folder.ts';

const camera = ['--', '--v4l2', '/dev/video0', '--size', '1280x720'];
const program = ['--program', '/opt/doorkeep/scripts/doorkeep'];
const unit = 'etc/systemd/system/doorkeep.service';

test('a dry run shows every act, and changes nothing', async () => {
  const prefix = temporaryFolder();
  const ran = await doorkeep(['install', '--dry-run', '--prefix', prefix, ...program, ...camera]);
  expect([ran.status, ran.stderr]).toEqual([0, '']);
  expect(ran.stdout).toContain(`would be done: ${join(prefix, unit)}`);
  expect(ran.stdout).toContain('    ExecStart=/opt/doorkeep/scripts/doorkeep run --v4l2');
  expect(readdirSync(prefix)).toEqual([]);
});

test('an image gets its files, and getting them again changes nothing', async () => {
  const prefix = temporaryFolder();
  const words = ['install', '--json', '--prefix', prefix, ...program];
  const relay = ['--set', 'relay.chip=/dev/gpiochip1', '--set', 'relay.line=4'];
  const first = await doorkeep([...words, ...relay, ...camera]);
  expect(first.status).toBe(0);
  expect(readFileSync(join(prefix, unit), 'utf8')).toContain(
    'ExecStart=/opt/doorkeep/scripts/doorkeep run --set relay.chip=/dev/gpiochip1 --set relay.line=4 --v4l2 /dev/video0 --size 1280x720',
  );
  expect(readFileSync(join(prefix, unit), 'utf8')).toContain('DeviceAllow=/dev/gpiochip1 rw');
  const again = await doorkeep([...words, ...relay, ...camera]);
  expect(new Set(again.json().map((each) => Reflect.get(Object(each), 'outcome')))).toEqual(
    new Set(['already-so']),
  );
});

test.each([
  ['without a word about the camera', [], /missing required argument/],
  ['with a word that run does not know', ['--', '--v4l3', '/dev/video0'], /knows no --v4l3/],
  ['with a source that a service has not', ['--', '--stdin'], /nobody writes/],
])('%s it is refused, and nothing is written', async (_, words, message) => {
  const prefix = temporaryFolder();
  const ran = await doorkeep(['install', '--prefix', prefix, ...program, ...words]);
  expect(ran.status).toBe(64);
  expect(ran.stderr).toMatch(message);
  expect(readdirSync(prefix)).toEqual([]);
});

test('a place that services do not see is refused before anything is written', async () => {
  const prefix = temporaryFolder();
  const words = ['install', '--prefix', prefix, '--program', '/root/doorkeep', ...camera];
  const ran = await doorkeep(words);
  expect(ran.status).toBe(61);
  expect(ran.stderr).toContain('INSTALL_REFUSED');
  expect(readdirSync(prefix)).toEqual([]);
});
