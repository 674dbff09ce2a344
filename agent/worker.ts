/** The entry of the recognition thread: the hot path, and nothing that could hold it up. */
import { parentPort, workerData } from 'node:worker_threads';
import { buildRecognizer, openResidents, openVision, type Place } from './agent.ts';
import { systemClock } from './io/clock.ts';
import { serveRecognition } from './io/recognition-worker-loop.ts';

if (!parentPort) throw new TypeError('worker.ts runs as a thread of doorkeep, not by itself');

await serveRecognition(parentPort, async () => {
  const place: Place = workerData;
  const vision = await openVision(place);
  const residents = await openResidents(place, vision);
  const recognizer = buildRecognizer(place, vision, residents, systemClock, 'visits');
  return {
    recognise: recognizer.recognise,
    async close() {
      recognizer.wipe();
      residents.close();
      await vision.close();
    },
  };
});
