// What one view of the gallery knows and shows; whoever changes it says so.

import type { Link } from "../transport";
import type { Card, GalleryState, Guess, Job, LookReport, Tile, ToGallery } from "./messages";
import { Pictures } from "./pictures";

export const SKIPPED = -1;

export class GalleryStore {
  classes: string[] = [];
  state: GalleryState | null = null;
  look: LookReport | null = null;
  job: Job | null = null;
  link: Link = "connecting";
  error = "";
  notice = "";
  help = false;
  full = false;
  /** The notebook has the keys. */
  away = false;
  /** What is typed to find a class, and which of those found is picked. */
  search: { text: string; picked: number } | null = null;
  /** The image on the stage; ahead of the kernel's while labels are on their way. */
  image = -1;
  readonly pictures = new Pictures();
  readonly cards = new Map<number, Card>();
  /** Labels on their way to the kernel, by image. */
  readonly pending = new Map<number, number>();
  /** A correction is being learned, after which the guesses are others: nobody must press a key meant for them. */
  awaiting = false;
  /** Where the user went; the kernel follows. */
  #going: number | null = null;
  /** Where the user went last, until something is said there. */
  #visited = -1;
  #subscribers = new Set<() => void>();

  subscribe(callback: () => void): () => void {
    this.#subscribers.add(callback);
    return () => this.#subscribers.delete(callback);
  }

  notify(): void {
    for (const callback of this.#subscribers) callback();
  }

  set(
    change: Partial<
      Pick<GalleryStore, "link" | "error" | "notice" | "help" | "full" | "away" | "search" | "image">
    >,
  ): void {
    Object.assign(this, change);
    this.notify();
  }

  get learning(): boolean {
    return this.job?.status === "running" && this.job.kind === "learn";
  }

  get looking(): boolean {
    return this.look?.status === "running";
  }

  get card(): Card | undefined {
    return this.cards.get(this.image);
  }

  /** What can be chosen by number now. */
  get guesses(): Guess[] {
    return this.awaiting ? [] : (this.card?.guesses ?? []);
  }

  get tile(): Tile | undefined {
    return this.state?.tiles.find(({ image }) => image === this.image);
  }

  /** What is said of an image, by the kernel or on its way there; null while nothing is. */
  labelOf(tile: Tile): number | null {
    return this.pending.get(tile.image) ?? (tile.verdict === "open" ? null : tile.label);
  }

  nameOf(label: number): string {
    return this.classes[label] ?? "";
  }

  /** Whether the image has a label and nobody went to it to change that, as after the last one. */
  get keepsLabel(): boolean {
    const { tile } = this;
    return tile !== undefined && this.image !== this.#visited && (this.labelOf(tile) ?? SKIPPED) !== SKIPPED;
  }

  /** Show an image at once; the kernel is told by whoever calls. */
  goTo(image: number): void {
    this.#going = this.#visited = image;
    this.set({ image, notice: "" });
  }

  /** Say at once what the kernel is about to confirm, and go on to the next open image if its guesses are here. */
  said(image: number, label: number): void {
    const known =
      label === SKIPPED || this.cards.get(image)?.guesses.find((guess) => guess.label === label)?.known;
    if (!known && this.state?.learning) this.awaiting = true;
    this.pending.set(image, label);
    this.#visited = -1;
    // Whoever goes on has read it; what still holds is said again.
    this.error = "";
    const tiles = this.state?.tiles ?? [];
    const at = tiles.findIndex((tile) => tile.image === image);
    const next = tiles
      .slice(at + 1)
      .find((tile) => this.labelOf(tile) === null && this.cards.has(tile.image));
    if (at >= 0 && next) this.image = next.image;
    this.notify();
  }

  receive(message: ToGallery, buffers: DataView[]): void {
    switch (message.type) {
      case "galleryState":
        this.#receiveState(message);
        break;
      case "classes":
        this.classes = message.names;
        break;
      case "cards":
        for (const card of message.cards) this.cards.set(card.image, card);
        // The state that confirms a label comes before the guesses that were made after it.
        if (this.pending.size === 0) this.awaiting = false;
        this.#forgetCards();
        break;
      case "lookReport":
        this.look = message;
        break;
      case "pictureBytes":
        message.images.forEach((image, i) => {
          const shelf = message.large ? this.pictures.large : this.pictures.small;
          shelf.put(image, buffers[i] as DataView, () => this.notify());
        });
        break;
      case "job":
        this.job = message;
        if (message.status === "done" && message.note) this.notice = message.note;
        break;
      case "error":
        this.error = message.message;
        this.#takeBack();
        break;
    }
    this.notify();
  }

  #receiveState(state: GalleryState): void {
    this.state = state;
    const said = new Map(
      state.tiles.map((tile) => [tile.image, tile.verdict === "open" ? null : tile.label]),
    );
    for (const [image, label] of this.pending) {
      // What is out of sight was confirmed long ago.
      if (!said.has(image) || said.get(image) === label) this.pending.delete(image);
    }
    if (this.#going === state.image) this.#going = null;
    if (this.pending.size === 0 && this.#going === null) this.image = state.image;
  }

  /** The kernel refused something: show what it has. */
  #takeBack(): void {
    this.pending.clear();
    this.awaiting = false;
    this.#going = null;
    if (this.state) this.image = this.state.image;
  }

  /** Of images far away another look would be needed anyway. */
  #forgetCards(): void {
    const near = new Set(this.state?.tiles.map(({ image }) => image));
    for (const image of this.cards.keys()) {
      if (this.cards.size > 32 && !near.has(image) && image !== this.image) this.cards.delete(image);
    }
  }
}
