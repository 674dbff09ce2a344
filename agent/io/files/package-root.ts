import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file or folder of the package, from the sources as from their compiled form one folder deeper. */
export function inPackage(path: string): string {
  return join(packageRoot, path);
}

const packageRoot = findRoot();

function findRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder);
    if (above === folder)
      throw new Error('doorkeep runs outside its package: package.json is gone');
    folder = above;
  }
  return folder;
}
