import type { Place } from '../../agent/agent.ts';
import { systemClock } from '../../agent/io/process/clock.ts';
import { createAttemptRecorder } from '../../agent/io/programme/attempt-recorder.ts';
import { createAttemptRing, ringConsumer } from '../../agent/io/programme/attempt-ring.ts';
import type { RecognizerParts } from '../../agent/recognition/recognizer.ts';
import type { BenchFrame } from './frames.ts';
import { openOurs } from './ours.ts';
import { type Spread, spread } from './timing.ts';

/** What recording an attempt may cost the hot path, at the 99th percentile. */
export const recordLimitUs = 50;

export type RecordingCost = {
  /** One attempt into the ring, in the midst of the hot path; and the same when nobody listens. */
  readonly recordUs: Spread;
  readonly unheardUs: Spread;
  /** Raw frame to decision, without a ring and with one that is listened to, in turn. */
  readonly withoutMs: Spread;
  readonly withMs: Spread;
};

const dimensions = 512;
const warmUp = 10;

/** Every frame goes through three doors, first one, then another: without a ring, recorded, and unheard. */
export async function recordingCost(
  place: Place,
  frames: readonly BenchFrame[],
  rounds: number,
): Promise<RecordingCost> {
  const [heard, unheard] = [timedRecorder(), timedRecorder()];
  heard.consumer.listen(true);
  const doors = [
    { door: await openOurs(place, 1000), timesMs: [] as number[] },
    { door: await openOurs(place, 1000, heard.onAttempt), timesMs: [] as number[] },
    { door: await openOurs(place, 1000, unheard.onAttempt), timesMs: [] as number[] },
  ];
  for (let n = -warmUp; n < rounds; n++) {
    const frame = frames[(n + warmUp) % frames.length];
    if (!frame) throw new TypeError('there is no frame to measure with');
    for (let turn = 0; turn < doors.length; turn++) {
      const { door, timesMs } = doors[(n + warmUp + turn) % doors.length] ?? {};
      const start = performance.now();
      await door?.recognise(frame.raw);
      if (n >= 0) timesMs?.push(performance.now() - start);
    }
    // As the programme does once a second, untimed.
    if (n % 50 === 0) heard.consumer.take(1000, () => {});
  }
  for (const { door } of doors) await door.close();
  if (heard.consumer.dropped() > 0) throw new Error('attempts were dropped: nothing was measured');
  return {
    recordUs: spread(heard.timesUs),
    unheardUs: spread(unheard.timesUs),
    withoutMs: spread(doors[0]?.timesMs ?? []),
    withMs: spread(doors[1]?.timesMs ?? []),
  };
}

function timedRecorder() {
  const ring = createAttemptRing(dimensions);
  const record = createAttemptRecorder(ring, systemClock);
  const timesUs: number[] = [];
  let left = warmUp;
  const onAttempt: RecognizerParts['onAttempt'] = (event, embedding) => {
    // The compiler's turn, which comes once in the life of the process.
    for (let n = 0; left > 0 && n < 50; n++) record(event, embedding);
    if (left-- > 0) return;
    const start = performance.now();
    record(event, embedding);
    timesUs.push(1000 * (performance.now() - start));
  };
  return { consumer: ringConsumer(ring), onAttempt, timesUs };
}
