import { AgentError } from './errors.ts';
import {
  flag,
  isRecord,
  listOf,
  nullOr,
  number,
  oneOf,
  type Shape,
  type Shaped,
  text,
  unknownKey,
  whole,
} from './shape.ts';

type Setting<T> = { readonly shape: Shape<T>; readonly preset: NoInfer<T>; readonly help: string };

function setting<T>(shape: Shape<T>, preset: NoInfer<T>, help: string): Setting<T> {
  return { shape, preset, help };
}

const modelName = text({ max: 64, pattern: /^[a-z0-9][a-z0-9.-]*$/, what: 'the name of a model' });

/** Every setting: its type, its preset, what it does. `doorkeep doctor` and docs/operations.md show this table. */
export const settingTable = {
  'models.detection': setting(modelName, 'yunet-n-dynamic', 'detector of faces'),
  'models.embedding': setting(
    modelName,
    'face-reidentification-retail-0095',
    'recogniser; templates of another recogniser are never compared',
  ),
  'models.pad': setting(
    listOf(modelName, { max: 4 }),
    [],
    'presentation-attack detectors; none: the outcome says not-checked',
  ),
  'models.quality': setting(nullOr(modelName), null, 'face quality model; null: not-checked'),
  'inference.threads': setting(whole(1, 4), 1, 'threads of one inference'),
  'detection.inputWidth': setting(
    whole(64, 1280),
    320,
    'long side, in pixels, of the picture that the detector sees',
  ),
  'detection.scoreThreshold': setting(number(0.05, 0.99), 0.6, 'least score of a detected face'),
  'detection.overlap': setting(
    number(0.05, 0.95),
    0.3,
    'boxes that overlap more than this (IoU) are one face',
  ),
  'detection.faces': setting(
    oneOf(['best', 'all']),
    'best',
    'who is identified: the nearest to the door, or everybody in the frame',
  ),
  'quality.minEyeDistancePx': setting(
    number(4, 400),
    20,
    'least distance between the eyes, in pixels of the frame',
  ),
  'match.threshold': setting(
    nullOr(number(-1, 1)),
    null,
    "least comparison score of a match; null: the recogniser's own, from its manifest entry",
  ),
  'match.margin': setting(
    nullOr(number(0, 1)),
    null,
    "least lead over the next resident; null: the recogniser's own",
  ),
  'track.frames': setting(whole(1, 30), 3, 'most frames that one decision is made of'),
  'track.gapMs': setting(whole(100, 10_000), 800, 'a face unseen for this long is a new visitor'),
  'track.repeatAfterMs': setting(
    whole(0, 600_000),
    5_000,
    'a visitor who stays is reported again after this',
  ),
  'freshness.maxAgeMs': setting(
    whole(100, 10_000),
    1_500,
    'a decision on a frame older than this opens nothing (stale)',
  ),
  'motion.enabled': setting(flag(), true, 'look for faces only when something moves'),
  'motion.threshold': setting(
    number(0, 255),
    2,
    'mean change of brightness, of 255, that counts as movement',
  ),
  'motion.holdMs': setting(whole(0, 60_000), 3_000, 'how long to keep looking after movement'),
  'key.command': setting(
    listOf(text(), { max: 32 }),
    [],
    'program and arguments that print the 32 bytes of the root key; none: the key file',
  ),
} as const;

type Table = typeof settingTable;
export type SettingName = keyof Table;
export type Config = { readonly [K in SettingName]: Shaped<Table[K]['shape']> };

export const presets: Config = readSettings({}, 'the presets');

/**
 * Settings from a parsed file, nested (`{"match": {"margin": 0.1}}`) or flat (`{"match.margin": 0.1}`).
 * Throws CONFIG_INVALID, naming every fault at once and `origin`.
 */
export function readSettings(given: unknown, origin: string): Config {
  if (!isRecord(given)) {
    throw new AgentError('CONFIG_INVALID', `${origin}: expected an object of settings`);
  }
  const faults: string[] = [];
  const flat = flatten(given, '', faults);
  const read: Record<string, unknown> = {};
  for (const [name, { shape, preset }] of Object.entries(settingTable)) {
    read[name] = flat.has(name) ? shape(flat.get(name), name, faults) : preset;
  }
  if (faults.length > 0) throw new AgentError('CONFIG_INVALID', `${origin}: ${faults.join('; ')}`);
  return Object.freeze(read) as Config;
}

/** "match.margin=0.1" as the command line gives it; text that is no JSON stands for itself. */
export function parseAssignment(assignment: string): Record<string, unknown> {
  const at = assignment.indexOf('=');
  if (at < 1) {
    throw new AgentError('CONFIG_INVALID', `--set ${assignment}: expected NAME=VALUE`);
  }
  const value = assignment.slice(at + 1);
  return { [assignment.slice(0, at)]: parseJson(value) };
}

function parseJson(value: string): unknown {
  try {
    return JSON.parse(value);
  } catch {
    return value;
  }
}

function flatten(
  given: Record<string, unknown>,
  prefix: string,
  faults: string[],
): Map<string, unknown> {
  const flat = new Map<string, unknown>();
  const names = Object.keys(settingTable);
  for (const [key, value] of Object.entries(given)) {
    const name = prefix + key;
    if (Object.hasOwn(settingTable, name)) flat.set(name, value);
    else if (isRecord(value) && names.some((known) => known.startsWith(`${name}.`))) {
      for (const [inner, leaf] of flatten(value, `${name}.`, faults)) flat.set(inner, leaf);
    } else faults.push(unknownKey(name, names));
  }
  return flat;
}
