import { afterEach, beforeEach, expect, test } from 'vitest';
import { AgentError } from '../../errors.ts';
import type { FrameSource } from '../../ports.ts';
import { frameSizeBytes } from '../../vision/frame.ts';

/** A source under test and the hand that feeds it. */
export type SourceHarness = {
  readonly source: FrameSource;
  /** One frame all of whose bytes have this value; resolves when the source has it. */
  offer(value: number): Promise<void>;
  /** The source ends as it should; absent: one of its kind never does. */
  end?(): Promise<void>;
  /** The source fails. */
  lose(): Promise<void>;
  /** Frees what the hand holds. */
  dispose(): Promise<void>;
};

/** What the port FrameSource promises, for the fake and for every real source. */
export function frameSourceContract(make: () => Promise<SourceHarness>): void {
  let harness: SourceHarness;
  beforeEach(async () => {
    harness = await make();
  });
  afterEach(async () => {
    await harness.source.close();
    await harness.dispose();
  });

  test('a frame is whole and bears the name of its source', async () => {
    await harness.offer(7);
    const frame = await next();
    expect(frame.data.length).toBe(frameSizeBytes(frame.format, frame.width, frame.height));
    expect(frame.sourceId).toBe(harness.source.id);
    expect(new Set(frame.data)).toEqual(new Set([7]));
  });

  test('frames bear the time of their capture, which never goes back', async () => {
    await harness.offer(1);
    const { capturedAtMs } = await next();
    await harness.offer(2);
    expect(capturedAtMs).toBeGreaterThan(0);
    expect((await next()).capturedAtMs).toBeGreaterThanOrEqual(capturedAtMs);
  });

  test('who was busy gets the newest frame, and the others are counted', async () => {
    await harness.offer(1);
    await harness.offer(2);
    await harness.offer(3);
    expect((await next()).data[0]).toBe(3);
    expect(harness.source.dropped).toBe(2);
  });

  test('who waits gets the next frame, and no frame twice', async () => {
    const first = next();
    await harness.offer(4);
    expect((await first).data[0]).toBe(4);
    const second = next();
    await harness.offer(5);
    expect((await second).data[0]).toBe(5);
    expect(harness.source.dropped).toBe(0);
  });

  test('a frame does not change while it is being looked at', async () => {
    await harness.offer(1);
    const frame = await next();
    await harness.offer(2);
    await harness.offer(3);
    await harness.offer(4);
    expect(new Set(frame.data)).toEqual(new Set([1]));
  });

  test('S0-18 the pixels of a frame are gone when the next one is asked for', async () => {
    await harness.offer(77);
    const { data } = await next();
    const later = next();
    expect(data.includes(77)).toBe(false);
    await harness.offer(78);
    await later;
  });

  test('S0-18 closing leaves no pixel of a frame behind', async () => {
    await harness.offer(77);
    const { data } = await next();
    await harness.source.close();
    expect(data.includes(77)).toBe(false);
  });

  test('the end is told once the last frame was handed out, and again whenever asked', async ({
    skip,
  }) => {
    if (!harness.end) return skip('it ends only when it is closed');
    await harness.offer(9);
    await harness.end();
    expect((await next()).data[0]).toBe(9);
    expect(await harness.source.next()).toBeUndefined();
    expect(await harness.source.next()).toBeUndefined();
  });

  test('who waits when the source is lost is told SOURCE_LOST, and again whenever asked', async () => {
    const waiting = codeOf(harness.source.next());
    await harness.lose();
    expect(await waiting).toBe('SOURCE_LOST');
    expect(await codeOf(harness.source.next())).toBe('SOURCE_LOST');
  });

  test('closing ends a wait, may be done twice, and after it there is no frame', async () => {
    const waiting = harness.source.next();
    await harness.source.close();
    expect(await waiting).toBeUndefined();
    await harness.source.close();
    expect(await harness.source.next()).toBeUndefined();
  });

  async function next() {
    const frame = await harness.source.next();
    if (!frame) throw new Error('the source has ended');
    return frame;
  }
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const outcome = await promise.catch((error: unknown) => error);
  return outcome instanceof AgentError ? outcome.code : `no AgentError: ${String(outcome)}`;
}
