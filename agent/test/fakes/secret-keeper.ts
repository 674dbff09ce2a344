/**
 * A process that handles secrets as the door does, one step a message, so that its memory can be looked
 * through in between: see secrets-in-memory.test.ts. Arguments: where the root key comes from, as JSON.
 */
import { writeHeapSnapshot } from 'node:v8';
import { loadKernels } from '../../io/process/native.ts';
import { hardenProcess, secureMemory } from '../../io/process/secure-memory.ts';
import { loadRootKey } from '../../io/store/key-file.ts';
import { createProtector, type Protector } from '../../template/protect.ts';
import { createTelemetryCodes } from '../../ueip/telemetry-code.ts';
import { keyedScope, patternedFace, patternedRandom } from './keyed-patterns.ts';

const { kernels } = loadKernels();
let key: Awaited<ReturnType<typeof loadRootKey>> | undefined;
let protector: Protector | undefined;
let sealed: Uint8Array[] = [];
let codes: Uint8Array[] = [];
/** Kept, so that a heap snapshot has something to show. */
const residents = new Set<string>();
const telemetry = createTelemetryCodes({
  ...keyedScope,
  bits: 24,
  kernels,
  random: patternedRandom(secureMemory),
  allocate: secureMemory,
});

const steps: Record<string, () => unknown> = {
  harden: hardenProcess,
  async load() {
    key = await loadRootKey(JSON.parse(process.argv[2] ?? ''));
  },
  open() {
    const rootKey = key?.bytes ?? new Uint8Array();
    protector = createProtector({ ...keyedScope, rootKey, kernels, allocate: secureMemory });
    key?.wipe();
  },
  enrol() {
    sealed = [1, 2, 3].flatMap((face) => {
      const template = protector?.template(patternedFace(face));
      const bytes = template && protector?.seal(template.code, rowOf(face));
      template?.code.fill(0);
      return bytes ?? [];
    });
  },
  read() {
    codes = sealed.flatMap((bytes, i) => protector?.open(bytes, rowOf(i + 1)) ?? []);
    // One that does not belong here.
    protector?.open(sealed[0] ?? new Uint8Array(), rowOf(9));
    return codes.length;
  },
  look: () => void protector?.probe(patternedFace(4)),
  forget() {
    for (const code of codes) code.fill(0);
    protector?.forget();
  },
  wipe: () => protector?.wipe(),
  code: () => telemetry.mark('2027-03-01', patternedFace(5).values),
  midnight: () => telemetry.keepOnly('2027-03-02'),
  snapshot: () => writeHeapSnapshot(process.argv[3]),
};

function rowOf(face: number) {
  const residentId = `resident-${face}`;
  residents.add(residentId);
  return { rowId: `row-${face}`, residentId };
}

process.on('message', async (name: string) => {
  const answer = await steps[name]?.();
  process.send?.({ name, answer: name === 'code' ? null : answer });
});
process.send?.('ready');
