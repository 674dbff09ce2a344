import { readdir } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { AgentError } from '../../errors.ts';
import type { Clock, FrameSource } from '../../ports.ts';
import type { Frame } from '../../vision/frame.ts';
import { systemTimers, type Timers } from '../process/clock.ts';
import { readPicture } from './image.ts';

export type FilesOptions = {
  /** A folder (its JPEG, PNG and WebP files in natural order: 2 before 10), or files in the order given. */
  readonly pictures: string | readonly string[];
  /**
   * 'every': each picture once, however long the consumer takes; `sourceId` of a frame is its file name.
   * 'newest': as a camera; what was due while the consumer was busy is dropped; `sourceId` is the source's.
   */
  readonly mode: 'every' | 'newest';
  /** Pictures a second. Absent: as fast as they are taken ('every'), or 10 ('newest'). */
  readonly fps?: number;
  /** After the last picture the first again. */
  readonly loop?: boolean;
  readonly clock: Clock;
  readonly id?: string;
  readonly timers?: Timers;
  /** A picture that cannot be read is told here and skipped. */
  readonly onSkipped: (file: string, error: AgentError) => void;
};

/**
 * Pictures as frames: for tests, demonstration and evaluation. INPUT_MISSING: no such folder, or
 * nothing to read. SOURCE_LOST: a whole round without one picture that can be read.
 */
export async function openFilesSource(options: FilesOptions): Promise<FrameSource> {
  const { pictures, mode, loop = false, clock, onSkipped } = options;
  const { id = 'files', timers = systemTimers } = options;
  const files = typeof pictures === 'string' ? await picturesIn(pictures) : pictures;
  if (files.length === 0) throw new AgentError('INPUT_MISSING', 'there is no picture to read');
  const fps = options.fps ?? (mode === 'newest' ? 10 : undefined);
  const periodMs = fps === undefined ? 0 : 1000 / fps;
  const openedAtMs = clock.monotonicMs();
  /** Number of the next picture; goes on counting over the rounds of a loop. */
  let position = 0;
  let dropped = 0;
  /** Since the last picture that could be read. */
  let unreadable = 0;
  let failure: AgentError | undefined;
  let lent: Uint8Array | undefined;
  let closed = false;
  let wake = () => {};

  async function next(): Promise<Frame | undefined> {
    takeBack();
    while (!closed && (loop || position < files.length)) {
      await untilDue();
      if (closed) break;
      const frame = await read(files[position++ % files.length] ?? '');
      if (failure) throw failure;
      if (closed) frame?.data.fill(0);
      else if (frame) return lend(frame);
    }
    if (failure) throw failure;
    return undefined;
  }

  /** Waits for the picture that comes next; in 'newest', leaves out those whose time has passed. */
  async function untilDue(): Promise<void> {
    const nowMs = clock.monotonicMs();
    if (mode === 'newest') {
      // The first one comes a period after the opening, as from a camera.
      const due = Math.floor((nowMs - openedAtMs) / periodMs) - 1;
      const newest = loop ? due : Math.min(due, files.length - 1);
      dropped += Math.max(0, newest - position);
      position = Math.max(position, newest);
    }
    const waitMs = openedAtMs + (position + (mode === 'newest' ? 1 : 0)) * periodMs - nowMs;
    if (waitMs <= 0) return;
    await new Promise<void>((resolve) => {
      const cancel = timers.after(waitMs, resolve);
      wake = () => {
        cancel();
        resolve();
      };
    });
  }

  async function read(path: string): Promise<Frame | undefined> {
    try {
      const frame = await readPicture(path, { capturedAtMs: clock.monotonicMs() });
      unreadable = 0;
      return frame;
    } catch (cause) {
      if (!(cause instanceof AgentError)) throw cause;
      onSkipped(basename(path), cause);
      unreadable++;
      if (unreadable === files.length) {
        const message = `${id}: none of ${files.length} pictures can be read`;
        failure = new AgentError('SOURCE_LOST', message, { cause });
      }
      return undefined;
    }
  }

  function lend(frame: Frame): Frame {
    lent = frame.data;
    return mode === 'every' ? frame : { ...frame, sourceId: id };
  }

  function takeBack(): void {
    lent?.fill(0);
    lent = undefined;
  }

  return {
    id,
    next,
    get dropped() {
      return dropped;
    },
    close: async () => {
      closed = true;
      takeBack();
      wake();
    },
  };
}

const naturally = new Intl.Collator('en', { numeric: true });

async function picturesIn(folder: string): Promise<readonly string[]> {
  const names = await readdir(folder).catch((cause: unknown) => {
    throw new AgentError('INPUT_MISSING', `${folder}: there is no such folder`, { cause });
  });
  return names
    .filter((name) => /^[^.].*\.(jpe?g|png|webp)$/i.test(name))
    .sort(naturally.compare)
    .map((name) => join(folder, name));
}
