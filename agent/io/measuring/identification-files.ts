import { readdir, stat } from 'node:fs/promises';
import { extname, join, resolve } from 'node:path';
import { AgentError } from '../../errors.ts';
import type { LabelledPicture, Visit } from '../../gallery/identification-evaluation.ts';
import { readCsv } from '../files/csv-file.ts';
import { reasonOf, systemCode } from '../files/file-fault.ts';
import { checkPictures, collectFaults } from '../files/list-faults.ts';

/** Who is enrolled, and who comes to the door. Each probe picture is one visit. */
export type IdentificationSet = {
  readonly gallery: readonly LabelledPicture[];
  readonly visits: readonly Visit[];
  /** Files that are not pictures of an identity folder; not read, but to be mentioned. */
  readonly ignored: readonly string[];
};

/** Probes in a folder of this name are strangers, however many persons they are. */
export const strangersFolder = 'unknown';

/**
 * A set given as two folders: `<folder>/<identity>/<picture>`. Probes of an identity that has no
 * folder in the gallery, and those under `unknown`, are strangers (non-mated).
 * Rejects with INPUT_MISSING or INPUT_INVALID.
 */
export async function readIdentificationFolders(
  gallery: string,
  probes: string,
): Promise<IdentificationSet> {
  const enrolled = await readIdentityFolders(gallery);
  const searched = await readIdentityFolders(probes);
  const residents = new Set(enrolled.pictures.map(({ identity }) => identity));
  if (residents.has(strangersFolder)) {
    const folder = join(gallery, strangersFolder);
    throw new AgentError('INPUT_INVALID', `${folder}: strangers cannot be enrolled`);
  }
  const visits = searched.pictures.map(({ identity, picture }) => ({
    mated: residents.has(identity) ? identity : null,
    pictures: [picture],
  }));
  return {
    gallery: enrolled.pictures,
    visits,
    ignored: [...enrolled.ignored, ...searched.ignored],
  };
}

/** All pictures of `<folder>/<identity>/`, in the order of their names. At least one. */
export async function readIdentityFolders(
  folder: string,
): Promise<{ readonly pictures: readonly LabelledPicture[]; readonly ignored: readonly string[] }> {
  const pictures: LabelledPicture[] = [];
  const ignored: string[] = [];
  for (const entry of await listFolder(folder)) {
    if (!entry.isDirectory) {
      ignored.push(join(folder, entry.name));
      continue;
    }
    const own = join(folder, entry.name);
    for (const { name, isDirectory } of await listFolder(own)) {
      const picture = join(own, name);
      if (isDirectory || !pictureKinds.has(extname(name).toLowerCase())) ignored.push(picture);
      else pictures.push({ identity: entry.name, picture });
    }
  }
  if (pictures.length > 0) return { pictures, ignored };
  throw new AgentError('INPUT_INVALID', `${folder}: there is no picture in <identity>/<picture>`);
}

/**
 * A set given as a CSV file of `role,identity,file` with the roles `gallery`, `mated` and `nonmated`;
 * files are relative to the folder `images`. A first row that begins with the word `role` is a header.
 * A mated identity must be in the gallery, a non-mated one must not.
 * Rejects with INPUT_MISSING or INPUT_INVALID, every bad line named.
 */
export async function readIdentificationList(
  list: string,
  images: string,
): Promise<IdentificationSet> {
  const faults = collectFaults(list);
  const rows: { line: number; role: string; identity: string; path: string; name: string }[] = [];
  let isFirst = true;
  for await (const { line, fields } of readCsv(list)) {
    const mayBeHeader = isFirst;
    isFirst = false;
    const [role = '', identity = '', name = ''] = fields.map((field) => field.trim());
    if (mayBeHeader && role.toLowerCase() === 'role') continue;
    if (fields.length !== 3 || !identity || !name) faults.add(line, 'not role,identity,file');
    else if (!roles.has(role)) faults.add(line, `${JSON.stringify(role)} is no role`);
    else rows.push({ line, role, identity, name, path: resolve(images, name) });
  }
  const enrolled = rows.filter(({ role }) => role === 'gallery');
  const residents = new Set(enrolled.map(({ identity }) => identity));
  for (const { line, role, identity } of rows) {
    if (role === 'mated' && !residents.has(identity)) {
      faults.add(line, `${identity} is mated, but not in the gallery`);
    }
    if (role === 'nonmated' && residents.has(identity)) {
      faults.add(line, `${identity} is nonmated, but in the gallery`);
    }
  }
  await checkPictures(rows, faults);
  faults.throwIfAny();
  if (enrolled.length === 0) {
    throw new AgentError('INPUT_INVALID', `${list}: there is no row with the role gallery`);
  }
  const probes = rows.filter(({ role }) => role !== 'gallery');
  return {
    gallery: enrolled.map(({ identity, path }) => ({ identity, picture: path })),
    visits: probes.map(({ role, identity, path }) => ({
      mated: role === 'mated' ? identity : null,
      pictures: [path],
    })),
    ignored: [],
  };
}

const roles: ReadonlySet<string> = new Set(['gallery', 'mated', 'nonmated']);

const pictureKinds: ReadonlySet<string> = new Set(['.jpg', '.jpeg', '.png', '.webp']);

type Entry = { readonly name: string; readonly isDirectory: boolean };

/** Without hidden files; links count as what they point to. Sorted by code unit: the same everywhere. */
async function listFolder(folder: string): Promise<Entry[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    const visible = entries.filter(({ name }) => !name.startsWith('.'));
    const listed = await Promise.all(
      visible.map(async (entry) => ({
        name: entry.name,
        isDirectory: entry.isSymbolicLink()
          ? await isFolder(join(folder, entry.name))
          : entry.isDirectory(),
      })),
    );
    return listed.sort((a, b) => (a.name < b.name ? -1 : 1));
  } catch (cause) {
    if (systemCode(cause) === 'ENOENT') {
      throw new AgentError('INPUT_MISSING', `${folder}: there is no such folder`, { cause });
    }
    throw new AgentError('INPUT_INVALID', `${folder}: it cannot be read (${reasonOf(cause)})`, {
      cause,
    });
  }
}

/** False for a link that leads nowhere too: its picture is then missed by name when it is read. */
async function isFolder(path: string): Promise<boolean> {
  const target = await stat(path).catch(() => undefined);
  return target?.isDirectory() ?? false;
}
