// The table of costs in docs/operations.md.
import type { Measurements } from "./measurements";
import { ASSUMED, type Bill, coldShare, ours, python, ROWS, total } from "./model";
import { PRICES, PRICES_OF } from "./prices";

/** Issues a month. */
export const ISSUES = [100, 1_000, 100_000] as const;

const BEGIN = "<!-- costs -->";
const END = "<!-- /costs -->";

const money = (usd: number): string =>
  usd.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
const count = (number: number): string => number.toLocaleString("en-US");

/** The table, in Markdown. */
export function table(measured: Measurements): string {
  const pairs = ISSUES.map((issues) => ({ issues, here: ours(issues, measured), there: python(issues, measured) }));
  const row = (name: string, of: (bill: Bill, issues: number) => string): string =>
    `| ${name} | ${pairs.map(({ issues, here, there }) => `${of(here, issues)} | ${of(there, issues)}`).join(" | ")} |`;
  const head = pairs.map(({ issues }) => `${count(issues)} issues | Python`).join(" | ");
  const cold = ISSUES.map((issues) => `${(coldShare(issues) * 100).toFixed(0)} %`).join(", ");
  const pages = [...new Set(Object.values(PRICES).map(({ page }) => page))];
  return [
    `US dollars a month, list prices of ${PRICES_OF} in US East (N. Virginia), without free tiers.`,
    "",
    `| | ${head} |`,
    `|---|${"---:|".repeat(pairs.length * 2)}`,
    ...ROWS.map((name) => row(name, (bill) => money(bill[name]))),
    row("**total**", (bill) => `**${money(total(bill))}**`),
    row("for one issue", (bill, issues) => (total(bill) / issues).toFixed(4)),
    row("for one issue, without what is fixed", (bill, issues) =>
      ((total(bill) - bill.network - bill.fixed) / issues).toFixed(4),
    ),
    "",
    `Measured on ${measured.measured}: ${measured.run}, ${measured.invocations.length} calls of functions and ` +
      `${measured.transitions} states. Both columns take the same time for the work itself; Python starts in ` +
      `${count(Math.round(measured.python.init_ms))} ms with ${count(Math.round(measured.python.peak_mb))} MB (measured) and ` +
      `is given at least ${count(ASSUMED.pythonMemory)} MB, with tables ${count(ASSUMED.pythonMemoryWithTables)} MB. ` +
      `Assumed: an idle function is kept for ${ASSUMED.idleSeconds / 60} minutes and calls come at random, so that ${cold} of ` +
      `the calls of a state start a function; ${ASSUMED.deliveriesPerIssue} deliveries and ${ASSUMED.mcpCallsPerIssue} calls of tools an ` +
      `issue; artifacts are kept for ${ASSUMED.monthsKept} months; one NAT gateway; the Python design has its MCP server on ` +
      "Fargate (2 vCPU, 8 GB, one task) behind a load balancer, here it is a function.",
    "",
    `Prices: ${pages.map((page) => `<${page}>`).join(", ")}.`,
  ].join("\n");
}

/** The document with the table between its marks. */
export function withTable(document: string, measured: Measurements): string {
  const [begin, end] = [document.indexOf(BEGIN), document.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`the document has no place for the table: ${BEGIN} … ${END}`);
  return `${document.slice(0, begin + BEGIN.length)}\n${table(measured)}\n${document.slice(end)}`;
}
