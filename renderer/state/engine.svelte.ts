import type { EngineSummary } from '../../electron/contract/system.ts';

/** The engine's own facts; undefined until the first snapshot. */
export class Engine {
  #summary = $state.raw<EngineSummary | undefined>();

  get summary(): EngineSummary | undefined {
    return this.#summary;
  }
  update(summary: EngineSummary): void {
    this.#summary = summary;
  }
}
