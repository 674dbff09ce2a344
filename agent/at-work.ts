/**
 * The agent at work on a device: the door, and beside it, in a thread of its own and only while there is something to
 * do, the improvement programme; commands are taken at the control socket. The door opens without all of that too.
 */
import type { Place } from './agent.ts';
import { type DoorOutput, runDoor } from './door.ts';
import { relayHolderOf } from './door-relay.ts';
import { AgentError } from './errors.ts';
import type { PumpCounters } from './io/camera/frame-pump.ts';
import { type Acquired, type AgentLock, acquireAgentLock } from './io/control/agent-lock.ts';
import { type ControlServer, serveControl } from './io/control/control-socket.ts';
import { systemTimers } from './io/process/clock.ts';
import { hasProgrammeTraces } from './io/process/environment.ts';
import type { Log } from './io/process/log.ts';
import { createAttemptRing, ringConsumer } from './io/programme/attempt-ring.ts';
import { type ProgrammeThread, superviseProgramme } from './io/programme/programme-thread.ts';
import { moduleBeside } from './io/recognition/recognition-thread.ts';
import type { FrameSource } from './ports.ts';
import { usedModels } from './programme/used-models.ts';
import { controlNames } from './programme-handlers.ts';
import { agentListens } from './programme-remote.ts';
import type { ProgrammeData } from './programme-worker.ts';

/** Until the source ends. @throws AGENT_RUNNING, and what runDoor throws */
export async function runAgent(
  place: Place,
  source: FrameSource,
  maxFrameBytes: number,
  given: Pick<DoorOutput, 'onEvent' | 'log' | 'onReady'>,
): Promise<PumpCounters> {
  const output = { ...given, relay: relayHolderOf(place.config) };
  const acquired = await acquiredSoon(place.dataDir);
  switch (acquired.kind) {
    case 'held':
      throw new AgentError('AGENT_RUNNING', `another agent is at work in ${place.dataDir}`);
    case 'impossible':
      // Nothing can be recorded or erased on such a volume either.
      output.log.warn('control-impossible', { code: acquired.fault.code });
      return runDoor(place, source, maxFrameBytes, output);
    case 'acquired':
      try {
        return await runWithProgramme(place, source, maxFrameBytes, output, acquired.lock);
      } finally {
        acquired.lock.release();
      }
  }
}

/** A command of the programme holds the same lock for a moment: the door does not stay closed for that. */
async function acquiredSoon(dataDir: string): Promise<Acquired> {
  for (let tries = 0; ; tries++) {
    const acquired = acquireAgentLock(dataDir);
    if (acquired.kind !== 'held' || tries === mostTries || (await answers(dataDir)))
      return acquired;
    await new Promise<void>((resolve) => void systemTimers.after(triesApartMs, resolve));
  }
}

/** Another agent is at work there, or whoever it is does not talk to us. */
async function answers(dataDir: string): Promise<boolean> {
  try {
    return await agentListens(dataDir);
  } catch {
    return true;
  }
}

const mostTries = 50;
const triesApartMs = 100;

async function runWithProgramme(
  place: Place,
  source: FrameSource,
  maxFrameBytes: number,
  output: DoorOutput,
  lock: AgentLock,
): Promise<PumpCounters> {
  const { log } = output;
  const attempts = createAttemptRing(usedModels(place)().dimensions);
  const programme = superviseProgramme({
    workerUrl: moduleBeside(import.meta.url, './programme-worker'),
    workerData: { ...place, attempts } satisfies ProgrammeData,
    isNeeded: hasProgrammeTraces(place.dataDir),
    timers: systemTimers,
    onRestart: ({ code }) => log.error('programme-restarted', { code }),
    onEnd: () => stopListening(attempts),
  });
  const control = await serveProgramme(programme, lock, log);
  try {
    const { doorFault } = programme;
    return await runDoor(place, source, maxFrameBytes, { ...output, attempts, onFault: doorFault });
  } finally {
    await control?.close();
    await programme.close();
  }
}

/** A thread that fell over leaves the ring as it was: nobody would take what the door goes on to put in there. */
function stopListening(attempts: SharedArrayBuffer): void {
  const ring = ringConsumer(attempts);
  if (ring.isListening()) ring.wipe();
}

/** Undefined: there is no socket; commands then say that the agent is silent. */
async function serveProgramme(
  programme: ProgrammeThread,
  lock: AgentLock,
  log: Log,
): Promise<ControlServer | undefined> {
  const forward = (name: string) =>
    [
      name,
      (given: unknown, _peer: unknown, write: (bytes: Uint8Array) => Promise<void>) =>
        programme.ask(name, given, write),
    ] as const;
  try {
    return await serveControl({
      lock,
      handlers: {
        ...Object.fromEntries(controlNames.map(forward)),
        'agent.ping': async () => undefined,
      },
      onRefused: (peer) => programme.refused(peer?.uid ?? null),
    });
  } catch (fault) {
    log.warn('control-impossible', { code: fault instanceof AgentError ? fault.code : 'INTERNAL' });
    return undefined;
  }
}
