import type { RecognitionEvent } from '../recognition/event.ts';
import { isFresh } from '../recognition/freshness.ts';

/** What the relay of the door is to do about one event. */
export type RelayOrder =
  | { readonly kind: 'open'; readonly holdMs: number }
  | { readonly kind: 'none'; readonly reason: 'no-match' | 'stale' | 'repeated' | 'source-lost' };

/** Of the camera's end nothing matters here but that it came. */
type DoorEvent = RecognitionEvent | { readonly kind: 'source-lost' };

export type RelayRule = {
  /** `nowMs`: the moment in which the relay would be given the order, by the monotonic clock. */
  orderFor(event: DoorEvent, nowMs: number): RelayOrder;
};

/**
 * A match opens the door, if the camera saw the resident no longer than `maxAgeMs` ago and later than whatever
 * opened the door before: no event opens it twice, and none that was overtaken. Without a camera nothing does.
 */
export function createRelayRule(settings: {
  readonly maxAgeMs: number;
  readonly holdMs: number;
}): RelayRule {
  let openedForMs = Number.NEGATIVE_INFINITY;
  let isLost = false;

  function orderFor(event: DoorEvent, nowMs: number): RelayOrder {
    if (event.kind === 'source-lost') isLost = true;
    if (isLost) return { kind: 'none', reason: 'source-lost' };
    if (event.kind !== 'match') return { kind: 'none', reason: 'no-match' };
    if (!isFresh(event.capturedAtMs, nowMs, settings.maxAgeMs)) {
      return { kind: 'none', reason: 'stale' };
    }
    if (event.capturedAtMs <= openedForMs) return { kind: 'none', reason: 'repeated' };
    openedForMs = event.capturedAtMs;
    return { kind: 'open', holdMs: settings.holdMs };
  }

  return { orderFor };
}
