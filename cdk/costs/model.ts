// What the fleet costs in a month, from what one run was measured to take and from list prices; and the Python design beside it.
import { FUNCTIONS, MCP } from "../src/functions";
import { SECRETS } from "../src/names";
import type { Measurements } from "./measurements";
import { HOURS_PER_MONTH, usd } from "./prices";

/** What is assumed, beside what is measured. */
export const ASSUMED = {
  /** Lambda keeps an idle function about so long. */
  idleSeconds: 600,
  /** Calls of tools by people and models, for each issue. */
  mcpCallsPerIssue: 10,
  /** Deliveries of GitHub for each issue: opened, labelled, comments. */
  deliveriesPerIssue: 5,
  /** Months that artifacts are kept. */
  monthsKept: 12,
  /** The least memory that a Python function with pandas and scikit-learn is given, in MB. */
  pythonMemory: 512,
  /** The least memory of one that holds tables. */
  pythonMemoryWithTables: 1024,
  /** The alarms, the firewall's rules, and the interface endpoints times two zones of a deployment. */
  alarms: FUNCTIONS.length * 3 + 2 * 3 + 2,
  rules: 3,
  endpoints: 6,
} as const;

/** Costs in US dollars a month, by what they are for. */
export type Bill = Readonly<Record<(typeof ROWS)[number], number>>;

/** The rows of the table. */
export const ROWS = [
  "functions",
  "state machine",
  "API and firewall",
  "storage",
  "logs and traces",
  "messages",
  "network",
  "fixed",
] as const;

/** How a fleet runs. */
interface Fleet {
  readonly gbSecond: "lambdaGbSecondArm" | "lambdaGbSecondX86";
  memory(name: string): number;
  initMs(name: string): number;
  /** The MCP endpoint as containers that are always there. */
  readonly alwaysOn: boolean;
}

const SECONDS_PER_MONTH = HOURS_PER_MONTH * 3600;

/** The share of calls that find no function started: calls that come at random, against the time that an idle one is kept. */
export const coldShare = (callsPerMonth: number): number =>
  Math.exp((-callsPerMonth / SECONDS_PER_MONTH) * ASSUMED.idleSeconds);

function bill(issues: number, measured: Measurements, fleet: Fleet): Bill {
  const { store, transitions, log_bytes: logBytes } = measured;
  const deliveries = issues * ASSUMED.deliveriesPerIssue;
  const mcpCalls = issues * ASSUMED.mcpCallsPerIssue;

  // Each delivery but the first is looked at and put aside; it is billed as if it were acted upon.
  const webhook = measured.invocations.filter(({ call }) => call === "webhook");
  const again = webhook.map((call) => ({ ...call, times: ASSUMED.deliveriesPerIssue - 1 }));
  const calls = [...measured.invocations.map((call) => ({ ...call, times: 1 })), ...again];
  if (!fleet.alwaysOn) {
    calls.push({
      function: MCP.name,
      call: "tools/call",
      duration_ms: measured.mcp.duration_ms,
      times: ASSUMED.mcpCallsPerIssue,
    });
  }
  let functions = 0;
  let invocations = 0;
  for (const { function: name, duration_ms: duration, times } of calls) {
    const count = issues * times;
    const ms = Math.ceil(duration) + coldShare(count) * fleet.initMs(name);
    functions += usd(fleet.gbSecond, (count * ms * fleet.memory(name)) / 1000 / 1024) + usd("lambdaRequest", count);
    invocations += count;
  }
  const network =
    usd("natHour", HOURS_PER_MONTH) +
    usd("publicAddressHour", HOURS_PER_MONTH) +
    usd("endpointHour", HOURS_PER_MONTH * ASSUMED.endpoints);
  const container =
    usd("fargateVcpuHourX86", 2 * HOURS_PER_MONTH) +
    usd("fargateGbHourX86", 8 * HOURS_PER_MONTH) +
    usd("balancerHour", HOURS_PER_MONTH);
  const requests = deliveries + (fleet.alwaysOn ? 0 : mcpCalls);
  const gb = (issues * store.bytes * ASSUMED.monthsKept) / 1e9;
  return {
    functions,
    "state machine": usd("stateTransition", issues * transitions),
    "API and firewall":
      usd("restRequest", requests) +
      usd("firewallRequest", requests) +
      usd("firewallAcl", 1) +
      usd("firewallRule", ASSUMED.rules),
    storage:
      usd("storagePut", issues * store.puts) +
      usd("storageGet", issues * store.gets) +
      usd("storageGbMonth", gb) +
      usd("trailDataEvent", issues * (store.puts + store.gets)),
    "logs and traces": usd("logGb", (issues * logBytes) / 1e9) + usd("trace", invocations),
    messages: usd("mail", issues) + usd("publish", issues),
    network,
    fixed:
      usd("key", 1) +
      usd("secret", SECRETS.length) +
      usd("alarm", ASSUMED.alarms) +
      usd("dashboard", 1) +
      (fleet.alwaysOn ? container : 0),
  };
}

/** What this fleet costs with so many issues a month. */
export const ours = (issues: number, measured: Measurements): Bill =>
  bill(issues, measured, {
    gbSecond: "lambdaGbSecondArm",
    memory: (name) => FUNCTIONS.find((spec) => spec.name === name)?.memory ?? 0,
    initMs: (name) => measured.functions[name]?.init_ms ?? 0,
    alwaysOn: false,
  });

/**
 * What the Python design costs: the work itself is taken to last as long as here, which favours it. It starts slower, needs
 * room for its libraries, and has its MCP server as a container that is always there, as §5.1 recommends.
 */
export const python = (issues: number, measured: Measurements): Bill =>
  bill(issues, measured, {
    gbSecond: "lambdaGbSecondX86",
    memory: (name) => {
      const memory = FUNCTIONS.find((spec) => spec.name === name)?.memory ?? 0;
      return Math.max(memory, memory < 1024 ? ASSUMED.pythonMemory : ASSUMED.pythonMemoryWithTables);
    },
    initMs: () => measured.python.init_ms,
    alwaysOn: true,
  });

export const total = (of: Bill): number => ROWS.reduce((sum, row) => sum + of[row], 0);
