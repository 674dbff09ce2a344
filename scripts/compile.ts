/**
 * Compiles `agent/` to `dist/`, which is what `scripts/doorkeep` starts: compiled, the agent starts 0.2 s
 * sooner and is 30 MB smaller than with Node stripping types at every start. Types are checked by `tsc`.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));
const compiler = at('../node_modules/typescript/bin/tsc');

if (!existsSync(compiler)) {
  // Installed without development packages: dist/ came with the package, or the sources are run as they are.
  process.exit(0);
}
rmSync(at('../dist.new'), { recursive: true, force: true });
const ran = spawnSync(process.execPath, [compiler, '-p', at('tsconfig.build.json')], {
  stdio: 'inherit',
});
if (ran.status !== 0) {
  process.stderr.write('doorkeep: not compiled, see above\n');
  process.exit(1);
}
rmSync(at('../dist'), { recursive: true, force: true });
renameSync(at('../dist.new'), at('../dist'));
