/** The relay of the door at work: which events open it, and what is logged of that. */
import { createRelayRule } from './access/relay-order.ts';
import type { Config } from './config.ts';
import type { SourceLost } from './io/camera/frame-pump.ts';
import { systemClock } from './io/process/clock.ts';
import type { Log } from './io/process/log.ts';
import { startRelay } from './io/relay/relay.ts';
import { type StartHolder, startHolderOf } from './io/relay/start-holder.ts';
import type { RecognitionEvent } from './recognition/event.ts';

export type DoorRelay = {
  /** Returns at once, and never throws. */
  onEvent(event: RecognitionEvent | SourceLost): void;
  close(): Promise<void>;
};

/** With it the door opens, so only an agent at work has one: not the demo, nor a measurement. */
export function openDoorRelay(config: Config, log: Log, start: StartHolder): DoorRelay {
  const rule = createRelayRule({
    maxAgeMs: config['freshness.maxAgeMs'],
    holdMs: config['relay.holdMs'],
  });
  const relay = startRelay({
    startHolder: start,
    clock: systemClock,
    onFault: ({ attempt, exitCode }) =>
      log.error('relay-restarted', { attempt, ...(exitCode === null ? {} : { exitCode }) }),
  });

  async function open(holdMs: number, capturedAtMs: number): Promise<void> {
    const outcome = await relay.pulse(holdMs);
    switch (outcome.kind) {
      case 'opened':
        return log.info('relay-opened', { elapsedMs: systemClock.monotonicMs() - capturedAtMs });
      case 'already-open':
        return log.info('relay-failed', { relay: outcome.kind });
      case 'failed':
        return log.error('relay-failed', { relay: outcome.reason });
    }
  }

  return {
    onEvent(event) {
      const order = rule.orderFor(event, systemClock.monotonicMs());
      if (order.kind === 'open' && 'capturedAtMs' in event) {
        void open(order.holdMs, event.capturedAtMs);
      }
    },
    close: relay.close,
  };
}

/** What holds the line of the settings; undefined: none is set. */
export function relayHolderOf(config: Config): StartHolder | undefined {
  const { 'relay.chip': chip, 'relay.line': line, 'relay.activeLow': activeLow } = config;
  return chip === null || line === null ? undefined : startHolderOf({ chip, line, activeLow });
}
