/** An element of a model's description; `text` only where it has no elements in it. */
export type IrElement = {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly text: string;
  readonly children: readonly IrElement[];
};

/**
 * Reads the XML of an OpenVINO model. What such files do not have (a document type, entities of its own,
 * comments, sections) is not skipped but refused. The reader in agent/upload drops attributes; here they
 * are what matters.
 * Throws a RangeError that names the line.
 */
export function readIrXml(document: string): IrElement {
  const pattern = new RegExp(token, 'gy');
  pattern.lastIndex = declaration.exec(document)?.[0].length ?? 0;
  const root = open('', new Map());
  const path: Open[] = [root];
  while (pattern.lastIndex < document.length) {
    const at = pattern.lastIndex;
    const found = pattern.exec(document);
    const top = path.at(-1);
    if (!found || !top || path.length > deepest) throw refused(document, at);
    const [, close, name, attributes = '', isEmpty, text] = found;
    if (text !== undefined) top.text += text;
    else if (close !== undefined) {
      const below = path.at(-2);
      const element = close === top.name ? closed(top) : undefined;
      if (!below || !element) throw refused(document, at);
      below.children.push(element);
      path.pop();
    } else if (name !== undefined) {
      const read = readAttributes(attributes);
      if (!read) throw refused(document, at);
      const element = open(name, read);
      if (isEmpty === undefined) path.push(element);
      else top.children.push(element);
    }
  }
  const [only, ...more] = root.children;
  if (path.length === 1 && only && more.length === 0 && root.text.trim() === '') return only;
  throw refused(document, document.length);
}

/** The one element of that name below `element`. Throws a RangeError: there is none, or more than one. */
export function onlyChild(element: IrElement, name: string): IrElement {
  const [found, ...more] = element.children.filter((child) => child.name === name);
  if (found && more.length === 0) return found;
  throw new RangeError(`<${element.name}> has not one <${name}>`);
}

/** Throws a RangeError: the element has no such attribute. */
export function attributeOf(element: IrElement, name: string): string {
  const value = element.attributes.get(name);
  if (value === undefined) throw new RangeError(`<${element.name}> has no ${name}`);
  return value;
}

const declaration = /^\uFEFF?\s*(?:<\?xml[^<>?]*\?>\s*)?/;
const word = '[A-Za-z_][\\w.:-]*';
const attribute = `\\s+(${word})="([^"<]*)"`;
/** A closing tag, an opening or empty one with its attributes, or text. */
const token = `</(${word})\\s*>|<(${word})((?:\\s+${word}="[^"<]*")*)\\s*(/)?>|([^<]+)`;
const deepest = 12;

type Open = {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  text: string;
  readonly children: IrElement[];
};

function open(name: string, attributes: ReadonlyMap<string, string>): Open {
  return { name, attributes, text: '', children: [] };
}

/** Undefined: text beside elements. */
function closed(element: Open): IrElement | undefined {
  const text = element.text.trim();
  if (element.children.length > 0 && text !== '') return undefined;
  const plain = unescaped(text);
  return plain === undefined ? undefined : { ...element, text: plain };
}

/** Undefined: one given twice, or with an entity of its own. */
function readAttributes(text: string): ReadonlyMap<string, string> | undefined {
  const attributes = new Map<string, string>();
  for (const [, name = '', value = ''] of text.matchAll(new RegExp(attribute, 'g'))) {
    const plain = unescaped(value);
    if (plain === undefined || attributes.has(name)) return undefined;
    attributes.set(name, plain);
  }
  return attributes;
}

const entities = new Map([
  ['lt', '<'],
  ['gt', '>'],
  ['amp', '&'],
  ['quot', '"'],
  ['apos', "'"],
]);

function unescaped(text: string): string | undefined {
  let isKnown = true;
  const plain = text.replace(/&([^;&]{0,8});|&/g, (_, name: string | undefined) => {
    const sign = entities.get(name ?? '');
    isKnown &&= sign !== undefined;
    return sign ?? '';
  });
  return isKnown ? plain : undefined;
}

function refused(document: string, at: number): RangeError {
  const line = document.slice(0, at).split('\n').length;
  return new RangeError(`line ${line} is not as OpenVINO writes it`);
}
