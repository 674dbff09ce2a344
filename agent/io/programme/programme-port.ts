import type { DoorFault } from '../../ueip/attempt-of-event.ts';
import type { Fault } from '../recognition/recognition-worker-loop.ts';

/** What the main thread and the thread of the improvement programme say to each other. */
export type ToProgramme =
  | {
      readonly kind: 'command';
      readonly id: number;
      readonly name: string;
      readonly order: unknown;
    }
  /** There is room for another piece. */
  | { readonly kind: 'more'; readonly id: number }
  /** Nobody takes any more pieces. */
  | { readonly kind: 'gone'; readonly id: number }
  | { readonly kind: 'door-fault'; readonly fault: DoorFault }
  | { readonly kind: 'refused'; readonly uid: number | null }
  | { readonly kind: 'close' };

export type FromProgramme =
  | { readonly kind: 'ready' }
  | { readonly kind: 'not-ready'; readonly fault: Fault }
  | { readonly kind: 'piece'; readonly id: number; readonly bytes: Uint8Array }
  | { readonly kind: 'done'; readonly id: number; readonly value: unknown }
  | { readonly kind: 'failed'; readonly id: number; readonly fault: Fault }
  /** Whether there is anything to do without being asked; if not, the thread may be ended. */
  | { readonly kind: 'needed'; readonly isNeeded: boolean };
