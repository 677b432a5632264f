import { reencode, type DnsScan, type WireName } from '@pp/wire';

type Rename = (name: WireName) => WireName;

/** What is to be changed in a DNS message. Bytes are changed in place; only a changed length makes it be written anew. */
export class MessageEdit {
  readonly #patches: { readonly at: number; readonly bytes: Uint8Array }[] = []; // BOUNDED: by the entries
  readonly #dropped = new Set<number>();
  readonly #texts = new Map<number, Uint8Array>();
  #rename: Rename | null = null;

  constructor(private readonly scan: DnsScan) {}

  patch(at: number, bytes: Uint8Array): void {
    this.#patches.push({ at, bytes });
  }

  drop(entry: number): void {
    this.#dropped.add(entry);
  }

  rename(rename: Rename): void {
    this.#rename = rename;
  }

  /** Data of another length, for a type that has no names in it. */
  replaceData(entry: number, data: Uint8Array): void {
    this.#texts.set(entry, data);
  }

  isDropped(entry: number): boolean {
    return this.#dropped.has(entry);
  }

  /** All questions, or all answers, are gone, and there were some. */
  get hasLost(): Readonly<Record<'questions' | 'answers' | 'authority', boolean>> {
    const { scan } = this;
    const lost = (isOne: (entry: number) => boolean): boolean => {
      const entries = Array.from({ length: scan.entries }, (_, i) => i).filter(isOne);
      return entries.length > 0 && entries.every((entry) => this.#dropped.has(entry));
    };
    const ofSection = (section: string) => (entry: number) =>
      entry >= scan.questions && scan.section(entry) === section;
    return {
      questions: lost((entry) => entry < scan.questions),
      answers: lost(ofSection('answer')),
      authority: lost(ofSection('authority')),
    };
  }

  get isDropping(): boolean {
    return this.#dropped.size > 0;
  }

  /** The bytes of the message itself where nothing changes. `plainSrv`: see Reencoding. */
  apply(plainSrv: boolean): Uint8Array {
    const { scan } = this;
    if (this.#patches.length === 0 && !this.#isLonger) return scan.bytes;
    const original = scan.bytes;
    const patched = original.slice();
    for (const { at, bytes } of this.#patches) patched.set(bytes, at);
    if (!this.#isLonger) return patched;
    scan.bytes = patched; // the places of all entries are the same
    const written = reencode(scan, {
      keep: (entry) => !this.#dropped.has(entry),
      rename: this.#rename ?? ((name) => name),
      data: (entry) => this.#texts.get(entry),
      plainSrv,
    });
    scan.bytes = original;
    return written;
  }

  get #isLonger(): boolean {
    return this.#dropped.size > 0 || this.#rename !== null || this.#texts.size > 0;
  }
}
