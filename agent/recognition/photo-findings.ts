import type { PhotoFinding } from '../gallery/enrolment.ts';
import type { Candidate } from '../gallery/search.ts';
import type { Protector } from '../template/protect.ts';
import type { Embedding, Template } from '../template/template.ts';
import type { Face } from '../vision/face.ts';
import type { Frame } from '../vision/frame.ts';
import type { FacePipeline } from './face-pipeline.ts';

export type Photo = { readonly frame: Frame /** Of its pixels. */; readonly digest: string };
export type FoundPhoto = {
  readonly finding: PhotoFinding;
  readonly template: Template | undefined;
};

type Parts = {
  readonly pipeline: FacePipeline;
  /** Makes the templates that are to be enrolled. */
  readonly protector: Protector;
  /** The face by recognisers that some templates still are of. */
  readonly embedEarlier?: ((frame: Frame, face: Face) => Promise<Embedding[]>) | undefined;
  /** Everybody whom the door would recognise. Ends the life of the protector's probe. */
  readonly search: (embedding: Embedding, earlier: readonly Embedding[]) => readonly Candidate[];
  readonly isEnrolled: (residentId: string) => boolean;
};
type Looked = Pick<PhotoFinding, 'faces' | 'quality' | 'pad' | 'digest'> & {
  readonly embedding: Embedding | undefined;
  readonly earlier: readonly Embedding[];
};

/**
 * What each photo of an enrolment shows and whom it resembles, for `judgeEnrolment`; with the template it
 * would become. Embeddings are zeroed before this returns, pixels belong to the caller.
 */
export async function findInPhotos(
  photos: readonly Photo[],
  residentId: string,
  parts: Parts,
): Promise<FoundPhoto[]> {
  const looked: Looked[] = [];
  try {
    for (const photo of photos) looked.push(await look(photo, parts));
    return compare(looked, residentId, parts);
  } finally {
    for (const { embedding, earlier } of looked) {
      embedding?.values.fill(0);
      for (const { values } of earlier) values.fill(0);
    }
    parts.protector.forget();
  }
}

/** S2-7: of a photo with several faces nothing is computed, because nobody said which one is meant. */
async function look({ frame, digest }: Photo, parts: Parts): Promise<Looked> {
  const { pipeline } = parts;
  const faces = await pipeline.locate(frame);
  const [face] = faces;
  const nothing = {
    faces: faces.length,
    quality: [],
    pad: 'not-checked',
    digest,
    earlier: [],
  } as const;
  if (!face || faces.length > 1) return { ...nothing, embedding: undefined };
  const { quality, pad } = await pipeline.examine(frame, face, faces);
  const found = { faces: 1, quality: quality.reasons, pad: pad.kind, digest, earlier: [] };
  if (quality.reasons.length > 0) return { ...found, embedding: undefined };
  const embedding = await pipeline.embed(frame, face);
  if (!embedding) return { ...found, quality: ['NO_EMBEDDING'], embedding };
  const earlier = parts.embedEarlier ? await parts.embedEarlier(frame, face) : [];
  return { ...found, embedding, earlier };
}

function compare(looked: readonly Looked[], residentId: string, parts: Parts): FoundPhoto[] {
  const { protector, search, isEnrolled } = parts;
  const templates = looked.map(({ embedding }) => embedding && protector.template(embedding));
  return looked.map(({ embedding, earlier, ...seen }, index) => {
    if (!embedding) return { finding: { ...seen, ...incomparable }, template: undefined };
    const candidates = search(embedding, earlier);
    const probe = protector.probe(embedding);
    const own = candidates.find((candidate) => candidate.residentId === residentId)?.score;
    const finding = {
      ...seen,
      closestOther: candidates.find((candidate) => candidate.residentId !== residentId),
      // Too far away to be among the candidates is as unlike as can be.
      closestOwn: own ?? (isEnrolled(residentId) ? -1 : undefined),
      scores: templates.map((other, position) =>
        other && position !== index ? protector.softScore(probe, other.code) : undefined,
      ),
    };
    return { finding, template: templates[index] };
  });
}

const incomparable = { closestOther: undefined, closestOwn: undefined, scores: [] };
