/** The whole way on an embedded set: residents are enrolled, visitors come to the door, it decides. */
import { modelFilesOf, modelsInUse, openVision, type Place } from './agent.ts';
import { runDoor } from './door.ts';
import { demoFrameBytes, openDemoCamera } from './io/camera/demo-camera.ts';
import { type DemoMaterial, type DemoVisit, findDemoMaterial } from './io/camera/demo-material.ts';
import { readPicture } from './io/camera/image.ts';
import { namesOf } from './io/models/model-choice.ts';
import { systemClock } from './io/process/clock.ts';
import { peakMemoryBytes } from './io/process/host.ts';
import { createLog } from './io/process/log.ts';
import { enrolResident } from './operations.ts';
import type { RecognitionEvent } from './recognition/event.ts';
import { quantile } from './recognition/quantile.ts';
import { openResidents } from './residents.ts';

export type DemoOutput = {
  readonly onEnrolled: (enrolled: DemoEnrolment) => void;
  readonly onDecision: (visit: DemoVisit, event: RecognitionEvent) => void;
};

export type DemoEnrolment = {
  readonly id: string;
  readonly templates: number;
  /** Photos the quality gate refused, and why. */
  readonly refused: readonly string[];
};

export type DemoSummary = {
  readonly residents: number;
  readonly visits: number;
  readonly frames: number;
  readonly matches: number;
  readonly noMatches: number;
  /** Neither: poor pictures, attacks, ambiguous or late ones. */
  readonly others: number;
  /** A stranger let in, or a resident taken for another. */
  readonly wrong: number;
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly peakMemoryBytes: number;
};

/** @throws INPUT_MISSING (no pictures to show) MODEL_MISSING … */
export async function runDemo(place: Place, output: DemoOutput): Promise<DemoSummary> {
  const files = modelFilesOf(place);
  const inUse = modelsInUse(place);
  for (const name of namesOf(inUse)) await files.find(name);
  const isBuiltIn = files.entry(inUse.embedding.name).builtin;
  const material = findDemoMaterial(isBuiltIn ? 'built-in' : 'another');
  const residents = await enrolAll(place, material, output);
  const camera = openDemoCamera(material.visits, systemClock);
  const decided: { visit: DemoVisit; event: RecognitionEvent }[] = [];
  const counters = await runDoor(place, camera, demoFrameBytes, {
    log: createLog({ level: 'error', clock: systemClock }),
    onEvent: (event) => {
      if (event.kind === 'source-lost') return;
      const visit = camera.visitAt(event.capturedAtMs);
      if (!visit) return;
      decided.push({ visit, event });
      output.onDecision(visit, event);
    },
  });
  const count = (kind: RecognitionEvent['kind']) =>
    decided.filter(({ event }) => event.kind === kind).length;
  const totalsMs = decided.map(({ event }) => event.timesMs.total);
  const [matches, noMatches] = [count('match'), count('no-match')];
  return {
    residents,
    visits: material.visits.length,
    frames: counters.frames,
    matches,
    noMatches,
    others: decided.length - matches - noMatches,
    wrong: decided.filter(isWrong).length,
    p50Ms: quantile(totalsMs, 0.5),
    p95Ms: quantile(totalsMs, 0.95),
    peakMemoryBytes: peakMemoryBytes(),
  };
}

function isWrong({ visit, event }: { visit: DemoVisit; event: RecognitionEvent }): boolean {
  return event.kind === 'match' && event.residentId !== visit.expected;
}

/** Photo by photo, until there are enough: one that is refused does not keep the resident out. */
const templatesWanted = 2;

async function enrolAll(
  place: Place,
  { residents }: DemoMaterial,
  { onEnrolled }: DemoOutput,
): Promise<number> {
  const vision = await openVision(place);
  const open = await openResidents(place, vision);
  for (const { id, photos } of residents) {
    const refused: string[] = [];
    let templates = 0;
    for (const photo of photos) {
      if (templates === templatesWanted) break;
      const frame = await readPicture(photo);
      const application = {
        id,
        label: null,
        photos: [{ frame, label: null }],
        adds: templates > 0,
      };
      const result = await enrolResident(place, vision, open, application, systemClock.wallMs());
      frame.data.fill(0);
      if (result.kind === 'enrolled') templates += result.templates;
      else refused.push(...result.refusals.flatMap(({ reasons }) => reasons));
    }
    onEnrolled({ id, templates, refused });
  }
  const enrolled = open.store.residents().length;
  await open.close();
  await vision.close();
  return enrolled;
}
