/**
 * What the virtual machine sees and knows: `node material.ts FOLDER` writes frames (visit.nv12, porch.nv12) and a data
 * directory in which the visitor is enrolled from other pictures. Without pictures it
 * writes frames that show nobody, and says so.
 */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { AgentError } from '../../agent/errors.ts';
import { demoFrameBytes, openDemoCamera } from '../../agent/io/camera/demo-camera.ts';
import { type DemoMaterial, findDemoMaterial } from '../../agent/io/camera/demo-material.ts';
import { systemClock } from '../../agent/io/process/clock.ts';

const folder = process.argv[2] ?? '';
const data = join(folder, 'data');
mkdirSync(data, { recursive: true, mode: 0o700 });
const material = materialHere();
if (material) await prepare(material);
else showNobody();

function materialHere(): DemoMaterial | undefined {
  try {
    return findDemoMaterial();
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    console.error(`kernel: skipped, the door decides: ${error.message}`);
    return undefined;
  }
}

async function prepare({ residents, visits }: DemoMaterial): Promise<void> {
  const [resident] = residents;
  const visit = visits.find(({ expected }) => expected === resident?.id);
  if (!resident || !visit) throw new Error('the pictures show no resident who comes to the door');
  enrol(resident);
  passOnPreparations();
  const frames: Uint8Array[] = [];
  const camera = openDemoCamera([visit], systemClock);
  for (let frame = await camera.next(); frame; frame = await camera.next()) {
    frames.push(frame.data.slice());
  }
  await camera.close();
  // The first frames are of the visit, the last of the empty porch.
  writeFileSync(join(folder, 'visit.nv12'), Buffer.concat(frames.slice(0, 6)));
  writeFileSync(join(folder, 'porch.nv12'), frames.at(-1) ?? new Uint8Array());
  writeFileSync(join(folder, 'resident'), resident.id);
}

/** Stripes, for the camera alone. */
function showNobody(): void {
  const stripes = (step: number) => new Uint8Array(demoFrameBytes).map((_, i) => (i * step) & 255);
  writeFileSync(join(folder, 'visit.nv12'), Buffer.concat([3, 5, 7, 11, 13, 17].map(stripes)));
  writeFileSync(join(folder, 'porch.nv12'), stripes(0));
}

/** From those of the photos that are good enough: one at least. */
function enrol({ id, photos }: DemoMaterial['residents'][number]): void {
  const launcher = fileURLToPath(new URL('../doorkeep', import.meta.url));
  let enrolled = 0;
  for (const photo of photos) {
    const add = enrolled > 0 ? ['--add'] : [];
    const words = ['enrol', '--id', id, '--photo', photo, ...add, '--data-dir', data];
    if (spawnSync(launcher, words, { stdio: 'ignore' }).status === 0) enrolled++;
  }
  if (enrolled === 0) throw new Error(`none of ${photos.length} photos is good enough to enrol`);
}

/**
 * In which form a model is loaded is measured once on each device, which takes minutes in emulation: what this
 * machine has found stands for the emulated one.
 */
function passOnPreparations(): void {
  const index = join(data, 'models', 'models.json');
  const found = readFileSync(index, 'utf8');
  writeFileSync(
    index,
    found.replaceAll(`"architecture": "${process.arch}"`, '"architecture": "arm64"'),
  );
}
