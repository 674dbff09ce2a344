import type { Place } from '../agent.ts';
import {
  type Circumstances,
  type Coverage,
  coverage,
  type Decided,
  type Programme,
  type ProgrammeEvent,
} from '../consent/consent.ts';
import { decide } from '../consent/decide.ts';
import type { Policy } from '../consent/policy.ts';
import { layoutOf } from '../io/process/environment.ts';
import { readProgramme, writeProgramme } from '../io/programme/consent-file.ts';
import { bundledPolicies } from '../io/programme/policies.ts';

/** The consent of this device and what belongs to it, in memory as on the medium. */
export type ConsentState = {
  programme(): Programme;
  circumstances(): Circumstances;
  coverage(): Coverage;
  /** Whether anything of the programme may lie on the device now, covered at this moment or not. */
  mayKeep(): boolean;
  /**
   * What it decides is on the medium when it returns.
   * @throws STORE_…: nothing has changed; but a withdrawal holds in memory all the same, until the end of this
   * process or until the medium takes it: nobody is recorded against their will
   */
  decide(event: ProgrammeEvent): Decided;
  /** Puts on the medium what holds in memory only: such a withdrawal. @throws STORE_… */
  write(): void;
};

/** Reads, and writes nothing unless one copy has to be mended: a device that was never asked stays untouched. */
export function openConsentState(
  { dataDir, config }: Place,
  around: {
    readonly doNotTrack: boolean;
    /** Undefined: those of the package. */
    readonly policies?: readonly Policy[] | undefined;
    /** Of `Circumstances`. */
    readonly wallMs: () => number;
  },
): ConsentState {
  const places = layoutOf(dataDir);
  let read = around.policies;
  const found = readProgramme(places);
  let programme = found.programme;
  let isWritten = true;
  if (found.kind === 'mended') mend();

  /** The next decision writes both copies again; what holds until then, `readProgramme` has said. */
  function mend(): void {
    try {
      writeProgramme(places, programme);
    } catch {
      // A volume that cannot be written. An opt-out must get as far as to say so.
    }
  }
  /** Under a notice that cannot be read nothing is covered; but whoever wants to opt out can. */
  function policies(): readonly Policy[] {
    try {
      read ??= bundledPolicies();
      return read;
    } catch {
      return [];
    }
  }
  const circumstances = (): Circumstances => ({
    policies: policies(),
    region: config['cloud.region'],
    doNotTrack: around.doNotTrack,
    wallMs: around.wallMs(),
  });
  return {
    programme: () => programme,
    circumstances,
    coverage: () => coverage(programme, circumstances()),
    mayKeep: () => programme.consent.state === 'granted' && programme.wipe === 'none',
    decide(event) {
      const decided = decide(programme, circumstances(), event);
      if (decided.kind !== 'changed') return decided;
      if (event.kind === 'withdraw') {
        programme = decided.programme;
        isWritten = false;
      }
      writeProgramme(places, decided.programme);
      programme = decided.programme;
      isWritten = true;
      return decided;
    },
    write() {
      if (isWritten) return;
      writeProgramme(places, programme);
      isWritten = true;
    },
  };
}
