import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Place } from './agent.ts';
import { runAgent } from './at-work.ts';
import { AgentError } from './errors.ts';
import { demoFrameBytes, openDemoCamera } from './io/camera/demo-camera.ts';
import { findDemoMaterial } from './io/camera/demo-material.ts';
import { acquireAgentLock } from './io/control/agent-lock.ts';
import { systemClock } from './io/process/clock.ts';
import { deferred } from './io/process/deferred.ts';
import { layoutOf } from './io/process/environment.ts';
import { createLog } from './io/process/log.ts';
import { openLedger } from './io/programme/ledger-file.ts';
import { openRecordStore } from './io/store/record-store.ts';
import type { FrameSource } from './ports.ts';
import { agentListens, remoteProgramme } from './programme-remote.ts';
import type { RecognitionEvent } from './recognition/event.ts';
import { programmeConfig, resident } from './test/fakes/programme-device.ts';
import { sharedFaces, sharedModels } from './test/fakes/shared-material.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'doorkeep-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));
const place: Place = { dataDir, config: programmeConfig };
const layout = layoutOf(dataDir);

/** An agent in this process whose camera shows the visits when it is told to, and ends after them. */
async function anAgent() {
  const events: RecognitionEvent[] = [];
  const logged: string[] = [];
  const shown = deferred<void>();
  const camera = openDemoCamera(findDemoMaterial().visits.slice(0, 2), systemClock);
  const source: FrameSource = {
    id: camera.id,
    get dropped() {
      return camera.dropped;
    },
    next: async () => {
      await shown.promise;
      return camera.next();
    },
    close: () => camera.close(),
  };
  const ended = runAgent(place, source, demoFrameBytes, {
    log: createLog({ level: 'warn', clock: systemClock, write: (line) => logged.push(line) }),
    onEvent: (event) => {
      if (event.kind !== 'source-lost') events.push(event);
    },
  });
  while (!(await agentListens(dataDir))) await new Promise(setImmediate);
  const end = () => {
    shown.resolve();
    return ended;
  };
  return { events, logged, end, ask: remoteProgramme(dataDir) };
}

test('an agent that starts while a command is at work waits for it', async () => {
  const held = acquireAgentLock(dataDir);
  if (held.kind !== 'acquired') throw new TypeError(held.kind);
  const nothing = new TypeError('the camera is asked: it has begun');
  const begun = runAgent(
    place,
    { id: 'none', dropped: 0, next: () => Promise.reject(nothing), close: async () => {} },
    1024,
    { log: createLog({ level: 'error', clock: systemClock, write: () => {} }), onEvent: () => {} },
  ).catch((fault: unknown) => (fault instanceof AgentError ? fault.code : 'begun'));
  await new Promise(setImmediate);
  held.lock.release();
  expect(await begun).not.toBe('AGENT_RUNNING');
});

describe.skipIf(!sharedModels || !sharedFaces)('an agent at work', () => {
  test('S0-1 S0-28 S0-34 is opted in and out of the programme without a restart, and sees the same visitors', async () => {
    const off = await anAgent();
    expect((await off.ask.status()).state).toBe('never-asked');
    await off.end();
    expect(existsSync(layout.ueip)).toBe(false);
    expect(existsSync(layout.consent[0])).toBe(false);
    expect(off.events.length).toBeGreaterThan(0);

    const on = await anAgent();
    const order = { acceptPolicy: '2026-11', by: resident, allowVolatile: true };
    expect((await on.ask.on(order)).kind).toBe('granted');
    expect((await on.ask.on(order)).kind).toBe('already-granted');
    expect((await on.ask.status()).state).toBe('granted');
    await on.end();
    // A camera in real time: on a busy machine a visitor may be seen once more, or too late.
    const kindsOf = (all: readonly RecognitionEvent[]) =>
      new Set(all.map(({ kind }) => kind).filter((kind) => kind !== 'stale'));
    expect(kindsOf(on.events)).toEqual(kindsOf(off.events));

    // What was seen is stored when the agent stops.
    const limits = { maxRecords: 100, maxBytes: 1 << 20 };
    const opened = openRecordStore({ file: layout.records, keyFile: layout.epochKey, limits });
    expect(opened.found).toBe('as left');
    expect(opened.store.counts().records).toBe(on.events.length);
    opened.store.close();

    const again = await anAgent();
    const told = await again.ask.off({ by: resident, eraseCloud: false, verify: true });
    expect(told).toMatchObject({ kind: 'erased', records: on.events.length });
    expect(told.search?.found).toEqual([]);
    expect(existsSync(layout.ueip)).toBe(false);
    await again.end();
    expect(kindsOf(again.events)).toEqual(kindsOf(off.events));
    expect(existsSync(layout.ueip)).toBe(false);
    const ledger = openLedger({ file: layout.ledger, clock: systemClock });
    expect(ledger.entries().map(({ what }) => what)).toEqual(['granted', 'withdrawn', 'erased']);
    expect([...off.logged, ...on.logged, ...again.logged].join()).not.toContain('programme');
  });

  test('a second one on the same data directory refuses to start; the first one is not disturbed', async () => {
    const first = await anAgent();
    const source = openDemoCamera(findDemoMaterial().visits.slice(0, 1), systemClock);
    const output = { log: createLog({ level: 'error', clock: systemClock }), onEvent: () => {} };
    await expect(runAgent(place, source, demoFrameBytes, output)).rejects.toMatchObject({
      code: 'AGENT_RUNNING',
    });
    await source.close();
    await first.end();
    expect(first.events.length).toBeGreaterThan(0);
  });
});
