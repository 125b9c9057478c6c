import type { OpenFile, OpenHow } from './open-file.ts';
import type { FileStat } from './stat.ts';
import type { FileTimes } from './times.ts';

/** Whatever can copy a file up and open the copy. */
interface Copier {
  openCopy(name: string, how: OpenHow, was: FileStat): OpenFile;
}

/** A file of the image opened for reading. Setting its times or mode is a change: the file is copied up and this descriptor goes on with the copy. */
export class OverlayFile implements OpenFile {
  #file: OpenFile;
  #known: FileStat | undefined;
  readonly #directory: Copier;
  readonly #name: string;
  readonly #how: OpenHow;

  /** @param known its stat, which stays what it is until the file is copied up. */
  constructor(file: OpenFile, known: FileStat, directory: Copier, name: string, how: OpenHow) {
    this.#file = file;
    this.#known = known;
    this.#directory = directory;
    this.#name = name;
    this.#how = how;
  }

  #changeable(): OpenFile {
    if (!this.#known) return this.#file;
    const copy = this.#directory.openCopy(this.#name, this.#how, this.#known);
    this.#file.close();
    this.#file = copy;
    this.#known = undefined;
    return copy;
  }

  stat(): FileStat {
    return this.#known ?? this.#file.stat();
  }
  read(into: Uint8Array, offset: number, length: number, position: number): number {
    return this.#file.read(into, offset, length, position);
  }
  readMany(into: readonly Uint8Array[], position: number): number {
    return this.#file.readMany(into, position);
  }
  write(from: Uint8Array, offset: number, length: number, position: number): number {
    return this.#file.write(from, offset, length, position);
  }
  writeMany(from: readonly Uint8Array[], position: number): number {
    return this.#file.writeMany(from, position);
  }
  resize(size: number): void {
    this.#file.resize(size);
  }
  allocate(offset: number, length: number): void {
    this.#file.allocate(offset, length);
  }
  sync(dataOnly: boolean): void {
    this.#file.sync(dataOnly);
  }
  setTimes(times: FileTimes): void {
    this.#changeable().setTimes(times);
  }
  chmod(mode: number): void {
    this.#changeable().chmod(mode);
  }
  setAppend(append: boolean): void {
    this.#file.setAppend(append);
  }
  close(): void {
    this.#file.close();
  }
}
