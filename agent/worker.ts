/** The entry of the recognition thread: the hot path, and nothing that could hold it up. */
import { parentPort, workerData } from 'node:worker_threads';
import { buildRecognizer, openVision, type Place, type Vision } from './agent.ts';
import { AgentError } from './errors.ts';
import { systemClock, systemTimers } from './io/process/clock.ts';
import { createLog } from './io/process/log.ts';
import { createAttemptRecorder } from './io/programme/attempt-recorder.ts';
import { serveRecognition } from './io/recognition/recognition-worker-loop.ts';
import { openResidents, type Residents } from './residents.ts';

if (!parentPort) throw new TypeError('worker.ts runs as a thread of doorkeep, not by itself');

/** `attempts`: a ring for what the improvement programme may learn of; absent: nobody ever asks. */
export type RecognitionData = Place & { readonly attempts?: SharedArrayBuffer | undefined };

const atWork = { clock: systemClock, timers: systemTimers };
const log = () => createLog({ level: 'error', clock: systemClock });

/**
 * A damaged gallery was set aside when it was found: the door goes on with nobody enrolled, which lets
 * nobody in, until a backup is restored.
 */
async function openEvenIfDamaged(place: Place, vision: Vision): Promise<Residents> {
  try {
    return await openResidents(place, vision, atWork);
  } catch (fault) {
    if (!(fault instanceof AgentError && fault.code === 'STORE_CORRUPT')) throw fault;
    log().error('gallery-set-aside', { code: fault.code });
    return openResidents(place, vision, atWork);
  }
}

await serveRecognition(parentPort, async () => {
  const { attempts, ...place }: RecognitionData = workerData;
  const vision = await openVision(place);
  const residents = await openEvenIfDamaged(place, vision);
  const onAttempt = attempts && createAttemptRecorder(attempts, systemClock);
  const recognizer = buildRecognizer(place, vision, residents, systemClock, 'visits', onAttempt);
  return {
    recognise: recognizer.recognise,
    forget: recognizer.wipe,
    async close() {
      recognizer.wipe();
      const { attemptFaults } = recognizer;
      if (attemptFaults > 0) log().error('attempts-not-told', { errors: attemptFaults });
      await residents.close();
      await vision.close();
    },
  };
});
