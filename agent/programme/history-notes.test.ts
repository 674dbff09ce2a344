import { existsSync } from 'node:fs';
import { expect, test } from 'vitest';
import { bundledPolicies } from '../io/programme/policies.ts';
import { dayMs, type ProgrammeDevice } from '../test/fakes/programme-device.ts';
import { programmeDevice } from '../test/fakes/quick-device.ts';

const whats = ({ programme }: ProgrammeDevice) =>
  programme.ledger.entries().map(({ what }) => what);

/** The bundled notice, and one after it that takes effect in three days. */
function withNextNotice(material: boolean) {
  const device = programmeDevice({ world: { hasCloud: false } });
  const effectiveAt = device.trueMs() + 3 * dayMs;
  const next = { version: '2027-03', textSha256: 'd'.repeat(64), material, effectiveAt };
  device.world.policies = [...bundledPolicies(), next];
  return device;
}

test('a new notice that matters stops the recording when it takes effect, and the history says so once', async () => {
  const device = withNextNotice(true);
  await device.start();
  await device.on();
  device.visit(2);
  await device.pass(2 * dayMs, 600_000);
  expect(whats(device)).toEqual(['granted']);
  await device.pass(2 * dayMs, 600_000);
  expect(whats(device)).toEqual(['granted', 'policy-paused']);
  expect(device.programme.ledger.entries()[1]).toMatchObject({ policyVersion: '2026-11' });
  const { waiting } = (await device.commands.status()).records;
  expect(waiting).toBe(2);
  device.visit(3);
  await device.pass(dayMs, 600_000);
  expect((await device.commands.status()).records.waiting).toBe(waiting);
  await device.stop();
  await device.start();
  await device.pass(dayMs, 600_000);
  expect(whats(device)).toEqual(['granted', 'policy-paused']);
});

test('one that does not matter stops nothing', async () => {
  const device = withNextNotice(false);
  await device.start();
  await device.on();
  await device.pass(4 * dayMs, 600_000);
  device.visit(1);
  await device.pass(dayMs / 2, 600_000);
  expect(whats(device)).toEqual(['granted']);
  expect((await device.commands.status()).records.waiting).toBe(1);
});

test('a grant that a crash kept out of the history gets its line at the next start, once', async () => {
  const device = programmeDevice();
  await device.start();
  const { policies } = device.programme.consent.circumstances();
  device.programme.consent.decide({
    kind: 'grant',
    grant: {
      policyVersion: '2026-11',
      textSha256: policies[0]?.textSha256 ?? '',
      region: 'eu-central-1',
      by: { name: 'resident', channel: 'page' },
      since: { wallMs: device.trueMs(), monotonicMs: 0 },
      consentId: '3f2b8a52-0000-4000-8000-000000000001',
    },
  });
  for (let n = 0; n < 2; n++) {
    await device.stop();
    await device.start();
    expect(whats(device)).toEqual(['granted']);
  }
  expect(device.programme.ledger.entries()[0]).toMatchObject({ channel: 'page', epoch: 1 });
});

test('who must not ask is noted where there is a history, and not more often than once an hour', async () => {
  const device = programmeDevice();
  await device.start();
  device.programme.noteRefusal(1000);
  expect(existsSync(device.layout.ledger)).toBe(false);
  await device.on();
  for (let n = 0; n < 100; n++) device.programme.noteRefusal(1000);
  await device.pass(3_600_000);
  device.programme.noteRefusal(null);
  expect(whats(device)).toEqual(['granted', 'refused', 'refused']);
  expect(device.programme.ledger.verify().kind).toBe('intact');
});
