import { decisionOf, openVision, type Place } from '../../agent/agent.ts';
import { createGallery } from '../../agent/gallery/gallery.ts';
import { search } from '../../agent/gallery/search.ts';
import { randomKey } from '../../agent/io/process/chance.ts';
import { systemClock } from '../../agent/io/process/clock.ts';
import type { RecognitionEvent } from '../../agent/recognition/event.ts';
import { createRecognizer, type RecognizerParts } from '../../agent/recognition/recognizer.ts';
import { createProtector } from '../../agent/template/protect.ts';
import { templateBytes } from '../../agent/template/template.ts';
import type { Frame } from '../../agent/vision/frame.ts';

export type Ours = {
  recognise(frame: Frame): Promise<RecognitionEvent[]>;
  close(): Promise<void>;
};

/** The agent's own hot path, every frame an attempt, with a gallery of random templates. */
export async function openOurs(
  place: Place,
  residents: number,
  onAttempt?: RecognizerParts['onAttempt'],
): Promise<Ours> {
  const vision = await openVision(place);
  const { kernels, entry, pipeline } = vision;
  const { sha256: modelSha256, dimensions } = entry;
  const keyed = { rootKey: randomKey(), modelSha256, version: 1, dimensions, kernels };
  const protector = createProtector(keyed);
  const gallery = createGallery({ modelSha256, version: 1, capacity: residents });
  for (let n = 0; n < residents; n++) {
    const code = new Uint8Array(templateBytes);
    crypto.getRandomValues(code);
    gallery.add(`R-${n}`, { code, modelSha256, version: 1 });
  }
  const recognizer = createRecognizer({
    pipeline,
    protector,
    search: (probe) => search(gallery, probe, kernels),
    onAttempt,
    decision: decisionOf(place.config, entry),
    clock: systemClock,
    faces: 'best',
    maxAgeMs: Number.MAX_SAFE_INTEGER,
  });
  return {
    recognise: (frame) =>
      recognizer.recognise({ ...frame, capturedAtMs: systemClock.monotonicMs() }),
    close: async () => {
      protector.wipe();
      await vision.close();
    },
  };
}
