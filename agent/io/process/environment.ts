import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { AgentError } from '../../errors.ts';
import { systemCode } from '../files/file-fault.ts';
import { roomBeside } from '../files/spare-room.ts';

/** Of an agent that the system itself starts. */
export const serviceDataDir = '/var/lib/doorkeep';

/** Where residents, keys and models live unless `--data-dir` or DOORKEEP_DATA_DIR says otherwise. */
export function defaultDataDir(): string {
  const named = process.env['DOORKEEP_DATA_DIR'];
  if (named !== undefined && named !== '') return named;
  if (process.getuid?.() === 0) return serviceDataDir;
  return join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'doorkeep');
}

/** The wish of whoever runs this machine, for all programs (consoledonottrack.com): anything but empty, 0 or false. */
export function doNotTrack(): boolean {
  return !['', '0', 'false'].includes((process.env['DO_NOT_TRACK'] ?? '').toLowerCase());
}

/** The parsed JSON of a settings file; undefined if it is not there and need not be. */
export function readJsonFile(path: string, need: 'must-exist' | 'may-be-absent'): unknown {
  let content: string;
  try {
    content = readFileSync(path, 'utf8');
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT' && need === 'may-be-absent') return undefined;
    throw new AgentError('INPUT_MISSING', `${path}: cannot be read`, { cause });
  }
  try {
    return JSON.parse(content);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new AgentError('CONFIG_INVALID', `${path}: is not JSON (${reason})`, { cause });
  }
}

/** Whether the improvement programme has left anything here, ever: if not, nobody needs to look. */
export function hasProgrammeTraces(dataDir: string): boolean {
  const { consent, ueip } = layoutOf(dataDir);
  return [...consent, ueip].some((path) => existsSync(path));
}

export function hasRecords(dataDir: string): boolean {
  return existsSync(layoutOf(dataDir).records);
}

/** What lies where in the data directory. The key is not beside the database it opens. */
export function layoutOf(dataDir: string) {
  return {
    settings: join(dataDir, 'doorkeep.json'),
    gallery: join(dataDir, 'gallery', 'gallery.db'),
    rootKey: join(dataDir, 'keys', 'root.key'),
    models: join(dataDir, 'models'),
    /** Held by the one agent at work. */
    lock: join(dataDir, 'agent.lock'),
    control: join(dataDir, 'control.sock'),
    /** Signs receipts; made with the first grant. */
    deviceKey: join(dataDir, 'keys', 'device.key'),
    consent: [join(dataDir, 'consent', 'ueip.1'), join(dataDir, 'consent', 'ueip.2')] as const,
    /** Hash-chained: what was decided, erased and sent. */
    ledger: join(dataDir, 'ledger.jsonl'),
    receipts: join(dataDir, 'receipts'),
    /** Everything in here goes at an opt-out. */
    ueip: join(dataDir, 'ueip'),
    records: join(dataDir, 'ueip', 'records.db'),
    /** Kept for the erasure of a store on a full medium: random bytes (io/files/spare-room.ts). */
    recordsRoom: roomBeside(join(dataDir, 'ueip', 'records.db')),
    epochKey: join(dataDir, 'ueip', 'epoch.key'),
    outbox: join(dataDir, 'ueip', 'outbox'),
    /** What the uploader and the clock's judge must not forget over a restart. */
    memory: join(dataDir, 'ueip', 'memory'),
  };
}
