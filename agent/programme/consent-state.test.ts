import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { Place } from '../agent.ts';
import { layoutOf } from '../io/process/environment.ts';
import { readProgramme, writeProgramme } from '../io/programme/consent-file.ts';
import { systemError, withFailingCalls } from '../test/fakes/failing-calls.ts';
import { programmeConfig } from '../test/fakes/programme-device.ts';
import { batchOf, granted, programmeAfter, today, withdrawal } from '../test/fakes/programmes.ts';
import { temporaryFolder } from '../test/fakes/temporary-folder.ts';
import { type ConsentState, openConsentState } from './consent-state.ts';

const around = { doNotTrack: false, policies: today.policies, wallMs: () => today.wallMs };

function placeWith(programme = granted): Place {
  const dataDir = join(temporaryFolder(), 'data');
  writeProgramme(layoutOf(dataDir), programme);
  return { dataDir, config: { ...programmeConfig, 'cloud.region': today.region } };
}

/** Nothing is written to the medium. */
const readOnly = <T>(work: () => T) =>
  withFailingCalls(
    ({ name }) => (/write|sync|truncate/.test(name) ? systemError('EROFS') : undefined),
    work,
  );

function faultOf(work: () => unknown): unknown {
  try {
    return work();
  } catch (fault) {
    return fault;
  }
}

test('S0-1 a device that was never asked is not covered, and looking writes nothing', () => {
  const dataDir = join(temporaryFolder(), 'data');
  const state = openConsentState({ dataDir, config: programmeConfig }, around);
  expect(state.coverage()).toEqual({ kind: 'not-covered', why: 'never-asked' });
  expect(state.mayKeep()).toBe(false);
  expect(existsSync(dataDir)).toBe(false);
});

test('what is decided is on the medium, and the next process starts from it', () => {
  const place = placeWith();
  const state = openConsentState(place, around);
  expect(state.coverage().kind).toBe('covered');
  expect(state.decide({ kind: 'sending', batch: batchOf() }).kind).toBe('changed');
  expect(openConsentState(place, around).programme()).toEqual(state.programme());
  expect(state.programme().sent).toHaveLength(1);
});

describe('S0-30 a withdrawal that the medium does not take', () => {
  async function refused(): Promise<{ place: Place; state: ConsentState }> {
    const place = placeWith();
    const state = openConsentState(place, around);
    const { outcome } = await readOnly(() => faultOf(() => state.decide(withdrawal(null))));
    expect(outcome).toMatchObject({ code: 'STORE_READ_ONLY' });
    return { place, state };
  }

  test('holds in memory all the same: nothing is recorded or kept any more', async () => {
    const { place, state } = await refused();
    expect(state.coverage().kind).toBe('not-covered');
    expect(state.mayKeep()).toBe(false);
    expect(readProgramme(layoutOf(place.dataDir)).programme.consent.state).toBe('granted');
  });

  test('is written as soon as that is possible, by itself or with the next decision', async () => {
    const { place, state } = await refused();
    state.write();
    const after = openConsentState(place, around).programme();
    expect(after).toMatchObject({ consent: { state: 'withdrawn' }, wipe: 'due' });
    const other = await refused();
    other.state.decide({ kind: 'wiped' });
    const { consent, wipe } = openConsentState(other.place, around).programme();
    expect([consent.state, wipe]).toEqual(['withdrawn', 'none']);
  });

  test('is not undone by what cannot be written either', async () => {
    const { state } = await refused();
    await readOnly(() => expect(faultOf(() => state.write())).toMatchObject({ code: /^STORE_/ }));
    expect(state.programme().consent.state).toBe('withdrawn');
  });
});

test('anything but a withdrawal that the medium does not take has not happened', async () => {
  const state = openConsentState(placeWith(), around);
  const before = state.programme();
  const sending = { kind: 'sending', batch: batchOf() } as const;
  await readOnly(() => expect(faultOf(() => state.decide(sending))).toBeInstanceOf(Error));
  expect(state.programme()).toBe(before);
  state.write();
  expect(state.programme()).toBe(before);
});

test('S0-26 on a volume that cannot be written, copies that differ do not keep anybody from asking', async () => {
  const place = placeWith(programmeAfter([{ kind: 'sending', batch: batchOf() }], granted));
  const layout = layoutOf(place.dataDir);
  const newer = readFileSync(layout.consent[0]);
  writeProgramme(layout, granted);
  writeFileSync(layout.consent[0], newer);
  expect(readProgramme(layout).kind).toBe('mended');
  const { outcome } = await readOnly(() => openConsentState(place, around));
  expect(outcome.programme().sent).toHaveLength(1);
  // Where it can be written, it is.
  openConsentState(place, around);
  expect(readProgramme(layout).kind).toBe('whole');
});
