import type { Place } from '../agent.ts';
import type { LocalProgramme } from '../programme-access.ts';
import { programmeCommands } from './commands.ts';
import { openProgramme } from './programme.ts';
import { systemOutside } from './system-outside.ts';

/** The programme in the process of a command: the same, without a door. */
export async function openLocalProgramme(place: Place): Promise<LocalProgramme> {
  const programme = await openProgramme(place, await systemOutside(place));
  return { ...programmeCommands(programme), close: programme.close };
}
