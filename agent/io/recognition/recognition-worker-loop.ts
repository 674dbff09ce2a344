import type { MessagePort } from 'node:worker_threads';
import { AgentError, type ErrorCode } from '../../errors.ts';
import type { Frame } from '../../vision/frame.ts';

/** A frame without its pixels: these lie in the slot. */
type FrameHeader = Omit<Frame, 'data'> & { readonly sizeBytes: number };

export type ToWorker =
  | { readonly kind: 'slot'; readonly slot: SharedArrayBuffer }
  | { readonly kind: 'recognise'; readonly header: FrameHeader }
  | { readonly kind: 'forget' }
  | { readonly kind: 'close' };

/** An error of either side, as it crosses the boundary. */
export type Fault = { readonly code: ErrorCode; readonly message: string };

export type FromWorker<Event> =
  | { readonly kind: 'ready' }
  | { readonly kind: 'not-ready'; readonly fault: Fault }
  | { readonly kind: 'recognised'; readonly events: readonly Event[] }
  | { readonly kind: 'failed'; readonly fault: Fault };

export type ServedRecognizer<Event> = {
  /** The frame's memory is overwritten as soon as the promise settles. */
  recognise(frame: Frame): Promise<readonly Event[]>;
  /** Nothing moves any more: whatever was kept of the visitors is overwritten. */
  forget(): void;
  close(): Promise<void>;
};

/**
 * The worker's side of `startRecognitionThread`: opens the recognizer, then answers one request after
 * the other. The slot is overwritten with zeros before each answer. If `open` fails, the main thread is
 * told why and the worker ends.
 */
export async function serveRecognition<Event>(
  port: MessagePort,
  open: () => Promise<ServedRecognizer<Event>>,
): Promise<void> {
  const tell = (message: FromWorker<Event>) => port.postMessage(message);
  let slot = new SharedArrayBuffer(0);
  let recognizer: ServedRecognizer<Event> | undefined;

  async function answer(message: ToWorker): Promise<void> {
    switch (message.kind) {
      case 'slot':
        slot = message.slot;
        return;
      case 'recognise':
        return recognise(message.header);
      case 'forget':
        return recognizer?.forget();
      case 'close':
        await recognizer?.close();
        port.close();
    }
  }

  async function recognise({ sizeBytes, ...header }: FrameHeader): Promise<void> {
    const data = new Uint8Array(slot, 0, sizeBytes);
    try {
      if (!recognizer) throw new TypeError('a frame came before the recognizer was open');
      const events = await recognizer.recognise({ ...header, data });
      data.fill(0);
      tell({ kind: 'recognised', events });
    } catch (error) {
      data.fill(0);
      tell({ kind: 'failed', fault: faultOf(error) });
    }
  }

  const opened = (async () => {
    recognizer = await open();
    tell({ kind: 'ready' });
  })().catch((error: unknown) => {
    tell({ kind: 'not-ready', fault: faultOf(error) });
    port.close();
  });

  /** In the order of arrival: 'close' waits for the frame that is being examined. */
  let queue = opened;
  port.on('message', (message: ToWorker) => {
    queue = queue.then(() => answer(message));
  });
  await opened;
}

function faultOf(error: unknown): Fault {
  if (error instanceof AgentError) return { code: error.code, message: error.message };
  return { code: 'INTERNAL', message: error instanceof Error ? error.message : String(error) };
}
