import { attributeOf, type IrElement, onlyChild, readIrXml } from './ir-xml.ts';

/** One step of an OpenVINO model. */
export type IrLayer = {
  readonly id: number;
  readonly type: string;
  /** What sets this step apart from others of its type. */
  readonly data: ReadonlyMap<string, string>;
  readonly inputs: readonly { readonly layer: IrLayer; readonly shape: readonly number[] }[];
  /** Of its one output; undefined: it has none. */
  readonly shape: readonly number[] | undefined;
};

/**
 * The steps of a model, each after those whose output it takes. Throws a RangeError where the text is no
 * such description, a step has an output that nobody made or made otherwise, or comes before its inputs.
 */
export function readIrGraph(xml: string): readonly IrLayer[] {
  const net = readIrXml(xml);
  if (net.name !== 'net' || attributeOf(net, 'version') !== knownVersion) {
    throw new RangeError(`it is no OpenVINO model of version ${knownVersion}`);
  }
  const sources = readEdges(onlyChild(net, 'edges'));
  const layers = new Map<number, IrLayer>();
  for (const element of onlyChild(net, 'layers').children) {
    const layer = readLayer(element, layers, sources);
    if (layers.has(layer.id)) throw new RangeError(`layer ${layer.id} is there twice`);
    layers.set(layer.id, layer);
  }
  if (sources.size > 0) {
    const [to] = sources.keys();
    throw new RangeError(`an edge leads to port ${to}, which no layer has`);
  }
  return [...layers.values()];
}

/** `version` of <net>: the second form of the format, in use since 2021. */
const knownVersion = '11';

/** Of 'layer:port', the 'layer:port' that feeds it. */
function readEdges(edges: IrElement): Map<string, Place> {
  const sources = new Map<string, Place>();
  for (const edge of edges.children) {
    const at = (name: string) => wholeNumber(attributeOf(edge, name), name);
    const to = `${at('to-layer')}:${at('to-port')}`;
    if (sources.has(to)) throw new RangeError(`two edges lead to port ${to}`);
    sources.set(to, { layer: at('from-layer'), port: at('from-port') });
  }
  return sources;
}

type Place = { readonly layer: number; readonly port: number };

/** Takes the edges that lead to it out of `sources`. */
function readLayer(
  element: IrElement,
  earlier: ReadonlyMap<number, IrLayer>,
  sources: Map<string, Place>,
): IrLayer {
  const id = wholeNumber(attributeOf(element, 'id'), 'id of a layer');
  const type = attributeOf(element, 'type');
  try {
    const inputs = portsOf(element, 'input').map(({ id: port, shape }) => {
      const source = sources.get(`${id}:${port}`);
      const layer = source && earlier.get(source.layer);
      if (!layer?.shape) throw new RangeError(`nothing before it leads to its port ${port}`);
      if (layer.shape.join() !== shape.join()) {
        throw new RangeError(`its port ${port} is [${shape}], but gets [${layer.shape}]`);
      }
      sources.delete(`${id}:${port}`);
      return { layer, shape };
    });
    const [output, ...more] = portsOf(element, 'output');
    if (more.length > 0) throw new RangeError('it has more than one output');
    const [data] = element.children.filter(({ name }) => name === 'data');
    return { id, type, data: data?.attributes ?? new Map(), inputs, shape: output?.shape };
  } catch (fault) {
    throw inLayer({ id, type }, fault);
  }
}

/** The same fault, which says where. */
export function inLayer({ id, type }: Pick<IrLayer, 'id' | 'type'>, fault: unknown): unknown {
  return fault instanceof RangeError
    ? new RangeError(`layer ${id} (${type}): ${fault.message}`, { cause: fault })
    : fault;
}

function portsOf(layer: IrElement, side: 'input' | 'output') {
  const [found, ...more] = layer.children.filter(({ name }) => name === side);
  if (more.length > 0) throw new RangeError(`it has <${side}> twice`);
  return (found?.children ?? []).map((port) => ({
    id: wholeNumber(attributeOf(port, 'id'), 'id of a port'),
    shape: port.children
      .filter(({ name }) => name === 'dim')
      .map(({ text }) => wholeNumber(text, 'a size', 1)),
  }));
}

/** Digits, as the format writes sizes and places. Throws a RangeError that names `what`. */
export function wholeNumber(text: string, what: string, least = 0): number {
  const value = Number(text);
  if (/^\d{1,9}$/.test(text) && value >= least) return value;
  throw new RangeError(`${what} is "${text.slice(0, 40)}"`);
}

/** "1, 2" as numbers; `count` of them, where that is told. */
export function wholeNumbers(text: string, what: string, count?: number): readonly number[] {
  const numbers = text.split(',').map((part) => wholeNumber(part.trim(), what));
  if (count !== undefined && numbers.length !== count) {
    throw new RangeError(`${what} is "${text.slice(0, 40)}"`);
  }
  return numbers;
}
