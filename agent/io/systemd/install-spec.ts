import { resolve } from 'node:path';
import { AgentError } from '../../errors.ts';
import { listOf, nullOr, object, readShape, text, whole } from '../../shape.ts';
import type { SourceOptions } from '../camera/source-options.ts';
import { loadProcess } from '../process/native.ts';
import type { InstallSpec } from './install-plan.ts';

/** What an installer asks for. */
export type InstallOrder = {
  readonly program: string;
  readonly user: string;
  readonly dataDir: string;
  readonly memoryMaxMiB: number;
  /** Besides the camera and the relay. */
  readonly devices: readonly string[];
  readonly gpioChip: string | null;
  /** A settings file elsewhere than in the data directory, and settings over it ("name=value"). */
  readonly config: string | undefined;
  readonly set: readonly string[];
  /** The words after `doorkeep run`, and what they mean. */
  readonly runWords: readonly string[];
  readonly source: SourceOptions;
};

/** @throws USAGE, with every fault */
export function installSpec(order: InstallOrder): InstallSpec {
  const { program, user, dataDir, gpioChip, source, config, set, runWords } = order;
  const { v4l2, exec, files } = source;
  const read = readShape(orderShape, {
    ...{ user, gpioChip, memoryMaxMiB: order.memoryMaxMiB },
    dataDir: resolve(dataDir),
    program: resolve(program),
    devices: [v4l2 ?? [], gpioChip ?? [], order.devices].flat(),
  });
  const faults = 'faults' in read ? [...read.faults] : [];
  if ([v4l2, exec, files].every((each) => each === undefined)) {
    faults.push(
      'a service needs --v4l2, --exec or --files after --: nobody writes to its standard input',
    );
  }
  if ('faults' in read || faults.length > 0) throw new AgentError('USAGE', faults.join('; '));
  const { memoryMaxMiB, ...checked } = read.value;
  const settings = [
    ...(config === undefined ? [] : ['--config', resolve(config)]),
    ...set.flatMap((each) => ['--set', each]),
  ];
  return {
    ...checked,
    command: [checked.program, 'run', ...settings, ...runWords],
    groups: v4l2 === undefined ? [] : ['video'],
    memoryMaxBytes: memoryMaxMiB * 2 ** 20,
    notifies: loadProcess().kind === 'loaded',
  };
}

const path = text({ max: 400, pattern: /^\/[^\p{Cc}]+$/u, what: 'an absolute path' });

const orderShape = object({
  program: path,
  // As useradd(8) asks for.
  user: text({ max: 31, pattern: /^[a-z_][a-z0-9_-]*$/, what: 'the name of a user' }),
  dataDir: path,
  devices: listOf(text({ max: 400, pattern: /^\/dev\/[^\p{Cc}]+$/u, what: 'a path below /dev' }), {
    max: 16,
  }),
  gpioChip: nullOr(text({ max: 100, pattern: /^\/dev\/[\w-]+$/, what: 'a GPIO chip below /dev' })),
  /** With the smallest models the agent alone takes 96 MiB. */
  memoryMaxMiB: whole(96, 65_536),
});
