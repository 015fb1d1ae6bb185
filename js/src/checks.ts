// Reading what came from outside: each check gives a value of its type or says what was expected where.

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
