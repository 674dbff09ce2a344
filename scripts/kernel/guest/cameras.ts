/** The virtual cameras and what is shown to them. */
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout } from 'node:timers/promises';
import { loadOpenCamera } from '../../../agent/io/process/native.ts';

export const size = { width: 640, height: 480 };
const frameBytes = (size.width * size.height * 3) / 2;
export const material = '/kernel';

/** Hears what is shown. */
export const input = videoNode('000-vid-cap');
export const output = videoNode('000-vid-out');
/** The other camera: multiplanar, with a test picture of its own. */
export const imageProcessor = videoNode('001-vid-cap');
export const openCamera = nativeCamera();

/** See feed.c. */
export const feed = spawn(`${material}/feed`, [output, input, `${size.width}`, `${size.height}`], {
  stdio: ['pipe', 'inherit', 'inherit'],
});

export async function show(what: 'visit' | 'porch'): Promise<void> {
  feed.stdin?.write(`${material}/${what}.nv12\n`);
  await setTimeout(500);
}

export function framesOf(name: string): Buffer[] {
  const all = readFileSync(`${material}/${name}.nv12`);
  const count = all.length / frameBytes;
  return Array.from({ length: count }, (_, i) =>
    all.subarray(i * frameBytes, (i + 1) * frameBytes),
  );
}

/** "/dev/video0" of the device whose name the kernel ends so. */
function videoNode(name: string): string {
  const classes = '/sys/class/video4linux';
  const node = readdirSync(classes).find((each) =>
    readFileSync(`${classes}/${each}/name`, 'utf8').includes(name),
  );
  if (node === undefined) throw new Error(`there is no ${name}`);
  return `/dev/${node}`;
}

function nativeCamera() {
  const loaded = loadOpenCamera();
  if (loaded.kind === 'absent') throw new Error(loaded.reason);
  return loaded.openCamera;
}
