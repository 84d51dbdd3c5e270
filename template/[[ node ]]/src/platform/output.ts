import { once } from "node:events";
import { fstatSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";

const STDOUT = 1;
const MAX_PENDING = 1 << 20; // about four thousand lines

/**
 * Standard output. Nobody waits for who reads it: a reader may be slow, have stopped, or be gone. What does not fit is
 * lost, in whole lines, and counted.
 */
export class Output {
  readonly #pipe = isPipe() ? new Socket({ fd: STDOUT, readable: false, writable: true }) : null;
  #lost = 0;

  /** `onLoss` is called with the number of lines that were lost, once there is room again. */
  constructor(onLoss: (lines: number) => void) {
    this.#pipe?.on("error", () => {}); // nobody can be told that it failed
    this.#pipe?.on("drain", () => {
      const lost = this.#lost;
      this.#lost = 0;
      if (lost > 0) onLoss(lost);
    });
  }

  write(line: string): void {
    if (this.#pipe === null) {
      writeNow(line);
    } else if (this.#pipe.writableLength + line.length > MAX_PENDING) {
      this.#lost += 1;
    } else if (!this.#pipe.destroyed) {
      this.#pipe.write(line);
    }
  }

  /** Waits until all is written, for so long at most. */
  async finish(limitMs: number): Promise<void> {
    if (this.#pipe === null || this.#pipe.destroyed) return;
    const written = once(this.#pipe, "close");
    this.#pipe.end();
    await Promise.race([written, sleep(limitMs)]);
  }
}

function isPipe(): boolean {
  const stdout = fstatSync(STDOUT);
  return stdout.isFIFO() || stdout.isSocket();
}

/** To a file or a terminal, where a write ends soon. */
function writeNow(line: string): void {
  try {
    writeSync(STDOUT, line);
  } catch {
    // as above
  }
}
