import type { StageTimes } from '../recognition/stopwatch.ts';
import type { Embedding } from '../template/template.ts';

/** What the device knows about now. */
export type Moment = {
  readonly wallMs: number;
  readonly monotonicMs: number;
  /** False: nothing has confirmed the date and time since the device started. */
  readonly clockTrusted: boolean;
};

/** A moment as the clock on the wall of the house shows it. */
export type LocalTime = {
  /** 'YYYY-MM-DD' */
  readonly date: string;
  /** 0…23 */
  readonly hour: number;
  /** East of Greenwich is positive. */
  readonly utcOffsetMinutes: number;
};

/** The time zone is an argument too. */
export type ToLocalTime = (wallMs: number) => LocalTime;

/** One identification as the door saw it: more than may be kept of it. */
export type Attempt = {
  readonly at: Moment;
  /** Undefined: there was no face, or none that could be used. Read during the call, never kept. */
  readonly embedding: Embedding | undefined;
  readonly result: 'success' | 'failure';
  /** Why not, coarsely; null for a success. */
  readonly reason: FailureReason | null;
  /** Best comparison score, -1…1; null: nobody to compare with. */
  readonly bestScore: number | null;
  /** Capture to decision, by the monotonic clock. */
  readonly overheadMs: number;
  /** Of the stages that were reached, in milliseconds. */
  readonly stagesMs: StageTimes;
};

/** The closed list: never a message, never a number of another program. */
export const failureReasons = [
  'no-face',
  'low-quality',
  'attack',
  'no-match',
  'ambiguous',
  'stale',
  'camera-lost',
  'model-failed',
] as const;
export type FailureReason = (typeof failureReasons)[number];

/** Takes attempts in and lets out, later, what may be known of them. */
export type Collector<T> = {
  record(attempt: Attempt): void;
  /** What is due at this moment; each thing is handed out once. */
  release(now: Moment): readonly T[];
  /** What may still be handed out when the process stops, now; the rest is forgotten. */
  flush(): readonly T[];
  /** Forgets everything. */
  end(): void;
  /** Attempts that found no room. */
  readonly dropped: number;
};
