import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Real weights and labelled faces for tests and measurements. They are not part of the project: a
 * folder `shared` beside the checkout holds them where they exist. Undefined: there are none here.
 */
export const sharedModels = folder('models/');
export const sharedFaces = folder('faces/');

function folder(name: string): string | undefined {
  const path = fileURLToPath(new URL(`../../../../shared/${name}`, import.meta.url));
  return existsSync(path) ? path : undefined;
}
