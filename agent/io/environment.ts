import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { AgentError } from '../errors.ts';
import { systemCode } from './file-fault.ts';

/** Where residents, keys and models live unless `--data-dir` or DOORKEEP_DATA_DIR says otherwise. */
export function defaultDataDir(): string {
  const named = process.env['DOORKEEP_DATA_DIR'];
  if (named !== undefined && named !== '') return named;
  if (process.getuid?.() === 0) return '/var/lib/doorkeep';
  return join(process.env['XDG_DATA_HOME'] ?? join(homedir(), '.local', 'share'), 'doorkeep');
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

/** What lies where in the data directory. The key is not beside the database it opens. */
export function layoutOf(dataDir: string) {
  return {
    settings: join(dataDir, 'doorkeep.json'),
    gallery: join(dataDir, 'gallery', 'gallery.db'),
    rootKey: join(dataDir, 'keys', 'root.key'),
    models: join(dataDir, 'models'),
  };
}
