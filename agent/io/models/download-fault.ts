import { AgentError } from '../../errors.ts';
import { reasonOf, systemCode } from '../files/file-fault.ts';

export function downloadFailed(
  entry: { readonly name: string },
  why: string,
  cause?: unknown,
): AgentError {
  return new AgentError('DOWNLOAD_FAILED', `model ${entry.name}: ${why}`, { cause });
}

/** The address, if a model may come from there: https, or http from this very machine where a test allows it. */
export function allowedAddress(
  entry: { readonly name: string },
  location: string,
  allowLoopbackHttp: boolean,
  base?: URL,
): URL {
  const address = URL.parse(location, base?.href);
  if (!address) throw downloadFailed(entry, `${location.slice(0, 200)} is no address`);
  const local = address.protocol === 'http:' && loopbackHosts.includes(address.hostname);
  if (address.protocol === 'https:' || (local && allowLoopbackHttp)) return address;
  throw downloadFailed(entry, `${address.origin} is not https`);
}

/** What went wrong on the way to `address`, for the installer: one line, the host's name in it. */
export function networkReason(
  cause: unknown,
  address: URL,
  { connectMs, stallMs }: { readonly connectMs: number; readonly stallMs: number },
): string {
  const code = systemCode(cause) ?? '';
  const { host, hostname } = address;
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return `the name ${hostname} is not found: is the device online?`;
  }
  if (code === 'ENETUNREACH' || code === 'EHOSTUNREACH') {
    return `${host} cannot be reached: is the device online?`;
  }
  if (code === 'ECONNREFUSED') return `${host} refuses the connection`;
  if (code === 'UND_ERR_CONNECT_TIMEOUT' || code === 'ETIMEDOUT') {
    return `no connection to ${host} within ${connectMs / 1000} s`;
  }
  if (code === 'UND_ERR_HEADERS_TIMEOUT' || code === 'UND_ERR_BODY_TIMEOUT') {
    return `nothing came from ${host} for ${stallMs / 1000} s`;
  }
  if (code === 'UND_ERR_SOCKET' || code === 'ECONNRESET') return `${host} cut the connection`;
  if (tlsCode.test(code)) return `no trusted connection to ${host} (${code})`;
  return `${host}: ${reasonOf(cause)}`;
}

const loopbackHosts = ['127.0.0.1', '[::1]', 'localhost'];

/** Of Node and OpenSSL: the certificate, its chain, or the handshake. */
const tlsCode = /^(ERR_TLS_|ERR_SSL_|CERT_|UNABLE_TO_|DEPTH_ZERO_|SELF_SIGNED_|HOSTNAME_|EPROTO)/;
