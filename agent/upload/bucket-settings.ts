import { ttlClasses, ttlPrefix } from '../ueip/age-class.ts';
import { childrenOf, readXml, textAt, type XmlElement } from './xml-document.ts';

/**
 * The age classes that no rule of this lifecycle deletes in time; undefined: it is no lifecycle. A rule counts if
 * nothing in it could narrow it: only a prefix chooses what it is about, and only days when.
 */
export function uncoveredClasses(document: string): readonly number[] | undefined {
  const root = readXml(document);
  if (root?.name !== 'LifecycleConfiguration') return undefined;
  const rules = childrenOf(root, 'Rule').flatMap((rule) => expiryOf(rule) ?? []);
  return ttlClasses.filter(
    (days) => !rules.some((rule) => ttlPrefix(days).startsWith(rule.prefix) && rule.days <= days),
  );
}

/** How a bucket encrypts what does not say how; undefined: it is no such document. */
export type DefaultEncryption =
  | {
      readonly kind: 'kms';
      /** Null: the one that the service keeps itself. */
      readonly keyId: string | null;
    }
  | { readonly kind: 'other' };

export function defaultEncryption(document: string): DefaultEncryption | undefined {
  const root = readXml(document);
  const rule = root?.name === 'ServerSideEncryptionConfiguration' ? only(root, 'Rule') : root;
  if (rule?.name !== 'Rule' && rule?.name !== 'ServerSideEncryptionRule') return undefined;
  const preset = only(rule, 'ApplyServerSideEncryptionByDefault');
  const algorithm = preset && textAt(preset, 'SSEAlgorithm');
  if (preset === undefined || algorithm === undefined) return undefined;
  if (algorithm !== 'KMS' && algorithm !== 'aws:kms') return { kind: 'other' };
  return { kind: 'kms', keyId: textAt(preset, 'KMSMasterKeyID') || null };
}

/** Whether what is deleted stays there as an earlier version; undefined: it is no such document. */
export function isVersioned(document: string): boolean | undefined {
  const root = readXml(document);
  if (root?.name !== 'VersioningConfiguration') return undefined;
  // Suspended: what comes now has no versions.
  return !['', 'Suspended'].includes(textAt(root, 'Status') ?? '');
}

/** What has no influence on when something is deleted, or only deletes more. */
const harmless = [
  'ID',
  'Status',
  'Prefix',
  'Filter',
  'Expiration',
  'Transition',
  'AbortMultipartUpload',
  'AbortIncompleteMultipartUpload',
  'NoncurrentVersionExpiration',
];

function expiryOf(
  rule: XmlElement,
): { readonly prefix: string; readonly days: number } | undefined {
  if (rule.children.some(({ name }) => !harmless.includes(name))) return undefined;
  const expiration = only(rule, 'Expiration');
  const days = Number(expiration && textAt(expiration, 'Days'));
  const prefix = prefixOf(rule);
  const isExpiry =
    textAt(rule, 'Status') === 'Enabled' &&
    expiration?.children.length === 1 &&
    Number.isInteger(days) &&
    days >= 1;
  return isExpiry && prefix !== undefined ? { prefix, days } : undefined;
}

/** '': the whole bucket; undefined: it is chosen by something else as well. */
function prefixOf(rule: XmlElement): string | undefined {
  const [filters, prefixes] = [childrenOf(rule, 'Filter'), childrenOf(rule, 'Prefix')];
  if (filters.length + prefixes.length > 1) return undefined;
  const [filter] = filters;
  if (filter === undefined) return prefixes.length === 1 ? textAt(rule, 'Prefix') : undefined;
  if (filter.children.length === 0) return filter.text === '' ? '' : undefined;
  return filter.children.length === 1 ? textAt(filter, 'Prefix') : undefined;
}

function only(element: XmlElement, name: string): XmlElement | undefined {
  const [child, ...more] = childrenOf(element, name);
  return more.length === 0 ? child : undefined;
}
