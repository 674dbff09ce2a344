// @ts-check
/**
 * The entry of the process, and the only JavaScript: an older Node, which cannot read TypeScript,
 * must still be able to read this line by line and say so.
 */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);

if (major < 22 || (major === 22 && minor < 19)) {
  process.stderr.write(
    `doorkeep: RUNTIME_TOO_OLD: this is Node ${process.versions.node}, doorkeep needs 22.19 or newer; ` +
      'start it with `scripts/doorkeep`, which brings its own Node\n',
  );
  process.exitCode = 69;
} else {
  const { main } = await import('./cli/program.ts');
  await main(process.argv.slice(2));
}
