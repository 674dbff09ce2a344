import type { Policy } from '../consent/policy.ts';
import type { Clock } from '../ports.ts';
import type { CloudPort } from '../upload/cloud-port.ts';
import type { GrantRules } from '../upload/grant.ts';
import type { Timers } from '../upload/timers.ts';

/** Where records go, and what is insisted on there. */
export type Cloud = { readonly port: CloudPort; readonly rules: GrantRules };

/** What the improvement programme has from outside the data directory. */
export type Outside = {
  readonly clock: Clock;
  readonly timers: Timers;
  /** DO_NOT_TRACK */
  readonly doNotTrack: boolean;
  /** Whether a time server has set the kernel's clock; false where nobody knows. */
  readonly isSynchronised: () => boolean;
  /** Undefined: the settings name no cloud, and nothing is ever sent. */
  readonly cloud: Cloud | undefined;
  /** Versions of the notice, oldest first; undefined: those of the package. */
  readonly policies?: readonly Policy[] | undefined;
};
