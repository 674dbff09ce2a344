/** What `doorkeep doctor` looks at: everything the door needs, each with what to do if it is not so. */
import { modelFilesOf, modelNamesOf, type Place } from './agent.ts';
import { cameraChecks, relayCheck } from './device-health.ts';
import { AgentError } from './errors.ts';
import { erasureSentence, type VolumeFacts, volumeFacts } from './io/files/volume.ts';
import { layoutOf } from './io/process/environment.ts';
import { keyFileState, runtimeFacts } from './io/process/host.ts';
import { loadKernels } from './io/process/native.ts';
import { type MemoryProtection, memoryProtection } from './io/process/secure-memory.ts';
import { openStore } from './residents.ts';

export type Check = {
  readonly name: string;
  /** 'warn': the door works, but slower, or not as well as it could. */
  readonly state: 'ok' | 'warn' | 'fail';
  readonly detail: string;
  readonly hint?: string;
};

export async function checkHealth(place: Place, wallMs: number): Promise<Check[]> {
  return [
    runtimeCheck(),
    kernelsCheck(),
    ...(await modelChecks(place)),
    galleryCheck(place),
    keyCheck(place),
    ...cameraChecks(),
    relayCheck(place.config),
    memoryCheck(memoryProtection()),
    clockCheck(wallMs),
    volumeCheck(place),
    erasureCheck(
      volumeFacts(layoutOf(place.dataDir).ueip),
      place.config['volume.erase'].length > 0,
    ),
  ];
}

function runtimeCheck(): Check {
  const { node, pinned, architecture } = runtimeFacts();
  const detail = `Node ${node}, ${architecture}`;
  if (node === pinned) return { name: 'runtime', state: 'ok', detail };
  const hint = `it was tested on Node ${pinned}: start it with scripts/doorkeep`;
  return { name: 'runtime', state: 'warn', detail, hint };
}

function kernelsCheck(): Check {
  const { kernels, native, reason, available } = loadKernels();
  const detail = `${kernels.name} (of ${available.join(', ')})`;
  if (native) return { name: 'kernels', state: 'ok', detail };
  return { name: 'kernels', state: 'warn', detail, hint: reason ?? 'run `npm run postinstall`' };
}

async function modelChecks(place: Place): Promise<Check[]> {
  const checks: Check[] = [];
  for (const name of modelNamesOf(place)) {
    try {
      const [found] = await modelFilesOf(place).verify(name);
      if (found?.state !== 'present') {
        const code = found?.state === 'corrupt' ? 'MODEL_CORRUPT' : 'MODEL_MISSING';
        throw new AgentError(code, found?.reason ?? `${name} is not here`);
      }
      const { file, entry } = found;
      const prepared = file?.preparation?.prepared ?? 'not prepared for this processor yet';
      const detail = `${entry.task}; ${prepared}`;
      const isForTrying = entry.builtin && entry.task === 'embedding';
      checks.push({
        name: `model ${name}`,
        ...(isForTrying ? { state: 'warn', detail, hint: forTrying } : { state: 'ok', detail }),
      });
    } catch (fault) {
      checks.push(failed(`model ${name}`, fault));
    }
  }
  return checks;
}

/** docs/models.md: it keeps strangers out as others do, and keeps out many more residents. */
const forTrying =
  'built in for trying the door: it often does not know a resident; `doorkeep models pull recommended` brings a better one';

function galleryCheck(place: Place): Check {
  try {
    const store = openStore(place);
    const residents = store.residents().length;
    const counts = store.countTemplates();
    store.close();
    const templates = counts.reduce((sum, count) => sum + count.templates, 0);
    const detail = `${residents} residents, ${templates} templates`;
    if (counts.length <= 1) return { name: 'gallery', state: 'ok', detail };
    const hint =
      'templates of several versions or models: `doorkeep gallery status` says how far the renewal is';
    return { name: 'gallery', state: 'warn', detail, hint };
  } catch (fault) {
    return failed('gallery', fault);
  }
}

function keyCheck({ dataDir, config }: Place): Check {
  const [program] = config['key.command'];
  if (program !== undefined) return { name: 'root key', state: 'ok', detail: 'from a command' };
  const state = keyFileState(layoutOf(dataDir).rootKey);
  switch (state) {
    case 'private':
      return { name: 'root key', state: 'ok', detail: 'a file of its own, for its owner only' };
    case 'absent':
      return { name: 'root key', state: 'ok', detail: 'made at the first enrolment' };
    case 'open':
      return {
        name: 'root key',
        state: 'fail',
        detail: 'others can read it',
        hint: 'chmod 600 it',
      };
  }
}

export function memoryCheck({ keysLocked, coreDumpsOff, reason }: MemoryProtection): Check {
  const name = 'memory protection';
  const keys = keysLocked ? 'keys locked' : 'keys not locked';
  const detail = `${keys}, core dumps ${coreDumpsOff ? 'off' : 'possible'}`;
  if (keysLocked && coreDumpsOff) return { name, state: 'ok', detail };
  const hint = reason ?? (coreDumpsOff ? lockHint : 'the kernel does not let doorkeep forbid them');
  return { name, state: 'warn', detail, hint };
}

const lockHint =
  'keys could reach swap: allow 1 MiB of locked memory (LimitMEMLOCK=1M in the unit, ulimit -l 1024)';

/** When this was written: a device that thinks it is earlier has a clock that was never set. */
const earliestWallMs = Date.UTC(2026, 10, 1);

function clockCheck(wallMs: number): Check {
  const detail = new Date(wallMs).toISOString();
  if (wallMs >= earliestWallMs) return { name: 'clock', state: 'ok', detail };
  const hint = 'the clock is not set: the door works, dates of enrolments are wrong';
  return { name: 'clock', state: 'warn', detail, hint };
}

/** A gallery of 20,000 takes 12 MB, its write-ahead log as much again; models take 10 MB. */
const leastFreeBytes = 64 * 2 ** 20;

function volumeCheck({ dataDir }: Place): Check {
  const { folder, freeBytes, volatile } = volumeFacts(dataDir);
  const detail = `${Math.round(freeBytes / 2 ** 20)} MB free at ${folder}`;
  if (volatile) {
    const hint = 'this file system is gone after a restart: keep the data directory on flash';
    return { name: 'data volume', state: 'warn', detail, hint };
  }
  if (freeBytes >= leastFreeBytes) return { name: 'data volume', state: 'ok', detail };
  return { name: 'data volume', state: 'warn', detail, hint: 'free space on it' };
}

/** What an opt-out of the improvement programme makes sure of. */
export function erasureCheck(volume: VolumeFacts, hasCommand: boolean): Check {
  const name = 'erasure';
  const detail = erasureSentence(volume);
  if (hasCommand) return { name, state: 'ok', detail: `${detail}; volume.erase is set` };
  if (volume.erasure === 'in-place') return { name, state: 'ok', detail };
  const hint =
    volume.erasure === 'none'
      ? 'mount it writable'
      : 'give the records a volume of their own, and volume.erase the command that wipes it';
  return { name, state: 'warn', detail, hint };
}

function failed(name: string, fault: unknown): Check {
  if (!(fault instanceof AgentError)) throw fault;
  return { name, state: 'fail', detail: `${fault.code}: ${fault.message}`, hint: fault.hint };
}
