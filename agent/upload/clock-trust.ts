/**
 * Is the clock of the device to be believed? A value that is asked and told, no clock itself. Two things
 * are compared: how far wall time and monotonic time have gone since the last anchor, and wall time with a
 * floor under which it cannot be. Nothing leaves before a witness has confirmed the time since the
 * agent started: the time server of the host, or the Date of an answer whose certificate was verified.
 *
 * The monotonic clock stands still while the device sleeps, so waking up looks like a jump: then the time
 * is in doubt until it is confirmed again.
 */
export type ClockTrust = {
  /** The agent was not built later than now. */
  readonly builtMs: number;
  /** It cannot be earlier than this. */
  readonly floorMs: number;
  /** Null: the clock has been below the floor since the start. */
  readonly anchor: ClockAnchor | null;
  /** Of the kernel's clock, as the host last said. */
  readonly ntpSynchronised: boolean;
};

/** At this monotonic moment it was `trueMs`, and the device's clock was ahead of that by `aheadMs`. */
type ClockAnchor = {
  readonly monotonicMs: number;
  readonly trueMs: number;
  readonly aheadMs: number;
  readonly by: 'start' | 'ntp' | 'server';
};

/** To be kept over restarts; says nothing of anybody. */
export type ClockMemory = {
  /** The latest moment that a witness has confirmed; 0: none yet. */
  readonly confirmedMs: number;
};

export type ClockEvent =
  | { readonly kind: 'looked'; readonly ntpSynchronised: boolean }
  /** The Date (or serverTime) of an answer over TLS whose certificate was verified. */
  | { readonly kind: 'server-date'; readonly serverMs: number };

export type ClockReading = { readonly wallMs: number; readonly monotonicMs: number };

/**
 * unset: before the agent was built; nothing is asked of the network, whose certificates would not be
 * valid either.
 * doubtful: below the floor, or it has jumped, or two witnesses contradict each other.
 * plausible: nothing speaks against it, and nothing has confirmed it since the start.
 * confirmed: by a witness since the start, and no jump since.
 * corrected: the device's clock is wrong, but a server has said by how much.
 */
export type ClockStanding = 'unset' | 'doubtful' | 'plausible' | 'confirmed' | 'corrected';

export type ClockJudgement = {
  readonly standing: ClockStanding;
  /** The best that is known of the time; with 'confirmed' it is the device's clock itself. */
  readonly wallMs: number;
};

/** `memory`: null where there is none. */
export function startClockTrust(
  known: { readonly builtMs: number; readonly memory: ClockMemory | null },
  now: ClockReading,
): ClockTrust {
  const { builtMs, memory } = known;
  const floorMs = Math.max(builtMs, memory?.confirmedMs ?? 0);
  return withAnchor({ builtMs, floorMs, anchor: null, ntpSynchronised: false }, now);
}

/** What an event makes of it. 'looked' is for a timer: a jump is seen at the next look. */
export function observeClock(trust: ClockTrust, event: ClockEvent, now: ClockReading): ClockTrust {
  switch (event.kind) {
    case 'looked':
      return looked(withAnchor({ ...trust, ntpSynchronised: event.ntpSynchronised }, now), now);
    case 'server-date':
      return told(trust, event.serverMs, now);
  }
}

export function judgeClock(trust: ClockTrust, now: ClockReading): ClockJudgement {
  const { anchor, builtMs, ntpSynchronised } = trust;
  const own = (standing: ClockStanding): ClockJudgement => ({ standing, wallMs: now.wallMs });
  if (now.wallMs < builtMs && anchor?.by !== 'server') return own('unset');
  if (anchor === null) return own('doubtful');
  const trueMs = anchor.trueMs + (now.monotonicMs - anchor.monotonicMs);
  const aheadMs = now.wallMs - trueMs;
  if (isSmall(aheadMs)) return own(anchor.by === 'start' ? 'plausible' : 'confirmed');
  // As wrong as the server found it: the difference is known. Any other difference is a new jump.
  const isKnown = anchor.by === 'server' && isSmall(aheadMs - anchor.aheadMs);
  if (isKnown && !ntpSynchronised) return { standing: 'corrected', wallMs: trueMs };
  return own(now.wallMs < builtMs ? 'unset' : 'doubtful');
}

/** May the cloud be asked for leave, which brings a verified date with it, but no record? */
export function mayAskCloud(standing: ClockStanding): boolean {
  return standing !== 'unset';
}

/** May a record leave? */
export function maySendBy(standing: ClockStanding): boolean {
  return standing === 'confirmed' || standing === 'corrected';
}

/** What to keep for the next start. */
export function clockMemoryOf(trust: ClockTrust): ClockMemory {
  return { confirmedMs: trust.floorMs > trust.builtMs ? trust.floorMs : 0 };
}

/** Seconds of the answer's way and of a slow clock are no jump; what would move a device within its window is. */
const toleranceMs = 5 * 60_000;

function isSmall(differenceMs: number): boolean {
  return Math.abs(differenceMs) <= toleranceMs;
}

/** A clock that was below the floor and now is not (the usual first minute without a battery) begins to count. */
function withAnchor(trust: ClockTrust, now: ClockReading): ClockTrust {
  if (trust.anchor !== null || now.wallMs < trust.floorMs) return trust;
  return { ...trust, anchor: anchorAt(now, now.wallMs, 'start') };
}

function looked(trust: ClockTrust, now: ClockReading): ClockTrust {
  const { anchor, ntpSynchronised, floorMs } = trust;
  if (anchor?.by === 'server') {
    const { standing } = judgeClock(trust, now);
    // Only what a verified server vouches for raises the floor: a time server's word is not signed, and
    // a false one would make the right time look too early from then on.
    return standing === 'confirmed' ? { ...trust, floorMs: Math.max(floorMs, now.wallMs) } : trust;
  }
  if (!ntpSynchronised || now.wallMs < floorMs) return trust;
  return { ...trust, anchor: anchorAt(now, now.wallMs, 'ntp') };
}

function told(trust: ClockTrust, serverMs: number, now: ClockReading): ClockTrust {
  // A server that lives before the agent was built is no witness.
  if (!Number.isFinite(serverMs) || serverMs < trust.builtMs) return trust;
  return {
    ...trust,
    // A floor above the server's date was raised by a wrong clock: a forward jump cannot freeze it.
    floorMs: serverMs >= trust.floorMs - toleranceMs ? Math.max(trust.floorMs, serverMs) : serverMs,
    anchor: anchorAt(now, serverMs, 'server'),
  };
}

function anchorAt(now: ClockReading, trueMs: number, by: ClockAnchor['by']): ClockAnchor {
  return { monotonicMs: now.monotonicMs, trueMs, aheadMs: now.wallMs - trueMs, by };
}
