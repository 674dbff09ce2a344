import { conforming } from './field-types.ts';
import { attemptFields } from './fields.ts';

const { agent_version, detection_model, embedding_model, pad_model } = attemptFields;
const buildFields = { agent_version, detection_model, embedding_model, pad_model };

/** Which agent and which models a record is of: what it has in common with every door of that build. */
export type Builds = ReturnType<typeof buildsOf>;

/**
 * Of the digests in the manifest, in hex; `sha256` is that of io/files/digests.ts. Several detectors of attacks
 * work together and are told as one: by the digest of their digests, written one after the other.
 * @throws TypeError: that is no version, or no digest
 */
export function buildsOf(
  used: {
    readonly agentVersion: string;
    readonly detectionSha256: string;
    readonly embeddingSha256: string;
    readonly padSha256: readonly string[];
  },
  sha256: (bytes: Uint8Array) => string,
) {
  const [pad, ...more] = used.padSha256;
  const padSet =
    more.length === 0 ? pad : sha256(new TextEncoder().encode(used.padSha256.join('')));
  return conforming(buildFields, {
    agent_version: used.agentVersion,
    detection_model: prefix(used.detectionSha256),
    embedding_model: prefix(used.embeddingSha256),
    pad_model: padSet === undefined ? null : prefix(padSet),
  });
}

function prefix(sha256: string): string {
  return sha256.slice(0, 12);
}
