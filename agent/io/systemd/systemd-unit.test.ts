import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { type UnitSpec, unitText, unitWord } from './systemd-unit.ts';

const spec: UnitSpec = {
  command: ['/bin/true', 'run', '--v4l2', '/dev/video0'],
  user: 'doorkeep',
  dataDir: '/var/lib/doorkeep',
  devices: ['/dev/video0', '/dev/gpiochip0'],
  groups: ['video'],
  memoryMaxBytes: 200 * 2 ** 20,
  notifies: true,
};
const unitOf = (other: Partial<UnitSpec> = {}) => unitText({ ...spec, ...other }).split('\n');
/** Of more than this systemd says that it is not well protected; 10 is a service without any of it. */
const mostExposure = 2.2;

test('the service comes back whatever it ended with, but not when only a person can mend it', () => {
  const unit = unitOf();
  expect(unit).toEqual(
    expect.arrayContaining([
      'Restart=always',
      'StartLimitIntervalSec=0',
      'RestartPreventExitStatus=64 69 78',
      'KillMode=mixed',
      'WantedBy=multi-user.target',
    ]),
  );
});

test('it is watched while it can say that it is at work, and only then', () => {
  expect(unitOf()).toEqual(expect.arrayContaining(['Type=notify', 'WatchdogSec=60']));
  const silent = unitOf({ notifies: false });
  expect(silent).toContain('Type=exec');
  expect(silent.filter((line) => /notify|Watchdog|NotifyAccess/.test(line))).toEqual([]);
});

test('it opens its own devices and no others, writes to its own folder and to no other', () => {
  const unit = unitOf({ devices: ['/dev/video2'], groups: [], dataDir: '/data/door keep' });
  expect(unit.filter((line) => line.startsWith('Device'))).toEqual([
    'DevicePolicy=closed',
    'DeviceAllow=/dev/video2 rw',
  ]);
  expect(unit.filter((line) => line.startsWith('ReadWrite'))).toEqual([
    'ReadWritePaths="/data/door keep"',
  ]);
  expect(unit.some((line) => line.startsWith('SupplementaryGroups'))).toBe(false);
});

test.each([
  ['plain', 'plain'],
  ['two words', '"two words"'],
  ['', '""'],
  ['100%', '100%%'],
  ['a"b\\c', '"a\\"b\\\\c"'],
  ['a;b', '"a;b"'],
  ["don't", '"don\'t"'],
])('the word %j is written so that systemd reads the same', (word, written) => {
  expect(unitWord(word)).toBe(written);
});

test('a variable in a command line is no variable of systemd', () => {
  const command = ['/bin/true', 'run', '--exec', 'camera $HOME 50%'];
  expect(unitOf({ command })).toContain('ExecStart=/bin/true run --exec "camera $$HOME 50%%"');
});

describe.skipIf(!hasAnalyzer())('as systemd itself sees it', () => {
  test.each([
    ['with a camera and a relay', {}],
    ['without an addon', { notifies: false }],
    ['with a path that must be quoted', { dataDir: '/var/lib/door "keep" 5%' }],
  ])('%s the unit is without fault', (_, other: Partial<UnitSpec>) => {
    const { status, output } = analyze(other, 'verify');
    expect(output).toBe('');
    expect(status).toBe(0);
  });

  test('a unit with a fault is found out', () => {
    expect(analyze({ user: 'door keep' }, 'verify').output).toContain("'door keep'");
  });

  test(`its exposure is at most ${mostExposure} of 10`, () => {
    const { output } = analyze({}, 'security', '--offline=true');
    const [, exposure = ''] = /Overall exposure level for \S+: ([\d.]+)/.exec(output) ?? [];
    expect(Number.parseFloat(exposure)).toBeLessThanOrEqual(mostExposure);
  });
});

function analyze(other: Partial<UnitSpec>, ...words: readonly string[]) {
  const file = join(temporaryFolder(), 'doorkeep.service');
  writeFileSync(file, unitText({ ...spec, ...other }));
  const ran = spawned(['--no-pager', ...words, file]);
  return { status: ran.status, output: `${ran.stdout}${ran.stderr}` };
}

function spawned(words: readonly string[], program = 'systemd-analyze') {
  return spawnSync(program, words, { encoding: 'utf8' });
}

/** `security --offline` came with systemd 250. */
function hasAnalyzer(): boolean {
  const { stdout } = spawned(['--version']);
  return Number(/^systemd (\d+)/.exec(stdout ?? '')?.[1]) >= 250;
}
