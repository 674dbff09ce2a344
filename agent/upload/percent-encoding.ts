/** Every byte of the UTF-8 text as %XX, except A-Z a-z 0-9 - . _ ~ (RFC 3986's unreserved characters). */
export function percentEncoded(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (sign) => `%${sign.charCodeAt(0).toString(16).toUpperCase()}`,
  );
}

/** The same for a path: '/' stays. */
export function percentEncodedPath(path: string): string {
  return path.split('/').map(percentEncoded).join('/');
}
