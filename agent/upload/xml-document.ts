/** An element with text in it, or with elements, never with both. Attributes are not kept. */
export type XmlElement = {
  readonly name: string;
  readonly text: string;
  readonly children: readonly XmlElement[];
};

/**
 * Reads the documents that object stores answer with: elements and text, and nothing else that XML can be.
 * Undefined: not well-formed, or with anything in it that those documents do not have (a document type,
 * entities of its own, comments, sections), which is not skipped but refused.
 *
 * No library: it would bring all of XML, with its entities, for four documents of a dozen names.
 */
export function readXml(document: string): XmlElement | undefined {
  const pattern = new RegExp(token, 'gy');
  pattern.lastIndex = declaration.exec(document)?.[0].length ?? 0;
  const root = open('');
  const path = [root];
  while (pattern.lastIndex < document.length) {
    const found = pattern.exec(document);
    const top = path.at(-1);
    if (found === null || top === undefined || path.length > deepest) return undefined;
    const { 1: close, 2: name, 3: isEmpty, 4: text } = found;
    if (text !== undefined) top.text += text;
    else if (close !== undefined) {
      const below = path.at(-2);
      const element = close === top.name ? closed(top) : undefined;
      if (below === undefined || element === undefined) return undefined;
      below.children.push(element);
      path.pop();
    } else {
      const element = open(name ?? '');
      if (isEmpty === undefined) path.push(element);
      else top.children.push(element);
    }
  }
  const [only, ...more] = root.children;
  const isOne = path.length === 1 && more.length === 0 && root.text.trim() === '';
  return isOne ? only : undefined;
}

/** The elements below it that are called so. */
export function childrenOf({ children }: XmlElement, name: string): readonly XmlElement[] {
  return children.filter((child) => child.name === name);
}

/** The text of the one element at the end of the path; undefined: there is none, or more than one on the way. */
export function textAt(element: XmlElement, ...path: readonly string[]): string | undefined {
  const [name, ...rest] = path;
  if (name === undefined) return element.text;
  const [child, ...more] = childrenOf(element, name);
  return child === undefined || more.length > 0 ? undefined : textAt(child, ...rest);
}

/** For text between two tags. */
export function escapedXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}

const declaration = /^\uFEFF?\s*(?:<\?xml[^<>?]*\?>\s*)?/;
/** A closing tag, an opening or empty one, or text. */
const token =
  /<\/([A-Za-z][\w.-]*)\s*>|<([A-Za-z][\w.-]*)(?:\s+[\w:.-]+="[^"<]*")*\s*(\/)?>|([^<]+)/.source;
const deepest = 12;

type Open = { readonly name: string; text: string; readonly children: XmlElement[] };

function open(name: string): Open {
  return { name, text: '', children: [] };
}

function closed({ name, text, children }: Open): XmlElement | undefined {
  if (children.length > 0) return text.trim() === '' ? { name, text: '', children } : undefined;
  const plain = unescaped(text.trim());
  return plain === undefined ? undefined : { name, text: plain, children };
}

const entities: Readonly<Record<string, string>> = {
  lt: '<',
  gt: '>',
  amp: '&',
  quot: '"',
  apos: "'",
  // Stores write the quotes of an ETag so.
  '#34': '"',
  '#39': "'",
};

/** Undefined: with an entity that is none of these. */
function unescaped(text: string): string | undefined {
  let isKnown = true;
  const plain = text.replace(/&([^;&]{0,8});|&/g, (_, name: string | undefined) => {
    const sign = name === undefined ? undefined : entities[name];
    isKnown &&= sign !== undefined;
    return sign ?? '';
  });
  return isKnown ? plain : undefined;
}
