import { readFileSync } from 'node:fs';
import { inPackage } from '../files/package-root.ts';

/** When this was written: a clock that shows an earlier time was never set. Goes on with every release. */
export const builtMs = Date.UTC(2026, 10, 1);

/** Of package.json. */
export function agentVersion(): string {
  const { version } = JSON.parse(readFileSync(inPackage('package.json'), 'utf8'));
  return version;
}
