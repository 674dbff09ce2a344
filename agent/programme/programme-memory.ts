import type { Place } from '../agent.ts';
import { readSealedFile, writeSealedFile } from '../io/files/sealed-file.ts';
import { layoutOf } from '../io/process/environment.ts';
import { isRecord } from '../shape.ts';
import type { ClockMemory } from '../upload/clock-trust.ts';
import { emptyUploadMemory, type UploadMemory } from '../upload/upload-memory.ts';

/** What must not be forgotten over a restart, and is with an opt-out: one sealed file. */
export type ProgrammeMemory = {
  readonly upload: {
    read(): UploadMemory;
    write(memory: UploadMemory): void;
  };
  clock(): ClockMemory | null;
  rememberClock(memory: ClockMemory): void;
  /** As if nothing had ever been remembered; the file is the erasure's. */
  forget(): void;
};

type Remembered = { readonly upload: UploadMemory; readonly clock: ClockMemory | null };
const nothing: Remembered = { upload: emptyUploadMemory, clock: null };

/** What cannot be read is not remembered: its key is gone, or the volume fails, and an opt-out must work all the same. */
export function openProgrammeMemory({ dataDir }: Pick<Place, 'dataDir'>): ProgrammeMemory {
  const { memory: file, epochKey } = layoutOf(dataDir);
  let remembered = readable(() => parsed(readSealedFile(file, epochKey)));

  function write(changed: Remembered): void {
    writeSealedFile(file, Buffer.from(JSON.stringify(changed)), epochKey);
    remembered = changed;
  }
  return {
    upload: {
      read: () => remembered.upload,
      write: (upload) => write({ ...remembered, upload }),
    },
    clock: () => remembered.clock,
    rememberClock: (clock) => write({ ...remembered, clock }),
    forget: () => {
      remembered = nothing;
    },
  };
}

function readable(read: () => Remembered): Remembered {
  try {
    return read();
  } catch {
    return nothing;
  }
}

/** It was sealed by this program; a version that had other things to remember is not misread. */
function parsed(content: Uint8Array | undefined): Remembered {
  if (content === undefined) return nothing;
  const value: unknown = JSON.parse(new TextDecoder().decode(content));
  if (!isRecord(value) || !isRecord(value['upload'])) return nothing;
  const { confirmedMs } = isRecord(value['clock']) ? value['clock'] : {};
  return {
    upload: { ...emptyUploadMemory, ...value['upload'] },
    clock: typeof confirmedMs === 'number' ? { confirmedMs } : null,
  };
}
