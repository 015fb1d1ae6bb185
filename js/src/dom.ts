// Elements without markup: text from the kernel only ever becomes text.

type Attributes = Record<string, string | number | boolean>;
type Child = Node | string;

function fill<E extends Element>(element: E, attributes: Attributes, children: Child[]): E {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) element.setAttribute(name, "");
    else if (value !== false) element.setAttribute(name, String(value));
  }
  element.append(...children);
  return element;
}

export const h = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] => fill(document.createElement(tag), attributes, children);

export const svg = <K extends keyof SVGElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: Child[]
): SVGElementTagNameMap[K] =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

const ICONS = {
  point: "M8 1v3M8 12v3M1 8h3M12 8h3M8 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4",
  box: "M2.5 4h11v8h-11z",
  brush: "M13.5 2.5 7 9M7 9c-2-.6-3.5.6-3.6 2.3C3.3 12.6 2.5 13 2 13.2c2.5 1 6 .3 6-2.5C8 10 7.5 9.3 7 9",
  eraser: "M6 13.5 2.5 10 9 3.5 13.5 8 8 13.5zM5.5 7l4.5 4.5M8 13.5h5.5",
  lasso:
    "M8 2.5c3.3 0 6 1.6 6 3.7s-2.7 3.7-6 3.7-6-1.6-6-3.7 2.7-3.7 6-3.7M4.5 9.2c-1 1.3.5 2 .3 3-.2.9-1 1.3-2 1.3",
  undo: "M3 6h6.5a3.5 3.5 0 0 1 0 7H6M3 6l3-3M3 6l3 3",
  redo: "M13 6H6.5a3.5 3.5 0 0 0 0 7H10M13 6l-3-3M13 6l-3 3",
  whole: "M7 2.5a4.5 4.5 0 1 0 0 9 4.5 4.5 0 0 0 0-9M10.3 10.3l3.2 3.2M5 7h4",
  full: "M2 6V2h4M10 2h4v4M14 10v4h-4M6 14H2v-4",
  play: "M5 3l8 5-8 5z",
  pause: "M5 3v10M11 3v10",
  loop: "M4 6.5h7.5a2 2 0 0 1 2 2M13.5 8.5a2 2 0 0 1-2 2H4M6 4.5l-2 2 2 2M6 12.5l-2-2",
  forward: "M3 8h9M9 4.5 12.5 8 9 11.5",
  back: "M13 8H4M7 4.5 3.5 8 7 11.5",
  learn: "M13 3v5H4M7 4.5 3.5 8 7 11.5",
  doubtful: "M5.5 6a2.5 2.5 0 1 1 3.6 2.2c-.8.4-1.1.9-1.1 1.8M8 12.8v.2",
  wrong: "M8 2v7M8 12.5v.5",
  add: "M8 3v10M3 8h10",
  check: "M3 8.5l3.5 3.5L13 4.5",
  cross: "M4 4l8 8M12 4l-8 8",
  stop: "M4 4h8v8H4z",
  shown:
    "M1.5 8C3 5.2 5.3 3.8 8 3.8S13 5.2 14.5 8C13 10.8 10.7 12.2 8 12.2S3 10.8 1.5 8M8 6a2 2 0 1 0 0 4 2 2 0 0 0 0-4",
  hidden: "M1.5 8C3 5.2 5.3 3.8 8 3.8S13 5.2 14.5 8C13 10.8 10.7 12.2 8 12.2S3 10.8 1.5 8M3 13 13 3",
  locked: "M4 7.5h8v6H4zM5.5 7.5v-2a2.5 2.5 0 0 1 5 0v2",
  unlocked: "M4 7.5h8v6H4zM5.5 7.5v-2a2.5 2.5 0 0 1 4.8-1",
  more: "M3.5 8h.01M8 8h.01M12.5 8h.01",
  adapter: "M8 2l1.6 4.4L14 8l-4.4 1.6L8 14l-1.6-4.4L2 8l4.4-1.6z",
  trash: "M3 4.5h10M6.5 4.5V3h3v1.5M4.5 4.5l.6 9h5.8l.6-9",
} as const;

export type IconName = keyof typeof ICONS;

export const icon = (name: IconName): SVGSVGElement =>
  svg(
    "svg",
    { class: "lit-icon", viewBox: "0 0 16 16", "aria-hidden": "true", focusable: "false" },
    svg("path", { d: ICONS[name] }),
  );

export function setIcon(button: HTMLElement, name: IconName): void {
  if (button.dataset.icon === name) return;
  button.dataset.icon = name;
  button.querySelector(".lit-icon")?.replaceWith(icon(name));
}

export interface ButtonOptions {
  icon?: IconName;
  text?: string;
  /** What it does, for the tooltip and for those who do not see the icon. */
  label: string;
  key?: string;
  class?: string;
  run(): void;
}

export function button(options: ButtonOptions): HTMLButtonElement {
  const element = h("button", {
    type: "button",
    class: `lit-button ${options.class ?? ""}`.trim(),
    "aria-label": options.label,
    title: options.key ? `${options.label} (${options.key})` : options.label,
  });
  if (options.icon) element.append(icon(options.icon));
  if (options.text) element.append(h("span", {}, options.text));
  if (options.text && options.key) element.dataset.key = options.key;
  // The mouse leaves the focus where it is, so that the next key still belongs to the picture.
  element.addEventListener("mousedown", (event) => event.preventDefault());
  element.addEventListener("click", options.run);
  return element;
}

export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Calls `build` only when what it depends on has changed. */
export function memo(build: () => void): (...inputs: unknown[]) => void {
  let last: string | undefined;
  return (...inputs) => {
    const now = JSON.stringify(inputs);
    if (now === last) return;
    last = now;
    build();
  };
}
