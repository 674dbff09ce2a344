/**
 * A process that holds keys as the door does, and an ordinary buffer, and then crashes: see
 * core-images.test.ts. Arguments: the signal, whether it is hardened before, the file of the root key.
 */

import { loadKernels } from '../../io/process/native.ts';
import { hardenProcess, secureMemory } from '../../io/process/secure-memory.ts';
import { loadRootKey } from '../../io/store/key-file.ts';
import { createProtector } from '../../template/protect.ts';
import { ordinaryMemory } from '../../template/secret-memory.ts';
import { keyedScope, patternedFace, patternedRandom } from './keyed-patterns.ts';

const [signal, how, file = ''] = process.argv.slice(2);
const { bytes: rootKey } = await loadRootKey({ file, mayCreate: false });
const { kernels } = loadKernels();
const protector = createProtector({ ...keyedScope, rootKey, kernels, allocate: secureMemory });
protector.probe(patternedFace(4));
const ordinary = patternedRandom(ordinaryMemory)(64);
if (how === 'hardened') hardenProcess();
if (ordinary.length > 0) process.kill(process.pid, signal);
