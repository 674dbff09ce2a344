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

const absolutePath = text({ max: 400, pattern: /^\/[^\0\n]+$/, what: 'an absolute path' });
const httpsOrigin = text({
  max: 300,
  pattern: /^https:\/\/[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/,
  what: 'https://host or https://host:port, in small letters',
});

/** Every setting: its type, its preset, what it does. `doorkeep doctor` and docs/operations.md show this table. */
export const settingTable = {
  'models.detection': setting(
    nullOr(modelName),
    null,
    "detector of faces; null: the built-in one, or where none is built in the manifest's first",
  ),
  'models.embedding': setting(
    nullOr(modelName),
    null,
    'recogniser; null: likewise. Templates of another recogniser are never compared',
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
  'relay.chip': setting(
    nullOr(absolutePath),
    null,
    'GPIO chip of the relay that opens the door, as /dev/gpiochip0; null: no relay, the host opens it',
  ),
  'relay.line': setting(nullOr(whole(0, 1023)), null, 'its line on that chip'),
  'relay.holdMs': setting(
    whole(100, 30_000),
    3_000,
    'how long a match opens the door; further matches meanwhile do not make it longer',
  ),
  'relay.activeLow': setting(flag(), false, 'the relay is on while its line is low'),
  'motion.enabled': setting(flag(), true, 'look for faces only when something moves'),
  'motion.threshold': setting(
    number(0, 255),
    2,
    'mean change of brightness, of 255, that counts as movement',
  ),
  'motion.holdMs': setting(whole(0, 60_000), 3_000, 'how long to keep looking after movement'),
  'ueip.code': setting(
    oneOf(['code24', 'code16', 'visitor-token', 'counters']),
    'code24',
    'what a record of the improvement programme tells attempts apart by (docs/privacy.md)',
  ),
  'ueip.maxRecords': setting(whole(100, 1_000_000), 50_000, 'oldest records beyond this give way'),
  'ueip.maxBytes': setting(
    whole(262_144, 1_073_741_824),
    33_554_432,
    'database and write-ahead log of the records together; the oldest give way',
  ),
  'device.timeZone': setting(
    nullOr(
      text({
        max: 64,
        pattern: /^([A-Za-z][A-Za-z0-9_+/-]*|[+-]\d\d:?(00|15|30|45))$/,
        what: 'the name of a time zone',
      }),
    ),
    null,
    "IANA name of the house's time zone, or an offset in quarters of an hour; null: the system's",
  ),
  'controller.name': setting(
    nullOr(text({ max: 200, pattern: /^[^\p{C}]+$/u, what: 'a name' })),
    null,
    'who is responsible for the data of the improvement programme',
  ),
  'controller.contact': setting(
    nullOr(text({ max: 400, pattern: /^[^\p{C}]+$/u, what: 'an address' })),
    null,
    'postal and electronic address of the controller',
  ),
  'controller.privacyPolicy': setting(
    nullOr(text({ max: 400, pattern: /^[^\p{C}]+$/u, what: 'a pointer to a document' })),
    null,
    'where the general privacy policy is found, beside the copy on the device',
  ),
  'volume.erase': setting(
    listOf(text(), { max: 32 }),
    [],
    'program and arguments that wipe the dedicated flash volume of the records at an opt-out; none: files only',
  ),
  'cloud.region': setting(
    nullOr(text({ max: 64, pattern: /^[a-z0-9][a-z0-9-]*$/, what: 'a region' })),
    null,
    'the only region that records may go to; required for the improvement programme, no preset',
  ),
  'cloud.mode': setting(
    nullOr(oneOf(['grant', 'direct'])),
    null,
    "how records travel: by grants of the vendor's cloud, or straight into a bucket; null: nothing is ever sent",
  ),
  'cloud.linkFile': setting(
    nullOr(absolutePath),
    null,
    'a file of the host that says `linked` while its cloud link is up; anything else, or no file: nothing is sent. null: only the cloud is asked',
  ),
  'cloud.url': setting(nullOr(httpsOrigin), null, "the vendor's cloud"),
  'cloud.certificate': setting(
    nullOr(absolutePath),
    null,
    "PEM file: the device's certificate, shown to the vendor's cloud only",
  ),
  'cloud.key': setting(nullOr(absolutePath), null, 'PEM file: its key, mode 600'),
  'cloud.ca': setting(
    nullOr(absolutePath),
    null,
    "PEM file: who vouches for the vendor's cloud, or in mode direct for the bucket; null: the usual authorities",
  ),
  'cloud.pins': setting(
    listOf(text({ pattern: /^[A-Za-z0-9+/]{43}=$/, what: 'a SHA-256 in base64' }), { max: 8 }),
    [],
    "SHA-256 of the public keys (SubjectPublicKeyInfo) of the vendor's cloud: the present one and those in reserve; none: any that is vouched for",
  ),
  'cloud.hosts': setting(
    listOf(
      text({
        max: 260,
        pattern: /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?$/,
        what: 'a domain, or domain:port',
      }),
      { max: 16 },
    ),
    [],
    'domains that a grant may lead to, with all below them; another port than 443 is named here',
  ),
  'cloud.proxy': setting(
    nullOr(
      text({
        max: 300,
        pattern: /^http:\/\/(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?$/,
        what: 'http://host:port',
      }),
    ),
    null,
    'http proxy to tunnel through; null: none, whatever the environment says',
  ),
  'cloud.endpoint': setting(
    nullOr(httpsOrigin),
    null,
    'mode direct: where the bucket is. OSS: its own host, or your domain for it; S3: its own host, or that of the store',
  ),
  'cloud.bucket': setting(
    nullOr(text({ pattern: /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, what: 'the name of a bucket' })),
    null,
    'mode direct: its name',
  ),
  'cloud.dialect': setting(oneOf(['oss', 's3']), 'oss', 'mode direct: what the bucket speaks'),
  'cloud.checksum': setting(
    oneOf(['sha256', 'etag']),
    'sha256',
    'mode direct with S3: what the store must answer of an object: x-amz-checksum-sha256, or where a store has none, the MD5 as ETag. OSS: always its CRC-64',
  ),
  'cloud.kmsKeyId': setting(
    nullOr(text({ pattern: /^[\w:/.-]{1,256}$/, what: 'the id of a key' })),
    null,
    'key that objects must be encrypted under, as the store answers it; null: in mode grant any, in mode direct the default of the bucket',
  ),
  'cloud.credentials': setting(
    nullOr(absolutePath),
    null,
    'mode direct: JSON file with what requests are signed with, mode 600',
  ),
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
  const config = Object.freeze(read) as Config;
  faults.push(...disagreements(config));
  if (faults.length > 0) throw new AgentError('CONFIG_INVALID', `${origin}: ${faults.join('; ')}`);
  return config;
}

/** What is right by itself, and not together. */
function disagreements(config: Config): string[] {
  const mode = config['cloud.mode'];
  const needed: Readonly<Record<NonNullable<typeof mode>, readonly SettingName[]>> = {
    grant: ['cloud.region', 'cloud.url', 'cloud.certificate', 'cloud.key', 'cloud.hosts'],
    direct: ['cloud.region', 'cloud.endpoint', 'cloud.bucket', 'cloud.credentials'],
  };
  const isMissing = (name: SettingName) => {
    const value = config[name];
    return value === null || (Array.isArray(value) && value.length === 0);
  };
  const faults = (mode === null ? [] : needed[mode])
    .filter(isMissing)
    .map((name) => `${name}: needed with cloud.mode ${mode}`);
  if (config['relay.chip'] !== null && config['relay.line'] === null) {
    faults.push('relay.line: needed with relay.chip');
  }
  if (config['cloud.pins'].length === 1) {
    faults.push('cloud.pins: one alone locks the device out when that key changes; name a reserve');
  }
  if (
    mode === 'direct' &&
    config['cloud.dialect'] === 'oss' &&
    /^oss-/.test(config['cloud.region'] ?? '')
  ) {
    faults.push("cloud.region: OSS signs for the region without 'oss-'");
  }
  return faults;
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
