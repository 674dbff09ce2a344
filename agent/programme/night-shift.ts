import { AgentError } from '../errors.ts';
import { hmacSha256, md5Base64, sha256Hex } from '../io/files/digests.ts';
import { gzip } from '../io/files/gzip.ts';
import { randomSecret } from '../io/process/chance.ts';
import { type Nightly, planNight, startNightly } from '../upload/nightly.ts';
import type { UploadPorts } from '../upload/pass.ts';
import type { NightReport } from '../upload/uploader.ts';
import { uploadNight } from '../upload/uploader.ts';
import { type NightWindow, nextWindow } from '../upload/window.ts';

/** What a pass works with, besides what the shift itself brings. */
export type NightPorts = Omit<UploadPorts, 'sealing' | 'random' | 'maxNightBytes'>;

export type NightShift = {
  /** For a timer: sees to it that a pass begins in every night's window while one is needed, and in none otherwise. */
  work(): void;
  /** Ends the pass that is under way; resolves when nothing more of it will happen. */
  stop(): Promise<'none' | 'stopped'>;
  /** When the next pass begins; null: nothing is ever sent. */
  nextMs(): number | null;
  /** How the last pass of this process ended; null: none has. */
  readonly last: NightReport['end'] | { readonly kind: 'failed'; readonly code: string } | null;
};

/** No more than this travels in one night; the rest waits for the next. */
const maxNightBytes = 4 * 1024 * 1024;

/** `ports` undefined: the settings name no cloud. */
export function createNightShift(
  ports: NightPorts | undefined,
  around: {
    /** Of the grant, so that no two devices keep step. */
    readonly secret: () => string;
    /** Something is granted, or ordered: otherwise nobody looks at the clock. */
    readonly isNeeded: () => boolean;
  },
): NightShift {
  let nightly: Nightly | undefined;
  let isPassing = false;
  let stopping = 0;
  let last: NightShift['last'] = null;
  const draw = (localDate: string) => hmacSha256(around.secret(), localDate);

  function started(nightPorts: NightPorts): Nightly {
    const { clock, toLocalTime, timers } = nightPorts;
    const sealing = { compress: gzip, sha256: sha256Hex, md5: md5Base64 };
    const all = { ...nightPorts, sealing, random: randomSecret, maxNightBytes };
    return startNightly({
      clock,
      toLocalTime,
      timers,
      random: randomSecret,
      draw,
      pass: async (window: NightWindow, signal: AbortSignal) => {
        isPassing = true;
        try {
          last = (await uploadNight(all, window, signal)).end;
        } finally {
          isPassing = false;
        }
      },
      onFault: (fault) => {
        last = { kind: 'failed', code: fault instanceof AgentError ? fault.code : 'INTERNAL' };
      },
    });
  }
  async function stop(): Promise<'none' | 'stopped'> {
    const stopped = nightly;
    const wasPassing = isPassing;
    nightly = undefined;
    stopping += 1;
    await stopped?.stop();
    stopping -= 1;
    return wasPassing ? 'stopped' : 'none';
  }
  return {
    work() {
      if (ports === undefined || stopping > 0) return;
      const isNeeded = around.isNeeded();
      if (nightly && !isNeeded) void stop();
      if (nightly || !isNeeded) return;
      // First: without a time zone there is no night, and who asked hears of it here.
      nextWindow(ports.clock.judge().wallMs, ports.toLocalTime);
      nightly = started(ports);
    },
    stop,
    nextMs() {
      if (ports === undefined || !around.isNeeded()) return null;
      if (nightly) return nightly.nextTryMs();
      // In a window that is open already, as who comes late would: never a moment that is over.
      const { wallMs } = ports.clock.judge();
      const { toLocalTime } = ports;
      return planNight({ toLocalTime, random: randomSecret, draw }, wallMs, undefined).tryMs;
    },
    get last() {
      return last;
    },
  };
}
