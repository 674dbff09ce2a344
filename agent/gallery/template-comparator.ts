import type { Kernels } from '../ports.ts';
import type { Protector } from '../template/protect.ts';
import type { Embedding, Template } from '../template/template.ts';
import type { Comparator } from './comparator.ts';
import { createGallery } from './gallery.ts';
import { search } from './search.ts';

/** The comparison that the door makes: protected templates, searched by the product's own code. */
export function templateComparator(
  protector: Protector,
  kernels: Pick<Kernels, 'hammingTopK'>,
): Comparator {
  const templates = new WeakMap<Embedding, Template>();
  const templateOf = (embedding: Embedding): Template => {
    const made = templates.get(embedding) ?? protector.template(embedding);
    templates.set(embedding, made);
    return made;
  };
  return {
    name: 'template',
    compare(probe, reference) {
      // The template first: making one ends the life of the last probe.
      const { code } = templateOf(reference);
      return protector.softScore(protector.probe(probe), code);
    },
    enrol(references) {
      const gallery = createGallery({
        modelSha256: protector.modelSha256,
        version: protector.version,
        capacity: references.length,
      });
      for (const { residentId, embedding } of references) {
        gallery.add(residentId, templateOf(embedding));
      }
      return (probe) => search(gallery, protector.probe(probe), kernels);
    },
  };
}
