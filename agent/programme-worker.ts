/** The entry of the thread of the improvement programme. What it does waits for nobody at the door, and nobody for it. */
import { parentPort, workerData } from 'node:worker_threads';
import type { Place } from './agent.ts';
import { systemTimers } from './io/process/clock.ts';
import { serveProgramme } from './io/programme/programme-worker-loop.ts';
import { programmeCommands } from './programme/commands.ts';
import { openProgramme } from './programme/programme.ts';
import { systemOutside } from './programme/system-outside.ts';
import { programmeHandlers } from './programme-handlers.ts';

export type ProgrammeData = Place & { readonly attempts?: SharedArrayBuffer | undefined };

if (!parentPort)
  throw new TypeError('programme-worker.ts runs as a thread of doorkeep, not by itself');

await serveProgramme(parentPort, systemTimers, async () => {
  const { attempts, ...place }: ProgrammeData = workerData;
  const programme = await openProgramme(place, await systemOutside(place), attempts);
  return { ...programme, handlers: programmeHandlers(programmeCommands(programme)) };
});
