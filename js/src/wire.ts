// What the protocols of all views share: a message is checked, field by field, before anything reads it.

export interface Message {
  type: string;
}

/** One protocol: what the line to the kernel must know of it. */
export interface Wire<Out extends Message, In extends Message> {
  version: number;
  /** Messages that the kernel answers soon. */
  answered: ReadonlySet<string>;
  /** The wire form of a message. */
  encode(message: Out): unknown;
  /** Read a message from the kernel; fields that this version does not know are dropped. */
  parse(content: unknown): In;
  /** How many buffers belong to a message. */
  buffersOf(message: In): number;
}

/** Something that the user should know. */
export interface KernelError {
  type: "error";
  message: string;
}

/** What waited for a view that asks. */
export interface Batch {
  type: "batch";
  messages: unknown[];
  n_buffers: number[];
}

/** What came is not a message of this protocol. */
export class MessageError extends Error {}

export type Check<T> = (value: unknown, at: string) => T;
type Shape<T> = { [K in keyof T]: Check<T[K]> };

function expected(what: string, at: string): never {
  throw new MessageError(`message from the kernel: expected ${what} in ${at}`);
}

export const num: Check<number> = (value, at) =>
  typeof value === "number" && Number.isFinite(value) ? value : expected("a finite number", at);
export const int: Check<number> = (value, at) =>
  Number.isSafeInteger(value) ? (value as number) : expected("an integer", at);
export const str: Check<string> = (value, at) => (typeof value === "string" ? value : expected("a text", at));
export const bool: Check<boolean> = (value, at) =>
  typeof value === "boolean" ? value : expected("a boolean", at);
export const anything: Check<unknown> = (value) => value;

export const oneOf =
  <T extends string>(...options: readonly T[]): Check<T> =>
  (value, at) =>
    options.includes(value as T) ? (value as T) : expected(options.join(" | "), at);

export const list =
  <T>(item: Check<T>): Check<T[]> =>
  (value, at) =>
    Array.isArray(value) ? value.map((entry, i) => item(entry, `${at}[${i}]`)) : expected("a list", at);

export const tuple =
  <T extends unknown[]>(...items: { [K in keyof T]: Check<T[K]> }): Check<T> =>
  (value, at) =>
    Array.isArray(value) && value.length === items.length
      ? (items.map((item, i) => item(value[i], `${at}[${i}]`)) as T)
      : expected(`${items.length} entries`, at);

export const record =
  <T>(shape: Shape<T>): Check<T> =>
  (value, at) => {
    if (typeof value !== "object" || value === null) expected("an object", at);
    const given = value as Record<string, unknown>;
    const pairs = Object.entries(shape) as [string, Check<unknown>][];
    return Object.fromEntries(pairs.map(([key, check]) => [key, check(given[key], `${at}.${key}`)])) as T;
  };

export function wire<Out extends Message, In extends Message>(
  version: number,
  answered: ReadonlySet<string>,
  encode: (message: Out) => unknown,
  shapes: { [M in In as M["type"]]: Check<M> },
  buffersOf: (message: In) => number,
): Wire<Out, In> {
  function parse(content: unknown): In {
    const type = (content as { type?: unknown } | null)?.type;
    if (typeof type !== "string" || !Object.hasOwn(shapes, type)) {
      throw new MessageError(`message from the kernel: unknown type ${String(type).slice(0, 40)}`);
    }
    return (shapes[type as In["type"]] as Check<In>)(content, type);
  }
  return { version, answered, encode, parse, buffersOf };
}
