// The computation of costs, by hand where a hand can follow it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { measurementsOf, type Measurements } from "../costs/measurements";
import { ASSUMED, coldShare, ours, python, total } from "../costs/model";
import { PRICES } from "../costs/prices";
import { ISSUES, table, withTable } from "../costs/table";
import { FUNCTIONS } from "../src/functions";
import { read, resources, templates } from "./synthesised";

const measured: Measurements = {
  measured: "2030-01-31",
  run: "a run that nobody made",
  functions: Object.fromEntries(FUNCTIONS.map(({ name }) => [name, { init_ms: 10, peak_mb: 20 }])),
  invocations: [
    { function: "issue-detector", call: "webhook", duration_ms: 20 },
    { function: "judge", call: "Judge", duration_ms: 9.5 },
    { function: "training", call: "Train", duration_ms: 800 },
  ],
  transitions: 14,
  store: { puts: 40, gets: 60, bytes: 1_000_000 },
  log_bytes: 20_000,
  mcp: { duration_ms: 15 },
  python: { init_ms: 2_000, peak_mb: 200 },
};

const close = (found: number, expected: number): void =>
  assert.ok(Math.abs(found - expected) <= 1e-9 * Math.max(1, Math.abs(expected)), `${found} is not ${expected}`);

test("functions cost what their memory, their time and their requests cost", () => {
  const issues = 1_000_000_000; // So many that none starts anew.
  const gbSeconds = (memory: number, ms: number): number => (memory / 1024) * (ms / 1000);
  const perIssue =
    ASSUMED.deliveriesPerIssue * gbSeconds(512, 20) +
    gbSeconds(256, 10) +
    gbSeconds(5120, 800) +
    ASSUMED.mcpCallsPerIssue * gbSeconds(4096, 15);
  const requests = ASSUMED.deliveriesPerIssue + 2 + ASSUMED.mcpCallsPerIssue;
  const expected = issues * (perIssue * PRICES.lambdaGbSecondArm.usd + requests * PRICES.lambdaRequest.usd);
  close(ours(issues, measured).functions, expected);
});

test("a call that finds no function started pays for the start", () => {
  const slower: Measurements = {
    ...measured,
    functions: { ...measured.functions, judge: { init_ms: 1_010, peak_mb: 20 } },
  };
  const more = ours(100, slower).functions - ours(100, measured).functions;
  close(more, 100 * coldShare(100) * (256 / 1024) * 1 * PRICES.lambdaGbSecondArm.usd);
  assert.ok(coldShare(1) > 0.999 && coldShare(100_000) < 1e-9);
});

test("what does not depend on the runtime costs the same in both designs", () => {
  for (const issues of ISSUES) {
    const [here, there] = [ours(issues, measured), python(issues, measured)];
    for (const row of ["state machine", "storage", "messages", "network"] as const) close(here[row], there[row]);
    assert.ok(there.functions > here.functions, "Python starts slower and needs more memory");
    const container = 730 * (2 * 0.04048 + 8 * 0.004445 + 0.0225);
    close(there.fixed - here.fixed, container);
    assert.ok(total(here) < total(there));
  }
});

test("state transitions cost 25 dollars a million", () =>
  close(ours(1_000, measured)["state machine"], (14 * 1_000 * 25) / 1e6));

test("what is counted as fixed is what the stacks hold", () => {
  const all = templates();
  const found = (type: string): number => resources(all, type).length;
  assert.equal(found("AWS::CloudWatch::Alarm"), ASSUMED.alarms);
  assert.equal(found("AWS::KMS::Key"), 1);
  assert.equal(found("AWS::EC2::NatGateway"), 1);
  const [[, acl] = []] = resources(all, "AWS::WAFv2::WebACL");
  assert.equal(acl?.Properties.Rules.length, ASSUMED.rules);
  const zones = resources(all, "AWS::EC2::VPCEndpoint").map(([, { Properties }]) => Properties.SubnetIds?.length ?? 0);
  assert.equal(
    zones.reduce((sum: number, count: number) => sum + count, 0),
    ASSUMED.endpoints,
  );
});

test("measurements that are missing are named", () => {
  assert.deepEqual(measurementsOf(structuredClone(measured)), measured);
  for (const [broken, expected] of [
    [{ ...measured, transitions: "14" }, /transitions must be a number, and is "14"/],
    [{ ...measured, functions: { ...measured.functions, judge: {} } }, /functions\.judge\.init_ms must be a number/],
    [{ ...measured, invocations: [] }, /invocations must be a list/],
    [
      { ...measured, invocations: [{ function: "packaging", call: "x", duration_ms: 1 }] },
      /invocations\.0\.function must be a function/,
    ],
    [{}, /must be a number, and is undefined/],
  ] as const) {
    assert.throws(() => measurementsOf(broken), expected);
  }
});

test("the table goes between its marks, and again into the same place", () => {
  const document = "# Costs\n<!-- costs -->\nold\n<!-- /costs -->\nend\n";
  const written = withTable(document, measured);
  assert.ok(written.startsWith("# Costs\n<!-- costs -->\n") && written.endsWith("<!-- /costs -->\nend\n"));
  assert.ok(written.includes(table(measured)) && !written.includes("old"));
  assert.equal(withTable(written, measured), written);
  assert.throws(() => withTable("# Costs\n", measured), /no place for the table/);
});

test("the table of docs/operations.md is that of docs/measurements.json", () => {
  const document = read("docs/operations.md");
  assert.equal(withTable(document, measurementsOf(JSON.parse(read("docs/measurements.json")))), document);
});
