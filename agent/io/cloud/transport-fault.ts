import type { TransportFault } from '../../upload/cloud-port.ts';
import { systemCode } from '../files/file-fault.ts';

/** Thrown by our own part of a connection, which knows best what went wrong. */
export class ConnectionFault extends Error {
  readonly fault: TransportFault;

  constructor(fault: TransportFault, message: string) {
    super(message);
    this.name = 'ConnectionFault';
    this.fault = fault;
  }
}

/**
 * Which fault of the way an error stands for. Undefined: it is none of the network or the other side, but a mistake
 * in this program. What is not known is taken for a cut connection: the bytes may have arrived.
 */
export function transportFaultOf(error: unknown): TransportFault | undefined {
  if (error instanceof ConnectionFault) return error.fault;
  // undici's parser does not always give its errors a code.
  const isParsers = error instanceof Error && error.name === 'HTTPParserError';
  const code = systemCode(error) ?? (isParsers ? 'HPE_UNKNOWN' : '');
  const known = faults.find(([pattern]) => pattern.test(code));
  if (known !== undefined) return known[1];
  const isMistake = error instanceof TypeError || code === '' || mistakes.test(code);
  return isMistake ? undefined : 'reset';
}

/** Codes of the system, of Node's TLS and OpenSSL, of undici and its parser. */
const faults: readonly (readonly [RegExp, TransportFault])[] = [
  [/^(ENOTFOUND|EAI_\w+)$/, 'dns'],
  [/^(ENETUNREACH|EHOSTUNREACH|ENETDOWN|EHOSTDOWN|EADDRNOTAVAIL|ENONET)$/, 'unreachable'],
  [/^ECONNREFUSED$/, 'refused'],
  [/^(ETIMEDOUT|UND_ERR_CONNECT_TIMEOUT)$/, 'connect-timeout'],
  [/^UND_ERR_(HEADERS|BODY)_TIMEOUT$/, 'timeout'],
  [/^(ECONNRESET|EPIPE|ECONNABORTED|UND_ERR_SOCKET)$/, 'reset'],
  [/^CERT_(HAS_EXPIRED|NOT_YET_VALID)$/, 'certificate-time'],
  [
    /^(ERR_TLS_|ERR_SSL_|CERT_|CRL_|UNABLE_TO_|ERROR_IN_CERT_|DEPTH_ZERO_|SELF_SIGNED_|INVALID_CA|INVALID_PURPOSE|PATH_LENGTH_EXCEEDED|HOSTNAME_MISMATCH|EPROTO$)/,
    'certificate',
  ],
  [
    /^(UND_ERR_RES_EXCEEDED_MAX_SIZE|UND_ERR_HEADERS_OVERFLOW|HPE_HEADER_OVERFLOW)$/,
    'oversized-reply',
  ],
  [/^(HPE_\w+|UND_ERR_RES_CONTENT_LENGTH_MISMATCH)$/, 'unreadable-reply'],
];

const mistakes =
  /^(UND_ERR_(INVALID_ARG|INVALID_RETURN_VALUE|NOT_SUPPORTED|REQ_CONTENT_LENGTH_MISMATCH|CLOSED|DESTROYED)|ERR_INVALID_\w+|ERR_OUT_OF_RANGE)$/;
