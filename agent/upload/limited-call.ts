import type { Call, NoReply, RequestFacts } from './cloud-port.ts';
import type { Timers } from './timers.ts';

/**
 * One call to the cloud, given up after 30 s or when the signal is aborted: at once, even if the adapter does
 * not notice. What a call that was given up may still bring does not count; its requests are reported.
 */
export async function limitedCall<T>(
  make: (call: Call) => Promise<T>,
  options: {
    readonly signal: AbortSignal;
    readonly timers: Timers;
    readonly onRequest: (request: RequestFacts) => void;
  },
): Promise<T | NoReply> {
  const { signal, timers, onRequest } = options;
  const controller = new AbortController();
  const given = Promise.withResolvers<NoReply>();
  const giveUp = (fault: 'timeout' | 'aborted') => {
    given.resolve({ kind: 'no-reply', fault });
    controller.abort();
  };
  const onAbort = () => giveUp('aborted');
  if (signal.aborted) return { kind: 'no-reply', fault: 'aborted' };
  signal.addEventListener('abort', onAbort);
  const cancel = timers.after(callLimitMs, () => giveUp('timeout'));
  try {
    return await Promise.race([make({ signal: controller.signal, onRequest }), given.promise]);
  } finally {
    cancel();
    signal.removeEventListener('abort', onAbort);
  }
}

/** 256 KiB at 9 kB/s. A black hole, or a byte a second, must not hold up the night. */
export const callLimitMs = 30_000;
