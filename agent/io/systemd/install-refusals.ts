import { existsSync } from 'node:fs';
import { geteuid } from 'node:process';

export type InstallPlace = {
  /** Where the service would start it. */
  readonly program: string;
  readonly prefix: string | undefined;
};

/** What the system says of itself. */
export type SystemFacts = { readonly isRoot: boolean; readonly hasSystemd: boolean };

/** Why nothing can be installed like this, each in one line; none: it can. */
export function installRefusals(
  { program, prefix }: InstallPlace,
  { isRoot, hasSystemd }: SystemFacts = systemFacts(),
): readonly string[] {
  const refusals: string[] = [];
  if (prefix === undefined && !isRoot) refusals.push('only root can install a service');
  if (prefix === undefined && !hasSystemd) {
    refusals.push('systemd does not run here; --prefix writes the files of an image');
  }
  const hidden = hiddenFolders.find((folder) => program.startsWith(`${folder}/`));
  if (hidden) {
    refusals.push(`${program}: a service does not see ${hidden}; put doorkeep under /opt`);
  }
  return refusals;
}

/** By ProtectHome and PrivateTmp. */
const hiddenFolders = ['/home', '/root', '/run/user', '/tmp', '/var/tmp'];

function systemFacts(): SystemFacts {
  // sd_booted(3)
  return { isRoot: geteuid?.() === 0, hasSystemd: existsSync('/run/systemd/system') };
}
