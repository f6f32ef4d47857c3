// What `make bench` measured of one run, as docs/measurements.json holds it.
import { FUNCTIONS } from "../src/functions";

/** One call of a function in a run. */
export interface Invocation {
  readonly function: string;
  /** The state that made it, or `webhook`. */
  readonly call: string;
  /** Without the start of the function. */
  readonly duration_ms: number;
}

/** One run, from the webhook to the end. */
export interface Measurements {
  /** The day, as 2026-01-31. */
  readonly measured: string;
  /** What was run. */
  readonly run: string;
  /** From the start of the process until it asks for its first task, and what it held in memory at most. */
  readonly functions: Readonly<Record<string, { readonly init_ms: number; readonly peak_mb: number }>>;
  readonly invocations: readonly Invocation[];
  /** States that were entered. */
  readonly transitions: number;
  readonly store: { readonly puts: number; readonly gets: number; readonly bytes: number };
  readonly log_bytes: number;
  /** One call of a tool at the MCP endpoint. */
  readonly mcp: { readonly duration_ms: number };
  /** The Python equivalent of a function, started on the same machine. */
  readonly python: { readonly init_ms: number; readonly peak_mb: number };
}

/** The measurements in a document; an error names what is missing. */
export function measurementsOf(document: unknown): Measurements {
  const at = (path: string): unknown =>
    path.split(".").reduce<unknown>((value, key) => (value as Record<string, unknown> | undefined)?.[key], document);
  const wrong = (path: string, expected: string): Error =>
    new Error(`docs/measurements.json: ${path} must be ${expected}, and is ${JSON.stringify(at(path))}`);
  const numbers = [
    "transitions",
    "store.puts",
    "store.gets",
    "store.bytes",
    "log_bytes",
    "mcp.duration_ms",
    "python.init_ms",
    "python.peak_mb",
    ...FUNCTIONS.flatMap(({ name }) => [`functions.${name}.init_ms`, `functions.${name}.peak_mb`]),
  ];
  for (const path of numbers) {
    const value = at(path);
    if (typeof value !== "number" || !Number.isFinite(value) || value < 0) throw wrong(path, "a number");
  }
  for (const path of ["measured", "run"]) if (typeof at(path) !== "string") throw wrong(path, "a text");
  const invocations = at("invocations");
  if (!Array.isArray(invocations) || invocations.length === 0) throw wrong("invocations", "a list");
  for (const [index, call] of (invocations as Partial<Invocation>[]).entries()) {
    const known = FUNCTIONS.some(({ name }) => name === call.function);
    if (!known) throw wrong(`invocations.${index}.function`, "a function of the fleet");
    if (typeof call.call !== "string") throw wrong(`invocations.${index}.call`, "a text");
    if (!(Number(call.duration_ms) >= 0)) throw wrong(`invocations.${index}.duration_ms`, "a number");
  }
  return document as Measurements;
}
