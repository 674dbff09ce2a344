/** Where the commands of the improvement programme are carried out: by the agent at work, else here. */
import type { Place } from './agent.ts';
import { AgentError } from './errors.ts';
import { acquireAgentLock } from './io/control/agent-lock.ts';
import { systemTimers, type Timers } from './io/process/clock.ts';
import type { ProgrammeCommands } from './programme-commands.ts';
import { agentListens, remoteProgramme } from './programme-remote.ts';

/** The programme in this process; it is called only while this process holds the data directory. */
export type OpenLocal = (place: Place) => Promise<LocalProgramme>;
export type LocalProgramme = ProgrammeCommands & { close(): Promise<void> | void };

/** What is to be done, and whether it is an agent at work that does it. */
export type Use<T> = (programme: ProgrammeCommands, isAgent: boolean) => Promise<T>;

/** `withProgramme` as the commands are handed it. */
export type AskProgramme = <T>(place: Place, use: Use<T>) => Promise<T>;

/** Of an agent that starts or ends, or of another command that is at work. */
const patience = { tries: 50, everyMs: 100 };

/**
 * Whoever holds the lock carries it out, so nobody else ever writes to the files of the programme.
 * @throws AGENT_SILENT where another holds the data directory and does not answer; CONTROL_REFUSED where
 * it is another user's; STORE_… where the data directory cannot be used; what `use` throws
 */
export async function withProgramme<T>(
  place: Place,
  openLocal: OpenLocal,
  use: Use<T>,
  timers: Timers = systemTimers,
): Promise<T> {
  const { dataDir } = place;
  for (let tries = patience.tries; ; tries--) {
    const acquired = acquireAgentLock(dataDir);
    if (acquired.kind === 'acquired') {
      try {
        return await usedHere(await openLocal(place), use);
      } finally {
        acquired.lock.release();
      }
    }
    if (await agentListens(dataDir)) return await use(remoteProgramme(dataDir), true);
    if (acquired.kind === 'impossible') throw acquired.fault;
    if (tries === 0) {
      throw new AgentError('AGENT_SILENT', `${dataDir}: another process is at work here`);
    }
    await new Promise<void>((resolve) => void timers.after(patience.everyMs, resolve));
  }
}

async function usedHere<T>(programme: LocalProgramme, use: Use<T>): Promise<T> {
  try {
    return await use(programme, false);
  } finally {
    await programme.close();
  }
}
