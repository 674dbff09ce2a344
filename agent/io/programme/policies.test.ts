import { createHash } from 'node:crypto';
import { cpSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { presets } from '../../config.ts';
import { temporaryFolder } from '../../test/fakes/temporary-folder.ts';
import { inPackage } from '../files/package-root.ts';
import {
  bundledPolicies,
  missingInNotice,
  type NoticeSettings,
  policyText,
  withdrawalQuestion,
} from './policies.ts';

const settings: NoticeSettings = {
  'controller.name': 'Doors & Co., $& Ltd.',
  'controller.contact': '1 Long Street, privacy@example.org',
  'controller.privacyPolicy': 'https://example.org/privacy',
  'cloud.region': 'eu-central-1',
};
const own = inPackage('agent/consent/policies');
const latest = () => bundledPolicies().at(-1)?.version ?? '';

function copied(change: (folder: string) => void): string {
  const folder = temporaryFolder();
  cpSync(own, folder, { recursive: true });
  change(folder);
  return folder;
}

type Entry = Record<string, unknown>;

function relisted(change: (list: Entry[]) => unknown): string {
  return copied((folder) => {
    const path = join(folder, 'policies.json');
    const list = JSON.parse(readFileSync(path, 'utf8'));
    writeFileSync(path, JSON.stringify(change(list)));
  });
}

test('every version names the hash of its text, which is in the package', () => {
  const policies = bundledPolicies();
  expect(policies.length).toBeGreaterThan(0);
  for (const { version, textSha256 } of policies) {
    const text = readFileSync(join(own, `${version}.txt`));
    expect(createHash('sha256').update(text).digest('hex')).toBe(textSha256);
  }
  expect(policies[0]).toEqual({
    version: '2026-11',
    textSha256: expect.stringMatching(/^[0-9a-f]{64}$/),
    material: true,
    effectiveAt: Date.UTC(2026, 10, 1),
  });
});

test('S0-36 S0-37 the notice says who is responsible, how to reach them, and where the general policy is', () => {
  const text = policyText(latest(), settings);
  for (const value of Object.values(settings)) expect(text).toContain(value);
  expect(text).not.toMatch(/[{}]/);
});

test.each([
  'Alibaba Cloud Object Storage Service',
  'Between 01:00 and 02:00 at night',
  'only if the device is connected to the cloud service',
  'What was sent before may be kept for one month at most',
  'The program is voluntary and off until you switch it on',
  'The door works the same with and without it',
])('the notice says: %s', (words) => {
  const flowing = policyText(latest(), settings).replaceAll(/\s+/g, ' ');
  expect(flowing.toLowerCase()).toContain(words.toLowerCase());
});

test('what a setting does not say is named in its place, and nobody can agree to that', () => {
  expect(policyText(latest(), presets)).toContain('(not set: controller.name)');
  expect(missingInNotice(presets)).toEqual([
    'controller.name',
    'controller.contact',
    'controller.privacyPolicy',
    'cloud.region',
  ]);
  expect(missingInNotice(settings)).toEqual([]);
  expect(missingInNotice({ ...settings, 'cloud.region': null })).toEqual(['cloud.region']);
});

test('a version that does not exist is refused, and those that do are named', () => {
  expect(() => policyText('2025-01', settings)).toThrow(
    expect.objectContaining({
      code: 'CONSENT_REFUSED',
      message: 'there is no policy version 2025-01, only 2026-11',
    }),
  );
});

test('a text that was changed, by one letter, is refused', () => {
  const folder = copied((each) => {
    const path = join(each, '2026-11.txt');
    writeFileSync(path, readFileSync(path, 'utf8').replace('one month', 'two month'));
  });
  for (const read of [
    () => bundledPolicies(folder),
    () => policyText('2026-11', settings, folder),
  ]) {
    expect(read).toThrow(
      expect.objectContaining({
        code: 'INPUT_INVALID',
        message: expect.stringContaining('2026-11.txt: is not the text that policies.json names'),
      }),
    );
  }
});

test.each(['2026-11.txt', 'policies.json'])('a package without %s is refused', (name) => {
  const folder = copied((each) => rmSync(join(each, name)));
  expect(() => bundledPolicies(folder)).toThrow(expect.objectContaining({ code: 'INPUT_MISSING' }));
});

const later = (entry: Entry | undefined, changes: Entry): Entry => ({
  ...entry,
  version: '2027-01',
  effectiveAt: '2027-01-01T00:00:00Z',
  ...changes,
});

test.each<[string, (list: Entry[]) => unknown, string]>([
  ['is no list', () => ({}), 'expected a list'],
  ['is empty', () => [], 'expected a list'],
  ['has an entry too many', ([one]) => [{ ...one, title: 'x' }], 'title: unknown'],
  ['names a file elsewhere', ([one]) => [{ ...one, file: '../secret.txt' }], '[0].file'],
  ['has no moment', ([one]) => [{ ...one, effectiveAt: 'soon' }], 'expected a moment in UTC'],
  ['has a moment without a zone', ([one]) => [{ ...one, effectiveAt: '2026-11-01' }], 'in UTC'],
  [
    'begins with a version that matters to nobody',
    ([one]) => [{ ...one, material: false }],
    'is material',
  ],
  [
    'has versions out of order',
    ([one]) => [one, later(one, { effectiveAt: '2026-11-01T00:00:00Z' })],
    '2027-01 does not come after',
  ],
  ['has a version twice', ([one]) => [one, later(one, { version: '2026-11' })], 'is there twice'],
])('a list of versions that %s is refused', (_, change, fault) => {
  expect(() => bundledPolicies(relisted(change))).toThrow(
    expect.objectContaining({ code: 'INPUT_INVALID', message: expect.stringContaining(fault) }),
  );
});

test('a list that is no JSON is refused', () => {
  const folder = copied((each) => writeFileSync(join(each, 'policies.json'), '[{'));
  expect(() => bundledPolicies(folder)).toThrow(expect.objectContaining({ code: 'INPUT_INVALID' }));
});

test('a second version follows the first', () => {
  const folder = relisted(([one]) => [one, later(one, { material: false })]);
  expect(bundledPolicies(folder).map(({ version }) => version)).toEqual(['2026-11', '2027-01']);
  expect(policyText('2027-01', settings, folder)).toBe(policyText('2026-11', settings, folder));
});

test('S0-31 S0-38 leaving is asked about in these words', () => {
  expect(withdrawalQuestion).toMatch(/^We will no longer be able to collect /);
  expect(withdrawalQuestion).toMatch(/ Are you sure you want to stop the program\?$/);
  expect(withdrawalQuestion).toContain('What was already sent may be kept for one month at most');
});
