/**
 * A process to be watched from outside (e2e/silence.test.ts): the agent at work with the built-in models, one more
 * inference of ONNX Runtime, and then forty days of the improvement programme in seconds.
 * Arguments: the data directory, and what the household has decided.
 */
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { runAgent } from '../../at-work.ts';
import { demoFrameBytes, openDemoCamera } from '../../io/camera/demo-camera.ts';
import { findDemoMaterial } from '../../io/camera/demo-material.ts';
import { openModelBytes } from '../../io/models/sessions.ts';
import { systemClock } from '../../io/process/clock.ts';
import { createLog } from '../../io/process/log.ts';
import { agentListens, remoteProgramme } from '../../programme-remote.ts';
import type { Call, CloudPort, NoReply } from '../../upload/cloud-port.ts';
import {
  createProgrammeDevice,
  dayMs,
  hourMs,
  minuteMs,
  type ProgrammeDevice,
} from './programme-device.ts';
import { tinyModel } from './tiny-model.ts';

const decisions = [
  'never-asked',
  'do-not-track',
  'opted-out',
  'granted-by-day',
  'granted-by-night',
  'leaky',
] as const;
const [dataDir = '', wanted = ''] = process.argv.slice(2);
const decision = decisions.find((each) => each === wanted);
if (decision === undefined) throw new Error(`no such decision: ${wanted}`);

await doorAtWork();
await inference();
await fortyDays(createProgrammeDevice({ dataDir, port: socketCloud() }));
if (decision === 'leaky') await leak();

/** With its threads, its control socket and somebody who asks at it. */
async function doorAtWork(): Promise<void> {
  const camera = openDemoCamera(findDemoMaterial().visits.slice(0, 1), systemClock);
  const place = createProgrammeDevice({ dataDir }).place;
  const log = createLog({ level: 'error', clock: systemClock });
  let events = 0;
  const onEvent = () => {
    events += 1;
  };
  const ended = runAgent(place, camera, demoFrameBytes, { log, onEvent });
  while (!(await agentListens(dataDir))) await setTimeout(5);
  const { state } = await remoteProgramme(dataDir).status();
  await ended;
  if (events === 0 || state !== 'never-asked') throw new Error(`${events} events, ${state}`);
}

async function inference(): Promise<void> {
  const { entry, bytes } = tinyModel();
  const model = await openModelBytes(entry, bytes, { file: 'tiny', threads: 2 });
  const { code } = await model.run(new Float32Array(3 * 8 * 8).fill(1), [1, 3, 8, 8]);
  if (code?.length !== 16) throw new Error('there was no inference');
  await model.close();
}

async function fortyDays(device: ProgrammeDevice): Promise<void> {
  device.world.doNotTrack = decision === 'do-not-track';
  await device.start();
  if (decision === 'opted-out' || decision?.startsWith('granted')) await device.on();
  device.visit(3);
  if (decision === 'opted-out') {
    await device.pass(3 * hourMs, 10 * minuteMs);
    const { kind } = await device.off();
    if (kind !== 'erased') throw new Error(`the opt-out is ${kind}`);
  }
  if (decision === 'granted-by-day') {
    await device.passUntil(0);
    await device.pass(55 * minuteMs);
  } else if (decision === 'granted-by-night') {
    await device.passUntil(3);
  } else {
    for (let day = 0; day < 40; day++) {
      device.visit(25);
      await device.passUntil(3);
      await device.pass(hourMs, hourMs);
    }
    const ranDays = (device.time.clock.monotonicMs() - 1_000) / dayMs;
    if (ranDays < 39) throw new Error(`only ${ranDays} days`);
  }
  const { state, records } = await device.commands.status();
  await device.stop();
  // For the test to see that what was to happen has happened; the agent itself has nothing to say to anybody.
  writeFileSync(join(dataDir, 'told.json'), JSON.stringify({ state, waiting: records.waiting }));
}

/** A cloud behind a real socket: whatever is asked of it is seen from outside. */
function socketCloud(): CloudPort {
  const ask = ({ signal }: Call): Promise<NoReply> =>
    new Promise((resolve) => {
      const socket = connect({ host: '192.0.2.1', port: 443, signal });
      socket.on('error', () => resolve({ kind: 'no-reply', fault: 'unreachable' }));
    });
  return {
    link: ask,
    requestGrant: (_batch, call) => ask(call),
    put: (_grant, _bytes, call) => ask(call),
    done: (_report, call) => ask(call),
    orderErasure: (_order, call) => ask(call),
  };
}

/** What must not happen, to see that it would be seen. */
async function leak(): Promise<void> {
  writeFileSync(join(homedir(), '.doorkeep-id'), '1');
  const socket = createSocket('udp4');
  await new Promise<void>((resolve) => {
    socket.send('1', 9, '192.0.2.1', () => resolve());
  });
  socket.close();
}
