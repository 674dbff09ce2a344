import { statSync } from 'node:fs';
import { AgentError } from '../../errors.ts';
import type { FrameSource } from '../../ports.ts';
import { frameSizeBytes } from '../../vision/frame.ts';
import { systemClock } from '../process/clock.ts';
import type { Log } from '../process/log.ts';
import { loadOpenCamera } from '../process/native.ts';
import { startExecSource } from './frame-exec.ts';
import { openFilesSource } from './frame-files.ts';
import { frameSize, rawFrameSpec } from './frame-parser.ts';
import { openStdinSource } from './frame-stdin.ts';
import { openV4l2Source } from './frame-v4l2.ts';
import { longSide } from './image.ts';
import { cameraFormats } from './native-camera.ts';

/** Where frames come from, as a command line says it: exactly one of `v4l2`, `exec`, `stdin`, `files`. */
export type SourceOptions = {
  /** A camera's device. */
  readonly v4l2?: string;
  readonly exec?: string;
  readonly stdin?: boolean;
  /** A folder, or pictures. */
  readonly files?: readonly string[];
  readonly format?: string;
  readonly size?: string;
  readonly fps?: number;
  readonly loop?: boolean;
};

/** A camera that brought frames for this long has come back: its next failure is the first again. */
const steadyMs = 10_000;

export type OpenedSource = { readonly source: FrameSource; readonly maxFrameBytes: number };

/** @throws USAGE CONFIG_INVALID INPUT_MISSING SOURCE_LOST */
export async function openSource(options: SourceOptions, log: Log): Promise<OpenedSource> {
  const { v4l2, exec, stdin, files, fps, loop = false } = options;
  const given = [v4l2, exec, stdin, files].filter((option) => option !== undefined);
  if (given.length !== 1) {
    throw new AgentError('USAGE', 'give one source of frames: --v4l2, --exec, --stdin or --files');
  }
  if (v4l2 !== undefined) return openCamera(v4l2, options);
  const clock = systemClock;
  if (files !== undefined) {
    if (fps !== undefined && !(fps > 0 && fps <= 120)) {
      throw new AgentError('USAGE', '--fps is a number above 0, at most 120');
    }
    const onSkipped = (_file: string, { code }: AgentError) =>
      log.warn('picture-skipped', { code });
    const [only = ''] = files;
    const pictures = files.length === 1 && isFolder(only) ? only : files;
    const paced = { pictures, mode: 'newest', loop, clock, onSkipped } as const;
    const source = await openFilesSource(fps === undefined ? paced : { ...paced, fps });
    return { source, maxFrameBytes: frameSizeBytes('rgb24', longSide, longSide) };
  }
  if (options.format === undefined || options.size === undefined) {
    throw new AgentError('USAGE', 'raw frames need --format and --size');
  }
  const spec = rawFrameSpec(options.format, options.size);
  const maxFrameBytes = frameSizeBytes(spec.format, spec.width, spec.height);
  if (exec === undefined)
    return { source: openStdinSource(process.stdin, { spec, clock }), maxFrameBytes };
  const onRestart = ({ attempt }: { attempt: number }) => log.warn('source-restarted', { attempt });
  return {
    source: startExecSource({ command: exec, spec, clock, steadyMs, onRestart }),
    maxFrameBytes,
  };
}

/** A camera says itself what it gives; `--format` and `--size` choose among that. */
function openCamera(path: string, { format, size }: SourceOptions): OpenedSource {
  const known = cameraFormats.find((name) => name === format);
  if (format !== undefined && !known) {
    throw new AgentError(
      'CONFIG_INVALID',
      `camera format "${format}" is none of ${cameraFormats.join(', ')}`,
    );
  }
  const loaded = loadOpenCamera();
  if (loaded.kind === 'absent') throw new AgentError('SOURCE_LOST', `v4l2: ${loaded.reason}`);
  return openV4l2Source({
    path,
    format: known,
    size: size === undefined ? undefined : frameSize(size),
    openCamera: loaded.openCamera,
  });
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}
