import { type Template, templateBytes } from '../template/template.ts';

/** The templates a device compares with, in memory: one model, one version, one code after the other. */
export type Gallery = {
  readonly modelSha256: string;
  readonly version: number;
  /** Templates in the gallery. */
  readonly rows: number;
  /** Residents in the gallery. */
  readonly residents: number;
  /** `rows` codes of 512 bytes, a view that holds until the gallery changes. */
  readonly codes: Uint8Array;
  /** @throws TypeError for a template of another model or version, or of the wrong size. */
  add(residentId: string, template: Template): void;
  /** How many templates went; 0: no such resident. Their bytes are zeroed. */
  remove(residentId: string): number;
  clear(): void;
  /** @throws TypeError where there is no such row. */
  residentOf(row: number): string;
  /** How many templates this resident has here. */
  rowsOf(residentId: string): number;
};

/** `capacity` in templates: where it is known, the buffer needs no growing and no copying. */
export function createGallery(options: {
  readonly modelSha256: string;
  readonly version: number;
  readonly capacity?: number;
}): Gallery {
  const { modelSha256, version } = options;
  let buffer = new Uint8Array(Math.max(options.capacity ?? 0, 16) * templateBytes);
  let owners: string[] = [];
  let counts = new Map<string, number>();

  const grow = () => {
    const larger = new Uint8Array(buffer.length * 2);
    larger.set(buffer);
    buffer.fill(0);
    buffer = larger;
  };
  return {
    modelSha256,
    version,
    get rows() {
      return owners.length;
    },
    get residents() {
      return counts.size;
    },
    get codes() {
      return buffer.subarray(0, owners.length * templateBytes);
    },
    add(residentId, template) {
      checkTemplate(template, options);
      const start = owners.length * templateBytes;
      if (start === buffer.length) grow();
      buffer.set(template.code, start);
      owners.push(residentId);
      counts.set(residentId, (counts.get(residentId) ?? 0) + 1);
    },
    remove(residentId) {
      const removed = counts.get(residentId) ?? 0;
      if (removed === 0) return 0;
      let kept = 0;
      owners.forEach((owner, row) => {
        if (owner === residentId) return;
        const start = row * templateBytes;
        buffer.copyWithin(kept * templateBytes, start, start + templateBytes);
        kept++;
      });
      buffer.fill(0, kept * templateBytes, owners.length * templateBytes);
      owners = owners.filter((owner) => owner !== residentId);
      counts.delete(residentId);
      return removed;
    },
    clear() {
      buffer.fill(0);
      owners = [];
      counts = new Map();
    },
    residentOf(row) {
      const owner = owners[row];
      if (owner === undefined) throw new TypeError(`the gallery has no row ${row}`);
      return owner;
    },
    rowsOf: (residentId) => counts.get(residentId) ?? 0,
  };
}

function checkTemplate(
  template: Template,
  gallery: { readonly modelSha256: string; readonly version: number },
): void {
  if (
    template.modelSha256 !== gallery.modelSha256 ||
    template.version !== gallery.version ||
    template.code.length !== templateBytes
  ) {
    throw new TypeError('a template of another model, version or size does not fit this gallery');
  }
}
