/**
 * Writes an initramfs, the whole file system of a virtual machine, as an archive for the kernel (cpio, "newc"):
 *
 *   node initramfs.ts OUT FROM:TO... --modules DIR NAME...
 *
 * FROM is a file or a folder, TO where it lies in the machine. A TypeScript file whose TO ends in .js is stripped
 * of its types. NAME are kernel modules of the tree DIR: they come to /modules with all they need, numbered in the
 * order in which they must be loaded.
 */
import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeSync,
} from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { basename, dirname, join, posix } from 'node:path';

const [out = '', ...words] = process.argv.slice(2);
const flag = words.indexOf('--modules');
const [moduleTree = '', ...moduleNames] = words.slice(flag + 1);
const archive = createArchive(out);
for (const word of words.slice(0, flag)) {
  const [from = '', to = ''] = word.split(':');
  archive.addTree(from, to);
}
for (const [index, file] of loadOrder(moduleTree, moduleNames).entries()) {
  const name = `${String(index).padStart(2, '0')}-${basename(file)}`;
  archive.addTree(file, `modules/${name}`);
}
archive.close();

/** Modules after those they depend on, which each of them names in its section .modinfo. */
function loadOrder(tree: string, names: readonly string[]): string[] {
  const files = new Map(
    readdirSync(tree, { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ko'))
      .map((path) => [moduleName(path), join(tree, path)]),
  );
  const order = new Set<string>();
  const add = (name: string) => {
    const file = files.get(name);
    if (file === undefined) throw new Error(`there is no module ${name} in ${tree}`);
    const [, depends = ''] = /\0depends=([^\0]*)\0/.exec(readFileSync(file, 'latin1')) ?? [];
    for (const each of depends.split(',').filter((word) => word !== '')) add(moduleName(each));
    order.add(file);
  };
  for (const name of names) add(moduleName(name));
  return [...order];
}

/** Files have dashes where the kernel's own names have underscores. */
function moduleName(path: string): string {
  return basename(path, '.ko').replaceAll('-', '_');
}

function createArchive(path: string) {
  const fd = openSync(path, 'w');
  const folders = new Set<string>();
  let inode = 0;
  let used = 0;

  function write(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at);
    used += bytes.length;
  }

  const pad = () => write(new Uint8Array((4 - (used % 4)) % 4));

  /** Everything belongs to root, and nothing is a link to the same bytes. */
  function add(name: string, mode: number, content: Uint8Array): void {
    const numbers = [++inode, mode, 0, 0, 1, 0, content.length, 0, 0, 0, 0, name.length + 1, 0];
    const header = numbers.map((number) => number.toString(16).padStart(8, '0')).join('');
    write(Buffer.from(`070701${header}${name}\0`, 'latin1'));
    pad();
    write(content);
    pad();
  }

  function addFolder(name: string): void {
    if (name === '.' || folders.has(name)) return;
    addFolder(posix.dirname(name));
    folders.add(name);
    add(name, 0o40755, new Uint8Array());
  }

  function addTree(from: string, to: string): void {
    const name = to.replace(/^\//, '');
    const about = lstatSync(from);
    if (about.isDirectory()) {
      if (name !== '') addFolder(name);
      for (const each of readdirSync(from)) addTree(join(from, each), posix.join(name, each));
      return;
    }
    addFolder(dirname(name));
    if (about.isSymbolicLink()) add(name, 0o120777, Buffer.from(readlinkSync(from)));
    else add(name, 0o100000 | (about.mode & 0o777), contentOf(from, name));
  }

  return {
    addTree,
    close() {
      add('TRAILER!!!', 0, new Uint8Array());
      closeSync(fd);
    },
  };
}

/** As scripts/compile.ts leaves the agent's own files: JavaScript that imports JavaScript. */
function contentOf(from: string, name: string): Uint8Array {
  const content = readFileSync(from);
  if (!from.endsWith('.ts') || !name.endsWith('.js')) return content;
  const script = stripTypeScriptTypes(content.toString('utf8'));
  return Buffer.from(script.replace(/(from '\.[^']*)\.ts'/g, "$1.js'"));
}
